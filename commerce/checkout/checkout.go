// Package checkout turns a cart into an order, exactly once: goods are reserved and an
// order and its payment are written down as pending, the payment's provider is called
// outside of any transaction, and what it said is recorded. It alone sees all of selling.
//
// A process may die at any point of this. The pending payment tells what was under way:
// whoever asks again under the same name, and the job that every attempt leaves for later,
// asks the provider what it did and goes on from there. Nothing is charged twice, as every
// call bears the payment's ID.
package checkout

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

const (
	// callTime is how long a provider may take to answer.
	callTime = 20 * time.Second
	// lease is how long an attempt is left alone: longer than any call, so that one which
	// is older was left behind.
	lease = 30 * time.Second
	// rounds bounds how many attempts that others left behind one request clears away.
	rounds = 3
)

// Service completes carts of the context's store.
type Service struct {
	DB        *postgres.DB
	Carts     *cart.Service
	Providers payments.Providers
	Log       *slog.Logger
}

// Trying is the service as a dry run has it: in a database that is within a transaction, and
// with providers that nobody asks.
func (s *Service) Trying(db *postgres.DB) *Service {
	tried := *s
	tried.DB, tried.Carts, tried.Providers = db, cart.New(db), s.Providers.Trying()
	return &tried
}

// Input is a shopper's final word.
type Input struct {
	Cart     cart.Ref
	Payment  payments.Chosen // without a provider where nothing is left to pay
	Expected money.Money     // what the shopper was told it comes to
	Due      money.Money     // and what of that is left to pay
	Version  int             // of the cart as the shopper saw it, where another is to be refused; 0 for any
	Attempt  string          // the shopper's name for this attempt: asked again, it goes on with it
	Shop     Shop
}

// Shop is what completing a cart needs to know of the store.
type Shop struct {
	payments.Terms
	TakesOrders bool
}

// Answer records what came of an attempt, in the transaction that made it so: the order or,
// of a balance, the payment; or why there is none. It is nil where nothing is to be recorded.
type Answer func(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error

func (a Answer) give(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error {
	if a == nil {
		return nil
	}
	return a(ctx, tx, id, refused)
}

// The states of a payment.
const (
	pendingState    = "pending"         // the provider was called, or is about to be
	actionState     = "requires_action" // the shopper has a step to take
	processingState = "processing"      // the provider is at work on it
	dueState        = "due"
	authorisedState = "authorised"
	capturedState   = "captured"
	failedState     = "failed"
)

// attempt is a payment of a cart, or of an order's balance.
type attempt struct {
	payments.Charge
	cart     string // empty for a balance
	order    string
	provider string
	state    string
	name     string // digest of the shopper's name for it
	stale    bool   // it was left behind
}

// placed says whether it has come to its end: there is an order, or its balance is paid, and
// the money was taken, is held or due.
func (a attempt) placed() bool {
	return a.state != pendingState && a.state != actionState && a.state != processingState && a.state != failedState
}

// made is what comes of it: the order or, of a balance, the payment.
func (a attempt) made() string {
	if a.cart == "" {
		return a.Reference
	}
	return a.order
}

// Progress is how far a completion has come: to an order, or to a payment that waits for
// the shopper or for its provider. That goes on when it is asked for again.
type Progress struct {
	OrderID  string // empty while there is none
	Payment  string
	Provider string
	State    string         // of the payment
	Step     *payments.Step // what the shopper has to do, or nil
}

// Complete makes the cart an order, or says what is still to be done for it. Refusals are
// problems; the cart is open again after them.
func (s *Service) Complete(ctx context.Context, in Input, answer Answer) (Progress, error) {
	name := hex.EncodeToString(token.Hash(in.Attempt))
	return s.try(ctx, name, func() (attempt, error) { return s.begin(ctx, in, name) }, answer)
}

// try brings the attempt of a name to an end or, where another is in its way that was left
// behind, ends that one first.
func (s *Service) try(ctx context.Context, name string, begin func() (attempt, error), answer Answer) (Progress, error) {
	// From here on money may move: it is brought to an end even if the shopper goes away.
	lasting := context.WithoutCancel(ctx)
	var a attempt
	for range rounds {
		var err error
		if a, err = begin(); err != nil {
			return Progress{}, err
		}
		switch {
		case a.name == name && a.placed():
			return a.progress(), s.recorded(lasting, a, answer)
		case a.name == name && a.state == pendingState:
			return s.pay(lasting, a, answer)
		case a.name == name:
			return s.follow(lasting, a, answer)
		case a.placed():
			return Progress{}, cart.IsCompleted()
		case a.state == pendingState && !a.stale:
			return Progress{}, a.busy()
		}
		if err := s.giveUp(lasting, a); err != nil {
			return Progress{}, err
		}
	}
	return Progress{}, a.busy()
}

func (a attempt) progress() Progress {
	return Progress{OrderID: a.order, Payment: a.Reference, Provider: a.provider, State: a.state}
}

// busy is the answer to whoever comes between an attempt that is under way.
func (a attempt) busy() error {
	p := cart.IsCompleting()
	if a.cart == "" {
		p = problem.New(problem.Conflict, "payment_in_progress", "The order is being paid for.")
	}
	p.RetryAfter = 2 * time.Second
	return p
}

// begin writes a new attempt down, or finds the one that is there.
func (s *Service) begin(ctx context.Context, in Input, name string) (a attempt, err error) {
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		state, err := s.Carts.Lock(ctx, tx, in.Cart)
		if err != nil {
			return err
		}
		if state != cart.Open {
			a, err = present(ctx, tx, in.Cart.ID)
			return err
		}
		c, err := s.Carts.ReadIn(ctx, tx, in.Cart)
		if err != nil {
			return err
		}
		settings, err := payments.Read(ctx, tx)
		if err != nil {
			return err
		}
		charge, err := s.prepare(c, &in, settings)
		if err != nil {
			return err
		}
		if err := acceptable(c, in); err != nil {
			return err
		}
		charge.Request.Email = c.Email
		if charge.Request.Name == "" && in.Payment.Provider != payments.ManualName {
			charge.Request.Name = contents(c)
		}
		a, err = place(ctx, tx, c, charge, in.Payment.Provider, name)
		return err
	})
	return a, err
}

