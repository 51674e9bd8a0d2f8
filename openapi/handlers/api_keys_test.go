package handlers_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/credentials"
	"github.com/stoacommerce/stoa/tenants/keys"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// keyAPI is the door to keys, with the keys behind it.
func keyAPI(t *testing.T) (*apitest.API, *keys.Service) {
	t.Helper()
	handler := &handlers.APIKeys{}
	api := apitest.New(t, handler.Operations())
	p := api.Platform
	bus := redis.OpenBus(redistest.Client(t))
	t.Cleanup(bus.Close)
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, keys.PepperName)
	if err != nil {
		t.Fatal(err)
	}
	enforcer, err := access.New()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	all := stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: log})
	handler.DB = p.DB
	handler.Keys = keys.New(keys.Config{DB: p.DB, Stores: all, Access: enforcer, Bus: bus, Pepper: pepper, APIVersion: "2026-11-22", Log: log})
	return api, handler.Keys
}

func opens(service *keys.Service, secret string) bool {
	_, err := service.Authenticate(context.Background(), secret, tenants.Origin{IP: "192.0.2.1"})
	return err == nil
}

func TestAPIKeyFromItsMakingToItsEnd(t *testing.T) {
	api, service := keyAPI(t)
	ctx := api.Platform.Store(t)
	owner := api.Owner(ctx)
	made := api.Do(t, owner, "POST", "/v1/api-keys", map[string]any{
		"name": "Robot", "kind": "restricted", "scopes": []string{"products:read"}, "allowed_ips": []string{"192.0.2.77/24"},
		"expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}).Want(201)
	id, secret := made.String("api_key.id"), made.String("secret")
	if made.String("api_key.state") != "active" || made.String("api_key.allowed_ips.0") != "192.0.2.0/24" || made.String("api_key.prefix") != "stoa_rk_live_" ||
		!strings.HasSuffix(secret, made.String("api_key.last_four")) || made.String("api_key.created_by.label") != "owner@example.com" || made.Get("api_key.last_used_at") != nil {
		t.Errorf("made %s", made.Body)
	}
	if !opens(service, secret) {
		t.Error("it opens nothing")
	}
	if err := service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := api.Do(t, owner, "GET", "/v1/api-keys/"+id, nil).Want(200)
	if got.Get("last_used_at") == nil || strings.Contains(string(got.Body), secret) {
		t.Errorf("got %s", got.Body)
	}
	api.Do(t, owner, "GET", "/v1/api-keys/"+id, nil, "If-None-Match: "+got.Header.Get("ETag")).Want(304)

	changed := api.Do(t, owner, "PATCH", "/v1/api-keys/"+id, map[string]any{"name": "Arm", "allowed_ips": []string{}}, "If-Match: "+got.Header.Get("ETag")).Want(200)
	if changed.String("name") != "Arm" || changed.Get("allowed_ips.0") != nil {
		t.Errorf("changed %s", changed.Body)
	}
	api.Do(t, owner, "PATCH", "/v1/api-keys/"+id, map[string]any{"name": "Leg"}, "If-Match: "+got.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, owner, "PATCH", "/v1/api-keys/"+id, map[string]any{"name": "Leg"}).WantProblem(428, "if_match_required")
	api.Do(t, owner, "PATCH", "/v1/api-keys/"+id, map[string]any{"scopes": []string{}}, "If-Match: *").WantProblem(400, "invalid_request")
	api.Do(t, owner, "PATCH", "/v1/api-keys/"+id, map[string]any{"allowed_origins": []string{"https://a.example"}}, "If-Match: *").WantProblem(422, "scopes_invalid")
	tried := api.Do(t, owner, "PATCH", "/v1/api-keys/"+id+"?dry_run=true", map[string]any{"name": "Leg"}, "If-Match: *").Want(200)
	if tried.Header.Get("Dry-Run") != "true" || api.Do(t, owner, "GET", "/v1/api-keys/"+id, nil).Want(200).String("name") != "Arm" {
		t.Error("a dry run changes")
	}

	next := api.Do(t, owner, "POST", "/v1/api-keys/"+id+"/rotate", nil).Want(201)
	if next.String("api_key.name") != "Arm" || !opens(service, next.String("secret")) || !opens(service, secret) {
		t.Errorf("rotated to %s", next.Body)
	}
	if old := api.Do(t, owner, "GET", "/v1/api-keys/"+id, nil).Want(200); old.String("state") != "rotated" {
		t.Errorf("the old one: %s", old.Body)
	}
	api.Do(t, owner, "POST", "/v1/api-keys/"+id+"/rotate", map[string]any{"overlap_seconds": 0}).WantProblem(409, "key_not_active")
	api.Do(t, owner, "POST", "/v1/api-keys/"+id+"/rotate", map[string]any{"overlap_seconds": 604801}).WantProblem(400, "invalid_request")

	api.Do(t, owner, "DELETE", "/v1/api-keys/"+id, nil).Want(204)
	if opens(service, secret) || !opens(service, next.String("secret")) {
		t.Error("the wrong one was revoked")
	}
	list := api.Do(t, owner, "GET", "/v1/api-keys?limit=1", nil).Want(200)
	rest := api.Do(t, owner, "GET", "/v1/api-keys?limit=1&cursor="+list.String("next_cursor"), nil).Want(200)
	if list.String("data.0.state") != "active" || rest.String("data.0.state") != "revoked" || rest.Get("has_more") != false {
		t.Errorf("listed %s %s", list.Body, rest.Body)
	}
	api.Do(t, owner, "PATCH", "/v1/api-keys/"+id, map[string]any{"name": "Leg"}, "If-Match: *").WantProblem(409, "key_not_active")
}

// TestANewKeysSecretIsToldOnce holds what a repetition of the request is answered.
func TestANewKeysSecretIsToldOnce(t *testing.T) {
	api, _ := keyAPI(t)
	ctx := api.Platform.Store(t)
	owner, body := api.Owner(ctx), map[string]any{"name": "Robot", "kind": "secret"}
	const key = "Idempotency-Key: once"
	first := api.Do(t, owner, "POST", "/v1/api-keys", body, key).Want(201)
	again := api.Do(t, owner, "POST", "/v1/api-keys", body, key).Want(201)
	if again.String("secret") != first.String("secret") || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("at once: %s", again.Body)
	}
	api.Do(t, owner, "POST", "/v1/api-keys", map[string]any{"name": "Other", "kind": "secret"}, key).WantProblem(422, "idempotency_key_reused")
	// The same person in the sandbox makes another key.
	sandbox := api.Caller(owner)
	testRef, _ := postgres.StoreFrom(api.Platform.Sandbox(t, ctx))
	side := *sandbox.Store
	side.Ref = testRef
	sandbox.Store, sandbox.Principal.Mode = &side, testRef.Mode
	api.SetCaller("session_in_the_sandbox", sandbox)
	other := api.Do(t, "session_in_the_sandbox", "POST", "/v1/api-keys", body, key).Want(201)
	if other.String("api_key.mode") != "test" || other.String("api_key.id") == first.String("api_key.id") {
		t.Errorf("in the sandbox: %s", other.Body)
	}
	// Ten minutes later.
	err := api.Platform.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update idempotency set secret_until = now() where status is not null`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	late := api.Do(t, owner, "POST", "/v1/api-keys", body, key).Want(201)
	if late.Get("secret") != nil || late.String("api_key.id") != first.String("api_key.id") || late.Header.Get("Idempotent-Secrets") != "removed" {
		t.Errorf("late: %s", late.Body)
	}
}

// What is asked with a key that is refused stands in the log of the store that the key was of,
// and what is asked with no key of any store in none.
func TestRefusedKeysAreLogged(t *testing.T) {
	api, service := keyAPI(t)
	api.Real = &credentials.Authenticator{Keys: service}
	recorder := newRecorder(t, api.Platform)
	api.Recorder = recorder
	ctx := api.Platform.Store(t)
	owner := api.Owner(ctx)
	made := api.Do(t, owner, "POST", "/v1/api-keys", map[string]any{"name": "Robot", "kind": "secret", "allowed_ips": []string{"203.0.113.7"}}).Want(201)
	id, secret := made.String("api_key.id"), made.String("secret")
	api.Do(t, secret, "GET", "/v1/api-keys", nil).WantProblem(403, "ip_not_allowed")
	api.Do(t, owner, "DELETE", "/v1/api-keys/"+id, nil).Want(204)
	api.Do(t, secret, "GET", "/v1/api-keys", nil).WantProblem(401, "invalid_key")
	api.Do(t, keys.Generate("stoa_sk_live_"), "GET", "/v1/api-keys", nil).WantProblem(401, "invalid_key")
	recorder.Flush(t.Context())
	if got := one[string](t, api, ctx, `select string_agg(status || ' ' || code || ' ' || actor, ', ' order by id) from cell.requests where actor_id = $1`, id); got != "403 ip_not_allowed Robot, 401 invalid_key Robot" {
		t.Errorf("logged: %s", got)
	}
	if n := one[int](t, api, ctx, `select count(*) from cell.requests where status >= 400`); n != 2 {
		t.Errorf("%d refusals are logged", n)
	}
}

func TestAPIKeysAreGuarded(t *testing.T) {
	api, _ := keyAPI(t)
	ctx, elsewhere := api.Platform.Store(t), api.Platform.Store(t)
	mine := api.Do(t, api.Owner(ctx), "POST", "/v1/api-keys", map[string]any{"name": "Robot", "kind": "secret"}).Want(201).String("api_key.id")
	for _, c := range []struct{ method, path string }{
		{"GET", "/v1/api-keys"}, {"POST", "/v1/api-keys"}, {"GET", "/v1/api-keys/" + mine}, {"PATCH", "/v1/api-keys/" + mine},
		{"POST", "/v1/api-keys/" + mine + "/rotate"}, {"DELETE", "/v1/api-keys/" + mine},
	} {
		var body any
		switch c.method {
		case "POST":
			body = map[string]any{}
			if c.path == "/v1/api-keys" {
				body = map[string]any{"name": "x", "kind": "secret"}
			}
		case "PATCH":
			body = map[string]any{"name": "x"}
		}
		api.Do(t, "", c.method, c.path, body, "If-Match: *").WantProblem(401, "missing_credential")
		api.Do(t, api.Scoped(ctx, "products:write"), c.method, c.path, body, "If-Match: *").WantProblem(403, "missing_permission")
		api.Do(t, api.Publishable(ctx), c.method, c.path, body, "If-Match: *").WantProblem(403, "wrong_credential")
		if c.method != "GET" {
			api.Do(t, api.Scoped(ctx, "keys:read"), c.method, c.path, body, "If-Match: *").WantProblem(403, "missing_permission")
		}
		if c.path != "/v1/api-keys" {
			api.Do(t, api.Owner(elsewhere), c.method, c.path, body, "If-Match: *").WantProblem(404, "not_found")
			api.Do(t, api.Owner(ctx), c.method, strings.Replace(c.path, mine, ids.New("key"), 1), body, "If-Match: *").WantProblem(404, "not_found")
			api.Do(t, api.Owner(ctx), c.method, strings.Replace(c.path, mine, "prod_1", 1), body, "If-Match: *").WantProblem(404, "not_found")
		}
	}
	api.Do(t, api.Scoped(ctx, "keys:write"), "POST", "/v1/api-keys", map[string]any{"name": "x", "kind": "secret"}).WantProblem(403, "grant_exceeded")
	api.Do(t, api.Owner(ctx), "POST", "/v1/api-keys", map[string]any{"name": "x", "kind": "restricted", "scopes": []string{"store:delete"}}).WantProblem(400, "invalid_request")
	api.Do(t, api.Owner(ctx), "POST", "/v1/api-keys", map[string]any{"name": "x", "kind": "publishable", "allowed_origins": []string{"shop"}}).WantProblem(422, "origin_invalid")
	api.Do(t, api.Owner(ctx), "POST", "/v1/api-keys", map[string]any{"name": "x", "kind": "secret", "allowed_ips": []string{"300.0.0.1"}}).WantProblem(422, "cidr_invalid")
	api.Do(t, api.Owner(ctx), "GET", "/v1/api-keys?cursor=x", nil).WantProblem(400, "invalid_cursor")
}
