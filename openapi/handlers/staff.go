package handlers

import (
	"context"
	"log/slog"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/members"
)

// Staff answers for who belongs to a store, and who is invited.
type Staff struct {
	DB       *postgres.DB
	Members  *members.Service
	Accounts *accounts.Service
	Access   *access.Enforcer
	Log      *slog.Logger
}

// Operations are the handlers by operationId.
func (h *Staff) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listStaff":         h.list,
		"getStaffMember":    h.get,
		"inviteStaff":       h.invite,
		"updateStaffMember": h.update,
		"removeStaffMember": h.remove,
		"listInvitations":   h.invitations,
		"revokeInvitation":  h.revoke,
		"acceptInvitation":  h.accept,
	}
}

func (h *Staff) list(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Members.List(ctx, tx, after, req.Limit(adminPage)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(adminPage), func(m members.Member) string { return m.AccountID })
		res, err = openapi.List(req, converted(list, member), next)
		return err
	})
	return res, err
}

func (h *Staff) get(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		m, err := h.Members.Get(ctx, tx, req.Param("account_id"))
		res = openapi.OK(member(m))
		return err
	})
	return res, err
}

func (h *Staff) invite(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.StaffInvite](req)
	if err != nil {
		return nil, err
	}
	assignment := members.Assignment{Role: string(in.Role), RoleID: given(in.RoleID)}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		i, err := h.Members.Invite(ctx, tx, in.Email, assignment)
		if err != nil {
			return nil, err
		}
		return &openapi.Response{Status: 201, Body: invitation(i)}, nil
	})
}

func (h *Staff) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.StaffMemberUpdate](req)
	if err != nil {
		return nil, err
	}
	patch := members.Patch{Role: as[string](in.Role), RoleID: emptied(in.RoleID)}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		m, err := h.Members.Update(ctx, tx, req.Param("account_id"), patch)
		if err != nil {
			return nil, err
		}
		return openapi.OK(member(m)), nil
	})
}

func (h *Staff) remove(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Members.Remove(ctx, tx, req.Param("account_id"))
	})
}

func (h *Staff) invitations(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Members.Invitations(ctx, tx, members.State(req.Query.Get("state")), after, req.Limit(adminPage)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(adminPage), func(i members.Invitation) string { return i.ID })
		res, err = openapi.List(req, converted(list, invitation), next)
		return err
	})
	return res, err
}

func (h *Staff) revoke(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Members.Revoke(ctx, tx, req.Param("invitation_id"))
	})
}

func (h *Staff) accept(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.InvitationAcceptance](req)
	if err != nil {
		return nil, err
	}
	in := members.Acceptance{Token: body.Token, Password: given(body.Password), Name: given(body.AccountName)}
	var out members.Joined
	res, err := claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[members.Joined]) (err error) {
		out, err = h.Members.Accept(ctx, in, record)
		return err
	}, h.joined)
	if err != nil || out.Account.ID == "" || req.Caller.Principal.Kind == principal.Account {
		return res, err
	}
	signed, err := h.Accounts.Open(ctx, out.Account, visit(req))
	if err != nil {
		// The person has joined, and can sign in when sessions are to be had again.
		h.Log.WarnContext(ctx, "nobody is signed in after joining a store", "account", out.Account.ID, "error", err)
		return res, nil
	}
	setCookie(req, &signed)
	return res, nil
}

func (h *Staff) joined(out members.Joined) *openapi.Response {
	return &openapi.Response{Status: 201, Body: gen.InvitationAccepted{Account: account(out.Account), Store: membership(h.Access)(out.Store)}}
}

func member(m members.Member) gen.StaffMember {
	return gen.StaffMember{
		AccountID: m.AccountID, Email: m.Email, Name: orNil(m.Name), Role: gen.RoleName(m.Role), RoleID: orNil(m.RoleID), JoinedAt: m.JoinedAt.UTC(),
	}
}

func invitation(i members.Invitation) gen.Invitation {
	return gen.Invitation{
		ID: i.ID, Email: i.Email, Role: gen.RoleName(i.Role), RoleID: orNil(i.RoleID), State: gen.InvitationState(i.State),
		InvitedBy: actor(i.InvitedBy), CreatedAt: i.CreatedAt.UTC(), ExpiresAt: i.ExpiresAt.UTC(),
	}
}
