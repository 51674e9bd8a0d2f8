package admin_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/app/apptest"
)

// browser is Chromium, as a merchant has it. It looks and touches: what it waits for is what
// is on the screen.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string // the platform's own address
	axe  string

	mu         sync.Mutex
	complaints []string
}

func open(t *testing.T, p *apptest.Program) *browser {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.Headless, chromedp.DisableGPU, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, base: strings.TrimSuffix(p.Config.Site.PublicURL.String(), "/")}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium does not start (Debian: apt install chromium): %v", err)
	}
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"}); err != nil {
		t.Fatal(err)
	}
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("make admin installs what the back office is tested with: %v", err)
	}
	b.axe = string(axe)
	b.ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	b.looks("light", 1280, 900)
	return b
}

// heard notes what the browser complains of: what a policy kept it from, and errors of scripts.
func (b *browser) heard(event any) {
	complaint := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceSecurity || strings.Contains(e.Entry.Text, "Content Security Policy") {
			complaint = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			complaint += " " + e.ExceptionDetails.Exception.Description
		}
	}
	if complaint != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, complaint)
	}
}

// quietly fails the test if the browser has complained.
func (b *browser) quietly(of string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		b.t.Errorf("%s: the browser complains: %q", of, b.complaints)
	}
	b.complaints = nil
}

// visit opens an address: of the back office or, where it begins with http, any other.
func (b *browser) visit(address string) {
	b.t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = b.base + address
	}
	if err := chromedp.Do(b.ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("%s: %v", address, err)
	}
}

// js evaluates an expression in the page.
func js[T any](b *browser, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// patience is how long what is waited for may take: ten times as long as it does.
const patience = 20 * time.Second

// until waits for an expression to hold.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression, chromedp.EvalAwaitPromise))
		if err == nil && holds {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s does not come (%v); the page shows: %s", what, err, js[string](b, `document.body.innerText`))
		}
	}
}

// shows waits for texts to be on the screen.
func (b *browser) shows(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until(strconv.Quote(text), fmt.Sprintf(`document.body.innerText.replaceAll("\u00a0", " ").includes(%q)`, text))
	}
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

// at clicks on what an expression gives, as soon as it is there, keeps still and nothing lies
// over it.
func (b *browser) at(what, expression string) {
	b.t.Helper()
	const middle = `const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2; `
	b.until(what, `(() => { const what = `+strconv.Quote(what)+`, e = `+expression+`; if (!e) return false; e.scrollIntoView({block: "center"}); `+middle+`const at = [what, x, y].join(), still = window.looked === at; window.looked = at; const top = document.elementFromPoint(x, y); return still && ( e.contains(top) || Boolean(top?.contains(e)) && top.closest("label, button, a") === e.closest("label, button, a")) })()`)
	at := js[[]float64](b, `(() => { const e = `+expression+`; `+middle+`return [x, y] })()`)
	if err := chromedp.Do(b.ctx, chromedp.MouseClickXY(at[0], at[1])); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
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

// fill sets fields of a page without scripts, by their names.
func (b *browser) fill(fields ...string) {
	b.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		if err := chromedp.Do(b.ctx, chromedp.SetValue(chromedp.ID(fields[i]), fields[i+1])); err != nil {
			b.t.Fatalf("fill %s: %v", fields[i], err)
		}
	}
}

// follow clicks on what leads to another page.
func (b *browser) follow(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("follow %s: %v; the page shows: %s", selector, err, js[string](b, `document.body.innerText`))
	}
}

// accessible holds the screen, or the dialog that lies over it, against axe's rules, and sees
// that nothing is wider than it.
func (b *browser) accessible(screen string) {
	b.t.Helper()
	// A dialog of the library has a header, which is none of the page's: who is in it sees nothing else.
	js[bool](b, `(() => { if (!window.axe) {`+b.axe+`}; return true })()`)
	wrong := js[[]string](b, `axe.run([...document.querySelectorAll("[role=dialog]")].at(-1) ?? document, {resultTypes: ["violations"], rules: {"landmark-no-duplicate-banner": {enabled: false}}}).then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + (n.any[0]?.message ?? n.failureSummary ?? "")).slice(0, 4).join(" | ")))`)
	for _, each := range wrong {
		b.t.Errorf("%s: %s", screen, each)
	}
	if over := js[int](b, `document.scrollingElement.scrollWidth - innerWidth`); over > 0 {
		b.t.Errorf("%s is wider than the screen by %d", screen, over)
	}
}

// looks makes the window as wide as a phone or a desk, in a scheme. Nothing moves.
func (b *browser) looks(scheme string, width, height int64) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		b.t.Fatal(err)
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
