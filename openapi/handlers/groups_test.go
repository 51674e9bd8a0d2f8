package handlers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// names are the names in a list's answer.
func names(answer *apitest.Answer, field string) string {
	var out []string
	for _, item := range answer.Get("data").([]any) {
		out = append(out, fmt.Sprint(item.(object)[field]))
	}
	return strings.Join(out, " ")
}

func TestCategories(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, stranger, shopper := api.Staff(ctx), api.Staff(other), api.Publishable(ctx)
	create := func(name, parent string) string {
		body := object{"name": name}
		if parent != "" {
			body["parent_id"] = parent
		}
		return api.Do(t, key, "POST", "/v1/categories", body).Want(201).String("id")
	}
	list := func(query string) string {
		return names(api.Do(t, key, "GET", "/v1/categories"+query, nil).Want(200), "name")
	}
	clothes, shoes := create("Clothes", ""), create("Shoes", "")
	shirts, trousers := create("Shirts", clothes), create("Trousers", clothes)
	linen := create("Linen", shirts)
	first := api.Do(t, key, "POST", "/v1/categories", object{"name": "New", "position": 0, "description": " Fresh. "}).Want(201)
	if first.String("description") != "Fresh." || first.String("handle") != "new" || first.Get("position") != 0.0 {
		t.Errorf("made: %s", first.Body)
	}
	if got := list(""); got != "New Clothes Shoes Shirts Trousers Linen" {
		t.Errorf("all: %s", got)
	}
	if got := list("?parent_id=" + clothes); got != "Shirts Trousers" {
		t.Errorf("below clothes: %s", got)
	}
	page := api.Do(t, key, "GET", "/v1/categories?limit=4", nil).Want(200)
	if got := list("?limit=4&cursor=" + page.String("next_cursor")); got != "Trousers Linen" {
		t.Errorf("second page: %s", got)
	}
	shop := api.Do(t, shopper, "GET", "/v1/shop/categories", nil).Want(200)
	if got := names(shop, "handle"); got != "new clothes shoes shirts trousers linen" {
		t.Errorf("shop: %s", got)
	}
	api.Do(t, shopper, "GET", "/v1/shop/categories", nil, "If-None-Match: "+shop.Header.Get("ETag")).Want(304)

	api.Do(t, key, "POST", "/v1/categories", object{"name": "X", "handle": "shirts"}).WantProblem(409, "handle_taken")
	api.Do(t, key, "POST", "/v1/categories", object{"name": "X", "parent_id": ids.New("cat")}).WantProblem(422, "invalid_category")
	api.Do(t, key, "POST", "/v1/categories", object{"name": " "}).WantProblem(422, "invalid_category")
	if got := api.Do(t, key, "POST", "/v1/categories?dry_run=true", object{"name": "Shirts"}).Want(201).String("handle"); got != "shirts-2" {
		t.Errorf("handle %s", got)
	}

	// Moves: order among sisters, cycles, and all that is below.
	at := func(id string) string { return "/v1/categories/" + id }
	api.Do(t, key, "PATCH", at(clothes), object{"parent_id": linen}).WantProblem(422, "category_cycle")
	api.Do(t, key, "PATCH", at(clothes), object{"parent_id": clothes}).WantProblem(422, "category_cycle")
	api.Do(t, key, "PATCH", at(trousers), object{"position": 0}).Want(200)
	if got := list("?parent_id=" + clothes); got != "Trousers Shirts" {
		t.Errorf("after the move: %s", got)
	}
	moved := api.Do(t, key, "PATCH", at(shirts), object{"parent_id": shoes, "name": "Shirts!", "description": nil}).Want(200)
	if moved.String("parent_id") != shoes || moved.Get("position") != 0.0 {
		t.Errorf("moved: %s", moved.Body)
	}
	api.Do(t, key, "PATCH", at(shirts), object{"name": "Late"}, `If-Match: "1"`).WantProblem(412, "stale")
	if got := one[string](t, api, ctx, `select path from categories where id = $1`, linen); got != shoes+"/"+shirts+"/"+linen+"/" {
		t.Errorf("path: %s", got)
	}
	if got := api.Do(t, key, "PATCH", at(shirts), object{"parent_id": nil}).Want(200); got.Get("parent_id") != nil || got.Get("position") != 3.0 {
		t.Errorf("at the top: %s", got.Body)
	}
	api.Do(t, key, "PATCH", at(shirts), object{"parent_id": ids.New("cat")}).WantProblem(422, "invalid_category")
	api.Do(t, key, "PATCH", at(shirts), object{"handle": "shoes"}).WantProblem(409, "handle_taken")
	deep := linen
	for i := range 8 {
		deep = create(fmt.Sprint("Level ", i), deep)
	}
	api.Do(t, key, "POST", "/v1/categories", object{"name": "Too deep", "parent_id": deep}).WantProblem(422, "category_too_deep")
	api.Do(t, key, "PATCH", at(shirts), object{"parent_id": shoes}).WantProblem(422, "category_too_deep")

	// A deleted category leaves its products.
	body := shirt()
	body["category_id"] = trousers
	product := api.Do(t, key, "POST", "/v1/products", body).Want(201)
	api.Do(t, key, "DELETE", at(shirts), nil).WantProblem(409, "category_not_empty")
	api.Do(t, key, "DELETE", at(trousers), nil, `If-Match: "99"`).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", at(trousers), nil).Want(204)
	api.Do(t, key, "GET", at(trousers), nil).WantProblem(404, "not_found")
	if got := api.Do(t, key, "GET", "/v1/products/"+product.String("id"), nil).Want(200); got.Get("category_id") != nil {
		t.Errorf("product: %s", got.Body)
	}
	api.Do(t, key, "GET", at(shoes), nil).Want(200)
	api.Do(t, stranger, "GET", at(shoes), nil).WantProblem(404, "not_found")
	api.Do(t, stranger, "PATCH", at(shoes), object{"name": "mine"}).WantProblem(404, "not_found")
	api.Do(t, stranger, "DELETE", at(shoes), nil).WantProblem(404, "not_found")
	if got := events(t, api, ctx, trousers); got != "category.created category.updated category.deleted" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, api, ctx, trousers); got != "category.create category.update category.delete" {
		t.Errorf("audit: %s", got)
	}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, stranger, shopper := api.Staff(ctx), api.Staff(other), api.Publishable(ctx)
	var products []string
	for i := range 4 {
		body := object{"title": fmt.Sprint("P", i), "status": "active"}
		if i == 2 {
			body["status"] = "draft"
		}
		products = append(products, api.Do(t, key, "POST", "/v1/products", body).Want(201).String("id"))
	}
	made := api.Do(t, key, "POST", "/v1/collections", object{"name": "Summer", "description_html": "<p>Warm<script>x</script></p>", "product_ids": []string{products[1], products[0], products[1]}}).Want(201)
	id := made.String("id")
	if made.Get("product_count") != 2.0 || made.String("description_html") != "<p>Warm</p>" || made.String("handle") != "summer" {
		t.Errorf("made: %s", made.Body)
	}
	at := "/v1/collections/" + id
	api.Do(t, key, "POST", "/v1/collections", object{"name": "X", "handle": "summer"}).WantProblem(409, "handle_taken")
	wrong := api.Do(t, key, "POST", "/v1/collections", object{"name": "X", "product_ids": []string{products[0], ids.New("prod")}}).WantProblem(422, "invalid_collection")
	if wrong.String("errors.0.pointer") != "/product_ids/1" {
		t.Errorf("faults: %s", wrong.Body)
	}
	if got := api.Do(t, key, "POST", "/v1/collections", object{"name": "Summer"}).Want(201).String("handle"); got != "summer-2" {
		t.Errorf("handle %s", got)
	}

	added := api.Do(t, key, "POST", at+"/products", object{"product_ids": []string{products[3], products[0], products[2]}}).Want(200)
	if added.Get("product_count") != 4.0 {
		t.Errorf("added: %s", added.Body)
	}
	api.Do(t, key, "POST", at+"/products", object{"product_ids": []string{products[3]}}, apitest.ChangesNothing).Want(200) // changes nothing
	api.Do(t, key, "POST", at+"/products", object{"product_ids": []string{}}).WantProblem(400, "invalid_request")
	inside := func(key, path string) string { return names(api.Do(t, key, "GET", path, nil).Want(200), "title") }
	if got := inside(key, at+"/products"); got != "P1 P0 P3 P2" {
		t.Errorf("inside: %s", got)
	}
	page := api.Do(t, key, "GET", at+"/products?limit=3", nil).Want(200)
	if got := inside(key, at+"/products?limit=3&cursor="+page.String("next_cursor")); got != "P2" {
		t.Errorf("second page: %s", got)
	}
	if got := inside(shopper, "/v1/shop/products?collection_id="+id); got != "P1 P0 P3" {
		t.Errorf("in the shop: %s", got)
	}
	page = api.Do(t, shopper, "GET", "/v1/shop/products?limit=1&collection_id="+id, nil).Want(200)
	if got := inside(shopper, "/v1/shop/products?limit=1&collection_id="+id+"&cursor="+page.String("next_cursor")); got != "P0" {
		t.Errorf("second page in the shop: %s", got)
	}
	if got := inside(key, "/v1/products?collection_id="+id+"&status=draft"); got != "P2" {
		t.Errorf("filtered: %s", got)
	}
	if got := api.Do(t, key, "GET", "/v1/products/"+products[0], nil).Want(200).String("collection_ids.0"); got != id {
		t.Errorf("collection of the product: %s", got)
	}

	api.Do(t, key, "DELETE", at+"/products/"+products[0], nil).Want(204)
	api.Do(t, key, "DELETE", at+"/products/"+products[0], nil).WantProblem(404, "not_found")
	etag := api.Do(t, key, "GET", at, nil).Want(200).Header.Get("ETag")
	changed := api.Do(t, key, "PATCH", at, object{"name": "Late summer", "handle": "late"}, "If-Match: "+etag).Want(200)
	if changed.String("name") != "Late summer" || changed.Get("product_count") != 3.0 {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, key, "PATCH", at, object{"name": "Late summer"}, apitest.ChangesNothing).Want(200)
	api.Do(t, key, "PATCH", at, object{"name": "x"}, "If-Match: "+etag).WantProblem(412, "stale")
	api.Do(t, key, "PATCH", at, object{"handle": "summer-2"}).WantProblem(409, "handle_taken")
	api.Do(t, key, "PATCH", at, object{"name": " "}).WantProblem(422, "invalid_collection")
	if got := names(api.Do(t, key, "GET", "/v1/collections", nil).Want(200), "handle"); got != "summer-2 late" {
		t.Errorf("list: %s", got)
	}
	if got := names(api.Do(t, shopper, "GET", "/v1/shop/collections", nil).Want(200), "handle"); got != "summer-2 late" {
		t.Errorf("list: %s", got)
	}
	api.Do(t, shopper, "GET", "/v1/shop/collections/late", nil).Want(200)
	api.Do(t, shopper, "GET", "/v1/shop/collections/"+id, nil).Want(200)
	api.Do(t, shopper, "GET", "/v1/shop/collections/nothing", nil).WantProblem(404, "not_found")

	for _, try := range [][3]any{{"GET", at, nil}, {"PATCH", at, object{"name": "mine"}}, {"DELETE", at, nil}, {"GET", at + "/products", nil},
		{"POST", at + "/products", object{"product_ids": []string{products[0]}}}, {"DELETE", at + "/products/" + products[1], nil}} {
		api.Do(t, stranger, try[0].(string), try[1].(string), try[2]).WantProblem(404, "not_found")
	}
	api.Do(t, key, "DELETE", at, nil, `If-Match: "1"`).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", at, nil).Want(204)
	api.Do(t, key, "GET", "/v1/products/"+products[1], nil).Want(200)
	if got := events(t, api, ctx, id); got != "collection.created collection.updated collection.updated collection.updated collection.deleted" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, api, ctx, id); got != "collection.create collection.add collection.remove collection.update collection.delete" {
		t.Errorf("audit: %s", got)
	}
}

