package orders_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestRefundOfEverything(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	var answered string
	id, err := f.service.Refund(f.Ctx, orders.RefundInput{OrderID: o.id, Restock: true, Reason: "Too small.", Attempt: "a"}, func(_ context.Context, _ *postgres.Tx, id string, refused *problem.Problem) error {
		answered = id
		if refused != nil {
			t.Errorf("refused: %v", refused)
		}
		return nil
	})
	if err != nil || id != answered {
		t.Fatalf("refund %q, answered %q, %v", id, answered, err)
	}
	f.want(o.id, fmt.Sprintf("open refunded unfulfilled %d", o.total))
	if f.Stock(t, o.variants[0]) != 103 || f.Stock(t, o.variants[1]) != 103 {
		t.Error("the goods did not go back")
	}
	if got := f.events(o.id) + " " + f.events(id); got != "order.refunded refund.succeeded" {
		t.Errorf("events: %s", got)
	}
	f.sound()
	if _, err := f.refund(orders.RefundInput{OrderID: o.id}); !problem.Is(err, "nothing_left") {
		t.Errorf("once more: %v", err)
	}
	if _, err := f.fulfil(o.id); !problem.Is(err, "nothing_left") {
		t.Errorf("sent after it was paid back: %v", err)
	}
	// The same attempt is answered with the same refund.
	if again, err := f.service.Refund(f.Ctx, orders.RefundInput{OrderID: o.id, Attempt: "a"}, nil); err != nil || again != id {
		t.Errorf("again: %q, %v", again, err)
	}
}

func TestRefundsInParts(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	for _, step := range []struct {
		in   orders.RefundInput
		want string
	}{
		{orders.RefundInput{Lines: []orders.LineQuantity{{LineID: o.lines[1], Quantity: 2}}}, "open partially_refunded unfulfilled 666"},
		{orders.RefundInput{Amount: euros(100)}, "open partially_refunded unfulfilled 766"},
		{orders.RefundInput{Lines: []orders.LineQuantity{{LineID: o.lines[1], Quantity: 1}, {LineID: o.lines[0], Quantity: 3}}}, "open partially_refunded unfulfilled 4099"},
		{orders.RefundInput{}, "open refunded unfulfilled 4489"},
	} {
		step.in.OrderID = o.id
		if _, err := f.refund(step.in); err != nil {
			t.Fatal(err)
		}
		f.want(o.id, step.want)
		f.sound()
	}
	if f.Stock(t, o.variants[0]) != 100 {
		t.Error("goods went back unasked")
	}
}

