package imports_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/imports/cataloguetest"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// preview says what would become of a file's rows.
func (h *house) preview(csv string, mapping map[string]string) *operation {
	h.Helper()
	return h.takeAs(csv, imports.As{Preview: true, Mapping: mapping})
}

func (h *house) takeAs(csv string, as imports.As) *operation {
	h.Helper()
	u, err := h.service.Receive(h.ctx, strings.NewReader(csv), as)
	if err != nil {
		h.Fatal(err)
	}
	if err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error { return h.service.Create(ctx, tx, u) }); err != nil {
		h.Fatal(err)
	}
	h.work()
	return h.operation(u.OperationID)
}

// undo undoes an import to its end.
func (h *house) undo(id string) *operation {
	h.Helper()
	service := bulk.New(h.db, h.operations, catalog.New(catalog.Unlimited{}), bulk.Config{Batch: 7}, h.log)
	var undo string
	err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		undo, err = service.Undo(ctx, tx, id)
		return err
	})
	for err == nil && h.operation(undo).State != "succeeded" {
		err = service.Work(h.ctx, undo, 1)
	}
	if err != nil {
		h.Fatal(err)
	}
	h.work()
	return h.operation(undo)
}

// Each step of a history is an import: fewer histories than of arithmetic will do.
func init() {
	if err := flag.Set("rapid.checks", "6"); err != nil {
		panic(err)
	}
}

const fieldRows = `insert into field_definitions (id, resource, key, name, type, list) values ('cfd_1', 'product', 'fabric', 'Fabric', 'text', false),
	('cfd_2', 'product', 'sizes_cm', 'Sizes', 'integer', true), ('cfd_3', 'variant', 'wash', 'Wash', 'integer', false)`

// What a preview says is what becomes of the rows, and it changes nothing; undone, an
// import leaves nothing behind, whatever there was before.
func TestPreviewImportAndUndo(t *testing.T) {
	t.Parallel()
	made := cataloguetest.Make(cataloguetest.File{Products: 40, Images: "https://pictures.example.com"})
	// Some prices and stocks are other ones, one product has a variant more, and some are new.
	changed := strings.NewReplacer("Mill 3", "Mill Three", ",deny,", ",continue,", "No. 7", "Number 7").Replace(string(made.CSV))
	h := open(t, imports.Config{Batch: 6}, catalog.Unlimited{})
	h.offline = true
	first := h.run(string(cataloguetest.Make(cataloguetest.File{Products: 25, Images: "https://pictures.example.com"}).CSV))
	h.exec(`update products set custom_fields = '{}'`)
	before := value[string](h, cataloguetest.Content)

	foreseen := h.preview(changed, nil)
	if value[string](h, cataloguetest.Content) != before || value[int](h, `select count(*) from events where type = 'import.succeeded'`) != 1 {
		t.Error("a preview changed something")
	}
	done := h.takeAs(changed, imports.As{})
	if foreseen.Counts.Created == 0 || foreseen.Counts.Updated == 0 || foreseen.Counts.Skipped == 0 {
		t.Errorf("a preview of little: %+v", foreseen.Counts)
	}
	if foreseen.fates() != done.fates() {
		t.Errorf("foreseen\n%s\nand done\n%s", cutLines(foreseen.fates()), cutLines(done.fates()))
	}
	for i, r := range foreseen.rows {
		if (r.ResourceID == nil) != (r.Outcome == "created") {
			t.Fatalf("row %d, %s, is of %v", i, r.Outcome, r.ResourceID)
		}
	}
	if undone := h.undo(done.ID); undone.Counts.Failed != 0 {
		t.Errorf("undone: %+v\n%s", undone.Counts, cutLines(undone.fates()))
	}
	if value[string](h, cataloguetest.Content) != before {
		t.Error("undone, the store has another content")
	}
	if undone := h.undo(first.ID); undone.Counts.Failed != 0 {
		t.Errorf("undone: %+v\n%s", undone.Counts, cutLines(undone.fates()))
	}
	if got := value[string](h, `select concat_ws(' ', (select count(*) from products), (select count(*) from categories), (select count(*) from images), (select product_count from settings))`); got != "0 0 0 0" {
		t.Errorf("left behind: %s", got)
	}
}

// What has changed since an import stays as it is, and its row says so.
func TestUndoLeavesWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	const header = "Handle,Title,Product Category,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
	h.run(header + "a,A,,Size,S,A-S,shopify,5,1\nb,B,,Size,S,B-S,shopify,5,1\nc,C,,Size,S,C-S,shopify,5,1\n")
	o := h.run(header + "a,A2,,Size,S,A-S,shopify,9,2\na,,,,M,A-M,shopify,3,2\nb,B2,,Size,S,B-S,shopify,1,1\nc,C2,,Size,S,C-S,shopify,5,1\nd,D,New > Newer,,,D,shopify,1,1\ne,E,New,,,E,shopify,1,1\n")
	h.exec(`update products set title = 'Mine', version = version + 1 where handle in ('c', 'e')`)
	h.exec(`update stock_levels set on_hand = on_hand - 2 from variants v where v.id = variant_id and v.sku = 'A-S'`) // two were sold
	h.exec(`update variants set stock = stock - 2 where sku = 'A-S'`)
	undone := h.undo(o.ID)
	if got := undone.fates(); got != "1 failed: error changed_since\n2 deleted\n3 failed: error changed_since\n4 updated\n5 updated" {
		t.Error(got)
	}
	got := value[string](h, `select string_agg(concat_ws(' ', p.handle, p.title, v.sku, v.stock, r.amount), E'\n' order by v.sku) from products p join variants v on v.product_id = p.id join prices r on r.variant_id = v.id`)
	if want := "a A A-S 3 100\nb B B-S 5 100\nc Mine C-S 5 100\ne Mine E 1 100"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := value[string](h, `select string_agg(name, ' ') from categories`); got != "New" {
		t.Errorf("categories: %s", got)
	}
}

