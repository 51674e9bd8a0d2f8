// Package payments is how money is taken and paid back: the provider's interface, the
// providers that need no other house, how a store wants to be paid, and what is kept of
// each payment.
//
// A payment is recorded before the provider is called, and the call bears the payment's
// ID. Whoever dies in between, Lookup by that ID tells later what the provider did, and
// calling again does nothing twice. No call is made within a transaction.
package payments

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Result is what a provider did.
type Result string

// The results.
const (
	Succeeded  Result = "succeeded"
	Authorised Result = "authorised" // held for us, to be captured
	Due        Result = "due"        // the shopper owes it; it comes by ways that nobody tells us of
	Waiting    Result = "waiting"    // for the shopper to take another step
	Processing Result = "processing" // the provider is at work on it, and will know later
	Declined   Result = "declined"
	Voided     Result = "voided"  // nothing was taken under the reference, and nothing ever will be
	Unknown    Result = "unknown" // the provider never heard of the reference
)

// Outcome is a provider's answer.
type Outcome struct {
	Result    Result
	Reference string // the provider's own name for it
	Failure   string // a code, where it declined
	Step      *Step  // what the shopper has to do, while it is waiting

	// What the provider's own books say of a charge: what it took, and what of it went
	// back. Only Lookup need tell.
	Taken, Refunded int64
}

// Step is what a shopper has to do before a payment can go on.
type Step struct {
	Type           string `json:"type"` // StepRedirect or StepConfirm
	URL            string `json:"url,omitempty"`
	ClientSecret   string `json:"client_secret,omitempty"`
	PublishableKey string `json:"publishable_key,omitempty"`
	Account        string `json:"account,omitempty"`
}

// The types of steps.
const (
	StepRedirect = "redirect" // go to the provider's page, and come back
	StepConfirm  = "confirm"  // confirm by the provider's own library, with the client secret
)

// StepTime is how long a shopper may take over a step. Then the payment is given up, and
// the goods are let go.
const StepTime = 30 * time.Minute

// Unavailable is the failure of a charge that no provider answered for.
const Unavailable = "provider_unavailable"

// Capture says when money is taken that was authorised.
type Capture string

// The ways to capture.
const (
	Automatic Capture = "automatic" // at once
	Manual    Capture = "manual"    // when the staff say so
)

// Charge is money to be taken.
type Charge struct {
	Reference string // ours: pay_…
	Theirs    string // the provider's own name for it, once it is known
	Account   string // the provider's account that it is of; empty for providers without any
	Amount    money.Money
	Capture   Capture
	Request   Request
}

// Request is what a provider is asked with beside the amount. It is kept with the payment:
// whoever goes on with an attempt asks the same.
type Request struct {
	Token        string `json:"token,omitempty"` // what the provider gave for the means of payment, or its choice
	Flow         string `json:"flow,omitempty"`
	ReturnURL    string `json:"return_url,omitempty"` // where the shopper comes back to
	Email        string `json:"email,omitempty"`
	Name         string `json:"name,omitempty"`         // of what is paid for, or of the manual method
	Instructions string `json:"instructions,omitempty"` // how the shopper is to pay, for what is due
}

// Refund is money to be paid back.
type Refund struct {
	Reference string // ours: ref_…
	Theirs    string // the provider's own name for it, once it is known
	Charge    Charge
	Amount    money.Money
}

// Booked is money that went back, as the provider's own books have it.
type Booked struct {
	Reference string // the provider's
	Ours      string // ref_…, of a refund that we asked for; empty for one made elsewhere
	Result    Result
	Amount    money.Money
}

// Dispute is a payment that the shopper's bank asks back. It is kept in this form, which is
// the API's.
type Dispute struct {
	Reference string      `json:"reference"` // the provider's
	State     string      `json:"state"`
	Reason    string      `json:"reason"`
	Amount    money.Money `json:"amount"`
	Withdrawn bool        `json:"funds_withdrawn"` // the provider has taken the money back from the store
	RespondBy *time.Time  `json:"respond_by"`
	CreatedAt time.Time   `json:"created_at"`
}

// The states of a dispute. The last three are final.
const (
	DisputeNeedsResponse = "needs_response"
	DisputeUnderReview   = "under_review"
	DisputeWon           = "won"
	DisputeLost          = "lost"
	DisputeClosed        = "closed" // an inquiry that came to nothing
)

