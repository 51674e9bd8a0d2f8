// Package credentials finds out whom a request speaks for: a signed-in person, an API key
// or an operator. It puts together what the packages that keep each of them know.
package credentials

import (
	"context"

	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/keys"
	"github.com/stoacommerce/stoa/tenants/operators"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Authenticator is what openapi asks of each credential. All fields must be set.
type Authenticator struct {
	Sessions  *sessions.Manager
	Accounts  *accounts.Service
	Stores    *stores.Service
	Keys      *keys.Service
	Operators *operators.Service
}

// Key is for secret, restricted and publishable keys.
func (a *Authenticator) Key(ctx context.Context, key string, origin tenants.Origin) (tenants.Caller, error) {
	return a.Keys.Authenticate(ctx, key, origin)
}

// Operator is for operators' keys.
func (a *Authenticator) Operator(ctx context.Context, key string) (tenants.Caller, error) {
	return a.Operators.Authenticate(ctx, key)
}

// Session is for people. A request names the store that it is for and the side of it;
// without a side it is the live one. A session that began before the last change of the
// account's credentials has ended; whose it was in the store is given beside the problem.
func (a *Authenticator) Session(ctx context.Context, token, storeID, mode string) (tenants.Caller, error) {
	session, err := a.Sessions.Resolve(ctx, token)
	if err != nil {
		return tenants.Caller{}, err
	}
	standing, err := a.Accounts.Standing(ctx, session.AccountID)
	if err != nil {
		return tenants.Caller{}, err
	}
	ended := problem.New(problem.Unauthenticated, "invalid_session", "There is no such session, or it has ended. Sign in again.")
	if standing == nil {
		return tenants.Caller{}, ended
	}
	caller := tenants.Caller{
		Principal: principal.Principal{Kind: principal.Account, ID: standing.ID, Label: standing.Email, SessionID: session.ID},
		Session:   token,
	}
	switch {
	case standing.Stamp != session.Stamp:
		caller, _ = enter(ctx, caller, standing, storeID, mode, a.Stores.Born)
		return caller, ended
	case storeID == "":
		return caller, nil
	}
	return enter(ctx, caller, standing, storeID, mode, a.Stores.ByID)
}

// enter has a person act within one of their stores. A store that does not exist is
// answered like one that they do not belong to.
func enter(ctx context.Context, caller tenants.Caller, standing *accounts.Standing, storeID, mode string,
	look func(context.Context, string, principal.Mode) (tenants.Store, error)) (tenants.Caller, error) {
	stranger := problem.New(problem.Forbidden, "not_a_member", "The account does not belong to this store.")
	membership, ok := standing.Memberships[storeID]
	if !ok {
		return tenants.Caller{}, stranger
	}
	side := principal.Live
	switch mode {
	case "", string(principal.Live):
	case string(principal.Test):
		side = principal.Test
	default:
		return tenants.Caller{}, problem.New(problem.Invalid, "invalid_request", "A store has no such side.").
			At("Stoa-Mode", "enum", "It is live or test.")
	}
	store, err := look(ctx, storeID, side)
	if problem.Is(err, "not_found") {
		return tenants.Caller{}, stranger
	}
	if err != nil {
		return tenants.Caller{}, err
	}
	who := &caller.Principal
	who.Role, who.Grants = membership.Role, membership.Grants
	who.StoreID, who.Mode, who.Plan = storeID, side, store.Plan
	caller.Store = &store
	return caller, nil
}
