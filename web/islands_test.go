package web_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/web/browsertest"
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

// meetsIslands goes the way of a shopper with JavaScript: what the shop's script does stays on
// the page, and says what the pages say.
func (b *shopper) meetsIslands() {
	b.t.Helper()
	s := b.h.shop(b.t)
	s.cloth(b.t)
	s.product(b.t, "Linen shirt", nil)
	shop := b.at(s)

	choice := func(name string) string {
		return `[...document.querySelectorAll("a.choice")].find(e => e.innerText.includes("` + name + `"))`
	}
	b.Visit(shop + "/products/linen-cloth")
	browsertest.JS[bool](b.Browser, `window.stays = true`)
	b.Press("the larger one", choice("Large"))
	b.Until("the larger one's price", `document.querySelector("[data-part=cost]").innerText.includes("30.00")`)
	b.Shows("Sold out", "Tell me by mail when it is back")
	b.Until("the focus on what was chosen", `window.stays && location.search.includes("variant=") && document.activeElement.innerText.includes("Large")`)
	b.Press("the smaller one", choice("Small"))
	b.Until("the smaller one's price", `document.querySelector("[data-part=cost]").innerText.includes("10.00")`)

	b.Click("a[data-picture]")
	b.Until("the viewer", `document.querySelector("#viewer [role=status]").innerText == "1 / 2" && document.querySelector("#viewer img").alt == "Folded"`)
	b.Do(chromedp.KeyEvent(kb.ArrowRight))
	b.Until("the next picture", `document.querySelector("#viewer [role=status]").innerText == "2 / 2"`)
	b.Click("#viewer .closing button")

	b.Fill("quantity", "2")
	b.Click("form.take .button")
	b.Until("the drawer", `document.querySelector("#drawer").open && document.querySelector("#drawer").innerText.includes("20.00")`)
	b.Shows("Linen cloth is in your cart.", "Small / Sage", "Go to checkout")
	b.Until("the count", `document.querySelector("header .count").innerText == "2"`)
	b.Press("what removes it", `[...document.querySelectorAll("#drawer button")].find(e => e.innerText.includes("Remove"))`)
	b.Until("the empty drawer", `document.querySelector("#drawer").innerText.includes("Your cart is empty") && document.querySelector("header .count").hidden`)
	b.Click("#drawer .closing button")
	b.Until("the page beneath", `window.stays && !document.querySelector("dialog[open]")`)

	b.Click(`header a[href="/search"]`)
	b.Do(chromedp.SendKeys(chromedp.ID("finder-q"), "shi"))
	b.Until("the suggestions", `document.querySelector(".found").innerText.includes("Linen shirt")`)
	b.Do(chromedp.KeyEvent(kb.ArrowDown))
	b.Until("the focus on a suggestion", `document.activeElement.innerText == "Linen shirt"`)
	b.Until("the page that was there", `window.stays`)
	b.Follow(`.found a[href="/products/linen-shirt"]`)
	b.Shows("€25.00")

	// In the cart's own page, a line is changed where it stands: all that was tapped at once.
	b.Click("form.take .button")
	b.Until("the drawer", `document.querySelector("#drawer").open`)
	b.Visit(shop + "/cart")
	browsertest.JS[bool](b.Browser, `window.stays = true`)
	for range 2 {
		b.Click(`.step[data-by="1"]`)
	}
	b.Until("what three come to", `window.stays && document.querySelector("#cart .totals").innerText.includes("75.00")`)
	b.Until("what is told", `document.querySelector("#told").innerText.includes("75.00") && document.querySelector("header .count").innerText == "3"`)
	b.Until("the focus on the button", `document.activeElement.matches('.step[data-by="1"]')`)
	browsertest.JS[bool](b.Browser, `(() => { const e = document.querySelector(".count-of input"); e.value = "11"; return e.dispatchEvent(new Event("change", {bubbles: true})) })()`)
	b.Shows("Only 10 of Linen shirt")
	b.Until("three, as before", `window.stays && document.querySelector(".count-of input").value == "3"`)
	b.Accessible("the cart, with what was refused")
}

// isHinderedByNothing has axe look at the shop's pages, in both directions of writing and both
// colour schemes.
func (b *shopper) isHinderedByNothing() {
	b.t.Helper()
	s := b.h.shop(b.t)
	s.Exec(b.t, `insert into categories (id, path, name, handle, description) values ('cat_a', 'cat_a/', 'Home', 'home', 'For the house.')`)
	s.cloth(b.t)
	s.product(b.t, "Linen shirt", func(in *catalog.ProductInput) { in.CategoryID = "cat_a" })
	s.Exec(b.t, `update settings set locales = '[{"locale": "ar", "published": true}]'`)
	shop := b.at(s)
	look := func(paths ...string) {
		for _, path := range paths {
			b.Visit(shop + path)
			b.Accessible(path)
		}
	}
	look("/", "/categories/home", "/products", "/products/linen-cloth", "/search?q=linen", "/nowhere", "/contact", "/withdraw", "/account/sign-in", "/account/register", "/find-order", "/ar/", "/ar/products/linen-cloth")
	b.Click("form.take .button")
	b.Until("the drawer", `document.querySelector("#drawer").open`)
	b.Accessible("the drawer")
	look("/ar/cart", "/cart", "/checkout")
	b.Looks("dark", 1280, 900)
	look("/", "/products/linen-cloth")
	b.Click(`header a[href="/search"]`)
	b.Do(chromedp.SendKeys(chromedp.ID("finder-q"), "linen"))
	b.Until("the suggestions", `document.querySelector(".found").innerText.includes("Linen cloth")`)
	b.Accessible("the suggestions")
	for _, theme := range []string{"catalogue", "brand"} {
		s.dress(b.t, `{"theme": "`+theme+`", "announcement": {"text": "Sent free", "link": {"type": "products"}}, "home": [
			{"id": "top", "type": "hero", "layout": "cover"}, {"id": "cats", "type": "category_list"}, {"id": "new", "type": "product_grid"}, {"id": "words", "type": "rich_text", "heading": "Words", "body_html": "<p>By <a href='/x'>hand</a></p>"},
			{"id": "asked", "type": "faq", "questions": [{"question": "Why?", "answer_html": "<p>So</p>"}]}, {"id": "mail", "type": "newsletter"}]}`, true)
		look("/")
		b.Looks("light", 390, 844)
		look("/", "/products/linen-cloth")
		b.Looks("dark", 1280, 900)
	}
}
