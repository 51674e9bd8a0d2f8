package storefront

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// me is a customer as the shopper sees it, in the contract's form; see commerce/customers.
type me struct {
	ID               string           `json:"id"`
	Email            string           `json:"email"`
	Name             string           `json:"name"`
	Phone            string           `json:"phone"`
	AcceptsMarketing bool             `json:"accepts_marketing"`
	AcceptsSMS       bool             `json:"accepts_sms_marketing"`
	Address          *address.Address `json:"default_address"`

	Addresses []customers.Entry `json:"addresses"`
}

// accountView is the shopper's own page: who they are, and what they bought.
type accountView struct {
	*view
	Me     me
	Orders []order
	Next   string // the address of the next page of orders
	Later  bool   // this is not the first page
	Told   string // what has just been done
}

// ordersPerPage is how many orders stand on a page.
const ordersPerPage = 20

func (v *visit) me(customerID string) (me, error) {
	object, err := v.config().Customers.Me(v.r.Context(), customerID)
	if err != nil {
		return me{}, err
	}
	return decode[me](object.Data, "customer")
}

func (v *visit) account() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	p := &accountView{view: v.view("", "")}
	p.Alone, p.Title = true, p.T("Your account")
	if p.Me, err = v.me(c.ID); err != nil {
		return err
	}
	after := v.after()
	found, err := v.config().Orders.Mine(v.r.Context(), "", c.ID, after, ordersPerPage)
	if err != nil {
		return err
	}
	if p.Orders, err = decode[[]order](found.Data, "orders"); err != nil {
		return err
	}
	if p.Later = after != ""; found.Next != "" {
		p.Next = v.prefix + "/account?" + url.Values{"after": {found.Next}}.Encode()
	}
	query := v.r.URL.Query()
	switch {
	case query.Has("welcome"):
		p.Told = p.T("Your address is confirmed, and you are signed in.")
	case query.Has("renewed"):
		p.Told = p.T("Your new password is kept, and you are signed in.")
	case query.Has("saved"):
		p.Told = p.T("Your details are saved.")
	}
	return page.Personal(v.w, v.r, http.StatusOK, accountPage(p))
}

// state is how far an order has come, in the shopper's words.
func (v *view) state(o order) string {
	switch {
	case o.State == "cancelled":
		return v.T("Cancelled")
	case o.Totals.Refunded.Amount > 0 && o.Totals.Refunded == o.Totals.Total:
		return v.T("Paid back")
	case slices.ContainsFunc(o.Returns, goodsBack.underWay):
		return v.T("Return under way")
	case o.progress() == 3:
		return v.T("Sent")
	case o.progress() == 2:
		return v.T("Partly sent")
	}
	return v.T("In preparation")
}

// addressPrefix is what the names of the fields of a shopper's address begin with.
const addressPrefix = "address_"

func (v *visit) detailsForm() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	m, err := v.me(c.ID)
	if err != nil {
		return err
	}
	values := url.Values{"name": {m.Name}, "phone": {m.Phone}}
	if m.AcceptsMarketing {
		values.Set("marketing", "yes")
	}
	if m.AcceptsSMS {
		values.Set("sms", "yes")
		values.Set("sms_shown", "yes")
	}
	if m.Address != nil {
		for name, value := range addressFields(m.Address) {
			values.Set(addressPrefix+name, *value)
		}
	}
	return v.showDetails(http.StatusOK, page.Form{Values: values})
}

func (v *visit) showDetails(status int, f page.Form) error {
	form := v.accountForm("Your details", f)
	form.Countries = page.Countries(v.settings.ShippingCountries, form.Lang)
	return page.Personal(v.w, v.r, status, details(form))
}

// setDetails keeps what the shopper says of themselves. An address with nothing in it but
// the country, which is chosen from the start, is none.
func (v *visit) setDetails() error {
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	name, phone, marketing := strings.TrimSpace(f.Value("name")), strings.TrimSpace(f.Value("phone")), f.Value("marketing") != ""
	where := addressFrom(f.Values, addressPrefix)
	if (*where == address.Address{Country: where.Country}) {
		where = nil
	}
	words := v.view("", "").T(marketingWords)
	change := customers.Change{Name: &name, Phone: &phone, AcceptsMarketing: &marketing, Wording: &words, DefaultAddress: &where}
	if f.Value("sms_shown") != "" && f.Value("sms") == "" {
		change.AcceptsSMS = new(bool) // the page does not ask for it, but has it taken back
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.Update(ctx, tx, c.ID, change, 0)
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showDetails(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	v.see("/account?saved")
	return nil
}
