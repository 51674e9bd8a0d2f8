package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// step is an operation that takes a change back, or a part of it.
type step struct {
	openapi.Question
	patch any                                       // its body as the answer tells it; nil for none
	check func(context.Context, *postgres.Tx) error // that nothing has changed since; nil where IfMatch holds it
}

// undo takes back what an entry tells of, by the operations that its caller could have asked
// for. What there is now is read first; the changes go by the version that it had, so that
// nothing slips in between.
func (h *Audit) undo(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	entry, err := h.Log.Get(ctx, req.Param("audit_entry_id"))
	if err != nil {
		return nil, err
	}
	ctx = journal.Undoing(ctx, entry.ID)
	kind, _, _ := strings.Cut(entry.Action, ".")
	shown := gen.AuditUndo{Undoes: entry.ID, ResourceKind: kind, ResourceID: orNil(entry.ObjectID), Patch: json.RawMessage("null")}
	if !h.undoable(entry) {
		return nil, problem.New(problem.Conflict, "not_undoable", "What %s did cannot be undone.", entry.Action)
	}
	if h.Restores[entry.Action] != nil {
		return h.restore(ctx, req, entry, shown)
	}
	steps, err := h.inverse(ctx, req, entry)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		for _, s := range steps {
			if s.check != nil {
				if err := s.check(ctx, tx); err != nil {
					return nil, err
				}
			}
			answer, err := req.Ask(ctx, tx, s.Question)
			if problem.Is(err, "stale") || problem.Is(err, "not_found") {
				return nil, since()
			}
			if err != nil {
				return nil, err
			}
			shown.Operation = &s.Operation
			if s.patch != nil {
				if shown.Patch, err = json.Marshal(s.patch); err != nil {
					return nil, err
				}
			}
			if s.Operation == "undoOperation" {
				body, err := answer.JSON()
				var begun struct{ ID string }
				if err == nil {
					err = json.Unmarshal(body, &begun)
				}
				if err != nil {
					return nil, fmt.Errorf("read the operation that undoes %s: %w", entry.ID, err)
				}
				shown.OperationID = &begun.ID
			}
		}
		return openapi.OK(shown), nil
	})
}

// undoable says whether the change that an entry tells of can be undone, unless something has
// changed since.
func (h *Audit) undoable(e audit.Entry) bool {
	if !e.Store {
		return false
	}
	if h.Restores[e.Action] != nil {
		return e.Kept
	}
	if inverses[e.Action] != nil {
		fewEnough := !strings.Contains(string(e.After), `"prices": null`) // at once, for the operation that sets them
		return whole(e.After) && fewEnough && (len(e.Before) == 0 || whole(e.Before))
	}
	r, verb, known := recordOf(e.Action)
	switch {
	case strings.HasPrefix(e.ObjectID, "op_"):
		return verb == "create"
	case !known, r.past:
		return false
	case verb == "update":
		return r.update != "" && whole(e.Before) && whole(e.After)
	case verb == "create", verb == "restore":
		return r.delete != "" && whole(e.After)
	}
	return false
}

// whole says whether a state was kept, and not its size alone.
func whole(state json.RawMessage) bool {
	return len(state) > 0 && state[0] == '{' && !strings.HasPrefix(string(state), `{"omitted_bytes"`)
}

// inverse are the operations that take back what an entry tells of. When something has
// changed since, that is its error.
func (h *Audit) inverse(ctx context.Context, req *openapi.Request, e audit.Entry) ([]step, error) {
	if special := inverses[e.Action]; special != nil {
		return special(ctx, req, e)
	}
	if strings.HasPrefix(e.ObjectID, "op_") {
		return []step{{Question: openapi.Question{Operation: "undoOperation", Params: map[string]string{"operation_id": e.ObjectID}}}}, nil
	}
	r, verb, _ := recordOf(e.Action)
	before, err := readState(e.Before)
	if err != nil {
		return nil, err
	}
	after, err := readState(e.After)
	if err != nil {
		return nil, err
	}
	q := openapi.Question{Operation: r.update, Params: r.params(req.Contract(r.update), e.ObjectID, after)}
	now, tag, err := r.read(ctx, req, e.ObjectID, after)
	if problem.Is(err, "not_found") {
		return nil, since().At("", "changed_since", "It was deleted.")
	}
	if err != nil {
		return nil, err
	}
	if versioned(req.Contract(r.update)) {
		q.IfMatch = tag
	}
	schema := updateOf(req.Contract(r.update))
	changed := differing(schema, before, after)
	if verb != "update" {
		changed = properties(schema, after)
	}
	wrong, patch := since(), state{}
	for _, p := range changed {
		if slices.Contains(r.except, p.name) && verb == "update" {
			return nil, problem.New(problem.Conflict, "not_undoable", "What changed %s cannot be undone.", p.name)
		}
		if _, told := after[p.name]; verb != "update" && p.name == "position" || verb == "restore" && !told {
			continue // others that came since have moved it; or the entry does not tell of it
		}
		if is := p.in(now); !p.same(is, p.in(after)) {
			conflict(wrong, p, p.in(after), is)
		}
		if p.key == "" {
			patch[p.name] = p.given(p.in(before), p.in(after))
			continue
		}
		if patch[p.name] == nil {
			patch[p.name] = map[string]any{}
		}
		patch[p.name].(map[string]any)[p.key] = p.given(p.in(before), p.in(after))
	}
	if err := wrong.OrNil(); err != nil {
		return nil, err
	}
	if verb != "update" {
		q.Operation = r.delete
		return []step{{Question: q}}, nil
	}
	if len(patch) == 0 {
		return nil, problem.New(problem.Conflict, "not_undoable", "What %s changed cannot be set again.", e.Action)
	}
	q.Body = patch
	return []step{{Question: q, patch: patch}}, nil
}

// read asks for a thing as it is now, and for its ETag.
func (r record) read(ctx context.Context, req *openapi.Request, id string, known state) (state, string, error) {
	answer, err := req.Ask(ctx, nil, openapi.Question{Operation: r.get, Params: r.params(req.Contract(r.get), id, known)})
	if err != nil {
		return nil, "", err
	}
	body, err := answer.JSON()
	if err != nil {
		return nil, "", err
	}
	now, err := readState(body)
	if err == nil && r.shown != nil {
		if now = r.shown(now, id); now == nil {
			err = problem.Missing(r.kind)
		}
	}
	return now, answer.ETag(), err
}

// params are the parameters of an operation's path: what the state tells of them, and the
// thing's ID.
func (r record) params(op *openapi.Operation, id string, known state) map[string]string {
	params := map[string]string{}
	for part := range strings.SplitSeq(op.Path, "/") {
		name, isParam := strings.CutPrefix(part, "{")
		if !isParam {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		params[name] = id
		if value, ok := known[name].(string); ok {
			params[name] = value
		}
	}
	return params
}

// updateOf is the schema of an update's body.
func updateOf(op *openapi.Operation) *openapi3.Schema {
	return op.Spec.RequestBody.Value.Content["application/json"].Schema.Value
}

// versioned says whether an operation can say which version it is meant for.
func versioned(op *openapi.Operation) bool {
	return op.Spec.Parameters.GetByInAndName("header", "If-Match") != nil
}
