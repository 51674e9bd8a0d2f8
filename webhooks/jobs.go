package webhooks

import (
	"context"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Register has the workers send events. Attempted is told of each attempt.
func (s *Service) Register(w *jobs.Workers, db *postgres.DB, attempted func(Attempt)) {
	w.Handle(JobEvent, func(ctx context.Context, job jobs.Job) error {
		var args journal.EventArgs
		if err := job.Decode(&args); err != nil {
			return err
		}
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return s.FanOut(ctx, tx, args.EventID) })
	})
	w.HandleCalls(JobDeliver, func(ctx context.Context, job jobs.Job) error {
		var args deliverArgs
		if err := job.Decode(&args); err != nil {
			return err
		}
		attempt, made, err := s.Attempt(ctx, db, args.DeliveryID, args.Attempt)
		if made {
			attempted(attempt)
		}
		return err
	})
	w.Handle(JobRecover, func(ctx context.Context, job jobs.Job) error {
		var args recoverArgs
		if err := job.Decode(&args); err != nil {
			return err
		}
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return s.recoverPage(ctx, tx, args) })
	})
	w.Handle(JobFailing, func(ctx context.Context, job jobs.Job) error {
		var args failingArgs
		if err := job.Decode(&args); err != nil {
			return err
		}
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return s.GiveUp(ctx, tx, args.EndpointID, args.Since)
		})
	})
}
