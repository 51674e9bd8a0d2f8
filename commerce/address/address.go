// Package address is a postal address as carts, orders and customers keep it, and what
// makes one complete in its country.
package address

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Address is a postal address. Its JSON is that of the contract.
type Address struct {
	Name       string `json:"name"`
	Company    string `json:"company,omitempty"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country"`
	Phone      string `json:"phone,omitempty"`
	TaxID      string `json:"tax_id,omitempty"` // the company's: its VAT number in the European Union
}

// rule is what a country asks of its addresses.
type rule struct {
	postal string // the form of its postal codes, without spaces and dashes
	region bool   // a state, province or the like is needed
}

// rules are those of countries whose parcels come back without. Any other country's
// addresses are taken as they are.
var rules = map[string]rule{
	"AT": {postal: `\d{4}`}, "AU": {`\d{4}`, true}, "BE": {postal: `\d{4}`}, "BG": {postal: `\d{4}`},
	"BR": {`\d{8}`, true}, "CA": {`[A-Z]\d[A-Z]\d[A-Z]\d`, true}, "CH": {postal: `\d{4}`}, "CN": {`\d{6}`, true},
	"CZ": {postal: `\d{5}`}, "DE": {postal: `\d{5}`}, "DK": {postal: `\d{4}`}, "EE": {postal: `\d{5}`},
	"ES": {postal: `\d{5}`}, "FI": {postal: `\d{5}`}, "FR": {postal: `\d{5}`}, "GB": {postal: `[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}`},
	"GR": {postal: `\d{5}`}, "HR": {postal: `\d{5}`}, "HU": {postal: `\d{4}`}, "IN": {`\d{6}`, true},
	"IT": {postal: `\d{5}`}, "JP": {`\d{7}`, true}, "KR": {postal: `\d{5}`}, "LI": {postal: `\d{4}`},
	"LT": {postal: `(LT)?\d{5}`}, "LU": {postal: `(L)?\d{4}`}, "LV": {postal: `(LV)?\d{4}`}, "MX": {`\d{5}`, true},
	"NL": {postal: `\d{4}[A-Z]{2}`}, "NO": {postal: `\d{4}`}, "NZ": {postal: `\d{4}`}, "PL": {postal: `\d{5}`},
	"PT": {postal: `\d{7}`}, "RO": {postal: `\d{6}`}, "SE": {postal: `\d{5}`}, "SI": {postal: `(SI)?\d{4}`},
	"SK": {postal: `\d{5}`}, "TR": {postal: `\d{5}`}, "US": {`\d{5}(\d{4})?`, true},
}

var postal = func() map[string]*regexp.Regexp {
	forms := map[string]*regexp.Regexp{}
	for country, rule := range rules {
		forms[country] = regexp.MustCompile(`^(?:` + rule.postal + `)$`)
	}
	return forms
}()

var bare = strings.NewReplacer(" ", "", "-", "")

// Known says whether code is a country's, in upper case.
func Known(code string) bool {
	if len(code) != 2 || code != strings.ToUpper(code) {
		return false
	}
	region, err := language.ParseRegion(code)
	return err == nil && region.IsCountry() && region.String() == code
}

// Trim takes away the white space around every part, and gives region and tax number the
// form that they are compared in.
func (a Address) Trim() Address {
	for _, part := range []*string{&a.Name, &a.Company, &a.Line1, &a.Line2, &a.City, &a.Region, &a.PostalCode, &a.Country, &a.Phone, &a.TaxID} {
		*part = strings.TrimSpace(*part)
	}
	a.Region, a.TaxID = Region(a.Country, a.Region), taxID(a.TaxID)
	return a
}

// parts are an address's texts with their names and how long each may be, in characters.
func (a Address) parts() []part {
	return []part{
		{"name", a.Name, 255}, {"company", a.Company, 255}, {"line1", a.Line1, 255}, {"line2", a.Line2, 255},
		{"city", a.City, 255}, {"region", a.Region, 255}, {"postal_code", a.PostalCode, 32}, {"phone", a.Phone, 32},
		{"tax_id", a.TaxID, 32},
	}
}

type part struct {
	name, value string
	most        int
}

// Check adds to p what the address lacks or has too much of, under the JSON pointer at
// which it stands. Every part is one line: parts go onto labels and into mails' headers.
func (a Address) Check(p *problem.Problem, at string) {
	for _, part := range a.parts() {
		needed := part.name == "name" || part.name == "line1" || part.name == "city"
		switch {
		case needed && strings.TrimSpace(part.value) == "":
			p.At(at+"/"+part.name, "required", "This is needed.")
		case utf8.RuneCountInString(part.value) > part.most:
			p.At(at+"/"+part.name, "maxLength", "It has at most %d characters.", part.most)
		case !utf8.ValidString(part.value) || strings.ContainsFunc(part.value, unicode.IsControl):
			p.At(at+"/"+part.name, "characters", "It is one line of text.")
		}
	}
	if !Known(a.Country) {
		p.At(at+"/country", "country", "There is no country with this code.")
		return
	}
	if a.TaxID != "" && InEU(a.Country) && VATCountry(a.TaxID) == "" {
		p.At(at+"/tax_id", "tax_id", "This is not the VAT number of a member of the European Union. It begins with its country, such as DE123456789.")
	}
	rule, ok := rules[a.Country]
	if !ok {
		return
	}
	if rule.region && a.Region == "" {
		p.At(at+"/region", "required", "An address in this country needs its state or province.")
	}
	switch {
	case a.PostalCode == "":
		p.At(at+"/postal_code", "required", "An address in this country needs its postal code.")
	case !postal[a.Country].MatchString(bare.Replace(strings.ToUpper(a.PostalCode))):
		p.At(at+"/postal_code", "postal_code", "Postal codes of this country look different.")
	}
}
