package dashboards_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/observability/dashboards"
)

// units are Grafana's names of the units that our panels use.
var units = []string{"short", "s", "bytes", "percentunit", "reqps", "ops", "cpm", "Bps", "suffix:×"}

func TestGeneratedDashboardsAreCurrent(t *testing.T) {
	files := map[string]bool{}
	for _, d := range dashboards.All() {
		files[d.File()] = true
		want, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(d.File())
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from its source: run go generate ./observability/dashboards", d.File())
		}
	}
	there, err := filepath.Glob("*.json")
	if err != nil || len(there) != len(files) {
		t.Errorf("there are %v (%v), but %d dashboards", there, err, len(files))
	}
}

// each hands a test every dashboard as Grafana would read it, from its file.
func each(t *testing.T, test func(*testing.T, dashboards.Dashboard)) {
	t.Helper()
	for _, d := range dashboards.All() {
		t.Run(d.UID, func(t *testing.T) {
			text, err := os.ReadFile(d.File())
			if err != nil {
				t.Fatal(err)
			}
			var read dashboards.Dashboard
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			test(t, read)
		})
	}
}

// variable finds Grafana's variables in an expression, but for its own.
var variable = regexp.MustCompile(`\$\{?([a-z]\w*)`)

func TestDashboardsThemselves(t *testing.T) {
	seen := map[string]bool{}
	each(t, func(t *testing.T, d dashboards.Dashboard) {
		if seen[d.UID] || seen[d.Title] {
			t.Errorf("another dashboard has the UID %s or the title %q", d.UID, d.Title)
		}
		seen[d.UID], seen[d.Title] = true, true
		if d.Title == "" || d.SchemaVersion == 0 || d.Time.From == "" || d.Refresh == "" || len(d.Links) == 0 {
			t.Errorf("dashboard lacks a property: %+v", d)
		}
		unused := map[string]bool{}
		for _, v := range d.Templating.List {
			unused[v.Name] = true
			if v.Type == "query" && (v.Datasource == nil || v.Datasource.UID != "${datasource}" || !v.IncludeAll || v.AllValue == "") {
				t.Errorf("variable %s is %+v", v.Name, v)
			}
		}
		defined := maps.Clone(unused)
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				for _, found := range variable.FindAllStringSubmatch(target.Datasource.UID+" "+target.Expr, -1) {
					if !defined[found[1]] {
						t.Errorf("%q uses the variable %s, which is not defined", p.Title, found[1])
					}
					delete(unused, found[1])
				}
			}
		}
		for name := range unused {
			t.Errorf("nothing uses the variable %s", name)
		}
	})
}

func TestEveryPanelAsksAQuestionAndCanAnswerIt(t *testing.T) {
	seen := map[string]bool{}
	graphs := 0
	each(t, func(t *testing.T, d dashboards.Dashboard) {
		for _, p := range d.Panels {
			if seen[p.Title] {
				t.Errorf("two panels ask %q", p.Title)
			}
			seen[p.Title] = true
			if !strings.HasSuffix(p.Title, "?") {
				t.Errorf("panel %q asks nothing", p.Title)
			}
			if p.Type == "row" {
				continue
			}
			graphs++
			if !slices.Contains([]string{"timeseries", "stat", "bargauge"}, p.Type) {
				t.Errorf("%q is of unknown type %q", p.Title, p.Type)
			}
			if len(p.Description) < 10 {
				t.Errorf("%q has no description", p.Title)
			}
			checkData(t, p)
			checkLinks(t, p)
		}
	})
	if graphs < 90 {
		t.Errorf("only %d panels", graphs)
	}
}

