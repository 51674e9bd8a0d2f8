package handlers_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func TestShop(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	shopper := api.Publishable(ctx)
	shop := api.Do(t, shopper, "GET", "/v1/shop", nil).Want(200)
	if shop.String("currency") != "EUR" || fmt.Sprint(shop.Get("currencies")) != "[EUR USD]" || !strings.HasPrefix(shop.String("url"), "https://shop-") || shop.String("mode") != "live" {
		t.Errorf("shop: %s", shop.Body)
	}
	api.Do(t, shopper, "GET", "/v1/shop", nil, "If-None-Match: "+shop.Header.Get("ETag")).Want(304)
	api.Do(t, api.Staff(ctx), "GET", "/v1/shop", nil).WantProblem(403, "wrong_credential")
}

func TestShopProducts(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	top := api.Do(t, key, "POST", "/v1/categories", object{"name": "Clothes"}).Want(201).String("id")
	below := api.Do(t, key, "POST", "/v1/categories", object{"name": "Shirts", "parent_id": top}).Want(201).String("id")
	body := shirt()
	body["category_id"] = below
	product := api.Do(t, key, "POST", "/v1/products", body).Want(201)
	id := product.String("id")
	draft := shirt()
	draft["status"] = "draft"
	hidden := api.Do(t, key, "POST", "/v1/products", draft).Want(201)
	api.Do(t, key, "POST", "/v1/products", object{"title": "Free", "status": "active"}).Want(201)

	api.Do(t, shopper, "GET", "/v1/shop", nil).Want(200) // by which the store's locales are known
	counted, count := postgres.Counting(context.Background())
	list := api.DoContext(t, counted, shopper, "GET", "/v1/shop/products", nil).Want(200)
	if n := count.Statements.Load(); n != 1 {
		t.Errorf("%d statements for a list", n)
	}
	if got := names(list, "title"); got != "Free Linen shirt" {
		t.Errorf("list: %s", got)
	}
	if list.Get("data.0.price_from") != nil || list.Get("data.0.available") != false {
		t.Errorf("without a price: %s", list.Body)
	}
	api.Do(t, shopper, "GET", "/v1/shop/products", nil, "If-None-Match: "+list.Header.Get("ETag")).Want(304)

	counted, count = postgres.Counting(context.Background())
	got := api.DoContext(t, counted, shopper, "GET", "/v1/shop/products/linen-shirt", nil).Want(200)
	if n := count.Statements.Load(); n != 1 {
		t.Errorf("%d statements for a product", n)
	}
	if got.String("id") != id || got.Get("price_from.amount") != 4900.0 || got.Get("price_to.amount") != 5100.0 || got.Get("available") != true ||
		got.Get("variants.0.compare_at_price.amount") != 5900.0 || got.Get("variants.1.compare_at_price") != nil {
		t.Errorf("product: %s", got.Body)
	}
	dollars := api.Do(t, shopper, "GET", "/v1/shop/products/"+id+"?currency=USD", nil).Want(200)
	if dollars.Get("price_to.amount") != 5500.0 || dollars.Get("variants.1.price") != nil || dollars.Get("variants.1.available") != false || dollars.Get("variants.0.price.currency") != "USD" {
		t.Errorf("in dollars: %s", dollars.Body)
	}
	for _, path := range []string{"/v1/shop/products", "/v1/shop/products/" + id, "/v1/shop/search"} {
		query := "?currency=GBP"
		if strings.HasSuffix(path, "search") {
			query += "&q=linen"
		}
		api.Do(t, shopper, "GET", path+query, nil).WantProblem(422, "currency_not_sold")
	}
	api.Do(t, shopper, "GET", "/v1/shop/products?currency=euro", nil).WantProblem(400, "invalid_request")
	api.Do(t, shopper, "GET", "/v1/shop/products/"+hidden.String("handle"), nil).WantProblem(404, "not_found")
	api.Do(t, shopper, "GET", "/v1/shop/products/nothing", nil).WantProblem(404, "not_found")
	api.Do(t, api.Publishable(other), "GET", "/v1/shop/products/"+id, nil).WantProblem(404, "not_found")

	for query, want := range map[string]string{
		"?category_id=" + top: "Linen shirt", "?category_id=" + below: "Linen shirt", "?category_id=" + ids.New("cat"): "",
		"?tag=linen": "Linen shirt", "?tag=wool": "", "?collection_id=" + ids.New("col"): "", "?limit=1": "Free",
	} {
		if got := names(api.Do(t, shopper, "GET", "/v1/shop/products"+query, nil).Want(200), "title"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	page := api.Do(t, shopper, "GET", "/v1/shop/products?limit=1", nil).Want(200)
	if got := names(api.Do(t, shopper, "GET", "/v1/shop/products?limit=1&cursor="+page.String("next_cursor"), nil).Want(200), "title"); got != "Linen shirt" {
		t.Errorf("second page: %s", got)
	}
	api.Do(t, shopper, "GET", "/v1/shop/products?limit=1&tag=x&cursor="+page.String("next_cursor"), nil).WantProblem(400, "invalid_cursor")

	// The last one goes: the variant and then the product is sold out, without a change of
	// the product's version, and the ETag tells.
	variant := product.String("variants.0.id")
	api.Do(t, key, "POST", "/v1/inventory/adjustments", object{"reason": "damaged", "lines": []object{{"variant_id": variant, "delta": -3}}}).Want(201)
	now := api.Do(t, shopper, "GET", "/v1/shop/products/"+id, nil, "If-None-Match: "+got.Header.Get("ETag")).Want(200)
	if now.Get("variants.0.available") != false || now.Get("available") != true {
		t.Errorf("sold out: %s", now.Body)
	}
	api.Do(t, key, "PATCH", "/v1/variants/"+variant, object{"allow_backorder": true}).Want(200)
	if got := api.Do(t, shopper, "GET", "/v1/shop/products/"+id, nil).Want(200); got.Get("variants.0.available") != true {
		t.Errorf("on backorder: %s", got.Body)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	make := func(body object) string {
		if body["status"] == nil {
			body["status"] = "active"
		}
		return api.Do(t, key, "POST", "/v1/products", body).Want(201).String("id")
	}
	make(object{"title": "Linen shirt", "vendor": "Example Mill", "tags": []string{"summer"}, "description_html": "<p>For running &amp; walking.</p>"})
	make(object{"title": "Wool socks", "description_html": "<p>Goes well with linen.</p>"})
	make(object{"title": "Crème brûlée dish", "product_type": "Kitchenware"})
	make(object{"title": "Black/white scarf", "variants": []object{{"sku": "SC-B/W_01"}}})
	make(object{"title": "Linen draft", "status": "draft"})
	search := func(key, path, q string) string {
		return names(api.Do(t, key, "GET", path+"?q="+url.QueryEscape(q), nil).Want(200), "title")
	}
	for q, want := range map[string]string{
		"linen":           "Linen shirt Wool socks", // the title weighs more than the description
		"LINEN shirts":    "Linen shirt",            // case and stem
		"run":             "Linen shirt",            // a stem in the description
		"shi":             "Linen shirt",            // the beginning of the last word
		"creme brulee":    "Crème brûlée dish",
		"white":           "Black/white scarf",
		"SC-B/W_01":       "Black/white scarf",
		"sc b":            "Black/white scarf",
		"mill":            "Linen shirt",
		"summer":          "Linen shirt",
		"kitchen":         "Crème brûlée dish",
		"shrit":           "Linen shirt", // letters that changed places
		"linnen":          "Linen shirt Wool socks",
		"scraf":           "Black/white scarf",
		"sokcs":           "Wool socks",
		"shart":           "Linen shirt",
		"the shirt":       "Linen shirt", // a word that means nothing
		"!!!":             "",
		"zzzzzz":          "",
		`"' & | ! ( :* \`: "",
		"draft":           "",
	} {
		if got := search(shopper, "/v1/shop/search", q); got != want {
			t.Errorf("shop, %q: %q, want %q", q, got, want)
		}
	}
	if got := search(key, "/v1/search", "linen"); !strings.Contains(got, "Linen draft") || !strings.Contains(got, "Linen shirt") {
		t.Errorf("merchant: %s", got)
	}
	if got := names(api.Do(t, key, "GET", "/v1/search?q=linen&status=draft", nil).Want(200), "title"); got != "Linen draft" {
		t.Errorf("merchant's drafts: %s", got)
	}
	api.Do(t, key, "GET", "/v1/search", nil).WantProblem(400, "invalid_request")
	if got := search(api.Publishable(api.Platform.Store(t)), "/v1/shop/search", "linen"); got != "" {
		t.Errorf("another store finds %s", got)
	}

	counted, count := postgres.Counting(context.Background())
	page := api.DoContext(t, counted, shopper, "GET", "/v1/shop/search?q=linen&limit=1", nil).Want(200)
	if n := count.Statements.Load(); n != 1 {
		t.Errorf("%d statements for a search", n)
	}
	next := api.Do(t, shopper, "GET", "/v1/shop/search?q=linen&limit=1&cursor="+page.String("next_cursor"), nil).Want(200)
	if got := names(next, "title"); got != "Wool socks" || next.Get("has_more") != false {
		t.Errorf("second page: %s", next.Body)
	}

	// What changes is found anew, and what is deleted no more.
	id := api.Do(t, key, "GET", "/v1/products?handle=wool-socks", nil).Want(200).String("data.0.id")
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"title": "Cotton socks"}).Want(200)
	variant := api.Do(t, key, "GET", "/v1/products/"+id, nil).Want(200).String("variants.0.id")
	api.Do(t, key, "PATCH", "/v1/variants/"+variant, object{"sku": "QX77"}).Want(200)
	if got := search(shopper, "/v1/shop/search", "wool") + search(shopper, "/v1/shop/search", "cotton") + search(shopper, "/v1/shop/search", "qx77"); got != "Cotton socksCotton socks" {
		t.Errorf("after the change: %q", got)
	}
	api.Do(t, key, "DELETE", "/v1/products/"+id, nil).Want(204)
	if got := search(shopper, "/v1/shop/search", "cotton"); got != "" {
		t.Errorf("after the deletion: %q", got)
	}
}

func TestFacets(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	kitchen := api.Do(t, key, "POST", "/v1/categories", object{"name": "Kitchen"}).Want(201).String("id")
	for i, title := range []string{"Linen cup", "Linen rug", "Clay cup"} {
		api.Do(t, key, "POST", "/v1/products", object{
			"title": title, "status": "active", "vendor": []string{"Example: Mill", "Other", "Other"}[i], "category_id": kitchen, "options": []object{{"name": "Size", "values": []string{"S", "M"}}},
			"variants": []object{
				{"option_values": []string{"S"}, "stock_quantity": i, "prices": []object{{"amount": 900 + 1000*i, "currency": "EUR"}}},
				{"option_values": []string{"M"}, "prices": []object{{"amount": 9000, "currency": "EUR"}}},
			},
		}).Want(201)
	}
	counts := func(query string) string {
		answer := api.Do(t, shopper, "GET", "/v1/shop/facets"+query, nil).Want(200)
		out := []string{fmt.Sprint(answer.Get("total"))}
		for _, f := range answer.Get("facets").([]any) {
			for _, v := range f.(map[string]any)["values"].([]any) {
				value := v.(map[string]any)
				mark := ""
				if value["selected"] == true {
					mark = "!"
				}
				if !strings.HasPrefix(value["filter"].(string), "category:") {
					out = append(out, fmt.Sprint(mark, value["filter"], "=", value["count"]))
				}
			}
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"": "3 vendor:Other=2 vendor:Example: Mill=1 price:500-1000=1 price:1000-2000=1 price:2000-5000=1 availability:true=2 availability:false=1 option.Size:M=3 option.Size:S=3",
		"?filter=vendor:Other&filter=availability:true": "2 !vendor:Other=2 price:1000-2000=1 price:2000-5000=1 !availability:true=2 option.Size:M=2 option.Size:S=2",
		"?q=linne&filter=price:-1000":                   "1 vendor:Example: Mill=1 !price:-1000=1 price:500-1000=1 price:1000-2000=1 availability:false=1 option.Size:M=1 option.Size:S=1",
	} {
		if got := counts(query); got != want {
			t.Errorf("%q:\n%s, want\n%s", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"?filter=vendor:Example:%20Mill":                          "Linen cup",
		"?sort=price_descending":                                  "Clay cup Linen rug Linen cup",
		"?sort=title&filter=vendor:Other":                         "Clay cup Linen rug",
		"?filter=option.Size:XL":                                  "",
		"?filter=category:" + kitchen + "&filter=price:1000-2000": "Linen rug",
	} {
		if got := names(api.Do(t, shopper, "GET", "/v1/shop/products"+query, nil).Want(200), "title"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if got := names(api.Do(t, shopper, "GET", "/v1/shop/search?q=linen&sort=price_ascending&filter=vendor:Other", nil).Want(200), "title"); got != "Linen rug" {
		t.Errorf("a search that is filtered: %s", got)
	}
	first := api.Do(t, shopper, "GET", "/v1/shop/products?sort=title&limit=2", nil).Want(200)
	if got := names(api.Do(t, shopper, "GET", "/v1/shop/products?sort=title&limit=2&cursor="+first.String("next_cursor"), nil).Want(200), "title"); got != "Linen rug" {
		t.Errorf("second page: %s", got)
	}
	for query, code := range map[string]string{"?filter=size:M": "invalid_filter", "?filter=price:9-1": "invalid_filter", "?filter=availability:maybe": "invalid_filter", "?currency=GBP": "currency_not_sold"} {
		api.Do(t, shopper, "GET", "/v1/shop/facets"+query, nil).WantProblem(422, code)
	}
	api.Do(t, shopper, "GET", "/v1/shop/facets?filter=vendor", nil).WantProblem(400, "invalid_request")
	api.Do(t, shopper, "GET", "/v1/shop/facets?q=a&q=b", nil).WantProblem(400, "invalid_request")
	if got := api.Do(t, api.Publishable(api.Platform.Store(t)), "GET", "/v1/shop/facets", nil).Want(200); got.Get("total") != 0.0 {
		t.Errorf("another store counts %s", got.Body)
	}
}

func TestSuggestionsAndSearches(t *testing.T) {
	t.Parallel()
	api, counter := newCountedCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	api.Do(t, key, "POST", "/v1/categories", object{"name": "Linen ware"}).Want(201)
	api.Do(t, key, "POST", "/v1/collections", object{"name": "Washed linen"}).Want(201)
	for _, title := range []string{"Linen cup", "Rug of linen", "Clay bowl"} {
		api.Do(t, key, "POST", "/v1/products", object{"title": title, "status": "active"}).Want(201)
	}
	for query, times := range map[string]int{"linen rug": 6, "linen bowl": 6, "zebra": 2, "ada@example.com": 9, "0049123456": 9, "Zebra!": 1} {
		for range times {
			api.Do(t, shopper, "GET", "/v1/shop/search?q="+url.QueryEscape(query), nil).Want(200)
		}
	}
	api.Do(t, shopper, "GET", "/v1/shop/search?q=clay&filter=vendor:none", nil).Want(200)
	for range 2 { // a second time there is nothing left to write down
		if err := counter.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	list := func(query string) string {
		var out []string
		for _, s := range api.Do(t, key, "GET", "/v1/searches"+query, nil).Want(200).Get("data").([]any) {
			s := s.(map[string]any)
			out = append(out, fmt.Sprint(s["words"], " ", s["count"], "/", s["without_results"]))
		}
		return strings.Join(out, ", ")
	}
	for query, want := range map[string]string{
		"": "linen bowl 6/6, linen rug 6/0, zebra 3/3", "?without_results=true": "linen bowl 6/6, zebra 3/3", "?days=1&limit=1": "linen bowl 6/6",
	} {
		if got := list(query); got != want {
			t.Errorf("searches%s: %s, want %s", query, got, want)
		}
	}
	page := api.Do(t, key, "GET", "/v1/searches?limit=1", nil).Want(200)
	if got := list("?limit=1&cursor=" + page.String("next_cursor")); got != "linen rug 6/0" {
		t.Errorf("second page: %s", got)
	}
	api.Do(t, shopper, "GET", "/v1/searches", nil).WantProblem(403, "wrong_credential")

	found := api.Do(t, shopper, "GET", "/v1/shop/suggestions?q=Lin", nil).Want(200)
	got := fmt.Sprint(found.Get("queries"), " ", found.Get("products.0.title"), ", ", found.Get("products.1.title"), ", ", found.Get("categories.0.name"), ", ", found.Get("collections.0.name"))
	if got != "[linen rug] Rug of linen, Linen cup, Linen ware, Washed linen" {
		t.Errorf("suggested: %s", got)
	}
	if got := api.Do(t, shopper, "GET", "/v1/shop/suggestions?q=linnen&per_kind=1", nil).Want(200); len(got.Get("products").([]any)) != 1 || got.Get("products.0.title") != "Rug of linen" {
		t.Errorf("for a slip: %s", got.Body)
	}
	api.Do(t, shopper, "GET", "/v1/shop/suggestions?q=!!", nil).Want(200)
	api.Do(t, shopper, "GET", "/v1/shop/suggestions", nil).WantProblem(400, "invalid_request")
	if got := api.Do(t, api.Publishable(api.Platform.Store(t)), "GET", "/v1/shop/suggestions?q=lin", nil).Want(200); got.Get("products.0") != nil || got.Get("queries.0") != nil {
		t.Errorf("another store suggests %s", got.Body)
	}
}

// What is bought together is recommended, as far as two orders tell of it; then what is beside it.
func TestWhatIsBoughtTogether(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	shop, shopper := shoptest.In(t, api.Platform.DB, ctx), api.Publishable(ctx)
	products := map[string]string{}
	for _, title := range []string{"Pot", "Lid", "Spoon", "Cup", "Draft"} {
		variant := shop.Add(t, shoptest.Variant{Title: title, EUR: 100, Stock: 1, Draft: title == "Draft"})
		products[title] = shoptest.Value[string](t, shop, `select product_id from variants where id = $1`, variant)
	}
	sell := func(state string, titles ...string) {
		order := ids.New("ord")
		shop.Exec(t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
			values ($1, nextval('order_numbers'), $1, '', $2, 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 100, 0, 0, 100)`, order, state)
		for _, title := range titles {
			shop.Exec(t, `insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, quantity, unit_amount, total_amount, tax_amount, requires_shipping, tracks_stock)
				values ($1, $2, 0, 'x', $3, $4, '', 1, 100, 100, 0, true, true)`, ids.New("orl"), order, products[title], title)
		}
	}
	sell("open", "Pot", "Spoon", "Draft")
	sell("completed", "Pot", "Pot", "Spoon", "Lid", "Draft")
	sell("open", "Pot", "Lid")
	sell("open", "Pot", "Lid")
	sell("open", "Pot", "Cup")
	sell("pending", "Pot", "Cup")
	titles := func(path string) string {
		t.Helper()
		list := ""
		for _, p := range api.Do(t, shopper, "GET", "/v1/shop/products/"+path, nil).Want(200).Get("products").([]any) {
			list += p.(map[string]any)["title"].(string) + " "
		}
		return list
	}
	at := products["Pot"] + "/recommendations"
	if got := titles(at); got != "Lid Spoon Cup " { // the cup is beside it, as is all of no category
		t.Errorf("with a pot: %s", got)
	}
	if got := titles(at + "?most=1"); got != "Lid " {
		t.Errorf("one: %s", got)
	}
	shop.Exec(t, `insert into categories (id, path, name, handle) values ('cat_a', 'cat_a/', 'Pots', 'pots')`)
	shop.Exec(t, `update products set category_id = 'cat_a' where id = $1`, products["Pot"])
	if got := titles(at); got != "Lid Spoon " {
		t.Errorf("with a pot among pots: %s", got)
	}
	api.Do(t, shopper, "GET", "/v1/shop/products/"+products["Draft"]+"/recommendations", nil).WantProblem(404, "not_found")
	api.Do(t, shopper, "GET", "/v1/shop/products/"+at+"?currency=JPY", nil).WantProblem(422, "currency_not_sold")
	api.Do(t, shopper, "GET", "/v1/shop/products/"+at+"?most=25", nil).WantProblem(400, "invalid_request")
}
