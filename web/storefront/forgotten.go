package storefront

import (
	"context"
	"net/http"
	"net/url"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// The way back of a shopper who forgot the password.

func (v *visit) forgotForm() error {
	form, ok, err := v.strangers("Forgotten your password?")
	if !ok {
		return err
	}
	return page.Personal(v.w, v.r, http.StatusOK, forgotPassword(form))
}

// forgot answers the same whether the address is known or not.
func (v *visit) forgot() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		v.config().Customers.RequestReset(ctx, tx, f.Value("email"))
		return nil
	})
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Look into your mail", "If there is an account with this address, a link for a new password is on its way to you.", false)
	return nil
}

// resetForm is where the link in the mail leads.
func (v *visit) resetForm() error {
	token := v.r.URL.Query().Get("token")
	if token == "" {
		return problem.Missing("page")
	}
	return v.showReset(http.StatusOK, page.Form{Values: url.Values{"token": {token}}})
}

func (v *visit) showReset(status int, f page.Form) error {
	return page.Personal(v.w, v.r, status, resetPassword(v.accountForm("Choose a new password", f)))
}

func (v *visit) reset() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	prepared, err := v.config().Customers.PrepareReset(v.r.Context(), f.Value("token"), f.Value("password"))
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showReset(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	var session customers.Session
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if session, err = v.config().Customers.ResetPassword(ctx, tx, prepared); err != nil {
			return err
		}
		return v.adopt(ctx, tx, session)
	})
	if problem.Is(err, "token_invalid") {
		v.message(http.StatusUnprocessableEntity, "This link does not work any more", "It was used, or is too old. You can ask for another where you sign in.", false)
		return nil
	}
	if err != nil {
		return err
	}
	v.admit(session)
	v.see("/account?renewed")
	return nil
}
