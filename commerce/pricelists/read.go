package pricelists

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON.

const listJSON = `json_build_object('id', t.id, 'name', t.name, 'kind', t.kind,
	'state', case when not t.active then 'inactive' when t.ends_at <= now() then 'ended' when t.starts_at > now() then 'scheduled' else 'active' end,
	'active', t.active, 'starts_at', %s, 'ends_at', %s, 'customer_group_ids', t.group_ids, 'prices_count', (select count(*) from price_list_prices x where x.price_list_id = t.id),
	'created_at', %s, 'updated_at', %s)`

var eachList = fmt.Sprintf(listJSON, postgres.UTC("t.starts_at"), postgres.UTC("t.ends_at"), postgres.UTC("t.created_at"), postgres.UTC("t.updated_at"))

var (
	listsSQL = postgres.List{
		From: "price_lists t where true", Each: eachList, Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()

	listSQL = `select t.version || E'\n' || ` + eachList + ` from price_lists t where t.id = $1`

	pricesSQL = postgres.List{
		From: `(select x.*, v.product_id, v.sku, case when v.title in ('', 'Default') then p.title else p.title || ', ' || v.title end as title, o.amount as own_amount
			from price_list_prices x join variants v on v.id = x.variant_id join products p on p.id = v.product_id
			left join prices o on o.variant_id = x.variant_id and o.currency = x.currency) t where t.price_list_id = $3 and ($4 = '' or t.variant_id = $4)`,
		Each: `json_build_object('variant_id', t.variant_id, 'product_id', t.product_id, 'sku', t.sku, 'title', t.title,
			'currency', t.currency, 'min_quantity', t.min_quantity, 'amount', t.amount, 'own_amount', t.own_amount)`,
		Order: "t.variant_id, t.currency, t.min_quantity",
		After: `(t.variant_id, t.currency, t.min_quantity) > (split_part($2, ':', 1), split_part($2, ':', 2), nullif(split_part($2, ':', 3), '')::int)`,

		Position: "t.variant_id || ':' || t.currency || ':' || t.min_quantity",
	}.SQL() + ` having exists (select from price_lists l where l.id = $3)`
)

// List is a page of the lists, the latest first, as the API shows them.
func List(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, listsSQL, limit, after)
}

// Get is one of them.
func Get(ctx context.Context, from postgres.Source, id ID) (postgres.Object, error) {
	o, err := from.Object(ctx, listSQL, string(id))
	return postgres.Found(o, err, "price list")
}

// Prices is a page of a list's prices, of all variants or of one, as the API shows them.
func Prices(ctx context.Context, db *postgres.DB, id ID, variant, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, pricesSQL, limit, after, string(id), variant)
	return postgres.Found(page, err, "price list")
}

// historySQL is the history of the variant $3 in the currency $4, the latest first: how it
// is now comes first. What is to come is no history.
var historySQL = postgres.List{
	From: `(select h.*, lead(h.starts_at) over (partition by h.currency order by h.starts_at) as ends_at, h.currency || ':' || to_char(9e15 - extract(epoch from h.starts_at) * 1e6, 'FM0000000000000000') as place
		from price_history h where h.variant_id = $3 and ($4 = '' or h.currency = $4)) t where t.starts_at <= now()`,
	Each: `json_build_object('price', case when t.amount is not null then json_build_object('amount', t.amount, 'currency', t.currency) end,
		'currency', t.currency, 'reduced', t.reduced, 'starts_at', ` + postgres.UTC("t.starts_at") + `, 'ends_at', case when t.ends_at <= now() then ` + postgres.UTC("t.ends_at") + ` end)`,
	Order: "t.place", After: "t.place > $2", Position: "t.place",
}.SQL() + ` having exists (select from variants v where v.id = $3)`

// History is a page of what one of a variant has cost everybody, by currency and the latest
// first, as the API shows it.
func History(ctx context.Context, db *postgres.DB, variant, currency, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, historySQL, limit, after, variant, currency)
	return postgres.Found(page, err, "variant")
}
