package promtest_test

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/observability/promtest"
)

// program is what of a starting program matters here: it asks for its observers, serves
// them, and no request has come yet.
func program(t *testing.T) *observability.Ops {
	t.Helper()
	m := observability.NewMetrics(observability.MetricsConfig{Version: "1.0.0"})
	for _, operation := range []string{"signUp", "listProducts", "page.product", "completeCart"} {
		m.HTTP.Operation(operation)
	}
	m.Limiter.Class("read")
	for _, door := range []string{"store", "control", "cell"} {
		m.Database.Door(door)
	}
	m.Database.Pools(func() map[observability.PoolName]observability.PoolStats {
		return map[observability.PoolName]observability.PoolStats{
			{Cell: "control", Pool: "control"}: {Max: 8},
			{Cell: "local", Pool: "stores"}:    {Max: 8},
		}
	})
	m.Cells.Cell("local").Up(true)
	m.Cells.Cell("local").Stores(2, 1000)
	m.Queue.Cell("local").Measured(observability.QueueState{})
	m.Queue.Kind("webhook_deliver")
	m.Cache.Cache("keys")
	m.Payments.Differences("stock", 0)
	m.Keeping.Swept("picture", 0, 0)
	m.Keeping.Stands(observability.Keeping{Cells: []observability.CapacityState{{Cell: "local", By: "bytes", Used: 1, Most: 2}}})
	m.Stores.Count("store_1", 429, time.Millisecond) // the lists of stores are the only thing that needs a request, and a refused one

	ops := observability.NewOps(observability.OpsConfig{Addr: "127.0.0.1:0"}, m, slog.New(slog.DiscardHandler))
	if err := ops.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ops.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return ops
}

// elsewhere finds what exporters of other servers and the regular tasks tell of; the whole program
// is asked for that in app.
var elsewhere = regexp.MustCompile(`\b(node|redis|nginx|probe|stoa_postgres|stoa_backup|stoa_restore|stoa_task|stoa_cell_full)_|job!="stoa"`)

// TestFasterDividesDurations: what is compared with a time is one, a share and a count are not.
func TestFasterDividesDurations(t *testing.T) {
	got, err := promtest.Faster([]byte(`
groups:
  - name: g
    rules:
      - {alert: A, for: 15m, expr: 'rate(a[5m]) > 0.5 and b offset 1w >= bool 5 and time() - c > 300 and (d and (time() - e) < 60) > 3'}
      - {record: "r:x", expr: 'avg_over_time(z[1h])'}
`), 60)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"for: 15s", "rate(a[5s]) > 0.5", "b offset 2h48m >= bool 5", "time() - c > (300) / 60", "(time() - e) < (60) / 60) > (3) / 60", "avg_over_time(z[1m])"} {
		if !strings.Contains(strings.Join(strings.Fields(string(got)), " "), want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if _, err := promtest.Faster([]byte(`groups: [{rules: [{alert: A, expr: 'sum('}]}]`), 2); err == nil {
		t.Error("a rule that is none is accepted")
	}
}

func TestEveryExpressionFindsSeriesFromTheStart(t *testing.T) {
	prometheus := promtest.Start(t, program(t).Addr(), program(t).Addr())
	expressions := slices.DeleteFunc(promtest.All(t), func(e promtest.Expression) bool { return elsewhere.MatchString(e.Text) })
	if len(expressions) < 100 {
		t.Errorf("only %d expressions found in dashboards and rules", len(expressions))
	}
	prometheus.RequireSeries(t, 30*time.Second, expressions)

	firing, err := prometheus.Query(t.Context(), `ALERTS{alertstate="firing"}`)
	if err != nil || len(firing) != 0 {
		t.Errorf("a program that is well raises %v (%v)", firing, err)
	}
	up, err := prometheus.Query(t.Context(), "sum(up)")
	if err != nil || len(up) != 1 || up[0].Value != 2 {
		t.Errorf("up is %v (%v)", up, err)
	}
}

// recorder is a testing.TB whose errors are looked at instead of failing the test.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(_ string, args ...any) {
	for _, arg := range args {
		if text, ok := arg.(string); ok {
			r.errors = append(r.errors, text)
		}
	}
}

func TestRequireSeriesFindsWhatIsMissing(t *testing.T) {
	prometheus := promtest.Start(t, program(t).Addr())
	r := &recorder{TB: t}
	prometheus.RequireSeries(r, 0, []promtest.Expression{
		{Where: "well", Text: "stoa_build_info", Labels: []string{"version"}},
		{Where: "one", Text: "stoa_no_such_metric"},
		{Where: "two", Text: "stoa_build_info", Labels: []string{"flavour"}},
		{Where: "three", Text: "sum("},
	})
	if len(r.errors) != 1 {
		t.Fatalf("errors are %q", r.errors)
	}
	for _, want := range []string{
		"one: stoa_no_such_metric: no series",
		"two: stoa_build_info: no series has the label flavour",
		"three: sum(: query sum(: ",
	} {
		if !strings.Contains(r.errors[0], want) {
			t.Errorf("%q is not told in %q", want, r.errors[0])
		}
	}
	if strings.Contains(r.errors[0], "well") {
		t.Errorf("what is well is told in %q", r.errors[0])
	}
}

func TestDashboardExpressions(t *testing.T) {
	got, err := promtest.DashboardExpressions([]byte(`{"panels": [{"title": "A row"}, {"title": "Why?", "targets": [
		{"refId": "A", "expr": "sum by (cell) (rate(x{cell=~\"$cell|control\"}[$__rate_interval]))", "legendFormat": "{{cell}} of {{ pool }}"},
		{"refId": "B", "expr": "y{z=~\"${z}\"}", "legendFormat": "all"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []promtest.Expression{
		{Where: `panel "Why?", query A`, Text: `sum by (cell) (rate(x{cell=~".*|control"}[1m]))`, Labels: []string{"cell", "pool"}},
		{Where: `panel "Why?", query B`, Text: `y{z=~".*"}`},
	}
	if len(got) != 2 || !same(got[0], want[0]) || !same(got[1], want[1]) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, wrong := range []string{`{`, `{"panels": [{"targets": [{"expr": "sum("}]}]}`} {
		if _, err := promtest.DashboardExpressions([]byte(wrong)); err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

func same(a, b promtest.Expression) bool {
	return a.Where == b.Where && a.Text == b.Text && slices.Equal(a.Labels, b.Labels)
}

func TestRuleSelectors(t *testing.T) {
	got, err := promtest.RuleSelectors([]byte(`
groups:
  - rules:
      - {alert: A, expr: 'sum(rate(x{s="5xx"}[5m])) / sum(rate(x[5m])) > 0.5 and time() - y > 3'}
      - {record: "r:x", expr: 'absent(z == 1)'}
`))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range got {
		texts = append(texts, e.Where+" "+e.Text)
	}
	want := []string{`rule A x{s="5xx"}`, "rule A x", "rule A y", "rule r:x z"}
	if !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
	for _, wrong := range []string{"groups: 3", "groups: [{rules: [{alert: A, expr: 'sum('}]}]"} {
		if _, err := promtest.RuleSelectors([]byte(wrong)); err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}
