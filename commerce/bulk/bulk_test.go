package bulk_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// house is a store whose things are changed in bulk.
type house struct {
	*testing.T
	ctx        context.Context
	db         *postgres.DB
	cell       string
	operations *operations.Service
	catalog    *catalog.Service
	service    *bulk.Service
}

func open(t *testing.T, config bulk.Config) *house {
	t.Helper()
	p := testdb.Open(t)
	h := &house{T: t, ctx: p.Store(t), db: p.DB, cell: p.Cell, operations: operations.New(p.DB), catalog: catalog.New(catalog.Unlimited{})}
	h.service = bulk.New(p.DB, h.operations, h.catalog, config, slog.New(slog.NewTextHandler(io.Discard, nil)))
	return h
}

func (h *house) in(fn func(ctx context.Context, tx *postgres.Tx) error) {
	h.Helper()
	if err := h.db.InStore(h.ctx, fn); err != nil {
		h.Fatal(err)
	}
}

func (h *house) exec(sql string, args ...any) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

func value[T any](h *house, sql string, args ...any) (v T) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) error { return tx.QueryRow(ctx, sql, args...).Scan(&v) })
	return v
}

// fill makes so many products of three variants each.
func (h *house) fill(n int) (products []string) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		var inputs []catalog.ProductInput
		for i := range n {
			each := catalog.NewVariant()
			each.Prices, each.Stock = []catalog.Price{{Amount: 1999, Currency: "EUR"}}, 5
			inputs = append(inputs, catalog.ProductInput{
				Title: fmt.Sprint("Thing ", i), Handle: fmt.Sprint("thing-", i), Status: catalog.Active, Tags: []string{"old", fmt.Sprint("t", i%10)},
				Options: []catalog.Option{{Name: "Size", Values: []string{"S", "M", "L"}}}, Matrix: &catalog.Matrix{SKUPattern: fmt.Sprintf("T%d-{1}", i), Each: each},
			})
		}
		made, err := h.catalog.CreateProducts(ctx, tx, inputs)
		for _, m := range made {
			products = append(products, string(m.ID))
		}
		return err
	})
	return products
}

// ask asks for an operation.
func (h *house) ask(of func(context.Context, *postgres.Tx, bulk.Request) (string, error), r bulk.Request) (id string) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = of(ctx, tx, r)
		return err
	})
	return id
}

func (h *house) undo(id string) (undo string) {
	h.Helper()
	h.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		undo, err = h.service.Undo(ctx, tx, id)
		return err
	})
	return undo
}

// operation is an operation as the API shows it, once it is worked on to its end.
type operation struct {
	State    string
	Progress struct{ Done, Total int }
	Counts   operations.Counts
	UndoneBy *string    `json:"undone_by"`
	Until    *time.Time `json:"undo_until"`
}

func (h *house) work(id string) (o operation) {
	h.Helper()
	for range 1000 {
		if err := h.service.Work(h.ctx, id, 1); err != nil {
			h.Fatal(err)
		}
		if o = h.read(id); o.State != "queued" && o.State != "running" {
			return o
		}
	}
	h.Fatal("it does not end")
	return o
}

func (h *house) read(id string) (o operation) {
	h.Helper()
	raw, err := operations.Get(h.ctx, h.db, id)
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil {
		h.Fatal(err)
	}
	return o
}

func (h *house) want(o operation, counts operations.Counts) {
	h.Helper()
	if o.State != "succeeded" || o.Counts != counts {
		h.Errorf("%+v, want %+v", o, counts)
	}
}

