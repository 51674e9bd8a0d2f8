package app_test

import (
	"encoding/json"
	"flag"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// Each step of a history is a few requests: few histories will do, as each kind of thing has its own.
func init() {
	if err := flag.Set("rapid.checks", "1"); err != nil {
		panic(err)
	}
}

// changeable is a thing of a tenant's whose changes are undone, and what its properties may be.
type changeable struct {
	kind   string // as the audit calls it
	verb   string // of its changes, as the audit calls it
	name   string // as operations call it
	id     string
	path   map[string]string
	get    string
	update string
	values map[string][]any
	shown  func(doc map[string]any) map[string]any
	record string // by which it is read as it was
	locale string
}

// changeables are one of each kind of thing whose changes can be undone.
func (w *tenant) changeables() []changeable {
	id := w.ids
	var list []changeable
	add := func(kind, prefix, param, name string, values map[string][]any) {
		list = append(list, changeable{kind: kind, verb: "update", name: name, id: id[prefix], record: id[prefix], path: map[string]string{param: id[prefix]}, get: "get" + name, update: "update" + name, values: values})
	}
	settings := func(kind, name string, values map[string][]any) {
		list = append(list, changeable{kind: kind, verb: "update", name: name, id: w.storeID, record: kind, path: map[string]string{}, get: "get" + name, update: "update" + name, values: values})
	}
	texts := []any{"One", "Two", "Thrée “3”"}
	maybe := []any{nil, "One", "Two"}
	truths := []any{true, false}
	amounts := []any{[]any{price(100)}, []any{price(250)}, []any{price(100), map[string]any{"amount": 5, "currency": "USD"}}}
	address := func(line string) map[string]any {
		return map[string]any{"name": "Example Ltd", "line1": line, "city": "Berlin", "postal_code": "10115", "country": "DE"}
	}
	fields := []any{map[string]any{"material": "linen"}, map[string]any{"material": "wool"}, map[string]any{"material": nil}}
	instants := []any{nil, "2031-01-01T00:00:00Z", "2032-01-01T00:00:00.25Z"}
	add("product", "prod", "product_id", "Product", map[string][]any{
		"title": texts, "description_html": {"", "<p>One</p>", "<p>Two</p>"}, "vendor": maybe, "product_type": maybe, "tags": {[]any{}, []any{"a"}, []any{"a", "b"}},
		"status": {"draft", "active"}, "category_id": {nil, id["cat"]}, "seo_title": maybe, "publish_at": {nil, "2020-01-01T00:00:00Z"}, "unpublish_at": instants, "custom_fields": fields, "handle": {"one", "two"},
	})
	add("variant", "var", "variant_id", "Variant", map[string][]any{
		"sku": maybe, "barcode": maybe, "weight_grams": {nil, 10, 20}, "cost": {nil, price(5), price(7)}, "net_content": {nil, map[string]any{"value": "250", "unit": "g"}, map[string]any{"value": "0.75", "unit": "l"}}, "prices": amounts, "taxable": truths, "tax_class": {nil, "books"}, "image_id": {nil, id["img"]},
	})
	add("category", "cat", "category_id", "Category", map[string][]any{"name": texts, "description": maybe, "seo_description": maybe})
	add("page", "page", "page_id", "Page", map[string][]any{"title": texts, "body_html": {"", "<p>One</p>"}, "purpose": {nil, "terms"}, "published_at": instants, "seo_title": maybe})
	add("post", "post", "post_id", "Post", map[string][]any{"title": texts, "excerpt": maybe, "author": maybe, "image_id": {nil, id["cimg"]}, "handle": {"one", "two"}})
	add("collection", "col", "collection_id", "Collection", map[string][]any{
		"name": texts, "description_html": {"", "<p>One</p>"}, "sort_order": {"manual", "newest"},
		"rule": {nil, map[string]any{"match": "any", "conditions": []any{map[string]any{"field": "tag", "operator": "equals", "value": "a"}}}},
	})
	add("promotion", "prm", "promotion_id", "Promotion", map[string][]any{
		"title": texts, "percentage": {"15", "7.5"}, "active": truths, "ends_at": instants, "usage_limit": {nil, 100}, "minimum_amounts": append([]any{[]any{}}, amounts...),
		"items": {map[string]any{}, map[string]any{"product_ids": []any{id["prod"]}}, map[string]any{"tags": []any{"a"}}}, "combines_with": {[]any{}, []any{"shipping"}},
	})
	add("price_list", "plist", "price_list_id", "PriceList", map[string][]any{"name": texts, "active": truths, "starts_at": {nil, "2020-01-01T00:00:00Z"}, "ends_at": instants, "customer_group_ids": {[]any{}, []any{id["cgr"]}}})
	add("customer_group", "cgr", "customer_group_id", "CustomerGroup", map[string][]any{"name": {"One", "Two"}})
	add("gift_card", "gc", "gift_card_id", "GiftCard", map[string][]any{"active": truths, "note": maybe, "expires_at": instants})
	add("location", "loc", "location_id", "Location", map[string][]any{"name": texts, "address": {address("1"), address("2")}, "priority": {1, 2}})
	add("field_definition", "cfd", "field_definition_id", "FieldDefinition", map[string][]any{"name": texts, "description": maybe, "shown_in_shop": truths, "validations": {map[string]any{}, map[string]any{"max_length": 50}}})
	add("shipping_method", "shp", "shipping_method_id", "ShippingMethod", map[string][]any{
		"name": texts, "description": maybe, "prices": amounts, "zone_id": {nil, id["shz"]}, "active": truths, "pickup_address": {nil, address("1")},
	})
	add("shipping_zone", "shz", "shipping_zone_id", "ShippingZone", map[string][]any{"name": texts, "territories": {
		[]any{}, []any{map[string]any{"country": "FR"}}, []any{map[string]any{"country": "US", "region": "CA", "postal_codes": []any{"9*"}}},
	}})
	add("tax_rate", "tax", "tax_rate_id", "TaxRate", map[string][]any{"name": texts, "percentage": {"20", "5.5"}, "postal_codes": {[]any{}, []any{"75*"}}, "tax_class": {nil, "books"}, "applies_to_shipping": truths})
	add("rate_service", "rsv", "rate_service_id", "RateService", map[string][]any{"name": texts, "active": truths})
	add("webhook_endpoint", "whe", "endpoint_id", "WebhookEndpoint", map[string][]any{"description": maybe, "state": {"enabled", "disabled"}, "event_types": {[]any{"order.*"}, []any{"product.*", "order.created"}}})
	add("inventory_item", "var", "variant_id", "InventoryItem", map[string][]any{"low_stock_threshold": {nil, 3}, "backorder_expected_on": {nil, "2031-01-01"}})
	list[len(list)-1].record = "" // its ID is the variant's
	add("review", "rev", "review_id", "Review", map[string][]any{"state": {"approved", "rejected"}, "reply": maybe})
	list[len(list)-1].update, list[len(list)-1].verb = "moderateReview", "moderate"
	settings("theme", "Theme", map[string][]any{"theme": {"boutique", "brand"}, "corners": {nil, "round"}, "dark_mode": truths, "colors": {map[string]any{"accent": nil}, map[string]any{"accent": "#8c2f1b"}}})
	settings("abandoned_cart_settings", "AbandonedCartSettings", map[string][]any{"delay_minutes": {60, 120}, "mail": {"off", "everyone"}})
	settings("shop_access", "ShopAccess", map[string][]any{"state": {"open", "maintenance"}, "message": maybe})
	settings("invoicing", "Invoicing", map[string][]any{"footer": maybe, "seller": {map[string]any{"address": address("1")}, map[string]any{"address": address("2")}}})
	settings("payment_settings", "PaymentSettings", map[string][]any{"capture_method": {"automatic", "manual"}})
	settings("store", "Store", map[string][]any{"name": texts, "description": maybe, "accent_color": {"#112233", "#445566"}, "contact_email": {"one@example.com", "two@example.com"}, "prices_include_tax": truths})
	list[len(list)-1].record = w.storeID
	image := changeable{kind: "image", verb: "update", name: "ProductImage", id: id["img"], record: id["img"], path: map[string]string{"product_id": id["prod"], "image_id": id["img"]}, get: "getProduct", update: "updateProductImage",
		values: map[string][]any{"alt": texts}, shown: func(doc map[string]any) map[string]any {
			if images := doc["images"].([]any); len(images) > 0 {
				return images[0].(map[string]any)
			}
			return nil
		}}
	translation := changeable{kind: "translation", verb: "update", id: id["cat"], record: id["cat"], locale: "de", path: map[string]string{"locale": "de", "resource_id": id["cat"]}, get: "getTranslation", update: "updateTranslation",
		values: map[string][]any{"texts": {map[string]any{"name": "Hemden"}, map[string]any{"name": "Blusen"}, map[string]any{"name": nil}}},
		shown: func(doc map[string]any) map[string]any {
			texts := map[string]any{}
			for _, each := range doc["texts"].([]any) {
				texts[each.(map[string]any)["key"].(string)] = each.(map[string]any)["translation"]
			}
			return map[string]any{"texts": texts}
		}}
	return append(list, image, translation)
}

// life is what a test knows of a thing: what it is like, what it was like when, and which
// entries of the audit tell of which changes.
type life struct {
	w *tenant
	changeable
	now     map[string]any
	past    []moment
	changes []noted
}

type moment struct {
	at  time.Time
	was map[string]any
}

type noted struct {
	entry         string
	before, after map[string]any
}

// ask makes a call in the tenant's store.
func (w *tenant) ask(t rapid.TB, operation string, path map[string]string, query url.Values, fields map[string]any) *probe.Answer {
	call := probe.Call{Operation: operation, Path: path, Query: query, Header: headers(w.secret, "Idempotency-Key", run())}
	if fields != nil {
		call.Body = body(fields)
	}
	for {
		answer, err := w.doors[0].Probe.Do(w.t.Context(), w.client, call)
		if err != nil || answer.Broken != nil {
			t.Fatalf("%s: %v, %v", operation, err, answer)
		}
		if answer.Status == http.StatusTooManyRequests {
			w.doors[0].ForgetLimits()
			continue
		}
		return answer
	}
}

func object(t rapid.TB, raw []byte) map[string]any {
	var read map[string]any
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return read
}

// read is the thing as it is: those properties that are changed here.
func (l *life) read(t rapid.TB) map[string]any {
	answer := l.w.ask(t, l.get, l.path, nil, nil)
	if answer.Status != 200 {
		t.Fatalf("%s: %d %s", l.get, answer.Status, answer.Body)
	}
	doc := object(t, answer.Body)
	if l.shown != nil {
		doc = l.shown(doc)
	}
	return l.pick(doc)
}

func (l *life) pick(doc map[string]any) map[string]any {
	picked := map[string]any{}
	for name := range l.values {
		if value := telling(doc[name]); value != nil {
			picked[name] = value
		}
	}
	return picked
}

// telling is a value without what says nothing.
func telling(value any) any {
	switch v := value.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC().String()
		}
		if v == "" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		list := []any{}
		for _, each := range v {
			list = append(list, telling(each))
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, each := range v {
			if each = telling(each); each != nil {
				object[name] = each
			}
		}
		if len(object) == 0 {
			return nil
		}
		return object
	}
	return value
}

