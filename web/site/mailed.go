package site

import (
	"context"
	"net/http"

	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/web/page"
)

// The pages that mails lead to. A link alone does nothing, for programs that look at mails
// follow links too: the page has a button, and what it does is a POST.

// tokenView is such a page.
type tokenView struct {
	head
	page.Form
	Heading, Text, Button string
	Action                string
	Token                 string
	Password              bool // a new one is asked for
	Email                 bool // the address is asked for
	Refused               string
}

func (s *Site) mailPages() {
	s.page("GET /verify-email", "verify", s.form(verifyEmail))
	s.page("POST /verify-email", "verify.send", s.verify)
	s.page("GET /confirm-email", "confirm", s.form(confirmEmail))
	s.page("POST /confirm-email", "confirm.send", s.confirm)
	s.page("GET /forgot-password", "forgot", s.form(forgotPassword))
	s.page("POST /forgot-password", "forgot.send", s.forgot)
	s.page("GET /reset-password", "reset", s.form(resetPassword))
	s.page("POST /reset-password", "reset.send", s.reset)
	s.page("GET "+pathInvitation, "invitation", s.invitation)
	s.page("POST "+pathInvitation, "invitation.send", s.accept)
}

var (
	verifyEmail = tokenView{
		Heading: "Confirm your e-mail address", Text: "One click, and your live shop can take orders.",
		Button: "Confirm the address", Action: "/verify-email",
	}
	confirmEmail = tokenView{
		Heading: "Use your new e-mail address", Text: "From then on you sign in with it, and all other sessions end.",
		Button: "Use the new address", Action: "/confirm-email",
	}
	forgotPassword = tokenView{
		Heading: "Forgotten your password?", Text: "Tell us the e-mail address that you sign in with, and we send you a link by which you choose a new one.",
		Button: "Send the link", Action: "/forgot-password", Email: true,
	}
	resetPassword = tokenView{
		Heading: "Choose a new password", Text: "At least 15 characters. A few words that only you would put together are easy to remember and hard to guess.",
		Button: "Keep the new password", Action: "/reset-password", Password: true,
	}
)

// form shows such a page.
func (s *Site) form(v tokenView) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := v
		v.head, v.Token = s.head(v.Heading), r.URL.Query().Get("token")
		if v.Token == "" && !v.Email {
			return problem.Missing("page")
		}
		return page.Personal(w, r, http.StatusOK, tokenForm(v))
	}
}

// read takes such a page's form, and counts it towards what an address may try.
func (s *Site) read(w http.ResponseWriter, r *http.Request, class string) (page.Form, error) {
	f, err := page.ReadForm(w, r)
	if err != nil {
		return f, err
	}
	return f, s.config.Limiter.Take(r.Context(), class, "")
}

// again shows such a page once more, with what was wrong; other errors are passed on.
func (s *Site) again(w http.ResponseWriter, r *http.Request, v tokenView, f page.Form, err error) error {
	refused := problem.As(err)
	if refused == nil || refused.Kind >= problem.Internal || refused.Kind == problem.Limited {
		return err
	}
	v.head, v.Token, v.Form = s.head(v.Heading), f.Value("token"), f
	v.Refused = refused.Detail
	if refused.Code == "token_invalid" {
		v.Refused = "This link was used, or is too old. Please ask for another."
	}
	f.Values.Del("password")
	return page.Personal(w, r, http.StatusUnprocessableEntity, tokenForm(v))
}

func (s *Site) verify(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(w, r, limits.Auth)
	if err != nil {
		return err
	}
	err = s.config.DB.InControl(r.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := s.config.Accounts.VerifyEmail(ctx, tx, f.Value("token"))
		return err
	})
	if err != nil {
		return s.again(w, r, verifyEmail, f, err)
	}
	s.say(w, r, http.StatusOK, "Your address is confirmed", "Thank you. Your live shop can take orders from now on.")
	return nil
}

func (s *Site) confirm(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(w, r, limits.Auth)
	if err != nil {
		return err
	}
	account, signed, err := s.config.Accounts.ConfirmEmailChange(r.Context(), f.Value("token"), visit(r), nil)
	if err != nil {
		return s.again(w, r, confirmEmail, f, err)
	}
	if signed != nil {
		http.SetCookie(w, sessions.Cookie(signed.Token, signed.Session.ExpiresAt))
	}
	s.say(w, r, http.StatusOK, "Your new address is in use", "You sign in with "+account.Email+" from now on.")
	return nil
}

// forgot answers the same whether the address is known or not.
func (s *Site) forgot(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(w, r, limits.Reset)
	if err != nil {
		return err
	}
	err = s.config.DB.InControl(r.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return s.config.Accounts.RequestReset(ctx, tx, f.Value("email"))
	})
	if err != nil {
		return s.again(w, r, forgotPassword, f, err)
	}
	s.say(w, r, http.StatusOK, "Look into your mail", "If there is an account with this address, a link is on its way to it.")
	return nil
}

func (s *Site) reset(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(w, r, limits.Auth)
	if err != nil {
		return err
	}
	if err := s.config.Accounts.ResetPassword(r.Context(), accounts.ResetPassword{Token: f.Value("token"), Password: f.Value("password")}, nil); err != nil {
		return s.again(w, r, resetPassword, f, err)
	}
	s.say(w, r, http.StatusOK, "Your new password is in use", "All sessions have ended. You can sign in with the new password now.")
	return nil
}
