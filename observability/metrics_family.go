package observability

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// observers keeps one observer a name, made on first sight, so that asking twice for
// the same name gives the same observer.
type observers[T any] struct {
	mu    sync.Mutex
	named map[string]*T
	make  func(name string) *T
}

func newObservers[T any](make func(name string) *T) *observers[T] {
	return &observers[T]{named: map[string]*T{}, make: make}
}

func (o *observers[T]) get(name string) *T {
	o.mu.Lock()
	defer o.mu.Unlock()
	found, ok := o.named[name]
	if !ok {
		found = o.make(name)
		o.named[name] = found
	}
	return found
}

// zeroed resolves a counter for each of the closed set of last label values, so that
// all of them are there from the start.
func zeroed(vec *prometheus.CounterVec, last []string, first ...string) []prometheus.Counter {
	counters := make([]prometheus.Counter, len(last))
	for i, value := range last {
		counters[i] = vec.WithLabelValues(append(append([]string(nil), first...), value)...)
	}
	return counters
}

func counter(r prometheus.Registerer, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	r.MustRegister(c)
	return c
}

func counters(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func gauge(r prometheus.Registerer, name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	r.MustRegister(g)
	return g
}

func gauges(r prometheus.Registerer, name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func histograms(r prometheus.Registerer, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(v)
	return v
}

// set turns a truth into a gauge's 1 or 0.
func set(g prometheus.Gauge, truth bool) {
	if truth {
		g.Set(1)
	} else {
		g.Set(0)
	}
}
