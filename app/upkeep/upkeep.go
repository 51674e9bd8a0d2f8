// Package upkeep throws away what is kept for a while only. What that is, and for how
// long, stands in one place: see kept.
//
// It works in small batches for a bounded time and begins at a different store each time,
// so that a platform of any size is gone through over several runs, and no transaction is
// long.
package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobUpkeep is the kind of the job that throws away what is old, and how often it runs.
const (
	JobUpkeep = "upkeep"
	every     = 10 * time.Minute
)

// Upkeep throws away what is old. DB and Log must be set.
type Upkeep struct {
	DB    *postgres.DB
	Log   *slog.Logger
	Batch int           // rows at a time; 1,000 when zero
	Time  time.Duration // how long one run may take; well within a job's time when zero
}

// Register has the workers look after the platform.
func (u *Upkeep) Register(w *jobs.Workers) { w.Every(JobUpkeep, every, u.Run) }

// Run throws away what is old until nothing is left or its time is over. A cell that does
// not answer is passed over; the error tells of it.
func (u *Upkeep) Run(ctx context.Context) error {
	budget := u.Time
	if budget == 0 {
		budget = jobs.Timeout * 2 / 3
	}
	within, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	total := map[string]int64{}
	err := u.run(within, total)
	for table, rows := range total {
		u.Log.InfoContext(ctx, "thrown away", "table", table, "rows", rows)
	}
	if ctx.Err() == nil && within.Err() != nil {
		return nil // the rest comes next time
	}
	return err
}

func (u *Upkeep) run(ctx context.Context, total map[string]int64) error {
	errs := []error{u.sweep(ctx, inControl, u.DB.InControl, total)}
	down := map[string]bool{}
	for _, cell := range u.DB.Cells() {
		err := u.sweep(ctx, inCell, func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
			return u.DB.InCell(ctx, cell, fn)
		}, total)
		if err != nil {
			errs, down[cell] = append(errs, fmt.Errorf("cell %s: %w", cell, err)), true
		}
	}
	sides, err := u.sides(ctx)
	errs = append(errs, err)
	first := 0
	if len(sides) > 0 {
		first = rand.IntN(len(sides))
	}
	for i := range sides {
		side := sides[(first+i)%len(sides)]
		if ctx.Err() != nil {
			break
		}
		if down[side.Cell] {
			continue
		}
		if err := u.sweep(postgres.WithStore(ctx, side), inStore, u.DB.InStore, total); err != nil {
			errs = append(errs, fmt.Errorf("store %s: %w", side.ID, err))
			down[side.Cell] = problem.Is(err, "store_unavailable")
		}
	}
	return errors.Join(errs...)
}

// sides are all schemas that belong to stores.
func (u *Upkeep) sides(ctx context.Context) (refs []postgres.StoreRef, err error) {
	err = u.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select store_id, mode, cell, login, number from schemas where state = 'taken' order by number`)
		if err != nil {
			return err
		}
		refs, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref postgres.StoreRef, err error) {
			err = row.Scan(&ref.ID, (*string)(&ref.Mode), &ref.Cell, &ref.Login, &ref.Schema)
			return ref, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the sides of stores: %w", err)
	}
	return refs, nil
}

// sweep deletes what is old behind one door, a batch a transaction.
func (u *Upkeep) sweep(ctx context.Context, list []kept, door func(context.Context, func(context.Context, *postgres.Tx) error) error, total map[string]int64) error {
	batch := u.Batch
	if batch == 0 {
		batch = 1000
	}
	ctx = principal.With(ctx, principal.Principal{Kind: principal.System, Label: JobUpkeep})
	var errs []error
	for _, k := range list {
		for {
			var gone int64
			err := door(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				tag, err := tx.Exec(ctx, k.statement(), clock.Now().Add(-k.age), batch)
				gone = tag.RowsAffected()
				return err
			})
			if err != nil {
				errs = append(errs, fmt.Errorf("throw away of %s: %w", k.table, err))
				break
			}
			if gone > 0 {
				total[k.table] += gone
			}
			if gone < int64(batch) {
				break
			}
		}
	}
	return errors.Join(errs...)
}
