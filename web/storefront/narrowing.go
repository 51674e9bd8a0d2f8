package storefront

import (
	"context"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/facets"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/money"
)

// mostChoices is how many values of a facet a page shows, beside those that are chosen.
const mostChoices = 12

// narrowedBy are the filters and the order that the address names. What cannot be is left out.
func (v *visit) narrowedBy() (filters []search.Filter, order search.Order) {
	query := v.r.URL.Query()
	for _, text := range query["filter"] {
		if f, err := search.ParseFilters([]string{text}); err == nil && readable(text) {
			filters = append(filters, f...)
		}
	}
	texts := make([]string, len(filters))
	for i, f := range filters {
		texts[i] = f.String()
	}
	filters, err := search.ParseFilters(texts)
	if err != nil {
		filters = nil // there are too many
	}
	order = search.Order(query.Get("sort"))
	if !slices.ContainsFunc(sortings, func(o named) bool { return o.order == order }) {
		order = ""
	}
	return filters, order
}

// named is an order, as shoppers read it.
type named struct {
	order search.Order
	name  string
}

var sortings = []named{{search.Newest, "Newest first"}, {search.PriceAscending, "Price: low to high"}, {search.PriceDescending, "Price: high to low"}, {search.Title, "By name"}}

// narrowing is what a list can be narrowed by, and how it is sorted: links, which work without
// a script.
type narrowing struct {
	Groups []narrowed
	Orders []pick
	All    templ.SafeURL // the list with nothing chosen; empty when nothing is
	Found  int
}

type narrowed struct {
	Name    string
	Choices []pick
}

// pick chooses a value, or no longer does when it is chosen.
type pick struct {
	Name   string
	Count  int
	Chosen bool
	To     templ.SafeURL
}

// query is what the address says of filters, an order and words.
func (l *listView) query(filters []search.Filter, order search.Order) url.Values {
	q := url.Values{}
	for _, f := range filters {
		q.Add("filter", f.String())
	}
	if order != "" {
		q.Set("sort", string(order))
	}
	if l.Query != "" {
		q.Set("q", l.Query)
	}
	return q
}

// narrow counts what a list can be narrowed by. Where that takes too long the page does without.
func (v *visit) narrow(ctx context.Context, l *listView, f catalog.ShopFilter) {
	found, err := facets.Count(ctx, v.config().DB, v.config().Speller, search.Asked{
		Query: search.Parse(f.Words), CategoryID: f.CategoryID, CollectionID: f.CollectionID, Filters: f.Filters, Currency: f.Currency, Locales: readerOf(ctx).locales,
	})
	if err != nil {
		v.config().Log.WarnContext(ctx, "a list is shown without facets", "error", err)
		return
	}
	n := &narrowing{Found: found.Total}
	for _, facet := range found.Facets {
		g := narrowed{Name: l.facet(facet)}
		for _, value := range facet.Values {
			if !value.Selected && (len(g.Choices) >= mostChoices || facet.Key == search.AvailabilityFacet && value.Value == "false") {
				continue
			}
			own := search.Filter{Facet: facet.Key, Value: value.Value}
			rest := slices.DeleteFunc(slices.Clone(f.Filters), func(o search.Filter) bool { return o == own })
			if !value.Selected {
				rest = append(rest, own)
			}
			g.Choices = append(g.Choices, pick{l.value(facet, value), value.Count, value.Selected, templ.SafeURL(l.in(l.Path, l.query(rest, f.Order)))})
		}
		if len(g.Choices) > 1 || len(g.Choices) == 1 && (g.Choices[0].Chosen || g.Choices[0].Count < found.Total) {
			n.Groups = append(n.Groups, g)
		}
	}
	for _, o := range sortings {
		n.Orders = append(n.Orders, pick{Name: l.T(o.name), Chosen: o.order == f.Order, To: templ.SafeURL(l.in(l.Path, l.query(f.Filters, o.order)))})
	}
	if len(f.Filters) > 0 || f.Order != "" {
		n.All = templ.SafeURL(l.in(l.Path, l.query(nil, "")))
	}
	l.Narrow = n
}

// facet is what a facet is called.
func (l *listView) facet(f facets.Facet) string {
	switch {
	case f.Name != nil:
		return *f.Name
	case f.Key == search.CategoryFacet:
		return l.T("Category")
	case f.Key == search.VendorFacet:
		return l.T("Brand")
	case f.Key == search.PriceFacet:
		return l.T("Price")
	case f.Key == search.AvailabilityFacet:
		return l.T("Availability")
	}
	return f.Key
}

// value is what a value is called.
func (l *listView) value(f facets.Facet, v facets.Value) string {
	r, priced := search.ParseRange(v.Value)
	switch {
	case f.Key == search.AvailabilityFacet && v.Value == "true":
		return l.T("Can be bought now")
	case f.Key == search.AvailabilityFacet:
		return l.T("Sold out")
	case f.Key != search.PriceFacet || !priced:
		return v.Name
	case r.Below == search.Open:
		return l.T("From %s", l.money(money.New(r.From, l.Currency)))
	}
	return l.T("%s to %s", l.money(money.New(r.From, l.Currency)), l.money(money.New(r.Below, l.Currency)))
}
