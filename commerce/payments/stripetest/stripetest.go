// Package stripetest is a Stripe for tests: an HTTP server that keeps a ledger of accounts,
// payments and refunds, has idempotency as Stripe has it, and sends signed webhooks. A test
// plays the shopper, and decides what goes wrong: webhooks that come twice, in another order
// or not at all, and a stop before or after anything that the server does.
package stripetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v81/webhook"
)

// Secret signs the webhooks.
const Secret = "whsec_test_stripetest"

// Stripe is the server.
type Stripe struct {
	URL string
	// Before and After, where set, are called around every effect of a request, named by
	// its method and path with objects' names left out: "POST /v1/checkout/sessions". The
	// answer has not been sent yet.
	Before, After func(effect string)
	// Hook is where webhooks go; empty for nowhere.
	Hook string
	// Twice sends each webhook twice; Late sends what a shopper's payment comes to in
	// reversed order.
	Twice, Late bool

	t  testing.TB
	mu sync.Mutex

	keys     map[string]string // secret keys, and the accounts that they are of
	accounts map[string]object
	objects  map[string]object // sessions, intents, charges and refunds
	answers  map[string]answer // by account and idempotency key
	last     int
}

type object map[string]any

type answer struct {
	request string
	status  int
	body    []byte
}

// New starts a Stripe with a platform, whose key is "sk_test_platform", and an account of
// its own, "acct_platform".
func New(t testing.TB) *Stripe {
	t.Helper()
	s := &Stripe{t: t, keys: map[string]string{}, accounts: map[string]object{}, objects: map[string]object{}, answers: map[string]answer{}}
	s.account("acct_platform", true)
	s.keys["sk_test_platform"] = "acct_platform"
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Account makes an account that may take payments, and gives its secret key.
func (s *Stripe) Account(id string) (key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(id, true)
	s.keys["sk_test_"+id] = id
	return "sk_test_" + id
}

// Ready lets an account take payments.
func (s *Stripe) Ready(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id]["charges_enabled"] = true
}

func (s *Stripe) account(id string, ready bool) object {
	s.accounts[id] = object{"id": id, "object": "account", "charges_enabled": ready, "details_submitted": ready, "metadata": object{}}
	return s.accounts[id]
}

