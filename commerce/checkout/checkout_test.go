package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

type fixture struct {
	*shoptest.Shop
	t        testing.TB
	platform *testdb.Platform
	carts    *cart.Service
	service  *checkout.Service
	provider *provider
}

// provider is the test provider, with an accident that the test arranges.
type provider struct {
	payments.Test
	before, after func(payments.Charge) error // around a charge
	lost          atomic.Bool                 // it cannot be asked
	charges       atomic.Int64
}

func (p *provider) Charge(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	p.charges.Add(1)
	if p.before != nil {
		if err := p.before(c); err != nil {
			return payments.Outcome{}, err
		}
	}
	outcome, err := p.Test.Charge(ctx, c)
	if p.after != nil && err == nil {
		err = p.after(c)
	}
	return outcome, err
}

var errLost = errors.New("the line is dead")

func (p *provider) Lookup(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	if p.lost.Load() {
		return payments.Outcome{}, errLost
	}
	return p.Test.Lookup(ctx, c)
}

func open(t testing.TB) *fixture {
	t.Helper()
	platform := testdb.Open(t)
	f := &fixture{Shop: shoptest.New(t, platform), t: t, platform: platform, carts: cart.New(platform.DB)}
	f.provider = &provider{Test: payments.Test{DB: platform.DB, Slow: 20 * time.Millisecond}}
	f.service = &checkout.Service{DB: platform.DB, Carts: f.carts, Providers: payments.Providers{payments.TestName: f.provider}, Log: slog.New(slog.DiscardHandler)}
	return f
}

var berlin = &address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "DE"}

// ready is a cart that can be completed.
func (f *fixture) ready(items ...cart.Item) (cart.Ref, money.Money) {
	f.t.Helper()
	var ref cart.Ref
	var total money.Money
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, token, err := f.carts.Create(ctx, tx, cart.CreateInput{Email: "ada@example.com", Items: items})
		if err != nil {
			return err
		}
		ref = cart.Ref{ID: c.ID, Token: token}
		c, err = f.carts.Update(ctx, tx, ref, cart.Change{ShippingAddress: &berlin, MethodID: &f.Standard}, 0)
		total = c.Totals.Total
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return ref, total
}

func (f *fixture) input(ref cart.Ref, total money.Money, token string) checkout.Input {
	return checkout.Input{
		Cart: ref, Payment: payments.Chosen{Provider: payments.TestName, Token: token}, Expected: total, Due: total, Attempt: ids.New("key"),
		Shop: checkout.Shop{Terms: payments.Terms{Live: true, Demo: true}, TakesOrders: true},
	}
}

// complete gives the order's ID.
func (f *fixture) complete(in checkout.Input, answer checkout.Answer) (string, error) {
	at, err := f.service.Complete(f.Ctx, in, answer)
	return at.OrderID, err
}

func (f *fixture) count(sql string, args ...any) int {
	f.t.Helper()
	return shoptest.Value[int](f.t, f.Shop, sql, args...)
}

