package page

import (
	"slices"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Country is a country to choose, by its ISO 3166-1 code and its name.
type Country struct{ Code, Name string }

// reserved are codes that ISO 3166-1 keeps for others' use: places that belong to a
// country, and unions of countries.
var reserved = map[string]bool{"AC": true, "CP": true, "CQ": true, "DG": true, "EA": true, "EU": true, "EZ": true, "IC": true, "QO": true, "TA": true, "UN": true}

// everyCountry are the codes of all countries that there are today.
var everyCountry = sync.OnceValue(func() []string {
	var codes []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.String() != code || region.Canonicalize() != region || reserved[code] {
				continue
			}
			codes = append(codes, code)
		}
	}
	return codes
})

// Countries are those of the codes, or all when there are none, by their names in a
// language and in its order.
func Countries(codes []string, lang string) []Country {
	tag, err := language.Parse(lang)
	if err != nil {
		tag = language.English
	}
	names := display.Regions(tag)
	if names == nil {
		names = display.English.Regions()
	}
	if len(codes) == 0 {
		codes = everyCountry()
	}
	list := make([]Country, 0, len(codes))
	for _, code := range codes {
		if region, err := language.ParseRegion(code); err == nil {
			list = append(list, Country{code, names.Name(region)})
		}
	}
	order := collate.New(tag)
	slices.SortFunc(list, func(a, b Country) int { return order.CompareString(a.Name, b.Name) })
	return list
}

// CountryName is a country's name in a language; its code where there is none.
func CountryName(code, lang string) string {
	for _, c := range Countries([]string{code}, lang) {
		return c.Name
	}
	return code
}

// LanguageName is what a language calls itself; its tag where that is not known.
func LanguageName(locale string) string {
	if name := display.Self.Name(language.Make(locale)); name != "" {
		return name
	}
	return locale
}
