package storefront

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	asked = regexp.MustCompile(`\.T\("((?:[^"\\]|\\.)*)"`)
	told  = regexp.MustCompile(`\.message\([^,"]+, "((?:[^"\\]|\\.)*)", (?:"((?:[^"\\]|\\.)*)")?`)
	many  = regexp.MustCompile(`\.N\([^,"]+, "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"`)
	forms = regexp.MustCompile(`\.accountForm\("((?:[^"\\]|\\.)*)"`)
	gaps  = regexp.MustCompile(`%[a-z]`)
)

// texts are all texts of the shop's own.
func texts(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	files, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file, ".templ") && !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range asked.FindAllSubmatch(b, -1) {
			all[string(found[1])] = true
		}
		for _, found := range forms.FindAllSubmatch(b, -1) {
			all[string(found[1])] = true
		}
		for _, found := range many.FindAllSubmatch(b, -1) {
			all[string(found[1])], all[string(found[2])] = true, true
		}
		for _, found := range told.FindAllSubmatch(b, -1) {
			all[string(found[1])] = true
			if len(found[2]) > 0 {
				all[string(found[2])] = true
			}
		}
	}
	for _, text := range said {
		all[text] = true
	}
	all[marketingWords] = true
	for _, order := range sortings {
		all[order.name] = true
	}
	for _, text := range fieldNames {
		all[text] = true
	}
	for _, r := range reasons {
		all[r.Words] = true
	}
	for _, token := range testTokens {
		all[token.Name], all[token.What] = true, true
	}
	if len(all) < 100 {
		t.Fatalf("found %d texts only", len(all))
	}
	return all
}

func TestEveryTextIsTranslated(t *testing.T) {
	all := texts(t)
	for lang, there := range languages {
		for text := range all {
			translation := there[text]
			if translation == "" {
				if lang == "de" { // in other languages, what is missing is said in English
					t.Errorf("%s: %q is not translated", lang, text)
				}
				continue
			}
			if a, b := strings.Join(gaps.FindAllString(text, -1), ""), strings.Join(gaps.FindAllString(translation, -1), ""); a != b {
				t.Errorf("%s: %q has the gaps %s, %q has %s", lang, text, a, translation, b)
			}
		}
		for text := range there {
			if !all[text] && lang == "de" {
				t.Errorf("%s: %q is said nowhere", lang, text)
			}
		}
	}
}

func TestWordsForALocale(t *testing.T) {
	for locale, want := range map[string]struct{ lang, dir, cart string }{
		"en": {"en", "ltr", "Cart"}, "de": {"de", "ltr", "Warenkorb"}, "de-CH": {"de-CH", "ltr", "Warenkorb"}, "fr": {"fr", "ltr", "Cart"},
		"ar": {"ar", "rtl", "السلّة"}, "he-IL": {"he-IL", "rtl", "Cart"}, "": {"en", "ltr", "Cart"}, "nonsense!": {"en", "ltr", "Cart"},
	} {
		w := wordsFor(locale)
		if w.Lang != want.lang || w.Dir != want.dir || w.T("Cart") != want.cart {
			t.Errorf("%q: %s, %s, %s", locale, w.Lang, w.Dir, w.T("Cart"))
		}
	}
	for locale, want := range map[string]string{"de": "Straße und Hausnummer", "de-CH": "Strasse und Hausnummer"} {
		if got := wordsFor(locale).T("Street and number"); got != want {
			t.Errorf("%s: %s", locale, got)
		}
	}
	if got := wordsFor("de").T("Pay %s now", "5 €"); got != "Jetzt 5 € zahlungspflichtig bestellen" {
		t.Error(got)
	}
}
