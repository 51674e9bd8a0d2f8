// Package territory is a part of the world that a rate of tax or a way of sending holds in:
// a country, or a region of it, or some of its postal codes.
package territory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Territory is a country, as far as neither region nor postal codes narrow it. Its JSON is
// that of the contract.
type Territory struct {
	Country     string   `json:"country"`
	Region      string   `json:"region,omitempty"`       // by the code that addresses have
	PostalCodes []string `json:"postal_codes,omitempty"` // beginnings, or ranges of them: "902", "10000..10999"
}

// MaxPostalCodes is how many beginnings and ranges a territory has at most.
const MaxPostalCodes = 200

// code is a postal code, or the beginning of some, as it is compared.
var code = regexp.MustCompile(`^[0-9A-Z]{1,12}$`)

// Tidy gives the territory's parts the form that they are compared in.
func (t *Territory) Tidy() {
	t.Region = address.Region(t.Country, strings.TrimSpace(t.Region))
	for i, of := range t.PostalCodes {
		from, to, ranges := strings.Cut(of, "..")
		t.PostalCodes[i] = bare(from)
		if ranges {
			t.PostalCodes[i] += ".." + bare(to)
		}
	}
	t.PostalCodes = slices.Compact(slices.Sorted(slices.Values(t.PostalCodes)))
}

// bare is a postal code without what people write differently.
func bare(postal string) string {
	return strings.TrimSuffix(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(postal)), "*")
}

// Check notes what is wrong with a tidy territory that stands at a JSON pointer.
func (t Territory) Check(wrong *problem.Problem, at string) {
	if !address.Known(t.Country) {
		wrong.At(at+"/country", "country", "There is no country %q.", t.Country)
	}
	if utf8.RuneCountInString(t.Region) > 255 || strings.ContainsFunc(t.Region, unicode.IsControl) {
		wrong.At(at+"/region", "characters", "It is one line of text.")
	}
	if len(t.PostalCodes) > MaxPostalCodes {
		wrong.At(at+"/postal_codes", "maxItems", "There may be %d.", MaxPostalCodes)
	}
	for i, of := range t.PostalCodes {
		from, to, ranges := strings.Cut(of, "..")
		if !code.MatchString(from) || ranges && (!code.MatchString(to) || len(from) != len(to) || from > to) {
			wrong.At(fmt.Sprintf("%s/postal_codes/%d", at, i), "postal_code",
				"It is a postal code, the beginning of some, or a range of two of one length, such as 10000..10999.")
		}
	}
}

// Covers is SQL that says whether the territory of these expressions, the last an array,
// holds a place: a row with country, region and postal_code, as Place makes it. An
// unknown region or postal code is in no territory that asks for one.
func Covers(country, region, postalCodes, place string) string {
	return `(` + country + ` = ` + place + `.country and (` + region + ` = '' or lower(` + region + `) = lower(` + place + `.region)) and (cardinality(` + postalCodes + `) = 0
		or exists (select from unnest(` + postalCodes + `) as code where ` + place + `.postal_code >= split_part(code, '..', 1) collate "C"
			and ` + place + `.postal_code <= (case when code like '%..%' then split_part(code, '..', 2) else code end || '~') collate "C")))`
}

// Place is SQL for the columns of a place, of an address in the API's form.
func Place(address string) string {
	return `coalesce(` + address + `->>'region', '') as region, upper(translate(coalesce(` + address + `->>'postal_code', ''), ' -', '')) collate "C" as postal_code`
}
