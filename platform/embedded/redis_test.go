package embedded

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func startRedisIn(t *testing.T, o RedisOptions) (*Redis, *redis.Client) {
	t.Helper()
	r, err := StartRedis(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop() })
	return r, redisClient(t, r.URL())
}

func redisClient(t *testing.T, address string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	options.DialerRetries = 1
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRedisKeepsItsDataOverARestart(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "redis")
	r, c := startRedisIn(t, RedisOptions{Dir: dir})
	if r.Kind() != "redis-server" {
		t.Fatalf("it is %s", r.Kind())
	}
	if err := c.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	again, c := startRedisIn(t, RedisOptions{Dir: dir})
	if again.URL() != r.URL() {
		t.Errorf("the address changed from %s to %s", r.URL(), again.URL())
	}
	if v, err := c.Get(ctx, "k").Result(); err != nil || v != "v" {
		t.Errorf("kept %q (%v)", v, err)
	}
}

func TestRedisSurvivesAKilledProgram(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	c := startChild(t, dir)
	client := redisClient(t, c.redisURL)
	if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	c.kill(t)
	_, client = startRedisIn(t, RedisOptions{Dir: filepath.Join(dir, "redis")})
	if v, err := client.Get(ctx, "k").Result(); err != nil || v != "v" {
		t.Errorf("kept %q (%v)", v, err)
	}
}

func TestBothKindsOfRedisAskForAPasswordAndLetTimePass(t *testing.T) {
	ctx := context.Background()
	for name, o := range map[string]RedisOptions{"redis-server": {Databases: 40}, "miniredis": {InProcess: true}} {
		t.Run(name, func(t *testing.T) {
			r, c := startRedisIn(t, o)
			if r.Kind() != name {
				t.Fatalf("it is %s", r.Kind())
			}
			stranger := redis.NewClient(&redis.Options{Addr: c.Options().Addr})
			defer func() { _ = stranger.Close() }()
			if err := stranger.Ping(ctx).Err(); err == nil {
				t.Error("it answers without a password")
			}
			if err := c.Set(ctx, "brief", "v", 200*time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			if n := c.Exists(ctx, "brief").Val(); n != 1 {
				t.Error("the key is gone at once")
			}
			eventually(t, "the key expires", func() bool { return c.Exists(ctx, "brief").Val() == 0 })
			if err := c.Do(ctx, "select", 39).Err(); err != nil && name == "redis-server" {
				t.Error(err)
			}
			if err := r.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := r.Stop(); err != nil {
				t.Errorf("a second stop: %v", err)
			}
			if err := c.Ping(ctx).Err(); err == nil {
				t.Error("it answers after Stop")
			}
		})
	}
}
