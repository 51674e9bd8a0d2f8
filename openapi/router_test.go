package openapi_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

func TestTheDoorRefusesBeforeTheHandler(t *testing.T) {
	var called atomic.Int64
	api := apitest.New(t, map[string]openapi.Handler{
		"createCategory": func(_ context.Context, req *openapi.Request) (*openapi.Response, error) {
			if _, err := openapi.Decode[struct {
				Position *int `json:"position"`
			}](req); err != nil {
				return nil, err
			}
			called.Add(1)
			return nil, problem.New(problem.Unprocessable, "test", "reached")
		},
	})
	ctx := api.Platform.Store(t)
	staff, reader, shopper := api.Staff(ctx), api.Scoped(ctx, "products:read"), api.Publishable(ctx)
	post := func(key string, body any, headers ...string) *apitest.Answer {
		return api.Do(t, key, "POST", "/v1/categories", body, headers...)
	}
	good := map[string]any{"name": "Shirts"}
	post("", good).WantProblem(401, "missing_credential")
	post("stoa_sk_live_unknown", good).WantProblem(401, "invalid_key")
	post("nonsense", good).WantProblem(401, "invalid_key")
	post(shopper, good).WantProblem(403, "wrong_credential")
	forbidden := post(reader, good).WantProblem(403, "missing_permission")
	if forbidden.String("required_permission") != "products:write" {
		t.Errorf("the refusal does not name the permission: %s", forbidden.Body)
	}
	post(staff, good, "Content-Type: text/plain").WantProblem(415, "unsupported_media_type")
	post(staff, `{"name":`).WantProblem(400, "invalid_request")
	post(staff, "{\"name\":\"a\xff\"}").WantProblem(400, "invalid_request")
	post(staff, `{"name":"a\u0000"}`).WantProblem(400, "invalid_request")
	post(staff, strings.Repeat(" ", 1<<20+1)).WantProblem(413, "body_too_large")
	several := api.Do(t, staff, "POST", "/v1/categories?unknown=1&dry_run=perhaps", `{"name":7,"un/known":1,"position":"x"}`).WantProblem(400, "invalid_request")
	wantFaults(t, several, map[string]string{
		"?unknown": "unknown_parameter: createCategory has no query parameter of this name.", "?dry_run": "type: It must be true or false.",
		"/name": "type: It must be a string.", "/un~1known": "unknown_field: There is no field of this name.", "/position": "type: It must be an integer.",
	})
	wantFaults(t, post(staff, `{"position":-1,"handle":"A B"}`), map[string]string{
		"/name": "required: It is required and missing.", "/position": "minimum: It must be at least 0.",
		"/handle": "pattern: It does not match the pattern ^[a-z0-9]+(-[a-z0-9]+)*$",
	})
	wantFaults(t, post(staff, `{"name":null}`), map[string]string{"/name": "nullable: It may not be null."})
	wantFaults(t, post(staff, `{"name":"a"} b`).WantProblem(400, "invalid_body"), map[string]string{"": "syntax: The body is not JSON: invalid character 'b' after top-level value"})
	wantFaults(t, post(staff, `{"name":"a","position":1e3}`).WantProblem(400, "invalid_body"), map[string]string{"/position": "type: A number 1e3 cannot stand here."})
	wantFaults(t, post(staff, `{"name":`), map[string]string{"": "syntax: The body is not JSON: unexpected EOF"})
	api.Do(t, staff, "POST", "/v1/categories?unknown=1", good).WantProblem(400, "invalid_request")
	if called.Load() != 0 {
		t.Fatal("the handler was called")
	}
	post(staff, good).WantProblem(422, "test")
	post(staff, `{"name":"a\\u0000"}`).WantProblem(422, "test")

	if got := api.Do(t, staff, "PUT", "/v1/categories", good).Want(405); got.Header.Get("Allow") != "GET, POST" {
		t.Errorf("Allow: %q", got.Header.Get("Allow"))
	}
	api.Do(t, staff, "GET", "/v1/nowhere", nil).Want(404)
	api.Do(t, staff, "GET", "/v1/categories/prod_01jd3v7m2kf8r9e0abcdefghjk", nil).WantProblem(404, "not_found")
	api.Do(t, staff, "GET", "/v1/categories/%00", nil).WantProblem(404, "not_found")
}

