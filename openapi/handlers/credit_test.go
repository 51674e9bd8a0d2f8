package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
)

func TestGiftCardLife(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	body := object{"amount": object{"amount": 5000, "currency": "EUR"}, "note": "Prize", "expires_at": "2099-01-01T00:00:00Z"}
	made := s.admin("POST", "/gift-cards", body, "Idempotency-Key: "+ids.New("key")).Want(201)
	code := made.String("code")
	if len(code) != 19 || made.String("gift_card.last_characters") != code[15:] || made.Get("gift_card.balance.amount") != 5000.0 || made.String("gift_card.state") != "active" {
		t.Fatalf("made: %s", made.Body)
	}
	at := "/gift-cards/" + made.String("gift_card.id")
	read := s.admin("GET", at, nil).Want(200)
	if strings.Contains(string(read.Body), code) || read.Get("code") != nil {
		t.Errorf("the code is told again: %s", read.Body)
	}
	s.admin("GET", at, nil, "If-None-Match: "+read.Header.Get("ETag")).Want(304)
	entry := s.admin("POST", at+"/adjustments", object{"amount": object{"amount": -1500, "currency": "EUR"}, "reason": "Spent at the counter"}).Want(201)
	if entry.String("type") != "adjustment" || entry.Get("amount.amount") != -1500.0 || entry.Get("balance.amount") != 3500.0 || entry.String("reason") != "Spent at the counter" {
		t.Errorf("adjusted: %s", entry.Body)
	}
	over := s.admin("POST", at+"/adjustments", object{"amount": object{"amount": -3501, "currency": "EUR"}, "reason": "x"}).WantProblem(409, "balance_exceeded")
	if over.Get("balance.amount") != 3500.0 {
		t.Errorf("refused: %s", over.Body)
	}
	s.admin("PATCH", at, object{"active": false}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	off := s.admin("PATCH", at, object{"active": false, "expires_at": nil, "note": nil, "customer_id": nil}).Want(200)
	if off.String("state") != "disabled" || off.Get("expires_at") != nil || off.Get("note") != nil || off.Get("issued.amount") != 5000.0 || off.Get("balance.amount") != 3500.0 {
		t.Errorf("changed: %s", off.Body)
	}
	s.admin("PATCH", at, object{"active": false}, apitest.ChangesNothing).Want(200)
	s.admin("PATCH", at, object{"expires_at": "2001-01-01T00:00:00Z"}).WantProblem(422, "invalid_gift_card")
	ledger := s.admin("GET", at+"/entries?limit=1", nil).Want(200)
	rest := s.admin("GET", at+"/entries?limit=1&cursor="+ledger.String("next_cursor"), nil).Want(200)
	if names(ledger, "type")+" "+names(rest, "type") != "adjustment issue" || rest.Get("has_more") != false {
		t.Errorf("ledger: %s %s", ledger.Body, rest.Body)
	}
	many := s.admin("POST", "/gift-cards/batch", object{"count": 3, "amount": object{"amount": 100, "currency": "USD"}}).Want(201)
	if many.String("gift_cards.2.code") == "" || many.Get("gift_cards.3") != nil {
		t.Errorf("many: %s", many.Body)
	}
	if got := names(s.admin("GET", "/gift-cards?state=disabled&last_characters="+strings.ToLower(code[15:]), nil).Want(200), "note"); got != "<nil>" {
		t.Errorf("found: %q", got)
	}
	if got := events(t, s.API, s.Ctx, made.String("gift_card.id")); got != "gift_card.created gift_card.updated gift_card.updated" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, s.API, s.Ctx, made.String("gift_card.id")); got != "gift_card.create gift_card.adjust gift_card.update" {
		t.Errorf("audit: %s", got)
	}
}

