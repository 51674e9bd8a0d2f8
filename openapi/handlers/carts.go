package handlers

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/oapi-codegen/runtime/types"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Carts answers the operations on carts, but for their completion.
type Carts struct {
	DB        *postgres.DB
	Carts     *cart.Service
	Checkout  *checkout.Service
	Customers *customers.Service
	Editions  *catalog.Editions // which know the locales
	ShopURL   ShopURL
	// RecoverURL is the address at which a shopper finds a cart again.
	RecoverURL func(ctx context.Context, cartID string) (string, error)
}

// Operations are the handlers by operationId.
func (h *Carts) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"createCart":              h.create,
		"getCart":                 h.get,
		"updateCart":              h.update,
		"addCartLine":             h.add,
		"updateCartLine":          h.setQuantity,
		"removeCartLine":          h.remove,
		"addCartCode":             h.addCode,
		"removeCartCode":          h.removeCode,
		"addCartGiftCard":         h.addGiftCard,
		"removeCartGiftCard":      h.removeGiftCard,
		"useCartStoreCredit":      h.useStoreCredit,
		"removeCartStoreCredit":   h.removeStoreCredit,
		"listCartShippingMethods": h.options,
		"cancelCartPayment":       tried(h, (*Carts).cancelPayment),
		"reserveCart":             h.reserve,
		"releaseCart":             h.release,
		"openMyCart":              h.mine,
		"listCarts":               h.list,
		"getStaffCart":            h.staffGet,
		"updateStaffCart":         h.staffUpdate,
	}
}

// cartRef is the cart that a request is about, with the token that opens it.
func cartRef(req *openapi.Request) (cart.Ref, error) {
	ref := cart.Ref{ID: req.Param("cart_id"), Token: req.Header.Get("Cart-Token")}
	if ref.Token == "" {
		return ref, problem.New(problem.Unauthenticated, "invalid_cart_token", "A cart is opened by its Cart-Token.").
			At("Cart-Token", "required", "Send the token that the cart was made with.")
	}
	return ref, nil
}

func (h *Carts) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartCreate](req)
	if err != nil {
		return nil, err
	}
	in := cart.CreateInput{Currency: given(body.Currency), Email: given(body.Email), Country: given(body.Country)}
	if _, in.Locales, err = h.locale(ctx, req, body.Locale); err != nil {
		return nil, err
	}
	for i, line := range body.Lines {
		in.Items = append(in.Items, cart.Item{VariantID: line.VariantID, Quantity: int64(line.Quantity), Attributes: line.Attributes, At: fmt.Sprintf("/lines/%d", i)})
	}
	if token := req.Header.Get("Customer-Token"); token != "" {
		customer, err := h.Customers.Authenticate(ctx, token)
		if err != nil {
			return nil, err
		}
		req.Of(customer.ID)
		ctx, in.CustomerID = customers.As(ctx, customer), customer.ID
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		c, token, err := h.Carts.Create(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		shown := h.shown(req, c)
		res := openapi.Created("/v1/shop/carts/"+c.ID, gen.CartCreated{Cart: shown, Token: &token})
		res.Redacted = gen.CartCreated{Cart: shown}
		return res, nil
	})
}

func (h *Carts) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ref, err := cartRef(req)
	if err != nil {
		return nil, err
	}
	c, err := h.Carts.Read(ctx, ref)
	if err != nil {
		return nil, err
	}
	return openapi.OK(h.shown(req, c)).Tagged(c.Version), nil
}

func (h *Carts) cancelPayment(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ref, err := cartRef(req)
	if err != nil {
		return nil, err
	}
	if err := h.Checkout.Abandon(ctx, ref); err != nil {
		return nil, err
	}
	return h.get(ctx, req)
}

// change runs a change of the request's cart and answers the cart as it is then.
func (h *Carts) change(ctx context.Context, req *openapi.Request, fn func(context.Context, *postgres.Tx, cart.Ref, int) (*cart.Cart, error)) (*openapi.Response, error) {
	ref, err := cartRef(req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		c, err := fn(ctx, tx, ref, version)
		if err != nil {
			return nil, err
		}
		return openapi.OK(h.shown(req, c)).Tagged(c.Version), nil
	})
}

