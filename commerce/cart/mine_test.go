package cart_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func (f *fixture) customer() string {
	f.Exec(f.t, `insert into customers (id, email, addresses) values ('cus_1', 'ada@example.com', '[{"id":"adr_1","default_shipping":true,"default_billing":true,"address":{"name":"Ada","line1":"1","city":"Berlin","postal_code":"10115","country":"DE"}}]')`)
	return "cus_1"
}

func (f *fixture) mine(customer string, guest *cart.Ref) (c *cart.Cart, ref cart.Ref, err error) {
	c, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		c, ref, err = f.carts.Mine(ctx, tx, customer, guest)
		return c, err
	})
	return c, ref, err
}

// Who signs in takes along the cart that they have filled before.
func TestACartIsAdopted(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	ada := f.customer()
	if c, _, err := f.mine(ada, nil); c != nil || err != nil {
		t.Fatalf("a cart from nowhere: %+v, %v", c, err)
	}
	_, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 2}}})
	c, same, err := f.mine(ada, &ref)
	if err != nil || same != ref || c.CustomerID != ada || c.Email != "ada@example.com" || c.ShippingAddress == nil || len(c.Lines) != 1 || c.Totals.Subtotal.Amount != 3998 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err := f.mine(ada, &cart.Ref{ID: ref.ID, Token: "ct_guessed"}); !problem.Is(err, "not_found") {
		t.Errorf("another's cart: %v", err)
	}
	f.Exec(t, `update carts set state = 'completed' where id = $1`, ref.ID)
	if _, _, err := f.mine(ada, &ref); !problem.Is(err, "cart_completed") {
		t.Errorf("a cart that has become an order: %v", err)
	}
	_, said := f.create(cart.CreateInput{Email: "bob@example.com"})
	if c, _, err := f.mine(ada, &said); err != nil || c.CustomerID != ada || c.Email != "bob@example.com" {
		t.Fatalf("what the cart said is lost: %+v, %v", c, err)
	}
}

// The customer's cart is found again on another device, and takes up what was put into a
// guest's there.
func TestCartsAreMerged(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 30, Title: "Shirt"})
	hat := f.Add(t, shoptest.Variant{EUR: 500, Stock: 30, Title: "Hat"})
	ada := f.customer()
	engraved := map[string]string{"Engraving": "Ada"}
	_, first := f.create(cart.CreateInput{CustomerID: ada, Items: []cart.Item{{VariantID: shirt, Quantity: 2}, {VariantID: shirt, Quantity: 1, Attributes: engraved}}})
	c, second, err := f.mine(ada, nil)
	if err != nil || second.ID != first.ID || second.Token == first.Token || len(c.Lines) != 2 {
		t.Fatalf("found again: %+v, %v", c, err)
	}
	f.read(first)
	f.read(second)

	note := "Ring."
	_, guest := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 3, Attributes: engraved}, {VariantID: hat, Quantity: 1}, {VariantID: shirt, Quantity: 5}}})
	if _, err := f.update(guest, cart.Change{Note: &note}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Reserve(ctx, tx, guest, 0)
	}); err != nil {
		t.Fatal(err)
	}
	c, third, err := f.mine(ada, &guest)
	if err != nil || third.ID != first.ID {
		t.Fatalf("merged: %+v, %v", c, err)
	}
	got := map[string]int64{}
	for _, line := range c.Lines {
		got[line.Title+line.Attributes["Engraving"]] = line.Quantity
	}
	if fmt.Sprint(got) != "map[Hat:1 Shirt:7 ShirtAda:4]" || c.Note != note {
		t.Errorf("merged: %v, %q", got, c.Note)
	}
	if _, err := f.carts.Read(f.Ctx, guest); !problem.Is(err, "not_found") {
		t.Errorf("the guest's cart: %v", err)
	}
	if n := shoptest.Value[int64](t, f.Shop, `select sum(reserved)::bigint from variants`); n != 0 {
		t.Errorf("%d are reserved for a cart that is no more", n)
	}

	// As far as a line goes; and many devices at once.
	f.SetStock(t, hat, 20_000)
	f.Exec(t, `update cart_lines set quantity = 9990 where variant_id = $1`, hat)
	var wg sync.WaitGroup
	for range 6 {
		_, guest := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: hat, Quantity: 2}}})
		wg.Go(func() {
			if _, _, err := f.mine(ada, &guest); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := shoptest.Value[int](t, f.Shop, `select quantity from cart_lines where variant_id = $1`, hat); n != 9999 {
		t.Errorf("%d hats", n)
	}
	for range 12 {
		if _, _, err := f.mine(ada, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.carts.Read(f.Ctx, second); !problem.Is(err, "not_found") {
		t.Errorf("the oldest of many tokens: %v", err)
	}
	f.read(first)
}

func TestLinesOfOtherAttributesAreOthers(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 5, Title: "Shirt"})
	item := func(n int64, pairs ...string) cart.Item {
		i := cart.Item{VariantID: shirt, Quantity: n, Attributes: map[string]string{}}
		for k := 0; k < len(pairs); k += 2 {
			i.Attributes[pairs[k]] = pairs[k+1]
		}
		return i
	}
	add := func(ref cart.Ref, items ...cart.Item) (*cart.Cart, error) {
		return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Add(ctx, tx, ref, items...)
		})
	}
	_, ref := f.create(cart.CreateInput{Items: []cart.Item{item(1), item(1, "a", "1", "b", "2"), item(1, "b", "2", "a", "1")}})
	c, err := add(ref, item(1, "a", "1"), item(1))
	if err != nil || len(c.Lines) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	// Together there are not more of them than there are.
	if _, err := add(ref, item(1, "a", "1")); !problem.Is(err, "out_of_stock") {
		t.Errorf("six of five: %v", err)
	}
	f.SetStock(t, shirt, 4)
	if c := f.read(ref); codes(c) != "out_of_stock out_of_stock out_of_stock" && len(c.Problems) < 3 {
		t.Errorf("five of four: %s", codes(c))
	}
	for _, bad := range []cart.Item{item(1, "", "x"), item(1, "a\n", "x"), item(1, "a", "\x00")} {
		if _, err := add(ref, bad); !problem.Is(err, "details_invalid") {
			t.Errorf("%v: %v", bad.Attributes, err)
		}
	}
}

