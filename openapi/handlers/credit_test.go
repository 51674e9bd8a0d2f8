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
