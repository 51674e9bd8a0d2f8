package handlers

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Privacy gives out and erases the data of persons.
type Privacy struct {
	DB        *postgres.DB
	Privacy   *privacy.Service
	Customers *customers.Service
	Documents *documents.Service
	Sealer    postgres.Sealer
}

// Operations are the handlers by operationId.
func (h *Privacy) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"exportPersonalData": h.export,
		"listErasures":       h.list,
		"getErasure":         h.get,
		"erasePersonalData":  h.erase,
		"discloseDocument":   h.disclose,
		"exportMe":           h.exportMe,
		"eraseMe":            h.eraseMe,
	}
}

// subject is whose data is meant: one of two ways to say it.
func subject(customerID, email *string) (privacy.Subject, error) {
	of := privacy.Subject{CustomerID: given(customerID), Email: given(email)}
	if (of.CustomerID == "") == (of.Email == "") {
		return of, problem.New(problem.Invalid, "invalid_request", "Give either a customer or an e-mail address.").
			At("/customer_id", "required", "Give either customer_id or email.")
	}
	if of.CustomerID != "" && !ids.Valid("cus", of.CustomerID) {
		return of, problem.Missing("customer")
	}
	return of, nil
}

// exported answers with everything that is known of somebody.
func (h *Privacy) exported(ctx context.Context, of privacy.Subject) (*openapi.Response, error) {
	var data json.RawMessage
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		data, err = h.Privacy.Export(ctx, tx, of)
		return err
	})
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.PersonalDataExport{ExportedAt: clock.Now().Truncate(time.Millisecond), Data: data}), nil
}

func (h *Privacy) export(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PersonalDataSubject](req)
	if err != nil {
		return nil, err
	}
	of, err := subject(body.CustomerID, body.Email)
	if err != nil {
		return nil, err
	}
	res, err := h.exported(ctx, of)
	if err != nil {
		return nil, err
	}
	// What is taken out is not to stay in the request log.
	res.Redacted = gen.PersonalDataExport{ExportedAt: clock.Now().Truncate(time.Millisecond), Data: json.RawMessage("{}")}
	return res, nil
}

func (h *Privacy) exportMe(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, me, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return h.exported(ctx, privacy.Subject{CustomerID: me.ID})
}

func (h *Privacy) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := h.Privacy.List(ctx, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Privacy) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	erasure, err := h.Privacy.Get(ctx, h.DB, req.Param("erasure_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(erasure.Data), nil
}

func (h *Privacy) erase(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ErasureCreate](req)
	if err != nil {
		return nil, err
	}
	of, err := subject(body.CustomerID, body.Email)
	if err != nil {
		return nil, err
	}
	return h.erased(ctx, req, of, given(body.Reason))
}

func (h *Privacy) erased(ctx context.Context, req *openapi.Request, of privacy.Subject, reason string) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Privacy.Erase(ctx, tx, of, reason)
		if err != nil {
			return nil, err
		}
		erasure, err := h.Privacy.Get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/personal-data/erasures/"+id, erasure.Data), nil
	})
}

func (h *Privacy) eraseMe(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ErasureConfirmation](req)
	if err != nil {
		return nil, err
	}
	ctx, me, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	if err := h.Customers.Confirm(ctx, me, body.Password); err != nil {
		return nil, err
	}
	res, err := h.erased(ctx, req, privacy.Subject{CustomerID: me.ID}, "")
	if err != nil {
		return nil, err
	}
	res.Header.Del("Location") // it is the staff's to see
	return res, nil
}

func (h *Privacy) disclose(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.DocumentDisclosure](req)
	if err != nil {
		return nil, err
	}
	var file documents.File
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		file, err = h.Documents.Disclose(ctx, tx, h.Sealer, req.Param("document_id"), body.Reason)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pdf(file), nil
}
