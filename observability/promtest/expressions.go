package promtest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/stoacommerce/stoa/observability/alerts"
	"github.com/stoacommerce/stoa/observability/dashboards"
)

// Expression is something that a dashboard or an alert asks of Prometheus.
type Expression struct {
	Where  string   // the panel or the rule, for people
	Text   string   // PromQL without Grafana's variables
	Labels []string // labels that the answer's series are told apart by
}

// All are the expressions of the dashboards and the selectors of every rule: what a running
// program and the exporters of the servers around it must give series for.
func All(t testing.TB) []Expression {
	t.Helper()
	var all []Expression
	for _, d := range dashboards.All() {
		text, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		list, err := DashboardExpressions(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	for _, name := range alerts.Names {
		rules, err := alerts.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		selectors, err := RuleSelectors(rules)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, selectors...)
	}
	return all
}

// DashboardExpressions are the expressions of a Grafana dashboard's JSON.
func DashboardExpressions(dashboard []byte) ([]Expression, error) {
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(dashboard, &d); err != nil {
		return nil, fmt.Errorf("decode dashboard: %w", err)
	}
	var expressions []Expression
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			where := fmt.Sprintf("panel %q, query %s", panel.Title, target.RefID)
			text := withoutVariables(target.Expr)
			if _, err := parser.ParseExpr(text); err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			expressions = append(expressions, Expression{where, text, legendLabels(target.LegendFormat)})
		}
	}
	return expressions, nil
}

var (
	rangeVariable = regexp.MustCompile(`\$(__rate_interval|__interval|__range)\b`)
	otherVariable = regexp.MustCompile(`\$(\w+|\{\w+\})`)
	legendLabel   = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

// withoutVariables puts in for Grafana's variables what it would with everything chosen.
func withoutVariables(expr string) string {
	return otherVariable.ReplaceAllString(rangeVariable.ReplaceAllString(expr, "1m"), ".*")
}

func legendLabels(format string) []string {
	var labels []string
	for _, found := range legendLabel.FindAllStringSubmatch(format, -1) {
		labels = append(labels, found[1])
	}
	return labels
}

// RuleSelectors are the selectors of series in a rule file's alerts and recordings.
func RuleSelectors(rules []byte) ([]Expression, error) {
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Record, Expr string }
		}
	}
	if err := yaml.Unmarshal(rules, &file); err != nil {
		return nil, fmt.Errorf("decode rules: %w", err)
	}
	var selectors []Expression
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			where := "rule " + rule.Alert + rule.Record
			parsed, err := parser.ParseExpr(rule.Expr)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
				if s, ok := node.(*parser.VectorSelector); ok {
					s.OriginalOffset = 0 // what was before the program ran is not there
					selectors = append(selectors, Expression{Where: where, Text: s.String()})
				}
				return nil
			})
		}
	}
	return selectors, nil
}

// RequireSeries fails the test for every expression that has no series, or whose series
// lack a label that tells them apart, after having given each the time to appear.
func (p *Prometheus) RequireSeries(t testing.TB, within time.Duration, expressions []Expression) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		faults := p.faults(t.Context(), expressions)
		if len(faults) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d of %d expressions find nothing within %s:\n%s",
				len(faults), len(expressions), within, strings.Join(faults, "\n"))
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// faults are the expressions without the series that they should have.
func (p *Prometheus) faults(ctx context.Context, expressions []Expression) []string {
	var faults []string
	for _, e := range expressions {
		if fault := p.fault(ctx, e); fault != "" {
			faults = append(faults, fmt.Sprintf("%s: %s: %s", e.Where, e.Text, fault))
		}
	}
	return faults
}

func (p *Prometheus) fault(ctx context.Context, e Expression) string {
	series, err := p.Query(ctx, e.Text)
	if err != nil {
		return err.Error()
	}
	if len(series) == 0 {
		return "no series"
	}
	for _, label := range e.Labels {
		if !slices.ContainsFunc(series, func(s Series) bool { return s.Labels[label] != "" }) {
			return fmt.Sprintf("no series has the label %s", label)
		}
	}
	return ""
}
