package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/facets"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// shelves fills a store with so many products: as many vendors and categories as a large shop
// has, every third product in four sizes, and words of which some are in every title.
const shelves = `
with c as (
	insert into categories (id, parent_id, path, name, handle) select 'cat_' || n, null, 'cat_' || n || '/', 'Kind ' || n, 'kind-' || n from generate_series(1, 40) n returning id
), d as (
	insert into categories (id, parent_id, path, name, handle) select 'cat_' || n, 'cat_' || n % 40 + 1, 'cat_' || n % 40 + 1 || '/cat_' || n || '/', 'Kind ' || n, 'kind-' || n from generate_series(41, 2000) n returning id
), p as (
	insert into products (id, handle, title, description, vendor, product_type, status, tags, options, category_id)
	select 'prod_' || lpad(n::text, 9, '0'), 'thing-' || n, (array['Linen', 'Woollen', 'Clay', 'Oak', 'Glass'])[n % 5 + 1] || ' ' || (array['shirt', 'cushion', 'bowl', 'lamp', 'chair', 'cup', 'rug'])[n % 7 + 1] || ' classic ' || n,
		'<p>' || repeat('Made with care of what there is near, and meant to last. ', 6) || '</p>', 'Maker ' || (n * 7919) % 4500, 'Ware', 'active', array['label-' || n % 50],
		case when n % 3 = 0 then '[{"name": "Size", "values": ["S", "M", "L", "XL"]}]' else '[]' end::jsonb, 'cat_' || (n * 31) % 1960 + 41
	from generate_series(1, $1::int) n returning id
), v as (
	insert into variants (id, product_id, position, title, options, sku, stock)
	select 'var_' || n || '_' || s, 'prod_' || lpad(n::text, 9, '0'), s, 'x', case when n % 3 = 0 then array[(array['S', 'M', 'L', 'XL'])[s]] else '{}' end, 'SKU' || n || '-' || s, (n + s) % 4
	from generate_series(1, $1::int) n, generate_series(1, case when n % 3 = 0 then 4 else 1 end) s returning id
), r as (
	insert into prices (variant_id, currency, amount) select 'var_' || n || '_' || s, 'EUR', 300 + (n::bigint * 104729) % 60000 + s from generate_series(1, $1::int) n, generate_series(1, case when n % 3 = 0 then 4 else 1 end) s
)
insert into price_history (variant_id, currency, starts_at, amount, reduced)
select 'var_' || n || '_' || s, 'EUR', now(), 300 + (n::bigint * 104729) % 60000 + s, false from generate_series(1, $1::int) n, generate_series(1, case when n % 3 = 0 then 4 else 1 end) s`

// fill fills the context's store with so many products, and tidies up as Postgres does after a
// while.
func fill(ctx context.Context, b *testing.B, p *testdb.Platform, size int) {
	ref, _ := postgres.StoreFrom(ctx)
	conn, err := pgx.Connect(b.Context(), p.Config.Cells[ref.Cell])
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []struct {
		do     func(ctx context.Context, tx *postgres.Tx) error
		tables []string
	}{
		{func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, shelves, size)
			return err
		}, []string{"products", "variants", "prices", "categories", "price_history"}},
		{search.Reindex, []string{"product_index", "product_words"}},
	} {
		err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil { // filling is not what is measured
				return err
			}
			return step.do(ctx, tx)
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, table := range step.tables {
			if _, err := conn.Exec(b.Context(), `vacuum analyze `+postgres.SchemaName(ref.Schema)+`.`+table); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := conn.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// stopwatch takes the time of statements, from sending one to having its answer.
type stopwatch struct{ nanoseconds atomic.Int64 }

type startedKey struct{}

func (s *stopwatch) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, startedKey{}, time.Now())
}

func (s *stopwatch) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	s.nanoseconds.Add(int64(time.Since(ctx.Value(startedKey{}).(time.Time))))
}

// took is the time of the statements that something sends.
func (s *stopwatch) took(do func()) float64 {
	s.nanoseconds.Store(0)
	do()
	return report.Milliseconds(time.Duration(s.nanoseconds.Load()))
}

// BenchmarkSearch measures what a page of a search and its facets take of the database, with
// nothing kept: 20,000 products and, unless it is to be short, 200,000.
func BenchmarkSearch(b *testing.B) {
	sizes := []int{20_000}
	if !testing.Short() {
		sizes = append(sizes, 200_000)
	}
	var tables []report.Table
	for _, size := range sizes {
		p := testdb.Open(b)
		ctx := p.Store(b)
		fill(ctx, b, p, size)
		table := report.Table{Title: fmt.Sprintf("Search among %d products", size), Note: "The database's time, from sending each statement to having its answer, with nothing kept; facets are three statements, a page is one. Broad is a word of every title; in a real catalogue of that size, the broadest is in every third."}
		var watch stopwatch
		config := p.Config
		config.Tracer = func(string) pgx.QueryTracer { return &watch }
		db, err := postgres.Open(config)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		speller := search.NewSpeller(db)
		for _, try := range []struct {
			name, words string
			filters     []string
		}{
			{"everything", "", nil},
			{"everything of two sizes that can be bought", "", []string{"option.Size:M", "option.Size:L", "availability:true"}},
			{"a broad word", "classic", nil},
			{"a broad word, between two prices, of a category", "classic", []string{"price:1000-20000", "category:cat_1"}},
			{"a word of every fifth product", "linen", nil},
			{"two words", "linen shirt", nil},
			{"two words with slips", "linnen shrit", nil},
		} {
			filters, err := search.ParseFilters(try.filters)
			if err != nil {
				b.Fatal(err)
			}
			var count, page report.Samples
			for n := range 22 {
				counting := watch.took(func() {
					found, err := facets.Count(ctx, db, speller, search.Asked{Query: search.Parse(try.words), Filters: filters})
					if err != nil || found.Total == 0 {
						b.Fatalf("%s: %d, %v", try.name, found.Total, err)
					}
				})
				listing := watch.took(func() {
					if _, err := catalog.ShopProducts(ctx, db, catalog.ShopFilter{Words: try.words, Filters: filters, Speller: speller, Limit: 24}); err != nil {
						b.Fatal(err)
					}
				})
				if n > 1 { // the first ones read what is not in memory
					count, page = append(count, counting), append(page, listing)
				}
			}
			if size == 20_000 {
				table.Rows = append(table.Rows, count.AtMost("facets of "+try.name, "%.1f ms", 20))
			} else {
				table.Rows = append(table.Rows, count.Row("facets of "+try.name, "%.1f ms"))
			}
			table.Rows = append(table.Rows, page.Row("page of "+try.name, "%.1f ms"))
		}
		tables = append(tables, table)
	}
	report.Publish(b, "search", tables)
}
