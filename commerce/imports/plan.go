package imports

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// plan is what is to be done for a draft: a product to be made, or one that is known to
// be revised.
type plan struct {
	*draft
	known   *catalog.Known
	input   catalog.ProductInput // when none is known
	order   []*variantDraft      // in the order that the catalogue's pointers count them
	revised *catalog.Revised
	at      map[*variantDraft]int      // which of the known variants it is
	changes int                        // how many of order are changed, the rest is added
	stock   []inventory.Line           // what comes to variants that are known, or goes
	images  []*imageDraft              // new ones
	again   []catalog.ImageID          // known ones that could not be fetched before
	awaited map[string]catalog.ImageID // those, by address
	shown   map[string]catalog.ImageID // known images that stay as they are, by address

	undo     catalog.Undo
	pictures []catalog.ImageID // that were added

	productID  catalog.ProductID
	variantIDs map[*variantDraft]catalog.VariantID
}

// makeProduct plans a product to be made.
func (d *draft) makeProduct(currency string) *plan {
	p := &plan{draft: d, order: d.variants, images: d.images}
	if !d.titled {
		d.table.wrong(d.rows[0], colTitle, "title_missing", "There is no product with this handle, and the row gives no title to make one with.")
		return p
	}
	for _, v := range d.variants {
		p.input.Variants = append(p.input.Variants, v.input(d.table, currency))
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	p.input.Handle, p.input.Title, p.input.Description = d.handle, text(d.product.Title), text(d.product.Description)
	p.input.Vendor, p.input.Type, p.input.Tags = text(d.product.Vendor), text(d.product.Type), d.product.Tags
	p.input.CustomFields = d.product.CustomFields
	p.input.SEOTitle, p.input.SEODescription, p.input.Options = text(d.product.SEOTitle), text(d.product.SEODescription), d.options
	p.input.Status = catalog.Active
	if d.product.Status != nil {
		p.input.Status = *d.product.Status
	}
	return p
}

// input is a variant to be made. Where the file does not say whether stock is counted, it
// is if the file gives any.
func (v *variantDraft) input(t *table, currency string) catalog.VariantInput {
	in := catalog.NewVariant()
	in.Choices, in.WeightGrams, in.CustomFields = v.choices, v.grams, v.custom
	in.TrackStock = v.stock != nil
	for to, from := range map[*string]*string{&in.SKU: v.sku, &in.Barcode: v.barcode} {
		if from != nil {
			*to = *from
		}
	}
	for to, from := range map[*bool]*bool{&in.TrackStock: v.track, &in.Oversell: v.oversell, &in.RequiresShipping: v.shipping, &in.Taxable: v.taxable} {
		if from != nil {
			*to = *from
		}
	}
	if v.stock != nil {
		in.Stock = *v.stock
	}
	if v.cost != nil {
		in.Cost = &money.Money{Amount: *v.cost, Currency: currency}
	}
	in.NetContent = v.content
	if v.price == nil {
		t.warn(v.row, colPrice, "price_missing", "Without a price it cannot be bought.")
	} else {
		in.Prices = []catalog.Price{{Amount: *v.price, Currency: currency, CompareAt: v.compareAt}}
	}
	return in
}

// reviseProduct plans what is to become of a product that is known.
func (d *draft) reviseProduct(ctx context.Context, tx *postgres.Tx, known *catalog.Known, books catalog.Books, currency string, category *catalog.CategoryID) (*plan, error) {
	p := &plan{draft: d, known: known, at: map[*variantDraft]int{}, productID: known.ID}
	rev := catalog.Revision{Books: books, Product: d.product}
	rev.Product.CategoryID = category
	if !p.matchVariants(&rev) {
		return p, nil
	}
	p.matchImages()
	for _, v := range d.variants {
		if at, found := p.at[v]; found {
			rev.Changed = append(rev.Changed, catalog.VariantChange{At: at, VariantPatch: v.patch(known, known.Variants[at], currency)})
			p.order = append(p.order, v)
		}
	}
	p.changes = len(p.order)
	for _, v := range d.variants {
		if _, found := p.at[v]; !found {
			rev.Added = append(rev.Added, v.input(d.table, currency))
			p.order = append(p.order, v)
		}
	}
	var err error
	if p.revised, err = known.Revise(ctx, tx, rev); err != nil {
		if problem.As(err) == nil {
			return nil, err
		}
		p.blame(err)
		return p, nil
	}
	for _, v := range p.order[:p.changes] {
		if was := known.Variants[p.at[v]]; v.stock != nil && *v.stock != was.Available {
			p.stock = append(p.stock, inventory.Line{VariantID: inventory.VariantID(was.ID), Quantity: *v.stock - was.Available})
		}
	}
	return p, nil
}

// matchVariants finds the known variants again, by their choices and then by their SKU,
// and brings the options together; false when they cannot be.
func (p *plan) matchVariants(rev *catalog.Revision) bool {
	known, taken := p.known, map[int]bool{}
	same := len(p.draft.options) == len(known.Options)
	match := func(is func(*variantDraft, catalog.KnownVariant) bool) {
		for _, v := range p.variants {
			if _, found := p.at[v]; found {
				continue
			}
			at := -1
			for i, k := range known.Variants {
				if !taken[i] && is(v, k) {
					at = i
					break
				}
			}
			if at >= 0 {
				p.at[v], taken[at] = at, true
			}
		}
	}
	if same {
		match(func(v *variantDraft, k catalog.KnownVariant) bool { return slices.Equal(v.choices, k.Choices) })
	}
	match(func(v *variantDraft, k catalog.KnownVariant) bool {
		return v.sku != nil && *v.sku != "" && *v.sku == k.SKU
	})
	if !same && len(known.Variants) == 1 && len(p.variants) > 0 && len(p.at) == 0 {
		p.at[p.variants[0]], taken[0] = 0, true
	}
	switch {
	case len(p.variants) == 0:
		return true
	case same:
		rev.Product.Options = p.joinOptions(taken)
		return true
	case len(taken) == len(known.Variants) && p.titled:
		rev.Product.Options = p.draft.options
		if rev.Product.Options == nil {
			rev.Product.Options = []catalog.Option{}
		}
		return true
	}
	p.table.wrong(p.rows[0], colOption1Name, "options_differ", "The product has %d options (%s) and variants that the file does not tell of; the file has %d.",
		len(known.Options), optionNames(known.Options), len(p.draft.options))
	return false
}

func optionNames(options []catalog.Option) string {
	if len(options) == 0 {
		return "none"
	}
	names := make([]string, len(options))
	for i, option := range options {
		names[i] = option.Name
	}
	return strings.Join(names, ", ")
}

// joinOptions are the known options with the file's names and further choices. A choice
// that no variant has any more is dropped.
func (p *plan) joinOptions(taken map[int]bool) []catalog.Option {
	options := make([]catalog.Option, len(p.known.Options))
	for i, known := range p.known.Options {
		var had, has []string
		for at, v := range p.known.Variants {
			had = append(had, v.Choices[i])
			if !taken[at] {
				has = append(has, v.Choices[i])
			}
		}
		has = append(has, p.draft.options[i].Values...)
		options[i].Name = known.Name
		if name := p.draft.options[i].Name; name != "" {
			options[i].Name = name
		}
		for _, choice := range known.Values {
			if slices.Contains(has, choice) || !slices.Contains(had, choice) {
				options[i].Values = append(options[i].Values, choice)
			}
		}
		for _, choice := range p.draft.options[i].Values {
			if !slices.Contains(options[i].Values, choice) {
				options[i].Values = append(options[i].Values, choice)
			}
		}
	}
	return options
}

// patch is what is new about a known variant. Prices in other currencies stay, and so
// does a price that the file leaves blank.
func (v *variantDraft) patch(known *catalog.Known, was catalog.KnownVariant, currency string) catalog.VariantPatch {
	patch := catalog.VariantPatch{
		CustomFields: v.custom, SKU: v.sku, Barcode: v.barcode, Choices: v.choices, TrackStock: v.track, Oversell: v.oversell, RequiresShipping: v.shipping, Taxable: v.taxable,
	}
	if v.grams != nil {
		patch.WeightGrams = &sql.Null[int]{V: *v.grams, Valid: true}
	}
	if v.cost != nil {
		patch.Cost = &sql.Null[money.Money]{V: money.New(*v.cost, currency), Valid: true}
	}
	if v.content != nil {
		patch.NetContent = &sql.Null[catalog.NetContent]{V: *v.content, Valid: true}
	}
	at := slices.IndexFunc(was.Prices, func(price catalog.Price) bool { return price.Currency == currency })
	if v.price != nil || at >= 0 && v.comparesAt {
		patch.Prices = slices.Clone(was.Prices)
		if at < 0 {
			at = len(patch.Prices)
			patch.Prices = append(patch.Prices, catalog.Price{Currency: currency})
		}
		if v.price != nil {
			patch.Prices[at].Amount = *v.price
		}
		if v.comparesAt {
			patch.Prices[at].CompareAt = v.compareAt
		}
	}
	for _, image := range known.Images {
		if v.image != "" && image.Ready && (image.SourceURL == v.image || strings.Contains(v.image, "/media/") && strings.Contains(v.image, "/"+string(image.ID)+"/")) {
			patch.ImageID = &image.ID
		}
	}
	return patch
}

// matchImages finds out which images are new, and which were not fetched before.
func (p *plan) matchImages() {
	known := map[string]catalog.KnownImage{}
	for _, image := range p.known.Images {
		known[image.SourceURL] = image
		// The shop's own address of it, as an export writes it.
		for _, named := range p.draft.images {
			if image.Ready && strings.Contains(named.url, "/media/") && strings.Contains(named.url, "/"+string(image.ID)+"/") {
				known[named.url] = image
			}
		}
	}
	p.awaited, p.shown = map[string]catalog.ImageID{}, map[string]catalog.ImageID{}
	for _, image := range p.draft.images {
		was, found := known[image.url]
		switch {
		case !found:
			p.images = append(p.images, image)
		case was.Failed:
			p.again, p.awaited[image.url] = append(p.again, was.ID), was.ID
		default:
			p.shown[image.url] = was.ID
		}
	}
}

// changesAnything says whether there is something to be done.
func (p *plan) changesAnything() bool {
	return p.known == nil || p.revised != nil && p.revised.Changes() || len(p.stock)+len(p.images)+len(p.again) > 0
}
