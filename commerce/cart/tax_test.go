package cart_test

import (
	"context"
	"testing"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func (f *fixture) rate(name, country, region, codes, class string, percent int, combinable bool) {
	f.t.Helper()
	f.Exec(f.t, `insert into tax_rates (id, name, country, region, postal_codes, tax_class, rate, combinable) values ($1, $2, $3, $4, string_to_array($5, ' '), $6, $7, $8)`,
		ids.New("tax"), name, country, region, codes, class, percent*10_000, combinable)
}

// taxesOf are the taxes of the first line.
func taxesOf(c *cart.Cart) string {
	text := ""
	for _, tax := range c.Lines[0].Taxes {
		text += tax.Name + " " + tax.Jurisdiction + " " + tax.Percentage + " " + string(tax.Reason) + ";"
	}
	return text
}

func TestTaxByPlace(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, USD: 1000, Stock: 10})
	f.rate("TVA", "FR", "", "", "", 20, false)
	f.rate("State", "US", "NY", "", "", 4, false)
	f.rate("City", "US", "NY", "100..104", "", 5, true)
	f.rate("Reduced", "DE", "", "", "books", 7, false)

	c, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}, Country: "FR"})
	if got := taxesOf(c); got != "TVA FR 20 taxed;" || !c.Estimated() || c.Totals.Tax.Amount != 198 || c.Country != "FR" {
		t.Errorf("on the way to France: %s, %+v", got, c.Totals)
	}
	nowhere := "QQ"
	if _, err := f.update(ref, cart.Change{Country: &nowhere}, 0); err == nil {
		t.Error("a country that does not exist")
	}
	c, err := f.update(ref, cart.Change{Country: pointer("")}, 0)
	if got := taxesOf(c); err != nil || got != "VAT DE 19 taxed;" || c.Totals.Tax.Amount != 190 {
		t.Errorf("nothing known: %s, %v", got, err)
	}
	f.Exec(t, `update variants set tax_class = 'books'`)
	if got := taxesOf(f.read(ref)); got != "Reduced DE 7 taxed;" {
		t.Errorf("a book: %s", got)
	}
	york := &address.Address{Name: "Ada Example", Line1: "1", City: "New York", Region: "New York", PostalCode: "10001", Country: "US"}
	if c, err = f.update(ref, cart.Change{ShippingAddress: &york}, 0); err != nil || c.Estimated() || c.ShippingAddress.Region != "NY" {
		t.Fatalf("to New York: %+v, %v", c, err)
	}
	if got := taxesOf(c); got != "City US-NY 5 taxed;State US-NY 4 taxed;" || c.Totals.Total.Amount != 1190 {
		t.Errorf("in New York: %s, %+v", got, c.Totals)
	}
	york.PostalCode = "14201"
	if c, err = f.update(ref, cart.Change{ShippingAddress: &york}, 0); err != nil || taxesOf(c) != "State US-NY 4 taxed;" {
		t.Errorf("in Buffalo: %s, %v", taxesOf(c), err)
	}
}

func TestReverseCharge(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1200, Stock: 10})
	f.rate("TVA", "FR", "", "", "", 20, false)
	_, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 3}}})
	paris := &address.Address{Name: "Ada Example", Line1: "1", City: "Paris", PostalCode: "75001", Country: "FR"}
	bill := *paris
	bill.TaxID = "FR XX 123 456 789"
	billing := &bill
	c, err := f.update(ref, cart.Change{ShippingAddress: &paris, MethodID: &f.Standard}, 0)
	if err != nil || c.Totals.Total.Amount != 3600+490 || c.Totals.Tax.Amount != 600+82 || !c.PricesIncludeTax {
		t.Fatalf("a person: %+v, %v", c.Totals, err)
	}
	// 12.00 is 10.00 without 20 %, and 4.90 is 4.08.
	c, err = f.update(ref, cart.Change{BillingAddress: &billing}, 0)
	if err != nil || c.Totals.Total.Amount != 3000+408 || c.Totals.Tax.Amount != 0 || c.PricesIncludeTax || c.Lines[0].Unit.Amount != 1000 {
		t.Fatalf("a company: %+v, %v", c.Totals, err)
	}
	if got := taxesOf(c); got != "TVA FR 0 reverse_charge;" || c.Totals.Taxes[0].Reason != pricing.ReverseCharge || c.Totals.Taxes[0].Taxable.Amount != 3408 {
		t.Errorf("its taxes: %s, %+v", got, c.Totals.Taxes)
	}
	bill.TaxID = "FR12"
	_, err = f.update(ref, cart.Change{BillingAddress: &billing}, 0)
	f.want(err, "details_invalid")
	to := &berlin
	if c, err = f.update(ref, cart.Change{ShippingAddress: &to}, 0); err != nil || c.Totals.Tax.Amount != 575+78 {
		t.Errorf("the company, but at the shop's home: %+v, %v", c.Totals, err)
	}
}

func TestExempt(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1190, Stock: 10})
	f.Exec(t, `insert into customers (id, email, tax_exempt_reason) values ('cus_1', 'ada@example.com', 'a school')`)
	c, _ := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}, CustomerID: "cus_1"})
	if got := taxesOf(c); got != "VAT DE 0 customer_exempt;" || c.TaxExemptReason != "a school" || c.Totals.Total.Amount != 1000 {
		t.Errorf("a school: %s, %+v", got, c.Totals)
	}
	// A guest who only says to be them is taxed.
	c, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}, Email: "ada@example.com"})
	if c.Totals.Total.Amount != 1190 || c.TaxExemptReason != "" {
		t.Errorf("a guest: %+v", c.Totals)
	}
	exempt := func(reason string, version int) (*cart.Cart, error) {
		return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Exempt(ctx, tx, ref.ID, reason, version)
		})
	}
	_, err := exempt("an embassy", c.Version+1)
	f.want(err, "stale")
	if c, err = exempt("an embassy", c.Version); err != nil || c.TaxExemptReason != "an embassy" || c.Totals.Total.Amount != 1000 {
		t.Errorf("an embassy: %+v, %v", c, err)
	}
	if staff, err := f.carts.StaffRead(f.Ctx, ref.ID); err != nil || staff.Version != c.Version || staff.Totals.Total != c.Totals.Total {
		t.Errorf("as the staff sees it: %+v, %v", staff, err)
	}
	if c, err = exempt("", 0); err != nil || c.Totals.Total.Amount != 1190 {
		t.Errorf("no embassy: %+v, %v", c, err)
	}
	f.Exec(t, `update carts set state = 'completed'`)
	_, err = exempt("too late", 0)
	f.want(err, "cart_completed")
	ref.ID = ids.New("cart")
	_, err = exempt("nothing there", 0)
	f.want(err, "not_found")
}
