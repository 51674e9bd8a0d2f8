package handlers_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// translatedInto has the context's store translated into German and Austrian for everybody,
// and into French for nobody yet.
func translatedInto(t *testing.T, db *postgres.DB, ctx context.Context) {
	t.Helper()
	err := db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update settings set locales = '[{"locale": "de", "published": true}, {"locale": "de-AT", "published": true}, {"locale": "fr", "published": false}]'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func storeID(ctx context.Context) string {
	ref, _ := postgres.StoreFrom(ctx)
	return ref.ID
}

// refused checks that a problem names faults: pointers and their codes.
func refused(t *testing.T, answer *apitest.Answer, faults ...string) {
	t.Helper()
	got := []string{}
	for _, fault := range answer.Get("errors").([]any) {
		fault := fault.(map[string]any)
		got = append(got, fmt.Sprint(fault["pointer"], " ", fault["code"]))
	}
	slices.Sort(got)
	slices.Sort(faults)
	if !slices.Equal(got, faults) {
		t.Errorf("faults: %q, want %q", got, faults)
	}
}

// bowl is a product with everything that is translated, defined fields included.
func bowl(t *testing.T, api *apitest.API, key string) *apitest.Answer {
	t.Helper()
	for _, field := range []object{
		{"resource": "product", "key": "care", "name": "Care", "type": "text", "shown_in_shop": true},
		{"resource": "product", "key": "hints", "name": "Hints", "type": "multiline_text", "list": true, "shown_in_shop": true},
		{"resource": "product", "key": "glaze", "name": "Glaze", "type": "choice", "validations": object{"choices": []string{"matt", "n/a"}}, "shown_in_shop": true},
		{"resource": "product", "key": "margin", "name": "Margin", "type": "text"},
		{"resource": "variant", "key": "note", "name": "Note", "type": "text", "shown_in_shop": true},
	} {
		api.Do(t, key, "POST", "/v1/field-definitions", field).Want(201)
	}
	return api.Do(t, key, "POST", "/v1/products", object{
		"title": "Bowl", "description_html": "<p>Thrown by hand.</p>", "seo_title": "Bowls", "status": "active",
		"options":       []object{{"name": "Size", "values": []string{"Small", "Large"}}, {"name": "Colour/glaze", "values": []string{"Red", "Blue"}}},
		"custom_fields": object{"care": "By hand", "hints": []string{"Hot", "Cold"}, "glaze": "n/a", "margin": "40"},
		"variants": []object{
			{"option_values": []string{"Small", "Red"}, "prices": []object{{"amount": 1000, "currency": "EUR"}}, "custom_fields": object{"note": "The little one"}},
			{"option_values": []string{"Large", "Blue"}, "prices": []object{{"amount": 2000, "currency": "EUR"}}},
		},
	}).Want(201)
}

func TestTranslationLife(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	translatedInto(t, api.Platform.DB, ctx)
	made := bowl(t, api, key)
	id, small := made.String("id"), made.String("variants.0.id")
	path := "/v1/translations/de/" + id

	before := api.Do(t, key, "GET", path, nil).Want(200)
	keys := []string{}
	for i := range before.Get("texts").([]any) {
		keys = append(keys, before.String(fmt.Sprintf("texts.%d.key", i)))
	}
	if got := strings.Join(keys, " "); got != "title description_html seo_title seo_description options/Size options/Size/Small options/Size/Large options/Colour~1glaze options/Colour~1glaze/Red options/Colour~1glaze/Blue custom_fields/care custom_fields/hints/0 custom_fields/hints/1" {
		t.Errorf("keys: %s", got)
	}
	if before.String("state") != "missing" || before.String("texts.0.source") != "Bowl" || before.Get("texts.0.translation") != nil {
		t.Errorf("before: %s", before.Body)
	}
	done := api.Do(t, key, "PATCH", path, object{"texts": object{
		"title": " Schale ", "description_html": `<p onclick="steal()">Von Hand gedreht.</p>`, "options/Size": "Größe", "options/Size/Small": "Klein",
		"options/Colour~1glaze/Red": "Rot", "custom_fields/care": "Von Hand", "custom_fields/hints/1": "Kalt",
	}}, "If-Match: "+before.Header.Get("ETag")).Want(200)
	if done.String("state") != "partial" || done.Get("texts.0.translation") != "Schale" || done.Get("texts.1.translation") != "<p>Von Hand gedreht.</p>" {
		t.Errorf("done: %s", done.Body)
	}
	api.Do(t, key, "PATCH", path, object{"texts": object{"title": "Napf"}}, "If-Match: "+before.Header.Get("ETag")).WantProblem(412, "stale")
	api.Do(t, key, "POST", "/v1/translations/de", object{"translations": []object{
		{"resource_id": small, "texts": object{"custom_fields/note": "Die Kleine"}},
		{"resource_id": storeID(ctx), "texts": object{"description": "Leinen"}},
	}}).Want(204)
	api.Do(t, key, "PATCH", "/v1/translations/de-at/"+id, object{"texts": object{"title": "Schüssel", "options/Size/Large": "Groß"}}).Want(200)
	api.Do(t, key, "PATCH", "/v1/translations/fr/"+id, object{"texts": object{"title": "Bol"}}).Want(200)
	definitions := api.Do(t, key, "GET", "/v1/translations/de?resource=field_definition", nil).Want(200)
	glaze := definitions.String("data.2.resource_id")
	api.Do(t, key, "PATCH", "/v1/translations/de/"+glaze, object{"texts": object{"name": "Glasur", "choices/n~1a": "keine"}}).Want(200)

	read := func(query string, headers ...string) *apitest.Answer {
		return api.Do(t, shopper, "GET", "/v1/shop/products/bowl"+query, nil, headers...).Want(200)
	}
	german := read("?locale=de")
	for path, want := range map[string]any{
		"title": "Schale", "description_html": "<p>Von Hand gedreht.</p>", "seo_title": "Bowls", "options.0.name": "Größe", "options.0.values": "[Klein Large]",
		"options.1.name": "Colour/glaze", "options.1.values": "[Rot Blue]", "variants.0.title": "Klein / Rot", "variants.0.option_values": "[Klein Rot]", "variants.1.title": "Large / Blue",
		"custom_fields.care.value": "Von Hand", "custom_fields.hints.value": "[Hot Kalt]", "custom_fields.glaze.value": "keine", "custom_fields.glaze.name": "Glasur",
		"custom_fields.care.name": "Care", "variants.0.custom_fields.note.value": "Die Kleine", "handle": "bowl",
	} {
		if got := fmt.Sprint(german.Get(path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for _, c := range []struct{ query, accept, title, variant, language string }{
		{"", "", "Bowl", "Small / Red", "en"}, {"", "de-CH,de;q=0.9", "Schale", "Klein / Rot", "de"}, {"?locale=de-AT", "fr", "Schüssel", "Klein / Rot", "de-AT"},
		{"?locale=fr", "", "Bowl", "Small / Red", "en"}, {"?locale=en", "de", "Bowl", "Small / Red", "en"}, {"?locale=tlh", "", "Bowl", "Small / Red", "en"},
	} {
		headers := []string{}
		if c.accept != "" {
			headers = append(headers, "Accept-Language: "+c.accept)
		}
		got := read(c.query, headers...)
		if got.String("title") != c.title || got.String("variants.0.title") != c.variant || got.Header.Get("Content-Language") != c.language || !slices.Contains(got.Header.Values("Vary"), "Accept-Language") {
			t.Errorf("%+v: %s, %s, %s, %v", c, got.String("title"), got.String("variants.0.title"), got.Header.Get("Content-Language"), got.Header.Values("Vary"))
		}
	}
	// Lists, what is found, and what is picked out; each by one statement.
	for path, want := range map[string]string{
		"/v1/shop/products?locale=de": "Schale", "/v1/shop/search?locale=de&q=schalen": "Schale", "/v1/shop/search?locale=de-AT&q=bowl": "Schüssel",
		"/v1/shop/search?q=schale": "Bowl", "/v1/shop/search?locale=de&q=gedrehte": "Schale",
		"/v1/shop/products/bowl/variants?locale=de&option1=Klein": "Klein / Rot", "/v1/shop/products/bowl/variants?locale=de&option1=Small": "Klein / Rot",
		"/v1/shop/products/bowl/variants?option1=Klein": "",
	} {
		counted, count := postgres.Counting(context.Background())
		if got := names(api.DoContext(t, counted, shopper, "GET", path, nil).Want(200), "title"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if n := count.Statements.Load(); n != 1 {
			t.Errorf("%s: %d statements", path, n)
		}
	}
	if got := api.Do(t, shopper, "GET", "/v1/shop?locale=de", nil).Want(200); got.String("description") != "Leinen" || fmt.Sprint(got.Get("locales")) != "[en de de-AT]" {
		t.Errorf("shop: %s", got.Body)
	}

	// What the source says now is not what was translated.
	api.Do(t, key, "PATCH", "/v1/products/"+id, object{"title": "Big bowl"}).Want(200)
	after := api.Do(t, key, "GET", path, nil).Want(200)
	if after.String("state") != "outdated" || after.Get("texts.0.outdated") != true || after.Get("texts.1.outdated") != false {
		t.Errorf("after: %s", after.Body)
	}
	if got := api.Do(t, key, "GET", "/v1/translations/de?resource=product&state=outdated", nil).Want(200); got.String("data.0.resource_id") != id {
		t.Errorf("outdated: %s", got.Body)
	}
	if got := api.Do(t, key, "GET", "/v1/translations/de?resource=product&state=missing", nil).Want(200); len(got.Get("data").([]any)) != 0 {
		t.Errorf("missing: %s", got.Body)
	}
	again := api.Do(t, key, "PATCH", path, object{"texts": object{"title": "Schale", "options/Size": nil}}).Want(200)
	if again.String("state") != "partial" || again.Get("texts.0.outdated") != false || again.Get("texts.4.translation") != nil {
		t.Errorf("again: %s", again.Body)
	}
	if got := read("?locale=de"); got.String("options.0.name") != "Size" {
		t.Errorf("taken away: %s", got.Body)
	}
	if got := api.Do(t, key, "PATCH", path, object{"texts": object{"title": "Schale"}}, apitest.ChangesNothing).Want(200); got.Header.Get("ETag") != again.Header.Get("ETag") {
		t.Error("nothing changed, and there is another version")
	}
}

func TestTranslationsRefuse(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, elsewhere := api.Staff(ctx), api.Staff(other)
	translatedInto(t, api.Platform.DB, ctx)
	translatedInto(t, api.Platform.DB, other)
	id := bowl(t, api, key).String("id")
	path := "/v1/translations/de/" + id
	api.Do(t, key, "PATCH", "/v1/translations/it/"+id, object{"texts": object{"title": "x"}}).WantProblem(422, "unknown_locale")
	api.Do(t, key, "PATCH", "/v1/translations/en/"+id, object{"texts": object{"title": "x"}}).WantProblem(422, "unknown_locale")
	api.Do(t, key, "GET", "/v1/translations/it/"+id, nil).WantProblem(422, "unknown_locale")
	api.Do(t, key, "GET", "/v1/translations/it?resource=product", nil).WantProblem(422, "unknown_locale")
	api.Do(t, key, "GET", "/v1/translations/de", nil).WantProblem(400, "invalid_request")
	api.Do(t, key, "GET", "/v1/translations/not_one/"+id, nil).WantProblem(400, "invalid_request")
	for _, missing := range []string{ids.New("prod"), ids.New("ord"), storeID(other), "bowl"} {
		api.Do(t, key, "GET", "/v1/translations/de/"+missing, nil).WantProblem(404, "not_found")
		api.Do(t, key, "PATCH", "/v1/translations/de/"+missing, object{"texts": object{"title": "x"}}).WantProblem(404, "not_found")
		refused(t, api.Do(t, key, "POST", "/v1/translations/de", object{"translations": []object{{"resource_id": missing, "texts": object{"title": "x"}}}}).
			WantProblem(422, "invalid_translation"), "/translations/0/resource_id not_found")
	}
	api.Do(t, elsewhere, "PATCH", path, object{"texts": object{"title": "x"}}).WantProblem(404, "not_found")
	api.Do(t, elsewhere, "GET", path, nil).WantProblem(404, "not_found")
	api.Do(t, key, "PATCH", path, object{}).WantProblem(400, "invalid_request")
	refused(t, api.Do(t, key, "PATCH", path, object{"texts": object{
		"title": "a\nb", "seo_title": strings.Repeat("x", 256), "description_html": "<script>alert(1)</script>", "nothing": "x", "options/Size/Small": "Large", "custom_fields/margin": "y",
	}}).WantProblem(422, "invalid_translation"), "/texts/title characters", "/texts/seo_title maxLength", "/texts/description_html required",
		"/texts/nothing unknown", "/texts/options~1Size~1Small repeated", "/texts/custom_fields~1margin unknown")
	refused(t, api.Do(t, key, "POST", "/v1/translations/de", object{"translations": []object{
		{"resource_id": id, "texts": object{"title": "Schale"}}, {"resource_id": id, "texts": object{"title": "Napf"}},
	}}).WantProblem(422, "invalid_translation"), "/translations/1/resource_id repeated")
	if got := api.Do(t, key, "GET", path, nil).Want(200); got.String("state") != "missing" {
		t.Errorf("something was kept: %s", got.Body)
	}
	api.Do(t, api.Publishable(ctx), "GET", path, nil).WantProblem(403, "wrong_credential")
}

// What is kept of answers is kept by locale, however one asks, and pages go on in theirs.
func TestKeptAnswersNeverMixLocales(t *testing.T) {
	t.Parallel()
	db, service := testdb.Open(t).DB, catalog.New(limit(0))
	api := apitest.New(t,
		(&handlers.Products{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Categories{DB: db, Catalog: service}).Operations(),
		(&handlers.Collections{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Translations{DB: db}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, AcceptsOrders: open, Answers: handlers.NewAnswers(nil), Editions: catalog.NewEditions(db)}).Operations(),
	)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	translatedInto(t, db, ctx)
	for _, n := range []string{"One", "Two", "Three"} {
		product := api.Do(t, key, "POST", "/v1/products", object{"title": n, "status": "active"}).Want(201).String("id")
		category := api.Do(t, key, "POST", "/v1/categories", object{"name": n}).Want(201).String("id")
		collection := api.Do(t, key, "POST", "/v1/collections", object{"name": n}).Want(201).String("id")
		api.Do(t, key, "POST", "/v1/translations/de", object{"translations": []object{
			{"resource_id": product, "texts": object{"title": "de " + n}}, {"resource_id": category, "texts": object{"name": "de " + n}}, {"resource_id": collection, "texts": object{"name": "de " + n}},
		}}).Want(204)
	}
	for range 2 { // made, and from memory
		for locale, mark := range map[string]string{"en": "", "de": "de ", "de-AT": "de "} {
			for path, what := range map[string]string{"/v1/shop/products?limit=2": "title", "/v1/shop/categories?limit=2": "name", "/v1/shop/collections?limit=2": "name"} {
				first := api.Do(t, shopper, "GET", path, nil, "Accept-Language: "+locale).Want(200)
				asked := api.Do(t, shopper, "GET", path+"&locale="+strings.ToLower(locale), nil).Want(200)
				next := api.Do(t, shopper, "GET", path+"&locale="+strings.ToLower(locale)+"&cursor="+asked.String("next_cursor"), nil).Want(200)
				for i, list := range []*apitest.Answer{first, asked, next} {
					for _, item := range list.Get("data").([]any) {
						if name := item.(map[string]any)[what].(string); strings.HasPrefix(name, "de ") != (mark != "") {
							t.Errorf("%s in %s, %d: %s", path, locale, i, name)
						}
					}
				}
			}
		}
	}
	one := api.Do(t, shopper, "GET", "/v1/shop/categories/one?locale=de", nil).Want(200)
	if again := api.Do(t, shopper, "GET", "/v1/shop/categories/one", nil).Want(200); one.String("name") != "de One" || again.String("name") != "One" {
		t.Errorf("%s, %s", one.Body, again.Body)
	}
	two := api.Do(t, shopper, "GET", "/v1/shop/collections/two?locale=de-AT", nil).Want(200)
	if again := api.Do(t, shopper, "GET", "/v1/shop/collections/two", nil, "Accept-Language: fr").Want(200); two.String("name") != "de Two" || again.String("name") != "Two" {
		t.Errorf("%s, %s", two.Body, again.Body)
	}
}

// A cart is read in its shopper's locale, and the order stays in the one that it was placed in.
func TestCartsAndOrdersInALocale(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.Exec(t, `update settings set locales = '[{"locale": "de", "published": true}]'`)
	s.Exec(t, `update products set translations = '{"de": {"version": 1, "texts": {"title": "Leinenhemd"}, "sources": {}}}'`)
	s.Exec(t, `update shipping_methods set translations = '{"de": {"version": 1, "texts": {"name": "Versand"}, "sources": {}}}'`)
	body := object{"email": "ada@example.com", "lines": []object{{"variant_id": s.shirt, "quantity": 1}}}
	if plain := s.shop("POST", "/carts", body).Want(201); plain.String("cart.locale") != "en" || plain.String("cart.lines.0.title") != "Linen shirt" {
		t.Errorf("as written: %s", plain.Body)
	}
	made := s.shop("POST", "/carts", body, "Accept-Language: de-AT, en;q=0.5").Want(201)
	path, token := "/carts/"+made.String("cart.id"), "Cart-Token: "+made.String("token")
	if made.String("cart.locale") != "de" || made.String("cart.lines.0.title") != "Leinenhemd" {
		t.Errorf("in German: %s", made.Body)
	}
	if got := s.shop("PATCH", path, object{"locale": "fr"}, token).Want(200); got.String("locale") != "en" || got.String("lines.0.title") != "Linen shirt" {
		t.Errorf("in the nearest: %s", got.Body)
	}
	got := s.shop("PATCH", path, object{"locale": "de-CH", "shipping_method_id": s.Standard, "shipping_address": berlin()}, token).Want(200)
	if got.String("locale") != "de" || got.String("lines.0.title") != "Leinenhemd" || got.String("shipping_method.name") != "Versand" {
		t.Errorf("in German again: %s", got.Body)
	}
	placed := s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).Want(201)
	s.Exec(t, `update products set translations = '{}', title = 'Another'`)
	order := s.admin("GET", "/orders/"+placed.String("id"), nil).Want(200)
	for _, shown := range []*apitest.Answer{placed, order} {
		if shown.String("locale") != "de" || shown.String("lines.0.title") != "Leinenhemd" || shown.String("shipping.name") != "Versand" {
			t.Errorf("order: %s", shown.Body)
		}
	}
}
