package storefront

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/commerce/contact"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// bound are the countries whose traders let consumers withdraw by a function of the shop: those
// of the European Economic Area.
const bound = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"

// withdrawable says whether the shop has the function.
func (v *view) withdrawable() bool { return slices.Contains(strings.Fields(bound), v.settings.Country) }

// trap is a field that people do not see: whoever fills it in is a program.
const trap = "website"

func (v *visit) contactForm() error {
	if v.settings.ContactEmail == "" {
		return problem.Missing("page")
	}
	return v.showContact(http.StatusOK, page.Form{Values: url.Values{}})
}

func (v *visit) showContact(status int, f page.Form) error {
	return page.Personal(v.w, v.r, status, contactPage(v.accountForm("Write to us", f)))
}

func (v *visit) writeToShop() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	if f.Value(trap) == "" {
		err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
			return contact.Write(ctx, tx, contact.Message{Name: f.Value("name"), Email: f.Value("email"), Order: f.Value("order_number"), Text: f.Value("message")})
		})
	}
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showContact(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Your message is on its way", "We will answer by mail.", false)
	return nil
}

// withdrawForm is where somebody withdraws from a contract. Of an order that the browser may
// see, what is known is filled in.
func (v *visit) withdrawForm() error {
	f := page.Form{Values: url.Values{}}
	if id := v.r.URL.Query().Get("order"); id != "" && v.mayOpen(id) {
		raw, err := v.readOrder(id)
		if err != nil {
			return err
		}
		o, err := decode[order](raw, "order")
		if err != nil {
			return err
		}
		f.Values.Set("order_number", strconv.FormatInt(o.Number, 10))
		f.Values.Set("email", o.Email)
		if a := cmp.Or(o.BillingAddress, o.ShippingAddress); a != nil {
			f.Values.Set("name", a.Name)
		}
	}
	return v.showWithdrawal(http.StatusOK, f, false)
}

func (v *visit) showWithdrawal(status int, f page.Form, asks bool) error {
	form := v.accountForm("Withdraw from a contract", f)
	if asks {
		return page.Personal(v.w, v.r, status, confirmWithdrawal(form))
	}
	return page.Personal(v.w, v.r, status, withdrawPage(form))
}

// withdraw shows what somebody is about to declare, and takes it once they confirm it.
func (v *visit) withdraw() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	w := contact.Withdrawal{Name: f.Value("name"), Email: f.Value("email"), Order: f.Value("order_number"), Text: f.Value("message"), Locale: v.view("", "").Lang}
	if f.Value("confirmed") == "" {
		err = w.Check()
	} else {
		err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error { return contact.Withdraw(ctx, tx, w) })
	}
	switch p := problem.As(err); {
	case p != nil && len(p.Faults) > 0:
		v.addFaults(f, p)
		return v.showWithdrawal(http.StatusUnprocessableEntity, f, false)
	case err != nil:
		return err
	case f.Value("confirmed") == "":
		return v.showWithdrawal(http.StatusOK, f, true)
	}
	v.message(http.StatusOK, "We have received your withdrawal", "A confirmation with the day and the hour is on its way to you by mail. Please keep it.", false)
	return nil
}
