package orders

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/token"
)

// What follows is SQL that writes the API's JSON. In every statement $1 is what media
// addresses begin with, such as "https://linen.stoa.example". Orders are o.

func amount(column string) string {
	return `json_build_object('amount', ` + column + `, 'currency', o.currency)`
}

var linesJSON = `(select coalesce(json_agg(json_build_object('id', l.id, 'product_id', l.product_id, 'variant_id', l.variant_id,
		'title', l.title, 'variant_title', l.variant_title, 'sku', nullif(l.sku, ''), 'attributes', l.attributes,
		'image_url', case when l.image_key <> '' then $1::text || '/media/' || l.image_key end, 'quantity', l.quantity,
		'unit_price', ` + amount("l.unit_amount") + `, 'price_list', l.price_list, 'discount', ` + amount("l.discount_amount") + `, 'discounts', l.discounts, 'tax', ` + amount("l.tax_amount") + `,
		'taxes', l.taxes, 'total', ` + amount("l.total_amount") + `,
		'fulfilled_quantity', l.fulfilled_quantity, 'refunded_quantity', l.refunded_quantity, 'returned_quantity', l.returned_quantity) order by l.position), '[]')
	from order_lines l where l.order_id = o.id)`

var fulfilmentJSON = `json_build_object('id', f.id, 'order_id', f.order_id, 'lines', f.lines,
	'tracking', case when f.tracking_number || f.tracking_url || f.carrier <> '' then json_build_object(
		'carrier', nullif(f.carrier, ''), 'number', nullif(f.tracking_number, ''), 'url', nullif(f.tracking_url, '')) end,
	'created_at', ` + postgres.UTC("f.created_at") + `)`

var refundJSON = `json_build_object('id', r.id, 'order_id', r.order_id, 'state', r.state,
	'payments', (select coalesce(json_agg(json_build_object('payment_id', p->>'payment_id', 'amount', json_build_object('amount', p->'amount', 'currency', r.currency),
		'to', coalesce(p->>'to', 'payment'), 'state', p->>'state', 'failure_code', p->>'failure') order by n), '[]') from jsonb_array_elements(r.parts) with ordinality as parts (p, n)),
	'amount', json_build_object('amount', r.amount, 'currency', r.currency), 'lines', r.lines,
	'return_id', r.return_id, 'edit_id', r.edit_id, 'balance', r.of_balance, 'set_off', json_build_object('amount', r.set_off_amount, 'currency', r.currency), 'fee', json_build_object('amount', r.fee_amount, 'currency', r.currency), 'restocked', r.restock and r.state = 'succeeded', 'reason', nullif(r.reason, ''), 'failure_code', nullif(r.failure, ''),
	'created_at', ` + postgres.UTC("r.created_at") + `, 'updated_at', ` + postgres.UTC("r.updated_at") + `)`

// localeSQL is the locale that an order was placed in.
const localeSQL = `coalesce(nullif(o.locale, ''), (select locale from settings))`

// byCredit is what gift cards and store credit paid of the order o.
const byCredit = `(select coalesce(sum(p.amount), 0)::bigint from payments p where p.order_id = o.id and p.provider in ` + credit.Providers + ` and p.state = 'captured')`

// shownJSON are the members that staff and shopper both see.
var shownJSON = `'id', o.id, 'number', o.number, 'state', o.state, 'payment_state', o.payment_state, 'fulfilment_state', o.fulfilment_state,
	'email', o.email, 'locale', ` + localeSQL + `, 'currency', o.currency, 'prices_include_tax', o.prices_include_tax, 'lines', ` + linesJSON + `,
	'shipping', case when o.shipping_method is not null then json_build_object('shipping_method_id', nullif(o.shipping_method->>'id', ''),
		'name', o.shipping_method->>'name', 'price', ` + amount("o.shipping_amount") + `,
		'pickup_address', o.shipping_method->'pickup_address', 'delivery_estimate', nullif(o.shipping_method->>'delivery_estimate', ''), 'discount', o.shipping_method->'discount',
		'tax', o.shipping_method->'tax', 'taxes', o.shipping_method->'taxes') end,
	'taxes', o.taxes, 'discounts', o.discounts,
	'totals', json_build_object('subtotal', ` + amount("o.subtotal_amount") + `, 'discount', ` + amount("o.discount_amount") + `,
		'shipping', ` + amount("o.shipping_amount") + `,
		'tax', ` + amount("o.tax_amount") + `, 'total', ` + amount("o.total_amount") + `, 'credit', ` + amount(byCredit) + `, 'refunded', ` + amount("o.refunded_amount") + `,
		'balance', ` + amount(balanceSQL) + `, 'outstanding', ` + amount(outstandingSQL) + `),
	'shipping_address', o.shipping_address, 'billing_address', o.billing_address, 'note', nullif(o.note, ''),
	'fulfilments', (select coalesce(json_agg(` + fulfilmentJSON + ` order by f.id), '[]') from fulfilments f where f.order_id = o.id),
	'cancelled_at', ` + postgres.UTC("o.cancelled_at") + `, 'created_at', ` + postgres.UTC("o.placed_at")

