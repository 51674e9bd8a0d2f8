package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Returns answers the staff's operations on goods that come back.
type Returns struct {
	DB     *postgres.DB
	Orders *orders.Service
}

// Operations are the handlers by operationId.
func (h *Returns) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listReturns":   h.list,
		"getReturn":     h.get,
		"createReturn":  h.create,
		"approveReturn": h.step(h.Orders.ApproveReturn),
		"declineReturn": h.step(h.Orders.DeclineReturn),
		"receiveReturn": h.receive,
		"inspectReturn": h.inspect,
		"refundReturn":  tried(h, (*Returns).refund),

		"exchangeReturn": h.exchange,
		"closeReturn":    h.step(h.Orders.CloseReturn),
		"cancelReturn":   h.step(h.Orders.CancelReturn),
	}
}

func (h *Returns) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := h.Orders.Returns(ctx, orders.ReturnFilter{
		OrderID: req.Query.Get("order_id"), State: req.Query.Get("state"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Returns) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	found, err := h.Orders.Return(ctx, h.DB, req.Param("return_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(found.Data).Tagged(found.Version), nil
}

func (h *Returns) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReturnCreate](req)
	if err != nil {
		return nil, err
	}
	in := orders.ReturnInput{OrderID: req.Param("order_id"), Lines: converted(body.Lines, returnLine), Exchange: converted(body.ExchangeLines, instead), Note: given(body.Note), Message: given(body.Message)}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Orders.OpenReturn(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		made, err := h.Orders.Return(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/returns/"+id, made.Data), nil
	})
}

func returnLine(l gen.ReturnLineAsked) orders.ReturnLine {
	return orders.ReturnLine{LineID: l.LineID, Quantity: int64(l.Quantity), Reason: string(l.Reason), Note: orNil(given(l.Note))}
}

func instead(l gen.ReturnInstead) orders.Instead {
	return orders.Instead{VariantID: l.VariantID, Quantity: int64(l.Quantity)}
}

// exchange adds what is sent instead to the order.
func (h *Returns) exchange(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReturnExchange](req)
	if err != nil {
		return nil, err
	}
	in := orders.Exchange{
		ReturnID: req.Param("return_id"), Add: converted(body.Add, lineAdded), Fee: amountGiven(body.Fee), Shipping: amountGiven(body.Shipping), Reason: given(body.Reason),
	}
	refund := ""
	res, err := openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		var err error
		if refund, err = h.Orders.ExchangeReturn(ctx, tx, in); err != nil {
			return nil, err
		}
		now, err := h.Orders.Return(ctx, tx, in.ReturnID)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/returns/"+in.ReturnID, now.Data), nil
	})
	if err == nil && refund != "" && !req.DryRun() {
		h.Orders.PayBack(ctx, refund)
	}
	return res, err
}

// step answers a step that takes nothing but a message.
func (h *Returns) step(do func(context.Context, *postgres.Tx, orders.ReturnStep) error) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		body, err := openapi.Decode[gen.ReturnMessage](req)
		if err != nil {
			return nil, err
		}
		return h.answer(ctx, req, func(ctx context.Context, tx *postgres.Tx) error {
			return do(ctx, tx, orders.ReturnStep{ID: req.Param("return_id"), Message: given(body.Message)})
		})
	}
}

// answer answers with the return as it is after a step.
func (h *Returns) answer(ctx context.Context, req *openapi.Request, do func(context.Context, *postgres.Tx) error) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := do(ctx, tx); err != nil {
			return nil, err
		}
		now, err := h.Orders.Return(ctx, tx, req.Param("return_id"))
		if err != nil {
			return nil, err
		}
		return openapi.OK(now.Data), nil
	})
}

func (h *Returns) receive(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, req, func(ctx context.Context, tx *postgres.Tx) error {
		return h.Orders.ReceiveReturn(ctx, tx, orders.ReturnStep{ID: req.Param("return_id")})
	})
}

func (h *Returns) inspect(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReturnInspection](req)
	if err != nil {
		return nil, err
	}
	findings := converted(body.Lines, func(f gen.ReturnFinding) orders.Finding {
		found := orders.Finding{LineID: f.LineID, Accepted: int64(f.AcceptedQuantity), Location: given(f.RestockLocationID), Condition: string(given(f.Condition))}
		if f.RestockedQuantity != nil {
			n := int64(*f.RestockedQuantity)
			found.Restocked = &n
		}
		return found
	})
	return h.answer(ctx, req, func(ctx context.Context, tx *postgres.Tx) error {
		return h.Orders.InspectReturn(ctx, tx, req.Param("return_id"), findings)
	})
}

func (h *Returns) refund(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReturnRefundCreate](req)
	if err != nil {
		return nil, err
	}
	claim, replay, err := openapi.Claiming(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	in := orders.ReturnRefund{ReturnID: req.Param("return_id"), Fee: amountGiven(body.Fee), Shipping: amountGiven(body.Shipping), Reason: given(body.Reason), Attempt: attemptName(req), StoreCredit: string(given(body.To)) == orders.ToStoreCredit}
	var res *openapi.Response
	err = h.Orders.RefundReturn(ctx, in, func(ctx context.Context, tx *postgres.Tx, id string, refused *problem.Problem) error {
		if refused != nil {
			return claim.Refuse(ctx, tx, refused)
		}
		now, err := h.Orders.Return(ctx, tx, id)
		if err != nil {
			return err
		}
		res = openapi.Created("/v1/returns/"+id, now.Data)
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	return res, nil
}

// amountGiven is an amount that may be left out.
func amountGiven(m *gen.Money) *money.Money {
	if m == nil {
		return nil
	}
	amount := money.New(m.Amount, m.Currency)
	return &amount
}
