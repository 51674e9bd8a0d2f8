package app_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// canary are words that nobody but one person uses.
type canary struct{ Name, Email, Phone, Line1, City, Note, Engraving, Reason string }

func newCanary(who string) canary {
	id := run()
	return canary{
		Name: who + " Quartermain-" + id, Email: strings.ToLower(who) + "-" + id + "@canary.example.com", Phone: "+49 30 " + "5550188" + id[:3],
		Line1: "77 Gossamer-" + id + " Passage", City: "Nephelokokkygia-" + id, Note: "likes marzipan-thunder-" + id,
		Engraving: "vermilion-osprey-" + id, Reason: "sorry for the heliotrope-" + id,
	}
}

func (c canary) words() []string {
	return []string{c.Name, c.Email, c.Phone, c.Line1, c.City, c.Note, c.Engraving, c.Reason}
}

func (c canary) address() map[string]any {
	return map[string]any{"name": c.Name, "line1": c.Line1, "city": c.City, "postal_code": "10115", "country": "DE", "phone": c.Phone}
}

// TestAPersonIsErased has a customer and a guest leave words of their own wherever they can,
// erases them, and looks for the words everywhere: in all tables, in Redis, in files and in
// what the program logged.
func TestAPersonIsErased(t *testing.T) {
	t.Parallel()
	receiver := apptest.NewReceiver(t)
	p := apptest.Start(t, apptest.Env{"STOA_LOG_LEVEL": "debug", "STOA_LOG_FORMAT": "json"})
	m := openShop(t, p)
	o := outsider{t, p, p.Client()}
	want := func(a answered, status int) answered {
		t.Helper()
		if a.status != status {
			t.Fatalf("answered %d, want %d: %s", a.status, status, a.text)
		}
		return a
	}
	// A key may ask so many times a minute.
	eventually := func(what string, holds func() bool) {
		t.Helper()
		apptest.Eventually(t, time.Minute, what, func() bool {
			time.Sleep(400 * time.Millisecond)
			return holds()
		})
	}
	text := func(a answered, pointer string) string { s, _ := a.field(pointer).(string); return s }
	variant := m.flow(t, "sell", nil)["variant_id"].(string)
	want(o.ask("POST", "/v1/webhook-endpoints", m.secret, map[string]any{"url": receiver.URL, "event_types": []string{"*"}}), 201)
	want(o.ask("PATCH", "/v1/invoicing", m.secret, map[string]any{"seller": map[string]any{
		"address": map[string]any{"name": "Example Ltd", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}}}, "Content-Type: application/merge-patch+json"), 200)

	// sell has somebody buy, have it sent, and send nothing back.
	sell := func(c canary, customer string) (order string) {
		t.Helper()
		as := []string{}
		if customer != "" {
			as = append(as, "Customer-Token: "+customer)
		}
		cart := want(o.ask("POST", "/v1/shop/carts", m.publishable, map[string]any{"lines": []any{map[string]any{
			"variant_id": variant, "quantity": 1, "attributes": map[string]any{"Engraving": c.Engraving}}}}, as...), 201)
		as = append(as, "Cart-Token: "+text(cart, "/token"))
		at := "/v1/shop/carts/" + text(cart, "/cart/id")
		way := want(o.ask("GET", at+"/shipping-methods", m.publishable, nil, as...), 200)
		full := want(o.ask("PATCH", at, m.publishable, map[string]any{
			"email": c.Email, "note": c.Note, "shipping_address": c.address(), "billing_address": c.address(), "shipping_method_id": way.field("/data/0/id"),
		}, append(as, "Content-Type: application/merge-patch+json")...), 200)
		bought := want(o.ask("POST", at+"/complete", m.publishable, map[string]any{
			"payment": map[string]any{"provider": "test", "token": "succeeds"}, "expected_total": full.field("/totals/total")}, append(as, "Idempotency-Key: "+ids.New("key"))...), 201)
		order = text(bought, "/order/id")
		if order == "" {
			order = text(bought, "/id")
		}
		read := want(o.ask("GET", "/v1/orders/"+order, m.secret, nil), 200)
		want(o.ask("POST", "/v1/orders/"+order+"/notes", m.secret, map[string]any{"note": c.Note}), 204)
		want(o.ask("POST", "/v1/orders/"+order+"/fulfilments", m.secret, map[string]any{"tracking": map[string]any{"number": c.Reason}}), 201)
		back := want(o.ask("POST", "/v1/orders/"+order+"/returns", m.secret, map[string]any{"note": c.Note, "lines": []any{
			map[string]any{"line_id": read.field("/lines/0/id"), "quantity": 1, "reason": "other"}}}), 201)
		want(o.ask("POST", "/v1/returns/"+text(back, "/id")+"/cancel", m.secret, map[string]any{}), 200)
		// And a cart that is left.
		left := want(o.ask("POST", "/v1/shop/carts", m.publishable, map[string]any{"lines": []any{map[string]any{"variant_id": variant, "quantity": 1}}}), 201)
		want(o.ask("PATCH", "/v1/shop/carts/"+text(left, "/cart/id"), m.publishable, map[string]any{"email": c.Email, "note": c.Note},
			"Cart-Token: "+text(left, "/token"), "Content-Type: application/merge-patch+json"), 200)
		return order
	}

	ada := newCanary("Zebulon")
	password := "nine copper kettles at dawn"
	want(o.ask("POST", "/v1/shop/customers", m.publishable, map[string]any{"email": ada.Email, "password": password, "name": ada.Name}), 202)
	token, err := p.MailParameter(t.Context(), ada.Email, "token")
	if err != nil {
		t.Fatal(err)
	}
	session := text(want(o.ask("POST", "/v1/shop/customers/verify", m.publishable, map[string]any{"token": token}), 201), "/token")
	asAda := "Customer-Token: " + session
	id := text(want(o.ask("GET", "/v1/shop/me", m.publishable, nil, asAda), 200), "/id")
	order := sell(ada, session)
	patched := "Content-Type: application/merge-patch+json"
	want(o.ask("PATCH", "/v1/customers/"+id, m.secret, map[string]any{"note": ada.Note, "phone": ada.Phone, "default_address": ada.address()}, patched), 200)
	want(o.ask("PATCH", "/v1/customers/"+id, m.secret, map[string]any{"no_such_field": ada.Note}, patched), 400)
	want(o.ask("GET", "/v1/customers?q="+ada.Name[:7], m.secret, nil), 200)
	card := map[string]any{"amount": map[string]any{"amount": 100, "currency": "EUR"}, "note": ada.Note, "customer_id": id}
	repeated := "Idempotency-Key: " + ids.New("key")
	want(o.ask("POST", "/v1/gift-cards", m.secret, card, repeated), 201)
	draft := want(o.ask("POST", "/v1/draft-orders", m.secret, map[string]any{"email": ada.Email, "note": ada.Note, "lines": []any{map[string]any{"variant_id": variant, "quantity": 1}}}), 201)
	want(o.ask("POST", "/v1/draft-orders/"+text(draft, "/id")+"/send", m.secret, map[string]any{"message": ada.Note}), 200)
	// Another is deleted, of which the audit and what would bring it back tell, and once had her address.
	draft = want(o.ask("POST", "/v1/draft-orders", m.secret, map[string]any{"shipping_address": ada.address(), "lines": []any{map[string]any{"variant_id": variant, "quantity": 1}}}), 201)
	for _, email := range []any{ada.Email, nil} {
		want(o.ask("PATCH", "/v1/draft-orders/"+text(draft, "/id"), m.secret, map[string]any{"email": email, "note": ada.Reason}, patched), 200)
	}
	want(o.ask("DELETE", "/v1/draft-orders/"+text(draft, "/id"), m.secret, nil), 204)
	for _, amount := range []int{500, -500} {
		want(o.ask("POST", "/v1/customers/"+id+"/store-credit/adjustments", m.secret, map[string]any{"amount": map[string]any{"amount": amount, "currency": "EUR"}, "reason": ada.Reason}), 201)
		if amount > 0 {
			refused := want(o.ask("POST", "/v1/personal-data/erasures", m.secret, map[string]any{"customer_id": id}), 409)
			if refused.field("/code") != "erasure_in_the_way" || refused.field("/errors/0/code") != "store_credit_left" {
				t.Errorf("with credit left: %s", refused.text)
			}
		}
	}
	want(o.ask("PATCH", "/v1/orders/"+order, m.secret, map[string]any{"tags": []any{ada.Note, ada.Name}}, patched), 200)
	sold := text(want(o.ask("GET", "/v1/orders/"+order, m.secret, nil), 200), "/lines/0/product_id")
	review := want(o.ask("POST", "/v1/shop/products/"+sold+"/reviews", m.publishable, map[string]any{"rating": 4, "title": ada.Reason, "body": ada.Note, "author": ada.Name}, asAda,
		"Idempotency-Key: "+ids.New("key")), 201)
	want(o.ask("PATCH", "/v1/reviews/"+text(review, "/id"), m.secret, map[string]any{"state": "approved", "reply": "Thank you, " + ada.Name}, patched), 200)
	want(o.ask("POST", "/v1/shop/me/wishlists", m.publishable, map[string]any{"name": ada.Reason}, asAda, "Idempotency-Key: "+ids.New("key")), 201)

	// One comes from elsewhere, and all are in a file that somebody takes away.
	octavia := newCanary("Octavia")
	for _, begun := range []answered{
		want(o.ask("POST", "/v1/imports?kind=shopify_customers", m.secret, fmt.Appendf(nil, "Email,First Name,Phone,Note,Tags,Default Address Address1,Default Address City,Default Address Country Code\n%s,%s,%s,%s,%s,%s,%s,DE\n",
			octavia.Email, octavia.Name, octavia.Phone, octavia.Note, octavia.Engraving, octavia.Line1, octavia.City), "Content-Type: text/csv"), 202),
		want(o.ask("POST", "/v1/exports", m.secret, map[string]any{"resource": "customers", "format": "jsonl"}), 202),
	} {
		eventually("an operation", func() bool {
			return text(o.ask("GET", "/v1/operations/"+text(begun, "/id"), m.secret, nil), "/state") == "succeeded"
		})
	}
	grace := newCanary("Philomena")
	guest := sell(grace, "")
	var invoice string
	eventually("the invoices", func() bool {
		invoice = text(o.ask("GET", "/v1/documents?order_id="+order, m.secret, nil), "/data/0/id")
		return invoice != "" && text(o.ask("GET", "/v1/documents?order_id="+guest, m.secret, nil), "/data/0/id") != ""
	})
	want(o.once("GET", "/v1/documents/"+invoice+"/pdf", m.secret, nil), 200)

	// What is known of her, by whoever asks.
	for _, known := range []answered{
		want(o.ask("POST", "/v1/personal-data/export", m.secret, map[string]any{"customer_id": id}), 200),
		want(o.ask("GET", "/v1/shop/me/export", m.publishable, nil, asAda), 200),
	} {
		for _, word := range ada.words() {
			if !strings.Contains(known.text, word) {
				t.Errorf("%q is not in the export", word)
			}
		}
		if strings.Contains(known.text, "password_hash") || strings.Contains(known.text, "$2a$") || strings.Contains(known.text, grace.Name) {
			t.Error("the export tells what is not hers to know")
		}
	}
	want(o.ask("POST", "/v1/personal-data/export", m.secret, map[string]any{"customer_id": ids.New("cus")}), 404)
	want(o.ask("POST", "/v1/personal-data/export", m.secret, map[string]any{"customer_id": id, "email": ada.Email}), 400)

	lived := time.Now()
	places := everywhere(t, p)
	for _, of := range []struct {
		canary
		least int
	}{{ada, 15}, {octavia, 1}} {
		if found := places.find(of.words()); len(found) < of.least {
			t.Fatalf("the words were left at few places: %v", found)
		}
	}
	dry := want(o.ask("POST", "/v1/personal-data/erasures?dry_run=true", m.secret, map[string]any{"customer_id": id}), 201)
	if dry.header.Get("Dry-Run") != "true" || !strings.Contains(dry.text, `"orders"`) || !strings.Contains(dry.header.Get("Dry-Run-Events"), "customer.erased") {
		t.Errorf("tried: %v %s", dry.header, dry.text)
	}
	want(o.ask("GET", "/v1/customers/"+id, m.secret, nil), 200)

	want(o.ask("POST", "/v1/shop/me/erasure", m.publishable, map[string]any{"password": "not that one, surely"}, asAda), 401)
	gone := []string{
		text(want(o.ask("POST", "/v1/shop/me/erasure", m.publishable, map[string]any{"password": password}, asAda), 201), "/id"),
		text(want(o.ask("POST", "/v1/personal-data/erasures", m.secret, map[string]any{"email": grace.Email, "reason": "Asked for by telephone"}), 201), "/id"),
		text(want(o.ask("POST", "/v1/personal-data/erasures", m.secret, map[string]any{"email": octavia.Email}), 201), "/id"),
	}
	want(o.ask("GET", "/v1/shop/me", m.publishable, nil, asAda), 401)
	want(o.ask("GET", "/v1/customers/"+id, m.secret, nil), 404)
	for _, erasure := range gone {
		eventually("an erasure", func() bool {
			return text(o.ask("GET", "/v1/personal-data/erasures/"+erasure, m.secret, nil), "/state") == "done"
		})
	}
	words := slices.Concat(ada.words(), grace.words(), octavia.words())
	if len(places.find(words)) > 0 { // which takes a while, and longer where it is to be told what is where
		for _, word := range words {
			for _, place := range places.find([]string{word}) {
				t.Errorf("%q is still in %s", word, place)
			}
		}
	}
	if len(p.Log()) < 1000 {
		t.Error("there is no log to look at")
	}

	// What is kept is in order.
	for _, sold := range []string{order, guest} {
		kept := want(o.ask("GET", "/v1/orders/"+sold, m.secret, nil), 200)
		if kept.field("/email") != "erased@erased.invalid" || kept.field("/shipping_address/country") != "DE" || kept.field("/totals/total/amount") == 0.0 {
			t.Errorf("kept: %s", kept.text)
		}
		// Nor does it come back as it was when it was placed.
		placed, err := time.Parse(time.RFC3339Nano, text(kept, "/created_at"))
		if err != nil {
			t.Fatal(err)
		}
		was := want(o.ask("GET", "/v1/audit-records/"+sold+"?at="+placed.Add(time.Second).UTC().Format(time.RFC3339Nano), m.secret, nil), 200)
		for _, word := range slices.Concat(ada.words(), grace.words()) {
			if strings.Contains(was.text, word) {
				t.Errorf("%q came back: %s", word, was.text)
			}
		}
	}
	want(o.ask("GET", "/v1/audit-records/"+id+"?at="+lived.UTC().Format(time.RFC3339Nano), m.secret, nil), 404)
	if refused := want(o.once("GET", "/v1/documents/"+invoice+"/pdf", m.secret, nil), 403); refused.field("/code") != "document_restricted" {
		t.Errorf("the invoice: %s", refused.text)
	}
	if opened := want(o.once("POST", "/v1/documents/"+invoice+"/disclosure", m.secret, map[string]any{"reason": "Tax audit"}), 200); !strings.HasPrefix(opened.text, "%PDF") {
		t.Errorf("the invoice, with a reason: %.50q", opened.text)
	}
	if again := want(o.ask("POST", "/v1/gift-cards", m.secret, card, repeated), 409); again.field("/code") != "answer_erased" {
		t.Errorf("repeated: %s", again.text)
	}
	if list := want(o.ask("GET", "/v1/audit?action=customer.erase", m.secret, nil), 200); text(list, "/data/2/id") == "" || text(list, "/data/3/id") != "" {
		t.Errorf("the audit: %s", list.text)
	}
	if list := want(o.ask("GET", "/v1/personal-data/erasures", m.secret, nil), 200); text(list, "/data/1/id") == "" {
		t.Errorf("the erasures: %s", list.text)
	}
	want(o.ask("GET", "/v1/events?limit=100", m.secret, nil), 200)
}

