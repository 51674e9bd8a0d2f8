package checkout

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Balance is a wish to pay what is outstanding of an order, or a part of it.
type Balance struct {
	OrderID string
	Payment payments.Chosen
	Amount  *money.Money // all that is outstanding, when nil
	Shown   bool         // the amount is what the payer was shown to be outstanding: no other is taken
	Attempt string       // the payer's name for this attempt: asked again, it goes on with it
	Terms   payments.Terms
}

// PayBalance has a provider take what is outstanding of an order, exactly once, as Complete
// does for a cart. Its answer is given the payment's ID.
func (s *Service) PayBalance(ctx context.Context, in Balance, answer Answer) (Progress, error) {
	name := hex.EncodeToString(token.Hash(in.Attempt))
	return s.try(ctx, name, func() (attempt, error) { return s.beginBalance(ctx, in, name) }, answer)
}

// beginBalance writes a new attempt down, or finds the one that is there.
func (s *Service) beginBalance(ctx context.Context, in Balance, name string) (a attempt, err error) {
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		debt, err := orders.Owed(ctx, tx, in.OrderID)
		if err != nil {
			return err
		}
		a, err = scan(tx.QueryRow(ctx, ofBalanceSQL, in.OrderID, lease, name))
		if err == nil || !errors.Is(err, postgres.ErrNoRows) {
			return wrap(err, "payment of order "+in.OrderID)
		}
		amount, err := in.amount(debt)
		if err != nil {
			return err
		}
		settings, err := payments.Read(ctx, tx)
		if err != nil {
			return err
		}
		charge, err := s.Providers.Prepare(in.Payment, in.Terms, settings)
		if err != nil {
			return err
		}
		charge.Reference, charge.Amount, charge.Request.Email = ids.New("pay"), amount, debt.Email
		if charge.Request.Name == "" && in.Payment.Provider != payments.ManualName {
			charge.Request.Name = "#" + strconv.FormatInt(debt.Number, 10)
		}
		a = attempt{Charge: charge, order: debt.ID, provider: in.Payment.Provider, state: pendingState, name: name}
		return a.write(ctx, tx)
	})
	return a, err
}

// amount is how much is to be taken.
func (in Balance) amount(debt orders.Debt) (money.Money, error) {
	most := debt.Outstanding
	switch {
	case debt.State == orders.Cancelled:
		return most, problem.New(problem.Conflict, "order_cancelled", "The order is cancelled.")
	case most.IsZero():
		return most, orders.NothingOwed()
	case in.Amount == nil:
		return most, nil
	case in.Shown && *in.Amount != most:
		return most, problem.New(problem.Conflict, "total_changed", "By now, %s are outstanding.", most).
			At("/amount", "total_changed", "It is %s.", most)
	case in.Amount.Currency != most.Currency || in.Amount.Amount < 1 || in.Amount.Amount > most.Amount:
		return most, problem.New(problem.Unprocessable, "details_invalid", "This cannot be paid.").
			At("/amount", "amount", "It is more than nothing, and at most %s.", most)
	}
	return *in.Amount, nil
}

// write writes an attempt to pay a balance down before the provider is called.
func (a attempt) write(ctx context.Context, tx *postgres.Tx) error {
	request, err := json.Marshal(a.Request)
	if err == nil {
		_, err = tx.Exec(ctx, beginBalanceSQL, a.Reference, a.order, a.provider, a.name, a.Amount.Currency, a.Amount.Amount, a.Account, a.Capture, string(request))
	}
	if err != nil {
		return fmt.Errorf("pay the balance of order %s: %w", a.order, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.begin", ObjectID: a.Reference, After: map[string]any{"order_id": a.order, "amount": a.Amount}})
	journal.JobAt(tx, clock.Now().Add(lease+5*time.Second), JobResume, struct{}{})
	return nil
}

// ofOrder is the attempt to pay an order's balance that is under way.
func (s *Service) ofOrder(ctx context.Context, orderID string) (a attempt, err error) {
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		a, err = scan(tx.QueryRow(ctx, ofBalanceSQL, orderID, lease, ""))
		return err
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return a, problem.New(problem.Conflict, "payment_not_under_way", "The order is not being paid for.")
	}
	return a, wrap(err, "payment of order "+orderID)
}

// CheckBalance says how far the payment of an order's balance has come, having asked the
// provider: for a shopper who comes back from there.
func (s *Service) CheckBalance(ctx context.Context, orderID string) (Progress, error) {
	a, err := s.ofOrder(ctx, orderID)
	if err != nil || a.state == pendingState {
		return a.progress(), err
	}
	return s.follow(context.WithoutCancel(ctx), a, nil)
}

// AbandonBalance gives up a payment of an order's balance that waits for the shopper, if there
// is one.
func (s *Service) AbandonBalance(ctx context.Context, orderID string) error {
	a, err := s.ofOrder(ctx, orderID)
	switch {
	case problem.Is(err, "payment_not_under_way"):
		return nil
	case err != nil:
		return err
	case a.state == pendingState && !a.stale:
		return a.busy()
	}
	return s.giveUp(context.WithoutCancel(ctx), a)
}
