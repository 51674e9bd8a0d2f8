package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// VariantID names a variant.
type VariantID string

// LocationID names a location.
type LocationID string

// Reason is why stock changed.
type Reason string

// The reasons. Initial to Other are given by people and imports, the rest by orders and
// transfers.
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
	Transferred  Reason = "transfer"
)

// kind is the type of a movement for a reason.
func (r Reason) kind() string {
	switch r {
	case Received:
		return "receipt"
	case Sale:
		return "sale"
	case Returned, Cancellation, Refund:
		return "return"
	case Transferred:
		return "transfer"
	default:
		return "adjustment"
	}
}

// Line is so many of a variant at a location.
type Line struct {
	VariantID  VariantID
	LocationID LocationID // empty: the active one of the first priority or, for what is reserved, wherever there is some
	Quantity   int64
}

// posting is what happens to one level. There is at most one for each level in a change.
type posting struct {
	Line           // its quantity comes on hand, or goes
	set      bool  // the quantity is what there is to be afterwards
	reserved int64 // comes to what is reserved, or goes
}

// change is what is common to postings that happen together or not at all.
type change struct {
	countedOnly   bool // pass over variants whose stock is not counted
	mayMiss       bool // pass over what is gone
	reason        Reason
	note, orderID string
	transferID    string
	cartID        string        // whose reservations are replaced by those kept
	kept          []Line        // what is reserved for the cart afterwards
	paying        bool          // they last until they are settled or released
	last          time.Duration // how long they last otherwise
	lapsed        []reservation // of others, to be cleared away
}

// level is a level as a posting found it, with its variant.
type level struct {
	Found      bool // there is such a variant
	Kept       bool // and a level of it at the location
	LocationID LocationID
	ProductID  string
	SKU        *string
	Title      string // the variant's
	Product    string // the product's title
	OnHand     int64
	Reserved   int64
	Counted    bool
	Oversell   bool
	Limit      *int64 // how far it may be oversold
	Refused    bool
	Changed    bool
	After      int64 // on hand afterwards
	Watched    bool  // there are collections by stock
	total      total
}

// total is a variant at all active locations, before and after a change.
type total struct {
	stock, reserved           int64
	stockAfter, reservedAfter int64
	threshold                 *int64
}

// named is what people call a variant of a product.
func named(product, title string) string {
	if title == "" || title == "Default" {
		return product
	}
	return product + ", " + title
}

// shows says whether shoppers see the change: a variant is sold out by it, or is no more.
func (l level) shows() bool {
	least := int64(0)
	if l.Oversell {
		if l.Limit == nil {
			return false
		}
		least = -*l.Limit
	}
	t := l.total
	return l.Changed && l.Counted && (t.stock-t.reserved > least) != (t.stockAfter-t.reservedAfter > least)
}

// firstLocation is where goods are when nobody says where.
const firstLocation = `(select o.id from locations o where o.active order by o.priority, o.id limit 1)`

// byStock is whether there are collections by what there is of a product.
const byStock = `exists (select from collections where rules @? '$[*] ? (@.field == "stock" || @.field == "available")')`

// queued and locked begin every statement that changes stock or plans to. They lock the
// variants in the order of their IDs; a change that waited for another's lock sees what the
// other left behind, as rows that are locked are read anew.
//
// Changes of the same variants queue up before they come to the rows. An update finds a
// row by the version that was there when the statement began. Where that version is shared
// by carts' foreign keys, Postgres has it queue for it once more, behind others that wait
// for the lock which is held already: a deadlock.
const queued = `queued as materialized (
	select id, pg_advisory_xact_lock(hashtextextended(id, 0)) from (select distinct id from asked order by id offset 0) as in_order
), locked as materialized (
	select v.id, v.product_id, v.sku, v.title, p.title as product, v.stock, v.reserved, v.track_stock, v.oversell,
		v.backorder_limit, v.low_stock_threshold
	from variants v join products p on p.id = v.product_id
	where v.id = any(array(select id from queued)) order by v.id for no key update of v
)`