func checkData(t *testing.T, p dashboards.Panel) {
	t.Helper()
	if p.Datasource == nil || p.Datasource.UID != "${datasource}" || p.Datasource.Type != "prometheus" {
		t.Errorf("%q does not use the chosen data source", p.Title)
	}
	if len(p.Targets) == 0 {
		t.Errorf("%q has no query", p.Title)
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if target.Expr == "" || target.LegendFormat == "" || target.RefID == "" || refs[target.RefID] {
			t.Errorf("%q has the query %+v", p.Title, target)
		}
		refs[target.RefID] = true
		if target.Datasource == nil || target.Datasource.UID != "${datasource}" {
			t.Errorf("%q asks another data source", p.Title)
		}
		if target.Instant == target.Range {
			t.Errorf("%q must ask for an instant or a range", p.Title)
		}
	}
	if p.FieldConfig == nil {
		t.Errorf("%q has no field configuration", p.Title)
		return
	}
	if unit, _ := p.FieldConfig.Defaults["unit"].(string); !slices.Contains(units, unit) {
		t.Errorf("%q has the unit %q", p.Title, unit)
	}
}

func checkLinks(t *testing.T, p dashboards.Panel) {
	t.Helper()
	if len(p.Links) == 0 {
		t.Errorf("%q leads nowhere", p.Title)
	}
	for _, link := range p.Links {
		name, found := strings.CutPrefix(link.URL, dashboards.Runbooks)
		if !found || link.Title == "" {
			t.Errorf("%q links to %q", p.Title, link.URL)
			continue
		}
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "runbooks", name)); err != nil {
			t.Errorf("%q links to a runbook that is not there: %v", p.Title, err)
		}
	}
}

func TestPanelsHaveIDsAndPlacesOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, d dashboards.Dashboard) { checkPlaces(t, d.Panels) })
}

func checkPlaces(t *testing.T, panels []dashboards.Panel) {
	t.Helper()
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	for _, p := range panels {
		if p.ID <= 0 || ids[p.ID] {
			t.Errorf("%q has the ID %d, which is wrong or taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.W <= 0 || g.H <= 0 || g.X < 0 || g.Y < 0 || g.X+g.W > 24 {
			t.Errorf("%q lies outside the grid: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%q lies on %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// What the dashboards must tell of, by a metric that only that has.
func TestDashboardsCoverEveryTheme(t *testing.T) {
	var expressions strings.Builder
	each(t, func(_ *testing.T, d dashboards.Dashboard) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				expressions.WriteString(target.Expr + "\n")
			}
		}
	})
	for theme, metric := range map[string]string{
		"sign-ups": "stoa_signups_total", "orders": "stoa_orders_total", "revenue": "stoa_revenue_minor_units_total",
		"conversion": "stoa_checkouts_completed_total", "rate": "stoa_http_requests_total", "errors": `status="5xx"`,
		"duration": "stoa_http_request_duration_seconds", "limiter": "stoa_limiter_decisions_total",
		"fallback": "stoa_limiter_degraded", "pools": "stoa_db_pool_connections", "statements": "stoa_db_statements_total",
		"outbox": "stoa_queue_outbox_oldest_age_seconds", "jobs": "stoa_queue_jobs_total", "webhooks": "stoa_webhook_attempts_total",
		"cells": "stoa_cell_up", "cache": "stoa_cache_requests_total", "busiest stores": "stoa_busiest_store_requests_per_second",
		"build": "stoa_build_info", "contract": "stoa_contract_violations_total",
		"slowest stores": "stoa_slowest_store_busy_ratio", "limited stores": "stoa_limited_store_refusals_per_second",
		"connections": "stoa_postgres_connections_clients", "waits": "stoa_postgres_waits_clients", "locks": "stoa_postgres_locks_awaited",
		"catalogues": "stoa_postgres_catalogue_dead_rows", "replication": "stoa_postgres_replication_lag_seconds",
		"Redis": "redis_up", "Nginx": "nginx_http_requests_total", "hosts": "node_filesystem_avail_bytes",
		"objectives": "stoa:objective_burn:3d", "backups": "stoa_backup_last_success_timestamp_seconds", "tasks": "stoa_task_failures_total",
	} {
		if !strings.Contains(expressions.String(), metric) {
			t.Errorf("nothing tells of %s (%s)", theme, metric)
		}
	}
}
