package passwords

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/matching"
)

// commonText is a list of long passwords that are tried first everywhere although they
// look like much: proverbs, lines of songs and films, rows of keys. Short common words
// are zxcvbn's to know. One a line, in letters as bare writes them.
//
//go:embed common.txt
var commonText string

var common = sync.OnceValue(func() []string { return strings.Fields(commonText) })

const (
	// judged is how many characters zxcvbn looks at: its work grows with their square.
	judged = 64
	// enough is how many letters around a common password make it another one.
	enough = 8
	// The least of the scores 0 to 4 of zxcvbn: 3 stands for some 10^10 guesses, 2 for 10^8.
	leastScore                 = 3
	leastScoreWithSecondFactor = 2
)

// guessable refuses passwords that a guesser would reach early.
func guessable(password string, c Context, least int) error {
	folded := strings.ToLower(password)
	if unit := period(folded); utf8.RuneCountInString(unit) < least {
		return &Weak{Repeated, "The password repeats one short pattern."}
	}
	personal := terms(c.Personal)
	if rest, found := without(folded, personal); found && utf8.RuneCountInString(strings.Join(strings.Fields(rest), "")) < least {
		return &Weak{Personal, "The password is little more than your own name or address, or your store's."}
	}
	letters := bare(folded)
	for _, known := range common() {
		if i := strings.Index(letters, known); i >= 0 && utf8.RuneCountInString(letters)-len(known) < enough {
			return &Weak{Common, "This is one of the passwords that are tried first everywhere."}
		}
	}
	bound := leastScore
	if c.SecondFactor {
		bound = leastScoreWithSecondFactor
	}
	if score(folded, personal) < bound {
		return &Weak{Predictable, "The password is easy to guess: common words, dates, rows of keys and sequences are tried early. A few unrelated words in a row are better."}
	}
	return nil
}

// score is zxcvbn's, of the password as it is and with digits and signs read as the
// letters they look like; the lower counts. (zxcvbn's own way to do the latter tries all
// combinations, which can take it seconds.)
func score(folded string, personal []string) int {
	head := []rune(folded)
	head = head[:min(len(head), judged)]
	plain := zxcvbn.PasswordStrength(string(head), personal, matching.FilterL33tMatcher)
	read := zxcvbn.PasswordStrength(strings.Map(lookalike, string(head)), personal, matching.FilterL33tMatcher)
	return min(plain.Score, read.Score)
}

// period is the shortest text of which all of this is a repetition, the last one
// perhaps cut off: "abc" of "abcabcab". It is the text itself when nothing repeats.
func period(text string) string {
	runes := []rune(text)
	// border[i] is the length of the longest proper prefix of runes[:i+1] that is also its
	// suffix (Knuth, Morris and Pratt); what is before the whole's border is the period.
	border := make([]int, len(runes))
	for i, k := 1, 0; i < len(runes); i++ {
		for k > 0 && runes[i] != runes[k] {
			k = border[k-1]
		}
		if runes[i] == runes[k] {
			k++
		}
		border[i] = k
	}
	n := len(runes) - border[len(runes)-1]
	if 2*n > len(runes) {
		return text // less than two rounds is no pattern
	}
	return string(runes[:n])
}

// terms are the words by which a person or store is known: each text whole, and its
// parts that are long enough to mean something; the longest first.
func terms(texts []string) []string {
	var out []string
	for _, text := range texts {
		text = strings.ToLower(normalize(text))
		parts := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, t := range append([]string{text, strings.Join(parts, "")}, parts...) {
			if utf8.RuneCountInString(t) >= 4 && len(t) <= MaxBytes {
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(out)
}

// without takes the terms out of a password.
func without(folded string, terms []string) (rest string, found bool) {
	rest = folded
	for _, t := range terms {
		rest = strings.ReplaceAll(rest, t, " ")
	}
	return rest, rest != folded
}

// bare is a password's letters alone, with what looks like letters read as such.
func bare(folded string) string {
	return strings.Map(func(r rune) rune {
		if r = lookalike(r); unicode.IsLetter(r) {
			return r
		}
		return -1
	}, folded)
}

// lookalike is the letter that a digit or sign is often written for.
func lookalike(r rune) rune {
	switch r {
	case '0':
		return 'o'
	case '1', '!', '|':
		return 'i'
	case '3', '€':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	case '7', '+':
		return 't'
	}
	return r
}
