package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// translated has a thing called something else in a locale, for a store that is translated
// into German and Arabic.
func (s *shop) translated(t testing.TB, locale, id string, texts ...string) {
	t.Helper()
	said := map[string]*string{}
	for i := 0; i < len(texts); i += 2 {
		said[texts[i]] = &texts[i+1]
	}
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `update settings set locales = '[{"locale": "de", "published": true}, {"locale": "ar", "published": true}, {"locale": "fr", "published": false}]'`); err != nil {
			return err
		}
		return translations.Write(ctx, tx, locale, []translations.Change{{ID: id, Texts: said}})
	})
}

func TestAShopInSeveralLanguages(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.Exec(t, `insert into categories (id, path, name, handle) values ('cat_00000000000000000000000001', 'cat_00000000000000000000000001/', 'Home', 'home')`)
	id := string(s.product(t, "Bowl", func(in *catalog.ProductInput) {
		in.Handle, in.Options = "bowl", []catalog.Option{{Name: "Size", Values: []string{"Small", "Large"}}}
		in.Variants[0].Choices = []string{"Small"}
	}))
	s.translated(t, "de", id, "title", "Schale", "options/Size", "Größe", "options/Size/Small", "Klein")
	s.translated(t, "de", "cat_00000000000000000000000001", "name", "Zuhause")
	s.translated(t, "de", s.Standard, "name", "Versand")
	s.translated(t, "fr", id, "title", "Bol")
	b, base := h.visitor(t, s.label), "https://"+s.label+"."+domain

	for range 2 { // made, and from memory
		b.get("/products/bowl").says(`<html lang="en" dir="ltr">`, "Bowl", "Home", `<link rel="canonical" href="`+base+`/products/bowl">`,
			`<link rel="alternate" hreflang="de" href="`+base+`/de/products/bowl">`, `<link rel="alternate" hreflang="x-default" href="`+base+`/products/bowl">`,
			`href="/de/products/bowl" hreflang="de" lang="de"`, "Deutsch", "العربية").lacks("Schale", "Warenkorb", `hreflang="fr"`, `href="/de/cart"`)
		b.get("/de/products/bowl").says(`<html lang="de" dir="ltr">`, "Schale", "Größe", "Klein", "Zuhause", "Warenkorb", "25,00 €",
			`<link rel="canonical" href="`+base+`/de/products/bowl">`, `href="/de/categories/home"`, `href="/de/cart"`, `action="/de/cart/lines"`,
			`href="/products/bowl" hreflang="en" lang="en"`).lacks("Bowl", `href="/cart"`)
		b.get("/ar/products/bowl").says(`<html lang="ar" dir="rtl">`, "Bowl")
		b.get("/de/").says("Schale", "Zuhause")
		b.get("/de").says("Schale")
		b.get("/de/search?q=schale").says("Schale")
		b.get("/de/categories/home").says("Zuhause")
	}
	b.get("/fr/products/bowl").status(http.StatusNotFound)
	b.get("/en/products/bowl").status(http.StatusNotFound)
	b.get("/de/products/nothing").status(http.StatusNotFound).says(`<html lang="de"`)
	if to := b.get("/de/account").status(http.StatusSeeOther).leadsTo(); to != "/de/account/sign-in" {
		t.Errorf("to %s", to)
	}
	b.get("/robots.txt").says("Disallow: /cart/\n", "Disallow: /de/cart/\n", "Disallow: /ar/checkout\n")
	b.get("/sitemap.xml").says("<loc>"+base+"/products/bowl</loc>", "<loc>"+base+"/de/products/bowl</loc>",
		`<xhtml:link rel="alternate" hreflang="de" href="`+base+`/de/products/bowl"></xhtml:link>`).lacks("/fr/")

	// The cart is read in the language that its shopper reads, and the order stays in the one
	// that it was placed in.
	fields := b.get("/de/products/bowl").hidden()
	fields.Set("quantity", "1")
	b.follow("/de/cart/lines", fields).says("Schale liegt im Warenkorb.", "Klein", `href="/de/checkout"`)
	b.get("/cart").says("Bowl", "Small", "Go to checkout").lacks("Schale")
	b.get("/de/cart").says("Schale", "Klein").lacks("Bowl")
	b.follow("/de/checkout/contact", contact())
	form := b.get("/de/checkout").says("Versandart", "Versand")
	payment := b.follow("/de/checkout/shipping", url.Values{"method": {form.find(`name="method" value="([^"]+)"`)}}).says("zahlungspflichtig")
	sent := payment.hidden()
	sent.Set("token", "succeeds")
	order := b.post("/de/checkout/pay", sent).status(http.StatusSeeOther).leadsTo()
	b.get(order).says(`<html lang="de"`, "Vielen Dank", "Schale", "Klein")
	b.get(order[len("/de"):]).says(`<html lang="en"`, "Schale", "Klein")
}
