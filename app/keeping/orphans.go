package keeping

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

// TaskOrphans is the regular task that sweeps what nothing owns.
const TaskOrphans = "keeping.orphans"

// The kinds of orphans.
const (
	OrphanPicture       = "picture"       // no image has it, none that may be brought back, and none of what was restored beside
	OrphanImport        = "import"        // a file that no import is for
	OrphanExport        = "export"        // a part that no export has
	OrphanStore         = "store"         // a file of a store that is purged, or that nobody knows
	OrphanArchive       = "archive"       // an archive that the ledger does not know
	OrphanConfiguration = "configuration" // a copy of the configuration without its list of files
	OrphanSchema        = "schema"        // a store's copy beside it, of a restore that was broken off
	OrphanDraft         = "draft"         // what was begun to be written and never came to its end
)

// OrphanKinds are all of them.
var OrphanKinds = []string{OrphanPicture, OrphanImport, OrphanExport, OrphanStore, OrphanArchive, OrphanConfiguration, OrphanSchema, OrphanDraft}

const (
	// youngest is how old an orphan is at least: files are written before the rows that own
	// them, and nothing takes a day for it.
	youngest = 24 * time.Hour
	// unknown is for how long files stay of a store that the control database does not know: it
	// may have been restored to an instant before the store was born, and be put right again.
	unknown = 30 * 24 * time.Hour
	// asked is for how many files at a time it is asked who owns them.
	asked = 1000
	// sweepTime is how long one run may take; the next begins at another store.
	sweepTime = jobs.Timeout * 2 / 3
)

// Orphan is something in storage that nothing owns.
type Orphan struct {
	Kind  string
	Key   string // of a file, or the schema as "cell/s_1"
	Bytes int64  // 0 for a schema
	Since time.Time

	remove func(context.Context) error
}

// Swept is what was swept of one kind.
type Swept struct{ Count, Bytes int64 }

// Sweep removes what nothing owns, for a bounded time, and says of each kind how much.
func (k *Keeper) Sweep(ctx context.Context) (map[string]Swept, error) {
	within, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	swept := map[string]Swept{}
	count := func(kind string, n, bytes int64) {
		s := swept[kind]
		swept[kind] = Swept{s.Count + n, s.Bytes + bytes}
	}
	err := k.Orphans(within, func(o Orphan) error {
		if err := o.remove(within); err != nil {
			return fmt.Errorf("sweep %s: %w", o.Key, err)
		}
		count(o.Kind, 1, o.Bytes)
		return nil
	})
	for _, in := range []files.Store{k.Files, k.Archives} {
		if in == nil {
			continue
		}
		n, clearErr := in.Clear(within, youngest)
		err = errors.Join(err, clearErr)
		count(OrphanDraft, int64(n), 0)
	}
	if ctx.Err() == nil && within.Err() != nil {
		err = nil // the rest comes next time
	}
	return swept, err
}

// Orphans tells each of everything that nothing owns, but for drafts, which only Sweep sees.
// Where an owner cannot be asked, as his cell is down, nothing of his is told, and the error
// says so. An error of each ends it.
func (k *Keeper) Orphans(ctx context.Context, each func(Orphan) error) error {
	var stop error
	tell := func(o Orphan) bool {
		if stop == nil {
			stop = each(o)
		}
		return stop == nil
	}
	var errs []error
	for _, look := range []func(context.Context, func(Orphan) bool) error{k.lostSchemas, k.lostFiles, k.lostArchives} {
		errs = append(errs, look(ctx, tell))
		if stop != nil {
			return stop
		}
	}
	return errors.Join(errs...)
}

