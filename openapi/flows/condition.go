package flows

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// condition is a simple condition of Arazzo: comparisons, joined by && and ||, of which
// && binds closer.
type condition [][]comparison

type comparison struct{ left, operator, right string }

var comparing = regexp.MustCompile(`^\s*(\S+)\s*(==|!=|<=|>=|<|>)\s*(\S.*?)\s*$`)

func parseCondition(text string) (condition, error) {
	var parsed condition
	for alternative := range strings.SplitSeq(text, "||") {
		var all []comparison
		for part := range strings.SplitSeq(alternative, "&&") {
			m := comparing.FindStringSubmatch(part)
			if m == nil {
				return nil, fmt.Errorf("%q is no comparison", part)
			}
			for _, operand := range []string{m[1], m[3]} {
				if _, err := literal(operand); err != nil && !strings.HasPrefix(operand, "$") {
					return nil, err
				}
			}
			all = append(all, comparison{m[1], m[2], m[3]})
		}
		parsed = append(parsed, all)
	}
	return parsed, nil
}

// holds says whether the condition does, and what it compared.
func (c condition) holds(s *scope) (bool, string, error) {
	var seen []string
	for _, all := range c {
		holds := true
		for _, one := range all {
			left, err := s.operand(one.left)
			if err != nil {
				return false, "", err
			}
			right, err := s.operand(one.right)
			if err != nil {
				return false, "", err
			}
			seen = append(seen, fmt.Sprintf("%s %s %s", asText(left), one.operator, asText(right)))
			holds = holds && compare(left, one.operator, right)
		}
		if holds {
			return true, "", nil
		}
	}
	return false, strings.Join(seen, ", "), nil
}

func (s *scope) operand(text string) (any, error) {
	if strings.HasPrefix(text, "$") {
		return s.evaluate(text)
	}
	return literal(text)
}

// literal is a value as conditions write it: null, a boolean, a number or a text in
// single quotes.
func literal(text string) (any, error) {
	switch {
	case text == "null":
		return nil, nil
	case text == "true", text == "false":
		return text == "true", nil
	case len(text) >= 2 && strings.HasPrefix(text, "'") && strings.HasSuffix(text, "'"):
		return strings.ReplaceAll(text[1:len(text)-1], "''", "'"), nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is no value: a text stands in single quotes", text)
	}
	return n, nil
}

// compare compares as Arazzo does: texts without regard to their case, and only numbers
// have an order.
func compare(left any, operator string, right any) bool {
	a, isNumber := left.(float64)
	b, both := right.(float64)
	if isNumber && both {
		switch operator {
		case "<":
			return a < b
		case "<=":
			return a <= b
		case ">":
			return a > b
		case ">=":
			return a >= b
		}
	}
	var equal bool
	if x, ok := left.(string); ok {
		y, isText := right.(string)
		equal = isText && strings.EqualFold(x, y)
	} else {
		equal = asText(left) == asText(right)
	}
	switch operator {
	case "==":
		return equal
	case "!=":
		return !equal
	}
	return false
}
