package cart

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/money"
)

// document is a cart as a statement gives it; see selectDocument.
type document struct {
	ID               string           `json:"id"`
	State            State            `json:"state"`
	Version          int              `json:"version"`
	Seen             *int             `json:"seen"`
	WasNobodys       *bool            `json:"was_nobodys"` // null of a cart that was not there
	Was              former           `json:"was"`
	Changed          int              `json:"changed"`
	ReservedUntil    *time.Time       `json:"reserved_until"`
	AbandonedMinutes int              `json:"abandoned_minutes"`
	Currency         string           `json:"currency"`
	CustomerID       string           `json:"customer_id"`
	Email            string           `json:"email"`
	ShippingAddress  *address.Address `json:"shipping_address"`
	BillingAddress   *address.Address `json:"billing_address"`
	MethodID         string           `json:"method_id"`
	Note             string           `json:"note"`
	Country          string           `json:"country"`
	Locale           string           `json:"locale"`
	PricesIncludeTax bool             `json:"prices_include_tax"`
	CreatedAt        time.Time        `json:"created_at"`
	UpdatedAt        time.Time        `json:"updated_at"`
	ExpiresAt        time.Time        `json:"expires_at"`
	Order            *struct {
		ID               string               `json:"id"`
		PricesIncludeTax bool                 `json:"prices_include_tax"`
		Subtotal         int64                `json:"subtotal"`
		Discount         int64                `json:"discount"`
		Shipping         int64                `json:"shipping"`
		Tax              int64                `json:"tax"`
		Total            int64                `json:"total"`
		Taxes            []pricing.TaxAmount  `json:"taxes"`
		Discounts        []promotions.Applied `json:"discounts"`
	} `json:"order"`
	Methods []struct {
		ID          string           `json:"id"`
		Name        string           `json:"name"`
		Description string           `json:"description"`
		Pickup      *address.Address `json:"pickup_address"`
		Usable      bool             `json:"usable"`
		Carrier     rates.ServiceID  `json:"carrier"`
		Rate        string           `json:"rate"`
		methodRates
	} `json:"methods"`
	TaxService rates.ServiceID   `json:"tax_service"`
	Quotes     answers           `json:"quotes"`
	Tax        taxation          `json:"tax"`
	Draft      *Draft            `json:"draft"`
	Codes      []string          `json:"codes"`
	Coded      int               `json:"coded"`
	Credits    []documentCredit  `json:"credits"`
	Carded     int               `json:"carded"`
	Promotions []promotions.Open `json:"promotions"`
	Buyer      promotions.Buyer  `json:"buyer"`
	Lines      []documentLine    `json:"lines"`
}

type documentLine struct {
	ID           string          `json:"id"`
	ProductID    string          `json:"product_id"`
	VariantID    string          `json:"variant_id"`
	Handle       string          `json:"handle"`
	Title        string          `json:"title"`
	VariantTitle string          `json:"variant_title"`
	SKU          string          `json:"sku"`
	Sizes        json.RawMessage `json:"sizes"`
	Quantity     int64           `json:"quantity"`
	Shown        int64           `json:"shown"`
	Amount       *int64          `json:"amount"`
	PriceList    *PriceList      `json:"price_list"`
	Sold         *struct {
		Unit      int64                `json:"unit"`
		PriceList *PriceList           `json:"price_list"`
		Discount  int64                `json:"discount"`
		Discounts []promotions.Applied `json:"discounts"`
	} `json:"sold"`
	Agreed           *Agreed           `json:"agreed"`
	Collections      []string          `json:"collections"`
	Tags             []string          `json:"tags"`
	Active           bool              `json:"active"`
	TaxClass         string            `json:"tax_class"`
	Taxable          bool              `json:"taxable"`
	RequiresShipping bool              `json:"requires_shipping"`
	TrackStock       bool              `json:"track_stock"`
	There            int64             `json:"there"`
	Beyond           *int64            `json:"beyond"`
	ExpectedOn       string            `json:"expected_on"`
	Attributes       map[string]string `json:"attributes"`
	Grams            int64             `json:"grams"`
}

