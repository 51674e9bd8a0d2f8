package orders_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func back(line string, n int64) orders.ReturnLine {
	return orders.ReturnLine{LineID: line, Quantity: n, Reason: "too_small"}
}

func (f *fixture) openReturn(in orders.ReturnInput) (id string, err error) {
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		id, err = f.service.OpenReturn(ctx, tx, in)
		return err
	})
	return id, err
}

type returnStep func(context.Context, *postgres.Tx, orders.ReturnStep) error

func (f *fixture) step(do returnStep, id string) error {
	return f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return do(ctx, tx, orders.ReturnStep{ID: id, Message: "By post."})
	})
}

func (f *fixture) inspect(id string, findings ...orders.Finding) error {
	return f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return f.service.InspectReturn(ctx, tx, id, findings)
	})
}

func (f *fixture) payReturn(in orders.ReturnRefund) error {
	if in.Attempt == "" {
		in.Attempt = ids.New("key")
	}
	return f.service.RefundReturn(f.Ctx, in, nil)
}

func (f *fixture) returnState(id string) string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select state from returns where id = $1`, id)
}

// warehouse is the store's first location.
func (f *fixture) warehouse() string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select id from locations order by priority, id limit 1`)
}

// sent is an order of which all was sent.
func (f *fixture) sent(quantity int64, how ...string) bought {
	f.t.Helper()
	o := f.buy(quantity, how...)
	if _, err := f.fulfil(o.id); err != nil {
		f.t.Fatal(err)
	}
	return o
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A shopper asks to return two of three, and one more thing; one of the two is worn and goes
// back to the shopper.
func TestReturn(t *testing.T) {
	f := open(t)
	o := f.sent(3)
	f.Exec(t, `insert into customers (id, email) values ('cus_1', 'ada@example.com')`)
	f.Exec(t, `update orders set customer_id = 'cus_1'`)
	id, err := f.openReturn(orders.ReturnInput{OrderID: o.id, Asked: true, Note: "Sorry.", Lines: []orders.ReturnLine{back(o.lines[0], 2), back(o.lines[1], 1)}})
	must(t, err)
	dock := ids.New("loc")
	f.Exec(t, `insert into locations (id, name, active) values ($1, 'Dock', false)`, dock)
	must(t, f.step(f.service.ApproveReturn, id), f.step(f.service.ReceiveReturn, id),
		f.inspect(id, orders.Finding{LineID: o.lines[0], Accepted: 1, Condition: "opened", Location: f.warehouse()}, orders.Finding{LineID: o.lines[1], Accepted: 1, Condition: "damaged", Location: dock}))
	if a, b := f.Stock(t, o.variants[0]), f.Stock(t, o.variants[1]); a != 101 || b != 100 {
		t.Errorf("%d and %d for sale, want 101 and 100", a, b)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(concat_ws(' ', type, reason, quantity, order_id = $1, location_id = $2), ', ' order by variant_id = $3) from stock_movements`, o.id, dock, o.variants[1]); got != "return returned 1 t f, return returned 1 t t" {
		t.Errorf("the ledger says %s", got)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(returned_quantity::text, ' ' order by position) from order_lines`); got != "1 1" {
		t.Errorf("%s came back", got)
	}
	// 10.00 and 3.33, and half of the shipping, less a fee.
	must(t, f.payReturn(orders.ReturnRefund{ReturnID: id, Fee: euros(200), Shipping: euros(245), Reason: "Late.", Attempt: "a"}))
	f.want(o.id, "completed partially_refunded fulfilled 1378")
	f.sound()
	if got := f.events(id); got != "return.requested return.approved return.received return.inspected return.closed" {
		t.Errorf("events: %s", got)
	}
	object, err := f.service.Return(f.Ctx, f.DB, id)
	must(t, err)
	for _, want := range []string{`"closed"`, `"ref_`, `"By post."`, `"Sorry."`, `"damaged"`, dock} {
		if !strings.Contains(string(object.Data), want) {
			t.Errorf("there is no %s in %s", want, object.Data)
		}
	}
	shown, err := f.service.ShopGet(f.Ctx, "", o.id, o.token, "")
	must(t, err)
	if !strings.Contains(string(shown), id) || strings.Contains(string(shown), dock) {
		t.Errorf("the shopper sees %s", shown)
	}
	timeline, err := f.service.Timeline(f.Ctx, o.id, "", 50)
	must(t, err)
	if !strings.Contains(string(timeline.Data), `"return.inspect"`) {
		t.Errorf("the timeline is %s", timeline.Data)
	}
	// Asked again under the same name it is the same refund; otherwise the return has ended.
	must(t, f.payReturn(orders.ReturnRefund{ReturnID: id, Attempt: "a"}))
	if err := f.payReturn(orders.ReturnRefund{ReturnID: id}); !problem.Is(err, "invalid_transition") {
		t.Errorf("paid back once more: %v", err)
	}
	// Two of the first line are still the shopper's.
	_, err = f.openReturn(orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 3)}})
	if !problem.Is(err, "quantity_exceeded") {
		t.Errorf("three of two: %v", err)
	}
	page, err := f.service.Returns(f.Ctx, orders.ReturnFilter{OrderID: o.id, State: "closed", Limit: 5})
	if must(t, err); !strings.Contains(string(page.Data), id) {
		t.Errorf("the list is %s", page.Data)
	}
}

