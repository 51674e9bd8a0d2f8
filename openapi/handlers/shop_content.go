package handlers

import (
	"context"
	"net/url"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/problem"
)

// What shoppers read besides the catalogue: pages, the blog, and the menus.

func (h *ShopCatalog) entries(kind content.Kind) toShopper {
	return func(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
		after, err := req.After()
		if err != nil {
			return nil, err
		}
		page, err := content.ShopList(ctx, h.DB, kind, h.ShopURL(req.Caller.Store), to.Locales, after, req.Limit(shopPage))
		if err != nil {
			return nil, err
		}
		return openapi.RawList(req, page).Tagged(0), nil
	}
}

func (h *ShopCatalog) entry(kind content.Kind) toShopper {
	return func(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
		asked := req.Param("handle_or_id")
		o, err := content.ShopOne(ctx, h.DB, kind, h.ShopURL(req.Caller.Store), to.Locales, asked)
		if problem.Is(err, "not_found") {
			now, err := content.Moved(ctx, h.DB, kind, asked)
			if err != nil {
				return nil, err
			}
			way := url.URL{Path: strings.Replace(req.Operation.Path, "{handle_or_id}", now, 1), RawQuery: req.HTTP.URL.RawQuery}
			return openapi.Moved(way.String()), nil
		}
		if err != nil {
			return nil, err
		}
		return openapi.OK(o.Data).Tagged(o.Version), nil
	}
}

func (h *ShopCatalog) menu(ctx context.Context, req *openapi.Request, to catalog.Shopper) (*openapi.Response, error) {
	shop, err := themes.ReadShop(ctx, h.DB, to.Locales, false)
	if err != nil {
		return nil, err
	}
	name := req.Param("menu")
	menu := gen.ShopMenu{Menu: gen.MenuName(name), Items: []gen.ShopMenuItem{}}
	base := h.ShopURL(req.Caller.Store)
	for _, item := range shop.Menus[name] {
		lead, there := shop.Lead(item.Link)
		if !there {
			continue
		}
		shown := gen.ShopMenuItem{Label: labelled(item.Label, lead.Title), URL: lead.Address(base), Items: []gen.ShopMenuSubitem{}}
		for _, below := range item.Items {
			if lead, there := shop.Lead(below.Link); there {
				shown.Items = append(shown.Items, gen.ShopMenuSubitem{Label: labelled(below.Label, lead.Title), URL: lead.Address(base)})
			}
		}
		menu.Items = append(menu.Items, shown)
	}
	return openapi.OK(menu).Tagged(0), nil
}

// labelled is what a link is called; nothing where it leads to one of the shop's own pages, which
// whoever shows it calls as they do.
func labelled(own *string, title string) *string {
	if own == nil {
		return orNil(title)
	}
	return own
}
