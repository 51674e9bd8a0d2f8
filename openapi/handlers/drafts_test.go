package handlers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// draftLinks are links whose keys are "key-" and the ID.
type draftLinks struct{}

func (draftLinks) PayDraft(_ context.Context, id string) (string, error) {
	return "https://linen.stoa.example/pay/" + id + "?key=key-" + id, nil
}

func (draftLinks) OpensDraft(_ context.Context, id, key string) bool   { return key == "key-"+id }
func (draftLinks) OpensOrder(_ context.Context, id, key string) bool   { return key == "key-"+id }
func (draftLinks) Unsubscribes(_ context.Context, id, key string) bool { return key == "key-"+id }

func TestDraftOrdersOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	body := object{
		"email": "ada@example.com", "shipping_address": berlin(), "tags": []string{"wholesale"}, "shipping": object{"name": "Van", "price": euros(900)},
		"lines": []object{
			{"variant_id": s.shirt, "quantity": 2, "discount": object{"amount": euros(98), "reason": "A round sum"}},
			{"title": "Hemming", "quantity": 2, "unit_price": euros(500), "requires_shipping": false, "tax_class": "reduced", "attributes": object{"Length": "80 cm"}},
		},
		"discount": object{"percentage": "10"}, "note": "As agreed.", "billing_address": berlin(),
	}
	again := key()
	made := s.admin("POST", "/draft-orders", body, again).Want(201)
	if replayed := s.admin("POST", "/draft-orders", body, again).Want(201); replayed.String("id") != made.String("id") {
		t.Error("a repetition made another one")
	}
	s.admin("POST", "/draft-orders", object{"lines": []object{{"title": "Work", "quantity": 1, "unit_price": euros(1)}}}, again).WantProblem(422, "idempotency_key_reused")
	path, shopPath := "/draft-orders/"+made.String("id"), "/draft-orders/"+made.String("id")+"/open"
	// 39.98 - 0.98 + 10.00 = 49.00, less 4.90, and 9.00 for the van.
	if made.Get("totals.total.amount") != 5310.0 || made.String("state") != "open" || made.Get("payment_url") != nil || made.Get("problems.0") != nil ||
		made.String("discounts.0.title") != "A round sum" || made.Get("discounts.0.promotion_id") != nil || made.Get("lines.1.variant_id") != nil ||
		made.String("discount.percentage") != "10" || made.Get("lines.0.agreed_discount.amount.amount") != 98.0 || made.String("lines.1.tax_class") != "reduced" ||
		made.Get("lines.1.agreed_price.amount") != 500.0 || made.Get("lines.1.taxable") != true || made.Get("lines.1.weight_grams") != 0.0 || made.Get("lines.0.weight_grams") != nil {
		t.Errorf("made: %s", made.Body)
	}
	s.shop("POST", shopPath, object{"key": "key-" + made.String("id")}).WantProblem(404, "not_found")

	read := s.admin("GET", path, nil).Want(200)
	s.admin("GET", path, nil, "If-None-Match: "+read.Header.Get("ETag")).Want(304)
	changed := s.admin("PATCH", path, object{"discount": nil, "shipping": nil, "shipping_method_id": s.Standard, "tags": []string{"b2b"}, "lines": body["lines"]}, "If-Match: "+read.Header.Get("ETag")).Want(200)
	if changed.Get("totals.total.amount") != 4900.0+490 || changed.Get("discount") != nil || changed.String("shipping_method.id") != s.Standard || changed.String("tags.0") != "b2b" {
		t.Errorf("changed: %s", changed.Body)
	}
	s.admin("PATCH", path, object{"note": nil}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("POST", path+"/send", object{}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("DELETE", path, nil, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")

	sending := key()
	sent := s.admin("POST", path+"/send", object{"message": "Here it is."}, sending).Want(200)
	if sent.String("state") != "invoice_sent" || sent.String("payment_url") != "https://linen.stoa.example/pay/"+made.String("id")+"?key=key-"+made.String("id") {
		t.Errorf("sent: %s", sent.Body)
	}
	if replayed := s.admin("POST", path+"/send", object{"message": "Here it is."}, sending).Want(200); replayed.String("payment_url") != sent.String("payment_url") {
		t.Errorf("replayed: %s", replayed.Body)
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from events where type = 'draft_order.sent'`); n != 1 {
		t.Errorf("sent %d times", n)
	}

	s.shop("POST", shopPath, object{"key": "guessed"}).WantProblem(404, "not_found")
	opened := s.shop("POST", shopPath, object{"key": "key-" + made.String("id")}).Want(200)
	cart, token := "/carts/"+made.String("id"), "Cart-Token: "+opened.String("token")
	for field, value := range map[string]any{"email": "bo@example.com", "note": nil, "shipping_address": nil, "shipping_method_id": s.Express} {
		s.shop("PATCH", cart, object{field: value}, token).WantProblem(409, "agreed")
	}
	s.shop("POST", cart+"/lines", object{"variant_id": s.shirt, "quantity": 1}, token).WantProblem(409, "agreed")
	s.shop("POST", cart+"/codes", object{"code": "SUMMER"}, token).WantProblem(409, "agreed")
	paying := key()
	final := object{"payment": object{"provider": "test", "token": "succeeds"}, "expected_total": euros(5390)}
	order := s.shop("POST", cart+"/complete", final, token, paying).Want(201)
	if order.Get("lines.1.product_id") != nil || order.String("lines.1.attributes.Length") != "80 cm" || order.String("note") != "As agreed." {
		t.Errorf("order: %s", order.Body)
	}
	s.shop("GET", "/orders/"+order.String("id"), nil, token).Want(200)
	if replayed := s.shop("POST", cart+"/complete", final, token, paying).Want(201); replayed.String("id") != order.String("id") {
		t.Error("paid again")
	}
	done := s.admin("GET", path, nil).Want(200)
	if done.String("state") != "completed" || done.String("order_id") != order.String("id") || done.Get("payment_url") != nil || done.Get("totals.total.amount") != 5390.0 {
		t.Errorf("done: %s", done.Body)
	}
	if shown := s.admin("GET", "/orders/"+order.String("id"), nil).Want(200); shown.String("cart_id") != made.String("id") || shown.String("tags.0") != "b2b" {
		t.Errorf("order: %s", shown.Body)
	}
	s.afterwards("/orders/"+order.String("id"), order.String("lines.1.id"))
	s.admin("DELETE", path, nil).WantProblem(409, "cart_completed")
	s.admin("POST", path+"/complete", object{}, key()).WantProblem(409, "cart_completed")
	if list := s.admin("GET", "/draft-orders?state=completed&email=ada@example.com", nil).Want(200); list.String("data.0.order_id") != order.String("id") || list.Get("data.0.line_count") != 2.0 {
		t.Errorf("list: %s", list.Body)
	}
	other := newSelling(t)
	other.admin("GET", path, nil).WantProblem(404, "not_found")
	other.admin("PATCH", path, object{"note": nil}).WantProblem(404, "not_found")
	other.admin("POST", path+"/send", object{}).WantProblem(404, "not_found")
	other.admin("POST", path+"/complete", object{}, key()).WantProblem(404, "not_found")
	other.shop("POST", shopPath, object{"key": "key-" + made.String("id")}).WantProblem(404, "not_found")
}

// afterwards has two of a line that is in no catalogue sent, invoiced, brought back and paid
// back.
func (s *selling) afterwards(order, line string) {
	s.t.Helper()
	s.admin("PATCH", "/invoicing", object{"seller": object{"address": berlin()}}).Want(200)
	if invoice := s.admin("POST", order+"/invoice", nil).Want(201); invoice.Get("content.lines.1.title") == nil && invoice.String("number") == "" {
		s.t.Errorf("invoice: %s", invoice.Body)
	}
	if slip := s.admin("GET", order+"/packing-slip", nil).Want(200); !strings.HasPrefix(string(slip.Body), "%PDF") {
		s.t.Error("the packing slip is no PDF")
	}
	s.admin("POST", order+"/fulfilments", object{"lines": []object{{"line_id": line, "quantity": 2}}}).Want(201)
	back := "/returns/" + s.admin("POST", order+"/returns", object{"lines": []object{{"line_id": line, "quantity": 1, "reason": "other"}}}).Want(201).String("id")
	s.admin("POST", back+"/receive", nil).Want(200)
	s.admin("POST", back+"/inspect", object{"lines": []object{{"line_id": line, "accepted_quantity": 1, "condition": "new"}}}).Want(200)
	s.admin("POST", back+"/refund", object{}, key()).Want(201)
	shown := s.admin("GET", order, nil).Want(200)
	if shown.Get("lines.1.returned_quantity") != 1.0 || shown.Get("lines.1.refunded_quantity") != 1.0 || shown.Get("totals.refunded.amount") != 500.0 {
		s.t.Errorf("afterwards: %s", shown.Body)
	}
}

func TestMerchantsCompleteDraftOrders(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	draft := func(price int) string {
		made := s.admin("POST", "/draft-orders", object{"email": "ada@example.com", "lines": []object{{"title": "Repair", "quantity": 1, "unit_price": euros(int64(price)), "requires_shipping": false}}}).Want(201)
		return "/draft-orders/" + made.String("id")
	}
	for name, c := range map[string]struct {
		price int
		paid  bool
		state string
	}{"due": {3500, false, "pending"}, "paid": {3500, true, "paid"}, "free": {0, true, "paid"}} {
		path, again := draft(c.price), key()
		if dry := s.admin("POST", path+"/complete?dry_run=true", object{"mark_as_paid": c.paid}, again).Want(201); dry.String("payment_state") != c.state || dry.Header.Get("Dry-Run") != "true" {
			t.Errorf("a trial: %s", dry.Body)
		}
		order := s.admin("POST", path+"/complete", object{"mark_as_paid": c.paid}, again).Want(201)
		if order.String("payment_state") != c.state || order.Get("totals.total.amount") != float64(c.price) || order.Get("payments.0.method") != nil {
			t.Errorf("%s: %s", name, order.Body)
		}
		if replayed := s.admin("POST", path+"/complete", object{"mark_as_paid": c.paid}, again).Want(201); replayed.String("id") != order.String("id") || replayed.String("payment_state") != c.state {
			t.Errorf("%s replayed: %s", name, replayed.Body)
		}
		s.admin("POST", path+"/complete", object{"mark_as_paid": !c.paid}, again).WantProblem(422, "idempotency_key_reused")
	}
	open := s.admin("POST", "/draft-orders", object{"lines": []object{{"variant_id": s.shirt, "quantity": 1}}}).Want(201)
	path := "/draft-orders/" + open.String("id")
	s.admin("POST", path+"/complete", object{}, key()).WantProblem(422, "cart_incomplete")
	s.admin("POST", path+"/complete", object{}).WantProblem(400, "idempotency_key_required")
	s.admin("POST", path+"/send", object{}).WantProblem(422, "details_invalid")
	s.admin("DELETE", path+"?dry_run=true", nil).Want(204)
	s.admin("DELETE", path, nil).Want(204)
	s.admin("GET", path, nil).WantProblem(404, "not_found")

	// What was placed and not marked as paid, as by a process that died in between, is gone on
	// with under the same name.
	path = draft(3500)
	again := key()
	first := s.admin("POST", path+"/complete", object{}, again).Want(201)
	s.Exec(t, `delete from cell.idempotency`)
	if paid := s.admin("POST", path+"/complete", object{"mark_as_paid": true}, again).Want(201); paid.String("id") != first.String("id") || paid.String("payment_state") != "paid" {
		t.Errorf("gone on with: %s", paid.Body)
	}
	s.admin("GET", "/draft-orders/"+ids.New("cart"), nil).WantProblem(404, "not_found")
	s.admin("POST", "/draft-orders", object{"lines": []object{{"title": "Work", "quantity": 1, "unit_price": object{"amount": 100, "currency": "USD"}}}}).WantProblem(422, "details_invalid")
}
