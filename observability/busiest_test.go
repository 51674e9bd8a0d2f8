package observability

import (
	"fmt"
	"math/rand/v2"
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
		b.Count(store)
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
		b.Count(store)
	}
	clock.at = clock.at.Add(time.Minute)
	top := b.top()
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
	if len(b.running.byName) != 0 || len(b.running.heap) != 0 {
		t.Error("the next interval does not begin empty")
	}
}

func TestBusiestStoresShowTheLastFullInterval(t *testing.T) {
	b, clock := busiest(2)
	countTimes(b, "a", 30)
	clock.at = clock.at.Add(30 * time.Second)
	if top := b.top(); len(top) != 1 || top[0] != (storeRate{"a", 1}) {
		t.Errorf("before the first full interval: %v", top)
	}
	countTimes(b, "a", 30)
	countTimes(b, "b", 120)
	countTimes(b, "c", 6)
	countTimes(b, "", 1000)
	clock.at = clock.at.Add(30 * time.Second)
	want := []storeRate{{"b", 2}, {"a", 1}}
	for range 2 {
		if top := b.top(); len(top) != 2 || top[0] != want[0] || top[1] != want[1] {
			t.Errorf("after a full interval: %v, want %v", top, want)
		}
	}
	countTimes(b, "c", 60)
	clock.at = clock.at.Add(59 * time.Second)
	if top := b.top(); top[0] != want[0] {
		t.Errorf("within the next interval: %v, want %v", top, want)
	}
	clock.at = clock.at.Add(time.Second)
	if top := b.top(); len(top) != 1 || top[0] != (storeRate{"c", 1}) {
		t.Errorf("after the next interval: %v", top)
	}
}

func TestBusiestStoresAreBounded(t *testing.T) {
	b, clock := busiest(20)
	for i := range 100_000 {
		b.Count(fmt.Sprintf("store_%d", i))
	}
	if n := len(b.running.byName); n != 20*countersPerListed {
		t.Errorf("%d stores counted, want %d", n, 20*countersPerListed)
	}
	clock.at = clock.at.Add(time.Minute)
	if n := testutil.CollectAndCount(b); n != 20 {
		t.Errorf("%d series, want 20", n)
	}
}

func TestSketchHeapStaysOrdered(t *testing.T) {
	s := newSketch(16)
	random := rand.New(rand.NewPCG(3, 4))
	var counted uint64
	for range 20_000 {
		s.count(fmt.Sprintf("n%d", random.IntN(40)))
		counted++
	}
	var sum uint64
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
		t.Errorf("counts sum to %d, want %d: space-saving keeps the total", sum, counted)
	}
}
