package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// ErrFull is returned when a cell takes no more schemas.
var ErrFull = errors.New("the cell takes no more stores")

// Make makes one schema in a cell, ready for a store to take it. A program that dies in
// between leaves an entry that Sweep clears away.
func (r *Runner) Make(ctx context.Context, cell string) (postgres.StoreRef, error) {
	ref, err := r.make(ctx, cell, true, `update schemas set state = 'ready' where number = $1 and state = 'making'`)
	if err == nil {
		r.entered.current.Store(schema{cell, ref.Schema}, true)
	}
	return ref, err
}

// make makes one schema and, when it is complete, has finish say what it is for: a statement
// on the control database whose $1 is its number. A bounded one needs room in its cell.
func (r *Runner) make(ctx context.Context, cell string, bounded bool, finish string, args ...any) (postgres.StoreRef, error) {
	ref := postgres.StoreRef{Cell: cell}
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var open bool
		var most, have int
		if err := tx.QueryRow(ctx, `select open, max_stores from cells where name = $1 for update`, cell).Scan(&open, &most); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select count(*) from schemas where cell = $1 and state <> 'retired'`, cell).Scan(&have); err != nil {
			return err
		}
		if bounded && (!open || have >= most) {
			return ErrFull
		}
		return tx.QueryRow(ctx, `
			insert into schemas (cell, login)
			select $1, (select l.login from cell_logins l left join schemas s on s.cell = l.cell and s.login = l.login and s.state <> 'retired'
				where l.cell = $1 group by l.login order by count(s.number), l.login limit 1)
			returning number, login`, cell).Scan(&ref.Schema, &ref.Login)
	})
	if err != nil {
		return ref, fmt.Errorf("make a schema in cell %s: %w", cell, err)
	}
	if err := r.build(ctx, ref); err != nil {
		return ref, fmt.Errorf("make schema %d in cell %s: %w", ref.Schema, cell, err)
	}
	err = r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, finish, append([]any{ref.Schema}, args...)...)
		return err
	})
	if err != nil {
		return ref, fmt.Errorf("make schema %d ready: %w", ref.Schema, err)
	}
	return ref, nil
}

// build makes role, schema and tables in one transaction.
func (r *Runner) build(ctx context.Context, ref postgres.StoreRef) error {
	role, schema := postgres.RoleName(ref.Cell, ref.Schema), postgres.SchemaName(ref.Schema)
	var text strings.Builder
	fmt.Fprintf(&text, `create role "%s" nologin; create schema "%s" authorization %s;`, role, schema, postgres.OwnerRole)
	fmt.Fprintf(&text, `set local role %s; set local search_path to "%s", ext;`, postgres.OwnerRole, schema)
	for _, s := range r.store {
		text.WriteString(s.SQL)
		text.WriteString(";\n")
	}
	text.WriteString(grants(schema, role))
	text.WriteString(`reset role; set local search_path to default;`)
	fmt.Fprintf(&text, `grant %s to "%s";`, postgres.StoreRole, role)
	return r.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, text.String()); err != nil {
			return err
		}
		if err := member(ctx, tx, role, postgres.LoginName(ref.Cell, ref.Login)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into cell.schema_versions (number, version) values ($1, $2)`, ref.Schema, len(r.store))
		return err
	})
}

// grants give a store's role the use of its tables, and no more. Tables that a later
// migration brings are not there yet.
func grants(schema, role string) string {
	var text strings.Builder
	fmt.Fprintf(&text, `grant usage on schema "%[1]s" to "%[2]s";
		grant select, insert, update, delete on all tables in schema "%[1]s" to "%[2]s";
		grant usage, select on all sequences in schema "%[1]s" to "%[2]s";`, schema, role)
	for _, table := range appendOnly {
		fmt.Fprintf(&text, `do $$ begin
			revoke update, delete on "%s"."%s" from "%s";
		exception when undefined_table then null; end $$;`, schema, table, role)
	}
	return text.String()
}

