package guard

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

const (
	owner = "owner@example.com"
	home  = "198.51.100.1"
)

// rig is a guard whose clock is moved by hand.
type rig struct {
	*Guard
	t  *testing.T
	at time.Time
}

func newRig(t *testing.T, client *redis.Client) *rig {
	r := &rig{Guard: New(client, Usual(), slog.New(slog.DiscardHandler)), t: t}
	// The beginning of an hour, so that windows end when they are said to.
	r.at = time.Now().Truncate(time.Hour)
	r.now = func() time.Time { return r.at }
	return r
}

// try begins an attempt; refused is the wait it was told.
func (r *rig) try(account, address string) (a *Attempt, refused time.Duration) {
	r.t.Helper()
	a, err := r.Begin(r.t.Context(), account, address)
	if err == nil {
		return a, 0
	}
	p := problem.As(err)
	if p == nil || p.Code != "rate_limited" || p.Kind != problem.Limited || p.Type != limits.QuotaExceeded || p.RetryAfter < time.Second {
		r.t.Fatalf("refused with %v", err)
	}
	return nil, p.RetryAfter
}

// fail makes tries that fail, each after the wait that it is told, and gives the waits.
func (r *rig) fail(n int, account, address string) (waits []time.Duration) {
	r.t.Helper()
	for range n {
		_, wait := r.try(account, address)
		if wait > 0 {
			waits = append(waits, wait)
			r.at = r.at.Add(wait)
			if _, again := r.try(account, address); again > 0 {
				r.t.Fatalf("refused for %v after waiting %v", again, wait)
			}
		}
	}
	return waits
}

// each runs a test in Redis, in the Redis written in Go, and within the process.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("redis", func(t *testing.T) { test(t, newRig(t, redistest.Client(t))) })
	t.Run("miniredis", func(t *testing.T) {
		test(t, newRig(t, redistest.Open(t, "redis://"+miniredis.RunT(t).Addr(), 5*time.Second, 5*time.Second)))
	})
	t.Run("local", func(t *testing.T) {
		server := redistest.Start(t)
		server.Kill()
		test(t, newRig(t, redistest.Open(t, server.URL(), 40*time.Millisecond, 40*time.Millisecond)))
	})
}

func seconds(n ...int) (d []time.Duration) {
	for _, s := range n {
		d = append(d, time.Duration(s)*time.Second)
	}
	return d
}

func TestOnePair(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		if waits := r.fail(5, owner, home); len(waits) != 0 {
			t.Errorf("free tries waited %v", waits)
		}
		if got, want := fmt.Sprint(r.fail(6, owner, home)), fmt.Sprint(seconds(1, 2, 4, 8, 16, 32)); got != want {
			t.Errorf("waits %s, not %s", got, want)
		}
		// However it is written, it is the same account.
		if _, wait := r.try("  OWNER@example.com ", home); wait != 64*time.Second {
			t.Errorf("written otherwise it waits %v", wait)
		}
		if _, wait := r.try("other@example.com", home); wait != 0 {
			t.Errorf("another account waits %v", wait)
		}
		r.at = r.at.Add(time.Hour)
		waits := r.fail(8, owner, home)
		if longest := waits[len(waits)-1]; longest != 15*time.Minute {
			t.Errorf("the longest wait is %v", longest)
		}
		// Success ends the waits, and the address is known from then on.
		r.at = r.at.Add(time.Hour)
		a, _ := r.try(owner, home)
		a.Succeeded(t.Context())
		if waits := r.fail(10, owner, home); len(waits) != 0 {
			t.Errorf("free tries of a known address waited %v", waits)
		}
		waits = r.fail(20, owner, home)
		if longest := waits[len(waits)-1]; longest != time.Minute {
			t.Errorf("the longest wait of a known address is %v", longest)
		}
	})
}

// TestManyAtOnce holds that tries at the same time are counted before they are judged.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var admitted atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := r.Begin(context.Background(), owner, home); err == nil {
					admitted.Add(1)
				}
			})
		}
		wg.Wait()
		if admitted.Load() != 5 {
			t.Errorf("%d of 100 tries at once were admitted", admitted.Load())
		}
	})
}

