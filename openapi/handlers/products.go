package handlers

import (
	"context"
	"net/url"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Products answers the operations on products.
type Products struct {
	DB      *postgres.DB
	Catalog *catalog.Service
	ShopURL ShopURL
}

// Operations are the handlers by operationId.
func (h *Products) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listProducts":    h.list,
		"listProductTags": h.tags,
		"createProduct":   h.create,
		"getProduct":      h.get,
		"updateProduct":   h.update,
		"deleteProduct":   h.delete,
	}
}

func (h *Products) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	page, err := catalog.Products(ctx, h.DB, catalog.ProductFilter{
		Status: q.Get("status"), Handle: q.Get("handle"), SKU: q.Get("sku"),
		CategoryID: q.Get("category_id"), CollectionID: q.Get("collection_id"), Tag: q.Get("tag"), Vendor: q.Get("vendor"), Type: q.Get("product_type"), Field: customField(q),
		Media: h.ShopURL(req.Caller.Store), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

// customField is the filter of a query such as "material:linen"; its form is the contract's.
func customField(q url.Values) fields.Filter {
	key, value, _ := strings.Cut(q.Get("custom_field"), ":")
	return fields.Filter{Key: key, Value: value}
}

func (h *Products) tags(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.Tags(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Products) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	product, err := catalog.Product(ctx, h.DB, h.ShopURL(req.Caller.Store), catalog.ProductID(req.Param("product_id")))
	if err != nil {
		return nil, err
	}
	return openapi.OK(product.Data).Tagged(product.Version), nil
}

func (h *Products) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ProductCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Catalog.CreateProduct(ctx, tx, productInput(body))
		if err != nil {
			return nil, err
		}
		product, err := catalog.Product(ctx, tx, h.ShopURL(req.Caller.Store), id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/products/"+string(id), product.Data).Tagged(product.Version), nil
	})
}

func (h *Products) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ProductUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	id := catalog.ProductID(req.Param("product_id"))
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.UpdateProduct(ctx, tx, id, version, productPatch(body)); err != nil {
			return nil, err
		}
		product, err := catalog.Product(ctx, tx, h.ShopURL(req.Caller.Store), id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(product.Data).Tagged(product.Version), nil
	})
}

func (h *Products) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.DeleteProduct(ctx, tx, catalog.ProductID(req.Param("product_id")), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}

func productInput(b gen.ProductCreate) catalog.ProductInput {
	in := catalog.ProductInput{
		Title: b.Title, Handle: given(b.Handle), Description: given(b.DescriptionHTML), Vendor: given(b.Vendor), Type: given(b.ProductType),
		Tags: b.Tags, Status: catalog.Status(given(b.Status)), CategoryID: catalog.CategoryID(given(b.CategoryID)),
		SEOTitle: given(b.SEOTitle), SEODescription: given(b.SEODescription), PublishAt: given(b.PublishAt), UnpublishAt: given(b.UnpublishAt),
		Options: options(b.Options), CustomFields: fields.Values(given(b.CustomFields)), Matrix: matrix(b.Matrix),
	}
	for _, v := range b.Variants {
		in.Variants = append(in.Variants, variantInput(v))
	}
	return in
}

func productPatch(b gen.ProductUpdate) catalog.ProductPatch {
	return catalog.ProductPatch{
		Title: b.Title, Handle: b.Handle, Description: b.DescriptionHTML, Vendor: emptied(b.Vendor), Type: emptied(b.ProductType),
		Tags: b.Tags, Status: as[catalog.Status](b.Status), CategoryID: emptiedAs[catalog.CategoryID](b.CategoryID),
		SEOTitle: emptied(b.SEOTitle), SEODescription: emptied(b.SEODescription), PublishAt: maybe(b.PublishAt), UnpublishAt: maybe(b.UnpublishAt),
		Options: options(b.Options), CustomFields: fields.Values(given(b.CustomFields)),
	}
}

func options(list []gen.ProductOption) []catalog.Option {
	if list == nil {
		return nil
	}
	out := make([]catalog.Option, len(list))
	for i, option := range list {
		out[i] = catalog.Option{Name: option.Name, Values: option.Values}
	}
	return out
}
