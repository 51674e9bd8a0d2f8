package handlers

import (
	"context"
	"database/sql"

	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Variants answers the operations on a product's variants.
type Variants struct {
	DB      *postgres.DB
	Catalog *catalog.Service
	ShopURL ShopURL
}

// Operations are the handlers by operationId.
func (h *Variants) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listVariants":     h.list,
		"createVariant":    h.create,
		"generateVariants": h.generate,
		"getVariant":       h.get,
		"updateVariant":    h.update,
		"deleteVariant":    h.delete,
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

// variantFilter is what a list of a product's variants asks for.
func variantFilter(req *openapi.Request, usual int) (catalog.VariantFilter, error) {
	after, err := req.After()
	q := req.Query
	return catalog.VariantFilter{
		Choices: [...]string{q.Get("option1"), q.Get("option2"), q.Get("option3")}, After: after, Limit: req.Limit(usual),
	}, err
}

func (h *Variants) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	filter, err := variantFilter(req, adminPage)
	if err != nil {
		return nil, err
	}
	page, err := catalog.Variants(ctx, h.DB, catalog.ProductID(req.Param("product_id")), filter)
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Variants) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	variant, err := catalog.Variant(ctx, h.DB, catalog.VariantID(req.Param("variant_id")))
	if err != nil {
		return nil, err
	}
	return openapi.OK(variant.Data).Tagged(variant.Version), nil
}

// generate answers with the product, as those that were made may be many.
func (h *Variants) generate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.VariantMatrix](req)
	if err != nil {
		return nil, err
	}
	id := catalog.ProductID(req.Param("product_id"))
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.GenerateVariants(ctx, tx, id, *matrix(&body)); err != nil {
			return nil, err
		}
		product, err := catalog.Product(ctx, tx, h.ShopURL(req.Caller.Store), id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(product.Data).Tagged(product.Version), nil
	})
}

// matrix is what generated variants are like, or nil.
func matrix(b *gen.VariantMatrix) *catalog.Matrix {
	if b == nil {
		return nil
	}
	return &catalog.Matrix{SKUPattern: given(b.SKUPattern), Each: variantInput(gen.VariantCreate{
		Prices: b.Prices, Cost: b.Cost, NetContent: b.NetContent, StockQuantity: b.StockQuantity, TrackInventory: b.TrackInventory, AllowBackorder: b.AllowBackorder,
		WeightGrams: b.WeightGrams, LengthMM: b.LengthMM, WidthMM: b.WidthMM, HeightMM: b.HeightMM, TaxClass: b.TaxClass,
		RequiresShipping: b.RequiresShipping, Taxable: b.Taxable, ImageID: b.ImageID,
	})}
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
	in.Dimensions = catalog.Dimensions{Length: b.LengthMM, Width: b.WidthMM, Height: b.HeightMM}
	if b.Cost != nil {
		in.Cost = &money.Money{Amount: b.Cost.Amount, Currency: b.Cost.Currency}
	}
	if n := b.NetContent; n != nil {
		in.NetContent = &catalog.NetContent{Value: n.Value, Unit: string(n.Unit)}
	}
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
	patch.WeightGrams, patch.Length, patch.Width, patch.Height = maybe(b.WeightGrams), maybe(b.LengthMM), maybe(b.WidthMM), maybe(b.HeightMM)
	patch.NetContent, patch.Cost = contentPatch(b.NetContent), costPatch(b.Cost)
	return patch
}

// contentPatch is what a merge patch says of a net content.
func contentPatch(n nullable.Nullable[gen.NetContent]) *sql.Null[catalog.NetContent] {
	content := maybe(n)
	if content == nil {
		return nil
	}
	return &sql.Null[catalog.NetContent]{V: catalog.NetContent{Value: content.V.Value, Unit: string(content.V.Unit)}, Valid: content.Valid}
}

// costPatch is what a merge patch says of a cost.
func costPatch(n nullable.Nullable[gen.Money]) *sql.Null[money.Money] {
	cost := maybe(n)
	if cost == nil {
		return nil
	}
	return &sql.Null[money.Money]{V: money.New(cost.V.Amount, cost.V.Currency), Valid: cost.Valid}
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
