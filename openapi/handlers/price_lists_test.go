package handlers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
)

// listed is a price of the shirt in euros.
func (s *selling) listed(quantity int, amount any) object {
	return object{"variant_id": s.shirt, "currency": "EUR", "min_quantity": quantity, "amount": amount}
}

func TestPriceListLife(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	group := s.admin("POST", "/customer-groups", object{"name": "Trade"}).Want(201).String("id")
	made := s.admin("POST", "/price-lists", object{"name": " Trade ", "kind": "override", "customer_group_ids": []string{group}, "ends_at": "2099-01-01T00:00:00Z"}).Want(201)
	if made.String("name") != "Trade" || made.String("state") != "active" || made.Get("prices_count") != 0.0 || made.String("customer_group_ids.0") != group || made.Get("starts_at") != nil {
		t.Errorf("made: %s", made.Body)
	}
	at := "/price-lists/" + made.String("id")
	read := s.admin("GET", at, nil).Want(200)
	if string(read.Body) != string(made.Body) {
		t.Errorf("read back other than it was made:\n%s\n%s", made.Body, read.Body)
	}
	s.admin("GET", at, nil, "If-None-Match: "+read.Header.Get("ETag")).Want(304)
	set := s.admin("POST", at+"/prices", object{"prices": []object{s.listed(1, 1500), s.listed(10, 1200), {"variant_id": s.shirt, "currency": "USD", "amount": 1900}}}).Want(200)
	if set.Get("prices_count") != 3.0 || set.Header.Get("ETag") == read.Header.Get("ETag") {
		t.Errorf("set: %s", set.Body)
	}
	s.admin("POST", at+"/prices", object{"prices": []object{s.listed(1, 1500)}}, apitest.ChangesNothing).Want(200)
	s.admin("POST", at+"/prices?dry_run=true", object{"prices": []object{s.listed(1, 1)}}).Want(200)
	if got := s.admin("POST", at+"/prices", object{"prices": []object{s.listed(10, nil), s.listed(5, 1300), s.listed(7, nil)}}).Want(200).Get("prices_count"); got != 3.0 {
		t.Errorf("%v prices", got)
	}
	first := s.admin("GET", at+"/prices?limit=2&variant_id="+s.shirt, nil).Want(200)
	if got := names(first, "amount") + " " + names(s.admin("GET", at+"/prices?limit=2&variant_id="+s.shirt+"&cursor="+first.String("next_cursor"), nil).Want(200), "amount"); got != "1500 1300 1900" {
		t.Errorf("prices: %s", got)
	}
	if got := names(s.admin("GET", at+"/prices?variant_id="+ids.New("var"), nil).Want(200), "amount"); got != "" {
		t.Errorf("prices of another variant: %s", got)
	}
	changed := s.admin("PATCH", at, object{"name": "Trade in spring", "starts_at": "2098-01-01T00:00:00Z", "ends_at": nil}, "If-Match: "+s.admin("GET", at, nil).Header.Get("ETag")).Want(200)
	if changed.String("state") != "scheduled" || changed.Get("ends_at") != nil || changed.String("name") != "Trade in spring" {
		t.Errorf("changed: %s", changed.Body)
	}
	s.admin("PATCH", at, object{"name": "Trade in spring"}, apitest.ChangesNothing).Want(200)
	s.admin("PATCH", at, object{"name": "x"}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("PATCH", at, object{"ends_at": "2097-01-01T00:00:00Z"}).WantProblem(422, "invalid_price_list")
	s.admin("DELETE", "/customer-groups/"+group, nil).WantProblem(409, "group_in_use")
	if got := s.admin("PATCH", at, object{"active": false, "starts_at": nil, "customer_group_ids": []string{}}).Want(200).String("state"); got != "inactive" {
		t.Errorf("inactive it is %s", got)
	}
	other := s.admin("POST", "/price-lists", object{"name": "Sale", "kind": "sale", "active": false}).Want(201).String("id")
	page := s.admin("GET", "/price-lists?limit=1", nil).Want(200)
	if got := names(page, "id") + " " + names(s.admin("GET", "/price-lists?limit=1&cursor="+page.String("next_cursor"), nil).Want(200), "name"); got != other+" Trade in spring" {
		t.Errorf("pages: %s", got)
	}
	s.admin("DELETE", at, nil, `If-Match: "1"`).WantProblem(412, "stale")
	s.admin("DELETE", at+"?dry_run=true", nil).Want(204)
	s.admin("DELETE", at, nil).Want(204)
	for _, path := range []string{at, at + "/prices"} {
		s.admin("GET", path, nil).WantProblem(404, "not_found")
	}
	if got := events(t, s.API, s.Ctx, made.String("id")); got != "price_list.created price_list.updated price_list.updated price_list.updated price_list.updated price_list.deleted" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, s.API, s.Ctx, made.String("id")); got != "price_list.create price_list.set_prices price_list.set_prices price_list.update price_list.update price_list.delete" {
		t.Errorf("audit: %s", got)
	}
}

