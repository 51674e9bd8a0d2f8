package cart

import (
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/commerce/translations"
)

// Every statement has four parts by name, on which selectDocument builds: c, the cart's
// row as it is afterwards; held, what is reserved for it; changed, the lines that were
// changed; and l, all of its lines as they are afterwards.
//
// A change waits for another of the same cart, as both lock its row, but sees the other
// lines as they were when the statement began. "seen" tells: unless it is just one version
// behind, something came in between and the cart is read again.

// spoken are the locales that a cart is read in.
const spoken translations.In = "c.locales"

// ofDraft are the carts whose former state is told of: what a shopper changes of a cart of their
// own is nobody's business.
const ofDraft = `c.draft is not null`

var selectDocument = `
select json_build_object(
	'id', c.id, 'state', c.state, 'version', c.version, 'seen', (select was.version from carts was where was.id = c.id),
	'was_nobodys', (select was.email = '' from carts was where was.id = c.id),
	'was', (select json_build_object('email', was.email, 'note', was.note, 'shipping_method_id', was.shipping_method_id,
			'shipping_address', was.shipping_address, 'billing_address', was.billing_address, 'tax_exempt_reason', was.tax_exempt_reason)
		from carts was where was.id = c.id and ` + ofDraft + `),
	'changed', (select count(*) from changed), 'reserved_until', (select min(expires_at) from held),
	'currency', c.currency, 'locale', coalesce(c.locales[1], s.locale), 'customer_id', coalesce(c.customer_id, ''), 'email', c.email,
	'shipping_address', c.shipping_address, 'billing_address', c.billing_address,
	'method_id', coalesce(c.shipping_method_id, ''), 'note', c.note, 'prices_include_tax', s.prices_include_tax,
	'abandoned_minutes', s.abandoned_cart_minutes,
	'created_at', c.created_at, 'updated_at', c.updated_at, 'expires_at', c.expires_at,
	'order', (select json_build_object('id', o.id, 'prices_include_tax', o.prices_include_tax, 'subtotal', o.subtotal_amount,
			'discount', o.discount_amount, 'taxes', o.taxes, 'discounts', o.discounts,
			'shipping', o.shipping_amount, 'tax', o.tax_amount, 'total', o.total_amount)
		from orders o where o.cart_id = c.id and c.state = 'completed'),
	'methods', (select coalesce(json_agg(json_build_object('id', m.id, 'name', ` + spoken.Text(spoken.Said(`m.translations`), `name`, `m.name`) + `, 'description', ` + spoken.Text(spoken.Said(`m.translations`), `description`, `m.description`) + `, 'pickup_address', m.pickup_address,
			'tiered_by', m.tiered_by, 'price', m.prices->c.currency, 'rate', m.carrier_rate,
			'carrier', (select r.id from rate_services r where r.id = m.carrier_service_id and r.active), 'usable', ` + offered + `) order by m.position, m.id), '[]')
		from shipping_methods m where ` + chosen + `),
	'country', c.country, 'quotes', c.quotes, 'tax_service', (select r.id from rate_services r where r.kind = 'tax' and r.active),
	'tax', json_build_object('home', s.country, 'country', at.country, 'region', at.region,
		'exempt', coalesce(nullif(c.tax_exempt_reason, ''), (select k.tax_exempt_reason from customers k where k.id = c.customer_id), ''),
		'rates', (select coalesce(json_agg(json_build_object('name', t.name, 'class', t.tax_class, 'rate', t.rate, 'combinable', t.combinable,
				'shipping', t.applies_to_shipping, 'width', case when t.postal_codes <> '{}' then 0 when t.region <> '' then 1 else 2 end) order by t.id), '[]')
			from tax_rates t where ` + territory.Covers("t.country", "t.region", "t.postal_codes", "at") + `)),
	'draft', c.draft, 'codes', to_json(c.codes), 'coded', (select cardinality(was.codes) from carts was where was.id = c.id),
	'credits', ` + creditsJSON + `, 'carded', (select cardinality(was.gift_cards) from carts was where was.id = c.id),
	'promotions', ` + promotionsJSON + `, 'buyer', ` + buyerJSON + `,
	'lines', (select coalesce(json_agg(json_build_object(
			'id', l.id, 'product_id', p.id, 'variant_id', v.id, 'handle', p.handle, 'title', ` + spoken.Text(`t.said`, `title`, `p.title`) + `, 'variant_title', ` + catalog.VariantTitle(spoken) + `, 'sku', coalesce(v.sku, ''),
			'sizes', (select i.sizes from images i where i.product_id = p.id and i.state = 'ready'
				order by i.id = v.image_id desc nulls last, i.position, i.id limit 1),
			'quantity', l.quantity, 'attributes', l.attributes, 'shown', l.unit_amount, 'amount', pr.amount, 'price_list', ` + priceListJSON + `, 'active', ` + catalog.Published + `,
			'sold', (select json_build_object('unit', ol.unit_amount, 'price_list', ol.price_list, 'discount', ol.discount_amount, 'discounts', ol.discounts) from orders o join order_lines ol on ol.order_id = o.id
				where c.state = 'completed' and o.cart_id = c.id and ol.cart_line_id = l.id limit 1), 'agreed', l.agreed,
			'collections', ` + collectionsJSON + `, 'tags', p.tags,
			'taxable', v.taxable, 'tax_class', v.tax_class, 'requires_shipping', v.requires_shipping, 'grams', coalesce(v.weight_grams, 0), 'track_stock', v.track_stock,
			'there', ` + inventory.There + `, 'beyond', ` + inventory.Beyond + `, 'expected_on', v.backorder_expected_on
		) order by l.created_at, l.id), '[]')
		from (select l.*, sum(l.quantity) over (partition by l.variant_id) as together from l) l
		left join variants v on v.id = l.variant_id left join products p on p.id = v.product_id` + spoken.From(`p.translations`) + `
		left join lateral ` + priced("l.together") + ` pr on c.currency = any(s.currencies))
)::text
from c cross join settings s
cross join lateral (select coalesce(a.address->>'country', nullif(c.country, ''), s.country) as country, ` + territory.Place("a.address") + `
	from (select coalesce(c.shipping_address, c.billing_address) as address offset 0) a offset 0) there
cross join lateral (select coalesce(p.address->>'country', there.country) as country,
		case when p.address is null then there.region else coalesce(p.address->>'region', '') end as region,
		case when p.address is null then there.postal_code else fetched.postal_code end as postal_code
	from (select (select m.pickup_address from shipping_methods m where m.id = c.shipping_method_id
		and exists (select from l left join variants v on v.id = l.variant_id where coalesce(v.requires_shipping, (l.agreed->>'requires_shipping')::boolean))) as address offset 0) p
	cross join lateral (select ` + territory.Place("p.address") + `) fetched offset 0) at`

