package site

import (
	"context"
	"net/http"
	"strings"

	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/web/page"
)

// signInView is the form by which one signs in.
type signInView struct {
	head
	page.Form
	Refused string
	Code    bool   // the password was right; a code is asked for too
	Next    string // where to go on to
}

func (s *Site) signInForm(w http.ResponseWriter, r *http.Request) error {
	caller, err := s.who(r)
	if err != nil {
		return err
	}
	if caller.Principal.ID != "" {
		page.SeeOther(w, onward(r.URL.Query().Get("next")))
		return nil
	}
	return page.Personal(w, r, http.StatusOK, signIn(signInView{head: s.head("Sign in"), Next: r.URL.Query().Get("next")}))
}

func (s *Site) signIn(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(w, r)
	if err != nil {
		return err
	}
	if err := s.config.Limiter.Take(r.Context(), limits.Auth, ""); err != nil {
		return err
	}
	signed, err := s.config.Accounts.SignIn(r.Context(), accounts.SignIn{
		Email: f.Value("email"), Password: f.Value("password"), Code: strings.ReplaceAll(f.Value("code"), " ", ""), Visit: visit(r),
	})
	if refused := problem.As(err); refused != nil && refused.Kind < problem.Internal && refused.Kind != problem.Limited {
		v := signInView{head: s.head("Sign in"), Form: f, Next: f.Value("next")}
		switch refused.Code {
		case "totp_required":
			v.Code = true
		case "invalid_code":
			v.Code = true
			f.Fault("code", "The code is wrong or was used already.")
		default:
			v.Refused = "E-mail address and password don't belong together."
			f.Values.Del("password")
		}
		return page.Personal(w, r, http.StatusUnprocessableEntity, signIn(v))
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, sessions.Cookie(signed.Token, signed.Session.ExpiresAt))
	page.SeeOther(w, onward(f.Value("next")))
	return nil
}

func (s *Site) signOut(w http.ResponseWriter, r *http.Request) error {
	if held := token(r); held != "" {
		if err := s.config.Accounts.SignOut(r.Context(), held); err != nil {
			return err
		}
		http.SetCookie(w, sessions.NoCookie())
	}
	if to := onward(r.PostFormValue("next")); to != "/stores" {
		page.SeeOther(w, to)
		return nil
	}
	page.SeeOther(w, "/")
	return nil
}

// storesView are the stores that somebody belongs to.
type storesView struct {
	head
	Stores   []storeOf
	Verified bool
	Told     string // what has just been done
}

type storeOf struct {
	accounts.Membership
	Shop, Sandbox string // the sandbox's is empty until its first use
}

// Suspended says whether its shop is closed.
func (o storeOf) Suspended() bool { return o.Status == tenants.Suspended }

// signedIn is who is signed in; who is not is sent to where that is done.
func (s *Site) signedIn(w http.ResponseWriter, r *http.Request) (tenants.Caller, bool, error) {
	caller, err := s.who(r)
	if err != nil {
		return caller, false, err
	}
	if caller.Principal.ID == "" {
		page.SeeOther(w, "/sign-in")
		return caller, false, nil
	}
	return caller, true, nil
}

func (s *Site) stores(w http.ResponseWriter, r *http.Request) error {
	caller, ok, err := s.signedIn(w, r)
	if !ok {
		return err
	}
	v := storesView{head: s.head("Your stores")}
	v.Signed = caller.Principal.Label
	switch query := r.URL.Query(); {
	case query.Has("sent"):
		v.Told = "A mail with a link is on its way to you."
	case query.Has("joined"):
		v.Told = "You have joined the store."
	}
	err = s.config.DB.InControl(r.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		account, err := s.config.Accounts.GetTx(ctx, tx, caller.Principal.ID)
		if err != nil {
			return err
		}
		v.Verified = account.Verified
		list, err := s.config.Accounts.MembershipsTx(ctx, tx, caller.Principal.ID)
		for _, m := range list {
			if m.Status != tenants.Deleted {
				v.Stores = append(v.Stores, storeOf{Membership: m, Shop: s.shop(m.Address, false)})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range v.Stores {
		store, err := s.config.Stores.Get(r.Context(), v.Stores[i].StoreID)
		if err != nil {
			return err
		}
		if store.HasSandbox {
			v.Stores[i].Sandbox = s.shop(store.Address, true)
		}
	}
	return page.Personal(w, r, http.StatusOK, yourStores(v))
}

// shop is the address of a store's shop.
func (s *Site) shop(address string, sandbox bool) string {
	return strings.TrimSuffix(s.config.StoreURL(stores.HostLabel(address, sandbox)).String(), "/")
}

// sendVerification mails the link by which an address is proven once more.
func (s *Site) sendVerification(w http.ResponseWriter, r *http.Request) error {
	caller, ok, err := s.signedIn(w, r)
	if !ok {
		return err
	}
	if err := s.config.Limiter.Take(r.Context(), limits.Reset, caller.Principal.ID); err != nil {
		return err
	}
	err = s.config.DB.InControl(as(r, caller), func(ctx context.Context, tx *postgres.Tx) error {
		return s.config.Accounts.RequestVerification(ctx, tx, caller.Principal.ID)
	})
	if err != nil {
		return err
	}
	page.SeeOther(w, "/stores?sent")
	return nil
}
