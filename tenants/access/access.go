// Package access decides who may do what. It owns the permissions, the built-in roles
// and the decision; it knows nothing of how roles, keys and members are kept. Casbin
// decides by model.conf and policy.csv, which are meant to be read.
//
// The policy is static. What differs from store to store — a custom role, the scopes of
// a key — is a list of permissions that comes with the principal, and the policy only
// says which permissions may be had that way. So a decision costs the same with one
// store and with a hundred thousand.
package access

import (
	_ "embed" // for model.conf and policy.csv
	"encoding/csv"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"

	"github.com/stoacommerce/stoa/platform/principal"
)

// The roles that a member of a store can have.
const (
	Owner     = "owner"
	Admin     = "admin"
	Catalogue = "catalogue"
	Orders    = "orders"
	Support   = "support"
	Analyst   = "analyst"
	Custom    = "custom" // with its permissions in the principal's Grants
)

// The roles of the policy that are not chosen but follow from the kind of principal.
const (
	anyone      = "anyone"
	account     = "account"
	key         = "key"
	publishable = "publishable"
	operator    = "operator-" // followed by the operator's role
)

//go:embed model.conf
var modelText string

//go:embed policy.csv
var policyText string

// Role is a role as people are shown it.
type Role struct {
	Name        string
	Description string
}

// Roles lists the built-in roles of a store, the mightiest first.
func Roles() []Role {
	return []Role{
		{Owner, "Everything, the store's address, hand-over and deletion included."},
		{Admin, "Everything but the store's address, hand-over and deletion."},
		{Catalogue, "Products, categories, collections, stock, files and imports."},
		{Orders, "Orders, fulfilments, payments, refunds and customers."},
		{Support, "Sees orders and looks after customers; moves no money and no goods."},
		{Analyst, "Sees figures; changes nothing and sees no shopper's address."},
	}
}

// BuiltIn says whether name is a built-in role of a store ("custom" is not one).
func BuiltIn(name string) bool {
	switch name {
	case Owner, Admin, Catalogue, Orders, Support, Analyst:
		return true
	}
	return false
}

// Enforcer decides. It is safe for use by many goroutines.
type Enforcer struct {
	mu     sync.Mutex // guards casbin and the replacement of known
	casbin *casbin.Enforcer
	roles  map[string]bool // every role the policy knows

	// known holds the decisions already taken. Its size is bounded by roles ×
	// permissions × 2, because nothing of a store is part of a question. It is replaced,
	// never changed, so that reading needs no lock.
	known atomic.Pointer[map[question]bool]
}

// question is all that Casbin is asked.
type question struct {
	role       string
	permission string
	listed     bool
}

// New reads the embedded model and policy.
func New() (*Enforcer, error) {
	return parse(modelText, policyText)
}

// parse makes an Enforcer of a model and a policy. Unlike Casbin's own adapters it
// fails on a line that cannot be read or names a permission that does not exist.
func parse(modelText, policyText string) (*Enforcer, error) {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return nil, fmt.Errorf("read access model: %w", err)
	}
	r := csv.NewReader(strings.NewReader(policyText))
	r.Comment = '#'
	r.TrimLeadingSpace = true
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read access policy: %w", err)
	}
	roles := map[string]bool{}
	for _, line := range lines {
		if err := checkLine(line); err != nil {
			return nil, fmt.Errorf("read access policy: %w", err)
		}
		if err := persist.LoadPolicyArray(line, m); err != nil {
			return nil, fmt.Errorf("read access policy line %q: %w", line, err)
		}
		roles[line[1]] = true
		if line[0] == "g" {
			roles[line[2]] = true
		}
	}
	c, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("make access enforcer: %w", err)
	}
	c.AddFunction("covers", func(args ...any) (any, error) {
		held, _ := args[0].(string)
		wanted, _ := args[1].(string)
		return covers(held, wanted), nil
	})
	if err := c.BuildRoleLinks(); err != nil {
		return nil, fmt.Errorf("link access roles: %w", err)
	}
	e := &Enforcer{casbin: c, roles: roles}
	e.known.Store(&map[question]bool{})
	return e, nil
}

// checkLine refuses a line of policy that could not mean what it says.
func checkLine(line []string) error {
	switch {
	case len(line) == 3 && line[0] == "g":
		return nil
	case len(line) != 4 || line[0] != "p":
		return fmt.Errorf("line %q is neither %q nor %q", line, "p, role, permission, when", "g, role, role")
	case !Known(line[2]):
		return fmt.Errorf("line %q: no permission is called %q", line, line[2])
	case line[3] != "always" && line[3] != "listed":
		return fmt.Errorf("line %q: the last field is neither %q nor %q", line, "always", "listed")
	}
	return nil
}

// Allows says whether p may do what asks for permission. What it does not know, it refuses.
func (e *Enforcer) Allows(p principal.Principal, permission string) bool {
	q := question{role: roleOf(p), permission: permission}
	if q.role == Custom || q.role == key {
		q.listed = listed(p.Grants, permission)
	}
	if allowed, ok := (*e.known.Load())[q]; ok {
		return allowed
	}
	return e.decide(q)
}

// Lacks lists those of permissions that p does not have itself, for roles and keys that
// p makes: nobody can give what they lack.
func (e *Enforcer) Lacks(p principal.Principal, permissions []string) []string {
	var lacking []string
	for _, permission := range permissions {
		if !e.Allows(p, permission) {
			lacking = append(lacking, permission)
		}
	}
	return lacking
}

// Effective lists all permissions that p has, in the order of Permissions.
func (e *Enforcer) Effective(p principal.Principal) []string {
	var names []string
	for _, permission := range permissions {
		if e.Allows(p, permission.Name) {
			names = append(names, permission.Name)
		}
	}
	return names
}

// decide asks Casbin and remembers the answer. A role or permission that the policy
// does not know is refused without being remembered, so that the memory stays bounded.
func (e *Enforcer) decide(q question) bool {
	if !e.roles[q.role] || !Known(q.permission) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	known := *e.known.Load()
	if allowed, ok := known[q]; ok {
		return allowed
	}
	allowed, err := e.casbin.Enforce(q.role, q.permission, q.listed)
	if err != nil {
		return false // the matcher cannot fail on these types; if it does, the door stays shut
	}
	next := maps.Clone(known)
	next[q] = allowed
	e.known.Store(&next)
	return allowed
}

// roleOf is the role of the policy that p has by kind. A role string counts only for the
// kinds that can have one: an operator's "admin" is not a store's, and the role of a key
// is always "key".
func roleOf(p principal.Principal) string {
	switch p.Kind {
	case principal.Account:
		if BuiltIn(p.Role) || p.Role == Custom {
			return p.Role
		}
		return account
	case principal.Key:
		return key
	case principal.Publishable:
		return publishable
	case principal.Operator:
		switch p.Role { // no concatenation, for it is asked at every request
		case "read":
			return operator + "read"
		case "support":
			return operator + "support"
		case "admin":
			return operator + "admin"
		}
	}
	return anyone
}
