package facets

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Facets is what there is of what somebody looks for. Its JSON is the contract's.
type Facets struct {
	Total  int64   `json:"total"` // products that match all of it
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
	Count    int64  `json:"count"`
	Selected bool   `json:"selected"`
	Filter   string `json:"filter"`
}

// Bounds of an answer, and of the time that counting may take.
const (
	mostValues = "100" // of a facet, the fullest
	mostFacets = "30"  // of options and custom fields
	patience   = 400 * time.Millisecond
)

// Count counts the facets of what is asked for. Words that find nothing are corrected.
func Count(ctx context.Context, db *postgres.DB, speller *search.Speller, asked search.Asked) (Facets, error) {
	found, err := count(ctx, db, asked)
	if err != nil || found.Total > 0 || asked.Query.Text == "" {
		return found, err
	}
	meant, ok := speller.Correct(ctx, asked.Query)
	if !ok {
		return found, nil
	}
	asked.Query = meant
	return count(ctx, db, asked)
}

func count(ctx context.Context, db *postgres.DB, asked search.Asked) (Facets, error) {
	statement, args := countSQL(asked)
	raw, err := db.JSONWithin(ctx, patience, statement, args...)
	if err != nil {
		return Facets{}, fmt.Errorf("count facets: %w", err)
	}
	var c counted
	if err := json.Unmarshal(raw, &c); err != nil {
		return Facets{}, fmt.Errorf("count facets: %w", err)
	}
	if c.Currency == nil {
		return Facets{}, problem.New(problem.Unprocessable, "currency_not_sold", "The shop does not sell in %s.", asked.Currency).
			At("?currency", "not_sold", "Take one of the shop's currencies.")
	}
	return c.facets(asked.Filters), nil
}

// The bits of facets that can keep a product out; from attributeBit on they are those of the
// options and custom fields that are chosen, in their order.
const (
	categoryBit = 1 << iota
	vendorBit
	availabilityBit
	priceBit
	attributeBit
)

var bits = map[string]int{
	search.CategoryFacet: categoryBit, search.VendorFacet: vendorBit, search.AvailabilityFacet: availabilityBit, search.PriceFacet: priceBit,
}

// statement is a statement that counts, as it is put together.
type statement struct {
	search.Arguments
	out    []string            // of each facet that is chosen, its bit where it keeps a product out
	own    string              // of attributes, the cases of which bit is whose
	ranges []string            // of each range that is chosen, how many products are in it
	chosen map[string][]string // the values that are: of categories, of vendors and of attributes
}

// ofAttributes are the chosen values of options and custom fields, as the index has them.
const ofAttributes = ""

func (s *statement) choose(asked search.Asked) {
	next := attributeBit
	for _, c := range search.ByFacet(asked.Filters) {
		bit, known := bits[c.Facet]
		if !known {
			bit, next = next, next*2
			text, _ := search.Filter{Facet: c.Facet}.Attribute()
			s.own += ` when ` + s.Put(strings.TrimSuffix(text, search.Separator)) + `::text then ` + strconv.Itoa(bit)
		}
		s.out = append(s.out, `case when `+asked.Condition(c, &s.Arguments)+` then 0 else `+strconv.Itoa(bit)+` end`)
		for _, value := range c.Values {
			of := c.Facet
			if text, ok := (search.Filter{Facet: c.Facet, Value: value}).Attribute(); ok {
				of, value = ofAttributes, text
			}
			s.chosen[of] = append(s.chosen[of], value)
			if c.Facet == search.PriceFacet {
				r, _ := search.ParseRange(value)
				s.ranges = append(s.ranges, `count(*) filter (where `+r.Holds(`m.price`, &s.Arguments)+`)`)
			}
		}
	}
}

// heeded is the SQL of whether a product counts for a facet: what nothing keeps out, or that
// facet alone.
func (s *statement) heeded(bit string) string {
	if len(s.out) == 0 {
		return `true`
	}
	return `kept_out in (0, ` + bit + `)`
}

// isChosen is the SQL of whether a value is chosen of a facet.
func (s *statement) isChosen(of, value, each string) string {
	if len(s.chosen[of]) == 0 {
		return `false`
	}
	return value + ` = any(array(select ` + each + ` from unnest(` + s.Put(s.chosen[of]) + `::text[]) u))`
}

