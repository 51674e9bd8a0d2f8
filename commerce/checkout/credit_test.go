package checkout_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// card issues a gift card.
func (f *fixture) card(amount int64) credit.Issued {
	f.t.Helper()
	var cards []credit.Issued
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		cards, err = credit.IssueCards(ctx, tx, credit.Issue{Amount: money.New(amount, "EUR")}, 1)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return cards[0]
}

// give has a gift card pay for a cart, and says what is left.
func (f *fixture) give(ref cart.Ref, code string) (due money.Money) {
	f.t.Helper()
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, err := f.carts.AddGiftCard(ctx, tx, ref, code)
		if err == nil {
			due = c.Due
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return due
}

func (f *fixture) balance(id credit.ID) int64 {
	f.t.Helper()
	return shoptest.Value[int64](f.t, f.Shop, `select balance from credit_accounts where id = $1`, string(id))
}

// balanced checks that balances are the sums of their ledgers, and that what was spent is what
// payments say.
func (f *fixture) balanced() {
	f.t.Helper()
	if n := f.count(`select count(*) from credit_accounts a where a.balance <> (select coalesce(sum(e.amount), 0) from credit_entries e where e.account_id = a.id)`); n != 0 {
		f.t.Errorf("%d balances are not the sums of their ledgers", n)
	}
	if n := f.count(`select count(*) from payments p where p.provider in ('gift_card', 'store_credit')
		and case when p.state = 'failed' then 0 else p.amount end <> (select coalesce(-sum(e.amount), 0) from credit_entries e where e.payment_id = p.id)`); n != 0 {
		f.t.Errorf("%d payments are not what their ledgers say", n)
	}
}

// ledger are the kinds and amounts of an account's entries, the oldest first.
func (f *fixture) ledger(id credit.ID) string {
	f.t.Helper()
	return shoptest.Value[string](f.t, f.Shop, `select string_agg(kind || ' ' || amount, ', ' order by id) from credit_entries where account_id = $1`, string(id))
}

func TestGiftCardsPay(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2}) // 44.88
	first, second := f.card(1000), f.card(2000)
	if due := f.give(ref, first.Code); due.Amount != total.Amount-1000 {
		t.Fatalf("%s are left", due)
	}
	due := f.give(ref, second.Code)
	if due.Amount != total.Amount-3000 {
		t.Fatalf("%s are left", due)
	}
	in := f.input(ref, total, "succeeds")
	if _, err := f.service.Complete(f.Ctx, in, nil); !problem.Is(err, "due_changed") || problem.As(err).Extra["due"] != due {
		t.Fatalf("who did not know: %v", err)
	}
	in.Due = due
	id, err := f.complete(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.sound(shirt, 10)
	f.balanced()
	got := shoptest.Value[string](t, f.Shop, `select string_agg(concat_ws(' ', provider, state, amount), ', ' order by provider, amount) from payments where order_id = $1`, id)
	if got != "gift_card captured 1000, gift_card captured 2000, test captured 1488" {
		t.Errorf("payments: %s", got)
	}
	if f.balance(first.ID) != 0 || f.ledger(second.ID) != "issue 2000, spend -2000" {
		t.Errorf("left on the first: %d; the second: %s", f.balance(first.ID), f.ledger(second.ID))
	}
	if n := f.count(`select count(*) from events where type = 'payment.captured'`); n != 3 {
		t.Errorf("%d captures are told", n)
	}
	if n := f.count(`select count(*) from events where type = 'gift_card.updated'`); n != 2 {
		t.Errorf("%d balances are told", n)
	}
	c, err := f.carts.Read(f.Ctx, ref)
	if err != nil || len(c.GiftCards) != 2 || c.GiftCards[0].Amount.Amount+c.GiftCards[1].Amount.Amount != 3000 || c.Due != due {
		t.Errorf("the cart shows %+v, %s, %v", c.GiftCards, c.Due, err)
	}
}

// Where credit pays it all, nobody is asked for money, and none need be chosen.
func TestCreditPaysItAll(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 1})
	card := f.card(10_000)
	in := f.input(ref, total, "declined")
	in.Due = f.give(ref, card.Code)
	in.Payment = payments.Chosen{}
	if !in.Due.IsZero() {
		t.Fatalf("%s are left", in.Due)
	}
	id, err := f.complete(in, nil)
	if err != nil || f.provider.charges.Load() != 0 {
		t.Fatalf("%v, %d charges", err, f.provider.charges.Load())
	}
	got := shoptest.Value[string](t, f.Shop, `select o.payment_state || ': ' || string_agg(concat_ws(' ', p.provider, p.state, p.amount), ', ' order by p.provider) from orders o join payments p on p.order_id = o.id
		where o.id = $1 group by o.id`, id)
	if got != "paid: gift_card captured 2489, none captured 0" {
		t.Errorf("the order is %s", got)
	}
	if n := f.balance(card.ID); n != 10_000-2489 {
		t.Errorf("%d are left", n)
	}
	f.sound(shirt, 10)
	f.balanced()
	// Something to pay needs a way to pay.
	ref, total = f.ready(cart.Item{VariantID: shirt, Quantity: 1})
	in = f.input(ref, total, "succeeds")
	in.Payment = payments.Chosen{}
	if _, err := f.complete(in, nil); !problem.Is(err, "payment_missing") {
		t.Errorf("no way to pay: %v", err)
	}
}

