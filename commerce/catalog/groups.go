package catalog

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Categories come by place: those at the top first, then those below each, in the order
// of their IDs. The position of one is its parent's ID, its place and its own ID.
const (
	categoryOrder    = `coalesce(t.parent_id, ''), t.position, t.id`
	categoryAfter    = `(coalesce(t.parent_id, ''), t.position, t.id) > (split_part($2, ':', 1), nullif(split_part($2, ':', 2), '')::int, split_part($2, ':', 3))`
	categoryPosition = `coalesce(t.parent_id, '') || ':' || t.position || ':' || t.id`
)

// subtree are the IDs of a category and of all below it: a range of the paths, as an ID
// comes before the sign that follows.
func subtree(id string) string {
	return `(select c.id from categories top join categories c on c.path >= top.path and c.path < top.path || '~' where top.id = ` + id + `)`
}

var categoryJSON = `json_build_object('id', t.id, 'name', t.name, 'handle', t.handle, 'description', nullif(t.description, ''),
	'seo_title', nullif(t.seo_title, ''), 'seo_description', nullif(t.seo_description, ''),
	'parent_id', t.parent_id, 'position', t.position, 'custom_fields', t.custom_fields,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

func shopCategoryJSON(in translations.In) string {
	said := in.Said(`t.translations`)
	return `json_build_object('id', t.id, 'name', ` + in.Text(said, `name`, `t.name`) + `, 'handle', t.handle, 'description', nullif(` + in.Text(said, `description`, `t.description`) + `, ''),
	'seo_title', nullif(` + in.Text(said, `seo_title`, `t.seo_title`) + `, ''), 'seo_description', nullif(` + in.Text(said, `seo_description`, `t.seo_description`) + `, ''),
	'parent_id', t.parent_id, 'position', t.position, 'custom_fields', ` + fields.ShownJSON(fields.Categories, `t.custom_fields`, in, said) + `)`
}

var (
	categoriesSQL = postgres.List{
		From: "categories t where ($3 = '' or t.parent_id = $3) and ($4 = '' or t.id <> $4 and t.id in " + subtree("$4") + ")", Each: categoryJSON,
		Order: categoryOrder, After: categoryAfter, Position: categoryPosition,
	}.SQL()
	shopCategoriesSQL = translations.Speak(3, func(in translations.In) string {
		return postgres.List{
			From: "categories t where true", Each: shopCategoryJSON(in), Order: categoryOrder, After: categoryAfter, Position: categoryPosition,
		}.SQL()
	})
	shopCategoryByHandleSQL = translations.Speak(2, func(in translations.In) string {
		return `select t.version || E'\n' || ` + shopCategoryJSON(in) + ` from categories t where t.handle = $1 or t.id = $1`
	})
	categorySQL = `select t.version || E'\n' || ` + categoryJSON + ` from categories t where t.id = $1`
)

// Categories is a page of categories, by place; parentID narrows it to those right below
// one, ancestorID to all below one.
func Categories(ctx context.Context, db *postgres.DB, parentID, ancestorID, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, categoriesSQL, limit, after, parentID, ancestorID)
}

// Category is a category.
func Category(ctx context.Context, from postgres.Source, id CategoryID) (postgres.Object, error) {
	o, err := from.Object(ctx, categorySQL, string(id))
	return postgres.Found(o, err, "category")
}

// ShopCategories is a page of categories, as shoppers see them in the locales.
func ShopCategories(ctx context.Context, db *postgres.DB, locales []string, after string, limit int) (postgres.Page, error) {
	statement, args := shopCategoriesSQL.In(locales, limit, after)
	return db.Page(ctx, statement, args...)
}

// ShopCategory is a category, as shoppers see it in the locales, by its handle or its ID.
func ShopCategory(ctx context.Context, db *postgres.DB, locales []string, handleOrID string) (postgres.Object, error) {
	statement, args := shopCategoryByHandleSQL.In(locales, handleOrID)
	o, err := db.Object(ctx, statement, args...)
	return postgres.Found(o, err, "category")
}

var collectionJSON = `json_build_object('id', t.id, 'name', t.title, 'handle', t.handle, 'description_html', t.description,
	'seo_title', nullif(t.seo_title, ''), 'seo_description', nullif(t.seo_description, ''), 'sort_order', t.sort_order,
	'custom_fields', t.custom_fields, 'rule', case when t.rules is not null then json_build_object('match', t.match, 'conditions', (
		select json_agg(json_build_object('field', r.field, 'operator', r.operator, 'value', r.value, 'currency', r.currency, 'key', r.key) order by r.n)
		from rows from (jsonb_to_recordset(t.rules) as (field text, operator text, value text, currency text, key text)) with ordinality r(field, operator, value, currency, key, n))) end,
	'product_count', (select count(*) from collection_products m where m.collection_id = t.id),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

func shopCollectionJSON(in translations.In) string {
	said := in.Said(`t.translations`)
	return `json_build_object('id', t.id, 'name', ` + in.Text(said, `name`, `t.title`) + `, 'handle', t.handle, 'description_html', ` + in.Text(said, `description_html`, `t.description`) + `,
	'seo_title', nullif(` + in.Text(said, `seo_title`, `t.seo_title`) + `, ''), 'seo_description', nullif(` + in.Text(said, `seo_description`, `t.seo_description`) + `, ''),
	'custom_fields', ` + fields.ShownJSON(fields.Collections, `t.custom_fields`, in, said) + `)`
}

var (
	collectionsSQL     = latest("collections t where true", collectionJSON)
	shopCollectionsSQL = translations.Speak(3, func(in translations.In) string {
		return latest("collections t where true", shopCollectionJSON(in))
	})
	collectionSQL             = `select t.version || E'\n' || ` + collectionJSON + ` from collections t where t.id = $1`
	shopCollectionByHandleSQL = translations.Speak(2, func(in translations.In) string {
		return `select t.version || E'\n' || ` + shopCollectionJSON(in) + ` from collections t where t.handle = $1 or t.id = $1`
	})
)

func latest(from, each string) string {
	return postgres.List{From: from, Each: each, Order: "t.id desc", After: "t.id < $2", Position: "t.id"}.SQL()
}

// Collections is a page of collections, the latest first.
func Collections(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, collectionsSQL, limit, after)
}

