package handlers_test

import (
	"testing"

	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// TestPersonalData asks for what app's TestAPersonIsErased does not: who may, and what is
// refused.
func TestPersonalData(t *testing.T) {
	t.Parallel()
	p := testdb.Open(t)
	api := apitest.New(t, (&handlers.Privacy{
		DB: p.DB, Sealer: p.Ring, Privacy: &privacy.Service{DB: p.DB, Sealer: p.Ring, People: &requestlog.People{}},
	}).Operations())
	ctx, other := p.Store(t), p.Store(t)
	key := api.Staff(ctx)
	person := object{"email": "ada@example.com"}
	const export, erasures = "/v1/personal-data/export", "/v1/personal-data/erasures"
	for path, allowed := range map[string][]string{
		export:   {api.Owner(ctx), api.Session(ctx, access.Admin), api.Scoped(ctx, "personal_data:read"), api.Scoped(ctx, "personal_data:write")},
		erasures: {api.Owner(ctx), api.Session(ctx, access.Admin), api.Scoped(ctx, "personal_data:write")},
	} {
		want := map[string]int{export: 200, erasures: 201}[path]
		for _, who := range allowed {
			api.Do(t, who, "POST", path+map[string]string{export: "", erasures: "?dry_run=true"}[path], person).Want(want)
		}
		for _, who := range []string{api.Session(ctx, access.Orders), api.Session(ctx, access.Support), api.Scoped(ctx, "customers:write")} {
			api.Do(t, who, "POST", path, person).WantProblem(403, "missing_permission")
		}
		api.Do(t, "", "POST", path, person).Want(401)
		api.Do(t, key, "POST", path, object{}).Want(400)
		api.Do(t, key, "POST", path, object{"email": "no address"}).Want(400)
		api.Do(t, key, "POST", path, object{"customer_id": "prod_1"}).WantProblem(404, "not_found")
	}
	repeated := "Idempotency-Key: " + ids.New("key")
	made := api.Do(t, key, "POST", erasures, object{"email": "ada@example.com", "reason": "Asked for"}, repeated).Want(201)
	if again := api.Do(t, key, "POST", erasures, object{"email": "ada@example.com", "reason": "Asked for"}, repeated).Want(201); again.String("id") != made.String("id") {
		t.Error("a repetition erases once more")
	}
	at := erasures + "/" + made.String("id")
	if read := api.Do(t, key, "GET", at, nil).Want(200); read.String("state") != "running" || read.String("reason") != "Asked for" || read.Get("customer_id") != nil {
		t.Errorf("read: %s", read.Body)
	}
	if got := names(api.Do(t, key, "GET", erasures, nil).Want(200), "id"); got != made.String("id") {
		t.Errorf("listed: %s", got)
	}
	api.Do(t, api.Staff(other), "GET", at, nil).WantProblem(404, "not_found")
	api.Do(t, api.Scoped(ctx, "customers:write"), "GET", at, nil).WantProblem(403, "missing_permission")
	api.Do(t, key, "POST", "/v1/documents/"+ids.New("doc")+"/disclosure", object{"reason": "Tax audit"}).WantProblem(404, "not_found")
	api.Do(t, key, "POST", "/v1/documents/"+ids.New("doc")+"/disclosure", object{}).Want(400)
	if got := audits(t, api, ctx, made.String("id")); got != "customer.erase" {
		t.Errorf("audit: %s", got)
	}
}
