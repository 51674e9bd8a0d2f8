package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// LongOperations answers the operations on what takes longer than a request.
type LongOperations struct {
	DB   *postgres.DB
	Long *operations.Service
	Bulk *bulk.Service
}

// Operations are the handlers by operationId.
func (h *LongOperations) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listOperations":    h.list,
		"getOperation":      h.get,
		"listOperationRows": h.rows,
		"cancelOperation":   h.cancel,
		"undoOperation":     h.undo,
	}
}

func (h *LongOperations) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	operation, err := operations.Get(ctx, h.DB, req.Param("operation_id"))
	return openapi.OK(operation), err
}

func (h *LongOperations) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := operations.Page(ctx, h.DB, req.Query.Get("kind"), req.Query.Get("state"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *LongOperations) rows(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := operations.Rows(ctx, h.DB, req.Param("operation_id"), req.Query.Get("outcome"), req.Query.Get("severity"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *LongOperations) cancel(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Long.Cancel(ctx, tx, req.Param("operation_id")); err != nil {
			return nil, err
		}
		operation, err := operations.Get(ctx, tx, req.Param("operation_id"))
		return openapi.OK(operation), err
	})
}

func (h *LongOperations) undo(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Bulk.Undo(ctx, tx, req.Param("operation_id"))
		if err != nil {
			return nil, err
		}
		return begun(ctx, tx, id)
	})
}

// begun answers with an operation that was asked for.
func begun(ctx context.Context, tx *postgres.Tx, id string) (*openapi.Response, error) {
	operation, err := operations.Get(ctx, tx, id)
	return openapi.Accepted("/v1/operations/"+id, operation), err
}
