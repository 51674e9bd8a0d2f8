package cart_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// promote makes a promotion and gives its ID.
func (f *fixture) promote(in promotions.Input) string {
	f.t.Helper()
	in.Active = true
	if in.Rule.Title == "" {
		in.Rule.Title = "Cheaper"
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

func (f *fixture) code(ref cart.Ref, code string) (*cart.Cart, error) {
	return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.AddCode(ctx, tx, ref, code)
	})
}

// coded is what became of a code of the cart.
func coded(c *cart.Cart, code string) cart.Code {
	for _, found := range c.Codes {
		if found.Code == code {
			return found
		}
	}
	return cart.Code{}
}

func percent(bps int64) promotions.Rule {
	return promotions.Rule{Kind: promotions.Percentage, Class: promotions.Products, RateBPS: bps}
}

func TestDiscountsOfACart(t *testing.T) {
	f := open(t)
	shirt, book := f.Add(t, shoptest.Variant{EUR: 2000, USD: 2500, Stock: 50}), f.Add(t, shoptest.Variant{Title: "Book", EUR: 1000, Stock: 50})
	f.Exec(t, `insert into collections (id, handle, title) values ('col_1', 'summer', 'Summer')`)
	f.Exec(t, `insert into collection_products (collection_id, product_id, sort_key, shown) select 'col_1', product_id, '', true from variants where id = $1`, shirt)
	f.Exec(t, `update products set tags = '{paper}' where title = 'Book'`)

	summer := percent(1000)
	summer.Items.CollectionIDs = []string{"col_1"}
	automatic := f.promote(promotions.Input{Automatic: true, Rule: summer})
	c, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 2}, {VariantID: book, Quantity: 1}}})
	if c.Totals.Discount.Amount != 400 || c.Totals.Total.Amount != 4600 || c.Lines[0].Discount.Amount != 400 || c.Lines[0].Discounts[0].ID != automatic || len(c.Lines[1].Discounts) != 0 {
		t.Fatalf("a collection: %+v", c)
	}
	// Of what shoppers pay, not of what they would have paid.
	if want := int64(575 + 160); c.Totals.Tax.Amount != want {
		t.Errorf("tax %v, want %d", c.Totals.Tax, want)
	}
	paper := percent(5000)
	paper.Items.Tags, paper.MinimumQuantity = []string{"paper"}, 2
	f.promote(promotions.Input{Rule: paper, Codes: []string{"PAPER", "BOOKS"}})
	c, err := f.code(ref, " paper ")
	if err != nil || len(c.Codes) != 1 || c.Codes[0] != (cart.Code{Code: "PAPER", Reason: promotions.MinimumNotReached}) || c.Totals.Discount.Amount != 400 {
		t.Fatalf("too few of it: %+v, %v", c, err)
	}
	if c, err = f.add(ref, book, 1); err != nil || !c.Codes[0].Applied || c.Totals.Discount.Amount != 1400 || len(c.Discounts) != 2 || c.Discounts[0].Code != "PAPER" {
		t.Fatalf("enough of it: %+v, %v", c, err)
	}
	if c, err = f.code(ref, "books"); err != nil || !c.Codes[0].Applied || c.Codes[1] != (cart.Code{Code: "BOOKS", Reason: promotions.BetterDiscount}) || c.Totals.Discount.Amount != 1400 {
		t.Fatalf("the same promotion again: %+v, %v", c, err)
	}
	if again, err := f.code(ref, "books"); err != nil || len(again.Codes) != 2 {
		t.Fatalf("the same code again: %+v, %v", again, err)
	}
	remove := func(code string) (*cart.Cart, error) {
		return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.RemoveCode(ctx, tx, ref, code, 0)
		})
	}
	if c, err = remove("Paper"); err != nil || len(c.Codes) != 1 || !c.Codes[0].Applied || c.Totals.Discount.Amount != 1400 {
		t.Fatalf("one less: %+v, %v", c, err)
	}
	_, err = remove("PAPER")
	f.want(err, "not_found")
	// Shipping is free as soon as it costs something.
	f.promote(promotions.Input{Rule: promotions.Rule{Kind: promotions.FreeShipping, Combines: []promotions.Class{promotions.Products}}, Codes: []string{"POST"}})
	if c, err = f.code(ref, "POST"); err != nil || coded(c, "POST").Applied {
		t.Fatalf("nothing to send it by yet: %+v, %v", c, err)
	}
}

