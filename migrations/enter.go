package migrations

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/singleflight"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const (
	// enterPatience bounds bringing one schema up to date before it is entered. Whoever
	// asked waits only as long as their own time allows.
	enterPatience = 5 * time.Minute
	// enterAgain is how long a schema that could not be brought up to date is left alone.
	enterAgain = 10 * time.Second
)

// entered is what a process knows of schemas' versions. A version only grows, so what was
// found up to date stays so.
type entered struct {
	current sync.Map // schema → true
	flight  singleflight.Group

	mu       sync.Mutex
	surveyed map[string]bool // cells whose versions were read all at once
	failed   map[schema]failed
}

type schema struct {
	cell   string
	number int64
}

type failed struct {
	err   error
	until time.Time
}

// Enter is asked before a store's schema is entered. The first time in a process it looks
// at the schema's version, and brings a schema up to date that no migration has come to
// yet: so a program serves all stores while the migration to its version is under way,
// and those that a program before it makes meanwhile. A schema of a later version is
// entered as it is. One that cannot be brought up to date answers 503, to this program
// alone, and is tried again after a while.
func (r *Runner) Enter(ctx context.Context, ref postgres.StoreRef) error {
	key := schema{ref.Cell, ref.Schema}
	if _, known := r.entered.current.Load(key); known {
		return nil
	}
	// Many may ask for the same store at once, and who asked first may go away.
	result := r.entered.flight.DoChan(fmt.Sprintf("%s/%d", key.cell, key.number), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enterPatience)
		defer cancel()
		return nil, r.enter(postgres.Uncounted(ctx), ref, key)
	})
	select {
	case done := <-result:
		return done.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Runner) enter(ctx context.Context, ref postgres.StoreRef, key schema) error {
	_, err, _ := r.entered.flight.Do(ref.Cell, func() (any, error) { return nil, r.survey(ctx, ref.Cell) })
	if err != nil {
		return err
	}
	if _, known := r.entered.current.Load(key); known {
		return nil
	}
	version, err := r.version(ctx, ref)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return nil // there is no such schema, as entering it will say
	case err != nil:
		return err
	case version < len(r.store):
		if err := r.late(ctx, ref, key, version); err != nil {
			return err
		}
	}
	r.entered.current.Store(key, true)
	return nil
}

// survey marks what is up to date in a cell by one statement, so that a process that
// starts does not ask for each store.
func (r *Runner) survey(ctx context.Context, cell string) error {
	r.entered.mu.Lock()
	done := r.entered.surveyed[cell]
	r.entered.mu.Unlock()
	if done {
		return nil
	}
	err := r.DB.InCell(ctx, cell, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select number from cell.schema_versions where version >= $1`, len(r.store))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			key := schema{cell: cell}
			if err := rows.Scan(&key.number); err != nil {
				return err
			}
			r.entered.current.Store(key, true)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("versions in cell %s: %w", cell, err)
	}
	r.entered.mu.Lock()
	defer r.entered.mu.Unlock()
	if r.entered.surveyed == nil {
		r.entered.surveyed = map[string]bool{}
	}
	r.entered.surveyed[cell] = true
	return nil
}

func (r *Runner) version(ctx context.Context, ref postgres.StoreRef) (version int, err error) {
	err = r.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select version from cell.schema_versions where number = $1`, ref.Schema).Scan(&version)
	})
	if err != nil {
		return 0, fmt.Errorf("version of schema %d of cell %s: %w", ref.Schema, ref.Cell, err)
	}
	return version, nil
}

// late brings a schema up to date that somebody is waiting for.
func (r *Runner) late(ctx context.Context, ref postgres.StoreRef, key schema, version int) error {
	r.entered.mu.Lock()
	last := r.entered.failed[key]
	r.entered.mu.Unlock()
	if time.Now().Before(last.until) {
		return last.err
	}
	r.Log.InfoContext(ctx, "a store is migrated before it is entered", "cell", ref.Cell, "schema", ref.Schema, "version", version, "wanted", len(r.store))
	err := r.Store(ctx, ref)
	r.entered.mu.Lock()
	defer r.entered.mu.Unlock()
	if err == nil {
		delete(r.entered.failed, key)
		return nil
	}
	r.Log.ErrorContext(ctx, "a store cannot be served by this version of the program", "cell", ref.Cell, "schema", ref.Schema, "error", err)
	p := problem.New(problem.Unavailable, "store_unavailable", "The store cannot be reached at the moment. Try again shortly.").Because(err)
	p.RetryAfter = enterAgain
	if r.entered.failed == nil {
		r.entered.failed = map[schema]failed{}
	}
	r.entered.failed[key] = failed{p, time.Now().Add(enterAgain)}
	return p
}

// ErrNone says that a database has no tables at all yet.
var ErrNone = errors.New("the database is not migrated yet: run stoa migrate")

// Check says whether the control database and a cell, unless it is empty, are at this
// program's version or a later one. Of one that was never migrated the error is ErrNone.
func (r *Runner) Check(ctx context.Context, cell string) error {
	in, table, want := r.DB.InControl, "public.schema_migrations", len(steps("control"))
	if cell != "" {
		in = func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
			return r.DB.InCell(ctx, cell, fn)
		}
		table, want = "cell.schema_migrations", len(steps("cell"))
	}
	var have int
	err := in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select coalesce(max(version), 0) from `+table).Scan(&have)
	})
	var answer *pgconn.PgError
	if err != nil && !(errors.As(err, &answer) && answer.Code == "42P01") { // undefined_table: nothing was migrated yet
		return err
	}
	if have == 0 {
		return ErrNone
	}
	if have < want {
		return fmt.Errorf("its tables are at version %d, and this program needs %d: run stoa migrate", have, want)
	}
	return nil
}
