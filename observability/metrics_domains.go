package observability

import "github.com/prometheus/client_golang/prometheus"

// DomainMetrics counts the certificates that are asked for, for merchants' own domains.
type DomainMetrics struct{ issued, refused prometheus.Counter }

func newDomainMetrics(r prometheus.Registerer) *DomainMetrics {
	list := zeroed(counters(r, "stoa_certificates_total", "Certificates that were asked for, for merchants' own domains, by outcome.", "outcome"), []string{"issued", "refused"})
	return &DomainMetrics{list[0], list[1]}
}

// Certified counts a certificate that was asked for; err says why it was not given.
func (m *DomainMetrics) Certified(err error) {
	if err != nil {
		m.refused.Inc()
		return
	}
	m.issued.Inc()
}
