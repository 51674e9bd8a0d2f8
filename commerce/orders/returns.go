package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The states of a return. One that was received is inspected before anything is paid back;
// declined, closed and cancelled ones stay so.
const (
	ReturnRequested = "requested" // by the shopper
	ReturnApproved  = "approved"  // the goods are awaited
	ReturnDeclined  = "declined"
	ReturnReceived  = "received"
	ReturnInspected = "inspected" // what was accepted came back to the order's lines
	ReturnClosed    = "closed"    // paid back, or not to be
	ReturnCancelled = "cancelled"
)

// ReturnLine is a number of an order's line that comes back, and what was found of it. It
// is kept in this form, which is the API's.
type ReturnLine struct {
	LineID   string  `json:"line_id"`
	Quantity int64   `json:"quantity"`
	Reason   string  `json:"reason"`
	Note     *string `json:"note"`

	// What the inspection found; nil before it.
	Accepted  *int64  `json:"accepted_quantity"`
	Condition *string `json:"condition"`
	Restocked *int64  `json:"restocked_quantity"`
	Location  *string `json:"restock_location_id"`
}

// ReturnInput is goods that are to come back.
type ReturnInput struct {
	OrderID  string
	Lines    []ReturnLine
	Exchange []Instead
	Note     string
	Message  string // to the shopper, of a return that the staff opens
	Asked    bool   // by the order's shopper; the staff's are approved
}

// Instead is a variant that is to be sent instead of what comes back. It is kept in this form,
// which is the API's.
type Instead struct {
	VariantID string `json:"variant_id"`
	Quantity  int64  `json:"quantity"`
}

// goodsBack is a return under its order's lock.
type goodsBack struct {
	id, order, state string
	lines            []ReturnLine
	exchange         []Instead // what is to be sent instead
	exchanged        bool      // it was added to the order
}

// returnEvent is what events and the audit tell of a return.
type returnEvent struct {
	ID      string       `json:"id"`
	OrderID string       `json:"order_id"`
	State   string       `json:"state"`
	Lines   []returnPart `json:"lines"`
}

type returnPart struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
	Reason   string `json:"reason"`
	Accepted *int64 `json:"accepted_quantity"`
}

func (b *goodsBack) event() returnEvent {
	e := returnEvent{b.id, b.order, b.state, []returnPart{}}
	for _, l := range b.lines {
		e.Lines = append(e.Lines, returnPart{l.LineID, l.Quantity, l.Reason, l.Accepted})
	}
	return e
}

// openSQL writes a return down; the order, which shows it, has another version then.
const openSQL = `
with o as (
	update orders set version = version + 1, updated_at = now() where id = $2 returning id
)
insert into returns (id, order_id, state, lines, note, message, exchange) select $1, o.id, $3, $4::jsonb, $5, $6, $7::jsonb from o`

// OpenReturn notes that goods of an order are to come back, and gives the return's ID. The
// staff's returns are approved; a shopper's is a request, and the caller sees that the order is
// theirs. No more comes back than was sent and did not come back yet.
func (s *Service) OpenReturn(ctx context.Context, tx *postgres.Tx, in ReturnInput) (string, error) {
	o, err := lock(ctx, tx, in.OrderID)
	if err != nil {
		return "", err
	}
	if o.returns >= maxReturns {
		return "", problem.New(problem.Unprocessable, "too_many", "An order has at most %d returns.", maxReturns)
	}
	if err := o.returnable(in.Lines); err != nil {
		return "", err
	}
	if err := s.known(ctx, tx, o, in.Exchange); err != nil {
		return "", err
	}
	b := goodsBack{id: ids.New("ret"), order: o.ID, state: ReturnApproved, lines: in.Lines, exchange: append([]Instead{}, in.Exchange...)}
	if in.Asked {
		b.state = ReturnRequested
	}
	raw, err := marshalled(b.lines)
	if err != nil {
		return "", fmt.Errorf("open a return of %s: %w", o.ID, err)
	}
	instead, err := marshalled(b.exchange)
	if err != nil {
		return "", fmt.Errorf("open a return of %s: %w", o.ID, err)
	}
	if _, err := tx.Exec(ctx, openSQL, b.id, o.ID, b.state, raw, in.Note, in.Message, instead); err != nil {
		return "", fmt.Errorf("open a return of %s: %w", o.ID, err)
	}
	b.tell(ctx, tx)
	b.mail(tx)
	return b.id, nil
}

