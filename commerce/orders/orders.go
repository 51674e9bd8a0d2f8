// Package orders owns what was bought: orders with copies of all that mattered when they
// were placed, what was sent of them, and what was paid back. A status changes only by the
// named steps below, each under the order's lock. Orders come into being in checkout.
//
// Paying back, capturing and voiding take two transactions with the provider's call between
// them. What is wanted is written down first; whoever dies in between, the job that was left
// for later calls again under the same ID, which does nothing twice.
package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Goods is a number of a variant whose stock is counted.
type Goods struct {
	VariantID  string
	LocationID string // where it goes; empty for where it came from
	Quantity   int64
}

// Cause is why goods go back to stock.
type Cause int

// The causes.
const (
	OrderCancelled Cause = iota
	MoneyBack            // the order, or a part of it, was paid back
	GoodsBack            // the shopper sent them back
)

// Placed is where goods that were sold come from.
type Placed struct {
	Counted bool // whether their stock is counted; what is not comes from nowhere
	Goods   []Goods
}

// Stock takes goods back that had been sold, and sells others to an order in place of some.
type Stock interface {
	Return(ctx context.Context, tx *postgres.Tx, orderID string, why Cause, goods []Goods) error
	Swap(ctx context.Context, tx *postgres.Tx, orderID string, back, out []Goods) ([]Placed, error)
}

// Service changes and reads orders of the context's store.
type Service struct {
	DB        *postgres.DB
	Stock     Stock
	Offers    Offers
	Providers payments.Providers
	Log       *slog.Logger
}

// Trying is the service as a dry run has it: in a database that is within a transaction, and
// with providers that nobody asks.
func (s *Service) Trying(db *postgres.DB) *Service {
	tried := *s
	tried.DB, tried.Providers = db, s.Providers.Trying()
	return &tried
}

// maxParts bounds how many fulfilments, and how many refunds, an order has.
const maxParts = 250

// LineQuantity is a number of one of an order's lines.
type LineQuantity struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
}

// order is an order under its lock.
type order struct {
	Summary
	sums
	taxIncluded bool
	payments    []payment
	refunding   int64 // of what the order contains, by refunds under way
	crediting   int64 // of what the merchant owes
	refunds     int
	fulfilments int
	returns     int
	lines       []*line
}

// line is a line of an order.
type line struct {
	id, variant string
	quantity    int64
	gross       int64 // what the shopper paid for it, tax included
	fulfilled   int64
	refunded    int64
	pending     int64 // units of refunds under way
	restocked   int64 // units that went back, or will with a refund under way
	sentBack    int64 // units of refunds, under way too, that are of a return
	returned    int64 // units that a return's inspection accepted
	returning   int64 // units of returns that are not inspected yet
	counted     bool
}

var lockSQL = `select ` + SummaryColumns + `, ` + sumsColumns + `, o.prices_include_tax,
	(select coalesce(json_agg(json_build_object('id', p.id, 'provider', p.provider, 'account', p.account, 'reference', p.reference,
			'taken', p.amount - p.released_amount, 'refunded', p.refunded_amount, 'pending', (
				select coalesce(sum(x.amount), 0)::bigint from refunds r cross join jsonb_to_recordset(r.parts) as x(payment_id text, amount bigint)
				where r.order_id = o.id and r.state = 'pending' and x.payment_id = p.id)) order by p.id), '[]')
		from payments p where p.order_id = o.id and p.state = 'captured'),
	(select coalesce(sum(r.amount), 0)::bigint from refunds r where r.order_id = o.id and r.state = 'pending' and not r.of_balance),
	(select coalesce(sum(r.amount), 0)::bigint from refunds r where r.order_id = o.id and r.state = 'pending' and r.of_balance),
	(select count(*) from refunds r where r.order_id = o.id), (select count(*) from fulfilments f where f.order_id = o.id),
	(select count(*) from returns b where b.order_id = o.id), ` + staffJSON + `
from orders o where o.id = $2 and o.state <> 'pending'`

const linesSQL = `
select l.id, coalesce(l.variant_id, ''), l.quantity, l.total_amount, l.tax_amount, l.fulfilled_quantity, l.refunded_quantity, l.tracks_stock,
	coalesce(r.pending, 0)::bigint, coalesce(r.restocked, 0)::bigint, coalesce(r.sent_back, 0)::bigint, l.returned_quantity, coalesce(b.returning, 0)::bigint
from order_lines l left join lateral (
	select sum((x->>'quantity')::bigint) filter (where r.state = 'pending') as pending,
		sum((x->>'quantity')::bigint) filter (where r.restock) as restocked,
		sum((x->>'quantity')::bigint) filter (where r.return_id is not null) as sent_back
	from refunds r cross join jsonb_array_elements(r.lines) x
	where r.order_id = l.order_id and r.state <> 'failed' and x->>'line_id' = l.id) r on true
left join lateral (
	select sum((x->>'quantity')::bigint) as returning
	from returns b cross join jsonb_array_elements(b.lines) x
	where b.order_id = l.order_id and b.state in ('requested', 'approved', 'received') and x->>'line_id' = l.id) b on true
where l.order_id = $1 order by l.position`

