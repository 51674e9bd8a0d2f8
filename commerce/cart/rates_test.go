package cart

import (
	"testing"

	"pgregory.net/rapid"
)

// Whatever the tiers: the price is that of the last one reached, and nothing from the
// threshold on; more of the measure never leads back to a tier that was left.
func TestCostOfSending(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r methodRates
		amount := func() *int64 {
			if rapid.IntRange(0, 4).Draw(t, "ends") == 0 {
				return nil
			}
			n := rapid.Int64Range(0, 5000).Draw(t, "amount")
			return &n
		}
		r.TieredBy = rapid.SampledFrom([]string{"", "weight", "price", "quantity"}).Draw(t, "by")
		type price = struct {
			Amount   int64  `json:"amount"`
			FreeFrom *int64 `json:"free_from"`
			Tiers    []struct {
				From   int64  `json:"from"`
				Amount *int64 `json:"amount"`
			} `json:"tiers"`
		}
		p := price{Amount: rapid.Int64Range(0, 5000).Draw(t, "first"), FreeFrom: amount()}
		from := int64(0)
		for range rapid.IntRange(0, 5).Draw(t, "tiers") {
			from += rapid.Int64Range(1, 1000).Draw(t, "step")
			p.Tiers = append(p.Tiers, struct {
				From   int64  `json:"from"`
				Amount *int64 `json:"amount"`
			}{from, amount()})
		}
		r.Price = &p
		of := parcel{rapid.Int64Range(0, 6000).Draw(t, "grams"), rapid.Int64Range(0, 6000).Draw(t, "pieces"), rapid.Int64Range(0, 6000).Draw(t, "worth")}
		measure := map[string]int64{"weight": of.grams, "price": of.worth, "quantity": of.pieces}[r.TieredBy]
		want := &p.Amount
		for i := range p.Tiers {
			if r.TieredBy != "" && p.Tiers[i].From <= measure {
				want = p.Tiers[i].Amount
			}
		}
		got, taken := r.cost(of)
		switch {
		case want == nil:
			if taken {
				t.Fatalf("%+v is taken for %d by %+v", of, got, p)
			}
		case p.FreeFrom != nil && of.worth >= *p.FreeFrom:
			if !taken || got != 0 {
				t.Fatalf("%+v costs %d by %+v, and should be free", of, got, p)
			}
		case !taken || got != *want:
			t.Fatalf("%+v costs %d by %+v, want %d", of, got, p, *want)
		}
	})
	if _, taken := (methodRates{}).cost(parcel{}); taken {
		t.Error("a method without a price in the currency takes a parcel")
	}
}
