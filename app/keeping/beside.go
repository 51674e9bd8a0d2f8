package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/backups"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/archive"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// RestoreArgs say what of a store is restored: what it was at an instant, or what an
// archive holds.
type RestoreArgs struct {
	At  time.Time `json:"at"`
	Key string    `json:"key,omitempty"` // of an archive; the instant is the archive's then
}

// Change is a table that differs between a store and what was restored of it.
type Change struct {
	Table    string `json:"table"`
	Living   int64  `json:"living"` // rows
	Restored int64  `json:"restored"`
}

// Shown is what an operator is shown of what was restored.
type Shown struct {
	Rows    int64    `json:"rows"` // restored
	Changes []Change `json:"changes"`
	Since   []Order  `json:"orders_since"` // as the restored store does not know them, at most mostOrders
	Orders  int      `json:"orders"`       // how many of those there are
	Kept    bool     `json:"kept"`         // once swapped: they were carried over
	Carried []Change `json:"carried,omitempty"`
	Files   int      `json:"files"` // pictures and the like that had to be put back
}

// Order is an order that what was restored knows nothing of.
type Order struct {
	ID       string    `json:"id"`
	Number   int64     `json:"number"`
	State    string    `json:"state"`
	Currency string    `json:"currency"`
	Total    int64     `json:"total"`
	PlacedAt time.Time `json:"placed_at"`
}

const mostOrders = 1000

// Restoration is something that was restored beside a store.
type Restoration struct {
	ID        string
	Ref       postgres.StoreRef // where it lies
	State     string            // filling, ready, swapped or discarded
	At        time.Time
	Shown     Shown
	CreatedAt time.Time
	SwappedAt *time.Time
}

// restoreBeside restores a side of a store, the subject "sto_…/live", beside the living one.
func (k *Keeper) restoreBeside(ctx context.Context, run *Run, progress func(float64)) (outcome, error) {
	var args RestoreArgs
	if err := json.Unmarshal(run.Args, &args); err != nil {
		return outcome{}, err
	}
	id, mode := splitSubject(run.Subject)
	rec, err := k.record(ctx, id)
	if err != nil {
		return outcome{}, err
	}
	living, err := side(&rec, mode)
	if err != nil {
		return outcome{}, err
	}
	if old, found, err := k.Restored(ctx, id, mode); err != nil {
		return outcome{}, err
	} else if found && old.State != "filling" {
		return outcome{}, fmt.Errorf("something is restored beside %s already, as of %s: discard it first", run.Subject, old.At.Format(time.RFC3339))
	} else if found {
		if err := k.Discard(ctx, id, mode); err != nil { // a process died over it
			return outcome{}, err
		}
	}
	in, closer, err := k.source(ctx, living, args, progress)
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = closer.Close() }()
	shown, err := k.fill(ctx, living, in, args)
	return outcome{0, shown}, err
}

// source gives the archive to restore from: one that is kept, or one that is made of the
// cluster as it was.
func (k *Keeper) source(ctx context.Context, living postgres.StoreRef, args RestoreArgs, progress func(float64)) (io.Reader, io.Closer, error) {
	if args.Key != "" {
		if k.Archives == nil {
			return nil, nil, errors.New("no place of archives is configured")
		}
		return k.open(ctx, args.Key)
	}
	stanza := k.Stanzas[living.Cell]
	if err := k.flushLog(ctx, stanza); err != nil {
		return nil, nil, err
	}
	progress(0.1)
	then, err := k.restoreScratch(ctx, stanza, backups.Target{At: args.At})
	if err != nil {
		return nil, nil, err
	}
	progress(0.6)
	file, err := os.CreateTemp(k.Scratch, "store-")
	if err == nil {
		_ = os.Remove(file.Name()) // it lasts as long as it is open
		_, _, err = archive.Write(ctx, then.DB, nil, living, archive.About{Program: k.Program}, file)
	}
	if err = errors.Join(err, then.Close()); err != nil {
		return nil, nil, err
	}
	progress(0.8)
	_, err = file.Seek(0, io.SeekStart)
	return file, file, err
}

