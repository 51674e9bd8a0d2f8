// Package apitest puts the real front door before a test's handlers: the router with the
// whole contract, on a real store, with every answer held against the contract. Only who
// calls is made up: the test says so.
package apitest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// API is a front door for tests.
type API struct {
	Platform *testdb.Platform
	Router   *openapi.Router

	// Real is asked for credentials that the test did not make up; may be nil.
	Real openapi.Authenticator
	// Recorder is told of calls; may be nil.
	Recorder openapi.Recorder

	t       testing.TB
	mu      sync.Mutex
	callers map[string]tenants.Caller
}

// New opens the door before handlers; operations that they lack answer 501, which no
// contract allows.
func New(t testing.TB, handlers ...map[string]openapi.Handler) *API {
	t.Helper()
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return NewOf(t, doc, handlers...)
}

// Operations are those of the contract.
func Operations(t testing.TB) []*openapi.Operation {
	t.Helper()
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return operationsOf(t, doc)
}

func operationsOf(t testing.TB, doc *openapi3.T) []*openapi.Operation {
	t.Helper()
	operations, err := openapi.Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
	return operations
}

// NewOf is New with a contract that the test has changed.
func NewOf(t testing.TB, doc *openapi3.T, handlers ...map[string]openapi.Handler) *API {
	t.Helper()
	all := map[string]openapi.Handler{}
	for _, op := range operationsOf(t, doc) {
		all[op.ID] = func(context.Context, *openapi.Request) (*openapi.Response, error) {
			return &openapi.Response{Status: http.StatusNotImplemented}, nil
		}
	}
	for _, some := range handlers {
		for id, handler := range some {
			all[id] = handler
		}
	}
	enforcer, err := access.New()
	if err != nil {
		t.Fatal(err)
	}
	platform := testdb.Open(t)
	api := &API{Platform: platform, t: t, callers: map[string]tenants.Caller{}}
	cursorKey := make([]byte, 32)
	rand.Read(cursorKey)
	api.Router, err = openapi.New(openapi.Config{
		Contract: doc, Handlers: all,
		Authenticator: credentials{api}, Authorizer: enforcer, Limiter: unlimited{}, Observer: observer{t}, Recorder: api, Client: client{},
		Sealer: platform.Ring, CursorKey: cursorKey, SessionCookie: sessionCookie, MaxUpload: 32 << 20,
		Sample: func() bool { return true },
		Log:    slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

const sessionCookie = "__Host-stoa_session"

// sessionPrefix begins what Do sends as a session's cookie.
const sessionPrefix = "session_"

// Staff is a secret key of the context's store with every scope there is.
func (a *API) Staff(ctx context.Context) string { return a.Scoped(ctx, access.Scopes()...) }

// Owner is the session of an owner of the context's store.
func (a *API) Owner(ctx context.Context) string { return a.Session(ctx, access.Owner) }

// Session is the session of a member of the context's store with a built-in role.
func (a *API) Session(ctx context.Context, role string) string {
	return a.Key(sessionPrefix, ctx, principal.Principal{Kind: principal.Account, ID: ids.New("acc"), Label: role + "@example.com", Role: role})
}

// Scoped is a restricted key of the context's store with the given scopes.
func (a *API) Scoped(ctx context.Context, scopes ...string) string {
	return a.Key("stoa_rk_live_", ctx, principal.Principal{Kind: principal.Key, Grants: scopes})
}

// Publishable is a publishable key of the context's store.
func (a *API) Publishable(ctx context.Context) string {
	return a.Key("stoa_pk_live_", ctx, principal.Principal{Kind: principal.Publishable})
}

// Key makes a key with a prefix that stands for p, in the context's store if it has one.
func (a *API) Key(prefix string, ctx context.Context, p principal.Principal) string {
	key := prefix + ids.New("k")[2:]
	caller := tenants.Caller{Principal: p, APIVersion: "2026-11-22"}
	if caller.Principal.ID == "" {
		caller.Principal.ID, caller.Principal.Label = ids.New("key"), "test key"
	}
	if ref, ok := postgres.StoreFrom(ctx); ok {
		caller.Principal.StoreID, caller.Principal.Mode = ref.ID, ref.Mode
		caller.Principal.Plan = "scale"
		caller.Store = &tenants.Store{ID: ref.ID, Name: "Test Store", Address: "shop-" + ref.ID[len(ref.ID)-12:], Status: tenants.Active, Plan: "scale", Country: "DE", Currency: "EUR", Ref: ref}
	}
	a.SetCaller(key, caller)
	return key
}

// SetCaller has a key stand for a caller, in whatever state its store is.
func (a *API) SetCaller(key string, caller tenants.Caller) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.callers[key] = caller
}

// Caller is whom a key stands for.
func (a *API) Caller(key string) tenants.Caller {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.callers[key]
}

// Record implements openapi.Recorder.
func (a *API) Record(call requestlog.Call) {
	if a.Recorder != nil {
		a.Recorder.Record(call)
	}
}

// Answer is what the door answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	ID     string // of the request

	t testing.TB
}

// JSON is the body as an object.
func (a *Answer) JSON() map[string]any {
	a.t.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.Body, &object); err != nil {
		a.t.Fatalf("the answer is no JSON object: %v: %s", err, a.Body)
	}
	return object
}