// places are where words can be left.
type places struct {
	t *testing.T
	p *apptest.Program
}

func everywhere(t *testing.T, p *apptest.Program) places { return places{t, p} }

// find names the places that hold any of the words.
func (e places) find(words []string) (found []string) {
	e.t.Helper()
	has := func(text string) bool {
		for _, word := range words {
			if strings.Contains(text, word) {
				return true
			}
		}
		return false
	}
	patterns := make([]string, len(words))
	for i, word := range words {
		patterns[i] = "%" + word + "%"
	}
	for _, c := range apptest.Query[string](e.p, `select format('%I.%I.%I', n.nspname, c.relname, a.attname) from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and a.attnum > 0 and not a.attisdropped
			and a.atttypid::regtype::text in ('text', 'text[]', 'json', 'jsonb', 'bytea', 'bytea[]', 'jsonb[]', 'character varying', 'tsvector', 'inet')`) {
		parts := strings.Split(c, ".")
		column := parts[2]
		if apptest.Query[bool](e.p, fmt.Sprintf(`select exists (select from %s.%s where case when pg_typeof(%[3]s)::text = 'bytea' then encode(%[3]s::text::bytea, 'escape') else %[3]s::text end ilike any($1))`, parts[0], parts[1], column), patterns)[0] {
			found = append(found, c)
		}
	}
	options, err := redis.ParseURL(e.p.Env["STOA_REDIS_URL"])
	if err != nil {
		e.t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	for keys := client.Scan(e.t.Context(), 0, "*", 1000).Iterator(); keys.Next(e.t.Context()); {
		key := keys.Val()
		if has(key) || has(value(e.t.Context(), client, key)) {
			found = append(found, "Redis "+key)
		}
	}
	err = filepath.WalkDir(e.p.Env["STOA_DATA_DIR"], func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && (has(path) || has(string(content))) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		e.t.Fatal(err)
	}
	if has(e.p.Log()) {
		found = append(found, "the log")
	}
	return found
}

// value is what a key of Redis holds, as a text.
func value(ctx context.Context, client *redis.Client, key string) string {
	switch kind := client.Type(ctx, key).Val(); kind {
	case "hash":
		return fmt.Sprint(client.HGetAll(ctx, key).Val())
	case "set":
		return fmt.Sprint(client.SMembers(ctx, key).Val())
	case "zset":
		return fmt.Sprint(client.ZRange(ctx, key, 0, -1).Val())
	case "list":
		return fmt.Sprint(client.LRange(ctx, key, 0, -1).Val())
	default:
		return client.Get(ctx, key).Val()
	}
}
