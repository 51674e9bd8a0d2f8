package app_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/ids"
)

// tenant is a store that has one of everything in its sandbox, and those who act in it.
type tenant struct {
	*market
	ids    map[string]string // of one thing of each kind, by the prefix of its kind
	draft  string            // a draft order
	share  string            // what the link of a wishlist holds
	tokens map[string]string // a cart's, and a customer's, by the header they are sent in
	cookie string            // of its owner's session
	gift   string            // a gift card's code

	receiver *apptest.Receiver // of its webhooks, and asked for rates
	scoped   map[string]string // keys with one scope
}

// newTenant opens a store and fills it.
func newTenant(t testing.TB, p *apptest.Program) *tenant {
	t.Helper()
	w := &tenant{market: openMarket(t, []int64{1000, 1000}, p), tokens: map[string]string{}, scoped: map[string]string{}}
	w.ids = map[string]string{"prod": w.product, "var": w.variants[0], "shp": w.method, "sto": w.storeID}
	w.signIn(t)
	w.receiver = apptest.NewReceiver(t)
	make := func(prefix, operation, pointer string, fields map[string]any) *probe.Answer {
		t.Helper()
		answer := w.must(t, 201, probe.Call{Operation: operation, Path: w.path(), Header: headers(w.secret), Body: body(fields)})
		if w.ids[prefix] = answer.String(pointer); w.ids[prefix] == "" {
			t.Fatalf("%s: there is no %s in %s", operation, pointer, answer.Body)
		}
		return answer
	}
	make("whe", "createWebhookEndpoint", "/endpoint/id", map[string]any{"url": w.receiver.URL, "event_types": []string{"*"}})
	make("cat", "createCategory", "/id", map[string]any{"name": "Shirts"})
	make("page", "createPage", "/id", map[string]any{"title": "About", "published_at": "2020-01-01T00:00:00Z"})
	make("post", "createPost", "/id", map[string]any{"title": "News"})
	make("col", "createCollection", "/id", map[string]any{"name": "Summer", "product_ids": []string{w.product}})
	make("shz", "createShippingZone", "/id", map[string]any{"name": "Near", "territories": []any{map[string]any{"country": "FR"}}})
	make("tax", "createTaxRate", "/id", map[string]any{"name": "TVA", "country": "FR", "percentage": "20"})
	make("rsv", "createRateService", "/service/id", map[string]any{"kind": "carrier", "name": "Parcel rates", "url": w.receiver.URL})
	make("prm", "createPromotion", "/id", map[string]any{"title": "Summer", "kind": "percentage", "percentage": "15", "codes": []string{"SUMMER15"}})
	w.gift = make("gc", "createGiftCard", "/gift_card/id", map[string]any{"amount": map[string]any{"amount": 500, "currency": "EUR"}}).String("/code")
	make("cgr", "createCustomerGroup", "/id", map[string]any{"name": "Friends"})
	make("cfd", "createFieldDefinition", "/id", map[string]any{"resource": "product", "key": "material", "name": "Material", "type": "text", "filterable": true})
	w.must(t, 200, probe.Call{Operation: "updateStore", Header: headers(w.secret), Body: body(map[string]any{"locales": []any{map[string]any{"locale": "de", "published": true}}})})
	make("plist", "createPriceList", "/id", map[string]any{"name": "Sale", "kind": "sale"})
	make("key", "createApiKey", "/api_key/id", map[string]any{"name": "A reader", "kind": "restricted", "scopes": []string{"products:read"}})
	for _, scope := range []string{"events:read", "usage:read"} {
		w.scoped[scope] = w.must(t, 201, probe.Call{Operation: "createApiKey", Header: headers(w.secret), Body: body(map[string]any{
			"name": scope, "kind": "restricted", "scopes": []string{scope},
		})}).String("/secret")
	}
	apart := w.must(t, 201, probe.Call{Operation: "createTaxRate", Header: headers(w.secret), Body: body(map[string]any{"name": "TVA", "country": "BE", "percentage": "21"})})
	w.ids["aud"] = w.must(t, 200, probe.Call{Operation: "listAuditEntries", Header: headers(w.secret), Query: url.Values{"resource_id": {apart.String("/id")}}}).String("/data/0/id")
	w.upload(t, "img", "uploadProductImage", "towel.png", picture(t.(*testing.T)), nil)
	w.upload(t, "cimg", "uploadContentImage", "logo.png", picture(t.(*testing.T)), nil)
	w.upload(t, "op", "createImport", "catalogue.csv", []byte(catalogue), map[string]string{"kind": "shopify_products"})
	w.staff(t)
	w.sell(t)
	w.shopper(t)
	return w
}

