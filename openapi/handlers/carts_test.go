package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/ids"
)

// A cart is reserved, found again by its customer, and merged with a guest's.
func TestCustomersCartsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.SetStock(t, s.shirt, 5)
	path, token := s.cart(3)
	first := s.shop("GET", path, nil, token).Want(200)
	held := s.shop("PUT", path+"/reservation", nil, token, "If-Match: "+first.Header.Get("ETag")).Want(200)
	if held.String("reserved_until") == "" || held.Get("lines.0.backordered") != 0.0 {
		t.Errorf("reserved: %s", held.Body)
	}
	s.shop("PUT", path+"/reservation", nil, token, "If-Match: "+first.Header.Get("ETag")).WantProblem(412, "stale")
	s.shop("PUT", path+"/reservation", nil).WantProblem(401, "invalid_cart_token")
	guest := s.shop("POST", "/carts", object{"lines": []object{{"variant_id": s.shirt, "quantity": 2, "attributes": object{"Engraving": "Ada"}}}}).Want(201)
	if guest.String("cart.lines.0.attributes.Engraving") != "Ada" {
		t.Errorf("attributes: %s", guest.Body)
	}
	s.shop("POST", "/carts", object{"lines": []object{{"variant_id": s.shirt, "quantity": 3}}}).WantProblem(409, "out_of_stock")
	s.shop("POST", "/carts", object{"lines": []object{{"variant_id": s.shirt, "quantity": 1, "attributes": object{"": "Ada"}}}}).WantProblem(422, "details_invalid")
	if let := s.shop("DELETE", path+"/reservation", nil, token).Want(200); let.Get("reserved_until") != nil {
		t.Errorf("released: %s", let.Body)
	}

	me := s.account("ada@example.com")
	s.shop("POST", "/me/cart", object{}).WantProblem(401, "invalid_customer_token")
	s.shop("POST", "/me/cart", object{"cart_id": ids.New("cart"), "cart_token": "ct_none"}, me).WantProblem(404, "not_found")
	s.shop("POST", "/me/cart", object{"cart_id": ids.New("cart")}, me).WantProblem(422, "details_invalid")
	empty := s.shop("POST", "/me/cart", object{}, me).Want(200)
	if empty.String("cart.customer_id") == "" || empty.String("token") == "" {
		t.Errorf("empty: %s", empty.Body)
	}
	merged := s.shop("POST", "/me/cart", object{"cart_id": guest.String("cart.id"), "cart_token": guest.String("token")}, me).Want(200)
	if merged.String("cart.id") != empty.String("cart.id") || merged.Get("cart.lines.0.quantity") != 2.0 {
		t.Errorf("merged: %s", merged.Body)
	}
	mine := "/carts/" + merged.String("cart.id")
	s.shop("GET", mine, nil, "Cart-Token: "+merged.String("token")).Want(200)
	s.shop("GET", mine, nil, "Cart-Token: "+empty.String("token")).Want(200)
	if again := s.shop("POST", "/me/cart", object{}, me).Want(200); again.String("cart.id") != empty.String("cart.id") {
		t.Errorf("found again: %s", again.Body)
	}
	s.shop("PATCH", mine, object{"shipping_method_id": s.Standard, "shipping_address": berlin()}, "Cart-Token: "+merged.String("token")).Want(200)
	order := s.shop("POST", mine+"/complete", completion(2, "succeeds"), "Cart-Token: "+merged.String("token"), key()).Want(201)
	shown := s.admin("GET", "/orders/"+order.String("id"), nil).Want(200)
	if order.String("lines.0.attributes.Engraving") != "Ada" || shown.Get("allocations.0.quantity") != 2.0 || shown.String("allocations.0.line_id") != order.String("lines.0.id") {
		t.Errorf("order: %s", shown.Body)
	}
}

func TestAbandonedCartsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, _ := s.cart(2)
	if list := s.admin("GET", "/carts?abandoned=true", nil).Want(200); list.Get("data.0") != nil {
		t.Errorf("too early: %s", list.Body)
	}
	s.Exec(t, `update carts set updated_at = now() - interval '2 hours'`)
	s.cart(1)
	list := s.admin("GET", "/carts?abandoned=true&email=ada@example.com&state=open", nil).Want(200)
	if got := list.Get("data").([]any); len(got) != 1 || "/carts/"+list.String("data.0.id") != path || list.Get("data.0.subtotal.amount") != 3998.0 ||
		!strings.HasSuffix(list.String("data.0.recover_url"), "/cart/recover/"+list.String("data.0.id")) {
		t.Errorf("abandoned: %s", list.Body)
	}
	first := s.admin("GET", "/carts?limit=1", nil).Want(200)
	if next := s.admin("GET", "/carts?limit=1&cursor="+first.String("next_cursor"), nil).Want(200); "/carts/"+next.String("data.0.id") != path {
		t.Errorf("second page: %s", next.Body)
	}
	s.order(1)
	if done := s.admin("GET", "/carts?state=completed", nil).Want(200); done.Get("data.0.recover_url") != nil || done.String("data.0.state") != "completed" {
		t.Errorf("completed: %s", done.Body)
	}
}