// postSQL judges all levels as they are once their variants are locked, and changes all or
// none.
//
// The updates take everything that the tables' checks look at from the locked rows.
// Postgres holds a check against the row as the statement's snapshot has it, before it
// finds out that there is a later one, and would refuse by a stock that is gone.
const postSQL = `
with asked as (
	select w.n, w.id, coalesce(nullif(w.location, ''), ` + firstLocation + `) as location, w.quantity, w.is_set, w.reserved, w.movement
	from unnest($1::text[], $2::text[], $3::bigint[], $4::bool[], $5::bigint[], $6::text[]) with ordinality
		as w(id, location, quantity, is_set, reserved, movement, n)
), ` + queued + `, held as materialized (
	select l.variant_id, l.location_id, l.on_hand, l.reserved, o.active
	from stock_levels l join locations o on o.id = l.location_id
	where l.variant_id = any(array(select id from locked)) and l.location_id = any(array(select location from asked))
	for no key update of l
), judged as (
	select a.n, a.id, a.location, a.movement, v.track_stock, v.oversell, v.backorder_limit, h.active, h.on_hand, h.reserved,
		case when a.is_set then a.quantity - h.on_hand else a.quantity end as delta,
		greatest(h.reserved + a.reserved, 0) as reserved_after
	from asked a join locked v on v.id = a.id join held h on h.variant_id = a.id and h.location_id = a.location
	where v.track_stock or not $7::bool
), totals as (
	select v.id, v.stock, v.reserved, v.stock + t.delta as stock_after, greatest(v.reserved + t.reserved, 0) as reserved_after
	from locked v join (
		select id, coalesce(sum(delta) filter (where active), 0)::bigint as delta,
			coalesce(sum(reserved_after - reserved) filter (where active), 0)::bigint as reserved
		from judged group by id) t using (id)
), refused as (
	select j.n from judged j join totals t using (id)
	where j.track_stock and case when j.oversell then t.stock_after - t.reserved_after < -j.backorder_limit
		else j.on_hand + j.delta < j.reserved_after end
), right_so as (
	select from (select 1) one where not exists (select from refused)
		and ($8::bool or not exists (select from asked a where not exists (select from held h where h.variant_id = a.id and h.location_id = a.location)))
), levels as (
	update stock_levels s set on_hand = j.on_hand + j.delta, reserved = j.reserved_after,
		bounded = j.track_stock and not j.oversell, updated_at = now()
	from judged j, right_so where s.variant_id = j.id and s.location_id = j.location
	returning j.n, j.id, j.location, j.delta, s.on_hand, j.movement
), counted as (
	update variants v set stock = t.stock_after, reserved = t.reserved_after,
		track_stock = l.track_stock, oversell = l.oversell, backorder_limit = l.backorder_limit, updated_at = now()
	from totals t join locked l using (id), right_so where v.id = t.id
), moved as (
	insert into stock_movements (id, variant_id, location_id, type, quantity, stock, reason, note, order_id, transfer_id, actor_kind, actor_id, actor)
	select movement, id, location, $9, delta, on_hand, $10, $11, nullif($12, ''), nullif($13, ''), $14, $15, $16
	from levels where delta <> 0
), kept as (
	select * from unnest($18::text[], $19::text[], $20::bigint[]) as k(id, location, quantity)
), gone as (
	delete from reservations r using right_so where r.cart_id = $17
		and not exists (select from kept k where k.id = r.variant_id and k.location = r.location_id)
), made as (
	insert into reservations (cart_id, variant_id, location_id, quantity, paying, expires_at)
	select $17, k.id, k.location, k.quantity, $21::bool, now() + $22::interval from kept k, right_so
	on conflict (cart_id, variant_id, location_id) do update
	set quantity = excluded.quantity, paying = excluded.paying, expires_at = excluded.expires_at
), lapsed as (
	delete from reservations r using unnest($23::text[], $24::text[], $25::text[]) as x(cart, id, location), right_so
	where r.cart_id = x.cart and r.variant_id = x.id and r.location_id = x.location
)
select v.id is not null, h.variant_id is not null, coalesce(a.location, ''), coalesce(v.product_id, ''), v.sku, coalesce(v.title, ''), coalesce(v.product, ''),
	coalesce(h.on_hand, 0), coalesce(h.reserved, 0), coalesce(v.track_stock, false), coalesce(v.oversell, false), v.backorder_limit,
	r.n is not null, l.n is not null, coalesce(l.on_hand, h.on_hand, 0),
	coalesce(t.stock, v.stock, 0), coalesce(t.reserved, v.reserved, 0), coalesce(t.stock_after, v.stock, 0), coalesce(t.reserved_after, v.reserved, 0),
	v.low_stock_threshold, ` + byStock + `
from asked a left join locked v using (id) left join held h on h.variant_id = a.id and h.location_id = a.location
left join refused r using (n) left join levels l using (n) left join totals t on t.id = a.id
order by a.n`

