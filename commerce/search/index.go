package search

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
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

// namesSQL are the words that a product p is called by: title and stock-keeping numbers before
// vendor, type and tags, in all languages that it is there in. l.language is the store's.
var namesSQL = `
	setweight(to_tsvector('simple', ` + words(`p.title || ' ' || coalesce((select string_agg(v.sku, ' ') from variants v where v.product_id = p.id), '')`) + `), 'A') ||
	setweight(to_tsvector(l.language, ` + words(`p.title`) + `), 'A') ||
	setweight(to_tsvector('simple', ` + words(`p.vendor || ' ' || p.product_type || ' ' || array_to_string(p.tags, ' ')`) + `), 'B') ||
	setweight(to_tsvector(l.language, ` + words(`p.product_type || ' ' || array_to_string(p.tags, ' ')`) + `), 'B') ||
	` + translatedSQL(`setweight(to_tsvector('simple', `+words(`coalesce(t.texts->>'title', '')`)+`), 'A') ||
		setweight(to_tsvector(t.language, `+words(`coalesce(t.texts->>'title', '')`)+`), 'A')`)

// toldSQL are those that it is described by. A translation of the description counts by its
// beginning, so that many languages find room.
var toldSQL = `
	setweight(to_tsvector(l.language, ` + words(plainHTML(`p.description`)) + `), 'D') ||
	` + translatedSQL(`setweight(to_tsvector(t.language, `+words(plainHTML(`left(coalesce(t.texts->>'description_html', ''), 4000)`))+`), 'D')`)

// translatedSQL are the words of all languages that a product is translated into, of each as
// a tsvector of t.language and t.texts says.
func translatedSQL(each string) string {
	return `case when p.translations = '{}' then ''::tsvector else coalesce((select string_agg((` + each + `)::text, ' ') from jsonb_each(p.translations) e,
		lateral (select ` + languageOf(`e.key`) + ` as language, e.value->'texts' as texts offset 0) t)::tsvector, '') end`
}

// currencies are those that the store sells in, the main one first; prices stand in their order.
const currencies = `array_prepend(s.currency, array_remove(s.currencies, s.currency))`

// priceAt is the lowest price of a product in a currency at an instant, by the history of
// prices, which reaches into the future.
func priceAt(product, currency, instant string) string {
	return `(select min((select h.amount from price_history h where h.variant_id = v.id and h.currency = ` + currency + ` and h.starts_at <= ` + instant + `
			order by h.starts_at desc limit 1)) from variants v where v.product_id = ` + product + `)`
}

// available is whether a variant v can be bought, as far as stock goes.
const available = `(not v.track_stock or coalesce(v.stock - v.reserved > case when v.oversell then -v.backorder_limit else 0 end, true))`

// longestValue is how long a value may be that products are counted by, in characters.
const longestValue = "255"

// The letters of attributes' kinds.
const (
	optionLetter = "o"
	fieldLetter  = "f"
)

// attributesSQL are the choices that a product's variants are, and the values of its custom
// fields that lists are filtered by.
const attributesSQL = `array(
	select distinct '` + optionLetter + `' || (p.options->(o.n::int - 1)->>'name') || U&'\001F' || o.value
		from variants v, unnest(v.options) with ordinality o(value, n) where v.product_id = p.id and p.options->(o.n::int - 1) is not null
	union select '` + fieldLetter + `' || f.key || U&'\001F' || e.value
		from field_definitions f, jsonb_array_elements_text(case jsonb_typeof(p.custom_fields->f.key) when 'array' then p.custom_fields->f.key else jsonb_build_array(p.custom_fields->f.key) end) e(value)
		where f.resource = 'product' and f.filterable and f.type in ('text', 'integer', 'boolean', 'date', 'choice') and p.custom_fields ? f.key and length(e.value) <= ` + longestValue + `
	order by 1)`

// steps are where one range of prices ends and the next begins, in the minor unit of any
// currency: of those without, such as the yen, a hundred units buy about as much.
var steps = []int64{
	500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 100_000_000, 1_000_000_000,
}

// StepAt is the range of prices at a place.
func StepAt(at int) Range {
	r := Range{Below: Open}
	if at > 0 {
		r.From = steps[at-1]
	}
	if at < len(steps) {
		r.Below = steps[at]
	}
	return r
}

// StepOf is the place of the range that a price is in.
func StepOf(price int64) int {
	return sort.Search(len(steps), func(i int) bool { return steps[i] > price })
}

// written are the columns that are written, of both tables.
const written = `product_id, status, publish_at, unpublish_at, title, vendor, category_key, attributes, available, prices, prices_until`

// again is the SQL of writing columns of a row that is there.
func again(columns string) string {
	return `(` + columns + `) = (excluded.` + strings.ReplaceAll(columns, `, `, `, excluded.`) + `)`
}

