package dashboards

// Overview is the first dashboard: whether the platform keeps its promises, what it is
// for, and each of its parts.
func Overview() Dashboard {
	return Dashboard{
		UID:           "stoa-overview",
		Title:         "Stoa: overview",
		Description:   "Generated from observability/dashboards/overview.go; change it there.",
		Tags:          []string{"stoa"},
		GraphTooltip:  1, // one crosshair over all panels
		Refresh:       "30s",
		SchemaVersion: 39,
		Version:       1,
		Timezone:      "browser",
		Time:          TimeRange{From: "now-6h", To: "now"},
		Templating: Templating{List: []Variable{
			{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus", Refresh: 1},
			{
				Name: "cell", Label: "Cell", Type: "query", Datasource: chosen,
				Query:   map[string]any{"query": "label_values(stoa_cell_up, cell)", "refId": "cells"},
				Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
				Current: map[string]any{"text": "All", "value": "$__all"},
			},
		}},
		Panels: layOut([]section{
			objectives(), business(), requests(), limits(), cells(), databases(), queue(), webhooks(), caches(), processes(),
		}),
	}
}

func objectives() section {
	return section{"Do we keep our promises?", []question{
		{
			title: "How fast does the error budget burn?", unit: "suffix:×", width: 8, kind: lines, bad: 14.4,
			about: "Share of requests answered with a 5xx, as a multiple of what the objective (99.9 % over 30 days) allows. At 1 the budget lasts exactly; above 14.4 over an hour somebody is woken.",
			queries: []query{
				{"stoa:http_errors:ratio_rate1h / 0.001", "1 hour"},
				{"stoa:http_errors:ratio_rate6h / 0.001", "6 hours"},
				{"stoa:http_errors:ratio_rate3d / 0.001", "3 days"},
			},
			runbooks: []string{"error-budget-burns-fast", "error-budget-burns-slowly"},
		},
		{
			title: "How fast does the latency budget burn?", unit: "suffix:×", width: 8, kind: lines, bad: 14.4,
			about: "Share of successful requests slower than 300 ms, as a multiple of what the objective (99 % over 30 days) allows.",
			queries: []query{
				{"stoa:http_slow:ratio_rate1h / 0.01", "1 hour"},
				{"stoa:http_slow:ratio_rate6h / 0.01", "6 hours"},
				{"stoa:http_slow:ratio_rate3d / 0.01", "3 days"},
			},
			runbooks: []string{"latency-budget-burns-fast", "latency-budget-burns-slowly"},
		},
		{
			title: "Is every process up?", unit: "short", width: 4, kind: value, badAtZero: true,
			about:    "1 for each process that answers on its operations port.",
			queries:  []query{{`up{job="stoa"}`, "{{instance}}"}},
			runbooks: []string{"process-down", "nothing-runs"},
		},
		{
			title: "Which builds run?", unit: "short", width: 4, kind: value,
			about:   "Processes by version; two versions at once mean a roll-out under way.",
			queries: []query{{"count by (version) (stoa_build_info)", "{{version}}"}},
		},
	}}
}

func business() section {
	return section{"What is sold?", []question{
		{
			title: "How many merchants sign up?", unit: "short", width: 8, kind: lines,
			about:    "Sign-ups in the last hour, by outcome. Failed is a fault of ours; refused and known_email are the rules at work.",
			queries:  []query{{"sum by (outcome) (increase(stoa_signups_total[1h]))", "{{outcome}}"}},
			runbooks: []string{"sign-ups-fail"},
		},
		{
			title: "How many orders are placed?", unit: "short", width: 8, kind: lines,
			about:   "Orders in the last hour, by currency. Those of sandboxes do not count.",
			queries: []query{{"sum by (currency) (increase(stoa_orders_total[1h]))", "{{currency}}"}},
		},
		{
			title: "How much is sold?", unit: "short", width: 8, kind: lines,
			about: "Order totals and refunds of the last hour in MINOR units of each currency: cents for EUR, whole yen for JPY. Never add currencies up. The truth about money is in the orders.",
			queries: []query{
				{"sum by (currency) (increase(stoa_revenue_minor_units_total[1h]))", "{{currency}}"},
				{"sum by (currency) (increase(stoa_refunds_minor_units_total[1h]))", "{{currency}} refunded"},
			},
		},
		{
			title: "How many checkouts become orders?", unit: "percentunit", width: 8, kind: lines, max: 1,
			about:   "Completed checkouts over those begun, by giving an e-mail address, in the last hour. Those that began earlier and ended within the hour can lift it above the truth for a moment.",
			queries: []query{{"sum(increase(stoa_checkouts_completed_total[1h])) / sum(increase(stoa_checkouts_started_total[1h]))", "conversion"}},
		},
		{
			title: "Do payments succeed?", unit: "cpm", width: 8, kind: lines,
			about:    "Attempts to pay a minute, by outcome. Declined is the provider's decision; failed means that it gave none.",
			queries:  []query{{"60 * sum by (outcome) (rate(stoa_payments_total[$__rate_interval]))", "{{outcome}}"}},
			runbooks: []string{"payments-fail"},
		},
		{
			title: "Which stores are busiest?", unit: "reqps", width: 8, kind: bars,
			about:    "Requests a second of the stores with most of them in the last full minute, from a bounded count per process: a lower bound.",
			queries:  []query{{"topk(20, sum by (store) (stoa_busiest_store_requests_per_second))", "{{store}}"}},
			runbooks: []string{"store-over-its-total"},
		},
	}}
}

func requests() section {
	return section{"How are requests answered?", []question{
		{
			title: "How many requests are answered, and how?", unit: "reqps", width: 8, kind: lines,
			about:    "Requests a second by class of status.",
			queries:  []query{{"sum by (status) (rate(stoa_http_requests_total[$__rate_interval]))", "{{status}}"}},
			runbooks: []string{"error-budget-burns-fast"},
		},
		{
			title: "Which operations are asked most?", unit: "reqps", width: 8, kind: lines,
			about:   "The ten operations with most requests a second.",
			queries: []query{{"topk(10, sum by (operation) (rate(stoa_http_requests_total[$__rate_interval])))", "{{operation}}"}},
		},
		{
			title: "Which operations fail?", unit: "reqps", width: 8, kind: lines,
			about:    "The ten operations with most 5xx a second.",
			queries:  []query{{`topk(10, sum by (operation) (rate(stoa_http_requests_total{status="5xx"}[$__rate_interval])))`, "{{operation}}"}},
			runbooks: []string{"error-budget-burns-fast", "panic-caught"},
		},
		{
			title: "How long do answers take?", unit: "s", width: 8, kind: lines, bad: 0.3,
			about: "Quantiles over all successful requests.",
			queries: []query{
				{`histogram_quantile(0.5, sum by (le) (rate(stoa_http_request_duration_seconds_bucket{status=~"2xx|3xx"}[$__rate_interval])))`, "half"},
				{`histogram_quantile(0.95, sum by (le) (rate(stoa_http_request_duration_seconds_bucket{status=~"2xx|3xx"}[$__rate_interval])))`, "95 %"},
				{`histogram_quantile(0.99, sum by (le) (rate(stoa_http_request_duration_seconds_bucket{status=~"2xx|3xx"}[$__rate_interval])))`, "99 %"},
			},
			runbooks: []string{"latency-budget-burns-fast"},
		},
		{
			title: "Which operations are slow?", unit: "s", width: 8, kind: lines, bad: 0.3,
			about:    "The ten operations whose slowest five per cent are slowest.",
			queries:  []query{{`topk(10, histogram_quantile(0.95, sum by (operation, le) (rate(stoa_http_request_duration_seconds_bucket{status=~"2xx|3xx"}[$__rate_interval]))))`, "{{operation}}"}},
			runbooks: []string{"latency-budget-burns-fast"},
		},
		{
			title: "Does any plan wait longer?", unit: "s", width: 8, kind: lines, bad: 0.3,
			about:   "What 95 % of all requests stay below, by the store's plan.",
			queries: []query{{"histogram_quantile(0.95, sum by (plan, le) (rate(stoa_http_plan_request_duration_seconds_bucket[$__rate_interval])))", "{{plan}}"}},
		},
		{
			title: "Do answers keep the contract?", unit: "short", width: 8, kind: lines, bad: 1,
			about: "Sampled answers of the last quarter of an hour that the contract does not allow, and how many were looked at.",
			queries: []query{
				{"sum(increase(stoa_contract_violations_total[15m]))", "broken"},
				{"sum(increase(stoa_contract_answers_checked_total[15m]))", "checked"},
			},
			runbooks: []string{"contract-broken"},
		},
		{
			title: "How many requests are in flight?", unit: "short", width: 8, kind: lines,
			about:   "Requests being answered right now, by process. It climbs when something behind hangs.",
			queries: []query{{"stoa_http_requests_in_flight", "{{instance}}"}},
		},
		{
			title: "Does staff get in?", unit: "cpm", width: 8, kind: lines,
			about:    "Sign-ins a minute by outcome. Many refused ones mean guessing; unavailable means that Redis is away.",
			queries:  []query{{"60 * sum by (outcome) (rate(stoa_signins_total[$__rate_interval]))", "{{outcome}}"}},
			runbooks: []string{"limiter-degraded"},
		},
	}}
}

func limits() section {
	return section{"Whom do the limits hold?", []question{
		{
			title: "Which requests does the limiter refuse?", unit: "reqps", width: 8, kind: lines,
			about:   "429 a second by class of operation.",
			queries: []query{{`sum by (class) (rate(stoa_limiter_decisions_total{decision="limited"}[$__rate_interval]))`, "{{class}}"}},
		},
		{
			title: "Is the limiter on its own?", unit: "short", width: 8, kind: lines, bad: 1,
			about: "1 where a process keeps its limits alone because Redis does not answer, and decisions so taken a second.",
			queries: []query{
				{"max by (instance) (stoa_limiter_degraded)", "{{instance}} alone"},
				{"sum(rate(stoa_limiter_fallbacks_total[$__rate_interval]))", "decisions alone"},
			},
			runbooks: []string{"limiter-degraded"},
		},
		{
			title: "How long does the limiter take?", unit: "s", width: 8, kind: lines,
			about:    "What 99 % of its decisions stay below; more than 50 ms sends it to its fallback.",
			queries:  []query{{"histogram_quantile(0.99, sum by (class, le) (rate(stoa_limiter_duration_seconds_bucket[$__rate_interval])))", "{{class}}"}},
			runbooks: []string{"limiter-degraded"},
		},
	}}
}
