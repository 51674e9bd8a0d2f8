package storefront

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// shopper is who is signed in, or nil. From here on the visit acts as them.
func (v *visit) shopper() (*customers.Customer, error) {
	held := v.session()
	if held == "" {
		return nil, nil
	}
	c, err := v.config().Customers.Authenticate(v.r.Context(), held)
	if p := problem.As(err); p != nil && p.Kind == problem.Unauthenticated {
		v.setCookie(customerCookie, "", -time.Second)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v.r = v.r.WithContext(customers.As(v.r.Context(), c))
	return &c, nil
}

// signedIn is who is signed in; who is not is sent to where that is done.
func (v *visit) signedIn() (*customers.Customer, error) {
	c, err := v.shopper()
	if c == nil && err == nil {
		v.see("/account/sign-in")
	}
	return c, err
}

// signedForm is what a page's form sent and who is signed in, as signedIn has them.
func (v *visit) signedForm() (f page.Form, c *customers.Customer, err error) {
	if f, err = v.form(); err == nil {
		c, err = v.signedIn()
	}
	return f, c, err
}

// admit keeps a session that has just begun.
func (v *visit) admit(s customers.Session) {
	v.setCookie(customerCookie, s.Token, time.Until(s.ExpiresAt))
}

// adopt gives the browser's cart, unless it is one no more, to who signs in, and finds the
// one that they have.
func (v *visit) adopt(ctx context.Context, tx *postgres.Tx, s customers.Session) error {
	var guest *cart.Ref
	if ref, held := v.cartRef(); held {
		guest = &ref
	}
	c, ref, err := v.config().Carts.Mine(ctx, tx, s.CustomerID, guest)
	if p := problem.As(err); p != nil && p.Kind < problem.Internal {
		c, ref, err = v.config().Carts.Mine(ctx, tx, s.CustomerID, nil)
	}
	if c != nil {
		tx.AfterCommit(func() { v.keepCart(ref) })
	}
	return err
}

// signInView is the form by which shoppers sign in.
type signInView struct {
	formView
	Refused string
	Next    string // where to go on to, by its name
}

// onward is where somebody goes on to who has signed in. Only places of the shop's own
// have names.
func onward(next string) string {
	if next == "checkout" {
		return "/checkout"
	}
	return "/account"
}

// strangers begins a page for those who are not signed in; others are sent on.
func (v *visit) strangers(title string) (formView, bool, error) {
	c, err := v.shopper()
	if c != nil {
		v.see(onward(v.r.URL.Query().Get("next")))
	}
	return v.accountForm(title, page.Form{}), c == nil && err == nil, err
}

// accountForm begins a page with a form.
func (v *visit) accountForm(title string, f page.Form) formView {
	form := formView{view: v.view("", ""), Form: f}
	form.Alone, form.Title = true, form.T(title)
	return form
}

func (v *visit) signInForm() error {
	form, ok, err := v.strangers("Sign in")
	if !ok {
		return err
	}
	return page.Personal(v.w, v.r, http.StatusOK, signIn(signInView{formView: form, Next: v.r.URL.Query().Get("next")}))
}

func (v *visit) signIn() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	var session customers.Session
	session, err = v.config().Customers.SignIn(v.r.Context(), f.Value("email"), f.Value("password"), v.adopt)
	if p := problem.As(err); p != nil && p.Kind < problem.Internal && p.Kind != problem.Limited {
		p := signInView{formView: v.accountForm("Sign in", f), Next: f.Value("next")}
		p.Refused = p.T("E-mail address and password do not belong together.")
		return page.Personal(v.w, v.r, http.StatusUnprocessableEntity, signIn(p))
	}
	if err != nil {
		return err
	}
	v.admit(session)
	v.see(onward(f.Value("next")))
	return nil
}

// signOut ends the session. The cart and the keys of orders go with it: they hold the
// shopper's address, and the next one at this browser may be somebody else.
func (v *visit) signOut() error {
	c, err := v.shopper()
	if err != nil {
		return err
	}
	if c != nil {
		err := v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
			return v.config().Customers.SignOut(ctx, tx, v.session())
		})
		if err != nil {
			return err
		}
		v.forgetShopper()
	}
	v.see("/")
	return nil
}

// forgetShopper has the browser forget all that is of a shopper.
func (v *visit) forgetShopper() {
	for _, name := range []string{customerCookie, cartCookie, draftCookie, ordersCookie} {
		v.setCookie(name, "", -time.Second)
	}
}

func (v *visit) registerForm() error {
	form, ok, err := v.strangers("Create an account")
	if !ok {
		return err
	}
	return page.Personal(v.w, v.r, http.StatusOK, register(form))
}

// register keeps what was given until the link in the mail is followed. It answers the
// same whether the address is known or not.
func (v *visit) register() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	registration, err := v.config().Customers.Prepare(v.r.Context(), customers.RegisterInput{
		Email: f.Value("email"), Password: f.Value("password"), Name: f.Value("name"), AcceptsMarketing: f.Value("marketing") != "", Wording: v.view("", "").T(marketingWords),
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return page.Personal(v.w, v.r, http.StatusUnprocessableEntity, register(v.accountForm("Create an account", f)))
	}
	if err != nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.Register(ctx, tx, registration)
	})
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Look into your mail", "We have sent you a mail. Follow the link in it, and your account is ready.", false)
	return nil
}

// verifyForm is where the link in the mail leads. It does nothing by itself, for programs
// that look at mails follow links too: the page has a button.
func (v *visit) verifyForm() error {
	token := v.r.URL.Query().Get("token")
	if token == "" {
		return problem.Missing("page")
	}
	return page.Personal(v.w, v.r, http.StatusOK, verify(v.accountForm("Confirm your e-mail address", page.Form{Values: url.Values{"token": {token}}})))
}

func (v *visit) verify() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	var session customers.Session
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		if session, err = v.config().Customers.Verify(ctx, tx, f.Value("token")); err != nil {
			return err
		}
		return v.adopt(ctx, tx, session)
	})
	if problem.Is(err, "token_invalid") {
		v.message(http.StatusUnprocessableEntity, "This link does not work any more", "It was used, or is too old. If you cannot sign in, create your account once more.", false)
		return nil
	}
	if err != nil {
		return err
	}
	v.admit(session)
	v.see("/account?welcome")
	return nil
}

// customerOf is the ID of who is signed in, empty for nobody.
func (v *visit) customerOf() (string, error) {
	c, err := v.shopper()
	if c == nil {
		return "", err
	}
	return c.ID, nil
}
