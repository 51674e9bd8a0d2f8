package collections

// What follows is SQL of the program's own. Products are p, collections c, the conditions
// of a collection's rule r; $1 are the products and $2 the
// collections, each null for all of them.

// asked is what a condition asks without its "not".
const asked = `replace(r.operator, 'not_', '')`

// text is whether the text t meets the condition; case does not count.
const text = `case ` + asked + `
	when 'equals' then lower(t) = lower(r.value)
	when 'contains' then position(lower(r.value) in lower(t)) > 0
	when 'starts_with' then starts_with(lower(t), lower(r.value))
	when 'ends_with' then right(lower(t), length(r.value)) = lower(r.value)
	when 'is_set' then t <> '' end`

// number is whether the number n meets the condition.
const number = `case ` + asked + `
	when 'equals' then n = r.value::numeric
	when 'greater_than' then n > r.value::numeric
	when 'less_than' then n < r.value::numeric
	when 'is_set' then n is not null end`

// ofVariants are as many values as the product has variants v.
func ofVariants(what string) string {
	return `array(select ` + what + ` from variants v where v.product_id = p.id)`
}

// ofPrices are the prices x of the product in the condition's currency. They are looked up
// for each variant, as a join would be tempted to read all prices there are.
func ofPrices(what string) string {
	return ofVariants(`(select ` + what + ` from prices x where x.variant_id = v.id and x.currency = r.currency)`)
}

// custom are the values of the product's custom field that the condition names.
const custom = `case jsonb_typeof(p.custom_fields->r.key) when 'array' then array(select jsonb_array_elements_text(p.custom_fields->r.key))
	else array[p.custom_fields->>r.key] end`

// met is whether a product meets a condition. What is asked of several, such as of tags, is
// met by one of them, and its contrary by none.
var met = `coalesce(case r.field
	when 'category' then case ` + asked + ` when 'is_set' then p.category_id is not null
		else exists (select from categories g, categories top where g.id = p.category_id and top.id = r.value and starts_with(g.path, top.path)) end
	when 'on_sale' then (true = any (` + ofPrices(`x.compare_at_amount > x.amount`) + `)) is true = r.value::boolean
	when 'available' then (true = any (` + ofVariants(`not v.track_stock or coalesce(v.stock - v.reserved > case when v.oversell then -v.backorder_limit else 0 end, true)`) + `)) is true = r.value::boolean
	else exists (select from unnest(case r.field
			when 'price' then ` + ofPrices(`x.amount::numeric`) + `
			when 'compare_at_price' then ` + ofPrices(`x.compare_at_amount::numeric`) + `
			when 'weight_grams' then ` + ofVariants(`v.weight_grams::numeric`) + `
			when 'stock' then array[(select sum(v.stock - v.reserved) from variants v where v.product_id = p.id and v.track_stock)]
			when 'custom_field' then array(select e::numeric from unnest(` + custom + `) e where r.operator like '%\_than' and e ~ '^-?[0-9]+([.][0-9]+)?$') end) n where ` + number + `)
		or exists (select from unnest(case r.field
			when 'title' then array[p.title]
			when 'vendor' then array[p.vendor]
			when 'product_type' then array[p.product_type]
			when 'tag' then p.tags
			when 'custom_field' then ` + custom + `
			when 'sku' then ` + ofVariants(`v.sku::text`) + `
			when 'variant_title' then ` + ofVariants(`v.title`) + ` end) t where ` + text + `)
	end, false) <> (r.operator like '%not\_%')`

// obeys is whether a product obeys a collection's rule: one condition that is met decides
// for any, one that is not against all.
const either = `(c.match = 'any')`

var obeys = `(exists (select from ` + conditions + ` where (` + met + `) = ` + either + `)) = ` + either

const conditions = `jsonb_to_recordset(c.rules) as r(field text, operator text, value text, currency text, key text)`

// sold is how many of a product were sold and not given back.
const sold = `(select coalesce(sum(l.quantity - l.refunded_quantity), 0) from order_lines l join orders o on o.id = l.order_id
	where l.product_id = p.id and o.state in ('open', 'completed'))`

// cheapest is a product's lowest price in the main currency.
const cheapest = `(select min((select x.amount from prices x where x.variant_id = v.id and x.currency = (select currency from settings where id = 1))) from variants v where v.product_id = p.id)`

// sortKey is a product's place in a collection's order, as a text that sorts like it. By
// hand it stays where it is, and comes last when it is new.
const sortKey = `case c.sort_order
	when 'title' then lower(ext.unaccent(p.title))
	when 'newest' then lpad((9999999999999 - (extract(epoch from coalesce(p.published_at, p.created_at)) * 1000)::bigint)::text, 13, '0')
	when 'price_ascending' then lpad(coalesce(` + cheapest + `, 999999999999999)::text, 15, '0')
	when 'price_descending' then lpad((999999999999999 - coalesce(` + cheapest + `, 0))::text, 15, '0')
	when 'best_selling' then lpad((999999999999 - ` + sold + `)::text, 12, '0')
	else coalesce((select m.sort_key from collection_products m where m.collection_id = c.id and m.product_id = p.id), lpad((coalesce((select max(l.sort_key)::int + 1 from collection_products l where l.collection_id = c.id), 0)
		+ row_number() over (partition by c.id order by p.id) - 1)::text, 10, '0')) end`

// refreshSQL puts products into the collections whose rules they obey, takes them out of
// the others, and gives them their places in all. It gives the number of changes.
var refreshSQL = `
with wanted as materialized (
	select c.id as collection_id, p.id as product_id, p.status = 'active' as shown, ` + sortKey + ` as sort_key
	from products p, collections c
	where ($1::text[] is null or p.id = any($1)) and ($2::text[] is null or c.id = any($2))
		and case when c.rules is null then exists (select from collection_products m where m.collection_id = c.id and m.product_id = p.id) else ` + obeys + ` end
), out as (
	delete from collection_products m using (
		select m.collection_id, m.product_id from collection_products m join collections c on c.id = m.collection_id and c.rules is not null
		where ($1::text[] is null or m.product_id = any($1)) and ($2::text[] is null or c.id = any($2))
		except select collection_id, product_id from wanted) gone
	where m.collection_id = gone.collection_id and m.product_id = gone.product_id
	returning 1
), put as (
	insert into collection_products as m (collection_id, product_id, sort_key, shown)
	select collection_id, product_id, sort_key, shown from wanted order by collection_id, product_id
	on conflict (collection_id, product_id) do update set sort_key = excluded.sort_key, shown = excluded.shown
	where (m.sort_key, m.shown) is distinct from (excluded.sort_key, excluded.shown)
	returning 1
)
select (select count(*) from out) + (select count(*) from put)`
