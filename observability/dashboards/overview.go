package dashboards

// Overview is the first dashboard: whether the platform keeps its promises, what it is for, and
// whether all of its parts are there.
func Overview() Dashboard {
	return dashboard("overview", "Stoa: platform",
		section{"Do we keep our promises?", []question{
			{
				title: "Which budget burns?", unit: "suffix:×", width: 12, kind: lines, bad: 14.4,
				about:    "How fast each objective's budget burned over the last hour: at 1 it lasts exactly 30 days, above 14.4 somebody is woken. The dashboard of the objectives has all windows.",
				queries:  []query{{"stoa:objective_burn:1h", "{{of}} {{promise}}"}},
				runbooks: []string{"error-budget-burns-fast", "latency-budget-burns-fast"},
			},
			{
				title: "What wakes somebody, or waits for the morning?", unit: "short", width: 12, kind: lines,
				about:   "Alerts that fire, by severity; 0 from the start.",
				queries: []query{{`count by (severity) (ALERTS{alertstate="firing"}) or label_replace(vector(0), "severity", "none", "", "")`, "{{severity}}"}},
			},
		}},
		business(), parts())
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
			about:    "Orders in the last hour, by currency. Those of sandboxes do not count.",
			queries:  []query{{"sum by (currency) (increase(stoa_orders_total[1h]))", "{{currency}}"}},
			runbooks: []string{"orders-stopped"},
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
			runbooks: []string{"payments-fail", "payment-declines-rise"},
		},
	}}
}

func parts() section {
	return section{"Is everything there?", []question{
		{
			title: "Is every process up?", unit: "short", width: 6, kind: value, badAtZero: true,
			about:    "1 for each process that answers on its operations port.",
			queries:  []query{{`up{job="stoa"}`, "{{instance}}"}},
			runbooks: []string{"process-down", "nothing-runs"},
		},
		{
			title: "Which builds run?", unit: "short", width: 6, kind: value,
			about:   "Processes by version; two versions at once mean a roll-out under way.",
			queries: []query{{"count by (version) (stoa_build_info)", "{{version}}"}},
		},
		{
			title: "Is every cell up?", unit: "short", width: 6, kind: value, badAtZero: true,
			about:    "1 for each cell that every process reaches.",
			queries:  []query{{`min by (cell) (stoa_cell_up)`, "{{cell}}"}},
			runbooks: []string{"cell-down"},
		},
		{
			title: "Is every server measured?", unit: "short", width: 6, kind: value, badAtZero: true,
			about:    "1 for each exporter that Prometheus reaches.",
			queries:  []query{{`min by (job) (up{job!="stoa"})`, "{{job}}"}},
			runbooks: []string{"exporter-down"},
		},
		{
			title: "Does the front door answer from outside?", unit: "s", width: 12, kind: lines, bad: 2,
			about:    "How long a page takes, asked for over TLS from where the blackbox exporter stands.",
			queries:  []query{{`probe_duration_seconds{job="front-door"}`, "{{instance}}"}},
			runbooks: []string{"front-door-down"},
		},
		{
			title: "When do certificates expire?", unit: "s", width: 12, kind: value,
			about: "Time that is left to the certificate of the front door, and to the first of the merchants' own domains' where there are any.",
			queries: []query{
				{`probe_ssl_earliest_cert_expiry{job="front-door"} - time()`, "{{instance}}"},
				{"min(stoa_postgres_certificates_earliest_expiry_timestamp_seconds) - time()", "merchants' domains"},
			},
			runbooks: []string{"certificate-expires"},
		},
	}}
}
