package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// in changes the catalogue of a shop.
func (s *shop) in(t testing.TB, change func(ctx context.Context, tx *postgres.Tx) error) {
	t.Helper()
	if err := s.h.db.InStore(s.Ctx, change); err != nil {
		t.Fatal(err)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	h.Sandbox(t, s.Ctx)
	s.product(t, "Linen shirt", nil)
	ref, _ := postgres.StoreFrom(s.Ctx)

	for _, label := range []string{"nobody", "no--body", "xn--bcher-kva", s.label + ".deeper", s.label + "--test--test"} {
		h.visitor(t, label).get("/").status(http.StatusNotFound).says("There is no shop at this address")
	}
	for _, host := range []string{"elsewhere.example", "192.0.2.1", "evil" + domain, ""} {
		b := h.visitor(t, "")
		b.host = host
		b.get("/").status(http.StatusNotFound).says("There is no shop at this address")
		b.get("/v1/products").status(http.StatusTeapot) // programs may know us by other names
	}
	for _, host := range []string{domain, domain + ":8080", strings.ToUpper(domain), domain + ".", "www." + domain} {
		b := h.visitor(t, "")
		b.host = host
		b.get("/").status(http.StatusOK).says("Many shops under one roof")
	}
	b := h.visitor(t, strings.ToUpper(s.label))
	b.get("/").status(http.StatusOK).says("Linen shirt")
	b.get("/v1/products").status(http.StatusNotFound)

	sandbox := h.visitor(t, s.label+"--test")
	sandbox.get("/").says("Sandbox.", "Nothing here is sold", `href="https://`+s.label+"."+domain+`/">To the live shop`, `<meta name="robots" content="noindex">`).lacks("Linen shirt")
	sandbox.get("/robots.txt").says("Disallow: /\n")
	h.visitor(t, s.label).get("/").lacks("Sandbox.", "noindex")
	h.visitor(t, s.label).get("/robots.txt").says("Disallow: /cart").lacks("Disallow: /\n")

	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.stores.Suspend(ctx, tx, ref.ID, "it was time")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shut := h.visitor(t, s.label)
	for _, pattern := range []string{`rel="stylesheet" href="([^"]+)"`, `rel="icon" href="([^"]+)"`} { // the closed page is not a bare one
		shut.get(shut.get("/").find(pattern)).status(http.StatusOK)
	}
	for _, path := range []string{"/", "/products/linen-shirt", "/cart", "/search?q=x", "/nowhere"} {
		a := shut.get(path).status(http.StatusServiceUnavailable).says("This shop is closed at the moment", "owner@example.com").lacks("Linen shirt", "it was time")
		if a.Header().Get("Retry-After") == "" || a.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, a.Header())
		}
	}
	shut.post("/cart/lines", url.Values{"variant": {"var_x"}}).status(http.StatusServiceUnavailable)
	err = h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.stores.Delete(ctx, tx, ref.ID, "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shut.get("/").status(http.StatusNotFound).says("There is no shop at this address")
}

