package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

type limit int

func (l limit) Products(context.Context) int { return int(l) }

func shopURL(store *tenants.Store) string { return "https://" + store.Address + ".stoa.example" }

func open(context.Context, *tenants.Store) (bool, error) { return true, nil }

// door knows passwords and links by what they are of.
type door struct{}

func (door) Code(password string) string { return "code of " + password }

func (door) Enter(_ context.Context, seed string) (string, error) {
	return "https://linen.stoa.example/?enter=" + seed, nil
}

// newCatalog opens a door before the catalogue, of which a store may have so many products.
func newCatalog(t *testing.T, most int) *apitest.API {
	t.Helper()
	api, _ := newCountedCatalog(t, most)
	return api
}

// newCountedCatalog gives what counts searches as well.
func newCountedCatalog(t *testing.T, most int) (*apitest.API, *search.Counter) {
	t.Helper()
	db, service := testdb.Open(t).DB, catalog.New(limit(most))
	speller, counter := search.NewSpeller(db), search.NewCounter(db)
	return apitest.New(t,
		(&handlers.Products{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Variants{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Categories{DB: db, Catalog: service}).Operations(),
		(&handlers.Collections{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Fields{DB: db}).Operations(),
		(&handlers.Inventory{DB: db}).Operations(), (&handlers.Locations{DB: db}).Operations(),
		(&handlers.Promotions{DB: db}).Operations(), (&handlers.PriceLists{DB: db}).Operations(),
		(&handlers.Search{DB: db, ShopURL: shopURL, Speller: speller}).Operations(),
		(&handlers.Settings{DB: db, Door: door{}}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, AcceptsOrders: open, Speller: speller, Counter: counter, Editions: catalog.NewEditions(db)}).Operations(),
		(&handlers.Translations{DB: db}).Operations(),
	), counter
}

type object = map[string]any

func shirt() object {
	return object{
		"title": "Linen shirt", "description_html": `<p onclick="steal()">Woven in <b>one</b> piece.</p><script>alert(1)</script>`,
		"vendor": "Example Mill", "product_type": "Shirts", "tags": []string{"summer", " summer ", "linen"}, "status": "active",
		"options": []object{{"name": "Size", "values": []string{"S", "M"}}},
		"variants": []object{
			{"sku": "LS-S", "option_values": []string{"S"}, "prices": []object{{"amount": 4900, "currency": "EUR", "compare_at_amount": 5900}, {"amount": 5500, "currency": "USD"}}, "stock_quantity": 3, "weight_grams": 320},
			{"sku": "LS-M", "option_values": []string{"M"}, "prices": []object{{"amount": 5100, "currency": "EUR"}}, "track_inventory": false},
		},
	}
}

func TestProductLife(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)

	made := api.Do(t, key, "POST", "/v1/products", shirt()).Want(201)
	id := made.String("id")
	if made.String("handle") != "linen-shirt" || made.String("description_html") != "<p>Woven in <b>one</b> piece.</p>" || fmt.Sprint(made.Get("tags")) != "[summer linen]" {
		t.Errorf("made: %s", made.Body)
	}
	if made.Get("published_at") == nil || made.Get("variants.0.stock_quantity") != 3.0 || made.Get("variants.1.title") != "M" || made.Get("variants.0.prices.0.compare_at_amount") != 5900.0 {
		t.Errorf("made: %s", made.Body)
	}
	got := api.Do(t, key, "GET", "/v1/products/"+id, nil).Want(200)
	if string(got.Body) != string(made.Body) || got.Header.Get("ETag") != made.Header.Get("ETag") {
		t.Errorf("read back other than it was made:\n%s\n%s", made.Body, got.Body)
	}
	api.Do(t, key, "GET", "/v1/products/"+id, nil, "If-None-Match: "+got.Header.Get("ETag")).Want(304)

	// A merge patch: what is null goes, what is not named stays.
	etag := got.Header.Get("ETag")
	patched := api.Do(t, key, "PATCH", "/v1/products/"+id, object{"vendor": nil, "title": "Shirt", "status": "archived"}, "If-Match: "+etag).Want(200)
	if patched.Get("vendor") != nil || patched.String("title") != "Shirt" || patched.String("handle") != "linen-shirt" || patched.String("product_type") != "Shirts" {
		t.Errorf("patched: %s", patched.Body)
	}
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"title": "Other"}, "If-Match: "+etag).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", "/v1/products/"+id, nil, "If-Match: "+etag).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", "/v1/products/"+id+"?dry_run=true", nil).Want(204)
	api.Do(t, key, "GET", "/v1/products/"+id, nil).Want(200)
	api.Do(t, key, "DELETE", "/v1/products/"+id, nil, "If-Match: "+patched.Header.Get("ETag")).Want(204)
	api.Do(t, key, "GET", "/v1/products/"+id, nil).WantProblem(404, "not_found")
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"title": "x"}).WantProblem(404, "not_found")
	api.Do(t, key, "DELETE", "/v1/products/"+id, nil).WantProblem(404, "not_found")

	if got := events(t, api, ctx, id); got != "product.created product.updated product.deleted" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, api, ctx, id); got != "product.create product.update product.delete" {
		t.Errorf("audit: %s", got)
	}
}

