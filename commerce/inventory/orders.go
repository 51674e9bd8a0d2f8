package inventory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Hold is how long a reservation lasts after the shopper was last active.
const Hold = 15 * time.Minute

// LongestHold bounds how long goods are kept from others that nobody has bought.
const LongestHold = 90 * 24 * time.Hour

// HoldSQL is Hold as an interval in SQL.
var HoldSQL = fmt.Sprintf("interval '%d seconds'", int(Hold.Seconds()))

// Held is where a line is served from.
type Held struct {
	Counted bool // whether its stock is counted; what is not is served from nowhere
	Parts   []Part
}

// Part is so many of a line that come from a location.
type Part struct {
	LocationID LocationID `json:"location_id"`
	Quantity   int64      `json:"quantity"`
}

// Reserve promises lines to a cart for a while, in place of what was reserved for it
// before: all of them or, with a problem that names each line of which there are too few,
// none. The caller holds the cart.
func Reserve(ctx context.Context, tx *postgres.Tx, cartID string, lines []Line) ([]Held, error) {
	return ReserveFor(ctx, tx, cartID, lines, Hold)
}

// ReserveFor is Reserve for a while of the caller's own, at most LongestHold.
func ReserveFor(ctx context.Context, tx *postgres.Tx, cartID string, lines []Line, last time.Duration) ([]Held, error) {
	return hold(ctx, tx, change{cartID: cartID, last: min(last, LongestHold), reason: Sale}, lines)
}

// Claim is Reserve for a cart that is being paid for: it lasts until Settle or Release,
// whoever comes by.
func Claim(ctx context.Context, tx *postgres.Tx, cartID string, lines []Line) ([]Held, error) {
	return hold(ctx, tx, change{cartID: cartID, paying: true, reason: Sale}, lines)
}

func hold(ctx context.Context, tx *postgres.Tx, c change, lines []Line) ([]Held, error) {
	s, err := survey(ctx, tx, c.cartID, lines)
	if err != nil {
		return nil, err
	}
	wanted := together(lines)
	if err := s.shortages(lines, wanted); err != nil {
		return nil, err
	}
	if err := s.open(ctx, tx, wanted); err != nil {
		return nil, err
	}
	c.kept, c.lapsed = s.allocate(wanted), s.lapsed
	if c.paying {
		// Should the payment fail, the shopper has the time that was promised before.
		for _, r := range s.mine {
			c.last = max(c.last, r.left)
		}
	}
	levels, err := post(ctx, tx, c, s.reserving(c.kept))
	if err != nil {
		return nil, err
	}
	for i, l := range levels {
		if l.Refused || !l.Kept {
			return nil, fmt.Errorf("reserve for cart %s: level %d at %s is not as it was", c.cartID, i, l.LocationID)
		}
	}
	if !c.paying && len(c.kept) > 0 {
		lapseAt(tx, clock.Now().Add(c.last))
	}
	return s.parts(lines, c.kept), nil
}

// shortages refuses what there is too little of.
func (s *stock) shortages(lines, wanted []Line) error {
	short := map[VariantID]string{}
	for _, w := range wanted {
		switch sh := s.shelves[w.VariantID]; {
		case sh == nil:
			short[w.VariantID] = "It is no longer sold."
		case !sh.enough(w.Quantity):
			short[w.VariantID] = sh.shortage()
		}
	}
	var p *problem.Problem
	for i, line := range lines {
		detail, ok := short[line.VariantID]
		if !ok {
			continue
		}
		if p == nil {
			p = problem.New(problem.Conflict, "out_of_stock", "%s", detail)
		}
		p.At(fmt.Sprintf("/lines/%d/quantity", i), "out_of_stock", "%s", detail)
	}
	if p == nil {
		return nil
	}
	return p
}

func (s *shelf) shortage() string {
	left := s.available
	if s.oversell {
		left += *s.limit
	}
	switch {
	case left <= 0:
		return s.name + " is sold out."
	case left == 1:
		return "Only one of " + s.name + " is left."
	default:
		return fmt.Sprintf("Only %d of %s are left.", left, s.name)
	}
}

