package wishlists

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// itemsJSON are the things on the list t, each with how the shop calls it now and whether it
// shows it still; what is gone has the name that it had.
var itemsJSON = `(select coalesce(json_agg(json_build_object('id', i.id, 'product_id', i.product_id, 'variant_id', i.variant_id, 'title', coalesce(p.title, i.title),
		'variant_title', nullif(v.title, ''), 'handle', p.handle, 'shown', p.id is not null and (i.variant_id is null or v.id is not null), 'added_at', i.added_at) order by i.n), '[]')
	from (select e.n, e.x->>'id' as id, e.x->>'product_id' as product_id, e.x->>'variant_id' as variant_id, e.x->>'title' as title, e.x->>'added_at' as added_at
		from jsonb_array_elements(t.items) with ordinality e(x, n)) i
	left join products p on p.id = i.product_id and ` + catalog.Published + `
	left join variants v on v.id = i.variant_id and v.product_id = p.id)`

var (
	mineJSON = `json_build_object('id', t.id, 'name', t.name, 'share_token', t.share_token, 'items', ` + itemsJSON + `,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`
	sharedJSON = `json_build_object('name', t.name, 'items', ` + itemsJSON + `)`

	mineSQL   = postgres.List{From: `wishlists t where t.customer_id = $3`, Each: mineJSON, Order: "t.id", After: "t.id > $2", Position: "t.id"}.SQL()
	getSQL    = `select t.version || E'\n' || ` + mineJSON + ` from wishlists t where t.id = $1 and t.customer_id = $2`
	sharedSQL = `select '0' || E'\n' || ` + sharedJSON + ` from wishlists t where t.share_token = $1`
)

// Mine is a page of a customer's lists, in the order in which they were made.
func Mine(ctx context.Context, db *postgres.DB, customerID, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, mineSQL, limit, after, customerID)
	if err != nil {
		return page, fmt.Errorf("list the wishlists of %s: %w", customerID, err)
	}
	return page, nil
}

// Get is one of them.
func Get(ctx context.Context, from postgres.Source, id, customerID string) (postgres.Object, error) {
	o, err := from.Object(ctx, getSQL, id, customerID)
	return postgres.Found(o, err, "wishlist")
}

// Shared is the list that a link shows to others. It says nothing of whose it is but what it
// is called.
func Shared(ctx context.Context, db *postgres.DB, share string) (postgres.Object, error) {
	o, err := db.Object(ctx, sharedSQL, share)
	return postgres.Found(o, err, "wishlist")
}
