package storefront

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/web/page"
)

// The checkout is one page with its steps one below the other. A step that is done shows
// what was said, and can be opened again; the first that is not done is open.
const (
	stepContact  = "contact"
	stepShipping = "shipping"
	stepPayment  = "payment"
)

// checkoutView is the checkout's page.
type checkoutView struct {
	formView
	Cart    *cart.Cart
	Step    string
	Options []cart.Method
	Notice  string // why the last wish was not fulfilled
	Buyer   string // the e-mail address of who is signed in
	Agreed  bool   // they may be written to about new things already
	Attempt string // names this attempt to pay
}

// checkoutPage shows the checkout.
func (v *visit) checkoutPage() error {
	c, err := v.payable()
	if c == nil || err != nil {
		return err
	}
	query := v.r.URL.Query()
	return v.showCheckout(c, openStep(c, query.Get("step")), http.StatusOK, page.Form{Values: formOf(c)}, checkoutNotice(query.Get("problem")))
}

// checkoutNotice are the problems that a redirect may name.
func checkoutNotice(code string) string {
	switch code {
	case "payment_declined", "payment_provider_unavailable", "payment_abandoned", "provider_off", "total_changed", "due_changed", "cart_incomplete", "orders_not_accepted", "test_provider_refused", "rate_limited":
		return said[code]
	}
	return ""
}

// credited says whether gift cards or store credit pay for some of the cart.
func (p *checkoutView) credited() bool { return p.Cart.Due != p.Cart.Totals.Total }

// dueName is what the amount that is to be paid is called.
func (p *checkoutView) dueName() string {
	if p.credited() {
		return p.T("Left to pay")
	}
	return p.T("Total")
}

// payable is the cart as one that can be paid for; otherwise the visitor has been sent
// to where it can be seen why not.
func (v *visit) payable() (*cart.Cart, error) {
	c, err := v.cart()
	switch {
	case err != nil:
		return nil, err
	case c != nil && c.Draft != nil && c.State == cart.Open && blocked(c):
		v.gone()
		return nil, nil
	case c == nil || c.State == cart.Open && (len(c.Lines) == 0 || blocked(c)):
		v.see("/cart")
		return nil, nil
	case c.State == cart.Completed:
		v.placed(c.OrderID)
		return nil, nil
	case c.State == cart.Completing:
		return nil, v.comeBack()
	}
	return c, nil
}

// placed sends the shopper to an order, which the browser may look at from now on.
func (v *visit) placed(orderID string) {
	v.keepOrder(orderID)
	v.dropCart()
	v.bought = true
	v.see("/orders/" + orderID)
}

// openStep is the step to be shown: the one that was asked for, if all before it are
// done, else the first that is not done.
func openStep(c *cart.Cart, asked string) string {
	missing := map[string]bool{}
	for _, p := range c.Problems {
		missing[p.Code] = true
	}
	first := stepPayment
	switch {
	case missing[cart.EmailMissing] || missing[cart.AddressMissing]:
		first = stepContact
	case missing[cart.ShippingMethodMissing] || missing[cart.ShippingUnavailable]:
		first = stepShipping
	}
	order := []string{stepContact, stepShipping, stepPayment}
	if i := slices.Index(order, asked); i >= 0 && i < slices.Index(order, first) && (asked != stepShipping || c.RequiresShipping()) {
		return asked
	}
	return first
}

func (v *visit) showCheckout(c *cart.Cart, step string, status int, f page.Form, notice string) error {
	p := &checkoutView{formView: formView{view: v.view("", ""), Form: f}, Cart: c, Step: step, Attempt: rand.Text()}
	p.Alone, p.Title, p.Currency, p.Drafted = true, p.T("Checkout"), c.Currency, c.Draft != nil
	if p.Drafted {
		p.Title = p.T("Your order")
	}
	if notice != "" {
		p.Notice = p.T(notice)
	}
	buyer, err := v.shopper()
	if err != nil {
		return err
	}
	if buyer != nil {
		p.Buyer = buyer.Email
	}
	switch step {
	case stepContact:
		p.Countries = page.Countries(v.settings.ShippingCountries, p.Lang)
		if buyer != nil {
			m, err := v.me(buyer.ID)
			if err != nil {
				return err
			}
			p.Agreed = m.AcceptsMarketing
		}
	case stepShipping:
		ref, _ := v.cartRef()
		if p.Options, err = v.config().Carts.Options(v.r.Context(), ref); err != nil {
			return err
		}
	}
	return page.Personal(v.w, v.r, status, checkoutPage(p))
}

// terms decide which payment providers a store may use.
func terms(store tenants.Store) payments.Terms {
	return payments.Terms{Live: store.Ref.Mode == principal.Live, Demo: store.Demo}
}

