package payments

import (
	"context"

	"github.com/stoacommerce/stoa/platform/money"
)

// ByHand is the manual provider: nobody is called, and the money is due until the staff
// say that it came. Paying back is the staff's to do as well, and counts as done when they
// say so.
type ByHand struct{}

// Charge implements Provider.
func (ByHand) Charge(context.Context, Charge) (Outcome, error) { return Outcome{Result: Due}, nil }

// Lookup implements Provider. An attempt left behind by a dead process is due: there is
// nobody who could say otherwise, and the shopper had said the final word.
func (ByHand) Lookup(context.Context, Charge) (Outcome, error) { return Outcome{Result: Due}, nil }

// Capture implements Provider.
func (ByHand) Capture(_ context.Context, _ Charge, amount money.Money) (Outcome, error) {
	return Outcome{Result: Succeeded, Taken: amount.Amount}, nil
}

// Void implements Provider.
func (ByHand) Void(context.Context, Charge) (Outcome, error) { return Outcome{Result: Voided}, nil }

// Refund implements Provider.
func (ByHand) Refund(context.Context, Refund) (Outcome, error) {
	return Outcome{Result: Succeeded}, nil
}
