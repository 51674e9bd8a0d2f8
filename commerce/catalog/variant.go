package catalog

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
)

// Price is what a variant costs in one currency, in its minor unit. CompareAt is the
// former price that is shown struck through, if any.
type Price struct {
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
	CompareAt *int64 `json:"compare_at_amount"`
}

// maxAmount bounds prices, so that sums over an order stay far from overflowing.
const maxAmount = 999_999_999_999

// VariantInput is a variant to be made. NewVariant gives the usual one.
type VariantInput struct {
	SKU, Barcode string
	Choices      []string // one of each option's
	Prices       []Price
	TrackStock   bool
	Oversell     bool
	Stock        int64
	WeightGrams  *int
	Dimensions
	NetContent       *NetContent
	Cost             *money.Money // what one costs the merchant
	RequiresShipping bool
	Taxable          bool
	TaxClass         string // the standard one when empty
	ImageID          ImageID
	CustomFields     fields.Values
}

// Dimensions are how large a thing is, in millimetres; nil is not known.
type Dimensions struct {
	Length *int `bun:"length_mm" json:"length_mm"`
	Width  *int `bun:"width_mm" json:"width_mm"`
	Height *int `bun:"height_mm" json:"height_mm"`
}

// told is the variant in the words of the contract, for the audit.
func (v *variant) told() any {
	return struct {
		*variant
		Cost         *money.Money `json:"cost"`
		CostAmount   string       `json:"cost_amount,omitempty"`
		CostCurrency string       `json:"cost_currency,omitempty"`
	}{v, v.cost(), "", ""}
}

// NewVariant is a variant as it is when nothing is said of it.
func NewVariant() VariantInput {
	return VariantInput{TrackStock: true, RequiresShipping: true, Taxable: true}
}

// VariantPatch changes a variant; what is nil stays. An empty text or an invalid Null
// removes what may be missing. Stock changes by package inventory only.
type VariantPatch struct {
	SKU, Barcode     *string
	Choices          []string
	Prices           []Price
	TrackStock       *bool
	Oversell         *bool
	WeightGrams      *sql.Null[int]
	Length           *sql.Null[int]
	Width            *sql.Null[int]
	Height           *sql.Null[int]
	NetContent       *sql.Null[NetContent]
	Cost             *sql.Null[money.Money]
	RequiresShipping *bool
	Taxable          *bool
	TaxClass         *string
	ImageID          *ImageID
	Position         *int
	CustomFields     fields.Values // merged
}

// variant is a row of variants without its stock, and what the audit keeps of one.
type variant struct {
	bun.BaseModel `bun:"table:variants,alias:v" json:"-"`

	ID          VariantID `bun:"id,pk" json:"id"`
	ProductID   ProductID `bun:"product_id" json:"product_id"`
	Position    int       `bun:"position" json:"position"`
	Title       string    `bun:"title" json:"title"`
	Choices     []string  `bun:"options,array" json:"option_values"`
	SKU         string    `bun:"sku,nullzero" json:"sku"`
	Barcode     string    `bun:"barcode" json:"barcode"`
	WeightGrams *int      `bun:"weight_grams" json:"weight_grams"`
	Dimensions
	NetContent       *NetContent   `bun:"net_content,type:jsonb" json:"net_content"`
	CostAmount       *int64        `bun:"cost_amount" json:"cost_amount"`
	CostCurrency     string        `bun:"cost_currency,nullzero" json:"cost_currency"`
	ImageID          ImageID       `bun:"image_id,nullzero" json:"image_id,omitempty"`
	RequiresShipping bool          `bun:"requires_shipping" json:"requires_shipping"`
	Taxable          bool          `bun:"taxable" json:"taxable"`
	TaxClass         string        `bun:"tax_class" json:"tax_class,omitempty"`
	TrackStock       bool          `bun:"track_stock" json:"track_inventory"`
	Oversell         bool          `bun:"oversell" json:"allow_backorder"`
	CustomFields     fields.Values `bun:"custom_fields,type:jsonb" json:"custom_fields,omitempty"`
	Version          int           `bun:"version" json:"-"`
	CreatedAt        time.Time     `bun:"created_at" json:"-"`
	UpdatedAt        time.Time     `bun:"updated_at" json:"-"`

	Prices []Price `bun:"-" json:"prices"`
}

