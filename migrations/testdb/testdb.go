// Package testdb gives tests a migrated platform on a real Postgres: a control database
// and a cell that all tests of a process share, and for each test as many stores of its
// own as it asks for.
package testdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// Platform is a migrated control database with one cell.
type Platform struct {
	DB     *postgres.DB
	Runner *migrations.Runner
	Ring   *secrets.Ring
	Keys   secrets.Redacted // what Ring was read from, for processes that a test starts
	Config postgres.Config
	Cell   string
}

var shared struct {
	sync.Mutex
	platform *Platform
}

// Open is the platform that the tests of this process share.
func Open(t testing.TB) *Platform {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.platform == nil {
		shared.platform = New(t, fmt.Sprintf("t%d%d", os.Getpid()%100000, time.Now().UnixNano()%10000), 1)
	}
	return shared.platform
}

// New makes a platform of its own, whose cells are called name, name2, …; most tests share
// one by Open.
func New(t testing.TB, name string, cells int) *Platform {
	t.Helper()
	admin := testenv.Postgres(t)
	key, err := secrets.NewKey("test")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := secrets.ParseRing(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	config := postgres.Config{Control: createDatabase(t, admin, name+"_control"), Cells: map[string]string{}, Sealer: ring, LoginConns: 6, AdminConns: 6}
	for i := range cells {
		cell := name
		if i > 0 {
			cell = fmt.Sprintf("%s%d", name, i+1)
		}
		config.Cells[cell] = createDatabase(t, admin, cell+"_cell")
	}
	db, err := postgres.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	runner := migrations.New(db, slog.New(slog.NewTextHandler(io.Discard, nil)))
	runner.Logins = 2
	runner.MaxStores = 100_000
	db.OnEnter(runner.Enter)
	if err := runner.Platform(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &Platform{DB: db, Runner: runner, Ring: ring, Keys: key, Config: config, Cell: name}
}

func createDatabase(t testing.TB, admin, name string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, fmt.Sprintf(`create database "%s"`, name)); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Store makes a store, known to the control database and with its settings (EUR and USD,
// Germany, prices with tax), and returns a context inside its live side in which the system
// acts.
func (p *Platform) Store(t testing.TB) context.Context {
	t.Helper()
	id := ids.New("sto")
	live := p.take(t, id, principal.Live)
	address := "shop-" + id[len(id)-12:]
	err := p.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into stores (id, name, address, skeleton, plan, country, currency, cell, live_schema)
			values ($1, 'Test Store', $2, $2, 'scale', 'DE', 'EUR', $3, $4)`, id, address, p.Cell, live.Schema)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.furnish(t, live)
	ctx := principal.With(context.Background(), principal.Principal{Kind: principal.System, Label: "test", StoreID: id, Mode: principal.Live, RequestID: ids.New("req")})
	return postgres.WithStore(ctx, live)
}

// furnish gives a side of a store its settings.
func (p *Platform) furnish(t testing.TB, side postgres.StoreRef) {
	t.Helper()
	err := p.DB.InStore(postgres.WithStore(t.Context(), side), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into settings (id, name, contact_email, country, currency, currencies)
			values (1, 'Test Store', 'owner@example.com', 'DE', 'EUR', '{EUR,USD}')`)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into locations (id, name) values ($1, 'Warehouse')`, ids.New("loc"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// take makes a schema for a side of a store and takes it. A store that is born at this
// moment may be quicker to take it, and then another is made.
func (p *Platform) take(t testing.TB, id string, mode principal.Mode) postgres.StoreRef {
	t.Helper()
	for {
		ref, err := p.Runner.Make(t.Context(), p.Cell)
		if err != nil {
			t.Fatal(err)
		}
		taken := false
		err = p.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			tag, err := tx.Exec(ctx, `update schemas set state = 'taken', store_id = $2, mode = $3, taken_at = now() where number = $1 and state = 'ready'`, ref.Schema, id, string(mode))
			taken = tag.RowsAffected() == 1
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if taken {
			ref.ID, ref.Mode = id, mode
			return ref
		}
	}
}

// Sandbox is the same store's test side, which is made when it is first asked for.
func (p *Platform) Sandbox(t testing.TB, ctx context.Context) context.Context {
	t.Helper()
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		t.Fatal("no store in the context")
	}
	ref.Mode = principal.Test
	err := p.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select number, login from schemas where store_id = $1 and mode = 'test'`, ref.ID).Scan(&ref.Schema, &ref.Login)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		ref = p.take(t, ref.ID, principal.Test)
		p.furnish(t, ref)
		err = p.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `update stores set test_schema = $2 where id = $1`, ref.ID, ref.Schema)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	who := principal.From(ctx)
	who.Mode = principal.Test
	return postgres.WithStore(principal.With(ctx, who), ref)
}
