package reconciliation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// JobReconcile is the kind of the job that compares the books of the stores whose turn it
// is, and how often it runs.
const (
	JobReconcile = "reconcile"
	every        = 10 * time.Minute
)

// How often a side of a store has its turn, and how far back providers are asked about
// payments: beyond the turn before.
const (
	turn    = 24 * time.Hour
	horizon = 72 * time.Hour
)

// Reconciler compares the books of all stores: each side of each store once a day, and when
// an operator asks for it. What differs is kept in the control database, for operators, until
// a later run finds it no more.
type Reconciler struct {
	DB    *postgres.DB
	Books *Service
	// Measured is told how many differences of each kind there are; nil for nobody.
	Measured func(kind string, n int)
	Log      *slog.Logger
}

// Register has the workers compare.
func (r *Reconciler) Register(w *jobs.Workers) { w.Every(JobReconcile, every, r.Run) }

// Run goes through the sides of stores whose turn it is, for as long as a job may take. A
// store that cannot be reached does not stop the others.
func (r *Reconciler) Run(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, jobs.Timeout*2/3)
	defer cancel()
	sides, err := r.due(within)
	if err != nil {
		return err
	}
	var errs []error
	for _, side := range sides {
		if within.Err() != nil {
			break // the rest has its turn next time
		}
		if _, err := r.One(within, side); err != nil && within.Err() == nil {
			errs = append(errs, fmt.Errorf("store %s: %w", side.ID, err))
		}
	}
	return errors.Join(append(errs, r.measure(ctx))...)
}

// dueSQL are the sides whose last run is a turn ago, the longest first. A store that is
// being born has its schemas before it is one.
const dueSQL = `select s.store_id, s.mode, s.cell, s.login, s.number from schemas s join stores on stores.id = s.store_id
left join reconciliations r on r.store_id = s.store_id and r.mode = s.mode
where s.state = 'taken' and (r.at is null or r.at < $1) order by r.at nulls first, s.number`

func (r *Reconciler) due(ctx context.Context) (sides []postgres.StoreRef, err error) {
	err = r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, dueSQL, clock.Now().Add(-turn))
		if err != nil {
			return err
		}
		sides, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref postgres.StoreRef, err error) {
			err = row.Scan(&ref.ID, (*string)(&ref.Mode), &ref.Cell, &ref.Login, &ref.Schema)
			return ref, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("whose turn it is to be reconciled: %w", err)
	}
	return sides, nil
}

// One compares the books of one side of a store and keeps what differs.
func (r *Reconciler) One(ctx context.Context, side postgres.StoreRef) ([]Difference, error) {
	began := clock.Now()
	inside := postgres.WithStore(principal.With(ctx, principal.Principal{Kind: principal.System, Label: JobReconcile, StoreID: side.ID, Mode: side.Mode}), side)
	found, err := r.Books.Run(inside, began.Add(-horizon))
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		r.Log.ErrorContext(ctx, "a store's books differ", "store", side.ID, "mode", side.Mode, "differences", len(found), "first", found[0].Kind, "object", found[0].ObjectID)
	}
	return found, r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error { return keep(ctx, tx, side, found, began) })
}

// keepSQL keeps what differs ($3), forgets what no longer does, and notes the run; nothing of
// a store that is gone meanwhile.
const keepSQL = `
with store as (
	select id from stores where id = $1 for key share
), found as (
	select kind, object_id, detail from store, jsonb_to_recordset($3::jsonb) as f(kind text, object_id text, detail jsonb)
), kept as (
	insert into differences as d (store_id, mode, kind, object_id, detail, found_at, seen_at)
	select $1, $2, kind, object_id, detail, $4, $4 from found
	on conflict (store_id, mode, kind, object_id) do update set detail = excluded.detail, seen_at = excluded.seen_at
), gone as (
	delete from differences d where d.store_id = $1 and d.mode = $2 and d.seen_at <= $4
		and not exists (select from found f where f.kind = d.kind and f.object_id = d.object_id)
)
insert into reconciliations (store_id, mode, at) select id, $2, $4 from store on conflict (store_id, mode) do update set at = excluded.at`

func keep(ctx context.Context, tx *postgres.Tx, side postgres.StoreRef, found []Difference, at time.Time) error {
	if found == nil {
		found = []Difference{}
	}
	raw, err := json.Marshal(found)
	if err == nil {
		_, err = tx.Exec(ctx, keepSQL, side.ID, string(side.Mode), string(raw), at)
	}
	if err != nil {
		return fmt.Errorf("keep differences of store %s: %w", side.ID, err)
	}
	return nil
}

func (r *Reconciler) measure(ctx context.Context) error {
	if r.Measured == nil {
		return nil
	}
	counts := map[string]int{}
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select kind, count(*) from differences where mode = 'live' group by kind`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var n int
			if err := rows.Scan(&kind, &n); err != nil {
				return err
			}
			counts[kind] = n
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("count differences: %w", err)
	}
	for _, kind := range Kinds {
		r.Measured(string(kind), counts[string(kind)])
	}
	return nil
}

// Kept is a difference as it is kept.
type Kept struct {
	StoreID string
	Mode    principal.Mode
	Difference
	FoundAt, SeenAt time.Time
}

// Position is where a list goes on after it.
func (k Kept) Position() string {
	return k.StoreID + " " + string(k.Mode) + " " + string(k.Kind) + " " + k.ObjectID
}

// Filter chooses differences; what is empty chooses all.
type Filter struct {
	StoreID string
	Kind    string
	After   string // the position of the last of the page before
	Limit   int
}

const listSQL = `select store_id, mode, kind, object_id, detail, found_at, seen_at from differences d
where ($1 = '' or store_id = $1) and ($2 = '' or kind = $2) and ($3 = '' or concat_ws(' ', store_id, mode, kind, object_id) collate "C" > $3)
order by concat_ws(' ', store_id, mode, kind, object_id) collate "C" limit $4`

// List are the differences of all stores, as the last runs found them.
func List(ctx context.Context, tx *postgres.Tx, f Filter) (list []Kept, err error) {
	rows, err := tx.Query(ctx, listSQL, f.StoreID, f.Kind, f.After, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("list differences: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k Kept
		var detail []byte
		if err := rows.Scan(&k.StoreID, (*string)(&k.Mode), &k.Kind, &k.ObjectID, &detail, &k.FoundAt, &k.SeenAt); err != nil {
			return nil, fmt.Errorf("list differences: %w", err)
		}
		if err := json.Unmarshal(detail, &k.Detail); err != nil {
			return nil, fmt.Errorf("list differences: %w", err)
		}
		list = append(list, k)
	}
	return list, rows.Err()
}

// Audited notes that somebody asked for a run.
func Audited(ctx context.Context, tx *postgres.Tx, side postgres.StoreRef, found int, reason string) {
	journal.Audit(ctx, tx, journal.Entry{Action: "store.reconcile", ObjectID: side.ID, StoreID: side.ID, After: map[string]any{"mode": side.Mode, "differences": found}, Reason: reason})
}
