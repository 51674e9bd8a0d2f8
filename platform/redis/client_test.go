package redis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// tenfold is by how much a bound on time may be missed on a busy machine.
const tenfold = 10

func set(ctx context.Context, c *redis.Client) error {
	return c.Quick(ctx, func(ctx context.Context, rdb *goredis.Client) error {
		return rdb.Set(ctx, c.Key("x"), 1, time.Minute).Err()
	})
}

func TestConfigTellsAllFaults(t *testing.T) {
	err := redis.Config{URL: "http://user:hunter2@x", Prefix: "a *", Quick: -1}.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"URL", "prefix", "bounds"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not speak of the %s", err, part)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%q tells the password", err)
	}
	if _, err := redis.Open(redis.Config{URL: "nonsense"}); err == nil {
		t.Error("opened with a URL that is none")
	}
	for _, url := range []string{"redis://127.0.0.1:6379/3", "rediss://u:p@redis.example:6380", "unix:///run/redis.sock"} {
		if err := (redis.Config{URL: url}).Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestStartsWhileRedisIsDown(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	c := redistest.Open(t, server.URL(), 40*time.Millisecond, 250*time.Millisecond)
	if err := set(t.Context(), c); !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("without Redis: %v", err)
	}
	if c.Healthy() {
		t.Error("healthy without Redis")
	}
	if err := c.Ping(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("ping without Redis: %v", err)
	}
	server.Restart()
	redistest.Eventually(t, 20*time.Second, "healthy again", c.Healthy)
	if err := set(t.Context(), c); err != nil {
		t.Errorf("with Redis back: %v", err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("ping with Redis back: %v", err)
	}
}

// TestFrozen holds that a call under way when Redis freezes waits for its bound, and
// none after it.
func TestFrozen(t *testing.T) {
	server := redistest.Start(t)
	var up atomic.Int64
	up.Store(1)
	c := redistest.OpenWith(t, redis.Config{URL: server.URL(), Prefix: redistest.Prefix(), Quick: 40 * time.Millisecond, OnHealth: func(now bool) {
		if now {
			up.Add(1)
		} else {
			up.Add(-1)
		}
	}})
	redistest.Eventually(t, 10*time.Second, "a write", func() bool { return set(t.Context(), c) == nil })
	server.Freeze()
	start := time.Now()
	if err := set(t.Context(), c); !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("frozen: %v", err)
	}
	if took := time.Since(start); took > tenfold*50*time.Millisecond {
		t.Errorf("the first call took %v", took)
	}
	start = time.Now()
	const calls = 1000
	for range calls {
		if err := set(t.Context(), c); !errors.Is(err, redis.ErrUnavailable) {
			t.Fatalf("frozen: %v", err)
		}
	}
	if took := time.Since(start); took > calls*time.Millisecond {
		t.Errorf("%d calls after the first took %v", calls, took)
	}
	redistest.Eventually(t, 10*time.Second, "the loss told", func() bool { return up.Load() == 0 })
	server.Thaw()
	redistest.Eventually(t, 20*time.Second, "the return told", func() bool { return up.Load() == 1 && c.Healthy() })
}

// TestOneSlowAnswer holds that what a request cannot do without is asked for although another
// call has just given up.
func TestOneSlowAnswer(t *testing.T) {
	server := redistest.Start(t)
	c := redistest.Open(t, server.URL(), 2*time.Second, 20*time.Second)
	redistest.Eventually(t, 10*time.Second, "a write", func() bool { return set(t.Context(), c) == nil })
	server.Freeze()
	if err := set(t.Context(), c); !errors.Is(err, redis.ErrUnavailable) || c.Healthy() {
		t.Fatalf("frozen: %v", err)
	}
	time.AfterFunc(200*time.Millisecond, server.Thaw)
	if err := c.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error { return rdb.Ping(ctx).Err() }); err != nil {
		t.Errorf("with patience: %v", err)
	}
}

// TestBrokenConnections holds that connections that Redis closed are no loss of Redis.
func TestBrokenConnections(t *testing.T) {
	server := redistest.Start(t)
	c := redistest.Open(t, server.URL(), 5*time.Second, 5*time.Second)
	for range 20 {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { _ = set(t.Context(), c) })
		}
		wg.Wait()
		server.Disconnect()
		redistest.Eventually(t, 10*time.Second, "healthy again", func() bool { return set(t.Context(), c) == nil })
	}
}

func TestOnlyRedisFaultsCount(t *testing.T) {
	c := redistest.Client(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := set(cancelled, c); !errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("a caller that gave up: %v", err)
	}
	err := c.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
		return rdb.Get(ctx, c.Key("nothing")).Err()
	})
	if !errors.Is(err, goredis.Nil) {
		t.Errorf("nothing found: %v", err)
	}
	err = c.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
		return rdb.Do(ctx, "nonsense").Err()
	})
	if err == nil || errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("a wrong command: %v", err)
	}
	if !c.Healthy() {
		t.Error("Redis was taken to be lost")
	}
}

// TestReadOnly holds that a Redis that answers but cannot be written is taken to be away.
func TestReadOnly(t *testing.T) {
	server, other := redistest.Start(t), redistest.Start(t)
	c := redistest.Open(t, server.URL(), 5*time.Second, 5*time.Second)
	address := strings.SplitN(strings.TrimPrefix(other.URL(), "redis://"), ":", 2)
	become := func(master ...any) {
		t.Helper()
		if err := c.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
			return rdb.Do(ctx, append([]any{"replicaof"}, master...)...).Err()
		}); err != nil {
			t.Fatal(err)
		}
	}
	become(address[0], address[1])
	redistest.Eventually(t, 10*time.Second, "refused", func() bool { return errors.Is(set(t.Context(), c), redis.ErrUnavailable) })
	if c.Healthy() {
		t.Error("a replica was taken to be healthy")
	}
}

func TestClosed(t *testing.T) {
	c := redistest.Client(t)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error("a second time:", err)
	}
	if err := set(t.Context(), c); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}