func TestRefusedReturns(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	if _, err := f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[0], Quantity: 2}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in   orders.ReturnInput
		code string
	}{
		"more than was sent": {orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 3)}}, "quantity_exceeded"},
		"not sent":           {orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[1], 1)}}, "quantity_exceeded"},
		"none":               {orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 0)}}, "quantity_exceeded"},
		"less than none":     {orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], -1)}}, "quantity_exceeded"},
		"another's line":     {orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(ids.New("orl"), 1)}}, "unknown_reference"},
		"twice":              {orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 1), back(o.lines[0], 1)}}, "details_invalid"},
		"no order":           {orders.ReturnInput{OrderID: ids.New("ord"), Lines: []orders.ReturnLine{back(o.lines[0], 1)}}, "not_found"},
	} {
		if _, err := f.openReturn(c.in); !problem.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	id, err := f.openReturn(orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 2)}})
	must(t, err)
	one, here := int64(1), f.warehouse()
	whole := orders.Finding{LineID: o.lines[0], Accepted: 2, Condition: "new", Location: here}
	if err := f.inspect(id, whole); !problem.Is(err, "invalid_transition") {
		t.Errorf("inspected before it came: %v", err)
	}
	must(t, f.step(f.service.ReceiveReturn, id))
	if err := f.step(f.service.CancelReturn, id); !problem.Is(err, "invalid_transition") {
		t.Errorf("cancelled after it came: %v", err)
	}
	for name, c := range map[string]struct {
		findings []orders.Finding
		code     string
	}{
		"nothing":         {nil, "details_invalid"},
		"more":            {[]orders.Finding{{LineID: o.lines[0], Accepted: 3, Condition: "new"}}, "quantity_exceeded"},
		"restocked more":  {[]orders.Finding{{LineID: o.lines[0], Accepted: 0, Restocked: &one, Location: here}}, "quantity_exceeded"},
		"no condition":    {[]orders.Finding{{LineID: o.lines[0], Accepted: 1}}, "details_invalid"},
		"nowhere":         {[]orders.Finding{{LineID: o.lines[0], Accepted: 1, Condition: "new", Restocked: &one}}, "details_invalid"},
		"another's place": {[]orders.Finding{{LineID: o.lines[0], Accepted: 1, Condition: "new", Location: ids.New("loc")}}, "unknown_reference"},
		"another line":    {[]orders.Finding{whole, {LineID: o.lines[1], Accepted: 1, Condition: "new"}}, "unknown_reference"},
		"twice":           {[]orders.Finding{whole, whole}, "details_invalid"},
	} {
		if err := f.inspect(id, c.findings...); !problem.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if err := f.payReturn(orders.ReturnRefund{ReturnID: id}); !problem.Is(err, "invalid_transition") {
		t.Errorf("paid back before the inspection: %v", err)
	}
	must(t, f.inspect(id, whole))
	dollars := *euros(1)
	dollars.Currency = "USD"
	for name, in := range map[string]orders.ReturnRefund{
		"a fee of more": {Fee: euros(2001)}, "a fee below nothing": {Fee: euros(-1)}, "more shipping than there was": {Shipping: euros(491)}, "dollars": {Fee: &dollars},
	} {
		in.ReturnID = id
		if err := f.payReturn(in); !problem.Is(err, "details_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.payReturn(orders.ReturnRefund{ReturnID: id, Fee: euros(2000)}); !problem.Is(err, "nothing_left") {
		t.Errorf("nothing is left of it: %v", err)
	}
	// Most of the order is paid back by other means.
	if _, err := f.refund(orders.RefundInput{OrderID: o.id, Amount: euros(o.total - 1999)}); err != nil {
		t.Fatal(err)
	}
	if err := f.payReturn(orders.ReturnRefund{ReturnID: id}); !problem.Is(err, "refund_exceeds_payment") {
		t.Errorf("more than is left: %v", err)
	}
	must(t, f.step(f.service.CloseReturn, id))
	if err := f.step(f.service.CloseReturn, id); !problem.Is(err, "invalid_transition") {
		t.Errorf("closed twice: %v", err)
	}
	if err := f.step(f.service.CloseReturn, ids.New("ret")); !problem.Is(err, "not_found") {
		t.Errorf("no return: %v", err)
	}
	// What came back does not keep the rest from being sent.
	if _, err := f.fulfil(o.id); err != nil {
		t.Fatal(err)
	}
	f.want(o.id, fmt.Sprintf("completed partially_refunded fulfilled %d", o.total-1999))
}

// A refund that the provider refuses leaves the return inspected; it can be closed, or asked
// for again. One without an answer holds the return until it has one.
func TestRefundsOfReturnsThatFail(t *testing.T) {
	f := open(t)
	inspected := func(o bought) string {
		id, err := f.openReturn(orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 1)}})
		must(t, err, f.step(f.service.ReceiveReturn, id), f.inspect(id, orders.Finding{LineID: o.lines[0], Accepted: 1, Condition: "used"}))
		return id
	}
	id := inspected(f.sent(1, payments.TokenRefundFails))
	for range 2 {
		if err := f.payReturn(orders.ReturnRefund{ReturnID: id}); !problem.Is(err, "refund_refused") || f.returnState(id) != "inspected" {
			t.Errorf("%v, %s", err, f.returnState(id))
		}
	}
	must(t, f.step(f.service.CloseReturn, id))

	o := f.sent(1)
	id = inspected(o)
	f.provider.after = func() error { return errLost }
	must(t, f.payReturn(orders.ReturnRefund{ReturnID: id}))
	f.provider.after = nil
	if err := f.payReturn(orders.ReturnRefund{ReturnID: id}); !problem.Is(err, "invalid_transition") {
		t.Errorf("paid back twice: %v", err)
	}
	if err := f.step(f.service.CloseReturn, id); !problem.Is(err, "invalid_transition") {
		t.Errorf("closed while it is paid back: %v", err)
	}
	f.Exec(t, `update refunds set updated_at = now() - interval '1 hour' where state = 'pending'`)
	if n, err := f.service.ResumePending(f.Ctx); n != 1 || err != nil || f.returnState(id) != "closed" {
		t.Errorf("resumed %d, %v, %s", n, err, f.returnState(id))
	}
	f.want(o.id, "completed partially_refunded fulfilled 1000")
	f.sound()
}