// prepare makes the charge. No provider is asked where nothing is left to pay.
func (s *Service) prepare(c *cart.Cart, in *Input, settings payments.Settings) (payments.Charge, error) {
	if c.Due.IsZero() {
		in.Payment = payments.Chosen{Provider: payments.NoneName}
		return payments.Charge{Capture: payments.Automatic}, nil
	}
	if in.Payment.Provider == "" {
		return payments.Charge{}, problem.New(problem.Unprocessable, "payment_missing", "%s are left to pay.", c.Due).
			At("/payment", "required", "Say how.")
	}
	return s.Providers.Prepare(in.Payment, in.Shop.Terms, settings)
}

// contents says in a line what a cart holds.
func contents(c *cart.Cart) string {
	name := c.Lines[0].Title
	if more := len(c.Lines) - 1; more > 0 {
		name += fmt.Sprintf(" + %d", more)
	}
	return name
}

// acceptable says whether the cart can be bought as the shopper saw it.
func acceptable(c *cart.Cart, in Input) error {
	if !in.Shop.TakesOrders {
		return problem.New(problem.Unprocessable, "orders_not_accepted", "This shop does not take orders yet.")
	}
	at := map[string]int{}
	for i, line := range c.Lines {
		at[line.ID] = i
	}
	incomplete := problem.New(problem.Unprocessable, "cart_incomplete", "Something stands in the way of completing the cart.")
	gone := problem.New(problem.Conflict, "out_of_stock", "Something in the cart was sold meanwhile.")
	for _, found := range c.Problems {
		pointer := ""
		if found.LineID != "" {
			pointer = fmt.Sprintf("/lines/%d", at[found.LineID])
		}
		if found.Code == cart.OutOfStock {
			gone.At(pointer+"/quantity", found.Code, "%s", found.Detail)
		} else {
			incomplete.At(pointer, found.Code, "%s", found.Detail)
		}
	}
	if err := errors.Join(gone.OrNil(), incomplete.OrNil()); err != nil {
		return problem.As(err)
	}
	if total := c.Totals.Total; total != in.Expected || in.Version != 0 && in.Version != c.Version {
		return problem.New(problem.Conflict, "total_changed", "The cart comes to %s now.", total).With("total", total)
	}
	if c.Due != in.Due {
		return problem.New(problem.Conflict, "due_changed", "%s of the cart's %s are left to pay now.", c.Due, c.Totals.Total).
			With("total", c.Totals.Total).With("due", c.Due)
	}
	return nil
}

// pay has the provider take the money and records what it said.
func (s *Service) pay(ctx context.Context, a attempt, answer Answer) (Progress, error) {
	outcome, err := s.charge(ctx, a)
	if err != nil {
		return Progress{}, err
	}
	return s.settle(ctx, a, outcome, answer)
}

