package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
)

// Session signs people in and out.
type Session struct {
	DB       *postgres.DB
	Accounts *accounts.Service
	Sessions *sessions.Manager
	Access   *access.Enforcer
}

// Operations are the handlers by operationId.
func (h *Session) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"signIn":     h.signIn,
		"getSession": h.get,
		"signOut":    h.signOut,
	}
}

func (h *Session) signIn(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.SignInRequest](req)
	if err != nil {
		return nil, err
	}
	signed, err := h.Accounts.SignIn(ctx, accounts.SignIn{Email: body.Email, Password: body.Password, Code: given(body.Code), Visit: visit(req)})
	if err != nil {
		return nil, err
	}
	shown, err := h.session(ctx, signed.Account, signed.Session)
	if err != nil {
		return nil, err
	}
	setCookie(req, &signed)
	return openapi.Created("/v1/session", shown), nil
}

func (h *Session) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	session, err := h.Sessions.Resolve(ctx, req.Caller.Session)
	if err != nil {
		return nil, err
	}
	a, err := h.Accounts.Get(ctx, req.Caller.Principal.ID)
	if err != nil {
		return nil, err
	}
	shown, err := h.session(ctx, a, session)
	if err != nil {
		return nil, err
	}
	return openapi.OK(shown), nil
}

func (h *Session) signOut(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	if err := h.Accounts.SignOut(ctx, req.Caller.Session); err != nil {
		return nil, err
	}
	req.Writer.Add("Set-Cookie", sessions.NoCookie().String())
	return openapi.NoContent(), nil
}

func (h *Session) session(ctx context.Context, a accounts.Account, s sessions.Session) (gen.Session, error) {
	shown := gen.Session{ID: s.ID, Account: account(a), CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}
	err := h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Accounts.MembershipsTx(ctx, tx, a.ID)
		shown.Stores = converted(list, membership(h.Access))
		return err
	})
	return shown, err
}

// membership shows what an account is in a store.
func membership(enforcer *access.Enforcer) func(accounts.Membership) gen.AccountStore {
	return func(m accounts.Membership) gen.AccountStore {
		shown := gen.AccountStore{
			StoreID: m.StoreID, Name: m.StoreName, Address: m.Address, State: gen.StoreState(m.Status),
			Role: gen.RoleName(m.Role), RoleID: orNil(m.RoleID), JoinedAt: m.JoinedAt, Permissions: []gen.Permission{},
		}
		for _, name := range enforcer.Effective(principal.Principal{Kind: principal.Account, Role: m.Role, Grants: m.Grants}) {
			if access.Grantable(name) {
				shown.Permissions = append(shown.Permissions, gen.Permission(name))
			}
		}
		return shown
	}
}

// visit is where a request comes from, and with which session.
func visit(req *openapi.Request) accounts.Visit {
	v := accounts.Visit{UserAgent: req.Header.Get("User-Agent"), Token: req.Caller.Session}
	if cookie, err := req.HTTP.Cookie(sessions.CookieName); err == nil && v.Token == "" {
		v.Token = cookie.Value // of a session that the operation did not ask for
	}
	return v
}

// setCookie gives the browser the session that goes on, if one does.
func setCookie(req *openapi.Request, signed *accounts.SignedIn) {
	if signed != nil {
		req.Writer.Add("Set-Cookie", sessions.Cookie(signed.Token, signed.Session.ExpiresAt).String())
	}
}
