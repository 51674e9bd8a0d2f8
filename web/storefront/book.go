package storefront

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// bookView is a shopper's address book.
type bookView struct {
	*view
	Entries []customers.Entry
}

// book is the address book of who is signed in, with the version of the customer that it is
// of; nil of nobody, who has been sent on.
func (v *visit) book() (id string, entries []customers.Entry, version int, err error) {
	c, err := v.signedIn()
	if c == nil {
		return "", nil, 0, err
	}
	object, err := v.config().Customers.Me(v.r.Context(), c.ID)
	if err != nil {
		return "", nil, 0, err
	}
	m, err := decode[me](object.Data, "customer")
	return c.ID, m.Addresses, object.Version, err
}

func (v *visit) addressBook() error {
	id, entries, _, err := v.book()
	if id == "" || err != nil {
		return err
	}
	p := &bookView{view: v.view("", ""), Entries: entries}
	p.Alone, p.Title = true, p.T("Address book")
	return page.Personal(v.w, v.r, http.StatusOK, addressBook(p))
}

// entry is the place of the entry that the address names, -1 of a new one.
func (v *visit) entry(entries []customers.Entry) (int, error) {
	named := v.r.PathValue("entry")
	if named == "new" {
		return -1, nil
	}
	at := slices.IndexFunc(entries, func(e customers.Entry) bool { return e.ID == named })
	if at < 0 {
		return 0, problem.Missing("address")
	}
	return at, nil
}

func (v *visit) entryForm() error {
	id, entries, _, err := v.book()
	if id == "" || err != nil {
		return err
	}
	at, err := v.entry(entries)
	if err != nil {
		return err
	}
	values := url.Values{}
	if at >= 0 {
		for name, value := range addressFields(&entries[at].Address) {
			values.Set(addressPrefix+name, *value)
		}
	}
	if at >= 0 && entries[at].DefaultShipping || len(entries) == 0 {
		values.Set("default_shipping", "yes")
	}
	if at >= 0 && entries[at].DefaultBilling || len(entries) == 0 {
		values.Set("default_billing", "yes")
	}
	return v.showEntry(http.StatusOK, page.Form{Values: values})
}

func (v *visit) showEntry(status int, f page.Form) error {
	form := v.accountForm("An address", f)
	form.Countries = page.Countries(v.settings.ShippingCountries, form.Lang)
	return page.Personal(v.w, v.r, status, entryForm(form, v.r.PathValue("entry")))
}

func (v *visit) setEntry() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	return v.editBook(f, func(entries []customers.Entry, at int) []customers.Entry {
		if at < 0 {
			entries, at = append(entries, customers.Entry{}), len(entries)
		}
		e := &entries[at]
		e.Address = *addressFrom(f.Values, addressPrefix)
		e.DefaultShipping, e.DefaultBilling = f.Value("default_shipping") != "", f.Value("default_billing") != ""
		for i := range entries {
			entries[i].DefaultShipping = entries[i].DefaultShipping && (i == at || !e.DefaultShipping)
			entries[i].DefaultBilling = entries[i].DefaultBilling && (i == at || !e.DefaultBilling)
		}
		return entries
	})
}

func (v *visit) removeEntry() error {
	return v.editBook(page.Form{}, func(entries []customers.Entry, at int) []customers.Entry {
		return slices.Delete(entries, max(at, 0), max(at, 0)+1)
	})
}

// editBook keeps the book with a change of the entry that the address names.
func (v *visit) editBook(f page.Form, change func(entries []customers.Entry, at int) []customers.Entry) error {
	id, entries, version, err := v.book()
	if id == "" || err != nil {
		return err
	}
	at, err := v.entry(entries)
	if err != nil || at < 0 && f.Values == nil {
		return err
	}
	entries = change(entries, at)
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.Update(ctx, tx, id, customers.Change{Addresses: entries}, version)
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 && f.Values != nil {
		for i := range p.Faults {
			if _, part, found := strings.Cut(p.Faults[i].Pointer, "/address/"); found {
				p.Faults[i].Pointer = "/default_address/" + part
			}
		}
		v.addFaults(f, p)
		return v.showEntry(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	v.see("/account/addresses")
	return nil
}

func (v *visit) emailForm() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	return page.Personal(v.w, v.r, http.StatusOK, emailForm(v.accountForm("Your e-mail address", page.Form{}), c.Email))
}

// changeEmail asks for another address. It answers the same whether or not that is another
// customer's.
func (v *visit) changeEmail() error {
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	wish, err := v.config().Customers.PrepareEmailChange(v.r.Context(), *c, f.Value("email"), f.Value("password"))
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return page.Personal(v.w, v.r, http.StatusUnprocessableEntity, emailForm(v.accountForm("Your e-mail address", f), c.Email))
	}
	if err != nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		v.config().Customers.RequestEmailChange(ctx, tx, wish)
		return nil
	})
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Look into your mail", "A link is on its way to the new address. Until you follow it, the old one stays.", false)
	return nil
}

// confirmEmailForm is where the link in the mail leads.
func (v *visit) confirmEmailForm() error {
	token := v.r.URL.Query().Get("token")
	if token == "" {
		return problem.Missing("page")
	}
	c, err := v.shopper()
	if err != nil {
		return err
	}
	if c == nil {
		v.message(http.StatusUnauthorized, "Please sign in first", "Sign in with your old address, and then follow the link in the mail once more.", false)
		return nil
	}
	return page.Personal(v.w, v.r, http.StatusOK, confirmEmail(v.accountForm("Confirm your e-mail address", page.Form{Values: url.Values{"token": {token}}})))
}

func (v *visit) confirmEmail() error {
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.ConfirmEmailChange(ctx, tx, *c, f.Value("token"), v.session())
	})
	if problem.Is(err, "token_invalid") {
		v.message(http.StatusUnprocessableEntity, "This link does not work any more", "It was used, or is too old, or is of another account. You can ask for another in your account.", false)
		return nil
	}
	if err != nil {
		return err
	}
	v.see("/account?saved")
	return nil
}