// ServeHTTP answers a request to the API.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err := r.ParseForm(); err != nil {
		fail(w, 400, "invalid_request_error", "parameter_invalid", err.Error())
		return
	}
	s.mu.Lock()
	account, known := s.keys[key]
	if on := r.Header.Get("Stripe-Account"); known && on != "" && on != account {
		account, known = on, s.accounts[on] != nil && account == "acct_platform"
	}
	s.mu.Unlock()
	if !known {
		fail(w, 401, "invalid_request_error", "", "Invalid API Key provided")
		return
	}
	status, body := s.once(account, r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// once answers what was asked under the same key before as it was answered then. A key
// that comes with other parameters is refused, and an answer of a fault is not kept.
func (s *Stripe) once(account string, r *http.Request) (int, []byte) {
	name := account + " " + r.Header.Get("Idempotency-Key")
	request := r.Method + " " + r.URL.Path + " " + r.Form.Encode()
	keep := r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") != ""
	if keep {
		s.mu.Lock()
		kept, found := s.answers[name]
		s.mu.Unlock()
		if found && kept.request != request {
			return problem(400, "idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters they were first used with.")
		}
		if found {
			return kept.status, kept.body
		}
	}
	effect := effectOf(r)
	if s.Before != nil && r.Method == http.MethodPost {
		s.Before(effect)
	}
	s.mu.Lock()
	status, body, events := s.answer(account, r)
	if keep && status != 400 && status < 500 {
		s.answers[name] = answer{request, status, body}
	}
	s.mu.Unlock()
	if s.After != nil && r.Method == http.MethodPost {
		s.After(effect)
	}
	s.send(account, events)
	return status, body
}

// effectOf names what a request does.
func effectOf(r *http.Request) string {
	parts := strings.Split(r.URL.Path, "/")
	for i, part := range parts {
		if strings.Contains(part, "_") && i > 2 && strings.ContainsAny(part, "0123456789") {
			parts[i] = "{id}"
		}
	}
	return r.Method + " " + strings.Join(parts, "/")
}

func fail(w http.ResponseWriter, status int, kind, code, message string) {
	status, body := problem(status, kind, code, message)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func problem(status int, kind, code, message string) (int, []byte) {
	body, _ := json.Marshal(object{"error": object{"type": kind, "code": code, "message": message}})
	return status, body
}

func (s *Stripe) id(prefix string) string {
	s.last++
	return fmt.Sprintf("%s_test_%06d", prefix, s.last)
}

// event is what is told of an object.
type event struct {
	kind   string
	object object
}

// send sends webhooks, each until it is acknowledged or a few times.
func (s *Stripe) send(account string, events []event) {
	if s.Hook == "" {
		return
	}
	if s.Late {
		slices.Reverse(events)
	}
	for _, e := range events {
		s.mu.Lock()
		id, copied := s.id("evt"), object{}
		for k, v := range e.object {
			copied[k] = v
		}
		s.mu.Unlock()
		times := 1
		if s.Twice {
			times = 2
		}
		for range times {
			go s.Send(id, e.kind, account, copied)
		}
	}
}

// Send sends one webhook until it is acknowledged, or for half a minute, and gives the
// last answer's status.
func (s *Stripe) Send(id, kind, account string, about map[string]any) int {
	payload, err := json.Marshal(object{"id": id, "object": "event", "type": kind, "account": account, "created": time.Now().Unix(), "data": object{"object": about}})
	if err != nil {
		s.t.Error(err)
		return 0
	}
	status := 0
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		status = Post(s.Hook, payload, Secret)
		if status >= 200 && status < 300 || status == 400 {
			break
		}
	}
	return status
}

// Post sends a payload once, signed, and gives the answer's status, 0 for none.
func Post(hook string, payload []byte, secret string) int {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: secret})
	request, err := http.NewRequest(http.MethodPost, hook, bytes.NewReader(payload))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Stripe-Signature", signed.Header)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// Pay has the shopper pay on Stripe's page, or confirm in the front end: of a session's or
// an intent's name. A card is "succeeds", "declined", or "later", which is being processed
// until Arrive.
func (s *Stripe) Pay(id, card string) {
	s.t.Helper()
	s.mu.Lock()
	paid := s.objects[id]
	if paid == nil {
		s.mu.Unlock()
		s.t.Errorf("there is no %s to pay", id)
		return
	}
	intent := paid
	if paid["object"] == "checkout.session" {
		if paid["status"] != "open" {
			s.mu.Unlock()
			return // the page says that it has expired, or was paid
		}
		intent = paid["intent"].(object)
	}
	status := intent["status"].(string)
	if status != "requires_payment_method" || card == "declined" {
		s.mu.Unlock()
		return // the page says so, and the shopper may try again
	}
	var events []event
	if paid["object"] == "checkout.session" {
		paid["status"], paid["payment_intent"] = "complete", intent
		events = append(events, event{"checkout.session.completed", paid})
	}
	switch {
	case card == "later":
		intent["status"] = "processing"
	case intent["capture_method"] == "manual":
		intent["status"] = "requires_capture"
	default:
		s.take(intent, intent["amount"].(int64))
		events = append(events, event{"payment_intent.succeeded", intent}, event{"charge.succeeded", intent["latest_charge"].(object)})
	}
	account := intent["account"].(string)
	s.mu.Unlock()
	if s.After != nil {
		s.After("pay")
	}
	s.send(account, events)
}

// Arrive ends what is being processed.
func (s *Stripe) Arrive(id string, ok bool) {
	s.mu.Lock()
	intent := s.paid(id)
	kind := "payment_intent.succeeded"
	if ok {
		s.take(intent, intent["amount"].(int64))
	} else {
		intent["status"], kind = "requires_payment_method", "payment_intent.payment_failed"
	}
	account := intent["account"].(string)
	s.mu.Unlock()
	s.send(account, []event{{kind, intent}})
}

