package search

// likeness is how much a title must look like what was looked for, from 0 to 1.
const likeness = "0.32"

// Hits is the text of a common table expression "hits (id, rank)" of the products that a
// query finds, the best with the highest rank. The query's parts are the statement's
// parameters $text, $words and $slips; only narrows the products p.
func Hits(text, words, slips, only string) string {
	matching := func(query string) string {
		return `
	select p.id, (ts_rank('{0.05, 0.2, 0.4, 1}', p.search, q.query)
		+ case when p.id in (select product_id from variants where sku = ` + text + `) then 1 else 0 end)::numeric(12, 6) as rank
	from products p, (select to_tsquery('simple', ` + query + `) || to_tsquery(l.language, ` + query + `) as query from (select ` + languageSQL + ` as language) l) q
	where ` + query + ` <> '' and p.search @@ q.query and ` + only
	}
	return `exact as (` + matching(words) + `
), slips as (` + matching(slips) + ` and not exists (select from exact)
), alike as (
	select p.id, ext.word_similarity(` + text + `, p.title)::numeric(12, 6) as rank from products p
	where not exists (select from exact) and not exists (select from slips)
		and ext.word_similarity(` + text + `, p.title) >= ` + likeness + ` and ` + only + `
), hits as (select * from exact union all select * from slips union all select * from alike)`
}
