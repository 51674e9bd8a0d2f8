package keeping

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// archived is until when the log of all databases is known to be in the repository: the
// oldest of their clusters' last segments. Zero where one has archived nothing yet.
func (k *Keeper) archived(ctx context.Context) (oldest time.Time, err error) {
	for _, stanza := range k.Clusters() {
		var last *time.Time
		err := enter(ctx, k.DB, k.in(stanza)[0], func(ctx context.Context, tx *postgres.Tx) error {
			// While nothing but a segment's head was written since the last one, nothing is missing.
			return tx.QueryRow(ctx, `select case when pg_walfile_name(pg_current_wal_insert_lsn() - 100) <= left(last_archived_wal, 24) then now() else last_archived_time end
				from pg_stat_archiver`).Scan(&last)
		})
		if err != nil {
			return time.Time{}, fmt.Errorf("ask %s what is archived: %w", stanza, err)
		}
		if last == nil {
			return time.Time{}, nil
		}
		if oldest.IsZero() || last.Before(oldest) {
			oldest = *last
		}
	}
	return oldest, nil
}

// Catalogues has Postgres take up the room that dead rows of its catalogues leave, where
// they are many: thousands of schemas that come and go are rows there. Postgres does so by
// itself as a table grows by a fifth; a catalogue of a million rows has grown a good deal
// by then. It gives how many tables were vacuumed.
func (k *Keeper) Catalogues(ctx context.Context) (n int, err error) {
	for _, name := range append([]string{control}, k.DB.Cells()...) {
		done, err := k.vacuum(ctx, name)
		n += done
		if err != nil {
			return n, fmt.Errorf("vacuum the catalogues of %s: %w", name, err)
		}
	}
	return n, nil
}

const selectBloated = `
select quote_ident(schemaname) || '.' || quote_ident(relname) from pg_stat_all_tables s
where schemaname = 'pg_catalog' and n_dead_tup > 10000 and n_dead_tup > n_live_tup / 20
	and not (select relisshared from pg_class c where c.oid = s.relid) -- those are the server's, whose superuser alone may
order by n_dead_tup desc limit 10`

func (k *Keeper) vacuum(ctx context.Context, name string) (n int, err error) {
	connect := k.DB.ControlConfig
	if name != control {
		connect = func() (*pgx.ConnConfig, error) { return k.DB.CellConfig(name) }
	}
	config, err := connect()
	if err != nil {
		return 0, err
	}
	conn, err := pgx.ConnectConfig(ctx, config) // a vacuum can be in no transaction
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	rows, err := conn.Query(ctx, selectBloated)
	if err != nil {
		return 0, err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, err
	}
	for _, table := range tables {
		if _, err := conn.Exec(ctx, `vacuum (analyze, skip_locked) `+table); err != nil {
			return n, fmt.Errorf("%s: %w", table, err)
		}
		n++
	}
	return n, nil
}

// Rotation says how many values are sealed under another key than the newest of the ring,
// as far as the control database knows, and which operators' keys expire within a month.
type Rotation struct {
	OlderKeys int      // logins' passwords, platform's secrets and certificates that are sealed under an older key
	Expiring  []string // names of operators' keys
}

// Due reads what wants to be rotated.
func (k *Keeper) Due(ctx context.Context) (r Rotation, err error) {
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select password_sealed from cell_logins union all select sealed from platform_secrets union all select key_sealed from certificates`)
		if err != nil {
			return err
		}
		var value []byte
		_, err = pgx.ForEachRow(rows, []any{&value}, func() error {
			if k.Ring.NeedsRotation(value) {
				r.OlderKeys++
			}
			return nil
		})
		if err != nil {
			return err
		}
		rows, err = tx.Query(ctx, `select name from operator_keys where revoked_at is null and expires_at between now() and now() + interval '30 days' order by name`)
		if err != nil {
			return err
		}
		r.Expiring, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return r, fmt.Errorf("look what is to be rotated: %w", err)
	}
	return r, nil
}
