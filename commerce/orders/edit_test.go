package orders_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// edit edits an order, and pays back what is owed by it.
func (f *fixture) edit(in orders.Edit) error {
	refund := ""
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		_, refund, err = f.service.Edit(ctx, tx, in)
		return err
	})
	if err == nil && refund != "" {
		f.service.PayBack(f.Ctx, refund)
	}
	return err
}

// payRest pays what is outstanding of an order.
func (f *fixture) payRest(order, token string) error {
	till := &checkout.Service{DB: f.DB, Carts: cart.New(f.DB), Providers: f.service.Providers, Log: slog.New(slog.DiscardHandler)}
	_, err := till.PayBalance(f.Ctx, checkout.Balance{
		OrderID: order, Payment: payments.Chosen{Provider: payments.TestName, Token: token}, Attempt: ids.New("key"), Terms: payments.Terms{Demo: true},
	}, nil)
	return err
}

// sumsSQL are what must hold of the order $1: its lines come to its total, and its balance is
// what is told.
const sumsSQL = `
select case
	when o.subtotal_amount <> l.subtotal then 'the lines come to ' || l.subtotal || ' and the order to ' || o.subtotal_amount
	when o.total_amount <> l.total + o.shipping_amount - coalesce((o.shipping_method->'discount'->>'amount')::bigint, 0) then 'the total is ' || o.total_amount
	when l.misplaced then 'a line is served otherwise than it is sold'
	when o.payment_state = 'paid' and o.total_amount - o.refunded_amount - p.kept > 0 then 'it is paid, and owes'
	when o.state = 'completed' and (o.fulfilment_state <> 'fulfilled' or o.total_amount - o.refunded_amount - p.kept > 0) then 'it is completed, and is not'
	else '' end
from orders o,
	lateral (select sum(l.unit_amount * l.quantity) as subtotal, sum(l.total_amount) as total, bool_or(l.position > 1 and l.quantity <> (
		select coalesce(sum((a->>'quantity')::bigint), 0) from jsonb_array_elements(l.allocations) a)) as misplaced
		from order_lines l where l.order_id = o.id) l,
	lateral (select coalesce(sum(p.amount - p.released_amount - p.refunded_amount) filter (where p.state = 'captured'), 0) as kept from payments p where p.order_id = o.id) p
where o.id = $1`

type failing interface{ Fatalf(string, ...any) }

// adds checks what holds after every step.
func (f *fixture) adds(t failing, o bought) {
	if wrong := shoptest.Value[string](f.t, f.Shop, sumsSQL, o.id); wrong != "" {
		t.Fatalf("%s", wrong)
	}
}

