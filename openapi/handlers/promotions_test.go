package handlers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func TestPromotionLife(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	group := s.admin("POST", "/customer-groups", object{"name": "Trade"}).Want(201).String("id")
	made := s.admin("POST", "/promotions", object{
		"title": " Fifteen off ", "kind": "percentage", "class": "products", "percentage": "15", "codes": []string{"summer15"},
		"items": object{"variant_ids": []string{s.shirt}, "tags": []string{"linen"}}, "customer_group_ids": []string{group}, "combines_with": []string{"shipping", "order"},
		"minimum_amounts": []object{{"amount": 5000, "currency": "EUR"}}, "usage_limit": 100, "customer_limit": 1, "ends_at": "2099-01-01T00:00:00Z",
	}).Want(201)
	if made.String("title") != "Fifteen off" || made.String("state") != "active" || made.Get("automatic") != false || made.Get("codes_count") != 1.0 ||
		made.String("items.variant_ids.0") != s.shirt || made.String("combines_with.0") != "order" || made.Get("minimum_amounts.0.amount") != 5000.0 || made.Get("customer_limit") != 1.0 {
		t.Errorf("made: %s", made.Body)
	}
	at := "/promotions/" + made.String("id")
	read := s.admin("GET", at, nil).Want(200)
	if string(read.Body) != string(made.Body) {
		t.Errorf("read back other than it was made:\n%s\n%s", made.Body, read.Body)
	}
	s.admin("GET", at, nil, "If-None-Match: "+read.Header.Get("ETag")).Want(304)
	changed := s.admin("PATCH", at, object{
		"percentage": "20", "usage_limit": nil, "ends_at": nil, "minimum_amounts": []object{}, "customer_group_ids": []string{}, "active": false, "items": object{},
	}, "If-Match: "+read.Header.Get("ETag")).Want(200)
	if changed.Get("percentage") != "20" || changed.Get("usage_limit") != nil || changed.Get("ends_at") != nil || changed.Get("minimum_amounts.0") != nil ||
		changed.String("state") != "inactive" || changed.Get("items.variant_ids.0") != nil || changed.Get("customer_limit") != 1.0 {
		t.Errorf("changed: %s", changed.Body)
	}
	s.admin("PATCH", at, object{"percentage": "20"}, apitest.ChangesNothing).Want(200)
	s.admin("PATCH", at, object{"percentage": "0.01"}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("PATCH", at, object{"percentage": "0"}).WantProblem(422, "invalid_promotion")
	s.admin("PATCH", at, object{"starts_at": "2099-01-01T00:00:00Z", "active": true}).Want(200)
	free := s.admin("POST", "/promotions", object{"title": "Post", "kind": "free_shipping", "automatic": true}).Want(201)
	if free.String("class") != "shipping" || free.Get("codes_count") != 0.0 {
		t.Errorf("made: %s", free.Body)
	}
	first := s.admin("GET", "/promotions?limit=1", nil).Want(200)
	if got := names(first, "state") + " " + names(s.admin("GET", "/promotions?limit=1&cursor="+first.String("next_cursor"), nil).Want(200), "state"); got != "active scheduled" {
		t.Errorf("pages: %s", got)
	}
	// A group that a promotion is meant for stays.
	s.admin("PATCH", at, object{"customer_group_ids": []string{group}}).Want(200)
	s.admin("DELETE", "/customer-groups/"+group, nil).WantProblem(409, "group_in_use")
	s.admin("DELETE", at, nil, "If-Match: \"1\"").WantProblem(412, "stale")
	s.admin("DELETE", at+"?dry_run=true", nil).Want(204)
	s.admin("DELETE", at, nil).Want(204)
	s.admin("GET", at, nil).WantProblem(404, "not_found")
	s.admin("GET", at+"/codes", nil).WantProblem(404, "not_found")
	s.admin("DELETE", "/customer-groups/"+group, nil).Want(204)
	if got := events(t, s.API, s.Ctx, made.String("id")); got != "promotion.created promotion.updated promotion.updated promotion.updated promotion.updated promotion.deleted" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, s.API, s.Ctx, made.String("id")); got != "promotion.create promotion.add_codes promotion.update promotion.update promotion.update promotion.delete" {
		t.Errorf("audit: %s", got)
	}
}

