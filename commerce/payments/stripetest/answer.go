package stripetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// answer does what a request asks for, and says what is told of it. The lock is held.
func (s *Stripe) answer(account string, r *http.Request) (status int, body []byte, events []event) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	var made object
	switch route := r.Method + " " + path[0]; {
	case route == "GET account":
		made = s.accounts[account]
	case route == "POST accounts":
		made = s.account(s.id("acct"), false)
		made["metadata"] = nested(r.Form, "metadata")
	case route == "GET accounts" && len(path) == 2 && s.accounts[path[1]] != nil:
		made = s.accounts[path[1]]
	case route == "POST account_links" && s.accounts[r.Form.Get("account")] != nil:
		made = object{"object": "account_link", "url": s.URL + "/onboard/" + r.Form.Get("account"), "expires_at": time.Now().Add(5 * time.Minute).Unix()}
	case route == "POST checkout" && len(path) == 2:
		return s.openSession(account, r)
	case path[0] == "checkout" && len(path) > 2:
		return s.onSession(account, path[2:], r)
	case route == "POST payment_intents" && len(path) == 1:
		return s.openIntent(account, r)
	case path[0] == "payment_intents" && len(path) > 1:
		return s.onIntent(account, path[1:], r)
	case (route == "GET refunds" || route == "GET disputes") && len(path) == 1:
		made = s.list(account, strings.TrimSuffix(path[0], "s"), r.Form.Get("payment_intent"))
	case route == "POST refunds":
		return s.openRefund(account, r)
	case route == "GET refunds" && len(path) == 2 && s.of(account, path[1]) != nil:
		made = s.objects[path[1]]
	}
	if made == nil {
		status, body = problem(404, "invalid_request_error", "resource_missing", "No such object: "+r.URL.Path)
		return status, body, nil
	}
	return ok(made)
}

func ok(o object, events ...event) (int, []byte, []event) {
	body, err := json.Marshal(o)
	if err != nil {
		status, body := problem(500, "api_error", "", err.Error())
		return status, body, nil
	}
	return 200, body, events
}

func refuse(status int, code, message string) (int, []byte, []event) {
	status, body := problem(status, "invalid_request_error", code, message)
	return status, body, nil
}

// of is an object of an account, or nil.
func (s *Stripe) of(account, id string) object {
	if o := s.objects[id]; o != nil && o["account"] == account {
		return o
	}
	return nil
}

func (s *Stripe) intent(account, currency, capture string, amount int64, metadata object) object {
	if capture == "" {
		capture = "automatic"
	}
	id := s.id("pi")
	o := object{
		"id": id, "object": "payment_intent", "account": account, "amount": amount, "amount_received": int64(0), "currency": currency,
		"capture_method": capture, "status": "requires_payment_method", "client_secret": id + "_secret_test", "metadata": metadata,
	}
	s.objects[id] = o
	return o
}

func (s *Stripe) openIntent(account string, r *http.Request) (int, []byte, []event) {
	amount := number(r.Form.Get("amount"))
	if amount < 1 || r.Form.Get("currency") == "" {
		return refuse(400, "parameter_invalid_integer", "Invalid amount")
	}
	return ok(s.intent(account, r.Form.Get("currency"), r.Form.Get("capture_method"), amount, nested(r.Form, "metadata")))
}

// openSession makes a page to pay at. The intent is made when the shopper pays, and so is
// not shown before.
func (s *Stripe) openSession(account string, r *http.Request) (int, []byte, []event) {
	currency, amount := r.Form.Get("line_items[0][price_data][currency]"), number(r.Form.Get("line_items[0][price_data][unit_amount]"))
	switch {
	case amount < 1 || currency == "":
		return refuse(400, "parameter_invalid_integer", "Invalid unit_amount")
	case r.Form.Get("mode") != "payment" || r.Form.Get("success_url") == "" || r.Form.Get("line_items[0][quantity]") != "1":
		return refuse(400, "parameter_missing", "mode, success_url and a quantity are required")
	}
	if account != "acct_platform" && s.accounts[account]["charges_enabled"] != true {
		return refuse(400, "account_invalid", "The account cannot make charges")
	}
	id := s.id("cs")
	o := object{
		"id": id, "object": "checkout.session", "account": account, "status": "open", "url": s.URL + "/pay/" + id, "payment_intent": nil,
		"payment_status": "unpaid", "metadata": nested(r.Form, "metadata"), "client_reference_id": r.Form.Get("client_reference_id"),
		"intent": s.intent(account, currency, r.Form.Get("payment_intent_data[capture_method]"), amount, nested(r.Form, "payment_intent_data[metadata]")),
	}
	s.objects[id] = o
	return ok(o)
}