// fill makes a schema beside the living one, loads it and compares both.
func (k *Keeper) fill(ctx context.Context, living postgres.StoreRef, in io.Reader, args RestoreArgs) (shown Shown, err error) {
	r, err := archive.Open(in)
	if err != nil {
		return shown, err
	}
	if r.About.Store != living.ID || r.About.Mode != living.Mode {
		return shown, fmt.Errorf("the archive is of %s/%s", r.About.Store, r.About.Mode)
	}
	if args.At.IsZero() {
		args.At = r.About.TakenAt
	}
	ref, err := k.Runner.Beside(ctx, living, r.About.Version)
	if err != nil {
		return shown, err
	}
	name := ids.New("rst")
	err = k.exec(ctx, `insert into store_restores (id, store_id, mode, schema, at) values ($1, $2, $3, $4, $5)`, name, living.ID, string(living.Mode), ref.Schema, args.At)
	if err != nil {
		return shown, errors.Join(err, k.Runner.Drop(ctx, ref))
	}
	var m archive.Manifest
	err = k.DB.InCell(ctx, living.Cell, func(ctx context.Context, tx *postgres.Tx) (err error) {
		m, err = r.Load(ctx, tx, postgres.SchemaName(ref.Schema))
		return err
	})
	if err == nil {
		err = k.Runner.Store(ctx, ref)
	}
	if err == nil {
		shown, err = k.show(ctx, living, ref)
		shown.Rows = m.Rows()
	}
	if err == nil && k.Archives != nil {
		// Pictures that went with what was deleted are there again before they are looked for.
		if _, shown.Files, err = k.RestoreFiles(ctx, time.Time{}, living.ID+"/"); err != nil {
			k.Log.WarnContext(ctx, "files of a restored store are not put back", "store", living.ID, "error", err)
			err = nil
		}
	}
	if err != nil {
		return shown, errors.Join(err, k.Discard(context.WithoutCancel(ctx), living.ID, living.Mode))
	}
	return shown, k.exec(ctx, `update store_restores set state = 'ready', detail = $2 where id = $1`, name, shown)
}

// show compares a store and what was restored of it.
func (k *Keeper) show(ctx context.Context, living, beside postgres.StoreRef) (shown Shown, err error) {
	a, b := postgres.SchemaName(living.Schema), postgres.SchemaName(beside.Schema)
	err = k.DB.InCell(ctx, living.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `set transaction isolation level repeatable read read only`); err != nil {
			return err
		}
		now, err := archive.Digests(ctx, tx, a)
		if err != nil {
			return err
		}
		then, err := archive.Digests(ctx, tx, b)
		if err != nil {
			return err
		}
		for _, t := range then {
			i := slices.IndexFunc(now, func(n archive.Table) bool { return n.Name == t.Name })
			if i >= 0 && (now[i].Rows != t.Rows || now[i].Digest != t.Digest) {
				shown.Changes = append(shown.Changes, Change{t.Name, now[i].Rows, t.Rows})
			}
		}
		shown.Since, shown.Orders, err = ordersSince(ctx, tx, a, b)
		return err
	})
	if err != nil {
		return shown, fmt.Errorf("compare %s and %s: %w", a, b, err)
	}
	return shown, nil
}

// ordersSince are the orders of one schema that another does not know.
func ordersSince(ctx context.Context, tx *postgres.Tx, a, b string) (list []Order, n int, err error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(`select id, number, state, currency, total_amount, placed_at from %[1]s.orders o
		where not exists (select from %[2]s.orders p where p.id = o.id) order by number`, a, b))
	if err != nil {
		return nil, 0, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Order, err error) {
		return o, row.Scan(&o.ID, &o.Number, &o.State, &o.Currency, &o.Total, &o.PlacedAt)
	})
	return list[:min(len(list), mostOrders)], len(list), err
}

// Restored is what lies beside a side of a store; false when nothing does.
func (k *Keeper) Restored(ctx context.Context, id string, mode principal.Mode) (r Restoration, found bool, err error) {
	var detail json.RawMessage
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `
			select r.id, r.state, r.at, r.detail, r.created_at, r.swapped_at, r.store_id, r.mode, s.cell, s.login, s.number
			from store_restores r join schemas s on s.number = r.schema where r.store_id = $1 and r.mode = $2 and r.state <> 'discarded'`, id, string(mode)).
			Scan(&r.ID, &r.State, &r.At, &detail, &r.CreatedAt, &r.SwappedAt, &r.Ref.ID, (*string)(&r.Ref.Mode), &r.Ref.Cell, &r.Ref.Login, &r.Ref.Schema)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(detail, &r.Shown)
	}
	if err != nil {
		return r, false, fmt.Errorf("what is restored beside %s: %w", id, err)
	}
	return r, true, nil
}