func TestPriceListRefusals(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	for pointer, change := range map[string]object{
		"/name": {"name": "  "}, "/ends_at": {"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z"},
	} {
		body := object{"name": "x", "kind": "sale"}
		for name, value := range change {
			body[name] = value
		}
		if got := s.admin("POST", "/price-lists", body).WantProblem(422, "invalid_price_list").String("errors.0.pointer"); got != pointer {
			t.Errorf("%v: %s", change, got)
		}
	}
	s.admin("POST", "/price-lists", object{"name": "x", "kind": "cheap"}).WantProblem(400, "invalid_request")
	unknown := s.admin("POST", "/price-lists", object{"name": "x", "kind": "sale", "customer_group_ids": []string{ids.New("cgr")}}).WantProblem(422, "unknown_reference")
	if got := unknown.String("errors.0.pointer"); got != "/customer_group_ids/0" {
		t.Errorf("an unknown group is at %s", got)
	}
	id := s.admin("POST", "/price-lists", object{"name": "x", "kind": "sale"}).Want(201).String("id")
	at := "/v1/price-lists/" + id
	set := func(prices ...object) *apitest.Answer {
		return s.Do(t, s.staff, "POST", at+"/prices", object{"prices": prices})
	}
	for pointer, prices := range map[string][]object{
		"/prices/0/currency": {{"variant_id": s.shirt, "currency": "ABC", "amount": 1}},
		"/prices/1":          {s.listed(1, 1), s.listed(1, 2)},
	} {
		if got := set(prices...).WantProblem(422, "invalid_price_list").String("errors.0.pointer"); got != pointer {
			t.Errorf("%v: %s", prices, got)
		}
	}
	for _, amount := range []any{-1, 1_000_000_000_000, 1.5, "1"} {
		set(s.listed(1, amount)).WantProblem(400, "invalid_request")
	}
	set(s.listed(0, 1)).WantProblem(400, "invalid_request")
	set(s.listed(10_000, 1)).WantProblem(400, "invalid_request")
	set().WantProblem(400, "invalid_request")
	// All are set, or none.
	foreign := set(s.listed(1, 1), object{"variant_id": ids.New("var"), "currency": "EUR", "amount": 1}).WantProblem(422, "unknown_reference")
	if got := foreign.String("errors.0.pointer"); got != "/prices/1/variant_id" {
		t.Errorf("an unknown variant is at %s", got)
	}
	if got := s.admin("GET", "/price-lists/"+id, nil).Get("prices_count"); got != 0.0 {
		t.Errorf("%v of the prices were set", got)
	}
	stranger, reader := s.Staff(s.Platform.Store(t)), s.Scoped(s.Ctx, "products:read")
	for _, try := range [][3]any{
		{"GET", at, nil}, {"PATCH", at, object{"active": false}}, {"DELETE", at, nil}, {"GET", at + "/prices", nil},
		{"POST", at + "/prices", object{"prices": []object{s.listed(1, 1)}}}, {"GET", "/v1/variants/" + s.shirt + "/price-history", nil},
	} {
		s.Do(t, stranger, try[0].(string), try[1].(string), try[2]).WantProblem(404, "not_found")
		if try[0] != "GET" {
			s.Do(t, reader, try[0].(string), try[1].(string), try[2]).WantProblem(403, "missing_permission")
		}
		s.Do(t, s.pk, try[0].(string), try[1].(string), try[2]).WantProblem(403, "wrong_credential")
	}
	s.Exec(t, `insert into price_list_prices (variant_id, currency, price_list_id, min_quantity, amount)
		select $1, c, $2, q, 1 from generate_series(2, 9999) q, unnest('{EUR,USD}'::text[]) c`, s.shirt, id)
	set(s.listed(1, 1), object{"variant_id": s.shirt, "currency": "USD", "amount": 1}).Want(200)
	set(object{"variant_id": s.shirt, "currency": "JPY", "amount": 1}, object{"variant_id": s.shirt, "currency": "KWD", "amount": 1}, object{"variant_id": s.shirt, "currency": "GBP", "amount": 1}).
		WantProblem(422, "price_list_limit")
	s.Exec(t, `insert into price_lists (id, name, kind) select 'plist_' || n, 'x', 'sale' from generate_series(1, 499) n`)
	s.admin("POST", "/price-lists", object{"name": "x", "kind": "sale"}).WantProblem(422, "price_list_limit")
}

