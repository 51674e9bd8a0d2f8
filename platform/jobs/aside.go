package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	Failures  []Failure
	CreatedAt time.Time
	EndedAt   time.Time
}

// Failure is what came of one attempt.
type Failure struct {
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Error   string    `json:"error"`
}

// Filter chooses among the jobs that were given up. Zero values do not limit.
type Filter struct {
	Kind   string
	Roles  []string
	Before int64 // the ID that the page begins after
	Limit  int
}

// Queues are the names of the queues: the cells, and Control.
func (w *Workers) Queues() []string { return slices.Sorted(maps.Keys(w.queues)) }

// SetAside lists the jobs of a queue that were given up, the latest first.
func (w *Workers) SetAside(ctx context.Context, cell string, f Filter) ([]SetAside, error) {
	return w.aside(ctx, cell, `state in ('discarded', 'cancelled') and ($1 = 0 or id < $1) and ($3 = '' or kind = $3) and ($4::text[] is null or args->>'store' = any($4))`,
		f.Before, f.Limit, f.Kind, f.Roles)
}

func (w *Workers) aside(ctx context.Context, cell, where string, args ...any) ([]SetAside, error) {
	q := w.queues[cell]
	if q == nil {
		return nil, problem.Missing("cell")
	}
	var list []SetAside
	err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `
			select id, kind, coalesce(args->>'store', ''), attempt, coalesce(to_jsonb(errors), '[]'), created_at, coalesce(finalized_at, created_at)
			from `+q.schema+`.river_job where `+where+` order by id desc limit $2`, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (SetAside, error) {
			job := SetAside{Cell: cell}
			err := row.Scan(&job.ID, &job.Kind, &job.Role, &job.Attempts, &job.Failures, &job.CreatedAt, &job.EndedAt)
			return job, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("jobs set aside in %s: %w", cell, err)
	}
	return list, nil
}

// Retry has a job that was set aside tried once more, from the beginning. It gives the job
// as it was.
func (w *Workers) Retry(ctx context.Context, cell string, id int64) (SetAside, error) {
	list, err := w.aside(ctx, cell, `state in ('discarded', 'cancelled') and id = $1`, id, 1)
	if err != nil {
		return SetAside{}, err
	}
	if len(list) == 0 {
		return SetAside{}, problem.Missing("job set aside")
	}
	return list[0], w.change(ctx, cell, id, `update %s.river_job set state = 'available', attempt = 0, scheduled_at = now(), finalized_at = null, errors = null
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
