package web_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/web/browsertest"
)

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

// shopper is somebody with a browser, who goes from shop to shop of a house.
type shopper struct {
	*browsertest.Browser
	t    *testing.T
	h    *house
	host string
}

// TestShoppersInTheirBrowser goes the ways of shoppers in Chromium, one after the other: what
// counts is what a browser makes of forms, cookies, policies and scripts.
func TestShoppersInTheirBrowser(t *testing.T) {
	t.Parallel()
	h, host := serve(t)
	b := &shopper{browsertest.Open(t), t, h, host}
	for _, way := range []struct {
		name string
		goes func(*shopper)
	}{
		{"buying without scripts", func(b *shopper) { b.buysWithoutScripts("", "ltr", "The payment was declined", "Thank you") }},
		{"buying without scripts from right to left", func(b *shopper) { b.buysWithoutScripts("/ar", "rtl", "رُفضت الدفعة", "شكرًا لك") }},
		{"an account", (*shopper).hasAnAccount},
		{"islands", (*shopper).meetsIslands},
		{"nothing hinders", (*shopper).isHinderedByNothing},
		{"a shop that is not open", (*shopper).standsOutside},
		{"policies", (*shopper).seesPoliciesObeyed},
	} {
		began := time.Now()
		b.Looks("light", 1280, 900)
		way.goes(b)
		b.Quietly(way.name)
		t.Logf("%s: %s", way.name, time.Since(began).Round(100*time.Millisecond))
	}
}

// at is the address of a shop.
func (b *shopper) at(s *shop) string { return "http://" + s.label + "." + b.host }

// buysWithoutScripts goes the whole way of a shopper on a phone, with JavaScript turned off, in a
// locale: with a card that is declined, and then with a good one.
func (b *shopper) buysWithoutScripts(prefix, direction, declined, thanks string) {
	b.t.Helper()
	s := b.h.shop(b.t)
	s.product(b.t, "Linen shirt", nil)
	s.Exec(b.t, `update settings set locales = '[{"locale": "ar", "published": true}]'`)
	b.Looks("light", 390, 844)
	b.Scripts(false)
	defer b.Scripts(true)
	form := func(path string) string { return `form[action="` + prefix + path + `"] .button` }
	// The page is looked at before one goes on: by axe, which is a script, and for whether it is
	// written in the right direction.
	look := func(page string) {
		b.t.Helper()
		b.Until("the direction", `document.documentElement.dir === "`+direction+`"`)
		b.Scripts(true)
		b.Accessible(prefix + " " + page + " on a phone")
		b.Scripts(false)
	}

	b.Visit(b.at(s) + prefix + "/")
	b.Shows("Linen shirt")
	look("home")
	b.Follow(".products h3 a")
	look("a product")
	b.Follow("form.take .button")
	b.Shows("Linen shirt")
	b.Follow(`.step[data-by="1"]`)
	b.Until("two of it", `document.querySelector(".count-of input").value == "2"`)
	b.Follow(`.step[data-by="-1"]`)
	b.Until("one of it", `document.querySelector(".count-of input").value == "1"`)
	look("the cart")
	b.Follow(`main a[href="` + prefix + `/checkout"]`)
	b.Fill("email", "ada")
	b.Follow(form("/checkout/contact"))
	b.Until("the fault", `document.querySelector("#email-fault") !== null`)
	look("the checkout")
	b.Fill("email", "ada@example.com", "name", "Ada Example", "line1", "Invalidenstraße 1", "postal_code", "10115", "city", "Berlin")
	b.Follow(form("/checkout/contact"))
	b.Follow(form("/checkout/shipping"))
	b.chooses("declined")
	b.Follow(form("/checkout/pay"))
	b.Shows(declined)
	look("the payment")
	b.chooses("succeeds")
	b.Follow(form("/checkout/pay"))
	b.Shows(thanks, "ada@example.com")
	look("the confirmation")
}

// chooses chooses what the test provider is to do.
func (b *shopper) chooses(token string) {
	b.t.Helper()
	b.Until(token, `(() => { const e = document.querySelector("input[name=token][value=`+token+`]"); if (e) e.checked = true; return e !== null })()`)
}