// Final says whether the dispute has ended.
func (d Dispute) Final() bool {
	return d.State == DisputeWon || d.State == DisputeLost || d.State == DisputeClosed
}

// Books are what a provider's books have of a charge that was taken.
type Books struct {
	Refunds  []Booked
	Disputes []Dispute
}

// Bookkeeper is a provider at which something can happen to a charge that nobody here asked
// for: refunds at its own page, and disputes.
type Bookkeeper interface {
	Books(ctx context.Context, c Charge) (Books, error)
}

// Provider takes money and pays it back. Its methods can be called again with the same
// reference: that does nothing a second time and gives the first outcome, or what has come
// of it since. An error means that the outcome is not known; a refusal is an outcome.
type Provider interface {
	// Charge takes the money, holds it, or says which step the shopper has to take.
	Charge(ctx context.Context, c Charge) (Outcome, error)
	// Lookup tells what became of a charge.
	Lookup(ctx context.Context, c Charge) (Outcome, error)
	// Capture takes so much of what is authorised, and lets go of the rest. What was taken
	// before has succeeded.
	Capture(ctx context.Context, c Charge, amount money.Money) (Outcome, error)
	// Void gives a charge up that was not taken, whether or not it was made: once it has
	// answered Voided, a Charge under the reference that comes late takes nothing. Of what
	// was taken it says so, and changes nothing.
	Void(ctx context.Context, c Charge) (Outcome, error)
	// Refund pays back. Processing says that it is not known yet whether it can.
	Refund(ctx context.Context, r Refund) (Outcome, error)
}

// The names of the providers.
const (
	TestName   = "test"   // takes no real money
	ManualName = "manual" // bank transfer, cash on delivery and the like
	StripeName = "stripe"
	NoneName   = "none" // of a payment of nothing, for which nobody is asked
)

// Providers are the providers by name.
type Providers map[string]Provider

// Terms is what decides which providers a store may use.
type Terms struct {
	Live bool // the live side of a store, not its sandbox
	Demo bool // a store for show
}

// Test says whether the provider for tests may be used.
func (t Terms) Test() bool { return !t.Live || t.Demo }

// Chosen is the shopper's choice of how to pay.
type Chosen struct {
	Provider  string
	Token     string
	Flow      string
	ReturnURL string
	Merchant  bool // it is not the shopper who chooses: by hand is paid whether or not that is offered
}

// Prepare makes the charge that a shopper's choice comes to, in a store of these settings;
// the amount and the reference are the caller's.
func (p Providers) Prepare(chosen Chosen, terms Terms, s Settings) (Charge, error) {
	c := Charge{Capture: s.Capture, Request: Request{Token: chosen.Token}}
	refuse := func(code, detail string) error {
		return problem.New(problem.Unprocessable, code, "This shop does not take payments like this.").At("/payment/provider", code, "%s", detail)
	}
	if _, ok := p[chosen.Provider]; !ok {
		return c, refuse("unknown_reference", "There is no such provider.")
	}
	switch {
	case chosen.Provider == TestName && !terms.Test():
		return c, refuse("test_provider_refused", "It exists in sandboxes and demo stores only.")
	case chosen.Provider != TestName && !s.On(chosen.Provider) && !(chosen.Merchant && chosen.Provider == ManualName):
		return c, refuse("provider_off", "The store has not turned it on.")
	}
	switch chosen.Provider {
	case ManualName:
		method, ok := s.Method(chosen.Token)
		if !ok && (!chosen.Merchant || chosen.Token != "") {
			return c, problem.New(problem.Unprocessable, "unknown_reference", "This shop does not take payments like this.").
				At("/payment/token", "unknown_reference", "The store has no such manual method.")
		}
		c.Capture = Manual
		c.Request = Request{Token: method.ID, Name: method.Name, Instructions: method.Instructions}
	case StripeName:
		if err := s.Stripe.prepare(&c, chosen); err != nil {
			return c, err
		}
	default:
		c.Request.ReturnURL = chosen.ReturnURL
	}
	return c, nil
}

// Named is a provider that was used before.
func (p Providers) Named(name string) (Provider, error) {
	if provider, ok := p[name]; ok {
		return provider, nil
	}
	return nil, fmt.Errorf("payment provider %q is not configured", name)
}