func (h *Carts) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartUpdate](req)
	if err != nil {
		return nil, err
	}
	change := cart.Change{
		Email: emptied(body.Email), Note: emptied(body.Note), MethodID: emptied(body.ShippingMethodID), Country: emptied(body.Country),
		ShippingAddress: patchedAddress(body.ShippingAddress), BillingAddress: patchedAddress(body.BillingAddress),
	}
	if body.Locale != nil {
		if _, change.Locales, err = h.locale(ctx, req, body.Locale); err != nil {
			return nil, err
		}
	}
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, version int) (*cart.Cart, error) {
		return h.Carts.Update(ctx, tx, ref, change, version)
	})
}

func (h *Carts) add(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartLineCreate](req)
	if err != nil {
		return nil, err
	}
	res, err := h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, _ int) (*cart.Cart, error) {
		return h.Carts.Add(ctx, tx, ref, cart.Item{VariantID: body.VariantID, Quantity: int64(body.Quantity), Attributes: body.Attributes})
	})
	if res != nil {
		res.Status = 201
	}
	return res, err
}

func (h *Carts) setQuantity(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartLineUpdate](req)
	if err != nil {
		return nil, err
	}
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, version int) (*cart.Cart, error) {
		return h.Carts.SetQuantity(ctx, tx, ref, req.Param("line_id"), int64(given(body.Quantity)), version)
	})
}

func (h *Carts) remove(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, version int) (*cart.Cart, error) {
		return h.Carts.Remove(ctx, tx, ref, req.Param("line_id"), version)
	})
}

func (h *Carts) addCode(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartCodeCreate](req)
	if err != nil {
		return nil, err
	}
	res, err := h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, _ int) (*cart.Cart, error) {
		return h.Carts.AddCode(ctx, tx, ref, body.Code)
	})
	if res != nil {
		res.Status = 201
	}
	return res, err
}

func (h *Carts) removeCode(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, version int) (*cart.Cart, error) {
		return h.Carts.RemoveCode(ctx, tx, ref, req.Param("promotion_code"), version)
	})
}

func (h *Carts) addGiftCard(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartGiftCardAdd](req)
	if err != nil {
		return nil, err
	}
	res, err := h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, _ int) (*cart.Cart, error) {
		return h.Carts.AddGiftCard(ctx, tx, ref, body.Code)
	})
	if res != nil {
		res.Status = 201
	}
	return res, err
}

func (h *Carts) removeGiftCard(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, version int) (*cart.Cart, error) {
		return h.Carts.RemoveGiftCard(ctx, tx, ref, cardID(req), version)
	})
}

func (h *Carts) useStoreCredit(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, customer, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return h.storeCredit(ctx, req, true, customer.ID)
}

func (h *Carts) removeStoreCredit(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.storeCredit(ctx, req, false, "")
}

func (h *Carts) storeCredit(ctx context.Context, req *openapi.Request, use bool, customer string) (*openapi.Response, error) {
	return h.change(ctx, req, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref, version int) (*cart.Cart, error) {
		return h.Carts.Update(ctx, tx, ref, cart.Change{UseStoreCredit: &use, Customer: customer}, version)
	})
}

func (h *Carts) reserve(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.change(ctx, req, h.Carts.Reserve)
}

func (h *Carts) release(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.change(ctx, req, h.Carts.Release)
}

