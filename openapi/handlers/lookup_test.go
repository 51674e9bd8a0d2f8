package handlers_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/access"
)

// findable is a thing in a store, by which letters it is found, and what is told of it.
type findable struct {
	kind, permission string
	insert           string // $1 is its ID, with this prefix
	prefix           string
	letters          []string
	title, detail    string
	status           string
	platform         bool
}

const somebody = `insert into customers (id, email, name, phone) values ('cus_x', 'grace@example.com', 'Grace Example', '+49 30 12345')`

const ordering = `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, customer_id, shipping_address, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
	values ($1, 1044, 'cart_1044', '', 'open', 'paid', 'unfulfilled', 'EUR', 'grace@example.com', 'cus_x', '{"name": "G. Example"}', true, 0, 0, 0, 0)`

// findables are one of each kind. Each is made in the order in which it stands.
var findables = []findable{
	{kind: "customer", permission: "customers:read", insert: `with c as (` + somebody + `) update settings set order_prefix = 'W-' where $1 <> ''`, prefix: "cus", letters: []string{"grace", "GRACE@example", "12345"}, title: "Grace Example", detail: "grace@example.com"},
	{kind: "order", permission: "orders:read", insert: ordering, prefix: "ord", letters: []string{"1044", "#1044", "w-1044", "grace@example.com", "grace ex", "INV-7"}, title: "W-1044", detail: "G. Example, grace@example.com", status: "open"},
	{kind: "return", permission: "orders:read", insert: `with d as (insert into documents (id, kind, order_id, year, sequence, number, currency, tax_amount, total_amount, content, issued_at)
			select 'doc_x', 'invoice', id, 2026, 7, 'INV-7', 'EUR', 0, 0, '{}', now() from orders)
		insert into returns (id, order_id, state, lines) select $1, id, 'requested', '[]' from orders`, prefix: "ret", letters: []string{"1044"}, title: "W-1044", detail: "grace@example.com", status: "requested"},
	{kind: "draft_order", permission: "orders:read", insert: `insert into carts (id, token_hash, currency, email, shipping_address, draft, expires_at) values ($1, '', 'EUR', 'wholesale@example.org', '{"name": "Big Buyer"}', '{}', now() + interval '1 day')`,
		prefix: "cart", letters: []string{"whole", "big b"}, title: "wholesale@example.org", detail: "Big Buyer", status: "open"},
	{kind: "cart", permission: "orders:read", insert: `insert into carts (id, token_hash, currency, email, expires_at) values ($1, '', 'EUR', 'left@example.org', now() + interval '1 day')`, prefix: "cart", letters: []string{"left@example.org"}, title: "left@example.org"},
	{kind: "collection", permission: "products:read", insert: `insert into collections (id, handle, title) values ($1, 'of-clay', 'Things of clay')`, prefix: "col", letters: []string{"clay", "of-clay"}, title: "Things of clay", detail: "of-clay"},
	{kind: "category", permission: "products:read", insert: `insert into categories (id, path, name, handle) values ($1, $1 || '/', 'Vessels', 'vessels')`, prefix: "cat", letters: []string{"VESS"}, title: "Vessels"},
	{kind: "promotion", permission: "promotions:read", insert: `with p as (insert into promotions (id, title, automatic, rule) values ($1, 'Harvest', false, '{}')) insert into promotion_codes (code, promotion_id) values ('GOLDEN10', $1)`,
		prefix: "prm", letters: []string{"harv", "golden"}, title: "Harvest", status: "active"},
	{kind: "gift_card", permission: "gift_cards:read", insert: `insert into credit_accounts (id, kind, currency, code_digest, last_characters, note) values ($1, 'gift_card', 'EUR', 'd', 'X7Q9', 'For the choir')`, prefix: "gc",
		letters: []string{"x7q9", "ABCD-EFGH-1234-X7Q9", "choir"}, title: "•••• X7Q9", detail: "For the choir", status: "used"},
	{kind: "page", permission: "content:read", insert: `insert into contents (id, kind, handle, title) values ($1, 'page', 'our-kiln', 'Our kiln')`, prefix: "page", letters: []string{"kiln"}, title: "Our kiln", detail: "our-kiln", status: "draft"},
	{kind: "post", permission: "content:read", insert: `insert into contents (id, kind, handle, title, published_at) values ($1, 'post', 'glaze', 'How we glaze', now())`, prefix: "post", letters: []string{"glaze"}, title: "How we glaze", detail: "glaze", status: "published"},
	{kind: "customer_group", permission: "customers:read", insert: `insert into customer_groups (id, name) values ($1, 'Restaurants')`, prefix: "cgrp", letters: []string{"resta"}, title: "Restaurants"},
	{kind: "price_list", permission: "products:read", insert: `insert into price_lists (id, name, kind) values ($1, 'Winter prices', 'sale')`, prefix: "plist", letters: []string{"winter"}, title: "Winter prices", status: "active"},
	{kind: "location", permission: "inventory:read", insert: `insert into locations (id, name, active) values ($1, 'The barn', false)`, prefix: "loc", letters: []string{"barn"}, title: "The barn", status: "inactive"},
	{kind: "transfer", permission: "inventory:read", insert: `insert into stock_movements (id, variant_id, location_id, type, quantity, stock, reason, note, transfer_id, actor_kind) values ('mov_x', 'var_x', 'loc_x', 'transfer', 1, 1, 'transfer', 'To the fair', $1, 'key')`,
		prefix: "tr", letters: []string{"fair"}, title: "To the fair"},
	{kind: "review", permission: "reviews:read", insert: `insert into reviews (id, product_id, customer_id, rating, title, body, author, verified) values ($1, 'prod_gone', 'cus_x', 5, 'Wonderful', 'It holds water.', 'Gr.', true)`, prefix: "rev",
		letters: []string{"wonder", "holds water"}, title: "Wonderful", detail: "Gr.", status: "pending"},
	{kind: "shipping_zone", permission: "settings:read", insert: `insert into shipping_zones (id, name, territories) values ($1, 'The islands', '[]')`, prefix: "zone", letters: []string{"islands"}, title: "The islands"},
	{kind: "shipping_method", permission: "settings:read", insert: `insert into shipping_methods (id, name, prices) values ($1, 'By donkey', '{}')`, prefix: "shp", letters: []string{"donkey"}, title: "By donkey", status: "active"},
	{kind: "tax_rate", permission: "settings:read", insert: `insert into tax_rates (id, name, country, rate) values ($1, 'Mehrwertsteuer', 'AT', 200000)`, prefix: "tax", letters: []string{"mehrwert"}, title: "Mehrwertsteuer", detail: "AT"},
	{kind: "custom_field", permission: "settings:read", insert: `insert into field_definitions (id, resource, key, name, type) values ($1, 'product', 'firing', 'Fired at', 'text')`, prefix: "fld", letters: []string{"firing", "fired"}, title: "Fired at", detail: "product.firing"},
	{kind: "webhook_endpoint", permission: "webhooks:read", insert: `insert into webhook_endpoints (id, url, description, events, secrets) values ($1, 'https://erp.example.com/in', 'The ledger', '{}', '[]')`, prefix: "we",
		letters: []string{"erp.example", "ledger"}, title: "https://erp.example.com/in", detail: "The ledger", status: "enabled"},
	{kind: "role", permission: "staff:read", insert: `insert into roles (id, store_id, name, permissions) values ($1, $2, 'Packers', '{}')`, platform: true, prefix: "role", letters: []string{"packers"}, title: "Packers"},
	{kind: "invitation", permission: "staff:read", insert: `insert into invitations (id, store_id, email, role, token_hash, invited_by, expires_at) values ($1, $2, 'newcomer@example.net', 'orders', $1::text::bytea, '{}', now() + interval '1 day')`, platform: true,
		prefix: "inv", letters: []string{"newcomer"}, title: "newcomer@example.net", status: "pending"},
	{kind: "api_key", permission: "keys:read", insert: `insert into api_keys (id, store_id, kind, mode, name, prefix, last4, digest, api_version, created_by) values ($1, $2, 'secret', 'live', 'Warehouse robot', 'stoa_sk_live_', 'zz42', $1::text::bytea, '', '{}')`, platform: true,
		prefix: "key", letters: []string{"robot", "stoa_sk_live_abczz42"}, title: "Warehouse robot", detail: "stoa_sk_live_…zz42", status: "active"},
	{kind: "domain", permission: "domains:read", insert: `insert into domains (id, store_id, name, check_at) values ($1, $2, 'clay.example.com', now())`, platform: true, prefix: "dom", letters: []string{"clay.ex"}, title: "clay.example.com", status: "pending"},
	{kind: "staff_member", permission: "staff:read", insert: `with a as (insert into accounts (id, email, name, password_hash) values ($1, $1 || '@example.net', 'Zenobia', '') returning id) insert into members (store_id, account_id, role) select $2, id, 'orders' from a`, platform: true,
		prefix: "acc", letters: []string{"zenob"}, title: "Zenobia"},
}

