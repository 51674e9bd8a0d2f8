package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Payments answers the staff's operations on payments, and on how shoppers may pay.
type Payments struct {
	DB     *postgres.DB
	Orders *orders.Service
	Stripe *stripe.Provider
	Sealer postgres.Sealer
	Find   stripe.Stores
	// Received is told what became of each of Stripe's events.
	Received func(stripe.Fate)
}

// Operations are the handlers by operationId.
func (h *Payments) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listPayments":          h.list,
		"getPayment":            h.get,
		"capturePayment":        tried(h, (*Payments).capture),
		"voidPayment":           tried(h, (*Payments).void),
		"getPaymentSettings":    h.settings,
		"updatePaymentSettings": h.updateSettings,
		"connectStripe":         h.connect,
		"receiveStripeEvent":    h.receive,
	}
}

func (h *Payments) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := payments.List(ctx, h.DB, payments.Filter{
		OrderID: req.Query.Get("order_id"), State: req.Query.Get("state"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Payments) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	payment, err := payments.Get(ctx, h.DB, req.Param("payment_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(payment), nil
}

func (h *Payments) capture(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PaymentCapture](req)
	if err != nil {
		return nil, err
	}
	return h.ask(ctx, req, func(answer orders.Answer) error {
		return h.Orders.Capture(ctx, req.Param("payment_id"), amountGiven(body.Amount), attemptName(req), answer)
	})
}

func (h *Payments) void(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.ask(ctx, req, func(answer orders.Answer) error {
		return h.Orders.Void(ctx, req.Param("payment_id"), attemptName(req), answer)
	})
}

// ask answers an operation that captures or voids a payment.
func (h *Payments) ask(ctx context.Context, req *openapi.Request, do func(orders.Answer) error) (*openapi.Response, error) {
	claim, replay, err := openapi.Claiming(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	var res *openapi.Response
	err = do(func(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error {
		if refused != nil {
			return claim.Refuse(ctx, tx, refused)
		}
		payment, err := payments.GetIn(ctx, tx, id)
		if err != nil {
			return err
		}
		res = openapi.OK(payment)
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	return res, nil
}

func (h *Payments) settings(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	var s payments.Settings
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = payments.Read(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return shownSettings(req, s), nil
}

func shownSettings(req *openapi.Request, s payments.Settings) *openapi.Response {
	return openapi.OK(struct {
		payments.Shown
		TestProvider bool `json:"test_provider"`
	}{s.Show(), terms(req.Caller.Store).Test()}).At(s.Version)
}

func (h *Payments) updateSettings(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PaymentSettingsUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	set, err := h.stripe(ctx, req, body)
	if err != nil {
		return nil, err
	}
	change := payments.Change{Capture: (*payments.Capture)(body.CaptureMethod)}
	if body.Providers != nil {
		change.Providers = converted(body.Providers, func(p gen.PaymentProvider) string { return string(p) })
	}
	if body.ManualMethods != nil {
		change.Manual = converted(body.ManualMethods, func(m gen.ManualMethod) payments.ManualMethod {
			return payments.ManualMethod{ID: m.ID, Name: m.Name, Instructions: m.Instructions}
		})
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if set != nil {
			s, err := payments.SetStripe(ctx, tx, version, set)
			if err != nil {
				return nil, err
			}
			if version != 0 {
				version = s.Version
			}
		}
		s, err := payments.Update(ctx, tx, version, change)
		if err != nil {
			return nil, err
		}
		return shownSettings(req, s), nil
	})
}

// stripe is what a change says of the store's own keys: nil for nothing. A dry run does not ask
// Stripe which account they are of.
func (h *Payments) stripe(ctx context.Context, req *openapi.Request, body gen.PaymentSettingsUpdate) (func(*payments.StripeAccount), error) {
	if !body.Stripe.IsSpecified() {
		return nil, nil
	}
	keys, err := body.Stripe.Get()
	if err != nil {
		return func(a *payments.StripeAccount) { *a = payments.StripeAccount{} }, nil // null
	}
	key := given(keys.SecretKey)
	account := payments.StripeAccount{ID: "acct_dry_run", Ready: true}
	if !req.DryRun() {
		if account, err = h.Stripe.Identify(ctx, key); err != nil {
			return nil, err
		}
	}
	ref, _ := postgres.StoreFrom(ctx)
	if account.Key, err = h.Sealer.Seal([]byte(key), payments.KeyBinding(ref)); err != nil {
		return nil, err
	}
	account.KeyEnd, account.PublishableKey = key[len(key)-4:], given(keys.PublishableKey)
	if secret := given(keys.WebhookSecret); secret != "" {
		if account.WebhookSecret, err = h.Sealer.Seal([]byte(secret), payments.WebhookBinding(ref)); err != nil {
			return nil, err
		}
	}
	return func(a *payments.StripeAccount) { *a = account }, nil
}

func (h *Payments) connect(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.StripeConnect](req)
	if err != nil {
		return nil, err
	}
	var s payments.Settings
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = payments.Read(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	account, url, err := h.Stripe.Connect(ctx, s.Stripe, body.ReturnURL)
	if err != nil {
		return nil, err
	}
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := payments.SetStripe(ctx, tx, s.Version, func(a *payments.StripeAccount) { *a = account })
		return err
	})
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.StripeConnection{AccountID: account.ID, URL: url}), nil
}

func (h *Payments) receive(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	fate, err := h.Stripe.Receive(ctx, h.Find, req.Body, req.Header.Get("Stripe-Signature"), req.Query.Get("store"))
	h.Received(fate)
	if err != nil {
		return nil, err
	}
	return openapi.NoContent(), nil
}
