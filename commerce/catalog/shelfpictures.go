package catalog

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// shelfPicturesSQL are, of the categories $2, those that something is sold in or below, each with
// a picture of the latest things there.
var shelfPicturesSQL = translations.Speak(3, func(in translations.In) string {
	return `select coalesce(json_object_agg(w.id, s.image), '{}')::text from unnest($2::text[]) w(id) cross join lateral (
	select count(*) as n, (jsonb_agg(g.image order by p.id desc) filter (where g.image is not null))->0 as image
	from (select p.id from products p where p.category_id in ` + subtree("w.id") + ` and ` + Published + ` order by p.id desc limit 4) p
	left join lateral (select ` + shopImageJSON(in) + `::jsonb as image from images i where i.product_id = p.id and i.state = 'ready' order by i.position, i.id limit 1) g on true) s
where s.n > 0`
})

// ShelfPictures are, of categories, those that something is sold in or below: their pictures by
// their IDs, null where nothing there has one. It takes one statement, however many they are.
func ShelfPictures(ctx context.Context, db *postgres.DB, locales, categories []string) ([]byte, error) {
	statement, args := shelfPicturesSQL.In(locales, "", categories)
	raw, err := db.JSON(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("read pictures of categories: %w", err)
	}
	return raw, nil
}
