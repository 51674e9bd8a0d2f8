package handlers

import (
	"context"
	"time"

	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// PriceLists answers the operations on price lists, and what things have cost.
type PriceLists struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *PriceLists) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listPriceLists":        h.list,
		"createPriceList":       h.create,
		"getPriceList":          h.get,
		"updatePriceList":       h.update,
		"deletePriceList":       h.delete,
		"listPriceListPrices":   h.prices,
		"setPriceListPrices":    h.setPrices,
		"reducePriceListPrices": h.reduce,
		"listPriceHistory":      h.history,
	}
}

func priceListID(req *openapi.Request) pricelists.ID {
	return pricelists.ID(req.Param("price_list_id"))
}

func (h *PriceLists) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := pricelists.List(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *PriceLists) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, h.DB, priceListID(req))
}

// answer shows a price list as it is now.
func (h *PriceLists) answer(ctx context.Context, from postgres.Source, id pricelists.ID) (*openapi.Response, error) {
	list, err := pricelists.Get(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(list.Data).Tagged(list.Version), nil
}

func (h *PriceLists) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PriceListCreate](req)
	if err != nil {
		return nil, err
	}
	in := pricelists.Input{
		Name: body.Name, Kind: pricelists.Kind(body.Kind), Active: body.Active == nil || *body.Active, StartsAt: body.StartsAt, EndsAt: body.EndsAt,
		GroupIDs: body.CustomerGroupIDs,
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := pricelists.Create(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		list, err := pricelists.Get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/price-lists/"+string(id), list.Data).Tagged(list.Version), nil
	})
}

func (h *PriceLists) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PriceListUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := pricelists.Patch{
		Name: body.Name, Active: body.Active, StartsAt: maybe[time.Time](body.StartsAt), EndsAt: maybe[time.Time](body.EndsAt), GroupIDs: body.CustomerGroupIDs,
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := pricelists.Update(ctx, tx, priceListID(req), version, patch); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, priceListID(req))
	})
}

func (h *PriceLists) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), pricelists.Delete(ctx, tx, priceListID(req), version)
	})
}

func (h *PriceLists) prices(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := pricelists.Prices(ctx, h.DB, priceListID(req), req.Query.Get("variant_id"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *PriceLists) setPrices(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PriceListPrices](req)
	if err != nil {
		return nil, err
	}
	entries := converted(body.Prices, func(p gen.PriceListPriceSet) pricelists.Entry {
		e := pricelists.Entry{VariantID: p.VariantID, Currency: p.Currency, MinQuantity: 1, Amount: p.Amount}
		if p.MinQuantity != nil {
			e.MinQuantity = *p.MinQuantity
		}
		return e
	})
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := pricelists.SetPrices(ctx, tx, priceListID(req), entries); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, priceListID(req))
	})
}

func (h *PriceLists) reduce(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PriceListReduction](req)
	if err != nil {
		return nil, err
	}
	off, err := money.ParsePercent(body.Percentage)
	if err != nil {
		return nil, err // the contract's pattern lets nothing else through
	}
	by := pricelists.Reduction{CollectionID: body.CollectionID, Off: off, Currencies: body.Currencies}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := pricelists.Reduce(ctx, tx, priceListID(req), by); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, priceListID(req))
	})
}

func (h *PriceLists) history(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := pricelists.History(ctx, h.DB, req.Param("variant_id"), req.Query.Get("currency"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}
