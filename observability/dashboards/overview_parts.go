package dashboards

func cells() section {
	return section{"Where do the stores live?", []question{
		{
			title: "Is every cell up?", unit: "short", width: 8, kind: value, badAtZero: true,
			about:    "1 for each cell that every process reaches.",
			queries:  []query{{`min by (cell) (stoa_cell_up{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"cell-down"},
		},
		{
			title: "How full are the cells?", unit: "percentunit", width: 8, kind: lines, max: 1, bad: 0.9,
			about:    "Store schemas in use (sandboxes included) over those that a cell may hold.",
			queries:  []query{{`max by (cell) (stoa_cell_stores{cell=~"$cell"}) / max by (cell) (stoa_cell_stores_max{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"cell-nearly-full"},
		},
		{
			title: "Are schemas ready for new stores?", unit: "short", width: 8, kind: lines,
			about:    "Schemas made in advance. At 0 a sign-up waits for its schema to be made.",
			queries:  []query{{`max by (cell) (stoa_cell_ready_schemas{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"cell-nearly-full"},
		},
	}}
}

func databases() section {
	return section{"How do the databases bear it?", []question{
		{
			title: "How full are the pools?", unit: "percentunit", width: 8, kind: lines, max: 1, bad: 0.9,
			about:    "Connections lent out over those that a pool may open.",
			queries:  []query{{`sum by (cell, pool) (stoa_db_pool_connections{state="in_use",cell=~"$cell|control|redis"}) / sum by (cell, pool) (stoa_db_pool_connections_max{cell=~"$cell|control|redis"})`, "{{cell}} {{pool}}"}},
			runbooks: []string{"pool-exhausted"},
		},
		{
			title: "Are calls missing from the request log?", unit: "short", width: 8, kind: lines, bad: 1,
			about:    "Calls that were answered, but not kept: as too many came at once, or as their cell did not take them.",
			queries:  []query{{`sum by (outcome) (increase(stoa_request_log_calls_total{outcome!="written"}[$__rate_interval]))`, "{{outcome}}"}},
			runbooks: []string{"pool-exhausted", "cell-down"},
		},
		{
			title: "How many callers wait for a connection?", unit: "short", width: 8, kind: lines, bad: 1,
			about:    "Callers waiting at once, on average: seconds waited a second.",
			queries:  []query{{`sum by (cell, pool) (rate(stoa_db_pool_wait_seconds_total{cell=~"$cell|control|redis"}[$__rate_interval]))`, "{{cell}} {{pool}}"}},
			runbooks: []string{"pool-exhausted"},
		},
		{
			title: "How long do statements take?", unit: "s", width: 8, kind: lines,
			about:    "What 95 % stay below, by door: a store's data, the platform's own, the cell's own.",
			queries:  []query{{"histogram_quantile(0.95, sum by (door, le) (rate(stoa_db_statement_duration_seconds_bucket[$__rate_interval])))", "{{door}}"}},
			runbooks: []string{"latency-budget-burns-fast"},
		},
		{
			title: "How much is asked of the databases?", unit: "ops", width: 8, kind: lines,
			about: "Statements and round trips a second, by door.",
			queries: []query{
				{"sum by (door) (rate(stoa_db_statements_total[$__rate_interval]))", "{{door}} statements"},
				{"sum by (door) (rate(stoa_db_round_trips_total[$__rate_interval]))", "{{door}} round trips"},
			},
		},
		{
			title: "How do transactions end?", unit: "ops", width: 8, kind: lines,
			about:   "Transactions a second by door and end. Dry runs and refused requests roll back too.",
			queries: []query{{"sum by (door, outcome) (rate(stoa_db_transactions_total[$__rate_interval]))", "{{door}} {{outcome}}"}},
		},
		{
			title: "Do statements fail, or run into the wall?", unit: "short", width: 8, kind: lines, bad: 1,
			about: "Failed statements of the last ten minutes by door, and those refused by the wall between stores: each of the latter is a mistake in the program.",
			queries: []query{
				{`sum by (door) (increase(stoa_db_statements_total{outcome="error"}[10m]))`, "{{door}} failed"},
				{"sum(increase(stoa_db_wall_refusals_total[10m]))", "refused by the wall"},
			},
			runbooks: []string{"wall-refusal"},
		},
	}}
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

func caches() section {
	return section{"Do the caches help?", []question{
		{
			title: "How often does a cache have the answer?", unit: "percentunit", width: 12, kind: lines, max: 1,
			about:   "Hits over look-ups, by cache.",
			queries: []query{{`sum by (cache) (rate(stoa_cache_requests_total{result="hit"}[$__rate_interval])) / sum by (cache) (rate(stoa_cache_requests_total[$__rate_interval]))`, "{{cache}}"}},
		},
		{
			title: "How much is asked, and how much is dropped?", unit: "ops", width: 12, kind: lines,
			about: "Look-ups and invalidations a second, by cache.",
			queries: []query{
				{"sum by (cache) (rate(stoa_cache_requests_total[$__rate_interval]))", "{{cache}} asked"},
				{"sum by (cache) (rate(stoa_cache_invalidations_total[$__rate_interval]))", "{{cache}} dropped"},
			},
		},
	}}
}

func processes() section {
	return section{"What do the processes take?", []question{
		{
			title: "How much processor do they use?", unit: "short", width: 8, kind: lines,
			about:   "Cores in use, by process.",
			queries: []query{{`rate(process_cpu_seconds_total{job="stoa"}[$__rate_interval])`, "{{instance}}"}},
		},
		{
			title: "How much memory do they use?", unit: "bytes", width: 8, kind: lines,
			about:   "Resident memory, by process.",
			queries: []query{{`process_resident_memory_bytes{job="stoa"}`, "{{instance}}"}},
		},
		{
			title: "Do they leak goroutines or files?", unit: "short", width: 8, kind: lines,
			about: "Goroutines and open files, by process; at rest both come back to where they were.",
			queries: []query{
				{`go_goroutines{job="stoa"}`, "{{instance}} goroutines"},
				{`process_open_fds{job="stoa"}`, "{{instance}} files"},
			},
		},
	}}
}