// newVariant is the row of a variant to be made.
func newVariant(productID ProductID, position int, in VariantInput) *variant {
	now := clock.Now()
	v := &variant{
		ID: VariantID(ids.New("var")), ProductID: productID, Position: position, Choices: slices.Clone(in.Choices),
		SKU: in.SKU, Barcode: in.Barcode, WeightGrams: in.WeightGrams, Dimensions: in.Dimensions, NetContent: in.NetContent, ImageID: in.ImageID, RequiresShipping: in.RequiresShipping,
		Taxable: in.Taxable, TaxClass: in.TaxClass, TrackStock: in.TrackStock, Oversell: in.Oversell, Version: 1, CreatedAt: now, UpdatedAt: now,
		Prices: in.Prices, CustomFields: fields.Values{},
	}
	v.costs(in.Cost)
	return v
}

// costs notes what one costs the merchant; nil is not known.
func (v *variant) costs(cost *money.Money) {
	v.CostAmount, v.CostCurrency = nil, ""
	if cost != nil {
		v.CostAmount, v.CostCurrency = &cost.Amount, cost.Currency
	}
}

// variant tidies a variant's texts and says what is wrong with it.
func (c checker) variant(v *variant, options []Option, at string) {
	c.line(&v.SKU, at+"/sku", 0, maxName)
	c.line(&v.Barcode, at+"/barcode", 0, maxName)
	if v.Choices == nil {
		v.Choices = []string{}
	}
	for i := range v.Choices {
		v.Choices[i] = strings.TrimSpace(v.Choices[i])
	}
	c.fits(options, v.Choices, at+"/option_values")
	v.Title = titleOf(v.Choices)
	c.measure(v.WeightGrams, at+"/weight_grams", 100_000_000)
	c.measure(v.Length, at+"/length_mm", maxLength)
	c.measure(v.Width, at+"/width_mm", maxLength)
	c.measure(v.Height, at+"/height_mm", maxLength)
	c.netContent(v.NetContent, at+"/net_content")
	if v.CostAmount != nil {
		c.amount(*v.CostAmount, at+"/cost/amount")
		c.currency(v.CostCurrency, at+"/cost/currency")
	}
	c.prices(v.Prices, at+"/prices")
}

// maxLength bounds lengths: a hundred metres.
const maxLength = 100_000

// measure checks a weight or a length; nil is not known.
func (c checker) measure(n *int, at string, most int) {
	if n != nil && (*n < 0 || *n > most) {
		c.wrong.At(at, "out_of_range", "It is 0 to %d.", most)
	}
}

func (c checker) amount(amount int64, at string) {
	if amount < 0 || amount > maxAmount {
		c.wrong.At(at, "out_of_range", "A price is 0 to %d.", maxAmount)
	}
}

func (c checker) currency(currency, at string) {
	if !money.Known(currency) {
		c.wrong.At(at, "currency", "There is no currency %q.", currency)
	}
}

func (c checker) prices(prices []Price, at string) {
	seen := map[string]bool{}
	for i, price := range prices {
		place := fmt.Sprintf("%s/%d", at, i)
		c.currency(price.Currency, place+"/currency")
		if seen[price.Currency] {
			c.wrong.At(place+"/currency", "repeated", "There is another price in %s.", price.Currency)
		}
		seen[price.Currency] = true
		c.amount(price.Amount, place+"/amount")
		if price.CompareAt != nil {
			c.amount(*price.CompareAt, place+"/compare_at_amount")
		}
	}
}

// stock checks the first stock of a variant.
func (c checker) stock(in VariantInput, at string) {
	if in.Stock > inventory.MostStock || in.Stock < -inventory.MostStock || in.Stock < 0 && in.TrackStock && !in.Oversell {
		c.wrong.At(at+"/stock_quantity", "out_of_range", "There cannot be %d.", in.Stock)
	}
}

// distinct checks that no two variants are the same choices.
func (c checker) distinct(variants []*variant, at func(i int) string) {
	seen := map[string]bool{}
	for i, v := range variants {
		key := strings.Join(v.Choices, "\x00")
		if seen[key] {
			c.wrong.At(at(i), "repeated", "There is another variant of the same choices.")
		}
		seen[key] = true
	}
}

// titleOf is what a variant is called.
func titleOf(choices []string) string {
	if len(choices) == 0 {
		return "Default"
	}
	return strings.Join(choices, " / ")
}
