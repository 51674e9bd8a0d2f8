package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// replica is one process' share of the bus.
type replica struct {
	*redis.Bus
	mu    sync.Mutex
	heard []string
}

func join(t *testing.T, url, prefix string) *replica {
	t.Helper()
	c := redistest.OpenWith(t, redis.Config{URL: url, Prefix: prefix})
	r := &replica{Bus: redis.OpenBus(c)}
	t.Cleanup(r.Close)
	r.Subscribe("news", func(payload string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard = append(r.heard, payload)
	})
	return r
}

func (r *replica) has(payload string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.heard {
		if p == payload {
			return true
		}
	}
	return false
}

func (r *replica) wait(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.WaitAlive(ctx); err != nil {
		t.Fatal("the bus does not come alive: ", err)
	}
}

func TestBusTellsAll(t *testing.T) {
	for name, url := range map[string]string{"redis": redistest.Start(t).URL(), "miniredis": "redis://" + miniredis.RunT(t).Addr()} {
		t.Run(name, func(t *testing.T) {
			prefix := redistest.Prefix()
			a, b, stranger := join(t, url, prefix), join(t, url, prefix), join(t, url, redistest.Prefix())
			a.wait(t)
			b.wait(t)
			stranger.wait(t)
			payload := "two lines\nand a blank; ünd €"
			if err := a.Publish(t.Context(), "news", payload); err != nil {
				t.Fatal(err)
			}
			if !a.has(payload) {
				t.Error("the publisher was not told at once")
			}
			redistest.Eventually(t, 10*time.Second, "told", func() bool { return b.has(payload) })
			time.Sleep(50 * time.Millisecond)
			if stranger.has(payload) {
				t.Error("another installation was told")
			}
			a.mu.Lock()
			if len(a.heard) != 1 {
				t.Errorf("the publisher heard %q", a.heard)
			}
			a.mu.Unlock()
			if err := a.Publish(t.Context(), "with blank", ""); err == nil {
				t.Error("a topic with a blank was accepted")
			}
			cancel := b.Subscribe("other", func(string) { t.Error("heard after cancelling") })
			cancel()
			if err := b.Publish(t.Context(), "other", ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBusMarks holds that a mark is fresh while the channel works, and never again after
// any gap.
func TestBusMarks(t *testing.T) {
	server := redistest.Start(t)
	prefix := redistest.Prefix()
	a := join(t, server.URL(), prefix)
	if a.Fresh(redis.Mark{}) || a.Alive() && a.Fresh(redis.Mark{}) {
		t.Error("the zero mark is fresh")
	}
	a.wait(t)

	gaps := []struct {
		name       string
		begin, end func()
	}{
		{"frozen", server.Freeze, server.Thaw},
		{"killed", server.Kill, server.Restart},
	}
	for _, gap := range gaps {
		t.Run(gap.name, func(t *testing.T) {
			mark := a.Mark()
			if !a.Fresh(mark) {
				t.Fatal("a new mark is not fresh")
			}
			gap.begin()
			start := time.Now()
			redistest.Eventually(t, tenfold*400*time.Millisecond, "dead", func() bool { return !a.Alive() })
			t.Logf("dead after %v", time.Since(start))
			if a.Fresh(mark) || a.Fresh(a.Mark()) {
				t.Error("fresh on a dead channel")
			}
			inGap := a.Mark()
			gap.end()
			a.wait(t)
			if a.Fresh(mark) || a.Fresh(inGap) {
				t.Error("a mark outlived a gap")
			}
			if !a.Fresh(a.Mark()) {
				t.Error("a new mark is not fresh after the gap")
			}
		})
	}
	t.Run("disconnected", func(t *testing.T) {
		mark := a.Mark()
		server.Disconnect()
		redistest.Eventually(t, 10*time.Second, "a new epoch", func() bool { return !a.Fresh(mark) })
		a.wait(t)
		if a.Fresh(mark) {
			t.Error("a mark outlived a new connection")
		}
	})
}

// TestBusRepeats holds that what could not be told is told once Redis is back, and that
// until then the channel is dead for the others.
func TestBusRepeats(t *testing.T) {
	server := redistest.Start(t)
	prefix := redistest.Prefix()
	a, b := join(t, server.URL(), prefix), join(t, server.URL(), prefix)
	a.wait(t)
	b.wait(t)
	server.Kill()
	for i := range 20 {
		if err := a.Publish(t.Context(), "news", fmt.Sprint(i)); !errors.Is(err, redis.ErrUnavailable) {
			t.Fatalf("without Redis: %v", err)
		}
	}
	server.Restart()
	redistest.Eventually(t, 20*time.Second, "told later", func() bool { return b.has("19") })
	for i := range 20 {
		if !b.has(fmt.Sprint(i)) || !a.has(fmt.Sprint(i)) {
			t.Errorf("%d was lost", i)
		}
	}
}

// TestBusMemberSilent holds that a replica that vanishes kills the channel for the
// others, and one that takes its leave does not.
func TestBusMemberSilent(t *testing.T) {
	server, relay := redistest.Start(t), redistest.NewRelay(t)
	relay.To(server.URL())
	prefix := redistest.Prefix()
	a, b, c := join(t, relay.URL(), prefix), join(t, server.URL(), prefix), join(t, server.URL(), prefix)
	a.wait(t)
	b.wait(t)
	c.wait(t)
	time.Sleep(200 * time.Millisecond) // everyone has heard everyone
	mark := b.Mark()
	c.Close()
	time.Sleep(600 * time.Millisecond)
	if !b.Fresh(mark) {
		t.Error("a replica that took its leave killed the channel")
	}

	// The partition: a can no longer reach Redis, b can.
	relay.Cut()
	if err := a.Publish(t.Context(), "news", "revoked"); !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("cut off: %v", err)
	}
	redistest.Eventually(t, tenfold*400*time.Millisecond, "dead for the other", func() bool { return !b.Alive() })
	if b.has("revoked") {
		t.Fatal("told over a cut line")
	}
	relay.To(server.URL())
	redistest.Eventually(t, 20*time.Second, "told later", func() bool { return b.has("revoked") })
	b.wait(t)
	if b.Fresh(mark) {
		t.Error("a mark outlived another replica's silence")
	}
}
