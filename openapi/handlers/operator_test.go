package handlers_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// newStores opens a door before the operations on stores, of their own and of operators.
func newStores(t *testing.T) *apitest.API {
	t.Helper()
	p := testdb.Open(t)
	bus := redis.OpenBus(redistest.Client(t))
	t.Cleanup(bus.Close)
	quiet := slog.New(slog.DiscardHandler)
	service := stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet})
	workers := jobs.New(jobs.Config{DB: p.DB, Resolve: service.ResolveJob, Log: quiet}) // only looked at, not started
	books := &reconciliation.Reconciler{
		DB: p.DB, Books: &reconciliation.Service{DB: p.DB, Providers: payments.Providers{payments.TestName: &payments.Test{DB: p.DB}}}, Log: quiet,
	}
	return apitest.New(t,
		(&handlers.Operator{DB: p.DB, Stores: service, Jobs: workers, Books: books, Log: quiet}).Operations(),
		(&handlers.Store{DB: p.DB, Stores: service, ShopURL: shopURL}).Operations(),
	)
}

// owned makes a store that an account owns, and gives the account's address.
func owned(t *testing.T, api *apitest.API) (ctx context.Context, id, email string) {
	t.Helper()
	ctx = api.Platform.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	account := ids.New("acc")
	email = "owner-" + account[4:] + "@example.com"
	control(t, api, `insert into accounts (id, email, password_hash, email_verified_at) values ($1, $2, '', now())`, account, email)
	control(t, api, `insert into members (store_id, account_id, role) values ($1, $2, 'owner')`, ref.ID, account)
	return ctx, ref.ID, email
}