// settled notes what a write made of the thing, and gives the entry that tells of it.
func (l *life) settled(t rapid.TB, answer *probe.Answer) {
	before := l.now
	l.now = l.read(t)
	if reflect.DeepEqual(before, l.now) {
		return
	}
	l.past = append(l.past, moment{time.Now(), l.now})
	time.Sleep(2 * time.Millisecond)
	list := object(t, l.w.ask(t, "listAuditEntries", nil, url.Values{"request_id": {answer.Header.Get("Request-Id")}}, nil).Body)["data"].([]any)
	for _, each := range list {
		entry := each.(map[string]any)
		if entry["action"] == l.kind+"."+l.verb {
			if entry["undoable"] != true || entry["resource_id"] != l.id {
				t.Fatalf("%v cannot be undone", entry)
			}
			l.changes = append(l.changes, noted{entry["id"].(string), before, l.now})
			return
		}
	}
	t.Fatalf("nothing tells of %s by %s: %v", l.update, answer.Header.Get("Request-Id"), list)
}

// undone is what becomes of the thing when a change is undone; false where something that it
// changed is other than it left it.
func (l *life) undone(n noted) (map[string]any, bool) {
	after := maps.Clone(l.now)
	for name := range l.values {
		was, _ := n.before[name].(map[string]any)
		left, _ := n.after[name].(map[string]any)
		if merged := name == "custom_fields" || name == "texts"; merged {
			is, _ := l.now[name].(map[string]any)
			values := maps.Clone(is)
			if values == nil {
				values = map[string]any{}
			}
			for key := range merge(was, left) {
				if reflect.DeepEqual(was[key], left[key]) {
					continue
				}
				if !reflect.DeepEqual(is[key], left[key]) {
					return nil, false
				}
				if values[key] = was[key]; was[key] == nil {
					delete(values, key)
				}
			}
			if after[name] = values; len(values) == 0 {
				delete(after, name)
			}
			continue
		}
		if reflect.DeepEqual(n.before[name], n.after[name]) {
			continue
		}
		if !reflect.DeepEqual(l.now[name], n.after[name]) {
			return nil, false
		}
		if after[name] = n.before[name]; n.before[name] == nil {
			delete(after, name)
		}
	}
	return after, true
}

