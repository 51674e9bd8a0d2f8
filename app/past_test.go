package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/openapi/probe"
)

// belongings deletes things with what belongs to them, and has that come back too.
func belongings(t *testing.T, w *tenant) {
	product := map[string]string{"product_id": w.product}
	did := func(want int, operation string, path map[string]string, fields map[string]any) map[string]any {
		t.Helper()
		answer := w.ask(t, operation, path, nil, fields)
		if answer.Status != want {
			t.Fatalf("%s: %d %s", operation, answer.Status, answer.Body)
		}
		if len(answer.Body) == 0 {
			return nil
		}
		return object(t, answer.Body)
	}
	material := func() any { return did(200, "getProduct", product, nil)["custom_fields"].(map[string]any)["material"] }
	did(200, "updateProduct", product, map[string]any{"custom_fields": map[string]any{"material": "linen"}})
	field := w.ask(t, "deleteFieldDefinition", map[string]string{"field_definition_id": w.ids["cfd"]}, nil, nil)
	if material() != nil {
		t.Error("the field is gone, and its values are not")
	}
	w.undoes(t, field, "field_definition.delete", "field_definition.restore")
	if material() != "linen" {
		t.Errorf("the field's value came back as %v", material())
	}
	did(200, "updateProduct", product, map[string]any{"custom_fields": map[string]any{"material": nil}})

	promotion := map[string]string{"promotion_id": w.ids["prm"]}
	codes := func() (list []string) {
		for _, each := range did(200, "listPromotionCodes", promotion, nil)["data"].([]any) {
			code := each.(map[string]any)
			list = append(list, fmt.Sprint(code["code"], " ", code["used"]))
		}
		return list
	}
	before := codes()
	same := func(what string) {
		t.Helper()
		if now := codes(); !reflect.DeepEqual(now, before) {
			t.Errorf("%s is not undone: %v, want %v", what, now, before)
		}
	}
	added := w.ask(t, "createPromotionCodes", promotion, nil, map[string]any{"count": 3})
	taken := w.undoes(t, added, "promotion.add_codes", "promotion.remove_codes")
	same("adding codes")
	w.undoes(t, w.undoes(t, taken, "promotion.remove_codes", "promotion.add_codes"), "promotion.add_codes", "promotion.remove_codes")
	same("adding them again")
	removed := w.ask(t, "deletePromotionCode", map[string]string{"promotion_id": w.ids["prm"], "promotion_code": "SUMMER15"}, nil, nil)
	w.undoes(t, removed, "promotion.remove_codes", "promotion.add_codes")
	same("removing a code")
	// One that was used comes back with who used it, so that its limits hold.
	schema := w.schema()
	w.doors[0].Exec(`update `+schema+`promotions set used = 1 where id = $1`, w.ids["prm"])
	w.doors[0].Exec(`update ` + schema + `promotion_codes set used = 1 where code = 'SUMMER15'`)
	w.doors[0].Exec(`insert into `+schema+`promotion_uses (promotion_id, order_id, code, email, currency, amount) values ($1, $2, 'SUMMER15', 'ada@example.com', 'EUR', 1)`, w.ids["prm"], w.ids["ord"])
	used := codes()
	w.undoes(t, w.ask(t, "deletePromotion", promotion, nil, nil), "promotion.delete", "promotion.restore")
	if now := codes(); !reflect.DeepEqual(now, used) || reflect.DeepEqual(now, before) {
		t.Errorf("its codes came back as %v, want %v", now, used)
	}
	w.doors[0].Exec(`delete from ` + schema + `promotion_uses`)

	shirt := w.ask(t, "createProduct", nil, nil, map[string]any{"title": "Shirt", "options": []any{map[string]any{"name": "Size", "values": []string{"S", "M", "L"}}},
		"variants": []any{map[string]any{"option_values": []string{"S"}}}})
	of := map[string]string{"product_id": shirt.String("/id")}
	many := func() int { return len(did(200, "getProduct", of, nil)["variants"].([]any)) }
	generated := w.ask(t, "generateVariants", of, nil, map[string]any{})
	if many() != 3 {
		t.Fatalf("%d variants of three sizes: %s", many(), generated.Body)
	}
	w.undoes(t, generated, "variant.generate", "variant.delete")
	if many() != 1 {
		t.Errorf("%d variants are left", many())
	}
	again := w.ask(t, "generateVariants", of, nil, map[string]any{})
	did(200, "updateVariant", map[string]string{"variant_id": did(200, "getProduct", of, nil)["variants"].([]any)[2].(map[string]any)["id"].(string)}, map[string]any{"sku": "L-1"})
	refused := w.ask(t, "undoAuditEntry", map[string]string{"audit_entry_id": w.entryOf(t, again, "variant.generate")["id"].(string)}, nil, nil)
	if refused.Status != http.StatusConflict || many() != 3 {
		t.Errorf("a variant that was changed since is deleted: %d %s", refused.Status, refused.Body)
	}
}