// open gives variants that are at no active location, and may be oversold, a level at the
// first one.
func (s *stock) open(ctx context.Context, tx *postgres.Tx, wanted []Line) error {
	var nowhere []Line
	for _, line := range s.counted(wanted) {
		if sh := s.shelves[line.VariantID]; len(sh.serve(1)) == 0 || sh.serve(1)[0].LocationID == "" {
			nowhere = append(nowhere, Line{VariantID: line.VariantID})
		}
	}
	if len(nowhere) == 0 {
		return nil
	}
	places, err := prepare(ctx, tx, nowhere)
	if err != nil {
		return err
	}
	for i, p := range places {
		sh := s.shelves[nowhere[i].VariantID]
		sh.spots = append([]spot{{location: p.location, active: true}}, sh.spots...)
	}
	return nil
}

// reserving are the postings that take back what was reserved and has lapsed, and reserve
// what is kept.
func (s *stock) reserving(kept []Line) []posting {
	var lines []Line
	for _, r := range append(s.mine, s.lapsed...) {
		lines = append(lines, Line{r.VariantID, r.LocationID, -r.Quantity})
	}
	var postings []posting
	for _, line := range together(append(lines, kept...)) {
		postings = append(postings, posting{Line: Line{VariantID: line.VariantID, LocationID: line.LocationID}, reserved: line.Quantity})
	}
	return postings
}

// parts tells each line, of which several may be of one variant, where it is served from.
func (s *stock) parts(lines, kept []Line) []Held {
	rest := append([]Line(nil), kept...)
	out := make([]Held, len(lines))
	for i, line := range lines {
		out[i] = Held{s.shelves[line.VariantID].counted, []Part{}}
		left := line.Quantity
		for j := range rest {
			if part := min(rest[j].Quantity, left); rest[j].VariantID == line.VariantID && part > 0 {
				out[i].Parts = append(out[i].Parts, Part{rest[j].LocationID, part})
				rest[j].Quantity -= part
				left -= part
			}
		}
	}
	return out
}

// Settle sells what was claimed for a cart: lines with their locations.
func Settle(ctx context.Context, tx *postgres.Tx, cartID, orderID string, lines []Line) error {
	var postings []posting
	for _, line := range together(lines) {
		postings = append(postings, posting{Line: Line{line.VariantID, line.LocationID, -line.Quantity}, reserved: -line.Quantity})
	}
	_, err := post(ctx, tx, change{mayMiss: true, reason: Sale, orderID: orderID, cartID: cartID}, postings)
	return err
}

// Release lets go of what is reserved for a cart.
func Release(ctx context.Context, tx *postgres.Tx, cartID string) error {
	s, err := survey(ctx, tx, cartID, nil)
	if err != nil {
		return err
	}
	_, err = post(ctx, tx, change{mayMiss: true, reason: Sale, cartID: cartID, lapsed: s.lapsed}, s.reserving(nil))
	return err
}

// Reopen makes what was claimed for a cart a reservation again, for as long as was
// promised before the claim; what was not promised is let go of.
func Reopen(ctx context.Context, tx *postgres.Tx, cartID string) error {
	var until *time.Time
	err := tx.QueryRow(ctx, `with r as (update reservations set paying = false where cart_id = $1 returning expires_at)
		select min(expires_at) filter (where expires_at > now()) from r`, cartID).Scan(&until)
	if err != nil {
		return fmt.Errorf("reopen the reservation of cart %s: %w", cartID, err)
	}
	if until != nil {
		lapseAt(tx, *until)
		return nil
	}
	return Release(ctx, tx, cartID)
}