// addressFields are the fields of an address and where the form has them.
func addressFields(a *address.Address) map[string]*string {
	return map[string]*string{
		"name": &a.Name, "company": &a.Company, "line1": &a.Line1, "line2": &a.Line2, "city": &a.City,
		"region": &a.Region, "postal_code": &a.PostalCode, "country": &a.Country, "phone": &a.Phone, "tax_id": &a.TaxID,
	}
}

// formOf is the form as the cart fills it.
func formOf(c *cart.Cart) url.Values {
	values := url.Values{"email": {c.Email}, "note": {c.Note}}
	if c.ShippingAddress != nil {
		for name, value := range addressFields(c.ShippingAddress) {
			values.Set(name, *value)
		}
	}
	if c.BillingAddress != nil {
		values.Set("billing_differs", "yes")
		for name, value := range addressFields(c.BillingAddress) {
			values.Set("billing_"+name, *value)
		}
	}
	if c.MethodID != "" {
		values.Set("method", c.MethodID)
	}
	return values
}

// addressFrom reads an address of the form.
func addressFrom(values url.Values, prefix string) *address.Address {
	var a address.Address
	for name, into := range addressFields(&a) {
		*into = strings.TrimSpace(values.Get(prefix + name))
	}
	return &a
}

// setContact takes the first step: who, and where to.
func (v *visit) setContact() error {
	f, c, err := v.step()
	if c == nil || err != nil {
		return err
	}
	values := f.Values
	email, note := values.Get("email"), values.Get("note")
	var shipping, billing *address.Address
	var change cart.Change
	if !c.Fixed("email") {
		change.Email = &email
	}
	if !c.Fixed("note") {
		change.Note = &note
	}
	if c.RequiresShipping() && !c.Fixed("shipping_address") {
		shipping = addressFrom(values, "")
		change.ShippingAddress = &shipping
	}
	if !c.Fixed("billing_address") {
		if change.BillingAddress = &billing; values.Get("billing_differs") != "" {
			billing = addressFrom(values, "billing_")
		}
	}
	v.judgeContact(c, f)
	if len(f.Faults) == 0 {
		err := v.update(change)
		if c.Fixed("email") {
			email = c.Email
		}
		if err == nil && f.Value("marketing") != "" {
			err = v.agree(email)
		}
		refused := problem.As(err)
		if refused == nil || len(refused.Faults) == 0 {
			return v.stepped(c, err)
		}
		v.addFaults(f, refused)
	} else if refused := dryCheck(shipping, billing); refused != nil {
		v.addFaults(f, refused) // all faults at once
	}
	return v.showCheckout(c, stepContact, http.StatusUnprocessableEntity, f, "")
}

// agree keeps that the buyer may be written to about new things: at once of who is signed in by
// the address, and of others when they have followed the link that is mailed there.
func (v *visit) agree(email string) error {
	words := v.view("", "").T(marketingWords)
	buyer, err := v.shopper()
	if err != nil {
		return err
	}
	if buyer != nil && buyer.Email == address.Email(email) {
		yes := true
		return v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
			return v.config().Customers.Update(ctx, tx, buyer.ID, customers.Change{AcceptsMarketing: &yes, Wording: &words}, 0)
		})
	}
	if err := v.config().Limiter.Take(v.r.Context(), limits.Forgot, v.store.ID); err != nil {
		return err
	}
	return v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.Subscribe(ctx, tx, email, words)
	})
}

// Bounds of what the form takes, as the contract has them for carts and addresses.
const (
	maxNote  = 2000
	maxField = 255
)

// judgeContact finds what the cart does not know of, since it may be incomplete.
func (v *visit) judgeContact(c *cart.Cart, f page.Form) {
	view := v.view("", "")
	switch email := address.Email(f.Value("email")); {
	case c.Fixed("email"): // the form does not ask for it
	case email == "":
		f.Fault("email", view.fault("required", ""))
	case !address.ValidEmail(email):
		f.Fault("email", view.fault("email", ""))
	}
	for name := range f.Values {
		most := maxField
		if name == "note" {
			most = maxNote
		}
		if utf8.RuneCountInString(f.Value(name)) > most {
			f.Fault(name, view.fault("maxLength", ""))
		}
	}
	countries := v.settings.ShippingCountries
	if code := f.Value("country"); c.RequiresShipping() && !c.Fixed("shipping_address") && code != "" && len(countries) > 0 && !slices.Contains(countries, code) {
		f.Fault("country", view.fault("country", ""))
	}
}

