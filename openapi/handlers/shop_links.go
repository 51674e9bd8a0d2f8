package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/contact"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// What shoppers do by the links of mails, without signing in.

func (h *ShopCustomers) subscribe(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.Subscription](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return accepted(), h.Customers.Subscribe(ctx, tx, body.Email, given(body.Wording))
	})
}

func (h *ShopCustomers) confirmSubscription(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TokenConfirmation](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Customers.ConfirmSubscription(ctx, tx, body.Token)
	})
}

func (h *ShopCustomers) unsubscribe(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.Unsubscription](req)
	if err != nil {
		return nil, err
	}
	if !h.Links.Unsubscribes(ctx, body.ID, body.Key) {
		return nil, problem.Missing("subscription")
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Customers.Unsubscribe(ctx, tx, body.ID)
	})
}

func (h *ShopCustomers) requestOrderLink(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderLinkRequest](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		orders.RequestLink(ctx, tx, body.Number, body.Email)
		return accepted(), nil
	})
}

func (h *ShopCustomers) write(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShopMessage](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		m := contact.Message{Name: body.Name, Email: string(body.Email), Order: given(body.OrderNumber), Text: body.Message}
		return accepted(), contact.Write(ctx, tx, m)
	})
}

func (h *ShopCustomers) withdraw(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.WithdrawalDeclaration](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return accepted(), contact.Withdraw(ctx, tx, contact.Withdrawal{
			Name: body.Name, Email: string(body.Email), Order: body.OrderNumber, Text: given(body.Message), Locale: given(body.Locale),
		})
	})
}

func (h *ShopCustomers) openOrder(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OrderOpening](req)
	if err != nil {
		return nil, err
	}
	id := req.Param("order_id")
	if !h.Links.OpensOrder(ctx, id, body.Key) {
		return nil, problem.Missing("order")
	}
	var order []byte
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		order, err = h.Orders.ShopAnswer(ctx, tx, h.ShopURL(req.Caller.Store), id)
		return err
	})
	if order, err = postgres.Must(order, err, "order"); err != nil {
		return nil, err
	}
	return openapi.OK(order), nil
}