func TestPromotionRefusals(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	post := func(change object) *apitest.Answer {
		body := object{"title": "x", "kind": "percentage", "percentage": "10"}
		for name, value := range change {
			body[name] = value
		}
		return s.admin("POST", "/promotions", body)
	}
	eur := func(amounts ...int) (list []object) {
		for _, n := range amounts {
			list = append(list, object{"amount": n, "currency": "EUR"})
		}
		return list
	}
	for pointer, change := range map[string]object{
		"/title": {"title": "  "}, "/percentage": {"percentage": "0"}, "/class": {"class": "shipping"}, "/amounts": {"kind": "fixed_amount"},
		"/amounts/1/currency": {"kind": "fixed_amount", "amounts": eur(1, 2)},
		"/buy_quantity":       {"kind": "buy_x_get_y", "get_quantity": 1}, "/get_quantity": {"kind": "buy_x_get_y", "buy_quantity": 1},
		"/ends_at": {"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"},
	} {
		if got := post(change).WantProblem(422, "invalid_promotion").String("errors.0.pointer"); got != pointer {
			t.Errorf("%v: %s", change, got)
		}
	}
	post(object{"automatic": true, "codes": []string{"ABC"}}).WantProblem(422, "automatic_promotion")
	post(object{"usage_limit": 0}).WantProblem(400, "invalid_request")
	post(object{"codes": []string{"A B"}}).WantProblem(400, "invalid_request")
	post(object{"used": 3}).WantProblem(400, "invalid_request")
	wrong := post(object{
		"items":              object{"variant_ids": []string{s.shirt, ids.New("var")}, "product_ids": []string{ids.New("prod")}, "collection_ids": []string{ids.New("col")}},
		"customer_group_ids": []string{ids.New("cgr")},
	}).WantProblem(422, "unknown_reference")
	for i, want := range []string{"/items/product_ids/0", "/items/variant_ids/1", "/items/collection_ids/0", "/customer_group_ids/0"} {
		if got := wrong.String(fmt.Sprintf("errors.%d.pointer", i)); got != want {
			t.Errorf("fault %d is at %s, not %s", i, got, want)
		}
	}
	at := "/v1/promotions/" + post(object{"codes": []string{"OURS"}}).Want(201).String("id")
	stranger := s.Staff(s.Platform.Store(t))
	for _, try := range [][3]any{
		{"GET", at, nil}, {"PATCH", at, object{"active": false}}, {"DELETE", at, nil}, {"GET", at + "/codes", nil},
		{"POST", at + "/codes", object{"count": 1}}, {"DELETE", at + "/codes/OURS", nil},
	} {
		s.Do(t, stranger, try[0].(string), try[1].(string), try[2]).WantProblem(404, "not_found")
	}
	reader := s.Scoped(s.Ctx, "promotions:read")
	s.Do(t, reader, "GET", at+"/codes", nil).Want(200)
	s.Do(t, reader, "PATCH", at, object{"active": false}).WantProblem(403, "missing_permission")
	s.Do(t, s.Scoped(s.Ctx, "products:read"), "GET", at, nil).WantProblem(403, "missing_permission")
	s.Do(t, s.pk, "GET", at, nil).WantProblem(403, "wrong_credential")
	s.Exec(t, `insert into promotions (id, title, automatic, rule) select 'prm_' || n, 'x', false, '{}' from generate_series(1, 199) n`)
	post(nil).WantProblem(422, "promotion_limit")
	post(object{"active": false}).Want(201)
}