func control(t *testing.T, api *apitest.API, statement string, args ...any) {
	t.Helper()
	err := api.Platform.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func operator(api *apitest.API, role string) string {
	return api.Key("stoa_op_", context.Background(), principal.Principal{Kind: principal.Operator, ID: ids.New("opk"), Label: "on call", Role: role})
}

func TestOperatorsOfStores(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	ctx, id, email := owned(t, api)
	api.Platform.Sandbox(t, ctx)
	_, other, _ := owned(t, api)
	reader, support, admin := operator(api, "read"), operator(api, "support"), operator(api, "admin")
	path := "/v1/operator/stores/" + id
	why := object{"reason": "Payment disputes, ticket 4711"}

	got := api.Do(t, reader, "GET", path, nil).Want(200)
	if got.String("owner_email") != email || got.String("state") != "active" || got.Get("has_sandbox") != true || got.Get("suspension_reason") != nil {
		t.Errorf("store: %s", got.Body)
	}
	found := api.Do(t, reader, "GET", "/v1/operator/stores?q="+email[6:20], nil).Want(200)
	if list := found.Get("data").([]any); len(list) < 1 || len(list) > 2 {
		t.Errorf("found: %s", found.Body)
	}
	if list := api.Do(t, reader, "GET", "/v1/operator/stores?q=%25", nil).Want(200).Get("data").([]any); len(list) != 0 {
		t.Errorf("a percent sign found %d", len(list))
	}
	first := api.Do(t, reader, "GET", "/v1/operator/stores?limit=1&cell="+api.Platform.Cell+"&state=active&q=owner-", nil).Want(200)
	second := api.Do(t, reader, "GET", "/v1/operator/stores?limit=1&cell="+api.Platform.Cell+"&state=active&q=owner-&cursor="+first.String("next_cursor"), nil).Want(200)
	if first.String("data.0.id") <= second.String("data.0.id") {
		t.Errorf("the latest is not the first: %s", first.Body)
	}

	api.Do(t, reader, "POST", path+"/suspend", why).WantProblem(403, "missing_permission")
	api.Do(t, support, "POST", path+"/suspend", object{}).WantProblem(400, "invalid_request")
	api.Do(t, support, "POST", path+"/resume", why).WantProblem(409, "store_not_suspended")
	suspended := api.Do(t, support, "POST", path+"/suspend", why, "Idempotency-Key: a").Want(200)
	if suspended.String("state") != "suspended" || suspended.String("suspension_reason") != why["reason"] {
		t.Errorf("suspended: %s", suspended.Body)
	}
	replayed := api.Do(t, support, "POST", path+"/suspend", why, "Idempotency-Key: a").Want(200)
	if replayed.Header.Get("Idempotent-Replayed") != "true" || string(replayed.Body) != string(suspended.Body) {
		t.Errorf("replayed: %s", replayed.Body)
	}
	api.Do(t, support, "POST", path+"/suspend", why, "Idempotency-Key: b").WantProblem(409, "store_already_suspended")
	api.Do(t, support, "POST", path+"/resume", why).Want(200)
	api.Do(t, support, "POST", path+"/delete", why).WantProblem(403, "missing_permission")
	api.Do(t, admin, "POST", path+"/restore", why).WantProblem(409, "store_not_deleted")
	growth := object{"plan": "growth", "reason": "Order form of 22 November"}
	api.Do(t, support, "POST", path+"/plan", growth).WantProblem(403, "missing_permission")
	api.Do(t, admin, "POST", path+"/plan", object{"plan": "gold", "reason": "By mistake"}).WantProblem(400, "invalid_request")
	if tried := api.Do(t, admin, "POST", path+"/plan?dry_run=true", growth).Want(200); tried.String("plan") != "growth" || !strings.Contains(tried.Header.Get("Dry-Run-Rows"), "stores;updated=1") {
		t.Errorf("a trial: %v %s", tried.Header, tried.Body)
	}
	if got := api.Do(t, reader, "GET", path, nil).Want(200); got.String("plan") != "scale" {
		t.Errorf("after a trial the store is on another plan: %s", got.Body)
	}
	if set := api.Do(t, admin, "POST", path+"/plan", growth).Want(200); set.String("plan") != "growth" {
		t.Errorf("put on a plan: %s", set.Body)
	}
	api.Do(t, admin, "POST", "/v1/operator/stores/"+ids.New("sto")+"/plan", growth).WantProblem(404, "not_found")
	if deleted := api.Do(t, admin, "POST", path+"/delete", why).Want(200); deleted.String("state") != "deleted" || deleted.Get("purge_after") == nil {
		t.Errorf("deleted: %s", deleted.Body)
	}
	if restored := api.Do(t, admin, "POST", path+"/restore", why).Want(200); restored.String("state") != "active" || restored.Get("deleted_at") != nil {
		t.Errorf("restored: %s", restored.Body)
	}
	if got := api.Do(t, reader, "GET", "/v1/operator/stores/"+other, nil).Want(200); got.String("state") != "active" {
		t.Errorf("another store changed: %s", got.Body)
	}
	// Of operators reading is audited as well.
	var looked int
	err := api.Platform.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from audit_entries where actor_kind = 'operator' and (action = 'store.read' and store_id = $1 or action = 'stores.list' and after->>'query' like '%' || $2)`,
			id, email[6:20]).Scan(&looked)
	})
	if err != nil || looked < 2 {
		t.Errorf("%d looks in the audit, %v", looked, err)
	}
	api.Do(t, reader, "GET", "/v1/operator/stores/"+ids.New("sto"), nil).WantProblem(404, "not_found")
	api.Do(t, admin, "POST", "/v1/operator/stores/"+ids.New("sto")+"/delete", why).WantProblem(404, "not_found")
	api.Do(t, "", "GET", path, nil).WantProblem(401, "missing_credential")
	api.Do(t, api.Owner(api.Platform.Store(t)), "GET", path, nil).WantProblem(401, "missing_credential")
}

func TestOperatorsSeeCells(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	api.Platform.Store(t)
	key := operator(api, "read")
	cells := api.Do(t, key, "GET", "/v1/operator/cells", nil).Want(200)
	if cells.String("data.0.name") != api.Platform.Cell || cells.String("data.0.state") != "up" || cells.Get("data.0.accepting") != true || cells.Get("data.0.stores").(float64) < 2 || cells.Get("data.0.logins") != 2.0 {
		t.Errorf("cells: %s", cells.Body)
	}
	control(t, api, `insert into cells (name, max_stores) values ('zz', 1)`)
	defer control(t, api, `delete from cells where name = 'zz'`)
	first := api.Do(t, key, "GET", "/v1/operator/cells?limit=1", nil).Want(200)
	second := api.Do(t, key, "GET", "/v1/operator/cells?limit=1&cursor="+first.String("next_cursor"), nil).Want(200)
	if second.String("data.0.name") != "zz" || second.String("data.0.state") != "down" || second.Get("data.0.accepting") != false || second.Get("has_more") != false {
		t.Errorf("a cell that is not configured: %s", second.Body)
	}
}

// putJob inserts a job into a queue in one of River's states.
func putJob(t *testing.T, api *apitest.API, cell, state, kind string, store context.Context, at time.Time) (id string) {
	t.Helper()
	schema, in := "river_control", api.Platform.DB.InControl
	if cell != jobs.Control {
		schema = "river"
		in = func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
			return api.Platform.DB.InCell(ctx, cell, fn)
		}
	}
	role := ""
	if store != nil {
		ref, _ := postgres.StoreFrom(store)
		role = postgres.RoleName(ref.Cell, ref.Schema)
	}
	var number int64
	err := in(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `insert into `+schema+`.river_job (kind, args, max_attempts, attempt, state, errors, created_at, finalized_at)
			values ($1, jsonb_strip_nulls(jsonb_build_object('store', nullif($2::text, ''), 'args', '{}'::jsonb, 'due', now())), 10, 3, $3::text::`+schema+`.river_job_state,
				array[jsonb_build_object('at', now(), 'attempt', 3, 'error', repeat('é', 3000), 'trace', '')], $4,
				case when $3::text in ('discarded', 'cancelled', 'completed') then now() end) returning id`, kind, role, state, at).Scan(&number)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s.%d", cell, number)
}

func TestOperatorsOfJobs(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	ctx, id, _ := owned(t, api)
	other, _, _ := owned(t, api)
	reader, support := operator(api, "read"), operator(api, "support")
	kind := ids.New("kind")
	now, cell := time.Now(), api.Platform.Cell
	dead := putJob(t, api, cell, "discarded", kind, ctx, now.Add(-time.Minute))
	own := putJob(t, api, jobs.Control, "cancelled", kind, nil, now.Add(-2*time.Minute))
	others := putJob(t, api, cell, "discarded", kind, other, now.Add(-3*time.Minute))
	twin := putJob(t, api, cell, "discarded", kind, other, now.Add(-3*time.Minute))
	retrying := putJob(t, api, cell, "retryable", kind, ctx, now)
	running := putJob(t, api, cell, "running", kind, ctx, now)
	waiting := putJob(t, api, cell, "scheduled", kind, ctx, now)
	done := putJob(t, api, cell, "completed", kind, ctx, now)

	// Page by page, over all queues, the latest first.
	var list []string
	for query := ""; ; {
		answer := api.Do(t, reader, "GET", "/v1/operator/jobs?limit=1&kind="+kind+query, nil).Want(200)
		list = append(list, answer.String("data.0.id"))
		if answer.Get("has_more") != true {
			break
		}
		query = "&cursor=" + answer.String("next_cursor")
	}
	if got, want := fmt.Sprint(list), fmt.Sprint([]string{dead, own, twin, others}); got != want {
		t.Errorf("jobs %s, want %s", got, want)
	}
	for query, want := range map[string]string{
		"&state=set_aside&store_id=" + id: dead, "&state=retrying": retrying, "&state=running": running, "&state=waiting": waiting,
	} {
		answer := api.Do(t, reader, "GET", "/v1/operator/jobs?kind="+kind+query, nil).Want(200)
		if answer.String("data.0.id") != want || answer.Get("data.1") != nil || answer.String("data.0.store_id") != id || answer.String("data.0.mode") != "live" {
			t.Errorf("%s: %s", query, answer.Body)
		}
	}
	if answer := api.Do(t, reader, "GET", "/v1/operator/jobs?store_id="+ids.New("sto"), nil).Want(200); answer.Get("data.0") != nil {
		t.Errorf("jobs of no store: %s", answer.Body)
	}
	first := api.Do(t, reader, "GET", "/v1/operator/jobs?kind="+kind, nil).Want(200)
	if message := first.String("data.0.failures.0.message"); len([]rune(message)) != 2000 || !strings.HasSuffix(message, "…") || first.Get("data.0.attempts") != 3.0 || first.Get("data.0.set_aside_at") == nil {
		t.Errorf("first: %s", first.Body)
	}
	if first.Get("data.1.store_id") != nil || first.String("data.1.cell") != "control" {
		t.Errorf("the platform's own: %s", first.Get("data.1"))
	}

	api.Do(t, reader, "POST", "/v1/operator/jobs/"+dead+"/retry", nil).WantProblem(403, "missing_permission")
	again := api.Do(t, support, "POST", "/v1/operator/jobs/"+dead+"/retry", nil, "Idempotency-Key: r").Want(200)
	if again.String("state") != "waiting" || again.Get("attempts") != 0.0 || again.Get("set_aside_at") != nil || again.String("id") != dead {
		t.Errorf("retried: %s", again.Body)
	}
	if replay := api.Do(t, support, "POST", "/v1/operator/jobs/"+dead+"/retry", nil, "Idempotency-Key: r").Want(200); replay.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("replayed: %v", replay.Header)
	}
	for range 2 { // the key of what was refused is free again
		api.Do(t, support, "POST", "/v1/operator/jobs/"+running+"/retry", nil, "Idempotency-Key: s").WantProblem(409, "job_not_set_aside")
	}
	why := object{"reason": "It was fixed by hand"}
	api.Do(t, support, "POST", "/v1/operator/jobs/"+own+"/discard", object{}).WantProblem(400, "invalid_request")
	api.Do(t, support, "POST", "/v1/operator/jobs/"+own+"/discard", why, "Idempotency-Key: d").Want(204)
	api.Do(t, support, "POST", "/v1/operator/jobs/"+own+"/discard", why, "Idempotency-Key: d").Want(204)
	api.Do(t, support, "POST", "/v1/operator/jobs/"+own+"/discard", why).WantProblem(404, "not_found")
	for _, none := range []string{done, "elsewhere.1", cell, cell + ".", cell + ".01", cell + ".0", cell + ".99999999999999999999", "." + others, "x"} {
		api.Do(t, support, "POST", "/v1/operator/jobs/"+none+"/retry", nil).WantProblem(404, "not_found")
	}
	var audited int
	err := api.Platform.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from audit_entries where (object_id, action, reason, store_id) in (($1, 'job.retry', '', $2), ($3, 'job.discard', $4, ''))
			or (object_id, action, reason) = ($3, 'job.discard', $4)`, dead, id, own, why["reason"]).Scan(&audited)
	})
	if err != nil || audited != 2 {
		t.Errorf("%d entries in the audit, %v", audited, err)
	}
}

