package cart

import (
	"fmt"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/money"
)

// Method is a way to send a cart.
type Method struct {
	ID          string
	Name        string
	Description string
	Price       money.Money
	Pickup      *address.Address // where it is fetched instead
	Estimate    string           // when it arrives, as its carrier says; empty where nobody does
	Usable      bool             // it serves the cart: its place, its currency, and what is in it

	serves  bool // it may serve the cart's place and currency
	carrier rates.ServiceID
	rate    string // by which it names one of the carrier's rates
	rates   methodRates
}

// methodRates is what a way to send costs, and by what. Its JSON is that of selectMethods.
type methodRates struct {
	TieredBy string `json:"tiered_by"`
	Price    *struct {
		Amount   int64  `json:"amount"`
		FreeFrom *int64 `json:"free_from"`
		Tiers    []struct {
			From   int64  `json:"from"`
			Amount *int64 `json:"amount"`
		} `json:"tiers"`
	} `json:"price"` // null where it is not offered in the cart's currency
}

// parcel is what prices of sending go by.
type parcel struct {
	grams, pieces int64 // of what is to be sent
	worth         int64 // of everything, after discounts
}

// cost is what a parcel costs; false where the method does not take it.
func (r methodRates) cost(of parcel) (int64, bool) {
	if r.Price == nil {
		return 0, false
	}
	measure := map[string]int64{"weight": of.grams, "price": of.worth, "quantity": of.pieces}[r.TieredBy]
	amount := &r.Price.Amount
	for _, tier := range r.Price.Tiers {
		if tier.From <= measure {
			amount = tier.Amount
		}
	}
	switch {
	case amount == nil:
		return 0, false
	case r.Price.FreeFrom != nil && of.worth >= *r.Price.FreeFrom:
		return 0, true
	}
	return *amount, true
}

// parcel is what there is to send of a cart whose lines are priced.
func (c *Cart) parcel(lines []pricing.Line) parcel {
	var p parcel
	for i, line := range c.Lines {
		p.worth += line.Unit.Amount*line.Quantity - lines[i].Discount.Amount
		if line.RequiresShipping {
			p.grams += line.grams * line.Quantity
			p.pieces += line.Quantity
		}
	}
	return p
}

// send prices the ways to send the cart, and is the price of the chosen one.
func (c *Cart) send(lines []pricing.Line) (chosen pricing.Line, err error) {
	parcel, taxes, relief := c.parcel(lines), c.shippingTaxes(), c.tax.relief() != "" && c.PricesIncludeTax
	for i := range c.methods {
		m := &c.methods[i]
		amount, taken := m.rates.cost(parcel)
		if m.carrier != "" {
			amount, taken = c.carried(m, amount, taken)
		}
		m.Usable = m.serves && taken
		m.Price = money.New(amount, c.Currency)
		if c.MethodID == m.ID && m.Usable && c.RequiresShipping() {
			chosen = pricing.Line{Unit: m.Price, Quantity: 1, Taxes: taxes}
		}
		if relief {
			if m.Price, err = pricing.Net(m.Price, taxes); err != nil {
				return chosen, fmt.Errorf("price of shipping method %s: %w", m.ID, err)
			}
		}
		if c.MethodID == m.ID {
			c.Method = m
		}
	}
	if agreed, ok := c.sendAsAgreed(taxes); ok {
		if chosen = agreed; relief {
			if c.Method.Price, err = pricing.Net(c.Method.Price, taxes); err != nil {
				return chosen, fmt.Errorf("price of sending %s: %w", c.ID, err)
			}
		}
	}
	return chosen, nil
}
