package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// batch are products that go in by one transaction.
type batch struct {
	*run
	operation *operations.Operation
	plans     []*plan
	books     catalog.Books
	made      map[string]catalog.CategoryID // categories that were found or made here
	fresh     []catalog.CategoryID          // of those, which were made
}

// apply puts groups in and gives their rows their fates.
func (b *batch) apply(ctx context.Context, tx *postgres.Tx, groups []group) error {
	var drafts []*draft
	for _, g := range groups {
		if d := b.draft(g); d.handle != "" {
			drafts = append(drafts, d)
		}
	}
	look := b.firstOnes
	if b.preview {
		look = b.earlier
	}
	drafts, err := look(ctx, tx, drafts)
	if err != nil || len(drafts) == 0 {
		return err
	}
	if err := b.planAll(ctx, tx, drafts); err != nil {
		return err
	}
	if err := b.create(ctx, tx); err != nil {
		return err
	}
	if err := b.revise(ctx, tx); err != nil {
		return err
	}
	for _, p := range b.plans {
		p.settle()
	}
	if err := b.addImages(ctx, tx); err != nil {
		return err
	}
	return b.keepUndo()
}

// keepUndo keeps with the first row of each product that was made or changed what undoes
// that. Categories that were made go with one of them.
func (b *batch) keepUndo() error {
	for _, p := range b.plans {
		if p.failed() || p.rows[0].outcome == Failed || p.known != nil && !p.changesAnything() {
			continue
		}
		if p.known != nil {
			p.undo = p.revised.Undo(p.stock, p.pictures)
		}
		p.undo.Categories, b.fresh = b.fresh, nil
		raw, err := json.Marshal(p.undo)
		if err != nil {
			return fmt.Errorf("keep what undoes an import: %w", err)
		}
		p.rows[0].undo = raw
	}
	return nil
}

// firstSQL finds the rows of an operation that began products by these handles. It probes
// the index for each, whatever the planner believes of a table that is being filled.
const firstSQL = `select w.handle, r.line, p.title from unnest($2::text[]) w(handle), lateral (
		select line, object_id from operation_rows where operation_id = $1 and handle = w.handle and object_id <> '' order by line limit 1
	) r, lateral (select title from products where id = r.object_id limit 1) p`