func TestOwnStore(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	ctx, id, _ := owned(t, api)
	key := api.Staff(ctx)
	got := api.Do(t, key, "GET", "/v1/store", nil).Want(200)
	if got.String("id") != id || got.String("mode") != "live" || got.String("state") != "active" || fmt.Sprint(got.Get("currencies")) != "[EUR USD]" || !strings.HasPrefix(got.String("shop_url"), "https://") {
		t.Errorf("store: %s", got.Body)
	}
	tag := got.Header.Get("ETag")
	api.Do(t, key, "GET", "/v1/store", nil, "If-None-Match: "+tag).Want(304)
	tried := api.Do(t, key, "PATCH", "/v1/store?dry_run=true", object{"name": "Tried"}).Want(200)
	if tried.String("name") != "Tried" || tried.Header.Get("Dry-Run") != "true" {
		t.Errorf("tried: %s", tried.Body)
	}
	changed := api.Do(t, key, "PATCH", "/v1/store", object{"name": "Linen & Co", "description": "Linen.", "contact_email": nil, "currency": "USD", "country": "US",
		"locale": "en-US", "accent_color": "#aa0000", "prices_include_tax": false}, "If-Match: "+tag).Want(200)
	if changed.String("name") != "Linen & Co" || changed.Get("contact_email") != nil || fmt.Sprint(changed.Get("currencies")) != "[USD EUR]" || changed.String("accent_color") != "#aa0000" {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, key, "PATCH", "/v1/store", object{"name": "Late"}, "If-Match: "+tag).WantProblem(412, "stale")
	api.Do(t, key, "PATCH", "/v1/store", object{"currencies": []string{"EUR"}}).WantProblem(422, "currency_not_sold")
	api.Do(t, key, "PATCH", "/v1/store", object{"name": "", "colour": 1}).WantProblem(400, "invalid_request")
	api.Do(t, api.Scoped(ctx, "store:read"), "PATCH", "/v1/store", object{"name": "No"}).WantProblem(403, "missing_permission")
	api.Do(t, api.Scoped(ctx, "products:read"), "GET", "/v1/store", nil).WantProblem(403, "missing_permission")
	api.Do(t, "", "GET", "/v1/store", nil).WantProblem(401, "missing_credential")
	if again := api.Do(t, key, "GET", "/v1/store", nil).Want(200); string(again.Body) != string(changed.Body) {
		t.Errorf("read back:\n%s\n%s", changed.Body, again.Body)
	}
	// What the control database keeps of the settings follows.
	if seen := api.Do(t, operator(api, "read"), "GET", "/v1/operator/stores/"+id, nil).Want(200); seen.String("name") != "Linen & Co" {
		t.Errorf("operators see: %s", seen.Body)
	}
}