// indexSQL writes the rows of the products p that a condition finds, and has it done again when
// the first of them costs something else. The job is written at once, as this may be the last
// that a transaction does.
func indexSQL(where string) string {
	return `
with made as materialized (
	select p.id as product_id, p.status, p.publish_at, p.unpublish_at, lower(ext.unaccent(p.title)) as title,
		p.vendor, hashtextextended(p.category_id, 0) as category_key, ` + attributesSQL + ` as attributes,
		array(select exists (select from variants v join prices r on r.variant_id = v.id and r.currency = k.currency where v.product_id = p.id and ` + available + `)
			from settings s, unnest(` + currencies + `) with ordinality k(currency, n) where s.id = 1 order by k.n) as available,
		r.prices,
		(select min(h.starts_at) from variants v join price_history h on h.variant_id = v.id and h.starts_at > now() where v.product_id = p.id) as prices_until,
		t.names, t.names || ` + toldSQL + ` as search
	from (select ` + languageSQL + ` as language) l, products p, lateral (select ` + namesSQL + ` as names offset 0) t, lateral (select array(select ` + priceAt(`p.id`, `k.currency`, `now()`) + `
		from settings s, unnest(` + currencies + `) with ordinality k(currency, n) where s.id = 1 order by k.n) as prices offset 0) r
	where ` + where + ` order by p.id
), written as (
	insert into product_index as x (` + written + `) select ` + written + ` from made
	on conflict (product_id) do update set ` + again(written) + ` returning x.prices_until
), words as (
	insert into product_words as x (names, search, ` + written + `) select names, search, ` + written + ` from made
	on conflict (product_id) do update set names = excluded.names, search = excluded.search, ` + again(written) + `
)
insert into cell.outbox (request_id, trace, kind, args, run_at)
select '', '', '` + JobDue + `', '{}', min(prices_until) from written having min(prices_until) is not null`
}

var (
	indexSomeSQL  = indexSQL(`p.id = any($1)`)
	indexAllSQL   = indexSQL(`true`)
	indexFieldSQL = indexSQL(`(p.custom_fields ? $1 or p.id in (select product_id from product_index x, unnest(x.attributes) a where starts_with(a, '` + fieldLetter + `' || $1 || U&'\001F')))`)
	indexDueSQL   = indexSQL(`p.id in (select product_id from product_index where prices_until <= now())`)
)

// Index writes anew what products are found, filtered and sorted by. The caller has
// collections.Turn for them, so that of two who change something of a product at the same time
// the last one sees both.
func Index(ctx context.Context, tx *postgres.Tx, products ...string) error {
	return write(ctx, tx, indexSomeSQL, products)
}

// Reindex does so for all products, as when the store's language or currencies have changed.
// The caller holds the settings' row, which everyone holds who changes several products.
func Reindex(ctx context.Context, tx *postgres.Tx) error {
	if err := collections.Alone(ctx, tx); err != nil {
		return err
	}
	return write(ctx, tx, indexAllSQL)
}

// ReindexField does so for the products that have a custom field, when lists begin or cease to
// be filtered by it. The caller holds the settings' row.
func ReindexField(ctx context.Context, tx *postgres.Tx, key string) error {
	if err := collections.Alone(ctx, tx); err != nil {
		return err
	}
	return write(ctx, tx, indexFieldSQL, key)
}

func write(ctx context.Context, tx *postgres.Tx, statement string, args ...any) error {
	if _, err := tx.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("index products: %w", err)
	}
	return nil
}

// laterKey is the key of the products that are written anew before a commit.
type laterKey struct{}

// mostTurns is of how many products turns are waited for one by one.
const mostTurns = 500

// Later has products written anew right before the transaction commits, for changes of what
// others wait for, such as stock, and of many. Where rules say so, the contents of collections
// by rule are found anew as well.
func Later(tx *postgres.Tx, rules bool, products ...string) {
	list, begun := tx.Value(laterKey{}).(map[string]bool)
	if !begun {
		list = map[string]bool{}
		tx.SetValue(laterKey{}, list)
		tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error { return refresh(ctx, tx, list) })
	}
	for _, id := range products {
		list[id] = list[id] || rules
	}
}

func refresh(ctx context.Context, tx *postgres.Tx, list map[string]bool) error {
	products := slices.Sorted(maps.Keys(list))
	turn := func() error { return collections.Turn(ctx, tx, products...) }
	if len(products) > mostTurns {
		turn = func() error { return collections.Alone(ctx, tx) }
	}
	if err := turn(); err != nil {
		return err
	}
	if err := Index(ctx, tx, products...); err != nil {
		return err
	}
	return collections.Refresh(ctx, tx, slices.DeleteFunc(products, func(id string) bool { return !list[id] })...)
}

// JobDue is the kind of the job that writes products anew whose prices have become others by
// the clock, when a list of prices begins or ends to hold. It has no arguments, and can be done
// at any time: until it is done, what such a product costs is looked up where it counts.
const JobDue = "search.due"

// Due does it.
type Due struct{ DB *postgres.DB }

// Register has the workers do so.
func (d *Due) Register(w *jobs.Workers) {
	w.Handle(JobDue, func(ctx context.Context, _ jobs.Job) error { return d.Write(ctx) })
}

// Write writes those products of the context's store anew whose time has come.
func (d *Due) Write(ctx context.Context) error {
	return d.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := collections.Alone(ctx, tx); err != nil {
			return err
		}
		stores.Touch(tx)
		return write(ctx, tx, indexDueSQL)
	})
}
