package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// edit changes what an order contains.
func (h *Orders) edit(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderEditCreate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	in := orders.Edit{
		OrderID: req.Param("order_id"), Version: version, Add: converted(body.Add, lineAdded), Shipping: amountGiven(body.Shipping),
		Reason: given(body.Reason), Keep: body.Refund != nil && !*body.Refund,
		Lines: converted(body.Lines, func(l gen.LineAmount) orders.LineQuantity {
			return orders.LineQuantity{LineID: l.LineID, Quantity: int64(l.Quantity)}
		}),
	}
	refund := ""
	res, err := openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		var err error
		if _, refund, err = h.Orders.Edit(ctx, tx, in); err != nil {
			return nil, err
		}
		order, err := h.Orders.GetIn(ctx, tx, h.ShopURL(req.Caller.Store), in.OrderID)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/orders/"+in.OrderID, order.Data).Tagged(order.Version), nil
	})
	if err == nil && refund != "" && !req.DryRun() {
		h.Orders.PayBack(ctx, refund)
	}
	return res, err
}

func lineAdded(l gen.LineAdded) orders.Added {
	return orders.Added{VariantID: l.VariantID, Quantity: int64(l.Quantity), Unit: amountGiven(l.UnitPrice), Attributes: l.Attributes}
}
