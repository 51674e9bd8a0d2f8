package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v81/webhook"

	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// connected turns Stripe on, for an account of the store's.
func (s *selling) connected() (account string) {
	s.t.Helper()
	body := object{"return_url": "https://admin.example.com"}
	account = s.admin("POST", "/payment-settings/stripe/connect", body).Want(200).String("account_id")
	s.stripe.Ready(account)
	if again := s.admin("POST", "/payment-settings/stripe/connect", body).Want(200).String("account_id"); again != account {
		s.t.Errorf("connected to %s and %s", account, again)
	}
	if got := s.admin("GET", "/payment-settings", nil).Want(200); got.Get("stripe.charges_enabled") != true {
		s.t.Errorf("connected: %s", got.Body)
	}
	s.admin("PATCH", "/payment-settings", object{"providers": []string{"stripe"}}).Want(200)
	return account
}

// event sends an event as Stripe does, and gives the answer's status.
func (s *selling) event(secret string, event object) int {
	s.t.Helper()
	return s.eventAt("", secret, event)
}

func (s *selling) eventAt(query, secret string, event object) int {
	s.t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		s.t.Fatal(err)
	}
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: secret})
	return s.Do(s.t, "", "POST", "/v1/payment-providers/stripe/events"+query, string(payload), "Stripe-Signature: "+signed.Header, "Content-Type: application/json", apitest.ChangesNothing).Status
}

// about is an event about a payment of the store.
func (s *selling) about(account, payment string) object {
	ref, _ := postgres.StoreFrom(s.Ctx)
	return object{"id": ids.New("evt"), "account": account, "type": "payment_intent.succeeded", "data": object{"object": object{
		"metadata": object{"stoa_store": ref.ID, "stoa_mode": "test", "stoa_payment": payment},
	}}}
}

