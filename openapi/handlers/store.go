package handlers

import (
	"context"
	"io"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Store answers the operations on the caller's own store.
type Store struct {
	DB      *postgres.DB
	Stores  *stores.Service
	ShopURL ShopURL
}

// Operations are the handlers by operationId.
func (h *Store) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"getStore":     h.get,
		"updateStore":  h.update,
		"deleteStore":  h.delete,
		"restoreStore": h.restore,
		"exportStore":  h.export,
	}
}

func (h *Store) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	rec, err := h.Stores.Get(ctx, req.Caller.Store.ID)
	if err != nil {
		return nil, err
	}
	settings, err := h.settings(ctx, req)
	if err != nil {
		return nil, err
	}
	return openapi.OK(h.store(req, rec, settings)).Tagged(settings.Version), nil
}

func (h *Store) settings(ctx context.Context, req *openapi.Request) (stores.Settings, error) {
	if req.Caller.Store.Ref.Schema == 0 {
		// A deleted store whose sandbox was never used: there is only the live side to show.
		live, err := h.Stores.ByID(ctx, req.Caller.Store.ID, principal.Live)
		if err != nil {
			return stores.Settings{}, err
		}
		ctx = postgres.WithStore(ctx, live.Ref)
	}
	var settings stores.Settings
	err := h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		settings, err = h.Stores.Settings(ctx, tx)
		return err
	})
	return settings, err
}

func (h *Store) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.StoreUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	rec, err := h.Stores.Get(ctx, req.Caller.Store.ID)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		settings, err := h.Stores.ChangeSettings(ctx, tx, stores.SettingsChange{
			Name: body.Name, Description: emptied(body.Description), ContactEmail: emptied(body.ContactEmail),
			Country: body.Country, Locale: body.Locale, Locales: storeLocales(body.Locales), Currency: body.Currency, Currencies: body.Currencies,
			AccentColor: body.AccentColor, TimeZone: body.TimeZone, PricesIncludeTax: body.PricesIncludeTax, IfVersion: version,
		})
		if err != nil {
			return nil, err
		}
		return openapi.OK(h.store(req, rec, settings)).Tagged(settings.Version), nil
	})
}

// storeLocales are the locales of a change; nil where it says nothing of them.
func storeLocales(list []gen.StoreLocale) []stores.Locale {
	if list == nil {
		return nil
	}
	return converted(list, func(l gen.StoreLocale) stores.Locale { return stores.Locale(l) })
}

// delete reads the settings first: afterwards the store is shown as it was, though it is
// not there for anyone any more.
func (h *Store) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	if req.Query.Get("confirm") != req.Caller.Store.Address {
		return nil, problem.New(problem.Unprocessable, "confirmation_mismatch", "This is not the address of the store.").
			At("?confirm", "confirmation_mismatch", "Repeat the store's address.")
	}
	return h.step(ctx, req, h.Stores.Delete)
}

func (h *Store) restore(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.step(ctx, req, h.Stores.Restore)
}

// step takes the store one step through its life, for which its owner owes no reason.
func (h *Store) step(ctx context.Context, req *openapi.Request, take func(ctx context.Context, tx *postgres.Tx, id, reason string) (stores.Record, error)) (*openapi.Response, error) {
	settings, err := h.settings(ctx, req)
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		rec, err := take(ctx, tx, req.Caller.Store.ID, "")
		if err != nil {
			return nil, err
		}
		return openapi.OK(h.store(req, rec, settings)), nil
	})
}

func (h *Store) export(ctx context.Context, _ *openapi.Request) (*openapi.Response, error) {
	if err := h.Stores.CanExport(); err != nil {
		return nil, err
	}
	res := openapi.OK(nil).With("Content-Type", "application/x-ndjson")
	res.Stream = func(w io.Writer) error { return h.Stores.Export(ctx, w) }
	return res, nil
}

func (h *Store) store(req *openapi.Request, rec stores.Record, s stores.Settings) gen.Store {
	return shownStore(h.ShopURL(req.Caller.Store), req.Caller.Principal.Mode, rec, s)
}

func shownStore(shopURL string, mode principal.Mode, rec stores.Record, s stores.Settings) gen.Store {
	updated := s.UpdatedAt
	if updated.Before(rec.CreatedAt) { // a store is furnished before it is entered
		updated = rec.CreatedAt
	}
	return gen.Store{
		ID: rec.ID, Name: s.Name, Address: rec.Address, State: gen.StoreState(rec.Status), Mode: gen.Mode(mode),
		Description: orNil(s.Description), ContactEmail: orNil(s.ContactEmail), Country: s.Country, Locale: s.Locale,
		Locales:  converted(s.Locales, func(l stores.Locale) gen.StoreLocale { return gen.StoreLocale(l) }),
		Currency: s.Currency, Currencies: s.Currencies, PricesIncludeTax: s.PricesIncludeTax, AccentColor: s.AccentColor, TimeZone: s.TimeZone,
		ShopURL: shopURL, Plan: gen.PlanID(rec.Plan), CreatedAt: rec.CreatedAt, UpdatedAt: updated,
		SuspendedAt: rec.SuspendedAt, SuspensionReason: orNil(rec.SuspensionReason), DeletedAt: rec.DeletedAt, PurgeAfter: rec.PurgeAfter,
	}
}