func TestListsAndTheirParts(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.Exec(t, `insert into categories (id, parent_id, path, name, handle, description, seo_title, seo_description) values
		('cat_a', null, 'cat_a/', 'Home', 'home', 'For the house.', 'Clay for the house', 'Bowls and more of clay.'), ('cat_b', 'cat_a', 'cat_a/cat_b/', 'Bowls', 'bowls', '', '', ''),
		('cat_c', null, 'cat_c/', 'Empty', 'empty', '', '', '')`)
	s.Exec(t, `insert into collections (id, handle, title, description) values ('col_a', 'winter', 'Winter', '<p>Warm <strong>things</strong></p>')`)
	for i := range 30 {
		id := s.product(t, fmt.Sprintf("Bowl %02d", i), func(in *catalog.ProductInput) { in.CategoryID = "cat_b" })
		if i < 2 {
			s.Exec(t, `insert into collection_products (collection_id, product_id, sort_key, shown) values ('col_a', $1, lpad($2::text, 10, '0'), true)`, string(id), strconv.Itoa(i))
		}
	}
	s.product(t, "Lost draft", func(in *catalog.ProductInput) { in.Status = catalog.Draft })
	b := h.visitor(t, s.label)
	b.get("/").says("Home", "Winter", "Bowl 29", "Bowl 22", "Bowl 00", "New in").lacks("Lost draft", `>Empty <`)
	list := b.get("/products").says("Bowl 29", "Bowl 06", "Next page").lacks("Bowl 05", "Lost draft", "To the first page")
	b.get(list.find(`rel="next" href="([^"]+)"`)).says("Bowl 05", "Bowl 00", "To the first page", "noindex").lacks("Bowl 06", "Next page")
	b.get("/categories/home").says("For the house.", "Bowl 29", `href="/categories/bowls"`, "Next page", "<title>Clay for the house", `content="Bowls and more of clay."`)
	b.get("/categories/bowls").says(`href="/categories/home"`, "Bowl 29", `aria-current="page">Bowls`)
	b.get("/categories/empty").says("There is nothing here at the moment.")
	b.get("/collections/winter").says("<strong>things</strong>", "Bowl 00", "Bowl 01").lacks("Bowl 02")
	b.get("/products/bowl-03").says("Bowl 03", `href="/categories/bowls"`, "You may also like", "In stock")
	if to := b.get("/categories/cat_b").status(http.StatusMovedPermanently).leadsTo(); to != "/categories/bowls" {
		t.Errorf("led to %s", to)
	}
	s.Exec(t, `insert into former_handles (kind, handle, object_id) select 'product', 'dish', id from products where handle = 'bowl-03'
		union all values ('category', 'dishes', 'cat_b'), ('collection', 'frost', 'col_a')`)
	for former, now := range map[string]string{
		"/products/dish?currency=EUR": "/products/bowl-03?currency=EUR", "/categories/dishes": "/categories/bowls", "/collections/frost": "/collections/winter",
	} {
		if to := b.get(former).status(http.StatusMovedPermanently).leadsTo(); to != now {
			t.Errorf("%s led to %s", former, to)
		}
	}
	for _, path := range []string{
		"/categories/none", "/collections/none", "/products/none", "/products/lost-draft", "/products/bowl-03?variant=var_none", "/nowhere", "/orders/ord_x",
		"/products/" + strings.Repeat("x", 2000), "/media/x.jpg", "/products/%00", "/categories/%ff", "/collections/..%2f..",
	} {
		a := b.get(path)
		if a.Code != http.StatusNotFound {
			t.Errorf("%s answered %d", path, a.Code)
		}
	}
	b.get("/nowhere").says("This page is not here", `role="search"`)
	b.get("/products?after=%27%20or%201=1").status(http.StatusOK).says("Bowl 29")
	b.get("/products?after=" + strings.Repeat("a", 5000)).status(http.StatusOK)
}