// Swap takes goods of an order back that are not to be sent any more, and sells it others: all
// or, with a problem that names each line of which there are too few, none. What it says is where
// those are served from. The caller holds the order.
func Swap(ctx context.Context, tx *postgres.Tx, orderID string, back, out []Line) ([]Held, error) {
	// All variants are locked at once, in the order of their IDs.
	if _, err := survey(ctx, tx, "", append(slices.Clone(back), out...)); err != nil {
		return nil, err
	}
	if err := Return(ctx, tx, orderID, Cancellation, back); err != nil {
		return nil, err
	}
	s, err := survey(ctx, tx, "", out)
	if err != nil {
		return nil, err
	}
	wanted := together(out)
	if err := s.shortages(out, wanted); err != nil {
		return nil, err
	}
	if err := s.open(ctx, tx, wanted); err != nil {
		return nil, err
	}
	sold := s.allocate(wanted)
	postings := s.reserving(nil) // of what has lapsed
	for _, line := range together(sold) {
		at := slices.IndexFunc(postings, func(p posting) bool { return p.VariantID == line.VariantID && p.LocationID == line.LocationID })
		if at < 0 {
			at, postings = len(postings), append(postings, posting{Line: Line{VariantID: line.VariantID, LocationID: line.LocationID}})
		}
		postings[at].Quantity -= line.Quantity
	}
	levels, err := post(ctx, tx, change{reason: Sale, orderID: orderID, lapsed: s.lapsed}, postings)
	if err != nil {
		return nil, err
	}
	for _, l := range levels {
		if l.Refused || !l.Kept {
			return nil, fmt.Errorf("sell to order %s: the level at %s is not as it was", orderID, l.LocationID)
		}
	}
	return s.parts(out, sold), nil
}

// soldSQL is where the goods of an order came from, less what went back: the ledger knows.
const soldSQL = `select m.variant_id, m.location_id, -sum(m.quantity)::bigint from stock_movements m
where m.order_id = $1 and m.variant_id = any($2::text[]) group by m.variant_id, m.location_id having sum(m.quantity) < 0
order by min(m.id)`

// Return puts back what was sold to an order, for a cancellation, a refund or a return: at
// the location that a line names, or else where it came from; what the ledger does not know
// of goes to the first location. Variants that are gone by now are passed over. The caller
// holds the order.
func Return(ctx context.Context, tx *postgres.Tx, orderID string, reason Reason, lines []Line) error {
	lines = together(lines)
	if len(lines) == 0 {
		return nil
	}
	sold, err := soldFrom(ctx, tx, orderID, lines)
	if err != nil {
		return err
	}
	var back, rest []Line
	for _, line := range lines {
		for j, from := range sold {
			if line.LocationID != "" {
				break
			}
			if part := min(from.Quantity, line.Quantity); from.VariantID == line.VariantID && part > 0 {
				back = append(back, Line{from.VariantID, from.LocationID, part})
				line.Quantity -= part
				sold[j].Quantity -= part
			}
		}
		if line.Quantity > 0 {
			rest = append(rest, line)
		}
	}
	if len(rest) > 0 {
		places, err := prepare(ctx, tx, rest)
		if err != nil {
			return err
		}
		for i, p := range places {
			if p.variant {
				back = append(back, Line{rest[i].VariantID, p.location, rest[i].Quantity})
			}
		}
	}
	var postings []posting
	for _, line := range together(back) {
		postings = append(postings, posting{Line: line})
	}
	_, err = post(ctx, tx, change{mayMiss: true, reason: reason, orderID: orderID}, postings)
	return err
}

// soldFrom is where the goods of an order came from.
func soldFrom(ctx context.Context, tx *postgres.Tx, orderID string, lines []Line) (sold []Line, err error) {
	variants, _, _ := columns(lines)
	rows, err := tx.Query(ctx, soldSQL, orderID, variants)
	if err != nil {
		return nil, fmt.Errorf("where the goods of %s came from: %w", orderID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var from Line
		if err := rows.Scan(&from.VariantID, &from.LocationID, &from.Quantity); err != nil {
			return nil, fmt.Errorf("where the goods of %s came from: %w", orderID, err)
		}
		sold = append(sold, from)
	}
	return sold, rows.Err()
}