// A member of a group sees their own prices in the catalogue, in carts and in orders, and
// nobody else sees them.
func TestPricesOfAGroup(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	group := s.admin("POST", "/customer-groups", object{"name": "Trade"}).Want(201).String("id")
	session := s.account("ada@example.com")
	me := s.shop("GET", "/me", nil, session).Want(200).String("id")
	s.admin("PATCH", "/customers/"+me, object{"group_ids": []string{group}}).Want(200)
	trade := s.admin("POST", "/price-lists", object{"name": "Trade", "kind": "override", "customer_group_ids": []string{group}}).Want(201).String("id")
	s.admin("POST", "/price-lists/"+trade+"/prices", object{"prices": []object{s.listed(1, 1500), s.listed(10, 1200)}}).Want(200)
	product := one[string](t, s.API, s.Ctx, `select product_id from variants where id = $1`, s.shirt)

	shown := func(headers ...string) string {
		t.Helper()
		p := s.shop("GET", "/products/"+product, nil, headers...).Want(200)
		list := s.shop("GET", "/products", nil, headers...).Want(200)
		variants := s.shop("GET", "/products/"+product+"/variants", nil, headers...).Want(200)
		found := s.shop("GET", "/search?q=linen", nil, headers...).Want(200)
		price := p.Get("variants.0.price.amount")
		for what, got := range map[string]any{
			"from": p.Get("price_from.amount"), "list": list.Get("data.0.variants.0.price.amount"), "variants": variants.Get("data.0.price.amount"), "search": found.Get("data.0.price_to.amount"),
		} {
			if got != price {
				t.Errorf("%s says %v, the product %v", what, got, price)
			}
		}
		if got := variants.Get("data.0.price_breaks"); fmt.Sprint(got) != fmt.Sprint(p.Get("variants.0.price_breaks")) {
			t.Errorf("variants say %v", got)
		}
		return fmt.Sprint(price, p.Get("variants.0.compare_at_price"), p.Get("variants.0.price_breaks.0.min_quantity"), p.Get("variants.0.price_breaks.0.price.amount"))
	}
	if got := shown(); got != "1999 <nil> <nil> <nil>" {
		t.Errorf("to everybody: %s", got)
	}
	if got := shown(session); got != "1500 <nil> 10 1200" {
		t.Errorf("to a member: %s", got)
	}
	s.shop("GET", "/products", nil, "Customer-Token: cs_unknown").WantProblem(401, "invalid_customer_token")

	cart := s.shop("POST", "/carts", object{"lines": []object{{"variant_id": s.shirt, "quantity": 9}}}, session).Want(201)
	path, token := "/carts/"+cart.String("cart.id"), "Cart-Token: "+cart.String("token")
	if cart.Get("cart.lines.0.unit_price.amount") != 1500.0 || cart.String("cart.lines.0.price_list.name") != "Trade" {
		t.Errorf("cart: %s", cart.Body)
	}
	// The tenth makes all cheaper, also where it is another line.
	added := s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 1, "attributes": object{"Engraving": "Ada"}}, token).Want(201)
	if added.Get("totals.subtotal.amount") != 12000.0 || added.Get("lines.0.unit_price.amount") != 1200.0 {
		t.Errorf("ten: %s", added.Body)
	}
	fewer := s.shop("DELETE", path+"/lines/"+added.String("lines.1.id"), nil, token).Want(200)
	if fewer.Get("totals.subtotal.amount") != 13500.0 {
		t.Errorf("nine again: %s", fewer.Body)
	}
	more := s.shop("PATCH", path+"/lines/"+added.String("lines.0.id"), object{"quantity": 20}, token).Want(200)
	if more.Get("totals.subtotal.amount") != 24000.0 {
		t.Errorf("twenty: %s", more.Body)
	}
	s.shop("PATCH", path, object{"shipping_method_id": s.Standard, "shipping_address": berlin()}, token).Want(200)
	pay := func(total int) *apitest.Answer {
		return s.shop("POST", path+"/complete", object{"payment": object{"provider": "test", "token": "succeeds"}, "expected_total": object{"amount": total, "currency": "EUR"}}, token, key())
	}
	// What changes meanwhile is told and not charged.
	s.admin("POST", "/price-lists/"+trade+"/prices", object{"prices": []object{s.listed(10, 1300)}}).Want(200)
	pay(24490).WantProblem(409, "total_changed")
	order := pay(26490).Want(201)
	if order.Get("lines.0.unit_price.amount") != 1300.0 || order.String("lines.0.price_list.id") != trade {
		t.Errorf("order: %s", order.Body)
	}
	// The order keeps what it was priced by, whatever becomes of the list.
	s.admin("DELETE", "/price-lists/"+trade, nil).Want(204)
	kept := s.admin("GET", "/orders/"+order.String("id"), nil).Want(200)
	completed := s.shop("GET", path, nil, token).Want(200)
	if kept.String("lines.0.price_list.kind") != "override" || kept.Get("lines.0.unit_price.amount") != 1300.0 || completed.String("lines.0.price_list.name") != "Trade" {
		t.Errorf("kept: %s\n%s", kept.Body, completed.Body)
	}
	if got := shown(session); got != "1999 <nil> <nil> <nil>" {
		t.Errorf("without the list: %s", got)
	}
	if got := s.order(1); s.admin("GET", "/orders/"+got, nil).Want(200).Get("lines.0.price_list") != nil {
		t.Error("an order at the variant's own price says that it is of a list")
	}
}

