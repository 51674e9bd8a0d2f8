package dashboards

// API is about the requests: each operation's rate, errors, duration and limits.
func API() Dashboard {
	d := dashboard("api", "Stoa: API by operation", requests(), limits(), caches())
	d.Templating.List = append(d.Templating.List, choice("operation", "Operation", "label_values(stoa_http_requests_total, operation)"))
	return d
}

func requests() section {
	return section{"How are requests answered?", []question{
		{
			title: "How many requests are answered, and how?", unit: "reqps", width: 8, kind: lines,
			about:    "Requests a second by class of status.",
			queries:  []query{{`sum by (status) (rate(stoa_http_requests_total{operation=~"$operation"}[$__rate_interval]))`, "{{status}}"}},
			runbooks: []string{"error-budget-burns-fast"},
		},
		{
			title: "Which operations are asked most?", unit: "reqps", width: 8, kind: lines,
			about:   "The ten operations with most requests a second.",
			queries: []query{{`topk(10, sum by (operation) (rate(stoa_http_requests_total{operation=~"$operation"}[$__rate_interval])))`, "{{operation}}"}},
		},
		{
			title: "Which operations fail?", unit: "reqps", width: 8, kind: lines,
			about:    "The ten operations with most 5xx a second.",
			queries:  []query{{`topk(10, sum by (operation) (rate(stoa_http_requests_total{operation=~"$operation",status="5xx"}[$__rate_interval])))`, "{{operation}}"}},
			runbooks: []string{"error-budget-burns-fast", "panic-caught"},
		},
		{
			title: "How long do answers take?", unit: "s", width: 8, kind: lines, bad: 0.3,
			about: "Quantiles over all successful requests.",
			queries: []query{
				{`histogram_quantile(0.5, sum by (le) (rate(stoa_http_request_duration_seconds_bucket{operation=~"$operation",status=~"2xx|3xx"}[$__rate_interval])))`, "half"},
				{`histogram_quantile(0.95, sum by (le) (rate(stoa_http_request_duration_seconds_bucket{operation=~"$operation",status=~"2xx|3xx"}[$__rate_interval])))`, "95 %"},
				{`histogram_quantile(0.99, sum by (le) (rate(stoa_http_request_duration_seconds_bucket{operation=~"$operation",status=~"2xx|3xx"}[$__rate_interval])))`, "99 %"},
			},
			runbooks: []string{"latency-budget-burns-fast"},
		},
		{
			title: "Which operations are slow?", unit: "s", width: 8, kind: lines, bad: 0.3,
			about:    "The ten operations whose slowest five per cent are slowest.",
			queries:  []query{{`topk(10, histogram_quantile(0.95, sum by (operation, le) (rate(stoa_http_request_duration_seconds_bucket{operation=~"$operation",status=~"2xx|3xx"}[$__rate_interval]))))`, "{{operation}}"}},
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
