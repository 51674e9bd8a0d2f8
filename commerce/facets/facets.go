package facets

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/money"
)

// tally is a value with its name, and how many products have it.
type tally struct {
	value, name string
	n           int64
}

// UnmarshalJSON reads what the statement writes: an array.
func (t *tally) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&t.value, &t.name, &t.n})
}

// counted is what the statement found.
type counted struct {
	Currency     *string `json:"currency"`
	Total        int64   `json:"total"`
	Categories   []tally `json:"categories"`
	Vendors      []tally `json:"vendors"`
	Availability []tally `json:"availability"`
	Attributes   []struct {
		Name   string  `json:"name"`
		Called string  `json:"called"`
		Values []tally `json:"values"`
	} `json:"attributes"`
	Steps  [][2]int64 `json:"steps"`
	Ranges []int64    `json:"ranges"`
	Low    *int64     `json:"low"`
	High   *int64     `json:"high"`
}

// facets shows what was found, with what is chosen of it. A facet of which there is nothing is
// left out, unless something of it is chosen.
func (c counted) facets(filters []search.Filter) Facets {
	shown := Facets{Total: c.Total, Facets: []Facet{}}
	add := func(f Facet, values []tally) {
		f.Values = []Value{}
		for _, t := range values {
			f.Values = append(f.Values, f.value(t))
		}
		for _, filter := range filters {
			if filter.Facet != f.Key {
				continue
			}
			i := slices.IndexFunc(f.Values, func(v Value) bool { return v.Value == filter.Value })
			if i < 0 {
				i = len(f.Values)
				f.Values = append(f.Values, f.value(tally{filter.Value, filter.Value, 0}))
			}
			f.Values[i].Selected = true
		}
		if len(f.Values) > 0 {
			shown.Facets = append(shown.Facets, f)
		}
	}
	add(Facet{Key: search.CategoryFacet}, c.Categories)
	add(Facet{Key: search.VendorFacet}, c.Vendors)
	price := Facet{Key: search.PriceFacet}
	if c.Low != nil && c.Currency != nil {
		price.PriceMin, price.PriceMax = &money.Money{Amount: *c.Low, Currency: *c.Currency}, &money.Money{Amount: *c.High, Currency: *c.Currency}
	}
	add(price, c.prices(filters))
	add(Facet{Key: search.AvailabilityFacet}, c.Availability)
	known := map[string]bool{}
	for _, a := range c.Attributes {
		key := search.OfAttribute(a.Name)
		known[key] = true
		add(Facet{Key: key, Name: &a.Called}, a.Values)
	}
	for _, chosen := range search.ByFacet(filters) {
		if _, attribute := (search.Filter{Facet: chosen.Facet}).Attribute(); attribute && !known[chosen.Facet] {
			known[chosen.Facet] = true
			add(Facet{Key: chosen.Facet}, nil)
		}
	}
	return shown
}

func (f Facet) value(t tally) Value {
	return Value{Value: t.value, Name: t.name, Count: t.n, Filter: search.Filter{Facet: f.Key, Value: t.value}.String()}
}

// prices are the usual ranges that there is something in, and those that are chosen.
func (c counted) prices(filters []search.Filter) []tally {
	var list []tally
	for _, s := range c.Steps {
		name := search.StepAt(int(s[0])).String()
		list = append(list, tally{name, name, s[1]})
	}
	at := 0
	for _, f := range filters {
		if f.Facet != search.PriceFacet {
			continue
		}
		if !slices.ContainsFunc(list, func(t tally) bool { return t.value == f.Value }) && at < len(c.Ranges) {
			list = append(list, tally{f.Value, f.Value, c.Ranges[at]})
		}
		at++
	}
	slices.SortFunc(list, func(a, b tally) int {
		x, _ := search.ParseRange(a.value)
		y, _ := search.ParseRange(b.value)
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.Below, y.Below))
	})
	return list
}
