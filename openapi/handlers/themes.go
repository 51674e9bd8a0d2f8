package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Themes answers the operations on how a shop looks, and on its menus.
type Themes struct {
	DB *postgres.DB
	// Preview is the address that shows the context's shop as the draft has it, until an instant.
	Preview func(ctx context.Context, until time.Time) (string, error)
}

// previewLife is how long a link to a preview works.
const previewLife = time.Hour

// Operations are the handlers by operationId.
func (h *Themes) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listThemes":   h.list,
		"getTheme":     h.get,
		"updateTheme":  h.update,
		"publishTheme": h.step(themes.Publish),
		"discardTheme": h.step(themes.Discard),
		"previewTheme": h.preview,
		"listMenus":    h.menus,
		"getMenu":      h.menu,
		"updateMenu":   h.updateMenu,
	}
}

func (h *Themes) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	list, err := themes.List(ctx, h.DB)
	if err != nil {
		return nil, err
	}
	return pageOf(req, list, func(t themes.Theme) string { return string(t.Name) })
}

// pageOf answers a page of a list that is whole.
func pageOf[T any](req *openapi.Request, list []T, name func(T) string) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		if name(item) == after {
			list = list[i+1:]
			break
		}
	}
	list, next := page(list, req.Limit(adminPage), name)
	return openapi.List(req, list, next)
}

func (h *Themes) get(ctx context.Context, _ *openapi.Request) (*openapi.Response, error) {
	return answerTheme(ctx, h.DB)
}

// answerTheme shows the theme as it is now.
func answerTheme(ctx context.Context, from postgres.Source) (*openapi.Response, error) {
	theme, err := themes.Read(ctx, from)
	if err != nil {
		return nil, err
	}
	return openapi.OK(theme).Tagged(theme.Version), nil
}

func (h *Themes) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.write(ctx, req, func(ctx context.Context, tx *postgres.Tx, version int) error {
		return themes.Update(ctx, tx, version, req.Body)
	})
}

func (h *Themes) step(take func(context.Context, *postgres.Tx, int) error) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		return h.write(ctx, req, take)
	}
}

func (h *Themes) write(ctx context.Context, req *openapi.Request, change func(context.Context, *postgres.Tx, int) error) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := change(ctx, tx, version); err != nil {
			return nil, err
		}
		return answerTheme(ctx, tx)
	})
}

func (h *Themes) preview(ctx context.Context, _ *openapi.Request) (*openapi.Response, error) {
	until := time.Now().UTC().Add(previewLife).Truncate(time.Second)
	url, err := h.Preview(ctx, until)
	if err != nil {
		return nil, err
	}
	return &openapi.Response{Status: http.StatusCreated, Body: gen.ThemePreview{URL: url, ExpiresAt: until}}, nil
}

func (h *Themes) menus(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	list, err := themes.ReadMenus(ctx, h.DB)
	if err != nil {
		return nil, err
	}
	return pageOf(req, list, func(m themes.ShownMenu) string { return m.Name })
}

func (h *Themes) menu(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerMenu(ctx, h.DB, req.Param("menu"))
}

// answerMenu shows a menu as it is now.
func answerMenu(ctx context.Context, from postgres.Source, name string) (*openapi.Response, error) {
	menu, err := themes.ReadMenu(ctx, from, name)
	if err != nil {
		return nil, err
	}
	return openapi.OK(menu).Tagged(menu.Version), nil
}

func (h *Themes) updateMenu(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := themes.UpdateMenu(ctx, tx, req.Param("menu"), version, req.Body); err != nil {
			return nil, err
		}
		return answerMenu(ctx, tx, req.Param("menu"))
	})
}