// sound checks what holds in every store at every time: an order for every charge and a
// charge for every order, and stock that is what was there less what was sold.
func (f *fixture) sound(variant string, initial int64) {
	f.t.Helper()
	if n := f.count(`select count(*) from (select reference, amount, refunds,
			case when state = 'processing' and ready_at <= now() then 'succeeded' else state end as state from test_charges) t full join (select * from payments where provider = 'test') p on p.id = t.reference
		where (coalesce(t.state, '') = 'succeeded' and coalesce(t.refunds->>('ref_' || substr(t.reference, 5)), '') <> t.amount::text) <> (coalesce(p.state, '') = 'captured')
			or (coalesce(t.state, '') = 'authorised') <> (coalesce(p.state, '') = 'authorised') or p.state = 'captured' and p.amount <> t.amount`); n != 0 {
		f.t.Errorf("%d charges and payments differ", n)
	}
	if n := f.count(`select count(*) from orders o where state <> 'pending' and 1 <> (select count(*) from payments p where p.order_id = o.id and p.state <> 'failed' and p.provider not in ('gift_card', 'store_credit'))`); n != 0 {
		f.t.Errorf("%d orders without their one payment", n)
	}
	if n := f.count(`select count(*) from payments p join orders o on o.id = p.order_id where p.state in ('captured', 'authorised', 'due') and o.state = 'pending'`); n != 0 {
		f.t.Errorf("%d payments without their order", n)
	}
	sold := shoptest.Value[int64](f.t, f.Shop, `select coalesce(sum(l.quantity), 0)::bigint from order_lines l join orders o on o.id = l.order_id
		where l.variant_id = $1 and o.state <> 'pending'`, variant)
	if stock := f.Stock(f.t, variant); stock != initial-sold {
		f.t.Errorf("%d in stock of %d after %d were sold", stock, initial, sold)
	}
	reserved := shoptest.Value[int64](f.t, f.Shop, `select coalesce(sum(l.quantity), 0)::bigint from order_lines l join orders o on o.id = l.order_id
		where l.variant_id = $1 and o.state = 'pending' and o.payment_state = 'pending'`, variant)
	if got := shoptest.Value[int64](f.t, f.Shop, `select reserved from variants where id = $1`, variant); got != reserved {
		f.t.Errorf("%d are reserved, but %d are under way", got, reserved)
	}
}

