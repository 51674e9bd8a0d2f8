package reviews_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

type fixture struct {
	*shoptest.Shop
	t       testing.TB
	product string
}

func open(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{Shop: shoptest.New(t, testdb.Open(t)), t: t}
	variant := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 5})
	f.product = shoptest.Value[string](t, f.Shop, `select product_id from variants where id = $1`, variant)
	for _, name := range []string{"ada", "bob", "eve"} {
		f.Exec(t, `insert into customers (id, email, name) values ($1, $2, $3)`, "cus_"+name, name+"@example.com", strings.ToUpper(name[:1])+name[1:]+" Example")
	}
	return f
}

func (f *fixture) do(change func(context.Context, *postgres.Tx) error) error {
	return f.DB.InStore(f.Ctx, change)
}

func (f *fixture) write(customer string, in reviews.Input) (id string, err error) {
	return id, f.do(func(ctx context.Context, tx *postgres.Tx) error {
		id, err = reviews.Write(ctx, tx, customer, f.product, "en", in)
		return err
	})
}

func (f *fixture) moderate(id string, state reviews.State, reply *string) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return reviews.Moderate(ctx, tx, id, reviews.Moderation{State: &state, Reply: reply}, 0)
	})
}

// comes is what the product's ratings come to, as it keeps them and as they are.
func (f *fixture) comes() (kept, are string) {
	kept = shoptest.Value[string](f.t, f.Shop, `select rating_sum || ' of ' || rating_count from products where id = $1`, f.product)
	are = shoptest.Value[string](f.t, f.Shop, `select coalesce(sum(rating), 0) || ' of ' || count(*) from reviews where product_id = $1 and state = 'approved'`, f.product)
	return kept, are
}

func pointer[T any](v T) *T { return &v }

func ids(t testing.TB, data []byte) (list []string) {
	t.Helper()
	var found []struct{ ID string }
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	for _, r := range found {
		list = append(list, r.ID)
	}
	return list
}

