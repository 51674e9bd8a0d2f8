package handlers

import (
	"context"
	"time"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/keys"
)

// APIKeys answers for the keys of a store.
type APIKeys struct {
	DB   *postgres.DB
	Keys *keys.Service
}

// Operations are the handlers by operationId.
func (h *APIKeys) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listApiKeys":  h.list,
		"createApiKey": h.create,
		"getApiKey":    h.get,
		"updateApiKey": h.update,
		"rotateApiKey": h.rotate,
		"revokeApiKey": h.revoke,
	}
}

func (h *APIKeys) list(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Keys.List(ctx, tx, after, req.Limit(adminPage)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(adminPage), func(k keys.Key) string { return k.ID })
		res, err = openapi.List(req, converted(list, apiKey), next)
		return err
	})
	return res, err
}

func (h *APIKeys) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.APIKeyCreate](req)
	if err != nil {
		return nil, err
	}
	issue := keys.Issue{
		Kind: keys.Kind(in.Kind), Name: in.Name, Scopes: texts(in.Scopes),
		AllowedIPs: in.AllowedIPs, AllowedOrigins: in.AllowedOrigins, ExpiresAt: in.ExpiresAt,
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return created(h.Keys.Create(ctx, tx, issue))
	})
}

// created answers a new key with its secret, which a late replay leaves out.
func created(k keys.Key, secret string, err error) (*openapi.Response, error) {
	if err != nil {
		return nil, err
	}
	res := openapi.Created("/v1/api-keys/"+k.ID, gen.APIKeyCreated{APIKey: apiKey(k), Secret: &secret}).At(k.Version)
	res.Redacted = gen.APIKeyCreated{APIKey: apiKey(k)}
	return res, nil
}

func (h *APIKeys) get(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		k, err := h.Keys.Get(ctx, tx, req.Param("key_id"))
		// When it was used last is no part of its version.
		res = openapi.OK(apiKey(k)).Tagged(k.Version)
		return err
	})
	return res, err
}

func (h *APIKeys) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.APIKeyUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	change := keys.Change{Name: in.Name, AllowedIPs: listed(in.AllowedIPs), AllowedOrigins: listed(in.AllowedOrigins)}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		k, err := h.Keys.Update(ctx, tx, req.Param("key_id"), version, change)
		return openapi.OK(apiKey(k)).Tagged(k.Version), err
	})
}

func (h *APIKeys) rotate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.APIKeyRotate](req)
	if err != nil {
		return nil, err
	}
	overlap := keys.DefaultOverlap
	if in.OverlapSeconds != nil {
		overlap = time.Duration(*in.OverlapSeconds) * time.Second
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return created(h.Keys.Rotate(ctx, tx, req.Param("key_id"), overlap))
	})
}

func (h *APIKeys) revoke(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Keys.Revoke(ctx, tx, req.Param("key_id"))
	})
}

func apiKey(k keys.Key) gen.APIKey {
	return gen.APIKey{
		ID: k.ID, Name: k.Name, Kind: gen.APIKeyKind(k.Kind), Mode: gen.Mode(k.Mode), Prefix: k.Prefix, LastFour: k.Last4,
		Scopes:     converted(k.Scopes, func(s string) gen.Permission { return gen.Permission(s) }),
		AllowedIPs: k.AllowedIPs, AllowedOrigins: k.AllowedOrigins,
		APIVersion: k.APIVersion, State: gen.APIKeyState(k.State()), CreatedBy: actor(k.CreatedBy),
		CreatedAt: k.CreatedAt.UTC(), UpdatedAt: k.UpdatedAt.UTC(), ExpiresAt: utc(k.ExpiresAt), LastUsedAt: utc(k.LastUsedAt),
	}
}

// texts are the plain texts of a list of one of the contract's words.
func texts[T ~string](list []T) []string {
	return converted(list, func(s T) string { return string(s) })
}

// listed is what a merge patch says of a list: nil leaves it.
func listed(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}
