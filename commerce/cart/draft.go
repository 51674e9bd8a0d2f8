package cart

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Draft is what a merchant has agreed on with whoever buys a cart that is a draft order.
// Its lines stay at the prices that were agreed, promotions take nothing off it, and its
// shopper changes of it only what was left open. It is kept with the cart as it is.
type Draft struct {
	Discount *Discount  `json:"discount,omitempty"` // off all lines together
	Shipping *Shipping  `json:"shipping,omitempty"` // in place of the store's methods
	Fixed    []string   `json:"fixed,omitempty"`    // what the shopper cannot change, by its name in a change
	Lines    int        `json:"lines"`              // how many were agreed on
	Tags     []string   `json:"tags,omitempty"`     // which its order gets
	SentAt   *time.Time `json:"sent_at,omitempty"`  // when its shopper was last given a link; nobody opens it before
}

// Discount is what was agreed to be taken off: an amount in the cart's currency, or a rate.
type Discount struct {
	Reason string     `json:"reason,omitempty"`
	Amount int64      `json:"amount,omitempty"`
	Rate   money.Rate `json:"rate,omitempty"`
}

// Shipping is what was agreed on sending it, in the cart's currency.
type Shipping struct {
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
}

// Agreed is what was agreed on a line of a draft order, besides its unit price. All but the
// discount is of a line that has no variant.
type Agreed struct {
	Discount         *Discount `json:"discount,omitempty"`
	Title            string    `json:"title,omitempty"`
	SKU              string    `json:"sku,omitempty"`
	RequiresShipping bool      `json:"requires_shipping,omitempty"`
	Taxable          bool      `json:"taxable,omitempty"`
	TaxClass         string    `json:"tax_class,omitempty"`
	Grams            int64     `json:"weight_grams,omitempty"`
}

// Details are what a shopper says of a cart, in the words of the contract's updates of carts
// and of draft orders.
type Details struct {
	Email           string           `json:"email,omitempty"`
	Note            string           `json:"note,omitempty"`
	MethodID        string           `json:"shipping_method_id,omitempty"`
	ShippingAddress *address.Address `json:"shipping_address,omitempty"`
	BillingAddress  *address.Address `json:"billing_address,omitempty"`
}

// former is what is told of a cart as it was before a statement changed it.
type former struct {
	Details
	TaxExemptReason string `json:"tax_exempt_reason"`
}

// Details are what was said of the cart.
func (c *Cart) Details() Details {
	return Details{Email: c.Email, Note: c.Note, MethodID: c.MethodID, ShippingAddress: c.ShippingAddress, BillingAddress: c.BillingAddress}
}

// Fixed says whether the shopper cannot change something of the cart, by its name in a
// change, as the merchant has agreed on it.
func (c *Cart) Fixed(name string) bool { return c.Draft != nil && slices.Contains(c.Draft.Fixed, name) }

// IsAgreed is the answer to who wants to change what the merchant has agreed on.
func IsAgreed() *problem.Problem {
	return problem.New(problem.Conflict, "agreed", "This was agreed with the shop, and only the shop can change it.")
}

// respect refuses a change of what is fixed.
func (c *Cart) respect(set map[string]any) error {
	p := IsAgreed()
	for name := range set {
		if c.Fixed(name) {
			p.At("/"+name, "agreed", "The shop has set it.")
		}
	}
	return p.OrNil()
}

// Off is what the discount takes off an amount, never more than it is.
func (d *Discount) Off(from money.Money) (money.Money, error) {
	if d.Rate > 0 {
		return d.Rate.Of(from)
	}
	return money.New(min(d.Amount, from.Amount), from.Currency), nil
}

func (d *Discount) applied(amount money.Money) promotions.Applied {
	a := promotions.Applied{Title: d.Reason, Amount: amount}
	if a.Title == "" {
		a.Title = "Discount"
	}
	return a
}

