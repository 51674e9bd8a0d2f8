package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Customers answers the staff's operations on customers.
type Customers struct {
	DB        *postgres.DB
	Customers *customers.Service
}

// Operations are the handlers by operationId.
func (h *Customers) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listCustomers":  h.list,
		"createCustomer": h.create,
		"getCustomer":    h.get,
		"updateCustomer": h.update,
		"deleteCustomer": h.delete,

		"listMarketingConsents": h.consents,

		"listCustomerGroups":  h.groups,
		"createCustomerGroup": h.createGroup,
		"getCustomerGroup":    h.group,
		"updateCustomerGroup": h.updateGroup,
		"deleteCustomerGroup": h.deleteGroup,
	}
}

func (h *Customers) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := h.Customers.List(ctx, customers.Filter{
		Email: req.Query.Get("email"), Text: req.Query.Get("q"), Tag: req.Query.Get("tag"), GroupID: req.Query.Get("group_id"),
		Registered: req.Query.Get("registered"), AcceptsMarketing: req.Query.Get("accepts_marketing"), AcceptsSMS: req.Query.Get("accepts_sms_marketing"),
		Since: req.Query.Get("since"), Until: req.Query.Get("until"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Customers) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerCreate](req)
	if err != nil {
		return nil, err
	}
	with := customers.Change{
		Name: body.Name, Phone: body.Phone, AcceptsMarketing: body.AcceptsMarketing, AcceptsSMS: body.AcceptsSmsMarketing, Wording: body.MarketingWording, Note: body.Note, Addresses: converted(body.Addresses, bookEntry),
		GroupIDs: body.GroupIDs, Tags: body.Tags, TaxExemptReason: body.TaxExemptReason, CustomFields: fields.Values(given(body.CustomFields)),
	}
	if body.DefaultAddress != nil {
		at := givenAddress(*body.DefaultAddress)
		with.DefaultAddress = &at
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Customers.Create(ctx, tx, body.Email, with)
		if err != nil {
			return nil, err
		}
		customer, err := h.Customers.GetIn(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/customers/"+id, customer.Data).Tagged(customer.Version), nil
	})
}

// bookEntry is an address of a customer's book in the domain's words.
func bookEntry(g gen.CustomerAddressInput) customers.Entry {
	return customers.Entry{ID: given(g.ID), Address: *givenAddress(g.Address), DefaultShipping: given(g.DefaultShipping), DefaultBilling: given(g.DefaultBilling)}
}

// patchedBook is what a merge patch says of the whole of a book: nil leaves it.
func patchedBook(given []gen.CustomerAddressInput) []customers.Entry {
	if given == nil {
		return nil
	}
	return converted(given, bookEntry)
}

func (h *Customers) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	customer, err := h.Customers.Get(ctx, req.Param("customer_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(customer.Data).Tagged(customer.Version), nil
}

func (h *Customers) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	change := customers.Change{
		Name: emptied(body.Name), Phone: emptied(body.Phone), AcceptsMarketing: body.AcceptsMarketing, AcceptsSMS: body.AcceptsSmsMarketing, Wording: body.MarketingWording,
		Note: emptied(body.Note), Addresses: patchedBook(body.Addresses), DefaultAddress: patchedAddress(body.DefaultAddress), GroupIDs: body.GroupIDs,
		Tags: body.Tags, Disabled: body.Disabled,
		TaxExemptReason: emptied(body.TaxExemptReason), CustomFields: fields.Values(given(body.CustomFields)),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Customers.Update(ctx, tx, req.Param("customer_id"), change, version); err != nil {
			return nil, err
		}
		customer, err := h.Customers.GetIn(ctx, tx, req.Param("customer_id"))
		if err != nil {
			return nil, err
		}
		return openapi.OK(customer.Data).Tagged(customer.Version), nil
	})
}

func (h *Customers) consents(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := h.Customers.Consents(ctx, req.Param("customer_id"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Customers) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Customers.Delete(ctx, tx, req.Param("customer_id"), version)
	})
}
