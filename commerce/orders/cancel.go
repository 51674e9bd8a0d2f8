package orders

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// CancelInput is an order that is to be cancelled.
type CancelInput struct {
	OrderID string
	Reason  string // customer, stock, fraud or other
	Keep    bool   // the goods do not go back to stock
	Attempt string // the caller's name for it
}

const cancelSQL = `update orders o set state = 'cancelled', cancelled_at = clock_timestamp(), cancel_reason = $2, version = version + 1, updated_at = now()
where o.id = $1 and o.state = 'open' returning ` + SummaryColumns

// Cancel cancels an order of which nothing was sent, puts its goods back and pays back
// what was paid, or lets go of what was held. The order is cancelled whatever the provider
// says: a refund that fails shows with the order, and can be asked for again.
func (s *Service) Cancel(ctx context.Context, in CancelInput, answer Answer) error {
	name := hex.EncodeToString(token.Hash(in.Attempt))
	var r *refund
	var list []held
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		r, list, err = s.cancel(ctx, tx, in, name)
		if err == nil && r == nil && list == nil {
			err = answer.give(ctx, tx, in.OrderID, nil)
		}
		return err
	})
	if err != nil || r == nil && list == nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	for _, h := range list {
		// What a provider does not let go of now is left to the job.
		if err := s.carryOut(ctx, h, nil); err != nil && !problem.Is(err, "payment_pending") && !problem.Is(err, "payment_not_held") {
			return err
		}
	}
	if r == nil {
		return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return answer.give(ctx, tx, in.OrderID, nil) })
	}
	err = s.pay(ctx, *r, func(ctx context.Context, tx *postgres.Tx, _ *problem.Problem) error {
		return answer.give(ctx, tx, in.OrderID, nil)
	})
	if problem.Is(err, "refund_refused") {
		return nil
	}
	return err
}

// cancel cancels an order and gives what is to follow, if anything: the refund, and the
// holds to be let go.
func (s *Service) cancel(ctx context.Context, tx *postgres.Tx, in CancelInput, name string) (*refund, []held, error) {
	o, err := lock(ctx, tx, in.OrderID)
	if err != nil {
		return nil, nil, err
	}
	if o.State == Cancelled {
		// The caller may have died between cancelling and paying back.
		r, err := attempted(ctx, tx, o.ID, name)
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, nil, problem.New(problem.Conflict, "order_cancelled", "The order is cancelled already.")
		}
		return &r, nil, err
	}
	if o.State != Open || o.FulfilmentState != Unfulfilled {
		return nil, nil, problem.New(problem.Conflict, "order_fulfilled", "Part or all of the order was sent.")
	}
	if err := tx.QueryRow(ctx, cancelSQL, o.ID, in.Reason).Scan(o.Fields()...); err != nil {
		return nil, nil, fmt.Errorf("cancel %s: %w", o.ID, err)
	}
	if !in.Keep {
		rest := o.all(func(l *line) int64 { return l.quantity - l.restocked })
		if err := s.Stock.Return(ctx, tx, o.ID, OrderCancelled, o.goods(rest)); err != nil {
			return nil, nil, fmt.Errorf("restock %s: %w", o.ID, err)
		}
	}
	journal.Event(ctx, tx, "order.cancelled", o.ID, o.Summary)
	analytics.Changed(tx, o.ID)
	journal.Audit(ctx, tx, journal.Entry{Action: "order.cancel", ObjectID: o.ID, Before: former(tx, o.ID), After: o.told(), Reason: in.Reason})
	list, err := letGo(ctx, tx, o)
	if err != nil {
		return nil, nil, err
	}
	r, err := o.plan(RefundInput{})
	nothing := problem.Is(err, "nothing_left") || problem.Is(err, "order_not_paid")
	if err != nil && !nothing {
		return nil, nil, err
	}
	if !nothing {
		if err := r.write(ctx, tx, name, "The order was cancelled."); err != nil {
			return nil, nil, err
		}
		o.pending(r)
	}
	// What was owed before goes back by itself: it is of nothing that the order contains.
	if credit := o.creditRefund(o.credit()); credit.amount.Amount > 0 {
		if err := credit.write(ctx, tx, hex.EncodeToString(token.Hash(name+" balance")), "The order was cancelled."); err != nil {
			return nil, nil, err
		}
	}
	if nothing {
		return nil, list, nil
	}
	return &r, list, nil
}