// wantFaults holds an answer to name these faults and no others, by pointer.
func wantFaults(t *testing.T, got *apitest.Answer, want map[string]string) {
	t.Helper()
	faults, _ := got.Get("errors").([]any)
	named := map[string]string{}
	for _, each := range faults {
		fault, _ := each.(map[string]any)
		named[fmt.Sprint(fault["pointer"])] = fmt.Sprintf("%s: %s", fault["code"], fault["detail"])
	}
	if !maps.Equal(named, want) || len(faults) != len(want) {
		t.Errorf("the faults are %q, want %q", named, want)
	}
}

// TestAWordComesBeforeAParameter holds that /v1/invitations/accept is not taken for an
// invitation of that name.
func TestAWordComesBeforeAParameter(t *testing.T) {
	api := apitest.New(t)
	operations := apitest.Operations(t)
	for _, op := range operations {
		if !strings.Contains(op.Path, "{") && !op.Takes("none") {
			api.Do(t, "", op.Method, op.Path, nil).WantProblem(401, "missing_credential")
		}
	}
	api.Do(t, "", "POST", "/v1/invitations/accept", map[string]any{}).WantProblem(400, "invalid_request")
}

func TestAnAnswerIsRecordedWithItsEffect(t *testing.T) {
	var runs atomic.Int64
	var db *postgres.DB
	api := apitest.New(t, map[string]openapi.Handler{
		"createCategory": func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
			return openapi.Write(ctx, req, db, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
				runs.Add(1)
				_, err := tx.Exec(ctx, `insert into categories (id, path, name, handle) values ('cat_1', 'cat_1/', 'x', 'x')`)
				return &openapi.Response{Status: http.StatusConflict, Body: map[string]any{
					"type": "about:blank", "title": "Conflict", "status": 409, "code": "made", "request_id": "req_1"},
					Header: http.Header{"Content-Type": {"application/problem+json"}}}, err
			})
		},
	})
	db = api.Platform.DB
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	post := func(body any, headers ...string) *apitest.Answer {
		return api.Do(t, key, "POST", "/v1/categories", body, headers...)
	}
	first := post(map[string]any{"name": "Shirts"}, "Idempotency-Key: one").Want(409)
	again := post(map[string]any{"name": "Shirts"}, `Idempotency-Key: "one"`).Want(409)
	if again.Header.Get("Idempotent-Replayed") != "true" || string(first.Body) != string(again.Body) || runs.Load() != 1 {
		t.Fatalf("not replayed: %v %s, %d runs", again.Header, again.Body, runs.Load())
	}
	post(map[string]any{"name": "Trousers"}, "Idempotency-Key: one").WantProblem(422, "idempotency_key_reused")
	// The insert fails now: nothing is recorded, and the next try runs anew.
	post(map[string]any{"name": "Shirts"}, "Idempotency-Key: two").Want(500)
	post(map[string]any{"name": "Shirts"}, "Idempotency-Key: two").Want(500)
	if runs.Load() != 3 {
		t.Fatalf("%d runs, want 3", runs.Load())
	}
}

func TestTheContractAndItsHandlersAreWhole(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	operations, err := openapi.Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]openapi.Handler{}
	for _, op := range operations {
		all[op.ID] = func(context.Context, *openapi.Request) (*openapi.Response, error) { return openapi.NoContent(), nil }
	}
	if _, err := openapi.New(openapi.Config{Contract: doc, Handlers: all}); err != nil {
		t.Fatal(err)
	}
	all["fly"] = all["signUp"]
	delete(all, "signUp")
	delete(all, "listOrders")
	_, err = openapi.New(openapi.Config{Contract: doc, Handlers: all})
	if err == nil || err.Error() != "handler fly has no operation; operation listOrders has no handler; operation signUp has no handler" {
		t.Errorf("a door that lacks something: %v", err)
	}
}

