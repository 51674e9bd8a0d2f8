package access

import "strings"

// The permissions that are not about a store's things.
const (
	// None is asked for by what anyone may use.
	None = "none"
	// AccountSelf is a signed-in person's right to their own account.
	AccountSelf = "account:self"
	// ShopRead and ShopWrite are what a publishable key has.
	ShopRead  = "shop:read"
	ShopWrite = "shop:write"
	// StoreWrite is the owner's alone: the store's address, hand-over and end.
	StoreWrite = "store:write"
)

// Permission is one thing that can be allowed.
type Permission struct {
	Name        string // "<resource>:<read|write>", or one of the few special ones
	Description string // for people who choose what a role or key may
	Grantable   bool   // may be listed in a custom role or a key's scopes
}

// permissions is every permission there is, in the order people are shown them.
var permissions = []Permission{
	{"products:read", "See products, variants, options, prices and images, drafts included.", true},
	{"products:write", "Create, change, publish and delete products, variants, prices and images.", true},
	{"categories:read", "See the category tree, hidden categories included.", true},
	{"categories:write", "Create, move, change and delete categories.", true},
	{"collections:read", "See collections and what is in them.", true},
	{"collections:write", "Create, change and delete collections.", true},
	{"inventory:read", "See stock, reservations and movements.", true},
	{"inventory:write", "Set and adjust stock.", true},
	{"search:read", "Search the catalogue, drafts included.", true},
	{"files:read", "See uploaded files.", true},
	{"files:write", "Upload and delete files.", true},
	{"imports:read", "See imports, their progress and the fate of each row.", true},
	{"imports:write", "Start and cancel imports.", true},
	{"carts:read", "See shoppers' carts.", true},
	{"carts:write", "Create and change carts on a shopper's behalf.", true},
	{"orders:read", "See orders and their history.", true},
	{"orders:write", "Change, cancel and close orders.", true},
	{"fulfilments:read", "See fulfilments and tracking.", true},
	{"fulfilments:write", "Create and cancel fulfilments and set tracking.", true},
	{"payments:read", "See payments and their attempts.", true},
	{"payments:write", "Capture and void payments.", true},
	{"refunds:read", "See refunds.", true},
	{"refunds:write", "Give money back.", true},
	{"customers:read", "See customers, with their addresses.", true},
	{"customers:write", "Create, change and erase customers.", true},
	{"settings:read", "See the store's settings: currencies, taxes, shipping, payment providers, texts.", true},
	{"settings:write", "Change the store's settings, payment providers' credentials included.", true},
	{"store:read", "See the store: name, address, plan and state.", true},
	{StoreWrite, "Change the store's address, hand it over, delete and restore it. The owner's alone.", false},
	{"staff:read", "See who belongs to the store, and invitations.", true},
	{"staff:write", "Invite and remove staff and change their roles.", true},
	{"roles:read", "See custom roles.", true},
	{"roles:write", "Create, change and delete custom roles.", true},
	{"api_keys:read", "See API keys (never their secrets).", true},
	{"api_keys:write", "Create, change, rotate and revoke API keys.", true},
	{"webhooks:read", "See webhook endpoints and their deliveries.", true},
	{"webhooks:write", "Create, change, test and delete webhook endpoints, and resend deliveries.", true},
	{"events:read", "See the store's events of the last 30 days.", true},
	{"operations:read", "See long-running operations and their progress.", true},
	{"operations:write", "Cancel and retry long-running operations.", true},
	{"mailbox:read", "See mails that the sandbox did not send.", true},
	{"mailbox:write", "Empty the sandbox's mailbox.", true},
	{"audit:read", "See who did what, when and from where.", true},
	{"usage:read", "See what the store uses of its plan.", true},
	{"billing:read", "See the plan and invoices.", true},
	{"billing:write", "Change the plan.", true},

	{ShopRead, "See the shop as a shopper does. Publishable keys only.", false},
	{ShopWrite, "Fill carts and check out as a shopper does. Publishable keys only.", false},
	{AccountSelf, "See and change one's own account. Signed-in people only.", false},
	{"operator:read", "See the platform: stores, cells, jobs. Operators only.", false},
	{"operator:support", "Help a store: enter it with a reason and a time limit, restart its jobs. Operators only.", false},
	{"operator:admin", "Suspend, resume and delete stores, and manage cells. Operators only.", false},
	{None, "Nothing is asked for.", false},
}

// Permissions lists every permission there is, in the order people are shown them.
func Permissions() []Permission {
	return append([]Permission(nil), permissions...)
}

// Scopes lists the names of all permissions that a custom role or a key can be given.
func Scopes() []string {
	var names []string
	for _, p := range permissions {
		if p.Grantable {
			names = append(names, p.Name)
		}
	}
	return names
}

// Known says whether there is such a permission.
func Known(permission string) bool {
	_, ok := index[permission]
	return ok
}

// Grantable says whether permission may be listed in a custom role or a key's scopes.
func Grantable(permission string) bool {
	p, ok := index[permission]
	return ok && p.Grantable
}

// index finds a permission by name.
var index = func() map[string]Permission {
	m := make(map[string]Permission, len(permissions))
	for _, p := range permissions {
		m[p.Name] = p
	}
	return m
}()

// covers says whether one who has the permission held may do what asks for wanted: it is
// the same, or the reading of what may be written.
func covers(held, wanted string) bool {
	if held == wanted {
		return true
	}
	resource, ok := strings.CutSuffix(wanted, ":read")
	return ok && len(held) == len(resource)+len(":write") && strings.HasPrefix(held, resource) && strings.HasSuffix(held, ":write")
}

// listed says whether a list of permissions covers wanted.
func listed(list []string, wanted string) bool {
	for _, held := range list {
		if covers(held, wanted) {
			return true
		}
	}
	return false
}
