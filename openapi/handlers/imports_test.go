package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/postgres"
)

type importDoor struct {
	*apitest.API
	service *imports.Service
	files   *files.Disk
}

func newImports(t *testing.T) importDoor {
	t.Helper()
	db := testdb.Open(t).DB
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{})}
	ops := operations.New(db)
	service := imports.New(db, ops, catalog.New(limit(0)), &customers.Service{}, pictures, imports.Config{MaxBytes: 1 << 20}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	return importDoor{apitest.New(t,
		(&handlers.Imports{DB: db, Imports: service}).Operations(),
		(&handlers.LongOperations{DB: db, Long: ops}).Operations(),
	), service, disk}
}

// kept is how many files are kept for imports of the context's store.
func (d importDoor) kept(ctx context.Context) (n int) {
	ref, _ := postgres.StoreFrom(ctx)
	for range d.files.Keys(ctx, ref.ID+"/live/imports/") {
		n++
	}
	return n
}

func csvForm(t *testing.T, fields ...string) (string, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		var err error
		var part io.Writer
		if fields[i] == "file" {
			part, err = w.CreateFormFile("file", "products.csv")
		} else {
			part, err = w.CreateFormField(fields[i])
		}
		if err == nil {
			_, err = io.WriteString(part, fields[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body.String(), "Content-Type: " + w.FormDataContentType()
}

const (
	lamps    = "Handle,Title,Variant Price,Colour of box\nlamp,Lamp,20,red\nstool,Stool,none,red\nmug,Mug,,red\n"
	importAt = "/v1/imports?kind=shopify_products"
	asCSV    = "Content-Type: text/csv"
)

func TestImportOverHTTP(t *testing.T) {
	t.Parallel()
	d := newImports(t)
	ctx := d.Platform.Store(t)
	key := d.Staff(ctx)

	asked := d.Do(t, key, "POST", importAt, lamps, asCSV).Want(202)
	id := asked.String("id")
	if asked.String("state") != "queued" || asked.Get("progress.total") != nil || asked.String("created_by.kind") != "key" || asked.Header.Get("Location") != "/v1/operations/"+id {
		t.Errorf("asked: %v %s", asked.Header, asked.Body)
	}
	if err := d.service.Work(ctx, id, 1); err != nil {
		t.Fatal(err)
	}
	done := d.Do(t, key, "GET", "/v1/operations/"+id, nil).Want(200)
	if done.String("state") != "succeeded" || done.Get("progress.total") != 3.0 || done.Get("progress.done") != 3.0 || done.Get("finished_at") == nil || done.Get("error") != nil {
		t.Errorf("done: %s", done.Body)
	}
	if fmt.Sprint(done.Get("counts")) != "map[created:2 deleted:0 failed:1 skipped:0 updated:0 warnings:1]" || done.String("messages.0.field") != "Colour of box" {
		t.Errorf("done: %s", done.Body)
	}

	page := d.Do(t, key, "GET", "/v1/operations/"+id+"/rows?limit=2", nil).Want(200)
	if page.Get("data.0.line") != 2.0 || page.String("data.0.outcome") != "created" || !ids.Valid("prod", page.String("data.0.resource_id")) || page.String("data.1.messages.0.code") != "not_a_price" || page.Get("has_more") != true {
		t.Errorf("rows: %s", page.Body)
	}
	rest := d.Do(t, key, "GET", "/v1/operations/"+id+"/rows?limit=2&cursor="+page.String("next_cursor"), nil).Want(200)
	if rest.Get("data.0.line") != 4.0 || rest.Get("has_more") != false {
		t.Errorf("rest: %s", rest.Body)
	}
	for query, line := range map[string]float64{"outcome=failed": 3, "severity=error": 3, "severity=warning": 4, "outcome=created&severity=warning": 4} {
		if got := d.Do(t, key, "GET", "/v1/operations/"+id+"/rows?"+query, nil).Want(200); got.Get("data.0.line") != line || got.Get("data.1") != nil {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	d.Do(t, key, "POST", "/v1/operations/"+id+"/cancel", nil).WantProblem(409, "operation_finished")

	body, media := csvForm(t, "kind", "shopify_products", "file", lamps)
	second := d.Do(t, key, "POST", "/v1/imports", body, media).Want(202).String("id")
	list := d.Do(t, key, "GET", "/v1/operations?state=queued&kind=shopify_products", nil).Want(200)
	if list.String("data.0.id") != second || list.Get("data.1") != nil {
		t.Errorf("list: %s", list.Body)
	}
	if got := d.Do(t, key, "GET", "/v1/operations?limit=1", nil).Want(200); got.String("data.0.id") != second || got.Get("has_more") != true {
		t.Errorf("the latest first: %s", got.Body)
	}
	d.Do(t, key, "POST", "/v1/operations/"+second+"/cancel?dry_run=true", nil).Want(200)
	if got := d.Do(t, key, "POST", "/v1/operations/"+second+"/cancel", nil).Want(200); got.String("state") != "cancelled" {
		t.Errorf("cancelled: %s", got.Body)
	}
	if n := one[int](t, d.API, ctx, `select count(*) from audit_entries where action in ('import.create', 'import.end')`); n != 4 {
		t.Errorf("%d entries of the audit", n)
	}
}

func TestPreviewAndMappingOverHTTP(t *testing.T) {
	t.Parallel()
	d := newImports(t)
	ctx := d.Platform.Store(t)
	key := d.Staff(ctx)
	const table = "Adresse,Title,Variant Price\nlamp,Lamp,20\n"
	d.Do(t, key, "POST", importAt, table, asCSV).WantProblem(422, "file_invalid")
	asked := d.Do(t, key, "POST", importAt+"&preview=true&mapping="+url.QueryEscape(`{"Adresse": "Handle"}`), table, asCSV).Want(202)
	if asked.String("kind") != "preview_shopify_products" {
		t.Errorf("asked: %s", asked.Body)
	}
	if err := d.service.Work(ctx, asked.String("id"), 1); err != nil {
		t.Fatal(err)
	}
	rows := d.Do(t, key, "GET", "/v1/operations/"+asked.String("id")+"/rows", nil).Want(200)
	if rows.String("data.0.outcome") != "created" || rows.Get("data.0.resource_id") != nil || one[int](t, d.API, ctx, `select count(*) from products`) != 0 {
		t.Errorf("rows: %s", rows.Body)
	}
	body, media := csvForm(t, "kind", "shopify_products", "mapping", `{"Adresse": "Handle"}`, "preview", "false", "file", table)
	id := d.Do(t, key, "POST", "/v1/imports", body, media).Want(202).String("id")
	if err := d.service.Work(ctx, id, 1); err != nil {
		t.Fatal(err)
	}
	if done := d.Do(t, key, "GET", "/v1/operations/"+id, nil).Want(200); done.Get("counts.created") != 1.0 || done.Get("undo_until") == nil {
		t.Errorf("done: %s", done.Body)
	}
	d.Do(t, key, "POST", importAt+"&mapping=Handle", table, asCSV).WantProblem(400, "invalid_request")
	for name, fields := range map[string][]string{
		"too late": {"kind", "shopify_products", "file", lamps, "preview", "true"}, "no truth": {"kind", "shopify_products", "preview", "perhaps", "file", lamps},
	} {
		body, media := csvForm(t, fields...)
		if got := d.Do(t, key, "POST", "/v1/imports", body, media); got.Status != 400 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if n := d.kept(ctx); n != 2 { // of operations whose files the workers would have deleted
		t.Errorf("%d files are kept", n)
	}
}

func TestImportRefusalsOverHTTP(t *testing.T) {
	t.Parallel()
	d := newImports(t)
	ctx, other := d.Platform.Store(t), d.Platform.Store(t)
	key := d.Staff(ctx)
	d.Do(t, key, "POST", "/v1/imports", lamps, asCSV).WantProblem(400, "invalid_request")
	d.Do(t, key, "POST", "/v1/imports?kind=wishes", lamps, asCSV).WantProblem(400, "invalid_request")
	d.Do(t, key, "POST", importAt, "{}", "Content-Type: application/json").WantProblem(415, "unsupported_media_type")
	if got := d.Do(t, key, "POST", importAt, "Name,Title\na,A\n", asCSV).WantProblem(422, "file_invalid"); !strings.Contains(string(got.Body), "Handle") {
		t.Errorf("what is missing is not named: %s", got.Body)
	}
	d.Do(t, key, "POST", importAt, "Handle,Title\n"+strings.Repeat("a,A\n", 300_000), asCSV).WantProblem(413, "file_too_large")
	for name, fields := range map[string][]string{
		"no kind": {"file", lamps}, "no file": {"kind", "shopify_products"}, "another kind": {"kind", "wishes", "file", lamps},
		"twice": {"kind", "shopify_products", "file", lamps, "file", lamps}, "another field": {"file", lamps, "kind", "shopify_products", "colour", "red"},
	} {
		body, media := csvForm(t, fields...)
		if got := d.Do(t, key, "POST", "/v1/imports", body, media); got.Status != 400 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	body, media := csvForm(t, "kind", "shopify_products", "file", lamps)
	d.Do(t, key, "POST", "/v1/imports", body[:len(body)-60], media).WantProblem(400, "invalid_body")
	if n := d.kept(ctx); n != 0 {
		t.Errorf("%d files are kept of what was refused", n)
	}

	id := d.Do(t, key, "POST", importAt, lamps, asCSV).Want(202).String("id")
	stranger := d.Staff(other)
	d.Do(t, stranger, "GET", "/v1/operations/"+id, nil).WantProblem(404, "not_found")
	d.Do(t, stranger, "GET", "/v1/operations/"+id+"/rows", nil).WantProblem(404, "not_found")
	d.Do(t, stranger, "POST", "/v1/operations/"+id+"/cancel", nil).WantProblem(404, "not_found")
	d.Do(t, key, "GET", "/v1/operations/"+ids.New("prod"), nil).WantProblem(404, "not_found")
	d.Do(t, key, "GET", "/v1/operations?state=odd", nil).WantProblem(400, "invalid_request")
	d.Do(t, d.Scoped(ctx, "operations:read"), "POST", importAt, lamps, asCSV).WantProblem(403, "missing_permission")
	d.Do(t, d.Scoped(ctx, "products:read"), "GET", "/v1/operations", nil).WantProblem(403, "missing_permission")
	d.Do(t, "", "GET", "/v1/operations", nil).WantProblem(401, "missing_credential")
}

func TestImportIsIdempotent(t *testing.T) {
	t.Parallel()
	d := newImports(t)
	ctx := d.Platform.Store(t)
	key := d.Staff(ctx)
	first := d.Do(t, key, "POST", importAt, lamps, asCSV, "Idempotency-Key: a").Want(202)
	again := d.Do(t, key, "POST", importAt, lamps, asCSV, "Idempotency-Key: a").Want(202)
	if again.String("id") != first.String("id") || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("not replayed: %v", again.Header)
	}
	d.Do(t, key, "POST", importAt, lamps+"more,More,1,red\n", asCSV, "Idempotency-Key: a").WantProblem(422, "idempotency_key_reused")
	if n := d.kept(ctx); n != 1 || one[int](t, d.API, ctx, `select count(*) from operations`) != 1 {
		t.Errorf("%d files are kept", n)
	}
}
