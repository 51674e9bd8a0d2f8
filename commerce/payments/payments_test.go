package payments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

func open(t testing.TB) (*shoptest.Shop, *payments.Test) {
	t.Helper()
	shop := shoptest.New(t, testdb.Open(t))
	return shop, &payments.Test{DB: shop.DB, Slow: time.Millisecond}
}

func eur(n int64) money.Money { return money.New(n, "EUR") }

func TestCharges(t *testing.T) {
	shop, provider := open(t)
	for token, want := range map[string]struct {
		result  payments.Result
		failure string
		err     error
		later   payments.Result
	}{
		payments.TokenSucceeds:          {payments.Succeeded, "", nil, payments.Succeeded},
		payments.TokenSlow:              {payments.Succeeded, "", nil, payments.Succeeded},
		payments.TokenRefundFails:       {payments.Succeeded, "", nil, payments.Succeeded},
		payments.TokenDeclined:          {payments.Declined, "card_declined", nil, payments.Declined},
		payments.TokenInsufficientFunds: {payments.Declined, "insufficient_funds", nil, payments.Declined},
		"whatever":                      {payments.Declined, "unknown_token", nil, payments.Declined},
		payments.TokenError:             {"", "", payments.ErrUnreachable, payments.Unknown},
		payments.TokenTimesOut:          {"", "", payments.ErrUnreachable, payments.Succeeded},
		payments.TokenRequiresAction:    {payments.Waiting, "", nil, payments.Waiting},
	} {
		t.Run(token, func(t *testing.T) {
			charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Request: payments.Request{Token: token}}
			for range 2 {
				got, err := provider.Charge(shop.Ctx, charge)
				if got.Result != want.result || got.Failure != want.failure || !errors.Is(err, want.err) {
					t.Fatalf("charged: %+v, %v", got, err)
				}
			}
			// Another process, which knows the reference alone.
			later, err := (&payments.Test{DB: shop.DB}).Lookup(shop.Ctx, charge)
			if err != nil || later.Result != want.later {
				t.Fatalf("looked up: %+v, %v", later, err)
			}
		})
	}
}