// instructionsSQL is SQL for how the shopper of an order o is to pay what is due.
const instructionsSQL = `(select nullif(p.request->>'instructions', '') from payments p where p.order_id = o.id and p.state = 'due' order by p.id desc limit 1)`

var shopJSON = `json_build_object(` + shownJSON + `, 'returns', ` + returnsOf(shopReturnJSON) + `,
	'payment_instructions', ` + instructionsSQL + `)`

var staffJSON = `json_build_object(` + shownJSON + `, 'cart_id', o.cart_id, 'customer_id', o.customer_id, 'tags', o.tags, 'custom_fields', o.custom_fields, 'tax_exempt_reason', nullif(o.tax_exempt_reason, ''),
	'cancel_reason', nullif(o.cancel_reason, ''), 'updated_at', ` + postgres.UTC("o.updated_at") + `,
	'payments', (select coalesce(json_agg(` + payments.JSON + ` order by p.id), '[]') from (
		select * from payments p where p.order_id = o.id order by p.state = 'captured' desc, p.id desc limit 50) p),
	'edits', ` + editsJSON + `,
	'returns', ` + returnsOf(returnJSON) + `,
	'refunds', (select coalesce(json_agg(` + refundJSON + ` order by r.id), '[]') from refunds r where r.order_id = o.id),
	'allocations', (select coalesce(json_agg(json_build_object('line_id', l.id, 'location_id', a.location_id, 'quantity', a.quantity) order by l.position, a.n), '[]')
		from order_lines l, jsonb_array_elements(l.allocations) with ordinality e(part, n),
			lateral (select e.part->>'location_id' as location_id, (e.part->>'quantity')::bigint as quantity, e.n) a where l.order_id = o.id))`

var getSQL = `select o.version || E'\n' || ` + staffJSON + `::text from orders o where o.id = $2 and o.state <> 'pending'`

// shopGetSQL is for the holder of the cart's token and for the customer.
var shopGetSQL = `select ` + shopJSON + `::text from orders o where o.id = $2 and o.state <> 'pending'
	and (o.token_hash = decode($3, 'hex') or o.customer_id = nullif($4, ''))`

// shopAnswerSQL is for whoever has just placed the order.
var shopAnswerSQL = `select ` + shopJSON + `::text from orders o where o.id = $2`

var fulfilmentSQL = `select ` + fulfilmentJSON + `::text from fulfilments f where f.id = $1`

var refundSQL = `select ` + refundJSON + `::text from refunds r where r.id = $1`

// page is SQL for a page of orders, the latest first: $2 is the last of the page before
// and $3 how many.
func page(each, where string) string {
	return `
select coalesce(max(o.id) filter (where o.n = $3::int and o.more), '') || E'\n' ||
	coalesce(json_agg(` + each + ` order by o.id desc) filter (where o.n <= $3::int), '[]')
from (select *, row_number() over (order by id desc) as n, count(*) over () > $3::int as more from (
	select * from orders o where o.state <> 'pending' and ($2 = '' or o.id < $2) and ` + where + `
	order by id desc limit $3::int + 1) o) o`
}

var listSQL = page(staffJSON, `($4 = '' or o.state = $4) and ($5 = '' or o.payment_state = $5) and ($6 = '' or o.fulfilment_state = $6)
	and ($7 = '' or o.customer_id = $7) and ($8 = '' or o.email = lower($8)) and ($9::bigint = 0 or o.number = $9::bigint)
	and ($10 = '' or o.placed_at >= nullif($10, '')::timestamptz) and ($11 = '' or o.placed_at < nullif($11, '')::timestamptz)
	and ($12 = '' or o.tags @> array[$12::text] and o.tags <> '{}')`)

