package orders

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// The bounds of an order.
const (
	maxLines    = 250
	maxQuantity = 9_999
	maxEdits    = 250
)

// Edit is how an order is to be different.
type Edit struct {
	OrderID  string
	Version  int            // of the order that it is meant for; zero is any
	Lines    []LineQuantity // how many of a line there are to be; none takes the line out
	Add      []Added
	Shipping *money.Money // what sending it is to cost, before its discount
	Reason   string
	Keep     bool // what the merchant owes by it is not paid back

	exchanged string // the return whose goods are exchanged by it
}

// Added is a variant that is added to an order.
type Added struct {
	VariantID  string
	Quantity   int64
	Unit       *money.Money // that was agreed; the price of the moment, when nil
	Attributes map[string]string
}

// Offer is what one of a variant that is added costs, and which taxes it falls under.
type Offer struct {
	ProductID, Title, VariantTitle, SKU, ImageKey string
	RequiresShipping                              bool
	Unit                                          money.Money
	Priced                                        bool // there is a price in the order's currency
	PricesIncludeTax                              bool
	PriceList                                     any // that the price is of, as the API shows it
	Taxes                                         []pricing.Tax
}

// Offers prices what is added to orders.
type Offers interface {
	Offer(ctx context.Context, tx *postgres.Tx, orderID string, added []Added) ([]Offer, error)
}

// Edit changes what an open order contains, all at once or not at all, and gives the edit's ID
// and that of the refund of what the merchant owes by it, if there is one: PayBack pays it.
// What was sent or paid back stays; lines keep their agreed prices. Goods that are added are
// sold, and those that are taken out go back to where they came from.
func (s *Service) Edit(ctx context.Context, tx *postgres.Tx, in Edit) (id, refundID string, err error) {
	o, err := lock(ctx, tx, in.OrderID)
	if err != nil {
		return "", "", err
	}
	if err := own(ctx, tx, o.ID, in.Version); err != nil {
		return "", "", err
	}
	if o.State == Cancelled {
		return "", "", problem.New(problem.Conflict, "order_cancelled", "The order is cancelled.")
	}
	e, err := s.plan(ctx, tx, o, in)
	if err != nil {
		return "", "", err
	}
	return s.edit(ctx, tx, o, e, in)
}

// plan finds out what an edit makes of an order, and refuses what cannot be.
func (s *Service) plan(ctx context.Context, tx *postgres.Tx, o *order, in Edit) (*edited, error) {
	e, err := readContent(ctx, tx, o)
	if err != nil {
		return nil, err
	}
	if e.edits >= maxEdits {
		return nil, problem.New(problem.Unprocessable, "too_many", "An order has at most %d edits.", maxEdits)
	}
	if err := e.set(o, in.Lines); err != nil {
		return nil, err
	}
	if err := e.send(o, in.Shipping); err != nil {
		return nil, err
	}
	if err := s.add(ctx, tx, o, e, in.Add); err != nil {
		return nil, err
	}
	return e, e.judge(o)
}

// judge sums the order up and refuses what it cannot be like.
func (e *edited) judge(o *order) error {
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The order cannot be edited so.")
	if !slices.ContainsFunc(e.lines, (*content).changed) && !e.shipping.changed() {
		return wrong.At("", "unchanged", "Nothing would be different.")
	}
	left := 0
	for _, l := range e.lines {
		if l.Quantity > 0 {
			left++
		}
	}
	if left == 0 {
		return wrong.At("/lines", "minItems", "An order has a line. Cancel it instead.")
	}
	if left > maxLines {
		return problem.New(problem.Unprocessable, "too_many", "An order has at most %d lines.", maxLines)
	}
	if err := e.sum(o); err != nil {
		return err
	}
	if e.totals.Total.Amount < o.Refunded.Amount+o.refunding {
		return problem.New(problem.Unprocessable, "total_below_refunded", "More was paid back of the order than it would come to.").
			At("", "minimum", "It comes to %s, and %s were paid back.", e.totals.Total, money.New(o.Refunded.Amount+o.refunding, o.Total.Currency))
	}
	return nil
}

