package dashboards

// Store is about single stores. There may be hundreds of thousands, so no series are kept of
// each: those can be chosen that stand out by what they ask for, the time it takes, or by being
// limited; of any other the logs tell.
func Store() Dashboard {
	d := dashboard("store", "Stoa: stores that stand out", outstanding(), one())
	d.Templating.List = append(d.Templating.List, choice("store", "Store", "label_values(stoa_store_requests_per_second, store)"))
	return d
}

func outstanding() section {
	return section{"Which stores stand out?", []question{
		{
			title: "Which stores are busiest?", unit: "reqps", width: 8, kind: bars,
			about:    "Requests a second of the stores with most of them in the last full minute, from a bounded count per process: a lower bound.",
			queries:  []query{{"topk(20, sum by (store) (stoa_busiest_store_requests_per_second))", "{{store}}"}},
			runbooks: []string{"store-over-its-total"},
		},
		{
			title: "Which stores take most time?", unit: "percentunit", width: 8, kind: bars,
			about:    "Seconds spent on their answers a second, of the stores that took most in the last full minute: 100 % is one request at a time, always.",
			queries:  []query{{"topk(20, sum by (store) (stoa_slowest_store_busy_ratio))", "{{store}}"}},
			runbooks: []string{"pool-exhausted", "latency-budget-burns-fast"},
		},
		{
			title: "Which stores are limited most?", unit: "reqps", width: 8, kind: bars,
			about:    "Answers 429 a second of the stores with most of them in the last full minute.",
			queries:  []query{{"topk(20, sum by (store) (stoa_limited_store_refusals_per_second))", "{{store}}"}},
			runbooks: []string{"store-over-its-total"},
		},
	}}
}

func one() section {
	return section{"What do the chosen stores do?", []question{
		{
			title: "How do their requests end?", unit: "reqps", width: 12, kind: lines,
			about:    "Requests a second of the chosen stores: answered, refused (4xx), limited (429) or failed (5xx). A store is seen while it is in one of the lists.",
			queries:  []query{{`sum by (store, outcome) (stoa_store_requests_per_second{store=~"$store"})`, "{{store}} {{outcome}}"}},
			runbooks: []string{"store-over-its-total", "error-budget-burns-fast"},
		},
		{
			title: "How long do they wait for an answer?", unit: "s", width: 12, kind: lines, bad: 0.3,
			about:    "Mean time to an answer in the last full minute, where it is longest.",
			queries:  []query{{`max by (store) (stoa_store_request_duration_seconds{store=~"$store"})`, "{{store}}"}},
			runbooks: []string{"latency-budget-burns-fast"},
		},
	}}
}
