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
	Slips string // the same with slips of the keyboard undone; empty when there are none to undo
}

// Parse reads what somebody wrote. Nothing in it has a special meaning.
func Parse(text string) Query {
	words := strings.FieldsFunc(fold(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	if len(words) > mostWords {
		words = words[:mostWords]
	}
	q := Query{Text: strings.TrimSpace(text)}
	var exact, slips []string
	undone := false
	for i, word := range words {
		if letters := []rune(word); len(letters) > mostLetters {
			word = string(letters[:mostLetters])
		}
		term := word
		if i == len(words)-1 {
			term += ":*"
		}
		exact = append(exact, term)
		alternatives := slipsOf(word)
		undone = undone || len(alternatives) > 0
		slips = append(slips, "("+strings.Join(append(alternatives, term), " | ")+")")
	}
	q.Words = strings.Join(exact, " & ")
	if undone {
		q.Slips = strings.Join(slips, " & ")
	}
	return q
}

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

// slipsOf are the words that may have been meant: two neighbouring letters changed back,
// or one letter taken out. What is missing or wrong is left to the titles' likeness.
func slipsOf(word string) []string {
	letters := []rune(word)
	if len(letters) < 4 {
		return nil
	}
	var out []string
	for i := range len(letters) - 1 {
		if letters[i] == letters[i+1] {
			continue
		}
		swapped := append([]rune(nil), letters...)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		out = append(out, string(swapped))
	}
	for i := range letters {
		if i > 0 && letters[i] == letters[i-1] {
			continue
		}
		out = append(out, string(letters[:i])+string(letters[i+1:]))
	}
	return out
}
