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

// steps are where one range of prices ends and the next begins, in the minor unit of any
// currency: of those without, such as the yen, a hundred units buy about as much.
var steps = []int64{
	500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 100_000_000, 1_000_000_000,
}

// step is the range of prices at a place.
func step(at int) search.Range {
	r := search.Range{Below: search.Open}
	if at > 0 {
		r.From = steps[at-1]
	}
	if at < len(steps) {
		r.Below = steps[at]
	}
	return r
}

var stepsSQL = func() string {
	list := make([]string, len(steps))
	for i, s := range steps {
		list[i] = strconv.FormatInt(s, 10)
	}
	return `'{` + strings.Join(list, ",") + `}'::bigint[]`
}()

// heeded is the SQL of the facets that may keep a product out and have it counted for one of
// them: none, or that one.
func heeded(bit string) string { return `w.kept_out in (0, ` + bit + `)` }

// statement is a statement that counts, as it is put together.
type statement struct {
	search.Arguments
	out      []string // of each facet that is chosen, its bit where it keeps a product out
	own      string   // of attributes, the cases of which bit is whose
	ranges   []string // of each range that is chosen, how many products are in it
	selected []string // the values that are chosen, as the statement knows them
}

func (s *statement) choose(filters []search.Filter) {
	next := attributeBit
	for _, c := range search.ByFacet(filters) {
		bit, known := bits[c.Facet]
		if !known {
			bit, next = next, next*2
			text, _ := search.Filter{Facet: c.Facet}.Attribute()
			s.own += ` when ` + s.Put(strings.TrimSuffix(text, search.Separator)) + `::text then ` + strconv.Itoa(bit)
		}
		s.out = append(s.out, `case when `+c.Condition(&s.Arguments)+` then 0 else `+strconv.Itoa(bit)+` end`)
		for _, value := range c.Values {
			mark := c.Facet[:1] + value // "category" and "vendor" begin with letters of their own
			if text, ok := (search.Filter{Facet: c.Facet, Value: value}).Attribute(); ok {
				mark = text
			}
			s.selected = append(s.selected, mark)
			if c.Facet == search.PriceFacet {
				r, _ := search.ParseRange(value)
				s.ranges = append(s.ranges, `count(*) filter (where `+r.Holds(`m.price`, &s.Arguments)+`)`)
			}
		}
	}
}

