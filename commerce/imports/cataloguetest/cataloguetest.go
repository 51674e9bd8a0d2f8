// Package cataloguetest makes product CSV files of the form that Shopify exports: the same
// at every making, with what such files are known for. Products have one to six rows;
// variants of one, two or no options; images on rows of variants and on rows of their own;
// HTML over several lines, quotation marks and commas; columns left blank.
package cataloguetest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"strings"
)

// File says what a file is to be like.
type File struct {
	Products int
	Images   string // what the addresses of images begin with; no images when empty
	Windows  bool   // with a byte order mark, and lines that end as on Windows
}

// Made is a file, and what is in it.
type Made struct {
	CSV      []byte
	Rows     int
	Variants int
	Images   int
}

// Content is SQL for a checksum of all that a store's catalogue says, whatever its things
// are called inside: two stores of the same content have the same.
const Content = `select md5(concat_ws(E'\n',
	(select string_agg(to_jsonb(x)::text, E'\n' order by x.handle) from (
		select p.handle, p.title, p.description, p.vendor, p.product_type, p.status, p.tags, p.options, p.seo_title, p.seo_description, p.custom_fields,
			(select strip(n.search) from product_words n where n.product_id = p.id) as search, (select string_agg(a.name, ' > ' order by length(a.path)) from categories c, categories a
				where c.id = p.category_id and a.id = any(string_to_array(c.path, '/'))) as category
		from products p) x),
	(select string_agg(to_jsonb(x)::text, E'\n' order by x.handle, x.position) from (
		select p.handle, v.position, v.title, v.options, v.sku, v.barcode, v.weight_grams, v.cost_amount, v.cost_currency, v.requires_shipping,
			v.taxable, v.tax_class, v.track_stock, v.oversell, v.stock, v.custom_fields, r.currency, r.amount, r.compare_at_amount, i.source_url as shows
		from products p join variants v on v.product_id = p.id left join prices r on r.variant_id = v.id left join images i on i.id = v.image_id) x),
	(select string_agg(to_jsonb(x)::text, E'\n' order by x.handle, x.position) from (
		select p.handle, i.position, i.alt, i.source_url from products p join images i on i.product_id = p.id) x),
	(select string_agg(to_jsonb(x)::text, E'\n' order by x.way) from (
		select (select string_agg(a.name, ' > ' order by length(a.path)) from categories a where a.id = any(string_to_array(c.path, '/'))) as way, c.description from categories c) x),
	(select product_count::text from settings)))`

var header = strings.Split("Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,"+
	"Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Fulfillment Service,Variant Price,"+
	"Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,Image Position,Image Alt Text,Gift Card,SEO Title,"+
	"SEO Description,Google Shopping / MPN,Variant Image,Variant Weight Unit,Status", ",")

var (
	stuffs = []string{"Linen", "Wool", "Cotton", "Oak", "Copper", "Felt", "Cork", "Slate"}
	things = []string{"Shirt", "Blanket", "Apron", "Stool", "Kettle", "Slippers", "Board", "Lamp"}
	kinds  = []string{"Clothing", "Home", "Clothing", "Furniture", "Kitchen", "Clothing", "Kitchen", "Home"}
	sizes  = []string{"S", "M", "L", "XL"}
	shades = []string{"Natural", "Indigo"}
)

// dice is a number below n that hangs on the product and on what is asked.
func dice(product int, what string, n int) int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", product, what)
	return int(h.Sum64() % uint64(n))
}

// Make makes a file.
func Make(f File) Made {
	var made Made
	var out bytes.Buffer
	if f.Windows {
		out.WriteString("\xef\xbb\xbf")
	}
	w := csv.NewWriter(&out)
	w.UseCRLF = f.Windows
	write := func(fields map[string]string) {
		record := make([]string, len(header))
		for i, name := range header {
			record[i] = fields[name]
		}
		_ = w.Write(record) // to memory
	}
	_ = w.Write(header)
	for n := range f.Products {
		for _, row := range product(f, n, &made) {
			write(row)
			made.Rows++
		}
	}
	w.Flush()
	made.CSV = out.Bytes()
	return made
}

