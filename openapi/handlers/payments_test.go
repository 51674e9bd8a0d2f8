package handlers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// paidBy is the shopper's final word on so many shirts, to be paid by a provider.
func paidBy(quantity int, provider, token string) object {
	body := completion(quantity, token)
	body["payment"] = object{"provider": provider, "token": token}
	return body
}

// byBank turns bank transfer and cash on.
func (s *selling) byBank() {
	s.t.Helper()
	s.admin("PATCH", "/payment-settings", object{"providers": []string{"manual"}, "manual_methods": []object{
		{"id": "bank_transfer", "name": "Bank transfer", "instructions": "To DE02 1203."}, {"id": "cash", "name": "Cash on delivery", "instructions": ""},
	}}).Want(200)
}

// payment is an order's payment.
func (s *selling) payment(order string) (id, state string) {
	s.t.Helper()
	got := s.admin("GET", "/payments?order_id="+order, nil).Want(200)
	return got.String("data.0.id"), got.String("data.0.state")
}

// states are an order's, in a line.
func (s *selling) states(order string) string {
	s.t.Helper()
	got := s.admin("GET", "/orders/"+order, nil).Want(200)
	return got.String("state") + " " + got.String("payment_state") + " " + got.String("fulfilment_state")
}

func TestPaymentSettings(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	got := s.admin("GET", "/payment-settings", nil).Want(200)
	if got.String("capture_method") != "automatic" || fmt.Sprint(got.Get("providers")) != "[]" || fmt.Sprint(got.Get("manual_methods")) != "[]" {
		t.Errorf("at first: %s", got.Body)
	}
	etag := got.Header.Get("ETag")
	s.admin("PATCH", "/payment-settings", object{"providers": []string{"manual"}}).WantProblem(422, "invalid_settings")
	s.byBank()
	s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}, "If-Match: "+etag).WantProblem(412, "stale")
	now := s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}).Want(200)
	if now.String("manual_methods.0.name") != "Bank transfer" || now.String("capture_method") != "manual" || now.Header.Get("ETag") == etag {
		t.Errorf("now: %s", now.Body)
	}
	for _, bad := range []object{
		{"manual_methods": []object{{"id": "a", "name": "A", "instructions": ""}, {"id": "a", "name": "B", "instructions": ""}}},
		{"manual_methods": []object{{"id": "a", "name": " ", "instructions": ""}}},
		{"manual_methods": []object{}},
	} {
		s.admin("PATCH", "/payment-settings", bad).WantProblem(422, "invalid_settings")
	}
	s.admin("PATCH", "/payment-settings", object{"providers": []string{"barter"}}).WantProblem(400, "invalid_request")
	s.admin("PATCH", "/payment-settings", object{}).WantProblem(400, "invalid_request")
	s.shop("PATCH", "/../payment-settings", object{}).WantProblem(404, "not_found")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from audit_entries where action = 'payment_settings.update'`); n != 2 {
		t.Errorf("%d changes are in the audit", n)
	}
}

// An order that is to be paid by bank transfer is open and owed until the staff say that
// the money came.
func TestBankTransfer(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(2)
	s.shop("POST", path+"/complete", paidBy(2, "manual", "bank_transfer"), token, key()).WantProblem(422, "provider_off")
	s.byBank()
	s.shop("POST", path+"/complete", paidBy(2, "manual", "barter"), token, key()).WantProblem(422, "unknown_reference")
	placed := s.shop("POST", path+"/complete", paidBy(2, "manual", "bank_transfer"), token, key()).Want(201)
	order := placed.String("id")
	if placed.String("payment_instructions") != "To DE02 1203." || s.states(order) != "open pending unfulfilled" {
		t.Fatalf("placed: %s", placed.Body)
	}
	payment, state := s.payment(order)
	if state != "due" {
		t.Errorf("the payment is %s", state)
	}
	s.admin("POST", "/orders/"+order+"/refunds", object{}, key()).WantProblem(409, "order_not_paid")
	s.admin("POST", "/orders/"+order+"/fulfilments", nil).Want(201)
	if got := s.states(order); got != "open pending fulfilled" {
		t.Errorf("sent but not paid: %s", got)
	}
	once := key()
	captured := s.admin("POST", "/payments/"+payment+"/capture", nil, once).Want(200)
	if captured.String("state") != "captured" || captured.String("method") != "Bank transfer" || s.states(order) != "completed paid fulfilled" {
		t.Errorf("captured: %s, %s", captured.Body, s.states(order))
	}
	if again := s.admin("POST", "/payments/"+payment+"/capture", nil, once).Want(200); again.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("the repetition is no replay")
	}
	s.admin("POST", "/payments/"+payment+"/capture", nil, key()).WantProblem(409, "payment_not_held")
	s.admin("POST", "/payments/"+payment+"/void", nil, key()).WantProblem(409, "payment_not_held")
	s.admin("POST", "/payments/"+ids.New("pay")+"/capture", nil, key()).WantProblem(404, "not_found")
	s.admin("POST", "/payments/"+payment+"/capture", nil).WantProblem(400, "idempotency_key_required")
	if got := s.shop("GET", "/orders/"+order, nil, token).Want(200).Get("payment_instructions"); got != nil {
		t.Errorf("a paid order is still to be paid: %v", got)
	}
	for kind, want := range map[string]int{"order.created": 1, "order.paid": 1, "order.completed": 1, "payment.captured": 1} {
		if n := shoptest.Value[int](t, s.Shop, `select count(*) from events where type = $1`, kind); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	s.admin("POST", "/orders/"+order+"/refunds", object{"amount": object{"amount": 100, "currency": "EUR"}}, key()).Want(201)

	// The other is cancelled: nothing is owed any more.
	path, token = s.cart(1)
	other := s.shop("POST", path+"/complete", paidBy(1, "manual", "cash"), token, key()).Want(201).String("id")
	s.admin("POST", "/orders/"+other+"/cancel", object{"reason": "customer"}, key()).Want(200)
	if _, state := s.payment(other); state != "voided" || s.states(other) != "cancelled voided unfulfilled" {
		t.Errorf("cancelled: %s, %s", state, s.states(other))
	}
}

func TestAuthoriseThenCapture(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}).Want(200)
	held := func() (order, payment string) {
		t.Helper()
		order = s.order(1)
		payment, state := s.payment(order)
		if state != "authorised" || s.states(order) != "open authorised unfulfilled" {
			t.Fatalf("held: %s, %s", state, s.states(order))
		}
		return order, payment
	}
	order, payment := held()
	s.admin("POST", "/payments/"+payment+"/capture", nil, key()).Want(200)
	if got := s.states(order); got != "open paid unfulfilled" {
		t.Errorf("captured: %s", got)
	}
	order, payment = held()
	if dry := s.admin("POST", "/payments/"+payment+"/void?dry_run=true", nil, key()).Want(200); dry.Header.Get("Dry-Run") != "true" || dry.String("state") != "voided" {
		t.Errorf("a trial: %s", dry.Body)
	}
	s.admin("POST", "/payments/"+payment+"/void", nil, key()).Want(200)
	if _, state := s.payment(order); state != "voided" || s.states(order) != "open voided unfulfilled" {
		t.Errorf("voided: %s, %s", state, s.states(order))
	}
	order, payment = held()
	s.admin("POST", "/orders/"+order+"/cancel", object{"reason": "customer"}, key()).Want(200)
	if got := s.states(order); got != "cancelled voided unfulfilled" {
		t.Errorf("cancelled: %s", got)
	}
	s.admin("POST", "/payments/"+payment+"/capture", nil, key()).WantProblem(409, "order_cancelled")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from test_charges where state = 'authorised'`); n != 0 {
		t.Errorf("%d holds are left over", n)
	}
}

