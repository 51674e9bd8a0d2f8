package inventory

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MostStock bounds what can be in stock of a variant, either way.
const MostStock = 1_000_000_000

// Adjustment changes the stock of several variants by hand: a line's quantity is what
// comes, or what goes when it is negative.
type Adjustment struct {
	Reason Reason
	Note   string
	Lines  []Line
}

// Validate says what is wrong with the adjustment by itself.
func (a Adjustment) Validate() error {
	wrong := problem.New(problem.Unprocessable, "invalid_adjustment", "The adjustment cannot be made.")
	seen := map[VariantID]bool{}
	for i, line := range a.Lines {
		if seen[line.VariantID] {
			wrong.At(fmt.Sprintf("/lines/%d/variant_id", i), "repeated", "Each variant can be given once.")
		}
		seen[line.VariantID] = true
		if line.Quantity == 0 {
			wrong.At(fmt.Sprintf("/lines/%d/delta", i), "zero", "This changes nothing.")
		}
	}
	return wrong.OrNil()
}

// adjusted is the event's data, in the contract's shape.
type adjusted struct {
	VariantID VariantID `json:"variant_id"`
	ProductID string    `json:"product_id"`
	SKU       *string   `json:"sku"`
	Delta     int64     `json:"delta"`
	OnHand    int64     `json:"on_hand"`
}

// Adjust changes stock by hand or by an import, all lines or none. Stock that is counted
// does not fall below what is reserved.
func Adjust(ctx context.Context, tx *postgres.Tx, a Adjustment) error {
	if err := a.Validate(); err != nil {
		return err
	}
	levels, err := apply(ctx, tx, change{stock: 1, reason: a.Reason, note: a.Note}, a.Lines)
	if err != nil {
		return err
	}
	if err := refusals(a.Lines, levels); err != nil {
		return err
	}
	for i, l := range levels {
		line := a.Lines[i]
		data := adjusted{line.VariantID, l.ProductID, l.SKU, line.Quantity, l.After}
		journal.Event(ctx, tx, "inventory.adjusted", string(line.VariantID), data)
		journal.Audit(ctx, tx, journal.Entry{
			Action: "inventory.adjust", ObjectID: string(line.VariantID), Reason: string(a.Reason),
			Before: map[string]int64{"on_hand": l.Stock}, After: map[string]any{"on_hand": l.After, "note": a.Note},
		})
	}
	return nil
}

// Begin gives new variants their first stock, of which no event tells but their own.
func Begin(ctx context.Context, tx *postgres.Tx, lines []Line) error {
	some := lines[:0:0]
	for _, line := range lines {
		if line.Quantity != 0 {
			some = append(some, line)
		}
	}
	_, err := apply(ctx, tx, change{stock: 1, reason: Initial}, some)
	return err
}

func refusals(lines []Line, levels []level) error {
	missing := problem.New(problem.Unprocessable, "invalid_adjustment", "The adjustment cannot be made.")
	var reserved *problem.Problem
	for i, l := range levels {
		switch after := l.Stock + lines[i].Quantity; {
		case !l.Found:
			missing.At(fmt.Sprintf("/lines/%d/variant_id", i), "not_found", "There is no such variant.")
		case after > MostStock || after < -MostStock:
			missing.At(fmt.Sprintf("/lines/%d/delta", i), "out_of_range", "There would be %d.", after)
		case l.Refused:
			detail := fmt.Sprintf("Of %s there are %d, and %d of them are reserved.", l.name(), l.Stock, l.Reserved)
			if reserved == nil {
				reserved = problem.New(problem.Conflict, "stock_reserved", "%s", detail)
			}
			reserved.At(fmt.Sprintf("/lines/%d/delta", i), "stock_reserved", "%s", detail)
		}
	}
	if err := missing.OrNil(); err != nil || reserved == nil {
		return err
	}
	return reserved
}
