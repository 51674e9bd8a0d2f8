package dashboards

// Workers is about the processes, what they take, and the regular tasks.
func Workers() Dashboard {
	return dashboard("workers", "Stoa: processes and regular tasks", processes(), keeping())
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

func keeping() section {
	return section{"Is the house kept?", []question{
		{
			title: "When did each regular task last succeed?", unit: "s", width: 12, kind: bars,
			about:    "Time since then, by task.",
			queries:  []query{{"time() - max by (task) (stoa_task_last_success_timestamp_seconds)", "{{task}}"}},
			runbooks: []string{"task-fails"},
		},
		{
			title: "Which regular tasks fail?", unit: "short", width: 6, kind: lines, bad: 1,
			about:    "Failures in six hours, by task.",
			queries:  []query{{"sum by (task) (increase(stoa_task_failures_total[6h]))", "{{task}}"}},
			runbooks: []string{"task-fails"},
		},
		{
			title: "How long do regular tasks take?", unit: "s", width: 6, kind: lines,
			about:    "The last run of each.",
			queries:  []query{{"max by (task) (stoa_task_duration_seconds)", "{{task}}"}},
			runbooks: []string{"task-fails"},
		},
		{
			title: "Is much swept that nothing owned?", unit: "short", width: 24, kind: lines,
			about:    "Files, archives and copies of stores, a day, by kind. A few are left by what is broken off; many are a fault in what should remove them.",
			queries:  []query{{"sum by (kind) (increase(stoa_orphans_swept_total[1d]))", "{{kind}}"}},
			runbooks: []string{"task-fails"},
		},
		{
			title: "How old are the backups?", unit: "s", width: 8, kind: bars,
			about:    "Time since the last good one of each kind.",
			queries:  []query{{"time() - max by (kind) (stoa_backup_last_success_timestamp_seconds)", "{{kind}}"}},
			runbooks: []string{"backup-too-old"},
		},
		{
			title: "How large are the backups?", unit: "bytes", width: 8, kind: lines,
			about:    "The last good one of each kind. One that shrinks has lost something.",
			queries:  []query{{"max by (kind) (stoa_backup_size_bytes)", "{{kind}}"}},
			runbooks: []string{"backup-too-old"},
		},
		{
			title: "Can a backup be restored?", unit: "short", width: 4, kind: value, badAtZero: true,
			about:    "1 when the last restore test compared every row and found no difference.",
			queries:  []query{{"min(stoa_restore_test_last_result)", "last test"}},
			runbooks: []string{"restore-test-failed"},
		},
		{
			title: "When was a restore last tried with success?", unit: "s", width: 4, kind: value,
			about:    "Time since then.",
			queries:  []query{{"time() - max(stoa_restore_test_last_success_timestamp_seconds)", "last test"}},
			runbooks: []string{"restore-test-failed"},
		},
	}}
}
