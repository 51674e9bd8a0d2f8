package cart_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

type fixture struct {
	*shoptest.Shop
	t     testing.TB
	carts *cart.Service
}

func open(t testing.TB) *fixture {
	t.Helper()
	platform := testdb.Open(t)
	return &fixture{shoptest.New(t, platform), t, cart.New(platform.DB)}
}

// do runs a change in a transaction of its own.
func (f *fixture) do(change func(context.Context, *postgres.Tx) (*cart.Cart, error)) (*cart.Cart, error) {
	var c *cart.Cart
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		c, err = change(ctx, tx)
		return err
	})
	return c, err
}

func (f *fixture) create(in cart.CreateInput) (*cart.Cart, cart.Ref) {
	f.t.Helper()
	var ref cart.Ref
	c, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		c, token, err := f.carts.Create(ctx, tx, in)
		if err == nil {
			ref = cart.Ref{ID: c.ID, Token: token}
		}
		return c, err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c, ref
}

func (f *fixture) add(ref cart.Ref, variant string, n int64) (*cart.Cart, error) {
	return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Add(ctx, tx, ref, cart.Item{VariantID: variant, Quantity: n})
	})
}

func (f *fixture) update(ref cart.Ref, change cart.Change, version int) (*cart.Cart, error) {
	return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Update(ctx, tx, ref, change, version)
	})
}

func (f *fixture) read(ref cart.Ref) *cart.Cart {
	f.t.Helper()
	c, err := f.carts.Read(f.Ctx, ref)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fixture) want(err error, code string) {
	f.t.Helper()
	if !problem.Is(err, code) {
		f.t.Fatalf("got %v, want %s", err, code)
	}
}

func pointer[T any](v T) *T { return &v }

var berlin = address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "DE"}

func codes(c *cart.Cart) string {
	var list []string
	for _, p := range c.Problems {
		list = append(list, p.Code)
	}
	return strings.Join(list, " ")
}

func TestCartFromEmptyToReady(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 10})
	book := f.Add(t, shoptest.Variant{Title: "Book", EUR: 1000, Stock: 10, Untaxed: true})

	c, ref := f.create(cart.CreateInput{})
	if c.State != cart.Open || c.Currency != "EUR" || c.Totals.Total.Amount != 0 || codes(c) != "empty email_missing" || !strings.HasPrefix(ref.Token, "ct_") {
		t.Fatalf("a new cart: %+v", c)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from carts where position($1::bytea in token_hash) > 0`, []byte(ref.Token)); n != 0 {
		t.Fatal("the token itself is kept")
	}
	c, err := f.add(ref, shirt, 2)
	if err != nil || len(c.Lines) != 1 || c.Totals.Subtotal.Amount != 3998 || c.Totals.Tax.Amount != 638 || !c.Estimated() || codes(c) != "email_missing address_missing shipping_method_missing" {
		t.Fatalf("with a shirt: %+v, %v", c, err)
	}
	if c, err = f.add(ref, book, 1); err != nil || len(c.Lines) != 2 || c.Lines[0].VariantID != shirt || c.Lines[1].Title != "Book" {
		t.Fatalf("with a book: %+v, %v", c, err)
	}
	if c, err = f.add(ref, shirt, 1); err != nil || len(c.Lines) != 2 || c.Lines[0].Quantity != 3 {
		t.Fatalf("with a shirt more: %+v, %v", c, err)
	}
	to := &berlin
	c, err = f.update(ref, cart.Change{Email: pointer(" Ada@Example.com "), ShippingAddress: &to, MethodID: &f.Standard, Note: pointer("Ring twice.")}, c.Version)
	if err != nil || codes(c) != "" || c.Email != "ada@example.com" || c.Note != "Ring twice." || c.ShippingAddress.City != "Berlin" {
		t.Fatalf("ready: %+v, %v", c, err)
	}
	// 59.97 contains 9.58, 4.90 contains 0.78, and the book nothing.
	if c.Totals.Subtotal.Amount != 6997 || c.Totals.Shipping.Total.Amount != 490 || c.Totals.Tax.Amount != 1036 || c.Totals.Total.Amount != 7487 {
		t.Fatalf("totals: %+v", c.Totals)
	}
	read := f.read(ref)
	if read.Version != c.Version || read.Totals.Total != c.Totals.Total || len(read.Lines) != 2 || read.Totals.Taxes[0].Jurisdiction != "DE" || read.Method.Name != "Standard" {
		t.Fatalf("read: %+v", read)
	}
	c, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.SetQuantity(ctx, tx, ref, c.Lines[0].ID, 1, 0)
	})
	if err != nil || c.Totals.Subtotal.Amount != 2999 {
		t.Fatalf("one shirt: %+v, %v", c, err)
	}
	c, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Remove(ctx, tx, ref, c.Lines[0].ID, 0)
	})
	if err != nil || len(c.Lines) != 1 || c.Totals.Subtotal.Amount != 1000 {
		t.Fatalf("no shirt: %+v, %v", c, err)
	}
	var nowhere *address.Address
	c, err = f.update(ref, cart.Change{Email: pointer(""), ShippingAddress: &nowhere, MethodID: pointer("")}, 0)
	if err != nil || c.Email != "" || c.ShippingAddress != nil || c.MethodID != "" || c.Note != "Ring twice." {
		t.Fatalf("emptied: %+v, %v", c, err)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from audit_entries where object_id = $1`, ref.ID); n != 9 {
		t.Fatalf("%d entries in the audit", n)
	}
}

