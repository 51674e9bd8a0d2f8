package checkout

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/payments"
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
			errs = append(errs, fmt.Errorf("resume payment %s: %w", a.payment, err))
		}
	}
	return len(left), errors.Join(errs...)
}

// resume ends one attempt that was left behind.
func (s *Service) resume(ctx context.Context, a attempt) error {
	mine := false
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		mine, err = takeOver(ctx, tx, a.payment)
		return err
	})
	if err != nil || !mine {
		return err
	}
	outcome := payments.Outcome{Result: payments.Succeeded}
	if !a.amount.IsZero() {
		provider, err := s.Providers.Named(a.provider)
		if err != nil {
			return err
		}
		if outcome, err = s.find(ctx, provider, a); err != nil {
			return err
		}
	}
	err = s.settle(ctx, a, outcome, nil)
	if problem.Is(err, "payment_declined") || problem.Is(err, "payment_provider_unavailable") {
		return nil // nobody is there to be told
	}
	return err
}
