package handlers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// choices are so many choices of an option.
func choices(name string, n int) object {
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf("%s %d", name, i+1))
	}
	return object{"name": name, "values": values}
}

func TestAMatrixOfVariants(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	made := api.Do(t, key, "POST", "/v1/products", object{
		"title": "Bolt", "status": "active", "options": []object{choices("Length", 16), choices("Thread", 16), choices("Head", 7)},
		"matrix": object{
			"sku_pattern": "B-{1}-{3}-{n}", "prices": []object{{"amount": 30, "currency": "EUR", "compare_at_amount": 40}},
			"cost": object{"amount": 12, "currency": "EUR"}, "weight_grams": 8, "length_mm": 60, "width_mm": 10, "height_mm": 10, "stock_quantity": 5,
		},
	}).Want(201)
	id := made.String("id")
	if made.Get("variant_count") != 1792.0 || made.Get("variants.99.id") == nil || made.Get("variants.100") != nil {
		t.Errorf("%v variants, of which more or fewer than 100 are shown", made.Get("variant_count"))
	}
	if v := made.Get("variants.8").(object); v["sku"] != "B-LENGTH-1-HEAD-2-9" || v["title"] != "Length 1 / Thread 2 / Head 2" || v["cost"].(object)["amount"] != 12.0 || v["length_mm"] != 60.0 || v["stock_quantity"] != 5.0 {
		t.Errorf("the ninth: %v", v)
	}

	// One more choice: 256 variants more, by a few statements, those that there were as they were.
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"options": []object{choices("Length", 16), choices("Thread", 16), choices("Head", 8)}}).Want(200)
	counted, count := postgres.Counting(context.Background())
	all := api.DoContext(t, counted, key, "POST", "/v1/products/"+id+"/variants/generate", object{"prices": []object{{"amount": 35, "currency": "EUR"}}}).Want(200)
	if n := count.Statements.Load(); n > 13 || all.Get("variant_count") != 2048.0 {
		t.Errorf("%v variants by %d statements", all.Get("variant_count"), n)
	}
	again := api.Do(t, key, "POST", "/v1/products/"+id+"/variants/generate", object{}, apitest.ChangesNothing).Want(200)
	if again.Header.Get("ETag") != all.Header.Get("ETag") {
		t.Error("what makes nothing changes the product")
	}
	if got := audits(t, api, ctx, id); got != "product.create product.update variant.generate" {
		t.Errorf("audit: %s", got)
	}

	api.Do(t, shopper, "GET", "/v1/shop", nil).Want(200) // by which the store's locales are known
	for path, who := range map[string]string{"/v1/products/" + id: key, "/v1/shop/products/bolt": shopper} {
		counted, count = postgres.Counting(context.Background())
		got := api.DoContext(t, counted, who, "GET", path, nil).Want(200)
		if n := count.Statements.Load(); n != 1 || len(got.Body) > 100_000 || got.Get("variant_count") != 2048.0 {
			t.Errorf("%s: %d statements, %d bytes, %v variants", path, n, len(got.Body), got.Get("variant_count"))
		}
		pages, seen, cursor := 0, map[string]bool{}, ""
		for {
			counted, count = postgres.Counting(context.Background())
			page := api.DoContext(t, counted, who, "GET", path+"/variants?limit=100"+cursor, nil).Want(200)
			if n := count.Statements.Load(); n != 1 {
				t.Fatalf("%d statements for a page of %s", n, path)
			}
			for _, v := range page.Get("data").([]any) {
				seen[v.(object)["id"].(string)] = true
			}
			if pages++; page.Get("next_cursor") == nil {
				break
			}
			cursor = "&cursor=" + page.String("next_cursor")
		}
		if pages != 21 || len(seen) != 2048 {
			t.Errorf("%s: %d variants on %d pages", path, len(seen), pages)
		}
		one := api.Do(t, who, "GET", path+"/variants?option1=Length+3&option3=Head+8&option2=Thread+16", nil).Want(200)
		if names(one, "title") != "Length 3 / Thread 16 / Head 8" {
			t.Errorf("%s: %s", path, one.Body)
		}
	}
	// What it costs the merchant is nobody else's business.
	for _, path := range []string{"/v1/shop/products", "/v1/shop/products/bolt", "/v1/shop/products/bolt/variants", "/v1/shop/search?q=bolt"} {
		if got := api.Do(t, shopper, "GET", path, nil).Want(200); strings.Contains(string(got.Body), "cost") {
			t.Errorf("%s tells the cost: %s", path, got.Body)
		}
	}
	if api.Do(t, shopper, "GET", "/v1/shop/products/bolt", nil).Want(200).Get("price_to.amount") != 35.0 {
		t.Error("the dearest variant is not among those that the price is of")
	}
	variant := all.String("variants.0.id")
	patched := api.Do(t, key, "PATCH", "/v1/variants/"+variant, object{"cost": nil, "width_mm": nil, "height_mm": 12}).Want(200)
	if got := api.Do(t, key, "GET", "/v1/variants/"+variant, nil).Want(200); string(got.Body) != string(patched.Body) || got.Get("cost") != nil || got.Get("width_mm") != nil || got.Get("height_mm") != 12.0 {
		t.Errorf("patched: %s", got.Body)
	}
	// As many as there can be.
	api.Do(t, key, "POST", "/v1/products/"+id+"/variants", object{"option_values": []string{"Length 1", "Thread 1", "Head 1"}}).WantProblem(422, "variant_limit")
}

