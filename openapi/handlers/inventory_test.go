package handlers_test

import (
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/platform/ids"
)

func TestInventory(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	product := api.Do(t, key, "POST", "/v1/products", shirt()).Want(201)
	small, medium := product.String("variants.0.id"), product.String("variants.1.id")
	adjust := func(reason string, lines ...object) object {
		return object{"reason": reason, "note": "Delivery 4711", "lines": lines}
	}
	line := func(id string, delta int) object { return object{"variant_id": id, "delta": delta} }
	const path = "/v1/inventory/adjustments"

	done := api.Do(t, key, "POST", path, adjust("received", line(medium, 4), line(small, 10))).Want(201)
	if got := fmt.Sprint(done.Get("levels.0.on_hand"), done.Get("levels.1.on_hand"), done.Get("levels.1.available")); got != "4 13 13" {
		t.Errorf("levels: %s", got)
	}
	if done.String("levels.1.title") != "Linen shirt, S" {
		t.Errorf("title: %s", done.Body)
	}
	// All or none, and nothing below what is reserved.
	both := api.Do(t, key, "POST", path, adjust("damaged", line(small, -14), line(medium, 1))).WantProblem(409, "stock_reserved")
	if both.String("errors.0.pointer") != "/lines/0/delta" {
		t.Errorf("faults: %s", both.Body)
	}
	api.Do(t, key, "POST", path, adjust("damaged", line(small, -1), line(small, -1))).WantProblem(422, "invalid_adjustment")
	api.Do(t, key, "POST", path, adjust("damaged", line(small, 0))).WantProblem(422, "invalid_adjustment")
	api.Do(t, key, "POST", path, adjust("damaged", line(small, 1), line(ids.New("var"), 1))).WantProblem(422, "invalid_adjustment")
	api.Do(t, key, "POST", path, adjust("received", line(small, 1_000_000_000))).WantProblem(422, "invalid_adjustment")
	api.Do(t, key, "POST", path, adjust("sale", line(small, 1))).WantProblem(400, "invalid_request")
	api.Do(t, api.Staff(other), "POST", path, adjust("received", line(small, 1))).WantProblem(422, "invalid_adjustment")
	api.Do(t, api.Scoped(ctx, "inventory:read"), "POST", path, adjust("received", line(small, 1))).WantProblem(403, "missing_permission")
	api.Do(t, key, "POST", path+"?dry_run=true", adjust("received", line(small, 1))).Want(201)
	// What is not counted may fall below zero.
	api.Do(t, key, "POST", path, adjust("correction", line(medium, -6))).Want(201)

	length := func(query string) int {
		return len(api.Do(t, key, "GET", "/v1/inventory"+query, nil).Want(200).Get("data").([]any))
	}
	for query, want := range map[string]int{"": 2, "?sku=LS-S": 1, "?variant_id=" + medium: 1, "?product_id=" + ids.New("prod"): 0,
		"?available_below=13": 1, "?available_below=14": 2, "?limit=1": 1} {
		if got := length(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	first := api.Do(t, key, "GET", "/v1/inventory?limit=1", nil).Want(200)
	if got := api.Do(t, key, "GET", "/v1/inventory?limit=1&cursor="+first.String("next_cursor"), nil).Want(200).String("data.0.variant_id"); got != medium {
		t.Errorf("second page: %s", got)
	}
	moves := api.Do(t, key, "GET", "/v1/inventory/movements?variant_id="+small, nil).Want(200)
	if got := fmt.Sprint(moves.Get("data.0.delta"), moves.Get("data.0.on_hand_after"), moves.Get("data.0.reason"), moves.Get("data.0.note"), moves.Get("data.0.actor.kind"),
		moves.Get("data.1.delta"), moves.Get("data.1.reason"), moves.Get("data.2")); got != "10 13receivedDelivery 4711key3initial<nil>" && got != "10 13 received Delivery 4711 key 3 initial <nil>" {
		t.Errorf("movements: %s", got)
	}
	if n := len(api.Do(t, key, "GET", "/v1/inventory/movements?order_id="+ids.New("ord"), nil).Want(200).Get("data").([]any)); n != 0 {
		t.Errorf("%d movements of no order", n)
	}
	if sum := one[bool](t, api, ctx, `select bool_and(v.stock = coalesce((select sum(quantity) from stock_movements m where m.variant_id = v.id), 0)) from variants v`); !sum {
		t.Error("stock is not the sum of its movements")
	}
	if got := events(t, api, ctx, small); got != "inventory.adjusted" {
		t.Errorf("events: %s", got)
	}
	// Stock shows in the product's ETag, though its version stays.
	now := api.Do(t, key, "GET", "/v1/products/"+product.String("id"), nil, "If-None-Match: "+product.Header.Get("ETag")).Want(200)
	if now.Get("variants.0.stock_quantity") != 13.0 {
		t.Errorf("product: %s", now.Body)
	}
	api.Do(t, key, "PATCH", "/v1/products/"+product.String("id"), object{"title": "Shirt"}, "If-Match: "+product.Header.Get("ETag")).Want(200)
	// Counting cannot begin where less than nothing is there.
	api.Do(t, key, "PATCH", "/v1/variants/"+medium, object{"track_inventory": true}).WantProblem(409, "stock_reserved")
}
