package sheets_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/sheets"
)

func TestFormulasAreTexts(t *testing.T) {
	for _, text := range []string{"=1+1", "+49 30 0000000", "-x", "@SUM(A1)", "\t=1", "\r=1", "  =1", "'=1", "''+1", "＝1"} {
		if got := sheets.Safe(text); got != "'"+text || sheets.Plain(got) != text {
			t.Errorf("%q became %q and then %q", text, got, sheets.Plain(got))
		}
	}
	for _, text := range []string{"", "Ada", "'s-Gravenhage", "a=b", "1-2", "'", " "} {
		if got := sheets.Safe(text); got != text || sheets.Plain(got) != text {
			t.Errorf("%q became %q and then %q", text, got, sheets.Plain(got))
		}
	}
	if got := sheets.Plain("'+49"); got != "+49" {
		t.Error(got)
	}
}

func TestEveryTextComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`['=+@ a-]{0,5}`).Draw(t, "text")
		safe := sheets.Safe(text)
		if sheets.Plain(safe) != text {
			t.Fatalf("%q became %q and then %q", text, safe, sheets.Plain(safe))
		}
		if begins := strings.TrimLeft(safe, " "); begins != "" && strings.ContainsRune("=+-@", rune(begins[0])) {
			t.Fatalf("%q is still a formula: %q", text, safe)
		}
	})
}
