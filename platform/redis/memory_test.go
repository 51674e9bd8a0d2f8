package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// truth is a value as a database has it, with the number of times it was read.
type truth struct{ value, reads atomic.Int64 }

func (s *truth) load(context.Context) (int64, error) {
	s.reads.Add(1)
	return s.value.Load(), nil
}

func get(t *testing.T, m *redis.Memory[int64], s *truth) int64 {
	t.Helper()
	v, err := m.Get(t.Context(), "k", s.load)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMemoryRemembersAndForgets(t *testing.T) {
	url, prefix := redistest.Start(t).URL(), redistest.Prefix()
	a, b := join(t, url, prefix), join(t, url, prefix)
	a.wait(t)
	b.wait(t)
	time.Sleep(200 * time.Millisecond) // each has heard the other, so that no gap is to come
	var hits atomic.Int64
	ma := redis.NewMemory[int64](a.Bus, "numbers", redis.MemoryOptions{Short: time.Nanosecond})
	mb := redis.NewMemory[int64](b.Bus, "numbers", redis.MemoryOptions{Short: time.Nanosecond, Looked: func(hit bool) {
		if hit {
			hits.Add(1)
		}
	}})
	var s truth
	for range 100 {
		get(t, ma, &s)
		get(t, mb, &s)
	}
	// A busy machine can let the bus look dead for a moment, but not most of the time.
	if reads := s.reads.Load(); reads < 2 || reads > 50 {
		t.Errorf("200 look-ups read %d times", reads)
	}
	if hits.Load() < 50 {
		t.Errorf("%d hits", hits.Load())
	}
	for round := range int64(20) {
		s.value.Store(round)
		if err := ma.Forget(t.Context(), "other", "k"); err != nil {
			t.Log(err) // will be repeated
		}
		if got := get(t, ma, &s); got != round {
			t.Errorf("here %d, not %d", got, round)
		}
		redistest.Eventually(t, tenfold*time.Second, "forgotten there", func() bool { return get(t, mb, &s) == round })
	}
	s.value.Store(99)
	if err := mb.ForgetAll(t.Context()); err != nil {
		t.Log(err)
	}
	if got := get(t, mb, &s); got != 99 {
		t.Errorf("after forgetting all: %d", got)
	}
	redistest.Eventually(t, tenfold*time.Second, "all forgotten there", func() bool { return get(t, ma, &s) == 99 })
}

// TestMemoryWithoutRedis holds that what changes is in force on every replica within a
// second also when nobody can be told: Redis frozen, down, or out of one's reach.
func TestMemoryWithoutRedis(t *testing.T) {
	server, relay := redistest.Start(t), redistest.NewRelay(t)
	for _, c := range []struct {
		name       string
		begin, end func()
	}{
		{"up", func() {}, func() {}},
		{"frozen", server.Freeze, server.Thaw},
		{"down", server.Kill, server.Restart},
		{"cut off", relay.Cut, func() {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay.To(server.URL())
			prefix := redistest.Prefix()
			a, b := join(t, relay.URL(), prefix), join(t, server.URL(), prefix)
			a.wait(t)
			b.wait(t)
			ma := redis.NewMemory[int64](a.Bus, "numbers", redis.MemoryOptions{})
			mb := redis.NewMemory[int64](b.Bus, "numbers", redis.MemoryOptions{})
			var s truth
			get(t, ma, &s)
			stop := make(chan struct{})
			var asking sync.WaitGroup
			asking.Go(func() { // a value in constant use is the one most easily held too long
				for {
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
						_, _ = mb.Get(t.Context(), "k", s.load)
					}
				}
			})
			time.Sleep(700 * time.Millisecond)
			c.begin()
			defer c.end()
			s.value.Store(1)
			changed := time.Now()
			_ = ma.Forget(t.Context(), "k")
			if get(t, ma, &s) != 1 {
				t.Error("not in force here")
			}
			redistest.Eventually(t, tenfold*time.Second, "in force there", func() bool { return get(t, mb, &s) == 1 })
			t.Logf("in force everywhere after %v", time.Since(changed))
			for range 50 {
				if get(t, mb, &s) != 1 {
					t.Fatal("out of force again")
				}
			}
			close(stop)
			asking.Wait()
		})
	}
}

// TestMemoryReadWhileForgotten holds that a value read before a change and kept after it
// is not kept.
func TestMemoryReadWhileForgotten(t *testing.T) {
	a := join(t, redistest.Start(t).URL(), redistest.Prefix())
	a.wait(t)
	m := redis.NewMemory[int64](a.Bus, "numbers", redis.MemoryOptions{})
	_, err := m.Get(t.Context(), "k", func(ctx context.Context) (int64, error) {
		_ = m.Forget(ctx, "k") // the change comes while the old value is on its way
		return 1, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := m.Get(t.Context(), "k", func(context.Context) (int64, error) { return 2, nil }); got != 2 {
		t.Errorf("the old value was kept: %d", got)
	}
}

func TestMemoryBounds(t *testing.T) {
	a := join(t, redistest.Start(t).URL(), redistest.Prefix())
	a.wait(t)
	m := redis.NewMemory[int](a.Bus, "numbers", redis.MemoryOptions{Size: 10, Long: time.Hour, Short: time.Hour})
	failure := errors.New("no database")
	if _, err := m.Get(t.Context(), "0", func(context.Context) (int, error) { return 0, failure }); !errors.Is(err, failure) || m.Len() != 0 {
		t.Errorf("an error was remembered: %v, %d values", err, m.Len())
	}
	for i := range 100 {
		if got, _ := m.Get(t.Context(), fmt.Sprint(i), func(context.Context) (int, error) { return i, nil }); got != i {
			t.Errorf("%d: %d", i, got)
		}
	}
	if m.Len() != 10 {
		t.Errorf("%d values", m.Len())
	}
	old := redis.NewMemory[int](a.Bus, "old", redis.MemoryOptions{Long: time.Nanosecond, Short: time.Nanosecond})
	for i := range 3 {
		if got, _ := old.Get(t.Context(), "k", func(context.Context) (int, error) { return i, nil }); got != i {
			t.Errorf("a value outlived its longest time: %d, not %d", got, i)
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	bus := redis.OpenBus(redistest.Client(b))
	defer bus.Close()
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
	defer cancel()
	if err := bus.WaitAlive(ctx); err != nil {
		b.Fatal(err)
	}
	m := redis.NewMemory[int](bus, "numbers", redis.MemoryOptions{})
	for b.Loop() {
		_, _ = m.Get(ctx, "k", func(context.Context) (int, error) { return 1, nil })
	}
}
