package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/ids"
)

func TestReturnsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	order := s.order(3)
	customer := s.account("ada@example.com")
	s.admin("POST", "/orders/"+order+"/fulfilments", object{}, key()).Want(201)
	line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
	asked := object{"lines": []object{{"line_id": line, "quantity": 2, "reason": "too_small", "note": "The sleeves."}}, "note": "Sorry."}

	request := s.shop("POST", "/orders/"+order+"/returns", asked, customer).Want(201)
	path := "/returns/" + request.String("id")
	if request.String("state") != "requested" || request.String("lines.0.note") != "The sleeves." || request.Get("lines.0.restock_location_id") != nil {
		t.Errorf("requested: %s", request.Body)
	}
	approved := s.admin("POST", path+"/approve", object{"message": "To Pot Street."}, key()).Want(200)
	if approved.String("state") != "approved" || approved.String("message") != "To Pot Street." {
		t.Errorf("approved: %s", approved.Body)
	}
	s.admin("POST", path+"/approve", nil).WantProblem(409, "invalid_transition")
	s.admin("POST", path+"/receive", nil).Want(200)
	place := s.admin("GET", "/orders/"+order, nil).String("allocations.0.location_id")
	finding := object{"line_id": line, "accepted_quantity": 1, "condition": "new", "restock_location_id": place}
	s.admin("POST", path+"/inspect", object{"lines": []object{{"line_id": line, "accepted_quantity": 3, "condition": "new"}}}).WantProblem(422, "quantity_exceeded")
	if dry := s.admin("POST", path+"/inspect?dry_run=true", object{"lines": []object{finding}}).Want(200); dry.String("state") != "inspected" || s.Stock(t, s.shirt) != 97 {
		t.Errorf("dry: %s", dry.Body)
	}
	inspected := s.admin("POST", path+"/inspect", object{"lines": []object{finding}}).Want(200)
	if inspected.Get("lines.0.restocked_quantity") != 1.0 || s.Stock(t, s.shirt) != 98 {
		t.Errorf("inspected, and %d in stock: %s", s.Stock(t, s.shirt), inspected.Body)
	}
	refund := object{"fee": object{"amount": 99, "currency": "EUR"}, "shipping": object{"amount": 90, "currency": "EUR"}, "reason": "As agreed."}
	again := key()
	paid := s.admin("POST", path+"/refund", refund, again).Want(201)
	if paid.String("state") != "closed" || !strings.HasPrefix(paid.String("refund_id"), "ref_") {
		t.Errorf("paid back: %s", paid.Body)
	}
	if replay := s.admin("POST", path+"/refund", refund, again).Want(201); replay.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("it was paid back again")
	}
	s.admin("POST", path+"/refund", refund).WantProblem(400, "idempotency_key_required")
	shown := s.admin("GET", "/orders/"+order, nil).Want(200)
	if shown.Get("totals.refunded.amount") != 1990.0 || shown.String("refunds.0.return_id") != request.String("id") || shown.Get("refunds.0.fee.amount") != 99.0 ||
		shown.Get("lines.0.returned_quantity") != 1.0 || shown.String("returns.0.state") != "closed" {
		t.Errorf("the order: %s", shown.Body)
	}
	read := s.admin("GET", path, nil).Want(200)
	s.admin("GET", path, nil, "If-None-Match: "+read.Header.Get("ETag")).Want(304)

	// The staff's own are approved from the start.
	staffs := s.admin("POST", "/orders/"+order+"/returns", object{"lines": []object{{"line_id": line, "quantity": 1, "reason": "other"}}}, key()).Want(201)
	s.admin("POST", "/returns/"+staffs.String("id")+"/decline", nil).WantProblem(409, "invalid_transition")
	if list := s.admin("GET", "/returns?limit=1", nil).Want(200); list.String("data.0.id") != staffs.String("id") || list.Get("has_more") != true {
		t.Errorf("the list: %s", list.Body)
	}
	if list := s.admin("GET", "/returns?state=closed&order_id="+order, nil).Want(200); list.String("data.0.id") != request.String("id") || list.Get("data.1") != nil {
		t.Errorf("those closed: %s", list.Body)
	}
	s.admin("POST", "/returns/"+staffs.String("id")+"/cancel", object{}).Want(200)

	// Who bought as a guest asks with the cart's token.
	cart, token := s.cart(1)
	guests := s.shop("POST", cart+"/complete", completion(1, "succeeds"), token, key()).Want(201)
	s.admin("POST", "/orders/"+guests.String("id")+"/fulfilments", object{}, key()).Want(201)
	wish := object{"lines": []object{{"line_id": guests.String("lines.0.id"), "quantity": 1, "reason": "late"}}}
	s.shop("POST", "/orders/"+guests.String("id")+"/returns", wish, "Cart-Token: ct_wrong").WantProblem(404, "not_found")
	s.shop("POST", "/orders/"+order+"/returns", wish, token).WantProblem(404, "not_found")
	if got := s.shop("POST", "/orders/"+guests.String("id")+"/returns", wish, token).Want(201); got.String("state") != "requested" {
		t.Errorf("a guest's: %s", got.Body)
	}

	// Who may not, and who is of another store.
	s.shop("POST", "/orders/"+order+"/returns", asked).WantProblem(401, "invalid_customer_token")
	s.shop("POST", "/orders/"+order+"/returns", asked, s.account("grace@example.com")).WantProblem(404, "not_found")
	s.admin("POST", "/orders/"+ids.New("ord")+"/returns", asked).WantProblem(404, "not_found")
	other := newSelling(t)
	reader, payer := s.Scoped(s.Ctx, "orders:read"), s.Scoped(s.Ctx, "orders:write")
	s.Do(t, reader, "POST", "/v1/orders/"+order+"/returns", asked).WantProblem(403, "missing_permission")
	for _, step := range []string{"approve", "decline", "receive", "close", "cancel"} {
		other.admin("POST", path+"/"+step, nil).WantProblem(404, "not_found")
		s.Do(t, reader, "POST", "/v1"+path+"/"+step, nil).WantProblem(403, "missing_permission")
		s.Do(t, "", "POST", "/v1"+path+"/"+step, nil).WantProblem(401, "missing_credential")
	}
	other.admin("POST", path+"/inspect", object{"lines": []object{finding}}).WantProblem(404, "not_found")
	other.admin("POST", path+"/refund", nil, key()).WantProblem(404, "not_found")
	other.admin("GET", path, nil).WantProblem(404, "not_found")
	s.Do(t, payer, "POST", "/v1"+path+"/refund", nil, key()).WantProblem(403, "missing_permission")
	s.Do(t, s.Scoped(s.Ctx, "products:read"), "GET", "/v1/returns", nil).WantProblem(403, "missing_permission")
}