// make puts it into the context's store, and gives its ID.
func (f findable) make(t *testing.T, api *apitest.API, shop *shoptest.Shop) string {
	t.Helper()
	id := ids.New(f.prefix)
	if f.kind == "customer" {
		id = "cus_x"
	}
	if !f.platform {
		shop.Exec(t, f.insert, id)
		return id
	}
	ref, _ := postgres.StoreFrom(shop.Ctx)
	err := api.Platform.DB.InControl(context.Background(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, f.insert, id, ref.ID)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", f.kind, err)
	}
	return id
}

func TestAnythingIsFound(t *testing.T) {
	t.Parallel()
	platform := testdb.Open(t)
	api := apitest.New(t, (&handlers.Lookup{DB: platform.DB}).Operations())
	shop, other := shoptest.New(t, platform), shoptest.New(t, platform)
	key, others, blind := api.Staff(shop.Ctx), api.Staff(other.Ctx), api.Scoped(shop.Ctx, "store:read")
	find := func(key, letters string) *apitest.Answer {
		return api.Do(t, key, "GET", "/v1/lookup?q="+url.QueryEscape(letters), nil).Want(200)
	}
	of := func(answer *apitest.Answer, kind string) map[string]any {
		for _, each := range answer.Get("references").([]any) {
			if reference := each.(map[string]any); reference["kind"] == kind {
				return reference
			}
		}
		return nil
	}
	text := func(value any) string { s, _ := value.(string); return s }
	for _, f := range findables {
		id := f.make(t, api, shop)
		if f.kind == "return" { // an order is found by the number of its invoice from now on
			f.letters = append(f.letters, "INV-7")
		}
		seeing := api.Scoped(shop.Ctx, "store:read", f.permission)
		for _, letters := range append(f.letters, id) {
			if f.kind == "order" && letters == "INV-7" {
				continue
			}
			reference := of(find(seeing, letters), f.kind)
			if reference == nil || reference["id"] != id || reference["title"] != f.title || f.detail != "" && text(reference["detail"]) != f.detail && letters != "golden" || text(reference["status"]) != f.status {
				t.Errorf("%s by %q: %v", f.kind, letters, reference)
			}
			if of(find(blind, letters), f.kind) != nil {
				t.Errorf("%s is found without %s", f.kind, f.permission)
			}
			if of(find(others, letters), f.kind) != nil {
				t.Errorf("another store's %s is found", f.kind)
			}
		}
	}

	// Whose order comes back is told with the return, and which of its codes a discount was found by.
	if back := of(find(key, "1044"), "return"); back["parent_id"] != of(find(key, "1044"), "order")["id"] {
		t.Errorf("a return of %v", back["parent_id"])
	}
	if discount := of(find(key, "golden"), "promotion"); discount["detail"] != "GOLDEN10" {
		t.Errorf("a discount by its code: %v", discount)
	}
}

