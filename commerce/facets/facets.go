package facets

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Facets is what there is of what somebody looks for. Its JSON is the contract's.
type Facets struct {
	Total  int     `json:"total"` // products that match all of it
	Facets []Facet `json:"facets"`
}

// Facet is one of them. Name is what the merchant calls it, or null; a shop calls the others
// by their keys.
type Facet struct {
	Key      string       `json:"key"`
	Name     *string      `json:"name"`
	PriceMin *money.Money `json:"price_min"`
	PriceMax *money.Money `json:"price_max"`
	Values   []Value      `json:"values"`
}

// Value is a value of a facet. Filter chooses it.
type Value struct {
	Value    string `json:"value"`
	Name     string `json:"name"`
	Count    int    `json:"count"`
	Selected bool   `json:"selected"`
	Filter   string `json:"filter"`
}

// Bounds of an answer, and of the time that each of its statements may take.
const (
	mostValues = 100 // of a facet, the fullest
	mostFacets = 30  // of options and custom fields
	patience   = 400 * time.Millisecond
)

// Count counts the facets of what is asked for. Words that find nothing are corrected.
func Count(ctx context.Context, db *postgres.DB, speller *search.Speller, asked search.Asked) (Facets, error) {
	found, err := countOnce(ctx, db, asked)
	if err != nil || found.Total > 0 || asked.Query.Text == "" {
		return found, err
	}
	meant, ok := speller.Correct(ctx, asked.Query)
	if !ok {
		return found, nil
	}
	asked.Query = meant
	return countOnce(ctx, db, asked)
}

func countOnce(ctx context.Context, db *postgres.DB, asked search.Asked) (Facets, error) {
	c, err := readColumns(ctx, db, asked)
	if err != nil {
		return Facets{}, err
	}
	n := count(c, asked.Filters)
	s := n.show(c, asked)
	called, err := readNames(ctx, db, s, asked.Locales)
	if err != nil {
		return Facets{}, err
	}
	return s.facets(n, c, called, asked.Filters), nil
}

// shown is what is shown of what was counted, by keys, the fullest first.
type shown struct {
	categories []number[string]
	vendors    []number[int64]
	attributes []attribute
}

// attribute is an option or a custom field, by the name that the index has, with its values.
type attribute struct {
	name   string
	total  int
	values []number[string]
	of     map[string]*counted
}

func (n *counts) show(c columns, asked search.Asked) shown {
	chosen := func(facet string) func(string) bool {
		return func(value string) bool {
			return slices.Contains(asked.Filters, search.Filter{Facet: facet, Value: value})
		}
	}
	s := shown{
		categories: fullest(n.under(c.tree, asked.CategoryID), chosen(search.CategoryFacet)),
		vendors:    fullest(numbers(n.vendors), func(key int64) bool { return c.vendorOf[key] != "" }),
	}
	for name, values := range n.attributes {
		a := attribute{name: name, of: values}
		for value, of := range values {
			a.values = append(a.values, number[string]{value, of.n, false})
		}
		a.values = fullest(a.values, chosen(search.OfAttribute(name)))
		for _, v := range a.values {
			a.total += v.n
		}
		s.attributes = append(s.attributes, a)
	}
	slices.SortFunc(s.attributes, func(a, b attribute) int {
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.name, b.name))
	})
	s.attributes = s.attributes[:min(mostFacets, len(s.attributes))]
	return s
}

// tally is a value with its name, and how many products have it.
type tally struct {
	value, name string
	n           int
}

// facets are what is shown, by its names. A facet of which there is nothing is left out, unless
// something of it is chosen.
func (s shown) facets(n counts, c columns, called names, filters []search.Filter) Facets {
	list := answer{Facets{Total: n.total, Facets: []Facet{}}, filters}
	list.add(Facet{Key: search.CategoryFacet}, tallies(s.categories, called.categories, func(id string) string { return id }))
	list.add(Facet{Key: search.VendorFacet}, tallies(s.vendors, called.vendors, func(key int64) string { return called.vendors[key] }))
	price := Facet{Key: search.PriceFacet}
	if n.priced {
		price.PriceMin, price.PriceMax = &money.Money{Amount: n.lowest, Currency: c.currency}, &money.Money{Amount: n.highest, Currency: c.currency}
	}
	list.add(price, n.prices(filters))
	var available []tally
	for of, value := range map[int]string{buyable: "true", unbuyable: "false"} {
		if n.available[of] > 0 {
			available = append(available, tally{value, value, n.available[of]})
		}
	}
	slices.SortFunc(available, func(a, b tally) int { return cmp.Compare(b.value, a.value) })
	list.add(Facet{Key: search.AvailabilityFacet}, available)
	for _, a := range s.attributes {
		if name, ok := called.attributes[a.name]; ok {
			list.add(Facet{Key: search.OfAttribute(a.name), Name: &name}, tallies(a.values, called.values[a.name], func(value string) string { return value }))
		}
	}
	for _, chosen := range search.ByFacet(filters) {
		_, attribute := (search.Filter{Facet: chosen.Facet}).Attribute()
		if attribute && !slices.ContainsFunc(list.Facets.Facets, func(f Facet) bool { return f.Key == chosen.Facet }) {
			list.add(Facet{Key: chosen.Facet}, nil)
		}
	}
	return list.Facets
}

// tallies are keys with their names; one that is gone meanwhile has none, and is left out.
func tallies[K cmp.Ordered](keys []number[K], called map[K]string, value func(K) string) (list []tally) {
	for _, k := range keys {
		if name, ok := called[k.key]; ok {
			list = append(list, tally{value(k.key), name, k.n})
		}
	}
	return list
}

// answer is what facets are added to.
type answer struct {
	Facets  Facets
	filters []search.Filter
}

func (a *answer) add(f Facet, values []tally) {
	f.Values = []Value{}
	for _, t := range values {
		f.Values = append(f.Values, f.value(t))
	}
	for _, filter := range a.filters {
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
		a.Facets.Facets = append(a.Facets.Facets, f)
	}
}

func (f Facet) value(t tally) Value {
	return Value{Value: t.value, Name: t.name, Count: t.n, Filter: search.Filter{Facet: f.Key, Value: t.value}.String()}
}

// prices are the usual ranges that there is something in, and those that are chosen.
func (n *counts) prices(filters []search.Filter) []tally {
	var list []tally
	for step, products := range n.steps {
		name := search.StepAt(step).String()
		list = append(list, tally{name, name, products})
	}
	at := 0
	for _, f := range filters {
		if f.Facet != search.PriceFacet {
			continue
		}
		if !slices.ContainsFunc(list, func(t tally) bool { return t.value == f.Value }) {
			list = append(list, tally{f.Value, f.Value, n.ranges[at]})
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
