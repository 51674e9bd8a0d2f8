package promotions

import (
	"context"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// unknownSQL gives where those of the IDs $2 stand ($3) that there are not, by what they are
// IDs of ($1). Groups are kept from being deleted until the transaction ends; products,
// variants and collections may go, and make nothing cheaper then.
const unknownSQL = `
with asked as (select * from unnest($1::text[], $2::text[], $3::text[]) with ordinality as a(kind, id, pointer, at)),
groups as (select id from customer_groups where id in (select id from asked where kind = 'group') order by id for key share)
select pointer from asked where id not in (
	select id from groups
	union all select id from products where id in (select id from asked where kind = 'product')
	union all select id from variants where id in (select id from asked where kind = 'variant')
	union all select id from collections where id in (select id from asked where kind = 'collection')
) order by at`

// know refuses a rule that names what there is not, but for what it named before.
func know(ctx context.Context, tx *postgres.Tx, r, before *Rule) error {
	var kinds, ids, pointers []string
	ask := func(kind, pointer string, list, known []string) {
		for i, id := range list {
			if !slices.Contains(known, id) {
				kinds, ids, pointers = append(kinds, kind), append(ids, id), append(pointers, fmt.Sprintf("%s/%d", pointer, i))
			}
		}
	}
	selection := func(at string, s, known Selection) {
		ask("product", at+"/product_ids", s.ProductIDs, known.ProductIDs)
		ask("variant", at+"/variant_ids", s.VariantIDs, known.VariantIDs)
		ask("collection", at+"/collection_ids", s.CollectionIDs, known.CollectionIDs)
	}
	selection("/items", r.Items, before.Items)
	selection("/buys", r.Buys, before.Buys)
	ask("group", "/customer_group_ids", r.GroupIDs, before.GroupIDs)
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, unknownSQL, kinds, ids, pointers)
	if err != nil {
		return fmt.Errorf("look for what a promotion is about: %w", err)
	}
	defer rows.Close()
	wrong := problem.New(problem.Unprocessable, "unknown_reference", "The promotion is about something that there is not.")
	for rows.Next() {
		var pointer string
		if err := rows.Scan(&pointer); err != nil {
			return fmt.Errorf("look for what a promotion is about: %w", err)
		}
		wrong.At(pointer, "unknown_reference", "There is none of this ID.")
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for what a promotion is about: %w", err)
	}
	return wrong.OrNil()
}