func TestCreateWithLines(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, USD: 2499, Stock: 10})
	f.Exec(t, `insert into customers (id, email, addresses) values ('cus_1', 'ada@example.com', '[{"id":"adr_1","default_shipping":true,"default_billing":true,"address":{"name":"Ada","line1":"1","city":"Berlin","postal_code":"10115","country":"DE"}}]')`)
	c, _ := f.create(cart.CreateInput{Currency: "USD", CustomerID: "cus_1", Items: []cart.Item{{VariantID: shirt, Quantity: 1}, {VariantID: shirt, Quantity: 2}}})
	if c.Currency != "USD" || len(c.Lines) != 1 || c.Lines[0].Quantity != 3 || c.Totals.Subtotal.Amount != 7497 || c.Email != "ada@example.com" || c.ShippingAddress.Country != "DE" || c.CustomerID != "cus_1" {
		t.Fatalf("got %+v", c)
	}
	if left := time.Until(c.ExpiresAt); left < cart.Lifetime-time.Hour || left > cart.Lifetime+time.Hour {
		t.Fatalf("lives for %v", left)
	}
}

func TestRefusals(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 3})
	draft := f.Add(t, shoptest.Variant{EUR: 1999, Stock: 3, Draft: true})
	dollars := f.Add(t, shoptest.Variant{USD: 1999, Stock: 3})
	endless := f.Add(t, shoptest.Variant{EUR: 100, Oversell: true})
	_, ref := f.create(cart.CreateInput{})
	for name, c := range map[string]struct {
		variant  string
		quantity int64
		code     string
	}{
		"unknown":          {ids.New("var"), 1, "variant_unavailable"},
		"not for sale":     {draft, 1, "variant_unavailable"},
		"another currency": {dollars, 1, "variant_unavailable"},
		"too many":         {shirt, 4, "out_of_stock"},
		"none":             {shirt, 0, "details_invalid"},
		"negative":         {shirt, -1, "details_invalid"},
		"beyond":           {endless, cart.MaxQuantity + 1, "details_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.add(ref, c.variant, c.quantity)
			if !problem.Is(err, c.code) {
				t.Fatalf("got %v, want %s", err, c.code)
			}
		})
	}
	if c, err := f.add(ref, endless, cart.MaxQuantity); err != nil || !c.Lines[0].Available {
		t.Fatalf("oversold: %+v, %v", c, err)
	}
	_, err := f.add(ref, endless, 1)
	f.want(err, "too_many")
	if _, err = f.add(ref, shirt, 2); err != nil {
		t.Fatal(err)
	}
	_, err = f.add(ref, shirt, 2)
	f.want(err, "out_of_stock")
	c := f.read(ref)
	if len(c.Lines) != 2 || c.Lines[1].Quantity != 2 {
		t.Fatalf("refusals left something: %+v", c.Lines)
	}
	line := c.Lines[1].ID
	set := func(ref cart.Ref, line string, n int64, version int) error {
		_, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.SetQuantity(ctx, tx, ref, line, n, version)
		})
		return err
	}
	f.want(set(ref, line, 0, 0), "too_many")
	f.want(set(ref, line, 4, 0), "out_of_stock")
	f.want(set(ref, line, 1, c.Version+1), "stale")
	f.want(set(ref, ids.New("cln"), 1, 0), "not_found")
	f.want(set(cart.Ref{ID: ref.ID, Token: "ct_wrong"}, line, 1, 0), "not_found")
	_, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Remove(ctx, tx, ref, ids.New("cln"), 0)
	})
	f.want(err, "not_found")
	_, err = f.carts.Read(f.Ctx, cart.Ref{ID: ref.ID, Token: "ct_wrong"})
	f.want(err, "not_found")
	_, err = f.carts.Options(f.Ctx, cart.Ref{ID: ids.New("cart"), Token: ref.Token})
	f.want(err, "not_found")

	_, err = f.update(ref, cart.Change{Email: pointer("nobody")}, 0)
	f.want(err, "details_invalid")
	_, err = f.update(ref, cart.Change{Note: pointer(strings.Repeat("é", 2001))}, 0)
	f.want(err, "details_invalid")
	nowhere := &address.Address{Country: "ZZ"}
	_, err = f.update(ref, cart.Change{BillingAddress: &nowhere}, 0)
	f.want(err, "details_invalid")
	if p := problem.As(err); len(p.Faults) != 4 || !strings.HasPrefix(p.Faults[0].Pointer, "/billing_address/") {
		t.Fatalf("faults: %+v", p.Faults)
	}
	_, err = f.update(ref, cart.Change{MethodID: pointer(ids.New("shp"))}, 0)
	f.want(err, "shipping_unavailable")

	_, _, err = create(f, cart.CreateInput{Currency: "JPY"})
	f.want(err, "currency_not_sold")
	_, _, err = create(f, cart.CreateInput{Items: []cart.Item{{VariantID: draft, Quantity: 1, At: "/lines/0"}}})
	f.want(err, "variant_unavailable")
	if at := problem.As(err).Faults[0].Pointer; at != "/lines/0/variant_id" {
		t.Fatalf("at %s", at)
	}
}

