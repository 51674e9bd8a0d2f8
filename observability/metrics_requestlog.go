package observability

import "github.com/prometheus/client_golang/prometheus"

// RequestLogMetrics counts what becomes of the calls that are to be kept.
type RequestLogMetrics struct{ calls *prometheus.CounterVec }

func newRequestLogMetrics(r prometheus.Registerer) *RequestLogMetrics {
	m := &RequestLogMetrics{counters(r, "stoa_request_log_calls_total",
		"Calls of the API by what became of them in the request log: written, or dropped as too many came (full) or the database did not take them (failed).", "outcome")}
	for _, outcome := range []string{"written", "full", "failed"} {
		m.calls.WithLabelValues(outcome) // is there from the start
	}
	return m
}

// Written counts calls that are kept.
func (m *RequestLogMetrics) Written(calls int) { m.Dropped("written", calls) }

// Dropped counts calls that are not, by the reason. Reasons are of a closed set.
func (m *RequestLogMetrics) Dropped(why string, calls int) {
	m.calls.WithLabelValues(why).Add(float64(calls))
}