func (h *Carts) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	list, next, err := h.Carts.List(ctx, cart.Filter{
		State: q.Get("state"), Email: q.Get("email"), CustomerID: q.Get("customer_id"), Abandoned: q.Get("abandoned") == "true",
		UpdatedBefore: q.Get("updated_before"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	shown := make([]gen.CartSummary, len(list))
	for i, c := range list {
		shown[i] = gen.CartSummary{
			ID: c.ID, State: gen.CartSummaryStateOpen, CustomerID: c.CustomerID, Email: c.Email, AcceptsMarketing: c.AcceptsMarketing, LineCount: c.LineCount,
			Subtotal: gen.Money{Amount: c.Subtotal, Currency: c.Currency}, AbandonedAt: c.AbandonedAt,
			CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), ExpiresAt: c.ExpiresAt.UTC(),
		}
		if c.State == cart.Completed {
			shown[i].State = gen.CartSummaryStateCompleted
			continue
		}
		url, err := h.RecoverURL(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		shown[i].RecoverURL = &url
	}
	return openapi.List(req, shown, next)
}

// mine opens the customer's cart, with one that was filled before signing in merged into it.
func (h *Carts) mine(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CartOpening](req)
	if err != nil {
		return nil, err
	}
	var guest *cart.Ref
	if (body.CartID == nil) != (body.CartToken == nil) {
		return nil, problem.New(problem.Unprocessable, "details_invalid", "A cart is named by its ID and its token.").
			At("", "required", "Send cart_id and cart_token, or neither.")
	}
	if body.CartID != nil {
		guest = &cart.Ref{ID: *body.CartID, Token: *body.CartToken}
	}
	ctx, customer, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		c, ref, err := h.Carts.Mine(ctx, tx, customer.ID, guest)
		if err == nil && c == nil {
			c, ref.Token, err = h.Carts.Create(ctx, tx, cart.CreateInput{CustomerID: customer.ID})
		}
		if err != nil {
			return nil, err
		}
		shown := h.shown(req, c)
		res := openapi.OK(gen.CartCreated{Cart: shown, Token: &ref.Token})
		res.Redacted = gen.CartCreated{Cart: shown}
		return res, nil
	})
}

func (h *Carts) options(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ref, err := cartRef(req)
	if err != nil {
		return nil, err
	}
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	methods, err := h.Carts.Options(ctx, ref)
	if err != nil {
		return nil, err
	}
	for i, m := range methods {
		if m.ID == after {
			methods = methods[i+1:]
			break
		}
	}
	methods, next := page(methods, req.Limit(shopPage), func(m cart.Method) string { return m.ID })
	return openapi.List(req, converted(methods, shippingOption), next)
}

func (h *Carts) staffGet(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	c, err := h.Carts.StaffRead(ctx, req.Param("cart_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(h.shown(req, c)).Tagged(c.Version), nil
}

func (h *Carts) staffUpdate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.StaffCartUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		c, err := h.Carts.Exempt(ctx, tx, req.Param("cart_id"), given(emptied(body.TaxExemptReason)), version)
		if err != nil {
			return nil, err
		}
		return openapi.OK(h.shown(req, c)).Tagged(c.Version), nil
	})
}

// locale is the nearest of the shop's locales to the one asked for, or to what the request
// says that its shopper reads, with those whose texts are shown in it.
func (h *Carts) locale(ctx context.Context, req *openapi.Request, asked *string) (string, []string, error) {
	set, err := h.Editions.Locales(ctx, req.Caller.Store)
	if err != nil {
		return "", nil, err
	}
	locale := set.Match(cmp.Or(given(asked), strings.Join(req.Header.Values("Accept-Language"), ",")))
	return locale, set.Chain(locale), nil
}

func (h *Carts) shown(req *openapi.Request, c *cart.Cart) gen.Cart {
	return shownCart(h.ShopURL, req, c)
}

