package handlers_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// newRecorder keeps the calls of a platform's stores for seven days, when it is told to write.
func newRecorder(t testing.TB, p *testdb.Platform) *requestlog.Recorder {
	t.Helper()
	pepper, err := p.Ring.Pepper(context.Background(), tenants.Peppers{DB: p.DB}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	return requestlog.New(requestlog.Config{
		DB: p.DB, Sealer: p.Ring, Days: func(string) int { return 7 }, People: &requestlog.People{Pepper: pepper},
		Written: func(int) {}, Dropped: func(why string, n int) { t.Errorf("%d calls were dropped: %s", n, why) }, Log: slog.New(slog.DiscardHandler),
	})
}

// newLogged is a front door whose calls are kept. Keep writes them, and reads one as it is.
func newLogged(t *testing.T) (api *apitest.API, keep func(ctx context.Context, id string) string) {
	t.Helper()
	p := testdb.Open(t)
	service := catalog.New(limit(0))
	api = apitest.New(t,
		(&handlers.Products{DB: p.DB, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Customers{DB: p.DB, Customers: &customers.Service{DB: p.DB}}).Operations(),
		(&handlers.Credit{DB: p.DB}).Operations(),
		(&handlers.Requests{Log: &requestlog.Log{DB: p.DB, Sealer: p.Ring}}).Operations(),
	)
	recorder := newRecorder(t, p)
	api.Recorder = recorder
	return api, func(ctx context.Context, id string) string {
		recorder.Flush(context.Background())
		return one[string](t, api, ctx, `select to_jsonb(r)::text from cell.requests r where id = $1`, id)
	}
}

func TestTheRequestLog(t *testing.T) {
	t.Parallel()
	api, keep := newLogged(t)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	made := api.Do(t, key, "POST", "/v1/products", object{"title": "Bowl", "status": "active"}).Want(201)
	call := made.ID
	keep(ctx, call)
	read := api.Do(t, key, "GET", "/v1/requests/"+call, nil).Want(200)
	for path, want := range map[string]any{
		"operation": "createProduct", "method": "POST", "path": "/v1/products", "status": 201.0, "error_code": nil, "dry_run": false, "request_body.title": "Bowl",
		"request_body_state": "whole", "response_body_state": "whole", "response_body.id": made.String("id"), "actor.kind": "key", "actor.label": "test key",
		"actor.id": api.Caller(key).Principal.ID, "api_version": "2026-11-22", "ip": "192.0.2.1", "headers.Content-Type": "application/json", "query": "",
	} {
		if got := read.Get(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if days := one[int](t, api, ctx, `select gone_on - (at at time zone 'UTC')::date from cell.requests where id = $1`, call); days != 7 {
		t.Errorf("kept for %d days", days)
	}

	t.Run("what is refused says why", func(t *testing.T) {
		reader := api.Scoped(ctx, "orders:read", "products:read")
		refused := api.Do(t, reader, "POST", "/v1/products", object{"title": "Bowl"}).WantProblem(403, "missing_permission")
		if refused.Get("required_permission") != "products:write" || fmt.Sprint(refused.Get("scopes")) != "[orders:read products:read]" {
			t.Errorf("refused: %s", refused.Body)
		}
		support := api.Do(t, api.Session(ctx, access.Support), "POST", "/v1/products", object{"title": "Bowl"}).WantProblem(403, "missing_permission")
		keep(ctx, support.ID)
		seen := api.Do(t, key, "GET", "/v1/requests/"+support.ID, nil).Want(200)
		if seen.Get("response_body.role") != "support" || seen.Get("error_code") != "missing_permission" || seen.Get("actor.label") != "" {
			t.Errorf("kept: %s", seen.Body)
		}
		list := api.Do(t, key, "GET", "/v1/requests?status=4xx&error_code=missing_permission&actor_id="+api.Caller(reader).Principal.ID, nil).Want(200)
		if names(list, "id") != refused.ID {
			t.Errorf("found: %s", list.Body)
		}
	})
	t.Run("secrets are not kept", func(t *testing.T) {
		card := api.Do(t, key, "POST", "/v1/gift-cards", object{"amount": object{"amount": 5000, "currency": "EUR"}}).Want(201)
		keep(ctx, card.ID)
		seen := api.Do(t, key, "GET", "/v1/requests/"+card.ID, nil).Want(200)
		if strings.Contains(string(seen.Body), card.String("code")) || seen.Get("response_body_state") != "redacted" || seen.Get("response_body.gift_card.id") != card.String("gift_card.id") {
			t.Errorf("kept: %s", seen.Body)
		}
		search := api.Do(t, key, "GET", "/v1/customers?email=ada@example.com&limit=5", nil).Want(200)
		if row := keep(ctx, search.ID); strings.Contains(row, "ada@") {
			t.Errorf("in clear: %s", row)
		}
		seen = api.Do(t, key, "GET", "/v1/requests/"+search.ID, nil).Want(200)
		if query := seen.String("query"); strings.Contains(query, "ada") || !strings.Contains(query, "limit=5") || seen.Get("request_body_state") != "redacted" {
			t.Errorf("kept: %s", seen.Body)
		}
	})
	t.Run("bodies lie sealed", func(t *testing.T) {
		if row := keep(ctx, call); strings.Contains(row, "Bowl") || !strings.Contains(row, `"sealed": "\\x01`) {
			t.Errorf("in clear: %s", row)
		}
		large := api.Do(t, key, "POST", "/v1/products", object{"title": "Bowl", "description_html": strings.Repeat("long ", 4000)}).Want(201)
		keep(ctx, large.ID)
		seen := api.Do(t, key, "GET", "/v1/requests/"+large.ID, nil).Want(200)
		if seen.Get("request_body_state") != "cut" || seen.Get("request_body") != nil {
			t.Errorf("kept: %s", seen.Body)
		}
	})
	t.Run("searched", func(t *testing.T) {
		for query, want := range map[string]int{
			"operation=createProduct&status=201": 2, "path=/v1/prod*": 4, "path=/v1/products&status=403": 2, "operation=createCategory": 0, "method=GET&operation=listCustomers": 1,
			"since=2099-01-01T00:00:00Z": 0, "until=2001-01-01T00:00:00Z": 0, "since=2001-01-01T00:00:00Z&operation=createProduct": 4,
		} {
			if got := strings.Fields(names(api.Do(t, key, "GET", "/v1/requests?"+query, nil).Want(200), "id")); len(got) != want {
				t.Errorf("%s finds %d calls, want %d", query, len(got), want)
			}
		}
		first := api.Do(t, key, "GET", "/v1/requests?operation=createProduct&limit=1", nil).Want(200)
		second := api.Do(t, key, "GET", "/v1/requests?operation=createProduct&limit=1&cursor="+first.String("next_cursor"), nil).Want(200)
		if names(first, "id") == names(second, "id") || second.Get("has_more") != true {
			t.Errorf("pages: %s %s", first.Body, second.Body)
		}
	})
	t.Run("of others nothing", func(t *testing.T) {
		other := api.Platform.Store(t)
		if got := names(api.Do(t, api.Staff(other), "GET", "/v1/requests", nil).Want(200), "id"); got != "" {
			t.Errorf("another store sees %s", got)
		}
		api.Do(t, api.Staff(other), "GET", "/v1/requests/"+call, nil).WantProblem(404, "not_found")
		api.Do(t, api.Scoped(ctx, "products:read"), "GET", "/v1/requests", nil).WantProblem(403, "missing_permission")
		api.Do(t, "", "GET", "/v1/requests", nil).Want(401)
		api.Do(t, key, "GET", "/v1/requests?status=9xx", nil).Want(400)
	})
	t.Run("replayed", func(t *testing.T) {
		replay := func(id, key string) *apitest.Answer {
			keep(ctx, id)
			return api.Do(t, key, "POST", "/v1/requests/"+id+"/replay", nil)
		}
		came := replay(call, key).Want(200)
		if came.Get("status") != 201.0 || came.Get("body.title") != "Bowl" || came.Header.Get("Dry-Run") != "true" || !strings.Contains(came.Header.Get("Dry-Run-Rows"), "products;inserted=1") {
			t.Errorf("replayed: %s %v", came.Body, came.Header)
		}
		if n := one[int](t, api, ctx, `select count(*) from products`); n != 2 {
			t.Errorf("%d products", n)
		}
		less := replay(call, api.Scoped(ctx, "requests:read")).Want(200)
		if less.Get("status") != 403.0 || less.Get("body.required_permission") != "products:write" {
			t.Errorf("replayed with less: %s", less.Body)
		}
		search := api.Do(t, key, "GET", "/v1/customers", nil).ID
		replay(search, key).WantProblem(409, "not_replayable")
		replay(came.ID, key).WantProblem(409, "not_replayable")
		large := api.Do(t, key, "POST", "/v1/products", object{"title": "Bowl", "description_html": strings.Repeat("long ", 4000)}, "Idempotency-Key: "+ids.New("key")).Want(201)
		replay(large.ID, key).WantProblem(409, "not_replayable")
		api.Do(t, key, "POST", "/v1/requests/"+ids.New("req")+"/replay", nil).Want(404)
	})
}
