package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
)

// stateless are the writes of the staff that leave no state before or none after, and why.
var stateless = map[string]string{
	"deleteCustomer": "of a person who is deleted nothing is kept",
	"signOut":        "a session says nothing", "revokeSession": "a session says nothing",
}

// entry is what the audit says of a write.
type entry struct {
	RequestID string `json:"request_id"`
	Action    string `json:"action"`
	ActorKind string `json:"actor_kind"`
	ActorID   string `json:"actor_id"`
	SessionID string `json:"session_id"`
	UserAgent string `json:"user_agent"`
	IP        string `json:"ip"`
	Before    bool   `json:"before"`
	After     bool   `json:"after"`
}

// changesNothing are the writes that may have nothing to tell: a call tried again, a mail looked
// at, and an invoice that a job may have issued already.
var changesNothing = []string{"replayRequest", "previewMailTemplate", "previewTheme", "issueInvoice"}

// audited holds that each write of the staff and their keys left an entry that says who did
// what, from where, and with which states: a change both, a creation one after, a deletion one
// before.
func (w *witness) audited(t *testing.T, p *apptest.Program) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	for _, schema := range append(apptest.Query[string](p, `select nspname::text from pg_namespace where nspname ~ '^s_[0-9]+$'`), "public") {
		parts = append(parts, fmt.Sprintf(`select json_build_object('request_id', request_id, 'action', action, 'actor_kind', actor_kind, 'actor_id', actor_id, 'session_id', session_id,
			'user_agent', user_agent, 'ip', ip, 'before', coalesce(jsonb_typeof(before) = 'object', false), 'after', coalesce(jsonb_typeof(after) = 'object', false))::text from %q.audit_entries`, schema))
	}
	told := map[string][]entry{}
	for _, raw := range apptest.Query[string](p, strings.Join(parts, " union all ")) {
		var e entry
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			t.Fatal(err)
		}
		told[e.RequestID] = append(told[e.RequestID], e)
	}
	for id, requests := range w.seen {
		op := w.operations[id]
		if op.Spec.Extensions["x-permission"] == "none" {
			continue // of shoppers, and of who is not in a store
		}
		var all []entry
		for _, request := range requests {
			all = append(all, told[request]...)
		}
		stated := func(before, after bool) bool {
			return slices.ContainsFunc(all, func(e entry) bool { return (e.Before || !before) && (e.After || !after) })
		}
		switch {
		case len(all) == 0:
			if !slices.Contains(changesNothing, id) {
				t.Errorf("%s left no entry in the audit", id)
			}
		case stateless[id] != "":
		case op.Method == http.MethodPatch && !stated(true, true), op.Method == http.MethodDelete && !stated(true, false),
			op.Method == http.MethodPost && strings.HasPrefix(id, "create") && !stated(false, true):
			t.Errorf("%s left no state: %+v", id, all)
		}
		for _, e := range all {
			staff := e.ActorKind == "account" || e.ActorKind == "key" || e.ActorKind == "operator"
			if e.Action == "" || staff && (e.ActorID == "" || e.IP == "" || e.UserAgent == "") || e.ActorKind == "account" && e.SessionID == "" {
				t.Errorf("%s does not say who it was, and from where: %+v", id, e)
			}
		}
	}
}
