package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobResume is the kind of the job that every refund leaves for after its time: it calls
// ResumePending. It has no arguments.
const JobResume = "refunds_resume"

// batch bounds how many refunds one job looks after.
const batch = 100

// workedOn says of refund r that providers are at work on it.
const workedOn = `r.parts @? '$[*] ? (@.reference != "")'`

// takeOverSQL gives refunds that were left behind to whoever comes first.
const takeOverSQL = `
with r as (
	update refunds set updated_at = now() where id in (
		select id from refunds where state = 'pending' and updated_at < now() - $1::interval order by created_at limit $2 for update skip locked)
	returning *
)
select ` + refundColumns + ` from r`

// ResumePending brings refunds, captures and voids to an end that dead processes left
// behind in the context's store, or that the provider gave no answer to, and says how many
// there were. What cannot be ended now is an error, and tried again with the job.
func (s *Service) ResumePending(ctx context.Context) (int, error) {
	asked, err := s.resumeAsked(ctx)
	left, more := s.leftRefunds(ctx, takeOverSQL, lease, batch)
	return asked + len(left), errors.Join(err, more, s.endRefunds(ctx, left))
}

// leftRefunds reads the refunds that a statement gives.
func (s *Service) leftRefunds(ctx context.Context, sql string, args ...any) (left []refund, err error) {
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r refund
			if err := r.scan(rows); err != nil {
				return err
			}
			left = append(left, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("find refunds left behind: %w", err)
	}
	return left, nil
}

func (s *Service) endRefunds(ctx context.Context, left []refund) error {
	var errs []error
	for _, r := range left {
		ended, working := false, false
		err := s.pay(ctx, r, func(ctx context.Context, tx *postgres.Tx, _ *problem.Problem) error {
			return tx.QueryRow(ctx, `select r.state <> 'pending', `+workedOn+` from refunds r where r.id = $1`, r.id).Scan(&ended, &working)
		})
		if err != nil && !problem.Is(err, "refund_refused") {
			errs = append(errs, fmt.Errorf("resume refund %s: %w", r.id, err))
		} else if !ended && !working {
			errs = append(errs, fmt.Errorf("resume refund %s: the provider gives no answer", r.id))
		}
	}
	return errors.Join(errs...)
}
