package requestlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// JobKeep is the kind of the job that makes the weeks to come and drops those that are over;
// ahead is how many there are with the present one, more than any plan's days by some for
// workers that stand still. A call that is gone is shown to nobody, and lies there for six
// days more at most.
const (
	JobKeep   = "requests.keep"
	keepEvery = time.Hour
	ahead     = 7
)

// Keeper makes and drops the partitions of the request log.
type Keeper struct{ DB *postgres.DB }

// Register has the workers look after the partitions.
func (k *Keeper) Register(w *jobs.Workers) { w.Every(JobKeep, keepEvery, k.Run) }

// Run makes the partitions of the weeks to come and drops those of weeks that are over. A
// cell that does not answer is passed over; the error tells of it.
func (k *Keeper) Run(ctx context.Context) error {
	var errs []error
	for _, cell := range k.DB.Cells() {
		if err := k.cell(ctx, cell, clock.Now()); err != nil {
			errs = append(errs, fmt.Errorf("request log of cell %s: %w", cell, err))
		}
	}
	return errors.Join(errs...)
}

func (k *Keeper) cell(ctx context.Context, cell string, now time.Time) error {
	monday := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -(int(now.UTC().Weekday())+6)%7)
	wanted := map[string]time.Time{}
	for i := range ahead {
		week := monday.AddDate(0, 0, 7*i)
		wanted["requests_"+week.Format("20060102")] = week
	}
	return k.DB.InCell(ctx, cell, func(ctx context.Context, tx *postgres.Tx) error {
		// Who waits for the table makes all wait who come after.
		if _, err := tx.Exec(ctx, `set local lock_timeout = '2s'`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select relname from pg_class join pg_inherits on inhrelid = oid where inhparent = 'cell.requests'::regclass order by 1`)
		if err != nil {
			return err
		}
		there, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		over := "requests_" + monday.Format("20060102")
		for _, name := range there {
			delete(wanted, name)
			if name >= over {
				continue
			}
			if _, err := tx.Exec(ctx, `drop table cell.`+pgx.Identifier{name}.Sanitize()); err != nil {
				return err
			}
		}
		for name, week := range wanted {
			if _, err := tx.Exec(ctx, fmt.Sprintf(`create table if not exists cell.%s partition of cell.requests for values from ('%s') to ('%s')`,
				name, week.Format(time.DateOnly), week.AddDate(0, 0, 7).Format(time.DateOnly))); err != nil {
				return err
			}
		}
		return nil
	})
}
