package operations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// ErrMoved says that an operation has ended, or that another worker goes on with it.
var ErrMoved = errors.New("the operation has moved on")

// Work does a slice of an operation in the context's store, by whoever asked for it: slice
// is called with the operation as it is, unless it has ended or is not yet on. It can be
// done again, by several at a time too, where slice locks the operation for each batch.
func (s *Service) Work(ctx context.Context, id string, attempt int, slice func(ctx context.Context, o *Operation) error) error {
	err := s.work(ctx, id, slice)
	if err == nil || attempt < jobs.MaxAttempts || ctx.Err() != nil {
		return err
	}
	// There is no other try: whoever waits for the operation is told.
	return errors.Join(err, s.Stop(ctx, id, Say(Error, "internal_error", "", "It broke off, because of a fault on our side.")))
}

func (s *Service) work(ctx context.Context, id string, slice func(ctx context.Context, o *Operation) error) error {
	var o *Operation
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		o, err = Read(ctx, tx, id, false)
		return err
	})
	if problem.Is(err, "not_found") || err == nil && o.Final() {
		return nil
	}
	if err != nil {
		return err
	}
	ctx = o.As(ctx)
	if o.State == Queued {
		begun, err := s.begin(ctx, id)
		if err != nil {
			return err
		}
		if !begun {
			return jobs.Snooze(2 * time.Second)
		}
	}
	if err := slice(ctx, o); !errors.Is(err, ErrMoved) {
		return err
	}
	return nil
}

// begin has a queued operation run, unless one that was asked for before it has not ended:
// operations of a store take turns, as they come. What has not been seen to for a while,
// because its job was set aside, holds up nobody.
func (s *Service) begin(ctx context.Context, id string) (begun bool, err error) {
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		// The operation's row before the settings', as by those who put batches in.
		if _, err := tx.Exec(ctx, `select from operations where id = $1 for update`, id); err != nil {
			return err
		}
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
		// Whoever begins sweeps what ended long ago.
		if _, err := tx.Exec(ctx, `delete from operations where finished_at < $1`, clock.Now().Add(-Keep)); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update operations set state = $3, started_at = $4, updated_at = $4 where id = $1 and state = $2 and not exists (
				select from operations where id <> $1 and (state = $3 or state = $2 and id < $1) and updated_at > $4::timestamptz - interval '5 minutes')`,
			id, Queued, Running, clock.Now())
		if err != nil {
			return err
		}
		if begun = tag.RowsAffected() == 1; begun {
			return nil
		}
		_, err = tx.Exec(ctx, `update operations set updated_at = $2 where id = $1`, id, clock.Now())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("begin operation %s: %w", id, err)
	}
	return begun, nil
}

// Lock locks an operation for a batch, and makes sure that nobody has gone on with it from
// where the batch begins.
func Lock(ctx context.Context, tx *postgres.Tx, id string, from int64) (*Operation, error) {
	o, err := Read(ctx, tx, id, true)
	if problem.Is(err, "not_found") || err == nil && (o.State != Running || o.Checkpoint != from) {
		return nil, ErrMoved
	}
	return o, err
}

// Stop ends an operation as failed, if it has not ended.
func (s *Service) Stop(ctx context.Context, id string, why Message) error {
	return s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := Read(ctx, tx, id, true)
		if problem.Is(err, "not_found") || err == nil && o.Final() {
			return nil
		}
		if err != nil {
			return err
		}
		return s.End(ctx, tx, o, Stopped, &why)
	})
}

// Finish ends an operation whose rows are all done.
func (s *Service) Finish(ctx context.Context, id string, from int64) error {
	return s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := Lock(ctx, tx, id, from)
		if err != nil {
			return err
		}
		return s.End(ctx, tx, o, Succeeded, nil)
	})
}

// AboutData says whether an error of a batch comes of what was to be written, and not of
// the database's being away or busy.
func AboutData(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !InTheWay(err) && !errors.Is(err, ErrMoved) && !postgres.Unreachable(err) && !problem.Is(err, "store_unavailable")
}

// InTheWay says whether others got in the way, so that the same may succeed once more.
func InTheWay(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "40P01" || refused.Code == "40001" || refused.Code == "55P03" || refused.Code == "57014")
}
