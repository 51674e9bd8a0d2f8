package handlers_test

import (
	"maps"
	"testing"

	"github.com/stoacommerce/stoa/platform/ids"
)

// A mistyped address is mended until something was sent, and never to where the order would be
// taxed otherwise.
func TestAddressesOfOrders(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.Exec(t, `insert into tax_rates (id, country, name, rate, postal_codes) values ($1, 'DE', 'Island', 70000, '{27498}')`, ids.New("tax"))
	id := s.order(1)
	path := "/orders/" + id
	with := func(change object) object {
		a := berlin()
		maps.Copy(a, change)
		return a
	}
	read := s.admin("GET", path, nil).Want(200)
	changed := s.admin("PATCH", path, object{"email": "Grace@Example.com", "shipping_address": with(object{"line1": "2 Sample Street", "postal_code": "10117"}),
		"billing_address": with(object{"company": "Example Ltd"})}, "If-Match: "+read.Header.Get("ETag")).Want(200)
	if changed.String("shipping_address.line1") != "2 Sample Street" || changed.String("billing_address.company") != "Example Ltd" || changed.String("email") != "grace@example.com" ||
		changed.Get("totals.total.amount") != read.Get("totals.total.amount") {
		t.Errorf("changed: %s", changed.Body)
	}
	s.admin("PATCH", path, object{"email": "ada@example.com"}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	if got := s.admin("PATCH", path, object{"billing_address": nil}).Want(200).Get("billing_address"); got != nil {
		t.Errorf("the billing address is %v", got)
	}
	for name, c := range map[string]struct {
		change object
		code   string
	}{
		"another country":   {object{"shipping_address": with(object{"country": "AT", "postal_code": "1010"})}, "taxed_otherwise"},
		"other rates":       {object{"shipping_address": with(object{"postal_code": "27498"})}, "taxed_otherwise"},
		"a tax number":      {object{"billing_address": with(object{"tax_id": "DE123456789"})}, "taxed_otherwise"},
		"no postal code":    {object{"shipping_address": with(object{"postal_code": ""})}, "details_invalid"},
		"a wrong country":   {object{"billing_address": with(object{"country": "XX"})}, "details_invalid"},
		"no e-mail address": {object{"email": "ada@@example"}, "invalid_request"},
	} {
		if got := s.admin("PATCH", path, c.change); got.String("code") != c.code {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	s.admin("POST", path+"/fulfilments", object{}, key()).Want(201)
	s.admin("PATCH", path, object{"shipping_address": berlin()}).WantProblem(409, "order_fulfilled")
	s.admin("PATCH", path, object{"billing_address": berlin(), "tags": []string{"gift"}}).Want(200)

	// Goods that are not sent are taxed where who pays lives.
	s.Exec(t, `update variants set requires_shipping = false`)
	made := s.shop("POST", "/carts", object{"email": "ada@example.com", "lines": []object{{"variant_id": s.shirt, "quantity": 1}}}).Want(201)
	cart, token := "/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
	s.shop("PATCH", cart, object{"billing_address": berlin()}, token).Want(200)
	word := object{"payment": object{"provider": "test", "token": "succeeds"}, "expected_total": object{"amount": 1999, "currency": "EUR"}}
	path = "/orders/" + s.shop("POST", cart+"/complete", word, token, key()).Want(201).String("id")
	s.admin("PATCH", path, object{"shipping_address": berlin()}).WantProblem(422, "details_invalid")
	s.admin("PATCH", path, object{"billing_address": nil}).WantProblem(422, "taxed_otherwise")
	s.admin("PATCH", path, object{"billing_address": with(object{"city": "Potsdam"})}).Want(200)
	s.admin("POST", path+"/cancel?dry_run=true", object{"reason": "customer"}, key()).Want(200)
	s.admin("POST", path+"/cancel", object{"reason": "customer"}, key()).Want(200)
	s.admin("PATCH", path, object{"billing_address": berlin()}).WantProblem(409, "order_cancelled")
	newSelling(t).admin("PATCH", path, object{"email": "ada@example.com"}).WantProblem(404, "not_found")
}
