package cart

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// maxNote is how many characters a note has at most.
const maxNote = 2000

// validate finds everything wrong with what is put into a cart.
func validate(items []Item, email, country string) error {
	p := problem.New(problem.Unprocessable, "details_invalid", "The cart cannot be like this.")
	for _, item := range items {
		if item.Quantity < 1 || item.Quantity > MaxQuantity {
			p.At(item.At+"/quantity", "range", "The quantity is from 1 to %d.", MaxQuantity)
		}
		CheckAttributes(p, item.At+"/attributes", item.Attributes)
	}
	if email != "" && !address.ValidEmail(email) {
		p.At("/email", "email", "This is not an e-mail address.")
	}
	if country != "" && !address.Known(country) {
		p.At("/country", "country", "There is no country with this code.")
	}
	if len(items) > MaxLines {
		p.At("/lines", "maxItems", "A cart has at most %d lines.", MaxLines)
	}
	return p.OrNil()
}

// The bounds of a line's attributes.
const (
	maxAttributes = 20
	maxAttribute  = 64  // characters of a name
	maxValue      = 500 // characters of a value
)

// CheckAttributes finds what is wrong with what is said of a line.
func CheckAttributes(p *problem.Problem, at string, attributes map[string]string) {
	if len(attributes) > maxAttributes {
		p.At(at, "maxProperties", "A line has at most %d attributes.", maxAttributes)
	}
	for name, value := range attributes {
		n := utf8.RuneCountInString(name)
		switch {
		case n == 0 || n > maxAttribute || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
			p.At(at, "attribute", "An attribute's name is one line of 1 to %d characters.", maxAttribute)
		case utf8.RuneCountInString(value) > maxValue || !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			p.At(at, "maxLength", "The value of %q is text of at most %d characters.", name, maxValue)
		}
	}
}

// fields are the columns that a change sets, as updateSQL takes them.
func (c Change) fields() (map[string]any, error) {
	p := problem.New(problem.Unprocessable, "details_invalid", "The cart cannot be like this.")
	set := map[string]any{}
	if c.Email != nil {
		email := address.Email(*c.Email)
		if email != "" && !address.ValidEmail(email) {
			p.At("/email", "email", "This is not an e-mail address.")
		}
		set["email"] = email
	}
	if c.Note != nil {
		if n := utf8.RuneCountInString(*c.Note); n > maxNote || !utf8.ValidString(*c.Note) || strings.ContainsRune(*c.Note, 0) {
			p.At("/note", "maxLength", "It is text of at most %d characters.", maxNote)
		}
		set["note"] = *c.Note
	}
	if c.Country != nil {
		if *c.Country != "" && !address.Known(*c.Country) {
			p.At("/country", "country", "There is no country with this code.")
		}
		set["country"] = *c.Country
	}
	if c.Locales != nil {
		set["locales"] = c.Locales
	}
	if c.UseStoreCredit != nil {
		set["use_store_credit"] = *c.UseStoreCredit
	}
	if c.MethodID != nil {
		set["shipping_method_id"] = *c.MethodID
	}
	for name, value := range map[string]**address.Address{"shipping_address": c.ShippingAddress, "billing_address": c.BillingAddress} {
		if value == nil {
			continue
		}
		if *value == nil {
			set[name] = nil
			continue
		}
		trimmed := (*value).Trim()
		trimmed.Check(p, "/"+name)
		set[name] = trimmed
	}
	return set, p.OrNil()
}

// has finds out whether everything that was put into the cart is there, and can be bought:
// what was there already, and is not for sale any more, was left as it was.
func (c *Cart) has(items []Item) error {
	p := problem.New(problem.Unprocessable, "variant_unavailable", "Something of this cannot be bought here.")
	for _, item := range items {
		if line := c.line(item.VariantID); line == nil || !line.offered {
			p.At(item.At+"/variant_id", "variant_unavailable", "It is not for sale in %s.", c.Currency)
		}
	}
	if err := p.OrNil(); err != nil {
		return err
	}
	for _, item := range items {
		if err := c.enough(item.At+"/quantity", func(l Line) bool { return l.VariantID == item.VariantID }); err != nil {
			return err
		}
	}
	return nil
}

// enough refuses a line with more than there is.
func (c *Cart) enough(at string, chosen func(Line) bool) error {
	for _, line := range c.Lines {
		if !chosen(line) {
			continue
		}
		if line.Quantity > MaxQuantity {
			return tooMany(at)
		}
		if line.wanted > line.left {
			return problem.New(problem.Conflict, "out_of_stock", "%s", line.shortage()).
				At(at, OutOfStock, "The cart would hold %d.", line.wanted)
		}
	}
	return nil
}

func (c *Cart) line(variantID string) *Line {
	for i := range c.Lines {
		if c.Lines[i].VariantID == variantID {
			return &c.Lines[i]
		}
	}
	return nil
}

func tooMany(at string) error {
	return problem.New(problem.Unprocessable, "too_many", "There are from 1 to %d of a line.", MaxQuantity).
		At(at, "range", "The quantity is from 1 to %d.", MaxQuantity)
}

// rows are items as put takes them. IDs are drawn in their order, which is the cart's.
func rows(items []Item) string {
	type row struct {
		ID         string            `json:"id"`
		VariantID  string            `json:"variant_id"`
		Quantity   int64             `json:"quantity"`
		Attributes map[string]string `json:"attributes"`
	}
	list := make([]row, len(items))
	for i, item := range items {
		list[i] = row{ids.New("cln"), item.VariantID, item.Quantity, item.Attributes}
		if item.Attributes == nil {
			list[i].Attributes = map[string]string{}
		}
	}
	raw, _ := json.Marshal(list) // strings and numbers only
	return string(raw)
}
