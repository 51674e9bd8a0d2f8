package handlers_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func TestBulk(t *testing.T) {
	t.Parallel()
	db, service := testdb.Open(t).DB, catalog.New(limit(0))
	ops := operations.New(db)
	changes := bulk.New(db, ops, service, bulk.Config{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	api := apitest.New(t,
		(&handlers.Products{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Bulk{DB: db, Bulk: changes}).Operations(),
		(&handlers.LongOperations{DB: db, Long: ops, Bulk: changes}).Operations(),
	)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, stranger := api.Staff(ctx), api.Staff(other)
	work := func(ctx context.Context, asked *apitest.Answer) *apitest.Answer {
		t.Helper()
		if err := changes.Work(ctx, asked.String("id"), 1); err != nil {
			t.Fatal(err)
		}
		return api.Do(t, key, "GET", "/v1/operations/"+asked.String("id"), nil)
	}
	first := api.Do(t, key, "POST", "/v1/products", shirt()).Want(201)
	second := api.Do(t, key, "POST", "/v1/products", object{"title": "Cap", "status": "draft", "tags": []string{"wool"}}).Want(201)
	id, variant := first.String("id"), first.String("variants.0.id")

	// Each with changes of its own; only a trial at first.
	items := object{"action": "update", "items": []object{
		{"product_id": id, "changes": object{"vendor": nil, "add_tags": []string{"sale"}, "publish_at": "2027-01-01T00:00:00Z"}},
		{"product_id": second.String("id"), "changes": object{"title": "Woollen cap", "category_id": nil}},
		{"product_id": ids.New("prod"), "changes": object{"title": "None"}},
	}}
	api.Do(t, key, "POST", "/v1/products/bulk?dry_run=true", items).Want(202)
	asked := api.Do(t, key, "POST", "/v1/products/bulk", items).Want(202)
	if asked.Get("progress.total") != 3.0 || asked.String("kind") != "bulk_update_products" || asked.Header.Get("Location") != "/v1/operations/"+asked.String("id") {
		t.Errorf("asked: %s", asked.Body)
	}
	api.Do(t, key, "POST", "/v1/operations/"+asked.String("id")+"/undo", nil).WantProblem(409, "operation_running")
	done := work(ctx, asked).Want(200)
	if done.String("state") != "succeeded" || done.Get("counts.updated") != 2.0 || done.Get("counts.failed") != 1.0 || done.Get("undo_until") == nil {
		t.Errorf("done: %s", done.Body)
	}
	failed := api.Do(t, key, "GET", "/v1/operations/"+asked.String("id")+"/rows?outcome=failed", nil).Want(200)
	if failed.Get("data.0.line") != 3.0 || failed.String("data.0.messages.0.code") != "not_found" {
		t.Errorf("failed: %s", failed.Body)
	}
	now := api.Do(t, key, "GET", "/v1/products/"+id, nil).Want(200)
	if now.Get("vendor") != nil || !strings.Contains(string(now.Body), "sale") || now.Get("publish_at") == nil {
		t.Errorf("changed: %s", now.Body)
	}
	undo := api.Do(t, key, "POST", "/v1/operations/"+asked.String("id")+"/undo", nil).Want(202)
	if undo.String("kind") != "undo" || undo.String("undoes") != asked.String("id") {
		t.Errorf("undo: %s", undo.Body)
	}
	if got := work(ctx, undo).Want(200); got.Get("counts.updated") != 2.0 {
		t.Errorf("undone: %s", got.Body)
	}
	back := api.Do(t, key, "GET", "/v1/products/"+id, nil).Want(200)
	if back.String("vendor") != "Example Mill" || back.Get("publish_at") != nil || strings.Contains(string(back.Body), "sale") {
		t.Errorf("undone: %s", back.Body)
	}
	api.Do(t, key, "POST", "/v1/operations/"+asked.String("id")+"/undo", nil).WantProblem(409, "not_undoable")

	// Prices, by a filter.
	asked = api.Do(t, key, "POST", "/v1/variants/bulk", object{
		"action": "update", "filter": object{"tag": "linen"},
		"changes": object{"adjust_price": object{"currency": "EUR", "by_percentage": "-10.5", "by_amount": 1, "compare_at": "former"}, "tax_class": "reduced"},
	}).Want(202)
	if got := work(ctx, asked).Want(200); got.Get("counts.updated") != 2.0 {
		t.Errorf("prices: %s", got.Body)
	}
	now = api.Do(t, key, "GET", "/v1/products/"+id, nil).Want(200)
	if now.Get("variants.0.prices.0.amount") != 4387.0 || now.Get("variants.0.prices.0.compare_at_amount") != 4900.0 || now.String("variants.0.tax_class") != "reduced" || now.Get("variants.0.prices.1.amount") != 5500.0 {
		t.Errorf("prices: %s", now.Body)
	}

	// A store changes nothing of another's.
	foreign := api.Do(t, stranger, "POST", "/v1/variants/bulk", object{"action": "delete", "variant_ids": []string{variant}}).Want(202)
	if err := changes.Work(other, foreign.String("id"), 1); err != nil {
		t.Fatal(err)
	}
	if got := api.Do(t, stranger, "GET", "/v1/operations/"+foreign.String("id"), nil).Want(200); got.Get("counts.failed") != 1.0 {
		t.Errorf("another's: %s", got.Body)
	}
	api.Do(t, stranger, "POST", "/v1/operations/"+asked.String("id")+"/undo", nil).WantProblem(404, "not_found")

	for name, body := range map[string]object{
		"nothing":         {"action": "delete"},
		"two ways":        {"action": "delete", "product_ids": []string{id}, "filter": object{"tag": "x"}},
		"no change":       {"action": "update", "product_ids": []string{id}},
		"changed deleted": {"action": "delete", "product_ids": []string{id}, "changes": object{"title": "x"}},
		"items deleted":   {"action": "delete", "items": []object{{"product_id": id, "changes": object{"title": "x"}}}},
		"twice":           {"action": "delete", "product_ids": []string{id, id}},
	} {
		if got := api.Do(t, key, "POST", "/v1/products/bulk", body); got.Status != 422 || got.String("code") != "invalid_bulk" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	api.Do(t, key, "POST", "/v1/products/bulk", object{"action": "delete", "filter": object{}}).WantProblem(400, "invalid_request")
	api.Do(t, api.Scoped(ctx, "products:read"), "POST", "/v1/products/bulk", object{"action": "delete", "product_ids": []string{id}}).WantProblem(403, "missing_permission")

	counted, count := postgres.Counting(context.Background())
	api.DoContext(t, counted, key, "POST", "/v1/products/bulk", object{"action": "delete", "filter": object{"tag": "linen"}}).Want(202)
	if n := count.Statements.Load(); n > 6 {
		t.Errorf("%d statements to ask for an operation", n)
	}
}