// seen is what was read of things at an instant.
type seen struct {
	at                            time.Time
	order, customer, draft, stock map[string]any
	balance, credit               any
}

// past does what befalls an order, a draft order, a customer, money and stock in any order, and
// reads them as they were at any time before.
func past(t *testing.T, w *tenant) {
	order, customer, card := map[string]string{"order_id": w.ids["ord"]}, map[string]string{"customer_id": w.ids["cus"]}, map[string]string{"gift_card_id": w.ids["gc"]}
	told := []string{"email", "name", "phone", "accepts_marketing", "note", "tags", "group_ids", "disabled", "tax_exempt_reason", "addresses"}
	draft := map[string]string{"draft_order_id": w.draft}
	agreed := func(doc map[string]any) map[string]any {
		lines := []any{}
		for _, each := range doc["lines"].([]any) {
			lines = append(lines, only(each.(map[string]any), []string{"variant_id", "quantity", "unit_price"}))
		}
		doc["lines"] = lines
		return telling(only(doc, []string{"customer_id", "email", "lines", "note", "tags", "expires_at", "sent_at", "order_id", "shipping_address"})).(map[string]any)
	}
	attic := w.ask(t, "createLocation", nil, nil, map[string]any{"name": "Attic"}).String("/id")
	look := func(t rapid.TB) seen {
		s := seen{customer: map[string]any{}, stock: map[string]any{}}
		doc := object(t, w.ask(t, "getCustomer", customer, nil, nil).Body)
		for _, name := range told {
			s.customer[name] = doc[name]
		}
		s.order = unpictured(object(t, w.ask(t, "getOrder", order, nil, nil).Body))
		for _, each := range object(t, w.ask(t, "listInventoryLevels", nil, url.Values{"variant_id": {w.variants[1]}}, nil).Body)["data"].([]any) {
			if level := each.(map[string]any); level["on_hand"] != 0.0 {
				s.stock[level["location_id"].(string)] = level["on_hand"]
			}
		}
		s.draft = agreed(object(t, w.ask(t, "getDraftOrder", draft, nil, nil).Body))
		s.balance = object(t, w.ask(t, "getGiftCard", card, nil, nil).Body)["balance"]
		credit := []any{}
		for _, each := range object(t, w.ask(t, "listStoreCredit", customer, nil, nil).Body)["data"].([]any) {
			credit = append(credit, each.(map[string]any)["balance"])
		}
		s.credit = credit
		time.Sleep(2 * time.Millisecond)
		s.at = time.Now()
		time.Sleep(2 * time.Millisecond)
		return s
	}
	adjust := func(t *rapid.T) (string, map[string]string, map[string]any) {
		return "adjustInventory", nil, map[string]any{"reason": "correction", "lines": []any{map[string]any{"variant_id": w.variants[1],
			"location_id": rapid.SampledFrom([]string{w.ids["loc"], attic}).Draw(t, "location"), "delta": rapid.IntRange(1, 5).Draw(t, "quantity")}}}
	}
	steps := []func(t *rapid.T) (operation string, path map[string]string, fields map[string]any){
		adjust,
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "transferInventory", nil, map[string]any{"from_location_id": w.ids["loc"], "to_location_id": attic, "lines": []any{map[string]any{"variant_id": w.variants[1], "quantity": 1}}}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "updateCustomer", customer, map[string]any{"name": rapid.SampledFrom([]string{"Ada Example", "Grace Example"}).Draw(t, "name"), "accepts_marketing": rapid.Bool().Draw(t, "accepts"),
				"group_ids": rapid.SampledFrom([][]string{{}, {w.ids["cgr"]}}).Draw(t, "groups"), "note": rapid.SampledFrom([]any{nil, "Prefers blue"}).Draw(t, "note")}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "updateOrder", order, map[string]any{"tags": rapid.SampledFrom([][]string{{}, {"gift"}, {"gift", "urgent"}}).Draw(t, "tags")}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "adjustGiftCard", card, map[string]any{"amount": price(rapid.IntRange(1, 9).Draw(t, "amount")), "reason": "Goodwill"}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "adjustStoreCredit", customer, map[string]any{"amount": price(rapid.IntRange(1, 9).Draw(t, "amount")), "reason": "Goodwill"}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "updateDraftOrder", draft, map[string]any{"note": rapid.SampledFrom([]any{nil, "As agreed."}).Draw(t, "note"), "customer_id": rapid.SampledFrom([]any{nil, w.ids["cus"]}).Draw(t, "customer"),
				"lines": []any{map[string]any{"variant_id": w.variants[0], "quantity": rapid.IntRange(1, 3).Draw(t, "quantity")}}}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "sendDraftOrder", draft, map[string]any{"mail": false}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "createRefund", order, map[string]any{"amount": price(1)}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return "createOrderEdit", order, map[string]any{"add": []any{map[string]any{"variant_id": w.variants[1], "quantity": 1}}}
		},
		func(t *rapid.T) (string, map[string]string, map[string]any) { return "createFulfilment", order, nil },
		func(t *rapid.T) (string, map[string]string, map[string]any) {
			return rapid.SampledFrom([]string{"receiveReturn", "cancelReturn"}).Draw(t, "step"), map[string]string{"return_id": w.ids["ret"]}, nil
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		moments := []seen{look(t)}
		for range 14 {
			operation, path, fields := rapid.SampledFrom(steps).Draw(t, "step")(t)
			answer := w.ask(t, operation, path, nil, fields)
			if answer.Status >= 500 || answer.Status == 400 || answer.Status == 404 {
				t.Fatalf("%s: %d %s", operation, answer.Status, answer.Body)
			}
			moments = append(moments, look(t))
		}
		for _, m := range moments {
			if was := w.asOf(t, w.ids["cus"], m.at, ""); !reflect.DeepEqual(telling(only(was, told)), telling(m.customer)) {
				t.Fatalf("the customer was %v, want %v", was, m.customer)
			}
			if was := w.asOf(t, w.ids["ord"], m.at, ""); !reflect.DeepEqual(was, m.order) {
				t.Fatalf("the order was\n%v\nwant\n%v", was, m.order)
			}
			if was := w.asOf(t, w.ids["gc"], m.at, "")["balance"]; !reflect.DeepEqual(was, m.balance) {
				t.Fatalf("the gift card had %v, want %v", was, m.balance)
			}
			if was := w.asOf(t, w.ids["cus"], m.at, "store_credit")["balances"]; !reflect.DeepEqual(was, m.credit) {
				t.Fatalf("the customer had %v to spend, want %v", was, m.credit)
			}
			if was := agreed(w.asOf(t, w.draft, m.at, "")); !reflect.DeepEqual(was, m.draft) {
				t.Fatalf("the draft order was\n%v\nwant\n%v", was, m.draft)
			}
			stock := map[string]any{}
			for _, each := range w.asOf(t, w.variants[1], m.at, "inventory_item")["levels"].([]any) {
				if level := each.(map[string]any); level["on_hand"] != 0.0 {
					stock[level["location_id"].(string)] = level["on_hand"]
				}
			}
			if !reflect.DeepEqual(stock, m.stock) {
				t.Fatalf("the stock was %v, want %v", stock, m.stock)
			}
		}
	})
	role, owner := map[string]string{"role_id": w.ids["role"]}, w.asOwner()
	owner.Set("If-Match", "*")
	began := time.Now()
	time.Sleep(2 * time.Millisecond)
	w.must(t, 200, probe.Call{Operation: "updateRole", Path: role, Header: owner, Body: body(map[string]any{"name": "Sender", "permissions": []string{"orders:read", "orders:write"}})})
	w.must(t, 204, probe.Call{Operation: "revokeInvitation", Path: map[string]string{"invitation_id": w.ids["inv"]}, Header: owner})
	w.must(t, 204, probe.Call{Operation: "deleteRole", Path: role, Header: owner})
	was := w.must(t, 200, probe.Call{Operation: "getAuditRecord", Path: map[string]string{"record_id": w.ids["role"]}, Query: url.Values{"at": {began.UTC().Format(time.RFC3339Nano)}}, Header: w.asOwner()})
	if was.String("/record/name") != "Packer" || was.String("/record/permissions/0") != "orders:read" || was.String("/record/permissions/1") != "" {
		t.Errorf("the role was %s", was.Body)
	}
	for _, id := range []string{w.ids["ord"], w.draft} {
		if was := w.ask(t, "getAuditRecord", map[string]string{"record_id": id}, url.Values{"at": {"2020-01-01T00:00:00Z"}}, nil); object(t, was.Body)["existed"] != false {
			t.Errorf("before there was %s: %s", id, was.Body)
		}
	}
	began = time.Now()
	time.Sleep(2 * time.Millisecond)
	before := agreed(object(t, w.ask(t, "getDraftOrder", draft, nil, nil).Body))
	deleted := w.ask(t, "deleteDraftOrder", draft, nil, nil)
	if was := agreed(w.asOf(t, w.draft, began, "")); !reflect.DeepEqual(was, before) {
		t.Errorf("what was deleted was\n%v\nwant\n%v", was, before)
	}
	w.undoes(t, deleted, "draft_order.delete", "draft_order.restore")
	if now := agreed(object(t, w.ask(t, "getDraftOrder", draft, nil, nil).Body)); !reflect.DeepEqual(now, before) {
		t.Errorf("it came back as\n%v\nwant\n%v", now, before)
	}
	colleague(t, w)
}