// shelf is everything of the catalogue that bulk operations change, as text; versions
// apart, which only grow.
func (h *house) shelf() string {
	h.Helper()
	return value[string](h, `select concat_ws(E'\n',
		(select string_agg((to_jsonb(p) - 'version' - 'updated_at')::text, E'\n' order by id) from products p),
		(select string_agg((to_jsonb(v) - 'version' - 'updated_at')::text, E'\n' order by id) from variants v),
		(select string_agg(to_jsonb(r)::text, E'\n' order by variant_id, currency) from prices r),
		(select string_agg((to_jsonb(l) - 'updated_at')::text, E'\n' order by variant_id) from stock_levels l),
		(select string_agg(to_jsonb(i)::text, E'\n' order by id) from images i),
		(select string_agg(to_jsonb(c)::text, E'\n' order by collection_id, product_id) from collection_products c), (select product_count from settings))`)
}

func edit(change func(e *catalog.ProductEdit)) catalog.ProductEdit {
	var e catalog.ProductEdit
	change(&e)
	return e
}

func TestThousandsAreChangedAndUndone(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{})
	products := h.fill(1000)
	before := h.shelf()
	draft := catalog.Draft
	change := edit(func(e *catalog.ProductEdit) {
		e.Status, e.AddTags, e.RemoveTags = &draft, []string{"new"}, []string{"old"}
	})
	id := h.ask(h.service.Products, bulk.Request{Filter: &catalog.ProductFilter{Tag: "old"}, Edit: change})
	if o := h.read(id); o.Progress.Total != 1000 || o.State != "queued" {
		t.Errorf("asked for: %+v", o)
	}
	counted, count := postgres.Counting(h.ctx)
	began := time.Now()
	if err := h.service.Work(counted, id, 1); err != nil {
		t.Fatal(err)
	}
	t.Logf("1,000 products by %d statements in %v", count.Statements.Load(), time.Since(began))
	if n := count.Statements.Load(); n > 10*12 {
		t.Errorf("%d statements for ten batches", n)
	}
	h.want(h.work(id), operations.Counts{Updated: 1000})
	if got := value[string](h, `select concat_ws(' ', count(*), count(distinct version), min(array_to_string(tags, ','))) from products where status = 'draft' and 'new' = any(tags) and not 'old' = any(tags)`); got != "1000 1 t0,new" {
		t.Errorf("changed: %s", got)
	}

	// The same once more changes nothing, and there is nothing to undo of it.
	again := h.ask(h.service.Products, bulk.Request{IDs: products[:150], Edit: change})
	h.want(h.work(again), operations.Counts{Skipped: 150})
	h.refused(again, "not_undoable")

	// What has changed since stays.
	title := "Mine"
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		return h.catalog.UpdateProduct(ctx, tx, catalog.ProductID(products[3]), 0, catalog.ProductPatch{Title: &title})
	})
	undo := h.undo(id)
	h.refused(id, "operation_running")
	h.want(h.work(undo), operations.Counts{Updated: 999, Failed: 1})
	if got := value[string](h, `select object_id || messages::text from operation_rows where operation_id = $1 and outcome = 'failed'`, undo); !strings.HasPrefix(got, products[3]) || !strings.Contains(got, "changed_since") {
		t.Errorf("refused: %s", got)
	}
	if o := h.read(id); o.UndoneBy == nil || *o.UndoneBy != undo || o.Until == nil {
		t.Errorf("undone: %+v", o)
	}
	h.exec(`update products set title = 'Thing 3', status = 'active', tags = '{old,t3}' where id = $1`, products[3])
	if after := h.shelf(); after != before {
		t.Errorf("undone, the shelf differs:\n%s", difference(before, after))
	}
	if n := value[int](h, `select count(*) from audit_entries where action = 'product.update'`); n != 2000 {
		t.Errorf("%d entries of the audit", n)
	}
}

// difference are the lines that two texts do not share.
func difference(a, b string) string {
	var out []string
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		for line := range strings.Lines(pair[0]) {
			if !strings.Contains(pair[1], line) && len(out) < 4 {
				out = append(out, line)
			}
		}
	}
	return strings.Join(out, "\n")
}

// refused asks in vain for an operation to be undone.
func (h *house) refused(id, code string) {
	h.Helper()
	err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.service.Undo(ctx, tx, id)
		return err
	})
	if !problem.Is(err, code) {
		h.Errorf("undone: %v, want %s", err, code)
	}
}

