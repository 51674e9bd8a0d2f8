package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// trier is a handler of effects that take several transactions, as calls to a payment
// provider lie in between. Within a transaction all of them are a part of it, and no provider
// is asked: so a dry run has them.
type trier[H any] interface {
	door() *postgres.DB
	within(tx *postgres.Tx) H
}

// tried has an effect that takes several transactions be tried by a dry run.
func tried[H trier[H]](h H, effect func(H, context.Context, *openapi.Request) (*openapi.Response, error)) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		if !req.DryRun() {
			return effect(h, ctx, req)
		}
		return openapi.Write(ctx, req, h.door(), func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
			return effect(h.within(tx), ctx, req)
		})
	}
}

func (h *Orders) door() *postgres.DB        { return h.DB }
func (h *Returns) door() *postgres.DB       { return h.DB }
func (h *Payments) door() *postgres.DB      { return h.DB }
func (h *Carts) door() *postgres.DB         { return h.DB }
func (h *Checkout) door() *postgres.DB      { return h.DB }
func (h *Drafts) door() *postgres.DB        { return h.DB }
func (h *ShopCustomers) door() *postgres.DB { return h.DB }

func (h *Orders) within(tx *postgres.Tx) *Orders {
	t := *h
	t.DB = h.DB.Within(tx)
	t.Orders = h.Orders.Trying(t.DB)
	return &t
}

func (h *Returns) within(tx *postgres.Tx) *Returns {
	t := *h
	t.DB = h.DB.Within(tx)
	t.Orders = h.Orders.Trying(t.DB)
	return &t
}

func (h *Payments) within(tx *postgres.Tx) *Payments {
	t := *h
	t.DB = h.DB.Within(tx)
	t.Orders = h.Orders.Trying(t.DB)
	return &t
}

func (h *Carts) within(tx *postgres.Tx) *Carts {
	t := *h
	t.DB = h.DB.Within(tx)
	t.Checkout, t.Carts = h.Checkout.Trying(t.DB), cart.New(t.DB)
	return &t
}

func (h *Checkout) within(tx *postgres.Tx) *Checkout {
	t := *h
	t.DB, t.Completed = h.DB.Within(tx), nil
	t.Orders, t.Checkout = h.Orders.Trying(t.DB), h.Checkout.Trying(t.DB)
	return &t
}

func (h *Drafts) within(tx *postgres.Tx) *Drafts {
	t := *h
	t.DB = h.DB.Within(tx)
	t.Orders, t.Checkout, t.Carts = h.Orders.Trying(t.DB), h.Checkout.Trying(t.DB), cart.New(t.DB)
	t.Drafts = &drafts.Service{Carts: t.Carts}
	return &t
}

func (h *ShopCustomers) within(tx *postgres.Tx) *ShopCustomers {
	t := *h
	t.DB = h.DB.Within(tx)
	t.Orders, t.Checkout = h.Orders.Trying(t.DB), h.Checkout.Trying(t.DB)
	return &t
}
