package testenv_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/embedded"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
)

func TestDatabaseIsTheTestsOwnAndGoesWithIt(t *testing.T) {
	ctx := context.Background()
	var name string
	t.Run("inner", func(t *testing.T) {
		conn, err := pgx.Connect(ctx, testenv.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if err := conn.QueryRow(ctx, "select current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	admin, err := pgx.Connect(ctx, testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	var left int
	if err := admin.QueryRow(ctx, "select count(*) from pg_database where datname = $1", name).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if name == "" || left != 0 {
		t.Fatalf("database %q is left %d times", name, left)
	}
}

func TestRedisDatabasesAreApart(t *testing.T) {
	ctx := context.Background()
	first, second := client(t, testenv.Redis(t)), client(t, testenv.Redis(t))
	if first.Options().DB == second.Options().DB {
		t.Fatalf("both tests were given database %d", first.Options().DB)
	}
	if err := first.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := second.DBSize(ctx).Result(); err != nil || n != 0 {
		t.Fatalf("the second database has %d keys (%v)", n, err)
	}
}

func TestRedisStartsItsOwnWhenAllIsTaken(t *testing.T) {
	small, err := embedded.StartRedis(context.Background(), embedded.RedisOptions{Databases: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = small.Stop() })
	t.Setenv(testenv.RedisVariable, small.URL())
	seen := map[string]bool{}
	for range 3 {
		o := client(t, testenv.Redis(t)).Options()
		seen[o.Addr] = true
	}
	if len(seen) != 2 {
		t.Fatalf("servers used: %v; the third test had to go to another", seen)
	}
}

func client(t *testing.T, address string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