var mineSQL = page(shopJSON, `o.customer_id = $4`)

// Filter chooses orders; what is empty chooses all.
type Filter struct {
	State, PaymentState, FulfilmentState string
	CustomerID, Email, Tag               string
	Number                               int64
	Since, Until                         string // RFC 3339
	After                                string // the last one of the page before
	Limit                                int
}

// Get reads an order as the staff sees it. Media, here and below, is what addresses of
// pictures begin with.
func (s *Service) Get(ctx context.Context, media, id string) (postgres.Object, error) {
	object, err := s.DB.Object(ctx, getSQL, media, id)
	return postgres.Found(object, err, "order")
}

// GetIn reads an order as the staff sees it, as the transaction does.
func (s *Service) GetIn(ctx context.Context, tx *postgres.Tx, media, id string) (postgres.Object, error) {
	object, err := tx.Object(ctx, getSQL, media, id)
	if err != nil {
		return object, fmt.Errorf("read order %s: %w", id, err)
	}
	return object, nil
}

// List reads a page of orders as the staff sees them.
func (s *Service) List(ctx context.Context, media string, f Filter) (postgres.Page, error) {
	found, err := s.DB.Page(ctx, listSQL, media, f.After, f.Limit, f.State, f.PaymentState, f.FulfilmentState, f.CustomerID, f.Email,
		strconv.FormatInt(f.Number, 10), f.Since, f.Until, f.Tag)
	if err != nil {
		return found, fmt.Errorf("list orders: %w", err)
	}
	return found, nil
}

// ShopGet reads an order as its shopper sees it: for who holds the token of its cart, and
// for the customer who placed it. Either may be empty.
func (s *Service) ShopGet(ctx context.Context, media, id, cartToken, customerID string) ([]byte, error) {
	hash := ""
	if cartToken != "" {
		hash = hex.EncodeToString(token.Hash(cartToken))
	}
	raw, err := s.DB.JSON(ctx, shopGetSQL, media, id, hash, customerID)
	return postgres.Must(raw, err, "order")
}

// ShopAnswer reads an order for whoever has just placed it.
func (s *Service) ShopAnswer(ctx context.Context, tx *postgres.Tx, media, id string) ([]byte, error) {
	return text(ctx, tx, "order "+id, shopAnswerSQL, media, id)
}

// Mine reads a page of a customer's orders as the shopper sees them.
func (s *Service) Mine(ctx context.Context, media, customerID, after string, limit int) (postgres.Page, error) {
	found, err := s.DB.Page(ctx, mineSQL, media, after, limit, customerID)
	if err != nil {
		return found, fmt.Errorf("list the orders of %s: %w", customerID, err)
	}
	return found, nil
}

// FulfilmentJSON reads a fulfilment as the API shows it.
func (s *Service) FulfilmentJSON(ctx context.Context, tx *postgres.Tx, id string) ([]byte, error) {
	return text(ctx, tx, "fulfilment "+id, fulfilmentSQL, id)
}

// RefundJSON reads a refund as the API shows it.
func (s *Service) RefundJSON(ctx context.Context, tx *postgres.Tx, id string) ([]byte, error) {
	return text(ctx, tx, "refund "+id, refundSQL, id)
}

func text(ctx context.Context, tx *postgres.Tx, what, sql string, args ...any) ([]byte, error) {
	var raw []byte
	if err := tx.QueryRow(ctx, sql, args...).Scan(&raw); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return raw, nil
}

var exportSQL = `select ` + staffJSON + `::text from (select * from orders where id > $2 and state <> 'pending' and ($4::timestamptz is null or placed_at >= $4) and ($5::timestamptz is null or placed_at < $5) order by id limit $3) o order by o.id`

// Export gives the orders after one of them in the order in which they were placed, so many
// at most, as the staff sees them, of those placed since an instant and until another; nil does
// not limit.
func Export(ctx context.Context, tx *postgres.Tx, media, after string, most int, since, until *time.Time) (pgx.Rows, error) {
	return tx.Query(ctx, exportSQL, media, after, most, since, until)
}
