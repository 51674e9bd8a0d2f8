package web_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/web/page"
)

// The kinds of answers, by how they may be kept.
const (
	sharedPage   = "public, max-age=10"
	personalPage = "no-store"
	forEver      = "public, max-age=31536000, immutable"
	askedAnew    = "no-cache"
)

func TestEveryRouteHasItsHeaders(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	s.Exec(t, `insert into categories (id, path, name, handle) values ('cat_a', 'cat_a/', 'Home', 'home')`)
	s.Exec(t, `insert into collections (id, handle, title) values ('col_a', 'winter', 'Winter')`)
	b, own := h.visitor(t, s.label), h.visitor(t, "")
	style := b.get("/").find(`<link rel="stylesheet" href="([^"]+)"`)
	icon := b.get("/").find(`<link rel="icon" href="([^"]+)"`)
	script := b.get("/").find(`<script src="([^"]+)"`)
	siteStyle := own.get("/").find(`<link rel="stylesheet" href="([^"]+)"`)
	for _, want := range []struct {
		who           *browser
		path, caching string
		status        int
	}{
		{b, "/", sharedPage, 200}, {b, "/products", sharedPage, 200}, {b, "/products/linen-shirt", sharedPage, 200}, {b, "/categories/home", sharedPage, 200},
		{b, "/collections/winter", sharedPage, 200}, {b, "/search?q=linen", sharedPage, 200}, {b, "/search", sharedPage, 200},
		{b, "/search/suggestions?q=lin", sharedPage, 200}, {b, "/search/suggestions", personalPage, 404}, {b, "/cart/count", personalPage, 200}, {b, script, forEver, 200},
		{b, "/contact", personalPage, 200}, {b, "/withdraw", personalPage, 200}, {b, "/shop.former.js", askedAnew, 200},
		{b, "/account", personalPage, 303}, {b, "/account/sign-in", personalPage, 200}, {b, "/account/register", personalPage, 200},
		{b, "/account/verify?token=x", personalPage, 200}, {b, "/account/details", personalPage, 303},
		{b, "/account/forgot-password", personalPage, 200}, {b, "/account/reset-password?token=x", personalPage, 200}, {b, "/sitemap.xml", askedAnew, 200},
		{b, "/cart", personalPage, 200}, {b, "/checkout", personalPage, 303}, {b, "/orders/ord_x", personalPage, 404}, {b, "/nowhere", personalPage, 404},
		{b, "/media/nothing.jpg", personalPage, 404}, {b, style, forEver, 200}, {b, icon, forEver, 200}, {b, "/theme.former.css", askedAnew, 200},
		{b, "/favicon.ico", askedAnew, 200}, {b, "/robots.txt", "public, max-age=3600", 200},
		{own, "/", sharedPage, 200}, {own, "/docs", sharedPage, 200}, {own, "/docs/errors", sharedPage, 200}, {own, "/sign-up", personalPage, 200},
		{own, "/sign-in", personalPage, 200}, {own, "/stores", personalPage, 303}, {own, "/mailbox", personalPage, 200}, {own, "/forgot-password", personalPage, 200},
		{own, "/verify-email?token=x", personalPage, 200}, {own, "/verify-email", personalPage, 404},
		{own, "/accept-invitation?token=x", personalPage, 422}, {own, "/reset-password?token=x", personalPage, 200}, {own, "/confirm-email?token=x", personalPage, 200}, {own, "/nowhere", personalPage, 404}, {own, siteStyle, forEver, 200},
		{own, "/openapi.json", askedAnew, 200}, {own, "/openapi.yaml", askedAnew, 200}, {own, "/docs/swagger-ui.css", "public, max-age=86400", 200},
		{own, "/site.former.css", askedAnew, 200}, {own, "/robots.txt", "public, max-age=3600", 200},
		{h.visitor(t, "nobody"), "/", personalPage, 404},
	} {
		a := want.who.get(want.path).status(want.status)
		header := a.Header()
		if got := header.Get("Cache-Control"); got != want.caching {
			t.Errorf("%s may be kept: %q, want %q", want.path, got, want.caching)
		}
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if want.path != "/media/nothing.jpg" && header.Get(name) != value {
				// a missing medium is answered without a connection to its host's policy
				t.Errorf("%s: %s is %q", want.path, name, header.Get(name))
			}
		}
		if header.Get("Request-Id") == "" || header.Get("Permissions-Policy") == "" || header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", want.path, header)
		}
		if strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			policy := page.Policy
			if want.path == "/docs" {
				policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
			}
			if got := header.Get("Content-Security-Policy"); got != policy {
				t.Errorf("%s: the policy is %q", want.path, got)
			}
			if header.Get("Referrer-Policy") != "same-origin" {
				t.Errorf("%s: %v", want.path, header)
			}
			if found := active(t, a.Body.String()); want.path != "/docs" && len(found) > 0 {
				t.Errorf("%s holds %q", want.path, found)
			}
			if regexp.MustCompile(`<script( src="[^"]*"( defer)?)?>[^<]`).MatchString(a.Body.String()) {
				t.Errorf("%s holds an inline script", want.path)
			}
		}
		if want.caching != personalPage && len(header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s sets a cookie and may be kept", want.path)
		}
	}
}

