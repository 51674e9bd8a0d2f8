package stripe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stripe/stripe-go/v81"
	"github.com/stripe/stripe-go/v81/account"
	"github.com/stripe/stripe-go/v81/accountlink"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Identify says which account a key is of.
func (p *Provider) Identify(ctx context.Context, key string) (payments.StripeAccount, error) {
	found, err := account.Client{B: p.backend, Key: key}.Get()
	if err != nil {
		var told *stripe.Error
		if errors.As(err, &told) && (told.HTTPStatusCode == 401 || told.HTTPStatusCode == 403) {
			return payments.StripeAccount{}, problem.New(problem.Unprocessable, "invalid_settings", "Stripe does not take this key.").
				At("/stripe/secret_key", "invalid_key", "It is a secret key of a Stripe account, or a restricted one that may read the account.")
		}
		return payments.StripeAccount{}, unreachable(err)
	}
	return payments.StripeAccount{ID: found.ID, Ready: found.ChargesEnabled}, nil
}

func unreachable(err error) error {
	p := problem.New(problem.Unavailable, "unavailable", "Stripe does not answer as it should. Nothing was changed; try again.")
	p.RetryAfter = 5 * time.Second
	return p.Because(fmt.Errorf("stripe: %w", err))
}

// Connect gives the page at which a merchant opens the store's account with Stripe, or
// completes it. A store that has none is given one, which the platform's key reaches.
func (p *Provider) Connect(ctx context.Context, known payments.StripeAccount, returnURL string) (payments.StripeAccount, string, error) {
	ref, _ := postgres.StoreFrom(ctx)
	keys := p.config.Keys[ref.Mode]
	if keys.Secret == "" {
		return known, "", problem.New(problem.Unprocessable, "stripe_not_connectable", "This platform connects no Stripe accounts.")
	}
	if known.ID == "" || len(known.Key) > 0 {
		params := &stripe.AccountParams{Type: stripe.String(string(stripe.AccountTypeStandard)), Metadata: metadata(ctx, "")}
		params.Context = ctx
		params.SetIdempotencyKey("account-" + ref.ID + "-" + string(ref.Mode))
		made, err := account.Client{B: p.backend, Key: keys.Secret}.New(params)
		if err != nil {
			return known, "", unreachable(err)
		}
		known = payments.StripeAccount{ID: made.ID, Ready: made.ChargesEnabled}
	} else {
		found, err := account.Client{B: p.backend, Key: keys.Secret}.GetByID(known.ID, &stripe.AccountParams{Params: stripe.Params{Context: ctx}})
		if err != nil {
			return known, "", unreachable(err)
		}
		known.Ready = found.ChargesEnabled
	}
	params := &stripe.AccountLinkParams{
		Account: &known.ID, RefreshURL: &returnURL, ReturnURL: &returnURL, Type: stripe.String(string(stripe.AccountLinkTypeAccountOnboarding)),
	}
	params.Context = ctx
	link, err := accountlink.Client{B: p.backend, Key: keys.Secret}.New(params)
	if err != nil {
		return known, "", unreachable(err)
	}
	return known, link.URL, nil
}

// Learn looks whether the store's connected account may take payments by now.
func (p *Provider) Learn(ctx context.Context) error {
	var s payments.Settings
	err := p.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = payments.Read(ctx, tx)
		return err
	})
	ref, _ := postgres.StoreFrom(ctx)
	keys := p.config.Keys[ref.Mode]
	if err != nil || s.Stripe.ID == "" || len(s.Stripe.Key) > 0 || keys.Secret == "" {
		return err
	}
	found, err := account.Client{B: p.backend, Key: keys.Secret}.GetByID(s.Stripe.ID, &stripe.AccountParams{Params: stripe.Params{Context: ctx}})
	if err != nil {
		return fmt.Errorf("look up account %s: %w", s.Stripe.ID, err)
	}
	if found.ChargesEnabled == s.Stripe.Ready {
		return nil
	}
	return p.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := payments.SetStripe(ctx, tx, 0, func(a *payments.StripeAccount) {
			if a.ID == found.ID {
				a.Ready = found.ChargesEnabled
			}
		})
		return err
	})
}