// signIn has the owner sign in twice, so that there is a session to end.
func (w *tenant) signIn(t testing.TB) {
	t.Helper()
	for range 2 {
		answer := w.must(t, 201, probe.Call{Operation: "signIn", Header: headers(""), Body: body(map[string]any{"email": w.email, "password": password})})
		if w.cookie != "" {
			w.ids["ses"] = answer.String("/id")
			break
		}
		w.cookie, _, _ = strings.Cut(answer.Header.Get("Set-Cookie"), ";")
		w.ids["acc"] = answer.String("/account/id")
	}
}

// asOwner are the headers of the owner's session, in the sandbox.
func (w *tenant) asOwner() http.Header {
	return headers("", "Cookie", w.cookie, "Stoa-Store", w.storeID, "Stoa-Mode", "test")
}

// staff makes a role and invites somebody.
func (w *tenant) staff(t testing.TB) {
	t.Helper()
	w.ids["role"] = w.must(t, 201, probe.Call{Operation: "createRole", Header: w.asOwner(), Body: body(map[string]any{"name": "Packer", "permissions": []string{"orders:read"}})}).String("/id")
	w.ids["psk"] = ids.New("psk")
	w.doors[0].Exec(`insert into passkeys (id, account_id, credential_id, credential, name) values ($1, $2, $3, '{}', 'Telephone')`, w.ids["psk"], w.ids["acc"], []byte(w.ids["psk"]))
	// Once it is proven, it is left alone for an hour.
	w.ids["dom"] = w.must(t, 201, probe.Call{Operation: "createDomain", Header: w.asOwner(), Body: body(map[string]any{"name": "www." + run() + ".localhost"})}).String("/id")
	own := map[string]string{"domain_id": w.ids["dom"]}
	w.must(t, 200, probe.Call{Operation: "verifyDomain", Path: own, Header: w.asOwner()})
	w.must(t, 200, probe.Call{Operation: "updateDomain", Path: own, Header: w.asOwner(), Body: body(map[string]any{"primary": false})})
	w.ids["inv"] = w.must(t, 201, probe.Call{Operation: "inviteStaff", Header: w.asOwner(), Body: body(map[string]any{"email": "packer-" + run() + "@example.com", "role": "custom", "role_id": w.ids["role"]})}).String("/id")
}

// path names one thing of each kind.
func (w *tenant) path() map[string]string {
	return map[string]string{"product_id": w.product, "order_id": w.ids["ord"], "endpoint_id": w.ids["whe"], "operation_id": w.ids["op"], "cart_id": w.ids["cart"]}
}

func (w *tenant) upload(t testing.TB, prefix, operation, name string, content []byte, fields map[string]string) {
	t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	for field, value := range fields {
		if err := writer.WriteField(field, value); err != nil {
			t.Fatal(err)
		}
	}
	file, err := writer.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	header := headers(w.secret, "Content-Type", writer.FormDataContentType())
	want := 201
	if operation == "createImport" {
		want = 202
	}
	w.ids[prefix] = w.must(t, want, probe.Call{Operation: operation, Path: w.path(), Header: header, Body: form.Bytes()}).String("/id")
}

