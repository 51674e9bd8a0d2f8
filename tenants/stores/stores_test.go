package stores_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

var quiet = slog.New(slog.DiscardHandler)

// house is a service on the platform that the tests share.
type house struct {
	*stores.Service
	*testdb.Platform
	client *redis.Client
}

func open(t testing.TB, change ...func(*stores.Config)) *house {
	t.Helper()
	return openOn(t, testdb.Open(t), redistest.Client(t), change...)
}

func openOn(t testing.TB, p *testdb.Platform, client *redis.Client, change ...func(*stores.Config)) *house {
	t.Helper()
	bus := redis.OpenBus(client)
	t.Cleanup(bus.Close)
	if err := bus.WaitAlive(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet}
	for _, c := range change {
		c(&config)
	}
	return &house{stores.New(config), p, client}
}

// account inserts an account.
func (h *house) account(t testing.TB, verified bool) (id, email string) {
	t.Helper()
	id = ids.New("acc")
	email = id + "@example.com"
	h.control(t, `insert into accounts (id, email, password_hash, email_verified_at) values ($1, $2, '', case when $3 then now() end)`, id, email, verified)
	return id, email
}

func (h *house) control(t testing.TB, statement string, args ...any) {
	t.Helper()
	err := h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// count is what a statement on the control database counts.
func (h *house) count(t testing.TB, statement string, args ...any) (n int) {
	t.Helper()
	err := h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, statement, args...).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// step runs one of the service's steps in a transaction of its own.
func (h *house) step(t testing.TB, fn func(context.Context, *postgres.Tx) (stores.Record, error)) (rec stores.Record, err error) {
	t.Helper()
	err = h.DB.InControl(operator(t.Context()), func(ctx context.Context, tx *postgres.Tx) error {
		rec, err = fn(ctx, tx)
		return err
	})
	return rec, err
}

func operator(ctx context.Context) context.Context {
	return principal.With(ctx, principal.Principal{Kind: principal.Operator, ID: ids.New("opk"), Label: "on call"})
}

// address is one that no other test has.
func address() string {
	letters := strings.NewReplacer("0", "", "1", "", "i", "", "l", "", "m", "", "w", "", "n", "", "v", "", "_", "").Replace(ids.New("x"))
	return "x" + letters[len(letters)-13:]
}

func birth(at string) stores.Birth {
	return stores.Birth{Name: "Linen & Co", Address: at, Country: "DE", Currency: "EUR", ContactEmail: "hello@example.com"}
}

// born gives birth to a store.
func (h *house) born(t testing.TB, in stores.Birth) stores.Record {
	t.Helper()
	owner, _ := h.account(t, true)
	p, err := h.Prepare(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) { return h.Enter(ctx, tx, p, owner) })
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// inside is a context within a side of a store.
func (h *house) inside(t testing.TB, id string, mode principal.Mode) context.Context {
	t.Helper()
	store, err := h.ByID(t.Context(), id, mode)
	if err != nil {
		t.Fatal(err)
	}
	return postgres.WithStore(t.Context(), store.Ref)
}

func wantProblem(t testing.TB, err error, code string) {
	t.Helper()
	if !problem.Is(err, code) {
		t.Fatalf("got %v, want the problem %s", err, code)
	}
}

func TestBirth(t *testing.T) {
	h := open(t)
	owner, email := h.account(t, false)
	at := address()
	if _, err := h.ByAddress(t.Context(), at); !problem.Is(err, "not_found") {
		t.Fatalf("before its birth: %v", err)
	}
	p, err := h.Prepare(t.Context(), birth(at))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Get(t.Context(), p.ID); !problem.Is(err, "not_found") {
		t.Fatalf("a prepared store shows: %v", err)
	}
	rec, err := h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) { return h.Enter(ctx, tx, p, owner) })
	if err != nil {
		t.Fatal(err)
	}
	if rec.Address != at || rec.Name != "Linen & Co" || rec.Status != tenants.Active || rec.Plan != "free" || rec.OwnerEmail != email || rec.OwnerVerified || rec.HasSandbox || rec.Cell != h.Cell {
		t.Errorf("born as %+v", rec)
	}
	store, err := h.ByAddress(t.Context(), at)
	if err != nil || store.ID != p.ID || store.Ref != p.Ref() || store.OwnerVerified {
		t.Fatalf("by its address: %+v, %v", store, err)
	}
	ctx := h.inside(t, p.ID, principal.Live)
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		settings, err := h.Settings(ctx, tx)
		if err != nil {
			return err
		}
		if settings.Name != "Linen & Co" || settings.Currency != "EUR" || fmt.Sprint(settings.Currencies) != "[EUR]" || !settings.PricesIncludeTax || settings.ContactEmail != "hello@example.com" {
			t.Errorf("settings %+v", settings)
		}
		var shipping, tax, rate int
		err = tx.QueryRow(ctx, `select (prices->'EUR'->>'amount')::int, (select count(*) from tax_rates), (select rate / 100 from tax_rates where country = 'DE') from shipping_methods`).Scan(&shipping, &tax, &rate)
		if err != nil || shipping != 500 || tax != 1 || rate != 1900 {
			t.Errorf("shipping %d, %d taxes, %d, %v", shipping, tax, rate, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := h.count(t, `select count(*) from audit_entries where action = 'store.create' and store_id = $1 and actor = 'on call'`, p.ID); n != 1 {
		t.Errorf("%d entries in the audit", n)
	}

	// Once the owner has proven their address, everyone knows.
	err = h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `update accounts set email_verified_at = now() where id = $1`, owner); err != nil {
			return err
		}
		return h.OwnerChanged(ctx, tx, owner)
	})
	if err != nil {
		t.Fatal(err)
	}
	if verified, err := h.OwnerVerified(t.Context(), p.ID); err != nil || !verified {
		t.Errorf("verified: %v, %v", verified, err)
	}
}

