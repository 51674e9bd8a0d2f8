package checkout_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// owing is an order of which nothing is paid, as its payment was voided, and what it comes to.
func (f *fixture) owing() (order string, total int64) {
	f.t.Helper()
	ref, comes := f.ready(cart.Item{VariantID: f.Add(f.t, shoptest.Variant{EUR: 1999, Stock: 10}), Quantity: 1})
	order, err := f.complete(f.input(ref, comes, "succeeds"), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Exec(f.t, `update payments set state = 'voided' where order_id = $1`, order)
	f.Exec(f.t, `update orders set payment_state = 'voided' where id = $1`, order)
	return order, comes.Amount
}

func (f *fixture) rest(order, token string) checkout.Balance {
	return checkout.Balance{OrderID: order, Payment: payments.Chosen{Provider: payments.TestName, Token: token}, Attempt: ids.New("key"), Terms: payments.Terms{Demo: true}}
}

// taken is what was captured of an order, by its payments and by the provider's.
func (f *fixture) taken(order string) (ours, theirs int) {
	f.t.Helper()
	return f.count(`select coalesce(sum(amount), 0) from payments where order_id = $1 and state = 'captured'`, order),
		f.count(`select coalesce(sum(t.amount), 0) from test_charges t join payments p on p.id = t.reference where p.order_id = $1 and p.cart_id is null and t.state in ('succeeded', 'processing')
			and t.refunds = '{}'`, order)
}

// However many pay the rest of an order at once, by other names or the same, it is taken once.
func TestTheRestIsTakenOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	order, total := f.owing()
	same := f.rest(order, "succeeds")
	var paid atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		in := f.rest(order, "succeeds")
		if i%2 == 0 {
			in = same
		}
		wg.Go(func() {
			_, err := f.service.PayBalance(f.Ctx, in, nil)
			switch {
			case err == nil:
				paid.Add(1)
			case !problem.Is(err, "payment_in_progress") && !problem.Is(err, "nothing_owed"):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ours, theirs := f.taken(order); ours != int(total) || theirs != int(total) || paid.Load() == 0 {
		t.Errorf("%d of %d are ours, %d theirs, and %d say that they paid", ours, total, theirs, paid.Load())
	}
	if state := shoptest.Value[string](t, f.Shop, `select payment_state from orders where id = $1`, order); state != "paid" {
		t.Errorf("the order is %s", state)
	}
}

// A process dies before the charge or after it; whoever comes next brings it to an end.
func TestAProcessDiesAtTheRest(t *testing.T) {
	t.Parallel()
	for name, charged := range map[string]bool{"before the charge": false, "after the charge": true} {
		for next, come := range map[string]func(*fixture, checkout.Balance) error{
			"asked again": func(f *fixture, in checkout.Balance) error {
				_, err := f.service.PayBalance(f.Ctx, in, nil)
				return err
			},
			"by the job": func(f *fixture, _ checkout.Balance) error {
				f.age()
				f.resume()
				return nil
			},
			"by the provider's news": func(f *fixture, _ checkout.Balance) error {
				f.age()
				return f.service.Learn(f.Ctx, shoptest.Value[string](f.t, f.Shop, `select id from payments where state = 'pending'`))
			},
			"by another attempt": func(f *fixture, in checkout.Balance) error {
				in.Attempt = ids.New("key")
				if _, err := f.service.PayBalance(f.Ctx, in, nil); !problem.Is(err, "payment_in_progress") {
					f.t.Errorf("at once: %v", err)
				}
				f.age()
				_, err := f.service.PayBalance(f.Ctx, in, nil)
				if problem.Is(err, "nothing_owed") {
					return nil
				}
				return err
			},
		} {
			t.Run(name+", "+next, func(t *testing.T) {
				t.Parallel()
				f := open(t)
				order, total := f.owing()
				in := f.rest(order, "succeeds")
				if charged {
					f.provider.after = die
				} else {
					f.provider.before = die
				}
				dies(func() { _, _ = f.service.PayBalance(f.Ctx, in, nil) })
				f.provider.before, f.provider.after = nil, nil
				if err := come(f, in); err != nil {
					t.Fatal(err)
				}
				want := 0
				if charged || next == "asked again" || next == "by another attempt" {
					want = int(total)
				}
				if ours, theirs := f.taken(order); ours != want || theirs != want {
					t.Errorf("%d are ours and %d theirs, not %d", ours, theirs, want)
				}
				if n := f.count(`select count(*) from payments where state in ('pending', 'requires_action', 'processing')`); n != 0 {
					t.Errorf("%d are under way", n)
				}
			})
		}
	}
}

// A payment that waits for its step is given up for another, and what comes of it then is paid back.
func TestAWaitingRestIsGivenUp(t *testing.T) {
	t.Parallel()
	f := open(t)
	order, total := f.owing()
	first := f.rest(order, "requires_action")
	at, err := f.service.PayBalance(f.Ctx, first, nil)
	if err != nil || at.Step == nil {
		t.Fatalf("%+v, %v", at, err)
	}
	if at, err := f.service.CheckBalance(f.Ctx, order); err != nil || at.Step == nil {
		t.Fatalf("checked: %+v, %v", at, err)
	}
	if _, err := f.service.PayBalance(f.Ctx, f.rest(order, "declined"), nil); !problem.Is(err, "payment_declined") {
		t.Fatal(err)
	}
	if n := f.count(`select count(*) from payments where state = 'failed'`); n != 2 {
		t.Errorf("%d have failed", n)
	}
	if _, err := f.service.PayBalance(f.Ctx, f.rest(order, "requires_action"), nil); err != nil {
		t.Fatal(err)
	}
	if err := f.service.AbandonBalance(f.Ctx, order); err != nil {
		t.Fatal(err)
	}
	if err := f.service.AbandonBalance(f.Ctx, order); err != nil {
		t.Errorf("given up twice: %v", err)
	}
	if _, err := f.service.CheckBalance(f.Ctx, order); !problem.Is(err, "payment_not_under_way") {
		t.Errorf("checked: %v", err)
	}
	if _, err := f.service.PayBalance(f.Ctx, f.rest(order, "succeeds_late"), nil); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `update test_charges set ready_at = now() where state = 'processing'`)
	if at, err := f.service.CheckBalance(f.Ctx, order); err != nil || at.State != "captured" {
		t.Errorf("late: %+v, %v", at, err)
	}
	if ours, theirs := f.taken(order); ours != int(total) || theirs != int(total) {
		t.Errorf("%d and %d of %d", ours, theirs, total)
	}
}

// Money that comes to an order which was cancelled meanwhile goes back.
func TestTheRestOfACancelledOrderGoesBack(t *testing.T) {
	t.Parallel()
	f := open(t)
	order, _ := f.owing()
	in := f.rest(order, "succeeds")
	f.provider.after = func(payments.Charge) error {
		f.Exec(t, `update orders set state = 'cancelled' where id = $1`, order)
		return nil
	}
	if _, err := f.service.PayBalance(f.Ctx, in, nil); !problem.Is(err, "payment_in_progress") {
		t.Fatalf("paid: %v", err)
	}
	if ours, theirs := f.taken(order); ours != 0 || theirs != 0 {
		t.Errorf("%d are ours and %d theirs", ours, theirs)
	}
	f.provider.after = nil
	if _, err := f.service.PayBalance(f.Ctx, in, nil); !problem.Is(err, "order_cancelled") {
		t.Errorf("paid: %v", err)
	}
}
