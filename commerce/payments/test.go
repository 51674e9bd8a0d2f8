package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// What the test provider is told to do by a charge's token. Any other is declined.
const (
	TokenSucceeds          = "succeeds"
	TokenDeclined          = "declined"
	TokenInsufficientFunds = "insufficient_funds"
	TokenError             = "error"           // breaks off, having done nothing
	TokenTimesOut          = "times_out"       // takes the money, and breaks off before it says so
	TokenSlow              = "slow"            // succeeds after a while
	TokenSucceedsLate      = "succeeds_late"   // is being processed, and has succeeded a while later
	TokenRequiresAction    = "requires_action" // waits for the shopper to take a second step
	TokenRefundFails       = "refund_fails"    // succeeds, but pays nothing back
)

// ErrUnreachable is how the test provider breaks off.
var ErrUnreachable = errors.New("payment provider: no answer")

// Test is a provider that takes no real money. It keeps a ledger of its own, in the
// table test_charges and in transactions of its own, as another house would: what it did
// outlasts whoever asked for it, and can be held against our own records.
type Test struct {
	DB   *postgres.DB
	Slow time.Duration // how long TokenSlow and TokenSucceedsLate take; 0 means two seconds
	// Page is where a shopper takes the second step; nil gives an address within the shop.
	Page func(ctx context.Context, reference string) (string, error)
}

// chargeSQL writes a charge down, unless its reference was used before.
const chargeSQL = `
insert into test_charges as t (reference, state, currency, amount, failure, ready_at) values ($1, $2, $3, $4, $5, now() + $6::interval)
on conflict (reference) do update set reference = t.reference
returning t.currency = $3 and t.amount = $4, ` + shownCharge

// shownCharge is a charge as the provider tells of it now.
const shownCharge = `case when t.state = 'processing' and t.ready_at <= now() then 'succeeded' else t.state end, t.failure, coalesce(t.taken, t.amount),
	(select coalesce(sum(value::bigint), 0)::bigint from jsonb_each_text(t.refunds))`

type testCharge struct {
	state, failure   string
	amount, refunded int64
}

func (c *testCharge) fields() []any { return []any{&c.state, &c.failure, &c.amount, &c.refunded} }

