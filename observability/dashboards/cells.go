package dashboards

// Cells is about the databases that hold the stores, and the platform's own: as the program sees
// them, and as they see themselves.
func Cells() Dashboard {
	d := dashboard("cells", "Stoa: cells and Postgres", cells(), databases(), servers(), replication())
	d.Templating.List = append(d.Templating.List, choice("cell", "Cell", "label_values(stoa_cell_up, cell)"))
	return d
}

func cells() section {
	return section{"Where do the stores live?", []question{
		{
			title: "Which cells are up?", unit: "short", width: 8, kind: value, badAtZero: true,
			about:    "1 for each cell that every process reaches.",
			queries:  []query{{`min by (cell) (stoa_cell_up{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"cell-down"},
		},
		{
			title: "How full are the cells?", unit: "percentunit", width: 8, kind: lines, max: 1, bad: 0.9,
			about:    "Store schemas in use (sandboxes included) over those that a cell may hold.",
			queries:  []query{{`max by (cell) (stoa_cell_stores{cell=~"$cell"}) / max by (cell) (stoa_cell_stores_max{cell=~"$cell"})`, "{{cell}}"}},
			runbooks: []string{"cell-nearly-full", "cell-fills-soon"},
		},
		{
			title: "When is each cell full, and of what?", unit: "s", width: 12, kind: bars,
			about:    "Until then, if it goes on to grow as in the last month: of stores, of bytes (where STOA_CELL_MAX_BYTES says how many), of connections. What does not grow is not shown.",
			queries:  []query{{`min by (cell, by) (stoa_cell_full_at_timestamp_seconds{cell=~"$cell"}) - time()`, "{{cell}} {{by}}"}},
			runbooks: []string{"cell-fills-soon"},
		},
		{
			title: "How much of each bound is used?", unit: "percentunit", width: 12, kind: lines, max: 1, bad: 0.9,
			about:    "What was in use when it was last measured, over what may be: stores, bytes, and the day's most connections to the cell's server.",
			queries:  []query{{`max by (cell, by) (stoa_cell_used{cell=~"$cell"}) / max by (cell, by) (stoa_cell_used_max{cell=~"$cell"})`, "{{cell}} {{by}}"}},
			runbooks: []string{"cell-fills-soon"},
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

// inCells are the series of the exporters for Postgres, which bear the label cell.
const inCells = `{cell=~"$cell|control"}`

func servers() section {
	return section{"How are the servers?", []question{
		{
			title: "How many connections are there, and may there be?", unit: "short", width: 8, kind: lines,
			about: "Connections of clients by what they do, and how many the server takes.",
			queries: []query{
				{"sum by (cell, state) (stoa_postgres_connections_clients" + inCells + ")", "{{cell}} {{state}}"},
				{"max by (cell) (stoa_postgres_limits_connections" + inCells + ")", "{{cell}} at most"},
			},
			runbooks: []string{"pool-exhausted", "cell-down"},
		},
		{
			title: "What do statements wait for?", unit: "short", width: 8, kind: lines,
			about:    "Statements that wait at the moment, by what for: a lock of another's, the disk, room in memory.",
			queries:  []query{{"sum by (cell, kind) (stoa_postgres_waits_clients" + inCells + ")", "{{cell}} {{kind}}"}},
			runbooks: []string{"pool-exhausted", "latency-budget-burns-fast"},
		},
		{
			title: "Which locks are held, and which awaited?", unit: "short", width: 8, kind: lines,
			about: "Locks by mode. Awaited ones are statements that stand still.",
			queries: []query{
				{"sum by (cell, mode) (stoa_postgres_locks_held" + inCells + ")", "{{cell}} {{mode}}"},
				{"sum by (cell) (stoa_postgres_locks_awaited" + inCells + ")", "{{cell}} awaited"},
			},
			runbooks: []string{"pool-exhausted", "migration-stuck"},
		},
		{
			title: "For how long is the oldest transaction open?", unit: "s", width: 8, kind: lines, bad: 300,
			about:    "While one is open, nothing that it may still see is vacuumed.",
			queries:  []query{{"max by (cell) (stoa_postgres_oldest_transaction_seconds" + inCells + ")", "{{cell}}"}},
			runbooks: []string{"pool-exhausted"},
		},
		{
			title: "How near is the end of transaction numbers?", unit: "percentunit", width: 8, kind: lines, max: 1, bad: 0.5,
			about:    "Transactions since the oldest that is not frozen, over those after which the server writes no more. Vacuum brings it down.",
			queries:  []query{{"max by (cell) (stoa_postgres_oldest_unfrozen_transactions" + inCells + ") / max by (cell) (stoa_postgres_limits_transactions" + inCells + ")", "{{cell}}"}},
			runbooks: []string{"task-fails"},
		},
		{
			title: "How do the servers' transactions end?", unit: "ops", width: 8, kind: lines,
			about: "Transactions a second as the server counts them, and deadlocks that it broke.",
			queries: []query{
				{"sum by (cell) (rate(stoa_postgres_database_commits" + inCells + "[$__rate_interval]))", "{{cell}} committed"},
				{"sum by (cell) (rate(stoa_postgres_database_rollbacks" + inCells + "[$__rate_interval]))", "{{cell}} rolled back"},
				{"sum by (cell) (rate(stoa_postgres_database_deadlocks" + inCells + "[$__rate_interval]))", "{{cell}} deadlocks"},
			},
		},
		{
			title: "Does the memory hold what is asked for?", unit: "percentunit", width: 8, kind: lines, max: 1,
			about:   "Blocks found in memory over all that were asked for.",
			queries: []query{{"sum by (cell) (rate(stoa_postgres_database_blocks_hit" + inCells + "[$__rate_interval])) / sum by (cell) (rate(stoa_postgres_database_blocks_hit" + inCells + "[$__rate_interval]) + rate(stoa_postgres_database_blocks_read" + inCells + "[$__rate_interval]))", "{{cell}}"}},
		},
		{
			title: "How large are the databases?", unit: "bytes", width: 8, kind: lines,
			about:    "Size of each database with all its stores.",
			queries:  []query{{"max by (cell) (stoa_postgres_database_bytes" + inCells + ")", "{{cell}}"}},
			runbooks: []string{"disk-filling", "cell-fills-soon"},
		},
		{
			title: "Which stores are largest?", unit: "bytes", width: 8, kind: bars,
			about:    "The twenty largest schemas of each cell, as the last vacuum or analyze counted their pages.",
			queries:  []query{{"topk(20, stoa_postgres_largest_bytes" + inCells + ")", "{{cell}} {{schema}}"}},
			runbooks: []string{"cell-fills-soon"},
		},
		{
			title: "How large are the catalogues?", unit: "bytes", width: 12, kind: lines,
			about:    "Each store brings some hundred tables and indexes, of which the catalogues keep account.",
			queries:  []query{{"max by (cell, catalogue) (stoa_postgres_catalogue_bytes" + inCells + ")", "{{cell}} {{catalogue}}"}},
			runbooks: []string{"task-fails"},
		},
		{
			title: "How much of the catalogues is dead?", unit: "percentunit", width: 12, kind: lines, max: 1, bad: 0.5,
			about:    "Rows that wait for vacuum over all rows: what stores that came and went left behind.",
			queries:  []query{{"max by (cell, catalogue) (stoa_postgres_catalogue_dead_rows" + inCells + " / (stoa_postgres_catalogue_live_rows + stoa_postgres_catalogue_dead_rows > 0))", "{{cell}} {{catalogue}}"}},
			runbooks: []string{"task-fails"},
		},
	}}
}

func replication() section {
	return section{"Is there a second copy, and is every store migrated?", []question{
		{
			title: "How many standbys receive?", unit: "short", width: 6, kind: lines,
			about: "Standbys that stream, and those of them that a commit waits for.",
			queries: []query{
				{"max by (cell) (stoa_postgres_replication_standbys" + inCells + ")", "{{cell}}"},
				{"max by (cell) (stoa_postgres_replication_synchronous" + inCells + ")", "{{cell}} synchronous"},
			},
			runbooks: []string{"standby-lost"},
		},
		{
			title: "How far is the last standby behind?", unit: "s", width: 6, kind: lines, bad: 30,
			about:    "By time; 0 where nothing is written, or where there is no standby.",
			queries:  []query{{"max by (cell) (stoa_postgres_replication_lag_seconds" + inCells + ")", "{{cell}}"}},
			runbooks: []string{"replication-lags"},
		},
		{
			title: "How much has the last standby not replayed?", unit: "bytes", width: 6, kind: lines,
			about: "WAL that it lacks, and slots that nobody reads, for which WAL is kept.",
			queries: []query{
				{"max by (cell) (stoa_postgres_replication_lag_bytes" + inCells + ")", "{{cell}}"},
				{"max by (cell) (stoa_postgres_wal_idle_slots" + inCells + ")", "{{cell}} idle slots"},
			},
			runbooks: []string{"replication-lags", "standby-lost"},
		},
		{
			title: "Is WAL archived?", unit: "cpm", width: 6, kind: lines,
			about: "Files a minute, and attempts that failed.",
			queries: []query{
				{"60 * sum by (cell) (rate(stoa_postgres_wal_archived" + inCells + "[$__rate_interval]))", "{{cell}}"},
				{"60 * sum by (cell) (rate(stoa_postgres_wal_failed" + inCells + "[$__rate_interval]))", "{{cell}} failed"},
			},
			runbooks: []string{"backup-too-old"},
		},
		{
			title: "Which stores are not migrated?", unit: "short", width: 24, kind: lines, bad: 1,
			about:    "Stores that wait for their migration (behind), and those whose migration was refused (failed).",
			queries:  []query{{`max by (cell, state) (stoa_postgres_schemas_stores{cell=~"$cell|control",state!="current"})`, "{{cell}} {{state}}"}},
			runbooks: []string{"migration-stuck"},
		},
	}}
}
