package promotions

import (
	"slices"

	"github.com/stoacommerce/stoa/platform/money"
)

// Kind is what a promotion does.
type Kind string

// The kinds.
const (
	Percentage   Kind = "percentage"
	FixedAmount  Kind = "fixed_amount"
	FreeShipping Kind = "free_shipping"
	BuyXGetY     Kind = "buy_x_get_y"
)

// Class is what a promotion makes cheaper: single products, the order as a whole, or its
// shipping.
type Class string

// The classes, in the order in which they are taken off: each sees what those before it
// left.
const (
	Products Class = "products"
	Order    Class = "order"
	Shipping Class = "shipping"
)

// Rule is a promotion as far as a basket is concerned. Its JSON is what is kept of it: short,
// as every reading of a cart reads that of all automatic promotions.
type Rule struct {
	ID    string `json:"-"`
	Title string `json:"-"`
	Code  string `json:"-"` // that the shopper gave; empty: it is automatic
	Kind  Kind   `json:"kind"`
	Class Class  `json:"class"`

	RateBPS int64            `json:"rate_bps,omitempty"` // of a percentage, and of what buy-x-get-y gives cheaper
	Amounts map[string]int64 `json:"amounts,omitempty"`  // of a fixed amount, by currency; no currency, no promotion
	Each    bool             `json:"each,omitempty"`     // the fixed amount is taken off each unit, not once

	Items       Selection `json:"items,omitzero"`         // what is made cheaper, and counts for the minimum
	Buys        Selection `json:"buys,omitzero"`          // buy-x-get-y: what has to be bought
	BuyQuantity int64     `json:"buy_quantity,omitempty"` // so many of it …
	GetQuantity int64     `json:"get_quantity,omitempty"` // … make so many of Items cheaper
	MaxUses     int64     `json:"max_uses,omitempty"`     // of buy-x-get-y, in one order; 0: any number

	MinimumAmounts  map[string]int64 `json:"minimum_amounts,omitempty"` // nil: none; else by currency
	MinimumQuantity int64            `json:"minimum_quantity,omitempty"`
	FirstOrder      bool             `json:"first_order,omitempty"`
	GroupIDs        []string         `json:"group_ids,omitempty"` // for customers of one of these; empty: for all

	Combines []Class `json:"combines,omitempty"` // classes of promotions that it may stand beside
}

// Selection says which lines something is about: those of any product, variant,
// collection or tag in it. An empty one is about all.
type Selection struct {
	ProductIDs    []string `json:"product_ids,omitempty"`
	VariantIDs    []string `json:"variant_ids,omitempty"`
	CollectionIDs []string `json:"collection_ids,omitempty"`
	Tags          []string `json:"tags,omitempty"`
}

// Open is a promotion that a cart may get, as the cart's statement gives it.
type Open struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Code  string `json:"code"`
	Rule  Rule   `json:"rule"`
}

// Named is the rule with what it is called by.
func (o Open) Named() Rule {
	o.Rule.ID, o.Rule.Title, o.Rule.Code = o.ID, o.Title, o.Code
	return o.Rule
}

// All says whether it is about everything.
func (s Selection) All() bool {
	return len(s.ProductIDs)+len(s.VariantIDs)+len(s.CollectionIDs)+len(s.Tags) == 0
}

func (s Selection) has(l Line) bool {
	in := func(list []string) func(string) bool {
		return func(id string) bool { return slices.Contains(list, id) }
	}
	return s.All() || slices.Contains(s.ProductIDs, l.ProductID) || slices.Contains(s.VariantIDs, l.VariantID) ||
		slices.ContainsFunc(l.CollectionIDs, in(s.CollectionIDs)) || slices.ContainsFunc(l.Tags, in(s.Tags))
}

// combines says whether two promotions may stand beside each other. Two that make single
// products cheaper always may, but no line gets both, unless both say so.
func (r *Rule) combines(o *Rule) bool {
	return r.Class == Products && o.Class == Products || r.stacks(o)
}

// stacks says whether both agree to the other's class.
func (r *Rule) stacks(o *Rule) bool {
	return slices.Contains(r.Combines, o.Class) && slices.Contains(o.Combines, r.Class)
}

// Basket is what promotions are evaluated for, at the prices before them.
type Basket struct {
	Currency string
	Lines    []Line
	Shipping money.Money
	Buyer    Buyer
}

// Line is a number of one variant.
type Line struct {
	ProductID, VariantID string
	CollectionIDs, Tags  []string
	Unit                 money.Money
	Quantity             int64
	Excluded             bool // is never made cheaper, nor counts: a gift card
}

// Buyer is what is known of who buys. As long as that is nothing, the promotion for first
// orders is granted: completing the cart judges again.
type Buyer struct {
	GroupIDs []string `json:"group_ids"`
	Orders   int64    `json:"orders"` // that they placed before
}