func merge(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}

// TestChangesAreUndone changes things of every kind, undoes changes and undoings in any order
// and reads things as they were at any time before, and compares with what it has seen itself.
func TestChangesAreUndone(t *testing.T) {
	t.Parallel()
	w := newTenant(t, apptest.Start(t, nil))
	t.Run("deletions", func(t *testing.T) { deletions(t, w) })
	t.Run("contents", func(t *testing.T) { contents(t, w) })
	t.Run("belongings", func(t *testing.T) { belongings(t, w) })
	t.Run("past", func(t *testing.T) { past(t, w) })
	for _, c := range w.changeables() {
		t.Run(c.kind, func(t *testing.T) {
			l := &life{w: w, changeable: c}
			l.now = l.read(t)
			for _, name := range slices.Sorted(maps.Keys(c.values)) {
				l.change(t, map[string]any{name: c.values[name][0]})
			}
			l.past, l.changes = []moment{{time.Now(), l.now}}, nil
			rapid.Check(t, func(t *rapid.T) {
				for range 12 {
					switch rapid.IntRange(0, 3).Draw(t, "what") {
					case 0, 1:
						l.changed(t)
					case 2:
						l.undo(t)
					case 3:
						l.asOf(t)
					}
				}
			})
		})
	}
}

// entryOf is what the audit tells of an answer's request by an action.
func (w *tenant) entryOf(t rapid.TB, answer *probe.Answer, action string) map[string]any {
	list := object(t, w.ask(t, "listAuditEntries", nil, url.Values{"request_id": {answer.Header.Get("Request-Id")}}, nil).Body)["data"].([]any)
	for _, each := range list {
		if entry := each.(map[string]any); entry["action"] == action {
			return entry
		}
	}
	t.Fatalf("no %s is told of: %v", action, list)
	return nil
}

