package dashboards

import "github.com/stoacommerce/stoa/observability/alerts"

// Objectives has a panel for each promise of observability/alerts, and what is left of its budget.
func Objectives() Dashboard {
	return dashboard("objectives", "Stoa: objectives", left(), burning())
}

func left() section {
	return section{"What is left of the budgets?", []question{
		{
			title: "How much of each budget is left?", unit: "percentunit", width: 12, kind: bars, max: 1, below: true,
			about:    "Of 30 days, as far back as Prometheus remembers. Below 0 the promise is broken, and nothing risky is rolled out.",
			queries:  []query{{"1 - avg_over_time(stoa:objective_bad:rate5m[30d]) / avg_over_time(stoa:objective_total:rate5m[30d]) / stoa:objective_budget:rate5m", "{{of}} {{promise}}"}},
			runbooks: []string{"error-budget-burns-slowly", "latency-budget-burns-slowly"},
		},
		{
			title: "How much is promised of?", unit: "ops", width: 12, kind: lines,
			about:   "What each objective counts a second. Of little, a single failure is much.",
			queries: []query{{`stoa:objective_total:rate5m{of!="queue"}`, "{{of}} {{promise}}"}},
		},
	}}
}

func burning() section {
	s := section{title: "How fast do they burn?"}
	runbooks := map[string]string{"availability": "error", "latency": "latency", "delivery": "delivery", "age": "queue"}
	for _, o := range alerts.Objectives {
		which := `{of="` + o.Of + `",promise="` + o.Promise + `"}`
		q := question{
			title: "How fast does the budget of " + o.Of + " " + o.Promise + " burn?", unit: "suffix:×", width: 6, kind: lines, bad: 14.4,
			about:    o.Words + " As a multiple of what that allows: at 1 the budget lasts exactly 30 days; above 14.4 over an hour, or 6 over six, somebody is woken.",
			runbooks: []string{runbooks[o.Promise] + "-budget-burns-fast", runbooks[o.Promise] + "-budget-burns-slowly"},
		}
		for _, window := range []string{"1h", "6h", "1d", "3d"} {
			q.queries = append(q.queries, query{"stoa:objective_burn:" + window + which, window})
		}
		s.questions = append(s.questions, q)
	}
	return s
}
