package web_test

import (
	"context"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// cloth puts a product with variants and pictures on the shelf.
func (s *shop) cloth(t testing.TB) string {
	t.Helper()
	id := s.product(t, "Linen cloth", func(in *catalog.ProductInput) {
		in.Description, in.Vendor = "<p>Woven slowly.</p>", "Mill"
		in.Options = []catalog.Option{{Name: "Size", Values: []string{"Small", "Large"}}, {Name: "Colour", Values: []string{"Sage", "Clay"}}}
		in.Variants = nil
		for i, choices := range [][]string{{"Small", "Sage"}, {"Small", "Clay"}, {"Large", "Sage"}} {
			v := catalog.NewVariant()
			v.Choices, v.Stock, v.Prices = choices, int64(10*(2-i)), []catalog.Price{{Amount: int64(1000 * (i + 1)), Currency: "EUR"}}
			in.Variants = append(in.Variants, v)
		}
	})
	for _, alt := range []string{"Folded", "Hung up"} {
		picture, err := s.h.pictures.Store(s.Ctx, "", dot(t))
		if err != nil {
			t.Fatal(err)
		}
		s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
			return s.h.catalog.AddImage(ctx, tx, id, picture, alt)
		})
	}
	return string(id)
}

// do does something on the page that the browser shows.
func (c *chromium) do(actions ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.ctx, actions...); err != nil {
		c.t.Fatalf("%v: %s", err, c.shown())
	}
}

// until waits until an expression is true on the page.
func (c *chromium) until(expression string) {
	c.t.Helper()
	if _, err := chromedp.Run(c.ctx, chromedp.Poll[bool](expression)); err != nil {
		c.t.Fatalf("waiting for %s: %v: %s", expression, err, c.shown())
	}
}

// TestIslands goes the way of a shopper in Chromium, with JavaScript: what the shop's script
// does stays on the page, and says what the pages say.
func TestIslands(t *testing.T) {
	t.Parallel()
	h, host := serve(t)
	s := h.shop(t)
	s.cloth(t)
	s.product(t, "Linen shirt", nil)
	c := browse(t)
	shop := "http://" + s.label + "." + host

	c.visit(shop + "/products/linen-cloth")
	c.until(`window.stays = true`)
	c.do(chromedp.Click(chromedp.Search(`//a[contains(@class, "choice")][contains(., "Large")]`)))
	c.until(`document.querySelector("[data-part=cost]").innerText.includes("30.00")`)
	c.says("Sold out", "Tell me by mail when it is back")
	c.until(`window.stays && location.search.includes("variant=") && document.activeElement.innerText.includes("Large")`)
	c.do(chromedp.Click(chromedp.Search(`//a[contains(@class, "choice")][contains(., "Small")]`)))
	c.until(`document.querySelector("[data-part=cost]").innerText.includes("10.00")`)

	c.do(chromedp.Click(chromedp.CSS("a[data-picture]")))
	c.until(`document.querySelector("#viewer [role=status]").innerText == "1 / 2" && document.querySelector("#viewer img").alt == "Folded"`)
	c.do(chromedp.KeyEvent(kb.ArrowRight))
	c.until(`document.querySelector("#viewer [role=status]").innerText == "2 / 2"`)
	c.do(chromedp.Click(chromedp.CSS("#viewer .closing button")))

	c.do(chromedp.SetValue(chromedp.ID("quantity"), "2"), chromedp.Click(chromedp.CSS("form.take .button")))
	c.until(`document.querySelector("#drawer").open && document.querySelector("#drawer").innerText.includes("20.00")`)
	c.says("Linen cloth is in your cart.", "Small / Sage", "Go to checkout")
	c.until(`document.querySelector("header .count").innerText == "2"`)
	c.do(chromedp.Click(chromedp.Search(`//dialog[@id="drawer"]//button[contains(., "Remove")]`)))
	c.until(`document.querySelector("#drawer").innerText.includes("Your cart is empty") && document.querySelector("header .count").hidden`)
	c.do(chromedp.Click(chromedp.CSS("#drawer .closing button")))
	c.until(`window.stays && !document.querySelector("dialog[open]")`)

	c.do(chromedp.Click(chromedp.CSS(`header a[href="/search"]`)), chromedp.SendKeys(chromedp.ID("finder-q"), "shi"))
	c.until(`document.querySelector(".found").innerText.includes("Linen shirt")`)
	c.do(chromedp.KeyEvent(kb.ArrowDown))
	c.until(`document.activeElement.innerText == "Linen shirt"`)
	c.until(`window.stays`)
	c.click(`.found a[href="/products/linen-shirt"]`)
	c.says("€25.00")
	c.quietly("all of it")
}

