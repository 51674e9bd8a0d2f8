package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Status is where a job in a queue is.
type Status string

// The states of a job.
const (
	StatusWaiting  Status = "waiting"
	StatusRunning  Status = "running"
	StatusRetrying Status = "retrying"  // it failed and will be tried again
	StatusSetAside Status = "set_aside" // it was given up and waits for an operator
)

// statuses are River's states by ours.
var statuses = map[Status]string{
	StatusWaiting:  `('available', 'pending', 'scheduled')`,
	StatusRunning:  `('running')`,
	StatusRetrying: `('retryable')`,
	StatusSetAside: `('discarded', 'cancelled')`,
}

// Listed is a job in a queue.
type Listed struct {
	Cell      string
	ID        int64
	Kind      string
	Role      string // of the store that asked; empty for the platform's own
	Status    Status
	Attempts  int
	Failures  []Failure
	CreatedAt time.Time
	EndedAt   *time.Time // when it was set aside
}

// Name names the job among those of all queues.
func (l Listed) Name() string { return l.Cell + "." + strconv.FormatInt(l.ID, 10) }

// ParseName reads what Name wrote; anything else is not found.
func ParseName(name string) (cell string, id int64, err error) {
	cell, number, _ := strings.Cut(name, ".")
	id, err = strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != number {
		return "", 0, problem.Missing("job")
	}
	return cell, id, nil
}

// Failure is what came of one attempt.
type Failure struct {
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Error   string    `json:"error"`
}

// Filter chooses among the jobs of a queue; its zero value chooses those set aside.
type Filter struct {
	Status Status
	Kind   string
	Roles  []string // of stores; nil means all
	Before Position // where the page begins
	Limit  int
}

// Position is a job's place in the list of all queues, the latest first.
type Position struct {
	At   time.Time
	Cell string
	ID   int64
}

// Position is where the job stands in the list of all queues.
func (l Listed) Position() Position { return Position{l.CreatedAt, l.Cell, l.ID} }

// Queues are the names of the queues: the cells, and Control.
func (w *Workers) Queues() []string { return slices.Sorted(maps.Keys(w.queues)) }

// List lists the jobs of a queue that were handed over to it, the latest first.
func (w *Workers) List(ctx context.Context, cell string, f Filter) ([]Listed, error) {
	if f.Status == "" {
		f.Status = StatusSetAside
	}
	if statuses[f.Status] == "" {
		return nil, problem.New(problem.Invalid, "invalid_request", "There is no such state of jobs: %s.", f.Status)
	}
	if f.Before.At.IsZero() {
		f.Before.At = time.Now().AddDate(100, 0, 0)
	}
	list, err := w.list(ctx, cell, `state in `+statuses[f.Status]+` and ($1 = '' or kind = $1) and ($2::text[] is null or args->>'store' = any($2))
		and (created_at, $3::text collate "C", id) < ($4, $5::text collate "C", $6) order by created_at desc, id desc limit $7`,
		f.Kind, f.Roles, cell, f.Before.At, f.Before.Cell, f.Before.ID, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("jobs of %s: %w", cell, err)
	}
	return list, nil
}

// list reads jobs; the rest of the statement follows its where.
func (w *Workers) list(ctx context.Context, cell, rest string, args ...any) (list []Listed, err error) {
	q := w.queues[cell]
	if q == nil {
		return nil, problem.Missing("job")
	}
	err = q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err = q.list(ctx, tx, rest, args...)
		return err
	})
	return list, err
}

func (q *queue) list(ctx context.Context, tx *postgres.Tx, rest string, args ...any) ([]Listed, error) {
	rows, err := tx.Query(ctx, `
			select id, kind, coalesce(args->>'store', ''), attempt, coalesce(to_jsonb(errors), '[]'), created_at,
				case when state in `+statuses[StatusSetAside]+` then coalesce(finalized_at, created_at) end,
				case when state in `+statuses[StatusSetAside]+` then '`+string(StatusSetAside)+`'
					when state = 'retryable' then '`+string(StatusRetrying)+`'
					when state = 'running' then '`+string(StatusRunning)+`'
					when state = 'completed' then ''
					else '`+string(StatusWaiting)+`' end
			from `+q.schema+`.river_job where `+rest, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Listed, error) {
		job := Listed{Cell: q.name}
		err := row.Scan(&job.ID, &job.Kind, &job.Role, &job.Attempts, &job.Failures, &job.CreatedAt, &job.EndedAt, &job.Status)
		return job, err
	})
}

// present finds the job $1 unless it is done.
const present = `id = $1 and state <> 'completed'`

// Get is a job of a queue. One that is done is not found.
func (w *Workers) Get(ctx context.Context, cell string, id int64) (Listed, error) {
	list, err := w.list(ctx, cell, present, id)
	if err != nil {
		return Listed{}, fmt.Errorf("job %d of %s: %w", id, cell, err)
	}
	if len(list) == 0 {
		return Listed{}, problem.Missing("job")
	}
	return list[0], nil
}

// Retry has a job that was set aside tried again, as often as if it were new, and gives it
// as it is then. A trial does so and takes it back.
func (w *Workers) Retry(ctx context.Context, cell string, id int64, trial bool) (Listed, error) {
	return w.change(ctx, cell, id, trial, `update %s.river_job set state = 'available', attempt = 0, scheduled_at = now(), finalized_at = null, errors = null
		where id = $1 and state in %s`)
}

// Discard removes a job that was set aside. A trial does so and takes it back.
func (w *Workers) Discard(ctx context.Context, cell string, id int64, trial bool) error {
	_, err := w.change(ctx, cell, id, trial, `delete from %s.river_job where id = $1 and state in %s`)
	return err
}

// change does something to a job that was set aside, and gives what is there of it then.
func (w *Workers) change(ctx context.Context, cell string, id int64, trial bool, statement string) (job Listed, err error) {
	q := w.queues[cell]
	if q == nil {
		return job, problem.Missing("job")
	}
	err = q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if trial {
			tx.Discard()
		}
		tag, err := tx.Exec(ctx, fmt.Sprintf(statement, q.schema, statuses[StatusSetAside]), id)
		if err != nil {
			return err
		}
		list, err := q.list(ctx, tx, present, id)
		switch {
		case err != nil:
			return err
		case len(list) > 0:
			job = list[0]
		case tag.RowsAffected() == 0:
			return problem.Missing("job")
		}
		if tag.RowsAffected() == 0 {
			return problem.New(problem.Conflict, "job_not_set_aside", "The job is not set aside.")
		}
		return nil
	})
	if err != nil && problem.As(err) == nil {
		err = fmt.Errorf("job %d of %s: %w", id, cell, err)
	}
	return job, err
}
