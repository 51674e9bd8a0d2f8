package dashboards

// disks are the file systems that keep something.
const disks = `{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"}`

// Hosts is about the machines.
func Hosts() Dashboard {
	return dashboard("hosts", "Stoa: hosts", section{"How are the machines?", []question{
		{
			title: "How busy are the processors?", unit: "percentunit", width: 8, kind: lines, max: 1,
			about:   "Share of time in which they were not idle.",
			queries: []query{{`1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))`, "{{instance}}"}},
		},
		{
			title: "How long do tasks wait for a processor, a disk, memory?", unit: "percentunit", width: 8, kind: lines,
			about: "Share of time in which some task waited.",
			queries: []query{
				{"rate(node_pressure_cpu_waiting_seconds_total[$__rate_interval])", "{{instance}} processor"},
				{"rate(node_pressure_io_waiting_seconds_total[$__rate_interval])", "{{instance}} disk"},
				{"rate(node_pressure_memory_waiting_seconds_total[$__rate_interval])", "{{instance}} memory"},
			},
			runbooks: []string{"latency-budget-burns-fast"},
		},
		{
			title: "How much memory is left?", unit: "percentunit", width: 8, kind: lines, max: 1,
			about: "Available over all, and processes that the kernel ended for want of memory in the last hour.",
			queries: []query{
				{"node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"},
				{"increase(node_vmstat_oom_kill[1h])", "{{instance}} ended"},
			},
			runbooks: []string{"process-down"},
		},
		{
			title: "How full are the disks?", unit: "percentunit", width: 8, kind: lines, max: 1, bad: 0.92,
			about:    "Used over all, by file system.",
			queries:  []query{{"1 - node_filesystem_avail_bytes" + disks + " / node_filesystem_size_bytes" + disks, "{{instance}} {{mountpoint}}"}},
			runbooks: []string{"disk-filling", "disk-nearly-full"},
		},
		{
			title: "When is a disk full?", unit: "percentunit", width: 8, kind: lines, below: true,
			about:    "What would be left in two days if it goes on as in the last six hours, over all; below 0 it is full before.",
			queries:  []query{{"predict_linear(node_filesystem_avail_bytes" + disks + "[6h], 2 * 86400) / node_filesystem_size_bytes" + disks, "{{instance}} {{mountpoint}}"}},
			runbooks: []string{"disk-filling"},
		},
		{
			title: "How busy are the disks?", unit: "percentunit", width: 8, kind: lines, max: 1,
			about:    "Share of time in which a disk had something to do.",
			queries:  []query{{"rate(node_disk_io_time_seconds_total[$__rate_interval])", "{{instance}} {{device}}"}},
			runbooks: []string{"latency-budget-burns-fast"},
		},
		{
			title: "What goes over the network?", unit: "Bps", width: 12, kind: lines,
			about: "Bytes a second, in and out.",
			queries: []query{
				{`sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[$__rate_interval]))`, "{{instance}} in"},
				{`sum by (instance) (rate(node_network_transmit_bytes_total{device!="lo"}[$__rate_interval]))`, "{{instance}} out"},
			},
		},
		{
			title: "Are the clocks right?", unit: "s", width: 12, kind: lines,
			about:   "How far the kernel thinks its clock is off. Tokens, certificates and leases go by it.",
			queries: []query{{"abs(node_timex_offset_seconds)", "{{instance}}"}},
		},
	}})
}