func TestSearchEnginesAreToldWhatThereIs(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.Exec(t, `insert into categories (id, path, name, handle) values ('cat_a', 'cat_a/', 'Home & more', 'home')`)
	id := s.product(t, "Vase & Bowl", func(in *catalog.ProductInput) { in.Handle, in.Vendor, in.Variants[0].SKU = "vase", "Kiln", "V-1" })
	s.product(t, "Draft", func(in *catalog.ProductInput) { in.Status = catalog.Draft })
	b := h.visitor(t, s.label)
	base := "https://" + s.label + "." + domain
	b.get("/robots.txt").says("Sitemap: " + base + "/sitemap.xml")
	a := b.get("/sitemap.xml").status(http.StatusOK).
		says("<loc>"+base+"/</loc>", "<loc>"+base+"/categories/home</loc>", "<loc>"+base+"/products/vase</loc><lastmod>20").lacks("draft")
	if kind := a.Header().Get("Content-Type"); kind != "application/xml" {
		t.Errorf("it is %s", kind)
	}
	page := b.get("/products/vase").says(`<link rel="canonical" href="`+base+`/products/vase">`, `property="og:type" content="product"`,
		`"@type":"Product"`, `"price":"25.00"`, `"priceCurrency":"EUR"`, `"availability":"https://schema.org/InStock"`, `"brand":{"@type":"Brand","name":"Kiln"}`, `"sku":"V-1"`,
		`"@type":"BreadcrumbList"`)
	b.get("/").says(`"@type":"OnlineStore"`)
	b.get("/products/vase?variant=" + page.find(`name="variant" value="([^"]+)"`)).says(`<link rel="canonical" href="` + base + `/products/vase">`)
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error { return h.catalog.DeleteProduct(ctx, tx, id, 0) })
	b.get("/sitemap.xml").lacks("/products/vase")
	h.visitor(t, s.label+"--test").get("/sitemap.xml").status(http.StatusNotFound)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	s.product(t, "Woollen hat", nil)
	b := h.visitor(t, s.label)
	b.get("/search").status(http.StatusOK).says("Search the shop").lacks("Linen shirt")
	b.get("/search?q=linen").says("Linen shirt", "“linen”", `value="linen"`, "noindex").lacks("Woollen hat")
	b.get("/search?q=lnien").says("Linen shirt")
	b.get("/search?q=zeppelin").status(http.StatusOK).says("Nothing was found for “zeppelin”")
	for _, text := range []string{"", "   ", "'", `"`, "%", "a & b | !", "\x00", "\xff\xfe", "<->", strings.Repeat("lang ", 500), "💥", "../../etc"} {
		b.get("/search?q=" + url.QueryEscape(text)).status(http.StatusOK)
	}
}

// Lists are narrowed and sorted by links, and what is chosen is kept from page to page.
func TestListsAreNarrowedByLinks(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	for i, title := range []string{"Linen shirt", "Linen rug", "Woollen hat"} {
		s.product(t, title, func(in *catalog.ProductInput) { in.Vendor = []string{"Mill & Co", "Mill & Co", "Other"}[i] })
	}
	b := h.visitor(t, s.label)
	b.get("/products").says("Filter and sort", "Brand", "Mill & Co", "(2)").lacks("Show all", "noindex")
	b.get(b.get("/products").find(`href="([^"]+filter=vendor[^"]+)">\s*Mill`)).says("Linen shirt", "Linen rug", "Show all", "2 products", "noindex", `aria-current="true"`).lacks("Woollen hat</")
	b.get("/products?filter=vendor:Other&sort=title").says("Woollen hat", "One product").lacks("Linen rug")
	b.get("/search?q=linen&filter=vendor:Other").says("Show all").lacks("Linen rug")
	b.get("/products?filter=nonsense&filter=price:x&sort=sideways").status(http.StatusOK).says("Linen shirt", "Woollen hat")
}

func TestVariantsAreChosenByLinks(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cloth", func(in *catalog.ProductInput) {
		in.Options = []catalog.Option{{Name: "Size", Values: []string{"Small", "Large"}}, {Name: "Colour", Values: []string{"Sage", "Clay", "Night"}}}
		in.Variants = nil
		for _, c := range []struct {
			choices       []string
			amount, stock int64
		}{
			{[]string{"Small", "Sage"}, 1000, 0}, {[]string{"Small", "Clay"}, 1200, 4}, {[]string{"Large", "Sage"}, 2000, 5}, {[]string{"Large", "Clay"}, 2200, 0},
		} {
			v := catalog.NewVariant()
			before := c.amount + 500
			v.Choices, v.Stock, v.Prices = c.choices, c.stock, []catalog.Price{{Amount: c.amount, Currency: "EUR", CompareAt: &before}}
			in.Variants = append(in.Variants, v)
		}
	})
	b := h.visitor(t, s.label)
	b.get("/products").says("€10.00", "€15.00", "Sale")
	page := b.get("/products/cloth").says("€12.00", "€17.00", "In stock", "Small", `<span class="choice never" aria-disabled="true">Night</span>`)
	page.says("Sold out") // of the small one in sage
	large := page.find(`href="([^"]+)"[^>]*>Large`)
	b.get(large).says("€22.00", "Sold out").lacks("Add to cart")
	sage := b.get(large).find(`href="([^"]+)"[^>]*>Sage`)
	b.get(sage).says("€20.00", "Add to cart")
	b.put(sage, "1").says("Large / Sage", "€20.00")
}

