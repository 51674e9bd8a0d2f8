// Package pricing says what lines and their shipping come to, with discounts and taxes. It
// is the only place where a cart's or an order's totals are computed; it reads and writes
// nothing, and does not know why something is discounted or taxed.
package pricing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MaxAmount is the largest amount that the platform shows, charges or keeps.
const MaxAmount = 999_999_999_999

// Line is a number of things at a price. Its zero value is nothing that costs nothing.
type Line struct {
	Unit     money.Money
	Quantity int64
	Discount money.Money // off the whole line, before tax; its zero value is none
	Taxes    []Tax       // each on what is left, none on top of another
}

// Basket is what is to be priced. All amounts are in its currency.
type Basket struct {
	Currency    string
	Lines       []Line
	Shipping    Line
	TaxIncluded bool // the prices contain their taxes
}

// LineTotal is what one line comes to.
type LineTotal struct {
	Subtotal money.Money // the price times the quantity
	Discount money.Money
	Total    money.Money // what the discount left; it contains Tax where prices do
	Tax      money.Money // the sum of Taxes
	Taxes    []TaxAmount // in the order of the line's
}

// Totals is what a basket comes to. Subtotal is that of all lines before discounts; Discount
// and Tax are those of the lines and of shipping, so that
//
//	Total = Subtotal + Shipping.Subtotal - Discount, and + Tax where prices do not contain it.
//
// Each line is rounded by itself, so that the lines of an invoice add up to its total.
type Totals struct {
	Lines    []LineTotal
	Shipping LineTotal
	Subtotal money.Money
	Discount money.Money
	Tax      money.Money
	Total    money.Money
	Taxes    []TaxAmount // of all lines and shipping, those of one kind in one
}

// errImpossible is wrapped by faults of the caller, which no shopper can do anything about.
var errImpossible = errors.New("not a basket")

// Price prices a basket. It refuses one that comes to more than MaxAmount.
func Price(b Basket) (Totals, error) {
	t, err := b.price()
	return bounded(t, err)
}

func bounded(t Totals, err error) (Totals, error) {
	switch {
	case errors.Is(err, errImpossible):
		return Totals{}, err
	case err == nil && t.Total.Amount <= MaxAmount:
		return t, nil
	}
	refused := problem.New(problem.Unprocessable, "total_too_large", "This comes to more than can be sold at once.")
	if err != nil {
		return Totals{}, refused.Because(err)
	}
	return Totals{}, refused
}

func (b Basket) price() (t Totals, err error) {
	shipping, err := b.line(b.Shipping)
	if err != nil {
		return t, fmt.Errorf("shipping: %w", err)
	}
	lines := make([]LineTotal, len(b.Lines))
	for i, line := range b.Lines {
		if lines[i], err = b.line(line); err != nil {
			return t, fmt.Errorf("line %d: %w", i, err)
		}
	}
	return sums(b.Currency, lines, shipping, b.TaxIncluded)
}

// Sum is what lines come to that were priced before. It refuses what comes to more than
// MaxAmount.
func Sum(currency string, lines []LineTotal, shipping LineTotal, taxIncluded bool) (Totals, error) {
	t, err := sums(currency, lines, shipping, taxIncluded)
	return bounded(t, err)
}

// One prices a single line as Price does.
func One(currency string, l Line, taxIncluded bool) (LineTotal, error) {
	t, err := Price(Basket{Currency: currency, Lines: []Line{l}, TaxIncluded: taxIncluded})
	if err != nil {
		return LineTotal{}, err
	}
	return t.Lines[0], nil
}

func sums(currency string, lines []LineTotal, shipping LineTotal, taxIncluded bool) (t Totals, err error) {
	t.Lines, t.Shipping = lines, shipping
	subtotal := sum{total: money.Zero(currency)}
	for _, line := range lines {
		subtotal.add(line.Subtotal)
	}
	discount, tax, total := sum{total: money.Zero(currency)}, sum{total: money.Zero(currency)}, sum{total: money.Zero(currency)}
	for _, line := range append(slices.Clone(lines), shipping) {
		discount.add(line.Discount)
		tax.add(line.Tax)
		total.add(line.Total)
		if !taxIncluded {
			total.add(line.Tax)
		}
	}
	t.Subtotal, t.Discount, t.Tax, t.Total = subtotal.total, discount.total, tax.total, total.total
	if err := errors.Join(subtotal.err, discount.err, tax.err, total.err); err != nil {
		return t, err
	}
	t.Taxes, err = summary(append(slices.Clone(lines), shipping))
	return t, err
}

func (b Basket) line(l Line) (t LineTotal, err error) {
	for _, m := range []*money.Money{&l.Unit, &l.Discount} {
		if *m == (money.Money{}) {
			m.Currency = b.Currency
		}
		if m.Currency != b.Currency {
			return t, fmt.Errorf("%w: %v in one of %s", errImpossible, *m, b.Currency)
		}
	}
	if t.Subtotal, err = l.Unit.Mul(l.Quantity); err != nil {
		return t, err
	}
	if t.Subtotal.IsNegative() || l.Discount.IsNegative() || l.Discount.Amount > t.Subtotal.Amount {
		return t, fmt.Errorf("%w: %v off %v", errImpossible, l.Discount, t.Subtotal)
	}
	t.Discount, t.Total = l.Discount, money.New(t.Subtotal.Amount-l.Discount.Amount, b.Currency)
	t.Taxes, t.Tax, err = levy(t.Total, l.Taxes, b.TaxIncluded)
	return t, err
}

// sum adds amounts until one does not fit.
type sum struct {
	total money.Money
	err   error
}

func (s *sum) add(m money.Money) {
	if s.err == nil {
		s.total, s.err = s.total.Add(m)
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
