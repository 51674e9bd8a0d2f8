package imports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
)

// maxOptions is how many options a product can have in the file, as in the catalogue.
const maxOptions = 3

// Bounds of texts that are shortened, in characters, as the catalogue keeps them.
const (
	maxLine = 255
	maxSEO  = 1000
)

// draft is what the file says of a product.
type draft struct {
	table    *table
	rows     []*row
	handle   string // by which the product is known; empty when the rows' fates are clear
	titled   bool   // its rows describe the product; else only variants and images
	product  catalog.ProductPatch
	category []string // names from the top
	options  []catalog.Option
	columns  []int // of the options, from 0: the file may leave one out
	variants []*variantDraft
	images   []*imageDraft

	told []int // how many messages each row had when the draft was made
}

// variantDraft is what a row says of a variant. Nil is what it does not say.
type variantDraft struct {
	row                                *row
	choices                            []string
	sku, barcode                       *string
	grams                              *int
	track, oversell, shipping, taxable *bool
	stock                              *int64
	price                              *int64
	compareAt, cost                    *int64
	content                            *catalog.NetContent
	comparesAt                         bool // the file has the column
	image                              string
	custom                             fields.Values
}

// imageDraft is what a row says of an image.
type imageDraft struct {
	row      *row
	url, alt string
	position int
}

// drafter reads drafts from groups of rows.
type drafter struct {
	table    *table
	currency string
	checkURL func(address string) error // says why an image's address cannot be fetched from
}

// draft reads what a group says. The rows' messages and outcomes begin anew.
func (dr drafter) draft(g group) *draft {
	d := &draft{table: dr.table}
	for _, r := range g.rows {
		r.messages, r.outcome, r.objectID, r.handle, r.undo = nil, "", "", "", nil
		if r.blank() {
			r.outcome = Skipped
			r.say(message(Info, "blank_row", "", "The row is blank."))
			continue
		}
		d.rows = append(d.rows, r)
	}
	if len(d.rows) == 0 || dr.unreadable(d, g) {
		return d
	}
	first := d.rows[0]
	d.titled = dr.table.text(first, colTitle) != ""
	if dr.table.text(first, colHandle) == "" {
		dr.table.wrong(first, colHandle, "handle_missing", "The row does not say which product it is of.")
		return d.refuse()
	}
	d.handle = catalog.HandleOf(dr.table.text(first, colHandle))
	for _, r := range d.rows {
		r.handle = d.handle
	}
	switch given := dr.table.text(first, colHandle); {
	case d.handle == "":
		dr.table.wrong(first, colHandle, "handle_invalid", "No address can be made of %q.", cut(given, 100))
		return d.refuse()
	case d.handle != given:
		first.say(message(Info, "handle_changed", dr.table.name(colHandle), "An address cannot be %q. The product is known as %q.", cut(given, 255), d.handle))
	}
	if g.continued {
		dr.table.wrong(first, colHandle, "too_many_rows", "A product has at most %d rows.", maxGroup)
		return d.refuse()
	}
	if gift := dr.table.boolean(first, colGiftCard); gift != nil && *gift {
		first.say(message(Warning, "gift_card", dr.table.name(colGiftCard), "Gift cards cannot be sold yet. The product was left out."))
		return d.leaveOut()
	}
	if d.titled {
		dr.describe(d, first)
	}
	dr.readRows(d)
	dr.readOptions(d)
	if d.failed() {
		return d.refuse()
	}
	for _, r := range d.rows {
		d.told = append(d.told, len(r.messages))
	}
	return d
}

// unreadable refuses rows that are no CSV, or have more columns than there are.
func (dr drafter) unreadable(d *draft, g group) bool {
	for _, r := range d.rows {
		switch {
		case r.broken != "":
			r.say(message(Error, "csv_syntax", "", "%s", r.broken))
		case len(r.fields) > len(dr.table.header) && slices.ContainsFunc(r.fields[len(dr.table.header):], func(f string) bool { return strings.TrimSpace(f) != "" }):
			r.say(message(Error, "too_many_columns", "", "The row has %d columns, the first line of the file %d. Texts with commas must stand in quotation marks.", len(r.fields), len(dr.table.header)))
		}
	}
	if d.failed() {
		for _, r := range d.rows {
			r.handle = catalog.HandleOf(dr.table.text(g.rows[0], colHandle))
		}
		d.refuse()
		return true
	}
	return false
}

// failed says whether a row has an error.
func (d *draft) failed() bool {
	return slices.ContainsFunc(d.rows, func(r *row) bool { return r.has(Error) })
}

// refuse has all rows fail: a product goes in as a whole or not at all. Those that are
// not to blame say which is.
func (d *draft) refuse() *draft {
	d.handle = ""
	guilty := slices.IndexFunc(d.rows, func(r *row) bool { return r.has(Error) })
	for _, r := range d.rows {
		r.outcome, r.objectID = Failed, ""
		if !r.has(Error) && guilty >= 0 {
			r.say(message(Error, "product_refused", "", "The product was refused because of line %d.", d.rows[guilty].line))
		}
	}
	return d
}

// leaveOut has all rows skipped.
func (d *draft) leaveOut() *draft {
	d.handle = ""
	for i, r := range d.rows {
		r.outcome = Skipped
		if i > 0 {
			r.say(message(Info, "product_left_out", "", "The product was left out; line %d says why.", d.rows[0].line))
		}
	}
	return d
}

