package handlers

import (
	"context"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Orders answers the staff's operations on orders.
type Orders struct {
	DB      *postgres.DB
	Orders  *orders.Service
	ShopURL ShopURL
}

// Operations are the handlers by operationId.
func (h *Orders) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listOrders":        h.list,
		"getOrder":          h.get,
		"cancelOrder":       tried(h, (*Orders).cancel),
		"createFulfilment":  h.fulfil,
		"createRefund":      tried(h, (*Orders).refund),
		"updateOrder":       h.update,
		"listOrderTimeline": h.timeline,
		"createOrderNote":   h.note,
		"createOrderEdit":   h.edit,
	}
}

func (h *Orders) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	number, _ := strconv.ParseInt(q.Get("number"), 10, 64) // the contract has seen to its form
	page, err := h.Orders.List(ctx, h.ShopURL(req.Caller.Store), orders.Filter{
		State: q.Get("state"), PaymentState: q.Get("payment_state"), FulfilmentState: q.Get("fulfilment_state"),
		CustomerID: q.Get("customer_id"), Email: q.Get("email"), Number: number, Since: q.Get("since"), Until: q.Get("until"), Tag: q.Get("tag"),
		After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Orders) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	order, err := h.Orders.Get(ctx, h.ShopURL(req.Caller.Store), req.Param("order_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(order.Data).Tagged(order.Version), nil
}

func (h *Orders) cancel(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderCancel](req)
	if err != nil {
		return nil, err
	}
	claim, replay, err := openapi.Claiming(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	var res *openapi.Response
	in := orders.CancelInput{OrderID: req.Param("order_id"), Reason: string(body.Reason), Keep: body.Restock != nil && !*body.Restock, Attempt: attemptName(req)}
	err = h.Orders.Cancel(ctx, in, func(ctx context.Context, tx *postgres.Tx, id string, _ *problem.Problem) error {
		order, err := h.Orders.GetIn(ctx, tx, h.ShopURL(req.Caller.Store), id)
		if err != nil {
			return err
		}
		res = openapi.OK(order.Data)
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	return res, nil
}

func (h *Orders) fulfil(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.FulfilmentCreate](req)
	if err != nil {
		return nil, err
	}
	var tracking orders.Tracking
	if t := body.Tracking; t != nil {
		tracking = orders.Tracking{Carrier: given(t.Carrier), Number: given(t.Number), URL: given(t.URL)}
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Orders.Fulfil(ctx, tx, req.Param("order_id"), converted(body.Lines, lineQuantity), tracking)
		if err != nil {
			return nil, err
		}
		fulfilment, err := h.Orders.FulfilmentJSON(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/orders/"+req.Param("order_id"), fulfilment), nil
	})
}

func (h *Orders) refund(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.RefundCreate](req)
	if err != nil {
		return nil, err
	}
	claim, replay, err := openapi.Claiming(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	in := orders.RefundInput{
		OrderID: req.Param("order_id"), PaymentID: given(body.PaymentID), Lines: converted(body.Lines, lineQuantity), Restock: given(body.Restock), Reason: given(body.Reason), Attempt: attemptName(req),
		Amount: amountGiven(body.Amount), Balance: given(body.Balance), StoreCredit: string(given(body.To)) == orders.ToStoreCredit,
	}
	var res *openapi.Response
	_, err = h.Orders.Refund(ctx, in, func(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error {
		if refused != nil {
			return claim.Refuse(ctx, tx, refused)
		}
		refund, err := h.Orders.RefundJSON(ctx, tx, id)
		if err != nil {
			return err
		}
		res = openapi.Created("/v1/orders/"+in.OrderID, refund)
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	return res, nil
}

func (h *Orders) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := orders.Patch{
		Tags: body.Tags, Email: body.Email, Billing: patchedAddress(body.BillingAddress), CustomFields: fields.Values(given(body.CustomFields)),
	}
	if body.ShippingAddress != nil {
		patch.Shipping = givenAddress(*body.ShippingAddress)
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Orders.Update(ctx, tx, req.Param("order_id"), version, patch); err != nil {
			return nil, err
		}
		order, err := h.Orders.GetIn(ctx, tx, h.ShopURL(req.Caller.Store), req.Param("order_id"))
		if err != nil {
			return nil, err
		}
		return openapi.OK(order.Data).Tagged(order.Version), nil
	})
}

func (h *Orders) timeline(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := h.Orders.Timeline(ctx, req.Param("order_id"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Orders) note(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderNoteCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Orders.Annotate(ctx, tx, req.Param("order_id"), body.Note); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}

func lineQuantity(q gen.LineQuantity) orders.LineQuantity {
	return orders.LineQuantity{LineID: q.LineID, Quantity: int64(q.Quantity)}
}
