// Package lookup finds what a store sells, writes and knows of its customers by a few letters,
// whatever kind of thing it is. It only reads; how what is found is ranked and told is
// tenants/lookup's.
package lookup

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/lookup"
)

// Bounds of what is looked through of what grows with every order.
const (
	latest = `5000` // reviews and transfers
	some   = `50`   // customers, drafts and carts that are ranked: the latest
)

// people are the customers who are called so.
const people = `(select c.id from customers c where (c.email || ' ' || c.name || ' ' || c.phone) ilike $3 order by c.id desc limit 20)`

// ordered are the orders with a number, an address, a customer's name or a document's number.
const ordered = `(
	select o.id from orders o where o.id = $1
	union select o.id from orders o, settings s where o.number = $6 and $4 in (o.number::text, '#' || o.number, lower(s.order_prefix || o.number))
	union select d.order_id from documents d where d.kind in ('invoice', 'credit_note') and d.number in ($1, upper($1))
	union (select o.id from orders o where o.email = $4 order by o.id desc limit ` + some + `)
	union (select o.id from orders o where o.customer_id in ` + people + ` order by o.id desc limit ` + some + `))`

// numbered is the order o's number as the merchant writes it, and called what it was found by.
const (
	numbered = `(select s.order_prefix from settings s) || o.number`
	called   = `case when o.number = $6 then $4 else o.email end`
)

// kinds are all kinds but products.
var kinds = []lookup.Kind{
	{Name: "order", Permission: "orders:read", SQL: `
		select o.id, '' as parent, ` + numbered + ` as title, coalesce(nullif(coalesce(o.shipping_address, o.billing_address)->>'name', '') || ', ', '') || o.email as detail,
			o.state as status, ` + called + ` as near, o.number as late
		from orders o where o.state <> 'pending' and o.id in ` + ordered},
	{Name: "customer", Permission: "customers:read", SQL: `
		select c.id, '' as parent, coalesce(nullif(c.name, ''), c.email) as title, c.email as detail, case when c.disabled_at is null then '' else 'disabled' end as status,
			case when c.name ilike $3 then c.name when c.email ilike $3 then c.email else c.phone end as near, 0 as late
		from customers c where c.id = $1 or c.email = $4 or c.id in (
			select c.id from customers c where (c.email || ' ' || c.name || ' ' || c.phone) ilike $3 order by c.id desc limit ` + some + `)`},
	{Name: "collection", Permission: "products:read", SQL: titled("collections", "''")},
	{Name: "category", Permission: "products:read", SQL: `
		select c.id, '' as parent, c.name as title, coalesce((select p.name from categories p where p.id = c.parent_id), '') as detail, '' as status, c.name as near, 0 as late
		from categories c where c.id = $1 or c.name ilike $3 or c.handle = $4`},
	{Name: "draft_order", Permission: "orders:read", SQL: `
		select * from (select t.id, '' as parent, coalesce(nullif(t.email, ''), t.shipping_address->>'name', '') as title, coalesce(t.shipping_address->>'name', '') as detail,
			case when t.state = 'completed' then 'completed' when t.state = 'open' and t.expires_at <= now() then 'expired' when t.draft ? 'sent_at' then 'invoice_sent' else 'open' end as status,
			t.email as near, 0 as late
		from carts t where t.draft is not null and (t.id = $1 or t.email ilike $3 or t.shipping_address->>'name' ilike $3 or t.customer_id in ` + people + `) order by t.id desc limit ` + some + `) t`},
	{Name: "return", Permission: "orders:read", SQL: `
		select r.id, r.order_id as parent, ` + numbered + ` as title, o.email as detail, r.state as status, ` + called + ` as near, 0 as late
		from returns r join orders o on o.id = r.order_id where r.id = $1 or r.order_id in ` + ordered},
	{Name: "cart", Permission: "orders:read", SQL: `
		select * from (select t.id, '' as parent, t.email as title, '' as detail, '' as status, t.email as near, 0 as late
		from carts t where t.draft is null and t.state = 'open' and t.expires_at > now() and (t.id = $1 or $4 like '%_@_%' and t.email = $4 or t.customer_id in ` + people + `)
		order by t.id desc limit ` + some + `) t`},
	{Name: "promotion", Permission: "promotions:read", SQL: `
		select t.id, '' as parent, t.title, coalesce(c.code, '') as detail,
			case when not t.active then 'inactive' when t.ends_at <= now() then 'ended' when t.used >= t.usage_limit then 'used_up' when t.starts_at > now() then 'scheduled' else 'active' end as status,
			case when t.title ilike $3 then t.title else coalesce(c.code, '') end as near, 0 as late
		from promotions t left join lateral (select c.code from promotion_codes c where c.promotion_id = t.id and c.code like upper($5) order by c.code limit 1) c on true
		where t.id = $1 or t.title ilike $3 or t.id in (select c.promotion_id from promotion_codes c where c.code like upper($5))`},
	{Name: "gift_card", Permission: "gift_cards:read", SQL: `
		select t.id, '' as parent, '•••• ' || t.last_characters as title, t.note as detail,
			case when not t.active then 'disabled' when t.expires_at <= now() then 'expired' when t.balance = 0 then 'used' else 'active' end as status,
			case when t.note ilike $3 then t.note else $4 end as near, 0 as late
		from credit_accounts t where t.kind = 'gift_card' and (t.id = $1 or length($1) >= 4 and t.last_characters = right(upper($1), 4) or t.note ilike $3)`},
	{Name: "page", Permission: "content:read", SQL: written("page")},
	{Name: "post", Permission: "content:read", SQL: written("post")},
	{Name: "menu", Permission: "content:read", SQL: `
		select m.key as id, '' as parent, min(e.title) as title, '' as detail, '' as status, min(e.title) as near, 0 as late
		from settings s, jsonb_each(s.menus) m, lateral (select x #>> '{}' as title from jsonb_path_query(m.value, '$.items.**.title') x) e
		where e.title ilike $3 group by m.key`},
	{Name: "customer_group", Permission: "customers:read", SQL: named("customer_groups", "''")},
	{Name: "price_list", Permission: "products:read", SQL: named("price_lists", "case when not t.active then 'inactive' when t.ends_at <= now() then 'ended' when t.starts_at > now() then 'scheduled' else 'active' end")},
	{Name: "location", Permission: "inventory:read", SQL: named("locations", "case when t.active then 'active' else 'inactive' end")},
	{Name: "transfer", Permission: "inventory:read", SQL: `
		select m.id, '' as parent, coalesce(nullif(m.note, ''), m.at) as title, m.at as detail, '' as status, m.note as near, 0 as late
		from (select m.transfer_id as id, min(m.note) as note, to_char(min(m.created_at) at time zone 'UTC', 'YYYY-MM-DD') as at from stock_movements m where m.transfer_id is not null
			group by m.transfer_id order by m.transfer_id desc limit ` + latest + `) m where m.id = $1 or m.note ilike $3`},
	{Name: "review", Permission: "reviews:read", SQL: `
		select r.id, '' as parent, coalesce(nullif(r.title, ''), left(r.body, 80)) as title, coalesce((select p.title from products p where p.id = r.product_id), r.author) as detail,
			r.state as status, case when r.title ilike $3 then r.title when r.author ilike $3 then r.author else r.body end as near, 0 as late
		from (select * from reviews order by id desc limit ` + latest + `) r where r.id = $1 or r.title ilike $3 or r.author ilike $3 or r.body ilike $3`},
	{Name: "shipping_zone", Permission: "settings:read", SQL: named("shipping_zones", "''")},
	{Name: "shipping_method", Permission: "settings:read", SQL: named("shipping_methods", "case when t.active then 'active' else 'inactive' end")},
	{Name: "tax_rate", Permission: "settings:read", SQL: `
		select t.id, '' as parent, t.name as title, t.country || coalesce(' ' || nullif(t.region, ''), '') as detail, '' as status, t.name as near, 0 as late
		from tax_rates t where t.id = $1 or t.name ilike $3`},
	{Name: "custom_field", Permission: "settings:read", SQL: `
		select t.id, '' as parent, t.name as title, t.resource || '.' || t.key as detail, '' as status, case when t.name ilike $3 then t.name else t.key end as near, 0 as late
		from field_definitions t where t.id = $1 or t.name ilike $3 or t.key ilike $3`},
	{Name: "webhook_endpoint", Permission: "webhooks:read", SQL: `
		select t.id, '' as parent, t.url as title, t.description as detail, case when t.enabled then 'enabled' else 'disabled' end as status,
			case when t.url ilike $3 then t.url else t.description end as near, 0 as late
		from webhook_endpoints t where t.id = $1 or t.url ilike $3 or t.description ilike $3`},
}

