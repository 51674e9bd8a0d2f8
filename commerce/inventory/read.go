package inventory

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// levelJSON is a level as the API shows it, of a variant v of a product p.
var levelJSON = `json_build_object('variant_id', v.id, 'product_id', v.product_id, 'sku', v.sku,
	'title', case when v.title in ('', 'Default') then p.title else p.title || ', ' || v.title end,
	'track_inventory', v.track_stock, 'on_hand', v.stock, 'reserved', v.reserved, 'available', v.stock - v.reserved,
	'updated_at', ` + postgres.UTC("v.updated_at") + `)`

// LevelFilter says which levels are wanted; empty fields ask for nothing.
type LevelFilter struct {
	ProductID, VariantID, SKU string
	Below                     *int64 // only those of which fewer can be sold
	After                     string // a position
	Limit                     int
}

var levelsSQL = `
with page as (
	select v.*, row_number() over (order by v.id) as n from variants v
	where v.id > $2 and ($3 = '' or v.product_id = $3) and ($4 = '' or v.id = $4) and ($5 = '' or v.sku = $5)
		and ($6::bigint is null or v.stock - v.reserved < $6::bigint)
	order by v.id limit $1::int + 1
)
select case when count(*) > $1::int then max(v.id) filter (where v.n = $1::int) else '' end || E'\n' ||
	coalesce(json_agg(` + levelJSON + ` order by v.n) filter (where v.n <= $1::int), '[]')::text
from page v join products p on p.id = v.product_id`

// Levels is a page of stock, by variant, as the API shows it.
func Levels(ctx context.Context, db *postgres.DB, f LevelFilter) (postgres.Page, error) {
	var below any
	if f.Below != nil {
		below = *f.Below
	}
	return db.Page(ctx, levelsSQL, f.Limit, f.After, f.ProductID, f.VariantID, f.SKU, below)
}

var levelsOfSQL = `
select coalesce(json_agg(` + levelJSON + ` order by w.n), '[]')::text
from unnest($1::text[]) with ordinality w(id, n) join variants v on v.id = w.id join products p on p.id = v.product_id`

// LevelsOf are the levels of these variants, in their order, as the API shows them.
func LevelsOf(ctx context.Context, tx *postgres.Tx, lines []Line) ([]byte, error) {
	variants := make([]string, len(lines))
	for i, line := range lines {
		variants[i] = string(line.VariantID)
	}
	var raw []byte
	err := tx.QueryRow(ctx, levelsOfSQL, variants).Scan(&raw)
	return raw, err
}

// MovementFilter says which movements are wanted; empty fields ask for nothing.
type MovementFilter struct {
	VariantID, OrderID string
	After              string // a position
	Limit              int
}

var movementsSQL = postgres.List{
	From: "stock_movements t where ($3 = '' or t.variant_id = $3) and ($4 = '' or t.order_id = $4)",
	Each: `json_build_object('id', t.id, 'variant_id', t.variant_id, 'delta', t.quantity, 'on_hand_after', t.stock,
		'reason', t.reason, 'note', nullif(t.note, ''), 'order_id', t.order_id,
		'actor', json_build_object('kind', t.actor_kind, 'id', nullif(t.actor_id, ''), 'label', t.actor), 'at', ` + postgres.UTC("t.created_at") + `)`,
	Order: "t.id desc", After: "t.id < $2", Position: "t.id",
}.SQL()

// Movements is a page of the ledger, the latest first, as the API shows it.
func Movements(ctx context.Context, db *postgres.DB, f MovementFilter) (postgres.Page, error) {
	return db.Page(ctx, movementsSQL, f.Limit, f.After, f.VariantID, f.OrderID)
}