// product are the rows of one.
func product(f File, n int, made *Made) []map[string]string {
	stuff, thing := dice(n, "stuff", len(stuffs)), dice(n, "thing", len(things))
	title := fmt.Sprintf("%s %s No. %d", stuffs[stuff], things[thing], n+1)
	handle := strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(title), ".", ""), " ", "-")
	first := map[string]string{
		"Title": title, "Vendor": "Mill " + fmt.Sprint(1+dice(n, "vendor", 9)), "Type": things[thing], "Published": "true", "Gift Card": "false",
		"Tags":             fmt.Sprintf("%s, %s", strings.ToLower(stuffs[stuff]), strings.ToLower(kinds[thing])),
		"Product Category": kinds[thing] + " > " + things[thing] + "s",
		"Body (HTML)":      fmt.Sprintf("<p>Made of %s, 12\" wide.</p>\n<ul>\n<li>One, \"two\", three</li>\n</ul>", strings.ToLower(stuffs[stuff])),
		"Status":           "active", "SEO Title": "Buy " + title,
	}
	rows := []map[string]string{first}
	for len(rows) < variants(n) {
		rows = append(rows, map[string]string{})
	}
	made.Variants += len(rows)
	for i, row := range rows {
		describe(n, i, len(rows), first, row)
	}
	if f.Images != "" {
		rows = addImages(f, n, rows, made)
	}
	for _, row := range rows {
		row["Handle"] = handle
	}
	return rows
}

// variants is how many a product has: one, a few sizes, or sizes in two shades.
func variants(n int) int { return []int{1, 1, 3, 4, 6}[dice(n, "variants", 5)] }

// describe writes the i-th variant of so many into its row.
func describe(n, i, of int, first, row map[string]string) {
	switch {
	case of == 1:
		row["Option1 Name"], row["Option1 Value"] = "Title", "Default Title"
	case of <= len(sizes):
		first["Option1 Name"], row["Option1 Value"] = "Size", sizes[i]
	default:
		first["Option1 Name"], first["Option2 Name"] = "Size", "Shade"
		row["Option1 Value"], row["Option2 Value"] = sizes[i/len(shades)], shades[i%len(shades)]
	}
	row["Variant SKU"] = fmt.Sprintf("P%05d-%d", n+1, i+1)
	row["Variant Grams"] = fmt.Sprint(50 * (1 + dice(n, "grams", 40)))
	row["Variant Inventory Tracker"] = "shopify"
	row["Variant Inventory Qty"] = fmt.Sprint(dice(n, fmt.Sprint("stock", i), 50))
	row["Variant Inventory Policy"] = []string{"deny", "continue"}[dice(n, "policy", 2)]
	row["Variant Fulfillment Service"] = "manual"
	cents := 500 + dice(n, fmt.Sprint("price", i), 20000)
	row["Variant Price"] = fmt.Sprintf("%d.%02d", cents/100, cents%100)
	if dice(n, "sale", 3) == 0 {
		row["Variant Compare At Price"] = fmt.Sprintf("%d.00", cents/100+10)
	}
	row["Variant Requires Shipping"], row["Variant Taxable"], row["Variant Weight Unit"] = "true", "true", "kg"
}

// addImages names one image on the first row, one on the second if there is one, and one
// on a row of its own.
func addImages(f File, n int, rows []map[string]string, made *Made) []map[string]string {
	address := func(i int) string { return fmt.Sprintf("%s/%d-%d.png", f.Images, n+1, i) }
	rows[0]["Image Src"], rows[0]["Image Position"], rows[0]["Image Alt Text"] = address(1), "1", "From the front"
	made.Images++
	if len(rows) > 1 {
		rows[1]["Image Src"], rows[1]["Image Position"], rows[1]["Variant Image"] = address(2), "2", address(2)
		made.Images++
	}
	if dice(n, "image", 2) == 0 {
		rows = append(rows, map[string]string{"Image Src": address(3), "Image Position": "3"})
		made.Images++
	}
	return rows
}
