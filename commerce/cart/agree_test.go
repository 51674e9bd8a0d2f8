package cart

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/money"
)

// Whatever was agreed is taken off in full, never more than there is, and each line's part
// of it is told.
func TestAgreedDiscountsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		discount := func(most int64) *Discount {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				return nil
			case 1:
				return &Discount{Rate: money.Rate(rapid.Int64Range(1, 1_000_000).Draw(t, "rate"))}
			}
			return &Discount{Amount: rapid.Int64Range(1, most+1).Draw(t, "amount")}
		}
		c := &Cart{Currency: "EUR", Draft: &Draft{}}
		basket := pricing.Basket{Currency: "EUR", TaxIncluded: true}
		var sum, off int64
		for range rapid.IntRange(1, 8).Draw(t, "lines") {
			l := pricing.Line{Unit: money.New(rapid.Int64Range(0, 100_000).Draw(t, "unit"), "EUR"), Quantity: rapid.Int64Range(1, 99).Draw(t, "quantity")}
			basket.Lines = append(basket.Lines, l)
			c.Lines = append(c.Lines, Line{Agreed: &Agreed{Discount: discount(l.Unit.Amount * l.Quantity)}})
			sum += l.Unit.Amount * l.Quantity
		}
		c.Draft.Discount = discount(sum)
		if err := c.discount(&basket); err != nil {
			t.Fatal(err)
		}
		totals, err := pricing.Price(basket)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range totals.Lines {
			var told int64
			for _, by := range c.Lines[i].Discounts {
				told += by.Amount.Amount
			}
			if told != line.Discount.Amount || line.Total.IsNegative() {
				t.Fatalf("line %d: %+v, told %d", i, line, told)
			}
		}
		for _, by := range c.Discounts {
			off += by.Amount.Amount
		}
		if off != totals.Discount.Amount || totals.Total.Amount != sum-off {
			t.Fatalf("%d off %d: %+v", off, sum, totals)
		}
		if d := c.Draft.Discount; d != nil && d.Rate == money.BasisPoints(10_000) && totals.Total.Amount != 0 {
			t.Fatalf("all of it is taken off, but for %v", totals.Total)
		}
	})
}

// A service is told of what is in no catalogue, which has no variant.
func TestServicesAreToldOfWhatIsInNoCatalogue(t *testing.T) {
	t.Parallel()
	c := &Cart{Currency: "EUR", Lines: []Line{{ID: "cln_1", VariantID: "var_1", Quantity: 1}, {ID: "cln_2", Quantity: 2, grams: 300}}}
	raw, err := json.Marshal(c.sale(rates.TaxKind, &address.Address{Country: "DE"}))
	if err != nil || !strings.Contains(string(raw), `"id":"cln_1","variant_id":"var_1"`) || !strings.Contains(string(raw), `"id":"cln_2","variant_id":null`) {
		t.Errorf("told %s, %v", raw, err)
	}
}
