package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// wayDown finds the categories on the way of names $1 from the top, as far as there are
// any. Names are compared without case; of several the first in the shop's order counts.
const wayDown = `
with recursive way as (
	(select id, 1 as n from categories where parent_id is null and lower(name) = lower(($1::text[])[1]) order by position, id limit 1)
	union all
	select c.id, c.n from way, lateral (
		select id, way.n + 1 as n from categories
		where parent_id = way.id and lower(name) = lower(($1::text[])[way.n + 1]) order by position, id limit 1) c
)
select id from way order by n`

// CategoryAt is the category at the end of a way of names from the top, as in "Clothing",
// "Shirts"; false when there is none.
func CategoryAt(ctx context.Context, tx *postgres.Tx, names []string) (CategoryID, bool, error) {
	way, err := walk(ctx, tx, names)
	if err != nil || len(way) < len(names) || len(way) == 0 {
		return "", false, err
	}
	return way[len(way)-1], true, nil
}

func walk(ctx context.Context, tx *postgres.Tx, names []string) ([]CategoryID, error) {
	rows, err := tx.Query(ctx, wayDown, names)
	if err != nil {
		return nil, fmt.Errorf("look for a category: %w", err)
	}
	way, err := pgx.CollectRows(rows, pgx.RowTo[CategoryID])
	if err != nil {
		return nil, fmt.Errorf("look for a category: %w", err)
	}
	return way, nil
}

// CheckCategoryPath says what is wrong with a way of names.
func CheckCategoryPath(names []string) error {
	if len(names) > maxDepth {
		return tooDeep()
	}
	for _, name := range names {
		row := category{Name: name}
		if err := row.check().wrong.OrNil(); err != nil {
			return err
		}
	}
	return nil
}

// EnsureCategoryPath is the category at the end of a way of names from the top. What is
// missing of the way is made, and given besides.
func (s *Service) EnsureCategoryPath(ctx context.Context, tx *postgres.Tx, names []string) (at CategoryID, made []CategoryID, err error) {
	if err := CheckCategoryPath(names); err != nil {
		return "", nil, err
	}
	if err := stores.Alone(ctx, tx); err != nil {
		return "", nil, err
	}
	way, err := walk(ctx, tx, names)
	if err != nil {
		return "", nil, err
	}
	if len(way) > 0 {
		at = way[len(way)-1]
	}
	for _, name := range names[len(way):] {
		if at, err = s.CreateCategory(ctx, tx, CategoryInput{Name: name, ParentID: at}); err != nil {
			return "", nil, err
		}
		made = append(made, at)
	}
	return at, made, nil
}
