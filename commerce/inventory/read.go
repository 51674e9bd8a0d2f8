package inventory

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// lapsed is how many of a variant v, at the locations that where chooses, are still written
// down as reserved and are not any more.
func lapsed(where string) string {
	return `(select coalesce(sum(r.quantity), 0)::bigint from reservations r
		where r.variant_id = v.id and not r.paying and r.expires_at <= now()` + where + `)`
}

// There is SQL for how many of a variant v there are for the cart c: what is not reserved
// for others.
const There = `(v.stock - v.reserved
	+ (select coalesce(sum(r.quantity), 0)::bigint from reservations r join locations o on o.id = r.location_id and o.active
		where r.variant_id = v.id and (r.cart_id = c.id or not r.paying and r.expires_at <= now())))`

// Beyond is SQL for how many more than there are can be sold of a variant v; null for
// without end.
const Beyond = `(case when not v.track_stock then null when v.oversell then v.backorder_limit else 0 end)`

// Title is SQL for what a variant v of a product p is called.
const Title = `case when v.title in ('', 'Default') then p.title else p.title || ', ' || v.title end`

// itemJSON is a variant's stock at all active locations as the API shows it, of a variant v
// of a product p.
var itemJSON = `json_build_object('variant_id', v.id, 'product_id', v.product_id, 'sku', v.sku, 'title', ` + Title + `,
	'track_inventory', v.track_stock, 'allow_backorder', v.oversell, 'on_hand', v.stock,
	'reserved', v.reserved - n.lapsed, 'available', v.stock - v.reserved + n.lapsed,
	'low_stock_threshold', v.low_stock_threshold, 'backorder_limit', v.backorder_limit, 'backorder_expected_on', v.backorder_expected_on,
	'updated_at', ` + postgres.UTC("v.updated_at") + `)`

var itemLapsed = `lateral (select ` + lapsed(` and r.location_id in (select o.id from locations o where o.active)`) + ` as lapsed) n`

// ItemFilter says which variants are wanted; empty fields ask for nothing.
type ItemFilter struct {
	ProductID, VariantID, SKU string
	Below                     *int64 // only those of which fewer can be sold
	Low                       bool   // only those of which no more are on hand than their threshold
	After                     string // a position
	Limit                     int
}

var itemsSQL = `
with page as (
	select v.*, row_number() over (order by v.id) as n from variants v
	where v.id > $2 and ($3 = '' or v.product_id = $3) and ($4 = '' or v.id = $4) and ($5 = '' or v.sku = $5)
		and ($6::bigint is null or v.stock - v.reserved + ` + lapsed("") + ` < $6::bigint)
		and (not $7::bool or v.track_stock and v.stock <= coalesce(v.low_stock_threshold, 0))
	order by v.id limit $1::int + 1
)
select case when count(*) > $1::int then max(v.id) filter (where v.n = $1::int) else '' end || E'\n' ||
	coalesce(json_agg(` + itemJSON + ` order by v.n) filter (where v.n <= $1::int), '[]')::text
from page v join products p on p.id = v.product_id, ` + itemLapsed

// Items is a page of stock, by variant, as the API shows it.
func Items(ctx context.Context, db *postgres.DB, f ItemFilter) (postgres.Page, error) {
	var below any
	if f.Below != nil {
		below = *f.Below
	}
	return db.Page(ctx, itemsSQL, f.Limit, f.After, f.ProductID, f.VariantID, f.SKU, below, f.Low)
}

var itemOneSQL = `select v.version || E'\n' || ` + itemJSON + `::text from variants v join products p on p.id = v.product_id, ` + itemLapsed + ` where v.id = $1`

// Item is one variant's stock as the API shows it.
func Item(ctx context.Context, from postgres.Source, id VariantID) (postgres.Object, error) {
	o, err := from.Object(ctx, itemOneSQL, string(id))
	return postgres.Found(o, err, "variant")
}

// levelJSON is a level l of a variant v of a product p as the API shows it.
var levelJSON = `json_build_object('variant_id', v.id, 'product_id', v.product_id, 'sku', v.sku, 'title', ` + Title + `,
	'location_id', l.location_id, 'on_hand', l.on_hand, 'reserved', l.reserved - n.lapsed, 'available', l.on_hand - l.reserved + n.lapsed,
	'updated_at', ` + postgres.UTC("l.updated_at") + `)`

var levelLapsed = `lateral (select ` + lapsed(` and r.location_id = l.location_id`) + ` as lapsed) n`