func TestComplete(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	var answered string
	id, err := f.complete(f.input(ref, total, "succeeds"), func(_ context.Context, _ *postgres.Tx, order string, refused *problem.Problem) error {
		answered = order
		if refused != nil {
			t.Errorf("refused: %v", refused)
		}
		return nil
	})
	if err != nil || id == "" || id != answered {
		t.Fatalf("order %q, answered %q, %v", id, answered, err)
	}
	f.sound(shirt, 10)
	got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', number, state, payment_state, fulfilment_state, currency, email, subtotal_amount, shipping_amount,
		tax_amount, total_amount, taxes->0->>'name', taxes->0->>'jurisdiction', taxes->0->>'percentage', shipping_method->>'name', shipping_address->>'city') from orders where id = $1`, id)
	if got != "1001 open paid unfulfilled EUR ada@example.com 3998 490 716 4488 VAT DE 19 Standard Berlin" {
		t.Errorf("the order: %s", got)
	}
	got = shoptest.Value[string](t, f.Shop, `select concat_ws(' ', variant_id = $2, title, sku <> '', quantity, unit_amount, total_amount, tax_amount, tracks_stock) from order_lines where order_id = $1`, id, shirt)
	if got != "t Linen shirt t 2 1999 3998 638 t" {
		t.Errorf("its line: %s", got)
	}
	got = shoptest.Value[string](t, f.Shop, `select string_agg(type, ' ' order by id) from events`)
	if got != "customer.created payment.captured order.created order.paid" {
		t.Errorf("events: %s", got)
	}
	got = shoptest.Value[string](t, f.Shop, `select concat_ws(' ', c.email, c.name, c.default_address->>'city', o.customer_id = c.id) from customers c, orders o`)
	if got != "ada@example.com Ada Example Berlin t" {
		t.Errorf("the customer: %s", got)
	}
	if got := f.cell(`select string_agg(kind, ' ' order by kind) from cell.outbox where store = $1`); got != "analytics.book cart_abandoned checkout_resume documents_issue order_mail" {
		t.Errorf("jobs: %s", got)
	}
	if got := f.cell(`select string_agg(metric || ' ' || delta, ', ' order by metric) from cell.usage_deltas where store = $1`); got != "orders 1, revenue:EUR 4488" {
		t.Errorf("usage: %s", got)
	}
	c, err := f.carts.Read(f.Ctx, ref)
	if err != nil || c.State != cart.Completed || c.OrderID != id || c.Totals.Total != total || len(c.Problems) != 0 || c.Method == nil || c.Method.Price.Amount != 490 {
		t.Errorf("the cart: %+v, %v", c, err)
	}
	f.Exec(t, `update prices set amount = 1`)
	if c, err = f.carts.Read(f.Ctx, ref); err != nil || c.Totals.Total != total || c.Lines[0].Unit.Amount != 1999 || !c.Lines[0].Available {
		t.Errorf("the cart after prices changed: %+v, %v", c, err)
	}
	if _, err := f.service.Complete(f.Ctx, f.input(ref, total, "succeeds"), nil); !problem.Is(err, "cart_completed") {
		t.Errorf("again: %v", err)
	}
}

// cell is what a statement on the cell's own tables gives for this store.
func (f *fixture) cell(sql string) (text string) {
	f.t.Helper()
	ref, _ := postgres.StoreFrom(f.Ctx)
	err := f.DB.InCell(context.Background(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, sql, postgres.RoleName(ref.Cell, ref.Schema)).Scan(&text)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func TestRefusalsLeaveTheCartOpen(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 100})
	item := cart.Item{VariantID: shirt, Quantity: 2}
	for name, c := range map[string]struct {
		change func(in *checkout.Input)
		code   string
	}{
		"another total":    {func(in *checkout.Input) { in.Expected.Amount-- }, "total_changed"},
		"another currency": {func(in *checkout.Input) { in.Expected.Currency = "USD" }, "total_changed"},
		"no orders":        {func(in *checkout.Input) { in.Shop.TakesOrders = false }, "orders_not_accepted"},
		"a live store":     {func(in *checkout.Input) { in.Shop.Demo = false }, "test_provider_refused"},
		"no provider":      {func(in *checkout.Input) { in.Payment.Provider = "barter" }, "unknown_reference"},
		"a wrong token":    {func(in *checkout.Input) { in.Cart.Token = "ct_wrong" }, "not_found"},
		"an unknown cart":  {func(in *checkout.Input) { in.Cart.ID = ids.New("cart") }, "not_found"},
		"declined":         {func(in *checkout.Input) { in.Payment.Token = "declined" }, "payment_declined"},
		"too poor":         {func(in *checkout.Input) { in.Payment.Token = "insufficient_funds" }, "payment_declined"},
		"no answer":        {func(in *checkout.Input) { in.Payment.Token = "error" }, "payment_provider_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			ref, total := f.ready(item)
			in := f.input(ref, total, "succeeds")
			c.change(&in)
			id, err := f.complete(in, nil)
			if !problem.Is(err, c.code) {
				t.Fatalf("got %q, %v; want %s", id, err, c.code)
			}
			if c.code == "total_changed" && problem.As(err).Extra["total"] != total {
				t.Errorf("the present total is not told: %+v", problem.As(err).Extra)
			}
			f.sound(shirt, 100)
			if c, err := f.carts.Read(f.Ctx, ref); err != nil || c.State != cart.Open {
				t.Fatalf("the cart: %+v, %v", c, err)
			}
			// And it can still be bought.
			if _, err := f.service.Complete(f.Ctx, f.input(ref, total, "succeeds"), nil); err != nil {
				t.Fatal(err)
			}
			// One order, however often it was tried: the ID and the number were kept.
			if n := f.count(`select count(*) from orders where cart_id = $1`, ref.ID); n != 1 {
				t.Errorf("%d orders of one cart", n)
			}
		})
	}
	if n := f.count(`select max(number) - min(number) + 1 - count(*) from orders`); n != 0 {
		t.Errorf("%d numbers are missing", n)
	}
}

func TestIncomplete(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{Title: "Shirt", EUR: 1999, Stock: 10})
	var ref cart.Ref
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, token, err := f.carts.Create(ctx, tx, cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 2}}})
		ref = cart.Ref{ID: c.ID, Token: token}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.service.Complete(f.Ctx, f.input(ref, money.New(3998, "EUR"), "succeeds"), nil)
	if p := problem.As(err); p == nil || p.Code != "cart_incomplete" || len(p.Faults) != 3 {
		t.Fatalf("got %v", err)
	}
	f.SetStock(t, shirt, 1)
	_, err = f.service.Complete(f.Ctx, f.input(ref, money.New(3998, "EUR"), "succeeds"), nil)
	if p := problem.As(err); p == nil || p.Code != "out_of_stock" || p.Faults[0].Pointer != "/lines/0/quantity" || p.Faults[0].Detail != "Only 1 of Shirt are left." {
		t.Fatalf("got %v", err)
	}
}

// The answer of a refusal is recorded with the refusal; that of an attempt that may be
// repeated is not.
func TestWhatIsAnswered(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
	var refusals []string
	answer := func(_ context.Context, _ *postgres.Tx, order string, refused *problem.Problem) error {
		refusals = append(refusals, order+refused.Code)
		return nil
	}
	for _, token := range []string{"error", "declined"} {
		if _, err := f.service.Complete(f.Ctx, f.input(ref, total, token), answer); err == nil {
			t.Fatalf("%s went through", token)
		}
	}
	if strings.Join(refusals, " ") != "payment_declined" {
		t.Fatalf("answered %v", refusals)
	}
	// An answer that cannot be recorded undoes what it tells of, and is found again.
	in := f.input(ref, total, "succeeds")
	if _, err := f.service.Complete(f.Ctx, in, func(context.Context, *postgres.Tx, string, *problem.Problem) error { return errLost }); !errors.Is(err, errLost) {
		t.Fatalf("got %v", err)
	}
	if n := f.count(`select count(*) from orders where state <> 'pending'`); n != 0 {
		t.Fatal("there is an order that nobody was told of")
	}
	for range 2 {
		if _, err := f.service.Complete(f.Ctx, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	f.sound(shirt, 10)
}

func TestNothingToPay(t *testing.T) {
	f := open(t)
	gift := f.Add(t, shoptest.Variant{EUR: 1, Stock: 10, Digital: true})
	f.Exec(t, `update prices set amount = 0`)
	ref, total := f.ready(cart.Item{VariantID: gift, Quantity: 1})
	id, err := f.complete(f.input(ref, total, "succeeds"), nil)
	if err != nil || id == "" || f.provider.charges.Load() != 0 {
		t.Fatalf("order %q, %v, %d charges", id, err, f.provider.charges.Load())
	}
}

// Sixty-four shoppers, or one with an impatient browser, complete one cart at once.
func TestOneCartOneOrder(t *testing.T) {
	for _, same := range []bool{true, false} {
		t.Run(fmt.Sprintf("same name %v", same), func(t *testing.T) {
			f := open(t)
			shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
			ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 2})
			one := f.input(ref, total, "slow")
			orders := make([]string, 64)
			var wg sync.WaitGroup
			for i := range orders {
				in := one
				if !same {
					in = f.input(ref, total, "slow")
				}
				wg.Go(func() {
					id, err := f.complete(in, nil)
					if err != nil && !problem.Is(err, "cart_completed") && !problem.Is(err, "completion_in_progress") {
						t.Error(err)
					}
					if err == nil {
						orders[i] = id
					}
				})
			}
			wg.Wait()
			found := map[string]int{}
			for _, id := range orders {
				if id != "" {
					found[id]++
				}
			}
			for id, n := range found {
				if same != (n == 64) {
					t.Errorf("order %s was answered %d times", id, n)
				}
			}
			if len(found) != 1 || f.count(`select count(*) from orders`) != 1 || f.count(`select count(*) from test_charges`) != 1 {
				t.Errorf("orders: %v", found)
			}
			if n := f.count(`select count(*) from events where type = 'order.created'`); n != 1 {
				t.Errorf("told %d times", n)
			}
			f.sound(shirt, 10)
		})
	}
}

// Sixteen carts want the last five; each has one to three, some payments fail. Who was refused
// while a payment that then failed held the goods comes again, alone: then all that fits is sold.
func TestTheLastOnesAreSoldOnce(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 5})
	other := f.Add(t, shoptest.Variant{EUR: 500, Stock: 1000})
	type order struct {
		ref     cart.Ref
		total   money.Money
		wants   int64
		refused bool
	}
	var carts []*order
	for i := range 16 {
		wants := int64(1 + i%3)
		items := []cart.Item{{VariantID: shirt, Quantity: wants}, {VariantID: other, Quantity: 1}}
		if i%2 == 0 {
			items[0], items[1] = items[1], items[0]
		}
		ref, total := f.ready(items...)
		carts = append(carts, &order{ref: ref, total: total, wants: wants})
	}
	complete := func(o *order, token string) {
		_, err := f.service.Complete(f.Ctx, f.input(o.ref, o.total, token), nil)
		o.refused = problem.Is(err, "out_of_stock")
		if err != nil && !o.refused && !problem.Is(err, "payment_declined") {
			t.Error(err)
		}
	}
	var wg sync.WaitGroup
	for i, o := range carts {
		wg.Go(func() {
			if i%5 == 0 {
				complete(o, "declined")
			} else {
				complete(o, "succeeds")
			}
		})
	}
	wg.Wait()
	f.sound(shirt, 5)
	f.sound(other, 1000)
	for _, o := range carts {
		if o.refused {
			complete(o, "succeeds")
		}
	}
	f.sound(shirt, 5)
	f.sound(other, 1000)
	left := f.Stock(t, shirt)
	if left < 0 {
		t.Errorf("%d are left", left)
	}
	for _, o := range carts {
		if o.refused && o.wants <= left {
			t.Errorf("%d were refused, and %d are left", o.wants, left)
		}
	}
}

func TestStatements(t *testing.T) {
	f := open(t)
	var took []int64
	for _, n := range []int{1, 50} {
		var items []cart.Item
		for range n {
			items = append(items, cart.Item{VariantID: f.Add(t, shoptest.Variant{EUR: 100, Stock: 5}), Quantity: 2})
		}
		ref, total := f.ready(items...)
		ctx, count := postgres.Counting(f.Ctx)
		if _, err := f.service.Complete(ctx, f.input(ref, total, "succeeds"), nil); err != nil {
			t.Fatal(err)
		}
		took = append(took, count.Statements.Load())
	}
	// The front door adds the claim, the order that is answered, and the record: three.
	if took[0] != took[1] || took[0] > 12 {
		t.Errorf("completion takes %v statements for 1 and 50 lines", took)
	}
	t.Logf("%d statements", took[0])
}

func TestTheCustomerIsKnown(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	f.Exec(t, `insert into customers (id, email, name, password_hash, email_verified_at, addresses) values
		('cus_ada', 'ada@example.com', 'Ada', 'x', now(), '[{"id":"adr_1","default_shipping":true,"default_billing":true,"address":{"name":"Ada","line1":"2","city":"Paris","country":"FR"}}]'),
		('cus_bob', 'bob@example.com', 'Bob', 'x', now(), '[]')`)
	ref, total := f.ready(cart.Item{VariantID: shirt, Quantity: 1})
	if _, err := f.service.Complete(f.Ctx, f.input(ref, total, "succeeds"), nil); err != nil {
		t.Fatal(err)
	}
	if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', o.customer_id, c.name, c.default_address->>'city') from orders o join customers c on c.id = o.customer_id`); got != "cus_ada Ada Paris" {
		t.Errorf("a stranger's order in the name of who has an account: %s", got)
	}
	ref, total = f.ready(cart.Item{VariantID: shirt, Quantity: 1})
	f.Exec(t, `update carts set customer_id = 'cus_bob' where id = $1`, ref.ID)
	id, err := f.complete(f.input(ref, total, "succeeds"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', o.customer_id, o.email, c.default_address->>'city') from orders o join customers c on c.id = o.customer_id where o.id = $1`, id); got != "cus_bob ada@example.com Berlin" {
		t.Errorf("an order of who is signed in: %s", got)
	}
	if n := f.count(`select count(*) from customers`); n != 2 {
		t.Errorf("%d customers", n)
	}
}
