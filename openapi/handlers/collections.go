package handlers

import (
	"context"
	"database/sql"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Collections answers the operations on collections and what is in them.
type Collections struct {
	DB      *postgres.DB
	Catalog *catalog.Service
	ShopURL ShopURL
}

// Operations are the handlers by operationId.
func (h *Collections) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listCollections":         h.list,
		"createCollection":        h.create,
		"getCollection":           h.get,
		"updateCollection":        h.update,
		"deleteCollection":        h.delete,
		"listCollectionProducts":  h.products,
		"addCollectionProducts":   h.add,
		"removeCollectionProduct": h.remove,
		"moveCollectionProduct":   h.move,
	}
}

func (h *Collections) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.Collections(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Collections) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, h.DB, collectionID(req))
}

func collectionID(req *openapi.Request) catalog.CollectionID {
	return catalog.CollectionID(req.Param("collection_id"))
}

// answer shows a collection as it is now.
func (h *Collections) answer(ctx context.Context, from postgres.Source, id catalog.CollectionID) (*openapi.Response, error) {
	collection, err := catalog.Collection(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(collection.Data).Tagged(collection.Version), nil
}

func (h *Collections) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CollectionCreate](req)
	if err != nil {
		return nil, err
	}
	in := catalog.CollectionInput{
		Name: body.Name, Handle: given(body.Handle), Description: given(body.DescriptionHTML), SEOTitle: given(body.SEOTitle),
		SEODescription: given(body.SEODescription), SortOrder: string(given(body.SortOrder)), Products: productIDs(body.ProductIDs), CustomFields: fields.Values(given(body.CustomFields)),
	}
	if body.Rule != nil {
		rule := ruleOf(*body.Rule)
		in.Rule = &rule
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Catalog.CreateCollection(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		collection, err := catalog.Collection(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/collections/"+string(id), collection.Data).Tagged(collection.Version), nil
	})
}

func productIDs(list []string) []catalog.ProductID {
	return converted(list, func(id string) catalog.ProductID { return catalog.ProductID(id) })
}

func (h *Collections) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CollectionUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := catalog.CollectionPatch{
		Name: body.Name, Handle: body.Handle, Description: body.DescriptionHTML, SEOTitle: emptied(body.SEOTitle), SEODescription: emptied(body.SEODescription),
		SortOrder: (*string)(body.SortOrder), CustomFields: fields.Values(given(body.CustomFields)),
	}
	if rule, err := body.Rule.Get(); err == nil {
		patch.Rule = &sql.Null[collections.Rule]{V: ruleOf(rule), Valid: true}
	} else if body.Rule.IsNull() {
		patch.Rule = &sql.Null[collections.Rule]{}
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.UpdateCollection(ctx, tx, collectionID(req), version, patch); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, collectionID(req))
	})
}

func ruleOf(body gen.CollectionRule) collections.Rule {
	return collections.Rule{Any: body.Match == "any", Conditions: converted(body.Conditions, func(c gen.CollectionCondition) collections.Condition {
		return collections.Condition{Field: string(c.Field), Operator: string(c.Operator), Value: given(c.Value), Currency: given(c.Currency), Key: given(c.Key)}
	})}
}

func (h *Collections) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.DeleteCollection(ctx, tx, collectionID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}

func (h *Collections) products(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := catalog.CollectionProducts(ctx, h.DB, h.ShopURL(req.Caller.Store), collectionID(req), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Collections) add(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CollectionProducts](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.AddToCollection(ctx, tx, collectionID(req), productIDs(body.ProductIDs)); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, collectionID(req))
	})
}

func (h *Collections) remove(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.RemoveFromCollection(ctx, tx, collectionID(req), catalog.ProductID(req.Param("product_id"))); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}

func (h *Collections) move(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CollectionProductUpdate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		err := h.Catalog.MoveInCollection(ctx, tx, collectionID(req), catalog.ProductID(req.Param("product_id")), given(body.Position))
		if err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, collectionID(req))
	})
}