func TestColumnsOfCustomFieldsAndMappedOnes(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	h.exec(fieldRows)
	const file = "Adresse,Title,Fabric (product.metafields.custom.fabric),variant.metafields.stoa.wash,Masse,Lager,Other (product.metafields.custom.other),Variant Price\n" +
		"a,A,Linen,40,50; 60,7,x,1\nb,B,,,,,,1\nc,C,Wool,hot,,,,1\n"
	mapping := map[string]string{"Adresse": "Handle", "Masse": "product.metafields.custom.sizes_cm", "Lager": ""}
	o := h.takeAs(file, imports.As{Mapping: mapping})
	if got := o.fates(); got != "2 created\n3 created\n4 failed: error type (variant.metafields.stoa.wash)" {
		t.Error(got)
	}
	const held = `select string_agg(p.handle || p.custom_fields::text || v.custom_fields::text, ' ' order by p.handle) from products p join variants v on v.product_id = p.id`
	if got := value[string](h, held); got != `a{"fabric": "Linen", "sizes_cm": [50, 60]}{"wash": 40} b{}{}` {
		t.Error(got)
	}
	if told := o.Messages; len(told) != 1 || *told[0].Field != "Other (product.metafields.custom.other)" {
		t.Errorf("columns: %+v", told)
	}
	if again := h.takeAs(file, imports.As{Mapping: mapping}); again.Counts != (imports.Counts{Skipped: 2, Failed: 1}) {
		t.Errorf("again: %+v", again.Counts)
	}
	change := h.takeAs("Handle,Title,product.metafields.custom.fabric,variant.metafields.custom.wash\na,A,,30\nb,B,Silk,60\n", imports.As{})
	if got := change.fates(); got != "2 updated\n3 updated" {
		t.Error(got)
	}
	if got := value[string](h, held); got != `a{"sizes_cm": [50, 60]}{"wash": 30} b{"fabric": "Silk"}{"wash": 60}` {
		t.Error(got)
	}
	if undone := h.undo(change.ID); undone.Counts.Failed != 0 || value[string](h, held) != `a{"fabric": "Linen", "sizes_cm": [50, 60]}{"wash": 40} b{}{}` {
		t.Errorf("undone: %s, %s", undone.fates(), value[string](h, held))
	}
}

// A preview knows what earlier rows of its file would have made, and what the plan allows.
func TestPreviewOfRowsApart(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{Batch: 1}, limits{most: 2})
	o := h.preview("Handle,Title,Option1 Name,Option1 Value,Variant Price\na,A,Size,S,1\nb,B,,,1\na,,,M,1\nb,Other,,,1\nc,C,,,1\n", nil)
	if got := o.fates(); got != "2 created\n3 created\n4 updated: info made_before\n5 failed: error handle_repeated (Handle)\n6 failed: error plan_limit" {
		t.Error(got)
	}
	if o.Undo != nil || value[int](h, `select count(*) from products`) != 0 || value[int](h, `select product_count from settings`) != 0 {
		t.Error("something came of it")
	}
	h.noFiles()
}

// Whatever files go in one after the other, undone from the last to the first they leave
// the store as it was before each.
func TestUndoOfGeneratedFiles(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	said := strings.Replace(cataloguetest.Content, "md5(", "(", 1)
	rapid.Check(t, func(t *rapid.T) {
		var ids, contents []string
		for range rapid.IntRange(1, 3).Draw(t, "files") {
			file := "Handle,Title,Product Category,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price\n"
			for _, handle := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID).Draw(t, "handles") {
				title := rapid.SampledFrom([]string{"One", "Two"}).Draw(t, "title")
				category := rapid.SampledFrom([]string{"", "X", "X > Y", "Z"}).Draw(t, "category")
				for i, size := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"S", "M", "L"}), 1, 3, rapid.ID).Draw(t, "sizes") {
					name, way := "", ""
					if i == 0 {
						name, way = title, category
					}
					file += fmt.Sprintf("%s,%s,%s,%s,Size,%s,%s-%s,%s,%d,deny,%d\n", handle, name, way, strings.ToLower(name), size, handle, size,
						rapid.SampledFrom([]string{"", "shopify"}).Draw(t, "tracker"), rapid.IntRange(0, 3).Draw(t, "stock"), rapid.IntRange(1, 3).Draw(t, "price"))
				}
			}
			contents = append(contents, value[string](h, said))
			o := h.run(file)
			if o.Counts.Failed > 0 {
				t.Fatalf("%s\n%s", file, o.fates())
			}
			if o.Counts.Created+o.Counts.Updated == 0 {
				contents = contents[:len(contents)-1]
				continue
			}
			ids = append(ids, o.ID)
		}
		for i := len(ids) - 1; i >= 0; i-- {
			if undone := h.undo(ids[i]); undone.Counts.Failed > 0 || value[string](h, said) != contents[i] {
				t.Fatalf("file %d, undone: %s\n%s\nwant\n%s", i, undone.fates(), value[string](h, said), contents[i])
			}
		}
	})
}