// lock reads an order and holds it for the rest of the transaction.
func lock(ctx context.Context, tx *postgres.Tx, id string) (*order, error) {
	// What a statement that waits for a lock reads beside the locked row is from before the
	// wait; so the order is locked first and read then.
	var found string
	err := tx.QueryRow(ctx, `select id from orders where id = $1 and state <> 'pending' for update`, id).Scan(&found)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, problem.Missing("order")
	}
	if err != nil {
		return nil, fmt.Errorf("lock order %s: %w", id, err)
	}
	o := &order{}
	var taken, was []byte
	err = tx.QueryRow(ctx, lockSQL, "", id).Scan(append(append(o.Fields(), o.sums.fields()...), &o.taxIncluded, &taken, &o.refunding, &o.crediting, &o.refunds, &o.fulfilments, &o.returns, &was)...)
	if err == nil {
		err = json.Unmarshal(taken, &o.payments)
	}
	remember(tx, id, was)
	if err != nil {
		return nil, fmt.Errorf("read order %s: %w", id, err)
	}
	rows, err := tx.Query(ctx, linesSQL, id)
	if err != nil {
		return nil, fmt.Errorf("read the lines of %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		l := &line{}
		var total, tax int64
		if err := rows.Scan(&l.id, &l.variant, &l.quantity, &total, &tax, &l.fulfilled, &l.refunded, &l.counted, &l.pending, &l.restocked,
			&l.sentBack, &l.returned, &l.returning); err != nil {
			return nil, fmt.Errorf("read the lines of %s: %w", id, err)
		}
		l.gross = total
		if !o.taxIncluded {
			l.gross += tax
		}
		o.lines = append(o.lines, l)
	}
	return o, rows.Err()
}

// unsent is how many of a line are still to be sent. What was paid back counts as not to
// be sent for as long as there is anything unsent, unless it was sent and came back.
func (l *line) unsent() int64 {
	return max(l.quantity-l.fulfilled-(l.refunded+l.pending-l.sentBack), 0)
}

// unrefunded is how many of a line can still be paid back.
func (l *line) unrefunded() int64 { return l.quantity - l.refunded - l.pending }

// worth is what the next n units of a line to be paid back are worth.
func (l *line) worth(currency string, n int64) (int64, error) {
	part, err := pricing.Part(money.New(l.gross, currency), l.quantity, l.refunded+l.pending, n)
	return part.Amount, err
}

// progress is the state of the goods.
func (o *order) progress() string {
	var sent, unsent int64
	for _, l := range o.lines {
		sent += l.fulfilled
		unsent += l.unsent()
	}
	switch {
	case sent == 0:
		return Unfulfilled
	case unsent == 0:
		return Fulfilled
	default:
		return PartiallyFulfilled
	}
}

// advance gives the states that follow from what was sent: an order that is sent in full
// is completed once it is paid. A completed order stays so.
func (o *order) advance() (fulfilment, state string) {
	fulfilment, state = o.progress(), o.State
	if state == Open && fulfilment == Fulfilled && o.settled() {
		state = Completed
	}
	return fulfilment, state
}

// settled says whether all of the order's money came, whatever went back of it.
func (o *order) settled() bool {
	return o.PaymentState == Paid || o.PaymentState == PartiallyRefunded || o.PaymentState == Refunded
}

// choose finds the lines that were asked for, refusing more of one than most allows. What
// is asked for twice is added up.
func (o *order) choose(asked []LineQuantity, most func(*line) int64) ([]LineQuantity, error) {
	unknown := problem.New(problem.Unprocessable, "unknown_reference", "The order has no such line.")
	exceeded := problem.New(problem.Unprocessable, "quantity_exceeded", "There are fewer left on the line.")
	wanted := map[string]int64{}
	for i, a := range asked {
		at := fmt.Sprintf("/lines/%d", i)
		l := o.line(a.LineID)
		if l == nil {
			unknown.At(at+"/line_id", "unknown_reference", "The order has no such line.")
			continue
		}
		wanted[l.id] += a.Quantity
		if a.Quantity < 1 || wanted[l.id] > most(l) {
			exceeded.At(at+"/quantity", "quantity_exceeded", "There are %d left.", most(l))
		}
	}
	if err := errors.Join(unknown.OrNil(), exceeded.OrNil()); err != nil {
		return nil, problem.As(err)
	}
	var chosen []LineQuantity
	for _, l := range o.lines {
		if n := wanted[l.id]; n > 0 {
			chosen = append(chosen, LineQuantity{l.id, n})
		}
	}
	return chosen, nil
}

// all are all lines, each with as many as most gives.
func (o *order) all(most func(*line) int64) []LineQuantity {
	chosen := []LineQuantity{}
	for _, l := range o.lines {
		if n := most(l); n > 0 {
			chosen = append(chosen, LineQuantity{l.id, n})
		}
	}
	return chosen
}

// goods are what goes back to stock of lines.
func (o *order) goods(lines []LineQuantity) []Goods {
	var goods []Goods
	for _, q := range lines {
		if l := o.line(q.LineID); l != nil && l.counted && q.Quantity > 0 {
			goods = append(goods, Goods{VariantID: l.variant, Quantity: q.Quantity})
		}
	}
	return goods
}

func (o *order) line(id string) *line {
	for _, l := range o.lines {
		if l.id == id {
			return l
		}
	}
	return nil
}