// paid is the intent of a session's or an intent's name. The lock is held.
func (s *Stripe) paid(id string) object {
	intent := s.objects[id]
	if inner, found := intent["intent"].(object); found {
		intent = inner
	}
	return intent
}

// PayBack has the merchant pay back at Stripe's own page.
func (s *Stripe) PayBack(id string, amount int64) {
	s.mu.Lock()
	intent := s.paid(id)
	s.refund(intent, amount, object{})
	account, charge := intent["account"].(string), intent["latest_charge"].(object)
	s.mu.Unlock()
	s.send(account, []event{{"charge.refunded", charge}})
}

// Dispute has the shopper's bank ask a payment back: the money is withdrawn. It gives the
// dispute's name.
func (s *Stripe) Dispute(id string) string {
	s.mu.Lock()
	intent := s.paid(id)
	name, account := s.id("dp"), intent["account"].(string)
	amount := intent["amount_received"].(int64)
	dispute := object{
		"id": name, "object": "dispute", "account": account, "amount": amount, "currency": intent["currency"], "payment_intent": intent["id"],
		"reason": "fraudulent", "status": "needs_response", "created": time.Now().Unix(), "metadata": object{},
		"evidence_details": object{"due_by": time.Now().Add(7 * 24 * time.Hour).Unix()}, "balance_transactions": []object{moved(-amount)},
	}
	s.objects[name] = dispute
	s.mu.Unlock()
	s.send(account, []event{{"charge.dispute.created", dispute}, {"charge.dispute.funds_withdrawn", dispute}})
	return name
}

// Decide ends a dispute: the money of one that is won is given back.
func (s *Stripe) Decide(id string, won bool) {
	s.mu.Lock()
	dispute := s.objects[id]
	events := []event{{"charge.dispute.closed", dispute}}
	dispute["status"] = "lost"
	if won {
		dispute["status"] = "won"
		dispute["balance_transactions"] = append(dispute["balance_transactions"].([]object), moved(dispute["amount"].(int64)))
		events = append(events, event{"charge.dispute.funds_reinstated", dispute})
	}
	account := dispute["account"].(string)
	s.mu.Unlock()
	s.send(account, events)
}

// moved is what comes to an account's balance, or goes.
func moved(amount int64) object {
	return object{"id": "txn_test", "object": "balance_transaction", "amount": amount}
}

func (s *Stripe) take(intent object, amount int64) {
	charge := object{
		"id": s.id("ch"), "object": "charge", "amount": intent["amount"], "amount_captured": amount, "amount_refunded": int64(0), "currency": intent["currency"],
		"metadata": intent["metadata"], "payment_intent": intent["id"],
	}
	intent["status"], intent["amount_received"], intent["latest_charge"] = "succeeded", amount, charge
}

// Taken is what an account has taken less what it paid back, in minor units, and how many
// payments it is of.
func (s *Stripe) Taken(account string) (amount int64, payments int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		if o["object"] == "payment_intent" && o["account"] == account && o["status"] == "succeeded" {
			left := o["amount_received"].(int64) - o["latest_charge"].(object)["amount_refunded"].(int64)
			if left > 0 {
				amount, payments = amount+left, payments+1
			}
		}
	}
	return amount, payments
}

// All are the names of all objects of a kind, such as "checkout.session", the oldest first.
func (s *Stripe) All(kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, o := range s.objects {
		if o["object"] == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// nested reads the parameters below a name, such as metadata[stoa_store].
func nested(form url.Values, name string) object {
	found := object{}
	for key, values := range form {
		if rest, ok := strings.CutPrefix(key, name+"["); ok && strings.HasSuffix(rest, "]") && !strings.Contains(rest, "[") {
			found[strings.TrimSuffix(rest, "]")] = values[0]
		}
	}
	return found
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
