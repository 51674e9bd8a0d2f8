package handlers_test

import (
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

func TestTaxRatesOfParts(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	key := api.Staff(api.Platform.Store(t))
	const path = "/v1/tax-rates"
	city := api.Do(t, key, "POST", path, object{
		"name": "City", "country": "US", "region": "New York", "postal_codes": []string{"104*", "100..102"}, "percentage": "4.5", "combinable": true, "tax_class": "clothing",
	}).Want(201)
	if city.String("region") != "NY" || city.String("percentage") != "4.5" || city.String("postal_codes.0") != "100..102" || city.String("postal_codes.1") != "104" ||
		city.String("tax_class") != "clothing" || city.Get("combinable") != true {
		t.Errorf("made: %s", city.Body)
	}
	state := object{"name": "State", "country": "US", "region": "NY", "percentage": "4"}
	api.Do(t, key, "POST", path, state).Want(201)
	api.Do(t, key, "POST", path, state).WantProblem(409, "tax_rate_exists")
	state["name"] = "Another"
	api.Do(t, key, "POST", path, state).WantProblem(409, "tax_rate_exists")
	state["combinable"] = true
	api.Do(t, key, "POST", path, state).Want(201)
	for _, wrong := range []object{
		{"percentage": "100.0001"}, {"region": "a\nb"}, {"postal_codes": []string{"1..22"}}, {"postal_codes": []string{"()"}}, {"country": "XX"},
	} {
		body := object{"name": "x", "country": "US", "percentage": "1"}
		for name, value := range wrong {
			body[name] = value
		}
		api.Do(t, key, "POST", path, body).WantProblem(422, "invalid_tax_rate")
	}
	for _, wrong := range []object{{"percentage": "1.23456"}, {"percentage": "-1"}, {"tax_class": "A b"}, {"rate_bps": 1900}} {
		body := object{"name": "x", "country": "US", "percentage": "1"}
		for name, value := range wrong {
			body[name] = value
		}
		api.Do(t, key, "POST", path, body).WantProblem(400, "invalid_request")
	}
	at := path + "/" + city.String("id")
	changed := api.Do(t, key, "PATCH", at, object{"tax_class": nil, "postal_codes": []string{}, "region": nil}).Want(200)
	if changed.Get("tax_class") != nil || changed.Get("region") != nil || changed.Get("postal_codes.0") != nil {
		t.Errorf("changed: %s", changed.Body)
	}
	first := api.Do(t, key, "GET", path+"?limit=2", nil).Want(200)
	if got := names(first, "name") + " " + names(api.Do(t, key, "GET", path+"?limit=2&cursor="+first.String("next_cursor"), nil).Want(200), "name"); got != "City State Another" {
		t.Errorf("pages: %s", got)
	}
}

func TestTaxClassOfVariants(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	key := api.Staff(api.Platform.Store(t))
	product := api.Do(t, key, "POST", "/v1/products", object{"title": "A book", "variants": []object{{"tax_class": "books", "prices": []object{{"amount": 1, "currency": "EUR"}}}}}).Want(201)
	if product.String("variants.0.tax_class") != "books" {
		t.Errorf("made: %s", product.Body)
	}
	at := "/v1/variants/" + product.String("variants.0.id")
	if got := api.Do(t, key, "PATCH", at, object{"tax_class": nil}).Want(200); got.Get("tax_class") != nil {
		t.Errorf("changed: %s", got.Body)
	}
	api.Do(t, key, "PATCH", at, object{"tax_class": "Ü"}).WantProblem(400, "invalid_request")
}

// A company buys without tax, and so does who is exempt; the order keeps why.
func TestStaffCarts(t *testing.T) {
	s := newSelling(t)
	made := s.Do(t, s.pk, "POST", "/v1/shop/carts", object{"country": "FR", "email": "ada@example.com", "lines": []object{{"variant_id": s.shirt, "quantity": 1}}}).Want(201)
	if made.Get("cart.totals.estimated") != true || made.String("cart.country") != "FR" || made.Get("cart.taxes.0") != nil {
		t.Errorf("made: %s", made.Body)
	}
	s.Do(t, s.pk, "POST", "/v1/shop/carts", object{"country": "QQ"}).WantProblem(422, "details_invalid")
	at, own := "/v1/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
	seen := s.Do(t, s.staff, "GET", at, nil).Want(200)
	if seen.String("id") != made.String("cart.id") || seen.Get("tax_exempt_reason") != nil {
		t.Errorf("seen: %s", seen.Body)
	}
	s.Do(t, s.staff, "GET", at, nil, "If-None-Match: "+seen.Header.Get("ETag")).Want(304)
	s.Do(t, s.pk, "GET", at, nil).WantProblem(403, "wrong_credential")
	s.Do(t, s.staff, "GET", "/v1/carts/"+ids.New("cart"), nil).WantProblem(404, "not_found")
	s.Do(t, s.staff, "PATCH", at, object{"tax_exempt_reason": "a\nb"}).WantProblem(422, "details_invalid")
	s.Do(t, s.staff, "PATCH", at, object{"email": "x@example.com"}).WantProblem(400, "invalid_request")
	s.Do(t, s.staff, "PATCH", at, object{"tax_exempt_reason": "Certificate 1"}, "If-Match: \"99\"").WantProblem(412, "stale")
	s.Do(t, s.staff, "PATCH", at+"?dry_run=true", object{"tax_exempt_reason": "Certificate 1"}, apitest.ChangesNothing).Want(200)

	berlin := object{"name": "Ada Example", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}
	s.Do(t, s.pk, "PATCH", "/v1/shop"+at[3:], object{"shipping_address": berlin, "shipping_method_id": s.Standard}, own).Want(200)
	exempt := s.Do(t, s.staff, "PATCH", at, object{"tax_exempt_reason": "Certificate 1"}).Want(200)
	if exempt.String("taxes.0.reason") != "customer_exempt" || exempt.Get("prices_include_tax") != false || exempt.Get("totals.tax.amount") != 0.0 {
		t.Errorf("exempt: %s", exempt.Body)
	}
	order := s.Do(t, s.pk, "POST", "/v1/shop"+at[3:]+"/complete", object{
		"payment": object{"provider": "test", "token": "succeeds"}, "expected_total": exempt.Get("totals.total"),
	}, own, "Idempotency-Key: exempt").Want(201)
	kept := s.Do(t, s.staff, "GET", "/v1/orders/"+order.String("id"), nil).Want(200)
	if kept.String("tax_exempt_reason") != "Certificate 1" || kept.String("lines.0.taxes.0.reason") != "customer_exempt" || kept.String("shipping.taxes.0.percentage") != "0" ||
		kept.Get("prices_include_tax") != false || kept.Get("lines.0.discount.amount") != 0.0 || kept.Get("totals.discount.amount") != 0.0 {
		t.Errorf("the order: %s", kept.Body)
	}
	s.Do(t, s.staff, "PATCH", at, object{"tax_exempt_reason": nil}).WantProblem(409, "cart_completed")
	if got := audits(t, s.API, s.Ctx, made.String("cart.id")); got != "cart.exempt" {
		t.Errorf("audit: %s", got)
	}
}
