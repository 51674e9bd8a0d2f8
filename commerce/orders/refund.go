package orders

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/analytics"
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
// is left; of one payment, or of as few as can be.
type RefundInput struct {
	OrderID, PaymentID string
	Amount             *money.Money
	Lines              []LineQuantity
	Balance            bool // of what the merchant owes, not of what the order contains
	StoreCredit        bool // it becomes credit of the customer's instead
	Restock            bool // the goods of the lines go back to stock
	Reason             string
	Attempt            string // the caller's name for it: asked again, it goes on with the same refund
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
	id, order string
	state     string // pending, succeeded, failed
	failure   string
	amount    money.Money
	parts     []part
	restock   bool
	lines     []LineQuantity
	returned  string // the return that it is of, or empty
	fee       int64  // kept of what its lines are worth
	ofBalance bool   // it is of what the merchant owes, not of what the order contains
	edit      string // whose difference it is, or empty
	setOff    int64  // not paid back, as it is owed for what was exchanged
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
		if r, err = o.plan(in); err != nil {
			return err
		}
		if in.StoreCredit {
			if err := r.toStoreCredit(ctx, tx, o); err != nil {
				return err
			}
		}
		return r.write(ctx, tx, name, in.Reason)
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
	left, err := o.leftToRefund(in.PaymentID, in.Balance)
	if err != nil {
		return r, err
	}
	r.ofBalance = in.Balance
	at := ""
	switch {
	case in.Balance && len(in.Lines) > 0:
		return r, problem.New(problem.Unprocessable, "details_invalid", "What is owed is paid back as an amount.").
			At("/lines", "excluded", "Lines are paid back by themselves.")
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
		if r.amount.Amount = left; in.PaymentID == "" && !in.Balance {
			r.lines = o.all((*line).unrefunded)
		}
	}
	if r.amount.Amount > left {
		return r, problem.New(problem.Unprocessable, "refund_exceeds_payment", "Only %s are left to pay back.", money.New(left, o.Total.Currency)).
			At(at, "maximum", "It comes to %s.", r.amount)
	}
	r.parts = o.share(in.PaymentID, r.id, r.amount.Amount)
	return r, nil
}

