package limits

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
	"github.com/ulule/limiter/v3"
	ululeredis "github.com/ulule/limiter/v3/drivers/store/redis"

	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// tenfold is by how much a bound on time may be missed on a busy machine.
const tenfold = 10

// hand is a clock that is moved by hand.
type hand struct{ at atomic.Int64 }

func clockAt(t time.Time) *hand {
	h := &hand{}
	h.at.Store(t.UnixNano())
	return h
}

func (h *hand) now() time.Time          { return time.Unix(0, h.at.Load()).UTC() }
func (h *hand) forward(d time.Duration) { h.at.Add(int64(d)) }

// noon is an instant in the middle of a minute and a day.
var noon = time.Date(2026, 11, 22, 12, 0, 19, 0, time.UTC)

var quiet = slog.New(slog.DiscardHandler)

func perMinute(name, subject string, limit int64) Policy {
	return Policy{Name: name, Subject: subject, Limit: limit, Window: time.Minute}
}

func perDay(name, subject string, limit int64) Policy {
	return Policy{Name: name, Subject: subject, Limit: limit, Window: 24 * time.Hour}
}

func take(t *testing.T, l *Limiter, req Request) Decision {
	t.Helper()
	d, err := l.Take(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestStores holds that all stores are the same to ulule/limiter.
func TestStores(t *testing.T) {
	clock := clockAt(noon)
	onRedis := NewRedisStore(redistest.Client(t))
	onMini := NewRedisStore(redistest.Open(t, "redis://"+miniredis.RunT(t).Addr(), 5*time.Second, 5*time.Second))
	onRedis.now, onMini.now = clock.now, clock.now
	for name, store := range map[string]limiter.Store{"redis": onRedis, "miniredis": onMini, "local": newLocalStore(clock.now)} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			l := limiter.New(store, limiter.Rate{Period: time.Minute, Limit: 3})
			expect := func(what string, c limiter.Context, err error, remaining int64, reached bool) {
				t.Helper()
				if err != nil || c.Limit != 3 || c.Remaining != remaining || c.Reached != reached || c.Reset != noon.Truncate(time.Minute).Add(time.Minute).Unix() {
					t.Errorf("%s: %+v, %v", what, c, err)
				}
			}
			c, err := l.Peek(ctx, "k")
			expect("peek at nothing", c, err, 3, false)
			for i := range int64(3) {
				c, err = l.Get(ctx, "k")
				expect("get", c, err, 2-i, false)
			}
			c, err = l.Get(ctx, "k")
			expect("get beyond", c, err, 0, true)
			c, err = l.Get(ctx, "other")
			expect("another key", c, err, 2, false)
			c, err = l.Peek(ctx, "k")
			expect("peek", c, err, 0, true)
			c, err = l.Reset(ctx, "k")
			expect("reset", c, err, 3, false)
			c, err = l.Increment(ctx, "k", 2)
			expect("increment", c, err, 1, false)
			c, err = l.Peek(ctx, "k")
			expect("peek after increment", c, err, 1, false)
		})
	}
	down := NewRedisStore(lost(t))
	for name, do := range map[string]func() (limiter.Context, error){
		"get": func() (limiter.Context, error) { return down.Get(t.Context(), "k", limiter.Rate{Period: time.Minute}) },
		"reset": func() (limiter.Context, error) {
			return down.Reset(t.Context(), "k", limiter.Rate{Period: time.Minute})
		},
	} {
		if _, err := do(); err == nil {
			t.Errorf("%s without Redis gave no error", name)
		}
	}
}

// lost is a client whose Redis is gone.
func lost(t *testing.T) *redis.Client {
	t.Helper()
	server := redistest.Start(t)
	server.Kill()
	return redistest.Open(t, server.URL(), 40*time.Millisecond, 100*time.Millisecond)
}

