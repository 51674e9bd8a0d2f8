package facets

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// columns are what matches, whatever is chosen of facets, and what it is held against. The
// first four are as long as there are products; a key of nothing is none.
type columns struct {
	categories, vendors, attributes []int64
	offers                          []int64 // see offer

	currency string
	tree     tree
	vendorOf map[int64]string // the chosen ones by their keys
	sets     map[int64]set    // of attributes, by their keys
}

// none is the key of a product without a category, a vendor, or attributes.
const none = 0

// offer is what a product costs, and whether it can be bought, as one number.
type offer int64

// The last two bits of an offer say whether it can be bought; without a price the rest is -1.
const (
	unbuyable = iota
	buyable
	unknown
)

// offerSQL is the SQL of an offer.
func offerSQL(price, available string) string {
	return `coalesce(` + price + `, -1) * 4 + coalesce(` + available + `::int, 2)`
}

// price is what it costs; ok is false without a price.
func (o offer) price() (price int64, ok bool) { return int64(o >> 2), o >= 0 }

// tree are the categories.
type tree struct {
	ids  []string
	keys []int64
	of   map[int64]int // where a category is, by its key
	up   []int         // where the one above it is, or -1
}

// set are the attributes that products have together, and one product that has them.
type set struct {
	attributes []string // as the index has them
	product    string
}

// columnsSQL is the statement of the columns and its arguments.
func columnsSQL(asked search.Asked) (string, []any) {
	var args search.Arguments
	currency := args.Put(asked.Currency)
	from, where := asked.From(&args)
	var vendors []string
	for _, f := range asked.Filters {
		if f.Facet == search.VendorFacet {
			vendors = append(vendors, f.Value)
		}
	}
	return `
with matching as (
	select string_agg(x.keys, '') as keys, array_agg(` + offerSQL(asked.Price(&args), asked.Available()) + `) as offers
	from ` + from + ` where ` + where + `
), tree as (
	select array_agg(id) as ids, array_agg(hashtextextended(id, 0)) as keys, array_agg(coalesce(hashtextextended(parent_id, 0), 0)) as above from categories
)
select m.keys, m.offers, t.ids, t.keys, t.above,
	array(select hashtextextended(v, 0) from unnest(` + args.Put(vendors) + `::text[]) with ordinality u(v, n) order by n),
	case when c.place is not null then coalesce(nullif(` + currency + `::text, ''), c.currency) end
from matching m, tree t, ` + search.Placed(currency), args
}

// readColumns reads them.
func readColumns(ctx context.Context, db *postgres.DB, asked search.Asked) (columns, error) {
	statement, args := columnsSQL(asked)
	row, err := db.Columns(ctx, patience, statement, args...)
	if err != nil {
		return columns{}, fmt.Errorf("read what there is: %w", err)
	}
	const keys, ids, currency = 0, 2, 6
	if row[currency] == nil {
		return columns{}, problem.New(problem.Unprocessable, "currency_not_sold", "The shop does not sell in %s.", asked.Currency).
			At("?currency", "not_sold", "Take one of the shop's currencies.")
	}
	c := columns{currency: string(row[currency]), vendorOf: map[int64]string{}}
	var above, vendors []int64
	for i, list := range map[int]*[]int64{1: &c.offers, 3: &c.tree.keys, 4: &above, 5: &vendors} {
		var wrong error
		*list, wrong = postgres.Int8s(row[i])
		err = errors.Join(err, wrong)
	}
	c.cut(row[keys])
	var wrong error
	c.tree.ids, wrong = postgres.Texts(row[ids])
	if err = errors.Join(err, wrong); err != nil {
		return columns{}, fmt.Errorf("read what there is: %w", err)
	}
	c.tree.grow(above)
	n := 0
	for _, f := range asked.Filters {
		if f.Facet == search.VendorFacet {
			c.vendorOf[vendors[n]] = f.Value
			n++
		}
	}
	c.sets, err = readSets(ctx, db, c.attributes)
	return c, err
}

// cut takes the keys of all products apart: of each three of eight bytes.
func (c *columns) cut(keys []byte) {
	const width = 24
	n := len(keys) / width
	c.categories, c.vendors, c.attributes = make([]int64, n), make([]int64, n), make([]int64, n)
	key := func(at int) int64 { return int64(binary.BigEndian.Uint64(keys[at:])) }
	for i := range n {
		c.categories[i], c.vendors[i], c.attributes[i] = key(i*width), key(i*width+8), key(i*width+16)
	}
}

// grow puts the categories together by the keys of those above them.
func (t *tree) grow(above []int64) {
	t.of, t.up = make(map[int64]int, len(t.keys)), make([]int, len(t.keys))
	for i, key := range t.keys {
		t.of[key] = i
	}
	for i, key := range above {
		t.up[i] = -1
		if at, ok := t.of[key]; ok {
			t.up[i] = at
		}
	}
}

// within is whether the category at a place is one of some, or below one of them.
func (t *tree) within(at int, ids []string) bool {
	for ; at >= 0; at = t.up[at] {
		if slices.Contains(ids, t.ids[at]) {
			return true
		}
	}
	return false
}

const setsSQL = `
select array_agg(u.key), array_agg(x.product_id), array_agg(a)
from unnest($1::bigint[]) u(key), lateral (
	select product_id, attributes from product_index where attribute_key = u.key order by attribute_key, product_id limit 1) x, unnest(x.attributes) a`

// readSets reads the attributes that keys stand for.
func readSets(ctx context.Context, db *postgres.DB, keys []int64) (map[int64]set, error) {
	sets := map[int64]set{}
	for _, key := range keys {
		sets[key] = set{}
	}
	delete(sets, none)
	if len(sets) == 0 {
		return sets, nil
	}
	row, err := db.Columns(ctx, patience, setsSQL, slices.Sorted(maps.Keys(sets)))
	if err != nil {
		return nil, fmt.Errorf("read sets of attributes: %w", err)
	}
	found, err := postgres.Int8s(row[0])
	products, wrong := postgres.Texts(row[1])
	attributes, bad := postgres.Texts(row[2])
	if err = errors.Join(err, wrong, bad); err != nil {
		return nil, fmt.Errorf("read sets of attributes: %w", err)
	}
	for i, key := range found {
		sets[key] = set{append(sets[key].attributes, attributes[i]), products[i]}
	}
	return sets, nil
}