// A collection is put on sale by one request, in any of its currencies.
func TestACollectionIsReduced(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	staff, shopper := api.Staff(ctx), api.Publishable(ctx)
	made := api.Do(t, staff, "POST", "/v1/products", object{"title": "Mug", "status": "active", "options": []object{{"name": "Size", "values": []string{"S", "M"}}}, "variants": []object{
		{"option_values": []string{"S"}, "prices": []object{{"amount": 1999, "currency": "EUR"}, {"amount": 2501, "currency": "JPY"}, {"amount": 7125, "currency": "KWD"}}},
		{"option_values": []string{"M"}, "prices": []object{{"amount": 10, "currency": "EUR"}}},
	}}).Want(201)
	api.Do(t, staff, "POST", "/v1/products", object{"title": "Bowl", "status": "active", "variants": []object{{"prices": []object{{"amount": 3000, "currency": "EUR"}}}}}).Want(201)
	collection := api.Do(t, staff, "POST", "/v1/collections", object{"name": "Sale", "product_ids": []string{made.String("id")}}).Want(201).String("id")
	at := "/v1/price-lists/" + api.Do(t, staff, "POST", "/v1/price-lists", object{"name": "x", "kind": "sale"}).Want(201).String("id")
	reduce := func(percentage string, currencies ...string) *apitest.Answer {
		body := object{"collection_id": collection, "percentage": percentage}
		if len(currencies) > 0 {
			body["currencies"] = currencies
		}
		return api.Do(t, staff, "POST", at+"/prices/reduce", body)
	}
	amounts := func() string { return names(api.Do(t, staff, "GET", at+"/prices", nil).Want(200), "amount") }
	if got := reduce("12.5", "EUR").Want(200).Get("prices_count"); got != 2.0 || amounts() != "1749 9" { // 1749.125, 8.75
		t.Errorf("%v prices: %s", got, amounts())
	}
	if got := reduce("50").Want(200).Get("prices_count"); got != 4.0 || amounts() != "1000 1251 3563 5" { // 999.5, 1250.5, 3562.5
		t.Errorf("%v prices: %s", got, amounts())
	}
	p := api.Do(t, shopper, "GET", "/v1/shop/products/mug", nil).Want(200)
	if p.Get("price_to.amount") != 1000.0 || p.Get("variants.0.lowest_price_30d.amount") != 1749.0 || p.Get("variants.1.compare_at_price.amount") != 10.0 {
		t.Errorf("shown: %s", p.Body)
	}
	for percentage, status := range map[string]int{"0": 422, "0.00": 422, "100.01": 400, "-1": 400, "1e1": 400} {
		if answer := reduce(percentage); answer.Status != status {
			t.Errorf("%s: %d %s", percentage, answer.Status, answer.Body)
		}
	}
	reduce("1", "ABC").WantProblem(422, "invalid_price_list")
	unknown := api.Do(t, staff, "POST", at+"/prices/reduce", object{"collection_id": ids.New("col"), "percentage": "1"}).WantProblem(422, "unknown_reference")
	if got := unknown.String("errors.0.pointer"); got != "/collection_id" {
		t.Errorf("an unknown collection is at %s", got)
	}
	api.Do(t, api.Staff(api.Platform.Store(t)), "POST", at+"/prices/reduce", object{"collection_id": collection, "percentage": "1"}).WantProblem(404, "not_found")
	api.Do(t, api.Scoped(ctx, "products:read"), "POST", at+"/prices/reduce", object{"collection_id": collection, "percentage": "1"}).WantProblem(403, "missing_permission")
	if got := reduce("100").Want(200); amounts() != "0 0 0 0" {
		t.Errorf("for nothing: %s %s", amounts(), got.Body)
	}
}

