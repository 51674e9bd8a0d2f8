package handlers_test

import (
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
)

func TestShippingMethods(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/shipping-methods"
	euros := func(amount int) []object { return []object{{"amount": amount, "currency": "EUR"}} }

	standard := api.Do(t, key, "POST", path, object{"name": "Standard", "prices": []object{{"amount": 590, "currency": "USD"}, {"amount": 490, "currency": "EUR"}}}).Want(201)
	if standard.Get("active") != true || standard.Get("prices.0.amount") != 490.0 || standard.Get("description") != nil {
		t.Errorf("made: %s", standard.Body)
	}
	express := api.Do(t, key, "POST", path, object{"name": "Express", "prices": euros(0), "countries": []string{"FR", "DE", "FR"}, "position": 0, "active": false, "description": "Fast"}).Want(201)
	if got := fmt.Sprint(express.Get("countries"), express.Get("position")); got != "[DE FR] 0" {
		t.Errorf("made: %s", got)
	}
	list := func() string { return names(api.Do(t, key, "GET", path, nil).Want(200), "name") }
	if got := list(); got != "Express Standard" {
		t.Errorf("list: %s", got)
	}
	page := api.Do(t, key, "GET", path+"?limit=1", nil).Want(200)
	if got := names(api.Do(t, key, "GET", path+"?limit=1&cursor="+page.String("next_cursor"), nil).Want(200), "name"); got != "Standard" {
		t.Errorf("second page: %s", got)
	}
	for _, wrong := range []object{
		{"name": " ", "prices": euros(1)}, {"name": "x", "prices": euros(1), "countries": []string{"XX"}},
		{"name": "x", "prices": append(euros(1), euros(2)...)}, {"name": "x", "prices": []object{{"amount": 1, "currency": "QQQ"}}},
	} {
		api.Do(t, key, "POST", path, wrong).WantProblem(422, "invalid_shipping_method")
	}
	api.Do(t, key, "POST", path, object{"name": "x"}).WantProblem(400, "invalid_request")

	at := path + "/" + standard.String("id")
	changed := api.Do(t, key, "PATCH", at, object{"prices": euros(100), "position": 0, "countries": []string{}, "description": "Slow"}, "If-Match: "+standard.Header.Get("ETag")).Want(200)
	if changed.Get("prices.1") != nil || changed.Get("prices.0.amount") != 100.0 || changed.String("name") != "Standard" || changed.String("description") != "Slow" {
		t.Errorf("changed: %s", changed.Body)
	}
	if got := list(); got != "Standard Express" {
		t.Errorf("list: %s", got)
	}
	if got := api.Do(t, key, "PATCH", at, object{"description": nil}).Want(200); got.Get("description") != nil {
		t.Errorf("changed: %s", got.Body)
	}
	before := audits(t, api, ctx, standard.String("id"))
	api.Do(t, key, "PATCH", at, object{"name": "Standard"}, apitest.ChangesNothing).Want(200)
	if after := audits(t, api, ctx, standard.String("id")); after != before {
		t.Errorf("a change of nothing left %q", after)
	}
	api.Do(t, key, "PATCH", at, object{"name": "x"}, "If-Match: "+standard.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "PATCH", at, object{"name": " "}).WantProblem(422, "invalid_shipping_method")
	api.Do(t, key, "DELETE", at, nil, "If-Match: "+standard.Header.Get("ETag")).WantProblem(412, "stale")

	// What shoppers are told: the countries of what is offered, none when one is for all.
	countries := func() string {
		return fmt.Sprint(api.Do(t, api.Publishable(ctx), "GET", "/v1/shop", nil).Want(200).Get("shipping_countries"))
	}
	if got := countries(); got != "[]" {
		t.Errorf("countries: %s", got)
	}
	api.Do(t, key, "PATCH", path+"/"+express.String("id"), object{"active": true}).Want(200)
	if got := countries(); got != "[]" {
		t.Errorf("countries: %s", got)
	}
	stranger := api.Staff(other)
	api.Do(t, stranger, "GET", at, nil).WantProblem(404, "not_found")
	api.Do(t, stranger, "PATCH", at, object{"name": "mine"}).WantProblem(404, "not_found")
	api.Do(t, stranger, "DELETE", at, nil).WantProblem(404, "not_found")
	api.Do(t, key, "DELETE", at, nil).Want(204)
	api.Do(t, key, "GET", at, nil).WantProblem(404, "not_found")
	if got := countries(); got != "[DE FR]" {
		t.Errorf("countries: %s", got)
	}
	if got := audits(t, api, ctx, standard.String("id")); got != "shipping_method.create shipping_method.update shipping_method.update shipping_method.delete" {
		t.Errorf("audit: %s", got)
	}
}

func TestTaxRates(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/tax-rates"
	german := api.Do(t, key, "POST", path, object{"name": "MwSt", "country": "DE", "percentage": "19"}).Want(201)
	if german.Get("applies_to_shipping") != true || german.Get("percentage") != "19" {
		t.Errorf("made: %s", german.Body)
	}
	api.Do(t, key, "POST", path, object{"name": "VAT", "country": "AT", "percentage": "20", "applies_to_shipping": false}).Want(201)
	api.Do(t, key, "POST", path, object{"name": "VAT", "country": "DE", "percentage": "7"}).WantProblem(409, "tax_rate_exists")
	api.Do(t, key, "POST", path, object{"name": "VAT", "country": "XX", "percentage": "7"}).WantProblem(422, "invalid_tax_rate")
	api.Do(t, key, "POST", path, object{"name": "VAT", "country": "FR", "percentage": "100.01"}).WantProblem(422, "invalid_tax_rate")
	page := api.Do(t, key, "GET", path+"?limit=1", nil).Want(200)
	if got := names(page, "country") + names(api.Do(t, key, "GET", path+"?limit=1&cursor="+page.String("next_cursor"), nil).Want(200), "country"); got != "ATDE" {
		t.Errorf("pages: %s", got)
	}
	at := path + "/" + german.String("id")
	changed := api.Do(t, key, "PATCH", at, object{"percentage": "16", "applies_to_shipping": false}, "If-Match: "+german.Header.Get("ETag")).Want(200)
	if changed.Get("percentage") != "16" || changed.Get("applies_to_shipping") != false || changed.String("name") != "MwSt" {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, key, "PATCH", at, object{"percentage": "16"}, apitest.ChangesNothing).Want(200)
	api.Do(t, key, "PATCH", at, object{"name": " "}).WantProblem(422, "invalid_tax_rate")
	api.Do(t, key, "PATCH", at, object{"percentage": "0.01"}, "If-Match: "+german.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", at, nil, "If-Match: "+german.Header.Get("ETag")).WantProblem(412, "stale")
	stranger := api.Staff(other)
	api.Do(t, stranger, "GET", at, nil).WantProblem(404, "not_found")
	api.Do(t, stranger, "PATCH", at, object{"name": "mine"}).WantProblem(404, "not_found")
	api.Do(t, stranger, "DELETE", at, nil).WantProblem(404, "not_found")
	api.Do(t, key, "GET", at, nil, "If-None-Match: "+changed.Header.Get("ETag")).Want(304)
	api.Do(t, key, "DELETE", at, nil, "If-Match: "+changed.Header.Get("ETag")).Want(204)
	if got := audits(t, api, ctx, german.String("id")); got != "tax_rate.create tax_rate.update tax_rate.delete" {
		t.Errorf("audit: %s", got)
	}
}