// TestBothWindowsExact holds that two replicas under parallel load admit exactly as many
// as the tighter window allows, and count in neither what the other refuses.
func TestBothWindowsExact(t *testing.T) {
	clock := clockAt(noon)
	client := redistest.Client(t)
	replicas := []*Limiter{newLimiter(client, Hooks{}, quiet, clock.now), newLimiter(client, Hooks{}, quiet, clock.now)}
	const perKey, perStore = 120, 200
	var admitted [2]atomic.Int64
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := range 60 {
				key := (worker + i) % 2
				d, err := replicas[worker%2].Take(context.Background(), Request{StoreID: "sto_1", Policies: []Policy{
					perMinute("key", fmt.Sprint("key_", key), perKey), perDay("store-day", "sto_1", perStore)}})
				if err != nil || d.Degraded {
					t.Errorf("degraded %v, %v", d.Degraded, err)
				}
				if d.Allowed {
					admitted[key].Add(1)
				}
			}
		})
	}
	wg.Wait()
	a, b := admitted[0].Load(), admitted[1].Load()
	if a > perKey || b > perKey || a+b != perStore {
		t.Errorf("admitted %d and %d; per key %d, per store %d", a, b, perKey, perStore)
	}
	peek := func(policies ...Policy) []State {
		t.Helper()
		d := take(t, replicas[0], Request{Policies: append(policies, perMinute("never", "x", 0))}) // refused, so nothing is counted
		if d.Allowed {
			t.Fatal("the policy that never admits admitted")
		}
		return d.States
	}
	states := peek(perMinute("key", "key_0", perKey), perMinute("key", "key_1", perKey), perDay("store-day", "sto_1", perStore))
	if states[0].Remaining != perKey-a || states[1].Remaining != perKey-b || states[2].Remaining != 0 {
		t.Errorf("what was refused was counted: %+v", states)
	}

	clock.forward(time.Minute) // a new minute, the same day
	states = peek(perMinute("key", "key_0", perKey), perDay("store-day", "sto_1", perStore))
	if states[0].Remaining != perKey || states[1].Remaining != 0 {
		t.Errorf("after a minute: %+v", states)
	}
	clock.forward(12 * time.Hour)
	states = peek(perMinute("key", "key_0", perKey), perDay("store-day", "sto_1", perStore))
	if states[0].Remaining != perKey || states[1].Remaining != perStore {
		t.Errorf("after midnight: %+v", states)
	}
}

// TestOneRoundTrip counts the commands that decisions send.
func TestOneRoundTrip(t *testing.T) {
	client := redistest.Client(t)
	l := New(client, Hooks{}, quiet)
	request := Request{StoreID: "sto_1", Policies: []Policy{perMinute("key", "key_1", 1000), perDay("store-day", "sto_1", 1000), perMinute("address", "::1", 1000)}}
	take(t, l, request) // loads the script
	var commands atomic.Int64
	_ = client.Quick(t.Context(), func(_ context.Context, rdb *goredis.Client) error {
		rdb.AddHook(counter{&commands})
		return nil
	})
	for range 10 {
		take(t, l, request)
	}
	if commands.Load() != 10 {
		t.Errorf("10 decisions sent %d commands", commands.Load())
	}
}

type counter struct{ n *atomic.Int64 }

func (c counter) DialHook(next goredis.DialHook) goredis.DialHook { return next }
func (c counter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}
func (c counter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		c.n.Add(100) // there are to be none
		return next(ctx, cmds)
	}
}

func TestObservedNeverRefuses(t *testing.T) {
	var overruns atomic.Int64
	l := New(redistest.Client(t), Hooks{Overrun: func(p Policy) {
		if p.Name == "store-day" {
			overruns.Add(1)
		}
	}}, quiet)
	watched := perDay("store-day", "sto_1", 3)
	watched.Observe = true
	for i := range int64(8) {
		d := take(t, l, Request{Policies: []Policy{perMinute("address", "::1", 5), watched}})
		if d.Allowed != (i < 5) {
			t.Errorf("request %d: %v", i, d.Allowed)
		}
	}
	if overruns.Load() < 2 {
		t.Errorf("%d overruns told", overruns.Load())
	}
}