func TestBirthIsRefused(t *testing.T) {
	h := open(t)
	at := "r1nen-" + address()
	h.born(t, birth(at))
	for name, c := range map[string]struct {
		change func(*stores.Birth)
		code   string
	}{
		"taken":        {func(b *stores.Birth) { b.Address = at }, "address_taken"},
		"confusable":   {func(b *stores.Birth) { b.Address = strings.Replace(at, "r1nen-", "rl-nen", 1) }, "address_confusable"},
		"reserved":     {func(b *stores.Birth) { b.Address = "adm1n" }, "address_reserved"},
		"two hyphens":  {func(b *stores.Birth) { b.Address = "linen--test" }, "address_invalid"},
		"no name":      {func(b *stores.Birth) { b.Name = " " }, "invalid_request"},
		"no country":   {func(b *stores.Birth) { b.Country = "XX" }, "unknown_country"},
		"old currency": {func(b *stores.Birth) { b.Currency, b.Address = "DEM", "www" }, "unknown_currency"},
	} {
		t.Run(name, func(t *testing.T) {
			in := birth(address())
			c.change(&in)
			_, err := h.Prepare(t.Context(), in)
			wantProblem(t, err, c.code)
			if name == "old currency" && len(problem.As(err).Faults) != 2 {
				t.Errorf("not every fault is named: %v", err)
			}
		})
	}
}