// In yen and in dinars, too, prices are whole numbers of the least unit there is.
func TestPriceListsInOtherCurrencies(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.Exec(t, `update settings set currencies = '{EUR,JPY,KWD}'`)
	list := s.admin("POST", "/price-lists", object{"name": "x", "kind": "sale"}).Want(201).String("id")
	for currency, digits := range map[string]float64{"JPY": 3500, "KWD": 7125} {
		s.Exec(t, `insert into prices (variant_id, currency, amount) values ($1, $2, 9000)`, s.shirt, currency)
		s.admin("POST", "/price-lists/"+list+"/prices", object{"prices": []object{{"variant_id": s.shirt, "currency": currency, "amount": digits}}}).Want(200)
		cart := s.shop("POST", "/carts", object{"currency": currency, "lines": []object{{"variant_id": s.shirt, "quantity": 3}}}).Want(201)
		if cart.Get("cart.totals.subtotal.amount") != 3*digits || cart.String("cart.totals.subtotal.currency") != currency {
			t.Errorf("in %s: %s", currency, cart.Body)
		}
	}
}

// What is reduced says what it cost before, by whatever it is reduced.
func TestReducedPrices(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	staff, shopper := api.Staff(ctx), api.Publishable(ctx)
	price := func(amount int, before any) object {
		return object{"prices": []object{{"amount": amount, "currency": "EUR", "compare_at_amount": before}}}
	}
	made := api.Do(t, staff, "POST", "/v1/products", object{"title": "Mug", "status": "active", "variants": []object{price(2000, nil)}}).Want(201)
	variant := "/v1/variants/" + made.String("variants.0.id")
	// The past is made: what has been is moved back by so many days.
	back := func(days int) {
		t.Helper()
		one[int](t, api, ctx, `with h as (update price_history set starts_at = starts_at - $1::int * interval '1 day' returning 1),
			p as (update products set published_at = published_at - $1::int * interval '1 day' returning 1) select count(*) from h, p`, days)
	}
	shown := func() string {
		t.Helper()
		p := api.Do(t, shopper, "GET", "/v1/shop/products/mug", nil).Want(200)
		return fmt.Sprint(p.Get("variants.0.price.amount"), p.Get("variants.0.compare_at_price.amount"), p.Get("variants.0.lowest_price_30d.amount"))
	}
	if got := shown(); got != "2000 <nil> <nil>" {
		t.Errorf("at first: %s", got)
	}
	back(10)
	api.Do(t, staff, "PATCH", variant, price(1500, nil)).Want(200)
	back(10)
	api.Do(t, staff, "PATCH", variant, price(1800, nil)).Want(200)
	back(10)
	api.Do(t, staff, "PATCH", variant, price(1600, 2500)).Want(200)
	if got := shown(); got != "1600 2500 1500" {
		t.Errorf("reduced by hand: %s", got)
	}
	back(100) // a reduction that lasts is still one of then
	if got := shown(); got != "1600 2500 1500" {
		t.Errorf("reduced for long: %s", got)
	}
	api.Do(t, staff, "PATCH", variant, price(1900, nil)).Want(200)
	back(31)
	sale := api.Do(t, staff, "POST", "/v1/price-lists", object{"name": "Sale", "kind": "sale"}).Want(201).String("id")
	api.Do(t, staff, "POST", "/v1/price-lists/"+sale+"/prices", object{"prices": []object{{"variant_id": made.String("variants.0.id"), "currency": "EUR", "amount": 1700}}}).Want(200)
	if got := shown(); got != "1700 1900 1900" {
		t.Errorf("in the sale: %s", got)
	}
	history := api.Do(t, staff, "GET", variant+"/price-history?limit=2", nil).Want(200)
	if history.Get("data.0.price.amount") != 1700.0 || history.Get("data.0.ends_at") != nil || history.Get("data.1.price.amount") != 1900.0 ||
		history.Get("data.1.ends_at") != history.Get("data.0.starts_at") {
		t.Errorf("history: %s", history.Body)
	}
	rest := api.Do(t, staff, "GET", variant+"/price-history?limit=100&cursor="+history.String("next_cursor"), nil).Want(200)
	if rest.Get("data.0.price.amount") != 1600.0 || rest.Get("data.0.reduced") != true || rest.Get("data.3.price.amount") != 2000.0 || rest.Get("has_more") != false {
		t.Errorf("the rest: %s", rest.Body)
	}
	if got := names(api.Do(t, staff, "GET", variant+"/price-history?currency=USD", nil).Want(200), "currency"); got != "" {
		t.Errorf("in dollars: %s", got)
	}
	api.Do(t, staff, "PATCH", "/v1/price-lists/"+sale, object{"active": false}).Want(200)
	if got := shown(); got != "1900 <nil> <nil>" {
		t.Errorf("after the sale: %s", got)
	}
}

