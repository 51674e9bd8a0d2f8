package inventory

import (
	"context"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// VariantID names a variant.
type VariantID string

// Reason is why stock changed.
type Reason string

// The reasons. Initial to Other are given by people and imports, the rest by orders.
const (
	Initial      Reason = "initial"
	Received     Reason = "received"
	Correction   Reason = "correction"
	Damaged      Reason = "damaged"
	Returned     Reason = "returned"
	Other        Reason = "other"
	Imported     Reason = "import"
	Sale         Reason = "sale"
	Cancellation Reason = "cancellation"
	Refund       Reason = "refund"
)

// Line is so many of a variant.
type Line struct {
	VariantID VariantID
	Quantity  int64
}

// change is what is to happen to lines: their quantities times stock are added to what is
// in stock, times reserved to what is reserved.
type change struct {
	stock, reserved int64
	countedOnly     bool // pass over variants whose stock is not counted
	mayMiss         bool // pass over variants that are gone
	reason          Reason
	note, orderID   string
}

// level is a variant as a change found it.
type level struct {
	Found     bool
	ProductID string
	SKU       *string
	Title     string // the variant's
	Product   string // the product's title
	Stock     int64
	Reserved  int64
	Counted   bool
	Oversell  bool
	Refused   bool
	Changed   bool
	After     int64 // stock afterwards
	Watched   bool  // there are collections by stock
}

// name is what people call the variant.
func (l level) name() string {
	if l.Title == "" || l.Title == "Default" {
		return l.Product
	}
	return l.Product + ", " + l.Title
}

// available is how many can be sold.
func (l level) available() int64 { return l.Stock - l.Reserved }

// shows says whether shoppers see the change: a variant is sold out by it, or is no more.
func (c change) shows(l level, quantity int64) bool {
	before := l.available()
	after := l.After - max(l.Reserved+c.reserved*quantity, 0)
	return l.Changed && l.Counted && !l.Oversell && (before > 0) != (after > 0)
}

// changeSQL locks the variants in the order of their IDs, judges all of them as they are
// once locked, and changes all or none. A change that waited for another's lock sees what
// the other left behind: rows that are locked are read anew.
//
// Changes of the same variants queue up before they come to the rows. The update finds a
// row by the version that was there when the statement began. Where that version is shared
// by carts' foreign keys, Postgres has it queue for it once more, behind others that wait
// for the lock which is held already: a deadlock.
//
// The update takes everything that the table's check looks at from the locked rows.
// Postgres holds the check against the row as the statement's snapshot has it, before it
// finds out that there is a later one, and would refuse by a stock that is gone.
const changeSQL = `
with wanted as (
	select id, quantity, movement from unnest($1::text[], $2::bigint[], $3::text[]) as w(id, quantity, movement)
), queued as materialized (
	select id, pg_advisory_xact_lock(hashtextextended(id, 0)) from (select id from wanted order by id offset 0) as in_order
), locked as (
	select v.id, v.product_id, v.sku, v.title, p.title as product, v.stock, v.reserved, v.track_stock, v.oversell
	from variants v join products p on p.id = v.product_id
	where v.id = any(array(select id from queued)) order by v.id for no key update of v
), refused as (
	select id from locked l join wanted w using (id)
	where l.track_stock and not l.oversell
		and l.stock + $4::bigint * w.quantity < greatest(l.reserved + $5::bigint * w.quantity, 0)
), changed as (
	update variants v set
		stock = l.stock + $4::bigint * w.quantity,
		reserved = greatest(l.reserved + $5::bigint * w.quantity, 0),
		track_stock = l.track_stock, oversell = l.oversell, updated_at = now()
	from wanted w join locked l using (id)
	where v.id = w.id and (l.track_stock or not $6::bool)
		and not exists (select from refused)
		and ($7::bool or not exists (select from wanted where id not in (select id from locked)))
	returning v.id, v.stock, w.quantity, w.movement
), moved as (
	insert into stock_movements (id, variant_id, quantity, stock, reason, note, order_id, actor_kind, actor_id, actor)
	select movement, id, $4::bigint * quantity, stock, $8, $9, nullif($10, ''), $11, $12, $13
	from changed where $4::bigint <> 0
)
select l.id is not null, coalesce(l.product_id, ''), l.sku, coalesce(l.title, ''), coalesce(l.product, ''), coalesce(l.stock, 0),
	coalesce(l.reserved, 0), coalesce(l.track_stock, false), coalesce(l.oversell, false),
	r.id is not null, c.id is not null, coalesce(c.stock, l.stock, 0),
	exists (select from collections where rules @? '$[*] ? (@.field == "stock" || @.field == "available")')
from unnest($1::text[]) with ordinality w(id, n)
left join locked l using (id) left join refused r using (id) left join changed c using (id)
order by w.n`

// apply changes stock by one statement and gives the levels of the lines as they were
// found; whether they were changed is told by each. Variants must not repeat.
func apply(ctx context.Context, tx *postgres.Tx, c change, lines []Line) ([]level, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	variants, quantities, movements := make([]string, len(lines)), make([]int64, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		variants[i], quantities[i], movements[i] = string(line.VariantID), line.Quantity, ids.New("mov")
	}
	who := principal.From(ctx)
	rows, err := tx.Query(ctx, changeSQL, variants, quantities, movements, c.stock, c.reserved, c.countedOnly, c.mayMiss,
		string(c.reason), c.note, c.orderID, string(who.Kind), who.ID, who.Label)
	if err != nil {
		return nil, fmt.Errorf("change stock: %w", err)
	}
	defer rows.Close()
	levels := make([]level, 0, len(lines))
	for rows.Next() {
		var l level
		if err := rows.Scan(&l.Found, &l.ProductID, &l.SKU, &l.Title, &l.Product, &l.Stock, &l.Reserved, &l.Counted, &l.Oversell,
			&l.Refused, &l.Changed, &l.After, &l.Watched); err != nil {
			return nil, fmt.Errorf("change stock: %w", err)
		}
		if c.shows(l, lines[len(levels)].Quantity) {
			stores.Touch(tx)
		}
		if l.Changed && l.Watched {
			collections.Later(tx, l.ProductID)
		}
		levels = append(levels, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("change stock: %w", err)
	}
	return levels, nil
}

// together adds up lines of the same variant. It gives the lines to change and, for each
// line that was given, which of them it became.
func together(lines []Line) (merged []Line, of []int) {
	of = make([]int, len(lines))
	for i, line := range lines {
		at := slices.IndexFunc(merged, func(m Line) bool { return m.VariantID == line.VariantID })
		if at < 0 {
			at = len(merged)
			merged = append(merged, Line{VariantID: line.VariantID})
		}
		merged[at].Quantity += line.Quantity
		of[i] = at
	}
	return merged, of
}