// countSQL is the statement and its arguments.
func countSQL(asked search.Asked) (string, []any) {
	s := &statement{selected: []string{}}
	from, where := asked.From(&s.Arguments)
	s.choose(asked.Filters)
	out, own, ranges := `0`, `0`, `null::bigint[]`
	if len(s.out) > 0 {
		out = strings.Join(s.out, ` + `)
	}
	if s.own != "" {
		own = `case a.name` + s.own + ` else 0 end`
	}
	if len(s.ranges) > 0 {
		ranges = `array[` + strings.Join(s.ranges, `, `) + `]`
	}
	in, sample := translations.In(""), `null::text`
	if len(asked.Locales) > 0 {
		in, sample = translations.In(s.Put(asked.Locales)+`::text[]`), `max(m.product_id)`
	}
	below := `true`
	if asked.CategoryID != "" {
		below = `g.path > (select path from categories where id = ` + s.Put(asked.CategoryID) + `)`
	}
	selected := func(mark string) string { return `(` + mark + `) = any(` + `$selected::text[])` }
	top := func(mark, within string) string {
		return `row_number() over (` + within + ` order by ` + selected(mark) + ` desc, n desc, ` + mark + `)`
	}
	text := `
with matching as (
	select x.product_id, x.category_id, x.vendor, x.attributes, x.available[c.place] as available, ` + search.Price + ` as price, ` + out + ` as kept_out
	from ` + from + ` where ` + where + ` offset 0
), counted as materialized (
	select grouping(m.category_id, m.vendor, m.attributes, m.available) as of, m.kept_out, m.category_id, m.vendor, m.attributes, m.available, m.bucket,
		count(*) as n, min(m.price) as low, max(m.price) as high, ` + ranges + ` as ranges, ` + sample + ` as sample
	from (select *, width_bucket(price, ` + stepsSQL + `) as bucket from matching where kept_out & (kept_out - 1) = 0) m
	group by grouping sets ((m.kept_out, m.category_id), (m.kept_out, m.vendor), (m.kept_out, m.attributes), (m.kept_out, m.available, m.bucket))
), categorised as (
	select *, ` + top(`'c' || id`, ``) + ` as place from (
		select g.id, ` + in.Text(in.Said(`g.translations`), `name`, `g.name`) + ` as called, sum(w.n) as n
		from counted w join categories l on l.id = w.category_id join categories g on g.id = any(string_to_array(rtrim(l.path, '/'), '/'))
		where w.of = 7 and ` + heeded(strconv.Itoa(categoryBit)) + ` and ` + below + ` group by g.id) g
), vendors as (
	select *, ` + top(`'v' || vendor`, ``) + ` as place from (
		select w.vendor, sum(w.n) as n from counted w where w.of = 11 and w.vendor <> '' and ` + heeded(strconv.Itoa(vendorBit)) + ` group by w.vendor) v
), attributes as (
	select *, ` + top(`name || U&'\001F' || value`, `partition by name`) + ` as place from (
		select a.name, a.value, sum(w.n) as n, max(w.sample) as sample
		from counted w, unnest(w.attributes) e, lateral (select split_part(e, U&'\001F', 1) as name, split_part(e, U&'\001F', 2) as value offset 0) a
		where w.of = 13 and ` + heeded(own) + ` group by a.name, a.value) a
), named as (
	select a.*, coalesce(` + in.Text(`d.said`, `name`, `f.name`) + `, ` + in.Keyed(`t.said`, catalog.OptionKey(`substr(a.name, 2)`), `substr(a.name, 2)`) + `) as called,
		case f.type when 'choice' then ` + in.Keyed(`d.said`, `'choices/' || `+translations.Part(`a.value`), `a.value`) + `
			else ` + in.Keyed(`t.said`, catalog.ChoiceKey(`substr(a.name, 2)`, `a.value`), `a.value`) + ` end as said
	from attributes a
	left join field_definitions f on left(a.name, 1) = 'f' and f.resource = 'product' and f.key = substr(a.name, 2) and f.shown and f.filterable
	left join lateral (select ` + in.Said(`f.translations`) + ` as said) d on f.id is not null
	left join products p on p.id = a.sample
	left join lateral (select ` + in.Said(`p.translations`) + ` as said) t on left(a.name, 1) = 'o'
	where a.place <= ` + mostValues + ` and (left(a.name, 1) = 'o' or f.id is not null)
), prices as (
	select * from counted w where w.of = 14 and ` + heeded(strconv.Itoa(priceBit)) + `
)
select json_build_object('currency', case when c.place is not null then coalesce(nullif($1, ''), c.currency) end,
	'total', (select coalesce(sum(n), 0) from counted w where w.of = 14 and w.kept_out = 0),
	'categories', (select coalesce(json_agg(json_build_array(id, called, n) order by place), '[]') from categorised where place <= ` + mostValues + `),
	'vendors', (select coalesce(json_agg(json_build_array(vendor, vendor, n) order by place), '[]') from vendors where place <= ` + mostValues + `),
	'attributes', (select coalesce(json_agg(json_build_object('name', a.name, 'called', a.called, 'values', a.list) order by a.n desc, a.name), '[]') from (
		select name, min(called) as called, sum(n) as n, json_agg(json_build_array(value, said, n) order by place) as list
		from named group by name order by sum(n) desc, name limit ` + mostFacets + `) a),
	'availability', (select coalesce(json_agg(json_build_array(a.available::text, a.available::text, a.n) order by a.available desc), '[]') from (
		select w.available, sum(w.n) as n from counted w where w.of = 14 and w.available is not null and ` + heeded(strconv.Itoa(availabilityBit)) + ` group by w.available) a),
	'steps', (select coalesce(json_agg(json_build_array(b.bucket, b.n) order by b.bucket), '[]') from (
		select bucket, sum(n) as n from prices where bucket is not null group by bucket) b),
	'ranges', (select json_agg(r.n order by r.i) from (select e.i, sum(e.n) as n from prices, unnest(ranges) with ordinality e(n, i) group by e.i) r),
	'low', (select min(low) from prices), 'high', (select max(high) from prices))::text
from ` + search.Placed(`$1`)
	return strings.ReplaceAll(text, "$selected", s.Put(s.selected)), s.Arguments
}
