package facets

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// names are what is called how; what is gone meanwhile, or is not to be filtered by any more,
// is not in them.
type names struct {
	categories map[string]string
	vendors    map[int64]string
	attributes map[string]string
	values     map[string]map[string]string // of each attribute
}

// namesSQL is the statement of the names in locales, or as they are written.
func namesSQL(locales []string) (string, search.Arguments) {
	var args search.Arguments
	in, said := translations.In(""), ``
	if len(locales) > 0 {
		in = translations.In(args.Put(locales) + `::text[]`)
		said = `
		left join lateral (select ` + in.Said(`f.translations`) + ` as said) d on f.id is not null
		left join products p on p.id = a.sample
		left join lateral (select ` + in.Said(`p.translations`) + ` as said) t on left(a.name, 1) = 'o'`
	}
	next := len(args)
	parameter := func(n int) string { return "$" + strconv.Itoa(next+n) }
	return `
select json_build_object(
	'categories', (select json_object_agg(g.id, ` + in.Text(in.Said(`g.translations`), `name`, `g.name`) + `) from categories g where g.id = any(` + parameter(1) + `::text[])),
	'vendors', (select json_object_agg(u.key, x.vendor) from unnest(` + parameter(2) + `::bigint[]) u(key),
		lateral (select vendor from product_index where vendor_key = u.key limit 1) x),
	'attributes', (select json_agg(json_build_array(a.name, a.value, coalesce(` + in.Text(`d.said`, `name`, `f.name`) + `, ` + in.Keyed(`t.said`, catalog.OptionKey(`substr(a.name, 2)`), `substr(a.name, 2)`) + `),
			case f.type when 'choice' then ` + in.Keyed(`d.said`, `'choices/' || `+translations.Part(`a.value`), `a.value`) + `
				else ` + in.Keyed(`t.said`, catalog.ChoiceKey(`substr(a.name, 2)`, `a.value`), `a.value`) + ` end))
		from unnest(` + parameter(3) + `::text[], ` + parameter(4) + `::text[], ` + parameter(5) + `::text[]) a(name, value, sample)
		left join field_definitions f on left(a.name, 1) = 'f' and f.resource = 'product' and f.key = substr(a.name, 2) and f.shown and f.filterable` + said + `
		where left(a.name, 1) = 'o' or f.id is not null))::text`, args
}

// readNames reads what is shown is called.
func readNames(ctx context.Context, db *postgres.DB, s shown, locales []string) (names, error) {
	statement, args := namesSQL(locales)
	var categories, attributes, values, samples []string
	var vendors []int64
	for _, c := range s.categories {
		categories = append(categories, c.key)
	}
	for _, v := range s.vendors {
		vendors = append(vendors, v.key)
	}
	for _, a := range s.attributes {
		for _, v := range a.values {
			attributes, values, samples = append(attributes, a.name), append(values, v.key), append(samples, a.of[v.key].sample)
		}
	}
	raw, err := db.JSONWithin(ctx, patience, statement, append(args, categories, vendors, attributes, values, samples)...)
	if err != nil {
		return names{}, fmt.Errorf("read the names of facets: %w", err)
	}
	var found struct {
		Categories map[string]string `json:"categories"`
		Vendors    map[int64]string  `json:"vendors"`
		Attributes [][4]string       `json:"attributes"`
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return names{}, fmt.Errorf("read the names of facets: %w", err)
	}
	n := names{found.Categories, found.Vendors, map[string]string{}, map[string]map[string]string{}}
	for _, a := range found.Attributes {
		name, value, called, said := a[0], a[1], a[2], a[3]
		if n.values[name] == nil {
			n.attributes[name], n.values[name] = called, map[string]string{}
		}
		n.attributes[name] = min(n.attributes[name], called)
		n.values[name][value] = said
	}
	return n, nil
}
