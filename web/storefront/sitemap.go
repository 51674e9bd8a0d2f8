package storefront

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// mostAddresses is how many addresses a sitemap may hold, by its own rules.
const mostAddresses = 50_000

type sitemapAddress struct {
	Address string `xml:"loc"`
	Changed string `xml:"lastmod,omitempty"`
}

// sitemap lists the addresses of all that search engines are to find; a sandbox has none.
func (v *visit) sitemap() error {
	if v.sandbox {
		return problem.Missing("page")
	}
	list, err := v.shop.sitemaps.Get(v.r.Context(), v.edition(), func(ctx context.Context) (*page.Asset, error) {
		raw, err := catalog.ShopHandles(ctx, v.config().DB, mostAddresses-mostCategories-mostCollections-2)
		if err != nil {
			return nil, err
		}
		products, err := decode[[]struct {
			Handle  string `json:"handle"`
			Changed string `json:"updated_at"`
		}](raw, "handles")
		if err != nil {
			return nil, err
		}
		list := []sitemapAddress{{Address: v.base() + "/"}, {Address: v.base() + "/products"}}
		for _, c := range v.categories {
			list = append(list, sitemapAddress{Address: v.base() + "/categories/" + url.PathEscape(c.Handle)})
		}
		for _, c := range v.collections {
			list = append(list, sitemapAddress{Address: v.base() + "/collections/" + url.PathEscape(c.Handle)})
		}
		for _, p := range products {
			list = append(list, sitemapAddress{v.base() + "/products/" + url.PathEscape(p.Handle), p.Changed})
		}
		body, err := xml.Marshal(struct {
			XMLName   xml.Name         `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
			Addresses []sitemapAddress `xml:"url"`
		}{Addresses: list})
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
