package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestReading(t *testing.T) {
	f := open(t)
	first, second := f.buy(1), f.buy(2)
	hidden := f.buy(1)
	f.Exec(t, `update orders set state = 'pending' where id = $1`, hidden.id)
	f.Exec(t, `insert into customers (id, email) values ('cus_1', 'ada@example.com')`)
	f.Exec(t, `update orders set customer_id = 'cus_1' where id = $1`, first.id)
	ful, err := f.fulfil(first.id)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := f.refund(orders.RefundInput{OrderID: first.id, Amount: euros(1), Reason: "Late."})
	if err != nil {
		t.Fatal(err)
	}
	object, err := f.service.Get(f.Ctx, "https://shop.example", first.id)
	if err != nil || object.Version != 3 {
		t.Fatalf("version %d, %v", object.Version, err)
	}
	for _, part := range []string{"https://shop.example/media/k/1.jpg", ful, ref, `"Late."`, "https://post.example/123", first.payment, `"Ring."`, `"VAT"`} {
		if !strings.Contains(string(object.Data), part) {
			t.Errorf("%s is missing in %s", part, object.Data)
		}
	}
	for _, id := range []string{hidden.id, ids.New("ord")} {
		if _, err := f.service.Get(f.Ctx, "", id); !problem.Is(err, "not_found") {
			t.Errorf("%s: %v", id, err)
		}
	}
	for name, c := range map[string]struct {
		token, customer string
		found           bool
	}{"by token": {first.token, "", true}, "by customer": {"", "cus_1", true}, "by neither": {"", "", false}, "another's token": {second.token, "", false}, "another": {"", "cus_2", false}} {
		_, err := f.service.ShopGet(f.Ctx, "", first.id, c.token, c.customer)
		if c.found != (err == nil) || err != nil && !problem.Is(err, "not_found") {
			t.Errorf("%s: %v", name, err)
		}
	}
	list := func(filter orders.Filter) (found []string, next string) {
		t.Helper()
		if filter.Limit == 0 {
			filter.Limit = 10
		}
		page, err := f.service.List(f.Ctx, "", filter)
		if err != nil {
			t.Fatal(err)
		}
		return listed(t, page), page.Next
	}
	if found, next := list(orders.Filter{}); fmt.Sprint(found) != fmt.Sprint([]string{second.id, first.id}) || next != "" {
		t.Errorf("all: %v, %q", found, next)
	}
	found, next := list(orders.Filter{Limit: 1})
	if len(found) != 1 || found[0] != second.id || next != second.id {
		t.Errorf("first page: %v, %q", found, next)
	}
	if found, next = list(orders.Filter{Limit: 1, After: next}); len(found) != 1 || found[0] != first.id || next != "" {
		t.Errorf("second page: %v, %q", found, next)
	}
	for name, filter := range map[string]orders.Filter{
		"state": {State: "completed"}, "payment": {PaymentState: "partially_refunded"}, "fulfilment": {FulfilmentState: "fulfilled"},
		"customer": {CustomerID: "cus_1"}, "number": {Number: 1001}, "all at once": {Email: "Ada@example.com", Number: 1001, Since: "2020-01-01T00:00:00Z", Until: "2100-01-01T00:00:00Z"},
	} {
		if found, _ := list(filter); len(found) != 1 || found[0] != first.id {
			t.Errorf("by %s: %v", name, found)
		}
	}
	if found, _ := list(orders.Filter{Since: "2100-01-01T00:00:00Z"}); len(found) != 0 {
		t.Errorf("from the future: %v", found)
	}
	page, err := f.service.Mine(f.Ctx, "", "cus_1", "", 10)
	if err != nil || fmt.Sprint(listed(t, page)) != fmt.Sprint([]string{first.id}) {
		t.Errorf("mine: %s, %v", page.Data, err)
	}
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		fulJSON, err := f.service.FulfilmentJSON(ctx, tx, ful)
		if err != nil || !strings.Contains(string(fulJSON), ful) {
			t.Errorf("fulfilment: %s, %v", fulJSON, err)
		}
		refJSON, err := f.service.RefundJSON(ctx, tx, ref)
		if err != nil || !strings.Contains(string(refJSON), ref) {
			t.Errorf("refund: %s, %v", refJSON, err)
		}
		answer, err := f.service.ShopAnswer(ctx, tx, "", second.id)
		if err != nil || !strings.Contains(string(answer), second.id) || strings.Contains(string(answer), "cart_id") {
			t.Errorf("answer: %s, %v", answer, err)
		}
		same, err := f.service.GetIn(ctx, tx, "https://shop.example", first.id)
		if err != nil || string(same.Data) != string(object.Data) {
			t.Errorf("within the transaction: %s, %v", same.Data, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func listed(t testing.TB, page postgres.Page) (found []string) {
	t.Helper()
	var items []struct{ ID string }
	if err := json.Unmarshal(page.Data, &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		found = append(found, item.ID)
	}
	return found
}
