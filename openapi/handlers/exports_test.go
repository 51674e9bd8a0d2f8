package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/tenants"
)

func newExports(t *testing.T) (*apitest.API, *exports.Service) {
	t.Helper()
	db := testdb.Open(t).DB
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	ops := operations.New(db)
	service := exports.New(db, ops, disk, exports.Config{})
	return apitest.New(t,
		(&handlers.Exports{DB: db, Exports: service, ShopURL: func(*tenants.Store) string { return "https://shop.example.com" }}).Operations(),
		(&handlers.LongOperations{DB: db, Long: ops}).Operations(),
	), service
}

func TestExportedFilesOverHTTP(t *testing.T) {
	t.Parallel()
	api, service := newExports(t)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	trial := api.Do(t, key, "POST", "/v1/exports?dry_run=true", `{"resource": "customers"}`).Want(202)
	if trial.String("kind") != "export_customers" || one[int](t, api, ctx, `select count(*) from operations`) != 0 {
		t.Errorf("a trial: %s", trial.Body)
	}
	asked := api.Do(t, key, "POST", "/v1/exports", `{"resource": "customers"}`).Want(202)
	id := asked.String("id")
	if asked.String("state") != "queued" || asked.Get("file") != nil || asked.Get("progress.total") != 0.0 || asked.Header.Get("Location") != "/v1/operations/"+id {
		t.Errorf("asked: %v %s", asked.Header, asked.Body)
	}
	at := "/v1/operations/" + id + "/file"
	api.Do(t, key, "GET", at, nil).WantProblem(409, "operation_running")
	if err := service.Work(ctx, id, 1); err != nil {
		t.Fatal(err)
	}
	done := api.Do(t, key, "GET", "/v1/operations/"+id, nil).Want(200)
	if done.String("state") != "succeeded" || done.String("file.content_type") != "text/csv" || !strings.HasPrefix(done.String("file.name"), "customers-") || done.Get("file.expires_at") == nil {
		t.Errorf("done: %s", done.Body)
	}
	file := api.Do(t, key, "GET", at, nil).Want(200)
	if !strings.HasPrefix(string(file.Body), "Customer ID,First Name") || float64(len(file.Body)) != done.Get("file.bytes") ||
		file.Header.Get("Content-Disposition") != "attachment; filename="+done.String("file.name") || file.Header.Get("Content-Type") != "text/csv" {
		t.Errorf("file: %v %s", file.Header, file.Body)
	}
	if n := one[int](t, api, ctx, `select count(*) from audit_entries where action in ('export.create', 'export.end', 'export.download')`); n != 3 {
		t.Errorf("%d entries of the audit", n)
	}

	// It takes both permissions, to ask for it and to take it away.
	api.Do(t, api.Scoped(ctx, "exports:write"), "POST", "/v1/exports", `{"resource": "customers"}`).WantProblem(403, "missing_permission")
	api.Do(t, api.Scoped(ctx, "customers:read"), "POST", "/v1/exports", `{"resource": "customers"}`).WantProblem(403, "missing_permission")
	api.Do(t, api.Scoped(ctx, "exports:write", "orders:read"), "POST", "/v1/exports", `{"resource": "customers"}`).WantProblem(403, "missing_permission")
	api.Do(t, api.Scoped(ctx, "exports:read"), "GET", at, nil).WantProblem(403, "missing_permission")
	api.Do(t, api.Scoped(ctx, "operations:read", "customers:read"), "GET", at, nil).WantProblem(403, "missing_permission")
	api.Do(t, api.Scoped(ctx, "exports:read", "customers:read"), "GET", at, nil).Want(200)
	api.Do(t, "", "GET", at, nil).WantProblem(401, "missing_credential")
	api.Do(t, api.Staff(other), "GET", at, nil).WantProblem(404, "not_found")
	api.Do(t, key, "GET", "/v1/operations/"+ids.New("op")+"/file", nil).WantProblem(404, "not_found")
	api.Do(t, key, "POST", "/v1/exports", `{"resource": "products", "format": "jsonl"}`).WantProblem(422, "invalid_export")
	api.Do(t, key, "POST", "/v1/exports", `{"resource": "wishes"}`).WantProblem(400, "invalid_request")
	if err := service.Expire(ctx, id); err != nil {
		t.Fatal(err)
	}
	api.Do(t, key, "GET", at, nil).WantProblem(404, "not_found")
	if got := api.Do(t, key, "GET", "/v1/operations/"+id, nil).Want(200); got.Get("file") != nil {
		t.Errorf("the file is still shown: %s", got.Body)
	}
}
