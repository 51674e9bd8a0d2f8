package search

import (
	"regexp"
	"strings"
)

// Bounds of ranking, so that the best of many cost no more than the best of some. Where words
// find more products than some, the latest of them are ranked, as far back as is looked; all
// others come after those, the latest first. Words that a part of the latest products have are
// common, and are not looked up in the index of words, whose list of them grows with the
// catalogue: such products are met soon by going through them.
var (
	some         = `5000`
	latestRanked = `2000`
	latestLooked = `10000`
	latestProbed = `500`
	commonFrom   = `8` // common is what every so manieth has
)

// rankSQL is how well a product x answers the words x.query: by the words that it is called by,
// as those that describe it are many. text is the parameter of what was written, which may be a
// stock-keeping number.
func rankSQL(text string) string {
	return `(ts_rank('{0.05, 0.2, 0.4, 1}', x.names, x.query) + case when x.product_id in (select product_id from variants where sku = ` + text + `) then 1 else 0 end)::numeric(12, 6)`
}

// unranked is the rank of those that come after all that are ranked.
const unranked = `(-1)::numeric(12, 6)`

// ranks are the positions that Best gives: a product and its rank.
var ranks = regexp.MustCompile(`^(-1|[0-9]{1,6})\.[0-9]{6}$`)

// Best is the SQL of the products x that words find, by From or Found, the best first: each with
// its position as text and its place n, those after a position, and at most so many, which is
// the SQL of a number. text is what was written.
func Best(from, where, text, after, most string, args *Arguments) string {
	later := func(rank, id string) string { return `` }
	if id, rank, found := strings.Cut(after, ":"); found && ranks.MatchString(rank) {
		last := `(` + args.Put(rank) + `::numeric, ` + args.Put(id) + `::text)`
		later = func(rank, id string) string { return ` and (` + rank + `, ` + id + `) < ` + last }
	}
	asked, others, _ := strings.Cut(strings.TrimPrefix(from, indexed+`, `), asQuery)
	// The latest are found by going through them: where there are many, that ends soon. It is
	// gone through in order only where the query is a value, and not joined.
	latest := `(select * from product_words order by product_id desc limit ` + latestLooked + `) x` + others
	among := strings.Replace(where, worded, `(x.search @@ (select query from asked)) is true`, 1)
	all := strings.Replace(where, worded, `(`+worded+`) is true`, 1)
	common := `(select probed.common from probed)`
	return `
	with asked as materialized (
		select q.query from ` + asked + asQuery + `
	), probed as materialized (
		select count(*) filter (where x.search @@ (select query from asked)) * ` + commonFrom + ` >= ` + latestProbed + ` as common
		from (select search from product_words order by product_id desc limit ` + latestProbed + `) x
	), found as materialized (
		(select x.product_id, x.names, q.query from ` + from + ` where ` + where + ` and not ` + common + ` limit ` + some + ` + 1)
		union all
		(select x.product_id, x.names, (select query from asked) from ` + indexed + others + ` where ` + among + ` and ` + common + ` limit ` + latestRanked + ` + 1)
	), many as materialized (
		select count(*) > case when ` + common + ` then ` + latestRanked + ` else ` + some + ` end as true from found
	), ranked as materialized (
		select x.product_id, ` + rankSQL(args.Put(text)) + ` as rank from (
			select * from found where not (select many.true from many)
			union all
			(select x.product_id, x.names, (select query from asked) from ` + latest + ` where ` + among + ` and (select many.true from many) order by x.product_id desc limit ` + latestRanked + `)) x
	), best as (
		(select product_id, rank from ranked where true` + later(`rank`, `product_id`) + ` order by rank desc, product_id desc limit ` + most + `)
		union all
		(select x.product_id, ` + unranked + ` from ` + from + ` where ` + all + ` and (select many.true from many)
			and x.product_id < coalesce((select min(product_id) from ranked), '~')` + later(unranked, `x.product_id`) + ` order by x.product_id desc limit ` + most + `)
		limit ` + most + `
	)
	select product_id, product_id || ':' || rank as position, row_number() over (order by rank desc, product_id desc) as n from best`
}