// shownCart is a cart in the contract's words.
func shownCart(url ShopURL, req *openapi.Request, c *cart.Cart) gen.Cart {
	if c.State != cart.Completed && !shop(req.Caller.Store).TakesOrders {
		c.Refuse()
	}
	media := url(req.Caller.Store)
	out := gen.Cart{
		ID: c.ID, State: gen.CartStateOpen, Currency: c.Currency, CustomerID: orNil(c.CustomerID), Email: orNil(c.Email),
		Lines:           converted(c.Lines, func(l cart.Line) gen.CartLine { return cartLine(media, l) }),
		ShippingAddress: shownAddress(c.ShippingAddress), BillingAddress: shownAddress(c.BillingAddress), Note: orNil(c.Note), Country: orNil(c.Country), Locale: c.Locale,
		TaxExemptReason: orNil(c.TaxExemptReason), PricesIncludeTax: c.PricesIncludeTax, Problems: converted(c.Problems, cartProblem), OrderID: orNil(c.OrderID),
		Totals: gen.CartTotals{
			Subtotal: amount(c.Totals.Subtotal), Discount: amount(c.Totals.Discount), Shipping: amount(c.Totals.Shipping.Subtotal),
			Tax: amount(c.Totals.Tax), Total: amount(c.Totals.Total), Due: amount(c.Due), Estimated: c.State != cart.Completed && c.Estimated(),
		},
		Taxes:     converted(c.Totals.Taxes, shownTax),
		Codes:     converted(c.Codes, cartCode),
		Discounts: converted(c.Discounts, shownDiscount),
		GiftCards: converted(c.GiftCards, cartGiftCard),
		CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), ExpiresAt: c.ExpiresAt.UTC(),
	}
	if c.State == cart.Completed {
		out.State = gen.CartStateCompleted
	}
	if c.ReservedUntil != nil {
		until := c.ReservedUntil.UTC()
		out.ReservedUntil = &until
	}
	if s := c.StoreCredit; s != nil {
		out.StoreCredit = &gen.CartStoreCredit{Balance: amount(s.Balance), Used: s.Used, Amount: amount(s.Amount)}
	}
	if c.Method != nil {
		option := shippingOption(*c.Method)
		out.ShippingMethod = &option
	}
	return out
}

func cartLine(media string, l cart.Line) gen.CartLine {
	out := gen.CartLine{
		ID: l.ID, ProductID: orNil(l.ProductID), VariantID: orNil(l.VariantID), ProductHandle: orNil(l.Handle), Title: l.Title, VariantTitle: l.VariantTitle,
		SKU: orNil(l.SKU), Quantity: int(l.Quantity), UnitPrice: amount(l.Unit),
		Discount: amount(l.Discount), Discounts: converted(l.Discounts, shownDiscount), Total: amount(l.Total), Available: l.Available,
		Attributes: l.Attributes, Backordered: int(l.Backordered),
	}
	if by := l.PriceList; by != nil {
		out.PriceList = &gen.PricedBy{ID: by.ID, Name: by.Name, Kind: gen.PriceListKind(by.Kind)}
	}
	if !l.ExpectedOn.IsZero() {
		out.BackorderExpectedOn = &types.Date{Time: l.ExpectedOn}
	}
	if l.ImageKey != "" {
		url := media + "/media/" + l.ImageKey
		out.ImageURL = &url
	}
	return out
}

func cartCode(c cart.Code) gen.CartCode {
	return gen.CartCode{Code: c.Code, Applied: c.Applied, Reason: orNil(gen.CartCodeReason(c.Reason))}
}

func cartGiftCard(c cart.Credit) gen.CartGiftCard {
	out := gen.CartGiftCard{ID: string(c.Account), LastCharacters: c.LastCharacters, Balance: amount(c.Balance), Amount: amount(c.Amount)}
	if c.Amount.IsZero() {
		reason := gen.CartGiftCardReasonNothingLeft
		if !c.Usable || c.Balance.IsZero() {
			reason = gen.CartGiftCardReasonNotAvailable
		}
		out.Reason = &reason
	}
	return out
}

func shownDiscount(a promotions.Applied) gen.Discount {
	return gen.Discount{PromotionID: orNil(a.ID), Title: a.Title, Code: orNil(a.Code), Amount: amount(a.Amount)}
}

func cartProblem(p cart.Problem) gen.CartProblem {
	return gen.CartProblem{Code: gen.CartProblemCode(p.Code), LineID: orNil(p.LineID), Detail: p.Detail}
}

func shippingOption(m cart.Method) gen.ShippingOption {
	return gen.ShippingOption{ID: orNil(m.ID), Name: m.Name, Description: orNil(m.Description), Price: amount(m.Price), DeliveryEstimate: orNil(m.Estimate), PickupAddress: shownAddress(m.Pickup)}
}

func shownTax(t pricing.TaxAmount) gen.Tax {
	return gen.Tax{
		Name: t.Name, Jurisdiction: t.Jurisdiction, Percentage: t.Percentage, TaxableAmount: amount(t.Taxable), Amount: amount(t.Amount),
		Reason: gen.TaxReason(t.Reason),
	}
}

func amount(m money.Money) gen.Money { return gen.Money{Amount: m.Amount, Currency: m.Currency} }
