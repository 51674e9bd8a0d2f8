package storefront

import (
	"strings"

	"github.com/stoacommerce/stoa/platform/money"
)

// What the shop's reads give, in the contract's form; see commerce/catalog.

type product struct {
	ID             string       `json:"id"`
	Handle         string       `json:"handle"`
	Title          string       `json:"title"`
	Description    string       `json:"description_html"`
	Vendor         string       `json:"vendor"`
	CategoryID     string       `json:"category_id"`
	SEOTitle       string       `json:"seo_title"`
	SEODescription string       `json:"seo_description"`
	From           *money.Money `json:"price_from"`
	To             *money.Money `json:"price_to"`
	Available      bool         `json:"available"`
	Options        []option     `json:"options"`
	Variants       []variant    `json:"variants"`
	Images         []picture    `json:"images"`
	Rating         *rating      `json:"rating"`

	Fields map[string]customField `json:"custom_fields"`
}

// rating is what the reviews of a product come to.
type rating struct {
	Average string `json:"average"`
	Count   int64  `json:"count"`
}

type option struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

type variant struct {
	ID        string       `json:"id"`
	Title     string       `json:"title"`
	SKU       string       `json:"sku"`
	Values    []string     `json:"option_values"`
	Price     *money.Money `json:"price"`
	CompareAt *money.Money `json:"compare_at_price"`
	Lowest    *money.Money `json:"lowest_price_30d"`
	Breaks    []priceBreak `json:"price_breaks"`
	UnitPrice *unitPrice   `json:"unit_price"`
	Available bool         `json:"available"`
	Expected  string       `json:"backorder_expected_on"`
	ImageID   string       `json:"image_id"`

	Fields map[string]customField `json:"custom_fields"`
}

// unitPrice is what one of a unit costs.
type unitPrice struct {
	Price money.Money `json:"price"`
	Unit  string      `json:"unit"`
}

// priceBreak is what each costs from a quantity on.
type priceBreak struct {
	MinQuantity int         `json:"min_quantity"`
	Price       money.Money `json:"price"`
}

type picture struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Alt    string `json:"alt"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Sizes  []size `json:"sizes"`
}

type size struct {
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

type category struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Handle         string `json:"handle"`
	Description    string `json:"description"`
	SEOTitle       string `json:"seo_title"`
	SEODescription string `json:"seo_description"`
	ParentID       string `json:"parent_id"`
	Position       int    `json:"position"`
}

type collection struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Handle         string `json:"handle"`
	Description    string `json:"description_html"`
	SEOTitle       string `json:"seo_title"`
	SEODescription string `json:"seo_description"`
}

// about is what a store says of itself.
type about struct {
	Name              string   `json:"name"`
	Description       string   `json:"description"`
	ContactEmail      string   `json:"contact_email"`
	Country           string   `json:"country"`
	Locales           []string `json:"locales"` // the store's own first
	Currency          string   `json:"currency"`
	Currencies        []string `json:"currencies"`         // the main one first
	ShippingCountries []string `json:"shipping_countries"` // empty for all
	PricesIncludeTax  bool     `json:"prices_include_tax"`
	AccentColor       string   `json:"accent_color"`
	AcceptsOrders     bool     `json:"accepts_orders"`

	PaymentOptions []paymentOption `json:"payment_options"`
}

// paymentOption is a way to pay that the shop offers.
type paymentOption struct {
	Provider string `json:"provider"`
	Token    string `json:"token"`
	Name     string `json:"name"`
}

// Value names the option in a form.
func (o paymentOption) Value() string { return o.Provider + ":" + o.Token }

// sale is the cheapest variant if it is reduced, so that all that can be shown as the
// product's price is.
func (p *product) sale() *variant {
	for i, v := range p.Variants {
		if v.CompareAt != nil && v.Price != nil && p.From != nil && v.Price.Amount == p.From.Amount {
			return &p.Variants[i]
		}
	}
	return nil
}

// cheapest is the variant that the product's lowest price is of.
func (p *product) cheapest() *variant {
	for i, v := range p.Variants {
		if v.Price != nil && p.From != nil && v.Price.Amount == p.From.Amount {
			return &p.Variants[i]
		}
	}
	return nil
}

// ranges says whether the variants cost differently.
func (p *product) ranges() bool { return p.From != nil && p.To != nil && p.From.Amount != p.To.Amount }

// variant is the one with this ID, or nil.
func (p *product) variant(id string) *variant {
	for i := range p.Variants {
		if p.Variants[i].ID == id {
			return &p.Variants[i]
		}
	}
	return nil
}

// first is the variant to begin with: the first that can be bought.
func (p *product) first() *variant {
	for i := range p.Variants {
		if p.Variants[i].Available {
			return &p.Variants[i]
		}
	}
	if len(p.Variants) > 0 {
		return &p.Variants[0]
	}
	return nil
}

// with is the variant that differs from the chosen one in one option alone; where there
// is none, one with that choice which can be bought, or any.
func (p *product) with(chosen *variant, optionAt int, value string) (v *variant, exact bool) {
	var other *variant
	for i := range p.Variants {
		v := &p.Variants[i]
		if optionAt >= len(v.Values) || v.Values[optionAt] != value {
			continue
		}
		same := chosen != nil
		for j, given := range v.Values {
			if j != optionAt && same && (j >= len(chosen.Values) || chosen.Values[j] != given) {
				same = false
			}
		}
		if same {
			return v, true
		}
		if other == nil || !other.Available && v.Available {
			other = v
		}
	}
	return other, false
}

// gallery are the pictures with the variant's own first.
func (p *product) gallery(v *variant) []picture {
	if v == nil || v.ImageID == "" {
		return p.Images
	}
	out := make([]picture, 0, len(p.Images))
	for _, i := range p.Images {
		if i.ID == v.ImageID {
			out = append([]picture{i}, out...)
		} else {
			out = append(out, i)
		}
	}
	return out
}

// plain is the description without its markup, shortened for search engines.
func (p *product) plain() string {
	if p.SEODescription != "" {
		return p.SEODescription
	}
	return shorten(stripTags(p.Description), 160)
}

// stripTags is the text of clean HTML, well enough for a summary.
func stripTags(html string) string {
	var b strings.Builder
	inTag := false
	for _, c := range html {
		switch {
		case c == '<':
			inTag = true
			b.WriteByte(' ')
		case c == '>':
			inTag = false
		case !inTag:
			b.WriteRune(c)
		}
	}
	return strings.Join(strings.Fields(unescape.Replace(b.String())), " ")
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&#34;", `"`, "&nbsp;", " ", "&amp;", "&")

// shorten cuts a text at a word's end.
func shorten(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	cut := string(letters[:most])
	if i := strings.LastIndexByte(cut, ' '); i > most/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,.;:–-") + "…"
}