func TestAMatrixIsRefused(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	sizes := []object{choices("Size", 2)}
	for name, body := range map[string]object{
		"no options":       {"title": "x", "matrix": object{}},
		"too many":         {"title": "x", "options": []object{choices("a", 250), choices("b", 10)}, "matrix": object{}},
		"listed as well":   {"title": "x", "options": sizes, "matrix": object{}, "variants": []object{{"option_values": []string{"Size 1"}}}},
		"unknown pattern":  {"title": "x", "options": sizes, "matrix": object{"sku_pattern": "{size}"}},
		"no second option": {"title": "x", "options": sizes, "matrix": object{"sku_pattern": "{1}{2}"}},
		"a long number":    {"title": "x", "options": sizes, "matrix": object{"sku_pattern": strings.Repeat("{1}", 80)}},
		"no such currency": {"title": "x", "options": sizes, "matrix": object{"cost": object{"amount": 1, "currency": "ABC"}}},
	} {
		if got := api.Do(t, key, "POST", "/v1/products", body).WantProblem(422, "invalid_product"); len(got.Body) > 2000 {
			t.Errorf("%s: says it %d bytes long", name, len(got.Body))
		}
	}
	plain := api.Do(t, key, "POST", "/v1/products", object{"title": "x"}).Want(201).String("id")
	api.Do(t, key, "POST", "/v1/products/"+plain+"/variants/generate", object{}).WantProblem(422, "invalid_variant")
	api.Do(t, api.Staff(other), "POST", "/v1/products/"+plain+"/variants/generate", object{}).WantProblem(404, "not_found")
	api.Do(t, api.Staff(other), "GET", "/v1/products/"+plain+"/variants", nil).WantProblem(404, "not_found")
}

// What is scheduled appears and goes by the clock alone, for those too who are answered
// from memory.
func TestProductsAppearAndGoByTheClock(t *testing.T) {
	t.Parallel()
	db, service := testdb.Open(t).DB, catalog.New(limit(0))
	api := apitest.New(t,
		(&handlers.Products{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, AcceptsOrders: open, Answers: handlers.NewAnswers(nil), Editions: catalog.NewEditions(db)}).Operations(),
	)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	publish := time.Now().Add(3 * time.Second).Truncate(time.Millisecond)
	unpublish := publish.Add(3 * time.Second)
	made := api.Do(t, key, "POST", "/v1/products", object{"title": "Advent", "status": "active", "publish_at": publish, "unpublish_at": unpublish}).Want(201)
	if made.String("published_at") != made.String("publish_at") {
		t.Errorf("made: %s", made.Body)
	}
	shown := func() bool {
		list := api.Do(t, shopper, "GET", "/v1/shop/products", nil).Want(200)
		got := api.Do(t, shopper, "GET", "/v1/shop/products/advent", nil)
		if names(list, "title") == "" {
			return false
		}
		return got.Status == 200
	}
	for time.Now().Before(publish.Add(-200 * time.Millisecond)) {
		if shown() && time.Now().Before(publish) {
			t.Fatal("shown before its time")
		}
		time.Sleep(50 * time.Millisecond)
	}
	wait := func(want bool) time.Time {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if shown() == want {
				return time.Now()
			}
			if time.Now().After(end) {
				t.Fatalf("shown is not %v", want)
			}
		}
	}
	wait(true)
	if at := wait(false); at.Before(unpublish) {
		t.Errorf("gone %v before its time", unpublish.Sub(at))
	}
	api.Do(t, key, "PATCH", "/v1/products/"+made.String("id"), object{"publish_at": unpublish, "unpublish_at": publish}).WantProblem(422, "invalid_product")
	open := api.Do(t, key, "PATCH", "/v1/products/"+made.String("id"), object{"unpublish_at": nil}).Want(200)
	if open.Get("unpublish_at") != nil {
		t.Errorf("for good: %s", open.Body)
	}
	if same := api.Do(t, key, "PATCH", "/v1/products/"+made.String("id"), object{"publish_at": publish}, apitest.ChangesNothing).Want(200); same.Header.Get("ETag") != open.Header.Get("ETag") {
		t.Error("the same instant again is a change")
	}
}
