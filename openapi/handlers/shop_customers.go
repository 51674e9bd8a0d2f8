package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/stoacommerce/stoa/commerce/alerts"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// ShopCustomers answers shoppers about their own accounts, orders and invoices.
type ShopCustomers struct {
	DB        *postgres.DB
	Customers *customers.Service
	Orders    *orders.Service
	Documents *documents.Service
	Checkout  *checkout.Service
	ShopURL   ShopURL
	Links     ShopperLinks
}

// ShopperLinks knows what opens the links that mails to shoppers have.
type ShopperLinks interface {
	OpensOrder(ctx context.Context, id, key string) bool
	Unsubscribes(ctx context.Context, id, key string) bool
}

// Operations are the handlers by operationId.
func (h *ShopCustomers) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"registerCustomer": h.register,
		"verifyCustomer":   h.verify,
		"signInCustomer":   h.signIn,
		"signOutCustomer":  h.signOut,

		"requestCustomerPasswordReset":  h.requestReset,
		"completeCustomerPasswordReset": h.reset,
		"requestStockAlert":             h.alert,

		"requestMyEmailChange": h.requestEmailChange,
		"confirmMyEmailChange": h.confirmEmailChange,

		"subscribe":            h.subscribe,
		"confirmSubscription":  h.confirmSubscription,
		"unsubscribe":          h.unsubscribe,
		"requestOrderLink":     h.requestOrderLink,
		"writeToShop":          h.write,
		"withdrawFromContract": h.withdraw,
		"openShopOrder":        h.openOrder,

		"getMe":        h.me,
		"updateMe":     h.updateMe,
		"listMyOrders": h.orders,
		"getShopOrder": h.order,
		"payOrder":     tried(h, (*ShopCustomers).pay),

		"requestReturn": h.requestReturn,

		"getShopOrderDocuments":     h.documents,
		"downloadShopOrderDocument": h.document,
	}
}

// signedIn finds out which shopper asks.
func (h *ShopCustomers) signedIn(ctx context.Context, req *openapi.Request) (context.Context, customers.Customer, error) {
	return signedIn(ctx, req, h.Customers)
}

func signedIn(ctx context.Context, req *openapi.Request, known *customers.Service) (context.Context, customers.Customer, error) {
	token := req.Header.Get("Customer-Token")
	if token == "" {
		return ctx, customers.Customer{}, problem.New(problem.Unauthenticated, "invalid_customer_token", "This needs a Customer-Token.").
			At("Customer-Token", "required", "Sign in to get one.")
	}
	c, err := known.Authenticate(ctx, token)
	req.Of(c.ID)
	return customers.As(ctx, c), c, err
}

func (h *ShopCustomers) register(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerRegistration](req)
	if err != nil {
		return nil, err
	}
	registration, err := h.Customers.Prepare(ctx, customers.RegisterInput{
		Email: body.Email, Password: body.Password, Name: given(body.Name), AcceptsMarketing: given(body.AcceptsMarketing), Wording: given(body.MarketingWording),
	})
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return accepted(), h.Customers.Register(ctx, tx, registration)
	})
}

func (h *ShopCustomers) verify(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TokenConfirmation](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		session, err := h.Customers.Verify(ctx, tx, body.Token)
		if err != nil {
			return nil, err
		}
		return h.session(ctx, tx, session)
	})
}

func (h *ShopCustomers) signIn(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	body, err := openapi.Decode[gen.CustomerSignIn](req)
	if err != nil {
		return nil, err
	}
	_, err = h.Customers.SignIn(ctx, body.Email, body.Password, func(ctx context.Context, tx *postgres.Tx, session customers.Session) error {
		res, err = h.session(ctx, tx, session)
		return err
	})
	return res, err
}

func (h *ShopCustomers) requestReset(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasswordResetRequest](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		h.Customers.RequestReset(ctx, tx, body.Email)
		return accepted(), nil
	})
}

func (h *ShopCustomers) reset(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerPasswordReset](req)
	if err != nil {
		return nil, err
	}
	reset, err := h.Customers.PrepareReset(ctx, body.Token, body.Password)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		session, err := h.Customers.ResetPassword(ctx, tx, reset)
		if err != nil {
			return nil, err
		}
		return h.session(ctx, tx, session)
	})
}

// session answers whom a shopper has signed in as, with the token.
func (h *ShopCustomers) session(ctx context.Context, tx *postgres.Tx, s customers.Session) (*openapi.Response, error) {
	me, err := h.Customers.MeIn(ctx, tx, s.CustomerID)
	if err != nil {
		return nil, err
	}
	type session struct {
		Token     *string         `json:"token"`
		ExpiresAt time.Time       `json:"expires_at"`
		Customer  json.RawMessage `json:"customer"`
	}
	return &openapi.Response{
		Status:   http.StatusCreated,
		Body:     session{&s.Token, s.ExpiresAt, me.Data},
		Redacted: session{nil, s.ExpiresAt, me.Data},
	}, nil
}

func (h *ShopCustomers) signOut(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, _, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Customers.SignOut(ctx, tx, req.Header.Get("Customer-Token"))
	})
}

