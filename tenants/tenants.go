// Package tenants knows who there is: accounts and their stores, the people and programs
// that act for a store, and a store's birth, life and end. Its parts are packages of
// their own; here stands what they all speak of.
package tenants

import (
	"strconv"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Status is where a store is in its life.
type Status string

// The states of a store's life.
const (
	Active    Status = "active"
	Suspended Status = "suspended" // its shop is closed and nothing can be written; it can be read
	Deleted   Status = "deleted"   // gone to the outside; it can be restored for a while
	Purged    Status = "purged"    // gone
)

// Store is what a request needs to know of the store that it is for.
type Store struct {
	ID       string
	Name     string
	Address  string // the first label of its host at the platform
	Domain   string // the domain of its own that its shop is at; empty where there is none
	Status   Status
	Plan     string
	Demo     bool
	Country  string
	Currency string
	Revision int64             // grows with every change that shoppers can see
	Ref      postgres.StoreRef // the side that the credential acts upon

	// OwnerVerified says whether an owner has proven their e-mail address; until then the
	// live shop takes no orders.
	OwnerVerified bool
}

// Edition names what shoppers see of this side of the store, as far as it is known to have
// changed: what was made for them may be kept under it, for a bounded time.
func (s *Store) Edition() string {
	return s.Ref.Cell + "/" + strconv.FormatInt(s.Ref.Schema, 10) + "/" + strconv.FormatInt(s.Revision, 10)
}

// Caller is who a credential speaks for.
type Caller struct {
	Principal  principal.Principal
	Store      *Store // nil when the credential names none
	APIVersion string // the version that a key is pinned to
	Session    string // the session's token, for those who came with one
}

// Origin is where a request comes from, for keys that are bound to places.
type Origin struct {
	IP     string
	Origin string // the Origin header, of requests by browsers
}

// FirstKeys are the API keys that a store begins with, shown once.
type FirstKeys struct {
	LiveSecret, LivePublishable string
	TestSecret, TestPublishable string
}