// TestSameAddressAtOnce has many births of one address race: one wins, and the schemas of
// the others wait again, wiped.
func TestSameAddressAtOnce(t *testing.T) {
	h := open(t)
	owner, _ := h.account(t, true)
	at := address()
	var all []*stores.Prepared
	for range 5 {
		p, err := h.Prepare(t.Context(), birth(at))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	var wg sync.WaitGroup
	won := make(chan string, len(all))
	for _, p := range all {
		wg.Go(func() {
			_, err := h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) { return h.Enter(ctx, tx, p, owner) })
			if err == nil {
				won <- p.ID
				return
			}
			if !problem.Is(err, "address_taken") {
				t.Errorf("lost with %v", err)
			}
			h.Abandon(t.Context(), p)
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d won", len(won))
	}
	for _, p := range all {
		ref := p.Ref()
		state := map[bool]string{true: "taken", false: "ready"}[len(won) == 1 && p.ID == peek(won)]
		if n := h.count(t, `select count(*) from schemas where number = $1 and state = $2`, ref.Schema, state); n != 1 {
			t.Errorf("the schema of %s is not %s", p.ID, state)
		}
		if state == "ready" {
			err := h.DB.InStore(postgres.WithStore(t.Context(), ref), func(ctx context.Context, tx *postgres.Tx) error {
				var n int
				if err := tx.QueryRow(ctx, `select (select count(*) from settings) + (select count(*) from audit_entries)`).Scan(&n); err != nil || n != 0 {
					t.Errorf("something is left in schema %d: %d, %v", ref.Schema, n, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func peek(c chan string) string {
	s := <-c
	c <- s
	return s
}

func TestCheckAddress(t *testing.T) {
	h := open(t)
	at := "m0on-" + address()
	h.born(t, birth(at))
	for address, want := range map[string]string{
		at: "taken", strings.Replace(at, "m0on", "rnoon", 1): "confusable", "www": "reserved", "vvvvvv": "reserved", "st4tus": "",
		"statu5": "", "-a-b": "malformed", "ab": "malformed", "a--b": "malformed", "Linen": "malformed", "línen": "malformed", "xn--abc": "malformed",
	} {
		got, err := h.CheckAddress(t.Context(), address)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", address, got, err, want)
		}
	}
}

// TestCells has births go to the emptiest cell that is there and has room.
func TestCells(t *testing.T) {
	p := testdb.New(t, fmt.Sprintf("c%d", time.Now().UnixNano()%1_000_000), 3)
	client := redistest.Client(t)
	cells := p.DB.Cells()
	h := openOn(t, p, client)
	h.control(t, `update cells set max_stores = 5`)
	seen := map[string]int{}
	for range 3 {
		seen[h.born(t, birth(address())).Cell]++
	}
	if len(seen) != 3 {
		t.Errorf("three stores went to %v", seen)
	}

	// The first cell is lost, the second full, and so the third takes the next.
	broken := p.Config
	broken.Cells = map[string]string{cells[0]: "postgres://postgres@127.0.0.1:1/none", cells[1]: p.Config.Cells[cells[1]], cells[2]: p.Config.Cells[cells[2]]}
	db, err := postgres.Open(broken)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	lost := openOn(t, &testdb.Platform{DB: db, Runner: migrations.New(db, quiet), Cell: p.Cell}, client)
	h.control(t, `update cells set max_stores = 1 where name = $1`, cells[1])
	h.control(t, `insert into schemas (cell, login, state) select $1, 1, 'ready' from generate_series(1, 3)`, cells[0]) // looks inviting
	for range 2 {
		if rec := lost.born(t, birth(address())); rec.Cell != cells[2] {
			t.Errorf("went to %s", rec.Cell)
		}
	}
	figures, err := lost.Cells(t.Context())
	if err != nil || len(figures) != 3 {
		t.Fatal(figures, err)
	}
	if figures[0].Up || !figures[1].Up || figures[1].Capacity != 1 || figures[2].Stores != 3 || figures[2].Logins != 2 || !figures[2].Accepting || figures[0].Ready == 0 {
		t.Errorf("figures %+v", figures)
	}
	h.control(t, `update cells set open = false`)
	_, err = lost.ByID(t.Context(), lost.storeIn(t, cells[2]), principal.Test)
	wantProblem(t, err, "no_cell_available")
	_, err = lost.Prepare(t.Context(), birth(address()))
	wantProblem(t, err, "no_cell_available")
}

// storeIn is a store that lies in a cell.
func (h *house) storeIn(t testing.TB, cell string) (id string) {
	t.Helper()
	err := h.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select id from stores where cell = $1 limit 1`, cell).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestKeeper(t *testing.T) {
	p := testdb.New(t, fmt.Sprintf("k%d", time.Now().UnixNano()%1_000_000), 1)
	h := openOn(t, p, redistest.Client(t), func(c *stores.Config) { c.Orphaned, c.Grace = time.Microsecond, time.Microsecond })
	orphan, err := h.Prepare(t.Context(), birth(address()))
	if err != nil {
		t.Fatal(err)
	}
	old := h.born(t, birth(address()))
	if _, err := h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) {
		return h.Delete(ctx, tx, old.ID, "")
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	keeper := &stores.Keeper{Stores: h.Service, Ready: 2, Every: 20 * time.Millisecond, Log: quiet}
	done := make(chan struct{})
	go func() { keeper.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	eventually(t, "two schemas are ready, and leftovers gone", func() bool {
		return h.count(t, `select count(*) from schemas where state = 'ready'`) == 2 &&
			h.count(t, `select count(*) from schemas where state = 'retired'`) == 2 &&
			h.count(t, `select count(*) from stores where status = 'purged'`) == 1
	})
	if _, err := h.Get(t.Context(), old.ID); !problem.Is(err, "not_found") {
		t.Errorf("the deleted store is still there: %v", err)
	}
	// What was swept cannot become a store any more.
	owner, _ := h.account(t, true)
	_, err = h.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) {
		return h.Enter(ctx, tx, orphan, owner)
	})
	if !errors.Is(err, postgres.ErrNoRows) {
		t.Errorf("a swept store was entered: %v", err)
	}
	h.born(t, birth(address()))
	eventually(t, "a taken schema is replaced", func() bool {
		return h.count(t, `select count(*) from schemas where state = 'ready'`) == 2
	})
	h.control(t, `update cells set max_stores = 3`)
	cancel()
	<-done
	keeper.Ready = 50
	keeper.Fill(t.Context())
	if n := h.count(t, `select count(*) from schemas where state <> 'retired'`); n != 3 {
		t.Errorf("a full cell has %d schemas", n)
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestSandbox has many ask for a sandbox at once, that is born by this.
func TestSandbox(t *testing.T) {
	h := open(t)
	rec := h.born(t, birth(address()))
	if _, err := h.ByAddress(t.Context(), rec.Address+"--test"); !problem.Is(err, "not_found") {
		t.Fatalf("a sandbox that was never used has an address: %v", err)
	}
	ctx := h.inside(t, rec.ID, principal.Live)
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `with s as (insert into mail_templates (kind, locale, subject) values ('order_shipped', 'en', 'Gone'))
			update settings set description = 'from the mill', product_count = 7`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	refs := make([]postgres.StoreRef, 8)
	for i := range refs {
		wg.Go(func() {
			store, err := h.ByID(t.Context(), rec.ID, principal.Test)
			if err != nil {
				t.Error(err)
			}
			refs[i] = store.Ref
		})
	}
	wg.Wait()
	for _, ref := range refs {
		if ref != refs[0] || ref.Mode != principal.Test || ref.Schema == 0 {
			t.Fatalf("sandboxes %+v", refs)
		}
	}
	if n := h.count(t, `select count(*) from schemas where store_id = $1`, rec.ID); n != 2 {
		t.Errorf("the store has %d schemas", n)
	}
	if n := h.count(t, `select count(*) from audit_entries where store_id = $1 and action = 'store.open_sandbox'`, rec.ID); n != 1 {
		t.Errorf("%d entries in the audit", n)
	}
	store, err := h.ByAddress(t.Context(), rec.Address+"--test")
	if err != nil || store.Ref != refs[0] {
		t.Errorf("by its address: %+v, %v", store, err)
	}
	err = h.DB.InStore(postgres.WithStore(t.Context(), refs[0]), func(ctx context.Context, tx *postgres.Tx) error {
		settings, err := h.Settings(ctx, tx)
		if err != nil {
			return err
		}
		var products, shipping, mails int
		if err := tx.QueryRow(ctx, `select product_count, (select count(*) from shipping_methods), (select count(*) from mail_templates) from settings`).Scan(&products, &shipping, &mails); err != nil {
			return err
		}
		if settings.Description != "from the mill" || products != 0 || shipping != 1 || mails != 1 {
			t.Errorf("the sandbox begins with %+v, %d products, %d ways to ship, %d mails", settings, products, shipping, mails)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReplicas has a change on one replica known on another within a second.
func TestReplicas(t *testing.T) {
	one := open(t)
	two := openOn(t, one.Platform, one.client)
	rec := one.born(t, birth(address()))
	if _, err := two.ByAddress(t.Context(), rec.Address); err != nil {
		t.Fatal(err)
	}
	if _, err := one.step(t, func(ctx context.Context, tx *postgres.Tx) (stores.Record, error) {
		return one.Suspend(ctx, tx, rec.ID, "x")
	}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	eventually(t, "the other replica knows", func() bool {
		store, err := two.ByAddress(t.Context(), rec.Address)
		return err == nil && store.Status == tenants.Suspended
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestRevision(t *testing.T) {
	h := open(t)
	config := h.Config
	config.Committed = h.Committed
	db, err := postgres.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	rec := h.born(t, birth(address()))
	ctx := h.inside(t, rec.ID, principal.Live)
	revision := func() int64 {
		store, err := h.ByID(t.Context(), rec.ID, principal.Live)
		if err != nil {
			t.Fatal(err)
		}
		return store.Revision
	}
	event := func(kind string) func(context.Context, *postgres.Tx) {
		return func(ctx context.Context, tx *postgres.Tx) { journal.Event(ctx, tx, kind, "x", map[string]any{}) }
	}
	for name, does := range map[string]struct {
		what func(context.Context, *postgres.Tx)
		seen bool
	}{
		"nothing":         {func(context.Context, *postgres.Tx) {}, false},
		"touch":           {func(_ context.Context, tx *postgres.Tx) { stores.Touch(tx) }, true},
		"a product":       {event("product.updated"), true},
		"a collection":    {event("collection.created"), true},
		"stock":           {event("inventory.adjusted"), true},
		"a customer":      {event("customer.created"), false},
		"another's order": {event("order.created"), false},
	} {
		before := revision()
		err := db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			does.what(ctx, tx)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if grown := revision() > before; grown != does.seen {
			t.Errorf("%s: grown %v", name, grown)
		}
	}
}
