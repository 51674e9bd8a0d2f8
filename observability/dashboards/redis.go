package dashboards

// Redis is about what limits and sessions are kept in.
func Redis() Dashboard {
	return dashboard("redis", "Stoa: Redis", section{"How is Redis?", []question{
		{
			title: "Does Redis answer?", unit: "short", width: 6, kind: value, badAtZero: true,
			about:    "1 for each server that its exporter reaches.",
			queries:  []query{{"redis_up", "{{instance}}"}},
			runbooks: []string{"limiter-degraded"},
		},
		{
			title: "How much memory does Redis use?", unit: "bytes", width: 9, kind: lines,
			about: "Used, and what it may use at most; 0 means all there is. When it is used up, limits and sessions are refused or thrown away.",
			queries: []query{
				{"redis_memory_used_bytes", "{{instance}}"},
				{"redis_memory_max_bytes", "{{instance}} at most"},
			},
			runbooks: []string{"limiter-degraded"},
		},
		{
			title: "Does Redis throw anything away?", unit: "short", width: 9, kind: lines, bad: 1,
			about: "Keys evicted for want of memory in the last hour, and connections refused. Either is one too many: staff are signed out, limits forgotten.",
			queries: []query{
				{"increase(redis_evicted_keys_total[1h])", "{{instance}} evicted"},
				{"increase(redis_rejected_connections_total[1h])", "{{instance}} refused"},
			},
			runbooks: []string{"limiter-degraded"},
		},
		{
			title: "What is asked of Redis?", unit: "ops", width: 8, kind: lines,
			about:   "Commands a second, the ten that come most.",
			queries: []query{{"topk(10, sum by (cmd) (rate(redis_commands_total[$__rate_interval])))", "{{cmd}}"}},
		},
		{
			title: "How long do Redis's commands take?", unit: "s", width: 8, kind: lines,
			about:    "Mean time within Redis, of the ten that take longest. The limiter gives up after 50 ms.",
			queries:  []query{{"topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total[$__rate_interval])) / sum by (cmd) (rate(redis_commands_total[$__rate_interval]) > 0))", "{{cmd}}"}},
			runbooks: []string{"limiter-degraded"},
		},
		{
			title: "How many clients has Redis?", unit: "short", width: 8, kind: lines,
			about: "Connections, and those that wait in a blocking command.",
			queries: []query{
				{"redis_connected_clients", "{{instance}}"},
				{"redis_blocked_clients", "{{instance}} blocked"},
			},
		},
		{
			title: "How many keys are there?", unit: "short", width: 12, kind: lines,
			about:   "Keys of all databases; nearly all of them expire.",
			queries: []query{{"sum by (instance) (redis_db_keys)", "{{instance}}"}},
		},
		{
			title: "Would a restart lose anything?", unit: "short", width: 12, kind: lines,
			about: "Changes since the last save, and whether each change is written down (aof).",
			queries: []query{
				{"redis_rdb_changes_since_last_save", "{{instance}} unsaved"},
				{"redis_aof_enabled", "{{instance}} aof"},
			},
			runbooks: []string{"limiter-degraded"},
		},
	}})
}
