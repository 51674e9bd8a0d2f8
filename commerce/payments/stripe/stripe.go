// Package stripe takes payments by Stripe: on Stripe's own page (Checkout), so that no card
// number ever reaches us, or on a front end's own page by Stripe's library (PaymentIntents).
//
// A store's payments go directly to its account: by the platform's key and the account's
// name (Connect), or by the store's own key. Every object bears the store's and the
// payment's ID, by which Stripe's events find their way back. An event is only a reason to
// look: what counts is what Stripe answers when it is asked, so that repeated and
// reordered events do no harm.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stripe/stripe-go/v81"
	"github.com/stripe/stripe-go/v81/checkout/session"
	"github.com/stripe/stripe-go/v81/paymentintent"
	"github.com/stripe/stripe-go/v81/refund"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Keys are the platform's, on one side: live or test.
type Keys struct {
	Secret      string
	Publishable string
}

// Config is what the provider works with.
type Config struct {
	DB             *postgres.DB
	Sealer         postgres.Sealer
	Keys           map[principal.Mode]Keys // none where every store sets its own
	WebhookSecrets []string                // of the platform's webhook address; the first that fits counts
	Base           string                  // of Stripe's API; empty for Stripe itself
}

// Provider is payments.Provider by Stripe.
type Provider struct {
	config  Config
	backend stripe.Backend
}

// New makes the provider.
func New(config Config) *Provider {
	backend := &stripe.BackendConfig{
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
		MaxNetworkRetries: stripe.Int64(1), // under the same idempotency key
		EnableTelemetry:   stripe.Bool(false),
	}
	if config.Base != "" {
		backend.URL = stripe.String(config.Base)
	}
	return &Provider{config: config, backend: stripe.GetBackendWithConfig(stripe.APIBackend, backend)}
}

// access is how an account is reached.
type access struct {
	key         string
	account     string // named in the header; empty with the account's own key
	publishable string
}

func (a access) params(ctx context.Context, key string) stripe.Params {
	p := stripe.Params{Context: ctx}
	if a.account != "" {
		p.SetStripeAccount(a.account)
	}
	if key != "" {
		p.SetIdempotencyKey(key)
	}
	return p
}

// errNoKey says that an account cannot be reached: the store's own key is gone, or the
// platform has none.
var errNoKey = errors.New("no key reaches the Stripe account")

// reach finds how the account of a charge is reached from the context's store.
func (p *Provider) reach(ctx context.Context, account string) (access, error) {
	var s payments.Settings
	err := p.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = payments.Read(ctx, tx)
		return err
	})
	if err != nil {
		return access{}, err
	}
	ref, _ := postgres.StoreFrom(ctx)
	if own := s.Stripe; own.ID == account && len(own.Key) > 0 {
		key, err := p.config.Sealer.Open(own.Key, payments.KeyBinding(ref))
		if err != nil {
			return access{}, fmt.Errorf("open the store's Stripe key: %w", err)
		}
		return access{key: string(key), publishable: own.PublishableKey}, nil
	}
	keys := p.config.Keys[ref.Mode]
	if keys.Secret == "" {
		return access{}, errNoKey
	}
	return access{key: keys.Secret, account: account, publishable: keys.Publishable}, nil
}

// metadata are the names by which events find their way back.
func metadata(ctx context.Context, payment string) map[string]string {
	ref, _ := postgres.StoreFrom(ctx)
	return map[string]string{"stoa_store": ref.ID, "stoa_mode": string(ref.Mode), "stoa_payment": payment}
}

// Charge implements payments.Provider: it begins a payment that the shopper then makes.
func (p *Provider) Charge(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	a, err := p.reach(ctx, c.Account)
	if errors.Is(err, errNoKey) {
		return payments.Outcome{Result: payments.Declined, Failure: "account_unreachable"}, nil
	}
	if err != nil {
		return payments.Outcome{}, err
	}
	amount, ok := minor(c.Amount)
	if !ok {
		return payments.Outcome{Result: payments.Declined, Failure: "amount_unsupported"}, nil
	}
	if c.Request.Flow == payments.FlowConfirm {
		return p.intend(ctx, a, c, amount)
	}
	params := &stripe.CheckoutSessionParams{
		Params: a.params(ctx, c.Reference), Mode: stripe.String(string(stripe.CheckoutSessionModePayment)),
		SuccessURL: &c.Request.ReturnURL, CancelURL: &c.Request.ReturnURL, ClientReferenceID: &c.Reference,
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(c.Amount.Currency)), UnitAmount: &amount,
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: &c.Request.Name},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{CaptureMethod: captureMethod(c), Metadata: metadata(ctx, c.Reference)},
		Metadata:          metadata(ctx, c.Reference),
	}
	if c.Request.Email != "" {
		params.CustomerEmail = &c.Request.Email
	}
	params.AddExpand("payment_intent.latest_charge")
	made, err := session.Client{B: p.backend, Key: a.key}.New(params)
	if err != nil {
		return refused(err)
	}
	return ofSession(a, made), nil
}

