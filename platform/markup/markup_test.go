package markup_test

import (
	"testing"

	"github.com/stoacommerce/stoa/platform/markup"
)

func TestClean(t *testing.T) {
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
		got := markup.Clean(dirty)
		if got != want {
			t.Errorf("%s: %s, want %s", dirty, got, want)
		}
		if again := markup.Clean(got); again != got {
			t.Errorf("cleaning %s again gives %s", got, again)
		}
	}
}