func TestVariantsAndPrices(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{Batch: 50})
	h.fill(60)
	before := h.shelf()
	grams := 700
	sale := catalog.VariantEdit{
		VariantPatch: catalog.VariantPatch{Barcode: new("4006381333931")},
		SetPrices:    []catalog.Price{{Amount: 1500, Currency: "USD"}},
		AdjustPrice:  &catalog.PriceAdjustment{Currency: "EUR", BPS: -1050, Amount: -1, CompareAt: catalog.FormerCompareAt},
	}
	sale.WeightGrams = &sql.Null[int]{V: grams, Valid: true}
	id := h.ask(h.service.Variants, bulk.Request{Filter: &catalog.ProductFilter{Status: "active"}, Edit: sale})
	h.want(h.work(id), operations.Counts{Updated: 180})
	// 1999 less 10.5 % is 1789.105, and 1 less.
	if got := value[string](h, `select string_agg(distinct concat_ws(' ', v.weight_grams, v.barcode, r.currency, r.amount, r.compare_at_amount), E'\n')
		from variants v join prices r on r.variant_id = v.id`); got != "700 4006381333931 EUR 1788 1999\n700 4006381333931 USD 1500" {
		t.Errorf("changed:\n%s", got)
	}
	if got := value[string](h, `select concat_ws(' ', min(version), max(version)) from products`); got != "2 3" && got != "2 2" {
		t.Errorf("versions: %s", got)
	}
	h.want(h.work(h.undo(id)), operations.Counts{Updated: 180})
	if after := h.shelf(); after != before {
		t.Errorf("undone, the shelf differs:\n%s", difference(before, after))
	}

	// Each with changes of its own; what is wrong with one does not touch the others.
	variants := strings.Fields(value[string](h, `select string_agg(id, ' ' order by id) from variants`))
	var items []bulk.Item
	for i, v := range variants[:120] {
		e := catalog.VariantEdit{SetPrices: []catalog.Price{{Amount: int64(i), Currency: "EUR"}}}
		if i == 60 {
			e.SetPrices[0].Currency = "ABC"
		}
		items = append(items, bulk.Item{ID: v, Edit: e})
	}
	items = append(items, bulk.Item{ID: "var_gone", Edit: catalog.VariantEdit{RemovePrices: []string{"EUR"}}})
	own := h.ask(h.service.Variants, bulk.Request{Items: items})
	h.want(h.work(own), operations.Counts{Updated: 119, Failed: 2})
	if got := value[string](h, `select string_agg(line || (messages->0->>'code'), ' ' order by line) from operation_rows where operation_id = $1 and outcome = 'failed'`, own); got != "61currency 121not_found" {
		t.Errorf("refused: %s", got)
	}
	if got := value[int64](h, `select sum(amount) from prices where variant_id = any($1)`, variants[:60]); got != 59*60/2 {
		t.Errorf("prices come to %d", got)
	}
}