// A part of what is held is captured once, and the rest let go; of what was taken no more is paid
// back than that.
func TestCaptureOfAPart(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.byBank()
	s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}).Want(200)
	part := func(amount int64, currency string) object {
		return object{"amount": object{"amount": amount, "currency": currency}}
	}
	for name, order := range map[string]string{
		"held": s.order(1), "due": s.byBankTransfer(),
	} {
		payment, _ := s.payment(order)
		path := "/payments/" + payment + "/capture"
		for what, bad := range map[string]object{"more": part(2490, "EUR"), "nothing": part(0, "EUR"), "less than nothing": part(-1, "EUR"), "dollars": part(1, "USD")} {
			if got := s.admin("POST", path, bad, key()); got.Status != 422 && got.Status != 400 {
				t.Errorf("%s, %s: %d", name, what, got.Status)
			}
		}
		once := key()
		for range 2 {
			got := s.admin("POST", path, part(2000, "EUR"), once).Want(200)
			if got.String("state") != "captured" || got.Get("captured.amount") != 2000.0 || got.Get("amount.amount") != 2489.0 {
				t.Errorf("%s: %s", name, got.Body)
			}
		}
		s.admin("POST", path, part(489, "EUR"), key()).WantProblem(409, "payment_not_held")
		if got := s.states(order); got != "open partially_paid unfulfilled" {
			t.Errorf("%s: %s", name, got)
		}
		s.admin("POST", "/orders/"+order+"/fulfilments", object{}, key()).Want(201)
		refund := "/orders/" + order + "/refunds"
		s.admin("POST", refund, object{"amount": object{"amount": 2001, "currency": "EUR"}}, key()).WantProblem(422, "refund_exceeds_payment")
		s.admin("POST", refund, object{"amount": object{"amount": 500, "currency": "EUR"}}, key()).Want(201)
		if got := s.states(order); got != "open partially_paid fulfilled" {
			t.Errorf("%s: %s", name, got)
		}
		s.booksAgree()
		if got := s.admin("POST", refund, object{}, key()).Want(201).Get("amount.amount"); got != 1500.0 {
			t.Errorf("%s: %v were left", name, got)
		}
		if got := s.states(order); got != "completed refunded fulfilled" {
			t.Errorf("%s: %s", name, got)
		}
	}
	s.booksAgree()
}

