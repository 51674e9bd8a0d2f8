// Package pricing says what lines and their shipping come to, with tax. It is the only
// place where a cart's or an order's totals are computed; it reads and writes nothing.
package pricing

import (
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MaxAmount is the largest amount that the platform shows, charges or keeps.
const MaxAmount = 999_999_999_999

// Line is a number of things at a price.
type Line struct {
	Unit     money.Money
	Quantity int64
	Taxable  bool
}

// Tax is the one rate that a basket falls under.
type Tax struct {
	Rate     money.Rate
	Shipping bool // shipping is taxed too
}

// Basket is what is to be priced. All amounts are in its currency.
type Basket struct {
	Currency    string
	Lines       []Line
	Shipping    money.Money
	Tax         *Tax // nil while no rate is known, and where there is none
	TaxIncluded bool // the prices contain the tax
}

// LineTotal is what one line comes to. Tax is contained in Total where prices contain
// tax, and comes on top of it where they do not.
type LineTotal struct {
	Total money.Money
	Tax   money.Money
}

// Totals is what a basket comes to. Tax is that of all lines and of shipping; each line
// is rounded by itself, so that the lines of an invoice add up to its total.
type Totals struct {
	Lines       []LineTotal
	Subtotal    money.Money
	Shipping    money.Money
	ShippingTax money.Money
	Tax         money.Money
	Total       money.Money
}

// Price prices a basket. It refuses one that comes to more than MaxAmount.
func Price(b Basket) (Totals, error) {
	t, err := price(b)
	if err == nil && t.Total.Amount <= MaxAmount {
		return t, nil
	}
	refused := problem.New(problem.Unprocessable, "total_too_large", "This comes to more than can be sold at once.")
	if err != nil {
		return Totals{}, refused.Because(err)
	}
	return Totals{}, refused
}

func price(b Basket) (Totals, error) {
	zero := money.Zero(b.Currency)
	t := Totals{Lines: make([]LineTotal, len(b.Lines)), Subtotal: zero, Shipping: b.Shipping, ShippingTax: zero, Tax: zero}
	for i, line := range b.Lines {
		total, err := line.Unit.Mul(line.Quantity)
		if err != nil {
			return t, fmt.Errorf("line %d: %w", i, err)
		}
		t.Lines[i] = LineTotal{Total: total, Tax: zero}
		if line.Taxable {
			if t.Lines[i].Tax, err = b.tax(total); err != nil {
				return t, fmt.Errorf("tax of line %d: %w", i, err)
			}
		}
		if t.Subtotal, err = t.Subtotal.Add(total); err != nil {
			return t, fmt.Errorf("subtotal: %w", err)
		}
		if t.Tax, err = t.Tax.Add(t.Lines[i].Tax); err != nil {
			return t, fmt.Errorf("tax: %w", err)
		}
	}
	return b.finish(t)
}

func (b Basket) finish(t Totals) (_ Totals, err error) {
	if b.Tax != nil && b.Tax.Shipping {
		if t.ShippingTax, err = b.tax(t.Shipping); err != nil {
			return t, fmt.Errorf("tax of shipping: %w", err)
		}
		if t.Tax, err = t.Tax.Add(t.ShippingTax); err != nil {
			return t, fmt.Errorf("tax: %w", err)
		}
	}
	if t.Total, err = t.Subtotal.Add(t.Shipping); err != nil {
		return t, fmt.Errorf("total: %w", err)
	}
	if !b.TaxIncluded {
		if t.Total, err = t.Total.Add(t.Tax); err != nil {
			return t, fmt.Errorf("total: %w", err)
		}
	}
	return t, nil
}

func (b Basket) tax(amount money.Money) (money.Money, error) {
	switch {
	case b.Tax == nil:
		return money.Zero(b.Currency), nil
	case b.TaxIncluded:
		return b.Tax.Rate.TaxInGross(amount)
	default:
		return b.Tax.Rate.TaxOnNet(amount)
	}
}

// Part is the share of a line's amount that the units from the first-th on are worth, n of
// them, of a line of quantity units. The parts of a line add up to its amount, whatever
// they are and in which order they are asked for.
func Part(amount money.Money, quantity, first, n int64) (money.Money, error) {
	if quantity <= 0 || first < 0 || n < 0 || first+n > quantity {
		return money.Money{}, fmt.Errorf("units %d to %d of a line of %d", first, first+n, quantity)
	}
	to, err := amount.Allocate(first+n, quantity-first-n)
	if err != nil {
		return money.Money{}, err
	}
	from, err := amount.Allocate(first, quantity-first)
	if err != nil {
		return money.Money{}, err
	}
	return to[0].Sub(from[0])
}
