package alerts

//go:generate go run ./generate

import (
	"fmt"
	"strconv"
	"strings"
)

// Objective is a promise over 30 days: of what is counted by Total, no more than Budget may
// be counted by Bad.
type Objective struct {
	Of      string  // whose promise it is: api, shop, checkout, webhooks, queue
	Promise string  // availability, latency, delivery or age
	Words   string  // the promise in a sentence
	Budget  float64 // the share that may be bad
	Bad     string  // PromQL: bad ones a second over the last five minutes
	Total   string  // PromQL: all of them a second over the last five minutes
}

// What requests are whose: pages of shops, pages of the platform, and all others are the API's.
// A checkout is what a shopper needs to pay, by either door.
const (
	api      = `operation!~"page[.].*|site[.].*|unmatched"`
	shop     = `operation=~"page[.].*"`
	checkout = `operation=~"page[.]checkout.*|completeCart|checkCartPayment"`
)

// Objectives are all promises that are kept watch over. The latencies are buckets of
// stoa_http_request_duration_seconds, that of deliveries one of stoa_queue_job_delay_seconds.
var Objectives = []Objective{
	available("api", api, 0.001, "99.9 % of the API's requests are not answered with a 5xx."),
	inTime("api", api, "0.3", 0.01, "99 % of the API's successful requests are answered within 300 ms."),
	available("shop", shop, 0.001, "99.9 % of the shops' pages are not answered with a 5xx."),
	inTime("shop", shop, "0.3", 0.01, "99 % of the shops' pages that succeed are answered within 300 ms."),
	available("checkout", checkout, 0.0005, "99.95 % of the requests of a checkout are not answered with a 5xx."),
	inTime("checkout", checkout, "1", 0.01, "99 % of the requests of a checkout that succeed are answered within a second, the payment provider's time included."),
	{
		Of: "webhooks", Promise: "delivery", Budget: 0.01,
		Words: "99 % of all attempts to deliver a webhook begin within 15 s of when they are due.",
		Bad:   `sum(rate(stoa_queue_job_delay_seconds_count{kind="webhook_deliver"}[5m])) - sum(rate(stoa_queue_job_delay_seconds_bucket{kind="webhook_deliver",le="15"}[5m]))`,
		Total: `sum(rate(stoa_queue_job_delay_seconds_count{kind="webhook_deliver"}[5m]))`,
	},
	{
		// Not a rate but a moment's truth, 1 while any cell is late: its mean is the share of time.
		Of: "queue", Promise: "age", Budget: 0.001,
		Words: "99.9 % of the time, nothing waits in any cell's outbox for more than 60 s.",
		Bad:   `max(stoa_queue_outbox_oldest_age_seconds and (time() - stoa_queue_measured_timestamp_seconds) < 300) > bool 60`,
		Total: `vector(1)`,
	},
}

func available(of, requests string, budget float64, words string) Objective {
	return Objective{
		Of: of, Promise: "availability", Budget: budget, Words: words,
		Bad:   `sum(rate(stoa_http_requests_total{` + requests + `,status="5xx"}[5m]))`,
		Total: `sum(rate(stoa_http_requests_total{` + requests + `}[5m]))`,
	}
}

func inTime(of, requests, seconds string, budget float64, words string) Objective {
	requests += `,status=~"2xx|3xx"`
	total := `sum(rate(stoa_http_request_duration_seconds_count{` + requests + `}[5m]))`
	return Objective{
		Of: of, Promise: "latency", Budget: budget, Words: words, Total: total,
		Bad: total + ` - sum(rate(stoa_http_request_duration_seconds_bucket{` + requests + `,le="` + seconds + `"}[5m]))`,
	}
}

// burn is a pair of windows of the Site Reliability Workbook: the budget burns at a multiple of
// its even rate over the long one (it matters) and over the short one (it still goes on).
type burn struct {
	long, short string
	hours       int // of the long one
	times       float64
	severity    string
}