func TestPromotionCodes(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	at := "/promotions/" + s.admin("POST", "/promotions", object{"title": "x", "kind": "free_shipping"}).Want(201).String("id")
	other := s.admin("POST", "/promotions", object{"title": "y", "kind": "free_shipping", "codes": []string{"taken"}}).Want(201)
	ctx, count := postgres.Counting(context.Background())
	made := s.DoContext(t, ctx, s.staff, "POST", "/v1"+at+"/codes", object{"codes": []string{"vip-one"}, "count": 9_999, "prefix": "vip-", "usage_limit": 1}, key())
	codes := made.Want(201).Get("codes").([]any)
	if len(codes) != 10_000 || codes[0] != "VIP-ONE" || len(codes[1].(string)) != len("VIP-")+16 || !strings.HasPrefix(codes[1].(string), "VIP-") {
		t.Errorf("made %d codes: %v …", len(codes), codes[:2])
	}
	if n := count.Statements.Load(); n > 6 {
		t.Errorf("10,000 codes take %d statements", n)
	}
	if got := s.admin("GET", at, nil).Want(200).Get("codes_count"); got != 10_000.0 {
		t.Errorf("there are %v", got)
	}
	taken := s.admin("POST", at+"/codes", object{"codes": []string{"NEW", "Taken", "VIP-one"}}).WantProblem(409, "code_taken")
	if taken.String("errors.0.pointer") != "/codes/1" || taken.String("errors.1.pointer") != "/codes/2" {
		t.Errorf("taken: %s", taken.Body)
	}
	s.admin("POST", at+"/codes", object{"codes": []string{"same", "SAME"}}).WantProblem(422, "invalid_promotion")
	s.admin("POST", at+"/codes", object{"codes": []string{"one-more"}, "count": 10_000}).WantProblem(422, "invalid_promotion")
	s.admin("POST", at+"/codes", object{}).WantProblem(422, "invalid_promotion")
	first := s.admin("GET", at+"/codes?limit=2", nil).Want(200)
	if first.Get("data.0.usage_limit") != 1.0 || first.Get("data.0.used") != 0.0 || first.Get("has_more") != true {
		t.Errorf("first page: %s", first.Body)
	}
	if got := s.admin("GET", at+"/codes?limit=2&cursor="+first.String("next_cursor"), nil).Want(200); got.String("data.0.code") <= first.String("data.1.code") {
		t.Errorf("second page: %s", got.Body)
	}
	s.admin("DELETE", at+"/codes/vip-one", nil).Want(204)
	s.admin("DELETE", at+"/codes/vip-one", nil).WantProblem(404, "not_found")
	s.admin("DELETE", at+"/codes/TAKEN", nil).WantProblem(404, "not_found")
	automatic := s.admin("POST", "/promotions", object{"title": "z", "kind": "free_shipping", "automatic": true}).Want(201).String("id")
	s.admin("POST", "/promotions/"+automatic+"/codes", object{"count": 1}).WantProblem(422, "automatic_promotion")
	s.admin("DELETE", "/promotions/"+other.String("id"), nil).Want(204)
	s.admin("POST", at+"/codes", object{"codes": []string{"TAKEN"}}).Want(201) // it went with its promotion
}