func TestStoreCreditLife(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	token := s.account("ada@example.com")
	customer := s.shop("GET", "/me", nil, token).Want(200).String("id")
	at := "/customers/" + customer + "/store-credit"
	if got := s.admin("GET", at, nil).Want(200); got.Get("data.0") != nil {
		t.Errorf("to begin with: %s", got.Body)
	}
	give := func(amount int, currency string) *apitest.Answer {
		return s.admin("POST", at+"/adjustments", object{"amount": object{"amount": amount, "currency": currency}, "reason": "Sorry for the delay"})
	}
	give(2000, "EUR").Want(201)
	give(700, "USD").Want(201)
	if got := give(-500, "EUR").Want(201); got.Get("balance.amount") != 1500.0 {
		t.Errorf("taken: %s", got.Body)
	}
	give(-1501, "EUR").WantProblem(409, "balance_exceeded")
	give(0, "EUR").WantProblem(422, "invalid_credit")
	give(1000000000000, "EUR").WantProblem(400, "invalid_request")
	if got := s.admin("GET", at+"?limit=1", nil).Want(200); got.Get("data.0.balance.amount") != 1500.0 || got.Get("has_more") != true {
		t.Errorf("balances: %s", got.Body)
	}
	if got := names(s.admin("GET", at+"/entries?currency=EUR", nil).Want(200), "reason"); got != "Sorry for the delay Sorry for the delay" {
		t.Errorf("ledger: %s", got)
	}
	mine := s.shop("GET", "/me/store-credit", nil, token).Want(200)
	if mine.Get("data.0.balance.amount") != 1500.0 || mine.Get("data.1.balance.amount") != 700.0 {
		t.Errorf("mine: %s", mine.Body)
	}
	ledger := s.shop("GET", "/me/store-credit/entries?currency=EUR", nil, token).Want(200)
	if ledger.Get("data.0.amount.amount") != -500.0 || ledger.Get("data.0.reason") != nil || ledger.Get("data.2") != nil {
		t.Errorf("my ledger: %s", ledger.Body)
	}
	s.shop("GET", "/me/store-credit", nil).WantProblem(401, "invalid_customer_token")
	s.admin("DELETE", "/customers/"+customer, nil).WantProblem(409, "store_credit_left")
	give(-1500, "EUR").Want(201)
	give(-700, "USD").Want(201)
	s.admin("DELETE", "/customers/"+customer, nil).Want(204)
	s.admin("GET", at, nil).WantProblem(404, "not_found")
	s.admin("GET", at+"/entries", nil).WantProblem(404, "not_found")
	give(1, "EUR").WantProblem(404, "not_found")
}

