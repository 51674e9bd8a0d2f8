package orders

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

const (
	// callTime is how long a provider may take to answer.
	callTime = 20 * time.Second
	// lease is how long a refund is left alone: longer than any call.
	lease = 30 * time.Second
)

// RefundInput is what is to be paid back: an amount, or lines, or, with neither, all that
// is left.
type RefundInput struct {
	OrderID string
	Amount  *money.Money
	Lines   []LineQuantity
	Restock bool // the goods of the lines go back to stock
	Reason  string
	Attempt string // the caller's name for it: asked again, it goes on with the same refund
}

// Answer records what came of a refund or a cancellation, in the transaction that made it
// so: the refund's or order's ID, or why there is none. It may be nil.
type Answer func(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error

func (a Answer) give(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error {
	if a == nil {
		return nil
	}
	return a(ctx, tx, id, refused)
}

// refund is a refund as it was written down.
type refund struct {
	id, order, payment string
	provider           string
	account, charged   string // the provider's account, and its own name for the charge
	reference          string // and for the refund, once it is known
	state              string // pending, succeeded, failed
	failure            string
	amount             money.Money
	restock            bool
	lines              []LineQuantity
	returned           string // the return that it is of, or empty
	fee                int64  // kept of what its lines are worth
}

// Refund pays back and gives the refund's ID. A refund whose outcome the provider does not
// tell stays pending, and is brought to an end by a job.
func (s *Service) Refund(ctx context.Context, in RefundInput, answer Answer) (string, error) {
	name := hex.EncodeToString(token.Hash(in.Attempt))
	var r refund
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := lock(ctx, tx, in.OrderID)
		if err != nil {
			return err
		}
		if r, err = attempted(ctx, tx, in.OrderID, name); err == nil || !errors.Is(err, postgres.ErrNoRows) {
			return err
		}
		r, err = o.plan(in)
		if err != nil {
			return err
		}
		return write(ctx, tx, &r, name, in.Reason)
	})
	if err != nil {
		return "", err
	}
	// From here on money may move: it is brought to an end even if the caller goes away.
	ctx = context.WithoutCancel(ctx)
	return r.id, s.pay(ctx, r, func(ctx context.Context, tx *postgres.Tx, refused *problem.Problem) error {
		return answer.give(ctx, tx, r.id, refused)
	})
}

// plan decides what a refund is of.
func (o *order) plan(in RefundInput) (refund, error) {
	r := refund{id: ids.New("ref"), order: o.ID, state: "pending", restock: in.Restock, lines: []LineQuantity{}, amount: money.Zero(o.Total.Currency)}
	left, err := o.leftToRefund()
	if err != nil {
		return r, err
	}
	at := ""
	switch {
	case in.Amount != nil && len(in.Lines) > 0:
		return r, problem.New(problem.Unprocessable, "details_invalid", "A refund is of an amount or of lines.").
			At("/amount", "excluded", "It is refused together with lines.")
	case in.Amount != nil:
		at, r.amount = "/amount/amount", *in.Amount
		if r.amount.Currency != o.Total.Currency || r.amount.Amount < 1 {
			return r, problem.New(problem.Unprocessable, "details_invalid", "This cannot be paid back.").
				At("/amount", "amount", "It is more than nothing, and in %s.", o.Total.Currency)
		}
	case len(in.Lines) > 0:
		at = "/lines"
		if err := o.planLines(&r, in.Lines); err != nil {
			return r, err
		}
	default:
		r.amount.Amount, r.lines = left, o.all((*line).unrefunded)
	}
	if r.amount.Amount > left {
		return r, problem.New(problem.Unprocessable, "refund_exceeds_payment", "Only %s are left to pay back.", money.New(left, o.Total.Currency)).
			At(at, "maximum", "It comes to %s.", r.amount)
	}
	return r, nil
}

// leftToRefund is what of the order's money can still be paid back, or why nothing can.
func (o *order) leftToRefund() (int64, error) {
	if !o.settled() {
		return 0, problem.New(problem.Conflict, "order_not_paid", "The order is not paid.")
	}
	left := o.Total.Amount - o.released - o.Refunded.Amount - o.pending
	if left <= 0 {
		return 0, problem.New(problem.Conflict, "nothing_left", "All of the order is paid back.")
	}
	if o.refunds >= maxParts {
		return 0, problem.New(problem.Unprocessable, "too_many", "An order has at most %d refunds.", maxParts)
	}
	return left, nil
}

func (o *order) planLines(r *refund, asked []LineQuantity) (err error) {
	if r.lines, err = o.choose(asked, (*line).unrefunded); err != nil {
		return err
	}
	for _, q := range r.lines {
		worth, err := o.line(q.LineID).worth(o.Total.Currency, q.Quantity)
		if err != nil {
			return fmt.Errorf("worth of line %s: %w", q.LineID, err)
		}
		r.amount.Amount += worth
	}
	if r.amount.IsZero() {
		return problem.New(problem.Conflict, "nothing_left", "These lines cost nothing.")
	}
	return nil
}

