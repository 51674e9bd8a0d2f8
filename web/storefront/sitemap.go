package storefront

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// mostAddresses is how many addresses a sitemap may hold, by its own rules.
const mostAddresses = 50_000

type sitemapAddress struct {
	Address    string      `xml:"loc"`
	Changed    string      `xml:"lastmod,omitempty"`
	Alternates []alternate `xml:"xhtml:link"`
}

// alternate is the same page in a locale.
type alternate struct {
	Rel     string `xml:"rel,attr"`
	Locale  string `xml:"hreflang,attr"`
	Address string `xml:"href,attr"`
}

// written is a page or a post.
type written struct {
	Kind    content.Kind `json:"kind"`
	Handle  string       `json:"handle"`
	Changed string       `json:"updated_at"`
}

// addresses are those of a page in all locales, each of which names all of them.
func (v *visit) addresses(path, changed string) []sitemapAddress {
	var list []sitemapAddress
	var others []alternate
	for i, locale := range v.settings.Locales {
		address := v.base() + path
		if i > 0 {
			address = v.base() + "/" + locale + path
		}
		list = append(list, sitemapAddress{Address: address, Changed: changed})
		others = append(others, alternate{"alternate", locale, address})
	}
	if len(list) > 1 {
		for i := range list {
			list[i].Alternates = others
		}
	}
	return list
}

// sitemap lists the addresses of all that search engines are to find; a sandbox has none.
func (v *visit) sitemap() error {
	if v.sandbox {
		return problem.Missing("page")
	}
	list, err := v.shop.sitemaps.Get(v.r.Context(), v.edition(), func(ctx context.Context) (*page.Asset, error) {
		raw, err := content.Handles(ctx, v.config().DB)
		if err != nil {
			return nil, err
		}
		entries, err := decode[[]written](raw, "pages and posts")
		if err != nil {
			return nil, err
		}
		most := mostAddresses/len(v.settings.Locales) - mostCategories - mostCollections - len(entries) - 3
		if raw, err = catalog.ShopHandles(ctx, v.config().DB, max(most, 1)); err != nil {
			return nil, err
		}
		products, err := decode[[]struct {
			Handle  string `json:"handle"`
			Changed string `json:"updated_at"`
		}](raw, "handles")
		if err != nil {
			return nil, err
		}
		var list []sitemapAddress
		add := func(path, changed string) { list = append(list, v.addresses(path, changed)...) }
		add("/", "")
		add("/products", "")
		for _, c := range v.categories {
			add("/categories/"+url.PathEscape(c.Handle), "")
		}
		for _, c := range v.collections {
			add("/collections/"+url.PathEscape(c.Handle), "")
		}
		for _, p := range products {
			add("/products/"+url.PathEscape(p.Handle), p.Changed)
		}
		if slices.ContainsFunc(entries, func(e written) bool { return e.Kind == content.Post }) {
			add("/blog", "")
		}
		for _, e := range entries {
			folder := "/pages/"
			if e.Kind == content.Post {
				folder = "/blog/"
			}
			add(folder+url.PathEscape(e.Handle), e.Changed)
		}
		body, err := xml.Marshal(struct {
			XMLName   xml.Name         `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
			XHTML     string           `xml:"xmlns:xhtml,attr"`
			Addresses []sitemapAddress `xml:"url"`
		}{XHTML: "http://www.w3.org/1999/xhtml", Addresses: list})
		if err != nil {
			return nil, fmt.Errorf("write a sitemap: %w", err)
		}
		return page.NewAsset("sitemap", ".xml", "application/xml", append([]byte(xml.Header), body...)), nil
	})
	if err != nil {
		return err
	}
	list.ServeHTTP(v.w, v.r)
	return nil
}