// firstOnes refuses products whose handle another product of the file has: the first one
// went in, and would be lost. Rows of one product may lie apart.
func (b *batch) firstOnes(ctx context.Context, tx *postgres.Tx, drafts []*draft) ([]*draft, error) {
	handles := map[string]*draft{}
	var list []string
	for _, d := range drafts {
		if d.titled {
			handles[d.handle], list = d, append(list, d.handle)
		}
	}
	if len(list) == 0 {
		return drafts, nil
	}
	rows, err := tx.Query(ctx, firstSQL, b.operation.ID, list)
	if err != nil {
		return nil, fmt.Errorf("look for repeated handles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var handle, title string
		var line int
		if err := rows.Scan(&handle, &line, &title); err != nil {
			return nil, fmt.Errorf("look for repeated handles: %w", err)
		}
		if d := handles[handle]; title != *d.product.Title {
			d.repeated(line, title)
		}
	}
	return remaining(drafts), rows.Err()
}

// planAll finds out what is known, and plans. What is to be changed is locked and planned
// anew, as it may have changed meanwhile; what stays as it is is only read.
func (b *batch) planAll(ctx context.Context, tx *postgres.Tx, drafts []*draft) error {
	handles := make([]string, len(drafts))
	for i, d := range drafts {
		handles[i] = d.handle
	}
	known, err := catalog.KnownByHandle(ctx, tx, handles, false)
	if err != nil {
		return err
	}
	if err := b.findCategories(ctx, tx, drafts); err != nil {
		return err
	}
	// Custom fields are locked after the settings and before the things, as elsewhere.
	if len(b.table.custom) > 0 {
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
		if b.books, err = b.openBooks(ctx, tx); err != nil {
			return err
		}
	}
	var changed []string
	grows := false // there will be more products or categories
	for _, d := range drafts {
		p, err := b.plan(ctx, tx, d, known)
		if err != nil {
			return err
		}
		b.plans = append(b.plans, p)
		if p.failed() {
			continue
		}
		grows = grows || p.known == nil || b.missing(d)
		if p.known != nil && (p.changesAnything() || b.missing(d)) {
			changed = append(changed, d.handle)
		}
	}
	if grows {
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
	}
	var locked map[string]*catalog.Known
	if len(changed) > 0 {
		if locked, err = catalog.KnownByHandle(ctx, tx, changed, true); err != nil {
			return err
		}
		for _, handle := range changed {
			if known[handle] = locked[handle]; known[handle] == nil {
				return errMeanwhile // it is gone, and all has to be thought over
			}
		}
	}
	if err := b.makeCategories(ctx, tx, drafts); err != nil {
		return err
	}
	for i, d := range drafts {
		switch p := b.plans[i]; {
		case p.known == nil:
			b.sort(p)
		case locked[d.handle] != nil:
			d.rewind()
			if b.plans[i], err = b.plan(ctx, tx, d, known); err != nil {
				return err
			}
		}
	}
	return nil
}

// sort puts a product that is to be made into its category.
func (b *batch) sort(p *plan) {
	if id := b.category(p.draft); id != nil {
		p.input.CategoryID = *id
	}
}

func (b *batch) plan(ctx context.Context, tx *postgres.Tx, d *draft, known map[string]*catalog.Known) (*plan, error) {
	if k := known[d.handle]; k != nil {
		return d.reviseProduct(ctx, tx, k, b.books, b.currency, b.category(d))
	}
	p := d.makeProduct(b.currency)
	b.sort(p)
	return p, nil
}

// openBooks opens the books of custom fields, if the file has columns of any.
func (b *batch) openBooks(ctx context.Context, tx *postgres.Tx) (catalog.Books, error) {
	var any catalog.ProductInput
	for _, c := range b.table.custom {
		value := fields.Values{c.defined.Key: nil}
		if c.defined.Resource == fields.Products {
			any.CustomFields = value
		} else {
			any.Variants = []catalog.VariantInput{{CustomFields: value}}
		}
	}
	return catalog.OpenBooks(ctx, tx, any)
}

func categoryKey(names []string) string { return strings.ToLower(strings.Join(names, "\x00")) }

// category is a draft's category, or nil where it names none or one that is still to be made.
func (b *batch) category(d *draft) *catalog.CategoryID {
	if len(d.category) == 0 {
		return nil
	}
	for _, from := range []map[string]catalog.CategoryID{b.made, b.categories} {
		if id, found := from[categoryKey(d.category)]; found {
			return &id
		}
	}
	return nil
}

func (b *batch) missing(d *draft) bool { return len(d.category) > 0 && b.category(d) == nil }

func (b *batch) findCategories(ctx context.Context, tx *postgres.Tx, drafts []*draft) error {
	looked := map[string]bool{}
	for _, d := range drafts {
		if key := categoryKey(d.category); b.missing(d) && !looked[key] {
			looked[key] = true
			id, found, err := catalog.CategoryAt(ctx, tx, d.category)
			if err != nil {
				return err
			}
			if found {
				b.made[key] = id
			}
		}
	}
	return nil
}

// makeCategories makes what categories are missing for products that go in.
func (b *batch) makeCategories(ctx context.Context, tx *postgres.Tx, drafts []*draft) error {
	for i, d := range drafts {
		if b.missing(d) && !b.plans[i].failed() {
			id, fresh, err := b.service.catalog.EnsureCategoryPath(ctx, tx, d.category)
			if err != nil {
				return err
			}
			b.fresh = append(b.fresh, fresh...)
			b.made[categoryKey(d.category)] = id
		}
	}
	return nil
}

// create makes the products that are not known.
func (b *batch) create(ctx context.Context, tx *postgres.Tx) error {
	var inputs []catalog.ProductInput
	var of []*plan
	for _, p := range b.plans {
		if p.known == nil && !p.failed() {
			inputs, of = append(inputs, p.input), append(of, p)
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	made, err := b.service.catalog.CreateProducts(ctx, tx, inputs)
	if err != nil {
		return err
	}
	for i, p := range of {
		if problem.Is(made[i].Err, "handle_taken") {
			return errMeanwhile // somebody made it between our look and now
		}
		if made[i].Err != nil {
			p.blame(made[i].Err)
			continue
		}
		p.undo = made[i].Undo
		p.productID, p.variantIDs = made[i].ID, map[*variantDraft]catalog.VariantID{}
		for j, v := range p.order {
			p.variantIDs[v] = made[i].Variants[j]
		}
	}
	return nil
}

// revise changes the products that are known. Stock that comes is counted before a
// variant may cease to be oversold, stock that goes after it may begin to be.
func (b *batch) revise(ctx context.Context, tx *postgres.Tx) error {
	var revised []*catalog.Revised
	var come, goes []inventory.Line
	for _, p := range b.plans {
		if p.known == nil || p.failed() {
			continue
		}
		revised = append(revised, p.revised)
		for _, line := range p.stock {
			if line.Quantity > 0 {
				come = append(come, line)
			} else {
				goes = append(goes, line)
			}
		}
		p.identify()
	}
	if err := b.adjust(ctx, tx, come); err != nil {
		return err
	}
	if err := b.service.catalog.SaveRevised(ctx, tx, revised); err != nil {
		return err
	}
	return b.adjust(ctx, tx, goes)
}

func (b *batch) adjust(ctx context.Context, tx *postgres.Tx, lines []inventory.Line) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Imported, Note: b.operation.ID, Lines: inventory.Change(lines)})
	return err
}

// identify notes which variants the rows are of.
func (p *plan) identify() {
	p.variantIDs = map[*variantDraft]catalog.VariantID{}
	added := p.revised.Added()
	for i, v := range p.order {
		if i < p.changes {
			p.variantIDs[v] = p.known.Variants[p.at[v]].ID
		} else {
			p.variantIDs[v] = added[i-p.changes]
		}
	}
}

