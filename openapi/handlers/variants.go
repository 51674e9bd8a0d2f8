package handlers

import (
	"context"
	"database/sql"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Variants answers the operations on a product's variants.
type Variants struct {
	DB      *postgres.DB
	Catalog *catalog.Service
}

// Operations are the handlers by operationId.
func (h *Variants) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"createVariant": h.create,
		"updateVariant": h.update,
		"deleteVariant": h.delete,
	}
}

func (h *Variants) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.VariantCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Catalog.CreateVariant(ctx, tx, catalog.ProductID(req.Param("product_id")), variantInput(body))
		if err != nil {
			return nil, err
		}
		variant, err := catalog.Variant(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return &openapi.Response{Status: 201, Body: variant.Data}, nil
	})
}

func (h *Variants) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.VariantUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	id := catalog.VariantID(req.Param("variant_id"))
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.UpdateVariant(ctx, tx, id, version, variantPatch(body)); err != nil {
			return nil, err
		}
		variant, err := catalog.Variant(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(variant.Data).At(variant.Version), nil
	})
}

func (h *Variants) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.DeleteVariant(ctx, tx, catalog.VariantID(req.Param("variant_id")), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}

func variantInput(b gen.VariantCreate) catalog.VariantInput {
	in := catalog.NewVariant()
	in.SKU, in.Barcode, in.TaxClass, in.ImageID = given(b.SKU), given(b.Barcode), given(b.TaxClass), catalog.ImageID(given(b.ImageID))
	in.Choices, in.Prices, in.WeightGrams = b.OptionValues, prices(b.Prices), b.WeightGrams
	in.Stock, in.Oversell = int64(given(b.StockQuantity)), given(b.AllowBackorder)
	if b.TrackInventory != nil {
		in.TrackStock = *b.TrackInventory
	}
	if b.RequiresShipping != nil {
		in.RequiresShipping = *b.RequiresShipping
	}
	if b.Taxable != nil {
		in.Taxable = *b.Taxable
	}
	in.CustomFields = fields.Values(given(b.CustomFields))
	return in
}

func variantPatch(b gen.VariantUpdate) catalog.VariantPatch {
	patch := catalog.VariantPatch{
		SKU: emptied(b.SKU), Barcode: emptied(b.Barcode), Choices: b.OptionValues, Prices: prices(b.Prices),
		TrackStock: b.TrackInventory, Oversell: b.AllowBackorder, RequiresShipping: b.RequiresShipping, Taxable: b.Taxable, TaxClass: emptied(b.TaxClass),
		ImageID: emptiedAs[catalog.ImageID](b.ImageID), Position: b.Position, CustomFields: fields.Values(given(b.CustomFields)),
	}
	if b.WeightGrams.IsSpecified() {
		grams, err := b.WeightGrams.Get()
		patch.WeightGrams = &sql.Null[int]{V: grams, Valid: err == nil}
	}
	return patch
}

func prices(list []gen.Price) []catalog.Price {
	if list == nil {
		return nil
	}
	out := make([]catalog.Price, len(list))
	for i, price := range list {
		out[i] = catalog.Price{Amount: price.Amount, Currency: price.Currency, CompareAt: price.CompareAtAmount}
	}
	return out
}
