package storefront

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"

	"github.com/stoacommerce/stoa/platform/locales"
)

// words are the shop's own texts in one language. The English text is the key, so that
// templates can be read; what is not translated stays English.
type words struct {
	Lang string // of the page: the store's
	Dir  string // ltr or rtl
	here map[string]string
}

// languages are those that the shop's own texts are in, besides English.
var languages = map[string]map[string]string{"de": german, "ar": arabic}

// swiss are the German texts as Switzerland and Liechtenstein write them, without an ß.
var swiss = func() map[string]string {
	texts := make(map[string]string, len(german))
	for english, text := range german {
		texts[english] = strings.ReplaceAll(text, "ß", "ss")
	}
	return texts
}()

// wordsFor are the texts for a store's locale.
func wordsFor(locale string) words {
	tag, err := language.Parse(locale)
	if err != nil || tag == language.Und {
		tag = language.English
	}
	base, _ := tag.Base()
	w := words{Lang: tag.String(), Dir: locales.Direction(tag.String()), here: languages[base.String()]}
	if region, _ := tag.Region(); base.String() == "de" && (region.String() == "CH" || region.String() == "LI") {
		w.here = swiss
	}
	return w
}

// T is a text in the page's language, with its gaps filled in.
func (w words) T(text string, args ...any) string {
	if there := w.here[text]; there != "" {
		text = there
	}
	if len(args) > 0 {
		return fmt.Sprintf(text, args...)
	}
	return text
}

// N is the text for one, or for several.
func (w words) N(n int64, one, several string) string {
	if n == 1 {
		return w.T(one)
	}
	return w.T(several, n)
}