// priced is what one of a variant v costs in the cart c, of which there are so many: the
// lines of a variant count together.
func priced(quantity string) string {
	return pricelists.Price("v.id", "c.currency", pricelists.Buyer{
		Groups: `(select k.group_ids from customers k where k.id = c.customer_id)`, Quantity: quantity, At: "now()",
	})
}

// priceListJSON is the list that a price pr is of, as the API shows it.
const priceListJSON = `(select json_build_object('id', pl.id, 'name', pl.name, 'kind', pl.kind) from price_lists pl where pl.id = pr.price_list_id)`

// chosen is the way to send that the cart has, and offered says of one whether it serves the
// cart's currency and the place where it goes: everywhere, or in the zone that is the
// narrowest there.
const chosen = `m.id = c.shipping_method_id`

var offered = `m.active and (m.prices ? c.currency or m.carrier_service_id is not null) and (m.zone_id is null or m.zone_id = (
	select z.id from shipping_zones z left join lateral (
			select min(case when t.of->'postal_codes' <> '[]' then 0 when t.of->>'region' <> '' then 1 else 2 end) as width
			from jsonb_array_elements(z.territories) t(of)
			where ` + territory.Covers("(t.of->>'country')", "coalesce(t.of->>'region', '')",
	"array(select jsonb_array_elements_text(coalesce(t.of->'postal_codes', '[]')))", "there") + `) w on true
	where w.width is not null or z.territories = '[]' order by coalesce(w.width, 3), z.id limit 1))`

// opened are the conditions on which a cart is opened: $1 is its ID, $2 its token's digest.
const opened = `id = $1 and decode($2, 'hex') = any(token_hash || other_tokens) and expires_at > now()`

var readSQL = `
with c as (select * from carts where ` + opened + `),
held as (select expires_at from reservations where cart_id = $1 and not paying and expires_at > now()),
changed as (select * from cart_lines where false),
l as (select * from cart_lines where cart_id = $1)` + selectDocument

