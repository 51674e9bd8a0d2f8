package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const permissionDenied = "42501"

func TestOneStoreCannotReachAnother(t *testing.T) {
	p := testdb.Open(t)
	own, other := p.Store(t), p.Store(t)
	victim, _ := postgres.StoreFrom(other)
	schema := postgres.SchemaName(victim.Schema)

	var tables []string
	err := p.DB.InCell(own, p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select tablename from pg_tables where schemaname = $1`, schema)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			tables = append(tables, name)
		}
		return rows.Err()
	})
	if err != nil || len(tables) < 20 {
		t.Fatalf("tables of the other store: %d, %v", len(tables), err)
	}
	refused := func(statement string) {
		t.Helper()
		err := p.DB.InStore(own, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		})
		var answer *pgconn.PgError
		if !errors.As(err, &answer) || answer.Code != permissionDenied {
			t.Errorf("%s: got %v, want permission denied", statement, err)
		}
	}
	for _, table := range tables {
		name := schema + "." + table
		refused("select count(*) from " + name)
		refused("insert into " + name + " default values")
		refused("delete from " + name)
		refused("update " + name + " set id = id")
		refused("truncate " + name)
		refused("alter table " + name + " add column stolen text")
		refused("drop table " + name)
		refused("lock table " + name + " in access share mode")
	}
	refused("create table " + schema + ".planted (id int)")
	refused("create schema planted")
	refused("drop schema " + schema + " cascade")
	refused("select nextval('" + schema + ".order_numbers')")
	refused("select * from cell.outbox")
	refused("delete from cell.usage_deltas")
	refused("insert into river.river_job (kind) values ('x')")
	// DDL is refused on a store's own schema too.
	refused("create table planted (id int)")
	refused("alter table products add column planted text")
	refused("update audit_entries set action = ''")
	refused("delete from audit_entries")
}

func TestWithoutAStoreTheDoorStaysShut(t *testing.T) {
	p := testdb.Open(t)
	ctx := p.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	if err := p.DB.InStore(context.Background(), func(context.Context, *postgres.Tx) error { return nil }); !errors.Is(err, postgres.ErrNoStore) {
		t.Fatalf("InStore without a store: %v", err)
	}
	if _, err := p.DB.JSON(context.Background(), `select 1`); !errors.Is(err, postgres.ErrNoStore) {
		t.Fatalf("JSON without a store: %v", err)
	}
	// The login itself, without having taken a role, may do nothing.
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, "reset role"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf("select count(*) from %s.products", postgres.SchemaName(ref.Schema)))
		return err
	})
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.Code != permissionDenied {
		t.Fatalf("the bare login read a store: %v", err)
	}
	// JSON only reads.
	if _, err := p.DB.JSON(ctx, `delete from products returning id`); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("JSON wrote: %v", err)
	}
	// Idempotency answers and deliveries of others are invisible in the shared tables.
	other := p.Store(t)
	if err := p.DB.InStore(other, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into cell.idempotency (scope, fingerprint, state) values ('\x01', '\x02', 'done')`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	seen, err := p.DB.JSON(ctx, `select to_json(count(*)) from cell.idempotency`)
	if err != nil || string(seen) != "0" {
		t.Fatalf("another store's idempotency is seen: %s, %v", seen, err)
	}
	err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into cell.outbox (store, kind, args) values ('someone', 'x', '{}')`)
		return err
	})
	if !errors.As(err, &answer) || answer.Code != "23514" {
		t.Fatalf("a job in another store's name: %v", err)
	}
}

// Fifty stores share two connections, with errors, cancellations and panics in between:
// every read must be of the store that asked.
// What the server cancels while a request goes on is to be asked for again.
func TestAStatementThatTheServerCancels(t *testing.T) {
	p := testdb.Open(t)
	store := p.Store(t)
	cancel := func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `select pg_cancel_backend(pg_backend_pid()), pg_sleep(10)`)
		if err != nil {
			return fmt.Errorf("create a cart: %w", err)
		}
		return nil
	}
	if err := p.DB.InControl(store, cancel); !problem.Is(err, "store_unavailable") {
		t.Errorf("cancelled: %v", err)
	}
	over, end := context.WithTimeout(store, 50*time.Millisecond)
	defer end()
	err := p.DB.InStore(over, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `select pg_sleep(10)`)
		return err
	})
	if !problem.Is(err, "deadline_exceeded") {
		t.Errorf("a request whose time is over: %v", err)
	}
}

func TestInterleavedStoresNeverMeet(t *testing.T) {
	shared := testdb.Open(t)
	config := shared.Config
	config.LoginConns = 1 // the runner made two logins: two connections in all
	db, err := postgres.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	const stores, reads, workers = 50, 20_000, 8
	contexts := make([]context.Context, stores)
	for i := range contexts {
		contexts[i] = shared.Store(t)
		err := shared.DB.InStore(contexts[i], func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `update settings set name = $1`, fmt.Sprintf("store %d", i))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	errBoom := errors.New("boom")
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[string]int{}
	for w := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 7))
			local := map[string]int{}
			for range reads / workers {
				i := random.IntN(stores)
				want := fmt.Sprintf("store %d", i)
				ctx, cancel := context.WithCancel(contexts[i])
				var got string
				var err error
				switch kind := random.IntN(100); {
				case kind < 45:
					var raw []byte
					raw, err = db.JSON(ctx, `select name from settings`)
					got = string(raw)
				case kind < 85:
					err = db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
						return tx.QueryRow(ctx, `select name from settings`).Scan(&got)
					})
				case kind < 90:
					err = db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
						if err := tx.Bun.NewRaw(`select name from settings`).Scan(ctx, &got); err != nil {
							return err
						}
						return errBoom
					})
					if errors.Is(err, errBoom) {
						err = nil
						local["errors"]++
					}
				case kind < 95:
					func() {
						defer func() {
							if recover() != nil {
								local["panics"]++
							}
						}()
						_ = db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
							if err := tx.QueryRow(ctx, `select name from settings`).Scan(&got); err != nil {
								return err
							}
							panic("in the middle")
						})
					}()
				default:
					time.AfterFunc(time.Duration(random.IntN(400))*time.Microsecond, cancel)
					err = db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
						return tx.QueryRow(ctx, `select name from settings where pg_sleep(0.0002) is not null`).Scan(&got)
					})
					if err != nil && ctx.Err() != nil {
						err, got = nil, want
						local["cancelled"]++
					}
				}
				cancel()
				if err != nil {
					t.Errorf("%s: %v", want, err)
					return
				}
				if got != want {
					t.Errorf("asked as %s, read %q", want, got)
					return
				}
				local["reads"]++
			}
			mu.Lock()
			defer mu.Unlock()
			for k, v := range local {
				counts[k] += v
			}
		})
	}
	wg.Wait()
	if counts["reads"] != reads || counts["panics"] == 0 || counts["errors"] == 0 || counts["cancelled"] == 0 {
		t.Fatalf("not all was tried: %v", counts)
	}
}

// TestLoginsInheritNothing is what keeps a connection shut on which no store was entered. An
// ordinary member would read every store: the last part shows that this test would see it.
func TestLoginsInheritNothing(t *testing.T) {
	p := testdb.Open(t)
	ref, _ := postgres.StoreFrom(p.Store(t))
	config, err := p.DB.CellConfig(p.Cell)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.Background()) }()
	var version, logins, inheriting int
	if err := admin.QueryRow(t.Context(), `select current_setting('server_version_num')::int, count(*), count(*) filter (where rolinherit) from pg_roles where rolname like $1 || '\_login\_%'`, p.Cell).
		Scan(&version, &logins, &inheriting); err != nil {
		t.Fatal(err)
	}
	if logins < 2 || inheriting > 0 {
		t.Errorf("of %d logins %d inherit", logins, inheriting)
	}
	if version >= 160000 {
		var memberships int
		if err := admin.QueryRow(t.Context(), `select count(*) from pg_auth_members m where m.member::regrole::text like $1 || '\_login\_%' and (m.inherit_option or not m.set_option)`, p.Cell).Scan(&memberships); err != nil {
			t.Fatal(err)
		}
		if memberships > 0 {
			t.Errorf("%d memberships inherit", memberships)
		}
	}
	config = config.Copy()
	config.User = postgres.LoginName(p.Cell, ref.Login)
	if config.Password, err = p.DB.LoginPassword(t.Context(), p.Cell, ref.Login); err != nil {
		t.Fatal(err)
	}
	login, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = login.Close(context.Background()) }()
	read := fmt.Sprintf(`select count(*) from %s.products`, postgres.SchemaName(ref.Schema))
	var answer *pgconn.PgError
	if _, err := login.Exec(t.Context(), read); !errors.As(err, &answer) || answer.Code != permissionDenied {
		t.Errorf("a login that took no role: %v", err)
	}
	if _, err := login.Exec(t.Context(), fmt.Sprintf(`begin; set local role %q; %s; commit`, postgres.RoleName(ref.Cell, ref.Schema), read)); err != nil {
		t.Errorf("a login that took the role: %v", err)
	}
	ordinary := p.Cell + "_ordinary"
	if _, err := admin.Exec(t.Context(), fmt.Sprintf(`create role %[1]q inherit; grant %[2]q to %[1]q; set role %[1]q; %[3]s; reset role; drop role %[1]q`, ordinary, postgres.RoleName(ref.Cell, ref.Schema), read)); err != nil {
		t.Errorf("an ordinary member: %v", err)
	}
}

// TestAStoreHasFewTables bounds what each store costs in Postgres's own catalogues: a
// database bears a thousand stores only while they are small.
func TestAStoreHasFewTables(t *testing.T) {
	p := testdb.Open(t)
	ref, _ := postgres.StoreFrom(p.Store(t))
	var tables, relations int
	err := p.DB.InCell(t.Context(), p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) filter (where relkind in ('r', 'p', 'v', 'm', 'f')), count(*) from pg_class where relnamespace = $1::regnamespace`, postgres.SchemaName(ref.Schema)).Scan(&tables, &relations)
	})
	if err != nil {
		t.Fatal(err)
	}
	if tables < 20 || tables > 60 {
		t.Errorf("a store has %d tables; it should have no more than 60", tables)
	}
	t.Logf("%d tables, %d relations", tables, relations)
}
