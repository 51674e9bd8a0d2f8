package handlers_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// newAsking is a shop whose carts ask the merchant's services, and the API of its settings.
func newAsking(t *testing.T) (*selling, *apitest.API) {
	t.Helper()
	s := newSelling(t)
	asked := rates.New(s.DB, sealer(t), egress.Options{AllowPlainHTTP: true, AllowPrivate: true}, slog.New(slog.DiscardHandler))
	s.carts.Rates = asked
	return s, apitest.New(t, (&handlers.Settings{DB: s.DB}).Operations(), (&handlers.RateServices{DB: s.DB, Rates: asked}).Operations())
}

func TestRateServices(t *testing.T) {
	t.Parallel()
	s, api := newAsking(t)
	staff := api.Staff(s.Ctx)
	do := func(method, path string, body any, headers ...string) *apitest.Answer {
		t.Helper()
		return api.Do(t, staff, method, "/v1"+path, body, headers...)
	}
	once := key()
	made := do("POST", "/rate-services", object{"kind": "carrier", "name": " Parcel rates ", "url": "https://rates.example.com/carrier"}, once).Want(201)
	id := made.String("service.id")
	if made.String("service.name") != "Parcel rates" || !strings.HasPrefix(made.String("secret"), "whsec_") || made.Header.Get("ETag") == "" || made.Header.Get("Location") != "/v1/rate-services/"+id {
		t.Errorf("made: %s %v", made.Body, made.Header)
	}
	if again := do("POST", "/rate-services", object{"kind": "carrier", "name": " Parcel rates ", "url": "https://rates.example.com/carrier"}, once).Want(201); again.String("service.id") != id {
		t.Errorf("again: %s", again.Body)
	}
	path := "/rate-services/" + id
	if got := do("GET", path, nil).Want(200); got.Get("secret") != nil || got.String("kind") != "carrier" || got.Get("last_failure") != nil {
		t.Errorf("read: %s", got.Body)
	}
	if sealed := shoptest.Value[string](t, s.Shop, `select encode(secret, 'escape') from rate_services`); strings.Contains(sealed, "whsec_") {
		t.Error("the secret lies open")
	}
	do("POST", "/rate-services", object{"kind": "carrier", "name": "A", "url": "https://user:word@rates.example.com"}).WantProblem(422, "invalid_rate_service")
	do("POST", "/rate-services", object{"kind": "weather", "name": "A", "url": "https://rates.example.com"}).WantProblem(400, "invalid_request")
	do("PATCH", path, object{"name": "B"}, `If-Match: "7"`).WantProblem(412, "stale")
	if got := do("PATCH", path, object{"name": "B", "active": false}, "If-Match: "+made.Header.Get("ETag")).Want(200); got.String("name") != "B" || got.Get("active") != false || got.Header.Get("ETag") == made.Header.Get("ETag") {
		t.Errorf("changed: %s", got.Body)
	}
	// One tax service is asked.
	tax := object{"kind": "tax", "name": "Taxes", "url": "https://rates.example.com/taxes"}
	first := do("POST", "/rate-services", tax).Want(201).String("service.id")
	do("POST", "/rate-services", tax).WantProblem(409, "tax_service_active")
	tax["active"] = false
	second := do("POST", "/rate-services", tax).Want(201).String("service.id")
	do("PATCH", "/rate-services/"+second, object{"active": true}).WantProblem(409, "tax_service_active")
	do("PATCH", "/rate-services/"+first, object{"active": false}).Want(200)
	do("PATCH", "/rate-services/"+second, object{"active": true}).Want(200)
	for range 7 {
		do("POST", "/rate-services", tax).Want(201)
	}
	do("POST", "/rate-services", tax).WantProblem(422, "rate_service_limit")
	if got := do("GET", "/rate-services?limit=3", nil).Want(200); got.String("data.0.id") != id || got.Get("has_more") != true {
		t.Errorf("listed: %s", got.Body)
	}
	// Methods go by carriers.
	method := object{"name": "Express", "carrier": object{"service_id": second, "rate": "express"}}
	do("POST", "/shipping-methods", method).WantProblem(422, "unknown_reference")
	do("POST", "/shipping-methods", object{"name": "Nothing"}).WantProblem(422, "invalid_shipping_method")
	method["carrier"] = object{"service_id": id, "rate": "express"}
	express := "/shipping-methods/" + do("POST", "/shipping-methods", method).Want(201).String("id")
	if got := do("GET", express, nil).Want(200); got.String("carrier.service_id") != id || got.String("carrier.rate") != "express" {
		t.Errorf("method: %s", got.Body)
	}
	do("PATCH", express, object{"pickup_address": berlin()}).WantProblem(422, "invalid_shipping_method")
	do("DELETE", path, nil).WantProblem(409, "rate_service_in_use")
	do("PATCH", express, object{"carrier": nil}).WantProblem(422, "invalid_shipping_method")
	do("PATCH", express, object{"carrier": nil, "prices": []object{{"amount": 100, "currency": "EUR"}}}).Want(200)
	do("DELETE", path, nil).Want(204)
	do("GET", path, nil).WantProblem(404, "not_found")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from audit_entries where action like 'rate\_service.%'`); n != 14 {
		t.Errorf("%d entries in the audit", n)
	}
}

// Completing asks nobody: it buys at what the shopper read, and the order keeps what was
// said.
func TestCompletionAtQuotes(t *testing.T) {
	t.Parallel()
	s, api := newAsking(t)
	staff := api.Staff(s.Ctx)
	var asked atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, `{"rates": [{"code": "express", "price": {"amount": 990, "currency": "EUR"}, "delivery_estimate": "Tomorrow"}]}`)
	}))
	t.Cleanup(service.Close)
	carrier := api.Do(t, staff, "POST", "/v1/rate-services", object{"kind": "carrier", "name": "A", "url": service.URL}).Want(201).String("service.id")
	express := api.Do(t, staff, "POST", "/v1/shipping-methods", object{"name": "Express", "carrier": object{"service_id": carrier, "rate": "express"}}).Want(201).String("id")
	made := s.shop("POST", "/carts", object{"email": "ada@example.com", "lines": []object{{"variant_id": s.shirt, "quantity": 2}}}).Want(201)
	path, token := "/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
	s.shop("PATCH", path, object{"shipping_address": berlin(), "shipping_method_id": express}, token).Want(200)
	body := completion(2, "succeeds")
	body["expected_total"] = object{"amount": 2*1999 + 990, "currency": "EUR"}
	unread := s.shop("POST", path+"/complete", body, token, key()).WantProblem(422, "cart_incomplete")
	if unread.String("errors.0.code") != "quote_missing" || asked.Load() != 0 {
		t.Errorf("before it was read: %s", unread.Body)
	}
	if staff := s.admin("GET", path, nil).Want(200); asked.Load() != 0 || staff.String("problems.0.code") != "quote_missing" {
		t.Errorf("the staff looks: asked %d times, %s", asked.Load(), staff.Body)
	}
	if options := s.shop("GET", path+"/shipping-methods", nil, token).Want(200); asked.Load() != 1 || options.String("data.2.delivery_estimate") != "Tomorrow" {
		t.Errorf("ways to send: %s", options.Body)
	}
	if read := s.shop("GET", path, nil, token).Want(200); asked.Load() != 1 || read.Get("totals.total.amount") != 4988.0 || read.String("shipping_method.delivery_estimate") != "Tomorrow" {
		t.Errorf("read: %s", read.Body)
	}
	ctx, count := postgres.Counting(t.Context())
	order := s.DoContext(t, ctx, s.pk, "POST", "/v1/shop"+path+"/complete", body, token, key()).Want(201)
	if order.String("shipping.delivery_estimate") != "Tomorrow" || order.Get("shipping.price.amount") != 990.0 || asked.Load() != 1 || count.Statements.Load() > 15 {
		t.Errorf("order: asked %d times, %d statements: %s", asked.Load(), count.Statements.Load(), order.Body)
	}
}