var burns = []burn{
	{"1h", "5m", 1, 14.4, "page"}, // 2 % of the budget in an hour
	{"6h", "30m", 6, 6, "page"},   // 5 % in six hours
	{"1d", "2h", 24, 3, "ticket"}, // 10 % in a day
	{"3d", "6h", 72, 1, "ticket"}, // 10 % in three days
}

// least is how many bad ones (of the queue: seconds) the long window must have besides, so that
// a single failure of a quiet night wakes nobody.
const least = 3

// burning are the alerts of the promises, by what each is about.
var burning = []struct{ promise, alert, fast, slowly string }{
	{"availability", "ErrorBudgetBurns", "So many requests of {{ $labels.of }} fail with 5xx that a month's error budget would be gone within days.",
		"Requests of {{ $labels.of }} fail with 5xx at a rate that the error budget does not bear for a month."},
	{"latency", "LatencyBudgetBurns", "So many requests of {{ $labels.of }} are slow that a month's latency budget would be gone within days.",
		"Requests of {{ $labels.of }} are slow at a rate that the latency budget does not bear for a month."},
	{"delivery", "DeliveryBudgetBurns", "So many webhooks go out late that a month's budget would be gone within days.",
		"Webhooks go out late at a rate that the budget does not bear for a month."},
	{"age", "QueueBudgetBurns", "The queue is late for so long that a month's budget would be gone within days.",
		"The queue is late for a share of time that the budget does not bear for a month."},
}

// ObjectiveRules is the rule file of the objectives.
func ObjectiveRules() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Generated from objectives.go; change it there, and run go generate ./observability/alerts.")
	line("#")
	line("# Only the first group looks at raw series. Long windows are means over what it records, because a")
	line("# rate of three days over every operation would cost more than Prometheus allows a query.")
	line("groups:\n  - name: stoa-objectives\n    rules:")
	for _, o := range Objectives {
		line("      # %s", o.Words)
		for _, r := range []struct{ name, expr string }{
			{"bad", o.Bad}, {"total", o.Total}, {"budget", "vector(" + number(o.Budget) + ")"},
		} {
			line("      - record: stoa:objective_%s:rate5m\n        expr: %s\n        labels: {of: %s, promise: %s}", r.name, r.expr, o.Of, o.Promise)
		}
	}
	line("\n  # How fast each budget burns: at 1 it lasts exactly 30 days.\n  - name: stoa-burn\n    rules:")
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"} {
		share := "stoa:objective_bad:rate5m / stoa:objective_total:rate5m"
		if window != "5m" {
			share = fmt.Sprintf("avg_over_time(stoa:objective_bad:rate5m[%s]) / avg_over_time(stoa:objective_total:rate5m[%[1]s])", window)
		}
		line("      - record: stoa:objective_burn:%s\n        expr: %s / stoa:objective_budget:rate5m", window, share)
	}
	line("\n  - name: stoa-budgets\n    rules:")
	for _, a := range burning {
		alertRule(line, a.promise, a.alert+"Fast", a.fast, "page")
		alertRule(line, a.promise, a.alert+"Slowly", a.slowly, "ticket")
	}
	return b.String()
}

func alertRule(line func(string, ...any), promise, name, summary, severity string) {
	line("      - alert: %s\n        expr: >-", name)
	or := ""
	for _, w := range burns {
		if w.severity == severity {
			line("          %s(stoa:objective_burn:%s{promise=%q} > %s and stoa:objective_burn:%s > %s\n          and avg_over_time(stoa:objective_bad:rate5m[%s]) > %d / %d)",
				or, w.long, promise, number(w.times), w.short, number(w.times), w.long, least, w.hours*3600)
			or = "or "
		}
	}
	line("        labels:\n          severity: %s\n        annotations:\n          summary: %q\n          runbook_url: %s%s", severity, summary, runbooks, Runbook(name))
}

// runbooks is where the alerts' links lead.
const runbooks = "https://github.com/stoacommerce/stoa/blob/main/docs/runbooks/"

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Runbook is the file of an alert's runbook in docs/runbooks: its name in small letters.
func Runbook(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String()) + ".md"
}
