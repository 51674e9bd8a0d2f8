package drafts

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The bounds of a draft order.
const (
	maxAmount = 999_999_999_999
	maxLine   = 255 // characters of texts of one line
	maxNote   = 2000
	maxTags   = 250
)

// Discount is what is taken off: an amount or a percentage, such as "12.5".
type Discount struct {
	Reason     string
	Amount     *money.Money
	Percentage string
}

// Shipping is a way of sending that none of the store's methods is.
type Shipping struct {
	Name  string
	Price money.Money
}

// Line is so many of a variant, at its present price or at another, or of something that is
// in no catalogue.
type Line struct {
	VariantID  string
	Quantity   int64
	UnitPrice  *money.Money
	Attributes map[string]string
	Discount   *Discount

	// Of what is in no catalogue:
	Title            string
	SKU              string
	RequiresShipping *bool // as a variant, when nil
	Taxable          *bool
	TaxClass         *string
	Grams            *int64
}

// Patch is what is agreed, or changed about it; nil leaves a thing as it is. An empty text,
// and a pointer to nil, leaves it open.
type Patch struct {
	CustomerID      *string
	Email           *string
	Lines           *[]Line // all of them
	Discount        **Discount
	MethodID        *string
	Shipping        **Shipping
	ShippingAddress **address.Address
	BillingAddress  **address.Address
	Note            *string
	Tags            *[]string
	TaxExemptReason *string
	ExpiresAt       *time.Time
	ReservedUntil   **time.Time
}

// kept is a line as linesSQL takes it.
type kept struct {
	ID         string            `json:"id"`
	VariantID  *string           `json:"variant_id"`
	Quantity   int64             `json:"quantity"`
	Unit       *int64            `json:"unit"`
	Attributes map[string]string `json:"attributes"`
	Agreed     cart.Agreed       `json:"agreed"`
}

// terms are what a patch comes to, judged.
type terms struct {
	set   map[string]any // columns, as updateSQL takes them
	lines []kept
	wrong *problem.Problem
}

// judge finds everything that is wrong with a patch of a draft order, and applies it to
// what was agreed.
func (p Patch) judge(r *row) terms {
	t := terms{set: map[string]any{}, wrong: problem.New(problem.Unprocessable, "details_invalid", "The draft order cannot be like this.")}
	if p.Email != nil {
		email := address.Email(*p.Email)
		if email != "" && !address.ValidEmail(email) {
			t.wrong.At("/email", "email", "This is not an e-mail address.")
		}
		t.set["email"] = email
		fix(&r.draft, "email", email != "")
	}
	for name, value := range map[string]**address.Address{"shipping_address": p.ShippingAddress, "billing_address": p.BillingAddress} {
		if value == nil {
			continue
		}
		fix(&r.draft, name, *value != nil)
		if t.set[name] = nil; *value != nil {
			trimmed := (*value).Trim()
			trimmed.Check(t.wrong, "/"+name)
			t.set[name] = trimmed
		}
	}
	if p.Note != nil {
		if n := utf8.RuneCountInString(*p.Note); n > maxNote || !utf8.ValidString(*p.Note) || strings.ContainsRune(*p.Note, 0) {
			t.wrong.At("/note", "maxLength", "It is text of at most %d characters.", maxNote)
		}
		t.set["note"] = *p.Note
		fix(&r.draft, "note", *p.Note != "")
	}
	if p.TaxExemptReason != nil {
		t.text("/tax_exempt_reason", *p.TaxExemptReason)
		t.set["tax_exempt_reason"] = *p.TaxExemptReason
	}
	if p.Tags != nil {
		r.draft.Tags = t.tags(*p.Tags)
	}
	if p.Discount != nil {
		r.draft.Discount = t.discount("/discount", *p.Discount, r.currency)
	}
	t.sending(p, r)
	t.times(p, r)
	if p.Lines != nil {
		t.take(*p.Lines, r)
	}
	return t
}

// sending judges how it is sent: by one of the store's methods or as it was agreed.
func (t *terms) sending(p Patch, r *row) {
	if p.Shipping != nil {
		r.draft.Shipping = nil
		if s := *p.Shipping; s != nil {
			t.text("/shipping/name", s.Name)
			if strings.TrimSpace(s.Name) == "" {
				t.wrong.At("/shipping/name", "required", "It has a name.")
			}
			r.draft.Shipping = &cart.Shipping{Name: s.Name, Amount: t.amount("/shipping/price", s.Price, r.currency, 0)}
			t.set["shipping_method_id"] = ""
		}
	}
	if p.MethodID != nil {
		if t.set["shipping_method_id"] = *p.MethodID; *p.MethodID != "" {
			if p.Shipping != nil && *p.Shipping != nil {
				t.wrong.At("/shipping", "repeated", "It is sent by a method of the store, or otherwise.")
			}
			r.draft.Shipping = nil
		}
	}
	if p.Shipping != nil || p.MethodID != nil {
		fix(&r.draft, "shipping_method_id", r.draft.Shipping != nil || p.MethodID != nil && *p.MethodID != "")
	}
}

// times judges how long it can be bought, and how long its goods are kept for it.
func (t *terms) times(p Patch, r *row) {
	now := clock.Now()
	if p.ExpiresAt != nil {
		if !p.ExpiresAt.After(now) || p.ExpiresAt.After(now.Add(Longest)) {
			t.wrong.At("/expires_at", "out_of_range", "It is in the future, by at most a year.")
		}
		r.expires = *p.ExpiresAt
	}
	if p.ReservedUntil != nil && *p.ReservedUntil != nil {
		if until := **p.ReservedUntil; !until.After(now) || until.After(r.expires) {
			t.wrong.At("/reserved_until", "out_of_range", "It is in the future, and not after the draft order expires.")
		}
	}
}