func TestCreditRefusals(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	eur := object{"amount": 100, "currency": "EUR"}
	for want, body := range map[string]object{
		"/amount/currency": {"amount": object{"amount": 100, "currency": "JPY"}},
		"/customer_id":     {"amount": eur, "customer_id": ids.New("cus")},
		"/expires_at":      {"amount": eur, "expires_at": "2001-01-01T00:00:00Z"},
		"/amount/amount":   {"amount": object{"amount": 0, "currency": "EUR"}},
	} {
		if got := s.admin("POST", "/gift-cards", body).WantProblem(422, "invalid_gift_card").String("errors.0.pointer"); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
	s.admin("POST", "/gift-cards", object{"amount": object{"amount": -1, "currency": "EUR"}}).WantProblem(400, "invalid_request")
	s.admin("POST", "/gift-cards", object{"amount": eur, "code": "HELLO"}).WantProblem(400, "invalid_request")
	card := "/v1/gift-cards/" + s.admin("POST", "/gift-cards", object{"amount": eur}).Want(201).String("gift_card.id")
	customer := s.shop("GET", "/me", nil, s.account("ada@example.com")).Want(200).String("id")
	account := "/v1/customers/" + customer + "/store-credit"
	adjustment := object{"amount": eur, "reason": "x"}
	stranger := s.Staff(s.Platform.Store(t))
	for _, try := range [][3]any{
		{"GET", card, nil}, {"PATCH", card, object{"active": false}}, {"POST", card + "/adjustments", adjustment}, {"GET", card + "/entries", nil},
		{"GET", account, nil}, {"POST", account + "/adjustments", adjustment}, {"GET", account + "/entries", nil},
	} {
		s.Do(t, stranger, try[0].(string), try[1].(string), try[2]).WantProblem(404, "not_found")
	}
	reader := s.Scoped(s.Ctx, "gift_cards:read", "store_credit:read")
	s.Do(t, reader, "GET", card+"/entries", nil).Want(200)
	s.Do(t, reader, "POST", card+"/adjustments", adjustment).WantProblem(403, "missing_permission")
	s.Do(t, reader, "POST", "/v1/gift-cards", object{"amount": eur}).WantProblem(403, "missing_permission")
	s.Do(t, reader, "POST", account+"/adjustments", adjustment).WantProblem(403, "missing_permission")
	s.Do(t, s.Scoped(s.Ctx, "gift_cards:write"), "GET", account, nil).WantProblem(403, "missing_permission")
	s.Do(t, s.pk, "GET", card, nil).WantProblem(403, "wrong_credential")
}

// issue issues a gift card and gives its ID and code.
func (s *selling) issue(amount int) (id, code string) {
	s.t.Helper()
	made := s.admin("POST", "/gift-cards", object{"amount": object{"amount": amount, "currency": "EUR"}}).Want(201)
	return made.String("gift_card.id"), made.String("code")
}

// balance is what is on a gift card.
func (s *selling) balance(id string) any {
	s.t.Helper()
	return s.admin("GET", "/gift-cards/"+id, nil).Want(200).Get("balance.amount")
}

func due(body object, amount int) object {
	body["expected_due"] = object{"amount": amount, "currency": "EUR"}
	return body
}

func TestCreditAtTheCheckout(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(1) // 24.89
	card, code := s.issue(1000)
	for _, wrong := range []string{"0000-0000-0000-0000", "none"} {
		s.shop("POST", path+"/gift-cards", object{"code": wrong}, token).WantProblem(422, "code_invalid")
	}
	dollars := s.admin("POST", "/gift-cards", object{"amount": object{"amount": 1, "currency": "USD"}}).Want(201)
	s.shop("POST", path+"/gift-cards", object{"code": dollars.String("code")}, token).WantProblem(422, "code_invalid")
	off, offCode := s.issue(1)
	s.admin("PATCH", "/gift-cards/"+off, object{"active": false}).Want(200)
	s.shop("POST", path+"/gift-cards", object{"code": offCode}, token).WantProblem(422, "code_invalid")
	newSelling(t).foreign(t, code)
	added := s.shop("POST", path+"/gift-cards", object{"code": " " + strings.ToLower(strings.ReplaceAll(code, "-", " "))}, token).Want(201)
	if added.String("gift_cards.0.id") != card || added.Get("gift_cards.0.amount.amount") != 1000.0 || added.Get("gift_cards.0.reason") != nil ||
		added.Get("totals.due.amount") != 1489.0 || added.Get("totals.total.amount") != 2489.0 || added.Get("store_credit") != nil {
		t.Fatalf("added: %s", added.Body)
	}
	again := s.shop("POST", path+"/gift-cards", object{"code": code}, token).Want(201)
	if again.Get("gift_cards.1") != nil {
		t.Errorf("twice: %s", again.Body)
	}
	if got := s.shop("DELETE", path+"/gift-cards/"+card, nil, token).Want(200); got.Get("gift_cards.0") != nil || got.Get("totals.due.amount") != 2489.0 {
		t.Errorf("removed: %s", got.Body)
	}
	s.shop("DELETE", path+"/gift-cards/"+card, nil, token).WantProblem(404, "not_found")
	s.shop("POST", path+"/gift-cards", object{"code": code}, token).Want(201)
	told := s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).WantProblem(409, "due_changed")
	if told.Get("due.amount") != 1489.0 || told.Get("total.amount") != 2489.0 {
		t.Errorf("told: %s", told.Body)
	}
	once, body := key(), due(completion(1, "succeeds"), 1489)
	order := s.shop("POST", path+"/complete", body, token, once).Want(201).String("id")
	if replay := s.shop("POST", path+"/complete", body, token, once).Want(201); replay.String("id") != order {
		t.Errorf("replayed: %s", replay.Body)
	}
	if got := s.balance(card); got != 0.0 {
		t.Errorf("%v are left on the card", got)
	}
	payments := s.admin("GET", "/payments?order_id="+order, nil).Want(200)
	if got := names(payments, "provider") + ", " + names(payments, "method"); got != "gift_card test, "+code[15:]+" <nil>" && got != "test gift_card, <nil> "+code[15:] {
		t.Errorf("payments: %s", got)
	}
	if got := s.admin("GET", "/gift-cards/"+card+"/entries", nil).Want(200); got.String("data.0.type") != "spend" || got.String("data.0.order_id") != order || got.String("data.0.payment_id") == "" {
		t.Errorf("ledger: %s", got.Body)
	}
}