// ready is what lies beside a side of a store and is complete, and the side.
func (k *Keeper) ready(ctx context.Context, id string, mode principal.Mode) (living postgres.StoreRef, r Restoration, err error) {
	rec, err := k.record(ctx, id)
	if err != nil {
		return living, r, err
	}
	if living, err = side(&rec, mode); err != nil {
		return living, r, err
	}
	r, found, err := k.Restored(ctx, id, mode)
	if err == nil && (!found || r.State == "filling") {
		err = fmt.Errorf("nothing is restored beside %s/%s", id, mode)
	}
	return living, r, err
}

// Swap puts what was restored in place of the living store, which lies beside from then on:
// a second Swap undoes the first. With keep, what was sold since stays; see carry.
func (k *Keeper) Swap(ctx context.Context, id string, mode principal.Mode, keep bool, reason string) (Restoration, error) {
	living, r, err := k.ready(ctx, id, mode)
	if err != nil {
		return r, err
	}
	a, b := postgres.SchemaName(living.Schema), postgres.SchemaName(r.Ref.Schema)
	back := r.State == "swapped"
	err = k.Runner.Swap(ctx, living, r.Ref, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if r.Shown.Since, r.Shown.Orders, err = ordersSince(ctx, tx, a, b); err != nil {
			return err
		}
		if r.Shown.Kept = keep; keep {
			r.Shown.Carried, err = carry(ctx, tx, a, b)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	r.State = "swapped"
	if back {
		r.State = "ready"
	}
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Audit(ctx, tx, journal.Entry{Action: "store.swap_restored", ObjectID: id, StoreID: id, Reason: reason,
			After: map[string]any{"as_of": r.At, "undone": back, "orders_since": r.Shown.Orders, "orders_kept": keep}})
		_, err := tx.Exec(ctx, `update store_restores set state = $2, detail = $3, swapped_at = case when $2 = 'swapped' then now() end where id = $1`, r.ID, r.State, r.Shown)
		return err
	})
	if err == nil {
		// Names and currencies may be others, and every page is.
		err = k.DB.InStore(postgres.WithStore(ctx, living), func(ctx context.Context, tx *postgres.Tx) error {
			stores.Touch(tx)
			if keep {
				// What can be bought follows the stock, which is not what it was then.
				if err := search.Reindex(ctx, tx); err != nil {
					return err
				}
			}
			if mode == principal.Live {
				journal.Job(tx, stores.JobMirror, struct{}{})
			}
			return nil
		})
	}
	if err != nil {
		return r, fmt.Errorf("the store was swapped, but: %w", err)
	}
	return r, nil
}

// Discard throws away what lies beside a side of a store: what was restored, or what was
// replaced by it.
func (k *Keeper) Discard(ctx context.Context, id string, mode principal.Mode) error {
	r, found, err := k.Restored(ctx, id, mode)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("nothing is restored beside %s/%s", id, mode)
	}
	if err := k.Runner.Drop(ctx, r.Ref); err != nil {
		return err
	}
	return k.exec(ctx, `update store_restores set state = 'discarded' where id = $1`, r.ID)
}

// AskRestore has a side of a store be restored beside it.
func (k *Keeper) AskRestore(ctx context.Context, id string, mode principal.Mode, args RestoreArgs, by string) (string, error) {
	kind := LoadStore
	if args.Key == "" {
		kind = RestoreStore
		if !k.Backups() {
			return "", errors.New("the databases are said to lie in no stanza: see STOA_BACKUP_STANZAS")
		}
		if args.At.IsZero() || args.At.After(clock.Now()) {
			return "", errors.New("say to which instant, in the past")
		}
	}
	return k.Ask(ctx, kind, id+"/"+string(mode), args, by)
}

// splitSubject reads "sto_…/live".
func splitSubject(subject string) (id string, mode principal.Mode) {
	id, last := filepath.Dir(subject), filepath.Base(subject)
	return id, principal.Mode(last)
}
