package checkout_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// dies runs f in a goroutine that may end anywhere, as a process does.
func dies(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

func die(payments.Charge) error {
	runtime.Goexit()
	return nil
}

// age makes what is under way look left behind.
func (f *fixture) age() {
	f.t.Helper()
	f.Exec(f.t, `update payments set updated_at = now() - interval '1 hour' where state = 'pending'`)
}

func (f *fixture) resume() int {
	f.t.Helper()
	n, err := f.service.ResumePending(principal.With(f.Ctx, principal.Principal{Kind: principal.System, Label: checkout.JobResume}))
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// A process dies before the charge or after it; what comes next finds out which.
func TestAProcessDies(t *testing.T) {
	for name, charged := range map[string]bool{"before the charge": false, "after the charge": true} {
		for next, come := range map[string]func(*testing.T, *fixture, checkout.Input, bool){
			"the shopper asks again":             asksAgain,
			"the shopper tries something else":   triesElse,
			"nobody comes, and the job looks by": jobComes,
		} {
			t.Run(name+", "+next, func(t *testing.T) {
				f := open(t)
				shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
				ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
				in := f.input(ref, total, "succeeds")
				if charged {
					f.provider.after = die
				} else {
					f.provider.before = die
				}
				dies(func() {
					_, err := f.service.Complete(f.Ctx, in, nil)
					t.Errorf("it did not die: %v", err)
				})
				f.provider.before, f.provider.after = nil, nil
				if n := f.count(`select count(*) from test_charges`); (n == 1) != charged {
					t.Fatalf("%d charges", n)
				}
				come(t, f, in, charged)
				f.sound(shirt, 10)
				if n := f.count(`select count(*) from test_charges where state = 'succeeded'`); n > 1 {
					t.Errorf("charged %d times", n)
				}
			})
		}
	}
}

func asksAgain(t *testing.T, f *fixture, in checkout.Input, _ bool) {
	id, err := f.complete(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.complete(in, nil); err != nil || again != id {
		t.Fatalf("order %s, %v; before it was %s", again, err, id)
	}
}

func triesElse(t *testing.T, f *fixture, in checkout.Input, charged bool) {
	in.Attempt = ids.New("key")
	if _, err := f.service.Complete(f.Ctx, in, nil); !problem.Is(err, "completion_in_progress") || problem.As(err).RetryAfter == 0 {
		t.Fatalf("at once: %v", err)
	}
	f.age()
	_, err := f.service.Complete(f.Ctx, in, nil)
	if charged && !problem.Is(err, "cart_completed") || !charged && err != nil {
		t.Fatalf("later: %v", err)
	}
	if n := f.count(`select count(*) from orders where state = 'open'`); n != 1 {
		t.Fatalf("%d orders", n)
	}
}

func jobComes(t *testing.T, f *fixture, in checkout.Input, charged bool) {
	if n := f.resume(); n != 0 {
		t.Fatalf("%d were resumed at once", n)
	}
	f.age()
	if n := f.resume(); n != 1 {
		t.Fatalf("%d were resumed", n)
	}
	if n := f.resume(); n != 0 {
		t.Fatalf("%d were resumed twice", n)
	}
	want := 0
	if charged {
		want = 1
	}
	if n := f.count(`select count(*) from orders where state = 'open'`); n != want {
		t.Fatalf("%d orders, want %d", n, want)
	}
	// The shopper comes back after all, with the same name.
	if _, err := f.service.Complete(f.Ctx, in, nil); err != nil {
		t.Fatal(err)
	}
}

// A process that was thought dead goes on: before its charge, which then is refused, or
// after it, and finds everything done.
func TestADeadProcessComesBack(t *testing.T) {
	for name, charged := range map[string]bool{"before its charge": false, "after its charge": true} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
			ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
			meanwhile := func(payments.Charge) error {
				f.age()
				if n := f.resume(); n != 1 {
					t.Errorf("%d were resumed", n)
				}
				return nil
			}
			if charged {
				f.provider.after = meanwhile
			} else {
				f.provider.before = meanwhile
			}
			id, err := f.complete(f.input(ref, total, "succeeds"), nil)
			switch {
			case charged && (err != nil || id == ""):
				t.Fatalf("order %q, %v", id, err)
			case !charged && !problem.Is(err, "payment_provider_unavailable"):
				t.Fatalf("got %v", err)
			}
			f.sound(shirt, 10)
			if got := f.count(`select count(*) from orders where state = 'open'`); (got == 1) != charged {
				t.Errorf("%d orders", got)
			}
		})
	}
}

// The job gave an attempt up, and the provider took the money all the same: it is given
// back.
func TestChargeThatComesAfterItWasGivenUp(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	f.provider.after = func(c payments.Charge) error {
		f.Exec(t, `update payments set state = 'failed' where id = $1`, c.Reference)
		f.Exec(t, `update orders set payment_state = 'failed'`)
		f.Exec(t, `update carts set state = 'open'`)
		f.Exec(t, `update variants set reserved = 0`)
		return nil
	}
	if _, err := f.service.Complete(f.Ctx, f.input(ref, total, "succeeds"), nil); !problem.Is(err, "completion_in_progress") {
		t.Fatalf("got %v", err)
	}
	f.sound(shirt, 10)
}

