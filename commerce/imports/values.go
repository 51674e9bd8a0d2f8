package imports

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/money"
)

// What a row says is read here. Nil stands for what it leaves blank, and for what the
// file has no column for; what cannot be read is an error of the row.

// wrong notes an error in a column.
func (t *table) wrong(r *row, c column, code, detail string, args ...any) {
	r.say(message(Error, code, t.name(c), detail, args...))
}

// warn notes a warning about a column.
func (t *table) warn(r *row, c column, code, detail string, args ...any) {
	r.say(message(Warning, code, t.name(c), detail, args...))
}

// given is a text that the file has a column for; blank, it is the empty text.
func (t *table) given(r *row, c column) *string {
	if !t.has(c) {
		return nil
	}
	text := t.text(r, c)
	return &text
}

// line is given made one line and shortened to so many characters, which is told.
func (t *table) line(r *row, c column, most int) *string {
	text := t.given(r, c)
	if text == nil {
		return nil
	}
	one := oneLine(*text)
	if short := cut(one, most); short != one {
		t.warn(r, c, "shortened", "It was shortened to %d characters.", most)
		one = short
	}
	return &one
}

// oneLine makes blanks of characters that a line of text cannot have.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)), " ")
}

// number is given without the apostrophe that spreadsheets are told by to leave a number
// as it is written.
func (t *table) number(r *row, c column) *string {
	text := t.given(r, c)
	if text != nil {
		if rest, quoted := strings.CutPrefix(*text, "'"); quoted {
			text = &rest
		}
	}
	return text
}

func (t *table) boolean(r *row, c column) *bool {
	yes := false
	switch text := t.text(r, c); strings.ToLower(text) {
	case "":
		return nil
	case "true", "yes", "y", "1":
		yes = true
	case "false", "no", "n", "0":
	default:
		t.wrong(r, c, "not_boolean", "%q is neither true nor false.", cut(text, 50))
		return nil
	}
	return &yes
}

// amount is a price in the minor unit of the store's currency.
func (t *table) amount(r *row, c column, currency string) *int64 {
	text := t.text(r, c)
	if text == "" {
		return nil
	}
	price, err := money.Parse(text, currency)
	switch {
	case errors.Is(err, money.ErrPrecision):
		t.wrong(r, c, "price_precision", "%q has more decimals than %s has.", cut(text, 50), currency)
	case err != nil:
		t.wrong(r, c, "not_a_price", "%q is not a price. Prices are written as in 1299.00.", cut(text, 50))
	case price.IsNegative():
		t.wrong(r, c, "not_a_price", "A price is not below zero.")
	default:
		return &price.Amount
	}
	return nil
}

func (t *table) quantity(r *row, c column) *int64 {
	text := t.text(r, c)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.wrong(r, c, "not_a_number", "%q is not a whole number.", cut(text, 50))
		return nil
	}
	if n > inventory.MostStock || n < -inventory.MostStock {
		t.wrong(r, c, "out_of_range", "There cannot be %d.", n)
		return nil
	}
	return &n
}

// gramsIn are the units that a weight can be given in.
var gramsIn = map[string]float64{"": 1, "g": 1, "kg": 1000, "oz": 28.349523125, "lb": 453.59237}

// grams is a variant's weight. The column of grams is in grams whatever the unit is that
// the weight is shown in; a column of weights is in that unit.
func (t *table) grams(r *row) *int {
	c, unit := colGrams, 1.0
	if t.text(r, c) == "" {
		c = colWeight
		factor, known := gramsIn[strings.ToLower(t.text(r, colWeightUnit))]
		if !known && t.text(r, c) != "" {
			t.wrong(r, colWeightUnit, "unknown_unit", "Weights are given in g, kg, oz or lb.")
			return nil
		}
		unit = factor
	}
	text := t.text(r, c)
	if text == "" {
		return nil
	}
	weight, err := strconv.ParseFloat(text, 64)
	if weight *= unit; err != nil || !(weight >= 0 && weight <= 100_000_000) {
		t.wrong(r, c, "not_a_weight", "%q is not a weight of 0 to 100 tonnes.", cut(text, 50))
		return nil
	}
	grams := int(math.Round(weight))
	return &grams
}

// content is how much is in a variant.
func (t *table) content(r *row) *catalog.NetContent {
	n := &catalog.NetContent{Value: t.text(r, colNetContent), Unit: strings.ToLower(t.text(r, colNetContentUnit))}
	switch {
	case n.Value == "":
		return nil
	case !n.Valid():
		t.warn(r, colNetContent, "unknown_unit", "%q of %q is no content that there is a price per unit of.", cut(n.Value, 50), cut(n.Unit, 50))
		return nil
	}
	return n
}

// oversell is whether a variant is sold when there is none.
func (t *table) oversell(r *row) *bool {
	yes := true
	switch text := t.text(r, colPolicy); strings.ToLower(text) {
	case "":
		return nil
	case "continue", "true":
	case "deny", "false":
		yes = false
	default:
		t.wrong(r, colPolicy, "unknown_policy", "%q is neither deny nor continue.", cut(text, 50))
		return nil
	}
	return &yes
}

// position is an image's place, or a late one.
func (t *table) position(r *row) int {
	if n, err := strconv.Atoi(t.text(r, colImagePosition)); err == nil && n > 0 {
		return n
	}
	return math.MaxInt
}

// list are the parts of a text between commas.
func list(text string) []string {
	parts := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
