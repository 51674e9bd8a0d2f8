package collections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// appendSQL says of each product whether it exists and whether it was put in. The products
// are locked, in order, so that none is deleted meanwhile.
const appendSQL = `
with wanted as (
	select id, min(n) as n from unnest($2::text[]) with ordinality w(id, n) group by id
), there as (
	select id from products where id = any($2) order by id for key share
), added as (
	insert into collection_products (collection_id, product_id, sort_key, shown)
	select c.id, w.id, case when c.sort_order = 'manual' then lpad((coalesce((select max(sort_key)::int + 1 from collection_products
		where collection_id = $1), 0) + row_number() over (order by w.n) - 1)::text, 10, '0') else '' end, false
	from wanted w join there using (id), collections c where c.id = $1
	on conflict do nothing returning product_id
)
select w.id, t.id is not null, a.product_id is not null
from wanted w left join there t using (id) left join added a on a.product_id = w.id order by w.n`

// Append puts products into a collection whose row is locked, after those that there are.
// It gives those that were not in it, and those that do not exist.
func Append(ctx context.Context, tx *postgres.Tx, collection string, products []string) (added, missing []string, err error) {
	rows, err := tx.Query(ctx, appendSQL, collection, products)
	if err != nil {
		return nil, nil, fmt.Errorf("add to collection %s: %w", collection, err)
	}
	var product string
	var exists, put bool
	_, err = pgx.ForEachRow(rows, []any{&product, &exists, &put}, func() error {
		if !exists {
			missing = append(missing, product)
		}
		if put {
			added = append(added, product)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("add to collection %s: %w", collection, err)
	}
	return added, missing, Refresh(ctx, tx, added...)
}

// numbered has the products of the collection $1 in their order, from 0.
const numbered = `(select product_id, row_number() over (order by sort_key, product_id) - 1 as n from collection_products where collection_id = $1)`

// Number keeps the order that a sorted collection is in as one by hand.
func Number(ctx context.Context, tx *postgres.Tx, collection string) error {
	_, err := tx.Exec(ctx, `update collection_products m set sort_key = lpad(w.n::text, 10, '0') from `+numbered+` w
		where m.collection_id = $1 and m.product_id = w.product_id`, collection)
	if err != nil {
		return fmt.Errorf("number collection %s: %w", collection, err)
	}
	return nil
}

// moveSQL renumbers what lies between the old place and the new one.
const moveSQL = `
with was as (
	select * from ` + numbered + ` w
), it as (
	select n, least($3::bigint, (select max(n) from was)) as goal from was where product_id = $2
), moved as (
	update collection_products m set sort_key = lpad((case
		when w.product_id = $2 then it.goal
		when w.n > it.n and w.n <= it.goal then w.n - 1
		when w.n < it.n and w.n >= it.goal then w.n + 1
		else w.n end)::text, 10, '0')
	from was w, it where m.collection_id = $1 and m.product_id = w.product_id and it.n <> it.goal
	returning 1
)
select (select count(*) from moved) > 0 from it`

// Move gives a product another place in a collection by hand whose row is locked, and says
// whether it was at another one.
func Move(ctx context.Context, tx *postgres.Tx, collection, product string, position int) (moved bool, err error) {
	err = tx.QueryRow(ctx, moveSQL, collection, product, position).Scan(&moved)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, problem.Missing("product in this collection")
	}
	if err != nil {
		return false, fmt.Errorf("move %s in collection %s: %w", product, collection, err)
	}
	return moved, nil
}
