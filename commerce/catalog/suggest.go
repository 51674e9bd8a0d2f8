package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// oftenEnough is how often others have to have found something by words before they are
// suggested: what few look for may be about them.
const oftenEnough = "5"

// suggestions is the statement of what somebody may be about to look for; $1 is what media
// addresses begin with, $2 how many of each. named is whether a thing's name has the words.
func suggestions(asked search.Asked, media string, most int) (string, []any) {
	args := search.Arguments{media, most}
	best := `select '' as product_id, 0 as n where false` // there is no word in it
	if asked.Query.Words != "" {
		from, where := asked.From(&args)
		best = search.Best(from, where, asked.Query.Text, "", `$2::int`, &args)
	}
	words := args.Put(asked.Query.Words)
	in := translations.In("")
	if len(asked.Locales) > 0 {
		in = translations.In(args.Put(asked.Locales) + `::text[]`)
	}
	named := func(table, column string) string {
		return `(select coalesce(json_agg(json_build_object('id', g.id, 'handle', g.handle, 'name', g.called) order by g.called, g.id), '[]') from (
			select g.id, g.handle, n.called from ` + table + ` g, lateral (select ` + in.Text(in.Said(`g.translations`), column, `g.`+column) + ` as called offset 0) n
			where ` + words + ` <> '' and to_tsvector('simple', ext.unaccent(n.called)) @@ to_tsquery('simple', ` + words + `) order by n.called, g.id limit $2::int) g)`
	}
	typed := args.Put(asked.Query.Typed())
	return `
with best as (
	` + best + `
)
select json_build_object(
	'queries', (select coalesce(json_agg(s.words order by s.n desc, s.words), '[]') from (
		select words, sum(count - empty) as n from searches where words >= ` + typed + ` and words < ` + typed + ` || '~' and ` + typed + ` <> ''
		group by words having sum(count - empty) >= ` + oftenEnough + ` order by n desc, words limit $2::int) s),
	'products', (select coalesce(json_agg(json_build_object('id', p.id, 'handle', p.handle, 'title', ` + in.Text(`t.said`, `title`, `p.title`) + `,
		'image', (select ` + shopImageJSON(in) + ` from images i where i.product_id = p.id and i.state = 'ready' order by i.position, i.id limit 1)) order by b.n), '[]')
		from best b join products p on p.id = b.product_id` + in.From(`p.translations`) + `),
	'categories', ` + named("categories", "name") + `,
	'collections', ` + named("collections", "title") + `)::text`, args
}

// Suggest writes what somebody may be about to look for, at most so many of each: what others
// looked for and found, products, categories and collections, by the beginning of a word.
func Suggest(ctx context.Context, db *postgres.DB, speller *search.Speller, words, media string, most int, locales []string) ([]byte, error) {
	asked := search.Asked{Query: search.Parse(words), Locales: locales}
	read := func() (body []byte, products int, err error) {
		statement, args := suggestions(asked, media, most)
		if body, err = db.JSON(ctx, statement, args...); err != nil {
			return nil, 0, fmt.Errorf("suggest: %w", err)
		}
		var found struct{ Products []json.RawMessage }
		err = json.Unmarshal(body, &found)
		return body, len(found.Products), err
	}
	body, products, err := read()
	if err != nil || products > 0 {
		return body, err
	}
	var ok bool
	if asked.Query, ok = speller.Correct(ctx, asked.Query); !ok {
		return body, nil
	}
	body, _, err = read()
	return body, err
}
