package observability

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DeliveryOutcome is how one attempt to deliver a webhook ended.
type DeliveryOutcome int

// The ends of an attempt.
const (
	Delivered           DeliveryOutcome = iota // a 2xx in time
	DeliveryRefused                            // any other answer, redirects included
	DeliveryTimedOut                           // no answer in time
	DeliveryUnreachable                        // no connection: name, address, TLS
	DeliveryBlocked                            // an address that the platform does not call
	DeliveryGone                               // 410: the endpoint wants no more
)

var deliveryOutcomes = []string{"delivered", "refused", "timed_out", "unreachable", "blocked", "gone"}

// WebhookMetrics counts attempts to deliver webhooks.
type WebhookMetrics struct {
	attempts  []prometheus.Counter
	durations []prometheus.Observer
	disabled  prometheus.Counter
}

func newWebhookMetrics(r prometheus.Registerer) *WebhookMetrics {
	durations := histograms(r, "stoa_webhook_attempt_duration_seconds",
		"Time that an attempt to deliver a webhook took, by outcome.",
		[]float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15}, "outcome")
	m := &WebhookMetrics{
		attempts: zeroed(counters(r, "stoa_webhook_attempts_total",
			"Attempts to deliver a webhook, by outcome.", "outcome"), deliveryOutcomes),
		disabled: counter(r, "stoa_webhook_endpoints_disabled_total",
			"Endpoints disabled after days of failure, or because they answered 410."),
	}
	for _, outcome := range deliveryOutcomes {
		m.durations = append(m.durations, durations.WithLabelValues(outcome))
	}
	return m
}

// Attempted counts one attempt.
func (m *WebhookMetrics) Attempted(outcome DeliveryOutcome, took time.Duration) {
	m.attempts[outcome].Inc()
	m.durations[outcome].Observe(took.Seconds())
}

// EndpointDisabled counts an endpoint that the platform gave up.
func (m *WebhookMetrics) EndpointDisabled() { m.disabled.Inc() }