// file tells of a file that nothing owns, if it is old enough. It says whether to go on.
func (k *Keeper) file(ctx context.Context, in files.Store, kind, key string, age time.Duration, tell func(Orphan) bool) (bool, error) {
	f, err := in.Open(ctx, key)
	if errors.Is(err, files.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if err := f.Close(); err != nil {
		return false, err
	}
	if clock.Now().Sub(f.Modified) < age {
		return true, nil
	}
	return tell(Orphan{kind, key, f.Size, f.Modified, func(ctx context.Context) error { return in.Delete(ctx, key) }}), nil
}

// lostFiles looks through the files of all stores, beginning with any of them.
func (k *Keeper) lostFiles(ctx context.Context, tell func(Orphan) bool) error {
	var owners []string
	for root, err := range k.Files.Roots(ctx) {
		if err != nil {
			return fmt.Errorf("look for files without an owner: %w", err)
		}
		if strings.HasPrefix(root, "sto_") { // a bucket may hold other things
			owners = append(owners, root)
		}
	}
	rand.Shuffle(len(owners), func(i, j int) { owners[i], owners[j] = owners[j], owners[i] })
	var errs []error
	for some := range slices.Chunk(owners, asked) {
		states, err := k.statesOf(ctx, some)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, id := range some {
			more, err := k.lostOf(ctx, id, states[id], tell)
			if err != nil {
				errs = append(errs, fmt.Errorf("look for files of store %s without an owner: %w", id, err))
			}
			if !more && err == nil || ctx.Err() != nil {
				return errors.Join(errs...)
			}
		}
	}
	return errors.Join(errs...)
}

// statesOf are the states of the stores that the control database knows.
func (k *Keeper) statesOf(ctx context.Context, ids []string) (states map[string]tenants.Status, err error) {
	states = map[string]tenants.Status{}
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select id, status from stores where id = any ($1)`, ids)
		if err != nil {
			return err
		}
		var id, status string
		_, err = pgx.ForEachRow(rows, []any{&id, &status}, func() error {
			states[id] = tenants.Status(status)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look which stores there are: %w", err)
	}
	return states, nil
}

// lostOf looks through the files of one store.
func (k *Keeper) lostOf(ctx context.Context, id string, state tenants.Status, tell func(Orphan) bool) (more bool, err error) {
	age := youngest
	if state == "" {
		age = unknown
	}
	var some []string
	judge := func() (bool, error) {
		kinds, err := k.judge(ctx, id, state, some)
		if err != nil {
			return false, err
		}
		for _, key := range some {
			if kind := kinds[key]; kind != "" {
				if more, err := k.file(ctx, k.Files, kind, key, age, tell); !more || err != nil {
					return more, err
				}
			}
		}
		some = some[:0]
		return true, nil
	}
	for key, err := range k.Files.Keys(ctx, id+"/") {
		if err != nil {
			return false, err
		}
		if some = append(some, key); len(some) == asked {
			if more, err := judge(); !more || err != nil {
				return more, err
			}
		}
	}
	return judge()
}

// judge says of which kind those of a store's files are that nothing owns.
func (k *Keeper) judge(ctx context.Context, id string, state tenants.Status, keys []string) (map[string]string, error) {
	kinds := map[string]string{}
	if state == "" || state == tenants.Purged {
		for _, key := range keys {
			kinds[key] = OrphanStore
		}
		return kinds, nil
	}
	names := map[string][]string{} // what the owners are called, by room
	for _, key := range keys {
		if room, owner := roomOf(key); rooms[room].kind != "" {
			names[room] = append(names[room], owner)
			kinds[key] = rooms[room].kind
		}
	}
	if len(kinds) == 0 {
		return kinds, nil
	}
	schemas, err := k.schemasOf(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, s := range schemas {
		err := k.DB.InCell(ctx, s.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			for room, owners := range names {
				rows, err := tx.Query(ctx, fmt.Sprintf(rooms[room].owned, postgres.SchemaName(s.Schema)), owners)
				if err != nil {
					return err
				}
				owned, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err != nil {
					return err
				}
				for _, key := range owned {
					delete(kinds, key)
					delete(kinds, files.Beside(key))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

// rooms are the folders of a side of a store, "sto_…/live/<room>/<owner>…", with what asks a
// schema for the keys that owners have, of those that are named. Files in another room are
// those of another version of the program, and left alone.
var rooms = map[string]struct{ kind, owned string }{
	"products": {OrphanPicture, `
		select s->>'key' from %[1]s.images i, jsonb_array_elements(i.sizes) s where i.id = any ($1)
		union all
		select s->>'key' from %[1]s.audit_kept k, jsonb_array_elements(case jsonb_typeof(k.kept->'images') when 'array' then k.kept->'images' else '[]' end) i,
			jsonb_array_elements(case jsonb_typeof(i->'sizes') when 'array' then i->'sizes' else '[]' end) s where i->>'id' = any ($1)`},
	"imports": {OrphanImport, `select input->>'key' from %[1]s.operations where id = any ($1) and input ? 'key'`},
	"exports": {OrphanExport, `
		select p from %[1]s.operations o, jsonb_array_elements_text(case jsonb_typeof(o.file->'parts') when 'array' then o.file->'parts' else '[]' end) p where o.id = any ($1)`},
}

// roomOf takes a key apart; a key that is none of a room's has none.
func roomOf(key string) (room, owner string) {
	parts := strings.Split(key, "/")
	if len(parts) < 4 {
		return "", ""
	}
	return parts[2], strings.TrimSuffix(parts[3], path.Ext(parts[3]))
}

// schemasOf are all schemas of a store: of both sides, and what is restored beside them.
func (k *Keeper) schemasOf(ctx context.Context, id string) (refs []postgres.StoreRef, err error) {
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select cell, number from schemas where store_id = $1 and state in ('taken', 'beside')`, id)
		if err != nil {
			return err
		}
		refs, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref postgres.StoreRef, err error) {
			return ref, row.Scan(&ref.Cell, &ref.Schema)
		})
		return err
	})
	return refs, err
}