func (h *ShopCustomers) me(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, c, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	me, err := h.Customers.Me(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return openapi.OK(me.Data).Tagged(me.Version), nil
}

func (h *ShopCustomers) updateMe(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShopCustomerUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	ctx, c, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	change := customers.Change{
		Name: emptied(body.Name), Phone: emptied(body.Phone), AcceptsMarketing: body.AcceptsMarketing, AcceptsSMS: body.AcceptsSmsMarketing, Wording: body.MarketingWording, Addresses: patchedBook(body.Addresses), DefaultAddress: patchedAddress(body.DefaultAddress),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Customers.Update(ctx, tx, c.ID, change, version); err != nil {
			return nil, err
		}
		me, err := h.Customers.MeIn(ctx, tx, c.ID)
		if err != nil {
			return nil, err
		}
		return openapi.OK(me.Data).Tagged(me.Version), nil
	})
}

func (h *ShopCustomers) requestEmailChange(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerEmailChange](req)
	if err != nil {
		return nil, err
	}
	ctx, c, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	wish, err := h.Customers.PrepareEmailChange(ctx, c, body.Email, body.Password)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		h.Customers.RequestEmailChange(ctx, tx, wish)
		return accepted(), nil
	})
}

func (h *ShopCustomers) confirmEmailChange(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TokenConfirmation](req)
	if err != nil {
		return nil, err
	}
	ctx, c, err := h.signedIn(ctx, req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Customers.ConfirmEmailChange(ctx, tx, c, body.Token, req.Header.Get("Customer-Token")); err != nil {
			return nil, err
		}
		me, err := h.Customers.MeIn(ctx, tx, c.ID)
		if err != nil {
			return nil, err
		}
		return openapi.OK(me.Data).Tagged(me.Version), nil
	})
}

func (h *ShopCustomers) orders(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return mine(ctx, req, h.Customers, func(ctx context.Context, customerID, after string, limit int) (postgres.Page, error) {
		return h.Orders.Mine(ctx, h.ShopURL(req.Caller.Store), customerID, after, limit)
	})
}

// mine answers a page of what belongs to the shopper who asks.
func mine(ctx context.Context, req *openapi.Request, known *customers.Service, read func(ctx context.Context, customerID, after string, limit int) (postgres.Page, error)) (*openapi.Response, error) {
	return paged(req, shopPage, func(after string, limit int) (postgres.Page, error) {
		ctx, c, err := signedIn(ctx, req, known)
		if err != nil {
			return postgres.Page{}, err
		}
		return read(ctx, c.ID, after, limit)
	})
}

// paged answers a page that begins where the request says.
func paged(req *openapi.Request, limit int, read func(after string, limit int) (postgres.Page, error)) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := read(after, req.Limit(limit))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

// opens says what a shopper sees an order by: the token of its cart, or having placed it
// signed in.
func (h *ShopCustomers) opens(ctx context.Context, req *openapi.Request) (as context.Context, cartToken, customerID string, err error) {
	cartToken = req.Header.Get("Cart-Token")
	if cartToken == "" || req.Header.Get("Customer-Token") != "" {
		as, c, err := h.signedIn(ctx, req)
		return as, cartToken, c.ID, err
	}
	return ctx, cartToken, "", nil
}

func (h *ShopCustomers) order(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, cartToken, customerID, err := h.opens(ctx, req)
	if err != nil {
		return nil, err
	}
	order, err := h.Orders.ShopGet(ctx, h.ShopURL(req.Caller.Store), req.Param("order_id"), cartToken, customerID)
	if err != nil {
		return nil, err
	}
	return openapi.OK(order), nil
}

func (h *ShopCustomers) requestReturn(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReturnRequest](req)
	if err != nil {
		return nil, err
	}
	ctx, cartToken, customerID, err := h.opens(ctx, req)
	if err != nil {
		return nil, err
	}
	in := orders.ReturnInput{OrderID: req.Param("order_id"), Lines: converted(body.Lines, returnLine), Exchange: converted(body.ExchangeLines, instead), Note: given(body.Note), Asked: true}
	if _, err := h.Orders.ShopGet(ctx, "", in.OrderID, cartToken, customerID); err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Orders.OpenReturn(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		asked, err := h.Orders.ShopReturn(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/shop/orders/"+in.OrderID, asked), nil
	})
}

func (h *ShopCustomers) documents(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, cartToken, customerID, err := h.opens(ctx, req)
	if err != nil {
		return nil, err
	}
	list, err := h.Documents.OfOrder(ctx, req.Param("order_id"), documents.Reader{CartToken: cartToken, CustomerID: customerID})
	if err != nil {
		return nil, err
	}
	return openapi.OK(struct {
		Data json.RawMessage `json:"data"`
	}{list}), nil
}

func (h *ShopCustomers) document(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, cartToken, customerID, err := h.opens(ctx, req)
	if err != nil {
		return nil, err
	}
	file, err := h.Documents.PDF(ctx, req.Param("document_id"), req.Param("order_id"), documents.Reader{CartToken: cartToken, CustomerID: customerID})
	if err != nil {
		return nil, err
	}
	return pdf(file), nil
}

func (h *ShopCustomers) alert(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.StockAlertRequest](req)
	if err != nil {
		return nil, err
	}
	wish := alerts.Wish{VariantID: in.VariantID, Email: string(in.Email)}
	if in.Locale != nil {
		wish.Locale = *in.Locale
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.Accepted("", gen.Accepted{Status: gen.AcceptedStatusAccepted}), alerts.Ask(ctx, tx, wish)
	})
}
