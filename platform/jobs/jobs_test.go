package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

type observer struct {
	setAside atomic.Int64
	failed   atomic.Int64 // runs that are to be repeated
	measured atomic.Pointer[jobs.Measure]
}

func (o *observer) Ran(_, _ string, err error, setAside bool, _, _ time.Duration) {
	switch {
	case setAside:
		o.setAside.Add(1)
	case err != nil:
		o.failed.Add(1)
	}
}
func (o *observer) Relayed(string, int)                  {}
func (o *observer) Measured(cell string, m jobs.Measure) { o.measured.Store(&m) }

func start(t *testing.T, name string, register func(*jobs.Workers, *testdb.Platform)) (*testdb.Platform, *jobs.Workers, *observer) {
	t.Helper()
	p := testdb.New(t, name+ids.New("x")[20:], 1) // a queue of its own
	o := &observer{}
	w := jobs.New(jobs.Config{
		DB: p.DB, Observer: o, Workers: 8, Log: slog.New(slog.DiscardHandler),
		Resolve: func(ctx context.Context, cell string, schema int64) (postgres.StoreRef, jobs.State, error) {
			ref := postgres.StoreRef{Cell: cell, Schema: schema}
			var status, mode string
			err := p.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				return tx.QueryRow(ctx, `select s.store_id, s.mode, s.login, st.status from schemas s join stores st on st.id = s.store_id where s.number = $1`, schema).
					Scan(&ref.ID, &mode, &ref.Login, &status)
			})
			ref.Mode = principal.Mode(mode)
			if status == "suspended" {
				return ref, jobs.Pause, err
			}
			return ref, jobs.Run, err
		},
	})
	register(w, p)
	w.Start(context.Background())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
		p.DB.Close()
	})
	return p, w, o
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestOneStoresJobsDoNotHoldUpAnothers(t *testing.T) {
	var mu sync.Mutex
	ran := map[string]int{}
	var behind atomic.Int64 // how many of the busy store had run when the other's last ended
	p, _, _ := start(t, "fair", func(w *jobs.Workers, _ *testdb.Platform) {
		w.Handle("count", func(ctx context.Context, job jobs.Job) error {
			ref, _ := postgres.StoreFrom(ctx)
			var args struct{ N int }
			if err := job.Decode(&args); err != nil {
				return err
			}
			time.Sleep(2 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			ran[ref.ID]++
			return nil
		})
	})
	busy, quiet := p.Store(t), p.Store(t)
	enqueue := func(ctx context.Context, n int) {
		err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			for i := range n {
				journal.Job(tx, "count", map[string]int{"n": i})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const many, few = 5000, 10
	enqueue(busy, many)
	enqueue(quiet, few)
	busyRef, _ := postgres.StoreFrom(busy)
	quietRef, _ := postgres.StoreFrom(quiet)
	waitFor(t, "the quiet store's jobs", func() bool {
		mu.Lock()
		defer mu.Unlock()
		if ran[quietRef.ID] == few {
			behind.Store(int64(ran[busyRef.ID]))
			return true
		}
		return false
	})
	if behind.Load() > many/5 {
		t.Errorf("%d of the busy store's jobs ran before the quiet store's ten", behind.Load())
	}
	waitFor(t, "all jobs", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return ran[busyRef.ID] == many
	})
}

// Jobs that take long, and have all the time of the world, keep neither the quick ones of
// their own store waiting, nor the long ones of another: a store has its share of the
// workers for such, and no more.
func TestSlowJobsDoNotHoldUpOthers(t *testing.T) {
	const few = 10
	var holding, most, quick, slow atomic.Int64
	release := make(chan struct{})
	p, _, _ := start(t, "slow", func(w *jobs.Workers, _ *testdb.Platform) {
		w.HandleSlow("hang", func(ctx context.Context, _ jobs.Job) error {
			most.Store(max(most.Load(), holding.Add(1)))
			defer holding.Add(-1)
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
		w.HandleSlow("slow", func(context.Context, jobs.Job) error { slow.Add(1); return nil })
		w.Handle("quick", func(context.Context, jobs.Job) error { quick.Add(1); return nil })
	})
	enqueue := func(ctx context.Context, kind string, n int) {
		err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			for range n {
				journal.Job(tx, kind, struct{}{})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	hung, other := p.Store(t), p.Store(t)
	enqueue(hung, "hang", 200)
	waitFor(t, "the jobs that hang", func() bool { return holding.Load() == 4 })
	enqueue(hung, "quick", few)
	enqueue(other, "slow", few)
	waitFor(t, "the quick ones of the same store", func() bool { return quick.Load() == few })
	waitFor(t, "the slow ones of another", func() bool { return slow.Load() == few })
	if most.Load() > 4 {
		t.Errorf("%d of 8 workers had one store's jobs", most.Load())
	}
	close(release)
}

// Calls that hang keep neither those of another lane of their store waiting, nor another
// store's, however many lanes there are and jobs in them.
func TestALaneDoesNotHoldUpAnother(t *testing.T) {
	const few, dead = 20, 49
	var holding, most, called atomic.Int64
	release := make(chan struct{})
	p, _, o := start(t, "lanes", func(w *jobs.Workers, _ *testdb.Platform) {
		w.HandleCalls("hang", func(ctx context.Context, _ jobs.Job) error {
			most.Store(max(most.Load(), holding.Add(1)))
			defer holding.Add(-1)
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
		w.HandleCalls("call", func(context.Context, jobs.Job) error { called.Add(1); return nil })
	})
	enqueue := func(ctx context.Context, lane, kind string, n int) {
		err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			for range n {
				journal.JobIn(tx, lane, time.Now(), kind, struct{}{})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	store, other := p.Store(t), p.Store(t)
	for i := range dead {
		enqueue(store, fmt.Sprint("dead", i), "hang", 4)
	}
	waitFor(t, "the calls that hang", func() bool { return holding.Load() == dead })
	for _, lane := range []string{"", "alive", "zealous"} {
		enqueue(store, lane, "call", few)
	}
	enqueue(other, "alive", "call", few)
	waitFor(t, "all others", func() bool { return called.Load() == 4*few })
	// What waits for a receiver does not make the queue late.
	enqueue(store, "dead0", "hang", few)
	waitFor(t, "the measure", func() bool { m := o.measured.Load(); return m != nil && m.Outbox > 0 && m.OutboxOldest == 0 })
	if most.Load() > dead {
		t.Errorf("%d calls of %d lanes that hang were at work at once", most.Load(), dead)
	}
	close(release)
}

// Stores that have jobs only for later do not hide those behind them, however many.
func TestEveryStoreIsVisited(t *testing.T) {
	var ran atomic.Int64
	p, _, _ := start(t, "visit", func(w *jobs.Workers, _ *testdb.Platform) {
		w.Handle("now", func(context.Context, jobs.Job) error { ran.Add(1); return nil })
	})
	ctx := p.Store(t)
	err := p.DB.InCell(t.Context(), p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `alter table cell.outbox drop constraint outbox_store_check;
			insert into cell.outbox (store, kind, args, run_at) select ' ' || n, 'now', '{}', now() + interval '1 day' from generate_series(1, 120) n`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Job(tx, "now", struct{}{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the job of the last store", func() bool { return ran.Load() == 1 })
}

// A job of a kind that this release does not know waits for one that does, and keeps
// nobody else's waiting.
func TestAnUnknownKindHoldsUpNobody(t *testing.T) {
	var ran atomic.Int64
	p, w, _ := start(t, "unknown", func(w *jobs.Workers, _ *testdb.Platform) {
		w.Handle("known", func(context.Context, jobs.Job) error { ran.Add(1); return nil })
	})
	err := p.DB.InStore(p.Store(t), func(ctx context.Context, tx *postgres.Tx) error {
		journal.Job(tx, "of_tomorrow", struct{}{})
		journal.Job(tx, "known", struct{}{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the job that is known", func() bool { return ran.Load() == 1 })
	waitFor(t, "the other to wait for another try", func() bool {
		list, err := w.List(context.Background(), p.Cell, jobs.Filter{Status: jobs.StatusRetrying, Kind: "of_tomorrow", Limit: 10})
		return err == nil && len(list) == 1
	})
}

func TestPoisonIsSetAsideAndComesBack(t *testing.T) {
	var poisoned atomic.Bool
	poisoned.Store(true)
	var good, bad atomic.Int64
	var asked atomic.Value // which request and which store a job's log names
	p, w, o := start(t, "poison", func(w *jobs.Workers, _ *testdb.Platform) {
		w.Handle("poison", func(context.Context, jobs.Job) error {
			if poisoned.Load() {
				return jobs.Cancel(errors.New("cannot be done"))
			}
			good.Add(1)
			return nil
		})
		w.Handle("panics", func(ctx context.Context, job jobs.Job) error {
			bad.Add(1)
			asked.Store(observability.RequestID(ctx) + " " + observability.Store(ctx))
			if job.Attempt == 1 {
				panic("at the first try")
			}
			return nil
		})
	})
	ctx := p.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	ctx = principal.With(ctx, principal.Principal{RequestID: "req_that_asked"})
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Job(tx, "newer", struct{}{}) // a kind that this release does not know holds up nobody
		journal.Job(tx, "poison", struct{}{})
		journal.Job(tx, "panics", struct{}{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the poison to be set aside", func() bool { return o.setAside.Load() == 1 })
	var list []jobs.Listed
	waitFor(t, "the list", func() bool {
		if list, err = w.List(context.Background(), p.Cell, jobs.Filter{Kind: "poison", Limit: 10}); err != nil {
			t.Fatal(err)
		}
		return len(list) == 1
	})
	if list[0].Kind != "poison" || len(list[0].Failures) == 0 || list[0].Failures[0].Error == "" {
		t.Fatalf("set aside: %+v", list[0])
	}
	poisoned.Store(false)
	if _, err := w.Retry(context.Background(), p.Cell, list[0].ID, false); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the retried job", func() bool { return good.Load() == 1 })
	waitFor(t, "the job that panicked", func() bool { return bad.Load() == 2 })
	if o.failed.Load() != 1 {
		t.Errorf("%d runs are counted as failed, want the one that panicked", o.failed.Load())
	}
	if asked.Load() != "req_that_asked "+ref.ID {
		t.Errorf("a job's log names %v", asked.Load())
	}
	if err := w.Discard(context.Background(), p.Cell, list[0].ID, false); err == nil {
		t.Error("a job that is done was discarded")
	}
}

func TestARolledBackTransactionLeavesNoJob(t *testing.T) {
	var ran atomic.Int64
	p, _, _ := start(t, "rolled", func(w *jobs.Workers, _ *testdb.Platform) {
		w.Handle("never", func(context.Context, jobs.Job) error { ran.Add(1); return nil })
		w.Handle("mark", func(context.Context, jobs.Job) error { ran.Add(100); return nil })
	})
	ctx := p.Store(t)
	wrong := errors.New("wrong")
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Job(tx, "never", struct{}{})
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	if err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Job(tx, "never", struct{}{})
		tx.Discard()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Job(tx, "mark", struct{}{})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the marking job", func() bool { return ran.Load() >= 100 })
	time.Sleep(500 * time.Millisecond)
	if ran.Load() != 100 {
		t.Fatal(fmt.Sprint("a job of a transaction that was undone ran: ", ran.Load()))
	}
}

func TestASuspendedStoresJobsWait(t *testing.T) {
	var ran atomic.Int64
	p, _, _ := start(t, "pause", func(w *jobs.Workers, _ *testdb.Platform) {
		w.Handle("work", func(context.Context, jobs.Job) error { ran.Add(1); return nil })
	})
	ctx, open := p.Store(t), p.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	if err := p.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update stores set status = 'suspended' where id = $1`, ref.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []context.Context{ctx, open} {
		if err := p.DB.InStore(c, func(ctx context.Context, tx *postgres.Tx) error {
			journal.Job(tx, "work", struct{}{})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the open store's job", func() bool { return ran.Load() >= 1 })
	time.Sleep(500 * time.Millisecond)
	if ran.Load() != 1 {
		t.Fatal("a suspended store's job ran")
	}
}
