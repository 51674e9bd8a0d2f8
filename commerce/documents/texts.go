package documents

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed texts.yaml
var written []byte

// texts are what documents say, by language.
var texts = func() map[string]map[string]string {
	var all map[string]map[string]string
	if err := yaml.Unmarshal(written, &all); err != nil {
		panic(fmt.Sprintf("texts.yaml: %v", err)) // it is part of the program
	}
	return all
}()

// languages are those of texts, English first, which stands in for all others.
var languages = func() []string {
	others := slices.Sorted(maps.Keys(texts))
	return append([]string{"en"}, slices.DeleteFunc(others, func(l string) bool { return l == "en" })...)
}()

var nearest = func() language.Matcher {
	tags := make([]language.Tag, len(languages))
	for i, l := range languages {
		tags[i] = language.Make(l)
	}
	return language.NewMatcher(tags)
}()

// words are what a document says, in the way of a locale.
type words struct {
	language string
	locale   string
	texts    map[string]string
	printer  *message.Printer
	digits   *strings.Replacer
	regions  display.Namer
}

// wordsFor are those of the language nearest to a locale, with numbers as the locale writes
// them where the language is the locale's own.
func wordsFor(locale string) *words {
	_, at, confidence := nearest.Match(language.Make(locale))
	if confidence == language.No {
		at = 0
	}
	w := &words{language: languages[at], locale: locale}
	if base, _ := language.Make(locale).Base(); base.String() != w.language {
		w.locale = w.language
	}
	w.texts = texts[w.language]
	w.printer = message.NewPrinter(language.Make(w.locale))
	digits := []string{}
	for n := range 10 {
		digits = append(digits, strconv.Itoa(n), w.printer.Sprint(number.Decimal(n)))
	}
	w.digits = strings.NewReplacer(digits...)
	w.regions = display.Regions(language.Make(w.locale))
	return w
}

func (w *words) text(key string) string { return w.texts[key] }

func (w *words) date(t time.Time) string { return w.digits.Replace(t.UTC().Format(w.texts["date"])) }

func (w *words) number(n int64) string { return w.printer.Sprint(number.Decimal(n)) }

// percent writes a percentage that is given as "19" or "0.375".
func (w *words) percent(text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return w.printer.Sprint(number.Percent(n/100, number.MaxFractionDigits(4)))
}

// country is a country's name in the document's language, or its code where it has none.
func (w *words) country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || w.regions == nil {
		return code
	}
	if name := w.regions.Name(region); name != "" {
		return name
	}
	return code
}
