package promotions

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON. Promotions are t.

func moneyJSON(key string) string {
	return `(select coalesce(json_agg(json_build_object('amount', a.value, 'currency', a.key) order by a.key), '[]')
		from json_each(coalesce(t.rule->'` + key + `', '{}')) a)`
}

func selectionJSON(key string) string {
	each := func(name string) string {
		return `'` + name + `', coalesce(t.rule->'` + key + `'->'` + name + `', '[]')`
	}
	return `json_build_object(` + each("product_ids") + `, ` + each("variant_ids") + `, ` + each("collection_ids") + `, ` + each("tags") + `)`
}

var promotionJSON = `json_build_object('id', t.id, 'title', t.title, 'state', case when not t.active then 'inactive' when t.ends_at <= now() then 'ended'
		when t.used >= t.usage_limit then 'used_up' when t.starts_at > now() then 'scheduled' else 'active' end,
	'kind', t.rule->'kind', 'class', t.rule->'class', 'automatic', t.automatic, 'percentage', trim_scale((t.rule->>'rate_bps')::numeric / 100)::text, 'amounts', ` + moneyJSON("amounts") + `,
	'each', coalesce(t.rule->'each', 'false'), 'items', ` + selectionJSON("items") + `, 'buys', ` + selectionJSON("buys") + `,
	'buy_quantity', coalesce(t.rule->'buy_quantity', '0'), 'get_quantity', coalesce(t.rule->'get_quantity', '0'), 'max_uses_per_order', coalesce(t.rule->'max_uses', '0'),
	'minimum_amounts', ` + moneyJSON("minimum_amounts") + `, 'minimum_quantity', coalesce(t.rule->'minimum_quantity', '0'), 'first_order', coalesce(t.rule->'first_order', 'false'),
	'customer_group_ids', coalesce(t.rule->'group_ids', '[]'), 'combines_with', coalesce(t.rule->'combines', '[]'),
	'active', t.active, 'starts_at', ` + postgres.UTC("t.starts_at") + `, 'ends_at', ` + postgres.UTC("t.ends_at") + `,
	'usage_limit', t.usage_limit, 'customer_limit', t.customer_limit, 'used', t.used,
	'codes_count', (select count(*) from promotion_codes c where c.promotion_id = t.id),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	listSQL = postgres.List{
		From: "promotions t where true", Each: promotionJSON, Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()
	getSQL   = `select t.version || E'\n' || ` + promotionJSON + ` from promotions t where t.id = $1`
	codesSQL = postgres.List{
		From:  "promotion_codes t where t.promotion_id = $3",
		Each:  `json_build_object('code', t.code, 'used', t.used, 'usage_limit', t.usage_limit, 'created_at', ` + postgres.UTC("t.created_at") + `)`,
		Order: "t.code", After: "t.code > $2", Position: "t.code",
	}.SQL() + ` having exists (select from promotions p where p.id = $3)`
)

// List is a page of the promotions, the latest first, as the API shows them.
func List(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, listSQL, limit, after)
}

// Get is one of them.
func Get(ctx context.Context, from postgres.Source, id ID) (postgres.Object, error) {
	o, err := from.Object(ctx, getSQL, string(id))
	return postgres.Found(o, err, "promotion")
}

// Codes is a page of a promotion's codes, by their letters, as the API shows them.
func Codes(ctx context.Context, db *postgres.DB, id ID, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, codesSQL, limit, after, string(id))
	return postgres.Found(page, err, "promotion")
}