// member lets a login take a role without inheriting from it. Postgres 16 and later keep
// that with each membership, earlier ones with the login.
func member(ctx context.Context, tx *postgres.Tx, role, login string) error {
	var version int
	if err := tx.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return err
	}
	options := ""
	if version >= 160000 {
		options = " with inherit false, set true"
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(`grant "%s" to "%s"%s`, role, login, options))
	return err
}

// Drop unmakes a store's schema with its role and what the cell's own tables hold of it.
// It can be repeated.
func (r *Runner) Drop(ctx context.Context, ref postgres.StoreRef) error {
	role := postgres.RoleName(ref.Cell, ref.Schema)
	err := r.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, fmt.Sprintf(`
			drop schema if exists "%[1]s" cascade;
			delete from cell.schema_versions where number = %[3]d;
			delete from cell.outbox where store = '%[2]s';
			delete from cell.usage_deltas where store = '%[2]s';
			delete from cell.usage_days where store = '%[2]s';
			delete from cell.idempotency where store = '%[2]s';
			delete from cell.deliveries where store = '%[2]s';
			delete from cell.requests where store = '%[2]s';
			do $$ begin
				if exists (select 1 from pg_roles where rolname = '%[2]s') then
					drop owned by "%[2]s"; drop role "%[2]s";
				end if;
			end $$;`, postgres.SchemaName(ref.Schema), role, ref.Schema))
		return err
	})
	if err != nil {
		return fmt.Errorf("drop schema %d of cell %s: %w", ref.Schema, ref.Cell, err)
	}
	err = r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update schemas set state = 'retired' where number = $1`, ref.Schema)
		return err
	})
	if err != nil {
		return fmt.Errorf("retire schema %d: %w", ref.Schema, err)
	}
	return nil
}

// Sweep clears away schemas whose making was cut short more than an hour ago.
func (r *Runner) Sweep(ctx context.Context) (int, error) {
	var leftovers []postgres.StoreRef
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select cell, login, number from schemas where state = 'making' and created_at < now() - interval '1 hour'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var ref postgres.StoreRef
			if err := rows.Scan(&ref.Cell, &ref.Login, &ref.Schema); err != nil {
				return err
			}
			leftovers = append(leftovers, ref)
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("sweep schemas: %w", err)
	}
	// A cell that is down keeps its own leftovers, and nobody else's.
	dropped := 0
	var failed []error
	for _, ref := range leftovers {
		if err := r.Drop(ctx, ref); err != nil {
			failed = append(failed, err)
			continue
		}
		dropped++
	}
	return dropped, errors.Join(failed...)
}

// Progress is told after each schema: how many of all are done, and the error of this one.
type Progress func(done, total int, ref postgres.StoreRef, err error)

// Failure is a schema that could not be migrated.
type Failure struct {
	Ref postgres.StoreRef
	Err error
}

// Stores brings every store's schema up to date, workers of them at a time. A schema that
// fails is written down and passed over. What a killed run has done stays done: the next
// one goes on from there. Schemas that a program of the version before makes meanwhile
// are migrated too. Cells that cannot be reached are reported as an error after the
// others are done.
func (r *Runner) Stores(ctx context.Context, workers int, progress Progress) ([]Failure, error) {
	if progress == nil {
		progress = func(int, int, postgres.StoreRef, error) {}
	}
	all := &run{Runner: r, tried: map[schema]bool{}, progress: progress}
	for {
		behind, unreached := all.behind(ctx)
		if len(behind) == 0 {
			return all.failures, unreached
		}
		all.total += len(behind)
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(max(workers, 1))
		for _, ref := range behind {
			group.Go(func() error { return all.migrate(ctx, ref) })
		}
		if err := group.Wait(); err != nil {
			return all.failures, err
		}
	}
}

// run is one run over all stores.
type run struct {
	*Runner
	progress Progress

	tried       map[schema]bool
	mu          sync.Mutex
	done, total int
	failures    []Failure
}

// behind lists the schemas that are not up to date and were not tried yet, with the
// errors of the cells that could not be asked.
func (r *run) behind(ctx context.Context) (list []postgres.StoreRef, unreached error) {
	for _, cell := range r.DB.Cells() {
		refs, err := r.Runner.behind(ctx, cell)
		unreached = errors.Join(unreached, err)
		for _, ref := range refs {
			if key := (schema{cell, ref.Schema}); !r.tried[key] {
				r.tried[key] = true
				list = append(list, ref)
			}
		}
	}
	return list, unreached
}

func (r *run) migrate(ctx context.Context, ref postgres.StoreRef) error {
	err := r.Store(ctx, ref)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if err != nil {
		r.failures = append(r.failures, Failure{ref, err})
	}
	r.progress(r.done, r.total, ref, err)
	return nil
}

func (r *Runner) behind(ctx context.Context, cell string) ([]postgres.StoreRef, error) {
	var refs []postgres.StoreRef
	err := r.DB.InCell(ctx, cell, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select number from cell.schema_versions where version < $1 order by number`, len(r.store))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			ref := postgres.StoreRef{Cell: cell}
			if err := rows.Scan(&ref.Schema); err != nil {
				return err
			}
			refs = append(refs, ref)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("versions in cell %s: %w", cell, err)
	}
	return refs, nil
}