// titled finds what has a title and a handle, named what has a name.
func titled(table, status string) string {
	return `select t.id, '' as parent, t.title, t.handle as detail, ` + status + ` as status, t.title as near, 0 as late from ` + table + ` t where (t.id = $1 or t.title ilike $3 or t.handle = $4)`
}

func named(table, status string) string {
	return `select t.id, '' as parent, t.name as title, '' as detail, ` + status + ` as status, t.name as near, 0 as late from ` + table + ` t where t.id = $1 or t.name ilike $3`
}

func written(kind string) string {
	return titled("contents", "case when t.published_at is null then 'draft' when t.published_at > now() then 'scheduled' else 'published' end") + ` and t.kind = '` + kind + `'`
}

// products are found as by the merchant's search, by their IDs, and by the beginnings
// of their variants' stock-keeping numbers.
func products(q search.Query, args *search.Arguments) lookup.Kind {
	from, where := search.Found(args.Put(q.Words) + `::text`)
	return lookup.Kind{Name: "product", Permission: "products:read", SQL: `
		select distinct on (p.id) p.id, '' as parent, p.title, coalesce(b.sku, p.vendor) as detail, p.status, coalesce(b.sku, p.title) as near, b.late
		from (
			select w.product_id, -w.n as late, null as sku from (` + search.Best(from, where, q.Text, "", `$2::int`, args) + `) w
			union all (select v.product_id, 1, v.sku from variants v where v.sku like $5 or v.sku like upper($5) or v.sku like lower($5) order by v.sku limit $2::int)
			union all select p.id, 1, null from products p where p.id = $1
		) b join products p on p.id = b.product_id order by p.id, b.sku is null, b.late desc`}
}

// InStore finds things in the context's store, at most so many of each of the kinds that may be
// seen, in one statement; where it finds nothing, a second looks for products of words that may
// have been meant.
func InStore(ctx context.Context, db *postgres.DB, speller *search.Speller, may func(permission string) bool, text string, most int) ([]lookup.Reference, error) {
	q := search.Parse(text)
	args := search.Arguments(lookup.Arguments(text, most))
	seen := lookup.Seen(append([]lookup.Kind{products(q, &args)}, kinds...), may)
	if !may("products:read") {
		args = lookup.Arguments(text, most)
	}
	found, err := lookup.InStore(ctx, db, seen, args...)
	if err != nil || len(found) > 0 || !may("products:read") {
		return found, err
	}
	meant, ok := speller.Correct(ctx, q)
	if !ok {
		return nil, nil
	}
	args = lookup.Arguments(text, most)
	return lookup.InStore(ctx, db, []lookup.Kind{products(meant, &args)}, args...)
}
