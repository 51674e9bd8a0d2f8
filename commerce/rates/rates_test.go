package rates

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/money"
)

// Whatever a service answers: what is believed has a price in the question's currency, a
// rate from 0 to 100 % and every line once, and survives being kept.
func TestWhatIsBelieved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sale := Sale{Currency: "EUR"}
		for i := range rapid.IntRange(0, 4).Draw(t, "lines") {
			sale.Lines = append(sale.Lines, Line{ID: fmt.Sprint("cln_", i)})
		}
		word := rapid.SampledFrom([]string{"a", "b", "", "two\nlines", "\xff"})
		var quoted CarrierRates
		for range rapid.IntRange(0, 3).Draw(t, "rates") {
			quoted.Rates = append(quoted.Rates, Rate{
				Code: word.Draw(t, "code"), Estimate: word.Draw(t, "estimate"),
				Price: money.New(rapid.SampledFrom([]int64{-1, 0, 990, mostAmount, mostAmount + 1}).Draw(t, "price"), rapid.SampledFrom([]string{"EUR", "EUR", "USD", ""}).Draw(t, "currency")),
			})
		}
		if quoted.check(sale) == nil {
			seen := map[string]bool{}
			for _, r := range quoted.Rates {
				if seen[r.Code] || r.Code == "" || r.Price.Currency != "EUR" || r.Price.Amount < 0 || r.Price.Amount > mostAmount {
					t.Fatalf("%+v is believed", quoted)
				}
				seen[r.Code] = true
			}
		}
		tax := rapid.Custom(func(t *rapid.T) Tax {
			return Tax{word.Draw(t, "name"), word.Draw(t, "jurisdiction"), rapid.SampledFrom([]string{"0", "4.875", "100", "100.0001", "-1", "1.23456", "x", ""}).Draw(t, "percentage")}
		})
		levied := Taxes{Shipping: rapid.SliceOfN(tax, 0, 2).Draw(t, "shipping")}
		for range rapid.IntRange(0, 5).Draw(t, "answered") {
			levied.Lines = append(levied.Lines, LineTaxes{fmt.Sprint("cln_", rapid.IntRange(0, 4).Draw(t, "line")), rapid.SliceOfN(tax, 0, 2).Draw(t, "taxes")})
		}
		if levied.check(sale) != nil {
			return
		}
		all := levied.Shipping
		answer := Answer{Taxes: levied}
		for _, l := range sale.Lines {
			all = append(all, answer.Line(l.ID)...)
		}
		for _, tax := range all {
			if rate, err := tax.Rate(); err != nil || rate < 0 || rate > money.BasisPoints(10_000) || tax.Name == "" || tax.Jurisdiction == "" {
				t.Fatalf("%+v is believed", tax)
			}
		}
		if len(levied.Lines) != len(sale.Lines) {
			t.Fatalf("%+v is an answer to %+v", levied, sale)
		}
		raw, err := json.Marshal(answer)
		var back Answer
		if err == nil {
			err = json.Unmarshal(raw, &back)
		}
		if again, _ := json.Marshal(back); err != nil || string(again) != string(raw) {
			t.Fatalf("%s is kept as %s: %v", raw, again, err)
		}
	})
	var many CarrierRates
	for i := range mostRates + 1 {
		many.Rates = append(many.Rates, Rate{Code: fmt.Sprint(i), Price: money.New(1, "EUR")})
	}
	if many.check(Sale{Currency: "EUR"}) == nil || (Taxes{Shipping: make([]Tax, mostTaxes+1)}).check(Sale{}) == nil {
		t.Error("more than may be is believed")
	}
	if (Sale{Currency: "EUR"}).Digest() == (Sale{Currency: "USD"}).Digest() {
		t.Error("two questions are one")
	}
}