// A server is lost while the provider is asked, and its standby had not got the attempt, nor the
// cart or order: what was taken goes back, and nobody is told of an order.
func TestWhatWasBegunIsLost(t *testing.T) {
	lose := func(t *testing.T, f *fixture) {
		f.provider.after = func(payments.Charge) error {
			f.provider.after = nil
			ref, _ := postgres.StoreFrom(f.Ctx)
			in := postgres.SchemaName(ref.Schema)
			return f.DB.InCell(context.Background(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
				_, err := tx.Exec(ctx, fmt.Sprintf(`truncate %[1]s.carts, %[1]s.orders, %[1]s.payments cascade`, in))
				return err
			})
		}
	}
	charges := func(f *fixture) int {
		return f.count(`select count(*) from test_charges where state in ('waiting', 'authorised')
			or state = 'succeeded' and amount > (select coalesce(sum(value::bigint), 0) from jsonb_each_text(refunds))`)
	}
	for _, token := range []string{"succeeds", payments.TokenRequiresAction, "declined"} {
		t.Run("a cart, "+token, func(t *testing.T) {
			f := open(t)
			ref, total := f.ready(cart.Item{VariantID: f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10}), Quantity: 2})
			lose(t, f)
			want := "completion_in_progress"
			if token == "declined" {
				want = "payment_declined"
			}
			in := f.input(ref, total, token)
			if at, err := f.service.Complete(f.Ctx, in, nil); !problem.Is(err, want) || at.OrderID != "" {
				t.Errorf("got %+v, %v", at, err)
			}
			if n := charges(f); n > 0 {
				t.Errorf("%d charges were kept", n)
			}
			if _, err := f.service.Complete(f.Ctx, in, nil); !problem.Is(err, "not_found") {
				t.Errorf("asked again: %v", err)
			}
		})
	}
	for _, token := range []string{"succeeds", payments.TokenRequiresAction} {
		t.Run("the rest of an order, "+token, func(t *testing.T) {
			f := open(t)
			order, _ := f.owing()
			before := charges(f)
			lose(t, f)
			if _, err := f.service.PayBalance(f.Ctx, f.rest(order, token), nil); !problem.Is(err, "payment_in_progress") {
				t.Errorf("got %v", err)
			}
			if n := charges(f); n != before {
				t.Errorf("%d charges, of which %d were there before", n, before)
			}
			if _, err := f.service.PayBalance(f.Ctx, f.rest(order, token), nil); !problem.Is(err, "not_found") {
				t.Errorf("asked again: %v", err)
			}
		})
	}
}

func TestTheProviderCannotBeAsked(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	in := f.input(ref, total, "times_out")
	f.provider.lost.Store(true)
	if _, err := f.service.Complete(f.Ctx, in, nil); !problem.Is(err, "payment_pending") {
		t.Fatalf("got %v", err)
	}
	f.age()
	if n, err := f.service.ResumePending(principal.With(f.Ctx, principal.Principal{Kind: principal.System, Label: checkout.JobResume})); err == nil || n != 1 {
		t.Fatalf("resumed %d, %v", n, err)
	}
	f.provider.lost.Store(false)
	if _, err := f.service.Complete(f.Ctx, in, nil); err != nil {
		t.Fatal(err)
	}
	f.sound(shirt, 10)
}

// A charge that times out after the money was taken is found at once.
func TestTimeOut(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	if _, err := f.service.Complete(f.Ctx, f.input(ref, total, "times_out"), nil); err != nil {
		t.Fatal(err)
	}
	f.sound(shirt, 10)
}

// The shopper goes away in the middle: there is an order, or nothing was charged.
func TestTheShopperGoesAway(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	ctx, cancel := context.WithCancel(f.Ctx)
	f.provider.before = func(payments.Charge) error { cancel(); return nil }
	if _, err := f.service.Complete(ctx, f.input(ref, total, "succeeds"), nil); err != nil {
		t.Fatal(err)
	}
	f.sound(shirt, 10)
}

func TestAProviderIsGone(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	f.provider.before = die
	dies(func() { _, _ = f.service.Complete(f.Ctx, f.input(ref, total, "succeeds"), nil) })
	f.age()
	f.service.Providers = payments.Providers{}
	if n, err := f.service.ResumePending(principal.With(f.Ctx, principal.Principal{Kind: principal.System, Label: checkout.JobResume})); err == nil || n != 1 {
		t.Fatalf("resumed %d, %v", n, err)
	}
	if n := f.count(`select count(*) from payments where state = 'pending'`); n != 1 {
		t.Fatal("the payment was ended without asking its provider")
	}
}
