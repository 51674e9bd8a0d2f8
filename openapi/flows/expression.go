package flows

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/stoacommerce/stoa/openapi/probe"
)

// scope is where runtime expressions find what they name.
type scope struct {
	input   func(name string) (any, error)
	steps   map[string]map[string]any // the outputs of the steps so far
	answer  *probe.Answer             // of the step that is judged; nil before it
	outputs map[string]any            // of the workflow that a step was
}

// evaluate is the value of one runtime expression, such as $response.body#/id.
func (s *scope) evaluate(expression string) (any, error) {
	name, rest, _ := strings.Cut(expression, ".")
	switch {
	case name == "$inputs":
		return s.input(rest)
	case name == "$steps":
		return s.output(expression, rest)
	case name == "$outputs":
		return found(expression)(value(s.outputs, rest))
	case s.answer == nil:
		return nil, fmt.Errorf("there is no %s here", expression)
	case expression == "$statusCode":
		return float64(s.answer.Status), nil
	case strings.HasPrefix(expression, "$response.header."):
		// A header that is not there is null, so that a condition can ask for it.
		if values := s.answer.Header.Values(strings.TrimPrefix(expression, "$response.header.")); len(values) > 0 {
			return values[0], nil
		}
		return nil, nil
	case strings.HasPrefix(expression, "$response.body"):
		pointer := strings.TrimPrefix(strings.TrimPrefix(expression, "$response.body"), "#")
		return found(expression)(s.answer.Get(pointer))
	}
	return nil, fmt.Errorf("%s is no expression that is known here", expression)
}

// output is the output of a step before: name.outputs.output, perhaps with a pointer into
// it.
func (s *scope) output(expression, rest string) (any, error) {
	step, name, ok := strings.Cut(rest, ".outputs.")
	outputs, ran := s.steps[step]
	if !ok || !ran {
		return nil, fmt.Errorf("%s: no such step ran before", expression)
	}
	name, pointer, _ := strings.Cut(name, "#")
	inner, ok := outputs[name]
	if !ok {
		return nil, fmt.Errorf("%s: the step gives no such output", expression)
	}
	return found(expression)(probe.Lookup(inner, pointer))
}

func value(of map[string]any, name string) (any, bool) {
	v, ok := of[name]
	return v, ok
}

// found turns what a look-up gives into a value or an error.
func found(expression string) func(any, bool) (any, error) {
	return func(v any, ok bool) (any, error) {
		if !ok {
			return nil, fmt.Errorf("%s: there is nothing", expression)
		}
		return v, nil
	}
}

var embedded = regexp.MustCompile(`\{(\$[^{}]+)\}`)

// resolve replaces the expressions in a value as it stands in the document: a text that
// is one expression becomes its value, whatever that is; within a text they become text.
func (s *scope) resolve(given any) (any, error) {
	switch v := given.(type) {
	case string:
		if strings.HasPrefix(v, "$") {
			return s.evaluate(v)
		}
		return s.fill(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = s.resolve(v[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		object := map[string]any{}
		for name, inner := range v {
			var err error
			if object[name], err = s.resolve(inner); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
	return given, nil
}

// fill replaces the expressions between braces in a text.
func (s *scope) fill(text string) (string, error) {
	var wrong error
	filled := embedded.ReplaceAllStringFunc(text, func(match string) string {
		v, err := s.evaluate(match[1 : len(match)-1])
		if err != nil && wrong == nil {
			wrong = err
		}
		return asText(v)
	})
	return filled, wrong
}

// asText is a value as it stands in a header, a path or a query.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