// Whoever asks at once: no more comes back than was sent.
func TestParallelReturns(t *testing.T) {
	f := open(t)
	o := f.sent(5)
	var opened atomic.Int64
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			_, err := f.openReturn(orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(o.lines[0], 1)}})
			if err == nil {
				opened.Add(1)
			} else if !problem.Is(err, "quantity_exceeded") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if opened.Load() != 5 {
		t.Errorf("%d of 5 come back", opened.Load())
	}
	id := shoptest.Value[string](t, f.Shop, `select min(id) from returns`)
	must(t, f.step(f.service.ReceiveReturn, id), f.inspect(id, orders.Finding{LineID: o.lines[0], Accepted: 1, Condition: "new", Location: f.warehouse()}))
	var paid atomic.Int64
	for range 4 {
		wg.Go(func() {
			if err := f.payReturn(orders.ReturnRefund{ReturnID: id}); err == nil {
				paid.Add(1)
			} else if !problem.Is(err, "invalid_transition") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.want(o.id, "completed partially_refunded fulfilled 1000")
	if paid.Load() != 1 {
		t.Errorf("it was paid back %d times", paid.Load())
	}
	f.sound()
}

// follows are the states that each state of a return can be followed by.
var follows = map[string][]string{
	"requested": {"approved", "declined", "cancelled"}, "approved": {"received", "cancelled"}, "received": {"inspected"}, "inspected": {"closed"},
}

// Whatever is done to an order's returns, in whichever order: a return goes its way, no more
// comes back than was sent, none of it is put back or paid back twice.
func TestHistoriesOfReturns(t *testing.T) {
	f := open(t)
	f.Exec(t, `insert into customers (id, email) values ('cus_1', 'ada@example.com')`)
	here := f.warehouse()
	rapid.Check(t, func(rt *rapid.T) {
		o := f.buy(rapid.Int64Range(1, 3).Draw(rt, "units"))
		f.Exec(t, `update orders set customer_id = 'cus_1' where id = $1`, o.id)
		if _, err := f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[0], Quantity: o.quantity}); err != nil {
			rt.Fatal(err)
		}
		states := map[string]string{}
		var returns []string
		for range rapid.IntRange(4, 16).Draw(rt, "steps") {
			line, n := o.lines[rapid.IntRange(0, 1).Draw(rt, "line")], rapid.Int64Range(1, 2).Draw(rt, "n")
			step := rapid.SampledFrom([]string{"go on", "go on", "go on", "go on", "open", "open", "any", "fulfil", "refund", "cancel order"}).Draw(rt, "step")
			id := ids.New("ret")
			if len(returns) > 0 {
				id = rapid.SampledFrom(returns).Draw(rt, "return")
			} else if step == "go on" {
				step = "open"
			}
			switch step {
			case "go on":
				next := map[string][]string{
					"requested": {"approve", "approve", "decline", "cancel"}, "approved": {"receive", "receive", "receive", "cancel"}, "received": {"inspect"}, "inspected": {"pay", "pay", "close"},
				}[states[id]]
				if step = "open"; len(next) > 0 {
					step = rapid.SampledFrom(next).Draw(rt, "next")
				}
			case "any":
				step = rapid.SampledFrom([]string{"approve", "decline", "receive", "inspect", "pay", "close", "cancel"}).Draw(rt, "next")
			}
			var err error
			switch step {
			case "fulfil":
				_, err = f.fulfil(o.id, orders.LineQuantity{LineID: line, Quantity: n})
			case "open":
				in := orders.ReturnInput{OrderID: o.id, Lines: []orders.ReturnLine{back(line, n)}, Asked: rapid.Bool().Draw(rt, "by the shopper")}
				if id, err = f.openReturn(in); err == nil {
					returns = append(returns, id)
				}
			case "approve":
				err = f.step(f.service.ApproveReturn, id)
			case "decline":
				err = f.step(f.service.DeclineReturn, id)
			case "receive":
				err = f.step(f.service.ReceiveReturn, id)
			case "inspect":
				if len(returns) > 0 {
					of := shoptest.Value[string](t, f.Shop, `select lines->0->>'line_id' from returns where id = $1`, id)
					finding := orders.Finding{LineID: of, Accepted: rapid.Int64Range(0, n).Draw(rt, "accepted"), Condition: "new"}
					if rapid.Bool().Draw(rt, "restocked") {
						finding.Location = here
					}
					err = f.inspect(id, finding)
				}
			case "pay":
				err = f.payReturn(orders.ReturnRefund{ReturnID: id, Fee: euros(rapid.Int64Range(0, 300).Draw(rt, "fee"))})
			case "close":
				err = f.step(f.service.CloseReturn, id)
			case "cancel":
				err = f.step(f.service.CancelReturn, id)
			case "refund":
				_, err = f.refund(orders.RefundInput{OrderID: o.id, Restock: true, Lines: []orders.LineQuantity{{LineID: line, Quantity: n}}})
			case "cancel order":
				err = f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "other", Attempt: ids.New("key")}, nil)
			}
			if err != nil && problem.As(err) == nil {
				rt.Fatal(err)
			}
			f.judgeReturns(rt, o, returns, states)
		}
	})
	f.sound()
}