// rewind takes back what was said since the draft was made.
func (d *draft) rewind() {
	for i, r := range d.rows {
		r.messages, r.outcome, r.objectID, r.undo = r.messages[:d.told[i]], "", "", nil
	}
}

// describe reads what the first row says of the product.
func (dr drafter) describe(d *draft, r *row) {
	t := dr.table
	d.product = catalog.ProductPatch{
		Title: t.line(r, colTitle, maxLine), Description: t.given(r, colBody), Vendor: t.line(r, colVendor, maxLine), Type: t.line(r, colType, maxLine),
		CustomFields: t.values(r, fields.Products), SEOTitle: t.line(r, colSEOTitle, maxLine), SEODescription: t.line(r, colSEODescription, maxSEO), Status: dr.status(r),
	}
	if t.has(colTags) {
		d.product.Tags = []string{}
		for _, tag := range list(oneLine(t.text(r, colTags))) {
			short := cut(tag, maxLine)
			if short != tag {
				t.warn(r, colTags, "shortened", "A tag was shortened to %d characters.", maxLine)
			}
			d.product.Tags = append(d.product.Tags, short)
		}
	}
	for name := range strings.SplitSeq(t.text(r, colCategory), ">") {
		if name = oneLine(strings.TrimSpace(name)); name != "" {
			d.category = append(d.category, name)
		}
	}
	if err := catalog.CheckCategoryPath(d.category); err != nil {
		t.warn(r, colCategory, "category_refused", "The product goes into no category: %s", reason(err))
		d.category = nil
	}
}

// status reads whether the product is sold: nil where neither column says so.
func (dr drafter) status(r *row) *catalog.Status {
	t := dr.table
	published := t.boolean(r, colPublished)
	status := catalog.Status(strings.ToLower(t.text(r, colStatus)))
	switch {
	case status != "" && status != catalog.Active && status != catalog.Draft && status != catalog.Archived:
		t.wrong(r, colStatus, "unknown_status", "%q is neither active, draft nor archived.", cut(string(status), 50))
		return nil
	case status == "" && published == nil:
		return nil
	case status == "" && *published:
		status = catalog.Active
	case status == "":
		status = catalog.Draft
	case status == catalog.Active && published != nil && !*published:
		r.say(message(Info, "not_published", t.name(colPublished), "It is not published, and so a draft."))
		status = catalog.Draft
	}
	return &status
}

// readRows reads variants and images of all rows.
func (dr drafter) readRows(d *draft) {
	t := dr.table
	anyVariant := slices.ContainsFunc(d.rows, dr.isVariant)
	var ofVariants []*imageDraft
	for i, r := range d.rows {
		if url := t.text(r, colImage); url != "" && dr.fetchable(r, colImage, url) {
			d.addImage(&d.images, &imageDraft{r, url, t.text(r, colImageAlt), t.position(r)})
		}
		// A product of which no row tells a variant has one all the same.
		if !dr.isVariant(r) && (anyVariant || i > 0 || !d.titled) {
			continue
		}
		v := dr.variant(r)
		if url := t.text(r, colVariantImage); url != "" && dr.fetchable(r, colVariantImage, url) {
			v.image = url
			d.addImage(&ofVariants, &imageDraft{row: r, url: url})
		}
		d.variants = append(d.variants, v)
	}
	slices.SortStableFunc(d.images, func(a, b *imageDraft) int { return cmp.Compare(a.position, b.position) })
	for _, image := range ofVariants {
		d.addImage(&d.images, image)
	}
}

func (d *draft) addImage(to *[]*imageDraft, image *imageDraft) {
	if !slices.ContainsFunc(*to, func(other *imageDraft) bool { return other.url == image.url }) {
		*to = append(*to, image)
	}
}

// fetchable says whether an image can be asked for; why not is a warning.
func (dr drafter) fetchable(r *row, c column, url string) bool {
	if len(url) > 2048 {
		dr.table.warn(r, c, "image_refused", "The address is too long.")
		return false
	}
	if err := dr.checkURL(url); err != nil {
		dr.table.warn(r, c, "image_refused", "%s", err.Error())
		return false
	}
	return true
}

// isVariant says whether a row tells of a variant.
func (dr drafter) isVariant(r *row) bool {
	for _, c := range []column{colOption1Value, colOption2Value, colOption3Value, colSKU, colBarcode, colPrice, colQuantity} {
		if dr.table.text(r, c) != "" {
			return true
		}
	}
	return false
}

func (dr drafter) variant(r *row) *variantDraft {
	t := dr.table
	v := &variantDraft{
		row: r, sku: t.number(r, colSKU), barcode: t.number(r, colBarcode), grams: t.grams(r), oversell: t.oversell(r),
		shipping: t.boolean(r, colShipping), taxable: t.boolean(r, colTaxable), stock: t.quantity(r, colQuantity),
		price: t.amount(r, colPrice, dr.currency), compareAt: t.amount(r, colCompareAt, dr.currency), comparesAt: t.has(colCompareAt),
		cost: t.amount(r, colCost, dr.currency), content: t.content(r), custom: t.values(r, fields.Variants),
	}
	if t.has(colTracker) {
		track := t.text(r, colTracker) != ""
		v.track = &track
	}
	if v.stock != nil && *v.stock < 0 && (v.oversell == nil || !*v.oversell) && (v.track == nil || *v.track) {
		t.warn(r, colQuantity, "stock_below_zero", "There were %d, which is less than nothing: it is kept as none.", *v.stock)
		*v.stock = 0
	}
	return v
}
