package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// What comes back when a deletion is undone. The contents of a collection by rule are found
// anew.
var (
	categoryRows   = postgres.Part{Table: "categories", Of: "x.id = $1"}
	collectionRows = []postgres.Part{
		{Table: "collections", Of: "x.id = $1"},
		{Table: "collection_products", Of: "x.collection_id = $1", Back: "exists (select from products p where p.id = r.product_id)"},
	}
)

// keepCategory reads what brings a category back: its row, and which products are in it.
func keepCategory(ctx context.Context, tx *postgres.Tx, id CategoryID) (kept json.RawMessage, err error) {
	if kept, err = tx.Keep(ctx, string(id), categoryRows); err != nil {
		return nil, err
	}
	err = tx.QueryRow(ctx, `select $2::jsonb || jsonb_build_object('members', (select coalesce(jsonb_agg(id order by id), '[]') from products where category_id = $1))`,
		id, string(kept)).Scan(&kept)
	if err != nil {
		return nil, fmt.Errorf("read what is in category %s: %w", id, err)
	}
	return kept, nil
}

// RestoreCategory brings back a category that was deleted, below the one that it was below,
// with those of its products that have no other by now.
func (s *Service) RestoreCategory(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, categoryRows); err != nil {
		return err
	}
	row, err := readCategory(ctx, tx, CategoryID(id))
	if err != nil {
		return err
	}
	position, wrong := row.Position, check("invalid_category", "The category cannot be kept as it is.")
	if err := row.below(ctx, tx, wrong, row.ParentID); err != nil {
		return err
	}
	if err := row.place(ctx, tx, &position); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update categories set path = $2 where id = $1`, id, row.Path); err != nil {
		return fmt.Errorf("place category %s: %w", id, err)
	}
	_, err = tx.Exec(ctx, `with locked as (select id from products where id in (select jsonb_array_elements_text($2::jsonb->'members')) and category_id is null order by id for no key update)
		update products p set category_id = $1, version = version + 1, updated_at = now() from locked where p.id = locked.id`, id, string(kept))
	if err != nil {
		return fmt.Errorf("fill category %s: %w", id, err)
	}
	if err := collections.RebuildAll(ctx, tx, collections.ByCategory); err != nil {
		return err
	}
	journal.Event(ctx, tx, "category.created", id, row.named())
	journal.Audit(ctx, tx, journal.Entry{Action: "category.restore", ObjectID: id, After: row})
	return nil
}

// RestoreCollection brings back a collection that was deleted, with those of its products
// that there are yet.
func (s *Service) RestoreCollection(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if _, err := mainCurrency(ctx, tx); err != nil {
		return err
	}
	if err := collections.Alone(ctx, tx); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, collectionRows...); err != nil {
		return err
	}
	row, err := lockCollection(ctx, tx, CollectionID(id))
	if err != nil {
		return err
	}
	if err := collections.Rebuild(ctx, tx, id); err != nil {
		return err
	}
	if err := collections.KeepRanked(ctx, tx, id, row.SortOrder); err != nil {
		return err
	}
	journal.Event(ctx, tx, "collection.created", id, row.named())
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.restore", ObjectID: id, After: row.told()})
	return nil
}

// keepProduct reads what brings a product back, as of those that are deleted in bulk;
// nothing where it is too much to be kept.
func keepProduct(ctx context.Context, tx *postgres.Tx, id ProductID) (json.RawMessage, error) {
	var read string
	var held bool
	var kept json.RawMessage
	if err := tx.QueryRow(ctx, removedProductsSQL, []ProductID{id}).Scan(&read, &held, &kept); err != nil {
		return nil, fmt.Errorf("read the rows of %s: %w", id, err)
	}
	if held || !journal.Keepable(kept) {
		return nil, nil // what an order under way holds cannot be told afterwards
	}
	return kept, nil
}

// RestoreProduct brings back a product that was deleted, as RestoreProducts does several.
func (s *Service) RestoreProduct(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	done, err := s.RestoreProducts(ctx, tx, []ProductID{ProductID(id)}, []json.RawMessage{kept})
	if err != nil {
		return err
	}
	return done[0].Err
}

// keepVariant reads what brings a variant back; nothing where an order under way holds it.
func keepVariant(ctx context.Context, tx *postgres.Tx, id VariantID) (json.RawMessage, error) {
	var read string
	var held bool
	var kept json.RawMessage
	if err := tx.QueryRow(ctx, removedVariantsSQL, []VariantID{id}).Scan(&read, &held, &kept); err != nil {
		return nil, fmt.Errorf("read the rows of %s: %w", id, err)
	}
	if held {
		return nil, nil
	}
	return kept, nil
}

// RestoreVariant brings back a variant that was deleted, as RestoreVariants does several.
func (s *Service) RestoreVariant(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	done, err := s.RestoreVariants(ctx, tx, []VariantID{VariantID(id)}, []json.RawMessage{kept})
	if err != nil {
		return err
	}
	return done[0].Err
}
