// Package browsertest is Chromium in tests, as a merchant or a shopper has it: it looks and
// touches, and what it waits for is what is on the screen.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

	"github.com/stoacommerce/stoa/internal/click"
)

// patience is how long what is waited for may take: ten times as long as it does.
const patience = 20 * time.Second

// most is how long a test may have its browser.
const most = 6 * time.Minute

// Browser is one with one tab, which is the test's alone.
type Browser struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string // what a policy kept it from, and errors of scripts
}

// Open starts a browser, as wide as a desk.
func Open(t testing.TB) *Browser {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.Headless, chromedp.DisableGPU, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return open(t, ctx)
}

// Tab opens another tab of the browser, for a test beside others: whoever is signed in in one is
// so in the other.
func (b *Browser) Tab(t testing.TB) *Browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	return open(t, ctx)
}

func open(t testing.TB, ctx context.Context) *Browser {
	t.Helper()
	b := &Browser{t: t}
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
	ctx, cancel := context.WithTimeout(ctx, most)
	t.Cleanup(cancel)
	b.ctx = ctx
	b.Looks("light", 1280, 900)
	return b
}

// Context is the browser's, for what is done to it with chromedp.
func (b *Browser) Context() context.Context { return b.ctx }

// Looks makes the window as wide as a phone or a desk, in a colour scheme. Nothing moves: a page
// that still scrolls takes its buttons away from under a click.
func (b *Browser) Looks(scheme string, width, height int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, height))
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		b.t.Fatal(err)
	}
}

// Scripts says whether pages may run scripts. The page that is there looks as without them, or
// as with them, when it comes back.
func (b *Browser) Scripts(on bool) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		b.t.Fatal(err)
	}
	b.Until("a page that knows of its scripts", fmt.Sprintf(`matchMedia("(scripting: enabled)").matches === %t`, on))
}

// heard notes what the browser complains of.
func (b *Browser) heard(event any) {
	complaint := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceSecurity || strings.Contains(e.Entry.Text, policy) {
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

const policy = "Content Security Policy"

// Quietly fails the test if the browser has complained.
func (b *Browser) Quietly(of string) {
	b.t.Helper()
	if complaints := b.heardOf(); len(complaints) > 0 {
		b.t.Errorf("%s: the browser complains: %q", of, complaints)
	}
}

// Refused fails the test unless a policy kept the browser from something.
func (b *Browser) Refused(of string) {
	b.t.Helper()
	if complaints := b.heardOf(); !slices.ContainsFunc(complaints, func(text string) bool { return strings.Contains(text, policy) }) {
		b.t.Errorf("%s: no policy keeps the browser from it: %q", of, complaints)
	}
}

func (b *Browser) heardOf() (complaints []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complaints, b.complaints = b.complaints, nil
	return complaints
}

// Do does something in the browser.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page shows: %s", err, b.Shown())
	}
}

// Visit opens an address.
func (b *Browser) Visit(address string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("%s: %v", address, err)
	}
	b.Quietly(address)
}

// Press clicks on what an expression gives, as soon as it is there and enabled, keeps still and
// nothing lies over it. What moves away in the last moment is aimed at again: no click hits anything else.
func (b *Browser) Press(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, click.On(expression)); err != nil {
		b.t.Fatalf("press %s: %v; the page shows: %s", what, err, b.Shown())
	}
}

// Click presses the first thing of a selector.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Press(selector, click.First(selector))
}

// Follow clicks on what leads to another page.
func (b *Browser) Follow(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, click.On(click.First(selector))); err != nil {
		b.t.Fatalf("follow %s: %v; the page shows: %s", selector, err, b.Shown())
	}
	b.Quietly(selector)
}

// Fill sets fields by their IDs, ID and text in turn.
func (b *Browser) Fill(fields ...string) {
	b.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		if err := chromedp.Do(b.ctx, chromedp.SetValue(chromedp.ID(fields[i]), fields[i+1])); err != nil {
			b.t.Fatalf("fill %s: %v", fields[i], err)
		}
	}
}

// JS evaluates an expression in the page.
func JS[T any](b *Browser, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Until waits for an expression to hold.
func (b *Browser) Until(what, expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression, chromedp.EvalAwaitPromise))
		if err == nil && holds {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s does not come (%v); the page shows: %s", what, err, b.Shown())
		}
	}
}

// shown is an expression for the text that the page shows.
const shown = `document.body.innerText.replaceAll("\u00a0", " ")`

// Shown is the text that the page shows.
func (b *Browser) Shown() string {
	b.t.Helper()
	return JS[string](b, shown)
}

// Shows waits for texts to be on the screen.
func (b *Browser) Shows(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.Until(strconv.Quote(text), fmt.Sprintf(`%s.includes(%q)`, shown, text))
	}
}

// Accessible holds the page, or the dialog that lies over it, against axe's rules, but those
// that are excepted, and sees that nothing is wider than the screen.
func (b *Browser) Accessible(page string, except ...string) {
	b.t.Helper()
	excepted := ""
	for _, rule := range except {
		excepted += fmt.Sprintf(`%q: {enabled: false},`, rule)
	}
	b.axe(page, `rules: {`+excepted+`}`)
	b.fits(page)
}

// Readable holds what is left to see of a page in another colour scheme, or on another screen,
// once Accessible has seen it: that all of it can be read, and that nothing is wider than the
// screen. That takes a fraction of the time.
func (b *Browser) Readable(page string) {
	b.t.Helper()
	b.axe(page, `runOnly: ["color-contrast"]`)
	b.fits(page)
}

// axe holds a page, or the dialog over it, against some of its rules. What is in frames it cannot
// see, and styles that are loaded it need not load once more.
func (b *Browser) axe(page, options string) {
	b.t.Helper()
	JS[bool](b, `(() => { if (!window.axe) {`+axe(b.t)+`}; return true })()`)
	wrong := JS[[]string](b, `axe.run([...document.querySelectorAll("[role=dialog]")].at(-1) ?? document, {resultTypes: ["violations"], preload: false, iframes: false, `+options+`}).then(r => r.passes.length < 1 ? ["axe looked at nothing"] :
		r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + (n.any[0]?.message ?? n.failureSummary ?? "")).slice(0, 4).join(" | ")))`)
	for _, each := range wrong {
		b.t.Errorf("%s: %s", page, each)
	}
}

// fits sees that nothing is wider than the screen.
func (b *Browser) fits(page string) {
	b.t.Helper()
	if over := JS[int](b, `document.scrollingElement.scrollWidth - innerWidth`); over > 0 {
		b.t.Errorf("%s is wider than the screen by %d", page, over)
	}
}

// script is axe, once it was read.
var script = sync.OnceValues(func() (string, error) {
	root, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return "", os.ErrNotExist
		}
		root = filepath.Dir(root)
	}
	text, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	return string(text), err
})

func axe(t testing.TB) string {
	t.Helper()
	text, err := script()
	if err != nil {
		t.Fatalf("axe is not there (npm ci): %v", err)
	}
	return text
}
