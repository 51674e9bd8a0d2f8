package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/members"
)

// Roles answers for roles and what they can allow.
type Roles struct {
	DB      *postgres.DB
	Members *members.Service
}

// Operations are the handlers by operationId.
func (h *Roles) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listRoles":       h.list,
		"createRole":      h.create,
		"getRole":         h.get,
		"updateRole":      h.update,
		"deleteRole":      h.delete,
		"listPermissions": h.permissions,
	}
}

func (h *Roles) list(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Members.Roles(ctx, tx, after, req.Limit(adminPage)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(adminPage), func(r members.Role) string { return r.ID })
		res, err = openapi.List(req, converted(list, role), next)
		return err
	})
	return res, err
}

func (h *Roles) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.RoleCreate](req)
	if err != nil {
		return nil, err
	}
	permissions := texts(in.Permissions)
	input := members.RoleInput{Name: &in.Name, Description: in.Description, Permissions: &permissions}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		r, err := h.Members.CreateRole(ctx, tx, input)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/roles/"+r.ID, role(r)).At(r.Version), nil
	})
}

func (h *Roles) get(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		r, err := h.Members.Role(ctx, tx, req.Param("role_id"))
		res = openapi.OK(role(r)).At(r.Version)
		return err
	})
	return res, err
}

func (h *Roles) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.RoleUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	input := members.RoleInput{Name: in.Name, Description: emptied(in.Description)}
	if in.Permissions != nil {
		permissions := texts(in.Permissions)
		input.Permissions = &permissions
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		r, err := h.Members.UpdateRole(ctx, tx, req.Param("role_id"), version, input)
		if err != nil {
			return nil, err
		}
		return openapi.OK(role(r)).At(r.Version), nil
	})
}

func (h *Roles) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Members.DeleteRole(ctx, tx, req.Param("role_id"), version)
	})
}

func (h *Roles) permissions(_ context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	var list []gen.PermissionInfo
	for _, p := range access.Permissions() {
		switch {
		case !p.Grantable:
		case after == "":
			list = append(list, gen.PermissionInfo{Name: gen.Permission(p.Name), Description: p.Description})
		case p.Name == after:
			after = ""
		}
	}
	list, next := page(list, req.Limit(adminPage), func(p gen.PermissionInfo) string { return string(p.Name) })
	return openapi.List(req, list, next)
}

func role(r members.Role) gen.Role {
	shown := gen.Role{
		ID: r.ID, Name: r.Name, Description: orNil(r.Description), BuiltIn: r.BuiltIn,
		Permissions: converted(r.Permissions, func(p string) gen.Permission { return gen.Permission(p) }),
	}
	if !r.BuiltIn {
		shown.CreatedAt, shown.UpdatedAt = utc(&r.CreatedAt), utc(&r.UpdatedAt)
	}
	return shown
}