// sell sells an order, sends some of it and pays some of it back; and leaves a cart, and a draft order.
func (w *tenant) sell(t testing.TB) {
	t.Helper()
	w.buy(0, func() {})
	if len(w.orders) != 1 {
		t.Fatal("nothing was sold")
	}
	for id := range w.orders {
		w.ids["ord"] = id
	}
	get := func(operation, pointer string) string {
		t.Helper()
		value := w.must(t, 200, probe.Call{Operation: operation, Path: w.path(), Header: headers(w.secret)}).String(pointer)
		if value == "" {
			t.Fatalf("%s has no %s", operation, pointer)
		}
		return value
	}
	w.ids["orl"] = get("getOrder", "/lines/0/id")
	w.ids["pay"] = get("listPayments", "/data/0/id")
	w.ids["cus"] = get("listCustomers", "/data/0/id")
	w.ids["loc"] = get("listLocations", "/data/0/id")
	w.ids["ref"] = w.must(t, 201, probe.Call{Operation: "createRefund", Path: w.path(), Header: headers(w.secret, "Idempotency-Key", run()), Body: body(map[string]any{"amount": price(1)})}).String("/id")
	w.must(t, 200, probe.Call{Operation: "updateInvoicing", Header: headers(w.secret), Body: body(map[string]any{"seller": map[string]any{
		"address": map[string]any{"name": "Example Ltd", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}}})})
	w.ids["doc"] = w.must(t, 201, probe.Call{Operation: "issueInvoice", Path: w.path(), Header: headers(w.secret)}).String("/id")
	w.ids["ful"] = w.must(t, 201, probe.Call{Operation: "createFulfilment", Path: w.path(), Header: headers(w.secret), Body: body(map[string]any{"lines": []any{map[string]any{"line_id": w.ids["orl"], "quantity": 1}}})}).String("/id")
	w.ids["ret"] = w.must(t, 201, probe.Call{Operation: "createReturn", Path: w.path(), Header: headers(w.secret), Body: body(map[string]any{"lines": []any{map[string]any{"line_id": w.ids["orl"], "quantity": 1, "reason": "other"}}})}).String("/id")
	w.ids["evt"] = get("listEvents", "/data/0/id")
	apptest.Eventually(t, time.Minute, "a delivery", func() bool {
		w.ids["dlv"] = w.must(t, 200, probe.Call{Operation: "listDeliveries", Path: w.path(), Header: headers(w.secret)}).String("/data/0/id")
		return w.ids["dlv"] != ""
	})
	apptest.Eventually(t, time.Minute, "a call in the request log", func() bool {
		w.ids["req"] = w.must(t, 200, probe.Call{Operation: "listRequests", Header: headers(w.secret)}).String("/data/0/id")
		return w.ids["req"] != ""
	})
	w.ids["era"] = w.must(t, 201, probe.Call{Operation: "erasePersonalData", Header: headers(w.secret), Body: body(map[string]any{"email": "nobody-" + run() + "@example.com"})}).String("/id")
	// Its records are done after a while: not in the middle of a test.
	w.doors[0].Exec(`update ` + w.schema() + `erasures set state = 'done', sealed = null, finished_at = now()`)
	cart := w.must(t, 201, probe.Call{Operation: "createCart", Header: headers(w.publishable), Body: body(map[string]any{"lines": []any{map[string]any{"variant_id": w.variants[0], "quantity": 1}}})})
	w.draft = w.must(t, 201, probe.Call{Operation: "createDraftOrder", Header: headers(w.secret), Body: body(map[string]any{"lines": []any{map[string]any{"variant_id": w.variants[0], "quantity": 1}}})}).String("/id")
	w.ids["cart"], w.ids["cln"], w.tokens["Cart-Token"] = cart.String("/cart/id"), cart.String("/cart/lines/0/id"), cart.String("/token")
}

// registered registers a customer, and gives the token that they are signed in by.
func (w *tenant) registered(t testing.TB) string {
	t.Helper()
	email := "shopper-" + run() + "@example.com"
	w.must(t, 202, probe.Call{Operation: "registerCustomer", Header: headers(w.publishable), Body: body(map[string]any{"email": email, "password": password})})
	token, err := w.doors[0].MailParameter(t.Context(), email, "token")
	if err != nil {
		t.Fatal(err)
	}
	signedIn := w.must(t, 201, probe.Call{Operation: "verifyCustomer", Header: headers(w.publishable), Body: body(map[string]any{"token": token})}).String("/token")
	if signedIn == "" {
		t.Fatal("the customer has no token")
	}
	return signedIn
}

// shopper has a customer write a review and a wishlist.
func (w *tenant) shopper(t testing.TB) {
	t.Helper()
	w.tokens["Customer-Token"] = w.registered(t)
	asShopper := headers(w.publishable, "Customer-Token", w.tokens["Customer-Token"])
	w.ids["rev"] = w.must(t, 201, probe.Call{Operation: "writeReview", Path: map[string]string{"handle_or_id": w.product}, Header: asShopper, Body: body(map[string]any{"rating": 5})}).String("/id")
	w.ids["wish"] = w.must(t, 201, probe.Call{Operation: "createMyWishlist", Header: asShopper, Body: body(map[string]any{"name": "Birthday"})}).String("/id")
	wish := map[string]string{"wishlist_id": w.ids["wish"]}
	w.ids["wit"] = w.must(t, 200, probe.Call{Operation: "addToMyWishlist", Path: wish, Header: asShopper, Body: body(map[string]any{"product_id": w.product})}).String("/items/0/id")
	w.share = w.must(t, 200, probe.Call{Operation: "updateMyWishlist", Path: wish, Header: asShopper, Body: body(map[string]any{"shared": true})}).String("/share_token")
}

// quiet waits until all that follows from what was done is done.
func (w *tenant) quiet(t testing.TB) {
	t.Helper()
	p := w.doors[0]
	apptest.Eventually(t, time.Minute, "the workers are done", func() bool {
		return apptest.Query[bool](p, `select not exists (select from outbox where run_at < now()) and not exists (select from cell.outbox where run_at < now())
			and not exists (select from river.river_job where state in ('available', 'running', 'retryable'))
			and not exists (select from river_control.river_job where state in ('available', 'running', 'retryable'))
			and not exists (select from cell.deliveries where state = 'pending')`)[0]
	})
}

