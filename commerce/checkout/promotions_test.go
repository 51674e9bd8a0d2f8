package checkout_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func (f *fixture) promote(in promotions.Input) string {
	f.t.Helper()
	in.Active, in.Rule.Title = true, "Half off"
	if in.Rule.Kind == "" {
		in.Rule.Kind, in.Rule.Class, in.Rule.RateBPS = promotions.Percentage, promotions.Order, 5000
	}
	var id promotions.ID
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		id, err = promotions.Create(ctx, tx, in)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return string(id)
}

// coded is a cart that can be completed, with a code, as a shopper with an e-mail address.
func (f *fixture) coded(email, code string, items ...cart.Item) (cart.Ref, money.Money) {
	f.t.Helper()
	ref, total := f.ready(items...)
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := f.carts.Update(ctx, tx, ref, cart.Change{Email: &email}, 0); err != nil {
			return err
		}
		c, err := f.carts.AddCode(ctx, tx, ref, code)
		if err == nil {
			total = c.Totals.Total
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return ref, total
}

// However many check out at once: a promotion of five uses is used five times, and no
// customer uses one twice that is for each once. Nobody is charged who was refused.
func TestLimitsHoldUnderParallelCheckouts(t *testing.T) {
	const shoppers = 64
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, Stock: 1000})
	five, one := int64(5), int64(1)
	for name, c := range map[string]struct {
		in    promotions.Input
		email func(i int) string
		most  int
	}{
		"TOTAL":    {promotions.Input{UsageLimit: &five}, func(i int) string { return fmt.Sprintf("ada-%d@example.com", i) }, 5},
		"CUSTOMER": {promotions.Input{CustomerLimit: &one}, func(i int) string { return fmt.Sprintf("ben-%d@example.com", i%4) }, 4},
		"FIRST":    {promotions.Input{Rule: promotions.Rule{FirstOrder: true}}, func(i int) string { return fmt.Sprintf("cyd-%d@example.com", i%4) }, 4},
	} {
		c.in.Codes = []string{name}
		id := f.promote(c.in)
		inputs := make([]checkout.Input, shoppers)
		for i := range inputs {
			ref, total := f.coded(c.email(i), name, cart.Item{VariantID: shirt, Quantity: 1})
			if total.Amount != 1000+490 {
				t.Fatalf("%s: a cart comes to %v", name, total)
			}
			inputs[i] = f.input(ref, total, "succeeds")
		}
		charged := f.provider.charges.Load()
		var done sync.WaitGroup
		errs := make([]error, shoppers)
		for i := range inputs {
			done.Go(func() { _, errs[i] = f.service.Complete(f.Ctx, inputs[i], nil) })
		}
		done.Wait()
		bought := 0
		for i, err := range errs {
			switch {
			case err == nil:
				bought++
			case problem.Is(err, "promotion_used_up") || problem.Is(err, "total_changed"):
			default:
				t.Errorf("%s: shopper %d: %v", name, i, err)
			}
		}
		uses := f.count(`select count(*) from promotion_uses where promotion_id = $1`, id)
		used := f.count(`select used::int from promotions where id = $1`, id)
		discounted := f.count(`select count(*) from orders where state = 'open' and discounts @> jsonb_build_array(jsonb_build_object('promotion_id', $1::text))`, id)
		if bought != c.most || uses != c.most || used != c.most || discounted != c.most || f.provider.charges.Load()-charged != int64(c.most) {
			t.Errorf("%s: %d bought, %d uses, %d used, %d orders, %d charges; want %d of each", name, bought, uses, used, discounted, f.provider.charges.Load()-charged, c.most)
		}
		if most := f.count(`select coalesce(max(n), 0)::int from (select count(*) as n from promotion_uses where promotion_id = $1 group by email) x`, id); most != 1 {
			t.Errorf("%s: a customer used it %d times", name, most)
		}
	}
	f.sound(shirt, 1000)
}