func create(f *fixture, in cart.CreateInput) (c *cart.Cart, token string, err error) {
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, token, err = f.carts.Create(ctx, tx, in)
		return err
	})
	return c, token, err
}

func TestTooManyLines(t *testing.T) {
	f := open(t)
	var items []cart.Item
	for range cart.MaxLines {
		items = append(items, cart.Item{VariantID: f.Add(t, shoptest.Variant{EUR: 1, Untracked: true}), Quantity: 1})
	}
	c, ref := f.create(cart.CreateInput{Items: items})
	if len(c.Lines) != cart.MaxLines {
		t.Fatalf("%d lines", len(c.Lines))
	}
	_, err := f.add(ref, f.Add(t, shoptest.Variant{EUR: 1, Untracked: true}), 1)
	f.want(err, "too_many")
}

// What changed since the shopper put it in is told: the price shows, what is gone is a
// problem, and nothing is silently replaced.
func TestTheShopChangesMeanwhile(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{Title: "Shirt", EUR: 1000, Stock: 5})
	_, ref := f.create(cart.CreateInput{Email: "ada@example.com", Items: []cart.Item{{VariantID: shirt, Quantity: 3}}})
	to := &berlin
	if _, err := f.update(ref, cart.Change{ShippingAddress: &to, MethodID: &f.Express}, 0); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `update prices set amount = 1500 where variant_id = $1`, shirt)
	c := f.read(ref)
	if c.Lines[0].Unit.Amount != 1500 || c.Lines[0].Shown.Amount != 1000 || c.Totals.Subtotal.Amount != 4500 || codes(c) != "" {
		t.Fatalf("dearer: %+v", c)
	}
	f.SetStock(t, shirt, 2)
	if c = f.read(ref); codes(c) != "out_of_stock" || c.Lines[0].Available || c.Problems[0].Detail != "Only 2 of Shirt are left." || c.Problems[0].LineID != c.Lines[0].ID {
		t.Fatalf("fewer: %+v", c.Problems)
	}
	f.SetStock(t, shirt, 0)
	if c = f.read(ref); codes(c) != "out_of_stock" || c.Problems[0].Detail != "Shirt is sold out." {
		t.Fatalf("none: %+v", c.Problems)
	}
	f.SetStock(t, shirt, 9)
	f.Exec(t, `delete from prices where variant_id = $1`, shirt)
	if c = f.read(ref); codes(c) != "unavailable" || c.Lines[0].Unit.Amount != 1000 {
		t.Fatalf("without a price: %+v", c)
	}
	f.Exec(t, `insert into prices (variant_id, currency, amount) values ($1, 'EUR', 1000)`, shirt)
	f.Exec(t, `update settings set currency = 'USD', currencies = '{USD}'`)
	if c = f.read(ref); codes(c) != "unavailable" {
		t.Fatalf("in a currency that is not sold in any more: %+v", c.Problems)
	}
	_, err := f.add(ref, shirt, 1)
	f.want(err, "variant_unavailable")
	f.Exec(t, `update settings set currency = 'EUR', currencies = '{EUR, USD}'`)
	f.Exec(t, `update shipping_methods set active = false where id = $1`, f.Express)
	if c = f.read(ref); codes(c) != "shipping_unavailable" || c.Totals.Shipping.Total.Amount != 0 {
		t.Fatalf("without its shipping: %+v", c)
	}
	f.Exec(t, `delete from variants where id = $1`, shirt)
	if c = f.read(ref); codes(c) != "empty" {
		t.Fatalf("deleted: %+v", c.Problems)
	}
	c.Refuse()
	if codes(c) != "empty orders_not_accepted" {
		t.Fatalf("refused: %+v", c.Problems)
	}
}

