package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// What the test provider is told to do by a charge's token. Any other is declined.
const (
	TokenSucceeds          = "succeeds"
	TokenDeclined          = "declined"
	TokenInsufficientFunds = "insufficient_funds"
	TokenError             = "error"        // breaks off, having done nothing
	TokenTimesOut          = "times_out"    // takes the money, and breaks off before it says so
	TokenSlow              = "slow"         // succeeds after a while
	TokenRefundFails       = "refund_fails" // succeeds, but pays nothing back
)

// ErrUnreachable is how the test provider breaks off.
var ErrUnreachable = errors.New("payment provider: no answer")

// Test is a provider that takes no real money. It keeps a ledger of its own, in the
// table test_charges and in transactions of its own, as another house would: what it did
// outlasts whoever asked for it, and can be held against our own records.
type Test struct {
	DB   *postgres.DB
	Slow time.Duration // how long TokenSlow takes; 0 means two seconds
}

// chargeSQL writes a charge down, unless its reference was used before.
const chargeSQL = `
insert into test_charges as t (reference, state, currency, amount, failure) values ($1, $2, $3, $4, $5)
on conflict (reference) do update set reference = t.reference
returning t.state, t.failure, t.currency = $3 and t.amount = $4`

// Charge implements Provider.
func (p *Test) Charge(ctx context.Context, c Charge) (Outcome, error) {
	state, failure := "succeeded", ""
	switch c.Token {
	case TokenSucceeds, TokenTimesOut:
	case TokenRefundFails:
		failure = TokenRefundFails
	case TokenSlow:
		if err := p.wait(ctx); err != nil {
			return Outcome{}, err
		}
	case TokenError:
		return Outcome{}, ErrUnreachable
	case TokenDeclined:
		state, failure = "declined", "card_declined"
	case TokenInsufficientFunds:
		state, failure = "declined", "insufficient_funds"
	default:
		state, failure = "declined", "unknown_token"
	}
	var same bool
	err := p.ledger(ctx, chargeSQL, []any{c.Reference, state, c.Amount.Currency, c.Amount.Amount, failure}, &state, &failure, &same)
	switch {
	case err != nil:
		return Outcome{}, fmt.Errorf("charge %s: %w", c.Reference, err)
	case !same && state != "voided":
		return Outcome{}, fmt.Errorf("charge %s: the reference was used for another amount", c.Reference)
	case c.Token == TokenTimesOut:
		return Outcome{}, ErrUnreachable
	}
	return outcome(c.Reference, state, failure), nil
}

// Lookup implements Provider.
func (p *Test) Lookup(ctx context.Context, reference string) (Outcome, error) {
	var state, failure string
	err := p.ledger(ctx, `select state, failure from test_charges where reference = $1`, []any{reference}, &state, &failure)
	if errors.Is(err, postgres.ErrNoRows) {
		return Outcome{Result: Unknown}, nil
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("look up %s: %w", reference, err)
	}
	return outcome(reference, state, failure), nil
}

// voidSQL takes a charge back or, where there is none, its place.
const voidSQL = `
insert into test_charges as t (reference, state, currency, amount) values ($1, 'voided', '', 0)
on conflict (reference) do update set state = case when t.refunds = '{}' then 'voided' else t.state end
returning t.state, t.failure`

// Void implements Provider.
func (p *Test) Void(ctx context.Context, reference string) (Outcome, error) {
	var state, failure string
	if err := p.ledger(ctx, voidSQL, []any{reference}, &state, &failure); err != nil {
		return Outcome{}, fmt.Errorf("void %s: %w", reference, err)
	}
	return outcome(reference, state, failure), nil
}

// refundSQL pays back what was not paid back under the same reference already, and never
// more than was taken.
const refundSQL = `
update test_charges set refunds = jsonb_build_object($2::text, $3::bigint) || refunds
where reference = $1 and state = 'succeeded' and failure = '' and currency = $4
	and (refunds ? $2 or $3 + (select coalesce(sum(value::bigint), 0) from jsonb_each_text(refunds)) <= amount)
returning refunds->>$2 = $3::text`

// Refund implements Provider.
func (p *Test) Refund(ctx context.Context, r Refund) (Outcome, error) {
	var same bool
	err := p.ledger(ctx, refundSQL, []any{r.Charge, r.Reference, r.Amount.Amount, r.Amount.Currency}, &same)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return Outcome{Result: Declined, Reference: "test_" + r.Reference, Failure: "refund_refused"}, nil
	case err != nil:
		return Outcome{}, fmt.Errorf("refund %s: %w", r.Reference, err)
	case !same:
		return Outcome{}, fmt.Errorf("refund %s: the reference was used for another amount", r.Reference)
	}
	return Outcome{Result: Succeeded, Reference: "test_" + r.Reference}, nil
}

// ledger runs one statement of one row in a transaction of its own.
func (p *Test) ledger(ctx context.Context, sql string, args []any, into ...any) error {
	return p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, sql, args...).Scan(into...)
	})
}

func (p *Test) wait(ctx context.Context) error {
	slow := p.Slow
	if slow == 0 {
		slow = 2 * time.Second
	}
	select {
	case <-time.After(slow):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
}

func outcome(reference, state, failure string) Outcome {
	o := Outcome{Result: Declined, Reference: "test_" + reference, Failure: failure}
	switch state {
	case "succeeded":
		o.Result, o.Failure = Succeeded, ""
	case "voided":
		o.Result, o.Failure = Voided, "voided"
	}
	return o
}
