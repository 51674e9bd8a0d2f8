package catalog

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// CreateProduct makes a product with its variants, prices and first stock.
func (s *Service) CreateProduct(ctx context.Context, tx *postgres.Tx, in ProductInput) (ProductID, error) {
	p, stock, err := newProduct(in)
	if err != nil {
		return "", err
	}
	if err := s.countProduct(ctx, tx); err != nil {
		return "", err
	}
	books, err := OpenBooks(ctx, tx, in)
	if err != nil {
		return "", err
	}
	if err := p.fields(ctx, tx, in, books); err != nil {
		return "", err
	}
	if err := insertProduct(ctx, tx, p.product); err != nil {
		return "", err
	}
	if err := insertVariants(ctx, tx, p.Variants); err != nil {
		return "", err
	}
	if err := inventory.Begin(ctx, tx, stock); err != nil {
		return "", err
	}
	if err := index(ctx, tx, p.ID); err != nil {
		return "", err
	}
	p.tellMade(ctx, tx)
	journal.Usage(tx, "products", 1)
	return p.ID, nil
}

// newProduct is a product to be made, with its first stock, or what is wrong with it.
func newProduct(in ProductInput) (whole, []inventory.Line, error) {
	now := clock.Now()
	p := &product{
		ID: ProductID(ids.New("prod")), Handle: in.Handle, Title: in.Title, Description: in.Description, Vendor: in.Vendor,
		Type: in.Type, Status: in.Status, Tags: in.Tags, Options: in.Options, CategoryID: in.CategoryID,
		SEOTitle: in.SEOTitle, SEODescription: in.SEODescription, CustomFields: fields.Values{}, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if p.Status == "" {
		p.Status = Draft
	}
	instant(&p.PublishAt, in.PublishAt)
	instant(&p.UnpublishAt, in.UnpublishAt)
	p.publish()
	c := p.check()
	c.handle(p.Handle)
	variants, stock := c.newVariants(p, in)
	return whole{p, variants}, stock, c.wrong.OrNil()
}

// tellMade writes down that a product was made.
func (w whole) tellMade(ctx context.Context, tx *postgres.Tx) {
	journal.Event(ctx, tx, "product.created", string(w.ID), w.summary())
	journal.Audit(ctx, tx, journal.Entry{Action: "product.create", ObjectID: string(w.ID), After: w})
}

// whole is a product with its variants, for the audit.
type whole struct {
	*product
	Variants []*variant `json:"variants"`
}

// fields gives a new product and its variants their custom fields.
func (w whole) fields(ctx context.Context, tx *postgres.Tx, in ProductInput, books Books) error {
	c := check("invalid_product", "The product cannot be kept as it is.")
	of, ofVariants := books.products.For(), books.variants.For()
	if err := of.Write(ctx, tx, &w.CustomFields, in.CustomFields, c.wrong); err != nil {
		return err
	}
	for i, v := range in.Variants {
		ofVariants.Merge(&w.Variants[i].CustomFields, v.CustomFields, c.wrong, fmt.Sprintf("/variants/%d/custom_fields", i))
	}
	if err := ofVariants.Find(ctx, tx, c.wrong); err != nil {
		return err
	}
	return c.wrong.OrNil()
}

// Books are the custom fields of products and variants while values are written.
type Books struct{ products, variants *fields.Book }

// OpenBooks locks the custom fields of what products, to be made or revised, have values of
// any. It comes before locks of the products themselves.
func OpenBooks(ctx context.Context, tx *postgres.Tx, inputs ...ProductInput) (b Books, err error) {
	var of, ofVariants []fields.Values
	for _, in := range inputs {
		of = append(of, in.CustomFields)
		for _, v := range in.Variants {
			ofVariants = append(ofVariants, v.CustomFields)
		}
	}
	if b.products, err = fields.Open(ctx, tx, fields.Products, of...); err != nil {
		return b, err
	}
	b.variants, err = fields.Open(ctx, tx, fields.Variants, ofVariants...)
	return b, err
}

// newVariants are the rows of a new product's variants, and their first stock.
func (c checker) newVariants(p *product, in ProductInput) ([]*variant, []inventory.Line) {
	inputs := in.Variants
	if in.Matrix != nil {
		if len(inputs) > 0 {
			c.wrong.At("/matrix", "excluded", "Variants are either listed or generated.")
		}
		inputs = c.combinations(in.Matrix, p.Options, nil, "/matrix/sku_pattern")
	}
	if len(inputs) == 0 {
		only := NewVariant()
		for _, option := range p.Options {
			if len(option.Values) > 0 {
				only.Choices = append(only.Choices, option.Values[0])
			}
		}
		inputs = []VariantInput{only}
	}
	if len(inputs) > maxVariants {
		c.wrong.At("/variants", "maxItems", "There are %d, and may be %d.", len(inputs), maxVariants)
	}
	variants, stock := make([]*variant, len(inputs)), make([]inventory.Line, len(inputs))
	for i, input := range inputs {
		v, at := newVariant(p.ID, i, input), fmt.Sprintf("/variants/%d", i)
		variants[i], stock[i] = v, inventory.Line{VariantID: inventory.VariantID(v.ID), Quantity: input.Stock}
		if in.Matrix != nil {
			if at = "/matrix"; i > 0 && len(c.wrong.Faults) > 0 {
				continue // what is wrong with one is wrong with all
			}
		}
		c.variant(v, p.Options, at)
		c.stock(input, at)
		if input.ImageID != "" {
			c.wrong.At(at+"/image_id", "not_found", "A product that is being made has no images yet.")
		}
	}
	c.distinct(variants, func(i int) string { return fmt.Sprintf("/variants/%d/option_values", i) })
	return variants, stock
}

// countProduct counts one product more, and refuses it where the plan allows no more. The
// settings' row is locked until the end of the transaction, so that the count is exact
// however many are made at once.
func (s *Service) countProduct(ctx context.Context, tx *postgres.Tx) error {
	most := s.limits.Products(ctx)
	tag, err := tx.Exec(ctx, `update settings set product_count = product_count + 1 where id = 1 and ($1::int <= 0 or product_count < $1::int)`, most)
	if err != nil {
		return fmt.Errorf("count products: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return planLimit(most)
	}
	return nil
}

func planLimit(most int) error {
	return problem.New(problem.Unprocessable, "plan_limit", "The plan allows %d products, and there are as many.", most)
}

// insertProduct inserts the row under its handle or, when it has none, under the first
// free one that its title gives.
func insertProduct(ctx context.Context, tx *postgres.Tx, p *product) error {
	given := p.Handle != ""
	base := p.Handle
	if !given {
		base = HandleFor(p.Title, "product")
	}
	// A handle that was free can be taken by a change of another product meanwhile.
	for try := 0; try < 5; try++ {
		p.Handle = base
		if !given {
			if err := tx.QueryRow(ctx, freeHandleSQL("products"), base).Scan(&p.Handle); err != nil {
				return fmt.Errorf("find a free handle: %w", err)
			}
		}
		result, err := tx.Bun.NewInsert().Model(p).On("conflict (handle) do nothing").Exec(ctx)
		if err != nil {
			return rowRefused(fmt.Errorf("insert product: %w", err))
		}
		if n, _ := result.RowsAffected(); n == 1 {
			return nil
		}
		if given {
			break
		}
	}
	return handleTaken(p.Handle)
}

// rowRefused gives a product's constraints their public words.
func rowRefused(err error) error {
	switch {
	case violates(err, "products_category_id_fkey"):
		return problem.New(problem.Unprocessable, "invalid_product", "The product cannot be kept as it is.").
			At("/category_id", "not_found", "There is no such category.")
	default:
		return err
	}
}

// lockProduct reads a product's row and keeps others from changing it, its variants and
// its images until the transaction ends.
func lockProduct(ctx context.Context, tx *postgres.Tx, id ProductID) (*product, error) {
	p := &product{}
	if err := tx.Hold(ctx, p, id, "product", postgres.ForNoKeyUpdate); err != nil {
		return nil, err
	}
	p.tidy()
	return p, nil
}

// UpdateProduct changes a product that has the version meant; zero is any. A change that
// changes nothing leaves no trace.
func (s *Service) UpdateProduct(ctx context.Context, tx *postgres.Tx, id ProductID, meant int, patch ProductPatch) error {
	book, err := fields.Open(ctx, tx, fields.Products, patch.CustomFields)
	if err != nil {
		return err
	}
	p, err := lockProduct(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(p.Version, meant); err != nil {
		return err
	}
	before := *p
	patch.apply(p)
	c := p.check()
	if patch.Handle != nil {
		c.handle(p.Handle)
	}
	if err := book.Write(ctx, tx, &p.CustomFields, patch.CustomFields, c.wrong); err != nil {
		return err
	}
	if patch.Options != nil {
		if err := c.refit(ctx, tx, p, before.Options); err != nil {
			return err
		}
	}
	if err := c.wrong.OrNil(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *p) {
		return nil
	}
	p.publish()
	p.Version, p.UpdatedAt = p.Version+1, clock.Now()
	if err := s.saveProduct(ctx, tx, p); err != nil {
		return err
	}
	if p.Handle != before.Handle {
		if err := Leave(ctx, tx, KindProduct, before.Handle, string(p.ID)); err != nil {
			return err
		}
	}
	journal.Event(ctx, tx, "product.updated", string(p.ID), p.summary())
	journal.Audit(ctx, tx, journal.Entry{Action: "product.update", ObjectID: string(p.ID), Before: &before, After: p})
	return nil
}

func (patch ProductPatch) apply(p *product) {
	merge.Set(&p.Title, patch.Title)
	merge.Set(&p.Handle, patch.Handle)
	merge.Set(&p.Description, patch.Description)
	merge.Set(&p.Vendor, patch.Vendor)
	merge.Set(&p.Type, patch.Type)
	merge.Set(&p.Status, patch.Status)
	merge.Set(&p.CategoryID, patch.CategoryID)
	merge.Set(&p.SEOTitle, patch.SEOTitle)
	merge.Set(&p.SEODescription, patch.SEODescription)
	if patch.PublishAt != nil {
		instant(&p.PublishAt, patch.PublishAt.V)
	}
	if patch.UnpublishAt != nil {
		instant(&p.UnpublishAt, patch.UnpublishAt.V)
	}
	if patch.Tags != nil {
		p.Tags = patch.Tags
	}
	if patch.Options != nil {
		p.Options = patch.Options
	}
}

func (s *Service) saveProduct(ctx context.Context, tx *postgres.Tx, p *product) error {
	if _, err := tx.Bun.NewUpdate().Model(p).WherePK().Exec(ctx); err != nil {
		if violates(err, "products_handle_key") {
			return handleTaken(p.Handle)
		}
		return rowRefused(fmt.Errorf("update product %s: %w", p.ID, err))
	}
	return index(ctx, tx, p.ID)
}

// touched notes on a product, which is locked, that something of it has changed.
func (s *Service) touched(ctx context.Context, tx *postgres.Tx, p *product) error {
	p.Version, p.UpdatedAt = p.Version+1, clock.Now()
	if err := s.saveProduct(ctx, tx, p); err != nil {
		return err
	}
	journal.Event(ctx, tx, "product.updated", string(p.ID), p.summary())
	return nil
}

// refit has a product's variants be choices of its options, which were others before. Of an
// option that is new, the variants that there are have its first choice; of one that is gone,
// none, if they are still different without.
func (c checker) refit(ctx context.Context, tx *postgres.Tx, p *product, before []Option) error {
	if len(c.wrong.Faults) > 0 {
		return nil // options that cannot be are no measure
	}
	variants, err := variantsOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	var changed []*variant
	if len(before) != len(p.Options) {
		changed = variants
		for _, v := range variants {
			v.Choices = choicesOf(p.Options, before, v.Choices)
			v.Title = titleOf(v.Choices)
		}
		c.distinct(variants, func(int) string { return "/options" })
	}
	for _, v := range variants {
		if apart := check("", ""); !apart.fits(p.Options, v.Choices, "") {
			c.wrong.At("/options", "variants_do_not_fit", "The variant %s is none of these choices.", v.Title)
		}
	}
	if len(changed) == 0 || len(c.wrong.Faults) > 0 {
		return nil
	}
	if err := lockVariants(ctx, tx, p.ID); err != nil {
		return err
	}
	for _, v := range changed {
		if err := saveVariant(ctx, tx, v, false); err != nil {
			return err
		}
	}
	return nil
}

// choicesOf are choices of options as they are of others, which are known by their names.
func choicesOf(options, before []Option, choices []string) []string {
	out := make([]string, len(options))
	for i, option := range options {
		out[i] = option.Values[0]
		at := slices.IndexFunc(before, func(o Option) bool { return strings.EqualFold(o.Name, option.Name) })
		if at >= 0 && at < len(choices) {
			out[i] = choices[at]
		}
	}
	return out
}

// DeleteProduct deletes a product that has the version meant; zero is any. Its pictures'
// files go once that is committed. Orders keep their copies.
func (s *Service) DeleteProduct(ctx context.Context, tx *postgres.Tx, id ProductID, meant int) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	p, err := lockProduct(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := problem.Outdated(p.Version, meant); err != nil {
		return err
	}
	variants, err := variantsOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	images, err := imagesOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if err := lockVariants(ctx, tx, p.ID); err != nil {
		return err
	}
	kept, err := keepProduct(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from products where id = $1`, p.ID); err != nil {
		return fmt.Errorf("delete product %s: %w", p.ID, err)
	}
	if _, err := tx.Exec(ctx, `update settings set product_count = product_count - 1 where id = 1`); err != nil {
		return fmt.Errorf("count products: %w", err)
	}
	if kept == nil { // else once it is forgotten
		deleteFiles(tx, images...)
	}
	journal.Event(ctx, tx, "product.deleted", string(p.ID), gone{string(p.ID)})
	journal.Audit(ctx, tx, journal.Entry{Action: "product.delete", ObjectID: string(p.ID), Before: whole{p, variants}, Kept: kept})
	journal.Usage(tx, "products", -1)
	return nil
}

// handle checks a handle that was given.
func (c checker) handle(handle string) {
	if handle != "" && !ValidHandle(handle) {
		c.wrong.At("/handle", "pattern", "It is made of lower-case letters and digits, with single hyphens in between.")
	}
}

// ValidHandle says whether a text can be a name in addresses.
func ValidHandle(handle string) bool {
	if len(handle) == 0 || len(handle) > maxName {
		return false
	}
	for part := range strings.SplitSeq(handle, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

func handleTaken(handle string) error {
	return problem.New(problem.Conflict, "handle_taken", "The handle %q is taken.", handle).At("/handle", "taken", "Another one has it.")
}

// freeHandleSQL gives the handle $1 or, where that is taken, the first of $1-2, $1-3, …
// that is not. Table is one of this package's.
func freeHandleSQL(table string) string {
	return `select $1::text || coalesce((
		select case n when 1 then '' else '-' || n end
		from generate_series(1, (select count(*) from ` + table + ` where handle = $1 or handle like $1 || '-%') + 1) n
		where not exists (select from ` + table + ` where handle = $1 || case n when 1 then '' else '-' || n end)
		order by n limit 1), '')`
}
