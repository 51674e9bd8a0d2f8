package imports_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const shirts = `Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Status,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,SEO Title,SEO Description
shirt,Linen shirt,"<p onclick=""x()"">Woven.</p><script>x()</script>",Mill,Clothing > Shirts,Shirts,"summer, linen, summer",TRUE,active,Size,S,LS-S,320,shopify,3,continue,"1,049.00",1059,true,false,'0123456,Buy it,It is good
shirt,,,,,,,,,,M,LS-M,,,5,deny,51,,false,true,,,
`

func TestWhatTheColumnsBecome(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	h.want(h.run(shirts), "succeeded", imports.Counts{Created: 2})
	product := value[string](h, `select concat_ws('|', p.title, p.description, p.vendor, p.product_type, array_to_string(p.tags, ','), p.status, p.options, parent.name, c.name, p.seo_title, p.seo_description)
		from products p join categories c on c.id = p.category_id join categories parent on parent.id = c.parent_id where p.handle = 'shirt'`)
	if want := `Linen shirt|<p>Woven.</p>|Mill|Shirts|summer,linen|active|[{"name": "Size", "values": ["S", "M"]}]|Clothing|Shirts|Buy it|It is good`; product != want {
		t.Errorf("product\n%s\nwant\n%s", product, want)
	}
	variants := value[string](h, `select string_agg(concat_ws('|', v.title, v.sku, v.barcode, v.weight_grams, v.track_stock, v.stock, v.oversell, v.requires_shipping, v.taxable, r.amount, r.compare_at_amount, r.currency), E'\n' order by v.position)
		from variants v join prices r on r.variant_id = v.id`)
	if want := "S|LS-S|0123456|320|t|3|t|t|f|104900|105900|EUR\nM|LS-M||f|5|f|f|t|5100|EUR"; variants != want {
		t.Errorf("variants\n%s\nwant\n%s", variants, want)
	}
	if n := value[int](h, `select count(*) from audit_entries where action = 'product.create' and request_id <> ''`); n != 1 {
		t.Errorf("%d entries of the audit", n)
	}
}

func TestTheNewerTemplate(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	o := h.run("Title,URL handle,Description,Product category,SKU,Price,Compare-at price,Inventory tracker,Inventory quantity,Continue selling when out of stock,Weight value (grams),Published on online store,Cost per item\n" +
		"Lamp,lamp,Bright,Home,L-1,20,,shopify,4,DENY,12.6,FALSE,7.50\n")
	h.want(o, "succeeded", imports.Counts{Created: 1})
	if got := value[string](h, `select concat_ws('|', p.status, v.sku, v.weight_grams, v.stock, v.oversell, r.amount, v.cost_amount, v.cost_currency) from products p join variants v on v.product_id = p.id join prices r on r.variant_id = v.id`); got != "draft|L-1|13|4|f|2000|750|EUR" {
		t.Error(got)
	}
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	h.run(shirts)
	h.exec(`insert into prices (variant_id, currency, amount) select id, 'USD', 7777 from variants where sku = 'LS-S'`)
	h.exec(`with v as (update variants set stock = 4, reserved = 2 where sku = 'LS-M' returning id)
		update stock_levels set on_hand = 4, reserved = 2 from v where variant_id = v.id`)

	// A new price and stock, a new SKU for known choices, other choices for a known SKU, a new variant.
	o := h.run(`Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price
shirt,Linen shirt,,Size,S,LS-S2,3,60
shirt,,,,Medium,LS-M,6,51
shirt,,,,L,LS-L,1,70
`)
	h.want(o, "succeeded", imports.Counts{Updated: 2, Created: 1})
	got := value[string](h, `select string_agg(concat_ws('|', v.title, v.sku, v.stock - v.reserved, v.weight_grams,
			(select string_agg(currency || amount, ',' order by currency) from prices where variant_id = v.id)), E'\n' order by v.position) from variants v`)
	if want := "S|LS-S2|3|320|EUR6000,USD7777\nMedium|LS-M|6|EUR5100\nL|LS-L|1|EUR7000"; got != want {
		t.Errorf("variants\n%s\nwant\n%s", got, want)
	}
	if got := value[string](h, `select concat_ws('|', vendor, product_type, options) from products`); got != `|Shirts|[{"name": "Size", "values": ["S", "Medium", "L"]}]` {
		t.Errorf("product %s", got)
	}
	moved := value[string](h, `select string_agg(reason || quantity, ',' order by id) from stock_movements where reason = 'import'`)
	if moved != "import4" { // from 2 that could be sold to 6
		t.Errorf("movements %s", moved)
	}
	if n := value[int](h, `select count(*) from events where type = 'inventory.adjusted'`); n != 1 {
		t.Errorf("%d adjustments told of", n)
	}

	// Stock alone is a change of its row, not of the product.
	version := value[int](h, `select version from products`)
	o = h.run("Handle,Title,Option1 Value,Variant SKU,Variant Inventory Qty\nshirt,,S,LS-S2,3\nshirt,,L,LS-L,9\n")
	if got := o.fates(); got != "2 skipped: info unchanged\n3 updated" || value[int](h, `select version from products`) != version {
		t.Errorf("stock alone: %s", got)
	}

	// Rows without a title add to a product and leave it as it is.
	o = h.run("Handle,Title,Option1 Value,Variant Price\nshirt,,XL,75\n")
	h.want(o, "succeeded", imports.Counts{Updated: 1})
	if got := value[string](h, `select title || options from products`); !strings.Contains(got, `Linen shirt`) || !strings.Contains(got, `"XL"`) {
		t.Error(got)
	}
}

