package money

import (
	"fmt"
	"math"
	"strings"
)

// Parse reads an amount as spreadsheets and APIs write it, such as "12.5", "1,299.00"
// or "-3", into minor units: the point is the decimal mark, commas may group thousands.
// A comma anywhere else is refused rather than guessed at ("12,50" may be twelve and a
// half or a slip of the pen), and so is a digit below the minor unit, unless it is zero.
func Parse(text, currency string) (Money, error) {
	digits, ok := Digits(currency)
	if !ok {
		return Money{}, fmt.Errorf("%w %q", ErrUnknownCurrency, currency)
	}
	amount, err := parseDecimal(strings.TrimSpace(text), digits)
	if err != nil {
		return Money{}, fmt.Errorf("%.40q in %s: %w", text, currency, err)
	}
	return Money{amount, currency}, nil
}

// Decimal is the plain decimal number, for machines: "1299.00", "-0.05", and "1299" in
// a currency without minor unit. Parse reads it back.
func (m Money) Decimal() string {
	digits, ok := Digits(m.Currency)
	if !ok {
		digits = 0
	}
	return decimal(m.Amount, digits)
}

// String is for logs and errors: "12.50 EUR". People are shown Format.
func (m Money) String() string { return m.Decimal() + " " + m.Currency }

// parseDecimal reads a decimal number into units of 10^-digits.
func parseDecimal(text string, digits int) (int64, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	if !negative {
		unsigned = strings.TrimPrefix(unsigned, "+")
	}
	integer, fraction, pointed := strings.Cut(unsigned, ".")
	if pointed && fraction == "" || integer == "" && !pointed {
		return 0, ErrSyntax
	}
	integer, ok := ungroup(integer)
	if !ok || !onlyDigits(integer) || !onlyDigits(fraction) {
		return 0, ErrSyntax
	}
	if len(fraction) > digits {
		if strings.Trim(fraction[digits:], "0") != "" {
			return 0, ErrPrecision
		}
		fraction = fraction[:digits]
	}
	var n uint64
	for _, c := range []byte(integer + fraction + strings.Repeat("0", digits-len(fraction))) {
		if n > math.MaxUint64/10-1 {
			return 0, ErrOverflow
		}
		n = n*10 + uint64(c-'0')
	}
	amount, ok := signed(n, negative)
	if !ok {
		return 0, ErrOverflow
	}
	return amount, nil
}

// ungroup takes out commas, which must stand before every third digit from the right,
// or not at all.
func ungroup(integer string) (string, bool) {
	groups := strings.Split(integer, ",")
	if len(groups) == 1 {
		return integer, true
	}
	for i, g := range groups {
		if i == 0 && (len(g) == 0 || len(g) > 3) || i > 0 && len(g) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

// onlyDigits says whether text is made of the digits 0 to 9 alone.
func onlyDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// decimal writes n units of 10^-digits.
func decimal(n int64, digits int) string {
	text := fmt.Sprintf("%0*d", digits+1, magnitude(n))
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	if n < 0 {
		return "-" + text
	}
	return text
}
