package orders_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

type fixture struct {
	*shoptest.Shop
	t        testing.TB
	service  *orders.Service
	provider *provider
}

// provider is the test provider, with an accident that the test arranges.
type provider struct {
	payments.Test
	before, after func() error // around a refund
	refunds       atomic.Int64
}

func (p *provider) Refund(ctx context.Context, r payments.Refund) (payments.Outcome, error) {
	p.refunds.Add(1)
	if p.before != nil {
		if err := p.before(); err != nil {
			return payments.Outcome{}, err
		}
	}
	outcome, err := p.Test.Refund(ctx, r)
	if p.after != nil && err == nil {
		err = p.after()
	}
	return outcome, err
}

func open(t testing.TB) *fixture {
	t.Helper()
	platform := testdb.Open(t)
	f := &fixture{Shop: shoptest.New(t, platform), t: t, provider: &provider{Test: payments.Test{DB: platform.DB}}}
	f.service = &orders.Service{DB: platform.DB, Stock: checkout.Stock{}, Offers: checkout.Offers{Carts: cart.New(platform.DB)}, Providers: payments.Providers{payments.TestName: f.provider}, Log: slog.New(slog.DiscardHandler)}
	return f
}

// bought is an order and what is in it.
type bought struct {
	id, payment    string
	lines          []string
	variants       []string
	total          int64
	token          string
	quantity       int64
	shippingAmount int64
}

// buy writes an order down as checkout leaves it: two lines of so many units at 10.00 and
// 3.33, and 4.90 for shipping.
func (f *fixture) buy(quantity int64, how ...string) bought {
	f.t.Helper()
	b := bought{id: ids.New("ord"), payment: ids.New("pay"), token: token.New("ct"), quantity: quantity, shippingAmount: 490}
	charge := payments.TokenSucceeds
	if len(how) > 0 {
		charge = how[0]
	}
	subtotal := 1333 * quantity
	b.total = subtotal + b.shippingAmount
	f.Exec(f.t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, shipping_address, shipping_method,
			prices_include_tax, taxes, subtotal_amount, shipping_amount, tax_amount, total_amount, note)
		values ($1, nextval('order_numbers'), $2, $3, 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', '{"name":"Ada Example","line1":"1","city":"Berlin","country":"DE"}',
			'{"id":"shp_1","name":"Standard","discount":{"amount":0,"currency":"EUR"},"tax":{"amount":1,"currency":"EUR"},"taxes":[]}', true,
			'[{"name":"VAT","jurisdiction":"DE","percentage":"19","taxable_amount":{"amount":5,"currency":"EUR"},"amount":{"amount":1,"currency":"EUR"},"reason":"taxed"}]', $4, $5, 1, $6, 'Ring.')`,
		b.id, ids.New("cart"), token.Hash(b.token), subtotal, b.shippingAmount, b.total)
	for i, unit := range []int64{1000, 333} {
		variant, line := f.Add(f.t, shoptest.Variant{EUR: unit, Stock: 100}), ids.New("orl")
		b.variants, b.lines = append(b.variants, variant), append(b.lines, line)
		f.Exec(f.t, `insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, sku, image_key, quantity, unit_amount, total_amount, tax_amount, requires_shipping, tracks_stock)
			values ($1, $2, $3, $4, 'prod_1', 'Shirt', 'M', 'S-1', 'k/1.jpg', $5, $6, $7, 0, true, true)`, line, b.id, i, variant, quantity, unit, unit*quantity)
	}
	f.Exec(f.t, `insert into payments (id, cart_id, order_id, provider, state, currency, amount) values ($1, $4, $2, 'test', 'captured', 'EUR', $3)`, b.payment, b.id, b.total, ids.New("cart"))
	if _, err := f.provider.Charge(f.Ctx, payments.Charge{Reference: b.payment, Amount: money.New(b.total, "EUR"), Request: payments.Request{Token: charge}}); err != nil {
		f.t.Fatal(err)
	}
	return b
}

func (f *fixture) fulfil(id string, lines ...orders.LineQuantity) (string, error) {
	var ful string
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		ful, err = f.service.Fulfil(ctx, tx, id, lines, orders.Tracking{Carrier: "Post", Number: "123", URL: "https://post.example/123"})
		return err
	})
	return ful, err
}

func (f *fixture) refund(in orders.RefundInput) (string, error) {
	if in.Attempt == "" {
		in.Attempt = ids.New("key")
	}
	return f.service.Refund(f.Ctx, in, nil)
}

// state is an order in a line.
func (f *fixture) state(id string) string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select concat_ws(' ', state, payment_state, fulfilment_state, refunded_amount) from orders where id = $1`, id)
}

