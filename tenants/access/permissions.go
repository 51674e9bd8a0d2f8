package access

import "strings"

// The permissions that are not given out like the others.
const (
	// None is asked for by what anyone may use whose credential the operation takes: a
	// person's own account, and the shop with a publishable key.
	None = "none"
	// StoreDelete is the owner's alone: the store's end.
	StoreDelete = "store:delete"
	// StoreExport lets all data leave the house. Of the built-in roles only the owner has
	// it, so that only an owner can list it in a custom role or a key.
	StoreExport = "store:export"
)

// Permission is one thing that can be allowed.
type Permission struct {
	Name        string // "<resource>:<read|write>", or one of the few special ones
	Description string // for people who choose what a role or key may
	Grantable   bool   // may be listed in a custom role or a key's scopes
}

// permissions is every permission there is, in the order people are shown them. Those that
// can be granted are the contract's Permission.
var permissions = []Permission{
	{"products:read", "See products, variants, prices, price lists, images, categories and collections, drafts included.", true},
	{"products:write", "Create, change, publish and delete products, variants, prices, price lists, images, categories and collections.", true},
	{"content:read", "See pages and posts, the theme, drafts included, menus and images.", true},
	{"content:write", "Write pages and posts; change and publish the theme, menus and images.", true},
	{"translations:read", "See what things are called in other languages.", true},
	{"translations:write", "Translate products and all else that shoppers read.", true},
	{"promotions:read", "See promotions and their codes.", true},
	{"promotions:write", "Create, change and delete promotions and their codes.", true},
	{"gift_cards:read", "See gift cards and what was spent by them, never their codes.", true},
	{"gift_cards:write", "Issue, change and disable gift cards.", true},
	{"store_credit:read", "See the store credit of customers.", true},
	{"store_credit:write", "Give customers store credit, and take it.", true},
	{"inventory:read", "See stock, reservations and movements.", true},
	{"inventory:write", "Set and adjust stock.", true},
	{"imports:write", "Import files.", true},
	{"exports:read", "Download exported files of what one may see.", true},
	{"exports:write", "Export products, customers and orders as files, as far as one may see them.", true},
	{"operations:read", "See imports, bulk changes and other long-running operations, their progress and the fate of each row.", true},
	{"operations:write", "Cancel and undo long-running operations.", true},
	{"settings:read", "See taxes, shipping, how shoppers may pay, and which custom fields there are.", true},
	{"settings:write", "Change taxes, shipping, how shoppers may pay, and which custom fields there are.", true},
	{"orders:read", "See orders, their history, and draft orders.", true},
	{"orders:write", "Make draft orders and send them to be paid; fulfil, change and cancel orders.", true},
	{"payments:read", "See payments, refunds and their attempts.", true},
	{"payments:write", "Capture and void payments, and note that money came.", true},
	{"refunds:write", "Give money back.", true},
	{"customers:read", "See customers, with their addresses.", true},
	{"customers:write", "Change and erase customers.", true},
	{"personal_data:read", "Take out everything that is known of a person, and see what was erased.", true},
	{"personal_data:write", "Erase persons, and open the sealed invoices of those who were erased.", true},
	{"analytics:read", "See reports of what was sold, and how far visitors came.", true},
	{"reviews:read", "See what customers think of products, before others do.", true},
	{"reviews:write", "Let reviews be shown or not, answer and delete them.", true},
	{"webhooks:read", "See webhook endpoints and their deliveries.", true},
	{"webhooks:write", "Create, change, test and delete webhook endpoints, and resend deliveries.", true},
	{"events:read", "See the store's events of the last 30 days.", true},
	{"store:read", "See the store: its name, address, plan, state and settings.", true},
	{"store:write", "Change the store's name, currencies, looks and other settings.", true},
	{"domains:read", "See the store's own domains, and the records that they need.", true},
	{"domains:write", "Add, verify and remove domains, and say which one the shop is at.", true},
	{StoreExport, "Take all of the store's data out.", true},
	{"staff:read", "See who belongs to the store, invitations and custom roles.", true},
	{"staff:write", "Invite and remove staff, change their roles, and make custom roles.", true},
	{"keys:read", "See API keys (never their secrets).", true},
	{"keys:write", "Create, change, rotate and revoke API keys.", true},
	{"audit:read", "See who did what, when and from where.", true},
	{"requests:read", "See the calls that were made of the API, with what was said in them, and try them again without effect.", true},
	{"usage:read", "See what the store uses of its plan.", true},

	{StoreDelete, "Delete and restore the store. The owner's alone.", false},
	{"operator:read", "See the platform: stores, cells, jobs. Operators only.", false},
	{"operator:support", "Help a store: suspend and resume it, restart its jobs. Operators only.", false},
	{"operator:admin", "Delete and restore stores, and set their plans. Operators only.", false},
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