// leftToRefund is what can still be paid back to one of the order's payments, or to all where none
// is named, or why nothing can: of what the order contains or, of the balance, of what the merchant
// owes.
func (o *order) leftToRefund(paymentID string, balance bool) (int64, error) {
	if len(o.payments) == 0 {
		return 0, problem.New(problem.Conflict, "order_not_paid", "The order is not paid.")
	}
	from := o.taken(paymentID)
	if len(from) == 0 {
		return 0, problem.New(problem.Unprocessable, "unknown_reference", "The order has no such payment.").
			At("/payment_id", "unknown_reference", "It is none of the order's, or was not taken.")
	}
	left := left(from)
	if balance {
		left = min(left, o.credit())
	} else {
		left = min(left, o.Total.Amount-o.Refunded.Amount-o.refunding)
	}
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

const refundColumns = `r.id, r.order_id, r.state, r.failure, r.currency, r.amount, r.parts, r.restock, r.lines, coalesce(r.return_id, ''), r.fee_amount, r.of_balance, coalesce(r.edit_id, ''), r.set_off_amount`

const attemptedSQL = `select ` + refundColumns + ` from refunds r where r.order_id = $1 and r.attempt = $2`

func (r *refund) scan(row interface{ Scan(...any) error }) error {
	var parts, lines []byte
	err := row.Scan(&r.id, &r.order, &r.state, &r.failure, &r.amount.Currency, &r.amount.Amount, &parts, &r.restock, &lines, &r.returned, &r.fee, &r.ofBalance, &r.edit, &r.setOff)
	if err != nil {
		return err
	}
	return errors.Join(json.Unmarshal(parts, &r.parts), json.Unmarshal(lines, &r.lines))
}

// attempted is the refund that was begun under a name.
func attempted(ctx context.Context, tx *postgres.Tx, orderID, name string) (r refund, err error) {
	if err = r.scan(tx.QueryRow(ctx, attemptedSQL, orderID, name)); err != nil {
		return r, fmt.Errorf("refund of order %s: %w", orderID, err)
	}
	return r, nil
}

const writeSQL = `insert into refunds (id, order_id, state, currency, amount, parts, attempt, reason, restock, lines, return_id, fee_amount, of_balance, edit_id, set_off_amount)
values ($1, $2, 'pending', $3, $4, $5::jsonb, $6, $7, $8, $9::jsonb, nullif($10, ''), $11, $12, nullif($13, ''), $14)`

// write writes a refund down before providers are called.
func (r *refund) write(ctx context.Context, tx *postgres.Tx, name, reason string) error {
	parts, lines, err := r.documents()
	if err == nil {
		_, err = tx.Exec(ctx, writeSQL, r.id, r.order, r.amount.Currency, r.amount.Amount, parts, name, reason, r.restock, lines, r.returned, r.fee, r.ofBalance, r.edit, r.setOff)
	}
	if err != nil {
		return fmt.Errorf("refund of order %s: %w", r.order, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "refund.create", ObjectID: r.id, Reason: reason, Before: former(tx, r.order), After: map[string]any{
		"order_id": r.order, "amount": r.amount, "payments": r.shown(), "lines": r.lines, "restock": r.restock, "return_id": r.returned, "fee": r.fee, "balance": r.ofBalance,
	}})
	journal.JobAt(tx, clock.Now().Add(lease+5*time.Second), JobResume, struct{}{})
	return nil
}

// documents are the parts and the lines as they are kept.
func (r *refund) documents() (parts, lines string, err error) {
	if parts, err = marshalled(append([]part{}, r.parts...)); err != nil {
		return "", "", err
	}
	lines, err = marshalled(r.lines)
	return parts, lines, err
}

// done records the answer; refused is nil but for a refund that the provider refused.
type done func(ctx context.Context, tx *postgres.Tx, refused *problem.Problem) error

// pay has providers pay a pending refund back, and records what they said. While one of them
// is at work on its part, or gives no answer, nothing is recorded of any: they are all asked
// again, under the same IDs.
func (s *Service) pay(ctx context.Context, r refund, done done) error {
	if r.state != "pending" {
		return s.told(ctx, r, nil, done)
	}
	working := false
	for i := range r.parts {
		outcome, err := s.call(ctx, r.parts[i], r.amount.Currency)
		if err != nil {
			s.Log.WarnContext(ctx, "refund without an answer", "refund", r.id, "payment", r.parts[i].PaymentID, "error", err)
			return s.told(ctx, r, nil, done)
		}
		working = working || outcome.Result == payments.Processing
		r.parts[i].end(outcome)
	}
	if working {
		return s.told(ctx, r, noted, done)
	}
	return s.told(ctx, r.ended(), s.record, done)
}

// told has what became of a refund recorded, if anything is to be, and answers.
func (s *Service) told(ctx context.Context, r refund, record func(context.Context, *postgres.Tx, refund) error, done done) error {
	refused := refusal(r)
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if record != nil {
			if err := record(ctx, tx, r); err != nil {
				return err
			}
		}
		return done(ctx, tx, refused)
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// noted keeps the providers' names for a refund that one of them is still at work on.
func noted(ctx context.Context, tx *postgres.Tx, r refund) error {
	for i := range r.parts {
		r.parts[i].State, r.parts[i].Failure = "pending", ""
	}
	parts, _, err := r.documents()
	if err == nil {
		_, err = tx.Exec(ctx, `update refunds set parts = $2::jsonb, updated_at = now() where id = $1 and state = 'pending'`, r.id, parts)
	}
	if err != nil {
		return fmt.Errorf("note refund %s: %w", r.id, err)
	}
	journal.JobAt(tx, clock.Now().Add(payments.StepTime), JobResume, struct{}{})
	return nil
}

func (s *Service) call(ctx context.Context, p part, currency string) (payments.Outcome, error) {
	if p.Credit != "" {
		return payments.Outcome{Result: payments.Succeeded}, nil // it is added when that is recorded
	}
	provider, err := s.Providers.Named(p.Provider)
	if err != nil {
		return payments.Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	outcome, err := provider.Refund(ctx, payments.Refund{
		Reference: p.ID, Theirs: p.Reference, Amount: money.New(p.Amount, currency),
		Charge: payments.Charge{Reference: p.PaymentID, Theirs: p.Charged, Account: p.Account},
	})
	if err == nil && outcome.Result != payments.Succeeded && outcome.Result != payments.Declined && outcome.Result != payments.Processing {
		err = fmt.Errorf("the provider answered %q", outcome.Result)
	}
	return outcome, err
}

// refusal is the answer to a refund that was refused, nil for any other.
func refusal(r refund) *problem.Problem {
	if r.state != "failed" {
		return nil
	}
	return problem.New(problem.Unprocessable, "refund_refused", "The payment provider refused to pay back.").At("", r.failure, "Nothing was paid back.")
}

// record writes down what became of a refund.
func (s *Service) record(ctx context.Context, tx *postgres.Tx, r refund) error {
	o, err := lock(ctx, tx, r.order)
	if err != nil {
		return err
	}
	if r.state == "succeeded" {
		return s.succeed(ctx, tx, o, r)
	}
	return s.fail(ctx, tx, r)
}

// succeedSQL makes a refund count, unless it does already.
const succeedSQL = `
with r as (
	update refunds set state = 'succeeded', amount = $2, parts = $3::jsonb, lines = $4::jsonb, fee_amount = $5, failure = $6, restock = $10, succeeded_at = clock_timestamp(), updated_at = now()
	where id = $1 and state = 'pending' returning *
), p as (
	update payments set refunded_amount = refunded_amount + x.amount, updated_at = now()
	from r cross join jsonb_to_recordset(r.parts) as x(payment_id text, amount bigint, state text)
	where payments.id = x.payment_id and x.state = 'succeeded'
), l as (
	update order_lines set refunded_quantity = refunded_quantity + x.quantity
	from r cross join jsonb_to_recordset(r.lines) as x(line_id text, quantity int)
	where order_lines.id = x.line_id and order_lines.order_id = r.order_id
)
update orders o set refunded_amount = o.refunded_amount + case when r.of_balance then 0 else r.amount end, payment_state = $7, fulfilment_state = $8, state = $9,
	version = version + 1, updated_at = now()
from r where o.id = r.order_id returning ` + SummaryColumns

func (s *Service) succeed(ctx context.Context, tx *postgres.Tx, o *order, r refund) error {
	before := o.Summary
	o.paidBack(r)
	o.PaymentState = o.paid()
	fulfilment, state := o.advance()
	parts, lines, err := r.documents()
	if err == nil {
		err = tx.QueryRow(ctx, succeedSQL, r.id, r.amount.Amount, parts, lines, r.fee, r.failure, o.PaymentState, fulfilment, state, r.restock).Scan(o.Fields()...)
	}
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // somebody else was quicker
	}
	if err != nil {
		return fmt.Errorf("record refund %s: %w", r.id, err)
	}
	if r.setOff > 0 {
		if err := o.follow(ctx, tx); err != nil {
			return err
		}
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
	if err := r.addCredit(ctx, tx); err != nil {
		return err
	}
	journal.Event(ctx, tx, "refund.succeeded", r.id, r.event())
	journal.Event(ctx, tx, "order.refunded", o.ID, o.Summary)
	analytics.Changed(tx, o.ID)
	o.tell(ctx, tx, before)
	journal.Audit(ctx, tx, journal.Entry{Action: "refund.succeed", ObjectID: r.id, Before: former(tx, o.ID), After: o.told()})
	journal.Usage(tx, "revenue:"+r.amount.Currency, r.setOff-r.amount.Amount)
	if r.setOff < r.amount.Amount {
		Mail(tx, MailArgs{Kind: RefundedMail, OrderID: o.ID, RefundID: r.id})
	}
	if !r.ofBalance { // what is owed by an edit is told by the edit's own document
		documents.Later(tx, documents.IssueArgs{OrderID: o.ID, RefundID: r.id})
	}
	return nil
}

// pending counts a refund that was written down among those under way.
func (o *order) pending(r refund) {
	if r.ofBalance {
		o.crediting += r.amount.Amount
	} else {
		o.refunding += r.amount.Amount
	}
	for _, p := range r.parts {
		for i := range o.payments {
			if o.payments[i].ID == p.PaymentID {
				o.payments[i].Pending += p.Amount
			}
		}
	}
}

// paidBack counts a refund among what the order's payments and lines have.
func (o *order) paidBack(r refund) {
	if !r.ofBalance {
		o.Refunded.Amount += r.amount.Amount
	}
	for _, p := range r.parts {
		for i := range o.payments {
			if o.payments[i].ID == p.PaymentID && p.State == "succeeded" {
				o.payments[i].Refunded += p.Amount
			}
		}
	}
	for _, q := range r.lines {
		if l := o.line(q.LineID); l != nil {
			l.refunded, l.pending = l.refunded+q.Quantity, max(l.pending-q.Quantity, 0)
		}
	}
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

func (s *Service) fail(ctx context.Context, tx *postgres.Tx, r refund) error {
	parts, _, err := r.documents()
	if err != nil {
		return fmt.Errorf("record the failure of refund %s: %w", r.id, err)
	}
	tag, err := tx.Exec(ctx, `update refunds set state = 'failed', parts = $2::jsonb, failure = $3, updated_at = now() where id = $1 and state = 'pending'`,
		r.id, parts, r.failure)
	if err != nil {
		return fmt.Errorf("record the failure of refund %s: %w", r.id, err)
	}
	if tag.RowsAffected() == 1 {
		journal.Event(ctx, tx, "refund.failed", r.id, r.event())
		journal.Audit(ctx, tx, journal.Entry{Action: "refund.fail", ObjectID: r.id, Before: former(tx, r.order), After: map[string]any{"failure": r.failure}})
	}
	return nil
}

// event is what events tell of the refund.
func (r refund) event() any {
	return map[string]any{"id": r.id, "order_id": r.order, "amount": r.amount, "payments": r.shown(), "failure_code": code(r.failure)}
}
