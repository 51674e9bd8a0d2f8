package handlers_test

import (
	"errors"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/openapi/apitest"
)

func euros(amount int64) object { return object{"amount": amount, "currency": "EUR"} }

// partPaid sells a shirt of which 20.00 of 24.89 are captured, and gives the order, and what
// opens it.
func (s *selling) partPaid() (order, token string) {
	s.t.Helper()
	s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}).Want(200)
	path, token := s.cart(1)
	order = s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).Want(201).String("id")
	payment, _ := s.payment(order)
	s.admin("POST", "/payments/"+payment+"/capture", object{"amount": euros(2000)}, key()).Want(200)
	s.admin("PATCH", "/payment-settings", object{"capture_method": "automatic"}).Want(200)
	return order, token
}

// owes says what is owed of an order.
func (s *selling) owes(order string, balance, outstanding float64, state string) {
	s.t.Helper()
	got := s.admin("GET", "/orders/"+order, nil).Want(200)
	if got.Get("totals.balance.amount") != balance || got.Get("totals.outstanding.amount") != outstanding || got.String("payment_state") != state {
		s.t.Errorf("the balance is %v, %v are outstanding and it is %s, not %v, %v and %s", got.Get("totals.balance.amount"), got.Get("totals.outstanding.amount"),
			got.String("payment_state"), balance, outstanding, state)
	}
}

