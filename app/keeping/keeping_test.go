package keeping_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/files/filestest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// house is a platform of its own with a keeper that keeps archives in a folder.
type house struct {
	*testdb.Platform
	*keeping.Keeper
	config keeping.Config
	folder string
}

func open(t *testing.T, archives files.Store) *house {
	t.Helper()
	p := testdb.New(t, "k"+ids.New("x")[18:], 1)
	t.Cleanup(func() { _ = p.DB.Close() })
	bus := redis.OpenBus(redistest.Client(t))
	t.Cleanup(bus.Close)
	quiet := slog.New(slog.DiscardHandler)
	h := &house{Platform: p, folder: t.TempDir()}
	media, err := files.OpenDisk(filepath.Join(h.folder, "files"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = media.Close() })
	if archives == nil {
		disk, err := files.OpenDisk(filepath.Join(h.folder, "archives"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = disk.Close() })
		archives = disk
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h.config = keeping.Config{
		DB: p.DB, Runner: p.Runner, Ring: p.Ring, Files: media, Log: quiet, Archives: archives, Scratch: filepath.Join(h.folder, "scratch"),
		Stores:    stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet}),
		Recipient: identity.Recipient(), Identity: identity, Settings: func() []byte { return []byte("STOA_ENV=production\n") },
		FullEvery: time.Hour, DifferentialEvery: time.Hour, StoresEvery: time.Hour, TestEvery: time.Hour, Keep: 24 * time.Hour,
	}
	h.Keeper = keeping.New(h.config)
	return h
}

// done waits for a run to end and gives it.
func (h *house) done(t *testing.T, id string) keeping.Run {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() { h.Work(ctx) })
	defer func() { stop(); working.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		run, err := h.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if run.Ended() {
			return run
		}
		if time.Now().After(deadline) {
			t.Fatalf("the run is still %+v", run)
		}
	}
}

