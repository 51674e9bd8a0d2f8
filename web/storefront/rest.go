package storefront

import (
	"net/url"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// own is the order of the address, read for who may see it.
func (v *visit) own() (o order, err error) {
	id := v.r.PathValue("order")
	if !ids.Valid("ord", id) {
		return o, problem.Missing("order")
	}
	raw, err := v.readOrder(id)
	if err != nil {
		return o, err
	}
	return decode[order](raw, "order")
}

// payRest takes what is left to pay of an order.
func (v *visit) payRest() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	o, err := v.own()
	if err != nil {
		return err
	}
	shown, err := strconv.ParseInt(f.Value("amount"), 10, 64)
	if err != nil {
		shown = -1 // which is no order's rest
	}
	amount := money.New(shown, o.Currency)
	at, err := v.config().Checkout.PayBalance(v.r.Context(), checkout.Balance{
		OrderID: o.ID, Payment: v.chosen(f, "/orders/"+o.ID+"/return"), Amount: &amount, Shown: true, Attempt: f.Value("attempt"), Terms: terms(v.store),
	}, nil)
	return v.restPaid(o, at, err)
}

// backToOrder is where shoppers come to from the provider's page.
func (v *visit) backToOrder() error {
	o, err := v.own()
	if err != nil {
		return err
	}
	at, err := v.config().Checkout.CheckBalance(v.r.Context(), o.ID)
	return v.restPaid(o, at, err)
}

// abandonRest gives up a payment of the rest that waits for the shopper.
func (v *visit) abandonRest() error {
	if _, err := v.form(); err != nil {
		return err
	}
	o, err := v.own()
	if err != nil {
		return err
	}
	err = v.config().Checkout.AbandonBalance(v.r.Context(), o.ID)
	return v.restPaid(o, checkout.Progress{OrderID: o.ID}, err)
}

// restPaid shows what came of an attempt to pay the rest.
func (v *visit) restPaid(o order, at checkout.Progress, err error) error {
	refused, path := problem.As(err), "/orders/"+o.ID
	switch {
	case err == nil && at.Step != nil:
		return v.leave(at, path+"/abandon")
	case err == nil && at.OrderID == "":
		return v.waiting(path)
	case err != nil && refused == nil:
		return err
	case err != nil && (refused.Code == "payment_in_progress" || refused.Code == "payment_pending"):
		return v.waiting(path)
	case err != nil && checkoutNotice(refused.Code) != "":
		path += "?" + url.Values{"problem": {refused.Code}}.Encode()
	}
	v.see(path)
	return nil
}
