package observability

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// LimiterMetrics counts the decisions of the rate limiter.
type LimiterMetrics struct {
	decisions      *prometheus.CounterVec
	duration       *prometheus.HistogramVec
	degraded       prometheus.Gauge
	fallbacks      prometheus.Counter
	storeOverTotal prometheus.Counter
	classes        *observers[LimiterObserver]
}

func newLimiterMetrics(r prometheus.Registerer) *LimiterMetrics {
	m := &LimiterMetrics{
		decisions: counters(r, "stoa_limiter_decisions_total",
			"Requests that the rate limiter let through or refused, by class of operation.",
			"class", "decision"),
		duration: histograms(r, "stoa_limiter_duration_seconds",
			"Time that a decision of the rate limiter took, by class of operation.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1}, "class"),
		degraded: gauge(r, "stoa_limiter_degraded",
			"1 while the limits are kept within this process because Redis does not answer."),
		fallbacks: counter(r, "stoa_limiter_fallbacks_total",
			"Decisions taken within this process because Redis did not answer."),
		storeOverTotal: counter(r, "stoa_limiter_store_overruns_total",
			"Requests to shops of stores above their plan's total; they are answered nevertheless."),
	}
	m.classes = newObservers(func(class string) *LimiterObserver {
		decisions := zeroed(m.decisions, []string{"allowed", "limited"}, class)
		return &LimiterObserver{allowed: decisions[0], limited: decisions[1], duration: m.duration.WithLabelValues(class)}
	})
	return m
}

// Class gives the observer of one class of operations, the contract's x-limit.
func (m *LimiterMetrics) Class(name string) *LimiterObserver { return m.classes.get(name) }

// SetDegraded says whether limits are kept within this process alone.
func (m *LimiterMetrics) SetDegraded(degraded bool) { set(m.degraded, degraded) }

// FellBack counts a decision taken within this process because Redis did not answer.
func (m *LimiterMetrics) FellBack() { m.fallbacks.Inc() }

// StoreOverTotal counts a shopper's request to a store above its plan's total. It is
// answered: a shop is never closed by its own success.
func (m *LimiterMetrics) StoreOverTotal() { m.storeOverTotal.Inc() }

// LimiterObserver counts the decisions of one class of operations.
type LimiterObserver struct {
	allowed, limited prometheus.Counter
	duration         prometheus.Observer
}

// Decided counts one decision and the time that it took.
func (o *LimiterObserver) Decided(allowed bool, took time.Duration) {
	if allowed {
		o.allowed.Inc()
	} else {
		o.limited.Inc()
	}
	o.duration.Observe(took.Seconds())
}