func (s *Service) charge(ctx context.Context, a attempt) (payments.Outcome, error) {
	if a.Amount.IsZero() {
		return payments.Outcome{Result: payments.Succeeded}, nil
	}
	provider, err := s.Providers.Named(a.provider)
	if err != nil {
		return payments.Outcome{}, err
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	outcome, err := provider.Charge(call, a.Charge)
	if err == nil && outcome.Result != payments.Unknown {
		return outcome, nil
	}
	s.Log.WarnContext(ctx, "payment provider gave no answer", "provider", a.provider, "payment", a.Reference, "error", err)
	return s.find(ctx, provider, a, false)
}

// find asks the provider what became of a charge. One that it never heard of is given up,
// so that it cannot come late, and so is one that is no longer to wait for the shopper.
func (s *Service) find(ctx context.Context, provider payments.Provider, a attempt, enough bool) (payments.Outcome, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	outcome, err := provider.Lookup(call, a.Charge)
	if err == nil && (outcome.Result == payments.Unknown || enough && outcome.Result == payments.Waiting) {
		outcome, err = provider.Void(call, a.Charge)
	}
	if err != nil {
		return outcome, unknown().Because(fmt.Errorf("payment %s: %w", a.Reference, err))
	}
	return outcome, nil
}

func unknown() *problem.Problem {
	p := problem.New(problem.Unavailable, "payment_pending", "It is not known yet whether the payment went through. Nothing is charged twice.")
	p.RetryAfter = 5 * time.Second
	return p
}

// settle records what the provider said. What it gives is the shopper's answer: no error
// when there is an order, or will be.
func (s *Service) settle(ctx context.Context, a attempt, outcome payments.Outcome, answer Answer) (Progress, error) {
	switch outcome.Result {
	case payments.Succeeded, payments.Authorised, payments.Due:
		return s.succeed(ctx, a, outcome, answer)
	case payments.Waiting:
		return s.wait(ctx, a, actionState, outcome, answer)
	case payments.Processing:
		return s.wait(ctx, a, processingState, outcome, answer)
	}
	var refused *problem.Problem
	switch outcome.Result {
	case payments.Declined:
		refused = problem.New(problem.Unprocessable, "payment_declined", "The payment was declined. Nothing was charged; try another means of payment.").
			At("/payment/token", outcome.Failure, "The provider refused it.")
	default:
		refused = problem.New(problem.Unavailable, "payment_provider_unavailable", "The payment provider does not answer. Nothing was charged; try again.")
		refused.RetryAfter = 2 * time.Second
		outcome.Failure = payments.Unavailable
		if a.state == actionState {
			refused = problem.New(problem.Unprocessable, "payment_abandoned", "The payment was given up. Nothing was charged; try again.")
			outcome.Failure = "abandoned"
		}
	}
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		failed, err := fail(ctx, tx, a, outcome)
		if err != nil || !failed {
			return err
		}
		if outcome.Result == payments.Declined {
			return answer.give(ctx, tx, "", refused)
		}
		return nil // to be tried again under the same name
	})
	if err != nil {
		return Progress{}, err
	}
	return Progress{}, refused
}

// wait records that the payment goes on elsewhere, unless it was ended meanwhile.
func (s *Service) wait(ctx context.Context, a attempt, state string, outcome payments.Outcome, answer Answer) (Progress, error) {
	var now attempt
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := hold(ctx, tx, a, state, outcome); err != nil {
			return err
		}
		var err error
		if now, err = a.now(ctx, tx); err != nil || !now.placed() {
			return err
		}
		return answer.give(ctx, tx, now.made(), nil)
	})
	switch {
	case err != nil:
		return Progress{}, err
	case now.placed():
		return now.progress(), nil
	case now.state == failedState:
		return Progress{}, s.tooLate(ctx, a, outcome)
	}
	at := now.progress()
	at.OrderID, at.Step = "", outcome.Step
	return at, nil
}

func (s *Service) succeed(ctx context.Context, a attempt, outcome payments.Outcome, answer Answer) (Progress, error) {
	now := a
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		taken, err := take(ctx, tx, a, outcome)
		if err != nil {
			return err
		}
		if taken {
			now.state = states[outcome.Result][0]
		} else if now, err = a.now(ctx, tx); err != nil || !now.placed() {
			return err // somebody else was quicker: recorded it as well, or gave it up
		}
		return answer.give(ctx, tx, a.made(), nil)
	})
	if err != nil || now.placed() {
		return now.progress(), err
	}
	return Progress{}, s.tooLate(ctx, a, outcome)
}

// tooLate ends at the provider what was given up before it came, and is the answer to it.
func (s *Service) tooLate(ctx context.Context, a attempt, outcome payments.Outcome) error {
	if err := s.giveBack(ctx, a, outcome); err != nil {
		return unknown().Because(fmt.Errorf("give back payment %s, which was given up before it came: %w", a.Reference, err))
	}
	return a.busy()
}

// giveBack ends a payment that came when its attempt had been given up: a hold is let go,
// and what was taken is paid back.
func (s *Service) giveBack(ctx context.Context, a attempt, outcome payments.Outcome) error {
	provider, err := s.Providers.Named(a.provider)
	if err != nil {
		return err
	}
	if a.Theirs == "" {
		a.Theirs = outcome.Reference
	}
	if outcome, err = provider.Void(ctx, a.Charge); err != nil || outcome.Result != payments.Succeeded {
		return err
	}
	back := payments.Refund{Reference: "ref_" + strings.TrimPrefix(a.Reference, "pay_"), Charge: a.Charge, Amount: a.Amount}
	outcome, err = provider.Refund(ctx, back)
	if err == nil && outcome.Result == payments.Declined {
		err = fmt.Errorf("the provider refused it: %s", outcome.Failure)
	}
	if err != nil {
		return err
	}
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Audit(ctx, tx, journal.Entry{Action: "payment.give_back", ObjectID: a.Reference, After: map[string]any{"amount": a.Amount, "reference": outcome.Reference}})
		return nil
	})
}

// recorded answers for an attempt that was brought to an end before.
func (s *Service) recorded(ctx context.Context, a attempt, answer Answer) error {
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return answer.give(ctx, tx, a.made(), nil) })
}
