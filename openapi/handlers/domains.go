package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/domains"
)

// Domains answers for merchants' own domains.
type Domains struct {
	DB      *postgres.DB
	Domains *domains.Service
}

// Operations are the handlers by operationId.
func (h *Domains) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listDomains":  h.list,
		"createDomain": h.create,
		"getDomain":    h.get,
		"updateDomain": h.update,
		"deleteDomain": h.delete,
		"verifyDomain": h.verify,
	}
}

func (h *Domains) list(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Domains.List(ctx, tx, after, req.Limit(adminPage)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(adminPage), func(d domains.Domain) string { return d.ID })
		res, err = openapi.List(req, converted(list, h.domain), next)
		return err
	})
	return res, err
}

func (h *Domains) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.DomainCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		d, err := h.Domains.Create(ctx, tx, in.Name)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/domains/"+d.ID, h.domain(d)).Tagged(d.Version), nil
	})
}

// read reads the domain that a request is about.
func (h *Domains) read(ctx context.Context, req *openapi.Request) (d domains.Domain, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		d, err = h.Domains.Get(ctx, tx, req.Param("domain_id"))
		return err
	})
	return d, err
}

func (h *Domains) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	d, err := h.read(ctx, req)
	if err != nil {
		return nil, err
	}
	return openapi.OK(h.domain(d)).Tagged(d.Version), nil
}

func (h *Domains) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.DomainUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		d, err := h.Domains.SetPrimary(ctx, tx, req.Param("domain_id"), version, in.Primary != nil && *in.Primary)
		if err != nil {
			return nil, err
		}
		return openapi.OK(h.domain(d)).Tagged(d.Version), nil
	})
}

func (h *Domains) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Domains.Delete(ctx, tx, req.Param("domain_id"), version)
	})
}

func (h *Domains) verify(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	d, err := h.read(ctx, req)
	if err != nil {
		return nil, err
	}
	seen := h.Domains.Look(ctx, d.Name) // outside of the transaction, which waits for nobody
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		d, err := h.Domains.Verify(ctx, tx, d.ID, seen)
		if err != nil {
			return nil, err
		}
		if d.Taken() {
			return openapi.Refusal(req, domains.Taken()), nil // what was seen is kept, and shown
		}
		return openapi.OK(h.domain(d)).Tagged(d.Version), nil
	})
}

func (h *Domains) domain(d domains.Domain) gen.Domain {
	shown := gen.Domain{
		ID: d.ID, Name: d.Name, DisplayName: d.Unicode(), State: gen.DomainState(d.State), Taken: d.Taken(), Primary: d.Main,
		Records: converted(h.Domains.Records(&d), func(r domains.Record) gen.DomainRecord {
			return gen.DomainRecord{
				Purpose: gen.DomainRecordPurpose(r.Purpose), Type: gen.DomainRecordType(r.Type), Name: r.Name, Host: r.Host, Value: r.Value, State: gen.DomainRecordState(r.State),
			}
		}),
		Conflicts: converted(h.Domains.Conflicts(&d), func(r domains.Record) gen.DomainConflict {
			return gen.DomainConflict{Type: gen.DomainConflictType(r.Type), Name: r.Name, Value: r.Value}
		}),
		Advice:      h.Domains.Advice(&d),
		Certificate: gen.DomainCertificate{State: gen.DomainCertificateState(h.Domains.Certificate(&d)), ExpiresAt: utc(d.CertifiedUntil), Failure: orNil(d.CertificateFault)},
		CheckedAt:   utc(d.CheckedAt), VerifiedAt: utc(d.VerifiedAt), FailingSince: utc(d.FailingSince), CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	return shown
}
