package payments_test

import (
	"context"
	"testing"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// house is a provider, and the shopper who makes what it waits for.
type house struct {
	provider payments.Provider
	request  payments.Request
	account  string
	pay      func(theirs string) // the shopper's step; nil where none is taken
	unknown  payments.Result     // of what was never asked for
	holds    bool                // it holds money at all
}

// houses are all providers.
func houses(t *testing.T, shop *shoptest.Shop) map[string]house {
	fake := stripetest.New(t)
	fake.Account("acct_linen")
	provider := stripe.New(stripe.Config{DB: shop.DB, Base: fake.URL, Keys: map[principal.Mode]stripe.Keys{principal.Live: {Secret: "sk_test_platform", Publishable: "pk_test_platform"}}})
	pay := func(theirs string) { fake.Pay(theirs, "succeeds") }
	test := &payments.Test{DB: shop.DB}
	return map[string]house{
		"manual": {provider: payments.ByHand{}, unknown: payments.Due},
		"test":   {provider: test, request: payments.Request{Token: payments.TokenSucceeds}, unknown: payments.Unknown, holds: true},
		"test, with a step": {provider: test, request: payments.Request{Token: payments.TokenRequiresAction}, unknown: payments.Unknown, holds: true, pay: func(theirs string) {
			c := payments.Charge{Reference: theirs[len("test_"):]}
			if shoptest.Value[bool](t, shop, `select amount = 2 from test_charges where reference = $1`, c.Reference) {
				c.Capture = payments.Manual
			}
			if _, err := test.Take(shop.Ctx, c, true); err != nil {
				t.Error(err)
			}
		}},
		"stripe, redirect": {provider: provider, request: payments.Request{Flow: payments.FlowRedirect, ReturnURL: "https://shop.example", Name: "Linen"}, account: "acct_linen", pay: pay, unknown: payments.Unknown, holds: true},
		"stripe, confirm":  {provider: provider, request: payments.Request{Flow: payments.FlowConfirm, Name: "Linen"}, account: "acct_linen", pay: pay, unknown: payments.Unknown, holds: true},
	}
}

// Every provider keeps what payments.Provider promises.
func TestConformance(t *testing.T) {
	shop, _ := open(t)
	for name, h := range houses(t, shop) {
		t.Run(name, func(t *testing.T) {
			is := func(what string, want payments.Result) func(payments.Outcome, error) payments.Outcome {
				return func(got payments.Outcome, err error) payments.Outcome {
					t.Helper()
					if err != nil || got.Result != want {
						t.Fatalf("%s: %+v, %v; want %s", what, got, err, want)
					}
					return got
				}
			}
			// begin makes a charge of so much, and has the shopper take the step.
			begin := func(amount int64, capture payments.Capture) payments.Charge {
				t.Helper()
				c := payments.Charge{Reference: ids.New("pay"), Account: h.account, Amount: eur(amount), Capture: capture, Request: h.request}
				is("what was never asked for", h.unknown)(h.provider.Lookup(shop.Ctx, c))
				first, err := h.provider.Charge(shop.Ctx, c)
				if err != nil {
					t.Fatal(err)
				}
				again, err := h.provider.Charge(shop.Ctx, c)
				if err != nil || again.Result != first.Result || again.Reference != first.Reference {
					t.Fatalf("charged twice: %+v and %+v, %v", first, again, err)
				}
				c.Theirs = first.Reference
				if h.pay != nil {
					if first.Result != payments.Waiting || first.Step == nil {
						t.Fatalf("there is no step: %+v", first)
					}
					is("before the step", payments.Waiting)(h.provider.Lookup(shop.Ctx, c))
					h.pay(c.Theirs)
				}
				return c
			}

			taken := begin(1000, payments.Automatic)
			want := payments.Succeeded
			if !h.holds {
				want = payments.Due
			}
			found := is("taken", want)(h.provider.Lookup(shop.Ctx, taken))
			if h.holds && (found.Taken != 1000 || found.Refunded != 0) {
				t.Errorf("the books say %+v", found)
			}
			if h.holds {
				taken.Theirs = found.Reference
				is("voided when it was taken", payments.Succeeded)(h.provider.Void(shop.Ctx, taken))
				is("captured when it was taken", payments.Succeeded)(h.provider.Capture(shop.Ctx, taken, eur(1000)))
			}
			part := payments.Refund{Reference: ids.New("ref"), Charge: taken, Amount: eur(400)}
			first := is("refunded in part", payments.Succeeded)(h.provider.Refund(shop.Ctx, part))
			if again := is("refunded again", payments.Succeeded)(h.provider.Refund(shop.Ctx, part)); again.Reference != first.Reference {
				t.Errorf("paid back twice: %s and %s", first.Reference, again.Reference)
			}
			is("the rest", payments.Succeeded)(h.provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: taken, Amount: eur(600)}))
			if h.holds {
				is("too much", payments.Declined)(h.provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: taken, Amount: eur(1)}))
				if found := is("after refunds", payments.Succeeded)(h.provider.Lookup(shop.Ctx, taken)); found.Refunded != 1000 {
					t.Errorf("the books say %+v", found)
				}
			}
			if !h.holds {
				return
			}

			held := begin(2, payments.Manual)
			held.Theirs = is("held", payments.Authorised)(h.provider.Lookup(shop.Ctx, held)).Reference
			is("refunded what is held", payments.Declined)(h.provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: held, Amount: eur(1)}))
			for range 2 {
				if got := is("captured in part", payments.Succeeded)(h.provider.Capture(shop.Ctx, held, eur(1))); got.Taken != 1 {
					t.Errorf("the books say %+v", got)
				}
			}
			if found := is("captured in part", payments.Succeeded)(h.provider.Lookup(shop.Ctx, held)); found.Taken != 1 {
				t.Errorf("the books say %+v", found)
			}
			is("more than was captured", payments.Declined)(h.provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: held, Amount: eur(2)}))
			let := begin(2, payments.Manual)
			for range 2 {
				is("let go", payments.Voided)(h.provider.Void(shop.Ctx, let))
			}
			let.Theirs = is("let go", payments.Voided)(h.provider.Lookup(shop.Ctx, let)).Reference
			if got, err := h.provider.Capture(shop.Ctx, let, eur(2)); err != nil || got.Result == payments.Succeeded {
				t.Errorf("captured what was let go: %+v, %v", got, err)
			}

			// Given up by who does not know whether it was begun: it cannot come late.
			lost := payments.Charge{Reference: ids.New("pay"), Account: h.account, Amount: eur(500), Request: h.request}
			is("given up", payments.Voided)(h.provider.Void(shop.Ctx, lost))
			late, err := h.provider.Charge(shop.Ctx, lost)
			if err != nil {
				t.Fatal(err)
			}
			if lost.Theirs = late.Reference; h.pay != nil {
				h.pay(lost.Theirs)
			}
			is("too late", payments.Voided)(h.provider.Lookup(shop.Ctx, lost))
		})
	}
}