// TestOneAddress holds that one address cannot try its luck on many accounts, and that it
// does not matter to those whom the account knows there.
func TestOneAddress(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, _ := r.try(owner, "2001:db8::1")
		a.Succeeded(t.Context())
		admitted := 0
		for i := range 100 {
			// One customer of a network has many addresses.
			if _, wait := r.try(fmt.Sprint("victim", i), fmt.Sprintf("2001:db8::%x", i+1)); wait == 0 {
				admitted++
			} else if wait != 10*time.Minute {
				t.Fatalf("wait %v", wait)
			}
		}
		if admitted != 30 {
			t.Errorf("%d of 100 accounts could be tried", admitted)
		}
		if _, wait := r.try(owner, "2001:db8::2"); wait != 0 {
			t.Errorf("a known neighbour waits %v", wait)
		}
		if _, wait := r.try("victim", "2001:db8:0:1::1"); wait != 0 {
			t.Errorf("the next network waits %v", wait)
		}
		r.at = r.at.Add(10 * time.Minute)
		if _, wait := r.try("victim200", "2001:db8::1"); wait != 0 {
			t.Errorf("after the window it waits %v", wait)
		}
	})
}

// TestSuccessIsNotFailure holds that those who sign in do not use up their address.
func TestSuccessIsNotFailure(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for i := range 200 {
			a, wait := r.try(fmt.Sprint("colleague", i), home)
			if wait > 0 {
				t.Fatalf("colleague %d waits %v", i, wait)
			}
			if i%2 == 0 {
				a.Succeeded(t.Context())
			} else {
				a.Forgive(t.Context())
			}
		}
	})
}

// TestManyAddresses holds that guessing from many addresses is slowed down for each, told
// once, and locks the owner out neither at home nor elsewhere.
func TestManyAddresses(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, _ := r.try(owner, home)
		a.Succeeded(t.Context())
		if a.UnderAttack || a.Alarm {
			t.Error("under attack from the start")
		}
		alarms := 0
		for i := range 300 {
			a, wait := r.try(owner, fmt.Sprintf("203.0.%d.%d", i/250, i%250))
			if wait > 0 {
				t.Fatalf("bot %d had no try at all", i)
			}
			if a.Alarm {
				alarms++
			}
			if a.UnderAttack != (i >= 30) {
				t.Errorf("bot %d: under attack %v", i, a.UnderAttack)
			}
		}
		if alarms != 1 {
			t.Errorf("told %d times", alarms)
		}
		if got, want := fmt.Sprint(r.fail(5, owner, "203.0.113.77")), fmt.Sprint(seconds(60, 120, 240)); got != want {
			t.Errorf("a bot waits %s, not %s", got, want)
		}
		// The owner at home notices nothing.
		if waits := r.fail(9, owner, home); len(waits) != 0 {
			t.Errorf("the owner at home waits %v", waits)
		}
		a, wait := r.try(owner, home)
		if wait != 0 {
			t.Fatalf("the owner at home waits %v", wait)
		}
		a.Succeeded(t.Context())
		// The owner in a new place has a try, with one mistake before it, and is known then.
		if waits := r.fail(1, owner, "192.0.2.9"); len(waits) != 0 {
			t.Errorf("the owner elsewhere waits %v", waits)
		}
		a, wait = r.try(owner, "192.0.2.9")
		if wait != 0 {
			t.Fatalf("the owner elsewhere waits %v", wait)
		}
		a.Succeeded(t.Context())
		if waits := r.fail(9, owner, "192.0.2.9"); len(waits) != 0 {
			t.Errorf("known elsewhere, the owner waits %v", waits)
		}
		// An hour without attack, and strangers are tried as usual.
		r.at = r.at.Truncate(time.Hour).Add(time.Hour)
		if a, _ := r.try(owner, "192.0.2.10"); a == nil || a.UnderAttack {
			t.Error("the attack does not end")
		}
	})
}

