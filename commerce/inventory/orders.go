package inventory

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Take sells lines to an order: all of them or, with a problem that names each line of
// which there are too few, none. It says of each line whether its stock is counted: only
// those may be given to Return later.
func Take(ctx context.Context, tx *postgres.Tx, orderID string, lines []Line) (counted []bool, err error) {
	return demand(ctx, tx, change{stock: -1, countedOnly: true, reason: Sale, orderID: orderID}, lines)
}

// Reserve promises lines to an order under way, under the same rule as Take. What was
// counted is to be given to Settle or Release later, whoever comes by.
func Reserve(ctx context.Context, tx *postgres.Tx, lines []Line) (counted []bool, err error) {
	return demand(ctx, tx, change{reserved: 1, countedOnly: true, reason: Sale}, lines)
}

// Settle sells what was reserved.
func Settle(ctx context.Context, tx *postgres.Tx, orderID string, lines []Line) error {
	return give(ctx, tx, change{stock: -1, reserved: -1, mayMiss: true, reason: Sale, orderID: orderID}, lines)
}

// Release lets go of what was reserved.
func Release(ctx context.Context, tx *postgres.Tx, lines []Line) error {
	return give(ctx, tx, change{reserved: -1, mayMiss: true, reason: Cancellation}, lines)
}

// Return puts back what was sold to an order, for a cancellation or a refund. Variants
// that are gone by now are passed over.
func Return(ctx context.Context, tx *postgres.Tx, orderID string, reason Reason, lines []Line) error {
	return give(ctx, tx, change{stock: 1, mayMiss: true, reason: reason, orderID: orderID}, lines)
}

func give(ctx context.Context, tx *postgres.Tx, c change, lines []Line) error {
	merged, _ := together(lines)
	_, err := apply(ctx, tx, c, merged)
	return err
}

func demand(ctx context.Context, tx *postgres.Tx, c change, lines []Line) ([]bool, error) {
	merged, of := together(lines)
	levels, err := apply(ctx, tx, c, merged)
	if err != nil {
		return nil, err
	}
	counted := make([]bool, len(lines))
	var short *problem.Problem
	for i := range lines {
		l := levels[of[i]]
		counted[i] = l.Counted
		if l.Found && !l.Refused {
			continue
		}
		if short == nil {
			short = problem.New(problem.Conflict, "out_of_stock", "%s", shortage(l))
		}
		short.At(fmt.Sprintf("/lines/%d/quantity", i), "out_of_stock", "%s", shortage(l))
	}
	if short != nil {
		return nil, short
	}
	return counted, nil
}

func shortage(l level) string {
	switch left := l.available(); {
	case !l.Found:
		return "It is no longer sold."
	case left <= 0:
		return l.name() + " is sold out."
	case left == 1:
		return "Only one of " + l.name() + " is left."
	default:
		return fmt.Sprintf("Only %d of %s are left.", left, l.name())
	}
}
