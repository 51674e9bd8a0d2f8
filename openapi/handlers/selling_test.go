package handlers_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/platform/typeset"
)

// selling is a door before everything that sells, to the sandbox of a store with a shirt.
type selling struct {
	*apitest.API
	*shoptest.Shop
	t         *testing.T
	carts     *cart.Service
	staff, pk string
	shirt     string
	customers *customers.Service
	buying    *checkout.Service
	sold      *orders.Service
	printed   *documents.Service
	stripe    *stripetest.Stripe
	byStripe  *stripe.Provider
	fates     []stripe.Fate // of Stripe's events
	told      atomic.Int64  // how often a cart was told to have become an order
}

// side is the store's sandbox, and no other.
func (s *selling) side(_ context.Context, id string, mode principal.Mode) (postgres.StoreRef, error) {
	ref, _ := postgres.StoreFrom(s.Ctx)
	if ref.ID != id || ref.Mode != mode {
		return ref, problem.Missing("store")
	}
	return ref, nil
}

// sealer seals for as long as the test takes.
func sealer(t *testing.T) *secrets.Ring {
	t.Helper()
	key, err := secrets.NewKey("test")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := secrets.ParseRing(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func newSelling(t *testing.T) *selling {
	t.Helper()
	platform := testdb.Open(t)
	hasher, err := passwords.NewHasher(4)
	if err != nil {
		t.Fatal(err)
	}
	db, log := platform.DB, slog.New(slog.DiscardHandler)
	providers := payments.Providers{payments.TestName: &payments.Test{DB: db, Slow: 20 * time.Millisecond}, payments.ManualName: payments.ByHand{}}
	carts := cart.New(db)
	sold := &orders.Service{DB: db, Stock: checkout.Stock{}, Offers: checkout.Offers{Carts: carts}, Providers: providers, Log: log}
	fonts, err := typeset.OpenFonts("")
	if err != nil {
		t.Fatal(err)
	}
	printed := &documents.Service{DB: db, Fonts: fonts}
	known := &customers.Service{DB: db, Hasher: hasher, Guard: guard.New(redistest.Client(t), guard.Usual(), log)}
	fake := stripetest.New(t)
	sealer := sealer(t)
	byStripe := stripe.New(stripe.Config{
		DB: db, Sealer: sealer, Base: fake.URL, WebhookSecrets: []string{stripetest.Secret},
		Keys: map[principal.Mode]stripe.Keys{principal.Test: {Secret: "sk_test_platform", Publishable: "pk_test_platform"}},
	})
	providers[payments.StripeName] = byStripe
	buying := &checkout.Service{DB: db, Carts: carts, Providers: providers, Log: log}
	s := &selling{t: t, carts: carts, customers: known, stripe: fake, byStripe: byStripe, buying: buying, sold: sold, printed: printed}
	s.API = apitest.New(t,
		(&handlers.Carts{DB: db, Carts: carts, Checkout: buying, Customers: known, Editions: catalog.NewEditions(db), ShopURL: shopURL, RecoverURL: func(_ context.Context, id string) (string, error) {
			return "https://linen.stoa.example/cart/recover/" + id, nil
		}}).Operations(),
		(&handlers.Drafts{DB: db, Drafts: &drafts.Service{Carts: carts}, Carts: carts, Checkout: buying, Orders: sold, ShopURL: shopURL, Links: draftLinks{}}).Operations(),
		(&handlers.Checkout{DB: db, Checkout: buying, Orders: sold, ShopURL: shopURL, OrderURL: func(_ context.Context, id string) (string, error) {
			return "https://shop.example.com/orders/" + id, nil
		}, Completed: func(context.Context) { s.told.Add(1) }}).Operations(),
		(&handlers.Analytics{DB: db, Reports: &analytics.Service{DB: db}}).Operations(),
		(&handlers.Orders{DB: db, Orders: sold, ShopURL: shopURL}).Operations(),
		(&handlers.Returns{DB: db, Orders: sold}).Operations(),
		(&handlers.Payments{DB: db, Orders: sold, Stripe: byStripe, Sealer: sealer, Find: s.side, Received: func(f stripe.Fate) { s.fates = append(s.fates, f) }}).Operations(),
		(&handlers.Promotions{DB: db}).Operations(), (&handlers.Credit{DB: db, Customers: known}).Operations(), (&handlers.PriceLists{DB: db}).Operations(),
		(&handlers.Variants{DB: db, Catalog: catalog.New(limit(0)), ShopURL: shopURL}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, Customers: known, AcceptsOrders: open, Editions: catalog.NewEditions(db)}).Operations(),
		(&handlers.Fields{DB: db}).Operations(),
		(&handlers.Customers{DB: db, Customers: known}).Operations(),
		(&handlers.ShopCustomers{DB: db, Customers: known, Orders: sold, Documents: printed, Checkout: buying, ShopURL: shopURL, Links: draftLinks{}}).Operations(),
		(&handlers.Documents{DB: db, Documents: printed}).Operations(),
		(&handlers.Reviews{DB: db, Customers: known, Editions: catalog.NewEditions(db)}).Operations(), (&handlers.Wishlists{DB: db, Customers: known}).Operations(),
	)
	s.Shop = shoptest.In(t, db, platform.Sandbox(t, platform.Store(t)))
	s.staff, s.pk = s.Staff(s.Ctx), s.Publishable(s.Ctx)
	s.shirt = s.Add(t, shoptest.Variant{Title: "Linen shirt", EUR: 1999, USD: 2499, Stock: 100})
	return s
}

// shop sends a shopper's request.
func (s *selling) shop(method, path string, body any, headers ...string) *apitest.Answer {
	s.t.Helper()
	return s.Do(s.t, s.pk, method, "/v1/shop"+path, body, headers...)
}

// admin sends the staff's request.
func (s *selling) admin(method, path string, body any, headers ...string) *apitest.Answer {
	s.t.Helper()
	return s.Do(s.t, s.staff, method, "/v1"+path, body, headers...)
}

func key() string { return "Idempotency-Key: " + ids.New("key") }

// cart makes a cart that can be completed, and gives its path and token's header.
func (s *selling) cart(quantity int) (path, token string) {
	s.t.Helper()
	made := s.shop("POST", "/carts", object{"email": "ada@example.com", "lines": []object{{"variant_id": s.shirt, "quantity": quantity}}}).Want(201)
	path, token = "/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
	s.shop("PATCH", path, object{"shipping_method_id": s.Standard, "shipping_address": berlin()}, token).Want(200)
	return path, token
}

func berlin() object {
	return object{"name": "Ada Example", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}
}

// completion is the shopper's final word on so many shirts.
func completion(quantity int, token string) object {
	return object{"payment": object{"provider": "test", "token": token}, "expected_total": object{"amount": 1999*quantity + 490, "currency": "EUR"}}
}

// order sells so many shirts and gives the order's ID.
func (s *selling) order(quantity int, token ...string) string {
	s.t.Helper()
	path, cartToken := s.cart(quantity)
	return s.shop("POST", path+"/complete", completion(quantity, strings.Join(append(token, "succeeds")[:1], "")), cartToken, key()).Want(201).String("id")
}

func TestCartsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.Exec(t, `insert into images (id, product_id, position, sizes) select 'img_1', product_id, 0, '[{"width":480,"key":"k/480.jpg"}]' from variants`)
	made := s.shop("POST", "/carts", object{}).Want(201)
	path, token := "/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
	if made.String("cart.state") != "open" || made.String("cart.problems.0.code") != "empty" || !strings.HasSuffix(made.Header.Get("Location"), path) {
		t.Errorf("made: %s", made.Body)
	}
	added := s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 2}, token).Want(201)
	if added.Get("totals.subtotal.amount") != 3998.0 || !strings.HasSuffix(added.String("lines.0.image_url"), ".stoa.example/media/k/480.jpg") {
		t.Errorf("added: %s", added.Body)
	}
	line := path + "/lines/" + added.String("lines.0.id")
	if got := s.shop("PATCH", line, object{"quantity": 3}, token).Want(200).Get("lines.0.quantity"); got != 3.0 {
		t.Errorf("changed to %v", got)
	}
	read := s.shop("GET", path, nil, token).Want(200)
	s.shop("GET", path, nil, token, "If-None-Match: "+read.Header.Get("ETag")).Want(304)
	updated := s.shop("PATCH", path, object{"email": "ada@example.com", "shipping_address": berlin(), "shipping_method_id": s.Express, "note": "Ring."}, token, "If-Match: "+read.Header.Get("ETag")).Want(200)
	if updated.Get("problems.0") != nil || updated.Get("totals.total.amount") != 5997.0+1200 || updated.String("shipping_method.name") != "Express" {
		t.Errorf("updated: %s", updated.Body)
	}
	s.shop("PATCH", path, object{"note": nil}, token, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	if got := s.shop("PATCH", path, object{"note": nil, "billing_address": nil}, token).Want(200).Get("note"); got != nil {
		t.Errorf("the note is %v", got)
	}
	options := s.shop("GET", path+"/shipping-methods?limit=1", nil, token).Want(200)
	if options.String("data.0.name") != "Standard" || options.Get("has_more") != true {
		t.Errorf("options: %s", options.Body)
	}
	if got := s.shop("GET", path+"/shipping-methods?limit=1&cursor="+options.String("next_cursor"), nil, token).Want(200); got.String("data.0.name") != "Express" || got.Get("has_more") != false {
		t.Errorf("more options: %s", got.Body)
	}
	if got := s.shop("DELETE", line, nil, token).Want(200).Get("lines.0"); got != nil {
		t.Errorf("the line is %v", got)
	}
	s.shop("DELETE", line, nil, token).WantProblem(404, "not_found")
}

