package app_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// What shoppers are answered of the catalogue is kept, and never past a change that they
// can see: of a product, of a price, of the last one's being sold and coming back.
func TestTheCatalogueIsKeptUntilItChanges(t *testing.T) {
	p := apptest.Start(t, nil)
	client := p.Client()
	call := func(operation, key string, path map[string]string, body any, headers ...string) any {
		t.Helper()
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		c := probe.Call{Operation: operation, Path: path, Header: http.Header{}}
		if body != nil {
			c.Body = raw
			c.Header.Set("Content-Type", "application/json")
			if p.Probe.Operation(operation).Method == http.MethodPatch {
				c.Header.Set("Content-Type", "application/merge-patch+json")
			}
		}
		if key != "" {
			c.Header.Set("Authorization", "Bearer "+key)
		}
		for i := 0; i < len(headers); i += 2 {
			c.Header.Set(headers[i], headers[i+1])
		}
		answer, err := p.Probe.Do(t.Context(), client, c)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status >= 300 || answer.Broken != nil {
			t.Fatalf("%s: %d %v: %s", operation, answer.Status, answer.Broken, answer.Body)
		}
		var value any
		if len(answer.Body) > 0 {
			if err := json.Unmarshal(answer.Body, &value); err != nil {
				t.Fatal(err)
			}
		}
		return value
	}
	in := func(value any, pointer string) any {
		found, _ := probe.Lookup(value, pointer)
		return found
	}
	text := func(value any, pointer string) string { s, _ := in(value, pointer).(string); return s }

	born := call("signUp", "", nil, map[string]any{
		"email": "ada@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example",
		"store_name": "Linen", "store_address": "linen-" + run(), "country": "DE", "currency": "EUR",
	}, "Idempotency-Key", "sign-up")
	secret, shopper := text(born, "/keys/test/secret"), text(born, "/keys/test/publishable")
	product := call("createProduct", secret, nil, map[string]any{"title": "Linen shirt", "status": "active", "variants": []any{
		map[string]any{"sku": "LS", "stock_quantity": 1, "prices": []any{map[string]any{"amount": 4900, "currency": "EUR"}}},
	}})
	method := call("createShippingMethod", secret, nil, map[string]any{
		"name": "Parcel", "prices": []any{map[string]any{"amount": 490, "currency": "EUR"}},
	})
	shown := func(what string, want map[string]any) {
		t.Helper()
		for _, from := range []any{
			in(call("listShopProducts", shopper, nil, nil), "/data/0"),
			call("getShopProduct", shopper, map[string]string{"handle_or_id": "linen-shirt"}, nil),
		} {
			for pointer, value := range want {
				if got := in(from, pointer); got != value {
					t.Errorf("%s: %s is %v, want %v", what, pointer, got, value)
				}
			}
		}
	}
	// Asked twice, so that the second answer is a kept one.
	for range 2 {
		shown("at first", map[string]any{"/title": "Linen shirt", "/available": true, "/price_from/amount": 4900.0})
	}
	if hits := hits(t, p); hits < 2 {
		t.Errorf("%d answers were kept ones", hits)
	}

	call("updateProduct", secret, map[string]string{"product_id": text(product, "/id")}, map[string]any{"title": "Flax shirt"})
	shown("renamed", map[string]any{"/title": "Flax shirt"})
	variant := map[string]string{"variant_id": text(product, "/variants/0/id")}
	call("updateVariant", secret, variant, map[string]any{"prices": []any{map[string]any{"amount": 5100, "currency": "EUR"}}})
	shown("at another price", map[string]any{"/price_from/amount": 5100.0})

	cart := call("createCart", shopper, nil, map[string]any{"email": "guest@example.com", "lines": []any{
		map[string]any{"variant_id": variant["variant_id"], "quantity": 1},
	}})
	id, token := map[string]string{"cart_id": text(cart, "/cart/id")}, text(cart, "/token")
	ready := call("updateCart", shopper, id, map[string]any{
		"shipping_method_id": text(method, "/id"),
		"shipping_address":   map[string]any{"name": "Ada Example", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"},
	}, "Cart-Token", token)
	order := call("completeCart", shopper, id, map[string]any{
		"payment": map[string]any{"provider": "test", "token": "succeeds"}, "expected_total": in(ready, "/totals/total"),
	}, "Cart-Token", token, "Idempotency-Key", "pay")
	shown("sold out", map[string]any{"/available": false, "/variants/0/available": false})
	call("cancelOrder", secret, map[string]string{"order_id": text(order, "/id")}, map[string]any{"reason": "customer"}, "Idempotency-Key", "cancel")
	shown("back again", map[string]any{"/available": true, "/variants/0/available": true})

	// A list of prices shows at once. One for a group is shown to its members only, from memory
	// too, and on the pages of the hosted shop.
	lists := map[string]string{}
	group := call("createCustomerGroup", secret, nil, map[string]any{"name": "Trade"})
	email := "shopper-" + run() + "@example.com"
	call("registerCustomer", shopper, nil, map[string]any{"email": email, "password": "a stone bench in the shade"})
	link, err := p.MailParameter(t.Context(), email, "token")
	if err != nil {
		t.Fatal(err)
	}
	session := call("verifyCustomer", shopper, nil, map[string]any{"token": link})
	call("updateCustomer", secret, map[string]string{"customer_id": text(session, "/customer/id")}, map[string]any{"group_ids": []any{text(group, "/id")}})
	for name, in := range map[string]map[string]any{"sale": {"kind": "sale"}, "trade": {"kind": "override", "customer_group_ids": []any{text(group, "/id")}}} {
		in["name"] = name
		lists[name] = text(call("createPriceList", secret, nil, in), "/id")
	}
	set := func(list string, amount int) {
		t.Helper()
		call("setPriceListPrices", secret, map[string]string{"price_list_id": lists[list]}, map[string]any{"prices": []any{
			map[string]any{"variant_id": variant["variant_id"], "currency": "EUR", "amount": amount}}})
	}
	member := func(want float64) {
		t.Helper()
		seen := call("getShopProduct", shopper, map[string]string{"handle_or_id": "linen-shirt"}, nil, "Customer-Token", text(session, "/token"))
		if got := in(seen, "/price_from/amount"); got != want {
			t.Errorf("a member pays %v, want %v", got, want)
		}
	}
	set("sale", 4500)
	shown("in the sale", map[string]any{"/price_from/amount": 4500.0, "/variants/0/compare_at_price/amount": 5100.0, "/variants/0/lowest_price_30d/amount": 4900.0})
	set("trade", 3900)
	for range 2 {
		member(3900)
		shown("to everybody", map[string]any{"/price_from/amount": 4500.0})
	}
	call("deletePriceList", secret, map[string]string{"price_list_id": lists["sale"]}, nil)
	shown("after the sale", map[string]any{"/price_from/amount": 5100.0})
	member(3900)
	shop, err := url.Parse(text(call("getShop", shopper, nil, nil), "/url"))
	if err != nil {
		t.Fatal(err)
	}
	for cookie, want := range map[string][2]string{"": {"€51.00", "public"}, "__Host-stoa-customer=" + text(session, "/token"): {"€39.00", "private"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/products/linen-shirt", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = shop.Host
		request.Header.Set("Cookie", cookie)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %v: %s", response.StatusCode, err, page)
		}
		if kept := response.Header.Get("Cache-Control"); !strings.Contains(string(page), want[0]) || !strings.HasPrefix(kept, want[1]) {
			t.Errorf("with the cookie %q the page does not say %s, or is %s", cookie, want[0], kept)
		}
	}
}

var catalogueHits = regexp.MustCompile(`stoa_cache_requests_total\{cache="catalogue",result="hit"\} (\d+)`)

// hits is how many answers the program has given from the catalogue's cache.
func hits(t *testing.T, p *apptest.Program) int {
	t.Helper()
	response, err := http.Get(p.OpsURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if found := catalogueHits.FindSubmatch(body); found != nil {
		if err := json.Unmarshal(found[1], &n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