// LevelFilter says which levels are wanted; empty fields ask for nothing.
type LevelFilter struct {
	ProductID, VariantID, LocationID string
	After                            string // a position
	Limit                            int
}

var levelsSQL = `
with page as (
	select l.*, row_number() over (order by l.variant_id, l.location_id) as n from stock_levels l
	where (l.variant_id, l.location_id) > (split_part($2, ':', 1), split_part($2, ':', 2))
		and ($3 = '' or l.variant_id in (select id from variants where product_id = $3)) and ($4 = '' or l.variant_id = $4) and ($5 = '' or l.location_id = $5)
	order by l.variant_id, l.location_id limit $1::int + 1
)
select case when count(*) > $1::int then max(l.variant_id || ':' || l.location_id) filter (where l.n = $1::int) else '' end || E'\n' ||
	coalesce(json_agg(` + levelJSON + ` order by l.n) filter (where l.n <= $1::int), '[]')::text
from page l join variants v on v.id = l.variant_id join products p on p.id = v.product_id, ` + levelLapsed

// Levels is a page of stock, by variant and location, as the API shows it.
func Levels(ctx context.Context, db *postgres.DB, f LevelFilter) (postgres.Page, error) {
	return db.Page(ctx, levelsSQL, f.Limit, f.After, f.ProductID, f.VariantID, f.LocationID)
}

var levelsOfSQL = `
select coalesce(json_agg(` + levelJSON + ` order by w.n), '[]')::text
from unnest($1::text[], $2::text[]) with ordinality w(id, location, n) join stock_levels l on l.variant_id = w.id and l.location_id = w.location
join variants v on v.id = w.id join products p on p.id = v.product_id, ` + levelLapsed

// LevelsOf are the levels of these lines, in their order, as the API shows them.
func LevelsOf(ctx context.Context, tx *postgres.Tx, lines []Line) ([]byte, error) {
	variants, locations, _ := columns(lines)
	var raw []byte
	if err := tx.QueryRow(ctx, levelsOfSQL, variants, locations).Scan(&raw); err != nil {
		return nil, fmt.Errorf("read levels: %w", err)
	}
	return raw, nil
}

// MovementFilter says which movements are wanted; empty fields ask for nothing.
type MovementFilter struct {
	VariantID, LocationID, OrderID, TransferID, Type string
	After                                            string // a position
	Limit                                            int
}

var movementsSQL = postgres.List{
	From: `stock_movements t where ($3 = '' or t.variant_id = $3) and ($4 = '' or t.order_id = $4) and ($5 = '' or t.transfer_id = $5)
		and ($6 = '' or t.location_id = $6) and ($7 = '' or t.type = $7)`,
	Each: `json_build_object('id', t.id, 'variant_id', t.variant_id, 'location_id', t.location_id, 'type', t.type, 'delta', t.quantity,
		'on_hand_after', t.stock, 'reason', t.reason, 'note', nullif(t.note, ''), 'order_id', t.order_id, 'transfer_id', t.transfer_id,
		'actor', json_build_object('kind', t.actor_kind, 'id', nullif(t.actor_id, ''), 'label', t.actor), 'at', ` + postgres.UTC("t.created_at") + `)`,
	Order: "t.id desc", After: "t.id < $2", Position: "t.id",
}.SQL()

// Movements is a page of the ledger, the latest first, as the API shows it.
func Movements(ctx context.Context, db *postgres.DB, f MovementFilter) (postgres.Page, error) {
	return db.Page(ctx, movementsSQL, f.Limit, f.After, f.VariantID, f.OrderID, f.TransferID, f.LocationID, f.Type)
}

var locationJSON = `json_build_object('id', t.id, 'name', t.name, 'address', t.address, 'active', t.active, 'priority', t.priority,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	locationsSQL = postgres.List{
		From: "locations t where true", Each: locationJSON, Order: "t.priority, t.id",
		After: "(t.priority, t.id) > (nullif(split_part($2, ':', 1), '')::int, split_part($2, ':', 2))", Position: "t.priority || ':' || t.id",
	}.SQL()
	locationSQL = `select t.version || E'\n' || ` + locationJSON + ` from locations t where t.id = $1`
)

// Locations is a page of locations, in the order in which they serve, as the API shows them.
func Locations(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, locationsSQL, limit, after)
}

// Location is one of them.
func Location(ctx context.Context, from postgres.Source, id LocationID) (postgres.Object, error) {
	o, err := from.Object(ctx, locationSQL, string(id))
	return postgres.Found(o, err, "location")
}
