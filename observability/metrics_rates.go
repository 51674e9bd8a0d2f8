package observability

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// RateMetrics counts what merchants' services were asked about carts.
type RateMetrics struct{ durations *prometheus.HistogramVec }

func newRateMetrics(r prometheus.Registerer) *RateMetrics {
	m := &RateMetrics{histograms(r, "stoa_rate_service_duration_seconds",
		"Time that merchants' carriers and tax services took to answer, by kind and outcome.",
		[]float64{.025, .05, .1, .25, .5, 1, 2, 3}, "kind", "outcome")}
	for _, kind := range []string{"carrier", "tax"} {
		for _, outcome := range []string{"answered", "invalid", "timed_out", "failed"} {
			m.durations.WithLabelValues(kind, outcome) // is there from the start
		}
	}
	return m
}

// Asked counts a question. Kind and outcome are of closed sets.
func (m *RateMetrics) Asked(kind, outcome string, took time.Duration) {
	m.durations.WithLabelValues(kind, outcome).Observe(took.Seconds())
}