// undoes takes back what an answer's request did, and has that be told by an action.
func (w *tenant) undoes(t rapid.TB, answer *probe.Answer, action, by string) *probe.Answer {
	entry := w.entryOf(t, answer, action)
	if entry["undoable"] != true {
		t.Fatalf("%v cannot be undone", entry)
	}
	undone := w.ask(t, "undoAuditEntry", map[string]string{"audit_entry_id": entry["id"].(string)}, nil, nil)
	if undone.Status != 200 {
		t.Fatalf("%s is not undone: %d %s", action, undone.Status, undone.Body)
	}
	if told := w.entryOf(t, undone, by); told["undoes"] != entry["id"] {
		t.Fatalf("%v undoes %v", told, entry)
	}
	again := w.ask(t, "getAuditEntry", map[string]string{"audit_entry_id": entry["id"].(string)}, nil, nil)
	if again.String("/undone_by") == "" {
		t.Fatalf("%s does not tell that it was undone", again.Body)
	}
	return undone
}

// deletions deletes one of each kind of thing that can be brought back, brings it back, and
// deletes it again by undoing that; what is made is undone too.
func deletions(t *testing.T, w *tenant) {
	for _, c := range w.changeables() {
		if c.kind == "gift_card" || c.kind == "inventory_item" || c.kind == "translation" || c.record == c.kind || c.kind == "store" || c.kind == "shipping_zone" {
			continue // which are not deleted, or are in use
		}
		if c.kind == "location" { // where there are no goods
			made := w.ask(t, "createLocation", nil, nil, map[string]any{"name": "Attic"})
			c.id, c.record, c.path = made.String("/id"), made.String("/id"), map[string]string{"location_id": made.String("/id")}
		}
		t.Run(c.kind, func(t *testing.T) {
			whole := func() map[string]any {
				answer := w.ask(t, c.get, c.path, nil, nil)
				if answer.Status == http.StatusNotFound {
					return nil
				}
				doc := object(t, answer.Body)
				if c.shown != nil {
					doc = c.shown(doc)
				}
				delete(doc, "updated_at")
				delete(doc, "reserved_quantity")
				return doc
			}
			before, began := whole(), time.Now()
			time.Sleep(2 * time.Millisecond)
			gone := func(answer *probe.Answer, status int) *probe.Answer {
				if answer.Status != status {
					t.Fatalf("%s is not deleted: %d %s", c.kind, answer.Status, answer.Body)
				}
				if left := whole(); left != nil {
					t.Fatalf("%s is not gone: %v", c.kind, left)
				}
				return answer
			}
			deleted := gone(w.ask(t, "delete"+c.name, c.path, nil, nil), 204)
			was := w.ask(t, "getAuditRecord", map[string]string{"record_id": c.id}, url.Values{"at": {began.UTC().Format(time.RFC3339Nano)}}, nil)
			record, _ := object(t, was.Body)["record"].(map[string]any)
			for name := range c.values {
				if !reflect.DeepEqual(telling(record[name]), telling(before[name])) {
					t.Errorf("%s of what is gone was %v, want %v", name, record[name], before[name])
				}
			}
			restored := w.undoes(t, deleted, c.kind+".delete", c.kind+".restore")
			if after := whole(); !reflect.DeepEqual(telling(after), telling(before)) {
				t.Errorf("it came back other than it was:\n%v\n%v", before, after)
			}
			refused := w.ask(t, "undoAuditEntry", map[string]string{"audit_entry_id": w.entryOf(t, deleted, c.kind+".delete")["id"].(string)}, nil, nil)
			if refused.Status != http.StatusConflict {
				t.Errorf("it was brought back twice: %d %s", refused.Status, refused.Body)
			}
			again := gone(w.undoes(t, restored, c.kind+".restore", c.kind+".delete"), 200)
			w.undoes(t, again, c.kind+".delete", c.kind+".restore")
		})
	}
	made := w.ask(t, "createTaxRate", nil, nil, map[string]any{"name": "TVA", "country": "NL", "percentage": "21"})
	w.undoes(t, made, "tax_rate.create", "tax_rate.delete")
	made = w.ask(t, "createProduct", nil, nil, map[string]any{"title": "Towel"})
	path := map[string]string{"product_id": made.String("/id")}
	if changed := w.ask(t, "updateProduct", path, nil, map[string]any{"vendor": "Example Mill"}); changed.Status != 200 {
		t.Fatal(changed)
	}
	refused := w.ask(t, "undoAuditEntry", map[string]string{"audit_entry_id": w.entryOf(t, made, "product.create")["id"].(string)}, nil, nil)
	if refused.Status != http.StatusConflict || refused.String("/errors/0/pointer") != "/vendor" {
		t.Errorf("what has changed since is deleted: %d %s", refused.Status, refused.Body)
	}
}