// colleague has somebody join, be called otherwise, do something else, and leave.
func colleague(t *testing.T, w *tenant) {
	email := "packer-" + run() + "@example.com"
	w.must(t, 201, probe.Call{Operation: "inviteStaff", Header: w.asOwner(), Body: body(map[string]any{"email": email, "role": "support"})})
	token, err := w.doors[0].MailParameter(t.Context(), email, "token")
	if err != nil {
		t.Fatal(err)
	}
	joined := w.must(t, 201, probe.Call{Operation: "acceptInvitation", Header: headers(""), Body: body(map[string]any{"token": token, "password": password, "account_name": "Ada Example"})})
	id, began := joined.String("/account/id"), time.Now()
	as := func(at time.Time) *probe.Answer {
		t.Helper()
		return w.must(t, 200, probe.Call{Operation: "getAuditRecord", Path: map[string]string{"record_id": id}, Query: url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}}, Header: w.asOwner()})
	}
	time.Sleep(2 * time.Millisecond)
	cookie, _, _ := strings.Cut(joined.Header.Get("Set-Cookie"), ";")
	w.must(t, 200, probe.Call{Operation: "updateAccount", Header: headers("", "Cookie", cookie), Body: body(map[string]any{"name": "Ada Sample"})})
	member := map[string]string{"account_id": id}
	w.must(t, 200, probe.Call{Operation: "updateStaffMember", Path: member, Header: w.asOwner(), Body: body(map[string]any{"role": "orders"})})
	look := func() {
		t.Helper()
		if was := as(began); was.String("/record/role") != "support" || was.String("/record/name") != "Ada Example" || was.String("/record/email") != email {
			t.Errorf("somebody was %s", was.Body)
		}
		if was := as(began.Add(-time.Hour)); !strings.Contains(string(was.Body), `"existed":false`) {
			t.Errorf("somebody was there before: %s", was.Body)
		}
	}
	look()
	w.must(t, 204, probe.Call{Operation: "removeStaffMember", Path: member, Header: w.asOwner()})
	w.must(t, 200, probe.Call{Operation: "updateAccount", Header: headers("", "Cookie", cookie), Body: body(map[string]any{"name": "Ada Elsewhere"})})
	look()
}

// asOf is a record as it was.
func (w *tenant) asOf(t rapid.TB, id string, at time.Time, kind string) map[string]any {
	query := url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}}
	if kind != "" {
		query.Set("kind", kind)
	}
	answer := w.ask(t, "getAuditRecord", map[string]string{"record_id": id}, query, nil)
	record, ok := object(t, answer.Body)["record"].(map[string]any)
	if answer.Status != 200 || !ok {
		t.Fatalf("%s at %v: %d %s", id, at, answer.Status, answer.Body)
	}
	return record
}

func only(doc map[string]any, names []string) map[string]any {
	picked := map[string]any{}
	for _, name := range names {
		picked[name] = doc[name]
	}
	return picked
}

// unpictured is an order without its pictures' addresses.
func unpictured(order map[string]any) map[string]any {
	for _, each := range order["lines"].([]any) {
		delete(each.(map[string]any), "image_url")
	}
	return order
}