func TestNothingToSend(t *testing.T) {
	f := open(t)
	c, ref := f.create(cart.CreateInput{Email: "ada@example.com", Items: []cart.Item{{VariantID: f.Add(t, shoptest.Variant{EUR: 1190, Untracked: true, Digital: true}), Quantity: 1}}})
	if codes(c) != "" || c.Totals.Tax.Amount != 190 || c.RequiresShipping() {
		t.Fatalf("a download: %+v", c)
	}
	at := berlin
	at.Country, at.PostalCode = "IE", ""
	billed := &at
	c, err := f.update(ref, cart.Change{BillingAddress: &billed, MethodID: &f.Standard}, 0)
	if err != nil || c.Totals.Tax.Amount != 0 || c.Totals.Shipping.Total.Amount != 0 || c.Totals.Total.Amount != 1190 {
		t.Fatalf("to where no tax is known: %+v, %v", c, err)
	}
}

func TestOptions(t *testing.T) {
	f := open(t)
	_, euros := f.create(cart.CreateInput{})
	_, dollars := f.create(cart.CreateInput{Currency: "USD"})
	names := func(ref cart.Ref) string {
		t.Helper()
		methods, err := f.carts.Options(f.Ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, m := range methods {
			list = append(list, fmt.Sprint(m.Name, " ", m.Price))
		}
		return strings.Join(list, ", ")
	}
	if got := names(euros); got != "Standard 4.90 EUR, Express 12.00 EUR" {
		t.Errorf("in euros: %s", got)
	}
	if got := names(dollars); got != "Standard 5.90 USD" {
		t.Errorf("in dollars: %s", got)
	}
	at := berlin
	at.Country, at.PostalCode = "IE", ""
	to := &at
	if _, err := f.update(euros, cart.Change{ShippingAddress: &to}, 0); err != nil {
		t.Fatal(err)
	}
	if got := names(euros); got != "Standard 4.90 EUR" {
		t.Errorf("to Ireland: %s", got)
	}
	_, err := f.update(euros, cart.Change{MethodID: &f.Express}, 0)
	f.want(err, "shipping_unavailable")
}

func TestStatesAndExpiry(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 5})
	_, ref := f.create(cart.CreateInput{})
	_, old := f.create(cart.CreateInput{})
	f.Exec(t, `update carts set state = 'completing' where id = $1`, ref.ID)
	_, err := f.add(ref, shirt, 1)
	f.want(err, "completion_in_progress")
	f.Exec(t, `update carts set state = 'completed' where id = $1`, ref.ID)
	_, err = f.add(ref, shirt, 1)
	f.want(err, "cart_completed")

	f.Exec(t, `update carts set expires_at = now() where id = $1`, old.ID)
	_, err = f.carts.Read(f.Ctx, old)
	f.want(err, "not_found")
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		state, err := f.carts.Lock(ctx, tx, ref)
		if err != nil || state != cart.Completed {
			t.Errorf("locked: %v, %v", state, err)
		}
		_, err = f.carts.Lock(ctx, tx, old)
		f.want(err, "not_found")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Sixteen shoppers of one cart at once lose nothing, and each sees a cart that was.
