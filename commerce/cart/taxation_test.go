package cart

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
)

func told(taxes []pricing.Tax) string {
	var all []string
	for _, tax := range taxes {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", tax.Name, tax.Jurisdiction, tax.Rate, tax.Reason)))
	}
	return strings.Join(all, ", ")
}

// The narrowest area counts, with the wider ones where it is combinable, and in each the
// goods' own class before none.
func TestTaxesOfGoods(t *testing.T) {
	rate := func(name, class string, width int, percent int64, combinable bool) taxRate {
		return taxRate{Name: name, Class: class, Width: width, Rate: money.BasisPoints(percent * 100), Combinable: combinable, Shipping: true}
	}
	america := taxation{Home: "US", Country: "US", Region: "NY", Rates: []taxRate{
		rate("Federal", "", 2, 1, false), rate("State", "", 1, 4, false), rate("State food", "food", 1, 0, false),
		rate("City", "", 0, 5, true), rate("District", "", 0, 1, true),
	}}
	canaries := taxation{Home: "ES", Country: "ES", Rates: []taxRate{
		rate("IVA", "", 2, 21, false), rate("IVA", "reduced", 2, 10, false), rate("IGIC", "", 0, 7, false), rate("IGIC again", "", 0, 8, false),
	}}
	company := canaries
	company.Home, company.company = "DE", "FR"
	for name, c := range map[string]struct {
		of      taxation
		class   string
		taxable bool
		want    string
	}{
		"state, city and district":     {america, "", true, "City US-NY 5% taxed, District US-NY 1% taxed, State US-NY 4% taxed"},
		"a class of the state alone":   {america, "food", true, "City US-NY 5% taxed, District US-NY 1% taxed, State food US-NY 0% zero_rated"},
		"a class that nobody knows":    {america, "books", true, "City US-NY 5% taxed, District US-NY 1% taxed, State US-NY 4% taxed"},
		"not taxable":                  {america, "food", false, "City US-NY 0% product_exempt, District US-NY 0% product_exempt, State food US-NY 0% product_exempt"},
		"postal codes take the place":  {canaries, "reduced", true, "IGIC ES 7% taxed"},
		"no rate":                      {taxation{Home: "DE", Country: "CH"}, "", true, "CH 0% not_collecting"},
		"a company elsewhere":          {company, "", true, "IGIC ES 7% reverse_charge"},
		"a company at home":            {taxation{Home: "FR", Country: "DE", company: "FR"}, "", true, "DE 0% not_collecting"},
		"a company, and goods at home": {taxation{Home: "DE", Country: "DE", company: "FR"}, "", true, "DE 0% not_collecting"},
		"a company, no rate":           {taxation{Home: "DE", Country: "IT", company: "FR"}, "", true, "VAT IT 0% reverse_charge"},
		"a company outside":            {taxation{Home: "DE", Country: "CH", company: "FR"}, "", true, "CH 0% not_collecting"},
		"a shop outside":               {taxation{Home: "CH", Country: "DE", company: "FR"}, "", true, "DE 0% not_collecting"},
		"exempt":                       {taxation{Home: "US", Country: "US", Exempt: "a school", Rates: america.Rates[:1]}, "", true, "Federal US 1% customer_exempt"},
	} {
		if got := told(c.of.goods(c.class, c.taxable)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	canaries.Rates[2].Shipping = false
	for of, want := range map[*taxation]string{&america: "City US-NY 5% taxed, District US-NY 1% taxed, State US-NY 4% taxed", &canaries: "IGIC again ES 8% taxed"} {
		if got := told(of.shipping()); got != want {
			t.Errorf("shipping: %s, want %s", got, want)
		}
	}
}
