package cart

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What a rate service said counts for a cart as long as the cart is what was asked about.
const (
	// fresh is how long: whoever reads the cart later has it asked for anew.
	fresh = 15 * time.Minute
	// good is how long the last reading may lie back, so that who has just read a cart has
	// a while to buy it as it was shown.
	good = fresh + 15*time.Minute
)

// answers are what services said of a cart, as it keeps them.
type answers map[rates.ServiceID]rates.Answer

// quoting is what services are asked of a cart and what they said.
type quoting struct {
	service  rates.ServiceID // of taxes; empty where the tables say them
	kept     answers
	now      time.Time
	asks     []rates.Question // what the next reading asks
	taxes    *rates.Answer    // nil where the tables count
	carriers answers          // those that are there
	place    bool             // it is known where parcels go
	missing  bool             // something that counts is not known yet
}

// answer is what a service said of a sale, if it is known.
func (q *quoting) answer(service rates.ServiceID, sale rates.Sale) (rates.Answer, bool) {
	a, known := q.kept[service]
	age := q.now.Sub(a.At)
	known = known && age < good && a.Digest == sale.Digest()
	if !known || age >= fresh || a.Failed && age >= rates.Pause {
		q.asks = append(q.asks, rates.Question{Service: service, Sale: sale})
	}
	return a, known
}

// consult finds out what services said of the cart as it is, and what is to be asked. That
// is nothing before an address is known: until then the tables give an estimate.
func (c *Cart) consult() {
	to, sent := c.ShippingAddress, c.RequiresShipping()
	if to == nil {
		to = c.BillingAddress
	}
	for _, m := range c.methods {
		if m.ID == c.MethodID && m.Pickup != nil && sent {
			to = m.Pickup
		}
	}
	q := &c.quoting
	if len(c.Lines) > 0 && q.service != "" && to != nil {
		a, known := q.answer(q.service, c.sale(rates.TaxKind, to))
		if known && !a.Failed {
			q.taxes = &a
		}
		q.missing = !known
	}
	if q.carriers, q.place = (answers{}), sent && c.ShippingAddress != nil; !q.place {
		return
	}
	tried := map[rates.ServiceID]bool{}
	for _, m := range c.methods {
		if m.carrier == "" || !m.serves || tried[m.carrier] {
			continue
		}
		tried[m.carrier] = true
		a, known := q.answer(m.carrier, c.sale(rates.CarrierKind, c.ShippingAddress))
		if known {
			q.carriers[m.carrier] = a
		}
	}
}

// sale is the cart as a service is told of it.
func (c *Cart) sale(kind rates.Kind, to *address.Address) rates.Sale {
	sale := rates.Sale{
		Type: kind, Currency: c.Currency, PricesIncludeTax: c.PricesIncludeTax, Origin: c.tax.Home, Lines: make([]rates.Line, len(c.Lines)),
		Destination: rates.Place{Line1: to.Line1, Line2: to.Line2, City: to.City, Region: to.Region, PostalCode: to.PostalCode, Country: to.Country},
	}
	for i, l := range c.Lines {
		sale.Lines[i] = rates.Line{
			ID: l.ID, SKU: l.SKU, Quantity: l.Quantity, UnitPrice: l.Unit, WeightGrams: l.grams,
			RequiresShipping: l.RequiresShipping, Taxable: l.Taxable, TaxClass: l.TaxClass,
		}
		if l.VariantID != "" {
			sale.Lines[i].VariantID = &l.VariantID
		}
	}
	return sale
}

// carried is what sending by a method costs that names a carrier, and whether the method
// can be used. What the tables say is given; it counts where the carrier said nothing.
func (c *Cart) carried(m *Method, amount int64, taken bool) (int64, bool) {
	a, known := c.quoting.carriers[m.carrier]
	switch {
	case !c.quoting.place || known && a.Failed:
		return amount, taken
	case !known: // it can be chosen, and what it costs is asked for
		c.quoting.missing = c.quoting.missing || m.ID == c.MethodID
		return amount, true
	}
	rate, offered := a.Rate(m.rate)
	m.Estimate = rate.Estimate
	return rate.Price.Amount, offered
}

// goodsTaxes are the taxes of a line of the cart.
func (c *Cart) goodsTaxes(l Line) []pricing.Tax {
	if c.quoting.taxes == nil {
		return c.tax.goods(l.TaxClass, l.Taxable)
	}
	return c.tax.taxes(said(c.quoting.taxes.Line(l.ID)), l.Taxable)
}

// shippingTaxes are those of sending it.
func (c *Cart) shippingTaxes() []pricing.Tax {
	if c.quoting.taxes == nil {
		return c.tax.shipping()
	}
	return c.tax.taxes(said(c.quoting.taxes.Taxes.Shipping), true)
}

// said are a service's taxes in the form of the tables'. That there is none is said too.
func said(taxes []rates.Tax) []taxRate {
	if len(taxes) == 0 {
		return []taxRate{{said: true}}
	}
	list := make([]taxRate, len(taxes))
	for i, t := range taxes {
		rate, _ := t.Rate() // an answer that is not believed is not kept
		list[i] = taxRate{Name: t.Name, Rate: rate, said: true, jurisdiction: t.Jurisdiction}
	}
	return list
}

// priced reads a cart for its shopper, and has services asked for what is not known of its
// price. That takes no transaction, and is why changes do not do so.
func (s *Service) priced(ctx context.Context, raw []byte) (*Cart, error) {
	c, err := parse(raw, nil)
	if err != nil || s.Rates == nil || c.State != Open || len(c.quoting.asks) == 0 {
		return c, err
	}
	since, err := s.Rates.Ask(ctx, c.quoting.asks)
	if err != nil {
		return nil, fmt.Errorf("ask for the price of cart %s: %w", c.ID, err)
	}
	kept, err := json.Marshal(since)
	if err != nil {
		return nil, fmt.Errorf("keep what was said of cart %s: %w", c.ID, err)
	}
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, quotedSQL, c.ID, c.Version, string(kept))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep what was said of cart %s: %w", c.ID, err)
	}
	return parse(raw, since)
}

// quotedSQL keeps what services said of the version $2 of a cart, which is no change of it.
const quotedSQL = `update carts set quotes = quotes || $3::jsonb where id = $1 and version = $2 and state = 'open'`
