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
	none := api.Do(t, api.Staff(other), "GET", "/v1/locations", nil).Want(200).String("data.0.id")
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
	api.Do(t, key, "POST", path, adjust("received", object{"variant_id": small, "delta": 1, "location_id": none})).WantProblem(422, "invalid_adjustment")
	api.Do(t, key, "POST", path, adjust("received", object{"variant_id": small, "delta": 1, "on_hand": 1})).WantProblem(422, "invalid_adjustment")
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

func TestLocations(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	small := api.Do(t, key, "POST", "/v1/products", shirt()).Want(201).String("variants.0.id")
	first := api.Do(t, key, "GET", "/v1/locations", nil).Want(200).String("data.0.id")

	made := api.Do(t, key, "POST", "/v1/locations", object{"name": " Shop ", "address": object{
		"name": "Linen", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}}).Want(201)
	shop := made.String("id")
	if got := fmt.Sprint(made.Get("name"), made.Get("address.city"), made.Get("active"), made.Get("priority")); got != "Shop Berlin true 1" && got != "ShopBerlintrue 1" {
		t.Errorf("made: %s", got)
	}
	api.Do(t, key, "POST", "/v1/locations", object{"name": " ", "address": object{"name": "L", "line1": "1", "city": "B", "country": "DE"}}).WantProblem(422, "invalid_location")
	api.Do(t, api.Scoped(ctx, "inventory:read"), "POST", "/v1/locations", object{"name": "X"}).WantProblem(403, "missing_permission")
	api.Do(t, api.Staff(other), "GET", "/v1/locations/"+shop, nil).WantProblem(404, "not_found")
	api.Do(t, api.Staff(other), "PATCH", "/v1/locations/"+shop, object{"name": "X"}).WantProblem(404, "not_found")

	// Set, transfer, and what the ledger says.
	api.Do(t, key, "POST", "/v1/inventory/adjustments", object{"reason": "correction", "lines": []object{
		{"variant_id": small, "on_hand": 7}, {"variant_id": small, "location_id": shop, "on_hand": 2}}}).Want(201)
	api.Do(t, key, "POST", "/v1/inventory/transfers", object{"from_location_id": shop, "to_location_id": first,
		"lines": []object{{"variant_id": small, "quantity": 3}}}).WantProblem(409, "stock_reserved")
	moved := api.Do(t, key, "POST", "/v1/inventory/transfers", object{"from_location_id": first, "to_location_id": shop, "note": "To the shop",
		"lines": []object{{"variant_id": small, "quantity": 5}}}).Want(201)
	if got := fmt.Sprintln(moved.Get("levels.0.on_hand"), moved.Get("levels.1.on_hand"), moved.Get("levels.1.location_id")); got != fmt.Sprintln(2, 7, shop) {
		t.Errorf("levels: %s", got)
	}
	pair := api.Do(t, key, "GET", "/v1/inventory/movements?type=transfer&transfer_id="+moved.String("id"), nil).Want(200)
	if got := fmt.Sprintln(pair.Get("data.0.delta"), pair.Get("data.1.delta"), pair.Get("data.2")); got != fmt.Sprintln(5, -5, nil) {
		t.Errorf("pair: %s", pair.Body)
	}
	levels := api.Do(t, key, "GET", "/v1/inventory/levels?limit=1&variant_id="+small, nil).Want(200)
	next := api.Do(t, key, "GET", "/v1/inventory/levels?limit=1&variant_id="+small+"&cursor="+levels.String("next_cursor"), nil).Want(200)
	if got := fmt.Sprintln(levels.Get("data.0.on_hand"), next.Get("data.0.available"), next.Get("has_more")); got != fmt.Sprintln(2, 7, false) {
		t.Errorf("levels: %s %s", levels.Body, next.Body)
	}
	if n := len(api.Do(t, key, "GET", "/v1/inventory/levels?location_id="+shop, nil).Want(200).Get("data").([]any)); n != 1 {
		t.Errorf("%d levels at the shop", n)
	}

	// How stock is watched.
	item := api.Do(t, key, "PATCH", "/v1/inventory/"+small, object{"low_stock_threshold": 9, "backorder_limit": 5, "backorder_expected_on": "2026-12-24"}).Want(200)
	if got := fmt.Sprintln(item.Get("on_hand"), item.Get("low_stock_threshold"), item.Get("backorder_limit"), item.Get("backorder_expected_on")); got != fmt.Sprintln(9, 9, 5, "2026-12-24") {
		t.Errorf("item: %s", item.Body)
	}
	if low := api.Do(t, key, "GET", "/v1/inventory?low=true", nil).Want(200); low.String("data.0.variant_id") != small {
		t.Errorf("low: %s", low.Body)
	}
	api.Do(t, key, "PATCH", "/v1/inventory/"+small, object{"low_stock_threshold": nil}).Want(200)
	if item := api.Do(t, key, "GET", "/v1/inventory/"+small, nil).Want(200); item.Get("low_stock_threshold") != nil || item.Get("backorder_limit") != 5.0 {
		t.Errorf("item: %s", item.Body)
	}
	api.Do(t, api.Staff(other), "GET", "/v1/inventory/"+small, nil).WantProblem(404, "not_found")
	api.Do(t, api.Staff(other), "PATCH", "/v1/inventory/"+small, object{"backorder_limit": 1}).WantProblem(404, "not_found")

	// Changing and deleting.
	path := "/v1/locations/" + shop
	api.Do(t, key, "DELETE", path, nil).WantProblem(409, "location_in_use")
	off := api.Do(t, key, "PATCH", path, object{"active": false, "address": nil, "name": "Closed"}, "If-Match: "+made.Header.Get("ETag")).Want(200)
	if off.Get("address") != nil || api.Do(t, key, "GET", "/v1/inventory/"+small, nil).Want(200).Get("available") != 2.0 {
		t.Errorf("closed: %s", off.Body)
	}
	api.Do(t, key, "PATCH", path, object{"name": "X"}, "If-Match: "+made.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "PATCH", "/v1/locations/"+first, object{"active": false}).WantProblem(409, "last_location")
	api.Do(t, key, "DELETE", "/v1/locations/"+first, nil).WantProblem(409, "last_location")
	api.Do(t, key, "POST", "/v1/inventory/transfers", object{"from_location_id": shop, "to_location_id": first, "lines": []object{{"variant_id": small, "quantity": 7}}}).Want(201)
	api.Do(t, key, "DELETE", path+"?dry_run=true", nil).Want(204)
	api.Do(t, key, "DELETE", path, nil).Want(204)
	api.Do(t, key, "GET", path, nil).WantProblem(404, "not_found")
	if got := events(t, api, ctx, shop); got != "location.created location.updated location.deleted" {
		t.Errorf("events: %s", got)
	}
}