func TestOwnStoreIsDeletedAndRestored(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	ctx, _, _ := owned(t, api)
	owner := api.Owner(ctx)
	caller := api.Caller(owner)
	address := caller.Store.Address
	api.Do(t, owner, "DELETE", "/v1/store?confirm=another", nil).WantProblem(422, "confirmation_mismatch")
	api.Do(t, owner, "DELETE", "/v1/store", nil).WantProblem(400, "invalid_request")
	api.Do(t, api.Session(ctx, access.Admin), "DELETE", "/v1/store?confirm="+address, nil).WantProblem(403, "missing_permission")
	api.Do(t, api.Staff(ctx), "DELETE", "/v1/store?confirm="+address, nil).WantProblem(403, "wrong_credential")
	api.Do(t, owner, "POST", "/v1/store/restore", nil).WantProblem(409, "store_not_deleted")
	gone := api.Do(t, owner, "DELETE", "/v1/store?confirm="+address, nil).Want(200)
	if gone.String("state") != "deleted" || gone.Get("purge_after") == nil {
		t.Errorf("deleted: %s", gone.Body)
	}
	deleted := *caller.Store
	deleted.Status = "deleted"
	caller.Store = &deleted
	api.SetCaller(owner, caller)
	api.Do(t, owner, "GET", "/v1/store", nil).WantProblem(404, "not_found")
	api.Do(t, owner, "DELETE", "/v1/store?confirm="+address, nil).WantProblem(404, "not_found")
	// The side that was asked for may never have been used.
	unused := deleted
	unused.Ref.Schema = 0
	caller.Store = &unused
	api.SetCaller(owner, caller)
	if back := api.Do(t, owner, "POST", "/v1/store/restore", nil, "Idempotency-Key: back").Want(200); back.String("state") != "active" || back.Get("deleted_at") != nil {
		t.Errorf("restored: %s", back.Body)
	}
}

