package handlers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// Restore takes back what an entry of the audit tells of from what was kept with it: what was
// deleted comes back with its ID, from its rows.
type Restore func(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error

// Restores are those of the actions that no operation of the contract takes back.
type Restores map[string]Restore

// restore takes back what an entry tells of from what was kept with it. Who may make such a
// thing may, or who may change it where none is made.
func (h *Audit) restore(ctx context.Context, req *openapi.Request, e audit.Entry, shown gen.AuditUndo) (*openapi.Response, error) {
	r, _, _ := recordOf(e.Action)
	if err := req.Allow(cmp.Or(r.create, r.update)); err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		_, kept, err := audit.Take(ctx, tx, e.ID)
		if err != nil {
			return nil, err
		}
		if kept == nil {
			return nil, since().At("", "changed_since", "It was taken back already.")
		}
		if err := h.Restores[e.Action](ctx, tx, e.ObjectID, kept); err != nil {
			return nil, hindered(e.ObjectID, err)
		}
		return openapi.OK(shown), nil
	})
}

// hindered is the error of what cannot be brought back, as something has taken its place or
// something that it needs is gone.
func hindered(id string, err error) error {
	var refused *pgconn.PgError
	if problem.Is(err, "not_found") || errors.As(err, &refused) && (refused.Code == "23505" || refused.Code == "23503") {
		return since().At("", "changed_since", "Something that it needs is gone, or something else is in its place by now.").Because(err)
	}
	return fmt.Errorf("bring %s back: %w", id, err)
}
