package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// payBalance pays what is outstanding of an order, for the staff.
func (h *Checkout) payBalance(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderPaymentCreate](req)
	if err != nil {
		return nil, err
	}
	in := checkout.Balance{Payment: chosen(body.Payment), Amount: amountGiven(body.Amount)}
	in.Payment.Merchant = true
	return balancePaid(ctx, req, h.DB, h.Checkout, in, func(ctx context.Context, tx *postgres.Tx, payment string) (*openapi.Response, error) {
		made, err := payments.GetIn(ctx, tx, payment)
		return openapi.Created("/v1/payments/"+payment, made), err
	})
}

// pay pays what is outstanding of an order, for its shopper.
func (h *ShopCustomers) pay(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShopOrderPaymentCreate](req)
	if err != nil {
		return nil, err
	}
	ctx, cartToken, customerID, err := h.opens(ctx, req)
	if err != nil {
		return nil, err
	}
	order, media := req.Param("order_id"), h.ShopURL(req.Caller.Store)
	if _, err := h.Orders.ShopGet(ctx, media, order, cartToken, customerID); err != nil {
		return nil, err
	}
	amount := money.New(body.Amount.Amount, body.Amount.Currency)
	in := checkout.Balance{Payment: chosen(body.Payment), Amount: &amount, Shown: true}
	return balancePaid(ctx, req, h.DB, h.Checkout, in, func(ctx context.Context, tx *postgres.Tx, _ string) (*openapi.Response, error) {
		now, err := h.Orders.ShopAnswer(ctx, tx, media, order)
		return openapi.Created("/v1/shop/orders/"+order, now), err
	})
}

// balancePaid has an order's balance paid, and answers with what is made of the payment.
func balancePaid(ctx context.Context, req *openapi.Request, db *postgres.DB, service *checkout.Service, in checkout.Balance,
	made func(ctx context.Context, tx *postgres.Tx, payment string) (*openapi.Response, error)) (*openapi.Response, error) {
	claim, replay, err := openapi.Claiming(ctx, req, db)
	if err != nil || replay != nil {
		return replay, err
	}
	in.OrderID, in.Attempt, in.Terms = req.Param("order_id"), attemptName(req), terms(req.Caller.Store)
	var res *openapi.Response
	at, err := service.PayBalance(ctx, in, func(ctx context.Context, tx *postgres.Tx, payment string, refused *problem.Problem) (err error) {
		if refused != nil {
			return claim.Refuse(ctx, tx, refused)
		}
		if res, err = made(ctx, tx, payment); err != nil {
			return err
		}
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	if res == nil {
		return openapi.Accepted("", shownUnderWay(at)), claim.Release(ctx)
	}
	return res, nil
}

// requestPayment mails the shopper a link to pay what is outstanding.
func (h *Checkout) requestPayment(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Orders.Remind(ctx, tx, req.Param("order_id"))
	})
}

// paymentLink gives the link that requestPayment mails.
func (h *Checkout) paymentLink(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	order := req.Param("order_id")
	var debt orders.Debt
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		debt, err = orders.Owed(ctx, tx, order)
		return err
	})
	if err != nil {
		return nil, err
	}
	if debt.Outstanding.IsZero() {
		return nil, orders.NothingOwed()
	}
	url, err := h.OrderURL(ctx, order)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.PaymentLink{URL: url}), nil
}
