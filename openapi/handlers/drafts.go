package handlers

import (
	"context"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Drafts answers the operations on draft orders.
type Drafts struct {
	DB       *postgres.DB
	Drafts   *drafts.Service
	Carts    *cart.Service
	Checkout *checkout.Service
	Orders   *orders.Service
	ShopURL  ShopURL
	Links    DraftLinks
}

// DraftLinks knows where draft orders are paid, and what opens them there.
type DraftLinks interface {
	PayDraft(ctx context.Context, id string) (string, error)
	OpensDraft(ctx context.Context, id, key string) bool
}

// Operations are the handlers by operationId.
func (h *Drafts) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listDraftOrders":    h.list,
		"createDraftOrder":   h.create,
		"getDraftOrder":      h.get,
		"updateDraftOrder":   h.update,
		"deleteDraftOrder":   h.delete,
		"sendDraftOrder":     h.send,
		"completeDraftOrder": tried(h, (*Drafts).complete),
		"openDraftOrder":     h.open,
	}
}

func (h *Drafts) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	page, err := drafts.List(ctx, h.DB, drafts.Filter{
		State: q.Get("state"), Email: q.Get("email"), CustomerID: q.Get("customer_id"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Drafts) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	c, err := h.Carts.ReadDraft(ctx, req.Param("draft_order_id"))
	if err != nil {
		return nil, err
	}
	return h.answer(ctx, req, c)
}

// answer shows a draft order. Its link is redacted from what is kept of the answer.
func (h *Drafts) answer(ctx context.Context, req *openapi.Request, c *cart.Cart) (*openapi.Response, error) {
	shown := h.shown(req, c)
	res := openapi.OK(shown).Tagged(c.Version)
	if drafts.StateOf(c) != drafts.Sent {
		return res, nil
	}
	url, err := h.Links.PayDraft(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	res.Redacted = shown
	shown.PaymentURL = &url
	res.Body = shown
	return res, nil
}

func (h *Drafts) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.DraftOrderCreate](req)
	if err != nil {
		return nil, err
	}
	lines := converted(body.Lines, draftLine)
	terms := drafts.Patch{
		CustomerID: body.CustomerID, Email: body.Email, Lines: &lines, MethodID: body.ShippingMethodID, Note: body.Note,
		TaxExemptReason: body.TaxExemptReason, ExpiresAt: body.ExpiresAt,
	}
	if body.Tags != nil {
		terms.Tags = &body.Tags
	}
	if body.Discount != nil {
		discount := agreedDiscount(body.Discount)
		terms.Discount = &discount
	}
	if body.Shipping != nil {
		shipping := agreedShipping(*body.Shipping)
		terms.Shipping = &shipping
	}
	if body.ReservedUntil != nil {
		terms.ReservedUntil = &body.ReservedUntil
	}
	for into, given := range map[***address.Address]*gen.Address{&terms.ShippingAddress: body.ShippingAddress, &terms.BillingAddress: body.BillingAddress} {
		if given != nil {
			a := givenAddress(*given)
			*into = &a
		}
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		c, err := h.Drafts.Create(ctx, tx, given(body.Currency), terms)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/draft-orders/"+c.ID, h.shown(req, c)).Tagged(c.Version), nil
	})
}

func (h *Drafts) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.DraftOrderUpdate](req)
	if err != nil {
		return nil, err
	}
	terms := drafts.Patch{
		CustomerID: emptied(body.CustomerID), Email: emptied(body.Email), MethodID: emptied(body.ShippingMethodID), Note: emptied(body.Note),
		TaxExemptReason: emptied(body.TaxExemptReason), ExpiresAt: body.ExpiresAt, ReservedUntil: patched[time.Time](body.ReservedUntil),
		ShippingAddress: patchedAddress(body.ShippingAddress), BillingAddress: patchedAddress(body.BillingAddress),
	}
	if body.Lines != nil {
		lines := converted(body.Lines, draftLine)
		terms.Lines = &lines
	}
	if body.Tags != nil {
		terms.Tags = &body.Tags
	}
	if discount := patched[gen.AgreedDiscountInput](body.Discount); discount != nil {
		agreed := agreedDiscount(*discount)
		terms.Discount = &agreed
	}
	if shipping := patched[gen.AgreedShipping](body.Shipping); shipping != nil {
		var agreed *drafts.Shipping
		if *shipping != nil {
			agreed = agreedShipping(**shipping)
		}
		terms.Shipping = &agreed
	}
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, id string, version int) (*cart.Cart, error) {
		return h.Drafts.Update(ctx, tx, id, terms, version)
	})
}

