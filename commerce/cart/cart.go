// Package cart owns carts: what a shopper is about to buy, at the prices of the moment.
// It says what a cart comes to and what stands in the way of buying it; buying it is
// checkout's. A cart belongs to whoever holds its token; one that a merchant has put together
// for somebody is a draft order, and keeps what was agreed.
//
// Every reading and every change of a cart is one statement, which also gives the cart
// as it is afterwards.
package cart

import (
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/money"
)

// The bounds of a cart.
const (
	MaxLines    = 250
	MaxQuantity = 9_999
	Lifetime    = 30 * 24 * time.Hour // after the last change
)

// State is where a cart is.
type State string

// The states of a cart.
const (
	Open       State = "open"
	Completing State = "completing" // its payment is under way: it cannot change
	Completed  State = "completed"  // it has become an order
)

// Ref names a cart and proves that its holder may have it.
type Ref struct {
	ID       string
	Token    string
	Merchant bool // of a draft order, which its merchant needs no token for
}

// Cart is a cart at the prices of the moment or, once completed, at those of its order.
type Cart struct {
	ID               string
	State            State
	Version          int
	Currency         string
	Locale           string // that it is read in
	CustomerID       string
	Email            string
	ShippingAddress  *address.Address
	BillingAddress   *address.Address
	Method           *Method // as chosen; its price counts only while it can be used
	MethodID         string
	Note             string
	Country          string // where it is likely to go, while no address says so
	Draft            *Draft // what was agreed, of a draft order; nil for a shopper's own cart
	TaxExemptReason  string // as the staff has noted it of the cart, or of its customer
	PricesIncludeTax bool
	Lines            []Line
	Codes            []Code
	Discounts        []promotions.Applied // of each promotion, off lines and shipping
	Totals           pricing.Totals
	GiftCards        []Credit    // in the order in which they pay
	StoreCredit      *Credit     // its customer's; nil where nobody is signed in
	Due              money.Money // what is left to pay by other means
	Problems         []Problem
	OrderID          string
	ReservedUntil    *time.Time // how long what is in it is promised; nil when it is not
	CreatedAt        time.Time
	UpdatedAt        time.Time
	ExpiresAt        time.Time
	Opener           string // digest of the token that it was read by in a transaction

	tax      taxation
	quoting  quoting
	rules    []promotions.Rule // of the promotions that it may get
	buyer    promotions.Buyer
	coded    int           // how many codes there were before the statement
	carded   int           // and gift cards
	changed  int           // lines that the statement changed
	begun    bool          // whether the statement said first whose it is
	patience time.Duration // how long it may be left alone
	behind   int           // how many versions the statement's reading of its lines is behind
	was      former
	methods  []Method // the chosen one or, where all were asked for, those that serve its place
}

// Line is a number of one variant or, in a draft order, of something that is in no catalogue
// and has the ID of none.
type Line struct {
	ID               string
	ProductID        string
	VariantID        string
	Handle           string // the product's
	Title            string
	VariantTitle     string
	SKU              string
	ImageKey         string // of its picture's file; empty for none
	Quantity         int64
	Unit             money.Money // now
	Shown            money.Money // when the shopper last touched the line
	PriceList        *PriceList  // that the price is of; nil for the variant's own
	Taxable          bool
	TaxClass         string
	RequiresShipping bool
	TracksStock      bool
	Available        bool      // so many can be bought now
	Backordered      int64     // how many of them are not there yet
	ExpectedOn       time.Time // the day when they are; zero where it is not known
	Attributes       map[string]string
	Agreed           *Agreed // what was agreed, of a draft order's line
	Discounts        []promotions.Applied
	pricing.LineTotal

	collections, tags []string // its product's
	offered           bool     // it is for sale at all, in the cart's currency
	amounts           bool     // it has a price in the cart's currency
	sold              bool     // it is an order's
	there             int64    // how many there are
	left              int64    // how many can be had, where stock is counted and bounds what is sold
	wanted            int64    // how many of the variant all lines of the cart have
	expectedOn        time.Time
	grams             int64 // what one weighs
}

// PriceList is a list that a price is of. Its JSON is that of the contract, and is kept with
// orders as it is.
type PriceList struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Kind pricelists.Kind `json:"kind"`
}

// Problem is something that stands in the way of completing a cart.
type Problem struct {
	Code   string
	LineID string // empty when it is about the whole cart
	Detail string
}

// The codes of problems.
const (
	Empty                 = "empty"
	OutOfStock            = "out_of_stock"
	Unavailable           = "unavailable"
	EmailMissing          = "email_missing"
	AddressMissing        = "address_missing"
	ShippingMethodMissing = "shipping_method_missing"
	ShippingUnavailable   = "shipping_unavailable"
	OrdersNotAccepted     = "orders_not_accepted"
	QuoteMissing          = "quote_missing"
)

// Refuse notes that the shop takes no orders at the moment, which the cart cannot know.
func (c *Cart) Refuse() {
	c.Problems = append(c.Problems, Problem{Code: OrdersNotAccepted, Detail: "This shop does not take orders yet."})
}

// RequiresShipping says whether anything in the cart has to be sent.
func (c *Cart) RequiresShipping() bool {
	for _, line := range c.Lines {
		if line.RequiresShipping {
			return true
		}
	}
	return false
}

