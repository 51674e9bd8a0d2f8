package handlers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

func TestShippingMethods(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/shipping-methods"
	euros := func(amount int) []object { return []object{{"amount": amount, "currency": "EUR"}} }

	zone := api.Do(t, key, "POST", "/v1/shipping-zones", object{"name": "Near", "territories": []object{{"country": "DE"}, {"country": "FR"}}}).Want(201)

	standard := api.Do(t, key, "POST", path, object{"name": "Standard", "prices": []object{{"amount": 590, "currency": "USD"}, {"amount": 490, "currency": "EUR"}}}).Want(201)
	if standard.Get("active") != true || standard.Get("prices.0.amount") != 490.0 || standard.Get("description") != nil {
		t.Errorf("made: %s", standard.Body)
	}
	express := api.Do(t, key, "POST", path, object{"name": "Express", "prices": euros(0), "zone_id": zone.String("id"), "position": 0, "active": false, "description": "Fast"}).Want(201)
	if express.String("zone_id") != zone.String("id") || express.Get("position") != 0.0 {
		t.Errorf("made: %s", express.Body)
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
		{"name": " ", "prices": euros(1)}, {"name": "x", "prices": []object{{"amount": 1, "currency": "EUR", "tiers": []object{{"from": 5, "amount": 1}}}}},
		{"name": "x", "tiered_by": "weight", "prices": []object{{"amount": 1, "currency": "EUR", "tiers": []object{{"from": 5, "amount": 1}, {"from": 5, "amount": nil}}}}},
		{"name": "x", "prices": euros(1), "pickup_address": object{"name": "Ada", "line1": "1", "city": "Berlin", "country": "DE"}},
		{"name": "x", "prices": append(euros(1), euros(2)...)}, {"name": "x", "prices": []object{{"amount": 1, "currency": "QQQ"}}},
	} {
		api.Do(t, key, "POST", path, wrong).WantProblem(422, "invalid_shipping_method")
	}
	api.Do(t, key, "POST", path, object{"name": "x"}).WantProblem(422, "invalid_shipping_method")
	api.Do(t, key, "POST", path, object{"name": "x", "prices": euros(1), "zone_id": ids.New("shz")}).WantProblem(422, "unknown_reference")

	at := path + "/" + standard.String("id")
	changed := api.Do(t, key, "PATCH", at, object{"prices": euros(100), "position": 0, "zone_id": nil, "description": "Slow"}, "If-Match: "+standard.Header.Get("ETag")).Want(200)
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
	api.Do(t, key, "DELETE", "/v1/shipping-zones/"+zone.String("id"), nil).WantProblem(409, "shipping_zone_in_use")
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

func TestShippingZones(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/shipping-zones"
	york := api.Do(t, key, "POST", path, object{"name": "New York", "territories": []object{{"country": "US", "region": "New York", "postal_codes": []string{"104", "100..102"}}, {"country": "CA"}}}).Want(201)
	if york.String("territories.0.region") != "NY" || york.String("territories.0.postal_codes.0") != "100..102" || york.Get("territories.1.region") != nil || york.Get("territories.1.postal_codes.0") != nil {
		t.Errorf("made: %s", york.Body)
	}
	rest := api.Do(t, key, "POST", path, object{"name": "Everywhere else"}).Want(201)
	for _, wrong := range []object{{"name": " "}, {"name": "x", "territories": []object{{"country": "XX"}}}, {"name": "x", "territories": []object{{"country": "US", "postal_codes": []string{"2..1"}}}}} {
		api.Do(t, key, "POST", path, wrong).WantProblem(422, "invalid_shipping_zone")
	}
	api.Do(t, key, "POST", path, object{"name": "x", "territories": []object{{}}}).WantProblem(400, "invalid_request")
	page := api.Do(t, key, "GET", path+"?limit=1", nil).Want(200)
	if got := names(page, "name") + "," + names(api.Do(t, key, "GET", path+"?limit=1&cursor="+page.String("next_cursor"), nil).Want(200), "name"); got != "New York,Everywhere else" {
		t.Errorf("pages: %s", got)
	}
	at := path + "/" + york.String("id")
	changed := api.Do(t, key, "PATCH", at, object{"name": "Québec", "territories": []object{{"country": "CA", "region": "Québec"}}}, "If-Match: "+york.Header.Get("ETag")).Want(200)
	if changed.String("territories.0.region") != "QC" || changed.String("name") != "Québec" {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, key, "PATCH", at, object{"name": "Québec"}, apitest.ChangesNothing).Want(200)
	api.Do(t, key, "PATCH", at, object{"name": " "}).WantProblem(422, "invalid_shipping_zone")
	api.Do(t, key, "PATCH", at, object{"name": "x"}, "If-Match: "+york.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", at, nil, "If-Match: "+york.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "GET", at, nil, "If-None-Match: "+changed.Header.Get("ETag")).Want(304)
	stranger := api.Staff(other)
	api.Do(t, stranger, "GET", at, nil).WantProblem(404, "not_found")
	api.Do(t, stranger, "PATCH", at, object{"name": "mine"}).WantProblem(404, "not_found")
	api.Do(t, stranger, "DELETE", at, nil).WantProblem(404, "not_found")
	api.Do(t, key, "DELETE", at, nil).Want(204)
	api.Do(t, key, "DELETE", path+"/"+rest.String("id"), nil).Want(204)
	if got := audits(t, api, ctx, york.String("id")); got != "shipping_zone.create shipping_zone.update shipping_zone.delete" {
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

func TestAbandonedCartSettings(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/settings/abandoned-carts"
	if got := api.Do(t, key, "GET", path, nil).Want(200); got.Get("delay_minutes") != 60.0 || got.Get("mail") != "off" {
		t.Errorf("as a store begins: %s", got.Body)
	}
	api.Do(t, key, "PATCH", path+"?dry_run=true", object{"mail": "everyone"}).Want(200)
	if got := api.Do(t, key, "PATCH", path, object{"delay_minutes": 120}).Want(200); got.Get("delay_minutes") != 120.0 || got.Get("mail") != "off" {
		t.Errorf("changed: %s", got.Body)
	}
	for _, wrong := range []object{{"mail": "some"}, {"delay_minutes": 1}, {}} {
		api.Do(t, key, "PATCH", path, wrong).WantProblem(400, "invalid_request")
	}
	api.Do(t, api.Scoped(ctx, "settings:read"), "PATCH", path, object{"mail": "everyone"}).WantProblem(403, "missing_permission")
}

func TestShopAccess(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	const path = "/v1/settings/shop-access"
	if got := api.Do(t, key, "GET", path, nil).Want(200); got.Get("state") != "open" || got.Get("message") != nil || got.Get("password_set") != false {
		t.Errorf("as a store begins: %s", got.Body)
	}
	api.Do(t, key, "PATCH", path, object{"state": "password"}).WantProblem(422, "invalid_shop_access")
	closed := api.Do(t, key, "PATCH", path, object{"state": "password", "password": "linen", "message": "Soon."}).Want(200)
	if closed.Get("state") != "password" || closed.Get("password_set") != true || closed.Get("message") != "Soon." || strings.Contains(string(closed.Body), "code of") {
		t.Errorf("closed: %s", closed.Body)
	}
	api.Do(t, key, "PATCH", path, object{"password": nil}).WantProblem(422, "invalid_shop_access")
	if got := api.Do(t, key, "PATCH", path, object{"message": nil}).Want(200); got.Get("message") != nil || got.String("preview_url") != closed.String("preview_url") {
		t.Errorf("another message: %s", got.Body)
	}
	api.Do(t, key, "PATCH", path+"?dry_run=true", object{"state": "maintenance"}).Want(200)
	if got := api.Do(t, key, "PATCH", path, object{"state": "maintenance", "password": nil}).Want(200); got.Get("password_set") != false || got.String("preview_url") == closed.String("preview_url") {
		t.Errorf("maintained: %s", got.Body)
	}
	for _, wrong := range []object{{"state": "ajar"}, {"password": "x"}, {}} {
		api.Do(t, key, "PATCH", path, wrong).WantProblem(400, "invalid_request")
	}
	api.Do(t, api.Scoped(ctx, "settings:read"), "PATCH", path, object{"state": "open"}).WantProblem(403, "missing_permission")
}