const refundColumns = `r.id, r.order_id, r.payment_id, p.provider, r.state, r.failure, r.currency, r.amount, r.restock, r.lines,
	p.account, p.reference, r.reference, coalesce(r.return_id, ''), r.fee_amount`

const attemptedSQL = `select ` + refundColumns + ` from refunds r join payments p on p.id = r.payment_id where r.order_id = $1 and r.attempt = $2`

// writeSQL writes a pending refund down, of the payment that the order was paid by.
const writeSQL = `
with r as (
	insert into refunds (id, order_id, payment_id, state, currency, amount, attempt, reason, restock, lines, return_id, fee_amount)
	select $1, $2, p.id, 'pending', $3, $4, $5, $6, $7, $8::jsonb, nullif($9, ''), $10
	from payments p where p.order_id = $2 and p.state = 'captured' order by p.id limit 1
	returning *
)
select ` + refundColumns + ` from r join payments p on p.id = r.payment_id`

func (r *refund) scan(row interface{ Scan(...any) error }) error {
	var lines []byte
	err := row.Scan(&r.id, &r.order, &r.payment, &r.provider, &r.state, &r.failure, &r.amount.Currency, &r.amount.Amount, &r.restock, &lines,
		&r.account, &r.charged, &r.reference, &r.returned, &r.fee)
	if err != nil {
		return err
	}
	return json.Unmarshal(lines, &r.lines)
}

// attempted is the refund that was begun under a name.
func attempted(ctx context.Context, tx *postgres.Tx, orderID, name string) (r refund, err error) {
	if err = r.scan(tx.QueryRow(ctx, attemptedSQL, orderID, name)); err != nil {
		return r, fmt.Errorf("refund of order %s: %w", orderID, err)
	}
	return r, nil
}

// write writes a refund down before the provider is called.
func write(ctx context.Context, tx *postgres.Tx, r *refund, name, reason string) error {
	lines, err := json.Marshal(r.lines)
	if err != nil {
		return fmt.Errorf("refund of order %s: %w", r.order, err)
	}
	row := tx.QueryRow(ctx, writeSQL, r.id, r.order, r.amount.Currency, r.amount.Amount, name, reason, r.restock, string(lines), r.returned, r.fee)
	if err := r.scan(row); err != nil {
		return fmt.Errorf("refund of order %s: %w", r.order, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "refund.create", ObjectID: r.id, Reason: reason, After: map[string]any{
		"order_id": r.order, "payment_id": r.payment, "amount": r.amount, "lines": r.lines, "restock": r.restock, "return_id": r.returned, "fee": r.fee,
	}})
	journal.JobAt(tx, clock.Now().Add(lease+5*time.Second), JobResume, struct{}{})
	return nil
}

// done records the answer; refused is nil but for a refund that the provider refused.
type done func(ctx context.Context, tx *postgres.Tx, refused *problem.Problem) error

// pay has the provider pay a pending refund back, and records what it said.
func (s *Service) pay(ctx context.Context, r refund, done done) error {
	if r.state == "pending" {
		outcome, err := s.call(ctx, r)
		if err != nil {
			s.Log.WarnContext(ctx, "refund without an answer", "refund", r.id, "error", err)
			return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return done(ctx, tx, nil) })
		}
		if outcome.Result == payments.Processing {
			return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				if err := noted(ctx, tx, r, outcome); err != nil {
					return err
				}
				return done(ctx, tx, nil)
			})
		}
		r.state, r.failure = "succeeded", ""
		if outcome.Result != payments.Succeeded {
			r.state, r.failure = "failed", outcome.Failure
		}
		return s.record(ctx, r, outcome, done)
	}
	refused := refusal(r)
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return done(ctx, tx, refused) })
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// noted keeps the provider's name for a refund that it is still at work on.
func noted(ctx context.Context, tx *postgres.Tx, r refund, outcome payments.Outcome) error {
	_, err := tx.Exec(ctx, `update refunds set reference = $2, updated_at = now() where id = $1 and state = 'pending'`, r.id, outcome.Reference)
	if err != nil {
		return fmt.Errorf("note refund %s: %w", r.id, err)
	}
	journal.JobAt(tx, clock.Now().Add(payments.StepTime), JobResume, struct{}{})
	return nil
}