// A declined payment gives back what it used, and the same cart may use it again.
func TestAFailedPaymentReleasesItsPromotions(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, Stock: 10})
	one := int64(1)
	id := f.promote(promotions.Input{UsageLimit: &one, CustomerLimit: &one, Codes: []string{"ONCE"}})
	f.Exec(t, `update promotion_codes set usage_limit = 1`)
	ref, total := f.coded("ada@example.com", "ONCE", cart.Item{VariantID: shirt, Quantity: 1})
	if _, err := f.service.Complete(f.Ctx, f.input(ref, total, payments.TokenDeclined), nil); !problem.Is(err, "payment_declined") {
		t.Fatalf("declined: %v", err)
	}
	left := func() (n int) {
		return f.count(`select (select used from promotions where id = $1)::int + (select sum(used) from promotion_codes)::int + (select count(*) from promotion_uses)::int`, id)
	}
	if n := left(); n != 0 {
		t.Fatalf("%d uses are left behind", n)
	}
	other, price := f.coded("ben@example.com", "ONCE", cart.Item{VariantID: shirt, Quantity: 1})
	done, err := f.service.Complete(f.Ctx, f.input(ref, total, "succeeds"), nil)
	if err != nil || left() != 3 {
		t.Fatalf("the second time: %v, %d uses", err, left())
	}
	if _, err := f.service.Complete(f.Ctx, f.input(other, price, "succeeds"), nil); !problem.Is(err, "total_changed") {
		t.Errorf("used up: %v", err)
	}
	kept := shoptest.Value[string](t, f.Shop, `select o.discounts || l.discounts || to_jsonb(o.discount_amount) from orders o join order_lines l on l.order_id = o.id where o.id = $1`, done.OrderID)
	want := fmt.Sprintf(`[{"code": "ONCE", "title": "Half off", "amount": {"amount": 1000, "currency": "EUR"}, "promotion_id": "%s"}, `, id)
	if kept != want+want[1:]+"1000]" {
		t.Errorf("the order keeps %s", kept)
	}
	c, err := f.carts.Read(f.Ctx, ref)
	if err != nil || len(c.Discounts) != 1 || !c.Codes[0].Applied || len(c.Lines[0].Discounts) != 1 || c.Totals.Discount.Amount != 1000 {
		t.Errorf("the completed cart: %+v, %v", c, err)
	}
	// What an order got stays with it when its promotion goes.
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return promotions.Delete(ctx, tx, promotions.ID(id), 0)
	})
	if n := f.count(`select count(*) from orders where discounts <> '[]'`); err != nil || n != 1 {
		t.Errorf("after the promotion was deleted: %d orders, %v", n, err)
	}
}

func TestPromotionsTakeTwoStatements(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, Stock: 10})
	took := func(ref cart.Ref, total money.Money) int64 {
		ctx, count := postgres.Counting(f.Ctx)
		if _, err := f.service.Complete(ctx, f.input(ref, total, "succeeds"), nil); err != nil {
			t.Fatal(err)
		}
		return count.Statements.Load()
	}
	without := took(f.ready(cart.Item{VariantID: shirt, Quantity: 1}))
	f.promote(promotions.Input{Automatic: true, Rule: promotions.Rule{Kind: promotions.FreeShipping, Combines: []promotions.Class{promotions.Order}}})
	f.promote(promotions.Input{Rule: promotions.Rule{
		Kind: promotions.Percentage, Class: promotions.Order, RateBPS: 1000, Combines: []promotions.Class{promotions.Shipping},
	}, Codes: []string{"TEN"}})
	ref, total := f.coded("ada@example.com", "TEN", cart.Item{VariantID: shirt, Quantity: 1})
	if total.Amount != 1800 {
		t.Fatalf("both together: %v", total)
	}
	if with := took(ref, total); with != without+2 {
		t.Errorf("%d statements with two promotions, %d without", with, without)
	}
}
