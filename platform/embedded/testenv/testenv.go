// Package testenv gives tests a real Postgres and a real Redis: the ones whose
// addresses are in STOA_TEST_DATABASE_URL and STOA_TEST_REDIS_URL (as `make test` sets
// them, once for all packages), else ones that this test process starts for itself,
// once, when a test first asks, and that end with it.
package testenv

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/ids"
)

// The variables that name servers to test against.
const (
	DatabaseVariable = "STOA_TEST_DATABASE_URL"
	RedisVariable    = "STOA_TEST_REDIS_URL"
)

// Databases is how many databases a Redis for tests has: each test takes one of its own.
const Databases = 2048

// startPostgres and startRedis run once a process. Nothing stops them: they end, and
// their files go, when the process does.
var (
	startPostgres = sync.OnceValues(func() (string, error) {
		p, err := embedded.StartPostgres(context.Background(), embedded.PostgresOptions{Fast: true, MaxConnections: 300})
		if err != nil {
			return "", err
		}
		return p.URL(), nil
	})
	startRedis = sync.OnceValues(func() (string, error) {
		r, err := embedded.StartRedis(context.Background(), embedded.RedisOptions{Databases: Databases})
		if err != nil {
			return "", err
		}
		return r.URL(), nil
	})
)

// Postgres is the address of a server's administrator, who may make databases and roles.
func Postgres(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(DatabaseVariable); given != "" {
		return given
	}
	address, err := startPostgres()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Database is the address of an empty database of the test's own, dropped after it.
func Database(t testing.TB) string {
	t.Helper()
	admin := Postgres(t)
	address, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("read %s: %v", DatabaseVariable, err)
	}
	name := ids.New("test")
	execute(t, admin, "create database "+name)
	t.Cleanup(func() { execute(t, admin, "drop database if exists "+name+" with (force)") })
	address.Path = "/" + name
	return address.String()
}

// execute runs one statement as the administrator. Its time is bounded by itself, for a
// clean-up runs after the test's context has ended.
func execute(t testing.TB, address, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// lease is how long a test may keep a Redis database that it does not give back
// because it was killed.
const lease = 10 * time.Minute

// Redis is the address of an empty Redis database of the test's own, emptied after it.
// Which databases are taken is kept in database 0, so that test processes running side
// by side against one server do not meet.
func Redis(t testing.TB) string {
	t.Helper()
	given := os.Getenv(RedisVariable)
	if given != "" {
		if address, ok := leaseDatabase(t, given); ok {
			return address
		}
		t.Logf("every database of %s is taken; starting a Redis of our own", RedisVariable)
	}
	own, err := startRedis()
	if err != nil {
		t.Fatal(err)
	}
	address, ok := leaseDatabase(t, own)
	if !ok {
		t.Fatal("every database of the embedded Redis is taken")
	}
	return address
}

// leaseDatabase takes a free database of the server and empties it.
func leaseDatabase(t testing.TB, server string) (address string, ok bool) {
	t.Helper()
	ctx := context.Background()
	options, err := redis.ParseURL(server)
	if err != nil {
		t.Fatalf("read %s: %v", RedisVariable, err)
	}
	options.DB, options.PoolSize = 0, 2
	registry := redis.NewClient(options)
	n, err := takeNumber(ctx, registry)
	if err != nil {
		t.Fatalf("take a Redis database: %v", err)
	}
	if n == 0 {
		_ = registry.Close()
		return "", false
	}
	ownOptions := *options
	ownOptions.DB, ownOptions.PoolSize = n, 1
	own := redis.NewClient(&ownOptions)
	if err := own.FlushDB(ctx).Err(); err != nil {
		t.Fatalf("empty Redis database %d: %v", n, err)
	}
	t.Cleanup(func() {
		// The server may be gone by now, when that is what was tested.
		_ = own.FlushDB(ctx).Err()
		_ = registry.Del(ctx, leaseKey(n)).Err()
		_ = own.Close()
		_ = registry.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("read %s: %v", RedisVariable, err)
	}
	u.Path = "/" + strconv.Itoa(n)
	return u.String(), true
}

// takeNumber leases a database other than 0; it is 0 when all are taken.
func takeNumber(ctx context.Context, registry *redis.Client) (int, error) {
	count := 16
	if config, err := registry.ConfigGet(ctx, "databases").Result(); err == nil {
		if n, err := strconv.Atoi(config["databases"]); err == nil {
			count = n
		}
	}
	last, err := registry.Incr(ctx, "stoa:test:next").Result()
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	for i := range count - 1 {
		n := 1 + int((last+int64(i))%int64(count-1))
		taken, err := registry.SetNX(ctx, leaseKey(n), os.Getpid(), lease).Result()
		if err != nil {
			return 0, fmt.Errorf("lease: %w", err)
		}
		if taken {
			return n, nil
		}
	}
	return 0, nil
}

func leaseKey(n int) string {
	return strings.Join([]string{"stoa", "test", "db", strconv.Itoa(n)}, ":")
}
