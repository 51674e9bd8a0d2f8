package handlers

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Bulk answers the operations that change many things at once.
type Bulk struct {
	DB   *postgres.DB
	Bulk *bulk.Service
}

// Operations are the handlers by operationId.
func (h *Bulk) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"bulkProducts": h.products,
		"bulkVariants": h.variants,
	}
}

func (h *Bulk) products(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.BulkProducts](req)
	if err != nil {
		return nil, err
	}
	r := bulk.Request{Delete: body.Action == "delete", IDs: body.ProductIDs, Filter: bulkFilter(body.Filter)}
	for _, item := range body.Items {
		r.Items = append(r.Items, bulk.Item{ID: item.ProductID, Edit: productEdit(item.Changes)})
	}
	if body.Changes != nil {
		r.Edit = productEdit(*body.Changes)
	}
	return h.ask(ctx, req, r, h.Bulk.Products)
}

func (h *Bulk) variants(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.BulkVariants](req)
	if err != nil {
		return nil, err
	}
	r := bulk.Request{Delete: body.Action == "delete", IDs: body.VariantIDs, Filter: bulkFilter(body.Filter)}
	for _, item := range body.Items {
		r.Items = append(r.Items, bulk.Item{ID: item.VariantID, Edit: variantEdit(item.Changes)})
	}
	if body.Changes != nil {
		r.Edit = variantEdit(*body.Changes)
	}
	return h.ask(ctx, req, r, h.Bulk.Variants)
}

func (h *Bulk) ask(ctx context.Context, req *openapi.Request, r bulk.Request, ask func(context.Context, *postgres.Tx, bulk.Request) (string, error)) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := ask(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		return begun(ctx, tx, id)
	})
}

func bulkFilter(b *gen.BulkFilter) *catalog.ProductFilter {
	if b == nil {
		return nil
	}
	return &catalog.ProductFilter{
		Status: string(given(b.Status)), CategoryID: given(b.CategoryID), CollectionID: given(b.CollectionID),
		Tag: given(b.Tag), Vendor: given(b.Vendor), Type: given(b.ProductType),
	}
}

func productEdit(b gen.BulkProductUpdate) catalog.ProductEdit {
	return catalog.ProductEdit{
		ProductPatch: catalog.ProductPatch{
			Title: b.Title, Description: b.DescriptionHTML, Vendor: emptied(b.Vendor), Type: emptied(b.ProductType), Tags: b.Tags,
			Status: as[catalog.Status](b.Status), CategoryID: emptiedAs[catalog.CategoryID](b.CategoryID),
			SEOTitle: emptied(b.SEOTitle), SEODescription: emptied(b.SEODescription), PublishAt: maybe(b.PublishAt), UnpublishAt: maybe(b.UnpublishAt),
			CustomFields: fields.Values(given(b.CustomFields)),
		},
		AddTags: b.AddTags, RemoveTags: b.RemoveTags,
	}
}

func variantEdit(b gen.BulkVariantUpdate) catalog.VariantEdit {
	edit := catalog.VariantEdit{
		VariantPatch: catalog.VariantPatch{
			SKU: emptied(b.SKU), Barcode: emptied(b.Barcode), Prices: prices(b.Prices), TrackStock: b.TrackInventory, Oversell: b.AllowBackorder,
			WeightGrams: maybe(b.WeightGrams), Length: maybe(b.LengthMM), Width: maybe(b.WidthMM), Height: maybe(b.HeightMM),
			NetContent: contentPatch(b.NetContent), RequiresShipping: b.RequiresShipping, Taxable: b.Taxable, Cost: costPatch(b.Cost), TaxClass: emptied(b.TaxClass),
			CustomFields: fields.Values(given(b.CustomFields)),
		},
		SetPrices: prices(b.SetPrices), RemovePrices: slices.Clone(b.RemovePrices),
	}
	if a := b.AdjustPrice; a != nil {
		edit.AdjustPrice = &catalog.PriceAdjustment{Currency: a.Currency, BPS: hundredths(given(a.ByPercentage)), Amount: given(a.ByAmount)}
		if compareAt := string(given(a.CompareAt)); compareAt != "keep" {
			edit.AdjustPrice.CompareAt = catalog.CompareAt(compareAt)
		}
	}
	return edit
}

// hundredths are those of a percentage, which has two decimals at most.
func hundredths(percentage string) int64 {
	value, err := strconv.ParseFloat(percentage, 64)
	if err != nil { // none is given
		return 0
	}
	return int64(math.Round(value * 100))
}
