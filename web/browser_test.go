package web_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/platform/httpserver"
)

// chromium is a real browser that looks at a house which is served on this machine.
type chromium struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string // of the browser: what a policy kept it from, and errors of scripts
}

// serve serves a house at an address that browsers take for secure: a port of localhost.
func serve(t testing.TB) (h *house, host string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(listener.Addr().String(), ":")
	host = "localhost:" + port
	h = openAt(t, &url.URL{Scheme: "http", Host: host}, httpserver.Config{})
	server := &http.Server{Handler: h.server, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
	return h, host
}

// browse starts Chromium.
func browse(t testing.TB) *chromium {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.Headless, chromedp.DisableGPU, chromedp.NoSandbox, chromedp.NoFirstRun)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	c := &chromium{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium does not start (Debian: apt install chromium): %v", err)
	}
	if err := chromedp.Listen(ctx, c.heard); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	// A page that still scrolls to its step moves its buttons away from under a click.
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		t.Fatal(err)
	}
	// Nothing here takes long; who waits longer than this waits for nothing.
	c.ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return c
}

// heard notes what the browser complains of.
func (c *chromium) heard(event any) {
	complaint := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceSecurity || strings.Contains(e.Entry.Text, "Content Security Policy") {
			complaint = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
	}
	if complaint == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complaints = append(c.complaints, complaint)
}

// quietly fails the test if the browser complained of a page.
func (c *chromium) quietly(page string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.complaints) > 0 {
		c.t.Errorf("on %s the browser complains: %q", page, c.complaints)
	}
	c.complaints = nil
}

// scripts says whether pages may run scripts.
func (c *chromium) scripts(on bool) {
	c.t.Helper()
	if _, err := chromedp.Call(c.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chromium) visit(address string) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, chromedp.Navigate(address)); err != nil {
		c.t.Fatalf("%s: %v", address, err)
	}
	c.quietly(address)
}

// click clicks on what leads to another page.
func (c *chromium) click(selector string) {
	c.t.Helper()
	if n, err := chromedp.Run(c.ctx, chromedp.Evaluate[int](fmt.Sprintf("document.querySelectorAll(%q).length", selector))); err != nil || n == 0 {
		c.t.Fatalf("there is no %s on the page: %s, %v", selector, c.shown(), err)
	}
	if _, err := chromedp.RunResponse(c.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		c.t.Fatalf("click %s: %v", selector, err)
	}
	c.quietly(selector)
}

func (c *chromium) fill(fields ...string) {
	c.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		if err := chromedp.Do(c.ctx, chromedp.SetValue(chromedp.ID(fields[i]), fields[i+1])); err != nil {
			c.t.Fatalf("fill %s: %v", fields[i], err)
		}
	}
}

// says fails the test unless the page shows the texts.
func (c *chromium) says(texts ...string) {
	c.t.Helper()
	shown := c.shown()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			c.t.Fatalf("the page does not show %q: %s", text, shown)
		}
	}
}

// shown is the text that the page shows.
func (c *chromium) shown() string {
	c.t.Helper()
	text, err := chromedp.Run(c.ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.ReplaceAll(text, "\u00a0", " ")
}

// TestABrowserWithoutScriptsBuys goes the way of a shopper in Chromium, with JavaScript
// turned off: what counts is what a browser makes of forms, cookies and policies.
func TestABrowserWithoutScriptsBuys(t *testing.T) {
	t.Parallel()
	h, host := serve(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	c := browse(t)
	c.scripts(false)
	shop := "http://" + s.label + "." + host

	c.visit(shop + "/")
	c.says("Linen shirt", "€25.00")
	c.click(".products h3 a")
	c.click("form.take .button")
	c.says("Linen shirt is in your cart.")
	c.click(`a[href="/checkout"]`)
	c.fill("email", "ada")
	c.click(`form[action="/checkout/contact"] .button`)
	c.says("This does not look like an e-mail address.")
	c.fill("email", "ada@example.com", "name", "Ada Example", "line1", "Invalidenstraße 1", "postal_code", "10115", "city", "Berlin")
	c.click(`form[action="/checkout/contact"] .button`)
	c.click(`form[action="/checkout/shipping"] .button`)
	c.says("Pay €29.90 now")
	c.click(`form[action="/checkout/pay"] .button`)
	c.says("Thank you", "Your order is placed and paid", "ada@example.com")

	// A shopper who has an account signs in; the cookie counts on this shop alone.
	email := shopperAddress()
	c.visit(shop + "/account/register")
	c.fill("email", email, "password", goodPassword)
	c.click(`form[action="/account/register"] .button`)
	c.says("Look into your mail")
	c.visit(shop + s.deliver(t, email))
	c.click(`form[action="/account/verify"] .button`)
	c.says("you are signed in", email)
	c.visit(shop + "/account/reviews")
	c.visit("http://" + h.shop(t).label + "." + host + "/account")
	c.says("No account yet?")

	// And is erased, by the password.
	c.visit(shop + "/account/data")
	c.fill("password", goodPassword)
	c.click(`form[action="/account/data/erase"] .button`)
	c.says("Your account is erased")
}

// TestPagesObeyTheirPolicies opens every page that there is to open in Chromium, with
// JavaScript, and hears it complain of nothing.
func TestPagesObeyTheirPolicies(t *testing.T) {
	t.Parallel()
	h, host := serve(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	c := browse(t)
	shop, own := "http://"+s.label+"."+host, "http://"+host
	for _, path := range []string{"/", "/products", "/products/linen-shirt", "/search?q=linen", "/cart", "/nowhere", "/account/sign-in", "/account/register", "/account/forgot-password", "/account/reset-password?token=x"} {
		c.visit(shop + path)
	}
	for _, path := range []string{"/", "/sign-up", "/sign-in", "/forgot-password", "/verify-email?token=x", "/mailbox", "/docs/errors", "/nowhere", "/docs"} {
		c.visit(own + path)
	}
	// The documentation is rendered by a program, which needs a moment.
	if err := chromedp.Do(c.ctx, chromedp.WaitVisible(chromedp.CSS("#api .opblock-tag"))); err != nil {
		t.Fatalf("the contract is not rendered: %v", err)
	}
	c.quietly("/docs")
	if _, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](`document.body.style.color = "red"; const e = document.createElement("script"); e.textContent = "window.ran = true"; document.body.append(e); String(window.ran)`)); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.complaints, func(text string) bool { return strings.Contains(text, "Content Security Policy") }) {
		t.Error(fmt.Sprint("a script that is written into a page runs: ", c.complaints))
	}
}