// parse makes a cart of what a statement gave, and of what services said since.
func parse(raw []byte, since answers) (*Cart, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("read a cart: %w", err)
	}
	c := &Cart{
		ID: d.ID, State: d.State, Version: d.Version, Currency: d.Currency, CustomerID: d.CustomerID, Email: d.Email,
		ShippingAddress: d.ShippingAddress, BillingAddress: d.BillingAddress, MethodID: d.MethodID, Note: d.Note,
		Country: d.Country, Locale: d.Locale, Draft: d.Draft, TaxExemptReason: d.Tax.Exempt, PricesIncludeTax: d.PricesIncludeTax, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, ExpiresAt: d.ExpiresAt,
		ReservedUntil: d.ReservedUntil, patience: time.Duration(d.AbandonedMinutes) * time.Minute, tax: d.Tax, buyer: d.Buyer, coded: d.Coded, carded: d.Carded,
		changed: d.Changed, begun: d.Email != "" && (d.WasNobodys == nil || *d.WasNobodys), was: d.Was,
	}
	if c.behind = 1; d.Seen != nil {
		c.behind = d.Version - *d.Seen
	}
	c.quoting = quoting{service: d.TaxService, kept: d.Quotes, now: clock.Now()}
	maps.Copy(c.quoting.kept, since)
	c.tax.company = company(c.BillingAddress, c.ShippingAddress)
	for _, m := range d.Methods {
		c.methods = append(c.methods, Method{
			ID: m.ID, Name: m.Name, Description: m.Description, Pickup: m.Pickup, Usable: m.Usable, serves: m.Usable, Price: money.Zero(d.Currency), rates: m.methodRates,
			carrier: m.Carrier, rate: m.Rate,
		})
	}
	for _, open := range d.Promotions {
		c.rules = append(c.rules, open.Named())
	}
	for _, code := range d.Codes {
		c.Codes = append(c.Codes, Code{Code: code})
	}
	for _, line := range d.Lines {
		l, err := line.line(d.Currency)
		if err != nil {
			return nil, err
		}
		c.Lines = append(c.Lines, l)
	}
	c.count()
	if d.Order == nil {
		if err := c.price(); err != nil {
			return nil, err
		}
		c.spend(d.Credits)
		return c, nil
	}
	o := d.Order
	amount := func(n int64) money.Money { return money.New(n, d.Currency) }
	c.OrderID, c.PricesIncludeTax, c.Discounts = o.ID, o.PricesIncludeTax, o.Discounts
	c.tellCodes(nil)
	c.Totals = pricing.Totals{
		Subtotal: amount(o.Subtotal), Discount: amount(o.Discount), Shipping: pricing.LineTotal{Subtotal: amount(o.Shipping)},
		Tax: amount(o.Tax), Total: amount(o.Total), Taxes: o.Taxes,
	}
	c.spend(d.Credits)
	if len(c.methods) == 1 && c.methods[0].ID == c.MethodID {
		c.Method = &c.methods[0]
		c.Method.Price = amount(o.Shipping)
	}
	if _, agreed := c.sendAsAgreed(nil); agreed {
		c.Method.Price = amount(o.Shipping)
	}
	return c, nil
}

func (d documentLine) line(currency string) (Line, error) {
	l := Line{
		ID: d.ID, ProductID: d.ProductID, VariantID: d.VariantID, Handle: d.Handle, Title: d.Title, VariantTitle: d.VariantTitle,
		SKU: d.SKU, Quantity: d.Quantity, Shown: money.New(d.Shown, currency), Unit: money.New(d.Shown, currency),
		Taxable: d.Taxable, TaxClass: d.TaxClass, RequiresShipping: d.RequiresShipping, TracksStock: d.TrackStock,
		Attributes: d.Attributes, Agreed: d.Agreed, collections: d.Collections, tags: d.Tags, grams: d.Grams, there: d.There, left: math.MaxInt64,
	}
	if d.Beyond != nil {
		l.left = max(d.There+*d.Beyond, 0)
	}
	if d.ExpectedOn != "" {
		var err error
		if l.expectedOn, err = time.Parse(time.DateOnly, d.ExpectedOn); err != nil {
			return l, fmt.Errorf("line %s: %w", l.ID, err)
		}
	}
	if a := d.Agreed; a != nil && d.VariantID == "" {
		l.Title, l.SKU, l.RequiresShipping, l.Taxable, l.TaxClass, l.grams = a.Title, a.SKU, a.RequiresShipping, a.Taxable, a.TaxClass, a.Grams
		l.left = math.MaxInt64
	}
	// What a merchant agreed on is for sale to its shopper, whether or not to others.
	l.amounts = d.Amount != nil
	l.offered = d.Agreed != nil || d.Active && l.amounts
	switch {
	case d.Sold != nil:
		l.Unit.Amount, l.PriceList, l.sold, l.Discounts = d.Sold.Unit, d.Sold.PriceList, true, d.Sold.Discounts
		l.Subtotal, l.Discount = money.New(l.Unit.Amount*l.Quantity, currency), money.New(d.Sold.Discount, currency)
		l.Total = money.New(l.Subtotal.Amount-l.Discount.Amount, currency)
	case d.Amount != nil && d.Agreed == nil:
		l.Unit.Amount, l.PriceList = *d.Amount, d.PriceList
	}
	var err error
	l.ImageKey, err = imageKey(d.Sizes)
	return l, err
}

// imageWidth is how wide a line's picture should be at least.
const imageWidth = 200

// imageKey picks the smallest of a picture's sizes that is wide enough.
func imageKey(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var sizes []struct {
		Width int    `json:"width"`
		Key   string `json:"key"`
	}
	if err := json.Unmarshal(raw, &sizes); err != nil {
		return "", fmt.Errorf("sizes of a picture: %w", err)
	}
	key, width := "", 0
	for _, size := range sizes {
		better := size.Width > width
		if width >= imageWidth {
			better = size.Width >= imageWidth && size.Width < width
		}
		if better {
			key, width = size.Key, size.Width
		}
	}
	return key, nil
}
