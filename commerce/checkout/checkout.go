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
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/payments"
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

// Input is a shopper's final word.
type Input struct {
	Cart     cart.Ref
	Provider string
	Token    string      // what the provider gave for the means of payment
	Expected money.Money // what the shopper was told it comes to
	Attempt  string      // the shopper's name for this attempt: asked again, it goes on with it
	Shop     Shop
}

// Shop is what completing a cart needs to know of the store.
type Shop struct {
	payments.Terms
	TakesOrders bool
}

// Answer records what came of an attempt, in the transaction that made it so: the order,
// or why there is none. It is nil where nothing is to be recorded.
type Answer func(ctx context.Context, tx *postgres.Tx, orderID string, refused *problem.Problem) error

func (a Answer) give(ctx context.Context, tx *postgres.Tx, orderID string, refused *problem.Problem) error {
	if a == nil {
		return nil
	}
	return a(ctx, tx, orderID, refused)
}

// attempt is a payment of a cart.
type attempt struct {
	payment  string
	order    string
	provider string
	state    string // pending, captured, failed
	name     string // digest of the shopper's name for it
	amount   money.Money
	stale    bool // it was left behind
}

// Complete makes the cart an order and gives the order's ID. Refusals are problems; the
// cart is open again after them.
func (s *Service) Complete(ctx context.Context, in Input, answer Answer) (string, error) {
	if _, err := s.Providers.For(in.Provider, in.Shop.Terms); err != nil {
		return "", err
	}
	name := hex.EncodeToString(token.Hash(in.Attempt))
	for range rounds {
		a, err := s.begin(ctx, in, name)
		if err != nil {
			return "", err
		}
		// From here on money may move: it is brought to an end even if the shopper goes away.
		ctx := context.WithoutCancel(ctx)
		switch {
		case a.name == name && a.state == "captured":
			return a.order, s.recorded(ctx, a, answer)
		case a.name == name:
			return s.pay(ctx, a, in.Token, answer)
		case a.state == "captured":
			return "", cart.IsCompleted()
		case !a.stale:
			return "", busy()
		}
		if err := s.resume(ctx, a); err != nil {
			return "", err
		}
	}
	return "", busy()
}

func busy() error {
	p := cart.IsCompleting()
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
		if err := acceptable(c, in); err != nil {
			return err
		}
		a, err = place(ctx, tx, c, in.Provider, name)
		return err
	})
	return a, err
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
	if total := c.Totals.Total; total != in.Expected {
		return problem.New(problem.Conflict, "total_changed", "The cart comes to %s now.", total).With("total", total)
	}
	return nil
}

// pay has the provider take the money and records what it said.
func (s *Service) pay(ctx context.Context, a attempt, token string, answer Answer) (string, error) {
	outcome, err := s.charge(ctx, a, token)
	if err != nil {
		return "", err
	}
	return a.order, s.settle(ctx, a, outcome, answer)
}

func (s *Service) charge(ctx context.Context, a attempt, token string) (payments.Outcome, error) {
	if a.amount.IsZero() {
		return payments.Outcome{Result: payments.Succeeded}, nil
	}
	provider, err := s.Providers.Named(a.provider)
	if err != nil {
		return payments.Outcome{}, err
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	outcome, err := provider.Charge(call, payments.Charge{Reference: a.payment, Amount: a.amount, Token: token})
	if err == nil && outcome.Result != payments.Unknown {
		return outcome, nil
	}
	s.Log.WarnContext(ctx, "payment provider gave no answer", "provider", a.provider, "payment", a.payment, "error", err)
	return s.find(ctx, provider, a)
}

// find asks the provider what became of a charge. One that it never heard of is given up,
// so that it cannot come late.
func (s *Service) find(ctx context.Context, provider payments.Provider, a attempt) (payments.Outcome, error) {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	outcome, err := provider.Lookup(call, a.payment)
	if err == nil && outcome.Result == payments.Unknown {
		outcome, err = provider.Void(call, a.payment)
	}
	if err != nil {
		return outcome, pending().Because(fmt.Errorf("payment %s: %w", a.payment, err))
	}
	return outcome, nil
}

func pending() *problem.Problem {
	p := problem.New(problem.Unavailable, "payment_pending", "It is not known yet whether the payment went through. Nothing is charged twice.")
	p.RetryAfter = 5 * time.Second
	return p
}

// settle records what the provider said. What it gives is the shopper's answer: nil when
// there is an order.
func (s *Service) settle(ctx context.Context, a attempt, outcome payments.Outcome, answer Answer) error {
	if outcome.Result == payments.Succeeded {
		return s.succeed(ctx, a, outcome, answer)
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
		return err
	}
	return refused
}

func (s *Service) succeed(ctx context.Context, a attempt, outcome payments.Outcome, answer Answer) error {
	captured := false
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		if captured, err = capture(ctx, tx, a, outcome); err != nil {
			return err
		}
		if !captured {
			// Somebody else was quicker: recorded it as well, or gave it up.
			if a, err = named(ctx, tx, a.payment); err != nil || a.state != "captured" {
				return err
			}
		}
		return answer.give(ctx, tx, a.order, nil)
	})
	if err != nil || captured || a.state == "captured" {
		return err
	}
	provider, err := s.Providers.Named(a.provider)
	if err != nil {
		return err
	}
	if _, err := provider.Void(ctx, a.payment); err != nil {
		return fmt.Errorf("give back payment %s, which was given up before it came: %w", a.payment, err)
	}
	return busy()
}

// recorded answers for an attempt that was brought to an end before.
func (s *Service) recorded(ctx context.Context, a attempt, answer Answer) error {
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return answer.give(ctx, tx, a.order, nil) })
}
