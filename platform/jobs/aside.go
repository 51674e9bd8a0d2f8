package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// SetAside is a job that was given up.
type SetAside struct {
	Cell      string
	ID        int64
	Kind      string
	Role      string // of the store that asked; empty for the platform's own
	Attempts  int
	Error     string // the last one
	CreatedAt time.Time
	EndedAt   time.Time
}

// SetAside lists the jobs of a queue that were given up, the latest first: at most limit
// of those before the given ID, zero meaning all.
func (w *Workers) SetAside(ctx context.Context, cell string, before int64, limit int) ([]SetAside, error) {
	q := w.queues[cell]
	if q == nil {
		return nil, problem.Missing("cell")
	}
	var list []SetAside
	err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `
			select id, kind, coalesce(args->>'store', ''), attempt, coalesce(errors[array_upper(errors, 1)]->>'error', ''), created_at, coalesce(finalized_at, created_at)
			from `+q.schema+`.river_job where state in ('discarded', 'cancelled') and ($1 = 0 or id < $1) order by id desc limit $2`, before, limit)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (SetAside, error) {
			job := SetAside{Cell: cell}
			err := row.Scan(&job.ID, &job.Kind, &job.Role, &job.Attempts, &job.Error, &job.CreatedAt, &job.EndedAt)
			return job, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("jobs set aside in %s: %w", cell, err)
	}
	return list, nil
}

// Retry has a job that was set aside tried once more, from the beginning.
func (w *Workers) Retry(ctx context.Context, cell string, id int64) error {
	return w.change(ctx, cell, id, `update %s.river_job set state = 'available', attempt = 0, scheduled_at = now(), finalized_at = null, errors = null
		where id = $1 and state in ('discarded', 'cancelled') returning id`)
}

// Discard removes a job that was set aside.
func (w *Workers) Discard(ctx context.Context, cell string, id int64) error {
	return w.change(ctx, cell, id, `delete from %s.river_job where id = $1 and state in ('discarded', 'cancelled') returning id`)
}

func (w *Workers) change(ctx context.Context, cell string, id int64, statement string) error {
	q := w.queues[cell]
	if q == nil {
		return problem.Missing("cell")
	}
	err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, fmt.Sprintf(statement, q.schema), id).Scan(&id)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.Missing("job set aside")
	}
	if err != nil {
		return fmt.Errorf("job %d of %s: %w", id, cell, err)
	}
	return nil
}
