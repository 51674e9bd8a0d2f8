package inventory

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MostStock bounds what can be on hand of a variant at a location, either way.
const MostStock = 1_000_000_000

// Adjustment changes levels by hand.
type Adjustment struct {
	Reason Reason
	Note   string
	Lines  []AdjustmentLine
}

// AdjustmentLine changes one level: its quantity comes, or goes when it is negative.
type AdjustmentLine struct {
	Line
	Set bool // the quantity is what there is afterwards
}

// Change makes an adjustment's line of each line.
func Change(lines []Line) []AdjustmentLine {
	out := make([]AdjustmentLine, len(lines))
	for i, line := range lines {
		out[i].Line = line
	}
	return out
}

// adjusted is the event's data, in the contract's shape.
type adjusted struct {
	VariantID  VariantID  `json:"variant_id"`
	ProductID  string     `json:"product_id"`
	SKU        *string    `json:"sku"`
	LocationID LocationID `json:"location_id"`
	Delta      int64      `json:"delta"`
	OnHand     int64      `json:"on_hand"`
}

// Adjust changes stock by hand or by an import, all lines or none, and gives the levels
// that were changed, with what is on hand now. Stock that is counted does not fall below
// what is reserved.
func Adjust(ctx context.Context, tx *postgres.Tx, a Adjustment) ([]Line, error) {
	lines := make([]Line, len(a.Lines))
	for i, line := range a.Lines {
		lines[i] = line.Line
	}
	lines, err := a.placed(ctx, tx, lines)
	if err != nil {
		return nil, err
	}
	postings := make([]posting, len(lines))
	for i, line := range lines {
		postings[i] = posting{Line: line, set: a.Lines[i].Set}
	}
	c := change{reason: a.Reason, note: a.Note}
	levels, err := post(ctx, tx, c, postings)
	if err != nil {
		return nil, err
	}
	if refusals(postings, levels) != nil {
		// What has lapsed of the reservations is in nobody's way.
		if err := Clear(ctx, tx, lines); err != nil {
			return nil, err
		}
		if levels, err = post(ctx, tx, c, postings); err != nil {
			return nil, err
		}
	}
	if err := refusals(postings, levels); err != nil {
		return nil, err
	}
	for i, l := range levels {
		lines[i].Quantity = l.After
		if l.After == l.OnHand {
			continue
		}
		id := lines[i].VariantID
		journal.Event(ctx, tx, "inventory.adjusted", string(id), adjusted{id, l.ProductID, l.SKU, l.LocationID, l.After - l.OnHand, l.After})
		journal.Audit(ctx, tx, journal.Entry{
			Action: "inventory.adjust", ObjectID: string(id), Reason: string(a.Reason),
			Before: map[string]any{"location_id": l.LocationID, "on_hand": l.OnHand},
			After:  map[string]any{"location_id": l.LocationID, "on_hand": l.After, "note": a.Note},
		})
	}
	return lines, nil
}

// Begin gives new variants their levels at the first location and their first stock, of
// which no event tells but their own.
func Begin(ctx context.Context, tx *postgres.Tx, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	if _, err := prepare(ctx, tx, lines); err != nil {
		return err
	}
	var some []posting
	for _, line := range lines {
		if line.Quantity != 0 {
			some = append(some, posting{Line: line})
		}
	}
	_, err := post(ctx, tx, change{reason: Initial}, some)
	return err
}

// place is where a line goes, and whether there is such a variant and location.
type place struct {
	variant  bool
	location LocationID // empty: there is none
}

const prepareSQL = `
with asked as (
	select w.n, w.id, o.id as location
	from unnest($1::text[], $2::text[]) with ordinality as w(id, location, n)
	left join locations o on o.id = coalesce(nullif(w.location, ''), ` + firstLocation + `)
), made as (
	insert into stock_levels (variant_id, location_id, bounded)
	select distinct v.id, a.location, v.bounded from asked a join variants v on v.id = a.id where a.location is not null
	order by v.id, a.location
	on conflict do nothing
)
select v.id is not null, coalesce(a.location, '') from asked a left join variants v using (id) order by a.n`

// prepare makes levels for lines that have none yet, and says where they are.
func prepare(ctx context.Context, tx *postgres.Tx, lines []Line) ([]place, error) {
	variants, locations, _ := columns(lines)
	rows, err := tx.Query(ctx, prepareSQL, variants, locations)
	if err != nil {
		return nil, fmt.Errorf("prepare levels: %w", err)
	}
	defer rows.Close()
	var places []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.variant, &p.location); err != nil {
			return nil, fmt.Errorf("prepare levels: %w", err)
		}
		places = append(places, p)
	}
	return places, rows.Err()
}

// placed finds out where the lines are, and refuses those that are nowhere, stand there
// twice, or change nothing.
func (a Adjustment) placed(ctx context.Context, tx *postgres.Tx, lines []Line) ([]Line, error) {
	places, err := prepare(ctx, tx, lines)
	if err != nil {
		return nil, err
	}
	wrong := invalid()
	seen := map[Line]bool{}
	for i, p := range places {
		at := Line{VariantID: lines[i].VariantID, LocationID: p.location}
		pointer := fmt.Sprintf("/lines/%d", i)
		switch {
		case !p.variant:
			wrong.At(pointer+"/variant_id", "not_found", "There is no such variant.")
		case p.location == "":
			wrong.At(pointer+"/location_id", "not_found", "There is no such location.")
		case seen[at]:
			wrong.At(pointer+"/variant_id", "repeated", "Each variant can be given once for a location.")
		case lines[i].Quantity == 0 && !a.Lines[i].Set:
			wrong.At(pointer+"/delta", "zero", "This changes nothing.")
		}
		seen[at] = true
		lines[i].LocationID = p.location
	}
	return lines, wrong.OrNil()
}

func invalid() *problem.Problem {
	return problem.New(problem.Unprocessable, "invalid_adjustment", "The stock cannot be changed like this.")
}

// refusals says which of an adjustment's lines cannot be.
func refusals(postings []posting, levels []level) error {
	wrong := invalid()
	var reserved *problem.Problem
	for i, l := range levels {
		p := postings[i]
		at, after := fmt.Sprintf("/lines/%d/delta", i), l.OnHand+p.Quantity
		if p.set {
			at, after = fmt.Sprintf("/lines/%d/on_hand", i), p.Quantity
		}
		switch {
		case after > MostStock || after < -MostStock:
			wrong.At(at, "out_of_range", "There would be %d.", after)
		case l.Refused:
			detail := fmt.Sprintf("Of %s there are %d, and %d of them are reserved.", named(l.Product, l.Title), l.OnHand, l.Reserved)
			if reserved == nil {
				reserved = problem.New(problem.Conflict, "stock_reserved", "%s", detail)
			}
			reserved.At(at, "stock_reserved", "%s", detail)
		}
	}
	if err := wrong.OrNil(); err != nil || reserved == nil {
		return err
	}
	return reserved
}
