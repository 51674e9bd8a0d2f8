package exports

import (
	"context"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What Shopify writes for a product without options, and how many it may have.
const (
	noOption = "Title"
	noChoice = "Default Title"
	options  = 3
)

// The columns of Shopify's product CSV: those of a product's first row, of a variant's, of
// an image's, and of the first row again.
var (
	firstColumns   = strings.Split("Title,Body (HTML),Vendor,Product Category,Type,Tags,Published", ",")
	optionColumns  = strings.Split("Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value", ",")
	variantColumns = strings.Split("Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Fulfillment Service,"+
		"Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode", ",")
	imageColumns = strings.Split("Image Src,Image Position,Image Alt Text", ",")
	lastColumns  = strings.Split("Gift Card,SEO Title,SEO Description", ",")
	moreColumns  = strings.Split("Variant Image,Variant Weight Unit,Cost per item,Unit Price Total Measure,Unit Price Total Measure Unit", ",")
)

func productHeader(b *book) []string {
	return joined([]string{"Handle"}, firstColumns, optionColumns, variantColumns, imageColumns, lastColumns, moreColumns, []string{"Status"},
		b.columns(fields.Products), b.columns(fields.Variants))
}

func joined(parts ...[]string) (row []string) {
	for _, part := range parts {
		row = append(row, part...)
	}
	return row
}

// or is a part of a row, or as many blanks as it has columns.
func or(there bool, part func() []string, columns int) []string {
	if there {
		return part()
	}
	return make([]string, columns)
}

func writeProducts(ctx context.Context, tx *postgres.Tx, b *book, after string, most int) (last string, n int, err error) {
	products, err := catalog.Export(ctx, tx, after, most, b.Currency, b.Since, b.Until)
	if err != nil {
		return "", 0, err
	}
	for i := range products {
		if err := b.product(&products[i]); err != nil {
			return "", 0, err
		}
		last = string(products[i].ID)
	}
	return last, len(products), nil
}

// product writes the rows of a product: as many as it has variants or images, whichever are
// more.
func (b *book) product(p *catalog.Exported) error {
	own, ofVariants := len(b.columns(fields.Products)), len(b.columns(fields.Variants))
	for i := range max(len(p.Variants), len(p.Images)) {
		first, isVariant := i == 0, i < len(p.Variants)
		row := joined([]string{p.Handle},
			or(first, func() []string { return describe(p) }, len(firstColumns)),
			or(isVariant, func() []string { return choices(p, i) }, len(optionColumns)),
			or(isVariant, func() []string { return b.variant(&p.Variants[i]) }, len(variantColumns)),
			or(i < len(p.Images), func() []string { return []string{b.address(p.Images[i]), strconv.Itoa(i + 1), p.Images[i].Alt} }, len(imageColumns)),
			or(first, func() []string { return []string{"false", p.SEOTitle, p.SEODescription} }, len(lastColumns)),
			or(isVariant, func() []string { return b.more(p, i) }, len(moreColumns)),
			or(first, func() []string { return []string{string(p.Status)} }, 1),
			or(first, func() []string { return b.values(fields.Products, p.CustomFields) }, own),
			or(isVariant, func() []string { return b.values(fields.Variants, p.Variants[i].CustomFields) }, ofVariants),
		)
		if err := b.row(row); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) more(p *catalog.Exported, i int) []string {
	v := p.Variants[i]
	cells := []string{b.shown(p, i), "g", b.price(v.Cost), "", ""}
	if v.NetContent != nil {
		cells[3], cells[4] = v.NetContent.Value, v.NetContent.Unit
	}
	return cells
}

func describe(p *catalog.Exported) []string {
	return []string{
		p.Title, p.Description, p.Vendor, strings.Join(p.Category, " > "), p.Type, strings.Join(p.Tags, ", "), strconv.FormatBool(p.Status == catalog.Active),
	}
}

// choices are what a variant is a choice of; the names stand in the first row.
func choices(p *catalog.Exported, i int) []string {
	cells := make([]string, 2*options)
	if len(p.Options) == 0 {
		cells[0], cells[1] = noOption, noChoice
		return cells
	}
	for at, option := range p.Options {
		if i == 0 {
			cells[2*at] = option.Name
		}
		if at < len(p.Variants[i].Choices) {
			cells[2*at+1] = p.Variants[i].Choices[at]
		}
	}
	return cells
}

func (b *book) variant(v *catalog.ExportedVariant) []string {
	grams, tracker, policy := "", "", "deny"
	if v.Grams != nil {
		grams = strconv.Itoa(*v.Grams)
	}
	if v.TrackStock {
		tracker = "shopify"
	}
	if v.Oversell {
		policy = "continue"
	}
	return []string{
		v.SKU, grams, tracker, strconv.FormatInt(v.Available, 10), policy, "manual", b.price(v.Amount), b.price(v.CompareAt),
		strconv.FormatBool(v.RequiresShipping), strconv.FormatBool(v.Taxable), v.Barcode,
	}
}

// address is where an image is had: the shop's own, or where it is still to be fetched.
func (b *book) address(image catalog.ExportedImage) string {
	if image.Key == "" {
		return image.SourceURL
	}
	return b.Media + "/media/" + image.Key
}

// shown is the address of the image that a variant shows.
func (b *book) shown(p *catalog.Exported, i int) string {
	for _, image := range p.Images {
		if image.ID == p.Variants[i].ImageID {
			return b.address(image)
		}
	}
	return ""
}