func (f *fixture) events(object string) string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select coalesce(string_agg(type, ' ' order by id), '') from events where object_id = $1`, object)
}

func (f *fixture) want(id, state string) {
	f.t.Helper()
	if got := f.state(id); got != state {
		f.t.Errorf("the order is %q, want %q", got, state)
	}
}

// sound checks what holds of every order at every time.
func (f *fixture) sound() {
	f.t.Helper()
	if n := shoptest.Value[int](f.t, f.Shop, `select count(*) from orders o where state <> 'pending' and (
		refunded_amount <> (select coalesce(sum(amount), 0) from refunds r where r.order_id = o.id and r.state = 'succeeded')
		or refunded_amount <> (select coalesce(sum(refunded_amount), 0) from payments p where p.order_id = o.id)
		or refunded_amount <> (select coalesce(sum(value::bigint), 0) from payments p join test_charges t on t.reference = p.id, jsonb_each_text(t.refunds) where p.order_id = o.id))`); n != 0 {
		f.t.Errorf("%d orders disagree with their refunds, payments or the provider", n)
	}
}

func euros(n int64) *money.Money {
	m := money.New(n, "EUR")
	return &m
}

func TestFulfilment(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	first, err := f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[0], Quantity: 2})
	if err != nil {
		t.Fatal(err)
	}
	f.want(o.id, "open paid partially_fulfilled 0")
	if got := f.events(first); got != "fulfilment.created" {
		t.Errorf("events: %s", got)
	}
	for name, lines := range map[string][]orders.LineQuantity{
		"too many":          {{LineID: o.lines[0], Quantity: 2}},
		"too many in parts": {{LineID: o.lines[1], Quantity: 2}, {LineID: o.lines[1], Quantity: 2}},
		"none":              {{LineID: o.lines[1], Quantity: 0}},
	} {
		if _, err := f.fulfil(o.id, lines...); !problem.Is(err, "quantity_exceeded") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.fulfil(o.id, orders.LineQuantity{LineID: ids.New("orl"), Quantity: 1}); !problem.Is(err, "unknown_reference") {
		t.Errorf("an unknown line: %v", err)
	}
	if _, err := f.fulfil(o.id); err != nil {
		t.Fatal(err)
	}
	f.want(o.id, "completed paid fulfilled 0")
	if got := f.events(o.id); got != "order.fulfilled order.completed" {
		t.Errorf("events: %s", got)
	}
	if _, err := f.fulfil(o.id); !problem.Is(err, "nothing_left") {
		t.Errorf("once more: %v", err)
	}
	if _, err := f.fulfil(ids.New("ord")); !problem.Is(err, "not_found") {
		t.Errorf("an unknown order: %v", err)
	}
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := f.service.Fulfil(ctx, tx, o.id, nil, orders.Tracking{URL: "javascript:alert(1)"})
		return err
	})
	if !problem.Is(err, "details_invalid") {
		t.Errorf("a strange address: %v", err)
	}
	if err := f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "other", Attempt: "a"}, nil); !problem.Is(err, "order_fulfilled") {
		t.Errorf("cancelled after it was sent: %v", err)
	}
}

// Two packers send the same order at once: what is left is sent once.
func TestParallelFulfilment(t *testing.T) {
	f := open(t)
	o := f.buy(8)
	var sent atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[0], Quantity: 1})
			if err == nil {
				sent.Add(1)
			} else if !problem.Is(err, "quantity_exceeded") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sent.Load() != 8 {
		t.Errorf("%d of 8 were sent", sent.Load())
	}
}

var errLost = errors.New("the line is dead")

func TestCancel(t *testing.T) {
	f := open(t)
	o := f.buy(3)
	// One of the first line was paid back and put back before.
	if _, err := f.refund(orders.RefundInput{OrderID: o.id, Restock: true, Lines: []orders.LineQuantity{{LineID: o.lines[0], Quantity: 1}}}); err != nil {
		t.Fatal(err)
	}
	answers := 0
	answer := func(_ context.Context, _ *postgres.Tx, id string, _ *problem.Problem) error { answers++; return nil }
	in := orders.CancelInput{OrderID: o.id, Reason: "customer", Attempt: "a"}
	if err := f.service.Cancel(f.Ctx, in, answer); err != nil {
		t.Fatal(err)
	}
	f.want(o.id, fmt.Sprintf("cancelled refunded unfulfilled %d", o.total))
	if f.Stock(t, o.variants[0]) != 103 || f.Stock(t, o.variants[1]) != 103 {
		t.Errorf("%d and %d in stock", f.Stock(t, o.variants[0]), f.Stock(t, o.variants[1]))
	}
	if got := f.events(o.id); got != "order.refunded order.cancelled order.refunded" {
		t.Errorf("events: %s", got)
	}
	f.sound()
	if err := f.service.Cancel(f.Ctx, in, answer); err != nil || answers != 2 {
		t.Errorf("the same attempt again: %v, %d answers", err, answers)
	}
	in.Attempt = "b"
	if err := f.service.Cancel(f.Ctx, in, answer); !problem.Is(err, "order_cancelled") {
		t.Errorf("another attempt: %v", err)
	}
	if _, err := f.fulfil(o.id); !problem.Is(err, "order_cancelled") {
		t.Errorf("sent after it was cancelled: %v", err)
	}
	in.OrderID = ids.New("ord")
	if err := f.service.Cancel(f.Ctx, in, answer); !problem.Is(err, "not_found") {
		t.Errorf("an unknown order: %v", err)
	}
}

func TestCancelWithoutRestockOrRefund(t *testing.T) {
	f := open(t)
	o := f.buy(1)
	if _, err := f.refund(orders.RefundInput{OrderID: o.id}); err != nil {
		t.Fatal(err)
	}
	calls := f.provider.refunds.Load()
	answered := false
	err := f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "stock", Keep: true, Attempt: "a"}, func(context.Context, *postgres.Tx, string, *problem.Problem) error {
		answered = true
		return nil
	})
	if err != nil || !answered || f.provider.refunds.Load() != calls {
		t.Fatalf("%v, answered %v, %d calls", err, answered, f.provider.refunds.Load()-calls)
	}
	if f.Stock(t, o.variants[0]) != 100 {
		t.Error("the goods went back")
	}
}

// A cancelled order stays cancelled when the provider refuses; the refund shows it.
func TestCancelWithAFailingRefund(t *testing.T) {
	f := open(t)
	o := f.buy(1, payments.TokenRefundFails)
	if err := f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "fraud", Attempt: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	f.want(o.id, "cancelled paid unfulfilled 0")
	object, err := f.service.Get(f.Ctx, "", o.id)
	if err != nil || !strings.Contains(string(object.Data), `"failed"`) {
		t.Fatalf("%s, %v", object.Data, err)
	}
}

// Each step of a history is a transaction or two: fewer histories than of arithmetic will do.
func init() {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
}

// Whatever is done to an order, in whichever order: the money, the goods and the states
// agree with each other.
func TestHistories(t *testing.T) {
	f := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		o := f.buy(rapid.Int64Range(1, 4).Draw(rt, "units"))
		returned := map[string]int64{}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			line := rapid.IntRange(0, 1).Draw(rt, "line")
			n := rapid.Int64Range(1, 4).Draw(rt, "n")
			var err error
			switch rapid.SampledFrom([]string{"fulfil", "fulfil all", "refund line", "refund amount", "refund all", "cancel"}).Draw(rt, "step") {
			case "fulfil":
				_, err = f.fulfil(o.id, orders.LineQuantity{LineID: o.lines[line], Quantity: n})
			case "fulfil all":
				_, err = f.fulfil(o.id)
			case "refund line":
				if _, err = f.refund(orders.RefundInput{OrderID: o.id, Restock: true, Lines: []orders.LineQuantity{{LineID: o.lines[line], Quantity: n}}}); err == nil {
					returned[o.variants[line]] += n
				}
			case "refund amount":
				_, err = f.refund(orders.RefundInput{OrderID: o.id, Amount: euros(n * 500)})
			case "refund all":
				_, err = f.refund(orders.RefundInput{OrderID: o.id})
			case "cancel":
				if err = f.service.Cancel(f.Ctx, orders.CancelInput{OrderID: o.id, Reason: "other", Attempt: ids.New("key")}, nil); err == nil {
					returned[o.variants[0]], returned[o.variants[1]] = o.quantity, o.quantity
				}
			}
			if err != nil && problem.As(err) == nil {
				rt.Fatal(err)
			}
			f.judge(rt, o, returned)
		}
	})
	f.sound()
}

func (f *fixture) judge(rt *rapid.T, o bought, returned map[string]int64) {
	var state, payment, fulfilment string
	var refunded, sent, back, quantity, unsent int64
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select o.state, o.payment_state, o.fulfilment_state, o.refunded_amount, sum(l.fulfilled_quantity)::bigint, sum(l.refunded_quantity)::bigint, sum(l.quantity)::bigint,
			sum(greatest(l.quantity - l.fulfilled_quantity - l.refunded_quantity, 0))::bigint
			from orders o join order_lines l on l.order_id = o.id where o.id = $1 group by o.id`, o.id).Scan(&state, &payment, &fulfilment, &refunded, &sent, &back, &quantity, &unsent)
	})
	if err != nil {
		rt.Fatal(err)
	}
	wantPayment := map[bool]string{true: "partially_refunded", false: "paid"}[refunded > 0]
	if refunded == o.total {
		wantPayment = "refunded"
	}
	wantFulfilment := map[bool]string{true: "partially_fulfilled", false: "fulfilled"}[unsent > 0]
	if sent == 0 {
		wantFulfilment = "unfulfilled"
	}
	if payment != wantPayment || fulfilment != wantFulfilment || refunded > o.total || sent > quantity || back > quantity ||
		(state == "completed") != (fulfilment == "fulfilled") || state == "cancelled" && sent > 0 {
		rt.Fatalf("%s %s %s with %d of %d paid back, %d sent, %d returned, %d unsent", state, payment, fulfilment, refunded, o.total, sent, back, unsent)
	}
	for variant, n := range returned {
		if stock := f.Stock(f.t, variant); stock != 100+n {
			rt.Fatalf("%d in stock, want %d", stock, 100+n)
		}
	}
}
