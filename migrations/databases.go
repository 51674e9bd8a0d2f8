package migrations

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Where the queues keep their own tables: in each cell, and in the control database, which
// may be the same database.
const (
	RiverSchema        = "river"
	ControlRiverSchema = "river_control"
)

// migrationLock keeps two programs from migrating one database at once.
const migrationLock = 7620148231

// Platform brings the control database and all cells up to date and enters cells that
// are new. Stores' schemas are not touched; see Stores.
func (r *Runner) Platform(ctx context.Context) error {
	if err := r.Control(ctx); err != nil {
		return err
	}
	for _, name := range r.DB.Cells() {
		if err := r.Cell(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Control brings the control database up to date.
func (r *Runner) Control(ctx context.Context) error {
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `create schema if not exists `+ControlRiverSchema); err != nil {
			return err
		}
		return apply(ctx, tx, "public.schema_migrations", steps("control"))
	})
	if err == nil {
		err = r.river(ctx, ControlRiverSchema, r.DB.ControlConfig)
	}
	if err != nil {
		return fmt.Errorf("migrate the control database: %w", err)
	}
	return nil
}

// apply runs what is missing of a database's migrations within one transaction.
func apply(ctx context.Context, tx *postgres.Tx, table string, list []Step) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf(
		`create table if not exists %s (version int primary key, name text not null, at timestamptz not null default now())`, table)); err != nil {
		return err
	}
	var version int
	if err := tx.QueryRow(ctx, fmt.Sprintf(`select coalesce(max(version), 0) from %s`, table)).Scan(&version); err != nil {
		return err
	}
	for i := version; i < len(list); i++ {
		if _, err := tx.Exec(ctx, list[i].SQL); err != nil {
			return fmt.Errorf("%s: %w", list[i].Name, err)
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf(`insert into %s (version, name) values ($1, $2)`, table), i+1, list[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// prepareCell makes the roles and schemas that a cell's own tables need. Roles belong to
// the server: another cell there may be making the same ones at this moment.
const prepareCell = `
do $$ begin
	create role ` + postgres.OwnerRole + ` nologin;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
	create role ` + postgres.StoreRole + ` nologin;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
	if not (select rolsuper from pg_roles where rolname = current_user)
		and not pg_has_role(current_user, '` + postgres.OwnerRole + `', 'member') then
		execute format('grant ` + postgres.OwnerRole + ` to %I', current_user);
	end if;
end $$;
create schema if not exists ext;
create extension if not exists pg_trgm schema ext;
create extension if not exists unaccent schema ext;
create schema if not exists cell;
create schema if not exists ` + RiverSchema + `;
revoke all on schema public from public;
grant usage on schema ext to ` + postgres.OwnerRole + `;
do $$ begin
	execute format('grant create on database %I to ` + postgres.OwnerRole + `', current_database());
end $$;`

// Cell brings a cell's own tables, its queue and its logins up to date.
func (r *Runner) Cell(ctx context.Context, name string) error {
	if err := r.cell(ctx, name); err != nil {
		return fmt.Errorf("migrate cell %s: %w", name, err)
	}
	return nil
}

func (r *Runner) cell(ctx context.Context, name string) error {
	err := r.DB.InCell(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, prepareCell); err != nil {
			return err
		}
		return apply(ctx, tx, "cell.schema_migrations", steps("cell"))
	})
	if err != nil {
		return err
	}
	config := func() (*pgx.ConnConfig, error) { return r.DB.CellConfig(name) }
	if err := r.river(ctx, RiverSchema, config); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	passwords, err := r.loginPasswords(ctx, name)
	if err != nil {
		return fmt.Errorf("logins: %w", err)
	}
	return r.DB.InCell(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		for number, password := range passwords {
			if err := ensureLogin(ctx, tx, postgres.LoginName(name, number), password); err != nil {
				return err
			}
		}
		return nil
	})
}

// loginPasswords enters the cell in the control database and gives the passwords of its
// logins, making those that are missing.
func (r *Runner) loginPasswords(ctx context.Context, cell string) (map[int]string, error) {
	passwords := map[int]string{}
	err := r.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into cells (name, max_stores) values ($1, $2) on conflict do nothing`, cell, r.MaxStores); err != nil {
			return err
		}
		for number := 1; number <= r.Logins; number++ {
			plain, sealed, err := r.DB.NewLoginPassword(cell, number)
			if err != nil {
				return err
			}
			tag, err := tx.Exec(ctx, `insert into cell_logins (cell, login, password_sealed) values ($1, $2, $3) on conflict do nothing`, cell, number, sealed)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 1 {
				passwords[number] = plain
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// A login whose password is known already may still be missing on the server, when an
	// earlier run ended in between.
	for number := 1; number <= r.Logins; number++ {
		if passwords[number] == "" {
			if passwords[number], err = r.DB.LoginPassword(ctx, cell, number); err != nil {
				return nil, err
			}
		}
	}
	return passwords, nil
}

// ensureLogin makes a login that may take the roles it is a member of and inherits
// nothing from them. No store's statement is spread over several processors, of which others
// would then have fewer: to begin that takes longer than most statements.
func ensureLogin(ctx context.Context, tx *postgres.Tx, name, password string) error {
	_, err := tx.Exec(ctx, fmt.Sprintf(`
		do $$ begin
			if not exists (select 1 from pg_roles where rolname = '%[1]s') then
				create role "%[1]s" login noinherit;
			end if;
		end $$;
		alter role "%[1]s" login noinherit password '%[2]s';
		alter role "%[1]s" set statement_timeout = '15s';
		alter role "%[1]s" set idle_in_transaction_session_timeout = '30s';
		alter role "%[1]s" set lock_timeout = '10s';
		alter role "%[1]s" set max_parallel_workers_per_gather = 0;`, name, password))
	return err
}

// river brings the queue's tables up to date by the queue's own migrations.
func (r *Runner) river(ctx context.Context, schema string, configure func() (*pgx.ConnConfig, error)) error {
	config, err := configure()
	if err != nil {
		return err
	}
	poolConfig, err := pgxpool.ParseConfig("")
	if err != nil {
		return err
	}
	poolConfig.ConnConfig = config
	poolConfig.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
