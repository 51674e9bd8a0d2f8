package reviews

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON. Reviews are t.

var shownJSON = `'id', t.id, 'rating', t.rating, 'title', nullif(t.title, ''), 'body', nullif(t.body, ''), 'author', nullif(t.author, ''), 'verified_purchase', t.verified,
	'reply', nullif(t.reply, ''), 'replied_at', ` + postgres.UTC("t.replied_at") + `, 'locale', nullif(t.locale, ''), 'created_at', ` + postgres.UTC("t.created_at")

var (
	shopJSON = `json_build_object(` + shownJSON + `)`
	mineJSON = `json_build_object(` + shownJSON + `, 'product_id', t.product_id, 'state', t.state,
	'product_title', (select p.title from products p where p.id = t.product_id),
	'product_handle', (select p.handle from products p where p.id = t.product_id and ` + catalog.Published + `))`
	staffJSON = `json_build_object(` + shownJSON + `, 'product_id', t.product_id, 'customer_id', t.customer_id, 'state', t.state, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`
)

func list(from, each string) string {
	return postgres.List{From: from, Each: each, Order: "t.id desc", After: "t.id < $2", Position: "t.id"}.SQL()
}

var (
	shopSQL = list(`reviews t where t.state = 'approved' and t.product_id = (select p.id from products p where p.handle = $3 or p.id = $3)`, shopJSON) +
		` having exists (select from products p where (p.handle = $3 or p.id = $3) and ` + catalog.Published + `)`
	mineSQL = list(`reviews t where t.customer_id = $3`, mineJSON)
	listSQL = list(`reviews t where ($3 = '' or t.state = $3) and ($4 = '' or t.product_id = $4) and ($5 = '' or t.customer_id = $5) and ($6::int = 0 or t.rating = $6::int)`, staffJSON)

	getSQL     = `select t.version || E'\n' || ` + staffJSON + ` from reviews t where t.id = $1`
	getMineSQL = `select t.version || E'\n' || ` + mineJSON + ` from reviews t where t.id = $1 and t.customer_id = $2`
)

// Shown is a page of what others think of a product, by its handle or ID, the latest first.
func Shown(ctx context.Context, db *postgres.DB, product, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, shopSQL, limit, after, product)
	return postgres.Found(page, err, "product")
}

var praiseSQL = `select coalesce(json_agg(json_build_object(` + shownJSON + `, 'product_title', p.title, 'product_handle', p.handle) order by t.id desc), '[]')::text
from (select t.* from reviews t where t.state = 'approved' and t.rating >= 4 and t.body <> '' order by t.id desc limit $1) t
	join products p on p.id = t.product_id and ` + catalog.Published

// Praise are the latest reviews of four and five stars that say something, with what they are of.
func Praise(ctx context.Context, db *postgres.DB, most int) ([]byte, error) {
	raw, err := db.JSON(ctx, praiseSQL, most)
	if err != nil {
		return nil, fmt.Errorf("read praise: %w", err)
	}
	return raw, nil
}

// Mine is a page of a customer's own reviews, the latest first.
func Mine(ctx context.Context, db *postgres.DB, customerID, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, mineSQL, limit, after, customerID)
	if err != nil {
		return page, fmt.Errorf("list the reviews of %s: %w", customerID, err)
	}
	return page, nil
}

// Of is a customer's own review.
func Of(ctx context.Context, from postgres.Source, id, customerID string) (postgres.Object, error) {
	o, err := from.Object(ctx, getMineSQL, id, customerID)
	return postgres.Found(o, err, "review")
}

// Filter chooses reviews; what is empty chooses all.
type Filter struct {
	State                 State
	ProductID, CustomerID string
	Rating                int
	After                 string
	Limit                 int
}

// List is a page of the reviews as the staff sees them, the latest first.
func List(ctx context.Context, db *postgres.DB, f Filter) (postgres.Page, error) {
	page, err := db.Page(ctx, listSQL, f.Limit, f.After, string(f.State), f.ProductID, f.CustomerID, f.Rating)
	if err != nil {
		return page, fmt.Errorf("list reviews: %w", err)
	}
	return page, nil
}

// Get is one of them.
func Get(ctx context.Context, from postgres.Source, id string) (postgres.Object, error) {
	o, err := from.Object(ctx, getSQL, id)
	return postgres.Found(o, err, "review")
}