// A store's own key reaches its own account, without the platform's.
func TestStripeByTheStoresOwnKey(t *testing.T) {
	shop, _ := open(t)
	fake := stripetest.New(t)
	key := fake.Account("acct_own")
	ring := ring(t)
	provider := stripe.New(stripe.Config{DB: shop.DB, Sealer: ring, Base: fake.URL})
	found, err := provider.Identify(shop.Ctx, key)
	if err != nil || found.ID != "acct_own" || !found.Ready {
		t.Fatalf("identified %+v, %v", found, err)
	}
	if _, err := provider.Identify(shop.Ctx, "sk_test_wrong"); err == nil {
		t.Fatal("a wrong key was taken")
	}
	charge := payments.Charge{Reference: ids.New("pay"), Account: "acct_own", Amount: eur(100), Request: payments.Request{Flow: payments.FlowConfirm}}
	if got, err := provider.Charge(shop.Ctx, charge); err != nil || got.Failure != "account_unreachable" {
		t.Fatalf("without a key: %+v, %v", got, err)
	}
	err = shop.DB.InStore(shop.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		ref, _ := postgres.StoreFrom(ctx)
		found.Key, err = ring.Seal([]byte(key), payments.KeyBinding(ref))
		if err != nil {
			return err
		}
		_, err = payments.SetStripe(ctx, tx, 0, func(a *payments.StripeAccount) { *a = found })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := provider.Charge(shop.Ctx, charge)
	if err != nil || got.Result != payments.Waiting || got.Step.Account != "" || got.Step.ClientSecret == "" {
		t.Fatalf("charged %+v, %v", got, err)
	}
	for amount, want := range map[int64]payments.Result{0: payments.Declined, 100: payments.Waiting} {
		other := charge
		other.Reference, other.Amount = ids.New("pay"), eur(amount)
		if got, err := provider.Charge(shop.Ctx, other); err != nil || got.Result != want {
			t.Errorf("%d: %+v, %v", amount, got, err)
		}
	}
	charge.Amount = eur(101)
	if got, err := provider.Charge(shop.Ctx, charge); err == nil {
		t.Errorf("another amount under the same reference: %+v", got)
	}
}

func ring(t testing.TB) *secrets.Ring {
	t.Helper()
	key, err := secrets.NewKey("test")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := secrets.ParseRing(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}
