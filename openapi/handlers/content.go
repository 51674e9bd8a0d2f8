package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Content answers the operations on pages and on posts of the blog.
type Content struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Content) Operations() map[string]openapi.Handler {
	pages, posts := entries{h.DB, content.Page, "/v1/pages/"}, entries{h.DB, content.Post, "/v1/posts/"}
	return map[string]openapi.Handler{
		"listPages": pages.list, "createPage": pages.create, "getPage": pages.get, "updatePage": pages.update, "deletePage": pages.delete,
		"listPosts": posts.list, "createPost": posts.create, "getPost": posts.get, "updatePost": posts.update, "deletePost": posts.delete,
	}
}

// entries answers the operations on entries of a kind.
type entries struct {
	db   *postgres.DB
	kind content.Kind
	path string
}

func (h entries) id(req *openapi.Request) string { return req.Param(string(h.kind) + "_id") }

func (h entries) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := content.List(ctx, h.db, h.kind, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h entries) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, h.db, h.id(req))
}

// answer shows an entry as it is now.
func (h entries) answer(ctx context.Context, from postgres.Source, id string) (*openapi.Response, error) {
	o, err := content.Read(ctx, from, h.kind, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(o.Data).Tagged(o.Version), nil
}

func (h entries) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.db, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := content.Create(ctx, tx, h.kind, req.Body)
		if err != nil {
			return nil, err
		}
		o, err := content.Read(ctx, tx, h.kind, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created(h.path+id, o.Data).Tagged(o.Version), nil
	})
}

func (h entries) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.db, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := content.Update(ctx, tx, h.kind, h.id(req), version, req.Body); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, h.id(req))
	})
}

func (h entries) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.db, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := content.Delete(ctx, tx, h.kind, h.id(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
