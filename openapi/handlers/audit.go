package handlers

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// Audit answers for who did what, takes it back, and tells what things were like.
type Audit struct {
	DB     *postgres.DB
	Log    *audit.Log
	Orders *orders.Service
	Carts  *cart.Service

	Restores Restores
}

// Operations are the handlers by operationId.
func (h *Audit) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listAuditEntries": h.list,
		"getAuditEntry":    h.get,
		"undoAuditEntry":   h.undo,
		"getAuditRecord":   h.asOf,
	}
}

func (h *Audit) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	filter := audit.Filter{
		ActorID: q.Get("actor_id"), Action: q.Get("action"), ObjectID: q.Get("resource_id"), RequestID: q.Get("request_id"),
		After: after, Limit: req.Limit(adminPage) + 1,
	}
	// The contract has seen to the form of instants; a missing one is the zero time.
	filter.Since, _ = time.Parse(time.RFC3339Nano, q.Get("since"))
	filter.Until, _ = time.Parse(time.RFC3339Nano, q.Get("until"))
	list, err := h.Log.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	list, next := page(list, req.Limit(adminPage), func(e audit.Entry) string { return e.ID })
	return openapi.List(req, converted(list, h.entry(req.Caller.Principal.Mode)), next)
}

func (h *Audit) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	entry, err := h.Log.Get(ctx, req.Param("audit_entry_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(h.entry(req.Caller.Principal.Mode)(entry)), nil
}

func (h *Audit) entry(mode principal.Mode) func(audit.Entry) gen.AuditEntry {
	return func(e audit.Entry) gen.AuditEntry {
		shown := gen.AuditEntry{
			ID: e.ID, At: e.At.UTC(), Actor: actor(e.Actor), Action: e.Action, ResourceID: orNil(e.ObjectID), Mode: gen.Mode(mode),
			Before: object(e.Before), After: object(e.After), Reason: orNil(e.Reason), RequestID: orNil(e.RequestID), IP: orNil(e.IP), SessionID: orNil(e.SessionID), UserAgent: orNil(e.UserAgent),
			Undoable: h.undoable(e), Undoes: orNil(e.Undoes), UndoneBy: orNil(e.UndoneBy),
		}
		if kind, _, isID := strings.Cut(e.ObjectID, "_"); isID {
			shown.ResourceKind = &kind
		}
		return shown
	}
}

// object is a state of a thing as the contract shows it: null, or an object.
func object(state json.RawMessage) json.RawMessage {
	switch {
	case len(state) == 0, string(state) == "null":
		return json.RawMessage("null")
	case state[0] == '{':
		return state
	default:
		return json.RawMessage(`{"value":` + string(state) + `}`)
	}
}
