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
	} {
		t.Run(token, func(t *testing.T) {
			charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Token: token}
			for range 2 {
				got, err := provider.Charge(shop.Ctx, charge)
				if got.Result != want.result || got.Failure != want.failure || !errors.Is(err, want.err) {
					t.Fatalf("charged: %+v, %v", got, err)
				}
			}
			// Another process, which knows the reference alone.
			later, err := (&payments.Test{DB: shop.DB}).Lookup(shop.Ctx, charge.Reference)
			if err != nil || later.Result != want.later {
				t.Fatalf("looked up: %+v, %v", later, err)
			}
		})
	}
}

func TestChargeUnderAReferenceOfAnotherAmount(t *testing.T) {
	shop, provider := open(t)
	reference := ids.New("pay")
	if _, err := provider.Charge(shop.Ctx, payments.Charge{Reference: reference, Amount: eur(1000), Token: "succeeds"}); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Charge(shop.Ctx, payments.Charge{Reference: reference, Amount: eur(1001), Token: "succeeds"}); err == nil {
		t.Fatal("the other amount was taken for the same charge")
	}
}

func TestSlowChargeIsGivenUp(t *testing.T) {
	shop, _ := open(t)
	ctx, cancel := context.WithTimeout(shop.Ctx, 10*time.Millisecond)
	defer cancel()
	provider := &payments.Test{DB: shop.DB}
	_, err := provider.Charge(ctx, payments.Charge{Reference: ids.New("pay"), Amount: eur(1), Token: "slow"})
	if !errors.Is(err, payments.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
}

func TestVoid(t *testing.T) {
	shop, provider := open(t)
	charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Token: "succeeds"}
	for range 2 {
		if got, err := provider.Void(shop.Ctx, charge.Reference); err != nil || got.Result != payments.Voided {
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
	if got, err := provider.Void(shop.Ctx, charge.Reference); err != nil || got.Result != payments.Voided {
		t.Fatalf("voided after it was made: %+v, %v", got, err)
	}
	if got, err := provider.Lookup(shop.Ctx, charge.Reference); err != nil || got.Result != payments.Voided {
		t.Fatalf("looked up: %+v, %v", got, err)
	}
}

func TestRefunds(t *testing.T) {
	shop, provider := open(t)
	charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Token: "succeeds"}
	if _, err := provider.Charge(shop.Ctx, charge); err != nil {
		t.Fatal(err)
	}
	refund := payments.Refund{Reference: ids.New("ref"), Charge: charge.Reference, Amount: eur(400)}
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
			got, err := provider.Refund(shop.Ctx, payments.Refund{Reference: ids.New("ref"), Charge: charge.Reference, Amount: eur(250)})
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
	if got, err := provider.Void(shop.Ctx, charge.Reference); err != nil || got.Result != payments.Succeeded {
		t.Errorf("voided after refunds: %+v, %v", got, err)
	}
	for name, bad := range map[string]payments.Refund{
		"of nothing":            {Reference: ids.New("ref"), Charge: ids.New("pay"), Amount: eur(1)},
		"in another currency":   {Reference: ids.New("ref"), Charge: charge.Reference, Amount: money.New(1, "USD")},
		"that was told to fail": {Reference: ids.New("ref"), Charge: stubborn(t, shop, provider), Amount: eur(1)},
	} {
		if got, err := provider.Refund(shop.Ctx, bad); err != nil || got.Result != payments.Declined || got.Failure == "" {
			t.Errorf("a refund %s: %+v, %v", name, got, err)
		}
	}
}

func stubborn(t testing.TB, shop *shoptest.Shop, provider *payments.Test) string {
	charge := payments.Charge{Reference: ids.New("pay"), Amount: eur(1000), Token: payments.TokenRefundFails}
	if _, err := provider.Charge(shop.Ctx, charge); err != nil {
		t.Fatal(err)
	}
	return charge.Reference
}

func TestTerms(t *testing.T) {
	providers := payments.Providers{payments.TestName: &payments.Test{}, "other": &payments.Test{}}
	for _, c := range []struct {
		name  string
		terms payments.Terms
		code  string
	}{
		{"test", payments.Terms{}, ""},
		{"test", payments.Terms{Live: true}, "test_provider_refused"},
		{"test", payments.Terms{Live: true, Demo: true}, ""},
		{"other", payments.Terms{Live: true}, ""},
		{"unheard of", payments.Terms{}, "unknown_reference"},
	} {
		if _, err := providers.For(c.name, c.terms); err == nil && c.code != "" || err != nil && !problem.Is(err, c.code) {
			t.Errorf("%s under %+v: %v", c.name, c.terms, err)
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
			values ($1, 'cart_1', $2, 'test', $3, 'captured', 'EUR', 1000, $4)`, id, order, fmt.Sprint("r", i), refunded)
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
