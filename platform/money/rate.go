package money

import (
	"fmt"
	"math/bits"
	"strings"
)

// Rate is a share in millionths: 20 % is 200,000 and New York's 8.875 % is 88,750. It is
// stored as that integer.
type Rate int64

// whole is the rate of 100 %.
const whole = 1_000_000

// rateDecimals is how many decimals a percentage may have to be a whole Rate.
const rateDecimals = 4

// BasisPoints is a rate in hundredths of a percent: 2000 is 20 %.
func BasisPoints(n int64) Rate { return Rate(n * (whole / 10_000)) }

// ParsePercent reads a percentage such as "20", "8.875" or "19 %".
func ParsePercent(text string) (Rate, error) {
	n, err := parseDecimal(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%")), rateDecimals)
	if err != nil {
		return 0, fmt.Errorf("%q: %w: %w", text, ErrRate, err)
	}
	return Rate(n), nil
}

// Percent is the percentage without needless zeros: "8.875".
func (r Rate) Percent() string {
	return strings.TrimSuffix(strings.TrimRight(decimal(int64(r), rateDecimals), "0"), ".")
}

// String is the percentage with its sign: "8.875%".
func (r Rate) String() string { return r.Percent() + "%" }

// Validate refuses rates that are negative or above 1000 %, which no tax or fee is.
func (r Rate) Validate() error {
	if r < 0 || r > 10*whole {
		return fmt.Errorf("%w: %s", ErrRate, r)
	}
	return nil
}

// Of is the rate's share of m, rounded as divide says: what a percentage discount takes
// off, or a fee.
func (r Rate) Of(m Money) (Money, error) { return m.scale(int64(r), whole) }

// TaxOnNet is the tax that is added to a net amount.
func (r Rate) TaxOnNet(net Money) (tax Money, err error) {
	if err := r.Validate(); err != nil {
		return Money{}, err
	}
	return r.Of(net)
}

// TaxInGross is the tax contained in a gross amount; gross minus it is the net.
func (r Rate) TaxInGross(gross Money) (tax Money, err error) {
	if err := r.Validate(); err != nil {
		return Money{}, err
	}
	return gross.scale(int64(r), whole+int64(r))
}

// scale is m × numerator ÷ denominator. The denominator is positive.
func (m Money) scale(numerator, denominator int64) (Money, error) {
	high, low := bits.Mul64(magnitude(m.Amount), magnitude(numerator))
	if quotient, ok := divide(high, low, uint64(denominator)); ok {
		if n, ok := signed(quotient, (m.Amount < 0) != (numerator < 0)); ok {
			return Money{n, m.Currency}, nil
		}
	}
	return Money{}, fmt.Errorf("%s × %d/%d: %w", m, numerator, denominator, ErrOverflow)
}

// divide is where the platform rounds money: a half and more goes up, less goes down.
// It works on magnitudes, so that a half goes away from zero whatever the sign.
func divide(high, low, by uint64) (uint64, bool) {
	if high >= by {
		return 0, false
	}
	quotient, remainder := bits.Div64(high, low, by)
	if remainder >= by-remainder {
		quotient++ // cannot wrap: |amount| <= 2^63 keeps quotients far below 2^64 where a remainder is left
	}
	return quotient, true
}