func (p *Provider) intend(ctx context.Context, a access, c payments.Charge, amount int64) (payments.Outcome, error) {
	params := &stripe.PaymentIntentParams{
		Params: a.params(ctx, c.Reference), Amount: &amount, Currency: stripe.String(strings.ToLower(c.Amount.Currency)),
		CaptureMethod: captureMethod(c), Description: &c.Request.Name, Metadata: metadata(ctx, c.Reference),
		AutomaticPaymentMethods: &stripe.PaymentIntentAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)},
	}
	made, err := paymentintent.Client{B: p.backend, Key: a.key}.New(params)
	if err != nil {
		return refused(err)
	}
	return ofIntent(a, made), nil
}

func captureMethod(c payments.Charge) *string {
	if c.Capture == payments.Manual {
		return stripe.String(string(stripe.PaymentIntentCaptureMethodManual))
	}
	return stripe.String(string(stripe.PaymentIntentCaptureMethodAutomatic))
}

// Lookup implements payments.Provider. A charge whose name at Stripe was never written
// down was never shown to the shopper either.
func (p *Provider) Lookup(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	if c.Theirs == "" {
		return payments.Outcome{Result: payments.Unknown}, nil
	}
	a, err := p.reach(ctx, c.Account)
	if err != nil {
		return payments.Outcome{}, err
	}
	return p.find(ctx, a, c)
}

func (p *Provider) find(ctx context.Context, a access, c payments.Charge) (payments.Outcome, error) {
	if strings.HasPrefix(c.Theirs, "cs_") {
		params := &stripe.CheckoutSessionParams{Params: a.params(ctx, "")}
		params.AddExpand("payment_intent.latest_charge")
		found, err := session.Client{B: p.backend, Key: a.key}.Get(c.Theirs, params)
		if err != nil {
			return payments.Outcome{}, fmt.Errorf("look up %s: %w", c.Theirs, err)
		}
		return ofSession(a, found), nil
	}
	params := &stripe.PaymentIntentParams{Params: a.params(ctx, "")}
	params.AddExpand("latest_charge")
	found, err := paymentintent.Client{B: p.backend, Key: a.key}.Get(c.Theirs, params)
	if err != nil {
		return payments.Outcome{}, fmt.Errorf("look up %s: %w", c.Theirs, err)
	}
	return ofIntent(a, found), nil
}

// Capture implements payments.Provider.
func (p *Provider) Capture(ctx context.Context, c payments.Charge, amount money.Money) (payments.Outcome, error) {
	part, ok := minor(amount)
	if !ok {
		return payments.Outcome{Result: payments.Declined, Failure: "amount_unsupported"}, nil
	}
	a, err := p.reach(ctx, c.Account)
	if err != nil {
		return payments.Outcome{}, err
	}
	params := &stripe.PaymentIntentCaptureParams{Params: a.params(ctx, fmt.Sprintf("%s-capture-%d", c.Reference, part)), AmountToCapture: &part}
	made, err := paymentintent.Client{B: p.backend, Key: a.key}.Capture(c.Theirs, params)
	if err == nil {
		return ofIntent(a, made), nil
	}
	now, again := p.find(ctx, a, c)
	if again == nil && (now.Result == payments.Succeeded || now.Result == payments.Voided) {
		return now, nil
	}
	return refused(err)
}

// Void implements payments.Provider. What was begun without its name being written down
// is begun again, which is the same one by its idempotency key, and given up.
func (p *Provider) Void(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	if c.Theirs == "" {
		begun, err := p.Charge(ctx, c)
		if err != nil || begun.Result == payments.Declined {
			begun.Result = payments.Voided
			return begun, err
		}
		c.Theirs = begun.Reference
	}
	a, err := p.reach(ctx, c.Account)
	if err != nil {
		return payments.Outcome{}, err
	}
	if strings.HasPrefix(c.Theirs, "cs_") {
		expired, err := session.Client{B: p.backend, Key: a.key}.Expire(c.Theirs, &stripe.CheckoutSessionExpireParams{Params: a.params(ctx, "")})
		if err == nil {
			return ofSession(a, expired), nil
		}
		now, again := p.find(ctx, a, c)
		if again != nil || now.Result != payments.Authorised {
			return now, again
		}
		c.Theirs = now.Reference
	}
	cancelled, err := paymentintent.Client{B: p.backend, Key: a.key}.Cancel(c.Theirs, &stripe.PaymentIntentCancelParams{Params: a.params(ctx, "")})
	if err == nil {
		return ofIntent(a, cancelled), nil
	}
	return p.find(ctx, a, c) // it was taken, or given up before
}