// news are the jobs that there are for a payment.
func (s *selling) news(payment string) (jobs int) {
	s.t.Helper()
	err := s.DB.InCell(context.Background(), s.cell(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where kind = $1 and args->>'payment' = $2`, stripe.JobNews, payment).Scan(&jobs)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return jobs
}

func TestStripeOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(1)
	body := completion(1, "")
	body["payment"] = object{"provider": "stripe", "return_url": "https://shop.example.com/back"}
	s.shop("POST", path+"/complete", body, token, key()).WantProblem(422, "provider_off")
	s.admin("PATCH", "/payment-settings", object{"providers": []string{"stripe"}}).WantProblem(422, "invalid_settings")
	account := s.connected()

	// The shopper goes to Stripe's page; who asks first afterwards makes the order, once.
	once := key()
	waiting := s.shop("POST", path+"/complete", body, token, once).Want(202)
	session := s.stripe.All("checkout.session")[0]
	if waiting.String("next_action.url") != s.stripe.URL+"/pay/"+session || waiting.String("next_action.type") != "redirect" {
		t.Fatalf("waiting: %s", waiting.Body)
	}
	s.stripe.Pay(session, "declined")
	if got := s.shop("POST", path+"/payment/check", nil, token, apitest.ChangesNothing).Want(200); got.String("state") != "requires_action" {
		t.Errorf("a card was declined at Stripe's page: %s", got.Body)
	}
	s.stripe.Pay(session, "succeeds")
	payment := waiting.String("payment_id")
	if err := s.buying.Learn(s.Ctx, payment); err != nil {
		t.Fatal(err)
	}
	order := s.shop("POST", path+"/complete", body, token, once, apitest.ChangesNothing).Want(201).String("id")
	if id, state := s.payment(order); id != payment || state != "captured" {
		t.Errorf("payment %s is %s", id, state)
	}
	if amount, n := s.stripe.Taken(account); amount != 2489 || n != 1 {
		t.Errorf("%d taken by %d payments", amount, n)
	}
	s.admin("POST", "/orders/"+order+"/refunds", object{"amount": object{"amount": 489, "currency": "EUR"}}, key()).Want(201)
	s.admin("POST", "/orders/"+order+"/refunds", object{}, key()).Want(201)
	if amount, _ := s.stripe.Taken(account); amount != 0 {
		t.Errorf("%d are left", amount)
	}

	// A front end of the shop's own confirms by the client secret; what is held is captured.
	s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}).Want(200)
	path, token = s.cart(1)
	body["payment"] = object{"provider": "stripe", "flow": "confirm"}
	waiting = s.shop("POST", path+"/complete", body, token, key()).Want(202)
	if waiting.String("next_action.account") != account || waiting.String("next_action.publishable_key") != "pk_test_platform" || waiting.String("next_action.client_secret") == "" {
		t.Fatalf("to be confirmed: %s", waiting.Body)
	}
	s.stripe.Pay(s.stripe.All("payment_intent")[1], "succeeds")
	order = s.shop("POST", path+"/payment/check", nil, token).Want(200).String("order.id")
	payment, state := s.payment(order)
	if state != "authorised" {
		t.Errorf("the payment is %s", state)
	}
	capture := "/payments/" + payment + "/capture"
	s.admin("POST", capture, object{"amount": object{"amount": 2400, "currency": "EUR"}}, key()).Want(200)
	if amount, n := s.stripe.Taken(account); amount != 2400 || n != 1 || s.states(order) != "open partially_paid unfulfilled" {
		t.Errorf("%d captured by %d payments; the order is %s", amount, n, s.states(order))
	}
	s.admin("POST", capture, nil, key()).WantProblem(409, "payment_not_held")
	s.booksAgree()

	// A step that nobody takes is given up at Stripe.
	path, token = s.cart(1)
	s.shop("POST", path+"/complete", body, token, key()).Want(202)
	s.shop("POST", path+"/payment/cancel", nil, token).Want(200)
	s.stripe.Pay(s.stripe.All("payment_intent")[2], "succeeds")
	if amount, n := s.stripe.Taken(account); amount != 2400 || n != 1 {
		t.Errorf("%d taken by %d payments, one of which was given up", amount, n)
	}
}

// News of an account has the store learn whether it may take payments by now.
func TestNewsOfAnAccount(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	learn := func(want any) {
		t.Helper()
		if err := s.byStripe.Look(s.Ctx, stripe.News{}); err != nil {
			t.Fatal(err)
		}
		if got := s.admin("GET", "/payment-settings", nil).Want(200); got.Get("stripe.charges_enabled") != want {
			t.Errorf("want %v: %s", want, got.Body)
		}
	}
	if err := s.byStripe.Learn(s.Ctx); err != nil {
		t.Errorf("a store without an account: %v", err)
	}
	account := s.admin("POST", "/payment-settings/stripe/connect", object{"return_url": "https://admin.example.com"}).Want(200).String("account_id")
	learn(false)
	s.stripe.Ready(account)
	learn(true)
	told := false
	err := s.byStripe.Look(s.Ctx, stripe.News{Payment: "pay_1"}, func(_ context.Context, payment string) error {
		told = payment == "pay_1"
		return nil
	})
	if err != nil || !told {
		t.Errorf("news of a payment: %v, told %v", err, told)
	}
}

// byCard sells a shirt by Stripe, and gives the order, its payment and the intent's name.
func (s *selling) byCard() (order, payment, intent string) {
	s.t.Helper()
	path, token := s.cart(1)
	body := completion(1, "")
	body["payment"] = object{"provider": "stripe", "flow": "confirm"}
	payment = s.shop("POST", path+"/complete", body, token, key()).Want(202).String("payment_id")
	intents := s.stripe.All("payment_intent")
	intent = intents[len(intents)-1]
	s.stripe.Pay(intent, "succeeds")
	return s.shop("POST", path+"/payment/check", nil, token).Want(200).String("order.id"), payment, intent
}

// learn works on news as the workers do.
func (s *selling) learn(news stripe.News) {
	s.t.Helper()
	if err := s.byStripe.Look(s.Ctx, news, s.buying.Learn, s.sold.Learn); err != nil {
		s.t.Fatal(err)
	}
}

// booksAgree holds our books against Stripe's. The stock of these tests is put there behind the
// ledger's back.
func (s *selling) booksAgree() {
	s.t.Helper()
	books := &reconciliation.Service{DB: s.DB, Providers: s.buying.Providers}
	found, err := books.Run(s.Ctx, time.Now().Add(-time.Hour))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range found {
		if d.Kind != reconciliation.Stock {
			s.t.Errorf("the books differ: %+v", d)
		}
	}
}

// What is paid back at Stripe's own page is booked once, however often there is news of it, and
// beside what we pay back.
func TestRefundsAtStripesPage(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	account := s.connected()
	order, payment, intent := s.byCard()
	s.admin("POST", "/orders/"+order+"/refunds", object{"amount": object{"amount": 89, "currency": "EUR"}}, key()).Want(201)
	s.stripe.PayBack(intent, 400)
	s.stripe.PayBack(intent, 500)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { s.learn(stripe.News{Payment: payment}) })
	}
	all.Wait()
	shown := s.admin("GET", "/orders/"+order, nil).Want(200)
	if shown.Get("totals.refunded.amount") != 989.0 || len(shown.Get("refunds").([]any)) != 3 || shown.String("payment_state") != "partially_refunded" {
		t.Errorf("the order: %s", shown.Body)
	}
	// Nothing that was not paid back there is paid back here.
	s.admin("POST", "/orders/"+order+"/refunds", object{"amount": object{"amount": 1501, "currency": "EUR"}}, key()).WantProblem(422, "refund_exceeds_payment")
	s.stripe.PayBack(intent, 1500)
	s.learn(stripe.News{Payment: payment})
	if shown := s.admin("GET", "/orders/"+order, nil).Want(200); shown.String("payment_state") != "refunded" {
		t.Errorf("the order: %s", shown.Body)
	}
	if amount, _ := s.stripe.Taken(account); amount != 0 {
		t.Errorf("%d are left at Stripe", amount)
	}
	s.booksAgree()
}

// A dispute is shown with its payment, and told of when it is opened, changes and ends. Events
// of disputes name nothing of ours.
func TestDisputes(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	account := s.connected()
	order, payment, intent := s.byCard()
	dispute := s.stripe.Dispute(intent)
	about := func(intent string) object {
		return object{"id": ids.New("evt"), "account": account, "type": "charge.dispute.created", "data": object{"object": object{"object": "dispute", "payment_intent": intent, "metadata": object{}}}}
	}
	if got := s.event(stripetest.Secret, about(intent)); got != 204 || s.fates[len(s.fates)-1] != stripe.Taken || s.news(payment) != 1 {
		t.Errorf("its event is answered %d, with %d jobs", got, s.news(payment))
	}
	if got := s.event(stripetest.Secret, about("pi_nobodys_1")); got != 204 || s.fates[len(s.fates)-1] != stripe.Foreign {
		t.Errorf("one of a payment that is not there is answered %d, %s", got, s.fates[len(s.fates)-1])
	}
	state := func() string {
		t.Helper()
		shown := s.admin("GET", "/orders/"+order, nil).Want(200)
		return shown.String("payments.0.disputes.0.state") + " " + fmt.Sprint(shown.Get("payments.0.disputes.0.funds_withdrawn"))
	}
	for range 2 {
		s.learn(stripe.News{Payment: payment})
	}
	if got := state(); got != "needs_response true" {
		t.Errorf("the dispute is %s", got)
	}
	s.stripe.Decide(dispute, true)
	s.learn(stripe.News{Intent: intent}) // as an account of the store's own has it
	if got := state(); got != "won false" {
		t.Errorf("the dispute is %s", got)
	}
	lost := s.stripe.Dispute(intent)
	s.stripe.Decide(lost, false)
	s.learn(stripe.News{Payment: payment})
	s.learn(stripe.News{Intent: "pi_elsewhere"})
	told := shoptest.Value[string](t, s.Shop, `select string_agg(type, ' ' order by id) from events where object_id = $1 and type like 'dispute.%'`, payment)
	if told != "dispute.opened dispute.won dispute.opened dispute.lost" {
		t.Errorf("told: %s", told)
	}
	if timeline := s.admin("GET", "/orders/"+order+"/timeline", nil).Want(200); !strings.Contains(string(timeline.Body), `"dispute.lose"`) {
		t.Errorf("the timeline: %s", timeline.Body)
	}
	s.booksAgree()
}

func TestStripesEvents(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	account := s.connected()
	payment := ids.New("pay")
	known := s.about(account, payment)
	foreign := object{"id": "evt_1", "account": account, "data": object{"object": object{"metadata": object{}}}}
	elsewhere := s.about(account, payment)
	elsewhere["data"] = object{"object": object{"metadata": object{"stoa_store": ids.New("sto"), "stoa_mode": "test"}}}
	for _, c := range []struct {
		secret string
		event  object
		status int
		fate   stripe.Fate
	}{
		{stripetest.Secret, known, 204, stripe.Taken},
		{stripetest.Secret, known, 204, stripe.Repeated},
		{"whsec_wrong", s.about(account, payment), 400, stripe.Refused},
		{stripetest.Secret, s.about("acct_stranger", payment), 204, stripe.Stranger},
		{stripetest.Secret, elsewhere, 204, stripe.Stranger},
		{stripetest.Secret, foreign, 204, stripe.Foreign},
		{"whsec_wrong", foreign, 400, stripe.Refused},
	} {
		if got := s.event(c.secret, c.event); got != c.status || s.fates[len(s.fates)-1] != c.fate {
			t.Errorf("%v: %d, %s; want %d, %s", c.event, got, s.fates[len(s.fates)-1], c.status, c.fate)
		}
	}
	s.Do(t, "", "POST", "/v1/payment-providers/stripe/events", object{"id": "evt_1"}).WantProblem(http.StatusBadRequest, "invalid_signature")
	if n := s.news(payment); n != 1 {
		t.Errorf("%d jobs for one event", n)
	}
}

// A store's own key is sealed, shown by its end only, and its account's events are signed
// by its own secret.
func TestStripeByAKeyOfTheStoresOwn(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	secret := s.stripe.Account("acct_own")
	s.admin("PATCH", "/payment-settings", object{"stripe": object{"secret_key": "sk_test_nobody"}}).WantProblem(422, "invalid_settings")
	set := s.admin("PATCH", "/payment-settings", object{"providers": []string{"stripe"}, "stripe": object{"secret_key": secret, "publishable_key": "pk_test_own", "webhook_secret": "whsec_own"}}).Want(200)
	if set.String("stripe.account_id") != "acct_own" || set.String("stripe.secret_key_last4") != "_own" || set.Get("stripe.webhook_secret_set") != true {
		t.Errorf("set: %s", set.Body)
	}
	kept := shoptest.Value[string](t, s.Shop, `select payments::text || (select string_agg(coalesce(before::text, '') || coalesce(after::text, ''), '') from audit_entries) from settings`)
	for _, text := range []string{string(set.Body), string(s.admin("GET", "/payment-settings", nil).Want(200).Body), kept} {
		if strings.Contains(text, secret) || strings.Contains(text, "whsec_own") {
			t.Errorf("a secret lies open: %s", text)
		}
	}
	path, token := s.cart(1)
	body := completion(1, "")
	body["payment"] = object{"provider": "stripe", "flow": "confirm"}
	waiting := s.shop("POST", path+"/complete", body, token, key()).Want(202)
	if waiting.Get("next_action.account") != nil || waiting.String("next_action.publishable_key") != "pk_test_own" {
		t.Errorf("waiting: %s", waiting.Body)
	}
	payment := waiting.String("payment_id")
	if got := s.event("whsec_own", s.about("", payment)); got != 204 || s.fates[len(s.fates)-1] != stripe.Taken {
		t.Errorf("its event is answered %d", got)
	}
	// A dispute names nothing of ours, and the address that the account has names the store.
	ref, _ := postgres.StoreFrom(s.Ctx)
	dispute := func() object {
		return object{"id": ids.New("evt"), "data": object{"object": object{"object": "dispute", "payment_intent": "pi_1", "metadata": object{}}}}
	}
	for store, want := range map[string]int{"": 400, "?store=" + ids.New("sto"): 400, "?store=" + ref.ID: 204} {
		if got := s.eventAt(store, "whsec_own", dispute()); got != want {
			t.Errorf("a dispute at %q is answered %d", store, got)
		}
	}
	if got := s.event("whsec_other", s.about("", payment)); got != 400 {
		t.Errorf("an event that somebody else has signed is answered %d", got)
	}
	gone := s.admin("PATCH", "/payment-settings", object{"stripe": nil}).Want(200)
	if gone.Get("stripe") != nil || len(gone.Get("providers").([]any)) != 0 {
		t.Errorf("taken away: %s", gone.Body)
	}
}

// cell is the store's.
func (s *selling) cell() string {
	ref, _ := postgres.StoreFrom(s.Ctx)
	return ref.Cell
}
