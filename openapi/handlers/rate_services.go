package handlers

import (
	"context"
	"encoding/json"

	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// RateServices answers the operations on rate services.
type RateServices struct {
	DB    *postgres.DB
	Rates *rates.Service
}

// Operations are the handlers by operationId.
func (h *RateServices) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listRateServices":  h.list,
		"createRateService": h.create,
		"getRateService":    h.get,
		"updateRateService": h.update,
		"deleteRateService": h.delete,
	}
}

func rateServiceID(req *openapi.Request) rates.ServiceID {
	return rates.ServiceID(req.Param("rate_service_id"))
}

func (h *RateServices) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := rates.List(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *RateServices) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerRateService(ctx, h.DB, rateServiceID(req))
}

// answerRateService shows a rate service as it is now.
func answerRateService(ctx context.Context, from postgres.Source, id rates.ServiceID) (*openapi.Response, error) {
	service, err := rates.Get(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(service.Data).Tagged(service.Version), nil
}

// createdRateService is a new rate service in the contract's words.
type createdRateService struct {
	Service json.RawMessage `json:"service"`
	Secret  *string         `json:"secret"`
}

func (h *RateServices) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.RateServiceCreate](req)
	if err != nil {
		return nil, err
	}
	in := rates.Input{Kind: rates.Kind(body.Kind), Name: body.Name, URL: body.URL, Active: body.Active == nil || *body.Active}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, secret, err := h.Rates.Create(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		service, err := rates.Get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		shown := createdRateService{Service: service.Data}
		res := openapi.Created("/v1/rate-services/"+string(id), createdRateService{shown.Service, &secret}).Tagged(service.Version)
		res.Redacted = shown
		return res, nil
	})
}

func (h *RateServices) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.RateServiceUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Rates.Update(ctx, tx, rateServiceID(req), version, rates.Patch{Name: body.Name, URL: body.URL, Active: body.Active}); err != nil {
			return nil, err
		}
		return answerRateService(ctx, tx, rateServiceID(req))
	})
}

func (h *RateServices) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Rates.Delete(ctx, tx, rateServiceID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
