package money

import (
	"strings"
	"sync"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// nbsp keeps an amount and its currency on one line.
const nbsp = "\u00a0"

// Format writes m as people of a locale (BCP 47: "en", "de-CH") read it: "€12.50",
// "12,50 €", "CHF 12.50". Digits, separators and symbols are CLDR's, from x/text. What
// is no locale is taken for English.
//
// The number of decimals is always the currency's own, so that two prices of a list
// line up and no cent is hidden.
func (m Money) Format(locale string) string {
	f := formatFor(locale)
	sign := ""
	if m.Amount < 0 {
		sign = f.minus
	}
	symbol := f.symbol(m.Currency)
	if !f.symbolFirst {
		return sign + f.number(m) + nbsp + symbol
	}
	if f.spaced || letter(symbol) {
		symbol += nbsp // "CHF 12.50", but "€12.50" and "US$12.50"
	}
	return sign + symbol + f.number(m)
}

// style is how one locale writes money.
type style struct {
	tag         language.Tag
	printer     *message.Printer
	minus       string
	point       string // decimal mark
	symbolFirst bool
	spaced      bool // a space between symbol and number, also after a symbol that is no letter
}

// x/text gives CLDR's symbols and numbers, but always puts the symbol first with a space
// between. These are the languages whose CLDR pattern puts it first; all others write
// "12,50 €".
var symbolFirst = map[string]bool{
	"en": true, "ja": true, "zh": true, "ko": true, "th": true, "hi": true, "bn": true, "ta": true, "te": true, "mr": true,
	"ms": true, "fil": true, "tr": true, "ga": true, "cy": true, "mt": true, "sw": true, "zu": true, "af": true,
}

// symbolFirstSpaced are the languages and regions that write "€ 12,50".
var symbolFirstSpaced = map[string]bool{
	"nl": true, "id": true, "ur": true, "de-AT": true, "de-CH": true, "de-LI": true, "it-CH": true, "pt-BR": true, "es-PY": true,
}

// spanishAfter are the regions that write Spanish prices as Spain does; America writes "$12.50".
var spanishAfter = map[string]bool{"ES": true, "EA": true, "IC": true, "GQ": true}

// styles remembers styles by locale text. Locales come from stores' settings and from
// the platform, but a caller might pass on a header, so that their number is bounded.
var styles = struct {
	sync.RWMutex
	byLocale map[string]*style
}{byLocale: map[string]*style{}}

const maxStyles = 500

// formatFor is the style of a locale.
func formatFor(locale string) *style {
	styles.RLock()
	s := styles.byLocale[locale]
	styles.RUnlock()
	if s != nil {
		return s
	}
	s = newStyle(locale)
	styles.Lock()
	defer styles.Unlock()
	if len(styles.byLocale) < maxStyles {
		styles.byLocale[strings.Clone(locale)] = s
	}
	return s
}

// newStyle learns a locale's habits from x/text.
func newStyle(locale string) *style {
	tag, err := language.Parse(locale)
	if err != nil || tag == language.Und {
		tag = language.English
	}
	s := &style{tag: tag, printer: message.NewPrinter(tag)}
	// The marks are found by writing numbers that hold nothing but them and known digits.
	one, two := s.printer.Sprint(number.Decimal(1)), s.printer.Sprint(number.Decimal(2))
	s.point = strings.TrimSuffix(strings.TrimPrefix(s.printer.Sprint(number.Decimal(1.2)), one), two)
	s.minus = strings.TrimSuffix(s.printer.Sprint(number.Decimal(-1)), one)

	base, _ := tag.Base()
	region, _ := tag.Region()
	regional := base.String() + "-" + region.String()
	s.spaced = symbolFirstSpaced[base.String()] || symbolFirstSpaced[regional]
	s.symbolFirst = s.spaced || symbolFirst[base.String()] || base.String() == "es" && !spanishAfter[region.String()]
	return s
}

// number writes the magnitude of m. Whole units and decimals are written apart, as
// integers: x/text would take a fraction only as a float.
func (s *style) number(m Money) string {
	digits, _ := Digits(m.Currency)
	unit := uint64(1)
	for range digits {
		unit *= 10
	}
	amount := magnitude(m.Amount)
	text := s.printer.Sprint(number.Decimal(amount / unit))
	if digits == 0 {
		return text
	}
	return text + s.point + s.printer.Sprint(number.Decimal(amount%unit, number.MinIntegerDigits(digits), number.NoSeparator()))
}

// symbol is the currency's symbol in the locale, or its code where CLDR has none.
func (s *style) symbol(code string) string {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return code
	}
	return s.printer.Sprint(currency.Symbol(unit))
}

// letter says whether a symbol ends in a letter, which would run into the number.
func letter(symbol string) bool {
	if symbol == "" {
		return false
	}
	last := symbol[len(symbol)-1]
	return last >= 'A' && last <= 'Z' || last >= 'a' && last <= 'z' || last == '.'
}
