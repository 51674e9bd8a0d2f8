package inventory

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Transfer moves goods from one location to another.
type Transfer struct {
	From, To LocationID
	Note     string
	Lines    []Line // their locations do not matter
}

// Move makes a transfer, all lines or none: for each line a pair of movements, which have
// the transfer's ID in common. It gives the ID.
func Move(ctx context.Context, tx *postgres.Tx, t Transfer) (string, error) {
	var goes, comes []Line
	for _, line := range t.Lines {
		goes = append(goes, Line{line.VariantID, t.From, -line.Quantity})
		comes = append(comes, Line{line.VariantID, t.To, line.Quantity})
	}
	lines := append(goes, comes...)
	places, err := prepare(ctx, tx, lines)
	if err != nil {
		return "", err
	}
	if err := t.check(places); err != nil {
		return "", err
	}
	id := ids.New("trf")
	postings := make([]posting, len(lines))
	for i, line := range lines {
		postings[i] = posting{Line: line}
	}
	// What has lapsed of the reservations is in nobody's way. It goes first, as what may be
	// oversold would be moved whatever is reserved of it.
	if err := Clear(ctx, tx, lines); err != nil {
		return "", err
	}
	levels, err := post(ctx, tx, change{reason: Transferred, note: t.Note, transferID: id}, postings)
	if err != nil {
		return "", err
	}
	if err := t.refusals(levels); err != nil {
		return "", err
	}
	journal.Event(ctx, tx, "inventory.transferred", id, map[string]any{
		"id": id, "from_location_id": t.From, "to_location_id": t.To, "lines": moved(t.Lines),
	})
	journal.Audit(ctx, tx, journal.Entry{Action: "inventory.transfer", ObjectID: id, After: map[string]any{
		"from_location_id": t.From, "to_location_id": t.To, "note": t.Note, "lines": moved(t.Lines),
	}})
	return id, nil
}

func moved(lines []Line) []map[string]any {
	out := make([]map[string]any, len(lines))
	for i, line := range lines {
		out[i] = map[string]any{"variant_id": line.VariantID, "quantity": line.Quantity}
	}
	return out
}

func (t Transfer) check(places []place) error {
	wrong := invalid()
	if t.From == t.To {
		wrong.At("/to_location_id", "repeated", "Goods go from one location to another.")
	}
	if len(places) > 0 && places[0].location == "" {
		wrong.At("/from_location_id", "not_found", "There is no such location.")
	}
	if len(places) > 0 && places[len(places)-1].location == "" {
		wrong.At("/to_location_id", "not_found", "There is no such location.")
	}
	seen := map[VariantID]bool{}
	for i, line := range t.Lines {
		if !places[i].variant {
			wrong.At(fmt.Sprintf("/lines/%d/variant_id", i), "not_found", "There is no such variant.")
		}
		if seen[line.VariantID] {
			wrong.At(fmt.Sprintf("/lines/%d/variant_id", i), "repeated", "Each variant can be given once.")
		}
		seen[line.VariantID] = true
	}
	return wrong.OrNil()
}

// refusals says which lines there are too few of. Nobody can transfer what is not there,
// of whatever may be oversold either.
func (t Transfer) refusals(levels []level) error {
	var short *problem.Problem
	for i, line := range t.Lines {
		from := levels[i]
		if from.OnHand-from.Reserved >= line.Quantity && !from.Refused {
			continue
		}
		detail := fmt.Sprintf("Of %s there are %d here, and %d of them are reserved.", named(from.Product, from.Title), from.OnHand, from.Reserved)
		if short == nil {
			short = problem.New(problem.Conflict, "stock_reserved", "%s", detail)
		}
		short.At(fmt.Sprintf("/lines/%d/quantity", i), "stock_reserved", "%s", detail)
	}
	if short == nil {
		return nil
	}
	return short
}
