package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// CollectionInput is a collection to be made.
type CollectionInput struct {
	Name        string
	Handle      string // made from the name when empty
	Description string // HTML; cleaned
	Products    []ProductID
}

// CollectionPatch changes a collection; what is nil stays.
type CollectionPatch struct {
	Name, Handle, Description *string
}

// collection is a row of collections, and what the audit keeps of one.
type collection struct {
	bun.BaseModel `bun:"table:collections,alias:c" json:"-"`

	ID          CollectionID `bun:"id,pk" json:"id"`
	Handle      string       `bun:"handle" json:"handle"`
	Name        string       `bun:"title" json:"name"`
	Description string       `bun:"description" json:"description_html"`
	Version     int          `bun:"version" json:"version"`
	CreatedAt   time.Time    `bun:"created_at" json:"-"`
	UpdatedAt   time.Time    `bun:"updated_at" json:"-"`
}

func (row *collection) check() error {
	c := check("invalid_collection", "The collection cannot be kept as it is.")
	c.line(&row.Name, "/name", 1, maxName)
	c.html(&row.Description, "/description_html")
	c.handle(row.Handle)
	return c.wrong.OrNil()
}

func (row *collection) named() named { return named{string(row.ID), row.Handle, row.Name} }

// contents is a change of what is in a collection, for the audit.
type contents struct {
	Added   []ProductID `json:"added,omitempty"`
	Removed ProductID   `json:"removed,omitempty"`
}

// CreateCollection makes a collection, with products or without.
func (s *Service) CreateCollection(ctx context.Context, tx *postgres.Tx, in CollectionInput) (CollectionID, error) {
	now := clock.Now()
	row := &collection{
		ID: CollectionID(ids.New("col")), Name: in.Name, Handle: in.Handle, Description: in.Description,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := row.check(); err != nil {
		return "", err
	}
	if err := insertCollection(ctx, tx, row); err != nil {
		return "", err
	}
	if _, err := appendProducts(ctx, tx, row.ID, in.Products); err != nil {
		return "", err
	}
	journal.Event(ctx, tx, "collection.created", string(row.ID), row.named())
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.create", ObjectID: string(row.ID), After: struct {
		*collection
		contents
	}{row, contents{Added: in.Products}}})
	return row.ID, nil
}

// insertCollection inserts the row under its handle or, when it has none, under the first
// free one that its name gives.
func insertCollection(ctx context.Context, tx *postgres.Tx, row *collection) error {
	given, base := row.Handle != "", row.Handle
	if !given {
		base = handleOf(row.Name, "collection")
	}
	for try := 0; try < 5; try++ {
		row.Handle = base
		if !given {
			if err := tx.QueryRow(ctx, freeHandleSQL("collections"), base).Scan(&row.Handle); err != nil {
				return fmt.Errorf("find a free handle: %w", err)
			}
		}
		result, err := tx.Bun.NewInsert().Model(row).On("conflict (handle) do nothing").Exec(ctx)
		if err != nil {
			return fmt.Errorf("insert collection: %w", err)
		}
		if n, _ := result.RowsAffected(); n == 1 {
			return nil
		}
		if given {
			break
		}
	}
	return handleTaken(row.Handle)
}

func lockCollection(ctx context.Context, tx *postgres.Tx, id CollectionID) (*collection, error) {
	row := &collection{}
	err := tx.Bun.NewSelect().Model(row).Where("c.id = ?", id).For("no key update").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.Missing("collection")
	}
	if err != nil {
		return nil, fmt.Errorf("read collection %s: %w", id, err)
	}
	return row, nil
}

// UpdateCollection changes a collection that has the version meant; zero is any.
func (s *Service) UpdateCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, meant int, patch CollectionPatch) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := stale(row.Version, meant); err != nil {
		return err
	}
	before := *row
	set(&row.Name, patch.Name)
	set(&row.Handle, patch.Handle)
	set(&row.Description, patch.Description)
	if err := row.check(); err != nil {
		return err
	}
	if before == *row {
		return nil
	}
	if err := changedCollection(ctx, tx, row); err != nil {
		return err
	}
	if row.Handle != before.Handle {
		if err := leave(ctx, tx, KindCollection, before.Handle, string(id)); err != nil {
			return err
		}
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.update", ObjectID: string(id), Before: &before, After: row})
	return nil
}

// changedCollection saves a collection, which is locked, in its next version.
func changedCollection(ctx context.Context, tx *postgres.Tx, row *collection) error {
	row.Version, row.UpdatedAt = row.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
		if violates(err, "collections_handle_key") {
			return handleTaken(row.Handle)
		}
		return fmt.Errorf("update collection %s: %w", row.ID, err)
	}
	journal.Event(ctx, tx, "collection.updated", string(row.ID), row.named())
	return nil
}

// DeleteCollection deletes a collection that has the version meant; zero is any. Its
// products stay.
func (s *Service) DeleteCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, meant int) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := stale(row.Version, meant); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from collections where id = $1`, id); err != nil {
		return fmt.Errorf("delete collection %s: %w", id, err)
	}
	journal.Event(ctx, tx, "collection.deleted", string(id), gone{string(id)})
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.delete", ObjectID: string(id), Before: row})
	return nil
}

// AddToCollection appends products to a collection; those in it already stay where they are.
func (s *Service) AddToCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, products []ProductID) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
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

// appendSQL says of each product whether it exists and whether it was put in. The products
// are locked, in order, so that none is deleted meanwhile.
const appendSQL = `
with wanted as (
	select id, min(n) as n from unnest($2::text[]) with ordinality w(id, n) group by id
), there as (
	select id from products where id = any($2) order by id for key share
), added as (
	insert into collection_products (collection_id, product_id, position)
	select $1, w.id, coalesce((select max(position) + 1 from collection_products where collection_id = $1), 0) + row_number() over (order by w.n) - 1
	from wanted w join there using (id)
	on conflict do nothing returning product_id
)
select w.id, t.id is not null, a.product_id is not null
from wanted w left join there t using (id) left join added a on a.product_id = w.id order by w.n`

func appendProducts(ctx context.Context, tx *postgres.Tx, id CollectionID, products []ProductID) ([]ProductID, error) {
	if len(products) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, appendSQL, id, products)
	if err != nil {
		return nil, fmt.Errorf("add to collection %s: %w", id, err)
	}
	wrong := problem.New(problem.Unprocessable, "invalid_collection", "The collection cannot be kept as it is.")
	var added []ProductID
	var product ProductID
	var exists, put bool
	_, err = pgx.ForEachRow(rows, []any{&product, &exists, &put}, func() error {
		if !exists {
			for i := range products {
				if products[i] == product {
					wrong.At(fmt.Sprintf("/product_ids/%d", i), "not_found", "There is no such product.")
				}
			}
		}
		if put {
			added = append(added, product)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("add to collection %s: %w", id, err)
	}
	return added, wrong.OrNil()
}

// RemoveFromCollection takes a product out of a collection.
func (s *Service) RemoveFromCollection(ctx context.Context, tx *postgres.Tx, id CollectionID, productID ProductID) error {
	row, err := lockCollection(ctx, tx, id)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `delete from collection_products where collection_id = $1 and product_id = $2`, id, productID)
	if err != nil {
		return fmt.Errorf("take %s out of collection %s: %w", productID, id, err)
	}
	if tag.RowsAffected() == 0 {
		return problem.Missing("product in this collection")
	}
	if err := changedCollection(ctx, tx, row); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "collection.remove", ObjectID: string(id), After: contents{Removed: productID}})
	return nil
}
