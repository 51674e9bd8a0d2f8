package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Door is how the hosted shop lets somebody in who may not come by themselves.
type Door interface {
	// Code is how a password is kept: there is no way back to it.
	Code(password string) string
	// Enter is the address by which whoever has it comes in.
	Enter(ctx context.Context, seed string) (string, error)
}

func (h *Settings) access(ctx context.Context, _ *openapi.Request) (*openapi.Response, error) {
	return h.answerAccess(ctx, h.DB)
}

func (h *Settings) answerAccess(ctx context.Context, from postgres.Source) (*openapi.Response, error) {
	a, err := settings.Access(ctx, from)
	if err != nil {
		return nil, err
	}
	link, err := h.Door.Enter(ctx, a.Seed)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.ShopAccess{State: gen.ShopAccessState(a.State), Message: orNil(a.Message), PasswordSet: a.Password != "", PreviewURL: link}), nil
}

func (h *Settings) setAccess(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShopAccessUpdate](req)
	if err != nil {
		return nil, err
	}
	patch := settings.ShopAccessPatch{State: as[string](body.State), Message: emptied(body.Message), Password: emptied(body.Password)}
	if p := patch.Password; p != nil && *p != "" {
		code := h.Door.Code(*p)
		patch.Password = &code
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.SetAccess(ctx, tx, patch); err != nil {
			return nil, err
		}
		return h.answerAccess(ctx, tx)
	})
}
