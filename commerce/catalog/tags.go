package catalog

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

var tagsSQL = postgres.List{
	From:  `(select tag, count(*) as products from products cross join unnest(tags) as tag group by tag) t where true`,
	Each:  `json_build_object('tag', t.tag, 'product_count', t.products)`,
	Order: `t.tag collate "C"`, After: `t.tag collate "C" > $2`, Position: `t.tag`,
}.SQL()

// Tags is a page of the labels that products have, in the order of their letters, with
// how many products each has.
func Tags(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, tagsSQL, limit, after)
}
