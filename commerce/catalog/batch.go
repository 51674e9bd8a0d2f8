package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Made tells what became of one of several products that were to be made.
type Made struct {
	ID       ProductID
	Variants []VariantID // in the order of the input
	Err      error       // a problem, when it was not made
	Undo     Undo        // what undoes it
}

// CreateProducts makes several products, each with a handle of its own, by as many
// statements as one takes. One that is refused, by the plan's limit too, does not keep
// the others from being made.
func (s *Service) CreateProducts(ctx context.Context, tx *postgres.Tx, inputs []ProductInput) ([]Made, error) {
	made := make([]Made, len(inputs))
	room, most, err := s.room(ctx, tx)
	if err != nil {
		return nil, err
	}
	books, err := OpenBooks(ctx, tx, inputs...)
	if err != nil {
		return nil, err
	}
	stock := map[ProductID][]inventory.Line{}
	var fresh []whole
	var of []int // which input each became of
	for i, in := range inputs {
		p, lines, err := newProduct(in)
		if err == nil {
			err = p.fields(ctx, tx, in, books)
		}
		switch {
		case err != nil && problem.As(err) == nil:
			return nil, err
		case err != nil:
			made[i].Err = err
		case most > 0 && len(fresh) >= room:
			made[i].Err = planLimit(most)
		default:
			fresh, of, stock[p.ID] = append(fresh, p), append(of, i), lines
		}
	}
	inserted, err := insertProducts(ctx, tx, fresh)
	if err != nil {
		return nil, err
	}
	var variants []*variant
	var lines []inventory.Line
	for i, p := range fresh {
		if !inserted[p.ID] {
			made[of[i]].Err = handleTaken(p.Handle)
			continue
		}
		made[of[i]].ID, made[of[i]].Undo = p.ID, Undo{Made: true, Left: p.digest()}
		for _, v := range p.Variants {
			made[of[i]].Variants = append(made[of[i]].Variants, v.ID)
		}
		variants, lines = append(variants, p.Variants...), append(lines, stock[p.ID]...)
		p.tellMade(ctx, tx)
	}
	if len(inserted) == 0 {
		return made, nil
	}
	if err := insertVariants(ctx, tx, variants); err != nil {
		return nil, err
	}
	if err := inventory.Begin(ctx, tx, lines); err != nil {
		return nil, err
	}
	if err := index(ctx, tx, slices.Collect(maps.Keys(inserted))...); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `update settings set product_count = product_count + $1 where id = 1`, len(inserted)); err != nil {
		return nil, fmt.Errorf("count products: %w", err)
	}
	journal.Usage(tx, "products", int64(len(inserted)))
	return made, nil
}

// room is how many products may still be made, and how many the plan allows; no limit
// when that is zero. The settings' row is locked until the end of the transaction.
func (s *Service) room(ctx context.Context, tx *postgres.Tx) (room, most int, err error) {
	var count int
	if err := tx.QueryRow(ctx, `select product_count from settings where id = 1 for no key update`).Scan(&count); err != nil {
		return 0, 0, fmt.Errorf("count products: %w", err)
	}
	most = max(s.limits.Products(ctx), 0)
	return max(most-count, 0), most, nil
}

// productRecord is a row of products in a statement's argument.
const productRecord = `jsonb_to_recordset($1::jsonb) as x(id text, handle text, title text, description_html text, vendor text,
	product_type text, status text, tags text[], options jsonb, category_id text, seo_title text, seo_description text, custom_fields jsonb,
	publish_at timestamptz, unpublish_at timestamptz, published_at timestamptz)`

// insertProducts inserts rows, but for those whose handle is taken, and gives the IDs of
// those that went in.
func insertProducts(ctx context.Context, tx *postgres.Tx, products []whole) (map[ProductID]bool, error) {
	inserted := map[ProductID]bool{}
	if len(products) == 0 {
		return inserted, nil
	}
	rows := make([]*product, len(products))
	for i, p := range products {
		rows[i] = p.product
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("insert products: %w", err)
	}
	result, err := tx.Query(ctx, `insert into products (id, handle, title, description, vendor, product_type, status, tags, options, category_id,
			seo_title, seo_description, custom_fields, publish_at, unpublish_at, published_at, created_at, updated_at)
		select id, handle, title, description_html, vendor, product_type, status, tags, options, category_id,
			seo_title, seo_description, coalesce(custom_fields, '{}'), publish_at, unpublish_at, published_at, $2, $2
		from `+productRecord+` on conflict (handle) do nothing returning id`, string(raw), clock.Now())
	if err != nil {
		return nil, fmt.Errorf("insert products: %w", err)
	}
	var id ProductID
	_, err = pgx.ForEachRow(result, []any{&id}, func() error {
		inserted[id] = true
		return nil
	})
	if err != nil {
		return nil, rowRefused(fmt.Errorf("insert products: %w", err))
	}
	return inserted, nil
}

// index writes anew what products are found by, and in which collections they are. It is
// the last that is done to them.
func index(ctx context.Context, tx *postgres.Tx, products ...ProductID) error {
	list := make([]string, len(products))
	for i, id := range products {
		list[i] = string(id)
	}
	if err := collections.Turn(ctx, tx, list...); err != nil {
		return err
	}
	if err := search.Index(ctx, tx, list...); err != nil {
		return err
	}
	return collections.Refresh(ctx, tx, list...)
}