func TestTheBestIsFoundFirst(t *testing.T) {
	t.Parallel()
	platform := testdb.Open(t)
	api := apitest.New(t, (&handlers.Lookup{DB: platform.DB}).Operations())
	shop := shoptest.New(t, platform)
	key := api.Session(shop.Ctx, access.Owner)
	for _, title := range []string{"Linen shirt", "Linen", "Shirt of linen"} {
		shop.Add(t, shoptest.Variant{Title: title, EUR: 100})
	}
	shop.Exec(t, `insert into collections (id, handle, title) values ('col_a', 'a', 'All of linen'), ('col_b', 'b', 'Linen, washed')`)
	shop.Exec(t, `update variants set sku = 'ls-001' where product_id = (select id from products where title = 'Linen shirt')`)

	counted, count := postgres.Counting(context.Background())
	found := api.DoContext(t, counted, key, "GET", "/v1/lookup?q=linen", nil).Want(200)
	if n := count.Statements.Load(); n != 2 { // one of the store's own, one of the platform's
		t.Errorf("%d statements", n)
	}
	for i, title := range []string{"Linen", "Linen shirt", "Shirt of linen", "Linen, washed", "All of linen"} {
		if is := found.Get("references").([]any)[i].(map[string]any)["title"]; is != title {
			t.Errorf("%d is %v, not %s", i, is, title)
		}
	}
	if by := api.Do(t, key, "GET", "/v1/lookup?q=LS-0", nil).Want(200); by.String("references.0.title") != "Linen shirt" || by.String("references.0.detail") != "ls-001" {
		t.Errorf("by its number: %s", by.Body)
	}
	if n := len(api.Do(t, key, "GET", "/v1/lookup?q=linen&per_kind=1", nil).Want(200).Get("references").([]any)); n != 2 {
		t.Errorf("one of each kind are %d", n)
	}

	// Whatever is in it has no meaning of its own.
	for _, letters := range []string{"%%", "__", `\\`, "'; drop table products; --", "  ", ":* & |", "99999999999999999999", "\u200b\u200b", "ﷺﷺ"} {
		if found := api.Do(t, key, "GET", "/v1/lookup?q="+url.QueryEscape(letters), nil).Want(200); len(found.Get("references").([]any)) != 0 {
			t.Errorf("%q finds %s", letters, found.Body)
		}
	}
	api.Do(t, key, "GET", "/v1/lookup?q=a", nil).WantProblem(400, "invalid_request")
	api.Do(t, key, "GET", "/v1/lookup", nil).WantProblem(400, "invalid_request")
	api.Do(t, key, "GET", "/v1/lookup?q=linen&per_kind=21", nil).WantProblem(400, "invalid_request")
	api.Do(t, "", "GET", "/v1/lookup?q=linen", nil).WantProblem(401, "missing_credential")
	api.Do(t, api.Scoped(shop.Ctx, "products:read"), "GET", "/v1/lookup?q=linen", nil).WantProblem(403, "missing_permission")
}
