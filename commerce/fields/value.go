package fields

import (
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/money"
)

// Type is what a field holds.
type Type string

// The types.
const (
	Text       Type = "text"
	Multiline  Type = "multiline_text"
	Integer    Type = "integer"
	Decimal    Type = "decimal"
	Boolean    Type = "boolean"
	Date       Type = "date"
	DateTime   Type = "date_time"
	URL        Type = "url"
	JSON       Type = "json"
	Money      Type = "money"
	Weight     Type = "weight"
	Length     Type = "length"
	Choice     Type = "choice"
	Product    Type = "product_reference"
	Variant    Type = "variant_reference"
	Collection Type = "collection_reference"
)

// Bounds of values.
const (
	maxLine    = 1000
	maxText    = 20_000
	maxJSON    = 20_000
	maxItems   = 100
	maxInteger = 1<<53 - 1 // what JSON's readers agree on
)

// units are what weights and lengths are measured in.
var units = map[Type][]string{Weight: {"g", "kg", "oz", "lb"}, Length: {"mm", "cm", "m", "in", "ft"}}

// filterable are the types that products can be filtered by: those of which a value has
// one form only.
var filterable = []Type{Text, Integer, Boolean, Date, Choice, Product, Variant, Collection}

// prefixes are those of the IDs that references are to.
var prefixes = map[Type]string{Product: "prod", Variant: "var", Collection: "col"}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$`)

// fault is what is wrong with a value.
type fault struct{ code, detail string }

func wrong(code, detail string) (any, *fault) { return nil, &fault{code, detail} }

// value tidies a value of the field and says what is wrong with it.
func (d *Definition) value(given any) (any, *fault) {
	switch d.Type {
	case Text, Multiline, URL, Choice, Product, Variant, Collection:
		text, ok := given.(string)
		if !ok {
			return wrong("type", "It is a text.")
		}
		return d.text(text)
	case Integer:
		n, ok := given.(float64)
		if !ok || n != math.Trunc(n) || math.Abs(n) > maxInteger {
			return wrong("type", "It is a whole number.")
		}
		return d.bounded(given, n)
	case Decimal:
		text, ok := given.(string)
		if !ok || !decimal.MatchString(text) {
			return wrong("type", "It is a decimal number as text, as in \"12.50\".")
		}
		return d.bounded(given, number(text))
	case Boolean:
		if _, ok := given.(bool); !ok {
			return wrong("type", "It is true or false.")
		}
		return given, nil
	case Date, DateTime:
		return d.moment(given)
	case Money:
		return amount(given)
	case Weight, Length:
		return d.measure(given)
	}
	if raw, err := json.Marshal(given); err != nil || len(raw) > maxJSON {
		return wrong("maxLength", "It is too large.")
	}
	return given, nil
}

func (d *Definition) text(text string) (any, *fault) {
	v := d.Validations
	most := maxLine
	if d.Type == Multiline {
		most = maxText
	} else {
		text = strings.TrimSpace(text)
	}
	if v.MaxLength != nil {
		most = min(most, *v.MaxLength)
	}
	n := utf8.RuneCountInString(text)
	switch {
	case n > most:
		return wrong("maxLength", "It may have "+strconv.Itoa(most)+" characters.")
	case v.MinLength != nil && n < *v.MinLength, n == 0:
		return wrong("minLength", "It is too short.")
	case strings.ContainsFunc(text, func(c rune) bool {
		return unicode.IsControl(c) && (d.Type != Multiline || !strings.ContainsRune("\n\r\t", c))
	}):
		return wrong("characters", "It holds characters that are not text.")
	case v.Pattern != "" && !regexp.MustCompile(v.Pattern).MatchString(text):
		return wrong("pattern", "It does not have the form that the field asks for.")
	case d.Type == Choice && !slices.Contains(v.Choices, text):
		return wrong("enum", "It is none of the choices.")
	}
	if d.Type == URL {
		if u, err := url.Parse(text); err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" || u.Scheme != "mailto" && u.Host == "" {
			return wrong("format", "It is an address that begins with https, http or mailto.")
		}
	}
	return text, nil
}

func (d *Definition) bounded(given any, n float64) (any, *fault) {
	switch v := d.Validations; {
	case v.Min != nil && n < number(*v.Min):
		return wrong("minimum", "It is too small.")
	case v.Max != nil && n > number(*v.Max):
		return wrong("maximum", "It is too large.")
	}
	return given, nil
}

func (d *Definition) moment(given any) (any, *fault) {
	text, _ := given.(string)
	if d.Type == Date {
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return wrong("format", "It is a date, as in 2026-11-22.")
		}
		return text, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return wrong("format", "It is a moment, as in 2026-11-22T09:30:00Z.")
	}
	return at.UTC().Format("2006-01-02T15:04:05.999Z07:00"), nil
}

func amount(given any) (any, *fault) {
	object, _ := given.(map[string]any)
	n, whole := object["amount"].(float64)
	currency, _ := object["currency"].(string)
	if len(object) != 2 || !whole || n != math.Trunc(n) || math.Abs(n) > 999_999_999_999 || !money.Known(currency) {
		return wrong("type", "It is an amount in the minor unit with its currency.")
	}
	return given, nil
}

func (d *Definition) measure(given any) (any, *fault) {
	object, _ := given.(map[string]any)
	value, _ := object["value"].(string)
	unit, _ := object["unit"].(string)
	if len(object) != 2 || !decimal.MatchString(value) || strings.HasPrefix(value, "-") || !slices.Contains(units[d.Type], unit) {
		return wrong("type", "It has a value, a decimal number as text, and a unit: "+strings.Join(units[d.Type], ", ")+".")
	}
	return d.bounded(given, number(value))
}

// number reads a decimal number whose form has been checked, near enough to be compared.
func number(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64)
	return n
}
