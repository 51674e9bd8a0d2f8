package checkout

import "github.com/stoacommerce/stoa/commerce/credit"

const attemptColumns = `p.id, coalesce(p.cart_id, ''), p.order_id, p.provider, p.state, p.attempt, p.currency, p.amount, p.updated_at < now() - $2::interval,
	p.reference, p.account, p.capture, p.request`

// ownSQL tells an attempt p from the payments by gift cards and store credit that go with it.
const ownSQL = `p.provider not in ` + credit.Providers

// presentSQL is the attempt that a cart is completing or completed by.
const presentSQL = `select ` + attemptColumns + ` from payments p where p.cart_id = $1 and p.state <> 'failed' and ` + ownSQL

const namedSQL = `select ` + attemptColumns + ` from payments p where p.id = $1 and ` + ownSQL

// leftBehindSQL are attempts that nobody looked after for $2, or for $3 where somebody else
// is to do something.
const leftBehindSQL = `select ` + attemptColumns + ` from payments p
where ` + ownSQL + ` and (p.state = 'pending' and p.updated_at < now() - $2::interval
	or p.state in ('requires_action', 'processing') and p.updated_at < now() - $3::interval)
order by p.updated_at limit $1`

// takeOverSQL gives an attempt that was left behind to whoever comes first.
const takeOverSQL = `update payments set updated_at = now() where id = $1 and updated_at < now() - $2::interval
	and state in ('pending', 'requires_action', 'processing')`

// ofBalanceSQL is the attempt to pay the balance of the order $1 that was begun under the name
// $3, or else the one that is under way.
const ofBalanceSQL = `select ` + attemptColumns + ` from payments p where p.order_id = $1 and p.cart_id is null
	and (p.attempt = $3 and p.state <> 'failed' or p.state in ('pending', 'requires_action', 'processing'))
order by p.attempt = $3 desc, p.id desc limit 1`

// shown gives an order that a payment p of its balance belongs to, and that shows it, another
// version.
const shown = `update orders o set version = o.version + 1, updated_at = now() from p where o.id = p.order_id and p.cart_id is null and o.state <> 'pending'`

// beginBalanceSQL writes an attempt to pay an order's balance down.
const beginBalanceSQL = `
with p as (
	insert into payments (id, order_id, provider, attempt, state, currency, amount, account, capture, request)
	values ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9::jsonb) returning *
)
` + shown

// holdSQL notes that an attempt goes on elsewhere.
const holdSQL = `
with p as (
	update payments set state = $2, reference = $3, updated_at = now() where id = $1
		and state in ('pending', 'requires_action', 'processing') and (state <> $2 or reference <> $3) returning *
), o as (` + shown + `)
select count(*) from p`

// placeSQL writes an attempt down: the pending order with copies of everything ($2 and,
// for its lines, $3) and the pending payment, beside those by gift cards and store credit. A cart whose payment failed before has a
// pending order already, which is written anew and keeps its ID and number. A dry run, $13,
// shows the number that would be drawn next, and leaves it for the next order.
const placeSQL = `
with c as (
	update carts set state = 'completing', updated_at = now() where id = $1 returning *
), o as (
	insert into orders (id, number, cart_id, customer_id, token_hash, state, payment_state, fulfilment_state, currency, locale, email,
		shipping_address, billing_address, shipping_method, prices_include_tax, tax_exempt_reason, taxes, discounts,
		subtotal_amount, discount_amount, shipping_amount, tax_amount, total_amount, note, tags)
	select x.id, coalesce((select was.number from orders was where was.cart_id = c.id), case when $13 then (select last_value + is_called::int from order_numbers) else nextval('order_numbers') end),
		c.id, c.customer_id, coalesce(decode(nullif(x.opener, ''), 'hex'), c.token_hash), 'pending', 'pending', 'unfulfilled', c.currency, coalesce(c.locales[1], (select locale from settings)), c.email,
		case when jsonb_typeof(x.shipping_method->'pickup_address') = 'object' then null else c.shipping_address end, c.billing_address, x.shipping_method, x.prices_include_tax, x.tax_exempt_reason, x.taxes, x.discounts,
		x.subtotal, x.discount, x.shipping, x.tax, x.total, c.note,
		array(select jsonb_array_elements_text(c.draft->'tags'))
	from c, jsonb_to_record($2::jsonb) as x(id text, shipping_method jsonb, prices_include_tax boolean, tax_exempt_reason text, taxes jsonb, discounts jsonb, opener text,
		subtotal bigint, discount bigint, shipping bigint, tax bigint, total bigint)
	on conflict (cart_id) do update set (customer_id, token_hash, payment_state, locale, email, shipping_address, billing_address, shipping_method,
			prices_include_tax, tax_exempt_reason, taxes, discounts, subtotal_amount, discount_amount, shipping_amount, tax_amount, total_amount, note, tags, updated_at)
		= (excluded.customer_id, excluded.token_hash, 'pending', excluded.locale, excluded.email, excluded.shipping_address, excluded.billing_address, excluded.shipping_method,
			excluded.prices_include_tax, excluded.tax_exempt_reason, excluded.taxes, excluded.discounts, excluded.subtotal_amount, excluded.discount_amount,
			excluded.shipping_amount, excluded.tax_amount, excluded.total_amount, excluded.note, excluded.tags, now())
		where orders.state = 'pending'
	returning id
), gone as (
	delete from order_lines using o where order_lines.order_id = o.id
), l as (
	insert into order_lines (id, order_id, position, cart_line_id, variant_id, product_id, title, variant_title, sku, image_key, quantity,
		unit_amount, discount_amount, discounts, total_amount, tax_amount, taxes, requires_shipping, tracks_stock, attributes, allocations, price_list)
	select x.id, o.id, x.position, x.cart_line_id, nullif(x.variant_id, ''), nullif(x.product_id, ''), x.title, x.variant_title, x.sku, x.image_key, x.quantity,
		x.unit, x.discount, x.discounts, x.total, x.tax, x.taxes, x.requires_shipping, x.tracks_stock,
		x.attributes, x.allocations, x.price_list
	from o, jsonb_to_recordset($3::jsonb) as x(id text, position int, cart_line_id text, variant_id text, product_id text, title text, variant_title text, sku text,
		image_key text, quantity int, unit bigint, discount bigint, discounts jsonb, total bigint, tax bigint, taxes jsonb, requires_shipping boolean,
		tracks_stock boolean, attributes jsonb, allocations jsonb, price_list json)
),` + credit.SpendSQL + `
insert into payments (id, cart_id, order_id, provider, attempt, state, currency, amount, account, capture, request)
select $4, $1, o.id, $5, $6, 'pending', $7, $8, $9, $10, $11::jsonb from o
returning order_id, ` + credit.MovedSQL

