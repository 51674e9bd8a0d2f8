package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func (h *Customers) groups(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := h.Customers.Groups(ctx, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Customers) group(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	group, err := h.Customers.Group(ctx, req.Param("customer_group_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(group.Data).Tagged(group.Version), nil
}

func (h *Customers) createGroup(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerGroupCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := h.Customers.CreateGroup(ctx, tx, body.Name)
		if err != nil {
			return nil, err
		}
		group, err := h.Customers.GroupIn(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/customer-groups/"+id, group.Data).Tagged(group.Version), nil
	})
}

func (h *Customers) updateGroup(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CustomerGroupUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	id := req.Param("customer_group_id")
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if body.Name != nil {
			if err := h.Customers.RenameGroup(ctx, tx, id, *body.Name, version); err != nil {
				return nil, err
			}
		}
		group, err := h.Customers.GroupIn(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(group.Data).Tagged(group.Version), nil
	})
}

func (h *Customers) deleteGroup(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Customers.DeleteGroup(ctx, tx, req.Param("customer_group_id"), version)
	})
}