// Refund implements payments.Provider.
func (p *Provider) Refund(ctx context.Context, r payments.Refund) (payments.Outcome, error) {
	a, err := p.reach(ctx, r.Charge.Account)
	if err != nil {
		return payments.Outcome{}, err
	}
	client := refund.Client{B: p.backend, Key: a.key}
	if r.Theirs != "" {
		found, err := client.Get(r.Theirs, &stripe.RefundParams{Params: a.params(ctx, "")})
		if err != nil {
			return payments.Outcome{}, fmt.Errorf("look up %s: %w", r.Theirs, err)
		}
		return ofRefund(found), nil
	}
	intent := r.Charge.Theirs
	if strings.HasPrefix(intent, "cs_") {
		now, err := p.find(ctx, a, r.Charge)
		if err != nil {
			return payments.Outcome{}, err
		}
		intent = now.Reference
	}
	amount, ok := minor(r.Amount)
	if !ok {
		return payments.Outcome{Result: payments.Declined, Failure: "amount_unsupported"}, nil
	}
	made, err := client.New(&stripe.RefundParams{
		Params: a.params(ctx, r.Reference), PaymentIntent: &intent, Amount: &amount, Metadata: refundData(ctx, r),
	})
	if err != nil {
		return refused(err)
	}
	return ofRefund(made), nil
}

// refundData are the names of a refund, by which it is told apart from those that are made at
// Stripe's own page.
func refundData(ctx context.Context, r payments.Refund) map[string]string {
	data := metadata(ctx, r.Charge.Reference)
	data["stoa_refund"] = r.Reference
	return data
}

func ofSession(a access, s *stripe.CheckoutSession) payments.Outcome {
	o := payments.Outcome{Reference: s.ID}
	switch {
	case s.Status == stripe.CheckoutSessionStatusExpired:
		o.Result, o.Failure = payments.Voided, "expired"
	case s.Status == stripe.CheckoutSessionStatusOpen:
		o.Result, o.Step = payments.Waiting, &payments.Step{Type: payments.StepRedirect, URL: s.URL}
	case s.PaymentIntent == nil:
		o.Result = payments.Processing
	default:
		o = ofIntent(a, s.PaymentIntent)
		if o.Result == payments.Waiting { // the page is done with, and a bank refused later
			o.Result, o.Step, o.Failure = payments.Declined, nil, "payment_failed"
		}
	}
	return o
}

func ofIntent(a access, i *stripe.PaymentIntent) payments.Outcome {
	o := payments.Outcome{Reference: i.ID}
	switch i.Status {
	case stripe.PaymentIntentStatusSucceeded:
		o.Result, o.Taken = payments.Succeeded, i.AmountReceived
		if i.LatestCharge != nil {
			o.Refunded = i.LatestCharge.AmountRefunded
		}
		currency := strings.ToUpper(string(i.Currency))
		o.Taken, o.Refunded = ours(o.Taken, currency), ours(o.Refunded, currency)
	case stripe.PaymentIntentStatusRequiresCapture:
		o.Result = payments.Authorised
	case stripe.PaymentIntentStatusProcessing:
		o.Result = payments.Processing
	case stripe.PaymentIntentStatusCanceled:
		o.Result, o.Failure = payments.Voided, "canceled"
	default:
		o.Result = payments.Waiting
		o.Step = &payments.Step{Type: payments.StepConfirm, ClientSecret: i.ClientSecret, PublishableKey: a.publishable, Account: a.account}
	}
	return o
}

func ofRefund(r *stripe.Refund) payments.Outcome {
	o := payments.Outcome{Reference: r.ID, Result: payments.Processing}
	switch r.Status {
	case stripe.RefundStatusSucceeded:
		o.Result = payments.Succeeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		o.Result, o.Failure = payments.Declined, string(r.FailureReason)
		if o.Failure == "" {
			o.Failure = "refund_failed"
		}
	}
	return o
}

// refused tells a refusal, by which nothing happened, from an answer that says nothing.
func refused(err error) (payments.Outcome, error) {
	var told *stripe.Error
	if !errors.As(err, &told) || told.Type == stripe.ErrorTypeIdempotency || told.Type == stripe.ErrorTypeAPI {
		return payments.Outcome{}, fmt.Errorf("stripe: %w", err)
	}
	if told.HTTPStatusCode != 400 && told.HTTPStatusCode != 402 && told.HTTPStatusCode != 404 {
		return payments.Outcome{}, fmt.Errorf("stripe: %w", err)
	}
	code := string(told.DeclineCode)
	if code == "" {
		code = string(told.Code)
	}
	if code == "" {
		code = "refused"
	}
	return payments.Outcome{Result: payments.Declined, Failure: code}, nil
}

// hundredfold are currencies without minor units that Stripe counts in hundredths, and
// tenfold those of three digits, of which it takes no odd last one. MGA has minor units
// by ISO 4217, and none for Stripe.
var (
	hundredfold = map[string]bool{"ISK": true, "UGX": true}
	tenfold     = map[string]bool{"BHD": true, "JOD": true, "KWD": true, "OMR": true, "TND": true}
)

// minor is an amount as Stripe counts it; some amounts it cannot take.
func minor(m money.Money) (int64, bool) {
	switch {
	case hundredfold[m.Currency]:
		return m.Amount * 100, m.Amount <= 99_999_999
	case m.Currency == "MGA":
		return m.Amount / 100, m.Amount%100 == 0
	case tenfold[m.Currency]:
		return m.Amount, m.Amount%10 == 0
	}
	return m.Amount, true
}

// ours is an amount that Stripe told, as we count it.
func ours(amount int64, currency string) int64 {
	switch {
	case hundredfold[currency]:
		return amount / 100
	case currency == "MGA":
		return amount * 100
	}
	return amount
}