func (s *Service) call(ctx context.Context, r refund) (payments.Outcome, error) {
	provider, err := s.Providers.Named(r.provider)
	if err != nil {
		return payments.Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	outcome, err := provider.Refund(ctx, payments.Refund{
		Reference: r.id, Theirs: r.reference, Amount: r.amount,
		Charge: payments.Charge{Reference: r.payment, Theirs: r.charged, Account: r.account},
	})
	if err == nil && outcome.Result != payments.Succeeded && outcome.Result != payments.Declined && outcome.Result != payments.Processing {
		err = fmt.Errorf("the provider answered %q", outcome.Result)
	}
	return outcome, err
}

// refusal is the answer to a refund that the provider refused, nil for any other.
func refusal(r refund) *problem.Problem {
	if r.state != "failed" {
		return nil
	}
	return problem.New(problem.Unprocessable, "refund_refused", "The payment provider refused to pay back.").At("", r.failure, "Nothing was paid back.")
}

// record writes down what became of a refund.
func (s *Service) record(ctx context.Context, r refund, outcome payments.Outcome, done done) error {
	refused := refusal(r)
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := lock(ctx, tx, r.order)
		if err != nil {
			return err
		}
		if r.state == "succeeded" {
			err = s.succeed(ctx, tx, o, r, outcome)
		} else {
			err = s.fail(ctx, tx, r, outcome)
		}
		if err != nil {
			return err
		}
		return done(ctx, tx, refused)
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// succeedSQL makes a refund count, unless it does already.
const succeedSQL = `
with r as (
	update refunds set state = 'succeeded', reference = $2, updated_at = now() where id = $1 and state = 'pending' returning *
), p as (
	update payments set refunded_amount = refunded_amount + r.amount, updated_at = now() from r where payments.id = r.payment_id
), l as (
	update order_lines set refunded_quantity = refunded_quantity + x.quantity
	from r cross join jsonb_to_recordset(r.lines) as x(line_id text, quantity int)
	where order_lines.id = x.line_id and order_lines.order_id = r.order_id
)
update orders o set refunded_amount = o.refunded_amount + r.amount,
	payment_state = case when o.refunded_amount + r.amount = o.total_amount - (select p.released_amount from payments p where p.id = r.payment_id) then 'refunded' else 'partially_refunded' end,
	fulfilment_state = $3, state = $4, version = version + 1, updated_at = now()
from r where o.id = r.order_id returning ` + SummaryColumns

func (s *Service) succeed(ctx context.Context, tx *postgres.Tx, o *order, r refund, outcome payments.Outcome) error {
	before := o.Summary
	for _, q := range r.lines {
		if l := o.line(q.LineID); l != nil {
			l.refunded, l.pending = l.refunded+q.Quantity, max(l.pending-q.Quantity, 0)
		}
	}
	fulfilment, state := o.advance()
	err := tx.QueryRow(ctx, succeedSQL, r.id, outcome.Reference, fulfilment, state).Scan(o.Fields()...)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // somebody else was quicker
	}
	if err != nil {
		return fmt.Errorf("record refund %s: %w", r.id, err)
	}
	if r.restock {
		if err := s.Stock.Return(ctx, tx, o.ID, MoneyBack, o.goods(o.elsewhere(r.lines))); err != nil {
			return fmt.Errorf("restock refund %s: %w", r.id, err)
		}
	}
	if r.returned != "" {
		if err := closePaid(ctx, tx, r.returned); err != nil {
			return err
		}
	}
	journal.Event(ctx, tx, "refund.succeeded", r.id, r.event())
	journal.Event(ctx, tx, "order.refunded", o.ID, o.Summary)
	o.tell(ctx, tx, before)
	journal.Audit(ctx, tx, journal.Entry{Action: "refund.succeed", ObjectID: r.id, Before: before, After: o.Summary})
	journal.Usage(tx, "revenue:"+r.amount.Currency, -r.amount.Amount)
	Mail(tx, MailArgs{Kind: RefundedMail, OrderID: o.ID, RefundID: r.id})
	documents.Later(tx, documents.IssueArgs{OrderID: o.ID, RefundID: r.id})
	return nil
}

// elsewhere are lines without the units that a return has taken back, or will.
func (o *order) elsewhere(lines []LineQuantity) []LineQuantity {
	rest := make([]LineQuantity, len(lines))
	for i, q := range lines {
		rest[i] = q
		if l := o.line(q.LineID); l != nil {
			others := l.restocked - q.Quantity // which contains these
			rest[i].Quantity = max(min(q.Quantity, l.quantity-l.returned-l.returning-others), 0)
		}
	}
	return rest
}

func (s *Service) fail(ctx context.Context, tx *postgres.Tx, r refund, outcome payments.Outcome) error {
	tag, err := tx.Exec(ctx, `update refunds set state = 'failed', reference = $2, failure = $3, updated_at = now() where id = $1 and state = 'pending'`,
		r.id, outcome.Reference, r.failure)
	if err != nil {
		return fmt.Errorf("record the failure of refund %s: %w", r.id, err)
	}
	if tag.RowsAffected() == 1 {
		journal.Event(ctx, tx, "refund.failed", r.id, r.event())
		journal.Audit(ctx, tx, journal.Entry{Action: "refund.fail", ObjectID: r.id, After: map[string]any{"failure": r.failure}})
	}
	return nil
}

// event is what events tell of the refund.
func (r refund) event() any {
	data := map[string]any{"id": r.id, "order_id": r.order, "payment_id": r.payment, "amount": r.amount, "failure_code": nil}
	if r.failure != "" {
		data["failure_code"] = r.failure
	}
	return data
}
