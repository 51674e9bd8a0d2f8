package checkout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobResume is the kind of the job that every attempt leaves for after its time: it calls
// ResumePending. It has no arguments.
const JobResume = "checkout_resume"

// batch bounds how many attempts one job looks after.
const batch = 100

// ResumePending brings to an end what dead processes left behind in the context's store:
// a payment that went through becomes its order, any other is given up and its cart opened
// again. It says how many there were. What cannot be ended now is an error, and tried
// again with the job.
func (s *Service) ResumePending(ctx context.Context) (int, error) {
	var left []attempt
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		left, err = leftBehind(ctx, tx, batch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find attempts left behind: %w", err)
	}
	var errs []error
	for _, a := range left {
		if err := s.resume(ctx, a); err != nil {
			errs = append(errs, fmt.Errorf("resume payment %s: %w", a.Reference, err))
		}
	}
	return len(left), errors.Join(errs...)
}

// resume ends one attempt that was left behind, if nobody else is about to.
func (s *Service) resume(ctx context.Context, a attempt) error {
	mine := false
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		mine, err = takeOver(ctx, tx, a)
		if mine && a.state != pendingState {
			// What is still being processed then is looked after again.
			journal.JobAt(tx, clock.Now().Add(payments.StepTime+5*time.Second), JobResume, struct{}{})
		}
		return err
	})
	if err != nil || !mine {
		return err
	}
	return s.look(ctx, a, true)
}

// giveUp ends an attempt that stands in the way of another: one that was left behind, or
// that waits for a step which the shopper no longer wants to take.
func (s *Service) giveUp(ctx context.Context, a attempt) error {
	if a.state == pendingState {
		return s.resume(ctx, a)
	}
	return s.look(ctx, a, true)
}

// look asks the provider what became of an attempt and records it. Refusals are as good
// as orders here: nobody is there to be told.
func (s *Service) look(ctx context.Context, a attempt, enough bool) error {
	outcome := payments.Outcome{Result: payments.Succeeded}
	if !a.Amount.IsZero() {
		provider, err := s.Providers.Named(a.provider)
		if err != nil {
			return err
		}
		if outcome, err = s.find(ctx, provider, a, enough); err != nil {
			return err
		}
	}
	_, err := s.settle(ctx, a, outcome, nil)
	if problem.Is(err, "payment_declined") || problem.Is(err, "payment_provider_unavailable") || problem.Is(err, "payment_abandoned") {
		return nil
	}
	return err
}

// follow asks the provider how an attempt has gone on, for the shopper who made it.
func (s *Service) follow(ctx context.Context, a attempt, answer Answer) (Progress, error) {
	provider, err := s.Providers.Named(a.provider)
	if err != nil {
		return Progress{}, err
	}
	outcome, err := s.find(ctx, provider, a, false)
	if err != nil {
		return Progress{}, err
	}
	return s.settle(ctx, a, outcome, answer)
}

// Check says how far a cart's payment has come, having asked the provider: for a shopper
// who comes back from there. A cart that is not being paid for is refused.
func (s *Service) Check(ctx context.Context, ref cart.Ref, answer Answer) (Progress, error) {
	a, err := s.of(ctx, ref)
	if err != nil {
		return Progress{}, err
	}
	ctx = context.WithoutCancel(ctx)
	switch {
	case a.placed():
		return a.progress(), s.recorded(ctx, a, answer)
	case a.state != pendingState:
		return s.follow(ctx, a, answer)
	}
	at := a.progress() // whoever began it is at it
	at.OrderID = ""
	return at, nil
}

// Abandon gives a cart's payment up that waits for the shopper, and opens the cart again.
// A payment that went through meanwhile is an order: that is told as cart.IsCompleted.
func (s *Service) Abandon(ctx context.Context, ref cart.Ref) error {
	a, err := s.of(ctx, ref)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if !a.placed() {
		if a.state == pendingState && !a.stale {
			return a.busy()
		}
		if err := s.giveUp(ctx, a); err != nil {
			return err
		}
		if a, err = s.of(ctx, ref); problem.Is(err, "payment_not_under_way") {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if a.placed() {
		return cart.IsCompleted()
	}
	return a.busy()
}

// of is the attempt that a cart is completing or completed by.
func (s *Service) of(ctx context.Context, ref cart.Ref) (a attempt, err error) {
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		state, err := s.Carts.Lock(ctx, tx, ref)
		if err != nil {
			return err
		}
		if state == cart.Open {
			return problem.New(problem.Conflict, "payment_not_under_way", "The cart is not being paid for.")
		}
		a, err = present(ctx, tx, ref.ID)
		return err
	})
	return a, err
}

// Learn looks at a payment of which its provider has news, and records what came of it.
func (s *Service) Learn(ctx context.Context, payment string) error {
	var a attempt
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		a, err = named(ctx, tx, payment)
		return err
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil || a.placed() {
		return err
	}
	if a.state == pendingState && !a.stale {
		// Whoever calls the provider is about to record what it says.
		return a.busy()
	}
	return s.look(ctx, a, false)
}

// TakeTestStep has a shopper take the second step of a test payment, and says where the
// shopper comes from.
func (s *Service) TakeTestStep(ctx context.Context, payment string, approve bool) (returnURL string, err error) {
	var a attempt
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		a, err = named(ctx, tx, payment)
		return err
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return "", problem.Missing("payment")
	}
	if err != nil {
		return "", err
	}
	provider, err := s.Providers.Named(a.provider)
	if err != nil {
		return "", problem.Missing("payment")
	}
	page, ok := provider.(interface {
		Take(ctx context.Context, c payments.Charge, approve bool) (payments.Outcome, error)
	})
	if !ok {
		return "", problem.Missing("payment")
	}
	_, err = page.Take(ctx, a.Charge, approve)
	return a.Request.ReturnURL, err
}
