package catalog

import (
	"strings"
	"testing"
	"testing/quick"
)

func TestHandleOf(t *testing.T) {
	for title, want := range map[string]string{
		"Linen shirt": "linen-shirt", "  Größe & Ärmel ": "grosse-and-armel", "日本": "ri-ben", "Über_50%--off!": "uber-50-off",
		"!!!": "product", "": "product", "Caf&eacute; Crème": "cafe-creme", "--x--": "x",
	} {
		if got := HandleFor(title, "product"); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
	if got := HandleFor(strings.Repeat("word ", 100), "product"); len(got) > maxName-10 || !ValidHandle(got) {
		t.Errorf("of a long title: %q", got)
	}
	always := func(title string) bool { return ValidHandle(HandleFor(title, "product")) }
	if err := quick.Check(always, nil); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "A", "a--b", "-a", "a-", "a b", "ä", "a_b", "prod_x", strings.Repeat("x", 256)} {
		if ValidHandle(wrong) {
			t.Errorf("%q is taken for a handle", wrong)
		}
	}
}
