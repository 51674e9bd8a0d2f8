package handlers

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// Checkout answers the completion of carts.
type Checkout struct {
	DB       *postgres.DB
	Checkout *checkout.Service
	Orders   *orders.Service
	ShopURL  ShopURL

	// OrderURL is the address of an order's page, by which whoever has it may pay it.
	OrderURL func(ctx context.Context, orderID string) (string, error)

	// Completed is told of each cart that became an order; it may be nil.
	Completed func(ctx context.Context)
}

// Operations are the handlers by operationId.
func (h *Checkout) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"completeCart": tried(h, (*Checkout).complete), "checkCartPayment": h.check, "createOrderPayment": tried(h, (*Checkout).payBalance), "requestOrderPayment": h.requestPayment,
		"getOrderPaymentLink": h.paymentLink,
	}
}

// terms decide which payment providers a store may use.
func terms(store *tenants.Store) payments.Terms {
	return payments.Terms{Live: store.Ref.Mode == principal.Live, Demo: store.Demo}
}

// shop is what checkout needs to know of a store.
func shop(store *tenants.Store) checkout.Shop {
	terms := terms(store)
	return checkout.Shop{Terms: terms, TakesOrders: terms.Test() || store.OwnerVerified}
}

// AcceptsOrders says whether carts of a store can be completed.
func AcceptsOrders(_ context.Context, store *tenants.Store) (bool, error) {
	return shop(store).TakesOrders, nil
}

// attemptName is the caller's name for an effect of several steps: its idempotency key.
func attemptName(req *openapi.Request) string {
	return strings.Trim(req.Header.Get("Idempotency-Key"), `"`)
}

func (h *Checkout) complete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartCompletion](req)
	if err != nil {
		return nil, err
	}
	ref, err := cartRef(req)
	if err != nil {
		return nil, err
	}
	claim, replay, err := openapi.Claiming(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	var res *openapi.Response
	in := checkout.Input{
		Cart: ref, Attempt: attemptName(req), Expected: money.New(body.ExpectedTotal.Amount, body.ExpectedTotal.Currency), Shop: shop(req.Caller.Store),
	}
	if body.Payment != nil {
		in.Payment = chosen(*body.Payment)
	}
	if in.Due = in.Expected; body.ExpectedDue != nil {
		in.Due = money.New(body.ExpectedDue.Amount, body.ExpectedDue.Currency)
	}
	at, err := h.Checkout.Complete(ctx, in, func(ctx context.Context, tx *postgres.Tx, orderID string, refused *problem.Problem) error {
		if refused != nil {
			return claim.Refuse(ctx, tx, refused)
		}
		order, err := h.Orders.ShopAnswer(ctx, tx, h.ShopURL(req.Caller.Store), orderID)
		if err != nil {
			return err
		}
		res = openapi.Created("/v1/shop/orders/"+orderID, order)
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	if res != nil && h.Completed != nil {
		h.Completed(ctx)
	}
	if res == nil {
		// It goes on elsewhere: who asks again is told how far it is, not this once more.
		return openapi.Accepted("", shownProgress(at, nil)), claim.Release(ctx)
	}
	return res, nil
}

func chosen(p gen.CartPayment) payments.Chosen {
	return payments.Chosen{Provider: string(p.Provider), Token: given(p.Token), Flow: string(given(p.Flow)), ReturnURL: given(p.ReturnURL)}
}

// underWay is how far a payment is in the contract's words, and progress how far one of a cart.
type underWay struct {
	PaymentID  string      `json:"payment_id"`
	Provider   string      `json:"provider"`
	State      string      `json:"state"`
	NextAction *nextAction `json:"next_action"`
}

type progress struct {
	underWay
	Order json.RawMessage `json:"order"`
}

type nextAction struct {
	Type           string  `json:"type"`
	URL            *string `json:"url"`
	ClientSecret   *string `json:"client_secret"`
	PublishableKey *string `json:"publishable_key"`
	Account        *string `json:"account"`
}

func shownProgress(at checkout.Progress, order []byte) progress {
	return progress{underWay: shownUnderWay(at), Order: order}
}

func shownUnderWay(at checkout.Progress) underWay {
	p := underWay{PaymentID: at.Payment, Provider: at.Provider, State: at.State}
	if s := at.Step; s != nil {
		p.NextAction = &nextAction{
			Type: s.Type, URL: orNil(s.URL), ClientSecret: orNil(s.ClientSecret), PublishableKey: orNil(s.PublishableKey), Account: orNil(s.Account),
		}
	}
	return p
}

func (h *Checkout) check(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ref, err := cartRef(req)
	if err != nil {
		return nil, err
	}
	var order []byte
	at, err := h.Checkout.Check(ctx, ref, func(ctx context.Context, tx *postgres.Tx, orderID string, refused *problem.Problem) (err error) {
		if refused == nil {
			order, err = h.Orders.ShopAnswer(ctx, tx, h.ShopURL(req.Caller.Store), orderID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if order != nil && h.Completed != nil {
		h.Completed(ctx)
	}
	return openapi.OK(shownProgress(at, order)), nil
}

// released gives a key back whose effect did not come about, unless the refusal was
// recorded, and gives the reason.
func released(ctx context.Context, claim *openapi.Claim, reason error) error {
	if err := claim.Release(ctx); err != nil && problem.As(reason) == nil {
		return err
	}
	return reason
}
