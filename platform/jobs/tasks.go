package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Task is a regular task as it last went, among all replicas.
type Task struct {
	Name      string
	Interval  time.Duration
	Began     *time.Time // the last run
	Succeeded *time.Time // the last run that ended well
	Failed    *time.Time // the last one that did not
	Took      time.Duration
	Successes int64
	Failures  int64
	Error     string // of the last run, if it failed
}

const (
	noteTask = `
insert into tasks (name, interval_s, began_at, succeeded_at, failed_at, took_s, successes, failures, error)
values ($1, $2, $3, case when $5 = '' then now() end, case when $5 <> '' then now() end, $4, ($5 = '')::int, ($5 <> '')::int, $5)
on conflict (name) do update set interval_s = excluded.interval_s, began_at = excluded.began_at, took_s = excluded.took_s, error = excluded.error,
	succeeded_at = coalesce(excluded.succeeded_at, tasks.succeeded_at), failed_at = coalesce(excluded.failed_at, tasks.failed_at),
	successes = tasks.successes + excluded.successes, failures = tasks.failures + excluded.failures`

	selectTasks = `select name, interval_s, began_at, succeeded_at, failed_at, took_s, successes, failures, error from tasks order by name`

	askForTask = `insert into outbox (kind, args) values ($1, '{}')`
)

// note writes down how a regular task went. One that was broken off by the end of the
// process is none.
func (w *Workers) note(ctx context.Context, name string, interval time.Duration, began time.Time, err error) {
	if ctx.Err() != nil {
		return
	}
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	took := time.Since(began).Seconds()
	err = w.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, noteTask, name, interval.Seconds(), began, took, fault)
		return err
	})
	if err != nil {
		w.config.Log.WarnContext(ctx, "how a regular task went is not written down", "task", name, "error", err)
	}
}

// Regular are the names of the regular tasks.
func (w *Workers) Regular() (names []string) {
	for _, p := range w.periodic {
		names = append(names, p.name)
	}
	return names
}

// Tasks lists the regular tasks that have run at least once.
func Tasks(ctx context.Context, db *postgres.DB) (list []Task, err error) {
	err = db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, selectTasks)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Task, err error) {
			var interval, took float64
			err = row.Scan(&t.Name, &interval, &t.Began, &t.Succeeded, &t.Failed, &took, &t.Successes, &t.Failures, &t.Error)
			t.Interval, t.Took = time.Duration(interval*float64(time.Second)), time.Duration(took*float64(time.Second))
			return t, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list regular tasks: %w", err)
	}
	return list, nil
}

// RunTask has a worker do a regular task now, beside its turns.
func RunTask(ctx context.Context, db *postgres.DB, name string) error {
	err := db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, askForTask, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for the task %s: %w", name, err)
	}
	return nil
}