func (s *Stripe) onSession(account string, path []string, r *http.Request) (int, []byte, []event) {
	o := s.of(account, path[0])
	switch {
	case o == nil:
		return refuse(404, "resource_missing", "No such checkout.session")
	case len(path) == 1:
		return ok(o)
	case o["status"] != "open":
		return refuse(400, "", "Only Checkout Sessions with a status in [\"open\"] can be expired.")
	}
	o["status"], o["url"] = "expired", nil
	o["intent"].(object)["status"] = "canceled"
	return ok(o, event{"checkout.session.expired", o})
}

func (s *Stripe) onIntent(account string, path []string, r *http.Request) (int, []byte, []event) {
	o := s.of(account, path[0])
	switch {
	case o == nil:
		return refuse(404, "resource_missing", "No such payment_intent")
	case len(path) == 1:
		return ok(o)
	case path[1] == "capture" && o["status"] == "requires_capture":
		amount := o["amount"].(int64)
		if part := r.Form.Get("amount_to_capture"); part != "" {
			amount = number(part)
		}
		if amount < 1 || amount > o["amount"].(int64) {
			return refuse(400, "amount_too_large", "The requested capture amount is greater than the authorized amount.")
		}
		s.take(o, amount)
		return ok(o, event{"payment_intent.succeeded", o})
	case path[1] == "cancel" && o["status"] != "succeeded" && o["status"] != "processing" && o["status"] != "canceled":
		o["status"] = "canceled"
		return ok(o, event{"payment_intent.canceled", o})
	}
	return refuse(400, "payment_intent_unexpected_state", "The PaymentIntent's status is "+o["status"].(string))
}

func (s *Stripe) openRefund(account string, r *http.Request) (int, []byte, []event) {
	intent, amount := s.of(account, r.Form.Get("payment_intent")), number(r.Form.Get("amount"))
	if intent == nil || intent["status"] != "succeeded" {
		return refuse(400, "charge_not_refundable", "There is nothing to refund")
	}
	charge := intent["latest_charge"].(object)
	refunded := charge["amount_refunded"].(int64)
	if amount < 1 || refunded+amount > intent["amount_received"].(int64) {
		return refuse(400, "charge_already_refunded", "Refund amount is greater than unrefunded amount on charge")
	}
	return ok(s.refund(intent, amount, nested(r.Form, "metadata")), event{"charge.refunded", charge})
}

func (s *Stripe) refund(intent object, amount int64, metadata object) object {
	charge := intent["latest_charge"].(object)
	charge["amount_refunded"] = charge["amount_refunded"].(int64) + amount
	id := s.id("re")
	s.objects[id] = object{
		"id": id, "object": "refund", "account": intent["account"], "amount": amount, "currency": intent["currency"], "payment_intent": intent["id"],
		"status": "succeeded", "metadata": metadata,
	}
	return s.objects[id]
}

// list are an account's objects of a kind that are of an intent, the latest first.
func (s *Stripe) list(account, kind, intent string) object {
	found := []object{}
	for id := range s.objects {
		if o := s.of(account, id); o != nil && o["object"] == kind && o["payment_intent"] == intent {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b object) int { return strings.Compare(b["id"].(string), a["id"].(string)) })
	return object{"object": "list", "url": "/v1/" + kind + "s", "has_more": false, "data": found}
}