func TestChargeUnderAReferenceOfAnotherAmount(t *testing.T) {
	shop, provider := open(t)
	reference := ids.New("pay")
	if _, err := provider.Charge(shop.Ctx, payments.Charge{Reference: reference, Amount: eur(1000), Request: payments.Request{Token: "succeeds"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Charge(shop.Ctx, payments.Charge{Reference: reference, Amount: eur(1001), Request: payments.Request{Token: "succeeds"}}); err == nil {
		t.Fatal("the other amount was taken for the same charge")
	}
}

func TestSlowChargeIsGivenUp(t *testing.T) {
	shop, _ := open(t)
	ctx, cancel := context.WithTimeout(shop.Ctx, 10*time.Millisecond)
	defer cancel()
	provider := &payments.Test{DB: shop.DB}
	_, err := provider.Charge(ctx, payments.Charge{Reference: ids.New("pay"), Amount: eur(1), Request: payments.Request{Token: "slow"}})
	if !errors.Is(err, payments.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
}

func TestVoid(t *testing.T) {
	shop, provider := open(t)
	charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Request: payments.Request{Token: "succeeds"}}
	for range 2 {
		if got, err := provider.Void(shop.Ctx, charge); err != nil || got.Result != payments.Voided {
			t.Fatalf("voided before it came: %+v, %v", got, err)
		}
	}
	if got, err := provider.Charge(shop.Ctx, charge); err != nil || got.Result != payments.Voided {
		t.Fatalf("charged after it was voided: %+v, %v", got, err)
	}
	charge.Reference = ids.New("pay")
	if _, err := provider.Charge(shop.Ctx, charge); err != nil {
		t.Fatal(err)
	}
	if got, err := provider.Void(shop.Ctx, charge); err != nil || got.Result != payments.Succeeded {
		t.Fatalf("voided after it was made: %+v, %v", got, err)
	}
}

// What waits goes on when the shopper has taken the step, and what is held is captured or
// let go; each once.
func TestStepsAndHolds(t *testing.T) {
	shop, provider := open(t)
	begin := func(capture payments.Capture, token string) payments.Charge {
		t.Helper()
		c := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Capture: capture, Request: payments.Request{Token: token}}
		if _, err := provider.Charge(shop.Ctx, c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	is := func(c payments.Charge, want payments.Result) {
		t.Helper()
		if got, err := provider.Lookup(shop.Ctx, c); err != nil || got.Result != want {
			t.Fatalf("it is %+v, %v; want %s", got, err, want)
		}
	}
	waiting := begin(payments.Automatic, payments.TokenRequiresAction)
	if got, err := provider.Charge(shop.Ctx, waiting); err != nil || got.Step == nil || got.Step.Type != payments.StepRedirect || !strings.HasSuffix(got.Step.URL, waiting.Reference) {
		t.Fatalf("step: %+v, %v", got, err)
	}
	for range 2 {
		if _, err := provider.Take(shop.Ctx, waiting, true); err != nil {
			t.Fatal(err)
		}
		is(waiting, payments.Succeeded)
	}
	refused := begin(payments.Automatic, payments.TokenRequiresAction)
	if got, err := provider.Take(shop.Ctx, refused, false); err != nil || got.Failure != "authentication_failed" {
		t.Fatalf("refused: %+v, %v", got, err)
	}
	if _, err := provider.Take(shop.Ctx, payments.Charge{Reference: ids.New("pay")}, true); !problem.Is(err, "not_found") {
		t.Fatalf("got %v", err)
	}
	given := begin(payments.Automatic, payments.TokenRequiresAction)
	if got, err := provider.Void(shop.Ctx, given); err != nil || got.Result != payments.Voided {
		t.Fatalf("given up: %+v, %v", got, err)
	}
	if _, err := provider.Take(shop.Ctx, given, true); err != nil {
		t.Fatal(err)
	}
	is(given, payments.Voided)

	for do, want := range map[string]payments.Result{"capture": payments.Succeeded, "void": payments.Voided} {
		held := begin(payments.Manual, payments.TokenSucceeds)
		is(held, payments.Authorised)
		if got, err := provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: held, Amount: eur(1)}); err != nil || got.Result != payments.Declined {
			t.Fatalf("refunded what is only held: %+v, %v", got, err)
		}
		for range 2 {
			var outcome payments.Outcome
			var err error
			if do == "void" {
				outcome, err = provider.Void(shop.Ctx, held)
			} else {
				outcome, err = provider.Capture(shop.Ctx, held, held.Amount)
			}
			if err != nil || outcome.Result != want {
				t.Fatalf("%s: %+v, %v", do, outcome, err)
			}
		}
		is(held, want)
	}

	late := begin(payments.Automatic, payments.TokenSucceedsLate)
	for deadline := time.Now().Add(10 * time.Second); ; {
		got, err := provider.Lookup(shop.Ctx, late)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("late: %+v, %v", got, err)
		}
		if got.Result == payments.Succeeded {
			break
		}
	}
}

func TestRefunds(t *testing.T) {
	shop, provider := open(t)
	charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Request: payments.Request{Token: "succeeds"}}
	if _, err := provider.Charge(shop.Ctx, charge); err != nil {
		t.Fatal(err)
	}
	refund := payments.Refund{Reference: ids.New("ref"), Charge: charge, Amount: eur(400)}
	for range 2 {
		if got, err := provider.Refund(shop.Ctx, refund); err != nil || got.Result != payments.Succeeded {
			t.Fatalf("refunded: %+v, %v", got, err)
		}
	}
	refund.Amount = eur(401)
	if _, err := provider.Refund(shop.Ctx, refund); err == nil {
		t.Error("the other amount was taken for the same refund")
	}
	var succeeded atomic.Int64
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			got, err := provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: charge, Amount: eur(250)})
			if err != nil {
				t.Error(err)
			}
			if got.Result == payments.Succeeded {
				succeeded.Add(1)
			}
		})
	}
	wg.Wait()
	if n := succeeded.Load(); n != 2 {
		t.Errorf("%d refunds of 2.50 of the 6.00 that were left", n)
	}
	if got, err := provider.Void(shop.Ctx, charge); err != nil || got.Result != payments.Succeeded {
		t.Errorf("voided after refunds: %+v, %v", got, err)
	}
	for name, bad := range map[string]payments.Refund{
		"of nothing":            {Reference: ids.New("ref"), Charge: payments.Charge{Reference: ids.New("pay")}, Amount: eur(1)},
		"in another currency":   {Reference: ids.New("ref"), Charge: charge, Amount: money.New(1, "USD")},
		"that was told to fail": {Reference: ids.New("ref"), Charge: stubborn(t, shop, provider), Amount: eur(1)},
	} {
		if got, err := provider.Refund(shop.Ctx, bad); err != nil || got.Result != payments.Declined || got.Failure == "" {
			t.Errorf("a refund %s: %+v, %v", name, got, err)
		}
	}
}

func stubborn(t testing.TB, shop *shoptest.Shop, provider *payments.Test) payments.Charge {
	charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Request: payments.Request{Token: payments.TokenRefundFails}}
	if _, err := provider.Charge(shop.Ctx, charge); err != nil {
		t.Fatal(err)
	}
	return charge
}

