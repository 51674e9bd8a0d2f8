package observability

import "github.com/prometheus/client_golang/prometheus"

// MailMetrics counts what goes wrong in writing mails.
type MailMetrics struct{ failed prometheus.Counter }

func newMailMetrics(r prometheus.Registerer) *MailMetrics {
	return &MailMetrics{counter(r, "stoa_mail_templates_failed_total",
		"Mails that could not be written by the merchant's own template, and went by the default.")}
}

// TemplateFailed counts a mail that went by the default in place of the merchant's own template.
func (m *MailMetrics) TemplateFailed() { m.failed.Inc() }