// post changes levels by one statement and gives them as they were found; whether they
// were changed is told by each. All are changed or, where one is refused or is not there,
// none.
func post(ctx context.Context, tx *postgres.Tx, c change, postings []posting) ([]level, error) {
	if len(postings) == 0 && len(c.lapsed) == 0 {
		return nil, nil
	}
	n := len(postings)
	variants, locations, quantities, sets, reserved, movements :=
		make([]string, n), make([]string, n), make([]int64, n), make([]bool, n), make([]int64, n), make([]string, n)
	for i, p := range postings {
		variants[i], locations[i], quantities[i], sets[i], reserved[i] = string(p.VariantID), string(p.LocationID), p.Quantity, p.set, p.reserved
		movements[i] = ids.New("mov")
	}
	keptVariants, keptLocations, keptQuantities := columns(c.kept)
	var lapsedCarts []string
	var lapsed []Line
	for _, r := range c.lapsed {
		lapsedCarts, lapsed = append(lapsedCarts, r.CartID), append(lapsed, r.Line)
	}
	lapsedVariants, lapsedLocations, _ := columns(lapsed)
	who := principal.From(ctx)
	rows, err := tx.Query(ctx, postSQL, variants, locations, quantities, sets, reserved, movements, c.countedOnly, c.mayMiss,
		c.reason.kind(), string(c.reason), c.note, c.orderID, c.transferID, string(who.Kind), who.ID, who.Label,
		c.cartID, keptVariants, keptLocations, keptQuantities, c.paying, c.last, lapsedCarts, lapsedVariants, lapsedLocations)
	if err != nil {
		return nil, fmt.Errorf("change stock: %w", err)
	}
	defer rows.Close()
	levels := make([]level, 0, n)
	for rows.Next() {
		var l level
		if err := rows.Scan(&l.Found, &l.Kept, &l.LocationID, &l.ProductID, &l.SKU, &l.Title, &l.Product, &l.OnHand, &l.Reserved, &l.Counted,
			&l.Oversell, &l.Limit, &l.Refused, &l.Changed, &l.After,
			&l.total.stock, &l.total.reserved, &l.total.stockAfter, &l.total.reservedAfter, &l.total.threshold,
			&l.Watched); err != nil {
			return nil, fmt.Errorf("change stock: %w", err)
		}
		levels = append(levels, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("change stock: %w", err)
	}
	tell(ctx, tx, c.reason, postings, levels)
	return levels, nil
}

// tell tells of variants that the change sold out or brought back; the first stock of a new
// one is no news.
func tell(ctx context.Context, tx *postgres.Tx, reason Reason, postings []posting, levels []level) {
	told, scarce := map[VariantID]bool{}, false
	for i, l := range levels {
		id := postings[i].VariantID
		if !l.Changed || told[id] {
			continue
		}
		told[id] = true
		shows := l.shows()
		if shows {
			stores.Touch(tx)
		}
		if (shows || l.Watched) && reason != Initial { // who makes a product writes its index
			search.Later(tx, l.Watched, l.ProductID)
		}
		if event := l.total.event(); event != "" && l.Counted && reason != Initial {
			journal.Event(ctx, tx, event, string(id), watched{id, l.ProductID, l.SKU, l.total.stockAfter, l.total.threshold})
			if event == back {
				tellBack(tx, id)
			} else {
				scarce = true
			}
		}
	}
	if scarce {
		tellStaff(tx)
	}
}

// watched is the data of an event about a variant's stock in all, in the contract's shape.
type watched struct {
	VariantID VariantID `json:"variant_id"`
	ProductID string    `json:"product_id"`
	SKU       *string   `json:"sku"`
	OnHand    int64     `json:"on_hand"`
	Threshold *int64    `json:"low_stock_threshold"`
}

// The events that tell of what is on hand.
const (
	out  = "inventory.out"
	low  = "inventory.low"
	back = "inventory.back"
)

// event is the type of the event that tells of a change of what is on hand; empty for one
// that nobody needs to be told of. Reservations come and go; only goods that do count.
func (t total) event() string {
	switch {
	case t.stockAfter == t.stock:
		return ""
	case t.stock > 0 && t.stockAfter <= 0:
		return out
	case t.threshold != nil && t.stock > *t.threshold && t.stockAfter <= *t.threshold:
		return low
	case t.stock <= 0 && t.stockAfter > 0:
		return back
	}
	return ""
}

// columns are lines as statements take them.
func columns(lines []Line) (variants, locations []string, quantities []int64) {
	variants, locations, quantities = make([]string, len(lines)), make([]string, len(lines)), make([]int64, len(lines))
	for i, line := range lines {
		variants[i], locations[i], quantities[i] = string(line.VariantID), string(line.LocationID), line.Quantity
	}
	return variants, locations, quantities
}