// change runs a change of the request's draft order, and answers it as it is then.
func (h *Drafts) change(ctx context.Context, req *openapi.Request, fn func(context.Context, *postgres.Tx, string, int) (*cart.Cart, error)) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		c, err := fn(ctx, tx, req.Param("draft_order_id"), version)
		if err != nil {
			return nil, err
		}
		return h.answer(ctx, req, c)
	})
}

func (h *Drafts) send(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.DraftOrderSending](req)
	if err != nil {
		return nil, err
	}
	how := drafts.Sending{Mail: body.Mail == nil || *body.Mail, Message: given(body.Message)}
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, id string, version int) (*cart.Cart, error) {
		return h.Drafts.Send(ctx, tx, id, how, version)
	})
}

func (h *Drafts) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Drafts.Delete(ctx, tx, req.Param("draft_order_id"), version)
	})
}

// complete makes a draft order an order that is paid by hand, at what it came to a moment
// ago. Whoever asks again under the same name goes on where that was left.
func (h *Drafts) complete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.DraftOrderCompletion](req)
	if err != nil {
		return nil, err
	}
	claim, replay, err := openapi.Claiming(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	ref, c, err := h.Drafts.Ref(ctx, req.Param("draft_order_id"))
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	var res *openapi.Response
	record := func(ctx context.Context, tx *postgres.Tx, orderID string) error {
		order, err := h.Orders.GetIn(ctx, tx, h.ShopURL(req.Caller.Store), orderID)
		if err != nil {
			return err
		}
		res = openapi.Created("/v1/orders/"+orderID, order.Data)
		return claim.Record(ctx, tx, res)
	}
	paid := given(body.MarkAsPaid)
	at, err := h.Checkout.Complete(ctx, checkout.Input{
		Cart: ref, Payment: payments.Chosen{Provider: payments.ManualName, Merchant: true}, Attempt: attemptName(req),
		Expected: c.Totals.Total, Due: c.Due, Shop: shop(req.Caller.Store),
	}, func(ctx context.Context, tx *postgres.Tx, orderID string, refused *problem.Problem) error {
		switch {
		case refused != nil:
			return claim.Refuse(ctx, tx, refused)
		case paid && !c.Due.IsZero():
			return nil // it is recorded once the payment has come
		}
		return record(ctx, tx, orderID)
	})
	if err == nil && res == nil {
		err = h.Orders.Capture(ctx, at.Payment, nil, attemptName(req), func(ctx context.Context, tx *postgres.Tx, _ string, refused *problem.Problem) error {
			if refused != nil {
				return claim.Refuse(ctx, tx, refused)
			}
			return record(ctx, tx, at.OrderID)
		})
	}
	if err != nil {
		return nil, released(ctx, claim, err)
	}
	return res, nil
}

// open gives the shop's own front end a draft order as a cart.
func (h *Drafts) open(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.DraftOrderOpening](req)
	if err != nil {
		return nil, err
	}
	id := req.Param("draft_order_id")
	if !h.Links.OpensDraft(ctx, id, body.Key) {
		return nil, problem.Missing("draft order")
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		ref, open, err := h.Carts.OpenDraft(ctx, tx, id)
		if err == nil && !open {
			err = problem.Missing("draft order")
		}
		if err != nil {
			return nil, err
		}
		c, err := h.Carts.ReadIn(ctx, tx, ref)
		if err != nil {
			return nil, err
		}
		shown := shownCart(h.ShopURL, req, c)
		res := openapi.OK(gen.CartCreated{Cart: shown, Token: &ref.Token})
		res.Redacted = gen.CartCreated{Cart: shown}
		return res, nil
	})
}

