package promtest

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// Faster divides every duration of a rule file by a number, so that hours pass in minutes: how
// long an alert must hold, windows and offsets, and each number that is compared with a
// difference of times. Shares and counts stay as they are.
func Faster(rules []byte, by int) ([]byte, error) {
	var file map[string]any
	if err := yaml.Unmarshal(rules, &file); err != nil {
		return nil, fmt.Errorf("decode rules: %w", err)
	}
	groups, _ := file["groups"].([]any)
	for _, group := range groups {
		g, _ := group.(map[string]any)
		list, _ := g["rules"].([]any)
		for _, each := range list {
			rule, _ := each.(map[string]any)
			if err := faster(rule, by); err != nil {
				return nil, fmt.Errorf("rule %v%v: %w", rule["alert"], rule["record"], err)
			}
		}
	}
	return yaml.Marshal(file)
}

func faster(rule map[string]any, by int) error {
	if text, there := rule["for"].(string); there {
		held, err := model.ParseDuration(text)
		if err != nil {
			return err
		}
		rule["for"] = model.Duration(shorter(time.Duration(held), by)).String()
	}
	text, _ := rule["expr"].(string)
	expression, err := parser.ParseExpr(text)
	if err != nil {
		return err
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.MatrixSelector:
			n.Range = shorter(n.Range, by)
		case *parser.VectorSelector:
			n.OriginalOffset = shorter(n.OriginalOffset, by)
		case *parser.BinaryExpr:
			if n.Op.IsComparisonOperator() && asksForTime(n.LHS) {
				n.RHS = &parser.BinaryExpr{Op: parser.DIV, LHS: &parser.ParenExpr{Expr: n.RHS}, RHS: &parser.NumberLiteral{Val: float64(by)}}
			}
		}
		return nil
	})
	rule["expr"] = expression.String()
	return nil
}

// shorter is a duration divided, in whole milliseconds, which is as fine as Prometheus counts.
func shorter(d time.Duration, by int) time.Duration {
	return (d / time.Duration(by)).Truncate(time.Millisecond)
}

// asksForTime says whether an expression has time() in it.
func asksForTime(node parser.Node) bool {
	if call, is := node.(*parser.Call); is && call.Func.Name == "time" {
		return true
	}
	for _, child := range parser.Children(node) {
		if asksForTime(child) {
			return true
		}
	}
	return false
}