// contents undoes changes of what is in collections and lists of prices.
func contents(t *testing.T, w *tenant) {
	var products []string
	for range 3 {
		products = append(products, w.ask(t, "createProduct", nil, nil, map[string]any{"title": "Towel"}).String("/id"))
	}
	other := w.ask(t, "createProduct", nil, nil, map[string]any{"title": "Towel"}).String("/id")
	collection := map[string]string{"collection_id": w.ask(t, "createCollection", nil, nil, map[string]any{"name": "By hand", "product_ids": products}).String("/id")}
	inIt := func() (list []string) {
		for _, each := range object(t, w.ask(t, "listProducts", nil, url.Values{"collection_id": {collection["collection_id"]}}, nil).Body)["data"].([]any) {
			list = append(list, each.(map[string]any)["id"].(string))
		}
		return list
	}
	began := inIt()
	of := map[string]string{"collection_id": collection["collection_id"], "product_id": products[0]}
	for action, call := range map[string]func() *probe.Answer{
		"collection.remove": func() *probe.Answer { return w.ask(t, "removeCollectionProduct", of, nil, nil) },
		"collection.move": func() *probe.Answer {
			return w.ask(t, "moveCollectionProduct", of, nil, map[string]any{"position": 2})
		},
		"collection.add": func() *probe.Answer {
			return w.ask(t, "addCollectionProducts", collection, nil, map[string]any{"product_ids": []string{other}})
		},
	} {
		by := map[string]string{"collection.remove": "collection.add", "collection.add": "collection.remove", "collection.move": "collection.move"}[action]
		w.undoes(t, call(), action, by)
		if now := inIt(); !slices.Equal(now, began) {
			t.Errorf("%s is not undone: %v, want %v", action, now, began)
		}
	}

	list := map[string]string{"price_list_id": w.ids["plist"]}
	priced := func() string { return string(w.ask(t, "listPriceListPrices", list, nil, nil).Body) }
	set := func(amount any) *probe.Answer {
		return w.ask(t, "setPriceListPrices", list, nil, map[string]any{"prices": []any{map[string]any{"variant_id": w.variants[0], "currency": "EUR", "amount": amount}}})
	}
	set(1500)
	before := priced()
	cheaper := set(1400)
	reduced := w.ask(t, "reducePriceListPrices", list, nil, map[string]any{"collection_id": w.ids["col"], "percentage": "20"})
	refused := w.ask(t, "undoAuditEntry", map[string]string{"audit_entry_id": w.entryOf(t, cheaper, "price_list.set_prices")["id"].(string)}, nil, nil)
	if refused.Status != http.StatusConflict || refused.String("/errors/0/pointer") != "/prices" {
		t.Errorf("prices that have changed since are set: %d %s", refused.Status, refused.Body)
	}
	w.undoes(t, reduced, "price_list.reduce", "price_list.set_prices")
	w.undoes(t, cheaper, "price_list.set_prices", "price_list.set_prices")
	if after := priced(); after != before {
		t.Errorf("prices are %s, want %s", after, before)
	}
}

