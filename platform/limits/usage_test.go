package limits

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// ledger writes counts down as Postgres does: a row for (store, day, generation) that
// holds the greatest value.
type ledger map[string]Count

func (g ledger) write(counts []Count) {
	for _, c := range counts {
		key := c.StoreID + c.Day + c.Generation
		row := g[key]
		c.Requests, c.Refused = max(c.Requests, row.Requests), max(c.Refused, row.Refused)
		g[key] = c
	}
}

func (g ledger) sum(storeID, day string) (requests, refused int64) {
	for _, c := range g {
		if c.StoreID == storeID && c.Day == day {
			requests += c.Requests
			refused += c.Refused
		}
	}
	return requests, refused
}

func others(t *testing.T, u *Usage) []Count {
	t.Helper()
	counts, err := u.Others(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func TestUsageCounts(t *testing.T) {
	clock := clockAt(noon)
	client := redistest.Client(t)
	a, b := newLimiter(client, Hooks{}, quiet, clock.now), newLimiter(client, Hooks{}, quiet, clock.now)
	var wg sync.WaitGroup
	for i := range 200 {
		l, store := a, fmt.Sprint("sto_", i%2)
		if i%4 >= 2 {
			l = b
		}
		wg.Go(func() {
			if _, err := l.Take(context.Background(), Request{StoreID: store, Policies: []Policy{perDay("store-day", store, 70)}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	take(t, a, Request{Policies: []Policy{perDay("address", "::1", 70)}}) // nobody's
	g := ledger{}
	g.write(a.Usage().Own())
	g.write(b.Usage().Own())
	for _, store := range []string{"sto_0", "sto_1"} {
		if requests, refused := g.sum(store, "2026-11-22"); requests != 100 || refused != 30 {
			t.Errorf("%s: %d requests, %d refused", store, requests, refused)
		}
	}

	// What is acknowledged is not listed again until it grows.
	own := a.Usage().Own()
	if len(own) != 2 {
		t.Fatalf("own: %+v", own)
	}
	a.Usage().Acknowledge(own)
	if again := a.Usage().Own(); len(again) != 0 {
		t.Errorf("listed again: %+v", again)
	}
	take(t, a, Request{StoreID: "sto_0"})
	if again := a.Usage().Own(); len(again) != 1 || again[0].Requests != own[0].Requests+1 {
		t.Errorf("listed %+v after one more", again)
	}

	// Another process sees in Redis what these two counted, once.
	c := newLimiter(client, Hooks{}, quiet, clock.now).Usage()
	seen := others(t, c)
	fresh := ledger{}
	fresh.write(seen)
	if requests, _ := fresh.sum("sto_0", "2026-11-22"); requests != 101 {
		t.Errorf("another process sees %d requests", requests)
	}
	c.Acknowledge(seen)
	if again := others(t, c); len(again) != 0 {
		t.Errorf("seen again: %+v", again)
	}

	// Midnight: a new day, and in two days the old one is forgotten here.
	clock.forward(12 * time.Hour)
	take(t, a, Request{StoreID: "sto_0"})
	if own := a.Usage().Own(); len(own) != 2 || own[0].Day == own[1].Day {
		t.Errorf("after midnight: %+v", own)
	}
	a.Usage().Acknowledge(a.Usage().Own())
	clock.forward(5 * 24 * time.Hour)
	a.Usage().Acknowledge(a.Usage().Own())
	a.Usage().own.Range(func(k, _ any) bool { t.Errorf("%+v is still held", k); return true })
	if len(a.Usage().written) != 0 {
		t.Errorf("%d acknowledgements are still held", len(a.Usage().written))
	}
}

// TestUsageSurvives takes Redis away in each way, once with the process and once without.
func TestUsageSurvives(t *testing.T) {
	server := redistest.Start(t)
	client := redistest.Open(t, server.URL(), 40*time.Millisecond, 5*time.Second)
	for name, c := range map[string]struct{ begin, end func() }{
		"wiped":  {server.Wipe, func() {}},
		"frozen": {server.Freeze, server.Thaw},
		"killed": {server.Kill, server.Restart},
	} {
		t.Run(name, func(t *testing.T) {
			clock := clockAt(noon)
			l, store := newLimiter(client, Hooks{}, quiet, clock.now), "sto_"+name
			count := func(n int) {
				for range n {
					take(t, l, Request{StoreID: store, Policies: []Policy{perDay("store-day", store, 1000)}})
				}
			}
			redistest.Eventually(t, 20*time.Second, "Redis", client.Healthy)
			count(10)
			c.begin()
			count(10)
			c.end()
			redistest.Eventually(t, 20*time.Second, "Redis", client.Healthy)
			redistest.Eventually(t, 20*time.Second, "carried to Redis", func() bool {
				count(1)
				requests := l.Usage().Own()[0].Requests
				g := ledger{}
				g.write(others(t, newLimiter(client, Hooks{}, quiet, clock.now).Usage()))
				seen, _ := g.sum(store, "2026-11-22")
				if seen > requests {
					t.Fatalf("%d requests were counted as %d", requests, seen)
				}
				return seen == requests // all of them, those while Redis was away included, and none twice
			})
		})
	}
}

// TestUsageWithoutRedis holds that the reading of others' counts says when it cannot.
func TestUsageWithoutRedis(t *testing.T) {
	l := New(lost(t), Hooks{}, quiet)
	take(t, l, Request{StoreID: "sto_1"})
	if own := l.Usage().Own(); len(own) != 1 || own[0].Requests != 1 {
		t.Errorf("own: %+v", own)
	}
	if _, err := l.Usage().Others(t.Context()); err == nil {
		t.Error("no error")
	}
}

// TestUsageOfAKilledProcess kills a process amid parallel requests, ten times, and holds
// that every request that it answered is counted.
func TestUsageOfAKilledProcess(t *testing.T) {
	client := redistest.Client(t)
	prefix := client.Key()
	url := os.Getenv("STOA_TEST_REDIS_URL")
	if url == "" {
		server := redistest.Start(t)
		url = server.URL()
		client = redistest.OpenWith(t, redis.Config{URL: url, Prefix: prefix, Quick: 5 * time.Second, Patient: 5 * time.Second})
	}
	const workers = 8
	answered := int64(0)
	for range 10 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
		cmd.Env = append(os.Environ(), "LIMITS_HELPER="+strconv.Itoa(workers), "LIMITS_URL="+url, "LIMITS_PREFIX="+prefix)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if strings.HasPrefix(lines.Text(), "answered") {
				answered++
			}
			if n == 100 {
				_ = cmd.Process.Kill() // and count what it still had answered
			}
		}
		_ = cmd.Wait()
	}
	g := ledger{}
	g.write(others(t, New(client, Hooks{}, quiet).Usage()))
	counted := int64(0)
	for _, c := range g {
		counted += c.Requests
	}
	if counted < answered || counted > answered+10*workers {
		t.Errorf("%d requests answered, %d counted", answered, counted)
	}
	t.Logf("%d requests answered, %d counted in %d generations", answered, counted, len(g))
}

// TestHelperProcess is the process that TestUsageOfAKilledProcess kills. By itself it
// does nothing.
func TestHelperProcess(t *testing.T) {
	workers, _ := strconv.Atoi(os.Getenv("LIMITS_HELPER"))
	if workers == 0 {
		return
	}
	client := redistest.OpenWith(t, redis.Config{URL: os.Getenv("LIMITS_URL"), Prefix: os.Getenv("LIMITS_PREFIX"), Quick: 5 * time.Second})
	l := New(client, Hooks{}, quiet)
	var wg sync.WaitGroup
	var failed atomic.Bool
	for range workers {
		wg.Go(func() {
			for !failed.Load() {
				d, err := l.Take(context.Background(), Request{StoreID: "sto_1", Policies: []Policy{perDay("store-day", "sto_1", 1<<40)}})
				if err != nil || d.Degraded {
					failed.Store(true)
					return
				}
				if _, err := os.Stdout.WriteString("answered\n"); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}
