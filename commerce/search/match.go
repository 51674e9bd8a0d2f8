package search

import (
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/platform/ids"
)

// Asked is what somebody looks for among the products that are sold; empty fields ask for
// nothing.
type Asked struct {
	Query        Query
	CategoryID   string // or of one below it
	CollectionID string
	Tag          string
	Filters      []Filter
	Currency     string   // that prices are in; the main one when empty
	Locales      []string // that texts are read in, the nearest first
}

// shown is whether a product of the index is sold now.
const shown = `(x.active and (x.publish_at is null or x.publish_at <= now()) and (x.unpublish_at is null or x.unpublish_at > now()))`

// Placed is the place of a currency, a parameter, among those that the store sells in: null
// where it is none of them.
func Placed(currency string) string {
	return `(select case when ` + currency + `::text = '' then 1 else array_position(` + currencies + `, ` + currency + `::text) end as place, s.currency from settings s where s.id = 1) c`
}

// From is the SQL of the products x of the index that are sold and match all of it but the
// filters: a from clause and conditions. c.place is the place of a currency that is not
// the main one; where there are words, q.query are they.
func (a Asked) From(args *Arguments) (from, where string) {
	from, where = `product_index x`, shown
	if words := a.Query.Words; words != "" {
		from = a.Query.from(args.Put(words), a.speak(args))
		where += ` and ` + worded
	} else if a.Query.Text != "" {
		where += ` and false` // there is no word in it
	}
	if a.Currency != "" {
		from += `, ` + Placed(args.Put(a.Currency))
	}
	if a.CategoryID != "" {
		where += ` and ` + a.Condition(Chosen{CategoryFacet, []string{a.CategoryID}}, args)
	}
	if a.CollectionID != "" {
		where += ` and x.product_id in (select m.product_id from collection_products m where m.collection_id = ` + args.Put(a.CollectionID) + `)`
	}
	if a.Tag != "" {
		where += ` and x.product_id in (select p.id from products p where p.tags @> array[` + args.Put(a.Tag) + `::text])`
	}
	return from, where
}

// Filtered is the SQL of whether a product of the index passes the filters.
func (a Asked) Filtered(args *Arguments) string {
	where := `true`
	for _, c := range ByFacet(a.Filters) {
		where += ` and ` + a.Condition(c, args)
	}
	return where
}

// speak is the SQL of the locales, where there are any.
func (a Asked) speak(args *Arguments) string {
	if len(a.Locales) == 0 {
		return ""
	}
	return args.Put(a.Locales) + `::text[]`
}

// indexed are the products x of the index with their words.
const indexed = `product_words x`

// asQuery ends the SQL of q.
const asQuery = ` as query offset 0) q`

// worded is whether the words of a product x of the index are what q.query asks for.
const worded = `x.search @@ q.query`

// from is the SQL of products x of the index with their words, and of those of a query, a
// parameter, as q.query: as they are written, and by their stems in the store's language and in
// that of the reader.
func (Query) from(words, locales string) string {
	read := ``
	if locales != "" {
		read = ` || to_tsquery(` + languageOf(`(`+locales+`)[1]`) + `, ` + words + `)`
	}
	return indexed + `, (select to_tsquery('simple', ` + words + `) || to_tsquery(` + languageSQL + `, ` + words + `)` + read + asQuery
}

// Order is an order of products.
type Order string

// The orders. Products without a price come last.
const (
	Relevance       Order = "relevance" // of a search: the best first
	Newest          Order = "newest"
	Title           Order = "title"
	PriceAscending  Order = "price_ascending"
	PriceDescending Order = "price_descending"
)

// By is the SQL of an order of products x of the index, which is not Relevance: what they are
// ordered by, the position of one as text, and the condition of those after a position; one that
// cannot be is the beginning. An index has the orders by titles and by prices in the main
// currency.
func (a Asked) By(order Order, after string, args *Arguments) (by, position, later string) {
	amount, _ := a.columns()
	var key string
	kind, than, way := `bigint`, `>`, ``
	switch order {
	case Title:
		key, kind = `x.title`, `text collate "C"`
	case PriceAscending:
		key = `coalesce(` + amount + `, 9223372036854775807)`
	case PriceDescending:
		key, than, way = `coalesce(`+amount+`, -1)`, `<`, ` desc`
	default:
		if later = `true`; ids.Valid("prod", after) {
			later = `x.product_id < ` + args.Put(after)
		}
		return `x.product_id desc`, `x.product_id`, later
	}
	id, value, found := strings.Cut(after, ":")
	if later = `true`; found && (kind != `bigint` || isNumber(value)) {
		later = `(` + key + `, x.product_id) ` + than + ` (` + args.Put(value) + `::` + kind + `, ` + args.Put(id) + `)`
	}
	return key + way + `, x.product_id` + way, `x.product_id || ':' || ` + key, later
}

// isNumber says whether Postgres reads a value as a bigint.
func isNumber(value string) bool {
	_, err := strconv.ParseInt(value, 10, 64)
	return err == nil
}

// Found is the SQL of the products x of the index in all states that words, a parameter, find,
// for a merchant.
func Found(words string) (from, where string) {
	return Query{}.from(words, ""), words + ` <> '' and ` + worded
}
