package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Payments answers the staff's operations on payments.
type Payments struct{ DB *postgres.DB }

// Operations are the handlers by operationId.
func (h *Payments) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{"listPayments": h.list, "getPayment": h.get}
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
