package handlers_test

import (
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/openapi/apitest"
)

// comesBack opens a return of so many of an order's first line, which is sent before.
func (s *selling) comesBack(order string, quantity int, instead ...object) string {
	s.t.Helper()
	s.admin("POST", "/orders/"+order+"/fulfilments", object{}, key()).Want(201)
	line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
	body := object{"lines": []object{{"line_id": line, "quantity": quantity, "reason": "too_small"}}}
	if len(instead) > 0 {
		body["exchange_lines"] = instead
	}
	return s.admin("POST", "/orders/"+order+"/returns", body, key()).Want(201).String("id")
}

// inspected receives a return and accepts so many of its line.
func (s *selling) inspected(back string, accepted int) {
	s.t.Helper()
	s.admin("POST", "/returns/"+back+"/receive", nil, key()).Want(200)
	line := s.admin("GET", "/returns/"+back, nil).Want(200).String("lines.0.line_id")
	s.admin("POST", "/returns/"+back+"/inspect", object{"lines": []object{{"line_id": line, "accepted_quantity": accepted, "condition": "new"}}}, key()).Want(200)
}

// What is sent instead of what came back is set off against it, and only the difference is paid.
func TestExchanges(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	for price, c := range map[int64]struct {
		owed   float64 // by the shopper, when it is exchanged
		setOff float64
		back   int // parts that are paid back
	}{1000: {0, 1000, 1}, 1999: {0, 1999, 0}, 2500: {501, 1999, 0}} {
		for _, first := range []bool{false, true} {
			name := fmt.Sprintf("for %d, at once: %t", price, first)
			other := s.Add(t, shoptest.Variant{Title: "Larger shirt", EUR: price, Stock: 2})
			order := s.order(2)
			back := s.comesBack(order, 1, object{"variant_id": other, "quantity": 1})
			exchange := "/returns/" + back + "/exchange"
			var got *apitest.Answer
			if first {
				got = s.admin("POST", exchange, nil, key()).Want(201)
				s.owes(order, float64(price), float64(price), "partially_paid")
				s.inspected(back, 1)
				s.admin("POST", "/returns/"+back+"/refund", object{}, key()).Want(201)
			} else {
				s.inspected(back, 1)
				once := key()
				got = s.admin("POST", exchange, nil, once).Want(201)
				s.admin("POST", exchange, nil, once, apitest.ChangesNothing).Want(201)
			}
			s.admin("POST", exchange, nil, key()).WantProblem(409, "invalid_transition")
			if got.String("edit_id") == "" || got.String("exchange_lines.0.variant_id") != other {
				t.Errorf("%s: %s", name, got.Body)
			}
			now := s.admin("GET", "/orders/"+order, nil).Want(200)
			if now.String("returns.0.state") != "closed" || now.String("refunds.0.state") != "succeeded" || now.Get("refunds.0.amount.amount") != 1999.0 ||
				now.Get("refunds.0.set_off.amount") != c.setOff || len(now.Get("refunds.0.payments").([]any)) != c.back || now.String("edits.0.return_id") != back {
				t.Errorf("%s: %s", name, now.Body)
			}
			state := "partially_refunded"
			if c.owed > 0 {
				state = "partially_paid"
			}
			s.owes(order, c.owed, c.owed, state)
			if n := s.Stock(t, other); n != 1 {
				t.Errorf("%s: %d are left", name, n)
			}
			if got := s.states(order); got != "open "+state+" partially_fulfilled" {
				t.Errorf("%s: %s", name, got)
			}
			if c.owed > 0 {
				s.admin("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "test", "token": "succeeds"}}, key()).Want(201)
			}
			s.admin("POST", "/orders/"+order+"/fulfilments", object{}, key()).Want(201)
			if got := s.states(order); got != "completed partially_refunded fulfilled" {
				t.Errorf("%s, in the end: %s", name, got)
			}
		}
	}
	s.booksAgree()
}

// What cannot be exchanged is refused, and nothing is changed.
func TestExchangesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	other := newSelling(t)
	few := s.Add(t, shoptest.Variant{Title: "Mug", EUR: 1000, Stock: 1})
	order := s.order(2)
	back := s.comesBack(order, 1)
	exchange := "/returns/" + back + "/exchange"
	line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
	got := s.admin("POST", "/orders/"+order+"/returns", object{"lines": []object{{"line_id": line, "quantity": 1, "reason": "other"}}, "exchange_lines": []object{{"variant_id": other.shirt, "quantity": 1}}}, key()).
		WantProblem(422, "unknown_reference")
	if got.String("errors.0.pointer") != "/exchange_lines/0/variant_id" {
		t.Errorf("opened: %s", got.Body)
	}
	s.admin("POST", exchange, nil, key()).WantProblem(422, "details_invalid")
	s.admin("POST", exchange, object{"add": []object{{"variant_id": few, "quantity": 2}}}, key()).WantProblem(409, "out_of_stock")
	s.admin("POST", exchange, object{"add": []object{{"variant_id": few, "quantity": 1}}, "fee": euros(1)}, key()).WantProblem(422, "details_invalid")
	other.admin("POST", exchange, object{"add": []object{{"variant_id": other.shirt, "quantity": 1}}}, key()).WantProblem(404, "not_found")
	tried := s.admin("POST", exchange+"?dry_run=true", object{"add": []object{{"variant_id": few, "quantity": 1}}}).Want(201)
	if tried.String("edit_id") == "" || s.Stock(t, few) != 1 {
		t.Errorf("tried: %s", tried.Body)
	}
	s.admin("POST", "/returns/"+back+"/cancel", object{}, key()).Want(200)
	s.admin("POST", exchange, object{"add": []object{{"variant_id": few, "quantity": 1}}}, key()).WantProblem(409, "invalid_transition")

	// A fee is kept, and a part of the shipping given.
	back = s.admin("POST", "/orders/"+order+"/returns", object{"lines": []object{{"line_id": line, "quantity": 2, "reason": "other"}}}, key()).Want(201).String("id")
	s.inspected(back, 2)
	s.admin("POST", "/returns/"+back+"/exchange", object{"add": []object{{"variant_id": few, "quantity": 1, "unit_price": euros(500)}}, "fee": euros(300), "shipping": euros(100)}, key()).Want(201)
	now := s.admin("GET", "/orders/"+order, nil).Want(200)
	if now.Get("refunds.0.amount.amount") != 3798.0 || now.Get("refunds.0.set_off.amount") != 500.0 || now.Get("totals.balance.amount") != 0.0 {
		t.Errorf("with a fee: %s", now.Body)
	}
	s.booksAgree()
}
