package payments

import (
	"context"

	"github.com/stoacommerce/stoa/platform/money"
)

// Trying are the providers as a dry run has them: each says that what is asked of it
// succeeded, and nobody outside of the house is asked. What is paid by hand asks nobody anyway.
func (p Providers) Trying() Providers {
	tried := Providers{}
	for name, provider := range p {
		if tried[name] = provider; name != ManualName && name != NoneName {
			tried[name] = trial{}
		}
	}
	return tried
}

// trial is a provider that nobody asks.
type trial struct{}

// Charge implements Provider.
func (trial) Charge(_ context.Context, c Charge) (Outcome, error) {
	if c.Capture == Manual {
		return Outcome{Result: Authorised, Reference: "dry_run"}, nil
	}
	return Outcome{Result: Succeeded, Reference: "dry_run"}, nil
}

// Lookup implements Provider. What is under way elsewhere is taken to be so still.
func (trial) Lookup(context.Context, Charge) (Outcome, error) {
	return Outcome{Result: Waiting, Reference: "dry_run"}, nil
}

// Capture implements Provider.
func (trial) Capture(context.Context, Charge, money.Money) (Outcome, error) {
	return Outcome{Result: Succeeded, Reference: "dry_run"}, nil
}

// Void implements Provider.
func (trial) Void(context.Context, Charge) (Outcome, error) {
	return Outcome{Result: Voided, Reference: "dry_run"}, nil
}

// Refund implements Provider.
func (trial) Refund(context.Context, Refund) (Outcome, error) {
	return Outcome{Result: Succeeded, Reference: "dry_run"}, nil
}
