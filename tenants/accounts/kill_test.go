package accounts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// order is what a child process is told, in its environment.
type order struct {
	Control string
	Cells   map[string]string
	Keys    string
	Cell    string
	KillAt  string // the step at which it kills itself; empty to go on until it is killed
	SignUp  accounts.SignUp
}

const orderVariable = "STOA_TEST_ACCOUNTS_CHILD"

// TestChild is no test but the process that the tests below kill.
func TestChild(t *testing.T) {
	text := os.Getenv(orderVariable)
	if text == "" {
		return
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	ring, err := secrets.ParseRing(o.Keys)
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(postgres.Config{Control: o.Control, Cells: o.Cells, Sealer: ring})
	if err != nil {
		t.Fatal(err)
	}
	platform := &testdb.Platform{DB: db, Runner: migrations.New(db, slog.New(slog.DiscardHandler)), Ring: ring, Cell: o.Cell}
	reach := func(step string) {
		if step == o.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	h := openOn(t, platform, redistest.Client(t), 4, func(c *accounts.Config) { c.Reached = reach })
	record := func(context.Context, *postgres.Tx, accounts.SignedUp) error {
		reach("recorded")
		return nil
	}
	if o.KillAt != "" {
		_, err := h.SignUp(from(t), o.SignUp, record)
		t.Fatalf("outlived %s: %v", o.KillAt, err)
	}
	fmt.Println("ready")
	for range 4 {
		go func() {
			for {
				if _, err := h.SignUp(from(t), newcomer(), nil); err != nil {
					fmt.Println(err)
				}
			}
		}()
	}
	select {}
}

// child starts a process of its own with an order.
func (h *house) child(t *testing.T, o order) *exec.Cmd {
	t.Helper()
	o.Control, o.Cells, o.Keys, o.Cell = h.Config.Control, h.Config.Cells, h.Keys.Reveal(), h.Cell
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), orderVariable+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// whole fails the test unless of every sign-up there is all or nothing.
func (h *house) whole(t *testing.T) (complete int) {
	t.Helper()
	for what, statement := range map[string]string{
		"accounts without a store":    `select count(*) from accounts a where not exists (select 1 from members m where m.account_id = a.id)`,
		"stores without an owner":     `select count(*) from stores s where not exists (select 1 from members m where m.store_id = s.id and m.role = 'owner')`,
		"stores without their keys":   `select count(*) from stores s where (select count(*) from api_keys k where k.store_id = s.id) <> 4`,
		"stores without their schema": `select count(*) from stores s where not exists (select 1 from schemas c where c.number = s.live_schema and c.state = 'taken' and c.store_id = s.id)`,
		"stores without an audit":     `select count(*) from stores s where not exists (select 1 from audit_entries e where e.store_id = s.id and e.action = 'store.create')`,
		"accounts without a mail":     `select count(*) from accounts a where not exists (select 1 from outbox o where o.args->>'to' = a.email)`,
	} {
		if n := h.count(t, statement); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	h.control(t, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select id from stores`)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		complete = len(ids)
		for _, id := range ids {
			h.sells(t, id)
		}
		return err
	})
	return complete
}

// sells fails the test unless a store has what it needs to sell.
func (h *house) sells(t *testing.T, id string) {
	t.Helper()
	store, err := h.stores.ByID(t.Context(), id, principal.Live)
	if err != nil {
		t.Fatal(err)
	}
	err = h.DB.InStore(postgres.WithStore(t.Context(), store.Ref), func(ctx context.Context, tx *postgres.Tx) error {
		var n int
		err := tx.QueryRow(ctx, `select (select count(*) from settings) + (select count(*) from shipping_methods) + (select count(*) from tax_rates)`).Scan(&n)
		if err == nil && n != 3 {
			t.Errorf("store %s is not furnished", id)
		}
		return err
	})
	if err != nil {
		t.Errorf("store %s: %v", id, err)
	}
}

// swept has the leftovers swept and fails the test unless none are left.
func (h *house) swept(t *testing.T) {
	t.Helper()
	if _, err := h.stores.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := h.count(t, `select count(*) from schemas c where c.state = 'taken' and not exists (select 1 from stores s where s.live_schema = c.number)`); n != 0 {
		t.Errorf("%d schemas are left of stores that did not come to be", n)
	}
}

// TestKilledAtEachStep kills a sign-up at each of its steps: until it is committed nothing
// of it is left, and the same sign-up succeeds afterwards.
func TestKilledAtEachStep(t *testing.T) {
	h := openOn(t, testdb.New(t, fmt.Sprintf("s%d", time.Now().UnixNano()%1_000_000), 1), redistest.Client(t), 4)
	complete := 0
	for _, step := range []string{"taken", "furnished", "prepared", "entered", "recorded", "committed"} {
		in := newcomer()
		output, err := h.child(t, order{KillAt: step, SignUp: in}).CombinedOutput()
		if err == nil || err.Error() != "signal: killed" {
			t.Fatalf("at %s: %v: %s", step, err, output)
		}
		done := step == "committed"
		if n := h.count(t, `select count(*) from accounts where email = $1`, in.Email); (n == 1) != done {
			t.Errorf("killed at %s: %d accounts", step, n)
		}
		if _, err := h.stores.ByAddress(t.Context(), in.Store.Address); (err == nil) != done {
			t.Errorf("killed at %s: the shop: %v", step, err)
		}
		_, err = h.SignUp(from(t), in, nil)
		if done {
			wantProblem(t, err, "address_taken")
		} else if err != nil {
			t.Errorf("again after %s: %v", step, err)
		}
		complete++
		if n := h.whole(t); n != complete {
			t.Errorf("killed at %s: %d stores, want %d", step, n, complete)
		}
		h.swept(t)
	}
}

// TestKilledAtAnyInstant kills a process that signs up as fast as it can.
func TestKilledAtAnyInstant(t *testing.T) {
	h := openOn(t, testdb.New(t, fmt.Sprintf("a%d", time.Now().UnixNano()%1_000_000), 1), redistest.Client(t), 4)
	for range 6 {
		(&stores.Keeper{Stores: h.stores, Ready: 12, Log: quiet}).Fill(t.Context())
		cmd := h.child(t, order{})
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscanln(out, new(string)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50*time.Millisecond + rand.N(300*time.Millisecond))
		_ = cmd.Process.Kill()
		if said, _ := io.ReadAll(out); len(said) > 0 {
			t.Errorf("before it was killed: %.500s", said)
		}
		_ = cmd.Wait()
	}
	if n := h.whole(t); n == 0 {
		t.Error("nobody was quick enough to sign up")
	} else {
		t.Logf("%d stores", n)
	}
	h.swept(t)
}