// foreign gives a cart of this store another store's gift card.
func (s *selling) foreign(t *testing.T, code string) {
	t.Helper()
	path, token := s.cart(1)
	s.shop("POST", path+"/gift-cards", object{"code": code}, token).WantProblem(422, "code_invalid")
}

func TestRefundsGoToCredit(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(2) // 44.88
	card, code := s.issue(3000)
	s.shop("POST", path+"/gift-cards", object{"code": code}, token).Want(201)
	order := s.shop("POST", path+"/complete", due(completion(2, "succeeds"), 1488), token, key()).Want(201).String("id")
	// Most is left of the card's part: it goes back there.
	refund := s.admin("POST", "/orders/"+order+"/refunds", object{"amount": object{"amount": 500, "currency": "EUR"}}, key()).Want(201)
	if refund.String("payments.0.to") != "payment" || refund.String("state") != "succeeded" || s.balance(card) != 500.0 {
		t.Errorf("to the card: %s, %v", refund.Body, s.balance(card))
	}
	entry := s.admin("GET", "/gift-cards/"+card+"/entries", nil).Want(200)
	if entry.String("data.0.type") != "refund" || entry.String("data.0.refund_id") != refund.String("id") {
		t.Errorf("ledger: %s", entry.Body)
	}
	once := key()
	var credited *apitest.Answer
	for range 2 {
		credited = s.admin("POST", "/orders/"+order+"/refunds", object{"amount": object{"amount": 700, "currency": "EUR"}, "to": "store_credit"}, once).Want(201)
	}
	customer := s.admin("GET", "/orders/"+order, nil).Want(200).String("customer_id")
	if got := s.admin("GET", "/customers/"+customer+"/store-credit", nil).Want(200); credited.String("payments.0.to") != "store_credit" || got.Get("data.0.balance.amount") != 700.0 {
		t.Errorf("to store credit: %s, %s", credited.Body, got.Body)
	}
	rest := s.admin("POST", "/orders/"+order+"/refunds", object{}, key()).Want(201)
	if rest.Get("amount.amount") != 4488.0-1200 || s.states(order) != "open refunded unfulfilled" {
		t.Errorf("the rest: %s, %s", rest.Body, s.states(order))
	}
	s.admin("POST", "/orders/"+order+"/refunds", object{"to": "store_credit"}, key()).WantProblem(409, "nothing_left")
	if got := s.balance(card); got != 3000.0-700 {
		t.Errorf("%v are on the card", got)
	}
	s.Exec(t, `update orders set customer_id = null, refunded_amount = refunded_amount - 1, payment_state = 'partially_refunded' where id = $1`, order)
	s.Exec(t, `update payments set refunded_amount = refunded_amount - 1 where order_id = $1 and provider = 'test'`, order)
	s.admin("POST", "/orders/"+order+"/refunds", object{"to": "store_credit"}, key()).WantProblem(422, "customer_missing")
}