// A product without options gets some, and loses them again, while its variant is known.
func TestOptionsComeAndGo(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	h.want(h.run("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmug,Mug,Title,Default Title,M-1,9\n"), "succeeded", imports.Counts{Created: 1})
	id := value[string](h, `select id from variants`)
	h.want(h.run("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmug,Mug,Colour,Red,M-1,9\n"), "succeeded", imports.Counts{Updated: 1})
	if got := value[string](h, `select id || title from variants`); got != id+"Red" {
		t.Error(got)
	}
	h.want(h.run("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmug,Mug,Colour,Red,M-1,9\nmug,,,Blue,M-2,9\n"), "succeeded", imports.Counts{Updated: 1, Created: 1})
	o := h.run("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmug,Mug,Title,Default Title,M-1,9\n")
	if got := o.fates(); got != "2 failed: error options_differ (Option1 Name)" {
		t.Error(got)
	}
}

// Every row says why it was refused, and what is right goes in all the same.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const header = "Handle,Title,Body (HTML),Published,Status,Option1 Name,Option1 Value,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Gift Card,Variant Weight,Variant Weight Unit,Product Category\n"
	for name, c := range map[string]struct{ rows, want string }{
		"no handle":      {",Lamp,,,,,,,,,,,,1,,,,", "2 failed: error handle_missing (Handle)"},
		"no address":     {"!!!,Lamp,,,,,,,,,,,,1,,,,", "2 failed: error handle_invalid (Handle)"},
		"other address":  {"Big LAMP--1,Lamp,,,,,,,,,,,,1,,,,", "2 created: info handle_changed (Handle)"},
		"no title":       {"a,,,,,,,,,,,,,1,,,,", "2 failed: error title_missing (Title)"},
		"price":          {"a,A,,,,,,,,,,,,12 EUR,,,,", "2 failed: error not_a_price (Variant Price)"},
		"decimals":       {"a,A,,,,,,,,,,,,1.999,,,,", "2 failed: error price_precision (Variant Price)"},
		"negative price": {"a,A,,,,,,,,,,,,-1,,,,", "2 failed: error not_a_price (Variant Price)"},
		"no price":       {"a,A,,,,,,,,,,,,,,,,", "2 created: warning price_missing (Variant Price)"},
		"boolean":        {"a,A,,maybe,,,,,,,,,,1,,,,", "2 failed: error not_boolean (Published)"},
		"status":         {"a,A,,,sold,,,,,,,,,1,,,,", "2 failed: error unknown_status (Status)"},
		"hidden":         {"a,A,,false,active,,,,,,,,,1,,,,", "2 created: info not_published (Published)"},
		"quantity":       {"a,A,,,,,,,,,shopify,1.5,,1,,,,", "2 failed: error not_a_number (Variant Inventory Qty)"},
		"too much":       {"a,A,,,,,,,,,shopify,9999999999,,1,,,,", "2 failed: error out_of_range (Variant Inventory Qty)"},
		"below zero":     {"a,A,,,,,,,,,shopify,-4,deny,1,,,,", "2 created: warning stock_below_zero (Variant Inventory Qty)"},
		"policy":         {"a,A,,,,,,,,,,,perhaps,1,,,,", "2 failed: error unknown_policy (Variant Inventory Policy)"},
		"weight":         {"a,A,,,,,,,,heavy,,,,1,,,,", "2 failed: error not_a_weight (Variant Grams)"},
		"unit":           {"a,A,,,,,,,,,,,,1,,3,stone,", "2 failed: error unknown_unit (Variant Weight Unit)"},
		"gift card":      {"a,A,,,,Size,S,,,,,,,1,true,,,\na,,,,,,M,,,,,,,1,,,,", "2 skipped: warning gift_card (Gift Card)\n3 skipped: info product_left_out"},
		"one bad row":    {"a,A,,,,Size,S,,,,,,,1,,,,\na,,,,,,M,,,,,,,x,,,,", "2 failed: error product_refused\n3 failed: error not_a_price (Variant Price)"},
		"repeated":       {"a,A,,,,Size,S,,,,,,,1,,,,\na,,,,,,S,,,,,,,1,,,,", "2 failed: error product_refused\n3 failed: error variant_repeated (Option1 Value)"},
		"no choice":      {"a,A,,,,Size,S,,,,,,,1,,,,\na,,,,,,,,X,,,,,1,,,,", "2 failed: error product_refused\n3 failed: error option_value_missing (Option1 Value)"},
		"no option name": {"a,A,,,,Size,S,Red,,,,,,1,,,,", "2 failed: error option_name_missing (Option2 Name)"},
		"quotation mark": {"a,A \"b\",,,,,,,,,,,,1,,,,\nb,B,,,,,,,,,,,,1,,,,", "2 failed: error csv_syntax\n3 created"},
		"columns":        {"a,A,,,,,,,,,,,,1,,,,,more\nb,B,,,,,,,,,,,,1,,,,", "2 failed: error too_many_columns\n3 created"},
		"blank rows":     {"a,A,,,,,,,,,,,,1,,,,\n,,,,,,,,,,,,,,,,,", "2 created\n3 skipped: info blank_row"},
		"long text":      {"a," + strings.Repeat("x", 300) + ",,,,,,,,,,,,1,,,,", "2 created: warning shortened (Title)"},
		"long choice":    {"a,A,,,,Size," + strings.Repeat("x", 300) + ",,,,,,,1,,,,", "2 failed: error maxLength (Option1 Value)"},
		"long SKU":       {"a,A,,,,,,," + strings.Repeat("x", 300) + ",,,,,1,,,,", "2 failed: error maxLength (Variant SKU)"},
		"long HTML":      {"a,A," + strings.Repeat("x", 70000) + ",,,,,,,,,,,1,,,,", "2 failed: error maxLength (Body (HTML))"},
		"deep category":  {"a,A,,,,,,,,,,,,1,,,," + strings.Repeat("x > ", 11), "2 created: warning category_refused (Product Category)"},
		"handle repeated": {"a,A,,,,,,,,,,,,1,,,,\nb,B,,,,,,,,,,,,1,,,,\na,Other,,,,,,,,,,,,1,,,,\nA,Again,,,,,,,,,,,,1,,,,",
			"2 created\n3 created\n4 failed: error handle_repeated (Handle)\n5 failed: info handle_changed (Handle), error handle_repeated (Handle)"},
		"rows apart": {"a,A,,,,Size,S,,,,,,,1,,,,\nb,B,,,,,,,,,,,,1,,,,\na,A,,,,Size,M,,,,,,,1,,,,", "2 created\n3 created\n4 updated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, imports.Config{}, catalog.Unlimited{})
			o := h.run(header + c.rows + "\n")
			if got := o.fates(); o.State != "succeeded" || got != c.want {
				t.Errorf("%s\n%s\nwant\n%s", o.State, got, c.want)
			}
			if counted := o.Counts; counted.Created+counted.Updated+counted.Skipped+counted.Failed != len(o.rows) {
				t.Errorf("counts %+v of %d rows", counted, len(o.rows))
			}
		})
	}
}