// lostSchemas looks for copies beside stores that no restore is of: of processes that died
// between making one and noting it.
func (k *Keeper) lostSchemas(ctx context.Context, tell func(Orphan) bool) error {
	type lost struct {
		ref   postgres.StoreRef
		since time.Time
	}
	var list []lost
	err := k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select cell, login, number, created_at from schemas s where state = 'beside' and created_at < $1
			and not exists (select from store_restores r where r.schema = s.number and r.state <> 'discarded') limit 100`, clock.Now().Add(-youngest))
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l lost, err error) {
			return l, row.Scan(&l.ref.Cell, &l.ref.Login, &l.ref.Schema, &l.since)
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("look for copies of stores without an owner: %w", err)
	}
	for _, l := range list {
		if !tell(Orphan{OrphanSchema, l.ref.Cell + "/" + postgres.SchemaName(l.ref.Schema), 0, l.since, func(ctx context.Context) error { return k.Runner.Drop(ctx, l.ref) }}) {
			return nil
		}
	}
	return nil
}

// lostArchives looks for archives that the ledger does not know and copies of the
// configuration whose list is gone. They are as old as any may be that are known: a control
// database that was restored does not know the latest, which are wanted then most of all.
func (k *Keeper) lostArchives(ctx context.Context, tell func(Orphan) bool) error {
	if k.Archives == nil {
		return nil
	}
	kept, err := keys(ctx, k.Archives, lists)
	if err != nil {
		return fmt.Errorf("look for lists of copies: %w", err)
	}
	var known []string
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select detail->>'key' from keeping_runs where kind = 'store' and detail ? 'key'`)
		if err != nil {
			return err
		}
		known, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return fmt.Errorf("look which archives are known: %w", err)
	}
	slices.Sort(known)
	for _, of := range []struct {
		kind, prefix string
		owned        func(key string) bool
	}{
		{OrphanArchive, "stores/", func(key string) bool { _, there := slices.BinarySearch(known, key); return there }},
		{OrphanConfiguration, configurations, func(key string) bool {
			_, there := slices.BinarySearch(kept, lists+strings.TrimSuffix(strings.TrimPrefix(key, configurations), sealed))
			return there
		}},
	} {
		for key, err := range k.Archives.Keys(ctx, of.prefix) {
			if err != nil {
				return fmt.Errorf("look for archives without an owner: %w", err)
			}
			if of.owned(key) {
				continue
			}
			if more, err := k.file(ctx, k.Archives, of.kind, key, max(k.Keep, youngest), tell); !more || err != nil {
				return err
			}
		}
	}
	return nil
}
