package admin_test

import (
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/app/apptest"
)

// catalogue is a file with a column that nobody knows and a row that is refused.
const catalogue = `Handle,Title,Tags,Status,Variant SKU,Price,Inventory tracker,Inventory quantity,Remark
bowl,Bowl,clay,active,BO-1,32.00,shopify,3,fine
mug,Mug,clay,active,MU-1,18.00,shopify,12,
jug,Jug,clay,active,JU-1,dear,shopify,1,
`

// goods imports products after having seen what would become of them, puts them together by
// a rule, changes two of them in a table, and takes that back.
func goods(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	office := "/admin/" + address
	file := filepath.Join(b.t.TempDir(), "catalogue.csv")
	if err := os.WriteFile(file, []byte(catalogue), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.visit(office + "/exchange/import")
	b.shows("Drop a CSV file here, or choose it")
	if err := chromedp.Do(b.ctx, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{file})); err != nil {
		b.t.Fatal(err)
	}
	b.shows("What the columns mean", "Remark")
	b.press("See what would become of it")
	b.shows("This is what would become of it", "Would be refused")
	b.accessible("an import")
	b.press("Import 2 rows")
	b.shows("Import of products", "Done", "All of it can be taken back until", "jug")
	b.quietly("an import")

	b.visit(office + "/collections/new")
	b.write("Name", "Of clay")
	b.press("By a rule")
	b.write("With what", "clay")
	b.shows("2 products are like that.")
	b.press("All conditions") // so that nothing lies over the page
	b.accessible("a rule")
	b.press("Save")
	b.shows("“Of clay” is there", "Bowl", "Mug")

	b.visit(office + "/products/grid?tag=clay&columns=title,price.EUR")
	b.write("Mug: Price (EUR)", "19.50", "Bowl: Price (EUR)", "33")
	b.accessible("a table of products")
	b.press("Save")
	b.shows("Change of variants: done")
	b.until("the change", field("Mug: Price (EUR)")+`?.value === "19.50" && !document.querySelector("[class*=changed]")`)
	b.press("Undo")
	b.until("the former price", field("Mug: Price (EUR)")+`?.value === "18.00"`)
	b.quietly("the goods")
	p.ForgetLimits()
}
