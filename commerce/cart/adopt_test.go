package cart_test

import (
	"context"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestACartIsAdopted(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	f.Exec(t, `insert into customers (id, email, default_address) values ('cus_1', 'ada@example.com', '{"name":"Ada","line1":"1","city":"Berlin","postal_code":"10115","country":"DE"}')`)
	adopt := func(ref cart.Ref) (*cart.Cart, error) {
		return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Adopt(ctx, tx, ref, "cus_1")
		})
	}
	_, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 2}}})
	c, err := adopt(ref)
	if err != nil || c.CustomerID != "cus_1" || c.Email != "ada@example.com" || c.ShippingAddress == nil || len(c.Lines) != 1 || c.Totals.Subtotal.Amount != 3998 {
		t.Fatalf("%+v, %v", c, err)
	}
	_, said := f.create(cart.CreateInput{Email: "bob@example.com"})
	if c, err := adopt(said); err != nil || c.CustomerID != "cus_1" || c.Email != "bob@example.com" {
		t.Fatalf("what the cart said is lost: %+v, %v", c, err)
	}
	if _, err := adopt(cart.Ref{ID: ref.ID, Token: "ct_guessed"}); !problem.Is(err, "not_found") {
		t.Errorf("another's cart: %v", err)
	}
	f.Exec(t, `update carts set state = 'completed' where id = $1`, ref.ID)
	if _, err := adopt(ref); !problem.Is(err, "cart_completed") {
		t.Errorf("a cart that has become an order: %v", err)
	}
}
