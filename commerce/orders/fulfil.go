package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Tracking is how to follow a parcel; what is not known is empty.
type Tracking struct {
	Carrier string
	Number  string
	URL     string
}

// shown is tracking as the contract has it: null when nothing is known.
func (t Tracking) shown() any {
	if t == (Tracking{}) {
		return nil
	}
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return map[string]any{"carrier": orNull(t.Carrier), "number": orNull(t.Number), "url": orNull(t.URL)}
}

// fulfilSQL writes a fulfilment down and counts its lines as sent.
const fulfilSQL = `
with f as (
	insert into fulfilments (id, order_id, lines, carrier, tracking_number, tracking_url) values ($1, $2, $3::jsonb, $4, $5, $6)
), l as (
	update order_lines set fulfilled_quantity = fulfilled_quantity + x.quantity
	from jsonb_to_recordset($3::jsonb) as x(line_id text, quantity int) where order_lines.id = x.line_id and order_lines.order_id = $2
)
update orders o set fulfilment_state = $7, state = $8, version = version + 1, updated_at = now() where o.id = $2 returning ` + SummaryColumns

// Fulfil notes that part of an order was sent or, without lines, all that was not sent
// yet. It gives the fulfilment's ID.
func (s *Service) Fulfil(ctx context.Context, tx *postgres.Tx, orderID string, lines []LineQuantity, tracking Tracking) (string, error) {
	if err := tracking.validate(); err != nil {
		return "", err
	}
	tracking = tracking.followed()
	o, err := lock(ctx, tx, orderID)
	if err != nil {
		return "", err
	}
	if o.State == Cancelled {
		return "", problem.New(problem.Conflict, "order_cancelled", "The order is cancelled.")
	}
	if lines, err = o.toSend(lines); err != nil {
		return "", err
	}
	for _, q := range lines {
		o.line(q.LineID).fulfilled += q.Quantity
	}
	before := o.Summary
	fulfilment, state := o.advance()
	raw, err := json.Marshal(lines)
	if err != nil {
		return "", fmt.Errorf("fulfil %s: %w", orderID, err)
	}
	id := ids.New("ful")
	err = tx.QueryRow(ctx, fulfilSQL, id, orderID, string(raw), tracking.Carrier, tracking.Number, tracking.URL, fulfilment, state).Scan(o.Fields()...)
	if err != nil {
		return "", fmt.Errorf("fulfil %s: %w", orderID, err)
	}
	journal.Event(ctx, tx, "fulfilment.created", id, map[string]any{"id": id, "order_id": orderID, "tracking": tracking.shown()})
	o.tell(ctx, tx, before)
	journal.Audit(ctx, tx, journal.Entry{Action: "order.fulfil", ObjectID: orderID, Before: former(tx, o.ID), After: map[string]any{"fulfilment_id": id, "lines": lines, "order": o.Summary}})
	Mail(tx, MailArgs{Kind: Shipped, OrderID: orderID, FulfilmentID: id})
	return id, nil
}

// toSend are the lines that a fulfilment is of.
func (o *order) toSend(asked []LineQuantity) ([]LineQuantity, error) {
	lines := o.all((*line).unsent)
	if len(lines) == 0 {
		return nil, problem.New(problem.Conflict, "nothing_left", "All of the order is sent.")
	}
	if o.fulfilments >= maxParts {
		return nil, problem.New(problem.Unprocessable, "too_many", "An order has at most %d fulfilments.", maxParts)
	}
	if len(asked) == 0 {
		return lines, nil
	}
	return o.choose(asked, (*line).unsent)
}

// tell tells of the states that an order has come to.
func (o *order) tell(ctx context.Context, tx *postgres.Tx, before Summary) {
	if o.FulfilmentState == Fulfilled && before.FulfilmentState != Fulfilled {
		journal.Event(ctx, tx, "order.fulfilled", o.ID, o.Summary)
	}
	if o.State == Completed && before.State != Completed {
		journal.Event(ctx, tx, "order.completed", o.ID, o.Summary)
	}
}

// validate refuses an address for following a parcel that is none: it is put into mails.
func (t Tracking) validate() error {
	if t.URL == "" {
		return nil
	}
	parsed, err := url.Parse(t.URL)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return problem.New(problem.Unprocessable, "details_invalid", "The parcel cannot be followed there.").
			At("/tracking/url", "uri", "It is an address that begins with https://.")
	}
	return nil
}