// edit does what was planned.
func (s *Service) edit(ctx context.Context, tx *postgres.Tx, o *order, e *edited, in Edit) (id, refundID string, err error) {
	if err := s.swap(ctx, tx, o, e); err != nil {
		return "", "", err
	}
	before, id := o.Summary, ids.New("edit")
	if err := e.write(ctx, tx, o, id, in); err != nil {
		return "", "", err
	}
	o.Total = e.totals.Total
	if o.State == Completed {
		o.State = Open // until it is sent and paid in full again
	}
	for _, l := range e.lines {
		l.follow(o)
	}
	if err := o.follow(ctx, tx); err != nil {
		return "", "", err
	}
	if err := o.stand(ctx, tx); err != nil {
		return "", "", err
	}
	journal.Event(ctx, tx, "order.edited", o.ID, o.Summary)
	analytics.Changed(tx, o.ID)
	o.tell(ctx, tx, before)
	journal.Audit(ctx, tx, journal.Entry{Action: "order.edit", ObjectID: o.ID, Reason: in.Reason, Before: former(tx, o.ID), After: map[string]any{"edit_id": id, "lines": e.audited(), "order": o.Summary}})
	if e.invoiced {
		documents.Later(tx, documents.IssueArgs{OrderID: o.ID, EditID: id})
	}
	if credit := o.credit(); credit > 0 && !in.Keep {
		if o.refunds >= maxParts {
			return "", "", problem.New(problem.Unprocessable, "too_many", "An order has at most %d refunds.", maxParts)
		}
		r := o.creditRefund(credit)
		r.edit = id
		if err := r.write(ctx, tx, hex.EncodeToString(token.Hash(id)), in.Reason); err != nil {
			return "", "", err
		}
		refundID = r.id
	}
	return id, refundID, nil
}

// PayBack has providers pay a refund back that an edit left, once its transaction has committed.
// One that is not ended so is ended by its job.
func (s *Service) PayBack(ctx context.Context, refundID string) {
	ctx = context.WithoutCancel(ctx)
	left, err := s.leftRefunds(ctx, `select `+refundColumns+` from refunds r where r.id = $1 and r.state = 'pending'`, refundID)
	if err = errors.Join(err, s.endRefunds(ctx, left)); err != nil {
		s.Log.WarnContext(ctx, "an edit's refund is left to its job", "refund", refundID, "error", err)
	}
}

// swap sells what is added and takes back what is taken out.
func (s *Service) swap(ctx context.Context, tx *postgres.Tx, o *order, e *edited) error {
	var back, out []Goods
	var served []*content
	var at []string
	for _, l := range e.lines {
		more := l.Quantity - l.was.Quantity
		switch {
		case !l.Counted && l.ID != "" || more == 0:
		case more > 0:
			out, served, at = append(out, Goods{VariantID: l.VariantID, Quantity: more}), append(served, l), append(at, l.at)
		default:
			back = append(back, l.release(-more)...)
		}
	}
	if len(back)+len(out) == 0 {
		return nil
	}
	places, err := s.Stock.Swap(ctx, tx, o.ID, back, out)
	if refused := problem.As(err); refused != nil {
		for i := range refused.Faults {
			var n int
			if _, err := fmt.Sscanf(refused.Faults[i].Pointer, "/lines/%d/", &n); err == nil && n < len(at) {
				refused.Faults[i].Pointer = at[n] + strings.TrimPrefix(refused.Faults[i].Pointer, fmt.Sprintf("/lines/%d", n))
			}
		}
	}
	if err != nil {
		return fmt.Errorf("goods of order %s: %w", o.ID, err)
	}
	for i, l := range served {
		l.Counted = places[i].Counted
		l.serve(places[i].Goods)
	}
	return nil
}

