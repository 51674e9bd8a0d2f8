package observability

import (
	"cmp"
	"container/heap"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// countersPerListed is how many stores are counted for each that is listed. A store
// with more than a share of 1/(listed × countersPerListed) of all requests is never
// missed.
const countersPerListed = 12

var (
	busiestDesc = prometheus.NewDesc("stoa_busiest_store_requests_per_second",
		"Requests a second of the busiest stores in the last full interval (a lower bound); the other stores are not listed.",
		[]string{"store"}, nil)
	slowestDesc = prometheus.NewDesc("stoa_slowest_store_busy_ratio",
		"Seconds spent on answers a second, of the stores that took most in the last full interval (a lower bound).",
		[]string{"store"}, nil)
	limitedDesc = prometheus.NewDesc("stoa_limited_store_refusals_per_second",
		"Answers 429 a second of the stores with most of them in the last full interval (a lower bound).",
		[]string{"store"}, nil)
	storeRequestsDesc = prometheus.NewDesc("stoa_store_requests_per_second",
		"Requests a second by how they ended, of the stores in any of the three lists.", []string{"store", "outcome"}, nil)
	storeSecondsDesc = prometheus.NewDesc("stoa_store_request_duration_seconds",
		"Mean time to an answer, of the stores in any of the three lists.", []string{"store"}, nil)
)

// storeOutcomes are the values of the label outcome, in the order of doings.outcomes.
var storeOutcomes = []string{"answered", "refused", "limited", "failed"}

// outcomeOf is the place in storeOutcomes of an answer's status.
func outcomeOf(status int) int {
	switch {
	case status == http.StatusTooManyRequests:
		return 2
	case status >= 100 && status < 400:
		return 0
	case status >= 400 && status < 500:
		return 1
	}
	return 3
}

// BusiestStores lists the stores with most requests, those that took most time and those that
// were limited most, in bounded memory and with a bounded number of series however many stores
// there are. It counts by the space-saving algorithm (Metwally, Agrawal, El Abbadi 2005) and
// begins anew with every interval. The lists shown are those of the last full interval, and until
// there is one, the running one's.
type BusiestStores struct {
	listed   int
	interval time.Duration
	now      func() time.Time

	mu      sync.Mutex
	running lists[sketch]
	began   time.Time
	last    *lists[[]storeRate] // of the last full interval; nil before there is one
}

// lists are the three orders in which stores stand out.
type lists[T any] struct{ busiest, slowest, limited T }

// storeRate is what a store did, a second.
type storeRate struct {
	store string
	rate  float64 // of what its list goes by
	doings
}

// doings are what is known of a store's requests: how many ended how, and the time they took.
type doings struct {
	outcomes [4]float64
	seconds  float64
}

func (d doings) requests() float64 {
	return d.outcomes[0] + d.outcomes[1] + d.outcomes[2] + d.outcomes[3]
}

func newBusiestStores(r prometheus.Registerer, listed int, interval time.Duration, now func() time.Time) *BusiestStores {
	size := listed * countersPerListed
	b := &BusiestStores{
		listed: listed, interval: interval, now: now,
		running: lists[sketch]{newSketch(size), newSketch(size), newSketch(size)}, began: now(),
	}
	r.MustRegister(b)
	return b
}

// Count counts one request of a store, answered with a status after some time.
func (b *BusiestStores) Count(store string, status int, took time.Duration) {
	if store == "" {
		return
	}
	outcome, seconds := outcomeOf(status), max(took.Seconds(), 0)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running.busiest.count(store, 1, outcome, seconds)
	b.running.slowest.count(store, seconds, outcome, seconds)
	if status == http.StatusTooManyRequests {
		b.running.limited.count(store, 1, outcome, seconds)
	}
}

// Describe implements prometheus.Collector.
func (b *BusiestStores) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{busiestDesc, slowestDesc, limitedDesc, storeRequestsDesc, storeSecondsDesc} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (b *BusiestStores) Collect(to chan<- prometheus.Metric) {
	top := b.top()
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	known := map[string]doings{}
	for _, list := range []struct {
		desc   *prometheus.Desc
		stores []storeRate
	}{{busiestDesc, top.busiest}, {slowestDesc, top.slowest}, {limitedDesc, top.limited}} {
		for _, s := range list.stores {
			send(list.desc, s.rate, s.store)
			// A store may have come into one list later than into another, which knows more of it.
			if before, listed := known[s.store]; !listed || before.requests() < s.requests() {
				known[s.store] = s.doings
			}
		}
	}
	for store, did := range known {
		for i, outcome := range storeOutcomes {
			send(storeRequestsDesc, did.outcomes[i], store, outcome)
		}
		send(storeSecondsDesc, did.seconds/did.requests(), store)
	}
}

// top are the lists to show. Asking for them ends an interval that has run its time, so
// that no timer is needed: what nobody looks at need not be fresh.
func (b *BusiestStores) top() lists[[]storeRate] {
	b.mu.Lock()
	defer b.mu.Unlock()
	elapsed := b.now().Sub(b.began)
	if elapsed < b.interval {
		if b.last != nil {
			return *b.last
		}
		return b.rank(max(elapsed, time.Second))
	}
	top := b.rank(elapsed)
	b.last = &top
	for _, s := range []*sketch{&b.running.busiest, &b.running.slowest, &b.running.limited} {
		s.reset()
	}
	b.began = b.began.Add(elapsed)
	return top
}

func (b *BusiestStores) rank(elapsed time.Duration) lists[[]storeRate] {
	r := &b.running
	return lists[[]storeRate]{r.busiest.top(b.listed, elapsed), r.slowest.top(b.listed, elapsed), r.limited.top(b.listed, elapsed)}
}

// sketch weighs at most size names. A new name takes the place of the lightest one and inherits
// its weight, remembered as the excess that its own weight may contain.
type sketch struct {
	size   int
	byName map[string]*tally
	heap   tallies
}

type tally struct {
	name          string
	count, excess float64 // of count, at most excess belong to others
	place         int     // in the heap
	doings                // since the name is in the sketch
}

func newSketch(size int) sketch {
	return sketch{size: size, byName: make(map[string]*tally, size)}
}

// count adds a weight to a name, and what it did.
func (s *sketch) count(name string, weight float64, outcome int, seconds float64) {
	t, known := s.byName[name]
	switch {
	case known:
	case len(s.heap) < s.size:
		t = &tally{name: name}
		s.byName[name] = t
		heap.Push(&s.heap, t)
	default:
		t = s.heap[0]
		delete(s.byName, t.name)
		t.name, t.excess, t.doings = name, t.count, doings{}
		s.byName[name] = t
	}
	t.count += weight
	t.outcomes[outcome]++
	t.seconds += seconds
	heap.Fix(&s.heap, t.place)
}

// top is the n names with the most weight that was surely theirs.
func (s *sketch) top(n int, elapsed time.Duration) []storeRate {
	sorted := slices.SortedFunc(slices.Values(s.heap), func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.count-b.excess, a.count-a.excess), cmp.Compare(a.name, b.name))
	})
	rates := make([]storeRate, 0, n)
	for _, t := range sorted[:min(n, len(sorted))] {
		r := storeRate{store: t.name, rate: (t.count - t.excess) / elapsed.Seconds(), doings: t.doings}
		for i := range r.outcomes {
			r.outcomes[i] /= elapsed.Seconds()
		}
		r.seconds /= elapsed.Seconds()
		rates = append(rates, r)
	}
	return rates
}

func (s *sketch) reset() {
	clear(s.byName)
	s.heap = s.heap[:0]
}

// tallies is a heap with the lightest on top.
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
