package locales_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/locales"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]string{
		"de": "de", "DE-at": "de-AT", "iw": "he", "zh-hant-tw": "zh-Hant-TW", "sr-Latn": "sr-Latn", "pt-BR": "pt-BR", "es-419": "es-419",
		"": "", "und": "", "d": "", "de-x-mine": "", "de-1996": "", "de-u-co-phonebk": "", "nonsense-nonsense-": "", "xx-": "",
	} {
		got, ok := locales.Parse(name)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", name, got, ok)
		}
	}
}

func TestChain(t *testing.T) {
	for locale, want := range map[string]string{"de": "de", "de-AT": "de-AT de", "zh-TW": "zh-TW zh-Hant", "pt-BR": "pt-BR pt", "pt-AO": "pt-AO pt-PT pt"} {
		if got := strings.Join(locales.Chain(locale), " "); got != want {
			t.Errorf("%s: %s, want %s", locale, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	set := locales.New("en", "de", "de-AT", "pt-BR", "he", "de")
	if got := strings.Join(set.Names(), " "); got != "en de de-AT pt-BR he" || set.Default() != "en" {
		t.Error(got)
	}
	for asked, want := range map[string]string{
		"": "en", "*": "en", "de": "de", "de-AT": "de-AT", "de-CH": "de", "de-ch,fr;q=0.5": "de", "fr, de;q=0.5": "de", "pt": "pt-BR", "pt-PT": "pt-BR",
		"uk": "en", "iw": "he", "fr;q=0.9, en-GB;q=0.8, de;q=0.7": "en", "de;q=0, he;q=0.1": "he", "not a header!": "en", strings.Repeat("a,", 800): "en",
		strings.Repeat("fr, ", 12) + "de": "en",
	} {
		if got := set.Match(asked); got != want {
			t.Errorf("%q: %s, want %s", asked, got, want)
		}
	}
	for locale, want := range map[string]string{"en": "", "de": "de", "de-AT": "de-AT de", "fr": "", "en-GB": ""} {
		if got := strings.Join(set.Chain(locale), " "); got != want {
			t.Errorf("chain of %s: %q, want %q", locale, got, want)
		}
	}
	if got := locales.New("de", "de-AT", "en").Chain("de-AT"); strings.Join(got, " ") != "de-AT" {
		t.Errorf("above the default: %q", got)
	}
}

// TestAnybodyIsServed asks in all ways for locales of all sets: the answer is always one of
// the set, its chain begins with it, and nothing of another language is in it.
func TestAnybodyIsServed(t *testing.T) {
	names := []string{"en", "en-GB", "de", "de-AT", "de-CH", "fr", "fr-CA", "pt-BR", "zh-Hant", "zh-TW", "ar", "he", "sr-Latn", "es-419", "es-MX"}
	rapid.Check(t, func(t *rapid.T) {
		there := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 6, rapid.ID[string]).Draw(t, "there")
		asked := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.SampledFrom(names), 1, 4), func(list []string) string { return strings.Join(list, ", ") })).Draw(t, "asked")
		set := locales.New(there[0], there[1:]...)
		got := set.Match(asked)
		if !slices.Contains(there, got) {
			t.Fatalf("%s is none of %v", got, there)
		}
		if slices.Contains(there, asked) && got != asked {
			t.Fatalf("%s for %s", got, asked)
		}
		chain := set.Chain(got)
		if (got == there[0]) != (len(chain) == 0) || len(chain) > 0 && chain[0] != got {
			t.Fatalf("chain of %s in %v: %v", got, there, chain)
		}
		for _, name := range chain {
			if !slices.Contains(there[1:], name) || name[:2] != got[:2] {
				t.Fatalf("chain of %s in %v: %v", got, there, chain)
			}
		}
	})
}
