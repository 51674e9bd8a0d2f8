package handlers

import (
	"context"
	"io"
	"mime"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

// Exports answers the operations on files that are taken away.
type Exports struct {
	DB      *postgres.DB
	Exports *exports.Service
	ShopURL func(*tenants.Store) string
}

// Operations are the handlers by operationId.
func (h *Exports) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"createExport":   h.create,
		"downloadExport": h.download,
	}
}

func (h *Exports) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ExportRequest](req)
	if err != nil {
		return nil, err
	}
	kind, want := exports.Kind("export_"+body.Resource), exports.Selection{Format: exports.CSV, Since: body.Since, Until: body.Until}
	if body.Format != nil {
		want.Format = exports.Format(*body.Format)
	}
	if err := req.Require(kind.Reads()); err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Exports.Create(ctx, tx, kind, want, h.ShopURL(req.Caller.Store))
		if err != nil {
			return nil, err
		}
		return begun(ctx, tx, id)
	})
}

// download answers the file. That somebody takes it is written down before its first byte.
func (h *Exports) download(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	id := req.Param("operation_id")
	var file exports.Download
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if file, err = h.Exports.Find(ctx, tx, id); err != nil {
			return err
		}
		if err := req.Require(file.Kind.Reads()); err != nil {
			return err
		}
		file.Taken(ctx, tx, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	res := openapi.OK(nil).With("Content-Type", file.File.ContentType).With("Content-Length", strconv.FormatInt(file.File.Bytes, 10)).
		With("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.File.Name}))
	res.Stream = func(w io.Writer) error { return file.WriteTo(ctx, w) }
	return res, nil
}
