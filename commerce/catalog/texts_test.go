package catalog

import (
	"strings"
	"testing"
	"testing/quick"
)

func TestCleanHTML(t *testing.T) {
	for dirty, want := range map[string]string{
		`<p onclick="x()">a</p><script>alert(1)</script>`:             `<p>a</p>`,
		`<a href="javascript:alert(1)">a</a>`:                         `a`,
		`<a href="https://example.com">a</a>`:                         `<a href="https://example.com" rel="nofollow">a</a>`,
		`<img src="x" onerror="alert(1)">`:                            `<img src="x">`,
		`<svg><use href="data:x"/></svg><iframe src="x"></iframe>`:    ``,
		`<style>body{display:none}</style><p style="top:0">b</p>`:     `<p>b</p>`,
		`<form action="/x"><input name="a"><button>c</button></form>`: `c`,
		`a < b & c`: `a &lt; b &amp; c`,
		`<ul><li>a</li></ul><table><tbody><tr><td>b</td></tr></tbody></table>`: `<ul><li>a</li></ul><table><tbody><tr><td>b</td></tr></tbody></table>`,
		" <p>a</p>\n": `<p>a</p>`,
	} {
		got := cleanHTML(dirty)
		if got != want {
			t.Errorf("%s: %s, want %s", dirty, got, want)
		}
		if again := cleanHTML(got); again != got {
			t.Errorf("cleaning %s again gives %s", got, again)
		}
	}
}

func TestHandleOf(t *testing.T) {
	for title, want := range map[string]string{
		"Linen shirt": "linen-shirt", "  Größe & Ärmel ": "grosse-and-armel", "日本": "ri-ben", "Über_50%--off!": "uber-50-off",
		"!!!": "product", "": "product", "Caf&eacute; Crème": "cafe-creme", "--x--": "x",
	} {
		if got := handleOf(title, "product"); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
	if got := handleOf(strings.Repeat("word ", 100), "product"); len(got) > maxName-10 || !validHandle(got) {
		t.Errorf("of a long title: %q", got)
	}
	always := func(title string) bool { return validHandle(handleOf(title, "product")) }
	if err := quick.Check(always, nil); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "A", "a--b", "-a", "a-", "a b", "ä", "a_b", "prod_x", strings.Repeat("x", 256)} {
		if validHandle(wrong) {
			t.Errorf("%q is taken for a handle", wrong)
		}
	}
}
