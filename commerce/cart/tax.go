package cart

import (
	"slices"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
)

// taxation is what is known of how a cart is taxed. Its JSON is that of selectDocument.
type taxation struct {
	Home    string    `json:"home"` // the shop's country
	Country string    `json:"country"`
	Region  string    `json:"region"`
	Rates   []taxRate `json:"rates"`  // those that hold there, the narrowest first
	Exempt  string    `json:"exempt"` // why who buys pays no tax; empty where they do
	company string    // whose VAT number was given: a member of the European Union
}

// taxRate is a rate of the shop's own table.
type taxRate struct {
	Name       string     `json:"name"`
	Class      string     `json:"class"`
	Width      int        `json:"width"` // 0 for postal codes, 1 for a region, 2 for a country
	Rate       money.Rate `json:"rate"`
	Combinable bool       `json:"combinable"`
	Shipping   bool       `json:"shipping"`
}

// jurisdiction is whose taxes they are.
func (t taxation) jurisdiction() string {
	if t.Region != "" {
		return t.Country + "-" + t.Region
	}
	return t.Country
}

// goods are the taxes of goods of a class.
func (t taxation) goods(class string, taxable bool) []pricing.Tax {
	return t.taxes(t.apply(class, func(taxRate) bool { return true }), taxable)
}

// shipping are the taxes of sending them: the standard ones, as far as they are on shipping.
func (t taxation) shipping() []pricing.Tax {
	rates := t.apply("", func(r taxRate) bool { return r.Shipping })
	if len(rates) == 0 {
		return t.taxes(t.apply("", func(taxRate) bool { return true }), false)
	}
	return t.taxes(rates, true)
}

// apply picks the rates that count: those of the narrowest area and, as long as all of them
// are combinable, of the next wider one. In each area those of the class come before those
// of none.
func (t taxation) apply(class string, chosen func(taxRate) bool) (rates []taxRate) {
	for width := range 3 {
		var here, standard []taxRate
		for _, r := range t.Rates {
			switch {
			case r.Width != width || !chosen(r):
			case r.Class == class:
				here = append(here, r)
			case r.Class == "":
				standard = append(standard, r)
			}
		}
		if len(here) == 0 {
			here = standard
		}
		if i := slices.IndexFunc(here, func(r taxRate) bool { return !r.Combinable }); i >= 0 {
			// Where postal codes overlap there may be several; no more than one takes the place of others.
			only := here[i]
			here = slices.DeleteFunc(here, func(r taxRate) bool { return !r.Combinable })
			return append(append(rates, here...), only)
		}
		rates = append(rates, here...)
	}
	return rates
}

func (t taxation) taxes(rates []taxRate, taxable bool) []pricing.Tax {
	relief := t.relief()
	if len(rates) == 0 {
		if relief == pricing.ReverseCharge {
			return []pricing.Tax{{Name: "VAT", Jurisdiction: t.Country, Reason: relief}}
		}
		return []pricing.Tax{{Jurisdiction: t.Country, Reason: pricing.NotCollecting}}
	}
	taxes := make([]pricing.Tax, len(rates))
	for i, r := range rates {
		tax := pricing.Tax{Name: r.Name, Jurisdiction: t.Country, Rate: r.Rate, Reason: pricing.Taxed}
		if r.Width < 2 {
			tax.Jurisdiction = t.jurisdiction()
		}
		switch {
		case !taxable:
			tax.Rate, tax.Reason = 0, pricing.ProductExempt
		case relief != "":
			tax.Reason = relief
		case r.Rate == 0:
			tax.Reason = pricing.ZeroRated
		}
		taxes[i] = tax
	}
	return taxes
}

// relief is why who buys pays no tax; empty where they do. A company in another member of the
// European Union than the shop owes the tax of what goes to another member than the shop's.
func (t taxation) relief() pricing.Reason {
	switch {
	case t.Exempt != "":
		return pricing.CustomerExempt
	case t.company != "" && t.company != t.Home && t.Country != t.Home && address.InEU(t.Home) && address.InEU(t.Country):
		return pricing.ReverseCharge
	}
	return ""
}

// company is the member of the European Union whose VAT number the one who pays has given.
func company(billing, shipping *address.Address) string {
	if billing == nil {
		billing = shipping
	}
	if billing == nil {
		return ""
	}
	return address.VATCountry(billing.TaxID)
}

// relieve takes the taxes out of a price of who pays none: they buy at net prices, which
// are shown and invoiced.
func relieve(line *pricing.Line, taxIncluded bool) (err error) {
	if taxIncluded {
		if line.Unit, err = pricing.Net(line.Unit, line.Taxes); err != nil {
			return err
		}
	}
	for i := range line.Taxes {
		line.Taxes[i].Rate = 0
	}
	return nil
}
