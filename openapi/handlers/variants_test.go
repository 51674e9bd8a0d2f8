package handlers_test

import (
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

func TestVariants(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	body := shirt()
	body["options"] = []object{{"name": "Size", "values": []string{"S", "M", "L"}}}
	product := api.Do(t, key, "POST", "/v1/products", body).Want(201)
	path := "/v1/products/" + product.String("id")
	large := object{"option_values": []string{"L"}, "sku": "LS-L", "stock_quantity": 2, "prices": []object{{"amount": 100, "currency": "EUR"}}}

	made := api.Do(t, key, "POST", path+"/variants", large).Want(201)
	id := made.String("id")
	if made.String("title") != "L" || made.Get("position") != 2.0 || made.Get("stock_quantity") != 2.0 || made.Get("weight_grams") != nil || made.Get("track_inventory") != true {
		t.Errorf("made: %s", made.Body)
	}
	api.Do(t, key, "POST", path+"/variants", large).WantProblem(422, "invalid_variant")
	api.Do(t, key, "POST", path+"/variants", object{}).WantProblem(422, "invalid_variant")
	api.Do(t, key, "POST", path+"/variants", object{"option_values": []string{"L"}, "image_id": ids.New("img")}).WantProblem(422, "invalid_variant")
	api.Do(t, key, "POST", path+"/variants", object{"stock": 1}).WantProblem(400, "invalid_request")
	api.Do(t, key, "POST", "/v1/products/"+ids.New("prod")+"/variants", large).WantProblem(404, "not_found")

	at := "/v1/variants/" + id
	changed := api.Do(t, key, "PATCH", at, object{"sku": nil, "weight_grams": 5, "barcode": "4006381333931", "position": 0,
		"prices": []object{{"amount": 7, "currency": "USD"}, {"amount": 5, "currency": "EUR"}}, "track_inventory": false}).Want(200)
	if changed.Get("sku") != nil || changed.Get("weight_grams") != 5.0 || changed.Get("position") != 0.0 || changed.Get("prices.1.amount") != 7.0 || changed.Get("track_inventory") != false {
		t.Errorf("changed: %s", changed.Body)
	}
	if got := api.Do(t, key, "PATCH", at, object{"weight_grams": nil}).Want(200); got.Get("weight_grams") != nil || got.Get("prices.1.amount") != 7.0 {
		t.Errorf("changed: %s", got.Body)
	}
	now := api.Do(t, key, "GET", path, nil).Want(200)
	if got := fmt.Sprintf("%v %v %v", now.Get("variants.0.title"), now.Get("variants.1.title"), now.Get("variants.2.position")); got != "L S 2" {
		t.Errorf("order: %s", got)
	}
	if now.Header.Get("ETag") == product.Header.Get("ETag") {
		t.Error("the product's version did not change with its variant")
	}
	// Changes are meant for a version of the product.
	api.Do(t, key, "PATCH", at, object{"barcode": nil}, "If-Match: "+product.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", at, nil, "If-Match: "+product.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "PATCH", at+"?dry_run=true", object{"barcode": nil}, "If-Match: "+now.Header.Get("ETag")).Want(200)
	api.Do(t, key, "PATCH", at, object{"option_values": []string{"S"}}).WantProblem(422, "invalid_variant")
	api.Do(t, key, "PATCH", at, object{"option_values": []string{"XXL"}}).WantProblem(422, "invalid_variant")
	api.Do(t, key, "PATCH", at, object{"prices": []object{{"amount": 5, "currency": "XXQ"}}}).WantProblem(422, "invalid_variant")
	api.Do(t, key, "PATCH", at, object{"image_id": ids.New("img")}).WantProblem(422, "invalid_variant")
	api.Do(t, api.Staff(other), "PATCH", at, object{"sku": "x"}).WantProblem(404, "not_found")
	api.Do(t, api.Staff(other), "DELETE", at, nil).WantProblem(404, "not_found")

	// The options may change as long as every variant is one of the choices.
	api.Do(t, key, "PATCH", path, object{"options": []object{{"name": "Size", "values": []string{"L", "S"}}}}).WantProblem(422, "invalid_product")
	api.Do(t, key, "PATCH", path, object{"options": []object{{"name": "Grösse", "values": []string{"L", "S", "M"}}}}).Want(200)

	// Nothing changes: no version, no trace.
	before := audits(t, api, ctx, id)
	api.Do(t, key, "PATCH", at, object{"barcode": "4006381333931", "position": 0}, apitest.ChangesNothing).Want(200)
	if after := audits(t, api, ctx, id); after != before {
		t.Errorf("a change of nothing left %q", after)
	}
	api.Do(t, key, "DELETE", at, nil).Want(204)
	api.Do(t, key, "DELETE", at, nil).WantProblem(404, "not_found")
	api.Do(t, key, "DELETE", "/v1/variants/"+product.String("variants.0.id"), nil).Want(204)
	api.Do(t, key, "DELETE", "/v1/variants/"+product.String("variants.1.id"), nil).WantProblem(409, "last_variant")
	if got := audits(t, api, ctx, id); got != "variant.create variant.update variant.update variant.delete" {
		t.Errorf("audit: %s", got)
	}
}

// What a unit costs is told beside the price, once it is known how much is in a variant.
func TestPricesPerUnit(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	tea := api.Do(t, key, "POST", "/v1/products", object{"title": "Tea", "status": "active", "variants": []object{{"prices": []object{{"amount": 799, "currency": "EUR"}}, "net_content": object{"value": "80", "unit": "g"}}}}).Want(201)
	at, shop := "/v1/variants/"+tea.String("variants.0.id"), "/v1/shop/products/tea"
	if tea.Get("variants.0.net_content.value") != "80" {
		t.Errorf("made: %s", tea.Body)
	}
	for content, want := range map[[2]string]string{{"75", "g"}: "10653 kg", {"0.5", "kg"}: "1598 kg", {"250", "ml"}: "3196 l", {"75", "cl"}: "1065 l", {"2.5", "m2"}: "320 m2", {"20", "piece"}: "40 piece", {"50", "cm"}: "1598 m"} {
		api.Do(t, key, "PATCH", at, object{"net_content": object{"value": content[0], "unit": content[1]}}).Want(200)
		got := api.Do(t, shopper, "GET", shop, nil).Want(200)
		if told := fmt.Sprint(got.Get("variants.0.unit_price.price.amount"), " ", got.Get("variants.0.unit_price.unit")); told != want {
			t.Errorf("%v: %s, want %s", content, told, want)
		}
	}
	if got := api.Do(t, shopper, "GET", "/v1/shop/products", nil).Want(200); got.Get("data.0.variants.0.unit_price") == nil {
		t.Errorf("in a list: %s", got.Body)
	}
	if got := api.Do(t, key, "PATCH", at, object{"net_content": nil}).Want(200); got.Get("net_content") != nil {
		t.Errorf("taken away: %s", got.Body)
	}
	if got := api.Do(t, shopper, "GET", shop, nil).Want(200); got.Get("variants.0.unit_price") != nil {
		t.Errorf("of nothing: %s", got.Body)
	}
	api.Do(t, key, "PATCH", at, object{"net_content": object{"value": "0", "unit": "g"}}).WantProblem(422, "invalid_variant")
	api.Do(t, key, "PATCH", at, object{"net_content": object{"value": "1", "unit": "stone"}}).WantProblem(400, "invalid_request")
}
