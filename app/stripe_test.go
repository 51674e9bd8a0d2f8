package app_test

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// till is a store that is paid by Stripe, in a program that is killed at a point of
// Stripe's.
type till struct {
	*market
	program *apptest.Process
	stripe  *stripetest.Stripe
	account string

	mu    sync.Mutex
	point string // where the program is killed next: "before " or "after " an effect
	dead  chan struct{}
}

func openTill(t *testing.T) *till {
	t.Helper()
	fake := stripetest.New(t)
	address := apptest.FreeAddr(t)
	_, port, _ := net.SplitHostPort(address)
	fake.Hook = "http://" + address + "/v1/payment-providers/stripe/events"
	s := &till{stripe: fake}
	fake.Twice, fake.Late = true, true
	fake.Before = func(effect string) { s.reached("before " + effect) }
	fake.After = func(effect string) { s.reached("after " + effect) }
	s.program = apptest.Spawn(t, apptest.Build(t), apptest.Env{
		"STOA_HTTP_ADDR": address, "STOA_PUBLIC_URL": "http://localhost:" + port, "STOA_STRIPE_API_BASE": fake.URL,
		"STOA_STRIPE_TEST_SECRET_KEY": "sk_test_platform", "STOA_STRIPE_WEBHOOK_SECRETS": stripetest.Secret,
	})
	s.market = openMarket(t, []int64{1000}, s.program.Program)
	s.account = s.must(t, http.StatusOK, probe.Call{Operation: "connectStripe", Header: headers(s.secret), Body: body(map[string]any{"return_url": "https://admin.example.com"})}).String("/account_id")
	fake.Ready(s.account)
	s.settings(map[string]any{"providers": []string{"stripe"}})
	return s
}

func (s *till) settings(change map[string]any) {
	s.t.Helper()
	s.must(s.t, http.StatusOK, probe.Call{Operation: "updatePaymentSettings", Header: headers(s.secret), Body: body(change)})
}

// arm has the program killed at a point.
func (s *till) arm(point string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.point, s.dead = point, make(chan struct{})
}

func (s *till) reached(point string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.point == point {
		s.point = ""
		s.program.Kill()
		close(s.dead)
	}
}

// revive starts the program again if it was killed.
func (s *till) revive() {
	s.t.Helper()
	s.mu.Lock()
	dead := s.dead
	s.mu.Unlock()
	select {
	case <-dead:
		s.program.Restart()
		s.arm("")
	default:
	}
}

// insist makes a call until it is answered so, whoever dies meanwhile.
func (s *till) insist(status int, call probe.Call) *probe.Answer {
	s.t.Helper()
	var answer *probe.Answer
	apptest.Eventually(s.t, 2*time.Minute, call.Operation, func() bool {
		var err error
		if call.Header.Get("Cart-Token") != "" {
			call.Header.Set("X-Forwarded-For", anywhere()) // who tries so often is not one shopper
		}
		answer, err = s.doors[0].Probe.Do(context.Background(), s.client, call)
		s.revive()
		if err == nil && answer.Status != status && answer.Status < 500 && answer.Status != http.StatusConflict {
			s.t.Fatalf("%s: %d: %s", call.Operation, answer.Status, answer.Body)
		}
		if err == nil && answer.Status == status {
			return true
		}
		time.Sleep(asked(answer))
		return false
	})
	return answer
}

// basket is a cart of one shirt, and what is sent with its requests.
type basket struct {
	path   map[string]string
	header http.Header
	word   []byte // the shopper's final one
}

func (s *till) basket() basket {
	s.t.Helper()
	made := s.must(s.t, http.StatusCreated, probe.Call{Operation: "createCart", Header: headers(s.publishable, "X-Forwarded-For", anywhere()), Body: body(map[string]any{
		"currency": "EUR", "email": "shopper@example.com", "lines": []any{map[string]any{"variant_id": s.variants[0], "quantity": 1}},
	})})
	b := basket{path: map[string]string{"cart_id": made.String("/cart/id")}}
	b.header = headers(s.publishable, "X-Forwarded-For", anywhere(), "Idempotency-Key", ids.New("key"), "Cart-Token", made.String("/token"))
	told := s.must(s.t, http.StatusOK, probe.Call{Operation: "updateCart", Path: b.path, Header: b.header, Body: body(map[string]any{
		"shipping_address":   map[string]any{"name": "Grace Example", "line1": "1 Sample Street", "postal_code": "10115", "city": "Berlin", "country": "DE"},
		"shipping_method_id": s.method,
	})})
	total, _ := told.Get("/totals/total")
	b.word = body(map[string]any{"payment": map[string]any{"provider": "stripe", "return_url": "https://shop.example.com/back"}, "expected_total": total})
	return b
}

