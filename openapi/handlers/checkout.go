package handlers

import (
	"context"
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
}

// Operations are the handlers by operationId.
func (h *Checkout) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{"completeCart": h.complete}
}

// shop is what checkout needs to know of a store.
func shop(store *tenants.Store) checkout.Shop {
	live := store.Ref.Mode == principal.Live
	return checkout.Shop{
		Terms:       payments.Terms{Live: live, Demo: store.Demo},
		TakesOrders: !live || store.Demo || store.OwnerVerified,
	}
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
	_, err = h.Checkout.Complete(ctx, checkout.Input{
		Cart: ref, Provider: string(body.Payment.Provider), Token: body.Payment.Token, Attempt: attemptName(req),
		Expected: money.New(body.ExpectedTotal.Amount, body.ExpectedTotal.Currency), Shop: shop(req.Caller.Store),
	}, func(ctx context.Context, tx *postgres.Tx, orderID string, refused *problem.Problem) error {
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
	return res, nil
}

// released gives a key back whose effect did not come about, unless the refusal was
// recorded, and gives the reason.
func released(ctx context.Context, claim *openapi.Claim, reason error) error {
	if err := claim.Release(ctx); err != nil && problem.As(reason) == nil {
		return err
	}
	return reason
}
