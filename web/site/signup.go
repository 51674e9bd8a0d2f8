package site

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/web/admin"
	"github.com/stoacommerce/stoa/web/page"
)

// signUpView is the form by which a store is opened.
type signUpView struct {
	head
	page.Form
	Refused string // what is wrong, when it is about no field
}

// openedView is what follows on it.
type openedView struct {
	head
	Store   stores.Record
	Email   string
	ShopURL string
	Keys    tenants.FirstKeys
	Fresh   bool // the account is new, and its address still to be proven
}

func (s *Site) signUpForm(w http.ResponseWriter, r *http.Request) error {
	caller, err := s.who(r)
	if err != nil {
		return err
	}
	v := signUpView{head: s.head("Open a store")}
	v.Signed = caller.Principal.Label
	return page.Personal(w, r, http.StatusOK, signUp(v))
}

// signUp opens a store and shows its keys, in the answer to the form and never again.
func (s *Site) signUp(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(w, r)
	if err != nil {
		return err
	}
	if err := s.config.Limiter.Take(r.Context(), limits.Signup, ""); err != nil {
		return err
	}
	caller, err := s.who(r)
	if err != nil {
		return err
	}
	f.Values.Set("store_address", cmp.Or(strings.ToLower(strings.TrimSpace(f.Value("store_address"))), addressOf(f.Value("store_name"))))
	in := accounts.SignUp{Store: stores.Birth{
		Name: strings.TrimSpace(f.Value("store_name")), Address: f.Value("store_address"),
		Country: f.Value("country"), Currency: f.Value("currency"),
	}}
	ctx := r.Context()
	if in.AccountID = caller.Principal.ID; in.AccountID == "" {
		in.Email, in.Password, in.Name = f.Value("email"), f.Value("password"), f.Value("name")
		in.Store.ContactEmail = strings.TrimSpace(in.Email)
	} else {
		in.Store.ContactEmail = caller.Principal.Label
		ctx = as(r, caller)
	}
	out, err := s.config.Accounts.SignUp(ctx, in, nil)
	if refused := problem.As(err); refused != nil && refused.Kind < problem.Internal && refused.Kind != problem.Limited {
		if caller.Principal.ID != "" && refused.Code == "address_taken" {
			own, err := s.owns(ctx, caller, in.Store.Address)
			if err != nil {
				return err
			}
			if own { // the form was sent twice
				page.SeeOther(w, "/stores")
				return nil
			}
		}
		return s.refuseSignUp(w, r, caller, f, refused)
	}
	if err != nil {
		return err
	}
	v := openedView{
		head: s.head("Your store is open"), Store: out.Store, Email: out.Account.Email, Keys: out.Keys, Fresh: in.AccountID == "",
		ShopURL: strings.TrimSuffix(s.config.StoreURL(stores.HostLabel(out.Store.Address, false)).String(), "/"),
	}
	v.Signed = out.Account.Email
	if in.AccountID == "" {
		signed, err := s.config.Accounts.Open(r.Context(), out.Account, visit(r))
		if err != nil {
			// The store is open; its owner can sign in when sessions are to be had again.
			s.config.Log.WarnContext(r.Context(), "nobody is signed in after a sign-up", "account", out.Account.ID, "error", err)
			v.Signed = ""
		} else {
			http.SetCookie(w, sessions.Cookie(signed.Token, signed.Session.ExpiresAt))
		}
	}
	return page.Personal(w, r, http.StatusCreated, opened(v))
}

// addressOf is the address that a store is given by its name.
func addressOf(name string) string {
	handle := catalog.HandleOf(name)
	return strings.Trim(handle[:min(len(handle), 40)], "-")
}

// owns says whether a store of the caller's has this address.
func (s *Site) owns(ctx context.Context, caller tenants.Caller, address string) (own bool, err error) {
	err = s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := s.config.Accounts.MembershipsTx(ctx, tx, caller.Principal.ID)
		own = slices.ContainsFunc(list, func(m accounts.Membership) bool { return m.Address == address })
		return err
	})
	return own, err
}

func visit(r *http.Request) accounts.Visit {
	return accounts.Visit{UserAgent: r.UserAgent(), Token: token(r)}
}

// refuseSignUp shows the form again, with what is wrong at its fields.
func (s *Site) refuseSignUp(w http.ResponseWriter, r *http.Request, caller tenants.Caller, f page.Form, refused *problem.Problem) error {
	v := signUpView{head: s.head("Open a store"), Form: f}
	v.Signed = caller.Principal.Label
	for _, fault := range refused.Faults {
		f.Fault(strings.TrimPrefix(fault.Pointer, "/"), fault.Detail)
	}
	switch refused.Code {
	case "invalid_credentials":
		// An address that is known is told like a wrong password, and its owner gets a mail.
		v.Refused = "We could not open a store with this e-mail address and password. If you have an account, sign in first."
	case "address_taken", "address_confusable", "address_reserved", "address_malformed", "address_invalid":
		f.Fault("store_address", refused.Detail)
	default:
		if len(f.Faults) == 0 {
			v.Refused = refused.Detail
		}
	}
	f.Values.Del("password")
	status := int(refused.Kind)
	if refused.Kind == problem.Unauthenticated {
		status = http.StatusUnprocessableEntity // no browser is to ask for a password by itself
	}
	return page.Personal(w, r, status, signUp(v))
}

// usualCurrencies come first in the list.
var usualCurrencies = []string{"EUR", "USD", "GBP", "CHF", "JPY"}

func currencies() []string {
	list := slices.Clone(usualCurrencies)
	for _, code := range money.Currencies() {
		if !slices.Contains(usualCurrencies, code) {
			list = append(list, code)
		}
	}
	return list
}

// office is the address of a store in the back office.
func office(address string) string { return admin.Path + "/" + address }

// hostOf is the host of an address.
func hostOf(base string) string {
	_, host, _ := strings.Cut(base, "://")
	return host
}