// begin leads the shopper of a basket to Stripe's page, and gives the session's name.
func (s *till) begin(b basket) string {
	s.t.Helper()
	to := s.insist(http.StatusAccepted, probe.Call{Operation: "completeCart", Path: b.path, Header: b.header, Body: b.word}).String("/next_action/url")
	return to[strings.LastIndexByte(to, '/')+1:]
}

// order is the basket's order, once the browser that comes back is told of it.
func (s *till) order(b basket) (id string) {
	s.t.Helper()
	apptest.Eventually(s.t, 2*time.Minute, "the order of "+b.path["cart_id"], func() bool {
		id = s.insist(http.StatusOK, probe.Call{Operation: "checkCartPayment", Path: b.path, Header: b.header}).String("/order/id")
		return id != ""
	})
	if again := s.insist(http.StatusCreated, probe.Call{Operation: "completeCart", Path: b.path, Header: b.header, Body: b.word}).String("/id"); again != id {
		s.t.Errorf("order %s is %s as well", id, again)
	}
	return id
}

// Whoever dies when, a payment that Stripe took is one paid order, while its webhooks come
// twice, in the wrong order and beside the browser; and what is captured or paid back is so
// once.
func TestStripeKilledAtEachOfItsPoints(t *testing.T) {
	t.Parallel()
	s := openTill(t)
	s.arm("")
	var orders []string
	for _, point := range []string{"before POST /v1/checkout/sessions", "after POST /v1/checkout/sessions", "after pay", ""} {
		b := s.basket()
		s.arm(point)
		session := s.begin(b)
		go s.stripe.Pay(session, "succeeds")
		if point == "after pay" {
			apptest.Eventually(t, time.Minute, "it is killed", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.point == "" })
		}
		orders = append(orders, s.order(b))
	}
	for _, point := range []string{"before POST /v1/refunds", "after POST /v1/refunds"} {
		s.arm(point)
		in, header := map[string]string{"order_id": orders[0]}, headers(s.secret, "Idempotency-Key", ids.New("key"))
		s.insist(http.StatusCreated, probe.Call{Operation: "createRefund", Path: in, Header: header, Body: body(map[string]any{"amount": price(100)})})
	}

	// Nobody comes back from Stripe's page: the webhook makes the order. Nobody ever pays:
	// another attempt does, and the page of the first is shut.
	b := s.basket()
	s.stripe.Pay(s.begin(b), "succeeds")
	apptest.Eventually(t, 2*time.Minute, "the webhook's order", func() bool {
		return len(apptest.Query[string](s.program.Program, `select id from `+s.schema()+`orders where cart_id = $1 and state = 'open'`, b.path["cart_id"])) == 1
	})
	orders = append(orders, s.order(b))
	b = s.basket()
	first := s.begin(b)
	b.header.Set("Idempotency-Key", ids.New("key"))
	second := s.begin(b)
	s.stripe.Pay(first, "succeeds")
	s.stripe.Pay(second, "succeeds")
	orders = append(orders, s.order(b))

	s.settings(map[string]any{"capture_method": "manual"})
	for _, point := range []string{"before POST /v1/payment_intents/{id}/capture", "after POST /v1/payment_intents/{id}/capture"} {
		b := s.basket()
		go s.stripe.Pay(s.begin(b), "succeeds")
		order := s.order(b)
		payment := s.insist(http.StatusOK, probe.Call{Operation: "getOrder", Path: map[string]string{"order_id": order}, Header: headers(s.secret)})
		if payment.String("/payment_state") != "authorised" {
			t.Errorf("before it is captured: %s", payment.Body)
		}
		s.arm(point)
		s.insist(http.StatusOK, probe.Call{Operation: "capturePayment", Path: map[string]string{"payment_id": payment.String("/payments/0/id")}, Header: headers(s.secret, "Idempotency-Key", ids.New("key"))})
		orders = append(orders, order)
	}

	if slices.Sort(orders); len(slices.Compact(slices.Clone(orders))) != len(orders) {
		t.Errorf("carts share an order: %v", orders)
	}
	kept := apptest.Query[string](s.program.Program, `select id from `+s.schema()+`orders where state = 'open' and payment_state in ('paid', 'partially_refunded') order by id`)
	amount, payments := s.stripe.Taken(s.account)
	if !slices.Equal(kept, orders) || payments != len(orders) || amount != int64(len(orders))*2390-200 {
		t.Errorf("%d orders are kept of %d; Stripe took %d by %d payments", len(kept), len(orders), amount, payments)
	}
	if odd := apptest.Query[string](s.program.Program, `select id from `+s.schema()+`payments where state not in ('captured', 'failed') or asked <> ''`); len(odd) > 0 {
		t.Errorf("payments without an end: %v", odd)
	}
}
