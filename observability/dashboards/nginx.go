package dashboards

// Nginx is about the front: what comes to it, and what of it the program sees. How single requests
// went stands in its access log.
func Nginx() Dashboard {
	return dashboard("nginx", "Stoa: Nginx", section{"What comes to the front?", []question{
		{
			title: "Does Nginx answer its exporter?", unit: "short", width: 6, kind: value, badAtZero: true,
			about:    "1 for each Nginx that its exporter reaches.",
			queries:  []query{{"nginx_up", "{{instance}}"}},
			runbooks: []string{"front-door-down"},
		},
		{
			title: "How many requests come, and how many reach the program?", unit: "reqps", width: 9, kind: lines,
			about: "What lies between the two Nginx has answered itself: redirects, files of its cache, floods that it refused.",
			queries: []query{
				{"sum(rate(nginx_http_requests_total[$__rate_interval]))", "Nginx"},
				{"sum(rate(stoa_http_requests_total[$__rate_interval]))", "the program"},
			},
			runbooks: []string{"front-door-down"},
		},
		{
			title: "How many connections are there at the front?", unit: "short", width: 9, kind: lines,
			about: "By what Nginx does: reading a request, writing an answer, waiting for the next request. Many that read are slow clients.",
			queries: []query{
				{"nginx_connections_reading", "{{instance}} reading"},
				{"nginx_connections_writing", "{{instance}} writing"},
				{"nginx_connections_waiting", "{{instance}} waiting"},
			},
		},
		{
			title: "Does Nginx drop connections?", unit: "short", width: 8, kind: lines, bad: 1,
			about:    "Connections accepted and not handled in the last ten minutes: worker_connections is used up.",
			queries:  []query{{"increase(nginx_connections_accepted[10m]) - increase(nginx_connections_handled[10m])", "{{instance}}"}},
			runbooks: []string{"front-door-down"},
		},
		{
			title: "How many requests does a connection carry?", unit: "short", width: 8, kind: lines,
			about:   "Few mean that clients, or a balancer in front, do not keep their connections.",
			queries: []query{{"rate(nginx_http_requests_total[$__rate_interval]) / rate(nginx_connections_handled[$__rate_interval])", "{{instance}}"}},
		},
		{
			title: "What takes the time of a page, asked from outside?", unit: "s", width: 8, kind: lines,
			about:    "Name, connection, TLS, the program, the transfer.",
			queries:  []query{{`probe_http_duration_seconds{job="front-door"}`, "{{instance}} {{phase}}"}},
			runbooks: []string{"front-door-down"},
		},
	}})
}
