package observability

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

type handClock struct{ at time.Time }

func (c *handClock) now() time.Time { return c.at }

func busiest(listed int) (*BusiestStores, *handClock) {
	clock := &handClock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	return newBusiestStores(prometheus.NewRegistry(), listed, time.Minute, clock.now), clock
}

func countTimes(b *BusiestStores, store string, n int) {
	for range n {
		b.Count(store, 200, time.Millisecond)
	}
}

// share is a store and what its list goes by.
type share struct {
	store string
	rate  float64
}

// shown are the busiest.
func shown(b *BusiestStores) []share {
	var list []share
	for _, s := range b.top().busiest {
		list = append(list, share{s.store, s.rate})
	}
	return list
}

// TestStoresStandOutByWhatTheyDo has a busy store, one whose requests take long, and one that is
// limited: each leads its list, and of each it is told what it did.
func TestStoresStandOutByWhatTheyDo(t *testing.T) {
	b, clock := busiest(1)
	for range 120 {
		b.Count("busy", 200, 125*time.Millisecond)
	}
	for range 12 {
		b.Count("slow", 200, 3*time.Second)
		b.Count("slow", 503, 2*time.Second)
	}
	for range 60 {
		b.Count("limited", 429, 0)
		b.Count("limited", 404, 0)
	}
	clock.at = clock.at.Add(time.Minute)
	if err := testutil.CollectAndCompare(b, strings.NewReader(`
		# HELP stoa_slowest_store_busy_ratio Seconds spent on answers a second, of the stores that took most in the last full interval (a lower bound).
		# TYPE stoa_slowest_store_busy_ratio gauge
		stoa_slowest_store_busy_ratio{store="slow"} 1
		# HELP stoa_limited_store_refusals_per_second Answers 429 a second of the stores with most of them in the last full interval (a lower bound).
		# TYPE stoa_limited_store_refusals_per_second gauge
		stoa_limited_store_refusals_per_second{store="limited"} 1
		# HELP stoa_store_request_duration_seconds Mean time to an answer, of the stores in any of the three lists.
		# TYPE stoa_store_request_duration_seconds gauge
		stoa_store_request_duration_seconds{store="busy"} 0.125
		stoa_store_request_duration_seconds{store="limited"} 0
		stoa_store_request_duration_seconds{store="slow"} 2.5
	`), "stoa_slowest_store_busy_ratio", "stoa_limited_store_refusals_per_second", "stoa_store_request_duration_seconds"); err != nil {
		t.Error(err)
	}
	if top := shown(b); len(top) != 1 || top[0].store != "busy" {
		t.Errorf("the busiest is %v", top)
	}
}

func TestBusiestStoresFindsHeavyHittersAmongMany(t *testing.T) {
	b, clock := busiest(20)
	random := rand.New(rand.NewPCG(1, 2))
	var requests []string
	for i := range 20 {
		for range 600 + 10*i {
			requests = append(requests, fmt.Sprintf("heavy_%02d", i))
		}
	}
	for i := range 50_000 {
		requests = append(requests, fmt.Sprintf("light_%05d", i%10_000))
	}
	random.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
	for _, store := range requests {
		b.Count(store, 200, time.Millisecond)
	}
	clock.at = clock.at.Add(time.Minute)
	top := b.top().busiest
	if len(top) != 20 {
		t.Fatalf("%d stores listed", len(top))
	}
	for _, s := range top {
		var i int
		if _, err := fmt.Sscanf(s.store, "heavy_%02d", &i); err != nil {
			t.Errorf("%s is listed, a light one", s.store)
			continue
		}
		if truth := float64(600+10*i) / 60; s.rate > truth {
			t.Errorf("%s shows %v/s, more than its true %v/s", s.store, s.rate, truth)
		}
	}
	if len(b.running.busiest.byName) != 0 || len(b.running.busiest.heap) != 0 {
		t.Error("the next interval does not begin empty")
	}
}

func TestBusiestStoresShowTheLastFullInterval(t *testing.T) {
	b, clock := busiest(2)
	countTimes(b, "a", 30)
	clock.at = clock.at.Add(30 * time.Second)
	if top := shown(b); len(top) != 1 || top[0] != (share{"a", 1}) {
		t.Errorf("before the first full interval: %v", top)
	}
	countTimes(b, "a", 30)
	countTimes(b, "b", 120)
	countTimes(b, "c", 6)
	countTimes(b, "", 1000)
	clock.at = clock.at.Add(30 * time.Second)
	want := []share{{"b", 2}, {"a", 1}}
	for range 2 {
		if top := shown(b); len(top) != 2 || top[0] != want[0] || top[1] != want[1] {
			t.Errorf("after a full interval: %v, want %v", top, want)
		}
	}
	countTimes(b, "c", 60)
	clock.at = clock.at.Add(59 * time.Second)
	if top := shown(b); top[0] != want[0] {
		t.Errorf("within the next interval: %v, want %v", top, want)
	}
	clock.at = clock.at.Add(time.Second)
	if top := shown(b); len(top) != 1 || top[0] != (share{"c", 1}) {
		t.Errorf("after the next interval: %v", top)
	}
}

func TestBusiestStoresAreBounded(t *testing.T) {
	b, clock := busiest(20)
	for i := range 100_000 {
		b.Count(fmt.Sprintf("store_%d", i), []int{200, 429}[i%2], time.Millisecond)
	}
	if n := len(b.running.busiest.byName) + len(b.running.slowest.byName) + len(b.running.limited.byName); n != 3*20*countersPerListed {
		t.Errorf("%d stores counted, want %d", n, 3*20*countersPerListed)
	}
	clock.at = clock.at.Add(time.Minute)
	// Three lists, and of at most as many stores four outcomes and a mean.
	if n := testutil.CollectAndCount(b); n > 3*20*(1+4+1) {
		t.Errorf("%d series, want at most %d", n, 3*20*6)
	}
}

func TestSketchHeapStaysOrdered(t *testing.T) {
	s := newSketch(16)
	random := rand.New(rand.NewPCG(3, 4))
	var counted float64
	for range 20_000 {
		s.count(fmt.Sprintf("n%d", random.IntN(40)), 1, 0, 0)
		counted++
	}
	var sum float64
	for i, entry := range s.heap {
		if entry.place != i || s.byName[entry.name] != entry {
			t.Fatalf("entry %d is misplaced", i)
		}
		if i > 0 && s.heap[(i-1)/2].count > entry.count {
			t.Fatalf("heap is out of order at %d", i)
		}
		sum += entry.count
	}
	if sum != counted {
		t.Errorf("counts sum to %v, want %v: space-saving keeps the total", sum, counted)
	}
}
