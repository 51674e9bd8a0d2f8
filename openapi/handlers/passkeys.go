package handlers

import (
	"context"
	"encoding/json"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/accounts"
)

// Passkeys answers for people's passkeys.
type Passkeys struct {
	DB       *postgres.DB
	Accounts *accounts.Service
	Session  *Session // that somebody gets who signs in by one
}

// Operations are the handlers by operationId.
func (h *Passkeys) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listPasskeys":       h.list,
		"startPasskey":       h.start,
		"createPasskey":      h.create,
		"updatePasskey":      h.update,
		"deletePasskey":      h.delete,
		"startPasskeySignIn": h.startSignIn,
		"signInByPasskey":    h.signIn,
	}
}

func (h *Passkeys) list(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Accounts.Passkeys(ctx, tx, req.Caller.Principal.ID)
		if err != nil {
			return err
		}
		for len(list) > 0 && list[0].ID <= after {
			list = list[1:]
		}
		list, next := page(list, req.Limit(adminPage), func(p accounts.Passkey) string { return p.ID })
		res, err = openapi.List(req, converted(list, passkey), next)
		return err
	})
	return res, err
}

func (h *Passkeys) start(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasswordConfirmation](req)
	if err != nil {
		return nil, err
	}
	return ceremony(h.Accounts.StartPasskey(ctx, req.Caller.Principal.ID, body.Password))
}

func (h *Passkeys) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasskeyCreate](req)
	if err != nil {
		return nil, err
	}
	p, err := h.Accounts.AddPasskey(ctx, accounts.AddPasskey{AccountID: req.Caller.Principal.ID, Token: body.Token, Name: body.Name, Credential: body.Credential})
	if err != nil {
		return nil, err
	}
	return openapi.Created("/v1/account/passkeys/"+p.ID, passkey(p)), nil
}

func (h *Passkeys) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasskeyUpdate](req)
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		p, err := h.Accounts.RenamePasskey(ctx, tx, req.Caller.Principal.ID, req.Param("passkey_id"), given(body.Name))
		if err != nil {
			return nil, err
		}
		return openapi.OK(passkey(p)), nil
	})
}

func (h *Passkeys) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Accounts.RemovePasskey(ctx, tx, req.Caller.Principal.ID, req.Param("passkey_id"))
	})
}

func (h *Passkeys) startSignIn(ctx context.Context, _ *openapi.Request) (*openapi.Response, error) {
	return ceremony(h.Accounts.StartPasskeySignIn(ctx))
}

func (h *Passkeys) signIn(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasskeySignIn](req)
	if err != nil {
		return nil, err
	}
	signed, err := h.Accounts.SignInByPasskey(ctx, body.Token, body.Credential, visit(req))
	if err != nil {
		return nil, err
	}
	shown, err := h.Session.session(ctx, signed.Account, signed.Session)
	if err != nil {
		return nil, err
	}
	setCookie(req, &signed)
	return openapi.Created("/v1/session", shown), nil
}

// ceremony shows what a browser is asked.
func ceremony(c accounts.Ceremony, err error) (*openapi.Response, error) {
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(c.Options)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.PasskeyCeremony{Token: c.Token, PublicKey: options}), nil
}

func passkey(p accounts.Passkey) gen.Passkey {
	return gen.Passkey{ID: p.ID, Name: p.Name, Synced: p.Synced, CreatedAt: p.CreatedAt.UTC(), LastUsedAt: utc(p.LastUsedAt)}
}
