// Package payments is how money is taken and paid back: the provider's interface, the test
// provider, and what is kept of each payment.
//
// A payment is recorded before the provider is called, and the call bears the payment's
// ID. Whoever dies in between, Lookup by that ID tells later what the provider did, and
// calling again does nothing twice. No call is made within a transaction.
package payments

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Result is what a provider did.
type Result string

// The results.
const (
	Succeeded Result = "succeeded"
	Declined  Result = "declined"
	Voided    Result = "voided"  // nothing was taken under the reference, and nothing ever will be
	Unknown   Result = "unknown" // the provider never heard of the reference
)

// Outcome is a provider's answer.
type Outcome struct {
	Result    Result
	Reference string // the provider's own name for it
	Failure   string // a code, where it declined
}

// Unavailable is the failure of a charge that no provider answered for.
const Unavailable = "provider_unavailable"

// Charge is money to be taken.
type Charge struct {
	Reference string // ours: pay_…
	Amount    money.Money
	Token     string // what the provider gave for the shopper's means of payment
}

// Refund is money to be paid back.
type Refund struct {
	Reference string // ours: ref_…
	Charge    string // the charge's reference: pay_…
	Amount    money.Money
}

// Provider takes money and pays it back. Its methods can be called again with the same
// reference: that does nothing a second time and gives the first outcome. An error means
// that the outcome is not known; a refusal is an outcome.
type Provider interface {
	Charge(ctx context.Context, c Charge) (Outcome, error)
	// Lookup tells what became of a charge.
	Lookup(ctx context.Context, reference string) (Outcome, error)
	// Void gives a charge up, whether or not it was made: once it has answered Voided, a
	// Charge under the reference that comes late is declined.
	Void(ctx context.Context, reference string) (Outcome, error)
	Refund(ctx context.Context, r Refund) (Outcome, error)
}

// TestName is the name of the provider that takes no real money.
const TestName = "test"

// Providers are the providers by name.
type Providers map[string]Provider

// Terms is what decides which providers a store may use.
type Terms struct {
	Live bool // the live side of a store, not its sandbox
	Demo bool // a store for show
}

// For is the provider that a store's shopper asks for.
func (p Providers) For(name string, terms Terms) (Provider, error) {
	if name == TestName && terms.Live && !terms.Demo {
		return nil, problem.New(problem.Unprocessable, "test_provider_refused", "Real orders are not paid for with test payments.").
			At("/payment/provider", "test_provider_refused", "It exists in sandboxes and demo stores only.")
	}
	provider, ok := p[name]
	if !ok {
		return nil, problem.New(problem.Unprocessable, "unknown_reference", "This shop does not take payments by %s.", name).
			At("/payment/provider", "unknown_reference", "There is no such provider.")
	}
	return provider, nil
}

// Named is a provider that was used before.
func (p Providers) Named(name string) (Provider, error) {
	if provider, ok := p[name]; ok {
		return provider, nil
	}
	return nil, fmt.Errorf("payment provider %q is not configured", name)
}
