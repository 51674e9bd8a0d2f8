package address

import (
	"regexp"
	"strings"
)

// vatNumbers are the forms of VAT numbers of the European Union's members, without the
// letters that each begins with: the country's, but EL of Greece.
var vatNumbers = func() map[string]*regexp.Regexp {
	forms := map[string]*regexp.Regexp{}
	for country, form := range map[string]string{
		"AT": `U\d{8}`, "BE": `[01]\d{9}`, "BG": `\d{9,10}`, "CY": `\d{8}[A-Z]`, "CZ": `\d{8,10}`, "DE": `\d{9}`, "DK": `\d{8}`,
		"EE": `\d{9}`, "GR": `\d{9}`, "ES": `[A-Z\d]\d{7}[A-Z\d]`, "FI": `\d{8}`, "FR": `[A-HJ-NP-Z\d]{2}\d{9}`, "HR": `\d{11}`,
		"HU": `\d{8}`, "IE": `\d[A-Z\d+*]\d{5}[A-Z]{1,2}`, "IT": `\d{11}`, "LT": `(\d{9}|\d{12})`, "LU": `\d{8}`, "LV": `\d{11}`,
		"MT": `\d{8}`, "NL": `[A-Z\d+*]{10}\d{2}`, "PL": `\d{10}`, "PT": `\d{9}`, "RO": `\d{2,10}`, "SE": `\d{12}`, "SI": `\d{8}`,
		"SK": `\d{10}`,
	} {
		forms[country] = regexp.MustCompile(`^` + form + `$`)
	}
	return forms
}()

// InEU says whether a country is a member of the European Union.
func InEU(country string) bool { return vatNumbers[country] != nil }

// VATCountry is the member of the European Union whose VAT number this is, by its form; empty
// where it is none.
func VATCountry(number string) string {
	if len(number) < 3 {
		return ""
	}
	country := number[:2]
	if country == "EL" {
		country = "GR"
	}
	if form := vatNumbers[country]; form == nil || number[:2] == "GR" || !form.MatchString(number[2:]) {
		return ""
	}
	return country
}

var punctuation = strings.NewReplacer(" ", "", "-", "", ".", "", "/", "")

// taxID is a tax number without what people put between its parts.
func taxID(text string) string { return punctuation.Replace(strings.ToUpper(text)) }