func TestExportOverHTTP(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	ctx, _, _ := owned(t, api)
	owner := api.Owner(ctx)
	answer := api.Do(t, owner, "GET", "/v1/store/export", nil).Want(200)
	lines := strings.Split(strings.TrimSpace(string(answer.Body)), "\n")
	if answer.Header.Get("Content-Type") != "application/x-ndjson" || !strings.HasPrefix(lines[len(lines)-1], `{"kind":"end"`) || !strings.Contains(string(answer.Body), `{"kind":"settings","data":{`) {
		t.Errorf("export: %v %s", answer.Header, answer.Body)
	}
	// A suspended store can still be taken along.
	caller := api.Caller(owner)
	suspended := *caller.Store
	suspended.Status = "suspended"
	caller.Store = &suspended
	api.SetCaller(owner, caller)
	api.Do(t, owner, "GET", "/v1/store/export", nil).Want(200)
	if head := api.Do(t, owner, "HEAD", "/v1/store/export", nil).Want(200); len(head.Body) != 0 {
		t.Errorf("HEAD brought a body: %s", head.Body)
	}
	api.Do(t, api.Scoped(ctx, "products:write"), "GET", "/v1/store/export", nil).WantProblem(403, "missing_permission")
}

// What differs in a store's books is an operator's list, made anew when one asks for it.
func TestOperatorsSeeWhatDiffers(t *testing.T) {
	t.Parallel()
	api := newStores(t)
	ctx, id, _ := owned(t, api)
	support, reason := operator(api, "support"), object{"reason": "A merchant has asked."}
	reconcile := func() any {
		t.Helper()
		return api.Do(t, support, "POST", "/v1/operator/stores/"+id+"/reconcile", reason).Want(200).Get("differences")
	}
	if n := reconcile(); n != 0.0 {
		t.Errorf("%v differences in a store that sells nothing", n)
	}
	for _, payment := range []string{"pay_1", "pay_2"} {
		err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `insert into payments (id, cart_id, order_id, provider, state, currency, amount) values ($1, $1, 'ord_none', 'manual', 'captured', 'EUR', 100)`, payment)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := reconcile(); n != 2.0 {
		t.Errorf("%v differences", n)
	}
	first := api.Do(t, support, "GET", "/v1/operator/differences?limit=1&kind=order_missing&store_id="+id, nil).Want(200)
	if first.String("data.0.object_id") != "pay_1" || first.String("data.0.mode") != "live" || first.Get("has_more") != true || !strings.Contains(first.String("data.0.detail"), "ord_none") {
		t.Errorf("first page: %s", first.Body)
	}
	second := api.Do(t, support, "GET", "/v1/operator/differences?limit=1&kind=order_missing&store_id="+id+"&cursor="+first.String("next_cursor"), nil).Want(200)
	if second.String("data.0.object_id") != "pay_2" || second.Get("has_more") != false {
		t.Errorf("second page: %s", second.Body)
	}
	api.Do(t, support, "POST", "/v1/operator/stores/"+ids.New("sto")+"/reconcile", reason).WantProblem(404, "not_found")
	api.Do(t, operator(api, "read"), "POST", "/v1/operator/stores/"+id+"/reconcile", reason).WantProblem(403, "missing_permission")
}