func TestPrepare(t *testing.T) {
	providers := payments.Providers{payments.TestName: &payments.Test{}, payments.ManualName: payments.ByHand{}, payments.StripeName: payments.ByHand{}}
	bank := payments.ManualMethod{ID: "bank_transfer", Name: "Bank transfer", Instructions: "IBAN DE00"}
	all := payments.Settings{
		Providers: []string{payments.ManualName, payments.StripeName}, Capture: payments.Manual,
		Manual: []payments.ManualMethod{bank}, Stripe: payments.StripeAccount{ID: "acct_1"},
	}
	for _, c := range []struct {
		chosen   payments.Chosen
		terms    payments.Terms
		settings payments.Settings
		code     string
	}{
		{payments.Chosen{Provider: "test"}, payments.Terms{}, all, ""},
		{payments.Chosen{Provider: "test"}, payments.Terms{Live: true}, all, "test_provider_refused"},
		{payments.Chosen{Provider: "test"}, payments.Terms{Live: true, Demo: true}, all, ""},
		{payments.Chosen{Provider: "manual"}, payments.Terms{Live: true}, all, ""},
		{payments.Chosen{Provider: "manual", Token: "bank_transfer"}, payments.Terms{Live: true}, all, ""},
		{payments.Chosen{Provider: "manual", Token: "cash"}, payments.Terms{Live: true}, all, "unknown_reference"},
		{payments.Chosen{Provider: "manual"}, payments.Terms{Live: true}, payments.Settings{}, "provider_off"},
		{payments.Chosen{Provider: "stripe", ReturnURL: "https://shop.example/back"}, payments.Terms{Live: true}, all, ""},
		{payments.Chosen{Provider: "stripe", Flow: payments.FlowConfirm}, payments.Terms{Live: true}, all, ""},
		{payments.Chosen{Provider: "stripe"}, payments.Terms{Live: true}, all, "details_invalid"},
		{payments.Chosen{Provider: "stripe", ReturnURL: "javascript:alert(1)"}, payments.Terms{Live: true}, all, "details_invalid"},
		{payments.Chosen{Provider: "unheard of"}, payments.Terms{}, all, "unknown_reference"},
	} {
		charge, err := providers.Prepare(c.chosen, c.terms, c.settings)
		if err == nil && c.code != "" || err != nil && !problem.Is(err, c.code) {
			t.Errorf("%+v under %+v: %v", c.chosen, c.terms, err)
		}
		if err == nil && charge.Capture != payments.Manual {
			t.Errorf("%+v is captured at once", c.chosen)
		}
		if err == nil && c.chosen.Provider == "manual" && charge.Request.Instructions != bank.Instructions {
			t.Errorf("manual: %+v", charge.Request)
		}
	}
}

func TestNamed(t *testing.T) {
	providers := payments.Providers{payments.TestName: &payments.Test{}}
	if _, err := providers.Named("test"); err != nil {
		t.Error(err)
	}
	if _, err := providers.Named("gone"); err == nil || problem.As(err) != nil {
		t.Errorf("a provider that is gone is our fault: %v", err)
	}
}

func TestReading(t *testing.T) {
	shop, _ := open(t)
	order := ids.New("ord")
	var all []string
	for i, refunded := range []int64{0, 400, 1000} {
		id := ids.New("pay")
		all = append([]string{id}, all...)
		shop.Exec(t, `insert into payments (id, cart_id, order_id, provider, reference, state, currency, amount, refunded_amount)
			values ($1, $5, $2, 'test', $3, 'captured', 'EUR', 1000, $4)`, id, order, fmt.Sprint("r", i), refunded, ids.New("cart"))
	}
	failed := ids.New("pay")
	shop.Exec(t, `insert into payments (id, cart_id, order_id, provider, state, failure, currency, amount) values ($1, 'cart_2', 'ord_2', 'test', 'failed', 'card_declined', 'EUR', 1)`, failed)

	raw, err := payments.Get(shop.Ctx, shop.DB, failed)
	if err != nil || !strings.Contains(string(raw), `"card_declined"`) || !strings.Contains(string(raw), `"reference" : null`) {
		t.Fatalf("read %s, %v", raw, err)
	}
	if _, err := payments.Get(shop.Ctx, shop.DB, ids.New("pay")); !problem.Is(err, "not_found") {
		t.Fatalf("got %v", err)
	}
	list := func(f payments.Filter) (found []string, next string) {
		t.Helper()
		page, err := payments.List(shop.Ctx, shop.DB, f)
		if err != nil {
			t.Fatal(err)
		}
		var items []struct{ ID, State string }
		if err := json.Unmarshal(page.Data, &items); err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			found = append(found, item.ID)
		}
		return found, page.Next
	}
	if found, next := list(payments.Filter{Limit: 10}); len(found) != 4 || found[0] != failed || next != "" {
		t.Errorf("all: %v, %q", found, next)
	}
	found, next := list(payments.Filter{OrderID: order, Limit: 2})
	if fmt.Sprint(found) != fmt.Sprint(all[:2]) || next != all[1] {
		t.Errorf("first page: %v, %q", found, next)
	}
	if found, next = list(payments.Filter{OrderID: order, Limit: 2, After: next}); fmt.Sprint(found) != fmt.Sprint(all[2:]) || next != "" {
		t.Errorf("second page: %v, %q", found, next)
	}
	for state, want := range map[string]string{"captured": all[2], "partially_refunded": all[1], "refunded": all[0], "failed": failed} {
		if found, _ := list(payments.Filter{State: state, Limit: 5}); len(found) != 1 || found[0] != want {
			t.Errorf("%s: %v", state, found)
		}
	}
}
