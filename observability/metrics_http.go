package observability

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// LatencyObjective is within what time a request should be answered. It is a bucket of
// the histogram, and the alert rules ask for that bucket (le="0.3").
const LatencyObjective = 300 * time.Millisecond

var requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .3, .5, 1, 2.5, 5, 10}

// statusClasses are the values of the label status; a status outside them is a 5xx,
// for answering so is a fault of ours.
var statusClasses = []string{"1xx", "2xx", "3xx", "4xx", "5xx"}

const (
	classSuccess = 1 // "2xx" in statusClasses
	classFault   = 4 // "5xx"
)

// HTTPMetrics counts requests by operation, class of status and plan.
type HTTPMetrics struct {
	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	checked    *prometheus.CounterVec
	violations *prometheus.CounterVec
	inFlight   prometheus.Gauge
	panics     prometheus.Counter

	planNames    []string
	planIndex    map[string]int
	planDuration []prometheus.Observer
	operations   *observers[OperationObserver]
}

func newHTTPMetrics(r prometheus.Registerer, plans []string) *HTTPMetrics {
	m := &HTTPMetrics{
		requests: counters(r, "stoa_http_requests_total",
			"Requests answered, by operation, class of status and the store's plan.",
			"operation", "status", "plan"),
		duration: histograms(r, "stoa_http_request_duration_seconds",
			"Time from a request's head to the end of its answer, by operation and class of status.",
			requestBuckets, "operation", "status"),
		checked: counters(r, "stoa_contract_answers_checked_total",
			"Sampled answers that were held against the contract.", "operation"),
		violations: counters(r, "stoa_contract_violations_total",
			"Sampled answers that break the contract.", "operation"),
		inFlight:  gauge(r, "stoa_http_requests_in_flight", "Requests being answered right now."),
		panics:    counter(r, "stoa_http_panics_total", "Panics caught while answering a request."),
		planNames: plans,
		planIndex: map[string]int{},
	}
	byPlan := histograms(r, "stoa_http_plan_request_duration_seconds",
		"Time from a request's head to the end of its answer, by the store's plan.",
		requestBuckets, "plan")
	for i, plan := range plans {
		m.planIndex[plan] = i
		m.planDuration = append(m.planDuration, byPlan.WithLabelValues(plan))
	}
	m.operations = newObservers(m.newOperation)
	return m
}

// Operation gives the observer of one operation: an operationId of the contract, or a
// page's name such as "page.product". The router asks once for each when it is built.
func (m *HTTPMetrics) Operation(name string) *OperationObserver { return m.operations.get(name) }

// Enter counts a request in flight; Leave must follow.
func (m *HTTPMetrics) Enter() { m.inFlight.Inc() }

// Leave ends what Enter began.
func (m *HTTPMetrics) Leave() { m.inFlight.Dec() }

// Panicked counts a caught panic.
func (m *HTTPMetrics) Panicked() { m.panics.Inc() }

func (m *HTTPMetrics) newOperation(name string) *OperationObserver {
	o := &OperationObserver{
		http:       m,
		name:       name,
		checked:    m.checked.WithLabelValues(name),
		violations: m.violations.WithLabelValues(name),
	}
	for class, status := range statusClasses {
		for _, plan := range m.planNames {
			o.requests[class] = append(o.requests[class], m.requests.WithLabelValues(name, status, plan))
		}
	}
	o.durationOf(classSuccess)
	return o
}

// OperationObserver counts the requests of one operation.
type OperationObserver struct {
	http       *HTTPMetrics
	name       string
	requests   [5][]prometheus.Counter // by class of status, then plan
	durations  [5]atomic.Pointer[prometheus.Observer]
	checked    prometheus.Counter
	violations prometheus.Counter
}

// Observe counts one answered request. plan is the store's, or NoPlan.
func (o *OperationObserver) Observe(status int, plan string, d time.Duration) {
	class := status/100 - 1
	if class < 0 || class >= len(statusClasses) {
		class = classFault
	}
	i, known := o.http.planIndex[plan]
	if !known {
		i = o.http.planIndex[NoPlan]
	}
	o.requests[class][i].Inc()
	seconds := d.Seconds()
	(*o.durationOf(class)).Observe(seconds)
	o.http.planDuration[i].Observe(seconds)
}

// durationOf resolves the histogram of a class when it is first seen: sixteen series
// for each class that an operation never answers would be most of all series.
func (o *OperationObserver) durationOf(class int) *prometheus.Observer {
	if found := o.durations[class].Load(); found != nil {
		return found
	}
	made := o.http.duration.WithLabelValues(o.name, statusClasses[class])
	o.durations[class].Store(&made)
	return &made
}

// ContractChecked counts an answer that was held against the contract, and whether it
// kept it.
func (o *OperationObserver) ContractChecked(kept bool) {
	o.checked.Inc()
	if !kept {
		o.violations.Inc()
	}
}