// What a failed attempt had spent is given back, and can be spent by the next one.
func TestFailedAttemptsGiveCreditBack(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 1})
	card := f.card(1000)
	due := f.give(ref, card.Code)
	try := func(token string) error {
		in := f.input(ref, total, token)
		in.Due = due
		_, err := f.complete(in, nil)
		return err
	}
	for _, token := range []string{"declined", "error"} {
		if err := try(token); err == nil {
			t.Fatalf("%s went through", token)
		}
		if n := f.balance(card.ID); n != 1000 {
			t.Fatalf("%d are left after a payment that was %s", n, token)
		}
		f.balanced()
	}
	// A step that nobody takes holds the card's money, until it is given up.
	if err := try("requires_action"); err != nil {
		t.Fatal(err)
	}
	if n := f.balance(card.ID); n != 0 {
		t.Errorf("%d are left while the payment is under way", n)
	}
	if c, err := f.carts.Read(f.Ctx, ref); err != nil || c.Due != due || c.GiftCards[0].Amount.Amount != 1000 {
		t.Errorf("meanwhile: %+v, %v", c, err)
	}
	f.patience()
	f.resume()
	if n := f.balance(card.ID); n != 1000 {
		t.Errorf("%d are left after it was given up", n)
	}
	if err := try("succeeds"); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger(card.ID); got != "issue 1000, spend -1000, release 1000, spend -1000, release 1000, spend -1000, release 1000, spend -1000" {
		t.Errorf("ledger: %s", got)
	}
	f.sound(shirt, 10)
	f.balanced()
}

// What has changed since the shopper was told is told, and nothing is charged.
func TestCreditThatChanged(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	for name, change := range map[string]string{
		"less":    `with e as (insert into credit_entries (id, account_id, kind, amount, balance) values ('cre_' || $1::text, $1, 'adjustment', -1, 999)) update credit_accounts set balance = 999 where id = $1`,
		"off":     `update credit_accounts set active = false where id = $1`,
		"expired": `update credit_accounts set expires_at = now() where id = $1`,
	} {
		ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 1})
		card := f.card(1000)
		in := f.input(ref, total, "succeeds")
		in.Due = f.give(ref, card.Code)
		f.Exec(t, change, string(card.ID))
		if _, err := f.complete(in, nil); !problem.Is(err, "due_changed") {
			t.Errorf("%s: %v", name, err)
		}
		c, err := f.carts.Read(f.Ctx, ref)
		if err != nil || c.State != cart.Open || c.Due == in.Due {
			t.Errorf("%s: the cart %+v, %v", name, c, err)
			continue
		}
		in.Due, in.Attempt = c.Due, ids.New("key")
		if _, err := f.complete(in, nil); err != nil {
			t.Errorf("%s, as it is now: %v", name, err)
		}
		f.sound(shirt, 10)
		f.balanced()
	}
}

// Sixty-four carts that are completed at once spend a card's money once.
func TestOneCardInManyCarts(t *testing.T) {
	f := open(t)
	book := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 100, Digital: true})
	card := f.card(5000)
	var all sync.WaitGroup
	var bought atomic.Int64
	var ins []checkout.Input
	for range 64 {
		ref, total := f.ready(cart.Item{VariantID: book, Quantity: 1})
		in := f.input(ref, total, "succeeds")
		in.Due = f.give(ref, card.Code)
		ins = append(ins, in)
	}
	for _, in := range ins {
		all.Go(func() {
			switch _, err := f.service.Complete(f.Ctx, in, nil); {
			case err == nil:
				bought.Add(1)
			case !problem.Is(err, "due_changed"):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if bought.Load() != 5 || f.balance(card.ID) != 0 || f.provider.charges.Load() != 0 {
		t.Errorf("%d were bought, %d are left, %d charges", bought.Load(), f.balance(card.ID), f.provider.charges.Load())
	}
	f.balanced()
}

// Store credit is spent in its customer's cart, by whom it belongs to.
func TestStoreCreditPays(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 1})
	ada, other := ids.New("cus"), ids.New("cus")
	f.Exec(t, `insert into customers (id, email) values ($1, 'ada@example.com'), ($2, 'other@example.com')`, ada, other)
	use := func(customer string) (c *cart.Cart, err error) {
		yes := true
		err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
			c, err = f.carts.Update(ctx, tx, ref, cart.Change{UseStoreCredit: &yes, Customer: customer}, 0)
			return err
		})
		return c, err
	}
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := credit.AdjustStoreCredit(ctx, tx, ada, credit.Adjustment{Amount: money.New(500, "EUR"), Reason: "x"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := use(ada); !problem.Is(err, "sign_in_required") {
		t.Errorf("in nobody's cart: %v", err)
	}
	f.Exec(t, `update carts set customer_id = $2 where id = $1`, ref.ID, ada)
	if _, err := use(other); !problem.Is(err, "sign_in_required") {
		t.Errorf("by another: %v", err)
	}
	c, err := use(ada)
	if err != nil || c.StoreCredit == nil || c.StoreCredit.Amount.Amount != 500 || c.Due.Amount != total.Amount-500 {
		t.Fatalf("used: %+v, %v", c, err)
	}
	in := f.input(ref, total, "succeeds")
	in.Due = c.Due
	if _, err := f.complete(in, nil); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger(c.StoreCredit.Account); got != "adjustment 500, spend -500" {
		t.Errorf("ledger: %s", got)
	}
	f.sound(shirt, 10)
	f.balanced()
}

// Credit rides in statements that are there.
func TestCreditTakesNoMoreStatements(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 100})
	took := func(cards int) int64 {
		ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 1})
		in := f.input(ref, total, "succeeds")
		for range cards {
			in.Due = f.give(ref, f.card(100).Code)
		}
		ctx, count := postgres.Counting(f.Ctx)
		if _, err := f.service.Complete(ctx, in, nil); err != nil {
			t.Fatal(err)
		}
		return count.Statements.Load()
	}
	if with, without := took(3), took(0); with != without {
		t.Errorf("%d statements with three gift cards, %d without", with, without)
	}
}
