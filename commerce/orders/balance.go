package orders

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// sums are what an order's payments promise.
type sums struct {
	held   int64 // authorised, to be captured
	due    int64 // to come by ways that nobody tells us of
	voided bool  // there is one that was given up
}

// sumsColumns is SQL for the sums of an order o.
const sumsColumns = `
	(select coalesce(sum(p.amount), 0)::bigint from payments p where p.order_id = o.id and p.state = 'authorised'),
	(select coalesce(sum(p.amount), 0)::bigint from payments p where p.order_id = o.id and p.state = 'due'),
	exists (select from payments p where p.order_id = o.id and p.state = 'voided')`

func (s *sums) fields() []any { return []any{&s.held, &s.due, &s.voided} }

// promised counts an amount as held or due, by the state of its payment.
func (s *sums) promised(state string, amount int64) {
	switch state {
	case "authorised":
		s.held += amount
	case "due":
		s.due += amount
	}
}

// came is what was taken of the order's payments, and what of it was paid back.
func (o *order) came() (taken, back int64) {
	for _, p := range o.payments {
		taken, back = taken+p.Taken, back+p.Refunded
	}
	return taken, back
}

// balance is what is owed: by the shopper or, where it is negative, by the merchant. Of an
// order that is cancelled nobody owes anything but what was not paid back.
func (o *order) balance() int64 {
	taken, back := o.came()
	if o.State == Cancelled {
		return back - taken
	}
	return o.Total.Amount - o.Refunded.Amount - (taken - back)
}

// outstanding is what of the balance no payment is held for or due.
func (o *order) outstanding() int64 { return max(o.balance()-o.held-o.due, 0) }

// paid is the state of the order's payment, which follows from the sums.
func (o *order) paid() string {
	taken, back := o.came()
	switch {
	case taken > 0 && taken == back:
		return Refunded
	case taken > 0 && o.balance() > 0:
		return PartiallyPaid
	case o.Refunded.Amount > 0:
		return PartiallyRefunded
	case taken > 0:
		return Paid
	case o.held > 0:
		return Authorised
	case o.due == 0 && o.Total.Amount == 0:
		return Paid
	case o.due == 0 && o.voided:
		return Voided
	}
	return PaymentDue
}

// balanceSQL is SQL for the balance of an order o.
const balanceSQL = `(case when o.state = 'cancelled' then 0 else o.total_amount - o.refunded_amount end - (
	select coalesce(sum(p.amount - p.released_amount - p.refunded_amount), 0)::bigint from payments p where p.order_id = o.id and p.state = 'captured'))`

// outstandingSQL is SQL for what is outstanding of an order o.
const outstandingSQL = `greatest(` + balanceSQL + ` - (
	select coalesce(sum(p.amount), 0)::bigint from payments p where p.order_id = o.id and p.state in ('authorised', 'due')), 0)`

// Debt is what is owed of an order.
type Debt struct {
	Summary
	Outstanding money.Money // for which nothing is held or due
}

// Owed holds an order for the rest of the transaction, and says what is owed of it.
func Owed(ctx context.Context, tx *postgres.Tx, id string) (Debt, error) {
	o, err := lock(ctx, tx, id)
	if err != nil {
		return Debt{}, err
	}
	return Debt{o.Summary, money.New(o.outstanding(), o.Total.Currency)}, nil
}

// receiveSQL makes a payment of the balance, which is under way, one of the state $2.
const receiveSQL = `update payments set state = $2, reference = $3, failure = $4, updated_at = now() where id = $1 and state in ('pending', 'requires_action', 'processing')`

// standSQL writes down the states that an order has come to.
const standSQL = `update orders o set payment_state = $2, fulfilment_state = $3, state = $4, version = version + 1, updated_at = now()
where o.id = $1 returning ` + SummaryColumns

// Receive records that a payment of an order's balance was taken, is held or due. It is false
// when the payment was brought to an end before.
func Receive(ctx context.Context, tx *postgres.Tx, id string, c payments.Charge, state string, outcome payments.Outcome) (bool, error) {
	o, err := lock(ctx, tx, id)
	if err != nil {
		return false, err
	}
	failure := ""
	if o.State == Cancelled {
		state, failure = "failed", "order_cancelled" // nothing is owed any more: what was taken goes back
	}
	tag, err := tx.Exec(ctx, receiveSQL, c.Reference, state, outcome.Reference, failure)
	if err != nil {
		return false, fmt.Errorf("take payment %s: %w", c.Reference, err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	if failure != "" {
		journal.Event(ctx, tx, "payment.failed", c.Reference, payments.EventData{ID: c.Reference, OrderID: o.ID, State: state, Amount: c.Amount, FailureCode: &failure})
		journal.Audit(ctx, tx, journal.Entry{Action: "payment.fail", ObjectID: c.Reference, Before: former(tx, o.ID), After: map[string]any{"failure": failure}})
		return false, nil
	}
	before := o.Summary
	o.promised(state, c.Amount.Amount)
	if state == "captured" {
		o.payments = append(o.payments, payment{ID: c.Reference, Taken: c.Amount.Amount})
	}
	if err := o.stand(ctx, tx); err != nil {
		return false, err
	}
	if outcome.Result != payments.Due {
		journal.Event(ctx, tx, "payment."+state, c.Reference, payments.EventData{ID: c.Reference, OrderID: o.ID, State: state, Amount: c.Amount})
	}
	if state == "captured" {
		o.earned(ctx, tx, before, c.Amount)
	}
	o.tell(ctx, tx, before)
	journal.Audit(ctx, tx, journal.Entry{Action: "payment." + state, ObjectID: c.Reference, Before: former(tx, o.ID), After: o.told()})
	return true, nil
}

// stand writes down the states that follow from the order's sums and lines.
func (o *order) stand(ctx context.Context, tx *postgres.Tx) error {
	o.PaymentState = o.paid()
	fulfilment, state := o.advance()
	if err := tx.QueryRow(ctx, standSQL, o.ID, o.PaymentState, fulfilment, state).Scan(o.Fields()...); err != nil {
		return fmt.Errorf("how order %s stands: %w", o.ID, err)
	}
	return nil
}

// earned tells of money that was taken, and of an order that is paid in full by it.
func (o *order) earned(ctx context.Context, tx *postgres.Tx, before Summary, taken money.Money) {
	journal.Usage(tx, "revenue:"+taken.Currency, taken.Amount)
	if o.PaymentState == Paid && before.PaymentState != Paid {
		journal.Event(ctx, tx, "order.paid", o.ID, o.Summary)
		documents.Later(tx, documents.IssueArgs{OrderID: o.ID})
	}
}

// Remind has a link mailed to the shopper by which what is outstanding can be paid.
func (s *Service) Remind(ctx context.Context, tx *postgres.Tx, id string) error {
	debt, err := Owed(ctx, tx, id)
	if err != nil {
		return err
	}
	if debt.Outstanding.IsZero() {
		return NothingOwed()
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "order.remind", ObjectID: id, After: map[string]any{"outstanding": debt.Outstanding}})
	Mail(tx, MailArgs{Kind: PaymentMail, OrderID: id})
	return nil
}

// NothingOwed is the answer to whoever wants to pay what is paid.
func NothingOwed() *problem.Problem {
	return problem.New(problem.Conflict, "nothing_owed", "Nothing is owed of the order that is not paid, held or due already.")
}
