package cart

import (
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
)

// taxes are what the place that a cart is taxed in asks for. Its JSON is that of
// selectDocument.
type taxes struct {
	Country string `json:"country"` // empty while none is known
	Rate    *struct {
		Name     string `json:"name"`
		BPS      int64  `json:"rate_bps"`
		Shipping bool   `json:"shipping"`
	} `json:"rate"`
}

// of are the taxes of goods.
func (t taxes) of(taxable bool) []pricing.Tax {
	if t.Rate == nil {
		return []pricing.Tax{{Jurisdiction: t.Country, Reason: pricing.NotCollecting}}
	}
	tax := pricing.Tax{Name: t.Rate.Name, Jurisdiction: t.Country, Rate: money.BasisPoints(t.Rate.BPS), Reason: pricing.Taxed}
	switch {
	case !taxable:
		tax.Rate, tax.Reason = 0, pricing.ProductExempt
	case tax.Rate == 0:
		tax.Reason = pricing.ZeroRated
	}
	return []pricing.Tax{tax}
}

// ofShipping are the taxes of sending them.
func (t taxes) ofShipping() []pricing.Tax { return t.of(t.Rate != nil && t.Rate.Shipping) }
