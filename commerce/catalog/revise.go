package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Revision is what is to become of a product that is known, all of it or nothing.
type Revision struct {
	Books   Books // opened for it, where it has values of custom fields
	Product ProductPatch
	Changed []VariantChange
	Added   []VariantInput // after those that there are
}

// VariantChange changes a variant; positions are left alone.
type VariantChange struct {
	At int // its place among the known product's variants
	VariantPatch
}

// Revised is a product as a revision will leave it.
type Revised struct {
	before, after whole
	changed       []*variant       // variants that differ
	prices        []*variant       // variants whose prices differ
	stock         []inventory.Line // of those added
	differs       []bool           // by place in Changed
	product       bool
}

// Changes says whether anything differs.
func (r *Revised) Changes() bool { return r.product || len(r.changed)+len(r.Added()) > 0 }

// ChangesProduct says whether the product itself differs, apart from its variants.
func (r *Revised) ChangesProduct() bool { return r.product }

// ChangesVariant says whether the variant differs that the revision's change at a place
// is of.
func (r *Revised) ChangesVariant(i int) bool { return r.differs[i] }

// Added are the IDs that the added variants will have, in their order.
func (r *Revised) Added() []VariantID {
	var added []VariantID
	for _, v := range r.after.Variants[len(r.before.Variants):] {
		added = append(added, v.ID)
	}
	return added
}

// Revise works out what a revision leaves of a known product, without changing anything.
// In what is wrong with it, "/variants/3" is the fourth of the changed and added ones.
func (k *Known) Revise(ctx context.Context, tx *postgres.Tx, rev Revision) (*Revised, error) {
	p := *k.product
	rev.Product.apply(&p)
	c := p.check()
	names := fieldsOf{rev.Books.For(), c.wrong}
	names.product(&p.CustomFields, rev.Product.CustomFields)
	r := &Revised{before: whole{k.product, k.variants}, after: whole{&p, slices.Clone(k.variants)}, differs: make([]bool, len(rev.Changed))}
	at := map[int]string{} // pointers, by the place among all variants
	for i, change := range rev.Changed {
		was := k.variants[change.At]
		v := *was
		v.Choices, v.Prices = slices.Clone(was.Choices), slices.Clone(was.Prices)
		change.apply(&v)
		names.variant(&v.CustomFields, change.CustomFields, fmt.Sprintf("/variants/%d", i))
		at[change.At] = fmt.Sprintf("/variants/%d", i)
		c.variant(&v, p.Options, at[change.At])
		c.knownImage(k, v.ImageID, at[change.At])
		r.after.Variants[change.At] = &v
		if !reflect.DeepEqual(*was, v) {
			r.differs[i] = true
			r.changed = append(r.changed, &v)
		}
		if !reflect.DeepEqual(was.Prices, v.Prices) {
			r.prices = append(r.prices, &v)
		}
	}
	for i, v := range k.variants {
		if apart := check("", ""); at[i] == "" && !apart.fits(p.Options, v.Choices, "") {
			c.wrong.At("/options", "variants_do_not_fit", "The variant %s is none of these choices.", v.Title)
		}
	}
	for i, in := range rev.Added {
		v, place := newVariant(p.ID, nextPlace(r.after.Variants), in), fmt.Sprintf("/variants/%d", len(rev.Changed)+i)
		at[len(r.after.Variants)] = place
		c.variant(v, p.Options, place)
		names.variant(&v.CustomFields, in.CustomFields, place)
		c.stock(in, place)
		c.knownImage(k, v.ImageID, place)
		r.after.Variants = append(r.after.Variants, v)
		r.stock = append(r.stock, inventory.Line{VariantID: inventory.VariantID(v.ID), Quantity: in.Stock})
	}
	if n := len(r.after.Variants); n > maxVariants {
		c.wrong.At("/variants", "maxItems", "There would be %d, and may be %d.", n, maxVariants)
	}
	c.distinct(r.after.Variants, func(i int) string { return at[i] + "/option_values" })
	p.publish()
	r.product = !reflect.DeepEqual(*k.product, p)
	if err := names.find(ctx, tx); err != nil {
		return nil, err
	}
	return r, c.wrong.OrNil()
}

// fieldsOf writes the custom fields of one product and its variants.
type fieldsOf struct {
	books Books
	wrong *problem.Problem
}

// For are the same books for another product.
func (b Books) For() Books {
	if b.products == nil {
		return b
	}
	return Books{b.products.For(), b.variants.For()}
}

func (f fieldsOf) product(of *fields.Values, patch fields.Values) {
	if len(patch) > 0 {
		f.books.products.Merge(of, patch, f.wrong, "/custom_fields")
	}
}

func (f fieldsOf) variant(of *fields.Values, patch fields.Values, at string) {
	if len(patch) > 0 {
		f.books.variants.Merge(of, patch, f.wrong, at+"/custom_fields")
	}
}

func (f fieldsOf) find(ctx context.Context, tx *postgres.Tx) error {
	if f.books.products == nil {
		return nil
	}
	if err := f.books.products.Find(ctx, tx, f.wrong); err != nil {
		return err
	}
	return f.books.variants.Find(ctx, tx, f.wrong)
}

// knownImage checks that an image is one of a known product's.
func (c checker) knownImage(k *Known, id ImageID, at string) {
	if id != "" && !slices.ContainsFunc(k.Images, func(i KnownImage) bool { return i.ID == id }) {
		c.wrong.At(at+"/image_id", "not_found", "The product has no such image.")
	}
}

