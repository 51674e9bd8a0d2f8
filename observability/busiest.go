package observability

import (
	"cmp"
	"container/heap"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// countersPerListed is how many stores are counted for each that is listed. A store
// with more than a share of 1/(listed × countersPerListed) of all requests is never
// missed.
const countersPerListed = 12

var busiestDesc = prometheus.NewDesc("stoa_busiest_store_requests_per_second",
	"Requests a second of the busiest stores in the last full interval (a lower bound); the other stores are not listed.",
	[]string{"store"}, nil)

// BusiestStores lists the stores with most requests, in bounded memory and with a
// bounded number of series however many stores there are. It counts by the
// space-saving algorithm (Metwally, Agrawal, El Abbadi 2005) and begins anew with
// every interval. The list shown is that of the last full interval, and until there
// is one, the running one's.
type BusiestStores struct {
	listed   int
	interval time.Duration
	now      func() time.Time

	mu      sync.Mutex
	running sketch
	began   time.Time
	last    []storeRate // of the last full interval; nil before there is one
}

type storeRate struct {
	store string
	rate  float64
}

func newBusiestStores(r prometheus.Registerer, listed int, interval time.Duration, now func() time.Time) *BusiestStores {
	b := &BusiestStores{
		listed: listed, interval: interval, now: now,
		running: newSketch(listed * countersPerListed), began: now(),
	}
	r.MustRegister(b)
	return b
}

// Count counts one request of a store.
func (b *BusiestStores) Count(store string) {
	if store == "" {
		return
	}
	b.mu.Lock()
	b.running.count(store)
	b.mu.Unlock()
}

// Describe implements prometheus.Collector.
func (b *BusiestStores) Describe(to chan<- *prometheus.Desc) { to <- busiestDesc }

// Collect implements prometheus.Collector.
func (b *BusiestStores) Collect(to chan<- prometheus.Metric) {
	for _, s := range b.top() {
		to <- prometheus.MustNewConstMetric(busiestDesc, prometheus.GaugeValue, s.rate, s.store)
	}
}

// top is the list to show. Asking for it ends an interval that has run its time, so
// that no timer is needed: what nobody looks at need not be fresh.
func (b *BusiestStores) top() []storeRate {
	b.mu.Lock()
	defer b.mu.Unlock()
	elapsed := b.now().Sub(b.began)
	if elapsed < b.interval {
		if b.last != nil {
			return b.last
		}
		return b.running.top(b.listed, max(elapsed, time.Second))
	}
	b.last = b.running.top(b.listed, elapsed)
	b.running.reset()
	b.began = b.began.Add(elapsed)
	return b.last
}

// sketch counts at most size names. A new name takes the place of the least counted
// one and inherits its count, remembered as the excess that its own count may contain.
type sketch struct {
	size   int
	byName map[string]*tally
	heap   tallies
}

type tally struct {
	name          string
	count, excess uint64 // of count, at most excess belong to others
	place         int    // in the heap
}

func newSketch(size int) sketch {
	return sketch{size: size, byName: make(map[string]*tally, size)}
}

func (s *sketch) count(name string) {
	if t, ok := s.byName[name]; ok {
		t.count++
		heap.Fix(&s.heap, t.place)
		return
	}
	if len(s.heap) < s.size {
		t := &tally{name: name, count: 1}
		s.byName[name] = t
		heap.Push(&s.heap, t)
		return
	}
	least := s.heap[0]
	delete(s.byName, least.name)
	least.name, least.excess = name, least.count
	least.count++
	s.byName[name] = least
	heap.Fix(&s.heap, 0)
}

// top is the n names with the most requests that were surely theirs.
func (s *sketch) top(n int, elapsed time.Duration) []storeRate {
	sorted := slices.SortedFunc(slices.Values(s.heap), func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.count-b.excess, a.count-a.excess), cmp.Compare(a.name, b.name))
	})
	rates := make([]storeRate, 0, n)
	for _, t := range sorted[:min(n, len(sorted))] {
		rates = append(rates, storeRate{t.name, float64(t.count-t.excess) / elapsed.Seconds()})
	}
	return rates
}

func (s *sketch) reset() {
	clear(s.byName)
	s.heap = s.heap[:0]
}

// tallies is a heap with the least count on top.
type tallies []*tally

func (h tallies) Len() int           { return len(h) }
func (h tallies) Less(i, j int) bool { return h[i].count < h[j].count }
func (h tallies) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements heap.Interface.
func (h *tallies) Push(x any) {
	t := x.(*tally)
	t.place = len(*h)
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *tallies) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	return t
}