func TestCost(t *testing.T) {
	l := newLimiter(redistest.Client(t), Hooks{}, quiet, clockAt(noon).now)
	policy := perMinute("key", "key_1", 10)
	if d := take(t, l, Request{Cost: 8, Policies: []Policy{policy}}); !d.Allowed || d.States[0].Remaining != 2 {
		t.Errorf("eight of ten: %+v", d)
	}
	d := take(t, l, Request{Cost: 3, Policies: []Policy{policy}})
	if d.Allowed || d.States[0].Remaining != 2 || !d.States[0].Violated {
		t.Errorf("three of two: %+v", d)
	}
	if d := take(t, l, Request{Cost: 2, Policies: []Policy{policy}}); !d.Allowed || d.States[0].Remaining != 0 {
		t.Errorf("two of two: %+v", d)
	}
}

func TestFaultyRequests(t *testing.T) {
	l := New(redistest.Client(t), Hooks{}, quiet)
	for _, req := range []Request{
		{Policies: []Policy{{Name: "", Subject: "x", Limit: 1, Window: time.Minute}}},
		{Policies: []Policy{{Name: "a", Subject: "x", Limit: -1, Window: time.Minute}}},
		{Policies: []Policy{{Name: "a", Subject: "x", Limit: 1}}},
		{Policies: []Policy{{Name: "a", Subject: "x", Limit: 1, Window: 1500 * time.Millisecond}}},
		{Cost: -1, Policies: []Policy{perMinute("a", "x", 1)}},
	} {
		if _, err := l.Take(t.Context(), req); err == nil {
			t.Errorf("%+v was accepted", req)
		}
	}
	if d := take(t, l, Request{}); !d.Allowed || len(d.States) != 0 {
		t.Errorf("without policies: %+v", d)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Take(cancelled, Request{Policies: []Policy{perMinute("a", "x", 1)}}); err == nil {
		t.Error("a caller that gave up got a decision")
	}
}

// TestRedisLost takes Redis away in each way, and holds that decisions go on at once,
// within the limit, and return to Redis with it.
func TestRedisLost(t *testing.T) {
	server := redistest.Start(t)
	for _, way := range []struct {
		name      string
		take, end func()
	}{
		{"frozen", server.Freeze, server.Thaw},
		{"killed", server.Kill, server.Restart},
	} {
		t.Run(way.name, func(t *testing.T) {
			clock := clockAt(noon)
			var fellBack, degraded atomic.Int64
			client := redistest.Open(t, server.URL(), 40*time.Millisecond, 250*time.Millisecond)
			l := newLimiter(client, Hooks{
				FellBack: func() { fellBack.Add(1) },
				Degraded: func(now bool) {
					if now {
						degraded.Add(1)
					} else {
						degraded.Add(-1)
					}
				},
			}, quiet, clock.now)
			signIn := Request{Class: Auth, StoreID: "sto_1", Policies: StrictRules().Policies(Auth, "203.0.113.7", "")}
			limit := signIn.Policies[0].Limit
			redistest.Eventually(t, 10*time.Second, "decided in Redis", func() bool { return !take(t, l, signIn).Degraded })

			way.take()
			start := time.Now()
			d := take(t, l, signIn)
			if took := time.Since(start); took > tenfold*50*time.Millisecond {
				t.Errorf("the first decision took %v", took)
			} else {
				t.Logf("the first decision took %v", took)
			}
			if !d.Degraded || !d.Allowed {
				t.Errorf("the first decision: %+v", d)
			}
			start = time.Now()
			admitted := int64(1)
			for range 3 * limit {
				if d := take(t, l, signIn); d.Allowed {
					admitted++
				}
			}
			if took := time.Since(start); took > time.Duration(3*limit)*time.Millisecond {
				t.Errorf("%d decisions after it took %v", 3*limit, took)
			}
			if admitted != limit {
				t.Errorf("admitted %d of %d while Redis was away", admitted, limit)
			}
			if degraded.Load() != 1 || fellBack.Load() < 3*limit {
				t.Errorf("told degraded %d, fell back %d", degraded.Load(), fellBack.Load())
			}

			way.end()
			clock.forward(5 * time.Minute)
			redistest.Eventually(t, 20*time.Second, "decided in Redis again", func() bool { return !take(t, l, signIn).Degraded })
			if degraded.Load() != 0 {
				t.Error("the return was not told")
			}
		})
	}
}

// TestRedisWiped holds that a Redis that forgot everything, scripts included, is no loss.
func TestRedisWiped(t *testing.T) {
	server := redistest.Start(t)
	l := New(redistest.Open(t, server.URL(), 5*time.Second, 5*time.Second), Hooks{}, quiet)
	request := Request{Policies: []Policy{perDay("key", "key_1", 2)}}
	take(t, l, request)
	take(t, l, request)
	if d := take(t, l, request); d.Allowed || d.Degraded {
		t.Errorf("the third: %+v", d)
	}
	server.Restart()
	redistest.Eventually(t, 20*time.Second, "Redis is back", func() bool { d := take(t, l, request); return !d.Degraded && d.Allowed })
}

// TestExpires holds that windows do not stay in Redis.
func TestExpires(t *testing.T) {
	client := redistest.Client(t)
	l := New(client, Hooks{}, quiet)
	take(t, l, Request{StoreID: "sto_1", Policies: []Policy{perMinute("key", "key_1", 5), perDay("store-day", "sto_1", 5)}})
	_ = client.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
		keys := rdb.Keys(ctx, client.Key("*")).Val()
		if len(keys) != 3 {
			t.Errorf("keys %q", keys)
		}
		for _, key := range keys {
			if ttl := rdb.TTL(ctx, key).Val(); ttl <= 0 || ttl > usageKept {
				t.Errorf("%s lives %v", key, ttl)
			}
		}
		return nil
	})
}

