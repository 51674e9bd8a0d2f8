package search

import (
	"slices"
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

func TestSlips(t *testing.T) {
	if got := Parse("red cup").Slips; got != "" {
		t.Errorf("short words have slips: %q", got)
	}
	got := slipsOf("shrit")
	for _, want := range []string{"shirt", "hsrit", "srit", "shri"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %v", want, got)
		}
	}
	if got := slipsOf("linnen"); !slices.Contains(got, "linen") || len(got) != 9 {
		t.Errorf("%v", got)
	}
}

// Nothing that somebody writes breaks out of the query's form: words of letters and
// digits, joined by operators of ours.
func TestParseNeverLeavesItsForm(t *testing.T) {
	holds := func(text string) bool {
		for _, query := range []string{Parse(text).Words, Parse(text).Slips} {
			if strings.ContainsAny(query, `'"\<>!`) || strings.Count(query, ":") > 1+strings.Count(query, "(") {
				return false
			}
		}
		return true
	}
	if err := quick.Check(holds, nil); err != nil {
		t.Error(err)
	}
}
