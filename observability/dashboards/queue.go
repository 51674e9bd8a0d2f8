package dashboards

// Queue is about what follows from requests: the outbox, the jobs, and webhooks.
func Queue() Dashboard {
	d := dashboard("queue", "Stoa: queue and webhooks", queue(), webhooks())
	d.Templating.List = append(d.Templating.List, choice("cell", "Cell", "label_values(stoa_cell_up, cell)"))
	return d
}

func queue() section {
	return section{"Is the work done in time?", []question{
		{
			title: "How late is the outbox?", unit: "s", width: 8, kind: lines, bad: 60,
			about:    "Age of the oldest row that no relay has taken.",
			queries:  []query{{`max by (cell) (stoa_queue_outbox_oldest_age_seconds{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"queue-is-late", "queue-not-measured"},
		},
		{
			title: "How much waits?", unit: "short", width: 8, kind: lines,
			about: "Rows in the outbox, and jobs that are due.",
			queries: []query{
				{`max by (cell) (stoa_queue_outbox_depth{cell=~"$cell"})`, "{{cell}} outbox"},
				{`max by (cell) (stoa_queue_jobs_waiting{cell=~"$cell"})`, "{{cell}} jobs"},
			},
			runbooks: []string{"queue-is-late"},
		},
		{
			title: "Which jobs wait for an operator?", unit: "short", width: 8, kind: lines, bad: 1,
			about:    "Jobs that failed for the last time.",
			queries:  []query{{`max by (cell) (stoa_queue_jobs_set_aside{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"jobs-set-aside"},
		},
		{
			title: "Which jobs run?", unit: "ops", width: 8, kind: lines,
			about: "Runs a second by kind, and rows of the outbox turned into jobs.",
			queries: []query{
				{"sum by (kind) (rate(stoa_queue_jobs_total[$__rate_interval]))", "{{kind}}"},
				{`sum(rate(stoa_queue_relayed_total{cell=~"$cell"}[$__rate_interval]))`, "relayed"},
			},
		},
		{
			title: "Which jobs fail?", unit: "cpm", width: 8, kind: lines,
			about:    "Failed runs a minute by kind; a failed run is tried again until it is set aside.",
			queries:  []query{{`60 * sum by (kind, outcome) (rate(stoa_queue_jobs_total{outcome=~"failed|set_aside"}[$__rate_interval]))`, "{{kind}} {{outcome}}"}},
			runbooks: []string{"jobs-set-aside"},
		},
		{
			title: "How late do jobs begin, and how long do they run?", unit: "s", width: 8, kind: lines,
			about: "What 95 % of the runs stay below: from due to begun, and from begun to ended.",
			queries: []query{
				{"histogram_quantile(0.95, sum by (le) (rate(stoa_queue_job_delay_seconds_bucket[$__rate_interval])))", "late"},
				{"histogram_quantile(0.95, sum by (kind, le) (rate(stoa_queue_job_duration_seconds_bucket[$__rate_interval])))", "{{kind}}"},
			},
			runbooks: []string{"queue-is-late"},
		},
	}}
}

func webhooks() section {
	return section{"Do webhooks arrive?", []question{
		{
			title: "How do deliveries end?", unit: "ops", width: 8, kind: lines,
			about:    "Attempts a second by outcome. A failed one is tried again for days.",
			queries:  []query{{"sum by (outcome) (rate(stoa_webhook_attempts_total[$__rate_interval]))", "{{outcome}}"}},
			runbooks: []string{"webhooks-fail"},
		},
		{
			title: "How long do endpoints take?", unit: "s", width: 8, kind: lines, bad: 15,
			about:    "What 95 % of the attempts stay below; at 15 s an attempt is given up.",
			queries:  []query{{"histogram_quantile(0.95, sum by (outcome, le) (rate(stoa_webhook_attempt_duration_seconds_bucket[$__rate_interval])))", "{{outcome}}"}},
			runbooks: []string{"webhooks-fail"},
		},
		{
			title: "Which endpoints were given up?", unit: "short", width: 8, kind: lines,
			about:    "Endpoints disabled in the last day, after five days of failure or a 410.",
			queries:  []query{{"sum(increase(stoa_webhook_endpoints_disabled_total[1d]))", "disabled"}},
			runbooks: []string{"webhooks-fail"},
		},
	}}
}
