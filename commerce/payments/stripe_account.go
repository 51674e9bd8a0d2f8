package payments

import (
	"context"
	"net/url"
	"slices"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// StripeAccount is where a store's payments by Stripe go: an account that is connected to
// the platform, or the store's own, by its own key.
type StripeAccount struct {
	ID             string `json:"id,omitempty"`    // acct_…
	Ready          bool   `json:"ready,omitempty"` // it may take payments
	Key            []byte `json:"key,omitempty"`   // the store's own, sealed
	KeyEnd         string `json:"key_end,omitempty"`
	PublishableKey string `json:"publishable_key,omitempty"`
	WebhookSecret  []byte `json:"webhook_secret,omitempty"` // sealed
}

// KeyBinding and WebhookBinding tie a store's secrets to their place.
func KeyBinding(ref postgres.StoreRef) string { return sealedAt(ref, "key") }

// WebhookBinding is the place of the secret of a store's own webhook.
func WebhookBinding(ref postgres.StoreRef) string { return sealedAt(ref, "webhook_secret") }

func sealedAt(ref postgres.StoreRef, what string) string {
	return secrets.Bind(ref.ID, "settings.payments."+what, string(ref.Mode))
}

// SetStripe changes where the store's payments by Stripe go, when the settings have the
// version meant; zero is any. Without an account Stripe is off.
func SetStripe(ctx context.Context, tx *postgres.Tx, meant int, set func(*StripeAccount)) (Settings, error) {
	before, err := lockSettings(ctx, tx, meant)
	if err != nil {
		return before, err
	}
	after := before
	set(&after.Stripe)
	if after.Stripe.ID == "" {
		after.Providers = slices.DeleteFunc(slices.Clone(after.Providers), func(name string) bool { return name == StripeName })
	}
	return write(ctx, tx, before, after)
}

// Reseal seals the secrets of the context's store anew: again is given each, and its
// binding.
func Reseal(ctx context.Context, tx *postgres.Tx, ref postgres.StoreRef, again func(sealed []byte, binding string) []byte) error {
	s, err := read(ctx, tx, " for no key update")
	if err != nil || len(s.Stripe.Key)+len(s.Stripe.WebhookSecret) == 0 {
		return err
	}
	if len(s.Stripe.Key) > 0 {
		s.Stripe.Key = again(s.Stripe.Key, KeyBinding(ref))
	}
	if len(s.Stripe.WebhookSecret) > 0 {
		s.Stripe.WebhookSecret = again(s.Stripe.WebhookSecret, WebhookBinding(ref))
	}
	return keep(ctx, tx, s)
}

// The ways to pay by Stripe.
const (
	FlowRedirect = "redirect" // Stripe's own page
	FlowConfirm  = "confirm"  // the front end's own page, by Stripe's library
)

// prepare makes a charge of the shopper's choice.
func (a StripeAccount) prepare(c *Charge, chosen Chosen) error {
	c.Account = a.ID
	c.Request = Request{Flow: chosen.Flow, ReturnURL: chosen.ReturnURL}
	if c.Request.Flow == "" {
		c.Request.Flow = FlowRedirect
	}
	if c.Request.Flow == FlowConfirm {
		return nil
	}
	back, err := url.Parse(chosen.ReturnURL)
	if err != nil || back.Host == "" || back.Scheme != "https" && back.Scheme != "http" {
		return problem.New(problem.Unprocessable, "details_invalid", "The shopper could not come back.").
			At("/payment/return_url", "uri", "It is an address that begins with https://.")
	}
	return nil
}

// ShownStripe is a StripeAccount as the API shows it.
type ShownStripe struct {
	AccountID      string  `json:"account_id"`
	ChargesEnabled bool    `json:"charges_enabled"`
	KeyEnd         *string `json:"secret_key_last4"`
	PublishableKey *string `json:"publishable_key"`
	WebhookSecret  bool    `json:"webhook_secret_set"`
}

func (a StripeAccount) shown() *ShownStripe {
	if a.ID == "" {
		return nil
	}
	shown := &ShownStripe{AccountID: a.ID, ChargesEnabled: a.Ready, WebhookSecret: len(a.WebhookSecret) > 0}
	if a.KeyEnd != "" {
		shown.KeyEnd = &a.KeyEnd
	}
	if a.PublishableKey != "" {
		shown.PublishableKey = &a.PublishableKey
	}
	return shown
}