// ofMerchant are the conditions on which a merchant opens a draft order, also one that has
// expired.
const ofMerchant = `id = $1 and $2::text is not null and draft is not null`

var (
	draftReadSQL = strings.Replace(readSQL, opened, ofMerchant, 1)
	draftHoldSQL = strings.Replace(readSQL, opened, ofMerchant+" for update", 1)
)

// byStaff are the conditions on which the staff opens a cart, whoever holds its token.
const byStaff = `id = $1 and $2::text is not null and expires_at > now() and draft is null`

var staffReadSQL = strings.Replace(readSQL, opened, byStaff, 1)

// exemptSQL notes why the cart's customer pays no tax: $5, empty where they do.
var exemptSQL = `
with c as (` + touch + `, tax_exempt_reason = $5 where ` + byStaff + ` and state = 'open' and ($3::int = 0 or version = $3) returning *` + extended + `),
changed as (select * from cart_lines where false),` + merged + strings.Replace(selectDocument, ofDraft, "true", 1)

const staffWhySQL = `select state, version, false from carts where ` + byStaff

// touch begins every change of an open cart: $3 is the version that it is meant for, 0 for
// any, and $4 how long it lives on.
const touch = `
update carts set version = version + 1, updated_at = now(), expires_at = case when draft is null then now() + $4::interval else expires_at end`

// touchedAny is touched for what the shopper may change of a draft order too.
var (
	touched    = strings.Replace(touchedAny, "state = 'open'", "state = 'open' and draft is null", 1)
	touchedAny = `
where ` + opened + ` and state = 'open' and ($3::int = 0 or version = $3) returning *` + extended
)

// extended ends what touch began: who is active keeps what is reserved.
var extended = `), held as (
	update reservations r set expires_at = greatest(r.expires_at, now() + ` + inventory.HoldSQL + `) from c
	where r.cart_id = c.id and not r.paying and r.expires_at > now() returning r.expires_at`

// merged are all lines after some of them changed.
const merged = `
l as (select * from changed union all
	select * from cart_lines where cart_id = $1 and not exists (select 1 from changed where changed.id = cart_lines.id))`

// put inserts lines into the cart c, of $5: [{"id", "variant_id", "quantity",
// "attributes"}]. A variant
// that cannot be bought in the cart's currency is left out; none can where the shop sells in
// it no more.
var put = `
changed as (
	insert into cart_lines (id, cart_id, variant_id, attributes, quantity, unit_amount)
	select x.id, c.id, v.id, x.attributes, x.quantity, pr.amount
	from c, settings s, (
		select min(x.id) as id, x.variant_id, x.attributes, sum(x.quantity) as quantity, sum(sum(x.quantity)) over (partition by x.variant_id) as together
		from jsonb_to_recordset($5::jsonb) as x(id text, variant_id text, quantity int, attributes jsonb) group by x.variant_id, x.attributes) x
	join variants v on v.id = x.variant_id join products p on p.id = v.product_id and ` + catalog.Published + `
	cross join lateral ` + priced("x.together + (select coalesce(sum(o.quantity), 0) from cart_lines o where o.cart_id = c.id and o.variant_id = x.variant_id)") + ` pr
	where c.currency = any(s.currencies)
	order by v.id
	on conflict (cart_id, variant_id, attributes_digest) do update
		set quantity = cart_lines.quantity + excluded.quantity, unit_amount = excluded.unit_amount
	returning *
)`

var addSQL = `
with c as (` + touch + touched + `),` + put + `,` + merged + selectDocument

var createSQL = `
with c as (
	insert into carts (id, token_hash, currency, customer_id, email, country, locales, shipping_address, billing_address, expires_at)
	select $1, decode($2, 'hex'), coalesce(nullif($3, ''), s.currency), k.id, coalesce(nullif($6, ''), k.email, ''), $8, $9::text[], k.default_address, nullif(k.default_billing_address, k.default_address), now() + $4::interval
	from settings s left join customers k on k.id = $7
	where coalesce(nullif($3, ''), s.currency) = any(s.currencies)
	returning *
), held as (select expires_at from reservations where false),` + put + `,
l as (select * from changed)` + selectDocument

// others are how many of the variant the lines have beside the one that changes.
const others = `(select coalesce(sum(o.quantity), 0) from cart_lines o where o.cart_id = c.id and o.variant_id = v.id and o.id <> $5)`

