package cart

import (
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/territory"
)

// Every statement has three parts by name, on which selectDocument builds: c, the cart's
// row as it is afterwards; changed, the lines that were changed; and l, all of its lines
// as they are afterwards.
//
// A change waits for another of the same cart, as both lock its row, but sees the other
// lines as they were when the statement began. "seen" tells: unless it is just one version
// behind, something came in between and the cart is read again.

var selectDocument = `
select json_build_object(
	'id', c.id, 'state', c.state, 'version', c.version, 'seen', (select was.version from carts was where was.id = c.id),
	'was_nobodys', (select was.email = '' from carts was where was.id = c.id),
	'changed', (select count(*) from changed),
	'currency', c.currency, 'customer_id', coalesce(c.customer_id, ''), 'email', c.email,
	'shipping_address', c.shipping_address, 'billing_address', c.billing_address,
	'method_id', coalesce(c.shipping_method_id, ''), 'note', c.note, 'prices_include_tax', s.prices_include_tax,
	'created_at', c.created_at, 'updated_at', c.updated_at, 'expires_at', c.expires_at,
	'order', (select json_build_object('id', o.id, 'prices_include_tax', o.prices_include_tax, 'subtotal', o.subtotal_amount,
			'discount', o.discount_amount, 'taxes', o.taxes, 'discounts', o.discounts,
			'shipping', o.shipping_amount, 'tax', o.tax_amount, 'total', o.total_amount)
		from orders o where o.cart_id = c.id and c.state = 'completed'),
	'method', (select json_build_object('id', m.id, 'name', m.name, 'description', m.description, 'amount', (m.amounts->>c.currency)::bigint,
			'usable', m.active and m.amounts ? c.currency and
				(cardinality(m.countries) = 0 or c.shipping_address is null or c.shipping_address->>'country' = any(m.countries)))
		from shipping_methods m where m.id = c.shipping_method_id),
	'country', c.country,
	'tax', json_build_object('home', s.country, 'country', at.country, 'region', at.region,
		'exempt', coalesce(nullif(c.tax_exempt_reason, ''), (select k.tax_exempt_reason from customers k where k.id = c.customer_id), ''),
		'rates', (select coalesce(json_agg(json_build_object('name', t.name, 'class', t.tax_class, 'rate', t.rate, 'combinable', t.combinable,
				'shipping', t.applies_to_shipping, 'width', case when t.postal_codes <> '{}' then 0 when t.region <> '' then 1 else 2 end) order by t.id), '[]')
			from tax_rates t where ` + territory.Covers("t.country", "t.region", "t.postal_codes", "at") + `)),
	'codes', to_json(c.codes), 'coded', (select cardinality(was.codes) from carts was where was.id = c.id),
	'promotions', ` + promotionsJSON + `, 'buyer', ` + buyerJSON + `,
	'lines', (select coalesce(json_agg(json_build_object(
			'id', l.id, 'product_id', p.id, 'variant_id', v.id, 'handle', p.handle, 'title', p.title, 'variant_title', v.title, 'sku', coalesce(v.sku, ''),
			'sizes', (select i.sizes from images i where i.product_id = p.id and i.state = 'ready'
				order by i.id = v.image_id desc nulls last, i.position, i.id limit 1),
			'quantity', l.quantity, 'shown', l.unit_amount, 'amount', pr.amount, 'active', ` + catalog.Published + `,
			'sold', (select json_build_object('unit', ol.unit_amount, 'discount', ol.discount_amount, 'discounts', ol.discounts) from orders o join order_lines ol on ol.order_id = o.id
				where c.state = 'completed' and o.cart_id = c.id and ol.variant_id = l.variant_id),
			'collections', ` + collectionsJSON + `, 'tags', p.tags,
			'taxable', v.taxable, 'tax_class', v.tax_class, 'requires_shipping', v.requires_shipping, 'track_stock', v.track_stock,
			'bounded', ` + inventory.Bounded + `, 'left', ` + inventory.Left + `
		) order by l.created_at, l.id), '[]')
		from l join variants v on v.id = l.variant_id join products p on p.id = v.product_id
		left join prices pr on pr.variant_id = v.id and pr.currency = c.currency and c.currency = any(s.currencies))
)::text
from c cross join settings s cross join lateral (select coalesce(a.address->>'country', nullif(c.country, ''), s.country) as country, ` +
	territory.Place("a.address") + `
	from (select coalesce(c.shipping_address, c.billing_address) as address) a) at`

// opened are the conditions on which a cart is opened: $1 is its ID, $2 its token's digest.
const opened = `id = $1 and token_hash = decode($2, 'hex') and expires_at > now()`

var readSQL = `
with c as (select * from carts where ` + opened + `),
changed as (select * from cart_lines where false),
l as (select * from cart_lines where cart_id = $1)` + selectDocument

// byStaff are the conditions on which the staff opens a cart, whoever holds its token.
const byStaff = `id = $1 and $2::text is not null and expires_at > now()`

var staffReadSQL = strings.Replace(readSQL, opened, byStaff, 1)

// exemptSQL notes why the cart's customer pays no tax: $5, empty where they do.
var exemptSQL = `
with c as (` + touch + `, tax_exempt_reason = $5 where ` + byStaff + ` and state = 'open' and ($3::int = 0 or version = $3) returning *),
changed as (select * from cart_lines where false),` + merged + selectDocument