func TestParallelAdds(t *testing.T) {
	f := open(t)
	variants := make([]string, 16)
	for i := range variants {
		variants[i] = f.Add(t, shoptest.Variant{EUR: 100, Stock: 50})
	}
	_, ref := f.create(cart.CreateInput{})
	seen := make([]*cart.Cart, len(variants))
	var wg sync.WaitGroup
	for i, variant := range variants {
		wg.Go(func() {
			c, err := f.add(ref, variant, 2)
			if err != nil {
				t.Error(err)
			}
			seen[i] = c
		})
	}
	wg.Wait()
	for _, c := range seen {
		// Every change is one version and, here, one line.
		if c == nil || len(c.Lines) != c.Version-1 {
			t.Errorf("version %d shows %d lines", c.Version, len(c.Lines))
		}
	}
	if c := f.read(ref); len(c.Lines) != len(variants) || c.Totals.Subtotal.Amount != 3200 {
		t.Fatalf("in the end: %d lines, %v", len(c.Lines), c.Totals.Subtotal)
	}
}

func TestStatements(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 100, Stock: 50})
	_, ref := f.create(cart.CreateInput{})
	ctx, count := postgres.Counting(f.Ctx)
	f.Ctx = ctx
	if _, err := f.add(ref, shirt, 1); err != nil {
		t.Fatal(err)
	}
	if n := count.Statements.Load(); n != 2 {
		t.Errorf("adding takes %d statements, its audit included; want 2", n)
	}
	f.read(ref)
	if n := count.Statements.Load(); n != 3 {
		t.Errorf("reading takes %d statements, want 1", n-2)
	}
}

func TestPicture(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 100, Stock: 50})
	for i, sizes := range []string{`[{"width":64,"key":"a/64.jpg"},{"width":960,"key":"a/960.jpg"},{"width":480,"key":"a/480.jpg"}]`, `[{"width":100,"key":"b/100.jpg"}]`} {
		f.Exec(t, `insert into images (id, product_id, position, sizes) select $1, product_id, $2, $3 from variants where id = $4`, fmt.Sprint("img_", i), i, sizes, shirt)
	}
	c, ref := f.create(cart.CreateInput{Items: []cart.Item{{VariantID: shirt, Quantity: 1}}})
	if c.Lines[0].ImageKey != "a/480.jpg" {
		t.Errorf("the product's picture: %q", c.Lines[0].ImageKey)
	}
	f.Exec(t, `update variants set image_id = 'img_1' where id = $1`, shirt)
	if c := f.read(ref); c.Lines[0].ImageKey != "b/100.jpg" {
		t.Errorf("the variant's own picture: %q", c.Lines[0].ImageKey)
	}
}
