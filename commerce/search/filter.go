package search

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Facets that every product has. Those of options are called OptionFacet with the option's
// name, those of custom fields FieldFacet with the key.
const (
	CategoryFacet     = "category"
	VendorFacet       = "vendor"
	AvailabilityFacet = "availability"
	PriceFacet        = "price"
	OptionFacet       = "option."
	FieldFacet        = "custom_field."
)

// Bounds of what is chosen at a time.
const (
	mostFilters = 50
	mostFacets  = 10
	longestText = 600
)

// Filter asks for products that have a value of a facet.
type Filter struct{ Facet, Value string }

// String is how a filter is written: the facet, a colon and the value. In a facet's name,
// colons and percent signs are escaped as in addresses.
func (f Filter) String() string {
	return strings.NewReplacer("%", "%25", ":", "%3A").Replace(f.Facet) + ":" + f.Value
}

// Attribute is the filter as the index has it, where it is of an option or a custom field: a
// kind's letter, a name, Separator and the value.
func (f Filter) Attribute() (text string, ok bool) {
	if name, found := strings.CutPrefix(f.Facet, OptionFacet); found {
		return optionLetter + name + Separator + f.Value, true
	}
	if key, found := strings.CutPrefix(f.Facet, FieldFacet); found {
		return fieldLetter + key + Separator + f.Value, true
	}
	return "", false
}

// Separator is what stands between an attribute's name and its value.
const Separator = "\x1f"

// OfAttribute is the facet of an attribute's letter and name.
func OfAttribute(name string) (facet string) {
	if key, found := strings.CutPrefix(name, fieldLetter); found {
		return FieldFacet + key
	}
	return OptionFacet + strings.TrimPrefix(name, optionLetter)
}

// Range is a range of prices in the currency's minor unit, from one on and below another.
type Range struct{ From, Below int64 }

// Open is what a range without an end is below.
const Open = math.MaxInt64

// String is the range as a filter's value: "1000-2000", or "1000-" without an end.
func (r Range) String() string {
	if r.Below == Open {
		return strconv.FormatInt(r.From, 10) + "-"
	}
	return strconv.FormatInt(r.From, 10) + "-" + strconv.FormatInt(r.Below, 10)
}

// Holds is the SQL of whether a price is in the range.
func (r Range) Holds(price string, args *Arguments) string {
	return `(` + price + ` >= ` + args.Put(r.From) + `::bigint and ` + price + ` < ` + args.Put(r.Below) + `::bigint)`
}

// Has is whether a price is in the range.
func (r Range) Has(price int64) bool { return price >= r.From && price < r.Below }

// ParseRange reads a range as String writes it; ok is whether it is one.
func ParseRange(text string) (r Range, ok bool) {
	from, below, found := strings.Cut(text, "-")
	r.Below = Open
	var wrong, missing error
	if from != "" {
		r.From, wrong = strconv.ParseInt(from, 10, 64)
	}
	if below != "" {
		r.Below, missing = strconv.ParseInt(below, 10, 64)
	}
	return r, found && len(text) > 1 && wrong == nil && missing == nil && 0 <= r.From && r.From < r.Below
}

