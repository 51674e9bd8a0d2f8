package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// contents is a change of what is in a collection, for the audit.
type contents struct {
	Added    []ProductID `json:"added,omitempty"`
	Removed  ProductID   `json:"removed,omitempty"`
	Moved    ProductID   `json:"moved,omitempty"`
	Position *int        `json:"position,omitempty"`
}

// AddToCollection appends products to a collection; those in it already stay where they are.
func (s *Service) AddToCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, products []ProductID) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if row.Rules != nil {
		return byRule()
	}
	added, err := appendProducts(ctx, tx, id, products)
	if err != nil || len(added) == 0 {
		return err
	}
	if err := changedCollection(ctx, tx, row); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.add", ObjectID: string(id), After: contents{Added: added}})
	return nil
}

// appendProducts puts products into a collection and gives those that were not in it.
func appendProducts(ctx context.Context, tx *postgres.Tx, id CollectionID, products []ProductID) ([]ProductID, error) {
	if len(products) == 0 {
		return nil, nil
	}
	list := make([]string, len(products))
	for i, product := range products {
		list[i] = string(product)
	}
	added, missing, err := collections.Append(ctx, tx, string(id), list)
	if err != nil {
		return nil, err
	}
	wrong := problem.New(problem.Unprocessable, "invalid_collection", "The collection cannot be kept as it is.")
	for i, product := range list {
		if slices.Contains(missing, product) {
			wrong.At(fmt.Sprintf("/product_ids/%d", i), "not_found", "There is no such product.")
		}
	}
	put := make([]ProductID, len(added))
	for i, product := range added {
		put[i] = ProductID(product)
	}
	return put, wrong.OrNil()
}

// RemoveFromCollection takes a product out of a collection.
func (s *Service) RemoveFromCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, productID ProductID) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if row.Rules != nil {
		return byRule()
	}
	at, err := placeIn(ctx, tx, id, productID)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from collection_products where collection_id = $1 and product_id = $2`, id, productID); err != nil {
		return fmt.Errorf("take %s out of collection %s: %w", productID, id, err)
	}
	if err := changedCollection(ctx, tx, row); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.remove", ObjectID: string(id), Before: contents{Position: &at}, After: contents{Removed: productID}})
	return nil
}

// placeIn is how many products stand before one in a collection.
func placeIn(ctx context.Context, tx *postgres.Tx, id CollectionID, productID ProductID) (at int, err error) {
	err = tx.QueryRow(ctx, `select (select count(*) from collection_products b where b.collection_id = c.collection_id and (b.sort_key, b.product_id) < (c.sort_key, c.product_id))
		from collection_products c where c.collection_id = $1 and c.product_id = $2`, id, productID).Scan(&at)
	if errors.Is(err, postgres.ErrNoRows) {
		return 0, problem.Missing("product in this collection")
	}
	if err != nil {
		return 0, fmt.Errorf("find %s in collection %s: %w", productID, id, err)
	}
	return at, nil
}

// MoveInCollection gives a product another place in a collection that is put in order by
// hand: the position is the number of products before it.
func (s *Service) MoveInCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, productID ProductID, position int) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if row.SortOrder != manual {
		return problem.New(problem.Conflict, "collection_sorted", "The collection is sorted; only one whose sort_order is manual is put in order by hand.")
	}
	// New products of a rule come last, and nobody puts one there meanwhile.
	if err := collections.Alone(ctx, tx); err != nil {
		return err
	}
	at, err := placeIn(ctx, tx, id, productID)
	if err != nil {
		return err
	}
	moved, err := collections.Move(ctx, tx, string(id), string(productID), position)
	if err != nil || !moved {
		return err
	}
	if err := changedCollection(ctx, tx, row); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.move", ObjectID: string(id), Before: contents{Moved: productID, Position: &at}, After: contents{Moved: productID, Position: &position}})
	return nil
}