// agrees checks what holds in all books, and what is on the shelf of a variant of which there
// were so many beside what the order had.
func (f *fixture) agrees(t failing, o bought, shelves map[string]int64) {
	f.adds(t, o)
	books := &reconciliation.Service{DB: f.DB, Providers: f.service.Providers}
	found, err := books.Run(f.Ctx, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, d := range found {
		if d.Kind != reconciliation.Stock { // which the tests put there behind the ledger's back
			t.Fatalf("the books differ: %+v", d)
		}
	}
	for variant, whole := range shelves {
		sold := shoptest.Value[int64](f.t, f.Shop, `select coalesce(sum(l.quantity), 0) from order_lines l where l.order_id = $1 and l.variant_id = $2`, o.id, variant)
		back := shoptest.Value[int64](f.t, f.Shop, `select coalesce(sum((x->>'quantity')::bigint), 0) from refunds r cross join jsonb_array_elements(r.lines) x join order_lines l on l.id = x->>'line_id'
			where r.order_id = $1 and r.state = 'succeeded' and r.restock and l.variant_id = $2`, o.id, variant)
		if n := f.Stock(f.t, variant); n != whole-sold+back || n < 0 {
			t.Fatalf("%d of a variant are left of %d, %d sold and %d back", n, whole, sold, back)
		}
	}
}

// Whatever happens to an order in which order: its lines, its total, its balance, its payments, the
// providers' books and the stock agree, and nothing of it is ever negative.
func TestEditHistories(t *testing.T) {
	t.Parallel()
	f := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		o := f.buy(rapid.Int64Range(1, 4).Draw(rt, "units"))
		mug := f.Add(t, shoptest.Variant{EUR: 707, Stock: 5})
		shelves := map[string]int64{o.variants[0]: 100 + o.quantity, o.variants[1]: 100 + o.quantity, mug: 5}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			lines := shoptest.Value[[]string](t, f.Shop, `select array_agg(id order by position) from order_lines where order_id = $1`, o.id)
			line, n := rapid.SampledFrom(lines).Draw(rt, "line"), rapid.Int64Range(0, 5).Draw(rt, "n")
			amount := money.New(rapid.Int64Range(0, 3000).Draw(rt, "amount"), "EUR")
			part := []orders.LineQuantity{{LineID: line, Quantity: n}}
			var err error
			switch step := rapid.SampledFrom([]string{"set", "set", "add", "agree", "ship", "keep", "fulfil", "refund line", "refund amount", "refund owed", "pay", "cancel"}).Draw(rt, "step"); step {
			case "set":
				err = f.edit(orders.Edit{OrderID: o.id, Lines: part})
			case "keep":
				err = f.edit(orders.Edit{OrderID: o.id, Lines: part, Keep: true})
			case "add":
				err = f.edit(orders.Edit{OrderID: o.id, Add: []orders.Added{{VariantID: mug, Quantity: max(n, 1)}}})
			case "agree":
				err = f.edit(orders.Edit{OrderID: o.id, Lines: part, Add: []orders.Added{{VariantID: o.variants[0], Quantity: 1, Unit: &amount}}})
			case "ship":
				err = f.edit(orders.Edit{OrderID: o.id, Shipping: &amount})
			case "fulfil":
				_, err = f.fulfil(o.id, orders.LineQuantity{LineID: line, Quantity: max(n, 1)})
			case "refund line":
				_, err = f.refund(orders.RefundInput{OrderID: o.id, Lines: part, Restock: rapid.Bool().Draw(rt, "restock")})
			case "refund amount":
				_, err = f.refund(orders.RefundInput{OrderID: o.id, Amount: &amount})
			case "refund owed":
				_, err = f.refund(orders.RefundInput{OrderID: o.id, Balance: true})
			case "pay":
				err = f.payRest(o.id, rapid.SampledFrom([]string{"succeeds", "declined"}).Draw(rt, "token"))
			case "cancel":
				if rapid.IntRange(0, 3).Draw(rt, "seldom") == 0 {
					err = f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "customer", Keep: true, Attempt: ids.New("key")}, nil)
					f.Exec(t, `update refunds set updated_at = now() - interval '1 hour' where state = 'pending'`)
					if _, late := f.service.ResumePending(f.Ctx); late != nil {
						rt.Fatal(late)
					}
				}
			}
			if err != nil && problem.As(err) == nil {
				rt.Fatal(err)
			}
			f.adds(rt, o)
		}
		f.agrees(rt, o, shelves)
	})
}

// Edits, refunds, parcels and payments of one order at once: each counts wholly or not at all.
func TestEditsRace(t *testing.T) {
	t.Parallel()
	f := open(t)
	o := f.buy(6)
	last := f.Add(t, shoptest.Variant{EUR: 707, Stock: 3})
	var wg sync.WaitGroup
	try := func(do func() error) {
		wg.Go(func() {
			if err := do(); err != nil && problem.As(err) == nil {
				t.Error(err)
			}
		})
	}
	for i := range 6 {
		try(func() error {
			return f.edit(orders.Edit{OrderID: o.id, Add: []orders.Added{{VariantID: last, Quantity: 1}, {VariantID: o.variants[i%2], Quantity: 1}}})
		})
		try(func() error {
			return f.edit(orders.Edit{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[i%2], Quantity: int64(i)}}})
		})
		try(func() error {
			_, err := f.refund(orders.RefundInput{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[i%2], Quantity: 1}}, Restock: true})
			return err
		})
		try(func() error {
			_, err := f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[i%2], Quantity: 1})
			return err
		})
		try(func() error { return f.payRest(o.id, "succeeds") })
	}
	wg.Wait()
	f.agrees(t, o, map[string]int64{o.variants[0]: 106, o.variants[1]: 106, last: 3})
	if n := f.Stock(t, last); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// The money of an edit goes back though the process died before its provider was called.
