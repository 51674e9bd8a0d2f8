package handlers

import (
	"context"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Search answers the merchant's search.
type Search struct {
	DB      *postgres.DB
	ShopURL ShopURL
	// Speller corrects what is looked for and not found; nil corrects nothing.
	Speller *search.Speller
}

// Operations are the handlers by operationId.
func (h *Search) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{"searchProducts": h.products, "listSearches": h.searches}
}

func (h *Search) products(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.Search(ctx, h.DB, h.Speller, req.Query.Get("q"), catalog.ProductFilter{
		Status: req.Query.Get("status"), Media: h.ShopURL(req.Caller.Store), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

// usualDays is of how many days searches are told, unless somebody asks for another number.
const usualDays = 30

func (h *Search) searches(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	days := usualDays
	if asked := req.Query.Get("days"); asked != "" {
		days, _ = strconv.Atoi(asked) // a number by the contract
	}
	page, err := search.Searches(ctx, h.DB, days, req.Query.Get("without_results") == "true", after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}