func TestAReviewIsLookedAtFirst(t *testing.T) {
	f := open(t)
	id, err := f.write("cus_ada", reviews.Input{Rating: pointer(5), Title: pointer(" Soft "), Body: pointer("And\nsturdy.")})
	if err != nil {
		t.Fatal(err)
	}
	shown := func() []string {
		page, err := reviews.Shown(f.Ctx, f.DB, f.product, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return ids(t, page.Data)
	}
	if got := shown(); len(got) != 0 {
		t.Errorf("shown before the merchant has looked at it: %v", got)
	}
	if err := f.moderate(id, reviews.Approved, pointer(" Thank you! ")); err != nil {
		t.Fatal(err)
	}
	if kept, are := f.comes(); len(shown()) != 1 || kept != "5 of 1" || are != kept {
		t.Errorf("shown %v, kept %s, are %s", shown(), kept, are)
	}
	o, err := reviews.Get(f.Ctx, f.DB, id)
	if err != nil || o.Version != 2 {
		t.Fatal(o.Version, err)
	}
	for _, part := range []string{`"author" : "Ada"`, `"title" : "Soft"`, `"verified_purchase" : false`, `"reply" : "Thank you!"`, `"state" : "approved"`, `"customer_id" : "cus_ada"`} {
		if !strings.Contains(string(o.Data), part) {
			t.Errorf("%s is missing in %s", part, o.Data)
		}
	}
	if _, err := f.write("cus_ada", reviews.Input{Rating: pointer(1)}); !problem.Is(err, "review_exists") {
		t.Errorf("a second one: %v", err)
	}
	// Who changes it is looked at anew.
	err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
		if err := reviews.Change(ctx, tx, id, "cus_bob", reviews.Input{Rating: pointer(1)}, 0); !problem.Is(err, "not_found") {
			t.Errorf("somebody else's: %v", err)
		}
		if err := reviews.Change(ctx, tx, id, "cus_ada", reviews.Input{Rating: pointer(1)}, 1); !problem.Is(err, "stale") {
			t.Errorf("an old version: %v", err)
		}
		return reviews.Change(ctx, tx, id, "cus_ada", reviews.Input{Rating: pointer(4), Author: pointer("A.")}, 2)
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept, _ := f.comes(); len(shown()) != 0 || kept != "0 of 0" {
		t.Errorf("after it was changed: shown %v, kept %s", shown(), kept)
	}
	for name, in := range map[string]reviews.Input{
		"no rating": {}, "too good": {Rating: pointer(6)}, "a long title": {Rating: pointer(1), Title: pointer(strings.Repeat("x", 121))},
		"two lines": {Rating: pointer(1), Title: pointer("a\nb")}, "control characters": {Rating: pointer(1), Body: pointer("a\x00b")},
	} {
		if in.Rating == nil {
			in.Rating = pointer(0)
		}
		if _, err := f.write("cus_bob", in); !problem.Is(err, "review_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.moderate(id, reviews.Approved, pointer(strings.Repeat("x", 5001))); !problem.Is(err, "review_invalid") {
		t.Errorf("a long reply: %v", err)
	}
	f.Exec(t, `update products set status = 'draft'`)
	if _, err := f.write("cus_bob", reviews.Input{Rating: pointer(1)}); !problem.Is(err, "not_found") {
		t.Errorf("of what is not sold: %v", err)
	}
	if _, err := reviews.Shown(f.Ctx, f.DB, f.product, "", 10); !problem.Is(err, "not_found") {
		t.Errorf("those of what is not sold: %v", err)
	}
}

func TestWhoHasBoughtIsVerified(t *testing.T) {
	f := open(t)
	f.Exec(t, `insert into orders (id, number, cart_id, customer_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount) values
		('ord_1', 1, 'cart_1', 'cus_ada', 'x', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 0, 0, 0, 0),
		('ord_2', 2, 'cart_2', 'cus_bob', 'x', 'cancelled', 'refunded', 'unfulfilled', 'EUR', 'bob@example.com', true, 0, 0, 0, 0)`)
	f.Exec(t, `insert into order_lines (id, order_id, position, variant_id, product_id, title, variant_title, quantity, unit_amount, total_amount, tax_amount, requires_shipping, tracks_stock)
		select 'orl_' || right(o.id, 1), o.id, 0, 'var_1', $1, 'Shirt', '', 1, 0, 0, 0, true, true from orders o`, f.product)
	for customer, want := range map[string]bool{"cus_ada": true, "cus_bob": false, "cus_eve": false} {
		id, err := f.write(customer, reviews.Input{Rating: pointer(3)})
		if err != nil {
			t.Fatal(err)
		}
		if got := shoptest.Value[bool](t, f.Shop, `select verified from reviews where id = $1`, id); got != want {
			t.Errorf("%s: %v", customer, got)
		}
	}
	page, err := reviews.List(f.Ctx, f.DB, reviews.Filter{State: reviews.Pending, ProductID: f.product, CustomerID: "cus_eve", Rating: 3, Limit: 10})
	if err != nil || len(ids(t, page.Data)) != 1 {
		t.Errorf("%s, %v", page.Data, err)
	}
	if page, err = reviews.Mine(f.Ctx, f.DB, "cus_ada", "", 10); err != nil || len(ids(t, page.Data)) != 1 {
		t.Errorf("%s, %v", page.Data, err)
	}
	mine := ids(t, page.Data)[0]
	if _, err := reviews.Of(f.Ctx, f.DB, mine, "cus_bob"); !problem.Is(err, "not_found") {
		t.Errorf("somebody else's: %v", err)
	}
	if err := f.do(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := reviews.Forget(ctx, tx, "cus_ada")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := reviews.Of(f.Ctx, f.DB, mine, "cus_ada"); !problem.Is(err, "not_found") {
		t.Errorf("who is forgotten: %v", err)
	}
}

// Whatever is written, changed, shown, hidden and deleted, a product keeps what the reviews
// come to that are shown.
func TestAProductKeepsWhatItsReviewsComeTo(t *testing.T) {
	f := open(t)
	rapid.Check(t, func(t *rapid.T) {
		f.Exec(f.t, `delete from reviews`)
		f.Exec(f.t, `update products set rating_sum = 0, rating_count = 0`)
		written := map[string]string{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			customer := rapid.SampledFrom([]string{"cus_ada", "cus_bob", "cus_eve"}).Draw(t, "customer")
			rating, id := rapid.IntRange(1, 5).Draw(t, "rating"), written[customer]
			var err error
			switch step := rapid.IntRange(0, 5).Draw(t, "step"); {
			case id == "":
				written[customer], err = f.write(customer, reviews.Input{Rating: &rating})
			case step == 0:
				err = f.do(func(ctx context.Context, tx *postgres.Tx) error { return reviews.Delete(ctx, tx, id, customer, 0) })
				delete(written, customer)
			case step == 1:
				err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
					return reviews.Change(ctx, tx, id, customer, reviews.Input{Rating: &rating}, 0)
				})
			case step == 2:
				err = f.moderate(id, reviews.Rejected, nil)
			default:
				err = f.moderate(id, reviews.Approved, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if kept, are := f.comes(); kept != are {
				t.Fatalf("kept %s, are %s", kept, are)
			}
		}
	})
}

// Of reviews that are let be shown at once, each counts.
func TestReviewsThatAreShownAtOnce(t *testing.T) {
	f := open(t)
	ended := make(chan error)
	for i, customer := range []string{"cus_ada", "cus_bob", "cus_eve"} {
		id, err := f.write(customer, reviews.Input{Rating: pointer(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			go func() { ended <- f.moderate(id, reviews.Approved, nil) }()
		}
	}
	for range 6 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if kept, are := f.comes(); kept != are || kept != fmt.Sprint(6, " of ", 3) {
		t.Errorf("kept %s, are %s", kept, are)
	}
}