// unhindered fails the test if axe finds something on the page that hinders somebody.
func (c *chromium) unhindered(what string) {
	c.t.Helper()
	axe, err := os.ReadFile("../node_modules/axe-core/axe.min.js")
	if err != nil {
		c.t.Fatalf("axe is not there (npm ci): %v", err)
	}
	found, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](string(axe)+`;
		axe.run().then((r) => r.passes.length < 10 ? "axe looked at nothing" : r.violations.flatMap((v) => v.nodes.map((n) => v.id + " " + n.target + ": " + n.failureSummary)).join("\n"))`, chromedp.EvalAwaitPromise))
	if err != nil {
		c.t.Fatalf("axe on %s: %v", what, err)
	}
	if found != "" {
		c.t.Errorf("%s hinders: %s", what, found)
	}
}

// TestPagesHinderNobody has axe look at the shop's pages, in both directions of writing and
// both colour schemes.
func TestPagesHinderNobody(t *testing.T) {
	t.Parallel()
	h, host := serve(t)
	s := h.shop(t)
	s.Exec(t, `insert into categories (id, path, name, handle, description) values ('cat_a', 'cat_a/', 'Home', 'home', 'For the house.')`)
	s.cloth(t)
	s.product(t, "Linen shirt", func(in *catalog.ProductInput) { in.CategoryID = "cat_a" })
	s.Exec(t, `update settings set locales = '[{"locale": "ar", "published": true}]'`)
	c := browse(t)
	shop := "http://" + s.label + "." + host
	look := func(paths ...string) {
		for _, path := range paths {
			c.visit(shop + path)
			c.unhindered(path)
		}
	}
	look("/", "/categories/home", "/products", "/products/linen-cloth", "/search?q=linen", "/nowhere", "/contact", "/withdraw", "/account/sign-in", "/account/register", "/find-order", "/ar/", "/ar/products/linen-cloth")
	c.do(chromedp.Click(chromedp.CSS("form.take .button")))
	c.until(`document.querySelector("#drawer").open`)
	c.unhindered("the drawer")
	look("/ar/cart", "/cart", "/checkout")
	c.fill("email", "ada@example.com", "name", "Ada Example", "line1", "Invalidenstraße 1", "postal_code", "10115", "city", "Berlin")
	c.click(`form[action="/checkout/contact"] .button`)
	c.unhindered("the ways to send")
	c.click(`form[action="/checkout/shipping"] .button`)
	c.unhindered("the payment")
	c.click(`form[action="/checkout/pay"] .button`)
	c.unhindered("the order")
	dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
	if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, dark); err != nil {
		t.Fatal(err)
	}
	look("/", "/products/linen-cloth")
	c.do(chromedp.Click(chromedp.CSS(`header a[href="/search"]`)), chromedp.SendKeys(chromedp.ID("finder-q"), "linen"))
	c.until(`document.querySelector(".found").innerText.includes("Linen cloth")`)
	c.unhindered("the suggestions")
	for _, theme := range []string{"catalogue", "brand"} {
		s.dress(t, `{"theme": "`+theme+`", "announcement": {"text": "Sent free", "link": {"type": "products"}}, "home": [
			{"id": "top", "type": "hero", "layout": "cover"}, {"id": "cats", "type": "category_list"}, {"id": "new", "type": "product_grid"}, {"id": "words", "type": "rich_text", "heading": "Words", "body_html": "<p>By <a href='/x'>hand</a></p>"},
			{"id": "asked", "type": "faq", "questions": [{"question": "Why?", "answer_html": "<p>So</p>"}]}, {"id": "mail", "type": "newsletter"}]}`, true)
		look("/")
		if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: dark.Features[1:]}); err != nil {
			t.Fatal(err)
		}
		look("/", "/products/linen-cloth")
		if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, dark); err != nil {
			t.Fatal(err)
		}
	}
}