// hasAnAccount registers, buys with a card that is declined and then with a good one, follows the
// parcel, asks to send it back, and sees all pages of an account, on a phone at night.
func (b *shopper) hasAnAccount() {
	b.t.Helper()
	s := b.h.shop(b.t)
	s.product(b.t, "Linen shirt", nil)
	b.Looks("dark", 390, 844)
	shop := b.at(s)
	b.registers(s)
	b.Visit(shop + "/products/linen-shirt")
	b.Click("form.take .button")
	b.Shows("Linen shirt is in your cart.")
	b.Follow(`#drawer a[href="/checkout"]`)
	b.Fill("name", "Ada Example", "line1", "Invalidenstraße 1", "postal_code", "10115", "city", "Berlin")
	b.Follow(`form[action="/checkout/contact"] .button`)
	b.Accessible("the ways to send")
	b.Follow(`form[action="/checkout/shipping"] .button`)
	b.Shows("Pay €29.90 now")
	b.chooses("declined")
	b.Follow(`form[action="/checkout/pay"] .button`)
	b.Shows("The payment was declined. Nothing was charged")
	b.chooses("succeeds")
	b.Follow(`form[action="/checkout/pay"] .button`)
	b.Shows("Thank you", "Your order is placed and paid")
	order := browsertest.JS[string](b.Browser, `location.pathname`)
	id := strings.TrimPrefix(order, "/orders/")

	s.in(b.t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := b.h.orders.Fulfil(ctx, tx, id, nil, orders.Tracking{Carrier: "Parcels", Number: "JJD000123", URL: "https://example.com/JJD000123"})
		return err
	})
	b.Visit(shop + order)
	b.Shows("JJD000123")
	b.Accessible("a parcel")
	b.Follow(`a[href="` + order + `/returns"]`)
	b.Follow(`form[action$="/returns"] .button`)
	b.Shows("Something is not right yet", "Please choose a reason.")
	b.Accessible("what is to go back")
	b.Until("the reason", `(() => { document.querySelector("select[name^=reason_]").value = "too_small"; return true })()`)
	b.Follow(`form[action$="/returns"] .button`)
	b.Shows("You asked on", "1 × Linen shirt · Too small")
	b.Accessible("what was asked for")
	for path, shows := range map[string]string{
		"/account": "Return under way", "/account/details": "Your details", "/account/addresses": "10115 Berlin", "/account/addresses/new": "An address", "/account/wishlists": "Make a wishlist",
		"/account/reviews": "There are none yet.", "/account/email": "Your e-mail address", "/account/data": "Erase your account",
	} {
		b.Visit(shop + path)
		b.Shows(shows)
		b.Accessible(path + " on a phone at night")
	}

	// Who has the link sees the order without an account, and nobody else does.
	b.Visit(shop + "/account")
	b.Follow(`form[action="/account/sign-out"] button`)
	b.Visit(shop + order)
	b.Shows("This page is not here")
	link, err := b.h.links.Order(s.Ctx, id)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Visit(link)
	b.Shows("You asked on", "JJD000123")

	// The cookie of an account counts on its shop alone. It is erased by the password.
	b.registers(s)
	b.Visit(b.at(b.h.shop(b.t)) + "/account")
	b.Shows("No account yet?")
	b.Visit(shop + "/account/data")
	b.Fill("password", goodPassword)
	b.Follow(`form[action="/account/data/erase"] .button`)
	b.Shows("Your account is erased")
}

// registers makes an account of a shop, and follows the link that is mailed.
func (b *shopper) registers(s *shop) {
	b.t.Helper()
	email := shopperAddress()
	b.Visit(b.at(s) + "/account/register")
	b.Fill("email", email, "password", goodPassword)
	b.Follow(`form[action="/account/register"] .button`)
	b.Shows("Look into your mail")
	b.Visit(b.at(s) + s.deliver(b.t, email))
	b.Follow(`form[action="/account/verify"] .button`)
	b.Shows("you are signed in", email)
}

// standsOutside sees a shop that is not open, what it shows all the same, and comes in by the
// password.
func (b *shopper) standsOutside() {
	b.t.Helper()
	s := b.h.shop(b.t)
	s.product(b.t, "Cup", nil)
	s.writes(b.t, content.Page, `{"title": "Imprint", "purpose": "legal_notice", "body_html": "<p>Ada Example</p>", "published_at": "2020-01-01T00:00:00Z"}`)
	s.access(b.t, "password", "linen")
	b.Visit(b.at(s) + "/")
	b.Shows("Opening soon")
	b.Follow(`footer a[href="/pages/imprint"]`)
	b.Shows("Ada Example")
	b.Accessible("the imprint, from outside")
	b.Visit(b.at(s) + "/")
	b.Accessible("the door")
	b.Looks("dark", 390, 844)
	b.Fill("password", "cotton")
	b.Follow(`form[action="/password"] .button`)
	b.Shows("This is not the password.")
	b.Accessible("the door, with a fault")
	b.Fill("password", "linen")
	b.Follow(`form[action="/password"] .button`)
	b.Shows("Cup")
	s.access(b.t, "maintenance", "")
	b.Visit(b.at(s) + "/")
	b.Shows("We will be back in a moment")
	b.Accessible("maintenance")
}

// seesPoliciesObeyed opens the pages with which nothing was done yet, and hears the browser
// complain of nothing.
func (b *shopper) seesPoliciesObeyed() {
	b.t.Helper()
	s := b.h.shop(b.t)
	for _, path := range []string{"/account/forgot-password", "/account/reset-password?token=x"} {
		b.Visit(b.at(s) + path)
	}
	for _, path := range []string{"/", "/sign-up", "/sign-in", "/forgot-password", "/verify-email?token=x", "/mailbox", "/docs/errors", "/nowhere", "/docs"} {
		b.Visit("http://" + b.host + path)
	}
	// The documentation is rendered by a program, which needs a moment.
	b.Until("the contract", `document.querySelector("#api .opblock-tag")?.checkVisibility()`)
	b.Quietly("/docs")
	browsertest.JS[bool](b.Browser, `document.body.style.color = "red"; const e = document.createElement("script"); e.textContent = "window.ran = true"; document.body.append(e); true`)
	b.Refused("a script that is written into a page")
}
