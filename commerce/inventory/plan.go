package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// reservation is so many of a variant at a location that are promised to a cart.
type reservation struct {
	Line
	CartID string
	left   time.Duration // how long it still lasts
}

// shelf is a variant under its lock, with what is at each location.
type shelf struct {
	id        VariantID
	name      string
	counted   bool
	oversell  bool
	limit     *int64
	available int64 // at all active locations
	spots     []spot
}

// spot is one location of a shelf.
type spot struct {
	location LocationID
	active   bool
	free     int64
}

// stock is what a plan is made on: everything in it is locked.
type stock struct {
	shelves map[VariantID]*shelf
	mine    []reservation // the cart's own
	lapsed  []reservation // of others
}

// surveySQL locks variants with their levels and reads them, in the order in which
// locations serve. Own reservations are those of the cart $2. Lapsed ones that somebody is
// extending at this moment are passed over: they have not lapsed.
const surveySQL = `
with asked as (
	select id from unnest($1::text[]) as w(id) union select variant_id from reservations where cart_id = $2
), ` + queued + `, held as materialized (
	select l.variant_id, l.location_id, l.on_hand - l.reserved as free from stock_levels l
	where l.variant_id = any(array(select id from locked)) for no key update of l
), mine as materialized (
	select r.* from reservations r where r.cart_id = $2 and r.variant_id = any(array(select id from locked)) for update of r
), lapsed as materialized (
	select r.* from reservations r where r.variant_id = any(array(select id from locked)) and r.cart_id <> $2
		and not r.paying and r.expires_at <= now() for update of r skip locked
)
select json_build_object(
	'variants', (select coalesce(json_agg(json_build_object('id', id, 'product', product, 'title', title, 'counted', track_stock, 'oversell', oversell,
		'limit', backorder_limit)), '[]') from locked),
	'levels', (select coalesce(json_agg(json_build_object('variant', h.variant_id, 'location', h.location_id, 'active', o.active, 'free', h.free)
		order by o.priority, o.id), '[]') from held h join locations o on o.id = h.location_id),
	'mine', (select coalesce(json_agg(json_build_object('variant', variant_id, 'location', location_id, 'quantity', quantity,
		'left', case when expires_at > now() then extract(epoch from expires_at - now()) else 0 end)), '[]') from mine),
	'lapsed', (select coalesce(json_agg(json_build_object('cart', cart_id, 'variant', variant_id, 'location', location_id, 'quantity', quantity)), '[]') from lapsed)
)::text`

// survey locks and reads the stock of variants, and of whatever is reserved for the cart.
// Lapsed reservations and the cart's own are counted as free.
func survey(ctx context.Context, tx *postgres.Tx, cartID string, lines []Line) (*stock, error) {
	variants, _, _ := columns(lines)
	var raw []byte
	if err := tx.QueryRow(ctx, surveySQL, variants, cartID).Scan(&raw); err != nil {
		return nil, fmt.Errorf("survey stock: %w", err)
	}
	type row struct {
		Cart     string
		Variant  VariantID
		Location LocationID
		Active   bool
		Free     int64
		Quantity int64
		Left     float64
	}
	var found struct {
		Variants []struct {
			ID                VariantID
			Product, Title    string
			Counted, Oversell bool
			Limit             *int64
		}
		Levels, Mine, Lapsed []row
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, fmt.Errorf("survey stock: %w", err)
	}
	s := &stock{shelves: map[VariantID]*shelf{}}
	for _, v := range found.Variants {
		s.shelves[v.ID] = &shelf{id: v.ID, name: named(v.Product, v.Title), counted: v.Counted, oversell: v.Oversell, limit: v.Limit}
	}
	for _, l := range found.Levels {
		sh := s.shelves[l.Variant]
		sh.spots = append(sh.spots, spot{l.Location, l.Active, l.Free})
	}
	reserved := func(r row) reservation {
		s.shelves[r.Variant].spot(r.Location).free += r.Quantity
		left := time.Duration(r.Left * float64(time.Second)).Round(time.Microsecond)
		return reservation{Line: Line{r.Variant, r.Location, r.Quantity}, CartID: r.Cart, left: left}
	}
	for _, r := range found.Mine {
		s.mine = append(s.mine, reserved(r))
	}
	for _, r := range found.Lapsed {
		s.lapsed = append(s.lapsed, reserved(r))
	}
	for _, sh := range s.shelves {
		for _, at := range sh.spots {
			if at.active {
				sh.available += at.free
			}
		}
	}
	return s, nil
}

// spot is a location's part of the shelf; of a location that it is not at, nothing.
func (s *shelf) spot(location LocationID) *spot {
	if i := slices.IndexFunc(s.spots, func(at spot) bool { return at.location == location }); i >= 0 {
		return &s.spots[i]
	}
	return &spot{}
}

// enough says whether so many can be sold at all.
func (s *shelf) enough(quantity int64) bool {
	switch {
	case !s.counted, s.oversell && s.limit == nil:
		return true
	case s.oversell:
		return s.available-quantity >= -*s.limit
	}
	return s.available >= quantity
}

// servesAll is the first location that has all of what is counted, each variant in full;
// empty where none has.
func (s *stock) servesAll(lines []Line) LocationID {
	var candidates []LocationID
	for i, line := range s.counted(lines) {
		var able []LocationID
		for _, at := range s.shelves[line.VariantID].spots {
			if at.active && at.free >= line.Quantity {
				able = append(able, at.location)
			}
		}
		if i == 0 {
			candidates = able
			continue
		}
		candidates = slices.DeleteFunc(candidates, func(l LocationID) bool { return !slices.Contains(able, l) })
	}
	if len(candidates) == 0 {
		return ""
	}
	return candidates[0]
}

func (s *stock) counted(lines []Line) []Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return !s.shelves[l.VariantID].counted })
}

// allocate decides where lines are served from, one line for each variant: from the first
// location that has all of them; otherwise each variant from the first that has all of it;
// otherwise from several. What there is not enough of, and may be sold nevertheless, is
// owed by the first location. What is not counted is served from nowhere. Everything is
// known to be enough.
func (s *stock) allocate(lines []Line) []Line {
	var out []Line
	all := s.servesAll(lines)
	for _, line := range s.counted(lines) {
		sh := s.shelves[line.VariantID]
		if all != "" {
			out = append(out, Line{line.VariantID, all, line.Quantity})
			continue
		}
		out = append(out, sh.serve(line.Quantity)...)
	}
	return out
}

// serve decides where so many of one variant come from.
func (s *shelf) serve(quantity int64) []Line {
	var first LocationID
	for _, at := range s.spots {
		if !at.active {
			continue
		}
		if at.free >= quantity {
			return []Line{{s.id, at.location, quantity}}
		}
		if first == "" {
			first = at.location
		}
	}
	var out []Line
	for _, at := range s.spots {
		if part := min(at.free, quantity); at.active && part > 0 {
			out = append(out, Line{s.id, at.location, part})
			quantity -= part
		}
	}
	if quantity == 0 {
		return out
	}
	if i := slices.IndexFunc(out, func(l Line) bool { return l.LocationID == first }); i >= 0 {
		out[i].Quantity += quantity
		return out
	}
	return append(out, Line{s.id, first, quantity})
}

// together adds up lines of the same variant, or of the same level.
func together(lines []Line) (merged []Line) {
	for _, line := range lines {
		at := slices.IndexFunc(merged, func(m Line) bool { return m.VariantID == line.VariantID && m.LocationID == line.LocationID })
		if at < 0 {
			merged = append(merged, line)
			continue
		}
		merged[at].Quantity += line.Quantity
	}
	return merged
}
