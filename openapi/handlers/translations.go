package handlers

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Translations answers the operations on what things are called in other languages.
type Translations struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Translations) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listTranslations":   h.list,
		"updateTranslations": h.updateSeveral,
		"getTranslation":     h.get,
		"updateTranslation":  h.update,
	}
}

func (h *Translations) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	list, next, err := translations.List(ctx, h.DB, translations.Filter{
		Locale: req.Param("locale"), Resource: translations.Resource(req.Query.Get("resource")), State: translations.State(req.Query.Get("state")),
		After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.List(req, list, next)
}

func (h *Translations) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerTranslation(ctx, req, h.DB)
}

// answerTranslation shows a translation as it is now.
func answerTranslation(ctx context.Context, req *openapi.Request, from postgres.Source) (*openapi.Response, error) {
	t, err := translations.Read(ctx, from, req.Param("locale"), req.Param("resource_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(t).Tagged(t.Version), nil
}

func (h *Translations) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TranslationUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	change := translations.Change{ID: req.Param("resource_id"), Texts: body.Texts, Version: version}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := translations.Write(ctx, tx, req.Param("locale"), []translations.Change{change}); err != nil {
			return nil, err
		}
		return answerTranslation(ctx, req, tx)
	})
}

func (h *Translations) updateSeveral(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TranslationsUpdate](req)
	if err != nil {
		return nil, err
	}
	changes := make([]translations.Change, len(body.Translations))
	for i, t := range body.Translations {
		changes[i] = translations.Change{ID: t.ResourceID, Texts: t.Texts, Pointer: fmt.Sprintf("/translations/%d", i)}
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := translations.Write(ctx, tx, req.Param("locale"), changes); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