// Get is the value at a path of the body: names and indices between dots, as in
// "variants.0.id"; nil when there is none.
func (a *Answer) Get(path string) any {
	a.t.Helper()
	var value any = a.JSON()
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// String is the text at a path of the body.
func (a *Answer) String(path string) string {
	a.t.Helper()
	s, ok := a.Get(path).(string)
	if !ok {
		a.t.Fatalf("%s is not a text in %s", path, a.Body)
	}
	return s
}

// Want fails the test when the status is another.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// WantProblem fails the test when the answer is not this problem.
func (a *Answer) WantProblem(status int, code string) *Answer {
	a.t.Helper()
	a.Want(status)
	if got := a.String("code"); got != code {
		a.t.Fatalf("code %q, want %q: %s", got, code, a.Body)
	}
	return a
}

// ChangesNothing, given to Do as a header, says that the write changes nothing and leaves
// nothing in the audit, where every other write leaves an entry.
const ChangesNothing = "Changes-Nothing: true"

// Do sends a request with a key ("" for none). Body is nil, a string or bytes that are
// sent as they are, or a value that becomes JSON. Headers are "Name: value".
func (a *API) Do(t testing.TB, key, method, path string, body any, headers ...string) *Answer {
	t.Helper()
	return a.DoContext(t, context.Background(), key, method, path, body, headers...)
}

// DoContext is Do within a context, for instance one that counts statements.
func (a *API) DoContext(t testing.TB, ctx context.Context, key, method, path string, body any, headers ...string) *Answer {
	t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	requestID := ids.New("req")
	ctx = context.WithValue(ctx, requestIDKey{}, requestID)
	r := httptest.NewRequestWithContext(ctx, method, path, reader)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	switch {
	case strings.HasPrefix(key, sessionPrefix):
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: key})
	case key != "":
		r.Header.Set("Authorization", "Bearer "+key)
	}
	changes := true
	for _, header := range headers {
		if header == ChangesNothing {
			changes = false
			continue
		}
		name, value, _ := strings.Cut(header, ":")
		r.Header.Set(name, strings.TrimSpace(value))
	}
	w := httptest.NewRecorder()
	a.Router.ServeHTTP(w, r)
	answer := &Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes(), ID: requestID, t: t}
	if method != http.MethodGet && method != http.MethodHead && answer.Status < 300 {
		a.audited(t, a.Caller(key).Store, method+" "+path, requestID, answer, changes)
	}
	return answer
}

// audited fails the test when a write left no entry in the audit of its store or of the
// platform, or left one though it changes nothing. What is answered from a record or
// undone again has none.
func (a *API) audited(t testing.TB, store *tenants.Store, what, requestID string, answer *Answer, changes bool) {
	t.Helper()
	if answer.Header.Get("Idempotent-Replayed") != "" || answer.Header.Get("Dry-Run") != "" {
		return
	}
	look := func(found *bool) func(context.Context, *postgres.Tx) error {
		return func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select exists (select from audit_entries where request_id = $1)`, requestID).Scan(found)
		}
	}
	var inControl, inStore bool
	err := a.Platform.DB.InControl(context.Background(), look(&inControl))
	if store != nil && err == nil && !inControl {
		err = a.Platform.DB.InStore(postgres.WithStore(context.Background(), store.Ref), look(&inStore))
	}
	if err != nil {
		t.Errorf("%s: look into the audit: %v", what, err)
	} else if (inControl || inStore) != changes {
		t.Errorf("%s was answered %d; there is an entry in the audit: %t, want %t: %.300s", what, answer.Status, !changes, changes, answer.Body)
	}
}

// credentials looks up all credentials among those that the test made.
type credentials struct{ api *API }

func (c credentials) Key(ctx context.Context, key string, origin tenants.Origin) (tenants.Caller, error) {
	if caller, ok := c.madeUp(key); ok || c.api.Real == nil {
		return caller, unknown(ok)
	}
	return c.api.Real.Key(ctx, key, origin)
}

func (c credentials) Session(ctx context.Context, token, storeID, mode string) (tenants.Caller, error) {
	if caller, ok := c.madeUp(token); ok || c.api.Real == nil {
		return caller, unknown(ok)
	}
	return c.api.Real.Session(ctx, token, storeID, mode)
}

func (c credentials) Operator(ctx context.Context, key string) (tenants.Caller, error) {
	if caller, ok := c.madeUp(key); ok || c.api.Real == nil {
		return caller, unknown(ok)
	}
	return c.api.Real.Operator(ctx, key)
}

func (c credentials) madeUp(key string) (tenants.Caller, bool) {
	c.api.mu.Lock()
	defer c.api.mu.Unlock()
	caller, ok := c.api.callers[key]
	return caller, ok
}

func unknown(ok bool) error {
	if ok {
		return nil
	}
	return problem.New(problem.Unauthenticated, "invalid_key", "There is no such key.")
}

type unlimited struct{}

func (unlimited) Take(context.Context, *openapi.Request, http.Header) error { return nil }

type client struct{}

type requestIDKey struct{}

func (client) RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func (client) IP(ctx context.Context) string {
	if ip, ok := ctx.Value(clientKey{}).(string); ok {
		return ip
	}
	return "192.0.2.1"
}

type clientKey struct{}

// From has a request, sent by DoContext, come from another client's address.
func From(ctx context.Context, ip string) context.Context {
	return context.WithValue(ctx, clientKey{}, ip)
}

type observer struct{ t testing.TB }

func (observer) Answered(context.Context, *openapi.Request, int) {}

func (o observer) Checked(_ context.Context, op *openapi.Operation, status int, err error) {
	if err == nil {
		return
	}
	o.t.Errorf("%s answered %d other than the contract says: %v", op.ID, status, err)
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	fmt.Fprintf(os.Stderr, "%s: %s", w.t.Name(), p)
	return len(p), nil
}
