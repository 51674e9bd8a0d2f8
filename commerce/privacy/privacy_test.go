package privacy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// register is a store with a customer, ada@example.com, of whom much is kept.
type register struct {
	*shoptest.Shop
	t        *testing.T
	p        *testdb.Platform
	privacy  *privacy.Service
	recorder *requestlog.Recorder
	customer string
	order    string
	cart     string
}

const ada = "ada@example.com"

// former is a customer who was deleted.
const former = "cus_01jd3v7m2kf8r9e0abcdefghjk"

func open(t *testing.T) *register {
	t.Helper()
	p := testdb.Open(t)
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	people := &requestlog.People{Pepper: pepper}
	r := &register{
		Shop: shoptest.New(t, p), t: t, p: p, privacy: &privacy.Service{DB: p.DB, Sealer: p.Ring, People: people, Withdraw: exports.New(p.DB, operations.New(p.DB), nil, exports.Config{}).Withdraw},
		recorder: requestlog.New(requestlog.Config{
			DB: p.DB, Sealer: p.Ring, Days: func(string) int { return 3 }, People: people, Written: func(int) {},
			Dropped: func(why string, n int) { t.Errorf("%d calls were dropped: %s", n, why) }, Log: slog.New(slog.DiscardHandler),
		}),
		customer: ids.New("cus"), order: ids.New("ord"), cart: ids.New("cart"),
	}
	r.Exec(t, `insert into customers (id, email, name, note) values ($1, $2, 'Ada Example', 'likes marzipan')`, r.customer, ada)
	r.Exec(t, `insert into orders (id, number, cart_id, customer_id, token_hash, state, payment_state, fulfilment_state, currency, email, note, shipping_address,
		prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount) values ($1, 1, $2, $3, '', 'completed', 'paid', 'fulfilled', 'EUR', $4, 'ring twice',
		'{"name": "Ada Example", "line1": "1 Sample Street", "city": "Berlin", "country": "DE"}', true, 100, 0, 0, 100)`, r.order, r.cart, r.customer, ada)
	r.Exec(t, `insert into carts (id, token_hash, currency, email, expires_at) values ($1, '', 'EUR', $2, now() + interval '1 day')`, r.cart, ada)
	r.Exec(t, `insert into documents (id, kind, order_id, year, sequence, number, currency, tax_amount, total_amount, content, pdf, issued_at)
		values ($1, 'invoice', $2, 2026, 1, 'I-1', 'EUR', 0, 100, '{"buyer": "Ada Example", "taxes": []}', '%PDF Ada', now())`, ids.New("doc"), r.order)
	r.Exec(t, `insert into events (id, type, object_id, object_sequence, data) values ($1, 'order.created', $2, 1, $3)`, ids.New("evt"), r.order, `{"email": "`+ada+`", "number": 1}`)
	r.Exec(t, `insert into cell.deliveries (id, endpoint_id, event_id, event_type, state, attempts)
		select $1, 'whe', id, type, 'delivered', '[{"number": 1, "response_excerpt": "thanks, Ada", "error": ""}]' from events where object_id = $2`, ids.New("dlv"), r.order)
	r.Exec(t, `insert into audit_entries (id, actor_kind, actor, action, object_id, after, ip) values ($1, 'customer', $2, 'customer.update', $3, '{"name": "Ada Example"}', '192.0.2.7')`, ids.New("aud"), ada, r.customer)
	// They had another account before, which was deleted; and something of them can be brought back.
	r.Exec(t, `insert into audit_entries (id, actor_kind, action, object_id, after) values ($1, 'key', 'customer.create', $2, $3), ($4, 'key', 'customer.update', $2, '{"name": "Ada Example"}')`,
		ids.New("aud"), former, `{"email": "`+ada+`"}`, ids.New("aud"))
	r.Exec(t, `insert into audit_kept (entry_id, kept) values ('aud_1', jsonb_build_object('values', jsonb_build_object($1::text, 'marzipan', 'cus_other', 'nougat'))),
		('aud_2', jsonb_build_object('promotion_uses', jsonb_build_array(jsonb_build_object('order_id', $2::text, 'email', $3::text), '{"order_id": "ord_other", "email": "grace@example.com"}'::jsonb))),
		('aud_3', jsonb_build_object('reviews', jsonb_build_array(jsonb_build_object('customer_id', $1::text, 'title', 'By Ada')))),
		('aud_4', '{"carts": [{"id": "cart_former", "note": "for Ada"}], "cart_lines": [{}]}'), ('aud_5', '{"carts": [{"id": "cart_other"}], "cart_lines": []}')`, r.customer, r.order, ada)
	// Of a draft order that was deleted, only one entry says whose it was.
	r.Exec(t, `insert into audit_entries (id, actor_kind, action, object_id, before, after) values ($1, 'key', 'draft_order.create', 'cart_former', null, '{"note": "for Ada"}'),
		($2, 'key', 'draft_order.update', 'cart_former', '{"note": "for Ada"}', jsonb_build_object('email', $4::text)), ($3, 'key', 'draft_order.create', 'cart_other', null, '{"note": "for Grace"}')`,
		ids.New("aud"), ids.New("aud"), ids.New("aud"), ada)
	r.Exec(t, `insert into cell.idempotency (scope, fingerprint, state, status, headers, body) values ('\x01', '', 'done', 201, '{}', convert_to($1, 'UTF8'))`, `{"email": "`+ada+`"}`)
	r.Exec(t, `insert into cell.outbox (kind, args, run_at) values ('send_mail', $1, now() + interval '1 day'), ('other', '{}', now() + interval '1 day')`, `{"to": "`+ada+`"}`)
	r.inControl(`insert into mailbox (id, store_id, kind, recipient, subject, html, text) values ($1, $2, 'x', 'ADA@example.com', '', '', '')`, ids.New("mail"), r.ref().ID)
	return r
}

