package handlers

import (
	"context"
	"mime"
	"time"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Documents answers the staff's operations on invoices and the like.
type Documents struct {
	DB        *postgres.DB
	Documents *documents.Service
}

// Operations are the handlers by operationId.
func (h *Documents) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listDocuments":    h.list,
		"getDocument":      h.get,
		"downloadDocument": h.download,
		"issueInvoice":     h.issue,
		"getPackingSlip":   h.slip,
		"getPackingSlips":  h.slips,
		"getInvoicing":     h.invoicing,
		"updateInvoicing":  h.updateInvoicing,
	}
}

func (h *Documents) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	page, err := h.Documents.List(ctx, documents.Filter{
		Kind: q.Get("kind"), OrderID: q.Get("order_id"), Since: q.Get("since"), Until: q.Get("until"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Documents) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	document, err := h.Documents.Get(ctx, h.DB, req.Param("document_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(document.Data).At(document.Version), nil
}

func (h *Documents) download(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	file, err := h.Documents.PDF(ctx, req.Param("document_id"), "", documents.Reader{Staff: true})
	if err != nil {
		return nil, err
	}
	return pdf(file), nil
}

// pdf answers a file that a browser shows, and that is called so where it is kept.
func pdf(file documents.File) *openapi.Response {
	return openapi.OK(file.Data).With("Content-Type", "application/pdf").
		With("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": file.Name}))
}

func (h *Documents) issue(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		issued, err := h.Documents.IssueInvoice(ctx, tx, req.Param("order_id"))
		if err != nil {
			return nil, err
		}
		document, err := h.Documents.Get(ctx, tx, issued.ID)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/documents/"+issued.ID, document.Data), nil
	})
}

func (h *Documents) slip(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	file, err := h.Documents.PackingSlip(ctx, req.Param("order_id"), req.Query.Get("fulfilment_id"))
	if err != nil {
		return nil, err
	}
	return pdf(file), nil
}

func (h *Documents) slips(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	file, err := h.Documents.PackingSlips(ctx, req.Query["order_id"])
	if err != nil {
		return nil, err
	}
	return pdf(file), nil
}

func (h *Documents) invoicing(ctx context.Context, _ *openapi.Request) (res *openapi.Response, err error) {
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		res, err = h.answerInvoicing(ctx, tx)
		return err
	})
	return res, err
}

func (h *Documents) answerInvoicing(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
	i, version, updated, err := documents.GetInvoicing(ctx, tx)
	if err != nil {
		return nil, err
	}
	return openapi.OK(shownInvoicing(i, updated)).Tagged(version), nil
}

func shownInvoicing(i documents.Invoicing, updated time.Time) gen.Invoicing {
	return gen.Invoicing{
		Seller: gen.Seller{
			Address: shownAddress(i.Seller.Address), TaxID: orNil(i.Seller.TaxID), Registration: orNil(i.Seller.Registration),
			Email: orNil(i.Seller.Email), Website: orNil(i.Seller.Website),
		},
		InvoiceNumberFormat: string(i.InvoiceNumbers), CreditNoteNumberFormat: string(i.CreditNoteNumbers), Footer: orNil(i.Footer), UpdatedAt: updated.UTC(),
	}
}

func (h *Documents) updateInvoicing(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.InvoicingUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := documents.InvoicingPatch{InvoiceNumbers: body.InvoiceNumberFormat, CreditNoteNumbers: body.CreditNoteNumberFormat, Footer: emptied(body.Footer)}
	if s := body.Seller; s != nil {
		patch.Address, patch.TaxID, patch.Registration = patchedAddress(s.Address), emptied(s.TaxID), emptied(s.Registration)
		patch.Email, patch.Website = emptied(s.Email), emptied(s.Website)
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := documents.UpdateInvoicing(ctx, tx, version, patch); err != nil {
			return nil, err
		}
		return h.answerInvoicing(ctx, tx)
	})
}
