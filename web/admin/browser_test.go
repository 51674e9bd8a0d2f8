package admin_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/web/browsertest"
)

// browser is Chromium as a merchant has it, who goes by what things are called.
type browser struct {
	*browsertest.Browser
	t    *testing.T
	ctx  context.Context
	base string // the platform's own address
}

func open(t *testing.T, p *apptest.Program) *browser {
	t.Helper()
	b := browsertest.Open(t)
	return &browser{b, t, b.Context(), strings.TrimSuffix(p.Config.Site.PublicURL.String(), "/")}
}

// visit opens an address: of the back office or, where it begins with http, any other.
func (b *browser) visit(address string) {
	b.t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = b.base + address
	}
	b.Visit(address)
}

// accessible holds the screen, or the dialog that lies over it, against axe's rules. A dialog of
// the library has a header, which is none of the page's: who is in it sees nothing else.
func (b *browser) accessible(screen string) {
	b.t.Helper()
	b.Accessible(screen, "landmark-no-duplicate-banner")
}

// goTo goes to a screen as a click on a link does, without loading the program once more.
func (b *browser) goTo(path string) {
	b.t.Helper()
	js[bool](b, `(() => { history.pushState(null, "", `+strconv.Quote(path)+`); dispatchEvent(new PopStateEvent("popstate", {state: null})); return true })()`)
}

// made does something by the API, as whoever is signed in, and gives the ID of what came of it
// or, of a list, of its first.
func (b *browser) made(store, method, path, body string) string {
	b.t.Helper()
	return js[string](b, fmt.Sprintf(`(async () => {
		const ask = () => fetch("/v1" + %q, {method: %q, body: %s, headers: {"Stoa-Store": %q, "Stoa-Mode": "live", "Content-Type": "application/json", "Idempotency-Key": key}});
		const key = String(Math.random());
		let answer = await ask();
		for (let n = 0; n < 20 && answer.status === 503; n++) { // something is slow, and says to ask again
			await new Promise(go => setTimeout(go, 500));
			answer = await ask();
		}
		const got = await answer.json();
		if (!answer.ok) throw new Error(JSON.stringify(got));
		return got.id ?? got.data?.[0]?.id ?? "";
	})()`, path, method, cmp.Or(body, "undefined"), store))
}

// What is the same in every browser, by the short names that the ways of a merchant are told in.

func js[T any](b *browser, expression string) T {
	b.t.Helper()
	return browsertest.JS[T](b.Browser, expression)
}

func (b *browser) until(what, expression string) { b.t.Helper(); b.Until(what, expression) }
func (b *browser) shows(texts ...string)         { b.t.Helper(); b.Shows(texts...) }
func (b *browser) fill(fields ...string)         { b.t.Helper(); b.Fill(fields...) }
func (b *browser) at(what, expression string)    { b.t.Helper(); b.Press(what, expression) }
func (b *browser) follow(selector string)        { b.t.Helper(); b.Follow(selector) }
func (b *browser) quietly(of string)             { b.t.Helper(); b.Quietly(of) }

func (b *browser) looks(scheme string, width, height int64) {
	b.t.Helper()
	b.Looks(scheme, width, height)
}

// found is an expression for the last visible thing of a kind with a name, which lies above
// the others where there are several.
func found(selector, name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].findLast(e => e.checkVisibility() && (e.getAttribute("aria-label") ?? e.textContent).trim() === %q)`, selector, name)
}

// field is an expression for a field by its label.
func field(label string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("input, textarea, select, [contenteditable=true]")].findLast(e => e.checkVisibility() && (e.getAttribute("aria-label") === %[1]q || [...(e.labels ?? [])].some(l => l.textContent.replace("*", "").trim() === %[1]q)))`, label)
}

// press clicks on a button, a link or an entry of a menu by its name.
func (b *browser) press(name string) {
	b.t.Helper()
	b.at(name, found("button, a, label, [role=menuitem], [role=option], input[type=submit]", name))
}

// write types into fields, label and text in turn; what is in them already is typed over.
func (b *browser) write(fields ...string) {
	b.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		b.at(fields[i], field(fields[i]))
		js[bool](b, `(() => { const e = `+field(fields[i])+`; if (e.select) e.select(); return true })()`)
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent(fields[i+1])); err != nil {
			b.t.Fatalf("%s: %v", fields[i], err)
		}
	}
}

// photo is a file with a picture.
func photo(t *testing.T) string {
	t.Helper()
	still, err := filepath.Abs("../../docs/pictures/shop.webp")
	if err != nil {
		t.Fatal(err)
	}
	return still
}