// byBankTransfer sells a shirt that is paid by bank transfer.
func (s *selling) byBankTransfer() (order string) {
	s.t.Helper()
	path, token := s.cart(1)
	return s.shop("POST", path+"/complete", paidBy(1, "manual", "bank_transfer"), token, key()).Want(201).String("id")
}

// A payment that asks back is told as the shopper's next action, and becomes an order
// exactly once, whoever asks first.
func TestASecondStep(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(2)
	s.shop("POST", path+"/payment/check", nil, token).WantProblem(409, "payment_not_under_way")
	s.shop("POST", path+"/payment/cancel", nil, token).WantProblem(409, "payment_not_under_way")
	once := key()
	waiting := s.shop("POST", path+"/complete", completion(2, "requires_action"), token, once).Want(202)
	payment := waiting.String("payment_id")
	if waiting.String("state") != "requires_action" || waiting.String("next_action.type") != "redirect" ||
		!strings.HasSuffix(waiting.String("next_action.url"), payment) || waiting.Get("order") != nil {
		t.Fatalf("waiting: %s", waiting.Body)
	}
	s.shop("PATCH", path, object{"note": "x"}, token).WantProblem(409, "completion_in_progress")
	if got := s.shop("POST", path+"/complete", completion(2, "requires_action"), token, once, apitest.ChangesNothing).Want(202); got.String("payment_id") != payment {
		t.Errorf("asked again: %s", got.Body)
	}
	s.shop("POST", path+"/payment/check", nil, "Cart-Token: ct_wrong").WantProblem(404, "not_found")

	// Given up, the cart can be changed, and bought anew.
	if got := s.shop("POST", path+"/payment/cancel", nil, token).Want(200); got.String("state") != "open" {
		t.Errorf("given up: %s", got.Body)
	}
	waiting = s.shop("POST", path+"/complete", completion(2, "requires_action"), token, once).Want(202)
	if waiting.String("payment_id") == payment {
		t.Error("a payment that was given up goes on")
	}
	payment = waiting.String("payment_id")
	s.Exec(t, `update test_charges set state = 'succeeded' where reference = $1`, payment) // the shopper takes the step
	checked := s.shop("POST", path+"/payment/check", nil, token).Want(200)
	order := checked.String("order.id")
	if checked.String("state") != "captured" || order == "" {
		t.Fatalf("checked: %s", checked.Body)
	}
	if got := s.shop("POST", path+"/complete", completion(2, "requires_action"), token, once, apitest.ChangesNothing).Want(201).String("id"); got != order {
		t.Errorf("another order %s", got)
	}
	s.shop("POST", path+"/payment/cancel", nil, token).WantProblem(409, "cart_completed")
	if got := s.shop("POST", path+"/payment/check", nil, token, apitest.ChangesNothing).Want(200).String("order.id"); got != order {
		t.Errorf("another order %s", got)
	}

	// Refused at the provider's page, it is declined, and the cart is open.
	path, token = s.cart(1)
	payment = s.shop("POST", path+"/complete", completion(1, "requires_action"), token, key()).Want(202).String("payment_id")
	s.Exec(t, `update test_charges set state = 'declined', failure = 'authentication_failed' where reference = $1`, payment)
	s.shop("POST", path+"/payment/check", nil, token).WantProblem(422, "payment_declined")
	s.shop("PATCH", path, object{"note": "x"}, token).Want(200)

	// Another attempt gives the one up that waits.
	first := s.shop("POST", path+"/complete", completion(1, "requires_action"), token, key()).Want(202).String("payment_id")
	s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).Want(201)
	if got := s.admin("GET", "/payments/"+first, nil).Want(200); got.String("state") != "failed" || got.String("failure_code") != "abandoned" {
		t.Errorf("the first: %s", got.Body)
	}

	// What is being processed can neither be given up nor be paid otherwise.
	path, token = s.cart(1)
	s.Exec(t, `update settings set payments = '{}'`)
	late := key()
	s.shop("POST", path+"/complete", completion(1, "succeeds_late"), token, late)
	s.Exec(t, `update test_charges set ready_at = now() + interval '1 hour' where state = 'processing'`)
	if got := s.shop("POST", path+"/complete", completion(1, "succeeds_late"), token, late, apitest.ChangesNothing).Want(202); got.String("state") != "processing" || got.Get("next_action") != nil {
		t.Errorf("processing: %s", got.Body)
	}
	s.shop("POST", path+"/payment/cancel", nil, token).WantProblem(409, "completion_in_progress")
	s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).WantProblem(409, "completion_in_progress")
	s.Exec(t, `update test_charges set ready_at = now() where state = 'processing'`)
	s.shop("POST", path+"/complete", completion(1, "succeeds_late"), token, late).Want(201)
	if n := shoptest.Value[int](t, s.Shop, `select coalesce(sum(reserved), 0)::int from stock_levels`); n != 0 {
		t.Errorf("%d are reserved for nobody", n)
	}
}
