// Package locales reads the names of languages (BCP 47), and finds among those that there
// are the one which serves somebody best.
package locales

import (
	"slices"

	"golang.org/x/text/language"
)

// Parse gives the name of a language its canonical form, as in "de-AT" or "zh-Hant". A name
// has a language, and may have a script and a region: nothing else of BCP 47 tells texts
// apart.
func Parse(name string) (string, bool) {
	tag, err := language.Parse(name)
	if err != nil || len(name) > 35 || tag.IsRoot() || len(tag.Variants()) > 0 || len(tag.Extensions()) > 0 {
		return "", false
	}
	return tag.String(), true
}

// Chain are a locale and those whose texts stand in for its own, the nearest first: of
// "de-AT" these are "de-AT" and "de".
func Chain(locale string) []string {
	var chain []string
	for tag := language.Make(locale); !tag.IsRoot(); tag = tag.Parent() {
		chain = append(chain, tag.String())
	}
	return chain
}

// Direction is how a locale is written: "ltr", or "rtl" from the right to the left.
func Direction(locale string) string {
	script, _ := language.Make(locale).Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Adlm", "Nkoo":
		return "rtl"
	}
	return "ltr"
}

// Set are the locales that there are.
type Set struct {
	names   []string // the default one first
	matcher language.Matcher
}

// New is the set of a default locale and others.
func New(first string, others ...string) *Set {
	s := &Set{names: []string{first}}
	for _, name := range others {
		if !slices.Contains(s.names, name) {
			s.names = append(s.names, name)
		}
	}
	tags := make([]language.Tag, len(s.names))
	for i, name := range s.names {
		tags[i] = language.Make(name)
	}
	s.matcher = language.NewMatcher(tags)
	return s
}

// Names are the locales, the default one first.
func (s *Set) Names() []string { return s.names }

// Default is the locale that texts are written in.
func (s *Set) Default() string { return s.names[0] }

// mostAsked bounds what is looked at of what somebody would like.
const mostAsked = 10

// Match is the locale that serves best who asks as Accept-Language has it. What is liked
// more comes before what is nearer; where none is near, it is the default one.
func (s *Set) Match(asked string) string {
	if asked == "" || len(s.names) == 1 || len(asked) > 1000 {
		return s.names[0]
	}
	tags, weights, err := language.ParseAcceptLanguage(asked)
	if err != nil {
		return s.names[0]
	}
	for i, tag := range tags[:min(len(tags), mostAsked)] {
		if weights[i] == 0 {
			continue
		}
		// The name itself comes before what the matcher takes to be the same.
		if at := slices.Index(s.names, tag.String()); at >= 0 {
			return s.names[at]
		}
		if _, at, confidence := s.matcher.Match(tag); confidence >= language.High {
			return s.names[at]
		}
	}
	return s.names[0]
}

// Chain are the locales of the set whose texts are shown in one of them, the nearest first.
// The texts as they are written stand in for what is in none, and so the chain ends where it
// meets the default locale.
func (s *Set) Chain(locale string) []string {
	chain := []string{}
	for _, name := range Chain(locale) {
		if name == s.names[0] {
			break
		}
		if slices.Contains(s.names, name) {
			chain = append(chain, name)
		}
	}
	return chain
}