// events and audits are what an object left behind, in order.
func events(t *testing.T, api *apitest.API, ctx context.Context, id string) string {
	return one[string](t, api, ctx, `select coalesce(string_agg(type, ' ' order by id), '') from events where object_id = $1`, id)
}

func audits(t *testing.T, api *apitest.API, ctx context.Context, id string) string {
	return one[string](t, api, ctx, `select coalesce(string_agg(action, ' ' order by id), '') from audit_entries where object_id = $1 and actor_kind = 'key' and request_id <> ''`, id)
}

// one reads a value in the context's store.
func one[T any](t *testing.T, api *apitest.API, ctx context.Context, query string, args ...any) T {
	t.Helper()
	var value T
	err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, query, args...).Scan(&value)
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestProductRefusals(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	post := func(change func(object)) *apitest.Answer {
		body := shirt()
		change(body)
		return api.Do(t, key, "POST", "/v1/products", body)
	}
	post(func(o object) { delete(o, "title") }).WantProblem(400, "invalid_request")
	post(func(o object) { o["colour"] = "red" }).WantProblem(400, "invalid_request")
	post(func(o object) { o["title"] = "  " }).WantProblem(422, "invalid_product")
	post(func(o object) { o["title"] = "a\nb" }).WantProblem(422, "invalid_product")
	post(func(o object) { o["category_id"] = ids.New("cat") }).WantProblem(422, "invalid_product")
	post(func(o object) { o["category_id"] = "nonsense" }).WantProblem(422, "invalid_product")
	post(func(o object) { o["description_html"] = strings.Repeat(`"`, 65535) }).WantProblem(422, "invalid_product")
	variants := func(o object) []object { return o["variants"].([]object) }
	all := post(func(o object) {
		o["options"] = []object{{"name": "Size", "values": []string{"S", "S"}}, {"name": "size", "values": []string{"M"}}}
		variants(o)[0]["prices"] = []object{{"amount": 1, "currency": "EUR"}, {"amount": 2, "currency": "EUR"}, {"amount": 2, "currency": "QQQ"}}
		variants(o)[1]["image_id"] = ids.New("img")
	}).WantProblem(422, "invalid_product")
	if faults := all.Get("errors").([]any); len(faults) != 7 {
		t.Errorf("%d faults: %s", len(faults), all.Body)
	}
	post(func(o object) { variants(o)[0]["option_values"] = []string{"XL"} }).WantProblem(422, "invalid_product")
	post(func(o object) { variants(o)[0]["option_values"] = []string{"M"} }).WantProblem(422, "invalid_product")

	post(func(o object) { o["handle"] = "linen" }).Want(201)
	post(func(o object) { o["handle"] = "linen" }).WantProblem(409, "handle_taken")
	for i, want := range []string{"linen-shirt", "linen-shirt-2", "linen-shirt-3"} {
		if got := post(func(object) {}).Want(201).String("handle"); got != want {
			t.Errorf("handle %d is %q", i, got)
		}
	}
	made := post(func(o object) {
		o["title"], o["options"], o["variants"] = "日本のシャツ & more", nil, nil
		delete(o, "options")
		delete(o, "variants")
	}).Want(201)
	if made.Get("variants.0.title") != "Default" || made.Get("variants.0.prices.0") != nil || !strings.HasSuffix(made.String("handle"), "and-more") {
		t.Errorf("made of little: %s", made.Body)
	}
	id := made.String("id")
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"handle": "linen"}).WantProblem(409, "handle_taken")
	if sized := api.Do(t, key, "PATCH", "/v1/products/"+id, object{"options": []object{{"name": "Size", "values": []string{"S", "M"}}}}).Want(200); sized.Get("variants.0.title") != "S" {
		t.Errorf("what there is has the first choice of a new option: %s", sized.Body)
	}
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"options": []object{{"name": "Size", "values": []string{}}}}).WantProblem(400, "invalid_request")
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"category_id": ids.New("cat")}).WantProblem(422, "invalid_product")

	stranger := api.Staff(other)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		var body any
		if method == "PATCH" {
			body = object{"title": "mine"}
		}
		api.Do(t, stranger, method, "/v1/products/"+id, body).WantProblem(404, "not_found")
	}
	api.Do(t, key, "GET", "/v1/products/"+ids.New("var"), nil).WantProblem(404, "not_found")
	api.Do(t, api.Scoped(ctx, "products:read"), "POST", "/v1/products", shirt()).WantProblem(403, "missing_permission")
	api.Do(t, "", "GET", "/v1/products", nil).WantProblem(401, "missing_credential")
}

