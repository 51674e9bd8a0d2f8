package pricing_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

func eur(n int64) money.Money { return money.New(n, "EUR") }

func TestPriceWithTaxIncluded(t *testing.T) {
	got, err := pricing.Price(pricing.Basket{
		Currency: "EUR", TaxIncluded: true, Shipping: eur(490),
		Tax: &pricing.Tax{Rate: money.BasisPoints(1900), Shipping: true},
		Lines: []pricing.Line{
			{Unit: eur(1999), Quantity: 3, Taxable: true},
			{Unit: eur(1000), Quantity: 1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// 59.97 contains 9.575…; 4.90 contains 0.782….
	want := pricing.Totals{
		Lines:    []pricing.LineTotal{{eur(5997), eur(958)}, {eur(1000), eur(0)}},
		Subtotal: eur(6997), Shipping: eur(490), ShippingTax: eur(78), Tax: eur(1036), Total: eur(7487),
	}
	if got.Subtotal != want.Subtotal || got.Shipping != want.Shipping || got.ShippingTax != want.ShippingTax || got.Tax != want.Tax || got.Total != want.Total {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i := range want.Lines {
		if got.Lines[i] != want.Lines[i] {
			t.Errorf("line %d: %+v, want %+v", i, got.Lines[i], want.Lines[i])
		}
	}
}

func TestPriceWithTaxOnTop(t *testing.T) {
	got, err := pricing.Price(pricing.Basket{
		Currency: "USD", Shipping: money.New(500, "USD"), Tax: &pricing.Tax{Rate: money.BasisPoints(888)},
		Lines: []pricing.Line{{Unit: money.New(1001, "USD"), Quantity: 1, Taxable: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Tax.Amount != 89 || got.ShippingTax.Amount != 0 || got.Total.Amount != 1001+500+89 {
		t.Fatalf("got %+v", got)
	}
}

func TestPriceOfNothing(t *testing.T) {
	got, err := pricing.Price(pricing.Basket{Currency: "JPY", Shipping: money.Zero("JPY")})
	if err != nil || got.Total != money.Zero("JPY") || got.Tax != money.Zero("JPY") {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestPriceRefuses(t *testing.T) {
	for name, basket := range map[string]pricing.Basket{
		"overflow of a line": {Currency: "EUR", Shipping: eur(0), Lines: []pricing.Line{{Unit: eur(math.MaxInt64), Quantity: 2}}},
		"overflow of a sum":  {Currency: "EUR", Shipping: eur(math.MaxInt64), Lines: []pricing.Line{{Unit: eur(math.MaxInt64 / 2), Quantity: 2}}},
		"more than is shown": {Currency: "EUR", Shipping: eur(0), Lines: []pricing.Line{{Unit: eur(pricing.MaxAmount), Quantity: 2}}},
		"another currency":   {Currency: "EUR", Shipping: money.New(1, "USD"), Lines: []pricing.Line{{Unit: eur(1), Quantity: 1}}},
		"a foreign line":     {Currency: "EUR", Shipping: eur(0), Lines: []pricing.Line{{Unit: money.New(1, "USD"), Quantity: 1}}},
	} {
		if _, err := pricing.Price(basket); !problem.Is(err, "total_too_large") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is in a basket: its parts add up, tax on top is what makes the difference
// between net and gross, and is never further than half a unit a line from the exact tax.
func TestTotalsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := basket(t)
		got, err := pricing.Price(b)
		if err != nil {
			t.Fatal(err)
		}
		var subtotal, tax int64
		var exact float64
		for i, line := range b.Lines {
			subtotal += line.Unit.Amount * line.Quantity
			tax += got.Lines[i].Tax.Amount
			if got.Lines[i].Total.Amount != line.Unit.Amount*line.Quantity {
				t.Fatalf("line %d comes to %v", i, got.Lines[i].Total)
			}
			if line.Taxable {
				exact += exactTax(b, got.Lines[i].Total)
			} else if got.Lines[i].Tax.Amount != 0 {
				t.Fatalf("an untaxed line bears %v", got.Lines[i].Tax)
			}
		}
		if b.Tax != nil && b.Tax.Shipping {
			exact += exactTax(b, b.Shipping)
		}
		total := subtotal + b.Shipping.Amount
		if !b.TaxIncluded {
			total += got.Tax.Amount
		}
		if got.Subtotal.Amount != subtotal || got.Tax.Amount != tax+got.ShippingTax.Amount || got.Total.Amount != total {
			t.Fatalf("%+v does not add up", got)
		}
		if d := math.Abs(float64(got.Tax.Amount) - exact); d > 0.5*float64(len(b.Lines)+1)+1e-3 {
			t.Fatalf("tax %v is %v from the exact one", got.Tax, d)
		}
	})
}

func exactTax(b pricing.Basket, m money.Money) float64 {
	if b.Tax == nil {
		return 0
	}
	rate := float64(b.Tax.Rate) / 1e6
	if b.TaxIncluded {
		return float64(m.Amount) * rate / (1 + rate)
	}
	return float64(m.Amount) * rate
}

func basket(t *rapid.T) pricing.Basket {
	currency := rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")
	b := pricing.Basket{Currency: currency, TaxIncluded: rapid.Bool().Draw(t, "included"), Shipping: money.New(rapid.Int64Range(0, 10_000).Draw(t, "shipping"), currency)}
	if rapid.Bool().Draw(t, "taxed") {
		b.Tax = &pricing.Tax{Rate: money.BasisPoints(rapid.Int64Range(0, 10_000).Draw(t, "rate")), Shipping: rapid.Bool().Draw(t, "shipping taxed")}
	}
	for range rapid.IntRange(0, 20).Draw(t, "lines") {
		b.Lines = append(b.Lines, pricing.Line{
			Unit:     money.New(rapid.Int64Range(0, 1_000_000).Draw(t, "unit"), currency),
			Quantity: rapid.Int64Range(1, 9_999).Draw(t, "quantity"), Taxable: rapid.Bool().Draw(t, "taxable"),
		})
	}
	return b
}

// However a line is taken apart, its parts are never negative and add up to the line.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := eur(rapid.Int64Range(0, pricing.MaxAmount).Draw(t, "amount"))
		quantity := rapid.Int64Range(1, 9_999).Draw(t, "quantity")
		var taken, sum int64
		for taken < quantity {
			n := rapid.Int64Range(1, quantity-taken).Draw(t, "n")
			part, err := pricing.Part(amount, quantity, taken, n)
			if err != nil || part.Amount < 0 {
				t.Fatalf("part %v, %v", part, err)
			}
			taken, sum = taken+n, sum+part.Amount
		}
		if sum != amount.Amount {
			t.Fatalf("parts of %v add up to %d", amount, sum)
		}
	})
	for _, bad := range [][3]int64{{0, 0, 0}, {3, -1, 1}, {3, 0, -1}, {3, 2, 2}} {
		if _, err := pricing.Part(eur(100), bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("units %v: no error", bad)
		}
	}
}
