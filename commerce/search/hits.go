package search

// likeness is how much a title must look like what was looked for, from 0 to 1.
const likeness = "0.32"

// alike are the products whose title looks like the text, which the titles' index finds as
// soon as it is told how much that is. That stands before the products because these are
// read for its row.
func alike(text, similarity, only string) string {
	return `
	select a.id, a.rank from (select set_config('pg_trgm.word_similarity_threshold', '` + likeness + `', true) as told) t, lateral (
		select p.id, ` + similarity + `::numeric(12, 6) as rank from products p
		where t.told <> '' and not exists (select from exact) and not exists (select from slips)
			and ` + text + ` operator(ext.<%) p.title and ` + only + ` offset 0) a`
}

// Hits is the text of a common table expression "hits (id, rank)" of the products that a
// query finds, the best with the highest rank. The query's parts are the statement's
// parameters $text, $words and $slips; only narrows the products p. Locales is an array of
// those that the shopper reads, the nearest first, whose stems count beside the store's own;
// empty for none.
func Hits(text, words, slips, locales, only string) string {
	// Over the many words that may have been meant ts_rank takes long, and says little.
	similarity := `ext.word_similarity(` + text + `, p.title)`
	matching := func(query, rank string) string {
		read := ``
		if locales != "" {
			read = ` || to_tsquery(` + languageOf(`(`+locales+`)[1]`) + `, ` + query + `)`
		}
		return `
	select p.id, (` + rank + `
		+ case when p.id in (select product_id from variants where sku = ` + text + `) then 1 else 0 end)::numeric(12, 6) as rank
	from products p, (select to_tsquery('simple', ` + query + `) || to_tsquery(l.language, ` + query + `)` + read + ` as query from (select ` + languageSQL + ` as language) l) q
	where ` + query + ` <> '' and p.search @@ q.query and ` + only
	}
	return `exact as (` + matching(words, `ts_rank('{0.05, 0.2, 0.4, 1}', p.search, q.query)`) + `
), slips as (` + matching(slips, similarity) + ` and not exists (select from exact)
), alike as (` + alike(text, similarity, only) + `
), hits as (select * from exact union all select * from slips union all select * from alike)`
}