func TestLocalIsBounded(t *testing.T) {
	clock := clockAt(noon)
	s := newLocalStore(clock.now)
	flood := func(n int) {
		for i := range n {
			s.take(clock.now(), 1, []window{{fmt.Sprint(i), 1, time.Minute}})
		}
	}
	flood(localSize + 1000)
	if len(s.counts) > localSize {
		t.Errorf("%d counters", len(s.counts))
	}
	clock.forward(2 * time.Minute)
	flood(1)
	if len(s.counts) != 1 {
		t.Errorf("%d counters after their windows", len(s.counts))
	}
}

func BenchmarkTake(b *testing.B) {
	l := New(redistest.Client(b), Hooks{}, quiet)
	request := Request{StoreID: "sto_1", Policies: []Policy{perMinute("key", "key_1", 1<<40), perDay("store-day", "sto_1", 1<<40)}}
	b.Run("redis", func(b *testing.B) {
		for b.Loop() {
			_, _ = l.Take(b.Context(), request)
		}
	})
	b.Run("redis parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _ = l.Take(context.Background(), request)
			}
		})
	})
	b.Run("ulule's own store, one window", func(b *testing.B) {
		client := redistest.Client(b)
		_ = client.Patient(b.Context(), func(ctx context.Context, rdb *goredis.Client) error {
			store, err := ululeredis.NewStoreWithOptions(rdb, limiter.StoreOptions{Prefix: client.Key("ulule")})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				_, _ = store.Get(context.Background(), "k", limiter.Rate{Period: time.Minute, Limit: 1 << 40})
			}
			return nil
		})
	})
	b.Run("local", func(b *testing.B) {
		local := newLocalStore(time.Now)
		windows, _ := request.windows()
		for b.Loop() {
			local.take(time.Now(), 1, windows)
		}
	})
}