func TestPicturesHaveTheirSizes(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	id := s.product(t, "Vase", nil)
	picture, err := h.pictures.Store(s.Ctx, "", dot(t))
	if err != nil {
		t.Fatal(err)
	}
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		return h.catalog.AddImage(ctx, tx, id, picture, "A vase")
	})
	b := h.visitor(t, s.label)
	images := regexp.MustCompile(`<img [^>]*>`)
	for _, path := range []string{"/", "/products", "/products/vase", "/search?q=vase"} {
		found := images.FindAllString(b.get(path).page(), -1)
		if len(found) == 0 {
			t.Errorf("%s shows no picture", path)
		}
		for _, image := range found {
			for _, part := range []string{`width="`, `height="`, `srcset="`, `sizes="`, `alt="`} {
				if !strings.Contains(image, part) {
					t.Errorf("%s: %s lacks %s", path, image, part)
				}
			}
		}
	}
	source := b.get("/products/vase").says(`alt="A vase"`, "160w", "480w").find(`<img[^>]*src="([^"]+)"`)
	a := b.get(source).status(http.StatusOK)
	if !strings.HasPrefix(a.Header().Get("Content-Type"), "image/") || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%v", a.Header())
	}
	h.visitor(t, h.shop(t).label).get(source).status(http.StatusNotFound)
	b.put("/products/vase", "1").says(`src="/media/`)
}

func TestAShopInGerman(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Hemd", nil)
	s.Exec(t, `update settings set locale = 'de-DE'`)
	b := h.visitor(t, s.label)
	b.get("/").says(`<html lang="de-DE" dir="ltr">`, "Warenkorb", "Zum Sortiment", "25,00 €").lacks("Cart", "€25.00")
	b.put("/products/hemd", "1").says("Hemd liegt im Warenkorb.", "Zur Kasse")
	b.get("/checkout").says("Deutschland", "Lieferadresse", "Bitte wählen")
	b.post("/checkout/contact", contact("email", "x")).says("Das sieht nicht wie eine E-Mail-Adresse aus.")
	payment := b.toPaymentIn(t, "Versand").says("Jetzt 29,90 € zahlungspflichtig bestellen", "davon VAT")
	paid := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	b.get(paid.leadsTo()).says("Vielen Dank", "Bestellung 1001", time.Now().Format("02.01.2006"))
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		stores.Touch(tx)
		_, err := tx.Exec(ctx, `update settings set locale = 'ar'`)
		return err
	})
	b.get("/").says(`<html lang="ar" dir="rtl">`, "السلّة")
}

func (b *browser) toPaymentIn(t testing.TB, shipping string) *answer {
	t.Helper()
	b.follow("/checkout/contact", contact())
	form := b.get("/checkout").says(shipping)
	return b.follow("/checkout/shipping", url.Values{"method": {form.find(`name="method" value="([^"]+)"`)}})
}

// hostile are texts that would do something if they were taken for markup.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</title><script>x</script>`, `{{7*7}}`, `<svg/onload=alert(1)>`,
}

var own = regexp.MustCompile(`^<script (src="/shop\.[0-9a-f]+\.js" defer=""|type="application/ld\+json")>$`)

// active finds what a browser would run: elements and attributes that no page of a shop
// has, and addresses that are scripts.
func active(t testing.TB, body string) (found []string) {
	t.Helper()
	for z := nethtml.NewTokenizer(strings.NewReader(body)); ; {
		switch z.Next() {
		case nethtml.ErrorToken:
			return found
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			token := z.Token()
			switch token.Data {
			case "style", "iframe", "object", "embed", "base":
				found = append(found, token.String())
			case "script": // but the shop's own file, and data
				if !own.MatchString(token.String()) {
					found = append(found, token.String())
				}
			}
			for _, a := range token.Attr {
				address := a.Key == "href" || a.Key == "src" || a.Key == "action"
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || address && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					found = append(found, token.String())
				}
			}
		}
	}
}

