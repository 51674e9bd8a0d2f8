package orders_test

import (
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// paidBy is one of several payments that an order is paid by.
type paidBy struct {
	amount  int64
	token   string
	capture string // automatic, where empty
}

// buyBy places an order for three of everything, which 44.89 pay for in several payments.
func (f *fixture) buyBy(by ...paidBy) (b bought, paid []string) {
	f.t.Helper()
	b = f.buy(3)
	f.Exec(f.t, `delete from payments where order_id = $1`, b.id)
	f.Exec(f.t, `delete from test_charges where reference = $1`, b.payment)
	for _, p := range by {
		state, capture := "captured", "automatic"
		if p.capture != "" {
			state, capture = "authorised", p.capture
			f.Exec(f.t, `update orders set payment_state = 'authorised' where id = $1`, b.id)
		}
		id := ids.New("pay")
		f.Exec(f.t, `insert into payments (id, cart_id, order_id, provider, state, capture, currency, amount) values ($1, $2, $3, 'test', $4, $5, 'EUR', $6)`,
			id, ids.New("cart"), b.id, state, capture, p.amount)
		if _, err := f.provider.Charge(f.Ctx, payments.Charge{Reference: id, Amount: money.New(p.amount, "EUR"), Capture: payments.Capture(capture), Request: payments.Request{Token: p.token}}); err != nil {
			f.t.Fatal(err)
		}
		paid = append(paid, id)
	}
	return b, paid
}

// parts are a refund's in a line.
func (f *fixture) parts(refund string) string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select string_agg(concat_ws(' ', x.payment_id, x.amount, x.state), ', ')
		from refunds r cross join jsonb_to_recordset(r.parts) as x(payment_id text, amount bigint, state text) where r.id = $1`, refund)
}

func TestRefundOfAnOrderWithSeveralPayments(t *testing.T) {
	f := open(t)
	o, paid := f.buyBy(paidBy{amount: 3000, token: payments.TokenSucceeds}, paidBy{amount: 1000, token: payments.TokenSucceeds}, paidBy{amount: 489, token: payments.TokenSucceeds})
	for _, c := range []struct {
		in          orders.RefundInput
		parts, want string
	}{
		{orders.RefundInput{Amount: euros(1200)}, paid[0] + " 1200 succeeded", "open partially_refunded unfulfilled 1200"},
		{orders.RefundInput{PaymentID: paid[1]}, paid[1] + " 1000 succeeded", "open partially_refunded unfulfilled 2200"},
		{orders.RefundInput{PaymentID: paid[2], Amount: euros(89)}, paid[2] + " 89 succeeded", "open partially_refunded unfulfilled 2289"},
		{orders.RefundInput{}, paid[0] + " 1800 succeeded, " + paid[2] + " 400 succeeded", "open refunded unfulfilled 4489"},
	} {
		c.in.OrderID = o.id
		if c.in.PaymentID == paid[2] {
			if _, err := f.refund(orders.RefundInput{OrderID: o.id, PaymentID: paid[2], Amount: euros(490)}); !problem.Is(err, "refund_exceeds_payment") {
				t.Errorf("more than the payment was: %v", err)
			}
		}
		id, err := f.refund(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.parts(id); got != c.parts {
			t.Errorf("parts: %s, want %s", got, c.parts)
		}
		f.want(o.id, c.want)
		f.sound()
	}
	if _, err := f.refund(orders.RefundInput{OrderID: o.id, PaymentID: ids.New("pay")}); !problem.Is(err, "unknown_reference") {
		t.Errorf("another's payment: %v", err)
	}
}

// What went back counts, though another provider refused its part.
func TestRefundOfWhichAPartIsRefused(t *testing.T) {
	f := open(t)
	o, paid := f.buyBy(paidBy{amount: 3000, token: payments.TokenSucceeds}, paidBy{amount: 1489, token: payments.TokenRefundFails})
	id, err := f.refund(orders.RefundInput{OrderID: o.id, Restock: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.parts(id), fmt.Sprintf("%s 3000 succeeded, %s 1489 failed", paid[0], paid[1]); got != want {
		t.Errorf("parts: %s, want %s", got, want)
	}
	if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', state, amount, failure, restock::text, lines) from refunds where id = $1`, id); got != "succeeded 3000 refund_refused false []" {
		t.Errorf("the refund is %s", got)
	}
	f.want(o.id, "open partially_refunded unfulfilled 3000")
	if f.Stock(t, o.variants[0]) != 100 {
		t.Error("goods went back that were not paid back")
	}
	f.sound()
	if _, err := f.refund(orders.RefundInput{OrderID: o.id}); !problem.Is(err, "refund_refused") {
		t.Errorf("the rest: %v", err)
	}
}

func TestCancellingPaysBackAndLetsGo(t *testing.T) {
	f := open(t)
	o, paid := f.buyBy(paidBy{amount: 1000, token: payments.TokenSucceeds}, paidBy{amount: 3000, token: payments.TokenSucceeds, capture: "manual"}, paidBy{amount: 489, token: payments.TokenSucceeds, capture: "manual"})
	if err := f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "customer", Attempt: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	f.want(o.id, "cancelled refunded unfulfilled 1000")
	for i, want := range []string{"captured 1000", "voided 0", "voided 0"} {
		if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', state, refunded_amount) from payments where id = $1`, paid[i]); got != want {
			t.Errorf("payment %d is %s, want %s", i, got, want)
		}
	}
	f.sound()
}
