package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// halfUp is numerator/denominator rounded, told in another way than the code does:
// floor(2|n|+d / 2d) with the sign put back.
func halfUp(numerator, denominator *big.Int) *big.Int {
	n := new(big.Int).Abs(numerator)
	n.Lsh(n, 1).Add(n, denominator)
	n.Quo(n, new(big.Int).Lsh(denominator, 1))
	if numerator.Sign() < 0 {
		n.Neg(n)
	}
	return n
}

func TestTaxAgreesWithExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := anyAmount().Draw(t, "amount")
		rate := Rate(rapid.Int64Range(0, 10*whole).Draw(t, "rate"))
		product := new(big.Int).Mul(big.NewInt(amount), big.NewInt(int64(rate)))

		tax, err := rate.TaxOnNet(New(amount, "EUR"))
		agrees(t, tax, err, halfUp(product, big.NewInt(whole)))
		tax, err = rate.TaxInGross(New(amount, "EUR"))
		agrees(t, tax, err, halfUp(product, big.NewInt(whole+int64(rate))))
	})
}

func TestTaxWithinTheGrossIsTheTaxOnItsNet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		net := New(rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "net"), "EUR")
		rate := Rate(rapid.Int64Range(0, whole).Draw(t, "rate"))
		added, err := rate.TaxOnNet(net)
		if err != nil {
			t.Fatal(err)
		}
		gross, err := net.Add(added)
		if err != nil {
			t.Fatal(err)
		}
		contained, err := rate.TaxInGross(gross)
		if err != nil || contained != added {
			t.Fatalf("%v at %v: %v added, %v contained (%v)", net, rate, added, contained, err)
		}
	})
}

func TestRatesRoundAHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		percent    string
		amount     int64
		onNet, inG int64
	}{
		{"20", 999, 200, 167}, // 199.8; 166.5
		{"20", -999, -200, -167},
		{"19%", 1190, 226, 190},      // 226.1; 190.0
		{"8.875 %", 10000, 888, 815}, // 887.5; 815.15…
		{"0", 500, 0, 0},
		{"7.7", 5, 0, 0},  // 0.385; 0.357
		{"5.5", 10, 1, 1}, // 0.55; 0.52
	} {
		rate, err := ParsePercent(c.percent)
		if err != nil {
			t.Fatal(err)
		}
		onNet, err := rate.TaxOnNet(New(c.amount, "EUR"))
		if err != nil || onNet.Amount != c.onNet {
			t.Errorf("%s on %d: %v, %v; want %d", c.percent, c.amount, onNet, err, c.onNet)
		}
		inGross, err := rate.TaxInGross(New(c.amount, "EUR"))
		if err != nil || inGross.Amount != c.inG {
			t.Errorf("%s in %d: %v, %v; want %d", c.percent, c.amount, inGross, err, c.inG)
		}
	}
}

func TestParsePercent(t *testing.T) {
	for text, want := range map[string]Rate{"20": BasisPoints(2000), "8.875": 88_750, " 19 % ": 190_000, "0": 0, "0.0001": 1, "100.00000": whole} {
		if got, err := ParsePercent(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "%", "a", "1.00001", "1e3", "NaN", "1,5", "99999999999999999999"} {
		if got, err := ParsePercent(bad); !errors.Is(err, ErrRate) {
			t.Errorf("%q: %d, %v", bad, got, err)
		}
	}
	for rate, want := range map[Rate]string{BasisPoints(2000): "20%", 88_750: "8.875%", 0: "0%", 1: "0.0001%", -50_000: "-5%"} {
		if rate.String() != want {
			t.Errorf("%d is written %q, want %q", int64(rate), rate, want)
		}
	}
	for _, bad := range []Rate{-1, 10*whole + 1} {
		if _, err := bad.TaxOnNet(New(1, "EUR")); !errors.Is(err, ErrRate) {
			t.Errorf("%d on net: %v", int64(bad), err)
		}
		if _, err := bad.TaxInGross(New(1, "EUR")); !errors.Is(err, ErrRate) {
			t.Errorf("%d in gross: %v", int64(bad), err)
		}
	}
	if _, err := Rate(2 * whole).Of(New(math.MaxInt64, "EUR")); !errors.Is(err, ErrOverflow) {
		t.Errorf("200%% of everything: %v", err)
	}
}
