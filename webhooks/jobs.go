package webhooks

import (
	"context"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Register has the workers send events. Attempted is told of each attempt.
func (s *Service) Register(w *jobs.Workers, db *postgres.DB, attempted func(Attempt)) {
	w.Handle(JobEvent, jobs.With(func(ctx context.Context, args journal.EventArgs) error {
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return s.FanOut(ctx, tx, args.EventID) })
	}))
	doors := bounded{db, map[string]chan struct{}{}}
	for _, cell := range db.Cells() {
		doors.places[cell] = make(chan struct{}, attemptsInside)
	}
	w.HandleCalls(JobDeliver, jobs.With(func(ctx context.Context, args deliverArgs) error {
		attempt, made, err := s.Attempt(ctx, doors, args.DeliveryID, args.Attempt)
		if made {
			attempted(attempt)
		}
		return err
	}))
	w.Handle(JobRecover, jobs.With(func(ctx context.Context, args recoverArgs) error {
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return s.recoverPage(ctx, tx, args) })
	}))
	w.Handle(JobFailing, jobs.With(func(ctx context.Context, args failingArgs) error {
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return s.GiveUp(ctx, tx, args.EndpointID, args.Since)
		})
	}))
}

// attemptsInside is how many attempts of a cell are at its database at once: those that wait
// for receivers may be many more, and the shops need its connections too.
const attemptsInside = 16

// bounded are doors that so many may use at once, by cell.
type bounded struct {
	Doors
	places map[string]chan struct{}
}

// InStore enters when there is a place.
func (b bounded) InStore(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return postgres.ErrNoStore
	}
	place := b.places[ref.Cell]
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
		return b.Doors.InStore(ctx, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}
