package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyAmount draws amounts over the whole range, the edges often among them.
func anyAmount() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64(), rapid.Int64Range(-100_000, 100_000),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}))
}

// agrees compares a result with exact arithmetic: the same number when it fits an
// int64, an overflow when it does not.
func agrees(t *rapid.T, got Money, err error, want *big.Int) {
	if !want.IsInt64() {
		if !errors.Is(err, ErrOverflow) {
			t.Fatalf("%v does not fit, yet got %v, %v", want, got, err)
		}
		return
	}
	if err != nil || got != New(want.Int64(), "EUR") {
		t.Fatalf("want %v, got %v, %v", want, got, err)
	}
}

func TestArithmeticIsExactOrAnOverflow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyAmount().Draw(t, "a"), anyAmount().Draw(t, "b")
		m, o := New(a, "EUR"), New(b, "EUR")
		x, y := big.NewInt(a), big.NewInt(b)

		sum, err := m.Add(o)
		agrees(t, sum, err, new(big.Int).Add(x, y))
		difference, err := m.Sub(o)
		agrees(t, difference, err, new(big.Int).Sub(x, y))
		product, err := m.Mul(b)
		agrees(t, product, err, new(big.Int).Mul(x, y))
		negative, err := m.Neg()
		agrees(t, negative, err, new(big.Int).Neg(x))
		if order, err := m.Cmp(o); err != nil || order != x.Cmp(y) {
			t.Fatalf("Cmp gave %d, %v", order, err)
		}
	})
}

func TestCurrenciesAreNotMixed(t *testing.T) {
	euro, yen := New(1, "EUR"), New(1, "JPY")
	if _, err := euro.Add(yen); !errors.Is(err, ErrCurrencyDiffers) {
		t.Errorf("Add: %v", err)
	}
	if _, err := euro.Sub(yen); !errors.Is(err, ErrCurrencyDiffers) {
		t.Errorf("Sub: %v", err)
	}
	if _, err := euro.Cmp(yen); !errors.Is(err, ErrCurrencyDiffers) {
		t.Errorf("Cmp: %v", err)
	}
	if _, err := Sum("EUR", euro, yen); !errors.Is(err, ErrCurrencyDiffers) {
		t.Errorf("Sum: %v", err)
	}
	if total, err := Sum("EUR", euro, New(-3, "EUR")); err != nil || total != New(-2, "EUR") || !total.IsNegative() {
		t.Errorf("Sum: %v, %v", total, err)
	}
	if none, err := Sum("EUR"); err != nil || none != Zero("EUR") || !none.IsZero() {
		t.Errorf("Sum of nothing: %v, %v", none, err)
	}
}

func TestAllocateIsExactAndFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := anyAmount().Draw(t, "amount")
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64Range(0, math.MaxInt64)), 1, 12).Draw(t, "weights")
		total := new(big.Int)
		for _, w := range weights {
			total.Add(total, big.NewInt(w))
		}
		shares, err := New(amount, "EUR").Allocate(weights...)
		if total.Sign() == 0 {
			if !errors.Is(err, ErrWeights) {
				t.Fatalf("no weight at all: %v", err)
			}
			return
		}
		if !total.IsUint64() {
			if !errors.Is(err, ErrOverflow) {
				t.Fatalf("weights beyond 64 bits: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := new(big.Int)
		for i, share := range shares {
			sum.Add(sum, big.NewInt(share.Amount))
			// |share × total − amount × weight| < total: within one unit of the exact part
			off := new(big.Int).Mul(big.NewInt(share.Amount), total)
			off.Sub(off, new(big.Int).Mul(big.NewInt(amount), big.NewInt(weights[i])))
			if off.Abs(off).Cmp(total) >= 0 {
				t.Fatalf("share %d of %v by %v is %v: a unit or more off", i, amount, weights, share)
			}
			if share.Currency != "EUR" {
				t.Fatalf("share in %q", share.Currency)
			}
		}
		if !sum.IsInt64() || sum.Int64() != amount {
			t.Fatalf("shares of %d add up to %v", amount, sum)
		}
	})
}

func TestAllocateGivesTheRestToTheLargestRemainder(t *testing.T) {
	for _, c := range []struct {
		amount  int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{5, []int64{3, 7}, []int64{2, 3}},            // 1.5 and 3.5: a tie goes to the earlier
		{10, []int64{1, 2, 4}, []int64{1, 3, 6}},     // 1.43, 2.86, 5.71
		{1, []int64{0, 5, 0}, []int64{0, 1, 0}},      // what weighs nothing gets nothing
		{999, []int64{1999, 501}, []int64{799, 200}}, // 798.8 and 200.2
	} {
		shares, err := New(c.amount, "EUR").Allocate(c.weights...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range shares {
			if shares[i].Amount != c.want[i] {
				t.Errorf("%d by %v: %v, want %v", c.amount, c.weights, shares, c.want)
				break
			}
		}
	}
	if _, err := New(1, "EUR").Allocate(1, -1); !errors.Is(err, ErrWeights) {
		t.Errorf("a negative weight: %v", err)
	}
	if _, err := New(1, "EUR").Allocate(); !errors.Is(err, ErrWeights) {
		t.Errorf("no weights: %v", err)
	}
}

func TestJSONFormAndValidate(t *testing.T) {
	text, err := json.Marshal(New(1999, "EUR"))
	if err != nil || string(text) != `{"amount":1999,"currency":"EUR"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back Money
	if err := json.Unmarshal(text, &back); err != nil || back != New(1999, "EUR") || back.Validate() != nil {
		t.Fatalf("%v, %v", back, err)
	}
	for _, bad := range []string{"", "eur", "EURO", "XXX", "ZZZ", "DEM", "XAU", "HRK"} {
		if err := New(1, bad).Validate(); !errors.Is(err, ErrUnknownCurrency) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCurrencyTableFollowsISO4217(t *testing.T) {
	for code, want := range map[string]int{
		"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "IDR": 2, "RSD": 2, "HUF": 2, "TWD": 2, "COP": 2, "MRU": 2, "MGA": 2,
		"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "UGX": 0, "XOF": 0, "PYG": 0, "RWF": 0,
		"KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3, "IQD": 3, "LYD": 3,
	} {
		if got, ok := Digits(code); !ok || got != want {
			t.Errorf("%s has %d decimals (%v), want %d", code, got, ok, want)
		}
	}
	all := Currencies()
	if len(all) < 140 || len(all) > 180 {
		t.Errorf("%d currencies", len(all))
	}
	if joined := strings.Join(all, " "); !strings.HasPrefix(joined, "AED AFN") || strings.Contains(joined, "XAU") {
		t.Errorf("currencies: %s", joined)
	}
}
