package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/archive"
)

// stamp is how an instant is written in keys.
const stamp = "20060102T150405Z"

// Archived is what the ledger has of an archive of a store.
type Archived struct {
	Key    string `json:"key"`
	Rows   int64  `json:"rows"`
	Writes int64  `json:"writes"` // that the side had seen then, by Postgres's own count
}

// archiveStore writes the archive of a side of a store; the subject is "sto_…/live".
func (k *Keeper) archiveStore(ctx context.Context, run *Run) (outcome, error) {
	id, mode, _ := strings.Cut(run.Subject, "/")
	rec, err := k.record(ctx, id)
	if err != nil {
		return outcome{}, err
	}
	ref, err := side(&rec, principal.Mode(mode))
	if err != nil {
		return outcome{}, err
	}
	writes, err := k.writes(ctx, ref.Cell)
	if err != nil {
		return outcome{}, err
	}
	about := archive.About{Name: rec.Name, Address: rec.Address, Program: k.Program}
	if k.Ring != nil {
		about.Keys = []string{k.Ring.Newest()}
	}
	var m archive.Manifest
	key := "stores/" + id + "/" + mode + "-" + clock.Now().UTC().Format(stamp) + ".tar.gz"
	key, bytes, err := k.put(ctx, key, func(out io.Writer) (err error) {
		_, m, err = archive.Write(ctx, k.DB, k.DB, ref, about, out)
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	return outcome{bytes, Archived{key, m.Rows(), writes[postgres.SchemaName(ref.Schema)]}}, k.letGo(ctx, run.Subject)
}

// writes counts the writes of each of a cell's stores, since Postgres counts them.
func (k *Keeper) writes(ctx context.Context, cell string) (map[string]int64, error) {
	counts := map[string]int64{}
	err := k.DB.InCell(ctx, cell, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select schemaname, sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_all_tables where schemaname like 's\_%' group by 1`)
		if err != nil {
			return err
		}
		var schema string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&schema, &n}, func() error {
			counts[schema] = n
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count writes of cell %s: %w", cell, err)
	}
	return counts, nil
}

// letGo deletes a side's archives that are older than they need to be kept, now that there
// is a new one.
func (k *Keeper) letGo(ctx context.Context, subject string) error {
	old, err := k.list(ctx, `where kind = 'store' and subject = $1 and state = 'succeeded' and finished_at < $2`, subject, clock.Now().Add(-k.Keep))
	if err != nil {
		return err
	}
	for _, run := range old {
		var a Archived
		if err := json.Unmarshal(run.Detail, &a); err != nil || a.Key == "" {
			continue
		}
		if err := k.Archives.Delete(ctx, a.Key); err != nil {
			return err
		}
		if err := k.exec(ctx, `delete from keeping_runs where id = $1`, run.ID); err != nil {
			return err
		}
	}
	return nil
}

// askForStores asks for archives of the sides that were written to since their last one, if
// that is old enough, and throws away those of stores that are purged.
func (k *Keeper) askForStores(ctx context.Context) error {
	type sideOf struct {
		ref    postgres.StoreRef
		last   *time.Time
		writes int64
	}
	var list []sideOf
	var purged []string
	err := k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `
			select s.store_id, s.mode, s.cell, s.number, r.finished_at, coalesce((r.detail->>'writes')::bigint, -1)
			from schemas s join stores t on t.id = s.store_id and t.status <> 'purged'
			left join lateral (select finished_at, detail from keeping_runs where kind = 'store' and subject = s.store_id || '/' || s.mode and state = 'succeeded'
				order by finished_at desc limit 1) r on true
			where s.state = 'taken' and (r.finished_at is null or r.finished_at < now() - $1::interval)
			order by r.finished_at nulls first limit 500`, k.StoresEvery)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s sideOf, err error) {
			return s, row.Scan(&s.ref.ID, (*string)(&s.ref.Mode), &s.ref.Cell, &s.ref.Schema, &s.last, &s.writes)
		})
		if err != nil {
			return err
		}
		rows, err = tx.Query(ctx, `select distinct t.id from stores t join keeping_runs r on r.kind = 'store' and r.subject in (t.id || '/live', t.id || '/test') where t.status = 'purged' limit 100`)
		if err != nil {
			return err
		}
		purged, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return fmt.Errorf("find stores to archive: %w", err)
	}
	counts := map[string]map[string]int64{}
	var errs []error
	for _, s := range list {
		if counts[s.ref.Cell] == nil {
			c, err := k.writes(ctx, s.ref.Cell)
			if err != nil {
				errs, c = append(errs, err), map[string]int64{} // a cell that is down is left for later
			}
			counts[s.ref.Cell] = c
		}
		now, up := counts[s.ref.Cell][postgres.SchemaName(s.ref.Schema)]
		if !up || s.last != nil && now == s.writes {
			continue
		}
		if err := k.ask(ctx, Store, s.ref.ID+"/"+string(s.ref.Mode)); err != nil {
			errs = append(errs, err)
		}
	}
	for _, id := range purged {
		err := k.Archives.DeletePrefix(ctx, "stores/"+id+"/")
		if err == nil {
			err = k.exec(ctx, `delete from keeping_runs where kind = 'store' and subject in ($1 || '/live', $1 || '/test')`, id)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