func TestForgive(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for range 50 { // the password is right each time, the code never comes
			a, wait := r.try(owner, home)
			if wait > 0 {
				t.Fatalf("waits %v", wait)
			}
			a.Forgive(t.Context())
		}
		// It did not make the address known.
		if waits := r.fail(6, owner, home); len(waits) != 1 {
			t.Errorf("waits %v", waits)
		}
	})
}

func TestTrust(t *testing.T) {
	r := newRig(t, redistest.Client(t))
	r.fail(5, owner, home)
	r.Trust(t.Context(), owner, home)
	if waits := r.fail(10, owner, home); len(waits) != 0 {
		t.Errorf("trusted, it waits %v", waits)
	}
}

// TestRedisLost takes Redis away amid guessing: it goes on to be slowed down.
func TestRedisLost(t *testing.T) {
	server := redistest.Start(t)
	for _, way := range []struct {
		name      string
		take, end func()
	}{{"frozen", server.Freeze, server.Thaw}, {"killed", server.Kill, server.Restart}} {
		t.Run(way.name, func(t *testing.T) {
			client := redistest.Open(t, server.URL(), 40*time.Millisecond, 40*time.Millisecond)
			r := newRig(t, client)
			redistest.Eventually(t, 10*time.Second, "Redis", func() bool {
				a, _ := r.try(owner, home)
				if a == nil {
					t.Fatal("refused")
				}
				a.Forgive(t.Context())
				return a.store == r.redis
			})
			way.take()
			start, admitted := time.Now(), 0
			for range 200 {
				if _, wait := r.try(owner, home); wait == 0 {
					admitted++
				}
			}
			if admitted != 5 {
				t.Errorf("%d of 200 tries were admitted", admitted)
			}
			if took := time.Since(start); took > 10*50*time.Millisecond {
				t.Errorf("200 tries took %v", took)
			}
			way.end()
			redistest.Eventually(t, 20*time.Second, "back in Redis", func() bool {
				a, _ := r.try("other@example.com", home)
				if a == nil {
					return false
				}
				a.Forgive(t.Context())
				return a.store == r.redis
			})
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	r := newRig(t, redistest.Client(t))
	ctx, cancel := context.WithCancel(t.Context())
	a, err := r.Begin(ctx, owner, home)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Begin(ctx, owner, home); err == nil || problem.As(err) != nil {
		t.Errorf("begun with %v", err)
	}
	a.Succeeded(ctx) // is noted all the same
	if waits := r.fail(10, owner, home); len(waits) != 0 {
		t.Errorf("it waits %v", waits)
	}
}

// TestRedisHoldsNoNames holds that no e-mail is in Redis, and nothing for ever.
func TestRedisHoldsNoNames(t *testing.T) {
	client := redistest.Client(t)
	r := newRig(t, client)
	r.at = time.Now()
	for i := range 40 {
		r.try(owner, fmt.Sprint("203.0.113.", i))
	}
	a, _ := r.try(owner, home)
	a.Succeeded(t.Context())
	_ = client.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
		keys := rdb.Keys(ctx, client.Key("*")).Val()
		if len(keys) < 80 {
			t.Errorf("%d keys", len(keys))
		}
		for _, key := range keys {
			if strings.Contains(key, "@") {
				t.Errorf("key %s", key)
			}
			if ttl := rdb.PTTL(ctx, key).Val(); ttl <= 0 {
				t.Errorf("%s lives %v", key, ttl)
			}
		}
		return nil
	})
}

func TestLocalIsBounded(t *testing.T) {
	l, now, c := newLocalStore(), time.Now(), Usual()
	for i := range localSize {
		name := fmt.Sprint(i)
		_, _ = l.begin(t.Context(), subject{pair: "p" + name, address: "a" + name, account: "c" + name}, now, c)
	}
	if len(l.cells) > localSize {
		t.Errorf("%d cells", len(l.cells))
	}
	for i := range 100 { // once all is over, there is room again
		_, _ = l.begin(t.Context(), subject{pair: fmt.Sprint(i)}, now.Add(48*time.Hour), c)
	}
	l.makeRoom(now)
	if len(l.cells) > localSize {
		t.Errorf("%d cells after two days", len(l.cells))
	}
}