func TestACartReserves(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 3, Title: "Shirt"})
	owed := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 1, Title: "Hat", Oversell: true})
	f.Exec(t, `update variants set backorder_limit = 2, backorder_expected_on = '2026-12-24' where id = $1`, owed)
	reserve := func(ref cart.Ref) (*cart.Cart, error) {
		return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Reserve(ctx, tx, ref, 0)
		})
	}
	_, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 2}, {VariantID: owed, Quantity: 3}}})
	c, err := reserve(ref)
	if err != nil || c.ReservedUntil == nil || !c.Lines[0].Available {
		t.Fatalf("%+v, %v", c, err)
	}
	if hat := c.Lines[1]; !hat.Available || hat.Backordered != 2 || hat.ExpectedOn.Format("2006-01-02") != "2026-12-24" {
		t.Errorf("back-ordered: %+v", hat)
	}
	// Others find what is left.
	_, other := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}})
	if _, err := f.add(other, shirt, 1); !problem.Is(err, "out_of_stock") {
		t.Errorf("reserved by somebody else: %v", err)
	}
	if _, err := f.add(other, owed, 1); !problem.Is(err, "out_of_stock") {
		t.Errorf("beyond the limit: %v", err)
	}
	// Who is active keeps it.
	f.Exec(t, `update reservations set expires_at = now() + interval '1 minute'`)
	soon := *f.read(ref).ReservedUntil
	if c, err = f.update(ref, cart.Change{}, 0); err != nil || c.ReservedUntil.Sub(soon) < inventory.Hold/2 {
		t.Errorf("extended from %v to %v, %v", soon, c.ReservedUntil, err)
	}
	// Who is not, does not.
	f.Exec(t, `update reservations set expires_at = now() - interval '1 second'`)
	if c := f.read(ref); c.ReservedUntil != nil {
		t.Errorf("it has lapsed: %v", c.ReservedUntil)
	}
	if _, err := f.add(other, shirt, 2); err != nil {
		t.Errorf("what has lapsed is in the way: %v", err)
	}
	if _, err := reserve(other); err != nil {
		t.Error(err)
	}
	if c := f.read(ref); codes(c) == "" || c.Lines[0].Available {
		t.Errorf("it is gone: %s", codes(c))
	}
	if _, err := reserve(ref); !problem.Is(err, "out_of_stock") {
		t.Errorf("reserving anew: %v", err)
	}
	c, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Release(ctx, tx, other, 0)
	})
	if err != nil || c.ReservedUntil != nil {
		t.Errorf("released: %v, %v", c.ReservedUntil, err)
	}
	if _, err := reserve(ref); err != nil {
		t.Errorf("what was let go of: %v", err)
	}
	if _, err := reserve(cart.Ref{ID: ref.ID, Token: "ct_guessed"}); !problem.Is(err, "not_found") {
		t.Errorf("another's cart: %v", err)
	}
}
