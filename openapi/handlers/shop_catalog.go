package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

// ShopCatalog answers what shoppers ask about the shop and what it sells.
type ShopCatalog struct {
	DB      *postgres.DB
	ShopURL ShopURL
	// AcceptsOrders says whether carts of the store can be completed.
	AcceptsOrders func(ctx context.Context, store *tenants.Store) (bool, error)
}

// Operations are the handlers by operationId.
func (h *ShopCatalog) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"getShop":             h.shop,
		"listShopProducts":    h.products,
		"getShopProduct":      h.product,
		"listShopCategories":  h.categories,
		"listShopCollections": h.collections,
		"getShopCollection":   h.collection,
		"searchShop":          h.search,
	}
}

func (h *ShopCatalog) shop(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	store := req.Caller.Store
	accepts, err := h.AcceptsOrders(ctx, store)
	if err != nil {
		return nil, err
	}
	shop, err := settings.Shop(ctx, h.DB, string(store.Ref.Mode), h.ShopURL(store), accepts)
	if err != nil {
		return nil, err
	}
	return openapi.OK(shop.Data).Tagged(shop.Version), nil
}

func (h *ShopCatalog) products(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	q := req.Query
	return h.page(ctx, req, catalog.ShopFilter{CategoryID: q.Get("category_id"), CollectionID: q.Get("collection_id"), Tag: q.Get("tag")})
}

func (h *ShopCatalog) search(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.page(ctx, req, catalog.ShopFilter{Words: req.Query.Get("q")})
}

func (h *ShopCatalog) page(ctx context.Context, req *openapi.Request, filter catalog.ShopFilter) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	filter.Currency, filter.Media = req.Query.Get("currency"), h.ShopURL(req.Caller.Store)
	filter.After, filter.Limit = after, req.Limit(shopPage)
	page, err := catalog.ShopProducts(ctx, h.DB, filter)
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) product(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	product, err := catalog.ShopProduct(ctx, h.DB, h.ShopURL(req.Caller.Store), req.Query.Get("currency"), req.Param("handle_or_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(product.Data).Tagged(product.Version), nil
}

func (h *ShopCatalog) categories(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.ShopCategories(ctx, h.DB, after, req.Limit(shopPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) collections(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.ShopCollections(ctx, h.DB, after, req.Limit(shopPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page).Tagged(0), nil
}

func (h *ShopCatalog) collection(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	collection, err := catalog.ShopCollection(ctx, h.DB, req.Param("handle_or_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(collection.Data).Tagged(collection.Version), nil
}
