package migrations_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// The versions of two programs. Between them lie two migrations, of which the first takes
// its time and the second fails on what one store has in it.
var (
	oldProgram = []migrations.Step{{Name: "0001_goods", SQL: `create table goods (id bigint generated always as identity primary key, name text not null)`}}
	newProgram = append(oldProgram[:1:1],
		migrations.Step{Name: "0002_colour", SQL: `select pg_sleep(0.03); alter table goods add column colour text not null default 'plain'`},
		migrations.Step{Name: "0003_named", SQL: `alter table goods add constraint goods_named check (name <> '')`},
	)
)

// program is a program of a version, at a database that others work at too.
func program(t testing.TB, config postgres.Config, steps []migrations.Step) (*postgres.DB, *migrations.Runner) {
	t.Helper()
	db, err := postgres.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	runner := migrations.NewWith(db, slog.New(slog.DiscardHandler), steps)
	db.OnEnter(runner.Enter)
	return db, runner
}

const migratorVariable = "STOA_TEST_MIGRATOR"

// TestMigrator is no test but the process that the one below kills.
func TestMigrator(t *testing.T) {
	text := os.Getenv(migratorVariable)
	if text == "" {
		return
	}
	var order struct {
		Control, Keys string
		Cells         map[string]string
	}
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	ring, err := secrets.ParseRing(order.Keys)
	if err != nil {
		t.Fatal(err)
	}
	_, runner := program(t, postgres.Config{Control: order.Control, Cells: order.Cells, Sealer: ring}, newProgram)
	_, _ = runner.Stores(t.Context(), 2, func(done, total int, _ postgres.StoreRef, _ error) {
		fmt.Printf("migrated %d of %d\n", done, total)
		if done == total/2 {
			select {} // whoever kills may be slow
		}
	})
}

// house is stores of the old program.
type house struct {
	*testdb.Platform
	refs     []postgres.StoreRef
	versions map[int64]int
}

// look reads the schemas' versions, and fails the test where a schema is not what its
// version says.
func (h *house) look(t *testing.T) (atVersion map[int]int) {
	t.Helper()
	h.versions, atVersion = map[int64]int{}, map[int]int{}
	err := h.DB.InCell(t.Context(), h.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `
			select v.number, v.version,
				exists (select from information_schema.columns c where c.table_schema = 's_' || v.number and c.column_name = 'colour'),
				exists (select from pg_constraint c where c.connamespace::regnamespace::text = 's_' || v.number and c.conname = 'goods_named')
			from cell.schema_versions v`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var number int64
			var version int
			var colour, named bool
			if err := rows.Scan(&number, &version, &colour, &named); err != nil {
				return err
			}
			if colour != (version >= 2) || named != (version >= 3) {
				t.Errorf("schema %d is at version %d; it has the column: %v, the constraint: %v", number, version, colour, named)
			}
			h.versions[number] = version
			atVersion[version]++
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return atVersion
}

// sell does in a store what a program's statement does.
func sell(ctx context.Context, db *postgres.DB, ref postgres.StoreRef, statement string) error {
	return db.InStore(postgres.WithStore(ctx, ref), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement)
		return err
	})
}

const (
	oldStatement = `insert into goods (name) values ('shirt')`
	newStatement = `update goods set colour = 'blue' where id = (select max(id) from goods where colour = 'plain')`
)