// returnable refuses lines of which fewer were sent and are still there.
func (o *order) returnable(lines []ReturnLine) error {
	asked := make([]LineQuantity, len(lines))
	repeated := problem.New(problem.Unprocessable, "details_invalid", "These cannot be returned.")
	for i, l := range lines {
		asked[i] = LineQuantity{l.LineID, l.Quantity}
		if slices.ContainsFunc(lines[:i], func(b ReturnLine) bool { return b.LineID == l.LineID }) {
			repeated.At(fmt.Sprintf("/lines/%d/line_id", i), "repeated", "Each line can be given once.")
		}
	}
	if err := repeated.OrNil(); err != nil {
		return err
	}
	_, err := o.choose(asked, (*line).kept)
	return err
}

// kept is how many of a line were sent and did not come back, nor are about to. Refunds that
// put goods back count for those that were not sent first.
func (l *line) kept() int64 {
	back := max(l.restocked-(l.quantity-l.fulfilled), 0)
	return max(l.fulfilled-l.returned-l.returning-back, 0)
}

// ReturnStep is a step that a return takes.
type ReturnStep struct {
	ID      string
	Message string // what the shopper is told; empty for nothing besides that it happened
}

// ApproveReturn says that a return that was requested may be sent.
func (s *Service) ApproveReturn(ctx context.Context, tx *postgres.Tx, step ReturnStep) error {
	return s.advanceReturn(ctx, tx, step, ReturnApproved, ReturnRequested)
}

// DeclineReturn says that it may not.
func (s *Service) DeclineReturn(ctx context.Context, tx *postgres.Tx, step ReturnStep) error {
	return s.advanceReturn(ctx, tx, step, ReturnDeclined, ReturnRequested)
}

// ReceiveReturn notes that the goods arrived.
func (s *Service) ReceiveReturn(ctx context.Context, tx *postgres.Tx, step ReturnStep) error {
	return s.advanceReturn(ctx, tx, step, ReturnReceived, ReturnApproved)
}

// CloseReturn ends a return that was inspected, without money: what was accepted is paid
// back by RefundReturn.
func (s *Service) CloseReturn(ctx context.Context, tx *postgres.Tx, step ReturnStep) error {
	return s.advanceReturn(ctx, tx, step, ReturnClosed, ReturnInspected)
}

// CancelReturn ends a return of which nothing arrived.
func (s *Service) CancelReturn(ctx context.Context, tx *postgres.Tx, step ReturnStep) error {
	return s.advanceReturn(ctx, tx, step, ReturnCancelled, ReturnRequested, ReturnApproved)
}

func (s *Service) advanceReturn(ctx context.Context, tx *postgres.Tx, step ReturnStep, to string, from ...string) error {
	_, b, err := lockReturn(ctx, tx, step.ID)
	if err != nil {
		return err
	}
	if err := b.in(from...); err != nil {
		return err
	}
	if err := b.beingPaid(ctx, tx); err != nil {
		return err
	}
	if err := b.become(ctx, tx, to, step.Message); err != nil {
		return err
	}
	b.mail(tx)
	return nil
}

const lockReturnSQL = `select id, order_id, state, lines, exchange, exists (select from order_edits e where e.return_id = $1) from returns where id = $1`