func (h *house) exec(t *testing.T, ctx context.Context, statement string, args ...any) {
	t.Helper()
	door := h.Platform.DB.InControl
	if _, inside := postgres.StoreFrom(ctx); inside {
		door = h.Platform.DB.InStore
	}
	err := door(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// stocked is a store with products.
func (h *house) stocked(t *testing.T, products int) (context.Context, postgres.StoreRef) {
	t.Helper()
	ctx := h.Store(t)
	h.exec(t, ctx, `insert into products (id, handle, title, status) select 'prod_' || n, 'p' || n, 'Vase', 'active' from generate_series(1, $1) n`, products)
	ref, _ := postgres.StoreFrom(ctx)
	return ctx, ref
}

func (h *house) count(t *testing.T, ctx context.Context, what string) (n int) {
	t.Helper()
	err := h.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from `+what).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAnArchivedStoreIsRestoredWhileItSells restores a store from its archive and swaps it to
// and fro while others read and write it: each of them sees the one store or the other, as a
// whole.
func TestAnArchivedStoreIsRestoredWhileItSells(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	ctx, ref := h.stocked(t, 300)
	id, err := h.Ask(t.Context(), keeping.Store, ref.ID+"/live", nil, "test")
	if err != nil {
		t.Fatal(err)
	}
	if run := h.done(t, id); run.State != "succeeded" || run.Bytes == 0 {
		t.Fatalf("archived: %+v", run)
	}
	kept, err := h.StoreArchives(t.Context(), ref.ID+"/live")
	if err != nil || len(kept) != 1 || kept[0].Rows < 302 {
		t.Fatalf("archives: %+v, %v", kept, err)
	}
	h.exec(t, ctx, `delete from products where handle like 'p1%'`)
	h.exec(t, ctx, `insert into customers (id, email) values ('cus_1', 'since@example.com')`)

	// The repository is not needed for an archive, so the run is done by hand.
	shown := h.restore(t, ref, kept[0].Key)
	if len(shown.Shown.Changes) == 0 || shown.State != "ready" {
		t.Errorf("shown: %+v", shown)
	}
	if n := h.count(t, ctx, `products`); n != 189 {
		t.Errorf("restored beside, the living store has %d products", n)
	}

	var stop atomic.Bool
	var busy sync.WaitGroup
	var reads atomic.Int64
	for worker := range 3 {
		busy.Go(func() {
			for n := 0; !stop.Load(); n++ {
				err := h.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
					var before, after int
					if err := tx.QueryRow(ctx, `select count(*) from products`).Scan(&before); err != nil {
						return err
					}
					if _, err := tx.Exec(ctx, `insert into events (id, type, object_id, object_sequence, data) values ($1, 'x', 'x', 1, '{}')`, fmt.Sprintf("evt_%d_%d", worker, n)); err != nil {
						return err
					}
					if err := tx.QueryRow(ctx, `select count(*) from products`).Scan(&after); err != nil {
						return err
					}
					if before != after || before != 189 && before != 300 {
						t.Errorf("a transaction saw %d products and then %d", before, after)
					}
					reads.Add(1)
					return nil
				})
				if err != nil {
					t.Errorf("while it was swapped: %v", err)
					return
				}
			}
		})
	}
	defer func() { stop.Store(true); busy.Wait() }()
	operator := principal.With(t.Context(), principal.Principal{Kind: principal.Operator, Label: "test"})
	for i, want := range []int{300, 189, 300} {
		for began := reads.Load(); reads.Load() < began+20 && !t.Failed(); time.Sleep(time.Millisecond) {
		}
		if _, err := h.Swap(operator, ref.ID, principal.Live, true, "a test"); err != nil {
			t.Fatalf("swap %d: %v", i, err)
		}
		if n := h.count(t, ctx, `products`); n != want {
			t.Errorf("after swap %d there are %d products, not %d", i, n, want)
		}
	}
	stop.Store(true)
	busy.Wait()
	if n := h.count(t, ctx, `customers where id = 'cus_1'`); n != 1 {
		t.Error("the customer who came since is gone")
	}
	if n, all := h.count(t, ctx, `events where type = 'x'`), int(reads.Load()); n != all {
		t.Errorf("of %d events that were committed, %d are there", all, n)
	}
	if err := h.Discard(t.Context(), ref.ID, principal.Live); err != nil {
		t.Fatal(err)
	}
	if _, found, err := h.Restored(t.Context(), ref.ID, principal.Live); found || err != nil {
		t.Errorf("discarded, it is still there: %v", err)
	}
	if _, err := h.Swap(operator, ref.ID, principal.Live, true, "a test"); err == nil || !strings.Contains(err.Error(), "nothing is restored") {
		t.Errorf("swapped with nothing: %v", err)
	}
}

// restore has a store restored from an archive by a keeper that could reach a repository.
func (h *house) restore(t *testing.T, ref postgres.StoreRef, key string) keeping.Restoration {
	t.Helper()
	id, err := h.AskRestore(t.Context(), ref.ID, ref.Mode, keeping.RestoreArgs{Key: key}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if run := h.done(t, id); run.State != "succeeded" {
		t.Fatalf("restored: %+v", run)
	}
	r, found, err := h.Restored(t.Context(), ref.ID, ref.Mode)
	if err != nil || !found {
		t.Fatalf("nothing is beside: %v", err)
	}
	return r
}

// TestFilesAreCopiedOnceSealedAndComeBack goes through copies in a folder and in a bucket.
func TestFilesAreCopiedOnceSealedAndComeBack(t *testing.T) {
	t.Parallel()
	bucket, err := files.OpenS3(t.Context(), filestest.Bucket(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, archives := range map[string]files.Store{"folder": nil, "bucket": bucket} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, archives)
			_, ref := h.stocked(t, 1)
			key := ref.ID + "/live/products/img_1/960.jpg"
			put := func(key string) {
				if _, err := h.config.Files.Put(t.Context(), key, strings.NewReader("a vase, drawn"), "image/jpeg"); err != nil {
					t.Fatal(err)
				}
			}
			put(key)
			for _, want := range []string{`"new": 1`, `"new": 0`} {
				id, err := h.Ask(t.Context(), keeping.Files, "", nil, "test")
				if err != nil {
					t.Fatal(err)
				}
				run := h.done(t, id)
				if run.State != "succeeded" || !strings.Contains(string(run.Detail), want) {
					t.Errorf("copied: %s %s %s", run.State, run.Detail, run.Error)
				}
			}
			for _, prefix := range []string{"files/", "configuration/"} {
				found := 0
				for copied, err := range h.config.Archives.Keys(t.Context(), prefix) {
					if err != nil {
						t.Fatal(err)
					}
					f, err := h.config.Archives.Open(t.Context(), copied)
					if err != nil {
						t.Fatal(err)
					}
					b, err := io.ReadAll(f)
					if err = errors.Join(err, f.Close()); err != nil || bytes.Contains(b, []byte("vase")) || bytes.Contains(b, []byte("STOA_ENV")) || len(b) == 0 {
						t.Errorf("%s lies open (%v)", copied, err)
					}
					found++
				}
				if found == 0 {
					t.Errorf("nothing is below %s", prefix)
				}
			}
			if err := h.config.Files.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			listed, restored, err := h.RestoreFiles(t.Context(), time.Time{}, "")
			if err != nil || listed != 1 || restored != 1 {
				t.Fatalf("%d listed, %d restored: %v", listed, restored, err)
			}
			f, err := h.config.Files.Open(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(f)
			if err = errors.Join(err, f.Close()); err != nil || string(b) != "a vase, drawn" {
				t.Errorf("it came back as %q (%v)", b, err)
			}
			blind := h.config
			blind.Identity = nil
			if err := h.config.Files.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			if _, _, err := keeping.New(blind).RestoreFiles(t.Context(), time.Time{}, ""); err == nil || !strings.Contains(err.Error(), "STOA_BACKUP_IDENTITY") {
				t.Errorf("without the secret key: %v", err)
			}
			if _, _, err := h.RestoreFiles(t.Context(), time.Now().Add(-time.Hour), ""); err == nil || !strings.Contains(err.Error(), "as old as that") {
				t.Errorf("of before the first copy: %v", err)
			}
		})
	}
}

func TestStoresAreArchivedWhenTheyWereWrittenTo(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	ctx, ref := h.stocked(t, 3)
	archive := func() (runs int) {
		t.Helper()
		// Postgres counts writes with a delay of its own.
		time.Sleep(1200 * time.Millisecond)
		if err := h.Schedule(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := h.Latest(t.Context(), keeping.Store, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range list {
			if !run.Ended() {
				if done := h.done(t, run.ID); done.State != "succeeded" {
					t.Errorf("%+v", done)
				}
				runs++
			}
		}
		return runs
	}
	if n := archive(); n != 1 {
		t.Errorf("a new store was archived %d times", n)
	}
	aged := `update keeping_runs set finished_at = finished_at - interval '2 hours' where kind = 'store'`
	h.exec(t, t.Context(), aged)
	if n := archive(); n != 0 {
		t.Errorf("a store that nothing was written to was archived %d times", n)
	}
	h.exec(t, ctx, `update products set title = 'Urn'`)
	if n := archive(); n != 1 {
		t.Errorf("a store that was written to was archived %d times", n)
	}

	// What is older than is kept goes, but the newest never.
	h.exec(t, t.Context(), `update keeping_runs set finished_at = finished_at - interval '3 days' where kind = 'store'`)
	h.exec(t, ctx, `update products set title = 'Jug'`)
	if n := archive(); n != 1 {
		t.Errorf("it was archived %d times", n)
	}
	kept, err := h.StoreArchives(t.Context(), ref.ID+"/live")
	if err != nil || len(kept) != 1 {
		t.Errorf("kept: %+v, %v", kept, err)
	}
	lying, err := filepath.Glob(filepath.Join(h.folder, "archives", "stores", ref.ID, "*"))
	if err != nil || len(lying) != 1 {
		t.Errorf("there lie %v (%v)", lying, err)
	}

	h.exec(t, t.Context(), `update stores set status = 'purged' where id = $1`, ref.ID)
	archive()
	if _, err := os.Stat(filepath.Join(h.folder, "archives", "stores", ref.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("archives of a purged store are there: %v", err)
	}
}

func TestARunWhoseProcessDiedIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	_, ref := h.stocked(t, 1)
	id, err := h.Ask(t.Context(), keeping.Store, ref.ID+"/live", nil, "test")
	if err != nil {
		t.Fatal(err)
	}
	if twice, err := h.Ask(t.Context(), keeping.Store, ref.ID+"/live", nil, "test"); err != nil || twice != id {
		t.Errorf("asked twice, it is %s and %s (%v)", id, twice, err)
	}
	h.exec(t, t.Context(), `update keeping_runs set state = 'running', attempts = 1, lease_until = now() - interval '1 second'`)
	if run := h.done(t, id); run.State != "succeeded" || run.Attempts != 2 {
		t.Errorf("taken up: %+v", run)
	}
	again, err := h.Ask(t.Context(), keeping.Store, ref.ID+"/live", nil, "test")
	if err != nil || again == id {
		t.Fatalf("asked anew: %s (%v)", again, err)
	}
	h.exec(t, t.Context(), `update keeping_runs set state = 'running', attempts = 3, lease_until = now() - interval '1 second' where id = $1`, again)
	if run := h.done(t, again); run.State != "failed" || !strings.Contains(run.Error, "3 processes died") {
		t.Errorf("given up: %+v", run)
	}
	stand, err := h.Stand(t.Context())
	if err != nil || stand.LastGood[keeping.Store].IsZero() || time.Since(stand.LastGood[keeping.Store]) > time.Minute {
		t.Errorf("stands: %+v, %v", stand, err)
	}
}

func TestTheForecastIsTheLineOfTheLastMonth(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	measured := func() map[string]keeping.Capacity {
		t.Helper()
		list, err := h.Capacity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]keeping.Capacity{}
		for _, c := range list {
			if c.Cell == h.Cell {
				by[c.By] = c
			}
		}
		return by
	}
	if err := errors.Join(h.Measure(t.Context()), h.Measure(t.Context())); err != nil {
		t.Fatal(err)
	}
	for by, least := range map[string]float64{keeping.ByStores: 0, keeping.ByBytes: 1 << 20, keeping.ByConnections: 1} {
		if c, there := measured()[by]; !there || c.Used < least || !c.Full.IsZero() || by == keeping.ByConnections && (c.Most < c.Used || c.Most > 10_000) {
			t.Errorf("measured of %s is %+v", by, c)
		}
	}
	h.exec(t, t.Context(), `delete from cell_sizes`)
	h.exec(t, t.Context(), `update cells set max_stores = 1000`)
	h.exec(t, t.Context(), `insert into cell_sizes (cell, day, schemas, bytes, connections, connections_max)
		select $1, current_date - n, 600 - 10 * n, (300 - 5 * n) * 1024::bigint ^ 3, 80 - n, 97 from generate_series(0, 20) n`, h.Cell)
	bounded := h.config
	bounded.CellBytes = func(string) int64 { return 350 << 30 }
	for name, c := range map[string]struct {
		keeper *keeping.Keeper
		want   map[string]int // days
	}{
		"no bound of bytes": {h.Keeper, map[string]int{keeping.ByStores: 40, keeping.ByBytes: -1, keeping.ByConnections: 17}},
		"all bounds":        {keeping.New(bounded), map[string]int{keeping.ByStores: 40, keeping.ByBytes: 10, keeping.ByConnections: 17}},
	} {
		h.Keeper = c.keeper
		for by, days := range c.want {
			full := measured()[by].Full
			if days < 0 && full.IsZero() {
				continue
			}
			if in := time.Until(full).Hours() / 24; in < float64(days)-0.1 || in > float64(days)+0.1 {
				t.Errorf("%s: by %s it is said to be full in %.1f days, not in %d", name, by, in, days)
			}
		}
	}
	h.exec(t, t.Context(), `update cell_sizes set schemas = 600, bytes = 1, connections = 97`)
	now := measured()
	if s, b := now[keeping.ByStores], now[keeping.ByBytes]; !s.Full.IsZero() || !b.Full.IsZero() {
		t.Errorf("a cell that does not grow is said to be full at %v and %v", s.Full, b.Full)
	}
	if c := now[keeping.ByConnections]; time.Until(c.Full).Abs() > time.Minute {
		t.Errorf("a cell that is full is said to be so at %v", c.Full)
	}
	if n, err := h.Catalogues(t.Context()); err != nil {
		t.Errorf("%d catalogues vacuumed: %v", n, err)
	}
	if due, err := h.Due(t.Context()); err != nil || due.OlderKeys != 0 {
		t.Errorf("to rotate: %+v, %v", due, err)
	}
}