// dryCheck finds what is wrong with addresses without keeping them.
func dryCheck(shipping, billing *address.Address) *problem.Problem {
	p := problem.New(problem.Unprocessable, "invalid_cart", "")
	if shipping != nil {
		shipping.Trim().Check(p, "/shipping_address")
	}
	if billing != nil {
		billing.Trim().Check(p, "/billing_address")
	}
	if len(p.Faults) == 0 {
		return nil
	}
	return p
}

// addFaults puts a problem's faults to the fields that they are about.
func (v *visit) addFaults(f page.Form, refused *problem.Problem) {
	view := v.view("", "")
	for _, fault := range refused.Faults {
		name := strings.TrimPrefix(fault.Pointer, "/shipping_address/")
		for at, prefix := range map[string]string{"/billing_address/": "billing_", "/default_address/": addressPrefix} {
			if rest, found := strings.CutPrefix(fault.Pointer, at); found {
				name = prefix + rest
			}
		}
		f.Fault(strings.TrimPrefix(name, "/"), view.fault(fault.Code, fault.Detail))
	}
}

// step begins to take a step: the form, and the cart when there is one that can still change.
func (v *visit) step() (page.Form, *cart.Cart, error) {
	f, err := v.form()
	if err != nil {
		return f, nil, err
	}
	c, err := v.payable()
	return f, c, err
}

// update changes the cart, and chooses the way of sending it where there is only one.
func (v *visit) update(change cart.Change) error {
	ref, _ := v.cartRef()
	var c *cart.Cart
	err := v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		c, err = v.config().Carts.Update(ctx, tx, ref, change, 0)
		return err
	})
	if err != nil || !c.RequiresShipping() || c.ShippingAddress == nil || c.Method != nil && c.Method.Usable {
		return err
	}
	options, err := v.config().Carts.Options(v.r.Context(), ref)
	if err != nil || len(options) != 1 {
		return err
	}
	return v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := v.config().Carts.Update(ctx, tx, ref, cart.Change{MethodID: &options[0].ID}, 0)
		return err
	})
}

// stepped goes on after a step, or says why it could not be taken.
func (v *visit) stepped(c *cart.Cart, err error) error {
	if refused := problem.As(err); refused != nil && refused.Kind < problem.Internal {
		view := v.view("", "")
		return v.showCheckout(c, openStep(c, ""), int(refused.Kind), page.Form{Values: formOf(c)}, view.refusal(refused))
	}
	if err != nil {
		return err
	}
	v.see("/checkout#step")
	return nil
}

// setShipping takes the second step: how it is sent.
func (v *visit) setShipping() error {
	f, c, err := v.step()
	if c == nil || err != nil {
		return err
	}
	method := f.Value("method")
	if method == "" {
		f.Fault("method", v.view("", "").T("Please choose how it is to be sent."))
	} else if err := v.update(cart.Change{MethodID: &method}); problem.Is(err, cart.ShippingUnavailable) {
		f.Fault("method", v.view("", "").fault(cart.ShippingUnavailable, ""))
	} else {
		return v.stepped(c, err)
	}
	return v.showCheckout(c, stepShipping, http.StatusUnprocessableEntity, f, "")
}

// useStoreCredit has the cart's customer pay with what the shop owes them, or no longer.
func (v *visit) useStoreCredit() error {
	f, c, err := v.step()
	if c == nil || err != nil {
		return err
	}
	buyer, err := v.signedIn()
	if buyer == nil || err != nil {
		return err
	}
	use := f.Value("use") != ""
	return v.stepped(c, v.update(cart.Change{UseStoreCredit: &use, Customer: buyer.ID}))
}

// pay takes the last step. What was declined is said on the page that it leads back to.
func (v *visit) pay() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	ref, held := v.cartRef()
	if !held {
		v.see("/cart")
		return nil
	}
	accepts, err := v.config().AcceptsOrders(v.r.Context(), &v.store)
	if err != nil {
		return err
	}
	version, _ := strconv.Atoi(f.Value("version")) // 0 of a cart, which none but its shopper changes
	amount, err := strconv.ParseInt(f.Value("expected_amount"), 10, 64)
	if err != nil {
		amount = -1 // which is no cart's total
	}
	due, err := strconv.ParseInt(f.Value("expected_due"), 10, 64)
	if err != nil {
		due = amount // who knew of no credit
	}
	at, err := v.config().Checkout.Complete(v.r.Context(), checkout.Input{
		Cart: ref, Payment: v.chosen(f, "/checkout/return"), Expected: money.New(amount, f.Value("expected_currency")), Due: money.New(due, f.Value("expected_currency")),
		Attempt: f.Value("attempt"), Version: version, Shop: checkout.Shop{Terms: terms(v.store), TakesOrders: accepts},
	}, nil)
	return v.paid(at, err)
}