func TestPlanLimit(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, limits{most: 2})
	var rows strings.Builder
	for i := range 4 {
		fmt.Fprintf(&rows, "p%d,P,1\n", i)
	}
	o := h.run("Handle,Title,Variant Price\n" + rows.String())
	if got := o.fates(); got != "2 created\n3 created\n4 failed: error plan_limit\n5 failed: error plan_limit" {
		t.Error(got)
	}
	if n := value[int](h, `select product_count from settings`); n != 2 {
		t.Errorf("%d products are counted", n)
	}
}

// A product that the database refuses fails alone; the others of its batch go in.
func TestOneThatFailsAlone(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	const header = "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Policy,Variant Price\n"
	h.run(header + "owed,Owed,O-1,shopify,continue,1\n")
	variant := value[string](h, `select id from variants`)
	err := h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := inventory.Reserve(ctx, tx, "cart_1", []inventory.Line{{VariantID: inventory.VariantID(variant), Quantity: 3}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o := h.run(header + "one,One,A,shopify,deny,1\nowed,Owed,O-1,shopify,deny,1\ntwo,Two,B,shopify,deny,1\n")
	if got := o.fates(); got != "2 created\n3 failed: error stock_reserved\n4 created" {
		t.Error(got)
	}
	h.want(o, "succeeded", imports.Counts{Created: 2, Failed: 1})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{Batch: 1, Slice: 1}, catalog.Unlimited{})
	id := h.ask("Handle,Title,Variant Price\na,A,1\nb,B,1\nc,C,1\n")
	cancel := func() error {
		return h.db.InStore(h.ctx, func(ctx context.Context, tx *postgres.Tx) error { return h.operations.Cancel(ctx, tx, id) })
	}
	if err := h.service.Work(h.ctx, id, 1); err != nil {
		t.Fatal(err)
	}
	if err := cancel(); err != nil {
		t.Fatal(err)
	}
	if err := cancel(); !problem.Is(err, "operation_finished") {
		t.Error(err)
	}
	h.work()
	o := h.operation(id)
	if o.State != "cancelled" || o.Counts.Created != 1 || value[int](h, `select count(*) from products`) != 1 {
		t.Errorf("%s %+v", o.State, o.Counts)
	}
	if n := value[int](h, `select count(*) from events where type = 'import.failed'`); n != 1 {
		t.Errorf("%d events", n)
	}
	h.noFiles()
}
