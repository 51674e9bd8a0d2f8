package site

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants/members"
	"github.com/stoacommerce/stoa/web/page"
)

// pathInvitation is the page that an invitation's mail leads to.
const pathInvitation = "/accept-invitation"

// invitationView is that page.
type invitationView struct {
	head
	page.Form
	members.Offer
	Token   string
	Refused string
}

// SignInFirst says whether somebody has to sign in, or to sign in as another, before the
// invitation can be accepted.
func (v invitationView) SignInFirst() bool {
	if v.Signed == "" {
		return v.Known
	}
	return !strings.EqualFold(v.Signed, v.Email)
}

// Here is the page's own address.
func (v invitationView) Here() string { return pathInvitation + "?token=" + v.Token }

// onward is where somebody goes on to who has signed in: to their stores, or back to an
// invitation that can be accepted now. No other address is taken from a form.
func onward(next string) string {
	if token, found := strings.CutPrefix(next, pathInvitation+"?token="); found {
		return pathInvitation + "?" + url.Values{"token": {token}}.Encode()
	}
	return "/stores"
}

// invitation shows what an invitation offers, and changes nothing.
func (s *Site) invitation(w http.ResponseWriter, r *http.Request) error {
	return s.showInvitation(w, r, http.StatusOK, r.URL.Query().Get("token"), page.Form{}, nil)
}

func (s *Site) showInvitation(w http.ResponseWriter, r *http.Request, status int, token string, f page.Form, refused *problem.Problem) error {
	if token == "" {
		return problem.Missing("page")
	}
	caller, err := s.who(r)
	if err != nil {
		return err
	}
	v := invitationView{head: s.head("Join a store"), Form: f, Token: token}
	v.Signed = caller.Principal.Label
	err = s.config.DB.InControl(r.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		v.Offer, err = s.config.Members.Offer(ctx, tx, token)
		return err
	})
	if p := problem.As(err); p != nil && p.Kind < problem.Internal {
		s.say(w, r, http.StatusUnprocessableEntity, "This invitation cannot be accepted any more", "It was used or taken back, or is too old. Please ask who invited you for another.")
		return nil
	}
	if err != nil {
		return err
	}
	if refused != nil && len(f.Faults) == 0 {
		v.Refused = refused.Detail
	}
	return page.Personal(w, r, status, invitation(v))
}

// accept has somebody join the store that invited them.
func (s *Site) accept(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(w, r, limits.Auth)
	if err != nil {
		return err
	}
	caller, err := s.who(r)
	if err != nil {
		return err
	}
	ctx, in := r.Context(), members.Acceptance{Token: f.Value("token")}
	if caller.Principal.ID != "" {
		ctx = as(r, caller)
	} else {
		in.Password, in.Name = f.Value("password"), strings.TrimSpace(f.Value("name"))
	}
	out, err := s.config.Members.Accept(ctx, in, nil)
	if refused := problem.As(err); refused != nil && refused.Kind < problem.Internal && refused.Kind != problem.Limited {
		for _, fault := range refused.Faults {
			f.Fault(strings.TrimPrefix(fault.Pointer, "/"), fault.Detail)
		}
		f.Values.Del("password")
		return s.showInvitation(w, r, http.StatusUnprocessableEntity, in.Token, f, refused)
	}
	if err != nil {
		return err
	}
	if caller.Principal.ID == "" {
		signed, err := s.config.Accounts.Open(r.Context(), out.Account, visit(r))
		if err != nil {
			// The person has joined, and can sign in when sessions are to be had again.
			s.config.Log.WarnContext(r.Context(), "nobody is signed in after joining a store", "account", out.Account.ID, "error", err)
		} else {
			http.SetCookie(w, sessions.Cookie(signed.Token, signed.Session.ExpiresAt))
		}
	}
	page.SeeOther(w, "/stores?joined")
	return nil
}