// Store brings one schema up to date, each step in a transaction of its own.
func (r *Runner) Store(ctx context.Context, ref postgres.StoreRef) error {
	for {
		more, err := r.stepBetweenTraffic(ctx, ref)
		if err != nil {
			err = fmt.Errorf("migrate schema %d of cell %s: %w", ref.Schema, ref.Cell, err)
			return errors.Join(err, r.noteFailure(ctx, ref, err))
		}
		if !more {
			return nil
		}
	}
}

// How long a migration waits for a table before it gives way, and how often it comes
// back. The wait is shorter than Postgres's deadlock_timeout of a second, so that of a
// deadlock with traffic it is always the migration that ends.
const (
	lockPatience = "500ms"
	lockAttempts = 20
)

// stepBetweenTraffic does a step in a moment in which nobody holds its tables. Whoever
// comes while the step waits for a lock waits behind it, so it does not wait long.
func (r *Runner) stepBetweenTraffic(ctx context.Context, ref postgres.StoreRef) (more bool, err error) {
	for attempt := range lockAttempts {
		more, err = r.step(ctx, ref)
		var answer *pgconn.PgError
		if !errors.As(err, &answer) || answer.Code != "55P03" && answer.Code != "40P01" { // lock_not_available, deadlock_detected
			return more, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(min(time.Duration(attempt+1)*100*time.Millisecond, time.Second)):
		}
	}
	return false, fmt.Errorf("its tables were in use at each of %d attempts: %w", lockAttempts, err)
}

func (r *Runner) step(ctx context.Context, ref postgres.StoreRef) (more bool, err error) {
	role, schema := postgres.RoleName(ref.Cell, ref.Schema), postgres.SchemaName(ref.Schema)
	err = r.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		var version int
		// The row's lock keeps a second runner from doing the same step.
		if err := tx.QueryRow(ctx, `select version from cell.schema_versions where number = $1 for update`, ref.Schema).Scan(&version); err != nil {
			return err
		}
		if version >= len(r.store) {
			return nil
		}
		next := r.store[version]
		text := fmt.Sprintf(`set local lock_timeout = "%s"; set local role %s; set local search_path to "%s", ext;`, lockPatience, postgres.OwnerRole, schema) +
			next.SQL + ";\n" + grants(schema, role) + `reset role;`
		if _, err := tx.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", next.Name, err)
		}
		_, err := tx.Exec(ctx, `update cell.schema_versions set version = $2, error = '', updated_at = now() where number = $1`, ref.Schema, version+1)
		more = version+1 < len(r.store)
		return err
	})
	return more, err
}

func (r *Runner) noteFailure(ctx context.Context, ref postgres.StoreRef, cause error) error {
	return r.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update cell.schema_versions set error = $2, updated_at = now() where number = $1`, ref.Schema, cause.Error())
		return err
	})
}
