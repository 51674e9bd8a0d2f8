package logs_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// token is a word, a quoted phrase or a sign of Kibana's query language.
var token = regexp.MustCompile(`^\s*("(?:[^"\\]|\\.)*"|[()]|:|<=|>=|<|>|[^\s():<>"]+)`)

// kql is a query that is being parsed: as much of Kibana's language as our searches use.
type kql struct {
	rest   []string
	fields []string
}

// parse gives the fields that a query asks for, or says what is wrong with it.
func parse(text string) ([]string, error) {
	q := &kql{}
	for left := text; strings.TrimSpace(left) != ""; {
		found := token.FindStringSubmatch(left)
		if found == nil {
			return nil, fmt.Errorf("what is %q", left)
		}
		q.rest = append(q.rest, found[1])
		left = left[len(found[0]):]
	}
	if err := q.either(); err != nil {
		return nil, err
	}
	if len(q.rest) > 0 {
		return nil, fmt.Errorf("%q is too much", q.rest)
	}
	return q.fields, nil
}

func (q *kql) next() string {
	if len(q.rest) == 0 {
		return ""
	}
	return q.rest[0]
}

func (q *kql) take() string {
	first := q.next()
	if first != "" {
		q.rest = q.rest[1:]
	}
	return first
}

// either is: both or both or …
func (q *kql) either() error { return q.chain("or", q.both) }

// both is: one and one and …
func (q *kql) both() error { return q.chain("and", q.one) }

func (q *kql) chain(word string, part func() error) error {
	for {
		if err := part(); err != nil {
			return err
		}
		if q.next() != word {
			return nil
		}
		q.take()
	}
}

// one is: not one, (either), or field : value, field >= value.
func (q *kql) one() error {
	switch field := q.take(); field {
	case "not":
		return q.one()
	case "(":
		if err := q.either(); err != nil {
			return err
		}
		if q.take() != ")" {
			return fmt.Errorf("a ) is missing")
		}
		return nil
	case "", ")", ":", "and", "or":
		return fmt.Errorf("a field is wanted, not %q", field)
	default:
		q.fields = append(q.fields, field)
		sign := q.take()
		if sign != ":" && sign != "<" && sign != ">" && sign != "<=" && sign != ">=" {
			return fmt.Errorf("%s is followed by %q", field, sign)
		}
		return q.value(field)
	}
}

// value is a word, a phrase, or words in parentheses.
func (q *kql) value(field string) error {
	switch v := q.take(); v {
	case "", ")", ":", "and", "or", "not":
		return fmt.Errorf("%s has the value %q", field, v)
	case "(":
		for {
			if err := q.value(field); err != nil {
				return err
			}
			if sign := q.take(); sign == ")" {
				return nil
			} else if sign != "or" && sign != "and" {
				return fmt.Errorf("%s has values joined by %q", field, sign)
			}
		}
	}
	return nil
}

func TestQueriesThatAreNoneAreRefused(t *testing.T) {
	for _, wrong := range []string{"", "status", "status >=", "a: b c: d", "(a: b", "a: (b or)", "and a: b", `a: "b`, "not"} {
		if fields, err := parse(wrong); err == nil {
			t.Errorf("%q is taken for a query of %v", wrong, fields)
		}
	}
	fields, err := parse(`service: stoa and not (level: (WARN or ERROR) or msg.exact: "a: b") and status >= 500`)
	if err != nil || strings.Join(fields, " ") != "service level msg.exact status" {
		t.Errorf("%v, %v", fields, err)
	}
}
