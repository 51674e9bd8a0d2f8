package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func (h *Settings) taxRates(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := settings.TaxRates(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func taxRateID(req *openapi.Request) settings.TaxRateID {
	return settings.TaxRateID(req.Param("tax_rate_id"))
}

func (h *Settings) taxRate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerTaxRate(ctx, h.DB, taxRateID(req))
}

// answerTaxRate shows a tax rate as it is now.
func answerTaxRate(ctx context.Context, from postgres.Source, id settings.TaxRateID) (*openapi.Response, error) {
	rate, err := settings.TaxRate(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(rate.Data).Tagged(rate.Version), nil
}

func (h *Settings) createTaxRate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TaxRateCreate](req)
	if err != nil {
		return nil, err
	}
	in := settings.TaxInput{
		Name: body.Name, Country: body.Country, Region: given(body.Region), PostalCodes: body.PostalCodes, TaxClass: given(body.TaxClass),
		Percentage: body.Percentage, Combinable: given(body.Combinable),
		AppliesToShipping: body.AppliesToShipping == nil || *body.AppliesToShipping,
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := settings.CreateTaxRate(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		rate, err := settings.TaxRate(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/tax-rates/"+string(id), rate.Data).Tagged(rate.Version), nil
	})
}

func (h *Settings) updateTaxRate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TaxRateUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := settings.TaxPatch{
		Name: body.Name, Region: emptied(body.Region), PostalCodes: body.PostalCodes, TaxClass: emptied(body.TaxClass), Percentage: body.Percentage,
		Combinable: body.Combinable, AppliesToShipping: body.AppliesToShipping,
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.UpdateTaxRate(ctx, tx, taxRateID(req), version, patch); err != nil {
			return nil, err
		}
		return answerTaxRate(ctx, tx, taxRateID(req))
	})
}

func (h *Settings) deleteTaxRate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.DeleteTaxRate(ctx, tx, taxRateID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
