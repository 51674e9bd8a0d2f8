// Package principal says who acts in a request or a job. It travels in the context
// and is read by permission checks and by the audit.
package principal

import "context"

// Kind is what sort of actor a principal is.
type Kind string

// The kinds of actors.
const (
	Anonymous   Kind = "anonymous"   // nobody in particular: sign-up, a shopper's page
	Account     Kind = "account"     // a person signed in to the platform
	Key         Kind = "key"         // a secret or restricted API key
	Publishable Kind = "publishable" // a publishable key, held by every shopper
	Operator    Kind = "operator"    // an operator's key
	Customer    Kind = "customer"    // a shopper who is signed in to a shop
	System      Kind = "system"      // the platform itself: jobs, seeds
)

// Mode is the side of a store that is acted upon.
type Mode string

// The modes.
const (
	Live Mode = "live"
	Test Mode = "test"
)

// Principal is who acts, with what was granted to them.
type Principal struct {
	Kind  Kind
	ID    string // acc_…, key_…, opk_…, cus_…; empty for anonymous and system
	Label string // a name for people: the account's e-mail, the key's name, the job's kind

	// Role is a built-in role (owner, admin, …) or "custom"; Grants are the permissions
	// of a custom role or the scopes of a key. Both are judged by tenants/access.
	Role   string
	Grants []string

	StoreID string
	Mode    Mode
	Plan    string // the store's plan, for limits

	SessionID string // the session's public ID, for accounts
	IP        string // the client's address, from trusted proxies only
	UserAgent string // what the client calls itself
	RequestID string // req_…
	Operation string // the contract's operationId, or the job's kind
}

type key struct{}

// With returns a context in which p acts.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// From is who acts in ctx; Anonymous when nobody was named.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(key{}).(Principal); ok {
		return p
	}
	return Principal{Kind: Anonymous}
}