// agree takes off the basket what was agreed: of each line first, and of what they leave
// then, shared out by it.
func (c *Cart) agree(basket *pricing.Basket) error {
	c.Discounts = nil
	left, sum := make([]int64, len(c.Lines)), money.Zero(c.Currency)
	take := func(i int, d *Discount, amount money.Money) {
		if amount.Amount == 0 {
			return
		}
		left[i] -= amount.Amount
		basket.Lines[i].Discount = money.New(basket.Lines[i].Discount.Amount+amount.Amount, c.Currency)
		c.Lines[i].Discounts = append(c.Lines[i].Discounts, d.applied(amount))
	}
	for i, line := range basket.Lines {
		left[i] = line.Unit.Amount * line.Quantity // it was priced before: it fits
		basket.Lines[i].Discount, c.Lines[i].Discounts = money.Zero(c.Currency), nil
		if agreed := c.Lines[i].Agreed; agreed != nil && agreed.Discount != nil {
			off, err := agreed.Discount.Off(money.New(left[i], c.Currency))
			if err != nil {
				return fmt.Errorf("discount of line %s: %w", c.Lines[i].ID, err)
			}
			take(i, agreed.Discount, off)
			c.Discounts = append(c.Discounts, agreed.Discount.applied(off))
		}
		sum.Amount += left[i]
	}
	if c.Draft.Discount == nil || sum.Amount == 0 {
		return nil
	}
	off, err := c.Draft.Discount.Off(sum)
	if err != nil {
		return fmt.Errorf("discount of cart %s: %w", c.ID, err)
	}
	shares, err := off.Allocate(left...)
	if err != nil {
		return fmt.Errorf("share the discount of cart %s out: %w", c.ID, err)
	}
	for i, share := range shares {
		take(i, c.Draft.Discount, share)
	}
	c.Discounts = append(c.Discounts, c.Draft.Discount.applied(off))
	return nil
}

// sendAsAgreed is how the cart is sent where that was agreed, which the store's methods do
// not know of.
func (c *Cart) sendAsAgreed(taxes []pricing.Tax) (chosen pricing.Line, agreed bool) {
	if c.Draft == nil || c.Draft.Shipping == nil || !c.RequiresShipping() {
		return chosen, false
	}
	price := money.New(c.Draft.Shipping.Amount, c.Currency)
	c.Method = &Method{Name: c.Draft.Shipping.Name, Price: price, Usable: true}
	return pricing.Line{Unit: price, Quantity: 1, Taxes: taxes}, true
}

// ReadDraft gives a draft order to its merchant, for which services may be asked, also one
// that has expired.
func (s *Service) ReadDraft(ctx context.Context, id string) (*Cart, error) {
	raw, err := s.db.JSON(ctx, draftReadSQL, id, "")
	if raw, err = postgres.Must(raw, err, "draft order"); err != nil {
		return nil, err
	}
	return s.priced(ctx, raw)
}

// HoldDraft gives a draft order to its merchant as it is, and holds it for the rest of the
// transaction.
func (s *Service) HoldDraft(ctx context.Context, tx *postgres.Tx, id string) (*Cart, error) {
	ref := Ref{ID: id, Merchant: true}
	c, err := readIn(ctx, tx, draftHoldSQL, ref)
	if err == nil && c.behind > 0 { // somebody else had it, and has changed its lines too
		return s.ReadIn(ctx, tx, ref)
	}
	if problem.Is(err, "not_found") {
		err = problem.Missing("draft order")
	}
	return c, err
}

// OpenDraft opens a draft order to who has followed the link to it, which proves that they
// may, with a token of theirs. It is false for one that cannot be bought any more, or was
// not sent.
func (s *Service) OpenDraft(ctx context.Context, tx *postgres.Tx, id string) (ref Ref, open bool, err error) {
	ref = Ref{ID: id, Token: token.New("ct")}
	tag, err := tx.Exec(ctx, tokenSQL+` and draft ? 'sent_at' and state <> 'completed' and expires_at > now()`, id, hash(ref))
	if err != nil {
		return ref, false, fmt.Errorf("open draft order %s: %w", id, err)
	}
	if open = tag.RowsAffected() == 1; open {
		journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.open", ObjectID: id})
	}
	return ref, open, nil
}
