package pricing_test

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

func eur(n int64) money.Money { return money.New(n, "EUR") }

func vat(bps int64) []pricing.Tax {
	return []pricing.Tax{{Name: "VAT", Jurisdiction: "DE", Rate: money.BasisPoints(bps), Reason: pricing.Taxed}}
}

func TestPriceWithTaxIncluded(t *testing.T) {
	got, err := pricing.Price(pricing.Basket{
		Currency: "EUR", TaxIncluded: true, Shipping: pricing.Line{Unit: eur(490), Quantity: 1, Taxes: vat(1900)},
		Lines: []pricing.Line{
			{Unit: eur(1999), Quantity: 3, Taxes: vat(1900)},
			{Unit: eur(1000), Quantity: 1, Discount: eur(250)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// 59.97 contains 9.575…; 4.90 contains 0.782….
	tax := func(taxable, amount int64) []pricing.TaxAmount {
		return []pricing.TaxAmount{{Name: "VAT", Jurisdiction: "DE", Percentage: "19", Taxable: eur(taxable), Amount: eur(amount), Reason: pricing.Taxed}}
	}
	want := pricing.Totals{
		Lines: []pricing.LineTotal{
			{Subtotal: eur(5997), Discount: eur(0), Total: eur(5997), Tax: eur(958), Taxes: tax(5039, 958)},
			{Subtotal: eur(1000), Discount: eur(250), Total: eur(750), Tax: eur(0), Taxes: []pricing.TaxAmount{}},
		},
		Shipping: pricing.LineTotal{Subtotal: eur(490), Discount: eur(0), Total: eur(490), Tax: eur(78), Taxes: tax(412, 78)},
		Subtotal: eur(6997), Discount: eur(250), Tax: eur(1036), Total: eur(7237), Taxes: tax(5451, 1036),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// State, county and city each take their own of what the discount left.
func TestPriceWithTaxesOnTop(t *testing.T) {
	usd := func(n int64) money.Money { return money.New(n, "USD") }
	taxes := []pricing.Tax{
		{Name: "State", Jurisdiction: "US-NY", Rate: 40_000}, {Name: "City", Jurisdiction: "US-NY", Rate: 45_000}, {Name: "MCTD", Jurisdiction: "US-NY", Rate: 3_750},
	}
	got, err := pricing.Price(pricing.Basket{
		Currency: "USD", Shipping: pricing.Line{Unit: usd(500), Quantity: 1, Discount: usd(500), Taxes: taxes},
		Lines: []pricing.Line{{Unit: usd(1201), Quantity: 1, Discount: usd(200), Taxes: taxes}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// 40.04, 45.045 and 3.75375 cents.
	if got.Tax.Amount != 40+45+4 || got.Shipping.Tax.Amount != 0 || got.Total.Amount != 1001+89 || got.Discount.Amount != 700 {
		t.Errorf("got %+v", got)
	}
	if len(got.Taxes) != 3 || got.Taxes[2].Amount != usd(4) || got.Taxes[2].Percentage != "0.375" || got.Taxes[2].Taxable != usd(1001) {
		t.Errorf("taxes %+v", got.Taxes)
	}
}

func TestPriceOfNothing(t *testing.T) {
	got, err := pricing.Price(pricing.Basket{Currency: "JPY"})
	if zero := money.Zero("JPY"); err != nil || got.Total != zero || got.Tax != zero || got.Shipping.Total != zero || got.Discount != zero {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestNet(t *testing.T) {
	for bps, want := range map[int64]int64{0: 1190, 1900: 1000, 2000: 992} {
		if net, err := pricing.Net(eur(1190), vat(bps)); err != nil || net != eur(want) {
			t.Errorf("without %d: %v, %v", bps, net, err)
		}
	}
}

func TestPriceRefuses(t *testing.T) {
	one := func(unit money.Money, quantity, discount int64) []pricing.Line {
		return []pricing.Line{{Unit: unit, Quantity: quantity, Discount: eur(discount)}}
	}
	for name, basket := range map[string]pricing.Basket{
		"overflow of a line": {Currency: "EUR", Lines: one(eur(math.MaxInt64), 2, 0)},
		"overflow of a sum":  {Currency: "EUR", Shipping: pricing.Line{Unit: eur(math.MaxInt64), Quantity: 1}, Lines: one(eur(math.MaxInt64/2), 2, 0)},
		"more than is shown": {Currency: "EUR", Lines: one(eur(pricing.MaxAmount), 2, 0)},
	} {
		if _, err := pricing.Price(basket); !problem.Is(err, "total_too_large") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What no shopper can bring about is no refusal but a fault.
	for name, basket := range map[string]pricing.Basket{
		"another currency":     {Currency: "EUR", Shipping: pricing.Line{Unit: money.New(1, "USD"), Quantity: 1}},
		"a foreign line":       {Currency: "EUR", Lines: one(money.New(1, "USD"), 1, 0)},
		"more off than it is":  {Currency: "EUR", Lines: one(eur(100), 2, 201)},
		"less than nothing":    {Currency: "EUR", Lines: one(eur(100), 1, -1)},
		"a negative price":     {Currency: "EUR", Lines: one(eur(-100), 1, 0)},
		"a negative quantity":  {Currency: "EUR", Lines: one(eur(100), -1, 0)},
		"shipping for more":    {Currency: "EUR", Shipping: pricing.Line{Unit: eur(490), Quantity: 1, Discount: eur(491)}},
		"a tax less than none": {Currency: "EUR", Lines: []pricing.Line{{Unit: eur(1), Quantity: 1, Taxes: vat(-1)}}},
	} {
		if got, err := pricing.Price(basket); err == nil || problem.As(err) != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Whatever is in a basket: its parts add up and none is negative, a discount takes off what
// it says, and the tax is never further than half a unit a tax from the exact one.
func TestTotalsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := basket(t)
		got, err := pricing.Price(b)
		if err != nil {
			t.Fatal(err)
		}
		var subtotal, discount, tax, total, summed int64
		var exact, taxes float64
		all := append([]pricing.Line{b.Shipping}, b.Lines...)
		for i, line := range append([]pricing.LineTotal{got.Shipping}, got.Lines...) {
			want := all[i].Unit.Amount * all[i].Quantity
			if line.Subtotal.Amount != want || line.Discount != all[i].Discount || line.Total.Amount != want-line.Discount.Amount {
				t.Fatalf("line %d: %+v", i, line)
			}
			var own int64
			for j, levied := range line.Taxes {
				own += levied.Amount.Amount
				if levied.Amount.IsNegative() || levied.Taxable.IsNegative() || levied.Reason != all[i].Taxes[j].Reason {
					t.Fatalf("line %d bears %+v", i, levied)
				}
				exact += exactTax(b, all[i], j, line.Total)
				taxes++
			}
			if line.Tax.Amount != own || line.Tax.IsNegative() || line.Tax.Amount > line.Total.Amount && b.TaxIncluded {
				t.Fatalf("line %d bears %v, of %+v", i, line.Tax, line.Taxes)
			}
			subtotal, discount, tax, total = subtotal+want, discount+line.Discount.Amount, tax+own, total+line.Total.Amount
		}
		if !b.TaxIncluded {
			total += tax
		}
		for _, of := range got.Taxes {
			summed += of.Amount.Amount
		}
		subtotal -= b.Shipping.Unit.Amount
		if got.Subtotal.Amount != subtotal || got.Discount.Amount != discount || got.Tax.Amount != tax || summed != tax || got.Total.Amount != total || got.Total.IsNegative() {
			t.Fatalf("%+v does not add up", got)
		}
		if shown := subtotal + got.Shipping.Subtotal.Amount - discount; !b.TaxIncluded && shown+tax != total || b.TaxIncluded && shown != total {
			t.Fatalf("%+v does not come to its total", got)
		}
		if d := math.Abs(float64(tax) - exact); d > 0.5*taxes+1e-3 {
			t.Fatalf("tax %v is %v from the exact one", got.Tax, d)
		}
	})
}

// exactTax is what the line's j-th tax of an amount is before it is rounded.
func exactTax(b pricing.Basket, line pricing.Line, j int, m money.Money) float64 {
	amount := float64(m.Amount) * float64(line.Taxes[j].Rate) / 1e6
	if b.TaxIncluded {
		var all float64
		for _, tax := range line.Taxes {
			all += float64(tax.Rate) / 1e6
		}
		amount /= 1 + all
	}
	return amount
}

func basket(t *rapid.T) pricing.Basket {
	currency := rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")
	line := func(unit, quantity int64) pricing.Line {
		l := pricing.Line{Unit: money.New(rapid.Int64Range(0, unit).Draw(t, "unit"), currency), Quantity: rapid.Int64Range(1, quantity).Draw(t, "quantity")}
		l.Discount = money.New(rapid.Int64Range(0, l.Unit.Amount*l.Quantity).Draw(t, "discount"), currency)
		if rapid.Bool().Draw(t, "free") {
			l.Discount.Amount = l.Unit.Amount * l.Quantity
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "taxes") {
			l.Taxes = append(l.Taxes, pricing.Tax{
				Name: []string{"State", "County", "City"}[i], Jurisdiction: "US", Reason: pricing.Taxed,
				Rate: money.Rate(rapid.SampledFrom([]int64{0, 3_750, 50_000, 88_750, 190_000, 1_000_000}).Draw(t, "rate")),
			})
		}
		return l
	}
	b := pricing.Basket{Currency: currency, TaxIncluded: rapid.Bool().Draw(t, "included"), Shipping: line(10_000, 1)}
	for range rapid.IntRange(0, 20).Draw(t, "lines") {
		b.Lines = append(b.Lines, line(1_000_000, 9_999))
	}
	return b
}

// A price without its taxes, with the same taxes on top, is the price again to within half a
// unit a tax.
func TestNetAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := basket(t)
		net, err := pricing.Net(b.Shipping.Unit, b.Shipping.Taxes)
		if err != nil {
			t.Fatal(err)
		}
		back, err := pricing.Price(pricing.Basket{Currency: b.Currency, Shipping: pricing.Line{Unit: net, Quantity: 1, Taxes: b.Shipping.Taxes}})
		var rates float64
		for _, tax := range b.Shipping.Taxes {
			rates += float64(tax.Rate) / 1e6
		}
		if d := math.Abs(float64(back.Total.Amount - b.Shipping.Unit.Amount)); err != nil || d > 0.5*(1+rates)+0.5*float64(len(b.Shipping.Taxes)) {
			t.Fatalf("%v is %v without tax and %v with it again: %v", b.Shipping.Unit, net, back.Total, err)
		}
	})
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