const staffWhySQL = `select state, version from carts where ` + byStaff

// touch begins every change of an open cart: $3 is the version that it is meant for, 0 for
// any, and $4 how long it lives on.
const touch = `
update carts set version = version + 1, updated_at = now(), expires_at = now() + $4::interval`

const touched = `
where ` + opened + ` and state = 'open' and ($3::int = 0 or version = $3) returning *`

// merged are all lines after some of them changed.
const merged = `
l as (select * from changed union all
	select * from cart_lines where cart_id = $1 and not exists (select 1 from changed where changed.id = cart_lines.id))`

// put inserts lines into the cart c, of $5: [{"id", "variant_id", "quantity"}]. A variant
// that cannot be bought in the cart's currency is left out; none can where the shop sells in
// it no more.
const put = `
changed as (
	insert into cart_lines (id, cart_id, variant_id, quantity, unit_amount)
	select min(x.id), c.id, v.id, sum(x.quantity), min(pr.amount)
	from c, settings s, jsonb_to_recordset($5::jsonb) as x(id text, variant_id text, quantity int)
	join variants v on v.id = x.variant_id join products p on p.id = v.product_id and ` + catalog.Published + `
	join prices pr on pr.variant_id = v.id
	where pr.currency = c.currency and c.currency = any(s.currencies)
	group by c.id, v.id
	order by v.id
	on conflict (cart_id, variant_id) do update
		set quantity = cart_lines.quantity + excluded.quantity, unit_amount = excluded.unit_amount
	returning *
)`

var addSQL = `
with c as (` + touch + touched + `),` + put + `,` + merged + selectDocument

var createSQL = `
with c as (
	insert into carts (id, token_hash, currency, customer_id, email, country, shipping_address, expires_at)
	select $1, decode($2, 'hex'), coalesce(nullif($3, ''), s.currency), k.id, coalesce(nullif($6, ''), k.email, ''), $8, k.default_address, now() + $4::interval
	from settings s left join customers k on k.id = $7
	where coalesce(nullif($3, ''), s.currency) = any(s.currencies)
	returning *
),` + put + `,
l as (select * from changed)` + selectDocument

// setSQL gives the line $5 the quantity $6.
var setSQL = `
with c as (` + touch + touched + `),
changed as (
	update cart_lines set quantity = $6::int,
		unit_amount = coalesce((select pr.amount from prices pr where pr.variant_id = cart_lines.variant_id and pr.currency = c.currency), unit_amount)
	from c where cart_lines.cart_id = c.id and cart_lines.id = $5 returning cart_lines.*
),` + merged + selectDocument

// removeSQL takes out the line $5.
var removeSQL = `
with c as (` + touch + touched + `),
changed as (delete from cart_lines using c where cart_lines.cart_id = c.id and cart_lines.id = $5 returning cart_lines.*),
l as (select * from cart_lines where cart_id = $1 and not exists (select 1 from changed where changed.id = cart_lines.id))` + selectDocument

// updateSQL sets what $5 has keys for.
var updateSQL = `
with c as (` + touch + `,
	email = coalesce($5::jsonb->>'email', email),
	note = coalesce($5::jsonb->>'note', note),
	country = coalesce($5::jsonb->>'country', country),
	shipping_method_id = case when $5::jsonb ? 'shipping_method_id' then nullif($5::jsonb->>'shipping_method_id', '') else shipping_method_id end,
	shipping_address = case when $5::jsonb ? 'shipping_address' then nullif($5::jsonb->'shipping_address', 'null') else shipping_address end,
	billing_address = case when $5::jsonb ? 'billing_address' then nullif($5::jsonb->'billing_address', 'null') else billing_address end
` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument

// addCodeSQL notes the code $5, and removeCodeSQL takes it away.
var (
	addCodeSQL = `
with c as (` + touch + `, codes = case when $5 = any(codes) then codes else codes || $5::text end` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument

	removeCodeSQL = `
with c as (` + touch + `, codes = array_remove(codes, $5)` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument
)

// adoptSQL gives a cart to the customer $5, with what is known of them where the cart does
// not say otherwise.
var adoptSQL = `
with k as (select id, email, default_address from customers where id = $5),
c as (` + touch + `,
	customer_id = (select id from k), email = coalesce(nullif(email, ''), (select k.email from k), ''),
	shipping_address = coalesce(shipping_address, (select default_address from k))
` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument

// whySQL says why a cart could not be opened or changed.
const whySQL = `select state, version from carts where ` + opened

const lockSQL = `select state, version from carts where ` + opened + ` for update`

// optionsSQL are the ways to send a cart, in the merchant's order.
const optionsSQL = `
select (select coalesce(json_agg(json_build_object('id', m.id, 'name', m.name, 'description', m.description, 'amount', (m.amounts->>c.currency)::bigint,
		'currency', c.currency) order by m.position, m.id), '[]')
	from shipping_methods m
	where m.active and m.amounts ? c.currency and
		(cardinality(m.countries) = 0 or c.shipping_address is null or c.shipping_address->>'country' = any(m.countries)))::text
from carts c where ` + opened