// Of an order whose other payment has not come, the card's money is paid back when it is
// cancelled; where only that payment is given up, the order is partly paid.
func TestCreditOfAnOrderThatIsNotPaid(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.byBank()
	place := func() (order, card string) {
		path, token := s.cart(1)
		card, code := s.issue(1000)
		s.shop("POST", path+"/gift-cards", object{"code": code}, token).Want(201)
		order = s.shop("POST", path+"/complete", due(paidBy(1, "manual", "bank_transfer"), 1489), token, key()).Want(201).String("id")
		if s.states(order) != "open pending unfulfilled" || s.balance(card) != 0.0 {
			t.Fatalf("placed: %s, %v", s.states(order), s.balance(card))
		}
		s.admin("POST", "/orders/"+order+"/refunds", object{}, key()).WantProblem(409, "order_not_paid")
		return order, card
	}
	cancelled, card := place()
	s.admin("POST", "/orders/"+cancelled+"/cancel", object{"reason": "customer"}, key()).Want(200)
	if s.states(cancelled) != "cancelled refunded unfulfilled" || s.balance(card) != 1000.0 {
		t.Errorf("cancelled: %s, %v", s.states(cancelled), s.balance(card))
	}
	voided, card := place()
	list := s.admin("GET", "/payments?state=due&order_id="+voided, nil).Want(200)
	s.admin("POST", "/payments/"+list.String("data.0.id")+"/void", nil, key()).Want(200)
	if s.states(voided) != "open partially_paid unfulfilled" {
		t.Errorf("voided: %s", s.states(voided))
	}
	s.admin("POST", "/orders/"+voided+"/cancel", object{"reason": "customer"}, key()).Want(200)
	if s.states(voided) != "cancelled refunded unfulfilled" || s.balance(card) != 1000.0 {
		t.Errorf("cancelled after that: %s, %v", s.states(voided), s.balance(card))
	}
	paid, card := place()
	list = s.admin("GET", "/payments?state=due&order_id="+paid, nil).Want(200)
	s.admin("POST", "/payments/"+list.String("data.0.id")+"/capture", nil, key()).Want(200)
	if s.states(paid) != "open paid unfulfilled" || s.balance(card) != 0.0 {
		t.Errorf("paid: %s, %v", s.states(paid), s.balance(card))
	}
}

func TestStoreCreditAtTheCheckout(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	token := s.account("ada@example.com")
	customer := s.shop("GET", "/me", nil, token).Want(200).String("id")
	s.admin("POST", "/customers/"+customer+"/store-credit/adjustments", object{"amount": object{"amount": 5000, "currency": "EUR"}, "reason": "x"}).Want(201)
	guest, guestToken := s.cart(1)
	s.shop("PUT", guest+"/store-credit", nil, guestToken).WantProblem(401, "invalid_customer_token")
	s.shop("PUT", guest+"/store-credit", nil, guestToken, token).WantProblem(422, "sign_in_required")
	card, code := s.issue(100)
	s.shop("POST", guest+"/gift-cards", object{"code": code}, guestToken).Want(201)
	// A gift card that was given before signing in is kept when the carts are merged.
	s.shop("POST", "/carts", object{"lines": []object{{"variant_id": s.shirt, "quantity": 1}}}, token).Want(201)
	id, _ := strings.CutPrefix(guest, "/carts/")
	opened := s.shop("POST", "/me/cart", object{"cart_id": id, "cart_token": strings.TrimPrefix(guestToken, "Cart-Token: ")}, token).Want(200)
	path, cartToken := "/carts/"+opened.String("cart.id"), "Cart-Token: "+opened.String("token")
	if opened.String("cart.gift_cards.0.id") != card || opened.Get("cart.store_credit.balance.amount") != 5000.0 || opened.Get("cart.store_credit.used") != false {
		t.Fatalf("merged: %s", opened.Body)
	}
	s.shop("PATCH", path, object{"shipping_method_id": s.Standard, "shipping_address": berlin()}, cartToken).Want(200)
	s.shop("PUT", path+"/store-credit", nil, cartToken, token).Want(200)
	if got := s.shop("DELETE", path+"/store-credit", nil, cartToken).Want(200); got.Get("store_credit.used") != false || got.Get("totals.due.amount") != 4388.0 {
		t.Errorf("not used: %s", got.Body)
	}
	used := s.shop("PUT", path+"/store-credit", nil, cartToken, token).Want(200)
	if used.Get("store_credit.amount.amount") != 4388.0 || used.Get("totals.due.amount") != 0.0 {
		t.Fatalf("used: %s", used.Body)
	}
	order := s.shop("POST", path+"/complete", object{
		"expected_total": object{"amount": 4488, "currency": "EUR"}, "expected_due": object{"amount": 0, "currency": "EUR"},
	}, cartToken, key()).Want(201)
	if order.String("payment_state") != "paid" {
		t.Errorf("the order: %s", order.Body)
	}
	if got := s.shop("GET", "/me/store-credit", nil, token).Want(200).Get("data.0.balance.amount"); got != 612.0 {
		t.Errorf("%v are left", got)
	}
	if got := names(s.shop("GET", "/me/store-credit/entries", nil, token).Want(200), "type"); got != "spend adjustment" {
		t.Errorf("ledger: %s", got)
	}
}
