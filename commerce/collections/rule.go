package collections

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Bounds of rules.
const (
	maxConditions = 60
	maxValue      = 255
)

// Condition is what a rule asks of a product.
type Condition struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    string `json:"value,omitempty"`    // as text, whatever the field is; empty for is_set and is_not_set
	Currency string `json:"currency,omitempty"` // of prices
	Key      string `json:"key,omitempty"`      // of custom fields
}

// Rule says which products are in a collection.
type Rule struct {
	Any        bool // one condition is enough; else all have to be met
	Conditions []Condition
}

// kind is what a field holds.
type kind int

const (
	texts kind = iota
	numbers
	amounts // numbers in a currency
	truths
	categories
	mixed // texts and numbers, by the operator
)

// fields are what conditions can be about.
var fields = map[string]kind{
	"title": texts, "vendor": texts, "product_type": texts, "tag": texts, "sku": texts, "variant_title": texts,
	"category": categories,
	"price":    amounts, "compare_at_price": amounts, "on_sale": truths,
	"stock": numbers, "available": truths, "weight_grams": numbers, "custom_field": mixed,
}

// operators are what can be asked of a kind of field.
var operators = map[kind][]string{
	texts:      {"equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", "is_set", "is_not_set"},
	numbers:    {"equals", "not_equals", "greater_than", "less_than", "is_set", "is_not_set"},
	amounts:    {"equals", "not_equals", "greater_than", "less_than", "is_set", "is_not_set"},
	truths:     {"equals"},
	categories: {"equals", "not_equals", "is_set", "is_not_set"},
	mixed:      {"equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", "is_set", "is_not_set", "greater_than", "less_than"},
}

// Check tidies a rule and says what is wrong with it. Conditions about money that name no
// currency are about the main one.
func (r *Rule) Check(wrong *problem.Problem, at, currency string) {
	if n := len(r.Conditions); n == 0 || n > maxConditions {
		wrong.At(at+"/conditions", "maxItems", "There are %d, and may be 1 to %d.", n, maxConditions)
	}
	for i := range r.Conditions {
		r.Conditions[i].check(wrong, fmt.Sprintf("%s/conditions/%d", at, i), currency)
	}
}

func (c *Condition) check(wrong *problem.Problem, at, currency string) {
	kind, known := fields[c.Field]
	if !known {
		wrong.At(at+"/field", "enum", "There is no field %q to ask for.", c.Field)
		return
	}
	if !slices.Contains(operators[kind], c.Operator) {
		wrong.At(at+"/operator", "enum", "Of %s can be asked: %s.", c.Field, strings.Join(operators[kind], ", "))
	}
	if c.Currency == "" && (kind == amounts || c.Field == "on_sale") {
		c.Currency = currency
	}
	if c.Currency != "" && kind != amounts && c.Field != "on_sale" {
		wrong.At(at+"/currency", "unknown", "Only prices have a currency.")
	} else if c.Currency != "" && !money.Known(c.Currency) {
		wrong.At(at+"/currency", "currency", "There is no currency %q.", c.Currency)
	}
	if (kind == mixed) != (c.Key != "") {
		wrong.At(at+"/key", "required", "A custom field has a key, and nothing else has.")
	}
	if kind == mixed && strings.HasSuffix(c.Operator, "_than") {
		kind = numbers
	}
	c.checkValue(wrong, kind, at+"/value")
}

func (c *Condition) checkValue(wrong *problem.Problem, kind kind, at string) {
	c.Value = strings.TrimSpace(c.Value)
	if strings.HasSuffix(c.Operator, "_set") {
		if c.Value != "" {
			wrong.At(at, "unknown", "%s takes no value.", c.Operator)
		}
		return
	}
	switch n := utf8.RuneCountInString(c.Value); {
	case n == 0:
		wrong.At(at, "required", "What is it compared with?")
	case n > maxValue:
		wrong.At(at, "maxLength", "It has %d characters, and may have %d.", n, maxValue)
	case kind == numbers || kind == amounts:
		if n, err := strconv.ParseInt(c.Value, 10, 64); err != nil || n < -1e12 || n > 1e12 {
			wrong.At(at, "integer", "It is a whole number.")
		}
	case kind == truths && c.Value != "true" && c.Value != "false":
		wrong.At(at, "boolean", "It is true or false.")
	}
}