func TestWhatIsDeletedComesBack(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{Batch: 40})
	products := h.fill(150)
	h.exec(`insert into categories (id, path, name, handle) values ('cat_a', 'cat_a/', 'A', 'a')`)
	h.exec(`insert into collections (id, handle, title) values ('col_a', 'a', 'A'), ('col_b', 'b', 'B')`)
	h.exec(`insert into collection_products (collection_id, product_id, sort_key, shown) select c.id, p.id, 'm', true from products p, collections c`)
	h.exec(`update products set category_id = 'cat_a', description = '<p>é \ "x"</p>'`)
	h.exec(`insert into images (id, product_id, position, sizes) select 'img_' || id, id, 0, jsonb_build_array(jsonb_build_object('key', 'k/' || id, 'width', 1, 'height', 1)) from products`)
	before := h.shelf()

	id := h.ask(h.service.Products, bulk.Request{Delete: true, IDs: append([]string{"prod_gone"}, products...)})
	h.want(h.work(id), operations.Counts{Deleted: 150, Failed: 1})
	if got := value[string](h, `select concat_ws(' ', (select count(*) from products), (select count(*) from variants), (select count(*) from images), (select product_count from settings))`); got != "0 0 0 0" {
		t.Errorf("deleted: %s", got)
	}
	if n := h.jobs(catalog.JobDeleteFiles); n != 0 {
		t.Errorf("the files of %d batches are deleted, though it can be undone", n)
	}
	h.want(h.work(h.undo(id)), operations.Counts{Created: 150})
	if after := h.shelf(); after != before {
		t.Errorf("undone, the shelf differs:\n%s", difference(before, after))
	}
	if n := value[int](h, `select count(*) from product_words where search @@ to_tsquery('simple', 'thing')`); n != 150 {
		t.Errorf("%d of the products are found", n)
	}

	// A handle that is taken, a category and a collection that are gone.
	id = h.ask(h.service.Products, bulk.Request{Delete: true, Filter: &catalog.ProductFilter{Tag: "t1"}})
	h.want(h.work(id), operations.Counts{Deleted: 15})
	h.exec(`update products set handle = 'thing-1' where handle = 'thing-2'`)
	h.exec(`delete from collections where id = 'col_b'`)
	h.exec(`update products set category_id = null`)
	h.exec(`delete from categories`)
	h.want(h.work(h.undo(id)), operations.Counts{Created: 14, Failed: 1})
	if got := value[string](h, `select concat_ws(' ', count(*), count(category_id)) from products`); got != "149 0" {
		t.Errorf("came back: %s", got)
	}
	// Once the handle is free, the rest can come back too.
	h.exec(`update products set handle = 'thing-2' where handle = 'thing-1'`)
	h.want(h.work(h.undo(id)), operations.Counts{Created: 1})
	h.refused(id, "not_undoable")

	// What an order under way holds stays.
	h.exec(`insert into reservations (cart_id, variant_id, location_id, quantity, paying, expires_at)
		select 'cart_a', v.id, l.location_id, 1, false, now() + case v.sku when 'T0-S' then interval '1 hour' else interval '-1 hour' end
		from variants v join stock_levels l on l.variant_id = v.id where v.sku in ('T0-S', 'T1-S')`)
	id = h.ask(h.service.Products, bulk.Request{Delete: true, IDs: products[:2]})
	h.want(h.work(id), operations.Counts{Deleted: 1, Failed: 1})

	// Forgotten, it stays deleted, and so are the files.
	if err := h.service.Forget(h.ctx, id); err != nil {
		t.Fatal(err)
	}
	h.refused(id, "not_undoable")
	if n := h.jobs(catalog.JobDeleteFiles); n != 1 {
		t.Errorf("%d times files are deleted", n)
	}
}

