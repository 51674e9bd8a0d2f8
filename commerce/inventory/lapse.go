package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// JobLapse is the kind of the job that calls ClearLapsed when a reservation may have
// lapsed, so that what it held shows as for sale again. It has no arguments. Nobody's
// buying hangs on it.
const JobLapse = "inventory_lapse"

// lapseBatch bounds how many reservations one transaction clears away.
const lapseBatch = 500

const lapsedSQL = `select distinct r.variant_id from (
	select variant_id from reservations where not paying and expires_at <= now() order by expires_at limit $1) r`

const nextLapseSQL = `select min(expires_at) from reservations where not paying`

// ClearLapsed clears lapsed reservations of the context's store away, and asks to be called
// again when the next one may have lapsed.
func ClearLapsed(ctx context.Context, db *postgres.DB) error {
	return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var variants []string
		if err := tx.QueryRow(ctx, `select coalesce(array_agg(variant_id), '{}') from (`+lapsedSQL+`) v`, lapseBatch).Scan(&variants); err != nil {
			return fmt.Errorf("find lapsed reservations: %w", err)
		}
		lines := make([]Line, len(variants))
		for i, id := range variants {
			lines[i].VariantID = VariantID(id)
		}
		if len(lines) > 0 {
			if err := Clear(ctx, tx, lines); err != nil {
				return err
			}
		}
		var next *time.Time
		if err := tx.QueryRow(ctx, nextLapseSQL).Scan(&next); err != nil {
			return fmt.Errorf("find the next reservation that lapses: %w", err)
		}
		if next != nil {
			lapseAt(tx, *next)
		}
		return nil
	})
}

// lapseAt asks for lapsed reservations to be cleared away, not before it is time.
func lapseAt(tx *postgres.Tx, at time.Time) {
	if soon := clock.Now().Add(time.Second); at.Before(soon) {
		at = soon
	}
	journal.JobAt(tx, at.Add(time.Second), JobLapse, struct{}{})
}

// Clear clears the lapsed reservations of variants away.
func Clear(ctx context.Context, tx *postgres.Tx, lines []Line) error {
	s, err := survey(ctx, tx, "", lines)
	if err != nil || len(s.lapsed) == 0 {
		return err
	}
	_, err = post(ctx, tx, change{mayMiss: true, reason: Sale, lapsed: s.lapsed}, s.reserving(nil))
	return err
}