func TestCollectionsByRule(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	var products []string
	for _, title := range []string{"Mug", "Bowl"} {
		body := object{"title": title, "status": "active", "tags": []string{"clay"}, "variants": []object{{"prices": []object{{"amount": 1800, "currency": "EUR"}}}}}
		products = append(products, api.Do(t, key, "POST", "/v1/products", body).Want(201).String("id"))
	}
	rule := func(conditions ...object) object { return object{"match": "all", "conditions": conditions} }
	clay := object{"field": "tag", "operator": "equals", "value": "clay"}
	cheap := object{"field": "price", "operator": "less_than", "value": "2000"}
	made := api.Do(t, key, "POST", "/v1/collections", object{"name": "Clay", "sort_order": "title", "rule": rule(clay, cheap), "seo_title": "Pots"}).Want(201)
	if made.Get("product_count") != 2.0 || made.String("rule.conditions.1.currency") != "EUR" || made.String("seo_title") != "Pots" {
		t.Errorf("made: %s", made.Body)
	}
	at := "/v1/collections/" + made.String("id")
	if got := names(api.Do(t, shopper, "GET", "/v1/shop/products?collection_id="+made.String("id"), nil).Want(200), "title"); got != "Bowl Mug" {
		t.Errorf("in the shop: %s", got)
	}
	if got := api.Do(t, shopper, "GET", "/v1/shop/collections/clay", nil).Want(200).String("seo_title"); got != "Pots" {
		t.Errorf("for search engines: %s", got)
	}
	wrong := api.Do(t, key, "POST", "/v1/collections", object{"name": "X", "rule": rule(
		object{"field": "price", "operator": "contains", "value": "x"}, object{"field": "title", "operator": "is_set", "value": "x", "currency": "EUR"},
		object{"field": "on_sale", "operator": "equals", "value": "yes", "currency": "XXQ"}, object{"field": "stock", "operator": "equals"})}).WantProblem(422, "invalid_collection")
	for i, pointer := range []string{"/rule/conditions/0/operator", "/rule/conditions/0/value", "/rule/conditions/1/currency", "/rule/conditions/1/value",
		"/rule/conditions/2/currency", "/rule/conditions/2/value", "/rule/conditions/3/value"} {
		if got := wrong.String(fmt.Sprintf("errors.%d.pointer", i)); got != pointer {
			t.Errorf("fault %d at %s, want %s", i, got, pointer)
		}
	}
	api.Do(t, key, "POST", "/v1/collections", object{"name": "X", "rule": rule(clay), "product_ids": products}).WantProblem(409, "collection_by_rule")
	api.Do(t, key, "POST", at+"/products", object{"product_ids": products}).WantProblem(409, "collection_by_rule")
	api.Do(t, key, "DELETE", at+"/products/"+products[0], nil).WantProblem(409, "collection_by_rule")
	api.Do(t, key, "PATCH", at+"/products/"+products[0], object{"position": 0}).WantProblem(409, "collection_sorted")

	if got := api.Do(t, key, "PATCH", "/v1/products/"+products[0], object{"tags": []string{}}).Want(200); len(got.Get("collection_ids").([]any)) != 0 {
		t.Errorf("a product without the tag: %s", got.Body)
	}
	if got := api.Do(t, key, "PATCH", at+"?dry_run=true", object{"rule": rule(cheap)}).Want(200).Get("product_count"); got != 2.0 {
		t.Errorf("tried, the rule finds %v", got)
	}
	changed := api.Do(t, key, "PATCH", at, object{"rule": nil, "sort_order": "manual"}).Want(200)
	if changed.Get("rule") != nil || changed.Get("product_count") != 1.0 {
		t.Errorf("without its rule: %s", changed.Body)
	}
	api.Do(t, key, "POST", at+"/products", object{"product_ids": products}).Want(200)
	api.Do(t, key, "PATCH", at+"/products/"+products[0], object{"position": 0}).Want(200)
	if got := names(api.Do(t, key, "GET", at+"/products", nil).Want(200), "title"); got != "Mug Bowl" {
		t.Errorf("by hand: %s", got)
	}
	api.Do(t, key, "PATCH", at+"/products/"+ids.New("prod"), object{"position": 0}).WantProblem(404, "not_found")
	if got := audits(t, api, ctx, made.String("id")); got != "collection.create collection.update collection.add collection.move" {
		t.Errorf("audit: %s", got)
	}
}