// Collection is a collection.
func Collection(ctx context.Context, from postgres.Source, id CollectionID) (postgres.Object, error) {
	o, err := from.Object(ctx, collectionSQL, string(id))
	return postgres.Found(o, err, "collection")
}

// ShopCollections is a page of collections, as shoppers see them in the locales.
func ShopCollections(ctx context.Context, db *postgres.DB, locales []string, after string, limit int) (postgres.Page, error) {
	statement, args := shopCollectionsSQL.In(locales, limit, after)
	return db.Page(ctx, statement, args...)
}

// ShopCollection is a collection, as shoppers see it in the locales, by its handle or its ID.
func ShopCollection(ctx context.Context, db *postgres.DB, locales []string, handleOrID string) (postgres.Object, error) {
	statement, args := shopCollectionByHandleSQL.In(locales, handleOrID)
	o, err := db.Object(ctx, statement, args...)
	return postgres.Found(o, err, "collection")
}

// inOrder is the order of a collection's products, and the position within it: the
// product's key and, for the case that keys repeat, its ID, which comes first as it has no
// colon in it. After is the parameter of the position.
const (
	inOrder         = `m.sort_key, m.product_id`
	inOrderPosition = `p.id || ':' || p.sort_key`
)

func inOrderAfter(after string) string {
	return `(` + after + ` = '' or (m.sort_key, m.product_id) > (substr(` + after + `, position(':' in ` + after + `) + 1), split_part(` + after + `, ':', 1)))`
}

var collectionProductsSQL = `
with page as (
	select p.*, m.sort_key, row_number() over (order by ` + inOrder + `) as n
	from collection_products m join products p on p.id = m.product_id
	where m.collection_id = $4 and ` + inOrderAfter("$3") + `
	order by ` + inOrder + ` limit $2::int + 1
)
select case when count(p.id) > $2::int then max(` + inOrderPosition + `) filter (where p.n = $2::int) else '' end || E'\n' ||
	coalesce(json_agg(` + productJSON + ` order by p.n) filter (where p.n <= $2::int), '[]')::text
from (select id from collections where id = $4) there left join page p on true group by there.id`

// CollectionProducts is a page of a collection's products, in its order.
func CollectionProducts(ctx context.Context, db *postgres.DB, media string, id CollectionID, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, collectionProductsSQL, media, limit, after, string(id))
	return postgres.Found(page, err, "collection")
}
