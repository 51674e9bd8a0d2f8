package search

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// languageOf is the text search configuration of a locale's language.
func languageOf(locale string) string {
	return `(case lower(split_part(` + locale + `, '-', 1))
	when 'da' then 'danish' when 'de' then 'german' when 'en' then 'english' when 'es' then 'spanish' when 'fi' then 'finnish'
	when 'fr' then 'french' when 'hu' then 'hungarian' when 'it' then 'italian' when 'nb' then 'norwegian' when 'nl' then 'dutch'
	when 'no' then 'norwegian' when 'pt' then 'portuguese' when 'ro' then 'romanian' when 'ru' then 'russian' when 'sv' then 'swedish'
	when 'tr' then 'turkish' else 'simple' end)::regconfig`
}

// languageSQL is that of the store's language.
var languageSQL = `(select ` + languageOf(`locale`) + ` from settings where id = 1)`

// words cuts a text where the query's words are cut, so that "black/white" and "LS-M"
// are not taken for paths and hyphenations.
func words(text string) string {
	return `translate(ext.unaccent(` + text + `), '/_-.,:;|\@#&+%''"()[]{}<>!?*=~', repeat(' ', 32))`
}

// plainHTML is the text of HTML, well enough for an index.
func plainHTML(column string) string {
	return `regexp_replace(regexp_replace(` + column + `, '<[^>]*>', ' ', 'g'), '&[#a-zA-Z0-9]+;', ' ', 'g')`
}

// documentSQL is what a product p is found by: title and stock-keeping numbers before
// vendor, type and tags, and those before the description, in all languages that it is there
// in. l.language is the store's.
var documentSQL = `
	setweight(to_tsvector('simple', ` + words(`p.title || ' ' || coalesce((select string_agg(v.sku, ' ') from variants v where v.product_id = p.id), '')`) + `), 'A') ||
	setweight(to_tsvector(l.language, ` + words(`p.title`) + `), 'A') ||
	setweight(to_tsvector('simple', ` + words(`p.vendor || ' ' || p.product_type || ' ' || array_to_string(p.tags, ' ')`) + `), 'B') ||
	setweight(to_tsvector(l.language, ` + words(`p.product_type || ' ' || array_to_string(p.tags, ' ')`) + `), 'B') ||
	setweight(to_tsvector(l.language, ` + words(plainHTML(`p.description`)) + `), 'D') ||
	case when p.translations = '{}' then ''::tsvector else coalesce((select string_agg((` + saidSQL + `)::text, ' ') from jsonb_each(p.translations) e,
		lateral (select ` + languageOf(`e.key`) + ` as language, e.value->'texts' as texts offset 0) t)::tsvector, '') end`

// saidSQL is what a product is found by in a language that it is translated into. A
// description counts by its beginning, so that those in many languages find room.
var saidSQL = `
	setweight(to_tsvector('simple', ` + words(`coalesce(t.texts->>'title', '')`) + `), 'A') ||
	setweight(to_tsvector(t.language, ` + words(`coalesce(t.texts->>'title', '')`) + `), 'A') ||
	setweight(to_tsvector(t.language, ` + words(plainHTML(`left(coalesce(t.texts->>'description_html', ''), 4000)`)) + `), 'D')`

var indexSQL = `update products p set search = ` + documentSQL + `
	from (select ` + languageSQL + ` as language) l where p.id = any($1)`

// Index writes anew what products are found by.
func Index(ctx context.Context, tx *postgres.Tx, productIDs ...string) error {
	if _, err := tx.Exec(ctx, indexSQL, productIDs); err != nil {
		return fmt.Errorf("index for search: %w", err)
	}
	return nil
}

// The products are locked in the order of their IDs before they are changed, so that two
// who change many do not wait for each other.
var reindexSQL = `with locked as (select id from products order by id for no key update)
	update products p set search = ` + documentSQL + `
	from (select ` + languageSQL + ` as language) l, (select count(*) from locked) all_of_them`

// Reindex does so for all products, as when the store's language has changed. The caller
// holds the settings' row, which everyone holds who changes several products.
func Reindex(ctx context.Context, tx *postgres.Tx) error {
	if _, err := tx.Exec(ctx, reindexSQL); err != nil {
		return fmt.Errorf("index for search: %w", err)
	}
	return nil
}
