package openapi_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestTheDoorRefusesBeforeTheHandler(t *testing.T) {
	var called atomic.Int64
	api := apitest.New(t, map[string]openapi.Handler{
		"createCategory": func(context.Context, *openapi.Request) (*openapi.Response, error) {
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
	several := post(staff, `{"name":7,"unknown":1,"position":"x"}`).WantProblem(400, "invalid_request")
	if faults, _ := several.Get("errors").([]any); len(faults) != 3 {
		t.Errorf("not every fault is named: %s", several.Body)
	}
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

// TestAWordComesBeforeAParameter holds that /v1/invitations/accept is not taken for an
// invitation of that name.
func TestAWordComesBeforeAParameter(t *testing.T) {
	api := apitest.New(t)
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	operations, err := openapi.Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
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