// What is owed of an order is paid by further payments of any provider, each once.
func TestPayingABalance(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	order, token := s.partPaid()
	byHand := object{"payment": object{"provider": "manual"}}
	s.shop("POST", "/orders/"+order+"/payments", object{"payment": byHand["payment"], "amount": euros(489)}, token, key()).WantProblem(422, "provider_off")
	if cash := s.admin("POST", "/orders/"+order+"/payments?dry_run=true", byHand, key()).Want(201); cash.String("state") != "due" || cash.Get("method") != nil {
		t.Errorf("the staff notes what came otherwise: %s", cash.Body)
	}
	s.byBank()
	s.admin("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "manual", "token": "barter"}}, key()).WantProblem(422, "unknown_reference")
	s.owes(order, 489, 489, "partially_paid")
	path := "/orders/" + order + "/payments"
	by := func(provider, token string, amount ...object) object {
		body := object{"payment": object{"provider": provider, "token": token}}
		for _, a := range amount {
			body["amount"] = a
		}
		return body
	}
	for what, bad := range map[string]object{"more": euros(490), "nothing": euros(0), "less than nothing": euros(-1), "dollars": {"amount": 1, "currency": "USD"}} {
		if got := s.admin("POST", path, by("test", "succeeds", bad), key()); got.Status != 422 && got.Status != 400 {
			t.Errorf("%s: %d", what, got.Status)
		}
	}
	s.admin("POST", path, by("paypal", ""), key()).WantProblem(400, "invalid_request")
	s.admin("POST", "/orders/ord_01jd3v7m2kf8r9e0abcdefghjk/payments", by("test", "succeeds"), key()).WantProblem(404, "not_found")
	s.admin("POST", path, by("test", "declined"), key()).WantProblem(422, "payment_declined")
	s.owes(order, 489, 489, "partially_paid")

	once := key()
	paid := s.admin("POST", path, by("test", "succeeds", euros(100)), once).Want(201)
	if paid.String("state") != "captured" || paid.Get("amount.amount") != 100.0 || paid.String("order_id") != order {
		t.Errorf("paid: %s", paid.Body)
	}
	if again := s.admin("POST", path, by("test", "succeeds", euros(100)), once, apitest.ChangesNothing).Want(201); again.String("id") != paid.String("id") {
		t.Errorf("paid again: %s", again.Body)
	}
	s.owes(order, 389, 389, "partially_paid")

	// What is due, or held, is owed and not outstanding.
	due := s.admin("POST", path, by("manual", "bank_transfer", euros(89)), key()).Want(201)
	s.owes(order, 389, 300, "partially_paid")
	s.admin("POST", "/payments/"+due.String("id")+"/capture", nil, key()).Want(200)
	s.owes(order, 300, 300, "partially_paid")

	// The shopper pays what they were shown, and takes a step for it.
	mine := "/orders/" + order + "/payments"
	s.shop("POST", mine, by("test", "succeeds", euros(299)), token, key()).WantProblem(409, "total_changed")
	s.shop("POST", mine, by("test", "succeeds", euros(300)), "Cart-Token: ct_wrong", key()).WantProblem(404, "not_found")
	s.shop("POST", mine, by("test", "succeeds", euros(300)), key()).Want(401)
	if dry := s.shop("POST", mine+"?dry_run=true", by("test", "declined", euros(300)), token, key()).Want(201); dry.Header.Get("Dry-Run") != "true" {
		t.Errorf("a trial: %s", dry.Body)
	}
	once = key()
	waits := s.shop("POST", mine, by("test", "requires_action", euros(300)), token, once).Want(202)
	if waits.String("state") != "requires_action" || waits.String("next_action.type") != "redirect" {
		t.Errorf("waits: %s", waits.Body)
	}
	if again := s.shop("POST", mine, by("test", "requires_action", euros(300)), token, once, apitest.ChangesNothing).Want(202); again.String("payment_id") != waits.String("payment_id") {
		t.Errorf("another payment: %s", again.Body)
	}
	s.Exec(t, `update test_charges set state = 'succeeded' where reference = $1`, waits.String("payment_id"))
	got := s.shop("POST", mine, by("test", "requires_action", euros(300)), token, once).Want(201)
	if got.String("payment_state") != "paid" || got.Get("totals.outstanding.amount") != 0.0 {
		t.Errorf("paid: %s", got.Body)
	}
	s.owes(order, 0, 0, "paid")
	s.admin("POST", path, by("test", "succeeds"), key()).WantProblem(409, "nothing_owed")
	s.admin("POST", "/orders/"+order+"/payment-request", nil, key()).WantProblem(409, "nothing_owed")
	s.admin("GET", "/orders/"+order+"/payment-link", nil).WantProblem(409, "nothing_owed")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from events where type = 'order.paid'`); n != 1 {
		t.Errorf("it was told %d times that the order is paid", n)
	}
	s.booksAgree()
}

// Of an order whose payment was given up all is outstanding again.
func TestAnOrderWithoutAPaymentIsPaid(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.byBank()
	order := s.byBankTransfer()
	s.owes(order, 2489, 0, "pending")
	payment, _ := s.payment(order)
	s.admin("POST", "/payments/"+payment+"/void", nil, key()).Want(200)
	s.owes(order, 2489, 2489, "voided")
	s.admin("POST", "/orders/"+order+"/payment-request", nil, key()).Want(204)
	if link := s.admin("GET", "/orders/"+order+"/payment-link", nil).Want(200).String("url"); link != "https://shop.example.com/orders/"+order {
		t.Errorf("the link to pay leads to %s", link)
	}
	s.Do(t, s.Scoped(s.Ctx, "orders:write", "payments:read"), "GET", "/v1/orders/"+order+"/payment-link", nil).WantProblem(403, "missing_permission")
	s.Do(t, s.Staff(s.Platform.Store(t)), "GET", "/v1/orders/"+order+"/payment-link", nil).WantProblem(404, "not_found")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from audit_entries where action = 'order.remind'`); n != 1 {
		t.Errorf("the shopper was asked %d times", n)
	}
	s.admin("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "test", "token": "succeeds"}}, key()).Want(201)
	s.owes(order, 0, 0, "paid")
	order = s.byBankTransfer()
	s.admin("POST", "/orders/"+order+"/cancel", object{"reason": "customer"}, key()).Want(200)
	s.owes(order, 0, 0, "voided")
	s.admin("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "test", "token": "succeeds"}}, key()).WantProblem(409, "order_cancelled")
	s.booksAgree()
}

// The rest is paid at Stripe's page, and its news are of it as of any other payment.
func TestTheRestByStripe(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	account := s.connected()
	order, token := s.partPaid()
	waits := s.shop("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "stripe", "return_url": "https://shop.example.com/back"}, "amount": euros(489)}, token, key()).Want(202)
	session, payment := s.stripe.All("checkout.session")[0], waits.String("payment_id")
	if waits.String("next_action.url") != s.stripe.URL+"/pay/"+session {
		t.Fatalf("waits: %s", waits.Body)
	}
	s.owes(order, 489, 489, "partially_paid")
	s.stripe.Pay(session, "succeeds")
	for range 2 { // news comes as often as it likes
		if err := errors.Join(s.buying.Learn(s.Ctx, payment), s.sold.Learn(s.Ctx, payment)); err != nil {
			t.Fatal(err)
		}
	}
	if amount, n := s.stripe.Taken(account); amount != 489 || n != 1 {
		t.Errorf("%d taken by %d payments", amount, n)
	}
	s.owes(order, 0, 0, "paid")
	got := s.admin("POST", "/orders/"+order+"/refunds", object{}, key()).Want(201)
	if amount, _ := s.stripe.Taken(account); amount != 0 || len(got.Get("payments").([]any)) != 2 {
		t.Errorf("%d are left: %s", amount, got.Body)
	}
	s.owes(order, 0, 0, "refunded")
	s.booksAgree()
}