func TestNothingThatIsWrittenIsExecuted(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i, evil := range hostile {
		s := h.shop(t)
		s.Exec(t, `insert into categories (id, path, name, handle, description) values ('cat_a', 'cat_a/', $1, 'evil', $1)`, evil)
		s.Exec(t, `insert into collections (id, handle, title, description) values ('col_a', 'evil', $1, '')`, evil)
		s.Exec(t, `update settings set name = $1, description = $1, contact_email = $1`, evil)
		s.Exec(t, `update shipping_methods set name = $1, description = $1`, evil)
		id := s.product(t, evil, func(in *catalog.ProductInput) {
			in.Handle, in.Vendor, in.Type, in.CategoryID, in.Description, in.SEOTitle, in.SEODescription = "evil", evil, evil, "cat_a", "<p>"+evil+"</p>", evil, evil
			in.Options = []catalog.Option{{Name: evil, Values: []string{evil, "b"}}}
			in.Variants[0].Choices, in.Variants[0].SKU = []string{evil}, evil
		})
		s.Exec(t, `insert into collection_products (collection_id, product_id, sort_key, shown) values ('col_a', $1, '', true)`, string(id))
		b := h.visitor(t, s.label)
		q := url.QueryEscape(evil)
		pages := []*answer{
			b.get("/"), b.get("/products"), b.get("/products/evil"), b.get("/categories/evil"), b.get("/collections/evil"),
			b.get("/search?q=" + q), b.get("/products?after=" + q + "&currency=" + q), b.get("/" + url.PathEscape(evil)), b.get("/checkout?step=" + q + "&problem=" + q),
			b.put("/products/evil", "1"), b.get("/cart?added=" + q),
			b.post("/checkout/contact", contact("email", evil, "name", evil, "country", evil, "note", evil)),
			b.follow("/checkout/contact", contact("name", evil, "line1", evil, "city", evil, "note", evil, "company", evil)), b.get("/checkout?step=contact"),
		}
		payment := b.follow("/checkout/shipping", url.Values{"method": {s.Standard}})
		pages = append(pages, payment, b.get(b.pay(payment, "succeeds").status(http.StatusSeeOther).leadsTo()))
		for _, a := range pages {
			if found := active(t, a.Body.String()); len(found) > 0 {
				t.Errorf("%q makes %s hold %q", hostile[i], a.path, found)
			}
		}
	}
}

func TestFormsFromElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cup", nil)
	for host, paths := range map[string][]string{
		s.label + "." + domain: {"/cart/lines", "/checkout/contact", "/checkout/pay", "/account/sign-in", "/account/sign-out", "/account/register", "/account/verify", "/account/details", "/account/forgot-password", "/account/reset-password"},
		domain:                 {"/sign-up", "/sign-in", "/sign-out", "/reset-password", "/accept-invitation"},
	} {
		for _, header := range []http.Header{
			{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://other." + domain}, "Sec-Fetch-Site": {"same-site"}},
			{"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
		} {
			for _, path := range paths {
				r := httptest.NewRequest(http.MethodPost, "https://"+host+path, strings.NewReader("quantity=1"))
				r.Header = header.Clone()
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				b := h.visitor(t, "")
				b.send(r, path).status(http.StatusForbidden).says("This form came from elsewhere")
				if len(b.jar) > 0 {
					t.Errorf("%s set a cookie", path)
				}
			}
		}
	}
}

func TestAStoreThatCannotBeReached(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	ref, _ := postgres.StoreFrom(s.Ctx)
	h.control(t, `insert into cells (name, max_stores) values ('gone', 1) on conflict do nothing`)
	h.control(t, `update schemas set cell = 'gone' where store_id = $1`, ref.ID)
	a := h.visitor(t, s.label).get("/").status(http.StatusServiceUnavailable).says("This shop cannot be reached at the moment")
	if a.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", a.Header())
	}
}