func TestSharedPagesAreTheSameForAll(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	for _, title := range []string{"Linen shirt", "Vase", "Bowl", "Lamp", "Cup", "Jar", "Hat", "Shoe"} {
		s.product(t, title, nil)
	}
	stranger, regular := h.visitor(t, s.label), h.visitor(t, s.label)
	regular.put("/products/vase", "3")
	regular.header.Set("Accept-Language", "de")
	regular.header.Set("User-Agent", "another")
	for _, path := range []string{"/", "/products", "/products/linen-shirt", "/search?q=linen"} {
		first, second := stranger.get(path), regular.get(path)
		if first.Body.String() != second.Body.String() {
			t.Errorf("%s differs between visitors", path)
		}
		if vary := first.Header().Get("Vary"); vary != "Accept-Encoding" {
			t.Errorf("%s varies by %s", path, vary)
		}
		etag := first.Header().Get("ETag")
		if etag == "" || etag != second.Header().Get("ETag") {
			t.Errorf("%s has the ETags %q and %q", path, etag, second.Header().Get("ETag"))
		}
		again := h.visitor(t, s.label)
		again.header.Set("If-None-Match", `"other", `+etag)
		if a := again.get(path).status(http.StatusNotModified); a.Body.Len() > 0 || a.Header().Get("Cache-Control") != sharedPage {
			t.Errorf("%s: %v with %d bytes", path, a.Header(), a.Body.Len())
		}
		again.header = http.Header{"Accept-Encoding": {"br;q=1, gzip;q=0.8"}}
		zipped := again.get(path).status(http.StatusOK)
		if zipped.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s is not compressed", path)
		}
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(z); err != nil || string(plain) != first.Body.String() {
			t.Errorf("%s is another page when compressed: %v", path, err)
		}
	}
	// Whatever does not belong to a page makes no page of its own.
	etag := stranger.get("/products").Header().Get("ETag")
	for _, query := range []string{"?utm_source=x", "?currency=EUR", "?after=%3C", "?page=7"} {
		if got := stranger.get("/products" + query).Header().Get("ETag"); got != etag {
			t.Errorf("/products%s is another page", query)
		}
	}
}

func TestTheFirstPageIsLight(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	for _, title := range []string{"Linen shirt", "Vase", "Bowl", "Lamp", "Cup", "Jar", "Hat", "Shoe", "Rug", "Plate"} {
		s.product(t, title, func(in *catalog.ProductInput) { in.Description = "<p>" + strings.Repeat("Made slowly. ", 200) + "</p>" })
	}
	b := h.visitor(t, s.label)
	links := regexp.MustCompile(`(?:href|src)="(/[^"]+\.(?:css|js|svg))"`)
	b.header.Set("Accept-Encoding", "gzip")
	for path, most := range map[string]int{"/": 50_000, "/products": 50_000, "/products/vase": 50_000} {
		b.header.Del("Accept-Encoding")
		plain := b.get(path)
		b.header.Set("Accept-Encoding", "gzip")
		sum := b.get(path).Body.Len()
		for _, link := range links.FindAllStringSubmatch(plain.Body.String(), -1) {
			sum += b.get(link[1]).status(http.StatusOK).Body.Len()
		}
		if sum > most {
			t.Errorf("%s comes to %d bytes without pictures", path, sum)
		}
	}
}

func TestAChangeShowsAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	id := s.product(t, "Linen shirt", nil)
	b := h.visitor(t, s.label)
	before := b.get("/products").says("Linen shirt")
	b.get("/products/linen-shirt").says("Linen shirt")

	title := "Woollen shirt"
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		return h.catalog.UpdateProduct(ctx, tx, id, 0, catalog.ProductPatch{Title: &title})
	})
	for _, path := range []string{"/", "/products", "/products/linen-shirt", "/search?q=woollen"} {
		b.get(path).says("Woollen shirt").lacks("Linen shirt")
	}
	b.header.Set("If-None-Match", before.Header().Get("ETag"))
	b.get("/products").status(http.StatusOK)
	b.header.Del("If-None-Match")

	style := b.get("/").find(`<link rel="stylesheet" href="([^"]+)"`)
	accent := "#aa3355"
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.stores.ChangeSettings(ctx, tx, accentOf(&accent))
		return err
	})
	changed := b.get("/").find(`<link rel="stylesheet" href="([^"]+)"`)
	if changed == style {
		t.Error("the stylesheet did not change with the accent")
	}
	b.get(changed).says(accent)
	b.get(style).status(http.StatusOK).says(accent) // somebody kept the former page

	s.in(t, func(ctx context.Context, tx *postgres.Tx) error { return h.catalog.DeleteProduct(ctx, tx, id, 0) })
	b.get("/products/linen-shirt").status(http.StatusNotFound)
	b.get("/").lacks("Woollen shirt")
}

func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cup", nil)
	b := h.visitor(t, s.label)
	b.put("/products/cup", "1")
	payment := b.toPayment()
	refused := 0
	for range 40 {
		if a := b.pay(payment, "declined"); a.Code == http.StatusTooManyRequests {
			refused++
			a.says("One moment, please")
			if a.Header().Get("Retry-After") == "" {
				t.Error("it does not say when to try again")
			}
		}
	}
	if refused < 5 {
		t.Errorf("of 40 cards %d were refused", refused)
	}
	searcher := h.visitor(t, s.label)
	searcher.address = "192.0.2.8:4711"
	asked := 0
	for searcher.get("/search").Code == http.StatusOK { // 600 a minute, and the minute may end meanwhile
		if asked++; asked > 1250 {
			t.Fatal("an address can search for ever")
		}
	}
	if asked < 600 {
		t.Errorf("an address may search %d times", asked)
	}
	searcher.get("/products").status(http.StatusOK) // what is kept costs nothing
	guesser := h.visitor(t, "")
	refused = 0
	for range 110 {
		if guesser.post("/sign-in", url.Values{"email": {"nobody@example.com"}, "password": {"wrong"}}).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("sign-in can be tried for ever")
	}
}
