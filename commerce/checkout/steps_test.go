package checkout_test

import (
	"context"
	"flag"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// waiting is a cart whose payment waits for the shopper.
func (f *fixture) waiting(variant string) (cart.Ref, checkout.Input, checkout.Progress) {
	f.t.Helper()
	ref, total := f.ready(cart.Item{VariantID: variant, Quantity: 2})
	in := f.input(ref, total, payments.TokenRequiresAction)
	at, err := f.service.Complete(f.Ctx, in, nil)
	if err != nil || at.Step == nil || at.OrderID != "" {
		f.t.Fatalf("completed: %+v, %v", at, err)
	}
	return ref, in, at
}

// patience makes what waits look as if nobody came for longer than there is time.
func (f *fixture) patience() {
	f.t.Helper()
	f.Exec(f.t, `update payments set updated_at = now() - $1::interval - interval '1 minute' where state in ('requires_action', 'processing')`, payments.StepTime)
}

func (f *fixture) take(payment string, approve bool) {
	f.t.Helper()
	if _, err := f.service.TakeTestStep(f.Ctx, payment, approve); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) orders() int {
	f.t.Helper()
	return f.count(`select count(*) from orders where state = 'open'`)
}

// A step that nobody takes is given up at the provider, and the goods are let go; one that
// was taken is an order, though nobody came back.
func TestNobodyComesBack(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, _, left := f.waiting(shirt)
	_, _, paid := f.waiting(shirt)
	f.take(paid.Payment, true)
	if n := f.resume(); n != 0 {
		t.Fatalf("%d were given up at once", n)
	}
	f.patience()
	if n := f.resume(); n != 2 {
		t.Fatalf("%d were looked after", n)
	}
	f.take(left.Payment, true) // too late
	f.sound(shirt, 10)
	if n := f.orders(); n != 1 {
		t.Errorf("%d orders", n)
	}
	if c, err := f.carts.Read(f.Ctx, ref); err != nil || c.State != cart.Open {
		t.Errorf("the cart that was left: %+v, %v", c, err)
	}
	// Who was not there is told by a mail, with the way back to the cart.
	if got := f.cell(`select args->>'cart_id' || ' ' || (args->'failed'->>'amount') from cell.outbox where store = $1 and kind = 'cart_mail'`); !strings.HasPrefix(got, ref.ID+" ") {
		t.Errorf("told by mail: %q", got)
	}
}

// The browser, the provider's news and the job come at the same moment, several times.
func TestWhicheverComesFirst(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, in, at := f.waiting(shirt)
	f.take(at.Payment, true)
	f.patience()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := f.service.Check(f.Ctx, ref, nil); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if err := f.service.Learn(f.Ctx, at.Payment); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() { f.resume() })
		all.Go(func() {
			if _, err := f.service.Complete(f.Ctx, in, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f.sound(shirt, 10)
	if n := f.count(`select count(*) from events where type in ('order.created', 'order.paid', 'payment.captured')`); n != 3 {
		t.Errorf("%d events of one paid order", n)
	}
}

// Each step of a history is a transaction or two: fewer histories than of arithmetic will do.
func init() {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
}

// Whatever shoppers, providers and jobs do in whatever order, in the end each charge has its
// one order or was given back, and nothing is reserved.
func TestAnyHistoryIsSound(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 1_000_000})
	rapid.Check(t, func(rt *rapid.T) {
		ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
		card := f.card(rapid.SampledFrom([]int64{1000, 1_000_000}).Draw(rt, "on the card"))
		due := f.give(ref, card.Code)
		names := []string{ids.New("key"), ids.New("key")}
		tokens := []string{"succeeds", "declined", "error", "times_out", "requires_action", "succeeds_late"}
		payment := func() string {
			return shoptest.Value[string](t, f.Shop, `select coalesce((select id from payments where cart_id = $1 order by id desc limit 1), '')`, ref.ID)
		}
		refused := func(err error) {
			if err != nil && problem.As(err) == nil {
				rt.Fatal(err)
			}
		}
		complete := func(accident func(payments.Charge) error, after bool) {
			in := f.input(ref, total, rapid.SampledFrom(tokens).Draw(rt, "token"))
			in.Due = due
			in.Attempt = rapid.SampledFrom(names).Draw(rt, "name")
			if f.provider.before = accident; after {
				f.provider.before, f.provider.after = nil, accident
			}
			dies(func() {
				_, err := f.service.Complete(f.Ctx, in, nil)
				refused(err)
			})
			f.provider.before, f.provider.after = nil, nil
		}
		rt.Repeat(map[string]func(*rapid.T){
			"completes":           func(*rapid.T) { complete(nil, false) },
			"dies before":         func(*rapid.T) { complete(die, false) },
			"dies after":          func(*rapid.T) { complete(die, true) },
			"captures by hand":    func(*rapid.T) { f.Exec(t, `update settings set payments = '{"capture_method": "manual"}'`) },
			"captures by itself":  func(*rapid.T) { f.Exec(t, `update settings set payments = '{}'`) },
			"the step is taken":   func(rt *rapid.T) { step(f, payment(), rapid.Bool().Draw(rt, "approve")) },
			"the browser is back": func(*rapid.T) { _, err := f.service.Check(f.Ctx, ref, nil); refused(err) },
			"gives up":            func(*rapid.T) { refused(f.service.Abandon(f.Ctx, ref)) },
			"the provider tells":  func(*rapid.T) { refused(f.service.Learn(f.Ctx, payment())) },
			"time passes":         func(*rapid.T) { f.age(); f.patience(); f.resume() },
		})
		time.Sleep(f.provider.Slow) // what succeeds late has succeeded
		for range 2 {
			f.age()
			f.patience()
			f.resume()
		}
		f.sound(shirt, 1_000_000)
		f.balanced()
		spent := shoptest.Value[int64](t, f.Shop, `select coalesce(sum(p.amount), 0)::bigint from payments p join orders o on o.id = p.order_id
			where o.state <> 'pending' and p.reference = $1 and p.state = 'captured'`, string(card.ID))
		issued := shoptest.Value[int64](t, f.Shop, `select amount from credit_entries where account_id = $1 and kind = 'issue'`, string(card.ID))
		if left := f.balance(card.ID); left != issued-spent {
			rt.Fatalf("%d are left of %d after orders of %d", left, issued, spent)
		}
		if n := f.count(`select count(*) from payments where state in ('pending', 'requires_action', 'processing')`); n != 0 {
			rt.Fatalf("%d attempts without an end", n)
		}
		if n := f.count(`select coalesce(sum(reserved), 0)::int from stock_levels`); n != 0 {
			rt.Fatalf("%d are reserved for nobody", n)
		}
		if f.t.Failed() {
			rt.FailNow()
		}
	})
}

// step takes the step of a payment, if it waits for one.
func step(f *fixture, payment string, approve bool) {
	if payment != "" {
		_, _ = f.service.TakeTestStep(context.WithoutCancel(f.Ctx), payment, approve)
	}
}
