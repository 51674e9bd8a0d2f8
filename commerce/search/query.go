package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what is looked at of a query.
const (
	mostWords   = 8
	mostLetters = 32
)

// Query is what somebody looks for.
type Query struct {
	Text  string // as it was written, for stock-keeping numbers and titles alike
	Words string // as a tsquery; empty when there is no word in it
	terms []string
}

// Parse reads what somebody wrote. Nothing in it has a special meaning.
func Parse(text string) Query {
	terms := strings.FieldsFunc(fold(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	if len(terms) > mostWords {
		terms = terms[:mostWords]
	}
	q := Query{Text: strings.TrimSpace(text), terms: terms}
	for i, term := range terms {
		if letters := []rune(term); len(letters) > mostLetters {
			terms[i] = string(letters[:mostLetters])
		}
	}
	if len(terms) > 0 {
		q.Words = strings.Join(terms, " & ") + ":*" // the last is perhaps still being written
	}
	return q
}

// Typed are the words as they are counted, for those that begin with them.
func (q Query) Typed() string { return strings.Join(q.terms, " ") }

// fold writes a text without case and accents, as the index has it.
func fold(text string) string {
	var out strings.Builder
	for _, c := range norm.NFKD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, c):
		case c == 'ß':
			out.WriteString("ss")
		case c == 'ø':
			out.WriteByte('o')
		case c == 'æ':
			out.WriteString("ae")
		case c == 'œ':
			out.WriteString("oe")
		case c == 'ł':
			out.WriteByte('l')
		case c == 'đ', c == 'ð':
			out.WriteByte('d')
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}