// Two shoppers who happen to use the same Idempotency-Key share a publishable key, but no
// cart.
func TestAKeyOfTwoShoppersIsTwoCarts(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	create := func(ip string) string {
		t.Helper()
		return s.DoContext(t, apitest.From(t.Context(), ip), s.pk, "POST", "/v1/shop/carts", object{}, "Idempotency-Key: 1").Want(201).String("token")
	}
	mine := create("192.0.2.7")
	if again := create("192.0.2.7"); again != mine {
		t.Error("a repetition made another cart")
	}
	if theirs := create("192.0.2.8"); theirs == mine {
		t.Error("a stranger was given the cart")
	}
}

func TestCartRefusalsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(1)
	other := newSelling(t)
	theirs, theirToken := other.cart(1)
	line := object{"variant_id": s.shirt, "quantity": 1}
	for name, c := range map[string]struct {
		answer *apitest.Answer
		status int
		code   string
	}{
		"no key":            {s.Do(t, "", "POST", "/v1/shop/carts", object{}), 401, "missing_credential"},
		"a secret key":      {s.Do(t, s.staff, "POST", "/v1/shop/carts", object{}), 403, "wrong_credential"},
		"no token":          {s.shop("GET", path, nil), 401, "invalid_cart_token"},
		"a wrong token":     {s.shop("GET", path, nil, theirToken), 404, "not_found"},
		"another store's":   {s.shop("GET", theirs, nil, theirToken), 404, "not_found"},
		"their variant":     {s.shop("POST", path+"/lines", object{"variant_id": other.shirt, "quantity": 1}, token), 422, "variant_unavailable"},
		"no token to add":   {s.shop("POST", path+"/lines", line), 401, "invalid_cart_token"},
		"an odd id":         {s.shop("POST", "/carts/prod_1/lines", line, token), 404, "not_found"},
		"zero":              {s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 0}, token), 400, "invalid_request"},
		"too many":          {s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 10000}, token), 400, "invalid_request"},
		"beyond the stock":  {s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 100}, token), 409, "out_of_stock"},
		"a price":           {s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 1, "unit_price": object{"amount": 1, "currency": "EUR"}}, token), 400, "invalid_request"},
		"a bad address":     {s.shop("PATCH", path, object{"shipping_address": object{"name": "A", "line1": "1", "city": "B", "country": "DE"}}, token), 422, "details_invalid"},
		"an unknown method": {s.shop("PATCH", path, object{"shipping_method_id": ids.New("shp")}, token), 422, "shipping_unavailable"},
		"yen":               {s.shop("POST", "/carts", object{"currency": "JPY"}), 422, "currency_not_sold"},
		"a dead session":    {s.shop("POST", "/carts", object{}, "Customer-Token: cs_none"), 401, "invalid_customer_token"},
		"options unopened":  {s.shop("GET", path+"/shipping-methods", nil), 401, "invalid_cart_token"},
	} {
		if c.answer.Status != c.status || c.answer.String("code") != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, c.answer.Status, c.answer.String("code"), c.status, c.code)
		}
	}
}

