package cache

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

func besides(client *redis.Client) *Cache[thing] {
	c := New[thing](time.Minute, 1<<20)
	c.Beside, c.Write, c.Read = NewShared(client, "things"), func(v thing) []byte { return []byte(v) }, func(raw []byte) (thing, error) { return thing(raw), nil }
	return c
}

func TestReplicasShareWhatTheyMade(t *testing.T) {
	t.Parallel()
	client := redistest.Client(t)
	var made atomic.Int64
	get := func(c *Cache[thing], key string, what thing) {
		t.Helper()
		v, err := c.Get(context.Background(), key, func(context.Context) (thing, error) {
			made.Add(1)
			return what, nil
		})
		if err != nil || v != what {
			t.Errorf("%q: %q %v, want %q", key, v, err, what)
		}
	}
	get(besides(client), "a", "A")
	get(besides(client), "a", "A")
	get(besides(client), "b", "B")
	if n := made.Load(); n != 2 {
		t.Errorf("made %d times, want 2", n)
	}

	// What is not what was put there, is another's, or too old, is made anew.
	write := func(change func(raw []byte) []byte) {
		t.Helper()
		s := NewShared(client, "things")
		err := client.Quick(context.Background(), func(ctx context.Context, r *goredis.Client) error {
			raw, err := r.Get(ctx, s.place("a")).Bytes()
			if err != nil {
				return err
			}
			return r.Set(ctx, s.place("a"), change(raw), time.Minute).Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, change := range []func(raw []byte) []byte{
		func(raw []byte) []byte { raw[len(raw)-1]++; return raw },
		func(raw []byte) []byte { raw[0] = 0x7f; return raw },
		func(raw []byte) []byte { return raw[:5] },
		func([]byte) []byte { return nil },
	} {
		before := made.Load()
		write(change)
		get(besides(client), "a", "A")
		if made.Load() != before+1 {
			t.Errorf("%d: what was spoilt is taken", i)
		}
	}
	s := NewShared(client, "things")
	s.set(context.Background(), "c", []byte("C"), time.Now().Add(time.Minute))
	write(func([]byte) []byte {
		var raw []byte
		_ = client.Quick(context.Background(), func(ctx context.Context, r *goredis.Client) (err error) {
			raw, err = r.Get(ctx, s.place("c")).Bytes()
			return err
		})
		return raw
	})
	get(besides(client), "a", "A") // although C lies in its place

	s.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	if _, _, ok := s.get(context.Background(), "c"); ok {
		t.Error("what is too old is given")
	}
	for range 20 {
		s.set(context.Background(), "large", make([]byte, sharedAtMost-100), s.now().Add(time.Minute))
	}
	if s.put > sharedPerSecond {
		t.Errorf("%d bytes in a second", s.put)
	}
}

func TestWithoutRedisThingsAreMade(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redistest.Open(t, server.URL(), 100*time.Millisecond, time.Second)
	server.Freeze()
	defer server.Thaw()
	began := time.Now()
	var count atomic.Int64
	for range 20 {
		v, err := besides(client).Get(context.Background(), "a", made(&count, "A"))
		if err != nil || v != "A" {
			t.Errorf("%q %v", v, err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("20 things took %v", took)
	}
}