func TestCustomerGroups(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	trade := s.admin("POST", "/customer-groups", object{"name": " Trade "}).Want(201)
	at := "/customer-groups/" + trade.String("id")
	s.admin("POST", "/customer-groups", object{"name": "Trade"}).WantProblem(409, "group_taken")
	s.admin("POST", "/customer-groups", object{"name": "  "}).WantProblem(422, "details_invalid")
	s.admin("POST", "/customer-groups", object{"name": "Family"}).Want(201)
	if got := names(s.admin("GET", "/customer-groups", nil).Want(200), "name"); got != "Family Trade" {
		t.Errorf("list: %s", got)
	}
	read := s.admin("GET", at, nil).Want(200)
	s.admin("PATCH", at, object{"name": "Traders"}, "If-Match: "+read.Header.Get("ETag")).Want(200)
	s.admin("PATCH", at, object{"name": "Traders"}, "If-Match: "+read.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("PATCH", at, object{"name": "Family"}).WantProblem(409, "group_taken")
	s.order(1)
	customer := "/customers/" + s.admin("GET", "/customers", nil).Want(200).String("data.0.id")
	s.admin("PATCH", customer, object{"group_ids": []string{trade.String("id"), ids.New("cgr")}}).WantProblem(422, "unknown_reference")
	if got := s.admin("PATCH", customer, object{"group_ids": []string{trade.String("id")}}).Want(200).String("group_ids.0"); got != trade.String("id") {
		t.Errorf("groups of the customer: %s", got)
	}
	if got := s.admin("GET", at, nil).Want(200).Get("customers_count"); got != 1.0 {
		t.Errorf("%v customers", got)
	}
	stranger := s.Staff(s.Platform.Store(t))
	s.Do(t, stranger, "GET", "/v1"+at, nil).WantProblem(404, "not_found")
	s.Do(t, stranger, "PATCH", "/v1"+at, object{"name": "mine"}).WantProblem(404, "not_found")
	s.Do(t, stranger, "DELETE", "/v1"+at, nil).WantProblem(404, "not_found")
	s.admin("DELETE", at, nil).Want(204)
	if got := s.admin("GET", customer, nil).Want(200).Get("group_ids.0"); got != nil {
		t.Errorf("the customer is still in %v", got)
	}
	if got := audits(t, s.API, s.Ctx, trade.String("id")); got != "customer_group.create customer_group.update customer_group.delete" {
		t.Errorf("audit: %s", got)
	}
}

// A code goes from the cart to the order, which tells of it for good.
func TestCodesOfCarts(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	made := s.admin("POST", "/promotions", object{
		"title": "Two shirts, half off", "kind": "percentage", "class": "products", "percentage": "50", "minimum_quantity": 2, "codes": []string{"HALF"}, "usage_limit": 1,
		"items": object{"variant_ids": []string{s.shirt}},
	}).Want(201)
	s.admin("POST", "/promotions", object{"title": "Never", "kind": "percentage", "percentage": "50", "codes": []string{"ASLEEP"}, "active": false}).Want(201)
	path, token := s.cart(1)
	if got := s.shop("GET", path, nil, token).Want(200); got.Get("codes.0") != nil || got.Get("discounts.0") != nil {
		t.Errorf("a cart: %s", got.Body)
	}
	small := s.shop("POST", path+"/codes", object{"code": "half"}, token, key()).Want(201)
	if small.String("codes.0.code") != "HALF" || small.Get("codes.0.applied") != false || small.String("codes.0.reason") != "minimum_not_reached" || small.Get("totals.discount.amount") != 0.0 {
		t.Errorf("too few: %s", small.Body)
	}
	unknown := s.shop("POST", path+"/codes", object{"code": "NEVER"}, token).WantProblem(422, "code_invalid")
	asleep := s.shop("POST", path+"/codes", object{"code": "ASLEEP"}, token).WantProblem(422, "code_invalid")
	if unknown.String("detail") != asleep.String("detail") || fmt.Sprint(unknown.Get("errors")) != fmt.Sprint(asleep.Get("errors")) {
		t.Errorf("an unknown code is answered %s, one that sleeps %s", unknown.Body, asleep.Body)
	}
	s.shop("POST", path+"/codes", object{"code": "HALF", "promotion_id": "x"}, token).WantProblem(400, "invalid_request")
	s.shop("POST", path+"/codes", object{"code": "HALF"}).WantProblem(401, "invalid_cart_token")
	both := s.shop("POST", path+"/lines", object{"variant_id": s.shirt, "quantity": 1}, token).Want(201)
	if both.Get("codes.0.applied") != true || both.Get("codes.0.reason") != nil || both.Get("totals.discount.amount") != 1999.0 || both.Get("lines.0.discounts.0.amount.amount") != 1999.0 ||
		both.String("discounts.0.title") != "Two shirts, half off" || both.String("discounts.0.promotion_id") != made.String("id") || both.String("discounts.0.code") != "HALF" {
		t.Errorf("enough: %s", both.Body)
	}
	removed := s.shop("DELETE", path+"/codes/Half", nil, token, "If-Match: "+both.Header.Get("ETag")).Want(200)
	if removed.Get("codes.0") != nil || removed.Get("totals.discount.amount") != 0.0 {
		t.Errorf("removed: %s", removed.Body)
	}
	s.shop("DELETE", path+"/codes/HALF", nil, token, "If-Match: "+both.Header.Get("ETag")).WantProblem(412, "stale")
	s.shop("DELETE", path+"/codes/HALF", nil, token).WantProblem(404, "not_found")
	s.shop("POST", path+"/codes", object{"code": "HALF"}, token).Want(201)
	s.shop("POST", path+"/complete", completion(2, "succeeds"), token, key()).WantProblem(409, "total_changed")
	order := s.shop("POST", path+"/complete", completion(1, "succeeds"), token, key()).Want(201)
	for _, seen := range []*apitest.Answer{order, s.admin("GET", "/orders/"+order.String("id"), nil).Want(200)} {
		if seen.Get("totals.discount.amount") != 1999.0 || seen.String("discounts.0.code") != "HALF" || seen.Get("lines.0.discounts.0.amount.amount") != 1999.0 || seen.Get("lines.0.total.amount") != 1999.0 {
			t.Errorf("the order: %s", seen.Body)
		}
	}
	if got := s.shop("GET", path, nil, token).Want(200); got.Get("codes.0.applied") != true || got.String("discounts.0.code") != "HALF" || got.String("lines.0.discounts.0.code") != "HALF" {
		t.Errorf("the completed cart: %s", got.Body)
	}
	if got := s.admin("GET", "/promotions/"+made.String("id"), nil).Want(200); got.String("state") != "used_up" || got.Get("used") != 1.0 {
		t.Errorf("the promotion: %s", got.Body)
	}
	s.admin("PATCH", "/promotions/"+made.String("id"), object{"title": "Anything", "usage_limit": nil}).Want(200)
	s.shop("POST", path+"/codes", object{"code": "HALF"}, token).WantProblem(409, "cart_completed")
	if got := names(s.admin("GET", "/promotions/"+made.String("id")+"/codes", nil).Want(200), "used"); got != "1" {
		t.Errorf("uses of the code: %s", got)
	}
}