// settle gives the rows of a product their outcomes.
func (p *plan) settle() {
	if p.failed() {
		p.refuse()
		return
	}
	done := map[*row]Outcome{}
	for i, v := range p.order {
		v.row.objectID = string(p.variantIDs[v])
		switch {
		case p.known == nil || i >= p.changes:
			done[v.row] = Created
		case p.changesVariant(i, p.variantIDs[v]):
			done[v.row] = Updated
		}
	}
	p.settleImages(done)
	for i, r := range p.rows {
		outcome := done[r]
		if i == 0 {
			r.objectID = string(p.productID)
			switch {
			case p.known == nil:
				outcome = Created
			case outcome != "" || p.revised.ChangesProduct():
				outcome = Updated
			}
		}
		if outcome == "" {
			outcome = Skipped
			if !r.has(Warning) {
				r.say(message(Info, "unchanged", "", "Nothing in it is new."))
			}
		}
		r.outcome = outcome
	}
}

func (p *plan) changesVariant(i int, id catalog.VariantID) bool {
	return p.revised.ChangesVariant(i) || slices.ContainsFunc(p.stock, func(line inventory.Line) bool { return catalog.VariantID(line.VariantID) == id })
}

func (p *plan) settleImages(done map[*row]Outcome) {
	for _, image := range p.images {
		if done[image.row] == "" {
			done[image.row] = Created
		}
	}
	for _, image := range p.draft.images {
		id := p.shown[image.url]
		if again := p.awaited[image.url]; again != "" {
			id = again
			if done[image.row] == "" {
				done[image.row] = Updated
			}
		}
		if image.row.objectID == "" {
			image.row.objectID = string(id)
		}
	}
}

// awaitedImage is a row of import_images in a statement's argument.
type awaitedImage struct {
	ImageID    catalog.ImageID     `json:"image_id"`
	Line       int                 `json:"line"`
	ProductID  catalog.ProductID   `json:"product_id"`
	VariantIDs []catalog.VariantID `json:"variant_ids"`
}

// addImages adds the images that are new and has them fetched.
func (b *batch) addImages(ctx context.Context, tx *postgres.Tx) error {
	var pending []catalog.PendingImage
	var from []*imageDraft
	var of []*plan
	var again []catalog.ImageID
	for _, p := range b.plans {
		if p.failed() {
			continue
		}
		again = append(again, p.again...)
		for _, image := range p.images {
			pending = append(pending, catalog.PendingImage{ProductID: p.productID, SourceURL: image.url, Alt: image.alt})
			from, of = append(from, image), append(of, p)
		}
	}
	made, err := b.service.catalog.AddPendingImages(ctx, tx, pending)
	if err != nil {
		return err
	}
	if err := b.service.catalog.AwaitImages(ctx, tx, again); err != nil {
		return err
	}
	var awaited []awaitedImage
	for i, image := range from {
		if made[i] == "" {
			image.row.say(message(Warning, "image_limit", b.table.name(colImage), "The product can have no more images."))
			continue
		}
		of[i].pictures = append(of[i].pictures, made[i])
		awaited = append(awaited, of[i].await(made[i], image))
		if image.row.objectID == "" {
			image.row.objectID = string(made[i])
		}
	}
	for _, p := range b.plans {
		for _, image := range p.draft.images {
			if id := p.awaited[image.url]; id != "" && !p.failed() {
				awaited = append(awaited, p.await(id, image))
			}
		}
	}
	return b.await(ctx, tx, awaited)
}

// await is an image to be fetched, with the variants that are to show it.
func (p *plan) await(id catalog.ImageID, image *imageDraft) awaitedImage {
	a := awaitedImage{id, image.row.line, p.productID, []catalog.VariantID{}}
	for _, v := range p.variants {
		if v.image == image.url {
			a.VariantIDs = append(a.VariantIDs, p.variantIDs[v])
		}
	}
	return a
}

func (b *batch) await(ctx context.Context, tx *postgres.Tx, images []awaitedImage) error {
	if len(images) == 0 {
		return nil
	}
	raw, err := json.Marshal(images)
	if err != nil {
		return fmt.Errorf("await images: %w", err)
	}
	_, err = tx.Exec(ctx, `insert into import_images (image_id, operation_id, line, product_id, variant_ids)
		select x.image_id, $1, x.line, x.product_id, x.variant_ids
		from jsonb_to_recordset($2::jsonb) as x(image_id text, line int, product_id text, variant_ids text[])
		on conflict (image_id) do update set operation_id = excluded.operation_id, line = excluded.line, variant_ids = excluded.variant_ids, asked = false`,
		b.operation.ID, string(raw))
	if err != nil {
		return fmt.Errorf("await images: %w", err)
	}
	return b.service.askImages(ctx, tx, b.operation.ID)
}