func draftLine(l gen.DraftOrderLineInput) drafts.Line {
	return drafts.Line{
		VariantID: given(l.VariantID), Quantity: int64(l.Quantity), UnitPrice: amountGiven(l.UnitPrice), Attributes: l.Attributes, Discount: agreedDiscount(l.Discount),
		Title: given(l.Title), SKU: given(l.SKU), RequiresShipping: l.RequiresShipping, Taxable: l.Taxable, TaxClass: l.TaxClass, Grams: l.WeightGrams,
	}
}

func agreedDiscount(d *gen.AgreedDiscountInput) *drafts.Discount {
	if d == nil {
		return nil
	}
	return &drafts.Discount{Reason: given(d.Reason), Amount: amountGiven(d.Amount), Percentage: given(d.Percentage)}
}

func agreedShipping(s gen.AgreedShipping) *drafts.Shipping {
	return &drafts.Shipping{Name: s.Name, Price: money.New(s.Price.Amount, s.Price.Currency)}
}

// shown is a draft order in the contract's words, without its link.
func (h *Drafts) shown(req *openapi.Request, c *cart.Cart) gen.DraftOrder {
	as := shownCart(h.ShopURL, req, c)
	out := gen.DraftOrder{
		ID: as.ID, State: gen.DraftOrderState(drafts.StateOf(c)), Currency: as.Currency, CustomerID: as.CustomerID, Email: as.Email,
		Lines: make([]gen.DraftOrderLine, len(c.Lines)), Discount: shownAgreed(c.Draft.Discount, c.Currency), ShippingMethod: as.ShippingMethod,
		ShippingAddress: as.ShippingAddress, BillingAddress: as.BillingAddress, Note: as.Note, Tags: append([]string{}, c.Draft.Tags...),
		TaxExemptReason: as.TaxExemptReason, PricesIncludeTax: as.PricesIncludeTax, Taxes: as.Taxes, Discounts: as.Discounts, Totals: as.Totals,
		Problems: as.Problems, ReservedUntil: as.ReservedUntil, OrderID: as.OrderID, CreatedAt: as.CreatedAt, UpdatedAt: as.UpdatedAt, ExpiresAt: as.ExpiresAt,
	}
	if c.Draft.SentAt != nil {
		at := c.Draft.SentAt.UTC()
		out.SentAt = &at
	}
	for i, l := range c.Lines {
		line := as.Lines[i]
		out.Lines[i] = gen.DraftOrderLine{
			ID: line.ID, ProductID: line.ProductID, VariantID: line.VariantID, Title: line.Title, VariantTitle: line.VariantTitle, SKU: line.SKU,
			ImageURL: line.ImageURL, Quantity: line.Quantity, UnitPrice: line.UnitPrice, AgreedPrice: amount(l.Shown),
			AgreedDiscount: shownAgreed(l.Agreed.Discount, c.Currency), Discount: line.Discount, Discounts: line.Discounts, Total: line.Total,
			RequiresShipping: l.RequiresShipping, Taxable: l.Taxable, TaxClass: orNil(l.TaxClass), Attributes: line.Attributes, Available: line.Available,
			Backordered: line.Backordered,
		}
		if l.VariantID == "" {
			out.Lines[i].WeightGrams = &l.Agreed.Grams
		}
	}
	return out
}

func shownAgreed(d *cart.Discount, currency string) *gen.AgreedDiscount {
	if d == nil {
		return nil
	}
	out := &gen.AgreedDiscount{Reason: orNil(d.Reason)}
	if d.Rate > 0 {
		percentage := d.Rate.Percent()
		out.Percentage = &percentage
	} else {
		out.Amount = &gen.Money{Amount: d.Amount, Currency: currency}
	}
	return out
}