func TestProductListIsOneStatement(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	var made []string
	for i := range 5 {
		body := shirt()
		if i%2 == 1 {
			body["status"] = "draft"
		}
		made = append(made, api.Do(t, key, "POST", "/v1/products", body).Want(201).String("id"))
	}
	counted, count := postgres.Counting(context.Background())
	page := api.DoContext(t, counted, key, "GET", "/v1/products?limit=2", nil).Want(200)
	if n := count.Statements.Load(); n != 1 {
		t.Errorf("%d statements for a list", n)
	}
	counted, count = postgres.Counting(context.Background())
	api.DoContext(t, counted, key, "GET", "/v1/products/"+made[0], nil).Want(200)
	if n := count.Statements.Load(); n != 1 {
		t.Errorf("%d statements for a product", n)
	}
	var seen []string
	path := "/v1/products?limit=2"
	for {
		var list struct {
			Data       []struct{ ID string }
			HasMore    bool    `json:"has_more"`
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(page.Body, &list); err != nil {
			t.Fatal(err)
		}
		for _, p := range list.Data {
			seen = append(seen, p.ID)
		}
		if !list.HasMore {
			break
		}
		if !strings.Contains(page.Header.Get("Link"), `rel="next"`) {
			t.Errorf("Link: %q", page.Header.Get("Link"))
		}
		page = api.Do(t, key, "GET", path+"&cursor="+*list.NextCursor, nil).Want(200)
	}
	if len(seen) != 5 || seen[0] != made[4] || seen[4] != made[0] {
		t.Errorf("seen %v of %v", seen, made)
	}
	length := func(path string) int { return len(api.Do(t, key, "GET", path, nil).Want(200).Get("data").([]any)) }
	for path, want := range map[string]int{
		"/v1/products?status=draft": 2, "/v1/products?handle=linen-shirt-3": 1, "/v1/products?sku=LS-M": 5, "/v1/products?sku=none": 0,
		"/v1/products?category_id=" + ids.New("cat"): 0, "/v1/products?collection_id=" + ids.New("col"): 0,
	} {
		if got := length(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	api.Do(t, key, "GET", "/v1/products?cursor=AAAA", nil).WantProblem(400, "invalid_cursor")
	api.Do(t, key, "GET", "/v1/products?limit=101", nil).WantProblem(400, "invalid_request")
	api.Do(t, key, "GET", "/v1/products?status=sold", nil).WantProblem(400, "invalid_request")
}

func TestPlanBoundsProductsUnderParallelism(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 3)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	var wg sync.WaitGroup
	statuses := make([]int, 12)
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = api.Do(t, key, "POST", "/v1/products", object{"title": "Same"}).Status
		})
	}
	wg.Wait()
	made := 0
	for _, status := range statuses {
		switch status {
		case http.StatusCreated:
			made++
		case http.StatusUnprocessableEntity:
		default:
			t.Errorf("status %d", status)
		}
	}
	if made != 3 {
		t.Errorf("%d were made", made)
	}
	api.Do(t, key, "POST", "/v1/products", object{"title": "One more"}).WantProblem(422, "plan_limit")
	id := api.Do(t, key, "GET", "/v1/products?handle=same-2", nil).Want(200).String("data.0.id")
	api.Do(t, key, "DELETE", "/v1/products/"+id, nil).Want(204)
	if got := api.Do(t, key, "POST", "/v1/products", object{"title": "Same"}).Want(201).String("handle"); got != "same-2" {
		t.Errorf("the freed handle is not taken again: %s", got)
	}
	if sum := one[int64](t, api, ctx, `select product_count from settings`); sum != 3 {
		t.Errorf("count is %d", sum)
	}
}

func TestProductCreationIsIdempotent(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	first := api.Do(t, key, "POST", "/v1/products", shirt(), "Idempotency-Key: a").Want(201)
	again := api.Do(t, key, "POST", "/v1/products", shirt(), "Idempotency-Key: a").Want(201)
	if again.String("id") != first.String("id") || again.Header.Get("Idempotent-Replayed") != "true" || again.Header.Get("ETag") != first.Header.Get("ETag") {
		t.Errorf("not replayed: %v", again.Header)
	}
	dry := api.Do(t, key, "POST", "/v1/products?dry_run=true", shirt()).Want(201)
	api.Do(t, key, "GET", "/v1/products/"+dry.String("id"), nil).Want(404)
	if n := one[int64](t, api, ctx, `select count(*) from products`); n != 1 {
		t.Errorf("%d products", n)
	}
}