// setSQL gives the line $5 the quantity $6.
var setSQL = `
with c as (` + touch + touched + `),
changed as (
	update cart_lines set quantity = $6::int, unit_amount = coalesce((select pr.amount from variants v cross join lateral ` + priced(others+" + $6::int") + ` pr
		where v.id = cart_lines.variant_id), unit_amount)
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
	use_store_credit = coalesce(($5::jsonb->'use_store_credit')::boolean, use_store_credit),
	country = coalesce($5::jsonb->>'country', country),
	locales = case when $5::jsonb ? 'locales' then array(select jsonb_array_elements_text($5::jsonb->'locales')) else locales end,
	shipping_method_id = case when $5::jsonb ? 'shipping_method_id' then nullif($5::jsonb->>'shipping_method_id', '') else shipping_method_id end,
	shipping_address = case when $5::jsonb ? 'shipping_address' then nullif($5::jsonb->'shipping_address', 'null') else shipping_address end,
	billing_address = case when $5::jsonb ? 'billing_address' then nullif($5::jsonb->'billing_address', 'null') else billing_address end
` + touchedAny + `),
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
with k as (select id, email, default_address, nullif(default_billing_address, default_address) as billing_address from customers where id = $5),
c as (` + touch + `,
	customer_id = (select id from k), use_store_credit = use_store_credit and customer_id = $5, email = coalesce(nullif(email, ''), (select k.email from k), ''),
	shipping_address = coalesce(shipping_address, (select default_address from k)), billing_address = coalesce(billing_address, (select k.billing_address from k))
` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument

// mergeSQL puts the lines of the cart $5 into this one: those that are here already add up,
// as far as a line goes, and the others move, as far as a cart goes.
var mergeSQL = `
with c as (` + touch + `,
	note = case when note = '' then (select g.note from carts g where g.id = $5) else note end,
	codes = (codes || array(select code from carts g, unnest(g.codes) with ordinality as given(code, at) where g.id = $5 and code <> all(carts.codes) order by at))[:` + fmt.Sprint(MaxCodes) + `],
	gift_cards = (gift_cards || array(select card from carts g, unnest(g.gift_cards) with ordinality as given(card, at) where g.id = $5 and card <> all(carts.gift_cards) order by at))[:` + fmt.Sprint(MaxGiftCards) + `]
` + touched + `),
moved as (
	update cart_lines g set cart_id = c.id from c where g.id in (
		select x.id from cart_lines x where x.cart_id = $5 and not exists (
			select from cart_lines m where m.cart_id = $1 and m.variant_id = x.variant_id and m.attributes_digest = x.attributes_digest)
		order by x.created_at, x.id limit greatest($6::int - (select count(*) from cart_lines m where m.cart_id = $1), 0))
	returning g.*
), summed as (
	update cart_lines m set quantity = least(m.quantity + g.quantity, $7::int) from c, cart_lines g
	where m.cart_id = c.id and g.cart_id = $5 and m.variant_id = g.variant_id and m.attributes_digest = g.attributes_digest
	returning m.*
),
changed as (select * from moved union all select * from summed),` + merged + selectDocument

// mineSQL is the cart that the customer $1 last used, and of the cart $2 what it is, if $3
// opens it; both are held.
const mineSQL = `
select id, state, id = $2 from carts
where id = (select m.id from carts m where m.customer_id = $1 and m.state = 'open' and m.draft is null and m.expires_at > now() and m.id <> $2 order by m.updated_at desc, m.id desc limit 1)
	or id = $2 and decode($3, 'hex') = any(token_hash || other_tokens) and expires_at > now() and draft is null
order by id for update`

// tokenSQL gives the cart $1 another token, $2, and forgets the oldest of many.
const tokenSQL = `update carts set other_tokens = other_tokens[greatest(cardinality(other_tokens) - 8, 1):] || decode($2, 'hex') where id = $1`

// whySQL says why a cart could not be opened or changed.
const whySQL = `select state, version, draft is not null from carts where ` + opened

const (
	lockSQL      = `select state, version from carts where ` + opened + ` for update`
	draftLockSQL = `select state, version from carts where ` + ofMerchant + ` for update`
)

// optionsSQL reads a cart with all ways to send it, in the merchant's order.
var optionsSQL = strings.Replace(readSQL, "where "+chosen, "where "+offered, 1)