// A sale begins and ends by the clock alone, for those too who are answered from memory, and
// what is said of the 30 days before with it.
func TestASaleBeginsAndEndsByTheClock(t *testing.T) {
	t.Parallel()
	db, service := testdb.Open(t).DB, catalog.New(limit(0))
	api := apitest.New(t,
		(&handlers.Products{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.PriceLists{DB: db}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, AcceptsOrders: open, Answers: handlers.NewAnswers(nil), Editions: catalog.NewEditions(db)}).Operations(),
	)
	ctx := api.Platform.Store(t)
	staff, shopper := api.Staff(ctx), api.Publishable(ctx)
	made := api.Do(t, staff, "POST", "/v1/products", object{"title": "Mug", "status": "active", "variants": []object{{"prices": []object{{"amount": 2000, "currency": "EUR"}}}}}).Want(201)
	begins := time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	ends := begins.Add(2 * time.Second)
	sale := api.Do(t, staff, "POST", "/v1/price-lists", object{"name": "Sale", "kind": "sale", "starts_at": begins, "ends_at": ends}).Want(201).String("id")
	api.Do(t, staff, "POST", "/v1/price-lists/"+sale+"/prices", object{"prices": []object{{"variant_id": made.String("variants.0.id"), "currency": "EUR", "amount": 1500}}}).Want(200)
	wait := func(want string) time.Time {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			p := api.Do(t, shopper, "GET", "/v1/shop/products/mug", nil).Want(200)
			at := time.Now()
			switch got := fmt.Sprint(p.Get("price_from.amount"), p.Get("variants.0.compare_at_price.amount"), p.Get("variants.0.lowest_price_30d.amount")); {
			case got == want:
				return at
			case at.After(end):
				t.Fatalf("it is %s, not %s", got, want)
			}
		}
	}
	wait("2000 <nil> <nil>")
	if at := wait("1500 2000 2000"); at.Before(begins) {
		t.Errorf("begun %v before its time", begins.Sub(at))
	}
	if at := wait("2000 <nil> <nil>"); at.Before(ends) {
		t.Errorf("ended %v before its time", ends.Sub(at))
	}
	history := api.Do(t, staff, "GET", "/v1/variants/"+made.String("variants.0.id")+"/price-history", nil).Want(200)
	if got := names(history, "reduced"); got != "false true false" || history.String("data.1.starts_at") != begins.UTC().Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("history: %s", history.Body)
	}
}