func (l *life) change(t rapid.TB, patch map[string]any) {
	answer := l.w.ask(t, l.update, l.path, nil, patch)
	if answer.Status != 200 {
		t.Fatalf("%s %v: %d %s", l.update, patch, answer.Status, answer.Body)
	}
	l.settled(t, answer)
}

func (l *life) changed(t *rapid.T) {
	patch := map[string]any{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(l.values))), 1, 3, rapid.ID[string]).Draw(t, "properties") {
		patch[name] = rapid.SampledFrom(l.values[name]).Draw(t, name)
	}
	l.change(t, patch)
}

func (l *life) undo(t *rapid.T) {
	if len(l.changes) == 0 {
		return
	}
	change := rapid.SampledFrom(l.changes[max(0, len(l.changes)-6):]).Draw(t, "change")
	want, possible := l.undone(change)
	query := url.Values{}
	dry := rapid.Bool().Draw(t, "dry")
	if dry {
		query.Set("dry_run", "true")
	}
	answer := l.w.ask(t, "undoAuditEntry", map[string]string{"audit_entry_id": change.entry}, query, nil)
	switch {
	case !possible:
		if answer.Status != http.StatusConflict || answer.String("/code") != "changed_since" || answer.String("/errors/0/pointer") == "" {
			t.Fatalf("what has changed since is undone: %d %s", answer.Status, answer.Body)
		}
	case answer.Status != 200:
		t.Fatalf("%v to %v is not undone in %v: %d %s", change.before, change.after, l.now, answer.Status, answer.Body)
	case dry:
		if now := l.read(t); !reflect.DeepEqual(now, l.now) || answer.Header.Get("Dry-Run") != "true" {
			t.Fatalf("trying to undo made %v of %v", now, l.now)
		}
	default:
		l.settled(t, answer)
		if !reflect.DeepEqual(l.now, want) {
			t.Fatalf("%v to %v was undone: %v, want %v", change.before, change.after, l.now, want)
		}
	}
}

func (l *life) asOf(t *rapid.T) {
	if l.record == "" {
		return
	}
	then := rapid.SampledFrom(l.past).Draw(t, "moment")
	query := url.Values{"at": {then.at.UTC().Format(time.RFC3339Nano)}}
	if l.locale != "" {
		query.Set("locale", l.locale)
	}
	answer := l.w.ask(t, "getAuditRecord", map[string]string{"record_id": l.record}, query, nil)
	if answer.Status != 200 || answer.String("/resource_kind") != l.kind {
		t.Fatalf("as of %v: %d %s", then.at, answer.Status, answer.Body)
	}
	if was := l.pick(object(t, answer.Body)["record"].(map[string]any)); !reflect.DeepEqual(was, then.was) {
		t.Fatalf("as of %v: %v, want %v", then.at, was, then.was)
	}
}