func (r *register) ref() postgres.StoreRef {
	ref, _ := postgres.StoreFrom(r.Ctx)
	return ref
}

func (r *register) inControl(statement string, args ...any) {
	r.t.Helper()
	err := r.p.DB.InControl(r.t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *register) erase(of privacy.Subject) (id string, err error) {
	err = r.DB.InStore(r.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		id, err = r.privacy.Erase(ctx, tx, of, "")
		return err
	})
	return id, err
}

// call has a call in the request log.
func (r *register) call(path, body string) string {
	call := requestlog.Call{
		ID: ids.New("req"), Store: r.ref(), At: clock.Now(), Operation: "x", Method: "POST", Status: 200,
		Content: func() requestlog.Content {
			return requestlog.Content{
				Path: path, Request: requestlog.Body{JSON: []byte(body), State: requestlog.Whole}, Response: requestlog.Body{State: requestlog.None},
			}
		},
	}
	call.Actor.Kind = "publishable"
	r.recorder.Record(call)
	r.recorder.Flush(r.t.Context())
	return call.ID
}

func TestErasureReachesEverything(t *testing.T) {
	t.Parallel()
	r := open(t)
	gone := ids.New("cart") // whose row is not there any more
	first, second := r.call("/v1/shop/carts/"+gone, `{"email": "`+ada+`"}`), r.call("/v1/shop/carts/"+gone+"/lines", `{"attributes": {"Engraving": "for Ada"}}`)
	other := r.call("/v1/shop/carts/"+ids.New("cart"), `{"email": "grace@example.com"}`)

	var known map[string][]map[string]any
	err := r.DB.InStore(r.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		raw, err := r.privacy.Export(ctx, tx, privacy.Subject{Email: " ADA@example.com"})
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &known)
	})
	if err != nil || len(known["orders"]) != 1 || known["customers"][0]["note"] != "likes marzipan" || known["orders"][0]["token_hash"] != nil || known["documents"][0]["content"] == nil {
		t.Fatalf("exported: %v %v", known, err)
	}

	id, err := r.erase(privacy.Subject{CustomerID: r.customer})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.privacy.Finish(r.Ctx, id, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.privacy.Finish(r.Ctx, id, true); err != nil {
		t.Fatal(err)
	}
	if err := r.privacy.Finish(r.Ctx, id, true); err != nil {
		t.Errorf("once more: %v", err)
	}
	for query, want := range map[string]string{
		`select count(*)::text from customers`: "0",
		`select count(*)::text from carts`:     "0",
		`select email || note || (shipping_address->>'name') || (shipping_address->>'country') from orders`:                               "erased@erased.invalid[erased]DE",
		`select content::text || coalesce(pdf::text, '') || (kept_until - issued_at::date > 3650)::text from documents`:                   `{"taxes": []}true`,
		`select data->>'email' from events where type = 'order.created'`:                                                                  "erased@erased.invalid",
		`select (data->>'customer_id') from events where type = 'customer.erased'`:                                                        r.customer,
		`select attempts->0->>'response_excerpt' from cell.deliveries where event_type = 'order.created'`:                                 "",
		`select coalesce(after::text, '') || actor || ip from audit_entries where action = 'customer.update'`:                             "",
		`select count(*)::text from audit_entries where action = 'customer.erase' and after::text not like '%ada%'`:                       "1",
		`select status || convert_from(body, 'UTF8') from cell.idempotency where body::text not like '%' || encode('ada@', 'hex') || '%'`: "409",
		`select string_agg(request_state, ' ' order by id) from cell.requests where sealed is null`:                                       "erased erased",
		`select string_agg(kept::text, ' ' order by entry_id) from audit_kept`: `{"values": {"cus_other": "nougat"}} {"promotion_uses": [{"email": "erased@erased.invalid", "order_id": "` + r.order +
			`"}, {"email": "grace@example.com", "order_id": "ord_other"}]} {"reviews": []} {"carts": [], "cart_lines": []} {"carts": [{"id": "cart_other"}], "cart_lines": []}`,
		`select string_agg(concat_ws(' ', before->>'note', after->>'note'), ', ' order by object_id) from audit_entries where action like 'draft%'`: ", , for Grace",
		`select state || coalesce(sealed::text, '') from erasures`:                                                                                  "done",
	} {
		if got := shoptest.Value[string](t, r.Shop, query); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s\ngives %q, want %q", query, got, want)
		}
	}
	log := &requestlog.Log{DB: r.DB, Sealer: r.p.Ring}
	for call, want := range map[string]bool{first: false, second: false, other: true} {
		kept, err := log.Get(r.Ctx, call)
		if err != nil || (kept.Request != nil) != want {
			t.Errorf("the call %s is kept: %t, want %t (%v)", call, kept.Request != nil, want, err)
		}
	}
	var jobs, mails int
	role := postgres.RoleName(r.ref().Cell, r.ref().Schema)
	err = r.p.DB.InCell(t.Context(), r.p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from cell.outbox where store = $1 and kind in ('send_mail', 'other')`, role).Scan(&jobs)
	})
	if err == nil {
		err = r.p.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select count(*) from mailbox where store_id = $1`, r.ref().ID).Scan(&mails)
		})
	}
	if err != nil || jobs != 1 || mails != 0 {
		t.Errorf("%d jobs and %d mails are left (%v)", jobs, mails, err)
	}
}

