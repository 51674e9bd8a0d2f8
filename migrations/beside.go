package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Beside makes a schema beside the one that a side of a store lies in, in its cell, with
// tables of an earlier version, for what is restored. Once it is filled, Store brings it up
// to date.
func (r *Runner) Beside(ctx context.Context, of postgres.StoreRef, version int) (postgres.StoreRef, error) {
	if version < 1 || version > len(r.store) {
		return postgres.StoreRef{}, fmt.Errorf("tables of version %d: this program knows those up to %d", version, len(r.store))
	}
	earlier := &Runner{DB: r.DB, Logins: r.Logins, MaxStores: r.MaxStores, Log: r.Log, store: r.store[:version]}
	ref, err := earlier.make(ctx, of.Cell, false, `update schemas set state = 'beside', store_id = $2, mode = $3 where number = $1 and state = 'making'`, of.ID, string(of.Mode))
	ref.ID, ref.Mode = of.ID, of.Mode
	return ref, err
}

// Swap has the schema of a side of a store and one beside it change places, in one
// transaction of their cell: what lay in the one lies in the other. The store keeps its
// schema's number and its role, so that nothing elsewhere has to know. within is done in
// the same transaction while nobody else reads or writes either, with the names as they
// were before; it may be nil.
//
// Whoever is at work in the store is waited for, and whoever comes meanwhile waits, half a
// second at a time as with migrations, and then finds the other tables.
func (r *Runner) Swap(ctx context.Context, living, beside postgres.StoreRef, within func(context.Context, *postgres.Tx) error) error {
	if living.Cell != beside.Cell || living.Schema == beside.Schema {
		return fmt.Errorf("schemas %d and %d cannot change places", living.Schema, beside.Schema)
	}
	var err error
	for attempt := range lockAttempts {
		err = r.DB.InCell(ctx, living.Cell, func(ctx context.Context, tx *postgres.Tx) error { return swap(ctx, tx, living, beside, within) })
		var answer *pgconn.PgError
		if !errors.As(err, &answer) || answer.Code != "55P03" && answer.Code != "40P01" { // lock_not_available, deadlock_detected
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(time.Duration(attempt+1)*100*time.Millisecond, time.Second)):
		}
	}
	if err != nil {
		return fmt.Errorf("swap schemas %d and %d: %w", living.Schema, beside.Schema, err)
	}
	return nil
}

func swap(ctx context.Context, tx *postgres.Tx, living, beside postgres.StoreRef, within func(context.Context, *postgres.Tx) error) error {
	var same bool
	err := tx.QueryRow(ctx, `select count(*) = 2 and count(distinct version) = 1 from cell.schema_versions where number in ($1, $2)`, living.Schema, beside.Schema).Scan(&same)
	if err != nil {
		return err
	}
	if !same {
		return errors.New("their tables are not of the same version: run stoa migrate")
	}
	a, b := postgres.SchemaName(living.Schema), postgres.SchemaName(beside.Schema)
	// One of the store's own transactions locks its tables in an order that is not known
	// here, so a deadlock may come of it; it is this side that ends, and comes back.
	tables, err := pgx.CollectRows(queryRows(tx.Query(ctx, `
		select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ($1, $2) and c.relkind = 'r' order by n.nspname, c.relname`, a, b)), pgx.RowTo[string])
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`set local lock_timeout = '%s'; set local role %s; lock table %s in access exclusive mode`,
		lockPatience, postgres.OwnerRole, strings.Join(tables, ", ")))
	if err != nil {
		return err
	}
	if within != nil {
		if err := within(ctx, tx); err != nil {
			return err
		}
	}
	roleA, roleB := postgres.RoleName(living.Cell, living.Schema), postgres.RoleName(beside.Cell, beside.Schema)
	text := fmt.Sprintf(`
		alter schema "%[1]s" rename to "%[1]s_swapping"; alter schema "%[2]s" rename to "%[1]s"; alter schema "%[1]s_swapping" rename to "%[2]s";`, a, b)
	for _, side := range []struct{ schema, former, role string }{{a, roleB, roleA}, {b, roleA, roleB}} {
		text += fmt.Sprintf(`
			revoke all on all tables in schema "%[1]s" from "%[2]s"; revoke all on all sequences in schema "%[1]s" from "%[2]s"; revoke all on schema "%[1]s" from "%[2]s";`,
			side.schema, side.former) + grants(side.schema, side.role)
	}
	_, err = tx.Exec(ctx, text)
	return err
}

// queryRows lets a query's error come up where its rows are read.
func queryRows(rows pgx.Rows, _ error) pgx.Rows { return rows }
