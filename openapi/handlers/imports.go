package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"slices"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Imports answers the operations on imports.
type Imports struct {
	DB      *postgres.DB
	Imports *imports.Service
}

// Operations are the handlers by operationId.
func (h *Imports) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"createImport": h.create,
	}
}

// create begins an import. A dry run is answered with its preview, which is an operation too.
func (h *Imports) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	if !req.DryRun() {
		return h.begin(ctx, req, false)
	}
	preview := *req
	preview.Query = maps.Clone(req.Query)
	preview.Query.Del("dry_run")
	preview.Header = req.Header.Clone()
	preview.Header.Del("Idempotency-Key") // it stays free for the import itself
	res, err := h.begin(ctx, &preview, true)
	if err != nil {
		return nil, err
	}
	return res.With("Dry-Run", "true"), nil
}

// begin stores the file first and then, in one transaction, the operation that it is for.
// When that fails the file goes again.
func (h *Imports) begin(ctx context.Context, req *openapi.Request, preview bool) (*openapi.Response, error) {
	file, err := h.receive(ctx, req)
	if err != nil {
		return nil, err
	}
	file.Preview = file.Preview || preview
	req.Body = file.SHA256 // tells repetitions of the request from others with its key
	created := false
	res, err := openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Imports.Create(ctx, tx, file); err != nil {
			return nil, err
		}
		created = true
		return begun(ctx, tx, file.OperationID)
	})
	if err == nil && created {
		return res, nil
	}
	if created {
		// A commit that broke off may have happened all the same: then the file is needed.
		if _, known := operations.Get(context.WithoutCancel(ctx), h.DB, file.OperationID); !problem.Is(known, "not_found") {
			return res, err
		}
	}
	return res, errors.Join(err, h.Imports.Remove(ctx, file))
}

// receive reads the file as it comes: the body, or a part of it.
func (h *Imports) receive(ctx context.Context, req *openapi.Request) (imports.Upload, error) {
	media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		return imports.Upload{}, malformed(err)
	}
	if media == "text/csv" {
		if req.Query.Get("kind") == "" {
			return imports.Upload{}, problem.New(problem.Invalid, "invalid_request", "The request does not say what the file is.").
				At("?kind", "required", "It is required with a file as the body.")
		}
		as, err := taken(req.Query.Get("kind"), req.Query.Get("preview"), req.Query.Get("mapping"), "?")
		if err != nil {
			return imports.Upload{}, err
		}
		return h.keep(ctx, req, req.HTTP.Body, as)
	}
	return h.receiveForm(ctx, req)
}

func (h *Imports) receiveForm(ctx context.Context, req *openapi.Request) (file imports.Upload, err error) {
	form, err := req.HTTP.MultipartReader()
	if err != nil {
		return file, malformed(err)
	}
	defer func() {
		if err != nil && file.Key != "" {
			err = errors.Join(err, h.Imports.Remove(ctx, file))
		}
	}()
	seen, texts := map[string]bool{}, map[string]string{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return file, malformed(err)
		}
		name := part.FormName()
		if seen[name] {
			return file, badForm("/"+name, "repeated", "It is given twice.")
		}
		seen[name] = true
		switch name {
		case "file":
			as, err := taken(texts["kind"], texts["preview"], texts["mapping"], "/")
			if err != nil {
				return file, err
			}
			if file, err = h.keep(ctx, req, part, as); err != nil {
				return file, err
			}
		case "kind", "preview", "mapping":
			if texts[name], err = field(part, maxMapping); err != nil {
				return file, err
			}
			switch {
			case name == "kind" && texts[name] != imports.ShopifyProducts && texts[name] != imports.ShopifyCustomers:
				return file, badForm("/kind", "enum", "There is no such kind of import.")
			case seen["file"]:
				return file, badForm("/"+name, "order", "It must come before the file.")
			}
		default:
			return file, badForm("/"+name, "unknown_field", "The form has no field of this name.")
		}
	}
	if missing := slices.DeleteFunc([]string{"kind", "file"}, func(name string) bool { return seen[name] }); len(missing) > 0 {
		return file, badForm("/"+missing[0], "required", "It is required and missing.")
	}
	return file, nil
}

// maxMapping is how long the text of a mapping may be.
const maxMapping = 16_384

// taken reads as what a file is to be taken; at is what the fields' places begin with.
func taken(kind, preview, mapping, at string) (as imports.As, err error) {
	as.Customers = kind == imports.ShopifyCustomers
	if preview != "" {
		if as.Preview, err = strconv.ParseBool(preview); err != nil {
			return as, badForm(at+"preview", "type", "It is true or false.")
		}
	}
	if mapping != "" {
		if err := json.Unmarshal([]byte(mapping), &as.Mapping); err != nil {
			return as, badForm(at+"mapping", "type", "It is a JSON object of texts: what each column is to be taken for.")
		}
	}
	return as, nil
}

// keep keeps the file. Customers are taken in by who may change them.
func (h *Imports) keep(ctx context.Context, req *openapi.Request, file io.Reader, as imports.As) (imports.Upload, error) {
	if as.Customers {
		if err := req.Require("customers:write"); err != nil {
			return imports.Upload{}, err
		}
	}
	u, err := h.Imports.Receive(ctx, file, as)
	if errors.Is(err, imports.ErrBroken) {
		return u, malformed(err)
	}
	return u, err
}