// jobs is how many jobs of a kind the store has waiting.
func (h *house) jobs(kind string) (n int) {
	h.Helper()
	ref, _ := postgres.StoreFrom(h.ctx)
	err := h.db.InCell(h.ctx, h.cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where store = $1 and kind = $2`, postgres.RoleName(ref.Cell, ref.Schema), kind).Scan(&n)
	})
	if err != nil {
		h.Fatal(err)
	}
	return n
}

func TestVariantsThatAreDeletedComeBackInTheirPlaces(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{Batch: 7})
	h.fill(20)
	before := h.shelf()
	id := h.ask(h.service.Variants, bulk.Request{Delete: true, Filter: &catalog.ProductFilter{Tag: "old"}})
	h.want(h.work(id), operations.Counts{Deleted: 40, Failed: 20}) // a product keeps one
	if got := value[string](h, `select string_agg(distinct messages->0->>'code', ' ') from operation_rows where operation_id = $1 and outcome = 'failed'`, id); got != "last_variant" {
		t.Errorf("refused: %s", got)
	}
	first := value[string](h, `select id from products where handle = 'thing-0'`)
	h.in(func(ctx context.Context, tx *postgres.Tx) error {
		again := catalog.NewVariant()
		again.Choices = []string{"S"}
		_, err := h.catalog.CreateVariant(ctx, tx, catalog.ProductID(first), again)
		return err
	})
	h.exec(`delete from products where handle = 'thing-1'`)
	h.want(h.work(h.undo(id)), operations.Counts{Created: 37, Failed: 3})
	h.exec(`delete from variants where sku is null`)
	if got := value[string](h, `select string_agg(v.title, ' ' order by v.position) from variants v join products p on p.id = v.product_id where p.handle = 'thing-5'`); got != "S M L" {
		t.Errorf("in the order %s", got)
	}
	if lost := len(strings.Split(before, "\n")) - len(strings.Split(h.shelf(), "\n")); lost != 1+3+3+3+3 { // thing-1 whole, one variant of thing-0 with its price and its level
		t.Errorf("%d rows are lost", lost)
	}
}

// Workers that are killed at any moment, and several at a time: each thing is changed once.
func TestWorkersThatDie(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{Batch: 5, Slice: 20 * time.Millisecond})
	h.fill(200)
	id := h.ask(h.service.Products, bulk.Request{Filter: &catalog.ProductFilter{Tag: "old"}, Edit: edit(func(e *catalog.ProductEdit) { e.AddTags = []string{"new"} })})
	var wg sync.WaitGroup
	for worker := range 3 {
		wg.Go(func() {
			for try := 0; h.read(id).State != "succeeded"; try++ {
				ctx, cancel := h.ctx, context.CancelFunc(func() {})
				if try < 30 {
					ctx, cancel = context.WithTimeout(h.ctx, time.Duration(5+7*worker+try)*time.Millisecond)
				}
				// Whatever it says, another goes on.
				if err := h.service.Work(ctx, id, 1); err != nil && ctx.Err() == nil && !jobs.Snoozed(err) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	h.want(h.read(id), operations.Counts{Updated: 200})
	if got := value[string](h, `select concat_ws(' ', count(*), min(version), max(version), (select count(*) from audit_entries where action = 'product.update'),
		(select count(*) from events where type = 'product.updated'), (select count(*) from events where type = 'bulk.succeeded')) from products`); got != "200 2 2 200 200 1" {
		t.Errorf("changed: %s", got)
	}
}

func TestCancelledHalfWay(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{Batch: 10, Slice: time.Nanosecond})
	h.fill(50)
	before := h.shelf()
	id := h.ask(h.service.Products, bulk.Request{Filter: &catalog.ProductFilter{Tag: "old"}, Edit: edit(func(e *catalog.ProductEdit) { e.Vendor = new("Example Mill") })})
	for range 2 { // a batch each
		if err := h.service.Work(h.ctx, id, 1); err != nil {
			t.Fatal(err)
		}
	}
	h.refused(id, "operation_running")
	h.in(func(ctx context.Context, tx *postgres.Tx) error { return h.operations.Cancel(ctx, tx, id) })
	if o := h.work(id); o.State != "cancelled" || o.Counts.Updated != 20 || o.Progress.Done != 20 || o.Progress.Total != 50 {
		t.Errorf("cancelled: %+v", o)
	}
	if n := value[int](h, `select count(*) from operation_rows where operation_id = $1 and outcome = 'pending'`, id); n != 30 {
		t.Errorf("%d rows are still to be done", n)
	}
	h.want(h.work(h.undo(id)), operations.Counts{Updated: 20})
	if after := h.shelf(); after != before {
		t.Errorf("undone, the shelf differs:\n%s", difference(before, after))
	}
}

// Whatever goes when a product is deleted is kept for its coming back, or for a reason not.
func TestEverythingThatGoesWithAProductIsKept(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{})
	got := value[string](h, `with recursive gone(t) as (
			select 'products'::regclass::oid union
			select c.conrelid from pg_constraint c, gone where c.contype = 'f' and c.confrelid = gone.t and c.confdeltype = 'c' and c.connamespace = (select relnamespace from pg_class where oid = 'products'::regclass)
		) select string_agg(relname, ' ' order by relname) from gone join pg_class on oid = t`)
	list := []string{
		"products", "variants", "stock_levels", "prices", "price_list_prices", "price_history", "images", "collection_products", // see catalog's productParts
		"product_index", "product_words", // are made anew
		"cart_lines",    // shoppers see that it is gone, and do not find it in their carts again unasked
		"reservations",  // what is promised is not deleted, and what has lapsed is promised no more
		"stock_alerts",  // who waits for what is deleted is not written to
		"import_images", // pictures that are still to be fetched are not fetched for what is deleted
	}
	sort.Strings(list)
	if want := strings.Join(list, " "); got != want {
		t.Errorf("with a product goes\n%s\nknown are\n%s", got, want)
	}
}

// Custom fields are merged into those that there are, judged one by one, and taken back.
func TestCustomFields(t *testing.T) {
	t.Parallel()
	h := open(t, bulk.Config{})
	products := h.fill(3)
	h.exec(`insert into field_definitions (id, resource, key, name, type) values ('cfd_1', 'product', 'fabric', 'Fabric', 'text'),
		('cfd_2', 'product', 'weight', 'Weight', 'integer'), ('cfd_3', 'product', 'goes_with', 'Goes with', 'product_reference'), ('cfd_4', 'variant', 'wash', 'Wash', 'integer')`)
	h.exec(`update products set custom_fields = '{"fabric": "Linen", "weight": 7}' where id = $1`, products[0])
	before := h.shelf()
	fabric := func(values fields.Values) any {
		return edit(func(e *catalog.ProductEdit) { e.CustomFields = values })
	}
	undone := func(id string) {
		t.Helper()
		if o := h.work(h.undo(id)); o.Counts.Failed > 0 {
			t.Errorf("undone: %+v", o)
		}
	}
	own := h.ask(h.service.Products, bulk.Request{Items: []bulk.Item{
		{ID: products[0], Edit: fabric(fields.Values{"goes_with": products[1]})}, {ID: products[1], Edit: fabric(fields.Values{"weight": "heavy"})},
		{ID: products[2], Edit: fabric(fields.Values{"goes_with": "prod_01jd3v7m2kf8r9e0abcdefghjk"})},
	}})
	h.want(h.work(own), operations.Counts{Updated: 1, Failed: 2})
	if got := value[string](h, `select string_agg(messages->0->>'code', ' ' order by line) from operation_rows where operation_id = $1 and outcome = 'failed'`, own); got != "type not_found" {
		t.Error(got)
	}
	undone(own)
	wash := h.ask(h.service.Variants, bulk.Request{Filter: &catalog.ProductFilter{Status: "active"}, Edit: catalog.VariantEdit{VariantPatch: catalog.VariantPatch{CustomFields: fields.Values{"wash": 40.0}}}})
	h.want(h.work(wash), operations.Counts{Updated: 9})
	if got := value[string](h, `select string_agg(distinct custom_fields::text, ' ') from variants`); got != `{"wash": 40}` {
		t.Error(got)
	}
	undone(wash)
	id := h.ask(h.service.Products, bulk.Request{IDs: products, Edit: fabric(fields.Values{"fabric": "Wool", "weight": nil})})
	h.want(h.work(id), operations.Counts{Updated: 3})
	if got := value[string](h, `select string_agg(distinct custom_fields::text, ' ') from products`); got != `{"fabric": "Wool"}` {
		t.Error(got)
	}
	h.exec(`delete from field_definitions where key = 'weight'`) // what it held is not brought back
	undone(id)
	if after := h.shelf(); after != strings.Replace(before, `"fabric": "Linen", "weight": 7`, `"fabric": "Linen"`, 1) {
		t.Errorf("undone, the shelf differs:\n%s", difference(before, after))
	}
}
