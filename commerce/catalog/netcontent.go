package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// NetContent is how much is in a variant, such as 250 g: what its price per unit is of.
type NetContent struct {
	Value string `json:"value"` // a decimal number above 0
	Unit  string `json:"unit"`
}

// unit is one that contents are given in, and how many of it are in the one that prices are
// told for, as Directive 98/6/EC has it.
type unit struct {
	name, of string
	in       string
}

var units = []unit{
	{"g", "kg", "1000"}, {"kg", "kg", "1"}, {"ml", "l", "1000"}, {"cl", "l", "100"}, {"l", "l", "1"},
	{"mm", "m", "1000"}, {"cm", "m", "100"}, {"m", "m", "1"}, {"m2", "m2", "1"}, {"m3", "m3", "1"}, {"piece", "piece", "1"},
}

// numbers are the numbers that a content may be: a billion at most, in thousandths.
var numbers = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$`)

// Valid says whether there can be so much.
func (n NetContent) Valid() bool {
	return numbers.MatchString(n.Value) && strings.Trim(n.Value, "0.") != "" && slices.ContainsFunc(units, func(u unit) bool { return u.name == n.Unit })
}

// netContent checks how much is in a variant; nil is not known.
func (c checker) netContent(n *NetContent, at string) {
	if n != nil && !n.Valid() {
		c.wrong.At(at, "out_of_range", "It is a number above 0, of a unit that there is.")
	}
}

// unitPriceJSON is what one unit of a variant v costs at its price r, in the shop's currency c,
// where it is known how much is in it.
var unitPriceJSON = func() string {
	in, of := "", ""
	for _, u := range units {
		in += ` when '` + u.name + `' then ` + u.in
		of += ` when '` + u.name + `' then '` + u.of + `'`
	}
	amount := `round(r.amount * case v.net_content->>'unit'` + in + ` end / (v.net_content->>'value')::numeric)`
	return `case when r.amount is not null and v.net_content is not null then json_build_object('price', ` + moneyJSON(amount) + `, 'unit', case v.net_content->>'unit'` + of + ` end) end`
}()