// countSQL is the statement and its arguments. What matches is counted by keys, and by one
// product of each the fullest are called by their names.
func countSQL(asked search.Asked) (string, []any) {
	s := &statement{chosen: map[string][]string{}}
	currency := s.Put(asked.Currency)
	from, where := asked.From(&s.Arguments)
	s.choose(asked)
	category, vendor, keptOut, by, most, own, ranges, within := `m.category_key`, `m.vendor_key`, ``, ``, ``, `0`, ``, `null`
	if len(s.out) > 0 {
		keptOut, by, most = `, `+strings.Join(s.out, ` + `)+` as kept_out`, `m.kept_out, `, ` where m.kept_out & (m.kept_out - 1) = 0`
		category = `case when ` + s.heeded(strconv.Itoa(categoryBit)) + ` then ` + category + ` end`
		vendor = `case when ` + s.heeded(strconv.Itoa(vendorBit)) + ` then ` + vendor + ` end`
	}
	if s.own != "" {
		own = `case a.name` + s.own + ` else 0 end`
	}
	if len(s.ranges) > 0 {
		ranges = `, array[` + strings.Join(s.ranges, `, `) + `] as ranges`
		within = `(select json_agg(r.n order by r.i) from (select e.i, sum(e.n) as n from prices, unnest(ranges) with ordinality e(n, i) group by e.i) r)`
	}
	in, said := translations.In(""), ``
	if len(asked.Locales) > 0 {
		in = translations.In(s.Put(asked.Locales) + `::text[]`)
		said = `
	left join lateral (select ` + in.Said(`f.translations`) + ` as said) d on f.id is not null
	left join (product_index x join products p on p.id = x.product_id) on x.number = a.sample
	left join lateral (select ` + in.Said(`p.translations`) + ` as said) t on left(a.name, 1) = 'o'`
	}
	below := ``
	if asked.CategoryID != "" {
		below = `[(select 1 + cardinality(lineage) from categories where id = ` + s.Put(asked.CategoryID) + `):]`
	}
	return `
with matching as (
	select x.number, x.category_key, x.vendor_key, x.attribute_key, ` + asked.Available() + ` as available, ` + asked.Step() + ` as step, ` + asked.Price(&s.Arguments) + ` as price` + keptOut + `
	from ` + from + ` where ` + where + ` offset 0
), counted as materialized (
	select grouping(m.category_key, m.vendor_key) as of, ` + by + `m.category_key, m.vendor_key, m.attribute_key, m.available, m.step,
		count(*) as n, min(m.number) as sample, min(m.price) as low, max(m.price) as high` + ranges + `
	from (select ` + by + `m.number, ` + category + ` as category_key, ` + vendor + ` as vendor_key, m.attribute_key, m.available,
		coalesce(m.step, ` + search.StepOf(`m.price`) + `) as step, m.price from matching m` + most + `) m
	group by grouping sets ((m.category_key), (m.vendor_key), (` + by + `m.attribute_key, m.available, m.step))
), sold as materialized (
	select * from counted where of = 3
), categorised as (
	select g.id, ` + in.Text(in.Said(`g.translations`), `name`, `g.name`) + ` as called, t.n, t.chosen from (
		select a.id, sum(a.n) as n, ` + s.isChosen(search.CategoryFacet, `a.id`, `u`) + ` as chosen from (
			select unnest(l.lineage` + below + `) as id, w.n
			from (select * from counted where of = 1) w right join categories l on hashtextextended(l.id, 0) = w.category_key
			where coalesce(w.n, 0) > 0) a
		group by a.id order by chosen desc, n desc, a.id limit ` + mostValues + `) t join categories g on g.id = t.id
), vendors as (
	select x.vendor, t.n, t.chosen from (
		select w.n, w.sample, ` + s.isChosen(search.VendorFacet, `w.vendor_key`, `hashtextextended(u, 0)`) + ` as chosen
		from counted w where w.of = 2 and w.vendor_key is not null order by chosen desc, n desc, w.vendor_key limit ` + mostValues + `) t join product_index x on x.number = t.sample
), attributes as (
	select *, row_number() over (partition by name order by ` + s.isChosen(ofAttributes, `name || U&'\001F' || value`, `u`) + ` desc, n desc, value) as place from (
		select a.name, a.value, sum(w.n) as n, min(w.sample) as sample
		from sold w join product_index x on x.number = w.sample, unnest(x.attributes) e,
			lateral (select split_part(e, U&'\001F', 1) as name, split_part(e, U&'\001F', 2) as value offset 0) a
		where ` + s.heeded(own) + ` group by a.name, a.value) a
), named as (
	select a.*, coalesce(` + in.Text(`d.said`, `name`, `f.name`) + `, ` + in.Keyed(`t.said`, catalog.OptionKey(`substr(a.name, 2)`), `substr(a.name, 2)`) + `) as called,
		case f.type when 'choice' then ` + in.Keyed(`d.said`, `'choices/' || `+translations.Part(`a.value`), `a.value`) + `
			else ` + in.Keyed(`t.said`, catalog.ChoiceKey(`substr(a.name, 2)`, `a.value`), `a.value`) + ` end as said
	from attributes a
	left join field_definitions f on left(a.name, 1) = 'f' and f.resource = 'product' and f.key = substr(a.name, 2) and f.shown and f.filterable` + said + `
	where a.place <= ` + mostValues + ` and (left(a.name, 1) = 'o' or f.id is not null)
), prices as (
	select * from sold w where ` + s.heeded(strconv.Itoa(priceBit)) + `
)
select json_build_object('currency', case when c.place is not null then coalesce(nullif(` + currency + `::text, ''), c.currency) end,
	'total', (select coalesce(sum(n), 0) from sold w where ` + s.heeded(`0`) + `),
	'categories', (select coalesce(json_agg(json_build_array(id, called, n) order by chosen desc, n desc, id), '[]') from categorised),
	'vendors', (select coalesce(json_agg(json_build_array(vendor, vendor, n) order by chosen desc, n desc, vendor), '[]') from vendors),
	'attributes', (select coalesce(json_agg(json_build_object('name', a.name, 'called', a.called, 'values', a.list) order by a.n desc, a.name), '[]') from (
		select name, min(called) as called, sum(n) as n, json_agg(json_build_array(value, said, n) order by place) as list
		from named group by name order by sum(n) desc, name limit ` + mostFacets + `) a),
	'availability', (select coalesce(json_agg(json_build_array(a.available::text, a.available::text, a.n) order by a.available desc), '[]') from (
		select w.available, sum(w.n) as n from sold w where w.available is not null and ` + s.heeded(strconv.Itoa(availabilityBit)) + ` group by w.available) a),
	'steps', (select coalesce(json_agg(json_build_array(b.step, b.n) order by b.step), '[]') from (
		select step, sum(n) as n from prices where step is not null group by step) b),
	'ranges', ` + within + `,
	'low', (select min(low) from prices), 'high', (select max(high) from prices))::text
from ` + search.Placed(currency), s.Arguments
}
