package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Categories answers the operations on the tree of categories.
type Categories struct {
	DB      *postgres.DB
	Catalog *catalog.Service
}

// Operations are the handlers by operationId.
func (h *Categories) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listCategories": h.list,
		"createCategory": h.create,
		"getCategory":    h.get,
		"updateCategory": h.update,
		"deleteCategory": h.delete,
	}
}

func (h *Categories) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.Categories(ctx, h.DB, req.Query.Get("parent_id"), req.Query.Get("ancestor_id"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Categories) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	category, err := catalog.Category(ctx, h.DB, catalog.CategoryID(req.Param("category_id")))
	if err != nil {
		return nil, err
	}
	return openapi.OK(category.Data).Tagged(category.Version), nil
}

func (h *Categories) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CategoryCreate](req)
	if err != nil {
		return nil, err
	}
	in := catalog.CategoryInput{
		Name: body.Name, Handle: given(body.Handle), Description: given(body.Description),
		SEOTitle: given(body.SEOTitle), SEODescription: given(body.SEODescription),
		ParentID: catalog.CategoryID(given(body.ParentID)), Position: body.Position, CustomFields: fields.Values(given(body.CustomFields)),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Catalog.CreateCategory(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		category, err := catalog.Category(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/categories/"+string(id), category.Data).Tagged(category.Version), nil
	})
}

func (h *Categories) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CategoryUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	id := catalog.CategoryID(req.Param("category_id"))
	patch := catalog.CategoryPatch{
		Name: body.Name, Handle: body.Handle, Description: emptied(body.Description),
		SEOTitle: emptied(body.SEOTitle), SEODescription: emptied(body.SEODescription),
		ParentID: emptiedAs[catalog.CategoryID](body.ParentID), Position: body.Position, CustomFields: fields.Values(given(body.CustomFields)),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.UpdateCategory(ctx, tx, id, version, patch); err != nil {
			return nil, err
		}
		category, err := catalog.Category(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(category.Data).Tagged(category.Version), nil
	})
}

func (h *Categories) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.DeleteCategory(ctx, tx, catalog.CategoryID(req.Param("category_id")), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