func TestWhatIsUnderWayIsFinishedFirst(t *testing.T) {
	t.Parallel()
	r := open(t)
	of := privacy.Subject{CustomerID: r.customer}
	for _, under := range []struct{ code, begin, end string }{
		{"orders_open", `update orders set state = 'open'`, `update orders set state = 'completed'`},
		{"payment_under_way", `update carts set state = 'completing'`, `update carts set state = 'open'`},
		{"returns_open", fmt.Sprintf(`insert into returns (id, order_id, state, lines) values ('ret_1', '%s', 'approved', '[]')`, r.order), `update returns set state = 'closed'`},
		{"refund_under_way", fmt.Sprintf(`insert into refunds (id, order_id, state, currency, amount, parts) values ('ref_1', '%s', 'pending', 'EUR', 1, '[{}]')`, r.order), `update refunds set state = 'failed'`},
		{"store_credit_left", fmt.Sprintf(`insert into credit_accounts (id, kind, currency, balance, customer_id) values ('sca_1', 'store_credit', 'EUR', 5, '%s')`, r.customer), `update credit_accounts set balance = 0`},
		{"import_under_way", `insert into operations (id, kind, state, input, counts, created_by) values ('op_1', 'shopify_customers', 'running', '{}', '{}', '{}')`, `update operations set state = 'succeeded'`},
	} {
		r.Exec(t, under.begin)
		_, err := r.erase(of)
		if p := problem.As(err); p == nil || p.Code != "erasure_in_the_way" || len(p.Faults) != 1 || p.Faults[0].Code != under.code {
			t.Errorf("%s: %v", under.code, err)
		}
		r.Exec(t, under.end)
	}
	if _, err := r.erase(of); err != nil {
		t.Error(err)
	}
	if _, err := r.erase(of); !problem.Is(err, "not_found") {
		t.Errorf("twice: %v", err)
	}
	if id, err := r.erase(privacy.Subject{Email: "nobody@example.com"}); err != nil || r.privacy.Finish(r.Ctx, id, true) != nil {
		t.Errorf("who is not known: %v", err)
	}
	page, err := r.privacy.List(r.Ctx, "", 10)
	if err != nil || strings.Count(string(page.Data), `"id"`) != 2 {
		t.Errorf("listed: %s %v", page.Data, err)
	}
	if _, err := r.privacy.Get(r.Ctx, r.DB, ids.New("era")); !problem.Is(err, "not_found") {
		t.Errorf("which is not there: %v", err)
	}
	if err := r.privacy.Finish(t.Context(), "era_1", true); err == nil {
		t.Error("there is an erasure without a store")
	}
}