// names is what a parameter of a path names in this store.
func (w *tenant) names(p *openapi3.Parameter) string {
	if p.Name == "draft_order_id" {
		return w.draft // a cart by its ID
	}
	if prefix, ok := p.Extensions["x-id"].(string); ok {
		if w.ids[prefix] == "" {
			panic("the store has no " + prefix)
		}
		return w.ids[prefix]
	}
	switch p.Name {
	case "handle_or_id":
		return "linen-shirt"
	case "job_id":
		return "main.1"
	case "share_token":
		return w.share
	case "resource_id", "record_id":
		return w.ids["prod"]
	}
	return fmt.Sprint(p.Example)
}

// acts says as whom the store's people ask for an operation.
func (w *tenant) acts(op *openapi.Operation) string {
	for _, kind := range []string{"secret_key", "session", "publishable_key", "operator_key"} {
		// A test key changes neither staff nor domains, while the owner may.
		if op.Takes(kind) && (kind != "secret_key" || op.Permission != "staff:write" && op.Permission != "domains:write") {
			return kind
		}
	}
	return "none"
}

// credential are the headers of somebody who may ask for the operation.
func (w *tenant) credential(op *openapi.Operation, operator string) http.Header {
	header := http.Header{}
	switch w.acts(op) {
	case "secret_key":
		header = headers(w.secret)
	case "session":
		header = w.asOwner()
	case "publishable_key":
		header = headers(w.publishable)
		for name, token := range w.tokens {
			if op.Takes(strings.ToLower(strings.ReplaceAll(name, "-", "_"))) {
				header.Set(name, token)
			}
		}
	case "operator_key":
		header = headers(operator)
	}
	header.Del("Content-Type")
	return header
}

// narrow is a key of the store that lacks a permission.
func (w *tenant) narrow(permission string) string {
	for scope, key := range w.scoped {
		if scope != permission {
			return key
		}
	}
	panic("every key has " + permission)
}

// rows are the tables of a program's databases: their rows as text, sorted.
type rows map[string][]string

// moving are tables and columns that change by themselves, or with refused requests too.
var moving = []string{
	"public.usage_requests",  // requests are counted, refused ones too
	"public.schemas",         // schemas are kept ready
	"public.reconciliations", // books are compared when it is time
	"public.tasks",           // regular tasks are done, and told of
	"cell.schema_versions",
	"cell.usage_deltas", // added up to the days' sums, which are compared
	"public.outbox", "cell.outbox",
	"analytics_visits", // of every store: visitors are counted a while after they came
}

// handedOver are jobs, which go when they are due; new ones are looked for.
const handedOver = "jobs"

// snapshot reads all that is kept of stores, and of the platform.
func snapshot(t testing.TB, p *apptest.Program) rows {
	t.Helper()
	all := rows{}
	tables := apptest.Query[[2]string](p, `select array[table_schema::text, table_name::text] from information_schema.tables
		where table_type = 'BASE TABLE' and (table_schema in ('public', 'cell') or table_schema in (select 's_' || number from schemas where state = 'taken'))`)
	for _, table := range tables {
		name := table[0] + "." + table[1]
		if slices.Contains(moving, name) || slices.Contains(moving, table[1]) || strings.HasPrefix(name, "cell.requests") { // every call is kept there
			continue
		}
		all[name] = apptest.Query[string](p, `select (to_jsonb(x) - 'last_used_at')::text from `+name+` x order by 1`)
	}
	all["cell.usage_days"] = apptest.Query[string](p, `select store || ' ' || metric || ' ' || sum(n) from (
		select store, metric, delta as n from cell.usage_deltas union all select store, metric, value from cell.usage_days) as u group by store, metric order by 1`)
	all[handedOver] = apptest.Query[string](p, `select 'cell ' || id || ' ' || kind || args from cell.outbox union all select 'control ' || id || ' ' || kind || args from outbox`)
	return all
}

// same tells what is not as it was; with a name, only of what has to do with it.
func (before rows) same(t *testing.T, after rows, about string) {
	t.Helper()
	for table, now := range after {
		for _, row := range now {
			if !slices.Contains(before[table], row) && strings.Contains(row, about) {
				t.Errorf("%s: new is %.600s", table, row)
			}
		}
		for _, row := range before[table] {
			if !slices.Contains(now, row) && strings.Contains(row, about) && table != handedOver {
				t.Errorf("%s: gone is %.600s", table, row)
			}
		}
	}
}
