package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/openapi/apitest"
)

// edit edits an order.
func (s *selling) edit(order string, body object, headers ...string) *apitest.Answer {
	s.t.Helper()
	return s.admin("POST", "/orders/"+order+"/edits", body, append(headers, key())...)
}

// What an order contains is changed after it was placed, and what is owed follows.
func TestEditingAnOrder(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	mug := s.Add(t, shoptest.Variant{Title: "Mug", EUR: 1000, Stock: 3})
	order := s.order(2)
	read := s.admin("GET", "/orders/"+order, nil).Want(200)
	line, tag := read.String("lines.0.id"), "If-Match: "+read.Header.Get("ETag")
	one := object{"lines": []object{{"line_id": line, "quantity": 1}}, "reason": "One is enough."}

	// It is seen before, and changes nothing.
	tried := s.admin("POST", "/orders/"+order+"/edits?dry_run=true", one, tag).Want(201)
	if tried.Get("totals.total.amount") != 2489.0 || tried.Get("edits.0.difference.amount") != -1999.0 || tried.Get("totals.balance.amount") != -1999.0 {
		t.Errorf("tried: %s", tried.Body)
	}
	s.owes(order, 0, 0, "paid")

	// What is taken out goes back, and so does its money; it is no refund of what the order contains.
	again := key()
	fewer := s.admin("POST", "/orders/"+order+"/edits", one, tag, again).Want(201)
	if fewer.Get("lines.0.quantity") != 1.0 || fewer.String("edits.0.reason") != "One is enough." || fewer.String("edits.0.refund_id") == "" {
		t.Errorf("fewer: %s", fewer.Body)
	}
	s.admin("POST", "/orders/"+order+"/edits", one, tag, again, apitest.ChangesNothing).Want(201)
	s.admin("POST", "/orders/"+order+"/edits", one, tag, key()).WantProblem(412, "stale")
	now := s.admin("GET", "/orders/"+order, nil).Want(200)
	if now.String("refunds.0.state") != "succeeded" || now.Get("refunds.0.amount.amount") != 1999.0 || now.Get("refunds.0.balance") != true || now.Get("totals.refunded.amount") != 0.0 {
		t.Errorf("paid back: %s", now.Body)
	}
	if n := s.Stock(t, s.shirt); n != 99 {
		t.Errorf("%d shirts are left", n)
	}
	s.owes(order, 0, 0, "paid")

	// What is added is sold, and owed until it is paid.
	more := s.edit(order, object{"add": []object{{"variant_id": mug, "quantity": 2, "attributes": object{"Engraving": "Ada"}}, {"variant_id": s.shirt, "quantity": 1, "unit_price": euros(1500)}}}).Want(201)
	if more.Get("totals.total.amount") != 2489.0+2000+1500 || more.Get("lines.1.tax.amount") != 319.0 || more.Get("lines.2.unit_price.amount") != 1500.0 || len(more.Get("lines").([]any)) != 3 {
		t.Errorf("more: %s", more.Body)
	}
	if got := more.Get("allocations").([]any); len(got) != 3 || s.Stock(t, mug) != 1 || s.Stock(t, s.shirt) != 98 {
		t.Errorf("%v, %d mugs and %d shirts", got, s.Stock(t, mug), s.Stock(t, s.shirt))
	}
	s.owes(order, 3500, 3500, "partially_paid")
	s.edit(order, object{"shipping": euros(0)}).Want(201)
	s.owes(order, 3010, 3010, "partially_paid")
	s.admin("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "test", "token": "succeeds"}}, key()).Want(201)
	s.owes(order, 0, 0, "paid")

	// What the store owes can be kept, and paid back later.
	mugs := more.String("lines.1.id")
	s.edit(order, object{"lines": []object{{"line_id": mugs, "quantity": 1}}, "refund": false}).Want(201)
	s.owes(order, -1000, 0, "paid")
	s.admin("POST", "/orders/"+order+"/refunds", object{"balance": true, "amount": euros(1001)}, key()).WantProblem(422, "refund_exceeds_payment")
	s.admin("POST", "/orders/"+order+"/refunds", object{"balance": true, "lines": []object{{"line_id": mugs, "quantity": 1}}}, key()).WantProblem(422, "details_invalid")
	s.admin("POST", "/orders/"+order+"/refunds", object{"balance": true, "amount": euros(400)}, key()).Want(201)
	s.owes(order, -600, 0, "paid")
	if got := s.admin("POST", "/orders/"+order+"/refunds", object{"balance": true}, key()).Want(201).Get("amount.amount"); got != 600.0 {
		t.Errorf("%v were left", got)
	}
	s.admin("POST", "/orders/"+order+"/refunds", object{"balance": true}, key()).WantProblem(409, "nothing_left")
	s.owes(order, 0, 0, "paid")

	// What was sent stays, and more of it reopens the order.
	s.admin("POST", "/orders/"+order+"/fulfilments", object{}, key()).Want(201)
	if got := s.states(order); got != "completed paid fulfilled" {
		t.Errorf("sent: %s", got)
	}
	s.edit(order, object{"lines": []object{{"line_id": mugs, "quantity": 0}}}).WantProblem(422, "quantity_exceeded")
	s.edit(order, object{"lines": []object{{"line_id": mugs, "quantity": 2}}}).Want(201)
	if got := s.states(order); got != "open partially_paid partially_fulfilled" {
		t.Errorf("more of it: %s", got)
	}
	s.edit(order, object{"lines": []object{{"line_id": mugs, "quantity": 1}}}).Want(201)
	if got := s.states(order); got != "completed paid fulfilled" {
		t.Errorf("as it was: %s", got)
	}
	s.booksAgree()
}

// What cannot be is refused, with what is wrong at its place, and nothing is changed.
func TestEditsThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	other := newSelling(t)
	few := s.Add(t, shoptest.Variant{Title: "Mug", EUR: 1000, Stock: 1})
	dollars := s.Add(t, shoptest.Variant{Title: "Vase", USD: 1000, Stock: 1})
	order := s.order(2)
	foreign := other.order(1)
	line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
	theirs := other.admin("GET", "/orders/"+foreign, nil).Want(200).String("lines.0.id")
	for name, c := range map[string]struct {
		body   object
		status int
		code   string
		at     string
	}{
		"nothing":                  {object{}, 400, "invalid_request", ""},
		"only a reason":            {object{"reason": "x"}, 422, "details_invalid", ""},
		"the same":                 {object{"lines": []object{{"line_id": line, "quantity": 2}}}, 422, "details_invalid", ""},
		"the same shipping":        {object{"shipping": euros(490)}, 422, "details_invalid", ""},
		"no line at all":           {object{"lines": []object{{"line_id": line, "quantity": 0}}}, 422, "details_invalid", "/lines"},
		"a line twice":             {object{"lines": []object{{"line_id": line, "quantity": 1}, {"line_id": line, "quantity": 1}}}, 422, "details_invalid", "/lines/1/line_id"},
		"another store's line":     {object{"lines": []object{{"line_id": theirs, "quantity": 1}}}, 422, "unknown_reference", "/lines/0/line_id"},
		"fewer than none":          {object{"lines": []object{{"line_id": line, "quantity": -1}}}, 400, "invalid_request", ""},
		"too many":                 {object{"lines": []object{{"line_id": line, "quantity": 10000}}}, 400, "invalid_request", ""},
		"more than there are":      {object{"lines": []object{{"line_id": line, "quantity": 200}}}, 409, "out_of_stock", "/lines/0/quantity"},
		"more added than there":    {object{"add": []object{{"variant_id": few, "quantity": 2}}}, 409, "out_of_stock", "/add/0/quantity"},
		"another store's variant":  {object{"add": []object{{"variant_id": other.shirt, "quantity": 1}}}, 422, "unknown_reference", "/add/0/variant_id"},
		"no price":                 {object{"add": []object{{"variant_id": dollars, "quantity": 1}}}, 422, "details_invalid", "/add/0/unit_price"},
		"a price in dollars":       {object{"add": []object{{"variant_id": few, "quantity": 1, "unit_price": object{"amount": 1, "currency": "USD"}}}}, 422, "details_invalid", "/add/0/unit_price"},
		"a price below nothing":    {object{"add": []object{{"variant_id": few, "quantity": 1, "unit_price": euros(-1)}}}, 400, "invalid_request", ""},
		"shipping in dollars":      {object{"shipping": object{"amount": 1, "currency": "USD"}}, 422, "details_invalid", "/shipping"},
		"more than can be charged": {object{"add": []object{{"variant_id": few, "quantity": 1, "unit_price": euros(999_999_999_999)}}}, 422, "total_too_large", ""},
	} {
		got := s.edit(order, c.body)
		if got.Status != c.status || got.String("code") != c.code || c.at != "" && got.String("errors.0.pointer") != c.at {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	s.admin("POST", "/orders/"+foreign+"/edits", object{"shipping": euros(1)}, key()).WantProblem(404, "not_found")
	s.admin("POST", "/orders/"+order+"/refunds", object{"amount": euros(4400)}, key()).Want(201)
	s.edit(order, object{"lines": []object{{"line_id": line, "quantity": 1}}}).WantProblem(422, "total_below_refunded")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from order_edits`); n != 0 || s.Stock(t, s.shirt) != 98 || s.Stock(t, few) != 1 {
		t.Errorf("%d edits, %d shirts and %d mugs", n, s.Stock(t, s.shirt), s.Stock(t, few))
	}
	cancelled := s.order(1)
	s.admin("POST", "/orders/"+cancelled+"/cancel", object{"reason": "customer"}, key()).Want(200)
	s.edit(cancelled, object{"shipping": euros(1)}).WantProblem(409, "order_cancelled")
	s.booksAgree()
}

// What is due follows the total; what is held cannot grow, and less of it is captured.
func TestEditsBeforeTheMoneyCame(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.byBank()
	quantity := func(order string, n int) {
		t.Helper()
		line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
		s.edit(order, object{"lines": []object{{"line_id": line, "quantity": n}}}).Want(201)
	}
	order := s.byBankTransfer()
	due, _ := s.payment(order)
	quantity(order, 3)
	s.owes(order, 6487, 0, "pending")
	quantity(order, 2)
	s.owes(order, 4488, 0, "pending")
	if got := s.admin("POST", "/payments/"+due+"/capture", nil, key()).Want(200).Get("captured.amount"); got != 4488.0 {
		t.Errorf("%v came", got)
	}
	s.owes(order, 0, 0, "paid")
	quantity(order, 3) // owes 1999, which is due, and is not any more
	rest := s.admin("POST", "/orders/"+order+"/payments", object{"payment": object{"provider": "manual", "token": "bank_transfer"}}, key()).Want(201).String("id")
	quantity(order, 1)
	if got := s.admin("GET", "/payments/"+rest, nil).Want(200).String("state"); got != "voided" {
		t.Errorf("what was due is %s", got)
	}
	s.owes(order, 0, 0, "paid")

	s.admin("PATCH", "/payment-settings", object{"capture_method": "manual"}).Want(200)
	order = s.order(2)
	hold, _ := s.payment(order)
	quantity(order, 3)
	s.owes(order, 6487, 1999, "authorised")
	quantity(order, 1)
	s.owes(order, 2489, 0, "authorised")
	s.admin("POST", "/payments/"+hold+"/capture", object{"amount": euros(2490)}, key()).WantProblem(422, "details_invalid")
	got := s.admin("POST", "/payments/"+hold+"/capture", nil, key()).Want(200)
	if got.Get("captured.amount") != 2489.0 || got.Get("amount.amount") != 4488.0 {
		t.Errorf("captured: %s", got.Body)
	}
	s.owes(order, 0, 0, "paid")

	// An order that is cancelled gives everything back, what was owed before as well.
	order = s.order(2)
	hold, _ = s.payment(order)
	s.admin("POST", "/payments/"+hold+"/capture", nil, key()).Want(200)
	line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
	s.edit(order, object{"lines": []object{{"line_id": line, "quantity": 1}}, "refund": false}).Want(201)
	s.admin("POST", "/orders/"+order+"/cancel", object{"reason": "customer"}, key()).Want(200)
	s.Exec(t, `update refunds set updated_at = now() - interval '1 hour' where state = 'pending'`)
	if _, err := s.sold.ResumePending(s.Ctx); err != nil {
		t.Fatal(err)
	}
	s.owes(order, 0, 0, "refunded")
	s.booksAgree()
}

// What was invoiced is corrected by documents of their own, which come to the order's total.
func TestDocumentsOfEdits(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	s.admin("PATCH", "/invoicing", object{"seller": object{"address": object{"name": "Example Ltd", "line1": "1 Pot Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}}}).Want(200)
	order := s.order(2)
	line := s.admin("GET", "/orders/"+order, nil).Want(200).String("lines.0.id")
	s.edit(order, object{"shipping": euros(500)}).Want(201) // before there is an invoice: it is part of it
	s.admin("POST", "/orders/"+order+"/invoice", nil, key()).Want(201)
	for _, n := range []int{4, 1, 2} {
		s.edit(order, object{"lines": []object{{"line_id": line, "quantity": n}}, "add": []object{{"variant_id": s.shirt, "quantity": 1, "unit_price": euros(100)}}, "reason": "She rang."}).Want(201)
	}
	s.admin("POST", "/orders/"+order+"/refunds", object{"lines": []object{{"line_id": line, "quantity": 1}}}, key()).Want(201)
	for _, raw := range shoptest.Value[[]string](t, s.Shop, `select array_agg(id order by created_at) from (
		select id, created_at from order_edits union all select id, created_at from refunds where not of_balance) x`) {
		args := documents.IssueArgs{OrderID: order, EditID: raw}
		if strings.HasPrefix(raw, "ref_") {
			args = documents.IssueArgs{OrderID: order, RefundID: raw}
		}
		for range 2 { // and once only
			if err := s.printed.Issue(s.Ctx, args); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := s.admin("GET", "/documents?order_id="+order, nil).Want(200)
	var kinds []string
	total, tax := 0.0, 0.0
	for _, d := range list.Get("data").([]any) {
		d := d.(map[string]any)
		kinds = append([]string{d["kind"].(string) + " " + d["number"].(string)}, kinds...)
		sign := 1.0
		if d["kind"] == "credit_note" {
			sign = -1
		}
		total += sign * d["total"].(map[string]any)["amount"].(float64)
		tax += sign * d["tax"].(map[string]any)["amount"].(float64)
		s.admin("GET", "/documents/"+d["id"].(string)+"/pdf", nil).Want(200)
	}
	now := s.admin("GET", "/orders/"+order, nil).Want(200)
	if want := "invoice INV-1, invoice INV-2, credit_note CN-1, invoice INV-3, credit_note CN-2"; strings.Join(kinds, ", ") != want {
		t.Errorf("documents %v, want %s", kinds, want)
	}
	if want := now.Get("totals.total.amount").(float64) - now.Get("totals.refunded.amount").(float64); total != want {
		t.Errorf("the documents come to %v, and the order to %v", total, want)
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from documents where edit_id is not null and tax_amount = 0`); n != 0 || tax <= 0 {
		t.Errorf("%d documents without a tax, %v in all", n, tax)
	}
	s.booksAgree()
}