// Adding to a cart is at most four statements, its idempotency key and its audit included;
// a completion is the same number for one line and for fifty, and at most fifteen.
func TestStatementsOfSelling(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(1)
	ctx, count := postgres.Counting(context.Background())
	s.DoContext(t, ctx, s.pk, "POST", "/v1/shop"+path+"/lines", object{"variant_id": s.shirt, "quantity": 1}, token, key()).Want(201)
	if n := count.Statements.Load(); n > 4 {
		t.Errorf("adding takes %d statements", n)
	}
	var took []int64
	for _, n := range []int{1, 50} {
		var lines []object
		for range n {
			lines = append(lines, object{"variant_id": s.Add(t, shoptest.Variant{EUR: 100, Stock: 5}), "quantity": 2})
		}
		made := s.shop("POST", "/carts", object{"email": "ada@example.com", "lines": lines}).Want(201)
		path, token := "/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
		s.shop("PATCH", path, object{"shipping_method_id": s.Standard, "shipping_address": berlin()}, token).Want(200)
		body := completion(0, "succeeds")
		body["expected_total"] = object{"amount": 200*n + 490, "currency": "EUR"}
		ctx, count := postgres.Counting(context.Background())
		s.DoContext(t, ctx, s.pk, "POST", "/v1/shop"+path+"/complete", body, token, key()).Want(201)
		took = append(took, count.Statements.Load())
	}
	if took[0] != took[1] || took[0] > 15 {
		t.Errorf("completion takes %v statements", took)
	}
}

func TestCompletionOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(2)
	once := key()
	order := s.shop("POST", path+"/complete", completion(2, "succeeds"), token, once).Want(201)
	if order.Get("number") != 1001.0 || order.String("payment_state") != "paid" || order.Get("totals.total.amount") != 4488.0 || order.String("taxes.0.name") != "VAT" || order.String("shipping.name") != "Standard" {
		t.Errorf("order: %s", order.Body)
	}
	replay := s.shop("POST", path+"/complete", completion(2, "succeeds"), token, once).Want(201)
	if string(replay.Body) != string(order.Body) || replay.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("replay: %s", replay.Body)
	}
	s.shop("POST", path+"/complete", completion(3, "succeeds"), token, once).WantProblem(422, "idempotency_key_reused")
	s.shop("POST", path+"/complete", completion(2, "succeeds"), token, key()).WantProblem(409, "cart_completed")
	s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 1}, token).WantProblem(409, "cart_completed")
	if got := s.shop("GET", path, nil, token).Want(200); got.String("state") != "completed" || got.String("order_id") != order.String("id") {
		t.Errorf("the cart: %s", got.Body)
	}
	mine := "/orders/" + order.String("id")
	if got := s.shop("GET", mine, nil, token).Want(200); got.String("email") != "ada@example.com" {
		t.Errorf("read: %s", got.Body)
	}
	s.shop("GET", mine, nil).WantProblem(401, "invalid_customer_token")
	s.shop("GET", mine, nil, "Cart-Token: ct_none").WantProblem(404, "not_found")
	if s.Stock(t, s.shirt) != 98 {
		t.Errorf("%d in stock", s.Stock(t, s.shirt))
	}
}

func TestCompletionRefusalsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(2)
	complete := func(body object, headers ...string) *apitest.Answer {
		return s.shop("POST", path+"/complete", body, append([]string{token}, headers...)...)
	}
	complete(completion(2, "succeeds")).WantProblem(400, "idempotency_key_required")
	changed := complete(completion(1, "succeeds"), key()).WantProblem(409, "total_changed")
	if changed.Get("total.amount") != 4488.0 {
		t.Errorf("the present total: %s", changed.Body)
	}
	// A refusal is recorded: asked again, the same is answered, and no second attempt made.
	declined := key()
	complete(completion(2, "declined"), declined).WantProblem(422, "payment_declined")
	again := complete(completion(2, "declined"), declined).WantProblem(422, "payment_declined")
	if again.Header.Get("Idempotent-Replayed") != "true" || again.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("again: %v %s", again.Header, again.Body)
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from payments`); n != 1 {
		t.Errorf("%d payments", n)
	}
	// What a provider does not answer can be asked again under the same name.
	lost := key()
	unavailable := complete(completion(2, "error"), lost).WantProblem(503, "payment_provider_unavailable")
	if unavailable.Header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After: %v", unavailable.Header)
	}
	complete(completion(2, "error"), lost).WantProblem(503, "payment_provider_unavailable")
	complete(completion(2, "barter"), key()).WantProblem(422, "payment_declined")
	body := completion(2, "succeeds")
	body["payment"].(object)["provider"] = "gold"
	complete(body, key()).WantProblem(400, "invalid_request")
	s.shop("PATCH", path, object{"email": nil}, token).Want(200)
	incomplete := complete(completion(2, "succeeds"), key()).WantProblem(422, "cart_incomplete")
	if incomplete.String("errors.0.code") != "email_missing" {
		t.Errorf("incomplete: %s", incomplete.Body)
	}
	s.shop("PATCH", path, object{"email": "ada@example.com"}, token).Want(200)
	complete(completion(2, "times_out"), key()).Want(201)
}

func TestParallelCompletionsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	path, token := s.cart(1)
	same := key()
	answers := make([]*apitest.Answer, 64)
	var wg sync.WaitGroup
	for i := range answers {
		name := same
		if i%2 == 1 {
			name = key()
		}
		wg.Go(func() {
			answers[i] = s.Do(t, s.pk, "POST", "/v1/shop"+path+"/complete", completion(1, "slow"), token, name)
		})
	}
	wg.Wait()
	found := map[string]bool{}
	for _, a := range answers {
		switch a.Status {
		case 201:
			found[a.String("id")] = true
		case 409:
			if code := a.String("code"); code != "completion_in_progress" && code != "cart_completed" && code != "idempotency_in_progress" {
				t.Errorf("code %s", code)
			}
		default:
			t.Errorf("status %d: %s", a.Status, a.Body)
		}
	}
	if len(found) != 1 {
		t.Errorf("orders %v", found)
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from test_charges`); n != 1 {
		t.Errorf("%d charges", n)
	}
}

func TestOrdersOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	id := s.order(3)
	path := "/orders/" + id
	order := s.admin("GET", path, nil).Want(200)
	s.admin("GET", path, nil, "If-None-Match: "+order.Header.Get("ETag")).Want(304)
	line, payment := order.String("lines.0.id"), order.String("payments.0.id")
	if order.String("payments.0.state") != "captured" || order.Get("customer_id") == nil {
		t.Errorf("order: %s", order.Body)
	}
	sent := s.admin("POST", path+"/fulfilments", object{"lines": []object{{"line_id": line, "quantity": 1}}, "tracking": object{"carrier": "Post", "number": "1", "url": "https://post.example/1"}}, key()).Want(201)
	if sent.String("order_id") != id || sent.String("tracking.carrier") != "Post" || sent.Get("lines.0.quantity") != 1.0 {
		t.Errorf("sent: %s", sent.Body)
	}
	s.admin("POST", path+"/fulfilments", object{"lines": []object{{"line_id": line, "quantity": 3}}}).WantProblem(422, "quantity_exceeded")
	s.admin("POST", path+"/fulfilments?dry_run=true", object{}).Want(201)
	s.admin("POST", path+"/cancel", object{"reason": "other"}, key()).WantProblem(409, "order_fulfilled")
	if got := s.admin("POST", path+"/fulfilments", object{}).Want(201); got.Get("tracking") != nil {
		t.Errorf("the rest: %s", got.Body)
	}
	s.admin("POST", path+"/fulfilments", object{}).WantProblem(409, "nothing_left")

	s.admin("POST", path+"/refunds", object{}).WantProblem(400, "idempotency_key_required")
	once := key()
	body := object{"lines": []object{{"line_id": line, "quantity": 1}}, "restock": true, "reason": "Too small."}
	refund := s.admin("POST", path+"/refunds", body, once).Want(201)
	if refund.Get("amount.amount") != 1999.0 || refund.String("state") != "succeeded" || refund.Get("restocked") != true || refund.String("payments.0.payment_id") != payment {
		t.Errorf("refund: %s", refund.Body)
	}
	if replay := s.admin("POST", path+"/refunds", body, once).Want(201); string(replay.Body) != string(refund.Body) {
		t.Errorf("replay: %s", replay.Body)
	}
	s.admin("POST", path+"/refunds", object{"amount": object{"amount": 100_000, "currency": "EUR"}}, key()).WantProblem(422, "refund_exceeds_payment")
	s.admin("POST", path+"/refunds", object{"amount": object{"amount": 1, "currency": "USD"}}, key()).WantProblem(422, "details_invalid")
	s.admin("POST", path+"/refunds", object{}, key()).Want(201)
	after := s.admin("GET", path, nil).Want(200)
	if after.String("state") != "completed" || after.String("payment_state") != "refunded" || after.String("payments.0.state") != "refunded" || after.Get("totals.refunded.amount") != 6487.0 {
		t.Errorf("in the end: %s", after.Body)
	}
	if s.Stock(t, s.shirt) != 98 {
		t.Errorf("%d in stock", s.Stock(t, s.shirt))
	}
	if got := s.admin("GET", "/payments/"+payment, nil).Want(200); got.Get("refunded.amount") != 6487.0 {
		t.Errorf("payment: %s", got.Body)
	}
	if got := s.admin("GET", "/payments?order_id="+id+"&state=refunded", nil).Want(200); got.String("data.0.id") != payment {
		t.Errorf("payments: %s", got.Body)
	}
}

func TestCancellationOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	id := s.order(3)
	once := key()
	for range 2 {
		got := s.admin("POST", "/orders/"+id+"/cancel", object{"reason": "customer"}, once).Want(200)
		if got.String("state") != "cancelled" || got.String("payment_state") != "refunded" || got.String("cancel_reason") != "customer" || got.Get("cancelled_at") == nil || got.String("refunds.0.state") != "succeeded" {
			t.Errorf("cancelled: %s", got.Body)
		}
	}
	s.admin("POST", "/orders/"+id+"/cancel", object{"reason": "customer"}, key()).WantProblem(409, "order_cancelled")
	s.admin("POST", "/orders/"+id+"/fulfilments", object{}).WantProblem(409, "order_cancelled")
	if s.Stock(t, s.shirt) != 100 {
		t.Errorf("%d in stock", s.Stock(t, s.shirt))
	}
	kept := s.order(2)
	s.admin("POST", "/orders/"+kept+"/cancel", object{"reason": "fraud", "restock": false}, key()).Want(200)
	if s.Stock(t, s.shirt) != 98 {
		t.Errorf("%d in stock", s.Stock(t, s.shirt))
	}
	failing := s.order(1, "refund_fails")
	got := s.admin("POST", "/orders/"+failing+"/cancel", object{"reason": "other"}, key()).Want(200)
	if got.String("state") != "cancelled" || got.String("payment_state") != "paid" || got.String("refunds.0.failure_code") == "" {
		t.Errorf("cancelled without its refund: %s", got.Body)
	}
	once = key()
	for range 2 {
		s.admin("POST", "/orders/"+failing+"/refunds", object{}, once).WantProblem(422, "refund_refused")
	}
}

func TestOrderListsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	var made []string
	for range 3 {
		made = append([]string{s.order(1)}, made...)
	}
	page := s.admin("GET", "/orders?limit=2", nil).Want(200)
	if got := names(page, "id"); got != strings.Join(made[:2], " ") {
		t.Errorf("first page: %s", got)
	}
	if got := names(s.admin("GET", "/orders?limit=2&cursor="+page.String("next_cursor"), nil).Want(200), "id"); got != made[2] {
		t.Errorf("second page: %s", got)
	}
	if got := names(s.admin("GET", "/orders?number=1002&state=open&payment_state=paid&fulfilment_state=unfulfilled&email=Ada@example.com&since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z", nil).Want(200), "id"); got != made[1] {
		t.Errorf("filtered: %s", got)
	}
	ctx, count := postgres.Counting(context.Background())
	s.DoContext(t, ctx, s.staff, "GET", "/v1/orders", nil).Want(200)
	if n := count.Statements.Load(); n != 1 {
		t.Errorf("a list takes %d statements", n)
	}
	stranger, viewer := newSelling(t), s.Scoped(s.Ctx, "products:read")
	for _, path := range []string{"/orders/" + made[0], "/payments/" + ids.New("pay"), "/customers/" + ids.New("cus")} {
		stranger.admin("GET", path, nil).WantProblem(404, "not_found")
		s.Do(t, viewer, "GET", "/v1"+path, nil).WantProblem(403, "missing_permission")
		s.Do(t, "", "GET", "/v1"+path, nil).WantProblem(401, "missing_credential")
		s.Do(t, s.pk, "GET", "/v1"+path, nil).WantProblem(403, "wrong_credential")
	}
	for _, path := range []string{"/cancel", "/refunds", "/fulfilments"} {
		body := object{}
		if path == "/cancel" {
			body["reason"] = "other"
		}
		stranger.admin("POST", "/orders/"+made[0]+path, body, key()).WantProblem(404, "not_found")
		s.Do(t, s.Scoped(s.Ctx, "orders:read"), "POST", "/v1/orders/"+made[0]+path, body, key()).WantProblem(403, "missing_permission")
	}
}

// Every event of selling is what the contract says of its type.
func TestEventsOfSelling(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	id := s.order(2)
	path, token := s.cart(1)
	s.shop("POST", path+"/complete", completion(1, "declined"), token, key()).Want(422)
	s.admin("POST", "/orders/"+id+"/fulfilments", object{}).Want(201)
	s.admin("POST", "/orders/"+id+"/refunds", object{}, key()).Want(201)
	s.admin("POST", "/orders/"+s.order(1, "refund_fails")+"/cancel", object{"reason": "other"}, key()).Want(200)
	s.account("bob@example.com")
	customer := shoptest.Value[string](t, s.Shop, `select id from customers where email = 'bob@example.com'`)
	s.admin("PATCH", "/customers/"+customer, object{"name": "Bob"}).Want(200)
	s.admin("DELETE", "/customers/"+customer, nil).Want(204)
	raw := shoptest.Value[[]byte](t, s.Shop, `select json_agg(json_build_object('id', id, 'type', type, 'timestamp', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'object_id', object_id,
		'object_sequence', object_sequence, 'request_id', nullif(request_id, ''), 'data', data)) from events`)
	var events []map[string]any
	if err := json.Unmarshal(raw, &events); err != nil {
		t.Fatal(err)
	}
	seen := checkEvents(t, events)
	for _, name := range strings.Fields(`order.created order.paid order.fulfilled order.completed order.cancelled order.refunded payment.captured payment.failed
		refund.succeeded refund.failed fulfilment.created customer.created customer.verified customer.updated customer.deleted`) {
		if !seen[name] {
			t.Errorf("no event %s", name)
		}
	}
}