// TestEveryOperationSaysWhatTheRouterReads takes each x- field away in turn: such a
// contract opens no door.
func TestEveryOperationSaysWhatTheRouterReads(t *testing.T) {
	for name, change := range map[string]func(op *openapi3.Operation){
		"x-permission":  func(op *openapi3.Operation) { delete(op.Extensions, "x-permission") },
		"x-credentials": func(op *openapi3.Operation) { delete(op.Extensions, "x-credentials") },
		"x-limit":       func(op *openapi3.Operation) { delete(op.Extensions, "x-limit") },
		"x-resource":    func(op *openapi3.Operation) { delete(op.Extensions, "x-resource") },
		"x-deprecated-at": func(op *openapi3.Operation) {
			op.Deprecated = true
		},
		"x-sunset": func(op *openapi3.Operation) { op.Extensions["x-sunset"] = "next year" },
	} {
		doc, err := contract.Parse()
		if err != nil {
			t.Fatal(err)
		}
		change(doc.Paths.Value("/v1/orders").Get)
		if _, err := openapi.Operations(doc); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVersionsAndTheirEnd(t *testing.T) {
	doc, err := contract.Parse()
	if err != nil {
		t.Fatal(err)
	}
	get := doc.Paths.Value("/v1/categories").Get
	get.Deprecated = true
	get.Extensions["x-deprecated-at"], get.Extensions["x-sunset"] = "2026-12-01T00:00:00Z", "2027-06-01T00:00:00Z"
	api := apitest.NewOf(t, doc, map[string]openapi.Handler{
		"listCategories": func(_ context.Context, req *openapi.Request) (*openapi.Response, error) {
			return openapi.List(req, []string{}, "")
		},
		"listPlans": func(_ context.Context, req *openapi.Request) (*openapi.Response, error) {
			return openapi.List(req, []string{}, "")
		},
	})
	key := api.Staff(api.Platform.Store(t))
	pinned := api.Caller(key)
	pinned.APIVersion = "2026-01-01"
	api.SetCaller(key, pinned)
	going := api.Do(t, key, "GET", "/v1/categories", nil).Want(200)
	for header, want := range map[string]string{"Api-Version": "2026-01-01", "Deprecation": "@1796083200", "Sunset": "Tue, 01 Jun 2027 00:00:00 GMT"} {
		if got := going.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	staying := api.Do(t, "", "GET", "/v1/plans", nil).Want(200)
	if staying.Header.Get("Api-Version") != doc.Info.Version || staying.Header.Get("Deprecation")+staying.Header.Get("Sunset") != "" {
		t.Errorf("an operation that stays: %v", staying.Header)
	}
}

func TestStoresStatesOverTheDoor(t *testing.T) {
	reached := func(context.Context, *openapi.Request) (*openapi.Response, error) {
		return nil, problem.New(problem.Unprocessable, "test", "reached")
	}
	api := apitest.New(t, map[string]openapi.Handler{"restoreStore": reached, "deleteStore": reached, "signOut": reached})
	ctx := api.Platform.Store(t)
	owner, shopper := api.Owner(ctx), api.Publishable(ctx)
	in := func(state tenants.Status) {
		for _, key := range []string{owner, shopper} {
			caller := api.Caller(key)
			changed := *caller.Store
			changed.Status = state
			caller.Store = &changed
			api.SetCaller(key, caller)
		}
	}
	for _, c := range []struct {
		state        tenants.Status
		key          string
		method, path string
		status       int
		code         string
	}{
		{tenants.Suspended, shopper, "GET", "/v1/shop", 403, "store_suspended"},
		{tenants.Suspended, shopper, "GET", "/v1/shop/products", 403, "store_suspended"},
		{tenants.Suspended, owner, "POST", "/v1/products", 403, "store_suspended"},
		{tenants.Suspended, owner, "PATCH", "/v1/store", 403, "store_suspended"},
		{tenants.Suspended, owner, "POST", "/v1/store/restore", 403, "store_suspended"},
		{tenants.Deleted, shopper, "GET", "/v1/shop", 404, "not_found"},
		{tenants.Deleted, owner, "GET", "/v1/products", 404, "not_found"},
		{tenants.Deleted, owner, "DELETE", "/v1/store?confirm=x", 404, "not_found"},
	} {
		in(c.state)
		if got := api.Do(t, c.key, c.method, c.path, nil); got.Status != c.status || got.String("code") != c.code {
			t.Errorf("%s: %s %s: %d %s", c.state, c.method, c.path, got.Status, got.Body)
		}
		// What asks nothing of a store does not ask for its state.
		api.Do(t, owner, "DELETE", "/v1/session", nil).WantProblem(422, "test")
	}
	in(tenants.Deleted)
	api.Do(t, owner, "POST", "/v1/store/restore", nil).WantProblem(422, "test")
	in(tenants.Suspended)
	api.Do(t, owner, "DELETE", "/v1/store?confirm=its-address", nil).WantProblem(422, "test")
}