// Charge implements Provider.
func (p *Test) Charge(ctx context.Context, c Charge) (Outcome, error) {
	state, failure := "succeeded", ""
	if c.Capture == Manual {
		state = "authorised"
	}
	switch c.Request.Token {
	case TokenSucceeds, TokenTimesOut:
	case TokenRefundFails:
		failure = TokenRefundFails
	case TokenSucceedsLate:
		state = "processing"
	case TokenRequiresAction:
		state = "waiting"
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
	var made testCharge
	err := p.ledger(ctx, chargeSQL, []any{c.Reference, state, c.Amount.Currency, c.Amount.Amount, failure, p.slow()}, append([]any{&same}, made.fields()...)...)
	switch {
	case err != nil:
		return Outcome{}, fmt.Errorf("charge %s: %w", c.Reference, err)
	case !same && made.state != "voided":
		return Outcome{}, fmt.Errorf("charge %s: the reference was used for another amount", c.Reference)
	case c.Request.Token == TokenTimesOut:
		return Outcome{}, ErrUnreachable
	}
	return p.outcome(ctx, c, made)
}

// Lookup implements Provider.
func (p *Test) Lookup(ctx context.Context, c Charge) (Outcome, error) {
	var found testCharge
	err := p.ledger(ctx, `select `+shownCharge+` from test_charges t where t.reference = $1`, []any{c.Reference}, found.fields()...)
	if errors.Is(err, postgres.ErrNoRows) {
		return Outcome{Result: Unknown}, nil
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("look up %s: %w", c.Reference, err)
	}
	return p.outcome(ctx, c, found)
}

// captureSQL takes what is held, or so much of it.
const captureSQL = `update test_charges t set state = case when t.state = 'authorised' then 'succeeded' else t.state end,
	taken = case when t.state = 'authorised' then least($2::bigint, t.amount) else t.taken end
where t.reference = $1 returning ` + shownCharge

// Capture implements Provider.
func (p *Test) Capture(ctx context.Context, c Charge, amount money.Money) (Outcome, error) {
	return p.change(ctx, c, captureSQL, "capture", c.Reference, amount.Amount)
}

// stepSQL is the shopper's step: what waits for it goes on as $2.
const stepSQL = `update test_charges t set state = case when t.state = 'waiting' then $2 else t.state end, failure = case when t.state = 'waiting' then $3 else t.failure end
where t.reference = $1 returning ` + shownCharge

// Take has the shopper take the second step: the charge goes on, or is declined.
func (p *Test) Take(ctx context.Context, c Charge, approve bool) (Outcome, error) {
	state, failure := "succeeded", ""
	switch {
	case !approve:
		state, failure = "declined", "authentication_failed"
	case c.Capture == Manual:
		state = "authorised"
	}
	outcome, err := p.change(ctx, c, stepSQL, "take a step of", c.Reference, state, failure)
	if errors.Is(err, postgres.ErrNoRows) {
		return outcome, problem.Missing("payment")
	}
	return outcome, err
}

// voidSQL takes the place of a charge, or of the hold that it is.
const voidSQL = `
insert into test_charges as t (reference, state, currency, amount) values ($1, 'voided', '', 0)
on conflict (reference) do update set state = case when t.state in ('waiting', 'authorised') then 'voided' else t.state end
returning ` + shownCharge

// Void implements Provider.
func (p *Test) Void(ctx context.Context, c Charge) (Outcome, error) {
	return p.change(ctx, c, voidSQL, "void", c.Reference)
}

func (p *Test) change(ctx context.Context, c Charge, sql, what string, args ...any) (Outcome, error) {
	var changed testCharge
	if err := p.ledger(ctx, sql, args, changed.fields()...); err != nil {
		return Outcome{}, fmt.Errorf("%s %s: %w", what, c.Reference, err)
	}
	return p.outcome(ctx, c, changed)
}

// refundSQL pays back what was not paid back under the same reference already, and never
// more than was taken.
const refundSQL = `
update test_charges set refunds = jsonb_build_object($2::text, $3::bigint) || refunds
where reference = $1 and (state = 'succeeded' or state = 'processing' and ready_at <= now()) and failure = '' and currency = $4
	and (refunds ? $2 or $3 + (select coalesce(sum(value::bigint), 0) from jsonb_each_text(refunds)) <= coalesce(taken, amount))
returning refunds->>$2 = $3::text`

// Refund implements Provider.
func (p *Test) Refund(ctx context.Context, r Refund) (Outcome, error) {
	var same bool
	err := p.ledger(ctx, refundSQL, []any{r.Charge.Reference, r.Reference, r.Amount.Amount, r.Amount.Currency}, &same)
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

func (p *Test) slow() time.Duration {
	if p.Slow == 0 {
		return 2 * time.Second
	}
	return p.Slow
}

func (p *Test) wait(ctx context.Context) error {
	select {
	case <-time.After(p.slow()):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
}

func (p *Test) outcome(ctx context.Context, c Charge, found testCharge) (Outcome, error) {
	o := Outcome{Reference: "test_" + c.Reference}
	switch found.state {
	case "succeeded":
		o.Result, o.Taken, o.Refunded = Succeeded, found.amount, found.refunded
	case "voided":
		o.Result, o.Failure = Voided, "voided"
	case "declined":
		o.Result, o.Failure = Declined, found.failure
	case "waiting":
		page, err := "/checkout/test/"+c.Reference, error(nil)
		if p.Page != nil {
			page, err = p.Page(ctx, c.Reference)
		}
		if err != nil {
			return o, fmt.Errorf("page of the second step: %w", err)
		}
		o.Result, o.Step = Waiting, &Step{Type: StepRedirect, URL: page}
	default:
		o.Result = Result(found.state)
	}
	return o, nil
}