// lockReturn reads a return under its order's lock, with the order.
func lockReturn(ctx context.Context, tx *postgres.Tx, id string) (*order, *goodsBack, error) {
	var orderID string
	err := tx.QueryRow(ctx, `select order_id from returns where id = $1`, id).Scan(&orderID)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil, problem.Missing("return")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read return %s: %w", id, err)
	}
	o, err := lock(ctx, tx, orderID)
	if err != nil {
		return nil, nil, err
	}
	b := &goodsBack{}
	var lines, instead []byte
	if err = tx.QueryRow(ctx, lockReturnSQL, id).Scan(&b.id, &b.order, &b.state, &lines, &instead, &b.exchanged); err == nil {
		err = errors.Join(json.Unmarshal(lines, &b.lines), json.Unmarshal(instead, &b.exchange))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read return %s: %w", id, err)
	}
	return o, b, nil
}

// in refuses a step for which the return is in none of the states.
func (b *goodsBack) in(states ...string) error {
	if slices.Contains(states, b.state) {
		return nil
	}
	return problem.New(problem.Conflict, "invalid_transition", "The return is %s; this needs one that is %s.", b.state, strings.Join(states, " or "))
}

// beingPaid refuses to end a return whose refund is under way.
func (b *goodsBack) beingPaid(ctx context.Context, tx *postgres.Tx) error {
	var pending bool
	if err := tx.QueryRow(ctx, `select exists (select from refunds where return_id = $1 and state = 'pending')`, b.id).Scan(&pending); err != nil {
		return fmt.Errorf("refund of return %s: %w", b.id, err)
	}
	if pending {
		return problem.New(problem.Conflict, "invalid_transition", "The return is being paid back.")
	}
	return nil
}

// stepSQL makes a return one of the state $2, counts what was accepted of its lines when it
// is inspected, and gives its order another version.
const stepSQL = `
with b as (
	update returns set state = $2, lines = $3::jsonb, message = case when $4 = '' then message else $4 end, version = version + 1, updated_at = now()
	where id = $1 returning *
), l as (
	update order_lines set returned_quantity = returned_quantity + x.accepted_quantity
	from b cross join jsonb_to_recordset(b.lines) as x(line_id text, accepted_quantity int)
	where $2 = 'inspected' and order_lines.id = x.line_id and order_lines.order_id = b.order_id
)
update orders o set version = o.version + 1, updated_at = now() from b where o.id = b.order_id`

// become gives the return another state, and tells of it.
func (b *goodsBack) become(ctx context.Context, tx *postgres.Tx, state, message string) error {
	b.state = state
	raw, err := json.Marshal(b.lines)
	if err != nil {
		return fmt.Errorf("return %s: %w", b.id, err)
	}
	if _, err := tx.Exec(ctx, stepSQL, b.id, state, string(raw), message); err != nil {
		return fmt.Errorf("return %s is %s: %w", b.id, state, err)
	}
	b.tell(ctx, tx)
	return nil
}

// verbs are what leads to the states, as the audit calls it.
var verbs = map[string]string{
	ReturnRequested: "request", ReturnApproved: "approve", ReturnDeclined: "decline", ReturnReceived: "receive",
	ReturnInspected: "inspect", ReturnClosed: "close", ReturnCancelled: "cancel",
}

// tell tells of the state that the return has come to.
func (b *goodsBack) tell(ctx context.Context, tx *postgres.Tx) {
	journal.Audit(ctx, tx, journal.Entry{Action: "return." + verbs[b.state], ObjectID: b.id, Before: former(tx, b.order), After: b.event()})
	journal.Event(ctx, tx, "return."+b.state, b.id, b.event())
}

// mail tells the shopper of it. Of an inspection nobody is told: it is followed by the return's
// end, or by a refund, of which there is a mail of its own.
func (b *goodsBack) mail(tx *postgres.Tx) {
	Mail(tx, MailArgs{Kind: ReturnMail, OrderID: b.order, ReturnID: b.id, ReturnState: b.state})
}