func TestCodesThatAreNotToBeHad(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, Stock: 50})
	_, ref := f.create(cart.CreateInput{Email: "ada@example.com", Items: []cart.Item{{VariantID: shirt, Quantity: 1}}})
	one := int64(1)
	for code, change := range map[string]string{
		"INACTIVE": `update promotions set active = false where id = $1`, "SCHEDULED": `update promotions set starts_at = now() + interval '1 day' where id = $1`,
		"ENDED": `update promotions set starts_at = now() - interval '2 day', ends_at = now() - interval '1 day' where id = $1`,
		"USED":  `update promotions set used = 1 where id = $1`, "SPENT": `update promotion_codes set usage_limit = 1, used = 1 where promotion_id = $1`,
		"MINE": `insert into promotion_uses (promotion_id, order_id, email, currency, amount) values ($1, 'ord_1', 'ada@example.com', 'EUR', 1)`,
		"GONE": `delete from promotions where id = $1`,
	} {
		id := f.promote(promotions.Input{Rule: percent(1000), Codes: []string{code}, UsageLimit: &one, CustomerLimit: &one})
		c, err := f.code(ref, code)
		if err != nil || !coded(c, code).Applied {
			t.Fatalf("%s before: %+v, %v", code, c, err)
		}
		f.Exec(t, change, id)
		if c := f.read(ref); coded(c, code).Applied || coded(c, code).Reason != cart.NotAvailable || c.Totals.Discount.Amount != 0 {
			t.Errorf("%s after: %+v", code, c.Codes)
		}
		if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.RemoveCode(ctx, tx, ref, code, 0)
		}); err != nil {
			t.Fatal(err)
		}
		_, err = f.code(ref, code)
		f.want(err, "code_invalid")
	}
	_, err := f.code(ref, "NEVER")
	f.want(err, "code_invalid")
	for i := range cart.MaxCodes {
		f.promote(promotions.Input{Rule: percent(1000), Codes: []string{fmt.Sprint("MANY", i)}})
		if _, err := f.code(ref, fmt.Sprint("MANY", i)); err != nil {
			t.Fatal(err)
		}
	}
	f.promote(promotions.Input{Rule: percent(1000), Codes: []string{"TOO-MANY"}})
	_, err = f.code(ref, "TOO-MANY")
	f.want(err, "too_many")
	_, err = f.code(cart.Ref{ID: ref.ID, Token: "ct_another"}, "MANY1")
	f.want(err, "not_found")
}

// Groups are those of who is signed in; a first order is whoever's it is.
func TestDiscountsForSome(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, Stock: 50})
	f.Exec(t, `insert into customer_groups (id, name) values ('cgr_1', 'Trade')`)
	f.Exec(t, `insert into customers (id, email, group_ids) values ('cus_1', 'ada@example.com', '{cgr_1}')`)
	trade, first := percent(3000), percent(1000)
	trade.GroupIDs, first.FirstOrder = []string{"cgr_1"}, true
	f.promote(promotions.Input{Automatic: true, Rule: trade})
	f.promote(promotions.Input{Automatic: true, Rule: first})
	items := []cart.Item{{VariantID: shirt, Quantity: 1}}
	if c, _ := f.create(cart.CreateInput{CustomerID: "cus_1", Items: items}); c.Totals.Discount.Amount != 600 {
		t.Errorf("one of the group saves %v", c.Totals.Discount)
	}
	c, ref := f.create(cart.CreateInput{Email: "ada@example.com", Items: items})
	if c.Totals.Discount.Amount != 200 {
		t.Errorf("who gives another's address saves %v", c.Totals.Discount)
	}
	f.Exec(t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
		values ('ord_1', 1, 'cart_0', '', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 0, 0, 0, 0)`)
	if c := f.read(ref); c.Totals.Discount.Amount != 0 {
		t.Errorf("a second order saves %v", c.Totals.Discount)
	}
}

// fifty makes 50 active promotions of all kinds.
func (f *fixture) fifty() {
	for i := range 50 {
		rule := percent(int64(100 + i*10))
		switch i % 4 {
		case 1:
			rule = promotions.Rule{Kind: promotions.FixedAmount, Class: promotions.Order, Amounts: map[string]int64{"EUR": int64(10 + i)}, Combines: []promotions.Class{promotions.Products}}
		case 2:
			rule.Items.Tags, rule.MinimumQuantity = []string{fmt.Sprint("tag", i)}, 2
		case 3:
			rule = promotions.Rule{Kind: promotions.BuyXGetY, RateBPS: 10_000, BuyQuantity: 3, GetQuantity: 1}
		}
		f.promote(promotions.Input{Automatic: true, Rule: rule})
	}
}

func TestFiftyPromotionsTakeNoMoreStatements(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2000, Stock: 500})
	_, ref := f.create(cart.CreateInput{})
	took := func() int64 {
		ctx, count := postgres.Counting(f.Ctx)
		counted := *f
		shop := *f.Shop
		counted.Shop, shop.Ctx = &shop, ctx
		if _, err := counted.add(ref, shirt, 2); err != nil {
			t.Fatal(err)
		}
		return count.Statements.Load()
	}
	without := took()
	f.fifty()
	if with := took(); with != without {
		t.Errorf("%d statements with 50 promotions, %d with none", with, without)
	}
	if c := f.read(ref); c.Totals.Discount.IsZero() {
		t.Error("none of the 50 takes anything off")
	}
}

// BenchmarkAdd is adding to a cart of 10 lines, with as many promotions as it says.
func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{0, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := open(b)
			var items []cart.Item
			for range 10 {
				items = append(items, cart.Item{VariantID: f.Add(b, shoptest.Variant{EUR: 2000, Untracked: true}), Quantity: 1})
			}
			if n > 0 {
				f.fifty()
			}
			_, ref := f.create(cart.CreateInput{Items: items})
			f.Exec(b, `analyze`)
			for b.Loop() {
				if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
					return f.carts.SetQuantity(ctx, tx, ref, f.read(ref).Lines[0].ID, 2, 0)
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestDiscountsAreToldInTheContractsWords(t *testing.T) {
	raw, err := json.Marshal([]promotions.Applied{{ID: "prm_1", Title: "Cheaper"}, {ID: "prm_2", Code: "C"}})
	want := `[{"promotion_id":"prm_1","title":"Cheaper","amount":{"amount":0,"currency":""},"code":null},{"promotion_id":"prm_2","title":"","amount":{"amount":0,"currency":""},"code":"C"}]`
	if err != nil || string(raw) != want {
		t.Errorf("got %s, %v", raw, err)
	}
	var back []promotions.Applied
	if err := json.Unmarshal(raw, &back); err != nil || back[0].Code != "" || back[1].Code != "C" {
		t.Errorf("back %+v, %v", back, err)
	}
}