// Estimated says whether tax and shipping are guesses: by a mere country, as it is not known
// yet where things go, or by the tables, as a service is still to be asked.
func (c *Cart) Estimated() bool {
	return c.quoting.missing || c.ShippingAddress == nil && c.RequiresShipping() && !c.Fetched()
}

// Fetched says whether the shopper fetches it instead of having it sent.
func (c *Cart) Fetched() bool {
	return c.Method != nil && c.Method.Pickup != nil && c.RequiresShipping()
}

// price computes what an open cart comes to and what is in its way.
func (c *Cart) price() error {
	c.consult()
	basket := pricing.Basket{Currency: c.Currency, TaxIncluded: c.PricesIncludeTax}
	for _, line := range c.Lines {
		basket.Lines = append(basket.Lines, pricing.Line{Unit: line.Unit, Quantity: line.Quantity, Taxes: c.goodsTaxes(line)})
	}
	relief := c.tax.relief() != ""
	send := func() error {
		var err error
		if basket.Shipping, err = c.send(basket.Lines); err == nil && relief {
			err = relieve(&basket.Shipping, c.PricesIncludeTax)
		}
		return err
	}
	if err := send(); err != nil {
		return err
	}
	if relief {
		for i := range basket.Lines {
			if err := relieve(&basket.Lines[i], c.PricesIncludeTax); err != nil {
				return fmt.Errorf("relieve cart %s of tax: %w", c.ID, err)
			}
		}
		basket.TaxIncluded = false
	}
	if err := c.discount(&basket); err != nil {
		return err
	}
	// What is taken off the goods can change what sending them costs, and so which
	// promotions save the most.
	if sent := basket.Shipping; len(c.Discounts) > 0 {
		if err := send(); err != nil {
			return err
		}
		if basket.Shipping.Unit == sent.Unit {
			basket.Shipping = sent
		} else if err := c.discount(&basket); err != nil {
			return err
		}
	}
	c.PricesIncludeTax = basket.TaxIncluded
	for i := range c.Lines {
		c.Lines[i].Unit = basket.Lines[i].Unit
	}
	totals, err := pricing.Price(basket)
	if err != nil {
		return fmt.Errorf("price cart %s: %w", c.ID, err)
	}
	c.Totals = totals
	for i, line := range totals.Lines {
		c.Lines[i].LineTotal = line
	}
	c.judge()
	return nil
}

// count finds out of each line whether there is enough of it, beside the other lines of the
// same variant.
func (c *Cart) count() {
	wanted := map[string]int64{}
	for _, line := range c.Lines {
		wanted[line.VariantID] += line.Quantity
	}
	taken := map[string]int64{}
	for i := range c.Lines {
		l := &c.Lines[i]
		l.wanted = wanted[l.VariantID]
		l.Available = l.sold || l.offered && l.wanted <= l.left
		if l.TracksStock && !l.sold && l.Available {
			l.Backordered = max(l.Quantity-max(l.there-taken[l.VariantID], 0), 0)
			taken[l.VariantID] += l.Quantity
		}
		if l.Backordered > 0 {
			l.ExpectedOn = l.expectedOn
		}
	}
}

// judge finds what stands in the way of completing the cart.
func (c *Cart) judge() {
	found := func(code, line, detail string, args ...any) {
		c.Problems = append(c.Problems, Problem{code, line, fmt.Sprintf(detail, args...)})
	}
	if len(c.Lines) == 0 {
		found(Empty, "", "There is nothing in the cart.")
	}
	if c.Draft != nil && len(c.Lines) < c.Draft.Lines {
		found(Unavailable, "", "Something that was agreed on was deleted since.")
	}
	for _, line := range c.Lines {
		switch {
		case line.Available:
		case line.left < line.wanted:
			found(OutOfStock, line.ID, "%s", line.shortage())
		default:
			found(Unavailable, line.ID, "%s is not for sale at the moment.", line.name())
		}
	}
	if c.Email == "" {
		found(EmailMissing, "", "An e-mail address is needed.")
	}
	if c.quoting.missing {
		found(QuoteMissing, "", "What tax or shipping comes to is asked for when the cart is read.")
	}
	if !c.RequiresShipping() {
		return
	}
	if c.ShippingAddress == nil && !c.Fetched() {
		found(AddressMissing, "", "A shipping address is needed.")
	}
	switch {
	case c.MethodID == "" && c.Method == nil:
		found(ShippingMethodMissing, "", "A shipping method is needed.")
	case c.Method == nil || !c.Method.Usable:
		found(ShippingUnavailable, "", "The shipping method does not serve this cart any more.")
	}
}

// onlyVariant is what the catalogue calls a variant that has no sisters.
const onlyVariant = "Default"

// VariantName is what a variant of a title is called beside its product in texts: nothing, where
// it has no sisters.
func VariantName(title string) string {
	if title == onlyVariant {
		return ""
	}
	return title
}

// name is what the line is called in texts.
func (l Line) name() string {
	if variant := VariantName(l.VariantTitle); variant != "" {
		return l.Title + " (" + variant + ")"
	}
	return l.Title
}

// shortage says how few there are.
func (l Line) shortage() string {
	if l.left == 0 {
		return l.name() + " is sold out."
	}
	return fmt.Sprintf("Only %d of %s are left.", l.left, l.name())
}
