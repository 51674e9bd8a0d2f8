package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// named are texts by their names.
type named = map[string]string

// stage is a store in which each write has something in the state that it needs.
type stage struct {
	*tenant
	requests map[string]request // by the operation's ID, of those that need more than what must be in them
	taxed    atomic.Int64       // how often its tax service was asked
}

// request is what a request has beside the least. A body that is no bytes becomes JSON.
type request struct {
	path, query, header named
	body                any
}

// newStage brings a tenant's things into all their states.
func newStage(t *testing.T, w *tenant, operator, stripeKey string) *stage {
	t.Helper()
	s := &stage{tenant: w, requests: map[string]request{}}
	s.catalogue(t)
	s.carts(t)
	s.sales(t, stripeKey)
	s.sentBack(t)
	s.drafts(t)
	s.people(t)
	s.platform(t, operator)
	s.rates(t)
	return s
}

// rates has a tax service asked from now on, of what was not read since: but for the cart and
// the draft order that are to become orders, whose prices have to be known.
func (s *stage) rates(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.taxed.Add(1)
		var sale rates.Sale
		err := json.NewDecoder(r.Body).Decode(&sale)
		free := rates.Taxes{Shipping: []rates.Tax{}}
		for _, line := range sale.Lines {
			free.Lines = append(free.Lines, rates.LineTaxes{ID: line.ID, Taxes: []rates.Tax{}})
		}
		if err = errors.Join(err, json.NewEncoder(w).Encode(free)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(service.Close)
	s.requests["updateRateService"] = request{body: map[string]any{"name": "Parcels"}}
	s.admin(t, 201, "createRateService", nil, map[string]any{"kind": "tax", "name": "Taxes", "url": service.URL})
	bought := s.requests["completeCart"]
	s.shop(t, 200, "getCart", bought.path, nil, "Cart-Token", bought.header["Cart-Token"])
	s.must(t, 200, probe.Call{Operation: "getDraftOrder", Path: s.requests["completeDraftOrder"].path, Header: headers(s.secret)})
}

// admin makes a call of the staff's that has to succeed.
func (s *stage) admin(t *testing.T, status int, operation string, path named, content any) *probe.Answer {
	t.Helper()
	call := probe.Call{Operation: operation, Path: path, Header: headers(s.secret, "Idempotency-Key", run())}
	if content != nil {
		call.Body = body(content)
	}
	return s.must(t, status, call)
}

// shop makes a call of a shopper's that has to succeed.
func (s *stage) shop(t *testing.T, status int, operation string, path named, content any, more ...string) *probe.Answer {
	t.Helper()
	call := probe.Call{Operation: operation, Path: path, Header: headers(s.publishable, append(more, "Idempotency-Key", run(), "X-Forwarded-For", anywhere())...)}
	if content != nil {
		call.Body = body(content)
	}
	return s.must(t, status, call)
}

// filled is a cart that can be bought.
type filled struct {
	id, token, line string
	total           any
}

// fill fills a cart with some of the first variant, for who is named by headers.
func (s *stage) fill(t *testing.T, quantity int, as ...string) filled {
	t.Helper()
	made := s.shop(t, 201, "createCart", nil, map[string]any{"email": "shopper@example.com", "lines": []any{map[string]any{"variant_id": s.variants[0], "quantity": quantity}}}, as...)
	c := filled{id: made.String("/cart/id"), token: made.String("/token"), line: made.String("/cart/lines/0/id")}
	told := s.shop(t, 200, "updateCart", named{"cart_id": c.id}, map[string]any{
		"shipping_address":   map[string]any{"name": "Grace Example", "line1": "1 Sample Street", "postal_code": "10115", "city": "Berlin", "country": "DE"},
		"shipping_method_id": s.method,
	}, append(as, "Cart-Token", c.token)...)
	c.total, _ = told.Get("/totals/total")
	return c
}

func (c filled) request(content any) request {
	return request{path: named{"cart_id": c.id, "line_id": c.line}, header: named{"Cart-Token": c.token}, body: content}
}

// paid is how a cart is bought that comes to what it says, by a token of the test provider's.
func (c filled) paid(token string) map[string]any {
	return map[string]any{"payment": map[string]any{"provider": "test", "token": token}, "expected_total": c.total}
}

// sell sells some of the first variant, and gives the order and its line.
func (s *stage) sell(t *testing.T, quantity int, as ...string) (order, line string, from filled) {
	t.Helper()
	from = s.fill(t, quantity, as...)
	bought := s.shop(t, 201, "completeCart", named{"cart_id": from.id}, from.paid("succeeds"), append(as, "Cart-Token", from.token)...)
	return bought.String("/id"), bought.String("/lines/0/id"), from
}

// form is a file as it is uploaded, with fields before it.
func form(t *testing.T, name string, content []byte, texts named) request {
	t.Helper()
	var raw bytes.Buffer
	writer := multipart.NewWriter(&raw)
	for field, text := range texts {
		if err := writer.WriteField(field, text); err != nil {
			t.Fatal(err)
		}
	}
	file, err := writer.CreateFormFile("file", name)
	if err == nil {
		_, err = file.Write(content)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return request{header: named{"Content-Type": writer.FormDataContentType()}, body: raw.Bytes()}
}

func (s *stage) catalogue(t *testing.T) {
	shop := s.admin(t, 201, "createLocation", nil, map[string]any{"name": "Shop"}).String("/id")
	s.requests["deleteLocation"] = request{path: named{"location_id": shop}}
	s.requests["transferInventory"] = request{body: map[string]any{
		"from_location_id": s.ids["loc"], "to_location_id": shop, "lines": []any{map[string]any{"variant_id": s.variants[0], "quantity": 1}},
	}}
	towel := s.admin(t, 201, "createProduct", nil, map[string]any{
		"title": "Towel", "status": "active", "options": []any{map[string]any{"name": "Size", "values": []string{"S", "M"}}},
		"variants": []any{map[string]any{"option_values": []string{"S"}, "prices": []any{price(1200)}}},
	}).String("/id")
	s.requests["createVariant"] = request{path: named{"product_id": towel}, body: map[string]any{"option_values": []string{"M"}, "prices": []any{price(1500)}}}
	s.requests["generateVariants"] = request{path: named{"product_id": towel}}
	s.requests["addCollectionProducts"] = request{body: map[string]any{"product_ids": []string{towel}}}
	both := s.admin(t, 201, "createCollection", nil, map[string]any{"name": "Winter", "product_ids": []string{s.product, towel}}).String("/id")
	s.requests["moveCollectionProduct"] = request{path: named{"collection_id": both}, body: map[string]any{"position": 1}}
	s.requests["writeReview"] = request{path: named{"handle_or_id": towel}}
	s.requests["createShippingMethod"] = request{body: map[string]any{"name": "Van", "prices": []any{price(900)}}}
	s.requests["createFieldDefinition"] = request{body: map[string]any{"resource": "product", "key": "fabric", "name": "Fabric", "type": "text"}}
	s.requests["createWebhookEndpoint"] = request{body: map[string]any{"url": s.receiver.URL, "event_types": []string{"order.*"}}}
	s.requests["updateGiftCard"] = request{body: map[string]any{"note": "For Ada"}}
	s.requests["bulkProducts"] = request{body: map[string]any{"action": "update", "product_ids": []string{s.product}, "changes": map[string]any{"vendor": "Example Mill"}}}
	s.requests["bulkVariants"] = request{body: map[string]any{"action": "update", "variant_ids": s.variants, "changes": map[string]any{"tax_class": "reduced"}}}
	s.requests["uploadProductImage"] = form(t, "towel.png", picture(t), named{"alt": "A towel"})
	s.requests["uploadContentImage"] = form(t, "logo.png", picture(t), named{"alt": "A logo"})
	s.requests["updateTheme"] = request{body: map[string]any{"theme": "brand"}}
	s.admin(t, 200, "updateTheme", nil, map[string]any{"corners": "sharp"})
	s.requests["updateMenu"] = request{path: named{"menu": "header"}, body: map[string]any{"items": []any{map[string]any{"id": "all", "link": map[string]any{"type": "products"}}}}}
	s.requests["createImport"] = form(t, "sheets.csv", []byte(strings.ReplaceAll(strings.ReplaceAll(catalogue, "linen-", "cotton-"), "Linen", "Cotton")), named{"kind": "shopify_products"})
	texts := map[string]any{"texts": map[string]any{"title": "Leinenhemd"}}
	s.requests["updateTranslation"] = request{path: named{"locale": "de", "resource_id": s.product}, body: texts}
	s.requests["updateTranslations"] = request{path: named{"locale": "de"}, body: map[string]any{"translations": []any{map[string]any{"resource_id": s.product, "texts": texts["texts"]}}}}
	s.requests["createTaxRate"] = request{body: map[string]any{"name": "USt", "country": "AT", "percentage": "20"}}
	s.requests["createPromotion"] = request{body: map[string]any{"title": "Autumn", "kind": "percentage", "percentage": "5"}}
	s.requests["updatePromotion"] = request{body: map[string]any{"title": "Late summer"}}
	s.requests["createPromotionCodes"] = request{body: map[string]any{"count": 2}}
	s.requests["deletePromotionCode"] = request{path: named{"promotion_code": "SUMMER15"}}

	waiting := ids.New("op")
	s.doors[0].Exec(`insert into `+s.schema()+`operations select (jsonb_populate_record(o, jsonb_build_object('id', $2::text, 'state', 'queued', 'finished_at', null))).* from `+s.schema()+`operations o where id = $1`, s.ids["op"], waiting)
	s.requests["cancelOperation"] = request{path: named{"operation_id": waiting}}
}

// carts leaves carts that are filled, one that a payment is under way for, and a customer's.
func (s *stage) carts(t *testing.T) {
	own := []string{"Cart-Token", s.tokens["Cart-Token"]}
	in := named{"cart_id": s.ids["cart"]}
	s.admin(t, 201, "createPromotion", nil, map[string]any{"title": "Spring", "kind": "percentage", "percentage": "10", "codes": []string{"SPRING10"}})
	s.shop(t, 201, "addCartCode", in, map[string]any{"code": "SUMMER15"}, own...)
	s.shop(t, 201, "addCartGiftCard", in, map[string]any{"code": s.gift}, own...)
	other := s.admin(t, 201, "createGiftCard", nil, map[string]any{"amount": price(300)}).String("/code")
	s.requests["addCartCode"] = request{body: map[string]any{"code": "SPRING10"}}
	s.requests["addCartGiftCard"] = request{body: map[string]any{"code": other}}
	s.requests["removeCartCode"] = request{path: named{"promotion_code": "SUMMER15"}}

	c := s.fill(t, 1)
	s.requests["completeCart"] = c.request(map[string]any{"payment": map[string]any{"provider": "stripe", "return_url": "https://shop.example.com"}, "expected_total": c.total})
	c = s.fill(t, 1)
	s.shop(t, 202, "completeCart", named{"cart_id": c.id}, c.paid("requires_action"), "Cart-Token", c.token)
	s.requests["cancelCartPayment"] = c.request(nil)

	shopper := []string{"Customer-Token", s.tokens["Customer-Token"]}
	s.ids["cus"] = s.must(t, 200, probe.Call{Operation: "getMe", Header: headers(s.publishable, shopper...)}).String("/id")
	credit := map[string]any{"amount": price(500), "reason": "Sorry for the delay"}
	s.admin(t, 201, "adjustStoreCredit", named{"customer_id": s.ids["cus"]}, credit)
	s.requests["adjustStoreCredit"] = request{body: credit}
	opened := s.shop(t, 200, "openMyCart", nil, map[string]any{}, shopper...)
	c = filled{id: opened.String("/cart/id"), token: opened.String("/token")}
	s.shop(t, 201, "addCartLine", named{"cart_id": c.id}, map[string]any{"variant_id": s.variants[0], "quantity": 1}, append(shopper, "Cart-Token", c.token)...)
	s.requests["useCartStoreCredit"], s.requests["removeCartStoreCredit"] = c.request(nil), c.request(nil)
}

// sales leaves orders that are paid, held and owing.
func (s *stage) sales(t *testing.T, stripeKey string) {
	settings := func(change map[string]any) { s.admin(t, 200, "updatePaymentSettings", nil, change) }
	stripe := map[string]any{"providers": []string{"stripe"}, "stripe": map[string]any{"secret_key": stripeKey, "publishable_key": "pk_test_example"}}
	settings(stripe)
	s.requests["updatePaymentSettings"] = request{body: stripe}

	settings(map[string]any{"capture_method": "manual"})
	held, _, _ := s.sell(t, 1)
	settings(map[string]any{"capture_method": "automatic"})
	payment := s.must(t, 200, probe.Call{Operation: "listPayments", Header: headers(s.secret), Query: url.Values{"order_id": {held}}}).String("/data/0/id")
	s.requests["capturePayment"] = request{path: named{"payment_id": payment}}
	s.requests["voidPayment"] = request{path: named{"payment_id": payment}}
	s.requests["updateInvoicing"] = request{body: map[string]any{"invoice_number_format": "R-{year}-{number:4}"}}
	s.requests["issueInvoice"] = request{path: named{"order_id": held}}

	paid, line, _ := s.sell(t, 2)
	whole := named{"order_id": paid}
	s.requests["cancelOrder"] = request{path: whole, body: map[string]any{"reason": "customer"}}
	s.requests["createFulfilment"] = request{path: whole, body: map[string]any{}}
	s.requests["createRefund"] = request{path: whole, body: map[string]any{"amount": price(100)}}
	s.requests["createOrderEdit"] = request{path: whole, body: map[string]any{"lines": []any{map[string]any{"line_id": line, "quantity": 1}}}}

	owing, _, from := s.sell(t, 1)
	s.admin(t, 201, "createOrderEdit", named{"order_id": owing}, map[string]any{"add": []any{map[string]any{"variant_id": s.variants[0], "quantity": 1}}})
	by := map[string]any{"provider": "test", "token": "succeeds"}
	s.requests["createOrderPayment"] = request{path: named{"order_id": owing}, body: map[string]any{"payment": by}}
	s.requests["requestOrderPayment"] = request{path: named{"order_id": owing}}
	s.requests["payOrder"] = request{path: named{"order_id": owing}, header: named{"Cart-Token": from.token}, body: map[string]any{"payment": by, "amount": price(1900)}}
}

// sentBack leaves returns in each of their states.
func (s *stage) sentBack(t *testing.T) {
	as := []string{"Customer-Token", s.tokens["Customer-Token"]}
	order, line, _ := s.sell(t, 8, as...)
	of := named{"order_id": order}
	s.admin(t, 201, "createFulfilment", of, map[string]any{})
	lines := map[string]any{"lines": []any{map[string]any{"line_id": line, "quantity": 1, "reason": "other"}}}
	s.requests["createReturn"] = request{path: of, body: lines}
	s.requests["requestReturn"] = request{path: of, body: lines}
	at := func(id string, content any) request { return request{path: named{"return_id": id}, body: content} }
	open := func() (string, named) {
		id := s.admin(t, 201, "createReturn", of, lines).String("/id")
		return id, named{"return_id": id}
	}
	requested := s.shop(t, 201, "requestReturn", of, lines, as...).String("/id")
	s.requests["approveReturn"], s.requests["declineReturn"] = at(requested, nil), at(requested, nil)

	approved, _ := open()
	s.requests["receiveReturn"], s.requests["cancelReturn"] = at(approved, nil), at(approved, nil)

	found := map[string]any{"lines": []any{map[string]any{"line_id": line, "accepted_quantity": 1, "condition": "new", "restock_location_id": s.ids["loc"]}}}
	received, in := open()
	s.admin(t, 200, "receiveReturn", in, nil)
	s.requests["inspectReturn"] = at(received, found)

	inspected, in := open()
	s.admin(t, 200, "receiveReturn", in, nil)
	s.admin(t, 200, "inspectReturn", in, found)
	s.requests["refundReturn"], s.requests["closeReturn"] = at(inspected, map[string]any{}), at(inspected, nil)
	s.requests["exchangeReturn"] = at(inspected, map[string]any{"add": []any{map[string]any{"variant_id": s.variants[1], "quantity": 1}}})
}

// drafts leaves a draft order that can be completed, and one that was sent.
func (s *stage) drafts(t *testing.T) {
	terms := map[string]any{
		"currency": "EUR", "email": "shopper@example.com", "shipping": map[string]any{"name": "Our own van", "price": price(4900)},
		"lines":            []any{map[string]any{"variant_id": s.variants[0], "quantity": 1}},
		"shipping_address": map[string]any{"name": "Grace Example", "line1": "1 Sample Street", "postal_code": "10115", "city": "Berlin", "country": "DE"},
	}
	at := func(id string, content any) request {
		return request{path: named{"draft_order_id": id}, body: content}
	}
	s.requests["createDraftOrder"] = request{body: terms}
	agreed := s.admin(t, 201, "createDraftOrder", nil, terms).String("/id")
	s.requests["completeDraftOrder"] = at(agreed, map[string]any{"mark_as_paid": true})
	s.requests["sendDraftOrder"] = at(agreed, map[string]any{})
	sent := s.admin(t, 201, "createDraftOrder", nil, terms).String("/id")
	link, err := url.Parse(s.admin(t, 200, "sendDraftOrder", named{"draft_order_id": sent}, map[string]any{"mail": false}).String("/payment_url"))
	if err != nil {
		t.Fatal(err)
	}
	s.requests["openDraftOrder"] = at(sent, map[string]any{"key": link.Query().Get("key")})
}

// people has somebody join the store, and somebody ask for its news.
func (s *stage) people(t *testing.T) {
	token := func(email string) string {
		found, err := s.doors[0].MailParameter(t.Context(), email, "token")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	packer, reader := "packer-"+run()+"@example.com", "reader-"+run()+"@example.com"
	s.must(t, 201, probe.Call{Operation: "inviteStaff", Header: s.asOwner(), Body: body(map[string]any{"email": packer, "role": "support"})})
	s.shop(t, 202, "subscribe", nil, map[string]any{"email": reader})
	joined := s.must(t, 201, probe.Call{Operation: "acceptInvitation", Header: headers(""), Body: body(map[string]any{"token": token(packer), "password": password, "account_name": "Ada Example"})}).String("/account/id")
	s.requests["updateStaffMember"] = request{path: named{"account_id": joined}, body: map[string]any{"role": "orders"}}
	s.requests["removeStaffMember"] = request{path: named{"account_id": joined}}
	s.requests["unsubscribe"] = s.leaves(t)
	s.requests["eraseMe"] = request{header: named{"Customer-Token": s.registered(t)}, body: map[string]any{"password": password}}
	s.requests["deleteCustomer"] = request{path: named{"customer_id": s.admin(t, 201, "createCustomer", nil, map[string]any{"email": "guest-" + run() + "@example.com"}).String("/id")}}
	written := named{"mail_kind": "order_confirmation", "locale": "de"}
	s.admin(t, 200, "updateMailTemplate", written, map[string]any{"subject": "Danke"})
	s.requests["resetMailTemplate"] = request{path: written}
	s.requests["updateCustomer"] = request{body: map[string]any{"note": "She calls first."}}
	s.requests["sendTestMail"] = request{body: map[string]any{"to": reader}}
	s.requests["confirmSubscription"] = request{body: map[string]any{"token": token(reader)}}
	unused := s.must(t, 201, probe.Call{Operation: "createRole", Header: s.asOwner(), Body: body(map[string]any{"name": "Nobody's", "permissions": []string{"orders:read"}})}).String("/id")
	s.requests["createDomain"] = request{body: map[string]any{"name": "shop." + run() + ".localhost"}}
	s.requests["deleteRole"] = request{path: named{"role_id": unused}}
}

// leaves has somebody leave a cart, and gives the request by which they are not written to
// about it any more.
func (s *stage) leaves(t *testing.T) request {
	t.Helper()
	s.admin(t, 200, "updateAbandonedCartSettings", nil, map[string]any{"mail": "everyone"})
	s.requests["updateShopAccess"] = request{body: map[string]any{"state": "maintenance"}}
	s.requests["updateAbandonedCartSettings"] = request{body: map[string]any{"mail": "off"}}
	left, p := s.fill(t, 1), s.doors[0]
	p.Exec(`update `+s.schema()+`carts set updated_at = now() - interval '1 day' where id = $1`, left.id)
	p.Exec(`insert into river.river_job (kind, args, max_attempts) select kind, jsonb_build_object('store', store, 'args', args, 'due', now()), 10
		from cell.outbox where kind = 'cart_abandoned' and args->>'cart_id' = $1`, left.id)
	var keys []string
	apptest.Eventually(t, time.Minute, "a mail about a cart that was left", func() bool {
		keys = apptest.Query[string](p, `select substring(text from '/unsubscribe/' || $1 || '[?]key=([A-Za-z0-9_-]+)') from mailbox where text like '%/unsubscribe/' || $1 || '%'`, left.id)
		return len(keys) > 0
	})
	return request{body: map[string]any{"id": left.id, "key": keys[0]}}
}

// platform leaves a store that is suspended, one that is deleted, and a job that was given up.
func (s *stage) platform(t *testing.T, operator string) {
	open := func() named {
		name := run()
		return named{"store_id": s.must(t, 201, probe.Call{Operation: "signUp", Header: headers("", "Cookie", s.cookie, "Idempotency-Key", name), Body: body(map[string]any{
			"store_name": "Linen " + name, "store_address": "linen-" + name, "country": "DE", "currency": "EUR",
		})}).String("/store/id")}
	}
	step := func(operation string, store named) {
		s.must(t, 200, probe.Call{Operation: operation, Path: store, Header: headers(operator, "Idempotency-Key", run()), Body: body(map[string]any{"reason": "Ticket 4711"})})
	}
	suspended, deleted := open(), open()
	step("suspendStore", suspended)
	step("deleteStoreByOperator", deleted)
	s.requests["resumeStore"] = request{path: suspended}
	s.requests["restoreStoreByOperator"] = request{path: deleted}
	s.requests["restoreStore"] = request{header: named{"Stoa-Store": deleted["store_id"], "Stoa-Mode": "live"}}
	address := s.must(t, 200, probe.Call{Operation: "getStore", Header: s.asOwner()}).String("/address")
	s.requests["deleteStore"] = request{query: named{"confirm": address}}
	s.requests["setStorePlan"] = request{body: map[string]any{"plan": "growth", "reason": "Order form of 22 November"}}

	cell, _, _ := strings.Cut(s.doors[0].Env["STOA_CELLS"], "=")
	number := apptest.Query[string](s.doors[0], `insert into river.river_job (kind, args, max_attempts, attempt, state, finalized_at)
		values ('unknown', jsonb_build_object('args', '{}'::jsonb, 'due', now()), 10, 10, 'discarded', now()) returning id::text`)[0]
	s.requests["retryJob"], s.requests["discardJob"] = request{path: named{"job_id": cell + "." + number}}, request{path: named{"job_id": cell + "." + number}}
}