// goods are the lines of order o whose stock is counted, where they are served from.
const goods = `(select coalesce(json_agg(json_build_object('variant_id', l.variant_id, 'location_id', a.location_id, 'quantity', a.quantity)), '[]')
	from order_lines l, jsonb_to_recordset(l.allocations) as a(location_id text, quantity bigint) where l.order_id = o.id and l.tracks_stock)`

// entered is a customer's address book with where the order b goes, or who pays for it: it is
// added where it is not there yet and there is room, as the default of what has none. $3 is
// an ID that nothing else has.
func entered(book string) string {
	const used = `coalesce(b.shipping_address, b.billing_address)`
	return `case when ` + used + ` is null or jsonb_array_length(` + book + `) >= 50 or ` + book + ` @> jsonb_build_array(jsonb_build_object('address', ` + used + `)) then ` + book + `
		else ` + book + ` || jsonb_build_array(jsonb_build_object('id', 'adr' || substr($3, 4), 'address', ` + used + `,
			'default_shipping', not ` + book + ` @> '[{"default_shipping": true}]', 'default_billing', not ` + book + ` @> '[{"default_billing": true}]')) end`
}

// takeSQL makes the payment $1 one of the state $4 and its order open, with the payment's
// state $5, or partially paid where gift cards and store credit have paid of it already. Who buys is a customer from
// then on, known by the e-mail address; what is known of those who have an account is not
// changed by an order that anybody could place in their name.
var takeSQL = `
with p as (
	update payments set state = $4, reference = $2, updated_at = now() where id = $1
		and state in ('pending', 'requires_action', 'processing') returning *
), credited as (
	update payments set state = 'captured', updated_at = now() from p
	where payments.order_id = p.order_id and payments.provider in ` + credit.Providers + ` and payments.state = 'pending' returning payments.*
), b as (
	select o.* from orders o join p on o.id = p.order_id where o.state = 'pending'
), k as (
	insert into customers as known (id, email, name, addresses)
	select $3, b.email, coalesce(b.shipping_address->>'name', b.billing_address->>'name', ''), ` + entered(`'[]'::jsonb`) + `
	from b where b.customer_id is null
	on conflict (email) do update set
		name = case when known.password_hash is null and known.name = '' then excluded.name else known.name end,
		addresses = case when known.password_hash is null then (select ` + entered(`known.addresses`) + ` from b) else known.addresses end,
		version = known.version + (known.password_hash is null)::int, updated_at = now()
	returning id, known.name, known.addresses, known.email_verified_at is not null as verified, xmax = 0 as fresh
), own as (
	update customers set addresses = ` + entered(`addresses`) + `, version = customers.version + 1, updated_at = now()
	from b where customers.id = b.customer_id and ` + entered(`addresses`) + ` <> addresses
	returning customers.name, customers.addresses
), o as (
	update orders set state = 'open', payment_state = case when $4 <> 'captured' and exists (select from credited) then 'partially_paid' else $5 end, customer_id = coalesce(orders.customer_id, (select id from k)),
		placed_at = now(), updated_at = now()
	from b where orders.id = b.id returning orders.*
), c as (
	update carts set state = 'completed', version = carts.version + 1, updated_at = now() from b where carts.id = b.cart_id returning carts.draft is not null as draft
)
select %s, o.cart_id, ` + goods + `, coalesce((select fresh from k), false), coalesce((select verified from k), false), coalesce((select draft from c), false),
	(select coalesce(json_agg(json_build_object('id', x.id, 'amount', x.amount) order by x.id), '[]') from credited x),
	(select case when b.customer_id is null then (select ` + book + ` from customers x where x.email = b.email) else (select ` + book + ` from customers x where x.id = b.customer_id) end from b),
	(select ` + book + ` from (select name, addresses from k union all select name, addresses from own) x) from o`

// book is what an order may change of its customer x.
const book = `jsonb_build_object('name', x.name, 'addresses', x.addresses)`

// failSQL makes the payment $1 failed and opens its cart again.
const failSQL = `
with p as (
	update payments set state = 'failed', reference = $2, failure = $3, updated_at = now() where id = $1
		and state in ('pending', 'requires_action', 'processing') returning *
), credited as (
	update payments set state = 'failed', failure = $3, updated_at = now() from p
	where payments.order_id = p.order_id and payments.provider in ` + credit.Providers + ` and payments.state = 'pending'
), c as (
	update carts set state = 'open', updated_at = now() from p where carts.id = p.cart_id and carts.state = 'completing'
)
update orders o set payment_state = case when o.state = 'pending' then 'failed' else o.payment_state end,
	version = o.version + (o.state <> 'pending')::int, updated_at = now()
from p where o.id = p.order_id and (o.state = 'pending' or p.cart_id is null)`