func (f *fixture) judgeReturns(rt *rapid.T, o bought, returns []string, states map[string]string) {
	for _, id := range returns {
		now, was := f.returnState(id), states[id]
		if was != "" && now != was && !strings.Contains(strings.Join(follows[was], " "), now) {
			rt.Fatalf("a return that was %s is %s", was, now)
		}
		states[id] = now
	}
	for i, variant := range o.variants {
		// What the warehouse has of it again was sold once, and no more of it than that.
		if stock := f.Stock(f.t, variant); stock > 100+o.quantity {
			rt.Fatalf("%d in stock of %d sold", stock-100, o.quantity)
		}
		var sent, back, open, refunded int64
		err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select l.fulfilled_quantity, l.returned_quantity, l.refunded_quantity,
				(select coalesce(sum((x->>'quantity')::bigint), 0)::bigint from returns b, jsonb_array_elements(b.lines) x
					where b.order_id = l.order_id and b.state in ('requested', 'approved', 'received') and x->>'line_id' = l.id)
				from order_lines l where l.id = $1`, o.lines[i]).Scan(&sent, &back, &refunded, &open)
		})
		if err != nil {
			rt.Fatal(err)
		}
		if back+open > sent || refunded > o.quantity {
			rt.Fatalf("of %d sent %d came back and %d are to; %d are paid back of %d", sent, back, open, refunded, o.quantity)
		}
	}
}