// SaveRevised writes what revisions left of products, which were read and locked in this
// transaction, by as many statements as one product takes. Those that change nothing
// leave no trace.
func (s *Service) SaveRevised(ctx context.Context, tx *postgres.Tx, list []*Revised) error {
	var products []*product
	var changed, prices, added []*variant
	var stock []inventory.Line
	touched := map[ProductID]bool{}
	for _, r := range list {
		if !r.Changes() {
			continue
		}
		p := r.after.product
		products, touched[p.ID] = append(products, p), true
		changed, prices = append(changed, r.changed...), append(prices, r.prices...)
		added, stock = append(added, r.after.Variants[len(r.before.Variants):]...), append(stock, r.stock...)
	}
	if len(products) == 0 {
		return nil
	}
	if err := updateProducts(ctx, tx, products); err != nil {
		return err
	}
	if err := updateVariants(ctx, tx, changed); err != nil {
		return err
	}
	if err := replacePrices(ctx, tx, prices); err != nil {
		return err
	}
	if len(added) > 0 {
		if err := insertVariants(ctx, tx, added); err != nil {
			return err
		}
		if err := inventory.Begin(ctx, tx, stock); err != nil {
			return err
		}
	}
	if err := index(ctx, tx, slices.Collect(maps.Keys(touched))...); err != nil {
		return err
	}
	for _, r := range list {
		if r.Changes() {
			r.tell(ctx, tx)
		}
	}
	return nil
}

// tell writes down what was changed: the product, and of its variants those that were.
func (r *Revised) tell(ctx context.Context, tx *postgres.Tx) {
	p := r.after.product
	journal.Event(ctx, tx, "product.updated", string(p.ID), p.summary())
	if r.product {
		journal.Audit(ctx, tx, journal.Entry{Action: "product.update", ObjectID: string(p.ID), Before: r.before.product, After: p})
	}
	for i, v := range r.after.Variants {
		switch {
		case i >= len(r.before.Variants):
			journal.Audit(ctx, tx, journal.Entry{Action: "variant.create", ObjectID: string(v.ID), After: v.told()})
		case v != r.before.Variants[i] && slices.Contains(r.changed, v):
			journal.Audit(ctx, tx, journal.Entry{Action: "variant.update", ObjectID: string(v.ID), Before: r.before.Variants[i].told(), After: v.told()})
		}
	}
}

func updateProducts(ctx context.Context, tx *postgres.Tx, products []*product) error {
	raw, err := json.Marshal(products)
	if err != nil {
		return fmt.Errorf("update products: %w", err)
	}
	_, err = tx.Exec(ctx, `update products p set handle = x.handle, title = x.title, description = x.description_html, vendor = x.vendor,
			product_type = x.product_type, status = x.status, tags = x.tags, options = x.options, category_id = x.category_id,
			seo_title = x.seo_title, seo_description = x.seo_description, custom_fields = coalesce(x.custom_fields, '{}'), publish_at = x.publish_at,
			unpublish_at = x.unpublish_at, published_at = x.published_at, version = p.version + 1, updated_at = $2
		from `+productRecord+` where p.id = x.id`, string(raw), clock.Now())
	if err != nil {
		return rowRefused(fmt.Errorf("update products: %w", err))
	}
	return nil
}

func updateVariants(ctx context.Context, tx *postgres.Tx, variants []*variant) error {
	if len(variants) == 0 {
		return nil
	}
	raw, err := json.Marshal(variants)
	if err != nil {
		return fmt.Errorf("update variants: %w", err)
	}
	_, err = tx.Exec(ctx, `update variants v set title = x.title, options = x.option_values, sku = nullif(x.sku, ''), barcode = x.barcode,
			weight_grams = x.weight_grams, length_mm = x.length_mm, width_mm = x.width_mm, height_mm = x.height_mm,
			net_content = nullif(x.net_content, 'null'), cost_amount = x.cost_amount, cost_currency = nullif(x.cost_currency, ''), image_id = nullif(x.image_id, ''),
			requires_shipping = x.requires_shipping, taxable = x.taxable, tax_class = coalesce(x.tax_class, ''),
			track_stock = x.track_inventory, oversell = x.allow_backorder, custom_fields = coalesce(x.custom_fields, '{}'), version = v.version + 1, updated_at = $2
		from jsonb_to_recordset($1::jsonb) as x(id text, title text, option_values text[], sku text, barcode text, weight_grams int,
			length_mm int, width_mm int, height_mm int, net_content jsonb, cost_amount bigint, cost_currency text, image_id text,
			requires_shipping boolean, taxable boolean, tax_class text, track_inventory boolean, allow_backorder boolean, custom_fields jsonb)
		where v.id = x.id`, string(raw), clock.Now())
	if violates(err, "variants_check") || violates(err, "stock_levels_check") {
		return problem.New(problem.Conflict, "stock_reserved", "More is promised or sold than there is in stock: adjust the stock first.")
	}
	if err != nil {
		return fmt.Errorf("update variants: %w", err)
	}
	return nil
}

// replacePrices gives variants the prices that they have now.
func replacePrices(ctx context.Context, tx *postgres.Tx, variants []*variant) error {
	if len(variants) == 0 {
		return nil
	}
	of := make([]string, len(variants))
	for i, v := range variants {
		of[i] = string(v.ID)
	}
	if err := pricelists.Beside(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from prices where variant_id = any($1)`, of); err != nil {
		return fmt.Errorf("delete prices: %w", err)
	}
	if err := insertPrices(ctx, tx, variants...); err != nil {
		return err
	}
	return pricelists.Record(ctx, tx, of...)
}