// ParseFilters reads filters as they are written, in the order of facets, each once.
func ParseFilters(texts []string) ([]Filter, error) {
	wrong := problem.New(problem.Unprocessable, "invalid_filter", "There is no such filter.")
	if len(texts) > mostFilters {
		wrong.At("?filter", "maxItems", "There are %d filters, and may be %d.", len(texts), mostFilters)
		return nil, wrong
	}
	unescape := strings.NewReplacer("%25", "%", "%3A", ":", "%3a", ":")
	list, facets := []Filter{}, map[string]bool{}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, ":")
		f := Filter{unescape.Replace(name), value}
		_, attribute := f.Attribute()
		_, priced := ParseRange(value)
		switch {
		case value == "" || len(text) > longestText || strings.ContainsAny(text, "\x00\x1f"):
			wrong.At("?filter", "invalid", "%q is no facet with a value.", text)
		case f.Facet == AvailabilityFacet && value != "true" && value != "false":
			wrong.At("?filter", "invalid", "What there is of a product is true or false.")
		case f.Facet == PriceFacet && !priced:
			wrong.At("?filter", "invalid", "%q is no range of prices, such as 1000-2000 or 5000-.", value)
		case attribute || f.Facet == CategoryFacet || f.Facet == VendorFacet || f.Facet == AvailabilityFacet || f.Facet == PriceFacet:
			list, facets[f.Facet] = append(list, f), true
		default:
			wrong.At("?filter", "unknown", "There is no facet %q.", f.Facet)
		}
	}
	if len(facets) > mostFacets {
		wrong.At("?filter", "maxItems", "They are of %d facets, and may be of %d.", len(facets), mostFacets)
	}
	slices.SortFunc(list, func(a, b Filter) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(list), wrong.OrNil()
}

// Arguments are a statement's, in the order of their parameters.
type Arguments []any

// Put adds an argument, and gives its parameter.
func (a *Arguments) Put(value any) string {
	*a = append(*a, value)
	return "$" + strconv.Itoa(len(*a))
}

// Chosen are the values that are chosen of one facet.
type Chosen struct {
	Facet  string
	Values []string
}

// ByFacet puts filters together by their facets.
func ByFacet(filters []Filter) []Chosen {
	var list []Chosen
	for _, f := range filters {
		i := slices.IndexFunc(list, func(c Chosen) bool { return c.Facet == f.Facet })
		if i < 0 {
			i = len(list)
			list = append(list, Chosen{Facet: f.Facet})
		}
		list[i].Values = append(list[i].Values, f.Value)
	}
	return list
}

// columns are the SQL of what the cheapest of a product x of the index costs, and of whether
// something of it can be bought, as the index has them.
func (a Asked) columns() (price, available string) {
	if a.Currency == "" {
		return `x.price`, `x.buyable`
	}
	return `x.prices[c.place]`, `x.available[c.place]`
}

// Price is the SQL of what the cheapest of a product x of the index costs now: where a price's
// time is over and the index is not written anew yet, by the history of prices.
func (a Asked) Price(args *Arguments) string {
	price, _ := a.columns()
	currency := `(select currency from settings where id = 1)`
	if a.Currency != "" {
		currency = args.Put(a.Currency) + `::text`
	}
	return `case when x.prices_until <= now() then ` + priceAt(`x.product_id`, currency, `now()`) + ` else ` + price + ` end`
}

// Available is the SQL of whether something of a product x of the index can be bought in it.
func (a Asked) Available() string {
	_, available := a.columns()
	return available
}

// Condition is the SQL of whether a product x of the index has one of the values.
func (a Asked) Condition(c Chosen, args *Arguments) string {
	switch c.Facet {
	case VendorFacet:
		return `x.vendor_key = any(array(select hashtextextended(v, 0) from unnest(` + args.Put(c.Values) + `::text[]) v))`
	case CategoryFacet:
		return `x.category_key in (select hashtextextended(g.id, 0) from categories top join categories g on g.path >= top.path and g.path < top.path || '~' where top.id = any(` + args.Put(c.Values) + `::text[]))`
	case AvailabilityFacet:
		is := ` is not null`
		if len(c.Values) == 1 {
			is = ` is ` + strconv.FormatBool(c.Values[0] == "true")
		}
		return a.Available() + is
	case PriceFacet:
		price := a.Price(args)
		ranges := make([]string, len(c.Values))
		for i, value := range c.Values {
			r, _ := ParseRange(value)
			ranges[i] = r.Holds(price, args)
		}
		return `coalesce(` + strings.Join(ranges, ` or `) + `, false)`
	}
	attributes := make([]string, len(c.Values))
	for i, value := range c.Values {
		attributes[i], _ = Filter{c.Facet, value}.Attribute()
	}
	return `x.attributes && ` + args.Put(attributes) + `::text[]`
}
