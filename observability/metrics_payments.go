package observability

import "github.com/prometheus/client_golang/prometheus"

// PaymentMetrics counts what payment providers tell of by themselves, and what differs in
// stores' books.
type PaymentMetrics struct {
	news        *prometheus.CounterVec
	differences *prometheus.GaugeVec
}

func newPaymentMetrics(r prometheus.Registerer) *PaymentMetrics {
	return &PaymentMetrics{
		news:        counters(r, "stoa_payment_news_total", "Events of payment providers, by provider and by what became of them.", "provider", "fate"),
		differences: gauges(r, "stoa_reconciliation_differences", "Differences that comparing the books of stores' live sides has found, by kind.", "kind"),
	}
}

// Provider makes the counters of a provider's fates, so that all are there from the start.
func (m *PaymentMetrics) Provider(provider string, fates ...string) {
	zeroed(m.news, fates, provider)
}

// News counts an event of a provider. Both names are of closed sets.
func (m *PaymentMetrics) News(provider, fate string) { m.news.WithLabelValues(provider, fate).Inc() }

// Differences says how many differences of a kind there are.
func (m *PaymentMetrics) Differences(kind string, n int) {
	m.differences.WithLabelValues(kind).Set(float64(n))
}