func TestAnEditsRefundIsEndedByItsJob(t *testing.T) {
	t.Parallel()
	f := open(t)
	o := f.buy(2)
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, refund, err := f.service.Edit(ctx, tx, orders.Edit{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[1], Quantity: 0}}})
		if err == nil && refund == "" {
			err = fmt.Errorf("nothing is to be paid back")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `update refunds set updated_at = now() - interval '1 hour'`)
	if n, err := f.service.ResumePending(f.Ctx); n != 1 || err != nil {
		t.Errorf("%d were resumed: %v", n, err)
	}
	f.agrees(t, o, nil)
	if back := shoptest.Value[int64](t, f.Shop, `select refunded_amount from payments where order_id = $1`, o.id); back != 666 {
		t.Errorf("%d went back", back)
	}
}

// A line's discount goes with what is taken out, and what is added has none; taxes follow.
func TestEditsKeepDiscounts(t *testing.T) {
	t.Parallel()
	f := open(t)
	o := f.buy(3)
	f.Exec(t, `update order_lines set discount_amount = 100, total_amount = total_amount - 100, tax_amount = 463, discounts = '[{"promotion_id": "promo_a", "title": "A", "code": null, "amount": {"amount": 67, "currency": "EUR"}},
			{"promotion_id": "promo_b", "title": "B", "code": "B", "amount": {"amount": 33, "currency": "EUR"}}]',
		taxes = '[{"name":"VAT","jurisdiction":"DE","percentage":"19","taxable_amount":{"amount":2437,"currency":"EUR"},"amount":{"amount":463,"currency":"EUR"},"reason":"taxed"}]' where id = $1`, o.lines[0])
	f.Exec(t, `update orders set discount_amount = 120, total_amount = total_amount - 120, tax_amount = 463, shipping_method = jsonb_set(shipping_method, '{discount,amount}', '20'), discounts = '[
		{"promotion_id": "promo_a", "title": "A", "code": null, "amount": {"amount": 87, "currency": "EUR"}}, {"promotion_id": "promo_b", "title": "B", "code": "B", "amount": {"amount": 33, "currency": "EUR"}}]' where id = $1`, o.id)
	shown := func() string {
		t.Helper()
		return shoptest.Value[string](t, f.Shop, `select concat_ws(' ', o.discount_amount, o.tax_amount, o.total_amount, l.discount_amount, l.tax_amount,
			(select string_agg(d->'amount'->>'amount', '+') from jsonb_array_elements(o.discounts) d), o.taxes->0->'amount'->>'amount') from orders o join order_lines l on l.order_id = o.id and l.id = $2 where o.id = $1`, o.id, o.lines[0])
	}
	if err := f.edit(orders.Edit{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 2}}}); err != nil {
		t.Fatal(err)
	}
	// 45 + 22 off 20.00, of which 3.09 are tax; the other line is 9.99 and sending it 4.70.
	if got := shown(); got != "87 310 3402 67 309 65+22 309" {
		t.Errorf("fewer: %s", got)
	}
	if err := f.edit(orders.Edit{OrderID: o.id, Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 4}}, Shipping: &money.Money{Currency: "EUR"}}); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "67 628 4932 67 628 45+22 628" {
		t.Errorf("more: %s", got)
	}
}
