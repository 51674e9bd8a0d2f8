package cart_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// options are the ways to send a cart with what they cost.
func (f *fixture) options(ref cart.Ref) string {
	f.t.Helper()
	options, err := f.carts.Options(f.Ctx, ref)
	if err != nil {
		f.t.Fatal(err)
	}
	var list []string
	for _, m := range options {
		list = append(list, fmt.Sprint(m.Name, " ", m.Price.Amount))
	}
	return strings.Join(list, ", ")
}

// method makes a way to send.
func (f *fixture) method(name, zone, tieredBy, price string) string {
	f.t.Helper()
	id := ids.New("shp")
	f.Exec(f.t, `insert into shipping_methods (id, name, zone_id, tiered_by, prices, position) values ($1, $2, nullif($3, ''), $4, jsonb_build_object('EUR', $5::jsonb),
		(select count(*) from shipping_methods))`, id, name, zone, tieredBy, price)
	return id
}

func (f *fixture) zone(name, territories string) string {
	f.t.Helper()
	id := ids.New("shz")
	f.Exec(f.t, `insert into shipping_zones (id, name, territories) values ($1, $2, $3::jsonb)`, id, name, territories)
	return id
}

// The narrowest zone that holds a place counts, besides what is offered everywhere.
func TestZones(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	f.method("Worldwide", f.zone("Everywhere else", `[]`), "", `{"amount": 1990}`)
	f.method("Country", f.zone("America", `[{"country": "US"}]`), "", `{"amount": 990}`)
	f.method("State", f.zone("Coasts", `[{"country": "US", "region": "CA"}, {"country": "US", "region": "NY"}]`), "", `{"amount": 790}`)
	f.method("Messenger", f.zone("Manhattan", `[{"country": "US", "region": "NY", "postal_codes": ["100..102"]}]`), "", `{"amount": 290}`)
	_, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}})
	to := func(country, region, postal string) string {
		f.t.Helper()
		a := &address.Address{Name: "Ada Example", Line1: "1", City: "C", Country: country, Region: region, PostalCode: postal}
		if _, err := f.update(ref, cart.Change{ShippingAddress: &a}, 0); err != nil {
			t.Fatal(err)
		}
		return f.options(ref)
	}
	if got := f.options(ref); got != "Standard 490, Express 1200" {
		t.Errorf("at the shop's home, by its country: %s", got)
	}
	if _, err := f.update(ref, cart.Change{Country: pointer("US")}, 0); err != nil || f.options(ref) != "Standard 490, Country 990" {
		t.Errorf("somewhere in America: %s, %v", f.options(ref), err)
	}
	for _, c := range [][4]string{
		{"US", "New York", "10001", "Standard 490, Messenger 290"}, {"US", "NY", "14201", "Standard 490, State 790"},
		{"US", "TX", "73301", "Standard 490, Country 990"}, {"JP", "Tokyo", "100-0001", "Standard 490, Worldwide 1990"}, {"AT", "", "1010", "Standard 490, Express 1200"},
	} {
		if got := to(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("to %s %s: %s, want %s", c[1], c[0], got, c[3])
		}
	}
	c, err := f.update(ref, cart.Change{MethodID: &f.Express}, 0)
	if err != nil || c.Totals.Shipping.Total.Amount != 1200 {
		t.Fatalf("by express: %+v, %v", c, err)
	}
	if to("US", "TX", "73301"); codes(f.read(ref)) != "email_missing shipping_unavailable" {
		t.Errorf("by express to Texas: %s", codes(f.read(ref)))
	}
}

func TestTiers(t *testing.T) {
	f := open(t)
	f.Exec(t, `delete from shipping_methods`)
	stone, leaf := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 1000}), f.Add(t, shoptest.Variant{EUR: 100, Stock: 1000, Digital: true})
	f.Exec(t, `update variants set weight_grams = 700`)
	weight := f.method("Weight", "", "weight", `{"amount": 490, "tiers": [{"from": 2000, "amount": 690}, {"from": 5000, "amount": null}]}`)
	f.method("Price", "", "price", `{"amount": 500, "free_from": 5000, "tiers": [{"from": 2100, "amount": 250}]}`)
	f.method("Pieces", "", "quantity", `{"amount": 100, "tiers": [{"from": 2, "amount": 200}, {"from": 4, "amount": 300}]}`)
	c, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: stone, Quantity: 1}, {VariantID: leaf, Quantity: 1}}})
	for _, step := range []struct {
		stones int64
		want   string
	}{
		{1, "Weight 490, Price 500, Pieces 100"}, {2, "Weight 490, Price 250, Pieces 200"}, {3, "Weight 690, Price 250, Pieces 200"},
		{5, "Weight 690, Price 0, Pieces 300"}, {8, "Price 0, Pieces 300"},
	} {
		if step.stones > c.Lines[0].Quantity {
			var err error
			if c, err = f.add(ref, stone, step.stones-c.Lines[0].Quantity); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.options(ref); got != step.want {
			t.Errorf("%d stones: %s, want %s", step.stones, got, step.want)
		}
	}
	_, err := f.update(ref, cart.Change{MethodID: &weight}, 0)
	f.want(err, "shipping_unavailable")
	only, digital := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: leaf, Quantity: 3}}})
	if only.RequiresShipping() || only.Estimated() || only.Totals.Total.Amount != 300 {
		t.Errorf("nothing to send: %+v", only)
	}
	if c, err := f.update(digital, cart.Change{Email: pointer("ada@example.com")}, 0); err != nil || codes(c) != "" {
		t.Errorf("nothing to send: %v, %v", codes(c), err)
	}
}

// What is fetched needs no address, and is taxed where it is fetched.
func TestPickup(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, Stock: 10})
	pickup := f.method("At the counter", "", "", `{"amount": 0}`)
	f.Exec(t, `update shipping_methods set pickup_address = '{"name": "Counter", "line1": "1", "city": "Berlin", "postal_code": "10115", "country": "DE"}' where id = $1`, pickup)
	c, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}, Email: "ada@example.com", Country: "FR"})
	if c.Totals.Tax.Amount != 0 || !c.Estimated() {
		t.Errorf("to France: %+v", c.Totals)
	}
	leaf := f.Add(t, shoptest.Variant{EUR: 1190, Digital: true, Untracked: true})
	if only, _ := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: leaf, Quantity: 1}}, Country: "FR"}); only.Totals.Tax.Amount != 0 {
		t.Errorf("nothing to fetch: %+v", only.Totals)
	}
	if c, err := f.update(ref, cart.Change{MethodID: &pickup}, 0); err != nil || codes(c) != "" || c.Totals.Tax.Amount != 190 || c.Estimated() || c.Method.Pickup.City != "Berlin" {
		t.Errorf("fetched: %s %+v, %v", codes(c), c.Totals, err)
	}
}