func TestRefusedRefunds(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	unpaid := f.buy(1)
	f.Exec(t, `update orders set payment_state = 'pending' where id = $1`, unpaid.id)
	f.Exec(t, `update payments set state = 'due' where order_id = $1`, unpaid.id)
	free := f.buy(1)
	f.Exec(t, `update order_lines set discount_amount = unit_amount * quantity, total_amount = 0 where order_id = $1`, free.id)
	usd := money.New(1, "USD")
	for name, c := range map[string]struct {
		in   orders.RefundInput
		code string
	}{
		"too much":          {orders.RefundInput{OrderID: o.id, Amount: euros(o.total + 1)}, "refund_exceeds_payment"},
		"nothing":           {orders.RefundInput{OrderID: o.id, Amount: euros(0)}, "details_invalid"},
		"less than nothing": {orders.RefundInput{OrderID: o.id, Amount: euros(-1)}, "details_invalid"},
		"dollars":           {orders.RefundInput{OrderID: o.id, Amount: &usd}, "details_invalid"},
		"both":              {orders.RefundInput{OrderID: o.id, Amount: euros(1), Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 1}}}, "details_invalid"},
		"too many":          {orders.RefundInput{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 4}}}, "quantity_exceeded"},
		"another's line":    {orders.RefundInput{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: free.lines[0], Quantity: 1}}}, "unknown_reference"},
		"no order":          {orders.RefundInput{OrderID: ids.New("ord")}, "not_found"},
		"unpaid":            {orders.RefundInput{OrderID: unpaid.id}, "order_not_paid"},
		"free lines":        {orders.RefundInput{OrderID: free.id, Lines: []orders.LineQuantity{{LineID: free.lines[0], Quantity: 1}}}, "nothing_left"},
	} {
		if _, err := f.refund(c.in); !problem.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if _, err := f.refund(orders.RefundInput{OrderID: o.id, Amount: euros(o.total - 1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.refund(orders.RefundInput{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 1}}}); !problem.Is(err, "refund_exceeds_payment") {
		t.Errorf("a line after most was paid back: %v", err)
	}
	f.sound()
}

// Whatever is asked for at once, no more is paid back than was paid.
func TestParallelRefunds(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	var wg sync.WaitGroup
	var refunded atomic.Int64
	for i := range 24 {
		in := orders.RefundInput{OrderID: o.id, Amount: euros(700)}
		if i%3 == 0 {
			in = orders.RefundInput{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 1}}}
		}
		wg.Go(func() {
			switch _, err := f.refund(in); {
			case err == nil && in.Amount != nil:
				refunded.Add(700)
			case err == nil:
				refunded.Add(1000)
			case !problem.Is(err, "refund_exceeds_payment") && !problem.Is(err, "quantity_exceeded") && !problem.Is(err, "nothing_left"):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := refunded.Load(); n > o.total || n < o.total-700 {
		t.Errorf("%d of %d were paid back", n, o.total)
	}
	f.sound()
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from refunds where state <> 'succeeded'`); n != 0 {
		t.Errorf("%d refunds did not succeed", n)
	}
}

func TestTheProviderRefuses(t *testing.T) {
	f := open(t)
	o := f.buy(3, payments.TokenRefundFails)
	var told *problem.Problem
	in := orders.RefundInput{OrderID: o.id, Attempt: "a", Restock: true}
	answer := func(_ context.Context, _ *postgres.Tx, _ string, refused *problem.Problem) error {
		told = refused
		return nil
	}
	id, err := f.service.Refund(f.Ctx, in, answer)
	if !problem.Is(err, "refund_refused") || told == nil {
		t.Fatalf("got %v, told %v", err, told)
	}
	f.want(o.id, "open paid unfulfilled 0")
	if got := f.events(id); got != "refund.failed" {
		t.Errorf("events: %s", got)
	}
	if f.Stock(t, o.variants[0]) != 100 {
		t.Error("the goods went back")
	}
	if _, err := f.service.Refund(f.Ctx, in, answer); !problem.Is(err, "refund_refused") {
		t.Errorf("the same attempt again: %v", err)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from refunds`); n != 1 {
		t.Errorf("%d refunds", n)
	}
}

// A refund without an answer is pending, bounds what others may pay back, and is brought
// to an end by the job: once, whether or not the first call went through.
func TestRefundWithoutAnAnswer(t *testing.T) {
	for name, through := range map[string]bool{"not paid back": false, "paid back": true} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			o := f.buy(3)
			lost := func() error { return errLost }
			if through {
				f.provider.after = lost
			} else {
				f.provider.before = lost
			}
			if _, err := f.refund(orders.RefundInput{OrderID: o.id, Amount: euros(o.total - 100)}); err != nil {
				t.Fatal(err)
			}
			f.want(o.id, "open paid unfulfilled 0")
			if _, err := f.refund(orders.RefundInput{OrderID: o.id, Amount: euros(101)}); !problem.Is(err, "refund_exceeds_payment") {
				t.Errorf("more than is left: %v", err)
			}
			if n, err := f.service.ResumePending(f.Ctx); n != 0 || err != nil {
				t.Errorf("resumed %d at once, %v", n, err)
			}
			age := func() { f.Exec(t, `update refunds set updated_at = now() - interval '1 hour' where state = 'pending'`) }
			age()
			if n, err := f.service.ResumePending(f.Ctx); n != 1 || err == nil {
				t.Errorf("resumed %d of a provider that is still away, %v", n, err)
			}
			f.provider.before, f.provider.after = nil, nil
			age()
			if n, err := f.service.ResumePending(f.Ctx); n != 1 || err != nil {
				t.Errorf("resumed %d, %v", n, err)
			}
			f.want(o.id, fmt.Sprintf("open partially_refunded unfulfilled %d", o.total-100))
			f.sound()
		})
	}
}