// followed is a due payment whose amount follows what is owed.
type followed struct {
	ID     string
	Amount int64
}

// dueSQL are the due payments of an order, the latest first.
const dueSQL = `select p.id, p.amount from payments p where p.order_id = $1 and p.state = 'due' order by p.id desc`

// followSQL makes a due payment one of another amount, or gives it up where nothing is left of it.
const followSQL = `update payments set amount = case when $2::bigint = 0 then amount else $2 end, state = case when $2::bigint = 0 then 'voided' else 'due' end, updated_at = now()
where id = $1`

// follow has what is due follow what is owed: the latest due payment grows by what is
// outstanding, and due payments shrink to what is owed.
func (o *order) follow(ctx context.Context, tx *postgres.Tx) error {
	if o.due == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, dueSQL, o.ID)
	if err != nil {
		return fmt.Errorf("what is due of order %s: %w", o.ID, err)
	}
	var list []followed
	for rows.Next() {
		var p followed
		if err := rows.Scan(&p.ID, &p.Amount); err != nil {
			rows.Close()
			return fmt.Errorf("what is due of order %s: %w", o.ID, err)
		}
		list = append(list, p)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("what is due of order %s: %w", o.ID, err)
	}
	more := o.balance() - o.held - o.due
	for _, p := range list {
		now := max(p.Amount+more, 0)
		if more == 0 || now == p.Amount {
			break
		}
		if _, err := tx.Exec(ctx, followSQL, p.ID, now); err != nil {
			return fmt.Errorf("what is due of order %s: %w", o.ID, err)
		}
		more -= now - p.Amount
		o.due += now - p.Amount
		if now == 0 {
			o.voided = true
			journal.Event(ctx, tx, "payment.voided", p.ID, payments.EventData{ID: p.ID, OrderID: o.ID, State: "voided", Amount: money.New(p.Amount, o.Total.Currency)})
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "payment.follow", ObjectID: p.ID, Before: map[string]any{"amount": money.New(p.Amount, o.Total.Currency)},
			After: map[string]any{"amount": money.New(now, o.Total.Currency)}})
	}
	return nil
}

// credit is what the merchant owes and is not being paid back already. Of an order that is
// cancelled that is everything.
func (o *order) credit() int64 {
	owed := -o.balance() - o.crediting
	if o.State == Cancelled {
		owed -= o.refunding
	}
	return max(owed, 0)
}

// creditRefund is a refund of what the merchant owes, or of a part of it.
func (o *order) creditRefund(amount int64) refund {
	r := refund{id: ids.New("ref"), order: o.ID, state: "pending", lines: []LineQuantity{}, amount: money.New(min(amount, left(o.payments)), o.Total.Currency), ofBalance: true}
	r.parts = o.share("", r.id, r.amount.Amount)
	return r
}

// editsJSON are the edits of an order o.
var editsJSON = `(select coalesce(json_agg(json_build_object('id', e.id, 'reason', nullif(e.reason, ''), 'return_id', e.return_id,
		'lines', (select coalesce(json_agg(json_build_object('line_id', x->'line_id', 'variant_id', x->'variant_id', 'title', x->'title', 'variant_title', x->'variant',
			'quantity', x->'quantity', 'total', x->'total') order by n), '[]') from jsonb_array_elements(e.lines) with ordinality y(x, n)),
		'total_before', ` + amount("e.total_before") + `, 'total_after', ` + amount("e.total_after") + `, 'difference', ` + amount("e.total_after - e.total_before") + `,
		'refund_id', (select r.id from refunds r where r.edit_id = e.id), 'created_at', ` + postgres.UTC("e.created_at") + `) order by e.id), '[]')
	from order_edits e where e.order_id = o.id)`

func marshalled(what any) (string, error) {
	raw, err := json.Marshal(what)
	return string(raw), err
}
