package search

import (
	"strings"
	"testing"
	"testing/quick"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"Linen Shirt":           "linen & shirt:*",
		"  crème-brûlée!":       "creme & brulee:*",
		"Größe ØRE Łódź æ œ đ":  "grosse & ore & lodz & ae & oe & d:*",
		"a & b | !c <-> d:*":    "a & b & c & d:*",
		`'; drop table x; --\`:  "drop & table & x:*",
		"":                      "",
		"!?":                    "",
		"1 2 3 4 5 6 7 8 9 10":  "1 & 2 & 3 & 4 & 5 & 6 & 7 & 8:*",
		strings.Repeat("x", 99): strings.Repeat("x", 32) + ":*",
	} {
		if got := Parse(text); got.Words != want || got.Text != strings.TrimSpace(text) {
			t.Errorf("%q: %+v, want %q", text, got, want)
		}
	}
}

func TestSlipsAreCorrected(t *testing.T) {
	v := &vocabulary{words: []string{"black", "größe", "linen", "running", "scarf", "shirt", "shore", "short", "sock"}, counts: []int{1, 1, 9, 1, 1, 5, 1, 9, 2}}
	for text, want := range map[string]string{
		"shrit":      "(shirt | shrit:*)",                          // neighbours that changed places
		"shart blck": "(short | shirt | shart) & (black | blck:*)", // a letter that is wrong, the more frequent first; one that is missing
		"linnen":     "(linen | linnen:*)",                         // one too many
		"runnnign":   "(running | runnnign:*)",                     // two slips in a long word
		"lin":        "",                                           // the beginning of a word
		"lin shirt":  "",                                           // too short to be a slip
		"sokc linen": "(sock | sokc) & linen:*",
		"zzzzz":      "",
		"":           "",
	} {
		q, ok := v.correct(Parse(text))
		if ok != (want != "") || ok && q.Words != want {
			t.Errorf("%q: %q %v, want %q", text, q.Words, ok, want)
		}
	}
}

// Nothing that somebody writes breaks out of the query's form: words of letters and
// digits, joined by operators of ours.
func TestParseNeverLeavesItsForm(t *testing.T) {
	holds := func(text string) bool {
		query := Parse(text).Words
		return !strings.ContainsAny(query, `'"\<>!()|`) && strings.Count(query, ":") <= 1
	}
	if err := quick.Check(holds, nil); err != nil {
		t.Error(err)
	}
}
