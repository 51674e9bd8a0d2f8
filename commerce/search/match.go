package search

import (
	"regexp"
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
const shown = `(x.active and coalesce(x.publish_at <= now(), true) and coalesce(x.unpublish_at > now(), true))`

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
	return `product_words x, (select to_tsquery('simple', ` + words + `) || to_tsquery(` + languageSQL + `, ` + words + `)` + read + ` as query offset 0) q`
}

// rank is how well a product x of the index answers the words q.query: by the words that it is
// called by, as those that describe it are many. text is the parameter of what was written,
// which may be a stock-keeping number.
func rank(text string) string {
	return `(ts_rank('{0.05, 0.2, 0.4, 1}', x.names, q.query) + case when x.product_id in (select product_id from variants where sku = ` + text + `) then 1 else 0 end)::numeric(12, 6)`
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

// By is the SQL of an order of products x of the index: what they are ordered by, the position
// of one as text, and the condition of those after a position; one that cannot be is the
// beginning. An index has the orders by titles and by prices in the main currency.
func (a Asked) By(order Order, after string, args *Arguments) (by, position, later string) {
	amount, _, _ := a.columns()
	if order == Relevance && a.Query.Words == "" {
		order = Newest // there is nothing to be relevant to
	}
	var key string
	kind, than, way := `bigint`, `>`, ``
	switch order {
	case Relevance:
		key, kind, than, way = rank(args.Put(a.Query.Text)), `numeric`, `<`, ` desc`
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
	if later = `true`; found && isOf(kind, value) {
		later = `(` + key + `, x.product_id) ` + than + ` (` + args.Put(value) + `::` + kind + `, ` + args.Put(id) + `)`
	}
	return key + way + `, x.product_id` + way, `x.product_id || ':' || ` + key, later
}

// relevance is how relevant something is, as rank tells it.
var relevance = regexp.MustCompile(`^[0-9]{1,6}\.[0-9]{6}$`)

// isOf says whether Postgres reads a value as of a kind that lists are ordered by.
func isOf(kind, value string) bool {
	switch kind {
	case `bigint`:
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil
	case `numeric`:
		return relevance.MatchString(value)
	}
	return true
}

// Found is the SQL of the products x of the index in all states that words find, for a
// merchant. The query's parts are the statement's parameters.
func Found(text, words string) (from, where, by string) {
	return Query{}.from(words, ""), words + ` <> '' and ` + worded, rank(text)
}
