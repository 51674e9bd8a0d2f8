package handlers

import (
	"context"
	"encoding/json"

	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

func (h *Operator) differences(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	limit := req.Limit(adminPage)
	var list []reconciliation.Kept
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		looked(ctx, tx, "differences.list", req.Query.Get("store_id"), req.HTTP.URL.RawQuery)
		list, err = reconciliation.List(ctx, tx, reconciliation.Filter{
			StoreID: req.Query.Get("store_id"), Kind: req.Query.Get("kind"), After: after, Limit: limit + 1,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	list, next := page(list, limit, reconciliation.Kept.Position)
	shown := make([]gen.Difference, len(list))
	for i, d := range list {
		detail, err := json.Marshal(d.Detail)
		if err != nil {
			return nil, err
		}
		shown[i] = gen.Difference{
			StoreID: d.StoreID, Mode: gen.Mode(d.Mode), Kind: gen.DifferenceKind(d.Kind), ObjectID: d.ObjectID, Detail: string(detail),
			FoundAt: d.FoundAt.UTC(), SeenAt: d.SeenAt.UTC(),
		}
	}
	return openapi.List(req, shown, next)
}

func (h *Operator) reconcile(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OperatorReason](req)
	if err != nil {
		return nil, err
	}
	store, err := h.Stores.ByID(ctx, req.Param("store_id"), principal.Live)
	if err != nil {
		return nil, err
	}
	found, err := h.Books.One(ctx, store.Ref)
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		reconciliation.Audited(ctx, tx, store.Ref, len(found), body.Reason)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.Reconciliation{Differences: len(found)}), nil
}