// TestMigrationUnderWay migrates stores while programs of the version before and of the
// version to come serve them: it is killed in the middle, goes on from there, passes a
// store over that it fails on, and comes to those that are made meanwhile.
func TestMigrationUnderWay(t *testing.T) {
	t.Parallel()
	const stores = 24
	h := &house{Platform: testdb.New(t, fmt.Sprintf("m%d", time.Now().UnixNano()%1_000_000), 1)}
	before, maker := program(t, h.Config, oldProgram)
	after, runner := program(t, h.Config, newProgram)
	for range stores {
		ref, err := maker.Make(t.Context(), h.Cell)
		if err != nil {
			t.Fatal(err)
		}
		h.refs = append(h.refs, ref)
	}
	poisoned, late := h.refs[5], h.refs[stores-1]
	if err := sell(t.Context(), before, poisoned, `insert into goods (name) values ('')`); err != nil {
		t.Fatal(err)
	}

	// The old program sells in all stores, all the time.
	var sold atomic.Int64
	traffic, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for worker := range 2 {
		group.Go(func() {
			for i := worker; traffic.Err() == nil; i++ {
				if err := sell(traffic, before, h.refs[i%stores], oldStatement); err != nil && traffic.Err() == nil {
					t.Errorf("the old program: %v", err)
				}
				sold.Add(1)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	defer func() { stop(); group.Wait() }()

	migrator := h.migrator(t)
	out, err := migrator.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := migrator.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 1; n <= 6; n++ {
		if want := fmt.Sprintf("migrated %d of %d", n, stores); !lines.Scan() || lines.Text() != want {
			t.Fatalf("progress is %q, want %q", lines.Text(), want)
		}
	}
	if err := migrator.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = migrator.Wait() // killed
	done := h.look(t)
	if done[3] < 5 || done[1] < 5 {
		t.Fatalf("after the kill there are so many at each version: %v", done)
	}

	// The new program serves a store that nobody has come to yet.
	if h.versions[late.Schema] != 1 {
		t.Fatal("the last store was the first")
	}
	if err := sell(t.Context(), after, late, newStatement); err != nil {
		t.Errorf("the new program in a store that waits: %v", err)
	}
	left := stores - 1 - h.look(t)[3]

	// A second run goes on, and comes to what the old program makes meanwhile.
	var shown []int
	var meanwhile postgres.StoreRef
	failures, err := runner.Stores(t.Context(), 2, func(done, _ int, _ postgres.StoreRef, _ error) {
		if shown = append(shown, done); done == 1 {
			if meanwhile, err = maker.Make(t.Context(), h.Cell); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || len(failures) != 1 || failures[0].Ref.Schema != poisoned.Schema || !strings.Contains(failures[0].Err.Error(), "goods_named") {
		t.Fatalf("failures %+v, %v", failures, err)
	}
	if len(shown) != left+2 || shown[0] != 1 || shown[len(shown)-1] != left+2 {
		t.Errorf("of %d, the poisoned and the new one, progress was %v", left, shown)
	}
	if done := h.look(t); done[3] != stores || done[2] != 1 || h.versions[poisoned.Schema] != 2 || h.versions[meanwhile.Schema] != 3 {
		t.Errorf("afterwards there are so many at each version: %v", done)
	}

	// The poisoned store: its error is written down, the old program goes on in it, and
	// the new one says that it does not serve it.
	if noted := h.noted(t, poisoned); !strings.Contains(noted, "goods_named") {
		t.Errorf("what is written down of the poisoned store: %q", noted)
	}
	if err := sell(t.Context(), before, poisoned, oldStatement); err != nil {
		t.Errorf("the old program in the poisoned store: %v", err)
	}
	if p := problem.As(sell(t.Context(), after, poisoned, newStatement)); p == nil || p.Kind != problem.Unavailable || p.RetryAfter == 0 {
		t.Errorf("the new program in the poisoned store: %v", p)
	}
	for _, ref := range h.refs {
		if ref != poisoned {
			if err := errors.Join(sell(t.Context(), after, ref, newStatement), sell(t.Context(), before, ref, oldStatement)); err != nil {
				t.Errorf("schema %d: %v", ref.Schema, err)
			}
		}
	}

	// Mended, it is the only one left.
	if err := sell(t.Context(), before, poisoned, `update goods set name = 'shirt' where name = ''`); err != nil {
		t.Fatal(err)
	}
	shown = nil
	failures, err = runner.Stores(t.Context(), 2, func(done, total int, _ postgres.StoreRef, _ error) { shown = append(shown, done, total) })
	if err != nil || len(failures) > 0 || fmt.Sprint(shown) != "[1 1]" || h.noted(t, poisoned) != "" || h.look(t)[3] != stores+1 {
		t.Errorf("the mended store: %v, %v, progress %v", failures, err, shown)
	}
	if sold.Load() < stores {
		t.Errorf("only %d sold", sold.Load())
	}
	h.check(t, runner)
}

// check fails the test unless a database that no migration has come to says what to do.
func (h *house) check(t *testing.T, runner *migrations.Runner) {
	t.Helper()
	forget := func(statement string) func(context.Context, *postgres.Tx) error {
		return func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		}
	}
	for cell, earlier := range map[string]func() error{
		"":     func() error { return h.DB.InControl(t.Context(), forget(`delete from schema_migrations`)) },
		h.Cell: func() error { return h.DB.InCell(t.Context(), h.Cell, forget(`drop table cell.schema_migrations`)) },
	} {
		if err := runner.Check(t.Context(), cell); err != nil {
			t.Errorf("%q: %v", cell, err)
		}
		if err := earlier(); err != nil {
			t.Fatal(err)
		}
		if err := runner.Check(t.Context(), cell); err == nil || !strings.Contains(err.Error(), "run stoa migrate") {
			t.Errorf("%q at an earlier version: %v", cell, err)
		}
	}
}

func (h *house) migrator(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Control": h.Config.Control, "Cells": h.Config.Cells, "Keys": h.Keys.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestMigrator$", "-test.timeout=5m")
	command.Env = append(os.Environ(), migratorVariable+"="+string(text))
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// noted is the error that is written down of a schema.
func (h *house) noted(t *testing.T, ref postgres.StoreRef) (text string) {
	t.Helper()
	err := h.DB.InCell(t.Context(), h.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select error from cell.schema_versions where number = $1`, ref.Schema).Scan(&text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestMigrationGivesWayToTraffic has a transaction hold a table for a while: those who come
// after it do not wait for as long as it lasts, and the migration finds its moment.
func TestMigrationGivesWayToTraffic(t *testing.T) {
	t.Parallel()
	shared := testdb.Open(t)
	db, maker := program(t, shared.Config, oldProgram)
	_, runner := program(t, shared.Config, newProgram)
	ref, err := maker.Make(t.Context(), shared.Cell)
	if err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	err = db.InStore(postgres.WithStore(t.Context(), ref), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, oldStatement); err != nil {
			return err
		}
		go func() { migrated <- runner.Store(ctx, ref) }()
		for waiting := false; !waiting; {
			err := shared.DB.InCell(ctx, shared.Cell, func(ctx context.Context, tx *postgres.Tx) error {
				return tx.QueryRow(ctx, `select exists (select from pg_locks where not granted and relation = (select oid from pg_class where relname = 'goods' and relnamespace::regnamespace::text = $1))`,
					postgres.SchemaName(ref.Schema)).Scan(&waiting)
			})
			if err != nil {
				return err
			}
		}
		// It is behind the migration now, which is behind us, who do not end before it.
		return sell(ctx, db, ref, oldStatement)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if err := sell(t.Context(), db, ref, newStatement); err != nil {
		t.Error(err)
	}
}
