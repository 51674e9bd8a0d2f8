// Package money is an amount of a currency in whole minor units, and the arithmetic
// that a shop needs: sums that notice an overflow, exact splitting, tax, reading what
// people wrote and writing what people read. It knows no exchange rates.
//
// Amounts are never floating point. The only place in the platform where a fraction of
// a minor unit is rounded away is divide, in rate.go: half a unit goes away from zero,
// so that a refund is the exact mirror of a charge.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// What can be wrong with money. Errors of this package wrap one of these.
var (
	ErrOverflow        = errors.New("amount is too large")
	ErrCurrencyDiffers = errors.New("currencies differ")
	ErrUnknownCurrency = errors.New("unknown currency")
	ErrSyntax          = errors.New("not an amount")
	ErrPrecision       = errors.New("more decimals than the currency has")
	ErrWeights         = errors.New("weights must not be negative, nor all zero")
	ErrRate            = errors.New("not a rate")
)

// Money is an amount in the minor unit of a currency (ISO 4217): 1999 EUR is 19.99
// euros, 1999 JPY is 1999 yen. The zero value is no money of no currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// New is amount minor units of a currency.
func New(amount int64, currency string) Money { return Money{Amount: amount, Currency: currency} }

// Zero is nothing of a currency.
func Zero(currency string) Money { return Money{Currency: currency} }

// Validate says whether the currency is one that the platform knows.
func (m Money) Validate() error {
	if !Known(m.Currency) {
		return fmt.Errorf("%w %q", ErrUnknownCurrency, m.Currency)
	}
	return nil
}

// IsZero says whether the amount is nothing.
func (m Money) IsZero() bool { return m.Amount == 0 }

// IsNegative says whether the amount is below nothing.
func (m Money) IsNegative() bool { return m.Amount < 0 }

// Add is m + o.
func (m Money) Add(o Money) (Money, error) {
	if err := m.same(o); err != nil {
		return Money{}, err
	}
	sum := m.Amount + o.Amount
	if (sum > m.Amount) != (o.Amount > 0) && o.Amount != 0 {
		return Money{}, fmt.Errorf("%s + %s: %w", m, o, ErrOverflow)
	}
	return Money{sum, m.Currency}, nil
}

// Sub is m - o.
func (m Money) Sub(o Money) (Money, error) {
	if err := m.same(o); err != nil {
		return Money{}, err
	}
	difference := m.Amount - o.Amount
	if (difference < m.Amount) != (o.Amount > 0) && o.Amount != 0 {
		return Money{}, fmt.Errorf("%s - %s: %w", m, o, ErrOverflow)
	}
	return Money{difference, m.Currency}, nil
}

// Mul is m times n, for instance a line's quantity.
func (m Money) Mul(n int64) (Money, error) {
	high, low := bits.Mul64(magnitude(m.Amount), magnitude(n))
	if high == 0 {
		if product, ok := signed(low, (m.Amount < 0) != (n < 0)); ok {
			return Money{product, m.Currency}, nil
		}
	}
	return Money{}, fmt.Errorf("%s × %d: %w", m, n, ErrOverflow)
}

// Neg is -m. The one amount without a counterpart, math.MinInt64, is an overflow.
func (m Money) Neg() (Money, error) { return Zero(m.Currency).Sub(m) }

// Cmp is -1, 0 or 1 as m is less than, equal to or more than o.
func (m Money) Cmp(o Money) (int, error) {
	if err := m.same(o); err != nil {
		return 0, err
	}
	switch {
	case m.Amount < o.Amount:
		return -1, nil
	case m.Amount > o.Amount:
		return 1, nil
	}
	return 0, nil
}

// Sum adds amounts of one currency; of none, it is nothing of that currency.
func Sum(currency string, amounts ...Money) (Money, error) {
	total := Zero(currency)
	for _, m := range amounts {
		var err error
		if total, err = total.Add(m); err != nil {
			return Money{}, err
		}
	}
	return total, nil
}

// Allocate splits m by weights, exactly: the shares add up to m. What whole units leave
// over goes, one unit each, to the shares with the largest remainders; among equal ones
// to the earlier. Every share is within one unit of its exact part, and has m's sign.
func (m Money) Allocate(weights ...int64) ([]Money, error) {
	var total uint64
	for _, w := range weights {
		if w < 0 {
			return nil, ErrWeights
		}
		var carry uint64
		if total, carry = bits.Add64(total, uint64(w), 0); carry != 0 {
			return nil, fmt.Errorf("sum of weights: %w", ErrOverflow)
		}
	}
	if total == 0 {
		return nil, ErrWeights
	}
	amount := magnitude(m.Amount)
	shares := make([]uint64, len(weights))
	remainders := make([]uint64, len(weights))
	left := amount
	for i, w := range weights {
		high, low := bits.Mul64(amount, uint64(w))
		shares[i], remainders[i] = bits.Div64(high, low, total) // high < total, as w <= total
		left -= shares[i]
	}
	handOut(left, shares, remainders)

	out := make([]Money, len(weights))
	for i := range shares {
		part, _ := signed(shares[i], m.Amount < 0) // |share| <= |m|, so it fits
		out[i] = Money{part, m.Currency}
	}
	return out, nil
}

// handOut adds the left-over units, fewer than there are shares with a remainder.
func handOut(left uint64, shares, remainders []uint64) {
	for ; left > 0; left-- {
		best := -1
		for i, r := range remainders {
			if r > 0 && (best < 0 || r > remainders[best]) {
				best = i
			}
		}
		shares[best]++
		remainders[best] = 0
	}
}

// same is an error when m and o are not of one currency.
func (m Money) same(o Money) error {
	if m.Currency != o.Currency {
		return fmt.Errorf("%w: %s and %s", ErrCurrencyDiffers, m.Currency, o.Currency)
	}
	return nil
}

// magnitude is |n|, which for math.MinInt64 does not fit an int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// signed gives a magnitude its sign back, when the result fits.
func signed(n uint64, negative bool) (int64, bool) {
	switch {
	case negative && n <= 1<<63:
		return int64(-n), true
	case !negative && n <= math.MaxInt64:
		return int64(n), true
	}
	return 0, false
}