// take judges lines.
func (t *terms) take(lines []Line, r *row) {
	if len(lines) < 1 || len(lines) > cart.MaxLines {
		t.wrong.At("/lines", "out_of_range", "There are 1 to %d lines.", cart.MaxLines)
	}
	r.draft.Lines = len(lines)
	t.lines = make([]kept, len(lines))
	for i, l := range lines {
		at := fmt.Sprintf("/lines/%d", i)
		k := kept{ID: ids.New("cln"), Quantity: l.Quantity, Attributes: l.Attributes}
		if k.Attributes == nil {
			k.Attributes = map[string]string{}
		}
		cart.CheckAttributes(t.wrong, at+"/attributes", k.Attributes)
		if l.Quantity < 1 || l.Quantity > cart.MaxQuantity {
			t.wrong.At(at+"/quantity", "range", "The quantity is from 1 to %d.", cart.MaxQuantity)
		}
		if l.UnitPrice != nil {
			unit := t.amount(at+"/unit_price", *l.UnitPrice, r.currency, 0)
			k.Unit = &unit
		}
		k.Agreed.Discount = t.discount(at+"/discount", l.Discount, r.currency)
		if l.VariantID != "" {
			k.VariantID = &l.VariantID
			if l.Title != "" || l.SKU != "" || l.RequiresShipping != nil || l.Taxable != nil || l.TaxClass != nil || l.Grams != nil {
				t.wrong.At(at, "repeated", "All but price and quantity is the variant's.")
			}
		} else {
			t.custom(at, l, &k)
		}
		t.lines[i] = k
	}
}

// custom judges a line of what is in no catalogue.
func (t *terms) custom(at string, l Line, k *kept) {
	if strings.TrimSpace(l.Title) == "" {
		t.wrong.At(at+"/title", "required", "It has a variant_id, or a title.")
	}
	if l.UnitPrice == nil {
		t.wrong.At(at+"/unit_price", "required", "It has a price, as it has no variant.")
	}
	t.text(at+"/title", l.Title)
	t.text(at+"/sku", l.SKU)
	k.Agreed.Title, k.Agreed.SKU, k.Agreed.RequiresShipping, k.Agreed.Taxable = strings.TrimSpace(l.Title), l.SKU, true, true
	if l.RequiresShipping != nil {
		k.Agreed.RequiresShipping = *l.RequiresShipping
	}
	if l.Taxable != nil {
		k.Agreed.Taxable = *l.Taxable
	}
	if l.TaxClass != nil {
		t.text(at+"/tax_class", *l.TaxClass)
		k.Agreed.TaxClass = *l.TaxClass
	}
	if l.Grams != nil {
		if k.Agreed.Grams = *l.Grams; k.Agreed.Grams < 0 || k.Agreed.Grams > maxGrams {
			t.wrong.At(at+"/weight_grams", "out_of_range", "It is 0 to %d.", maxGrams)
		}
	}
}

// maxGrams is what one weighs at most: a thousand tons.
const maxGrams = 1_000_000_000

// discount judges a discount.
func (t *terms) discount(at string, d *Discount, currency string) *cart.Discount {
	if d == nil {
		return nil
	}
	t.text(at+"/reason", d.Reason)
	agreed := &cart.Discount{Reason: strings.TrimSpace(d.Reason)}
	switch {
	case (d.Amount == nil) == (d.Percentage == ""):
		t.wrong.At(at, "required", "It has either an amount or a percentage.")
	case d.Amount != nil:
		agreed.Amount = t.amount(at+"/amount", *d.Amount, currency, 1)
	default:
		rate, err := money.ParsePercent(d.Percentage)
		if err != nil || rate < 1 || rate > money.BasisPoints(10_000) {
			t.wrong.At(at+"/percentage", "out_of_range", "It is more than 0, and at most 100.")
		}
		agreed.Rate = rate
	}
	return agreed
}

func (t *terms) amount(at string, m money.Money, currency string, least int64) int64 {
	if m.Currency != currency {
		t.wrong.At(at+"/currency", "currency", "The draft order is in %s.", currency)
	}
	if m.Amount < least || m.Amount > maxAmount {
		t.wrong.At(at+"/amount", "out_of_range", "It is %d to %d.", least, int64(maxAmount))
	}
	return m.Amount
}

func (t *terms) text(at, text string) {
	if utf8.RuneCountInString(text) > maxLine || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		t.wrong.At(at, "characters", "It is one line of at most %d characters.", maxLine)
	}
}

// tags are the labels without those that are there twice.
func (t *terms) tags(tags []string) []string {
	var tidy []string
	seen := map[string]bool{}
	for i, tag := range tags {
		tag = strings.TrimSpace(tag)
		if tag == "" {
			t.wrong.At(fmt.Sprintf("/tags/%d", i), "length", "A label has 1 to %d characters.", maxLine)
		}
		t.text(fmt.Sprintf("/tags/%d", i), tag)
		if !seen[tag] {
			seen[tag], tidy = true, append(tidy, tag)
		}
	}
	if len(tidy) > maxTags {
		t.wrong.At("/tags", "maxItems", "There may be %d.", maxTags)
	}
	return tidy
}
