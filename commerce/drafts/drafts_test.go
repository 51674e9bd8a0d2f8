package drafts_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/orders"
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
	drafts   *drafts.Service
	checkout *checkout.Service
	orders   *orders.Service
}

func open(t testing.TB) *fixture {
	t.Helper()
	platform := testdb.Open(t)
	carts := cart.New(platform.DB)
	providers := payments.Providers{payments.TestName: &payments.Test{DB: platform.DB}, payments.ManualName: payments.ByHand{}}
	log := slog.New(slog.DiscardHandler)
	return &fixture{
		Shop: shoptest.New(t, platform), t: t, platform: platform, carts: carts, drafts: &drafts.Service{Carts: carts},
		checkout: &checkout.Service{DB: platform.DB, Carts: carts, Providers: providers, Log: log},
		orders:   &orders.Service{DB: platform.DB, Stock: checkout.Stock{}, Providers: providers, Log: log},
	}
}

func eur(n int64) *money.Money {
	m := money.New(n, "EUR")
	return &m
}

func ptr[T any](v T) *T { return &v }

var berlin = &address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "DE"}

// do runs something that gives a draft order in a transaction.
func (f *fixture) do(fn func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error)) (c *cart.Cart, err error) {
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = fn(ctx, tx)
		return err
	})
	return c, err
}

func (f *fixture) create(terms drafts.Patch) *cart.Cart {
	f.t.Helper()
	c, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Create(ctx, tx, "", terms)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fixture) update(id string, terms drafts.Patch, version int) (*cart.Cart, error) {
	return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Update(ctx, tx, id, terms, version)
	})
}

func (f *fixture) send(id string, how drafts.Sending) (*cart.Cart, error) {
	return f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Send(ctx, tx, id, how, 0)
	})
}

// open follows the link of a draft order.
func (f *fixture) open(id string) (ref cart.Ref, open bool) {
	f.t.Helper()
	err := f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		ref, open, err = f.carts.OpenDraft(ctx, tx, id)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return ref, open
}

func (f *fixture) input(ref cart.Ref, total money.Money, provider string) checkout.Input {
	token := "" // of no manual method in particular
	if provider == payments.TestName {
		token = "succeeds"
	}
	return checkout.Input{
		Cart: ref, Payment: payments.Chosen{Provider: provider, Token: token, Merchant: ref.Merchant}, Expected: total, Due: total, Attempt: ids.New("key"),
		Shop: checkout.Shop{Terms: payments.Terms{Live: true, Demo: true}, TakesOrders: true},
	}
}

func (f *fixture) events() string {
	return shoptest.Value[string](f.t, f.Shop, `select coalesce(string_agg(type, ' ' order by id), '') from events where type like 'draft_order%'`)
}

// agreed is a draft order of a variant at a price of its own, another at its present one,
// and work that is in no catalogue.
func (f *fixture) agreed(shirt, lamp string) drafts.Patch {
	return drafts.Patch{
		Email: ptr("Ada@example.com"), Note: ptr("As agreed."), Tags: ptr([]string{"wholesale", " vip ", "vip"}),
		Lines: ptr([]drafts.Line{
			{VariantID: shirt, Quantity: 3, UnitPrice: eur(2000)},
			{VariantID: lamp, Quantity: 1, Discount: &drafts.Discount{Reason: "A scratch", Percentage: "10"}},
			{Title: " Engraving ", Quantity: 2, UnitPrice: eur(500), RequiresShipping: ptr(false), Attributes: map[string]string{"Text": "Ada"}},
		}),
		Discount: ptr(&drafts.Discount{Amount: eur(1000)}),
		Shipping: ptr(&drafts.Shipping{Name: "By bicycle", Price: *eur(700)}),
	}
}

func TestADraftOrderIsAgreedSentAndPaidOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt, lamp := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 10}), f.Add(t, shoptest.Variant{Title: "Lamp", EUR: 4000, Stock: 5, Draft: true})
	c := f.create(f.agreed(shirt, lamp))
	// 60.00 + 40.00 - 4.00 + 10.00 - 10.00 + 7.00
	if c.Totals.Total != *eur(10300) || c.Totals.Discount != *eur(1400) || c.Version != 1 || drafts.StateOf(c) != drafts.Open {
		t.Fatalf("got %+v, version %d", c.Totals, c.Version)
	}
	if got := c.Discounts; len(got) != 2 || got[0].Title != "A scratch" || got[0].Amount != *eur(400) || got[1].Title != "Discount" || got[1].Amount != *eur(1000) {
		t.Errorf("discounts %+v", got)
	}
	// The price that a line was given stays.
	f.Exec(t, `update prices set amount = 9900`)
	if _, opened := f.open(c.ID); opened {
		t.Error("a draft order that was not sent can be opened")
	}
	sent, err := f.send(c.ID, drafts.Sending{Mail: true, Message: "Here it is."})
	if err != nil || drafts.StateOf(sent) != drafts.Sent || sent.Totals.Total != c.Totals.Total {
		t.Fatalf("sent: %+v, %v", sent, err)
	}

	one, _ := f.open(c.ID)
	two, opened := f.open(c.ID)
	if !opened || one.Token == two.Token {
		t.Fatal("two devices do not open it by tokens of their own")
	}
	f.refuses(one, shirt)
	c, err = f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.carts.Update(ctx, tx, one, cart.Change{ShippingAddress: &berlin}, 0)
	})
	if err != nil || c.Totals.Total != *eur(10300) || len(c.Problems) != 0 {
		t.Fatalf("with an address: %+v, %v", c, err)
	}

	placed, taken := f.race(c, one, two)
	if taken != 7 {
		t.Errorf("%d attempts of 8 were told that it is taken", taken)
	}
	f.holds(c.ID, placed, shirt, lamp)
}

// refuses tries what the holder of a link cannot do.
func (f *fixture) refuses(ref cart.Ref, variant string) {
	f.t.Helper()
	line := shoptest.Value[string](f.t, f.Shop, `select id from cart_lines order by id limit 1`)
	for name, try := range map[string]func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error){
		"add": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Add(ctx, tx, ref, cart.Item{VariantID: variant, Quantity: 1})
		},
		"more": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.SetQuantity(ctx, tx, ref, line, 5, 0)
		},
		"less": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Remove(ctx, tx, ref, line, 0)
		},
		"code": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.AddCode(ctx, tx, ref, "SUMMER")
		},
		"mail": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Update(ctx, tx, ref, cart.Change{Email: ptr("bo@example.com")}, 0)
		},
		"sending": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Update(ctx, tx, ref, cart.Change{MethodID: &f.Express}, 0)
		},
		"keep": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Reserve(ctx, tx, ref, 0)
		},
		"let go": func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
			return f.carts.Release(ctx, tx, ref, 0)
		},
	} {
		if _, err := f.do(try); !problem.Is(err, "agreed") {
			f.t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.carts.StaffRead(f.Ctx, ref.ID); !problem.Is(err, "not_found") {
		f.t.Errorf("it is among the carts of shoppers: %v", err)
	}
	if list, _, err := f.carts.List(f.Ctx, cart.Filter{Limit: 10}); err != nil || len(list) != 0 {
		f.t.Errorf("it is among the carts of shoppers: %v, %v", list, err)
	}
}

// race completes a draft order by two devices, four times each, and gives the order.
func (f *fixture) race(c *cart.Cart, refs ...cart.Ref) (order string, taken int) {
	f.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			in := f.input(refs[i%len(refs)], c.Totals.Total, payments.TestName)
			for {
				at, err := f.checkout.Complete(f.Ctx, in, nil)
				if problem.Is(err, "completion_in_progress") {
					time.Sleep(10 * time.Millisecond)
					continue
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					order = at.OrderID
				case problem.Is(err, "cart_completed"):
					taken++
				default:
					f.t.Errorf("complete: %v", err)
				}
				return
			}
		})
	}
	all.Wait()
	return order, taken
}

// holds looks at what came of TestADraftOrderIsAgreedSentAndPaidOnce.
func (f *fixture) holds(id, order, shirt, lamp string) {
	f.t.Helper()
	if got := shoptest.Value[string](f.t, f.Shop, `select concat_ws(' ', count(*), sum(amount)) from test_charges`); got != "1 10300" {
		f.t.Errorf("charged %s", got)
	}
	if f.Stock(f.t, shirt) != 7 || f.Stock(f.t, lamp) != 4 {
		f.t.Errorf("%d and %d are left", f.Stock(f.t, shirt), f.Stock(f.t, lamp))
	}
	got := shoptest.Value[string](f.t, f.Shop, `select string_agg(concat_ws(' ', l.variant_id is null, l.product_id is null, l.title, l.quantity, l.unit_amount, l.discount_amount, l.tracks_stock), '; ' order by l.position)
		from order_lines l where l.order_id = $1`, order)
	if want := "f f Linen shirt 3 2000 566 t; f f Lamp 1 4000 740 t; t t Engraving 2 500 94 f"; got != want {
		f.t.Errorf("lines\n%s\n%s", got, want)
	}
	got = shoptest.Value[string](f.t, f.Shop, `select concat_ws(' ', tags::text, note, email, shipping_method->>'name', total_amount, payment_state) from orders where id = $1`, order)
	if want := "{wholesale,vip} As agreed. ada@example.com By bicycle 10300 paid"; got != want {
		f.t.Errorf("order %s, want %s", got, want)
	}
	c, err := f.carts.ReadDraft(f.Ctx, id)
	if err != nil || drafts.StateOf(c) != drafts.Completed || c.OrderID != order || c.Totals.Total != *eur(10300) || c.Lines[2].Title != "Engraving" ||
		c.Lines[2].Total != *eur(906) || c.Method.Name != "By bicycle" {
		f.t.Errorf("draft order %+v, %v", c, err)
	}
	if _, err := f.update(id, drafts.Patch{Note: ptr("")}, 0); !problem.Is(err, "cart_completed") {
		f.t.Errorf("changed when it was an order: %v", err)
	}
	if _, opened := f.open(id); opened {
		f.t.Error("a link opens what was paid")
	}
	if got, want := f.events(), "draft_order.created draft_order.sent draft_order.completed"; got != want {
		f.t.Errorf("events %s", got)
	}
	if got := shoptest.Value[string](f.t, f.Shop, `select data->>'order_id' from events where type = 'draft_order.completed'`); got != order {
		f.t.Errorf("it was told to be %s", got)
	}
}

// What is in no catalogue goes the way of all lines: it is sent, comes back, and is paid back.
func TestWhatIsInNoCatalogueIsSoldLikeAnything(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.Exec(t, `insert into tax_rates (id, country, name, rate, tax_class) values ($1, 'DE', 'Reduced', 70000, 'reduced')`, ids.New("tax"))
	c := f.create(drafts.Patch{
		Email: ptr("ada@example.com"), ShippingAddress: &berlin, MethodID: &f.Standard,
		Lines: ptr([]drafts.Line{{Title: "A table to measure", SKU: "TABLE", Quantity: 2, UnitPrice: eur(10700), TaxClass: ptr("reduced"), Grams: ptr(int64(20_000))}}),
	})
	if c.Totals.Tax.Amount != 1400+78 || len(c.Problems) != 0 {
		t.Fatalf("got %+v, %+v", c.Totals, c.Problems)
	}
	ref, c, err := f.drafts.Ref(f.Ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	ctx, count := postgres.Counting(f.Ctx)
	at, err := f.checkout.Complete(ctx, f.input(ref, c.Totals.Total, payments.ManualName), nil)
	if n := count.Statements.Load(); n > 12 { // as of any cart
		t.Errorf("completion takes %d statements", n)
	}
	if err != nil || at.State != "due" {
		t.Fatalf("completed by hand: %+v, %v", at, err)
	}
	if err := f.orders.Capture(f.Ctx, at.Payment, nil, "paid", nil); err != nil {
		t.Fatal(err)
	}
	line := shoptest.Value[string](t, f.Shop, `select id from order_lines`)
	some := []orders.LineQuantity{{LineID: line, Quantity: 1}}
	err = f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := f.orders.Fulfil(ctx, tx, at.OrderID, some, orders.Tracking{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.orders.Refund(f.Ctx, orders.RefundInput{OrderID: at.OrderID, Lines: some, Restock: true, Attempt: "back"}, nil); err != nil {
		t.Fatal(err)
	}
	order, err := f.orders.Get(f.Ctx, "https://shop.example.com", at.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Lines []struct {
			VariantID *string `json:"variant_id"`
			ProductID *string `json:"product_id"`
			Title     string
			Refunded  int `json:"refunded_quantity"`
			Fulfilled int `json:"fulfilled_quantity"`
		}
		Totals struct{ Refunded money.Money }
	}
	if err := json.Unmarshal(order.Data, &shown); err != nil {
		t.Fatal(err)
	}
	if l := shown.Lines[0]; l.VariantID != nil || l.ProductID != nil || l.Title != "A table to measure" || l.Refunded != 1 || l.Fulfilled != 1 || shown.Totals.Refunded != *eur(10700) {
		t.Errorf("got %s", order.Data)
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from stock_movements`); n != 0 {
		t.Errorf("%d movements of what is nowhere", n)
	}
}

func TestWhatChangedIsNeverPaidUnseen(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 10})
	terms := drafts.Patch{Email: ptr("ada@example.com"), ShippingAddress: &berlin, MethodID: &f.Standard, Lines: ptr([]drafts.Line{{VariantID: shirt, Quantity: 2}})}
	c := f.create(terms)
	if _, err := f.send(c.ID, drafts.Sending{}); err != nil {
		t.Fatal(err)
	}
	ref, _ := f.open(c.ID)
	seen, err := f.carts.Read(f.Ctx, ref)
	if err != nil || len(seen.Problems) != 0 || !seen.Fixed("shipping_address") {
		t.Fatalf("%+v, %v", seen, err)
	}
	// Another thing at the same price is another thing.
	if _, err := f.update(c.ID, drafts.Patch{Lines: ptr([]drafts.Line{{Title: "Trousers", UnitPrice: eur(5000), Quantity: 1}})}, seen.Version-1); !problem.Is(err, "stale") {
		t.Errorf("a change of an older version: %v", err)
	}
	changed, err := f.update(c.ID, drafts.Patch{Lines: ptr([]drafts.Line{{Title: "Trousers", UnitPrice: eur(5000), Quantity: 1}})}, seen.Version)
	if err != nil || changed.Totals.Total != seen.Totals.Total {
		t.Fatalf("changed: %+v, %v", changed, err)
	}
	in := f.input(ref, seen.Totals.Total, payments.TestName)
	in.Version = seen.Version
	if _, err := f.checkout.Complete(f.Ctx, in, nil); !problem.Is(err, "total_changed") {
		t.Errorf("paid unseen: %v", err)
	}
	if changed, err = f.update(c.ID, drafts.Patch{Discount: ptr(&drafts.Discount{Percentage: "50"})}, 0); err != nil {
		t.Fatal(err)
	}
	in.Version = 0
	if _, err := f.checkout.Complete(f.Ctx, in, nil); !problem.Is(err, "total_changed") {
		t.Errorf("paid at the former sum: %v", err)
	}
	if changed.Totals.Total != *eur(2500 + 490) {
		t.Errorf("it comes to %v", changed.Totals.Total)
	}
	in.Expected, in.Due = changed.Totals.Total, changed.Totals.Total
	if at, err := f.checkout.Complete(f.Ctx, in, nil); err != nil || at.OrderID == "" {
		t.Errorf("paid at the sum that was shown: %+v, %v", at, err)
	}
}

func TestADraftOrderEnds(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 3})
	terms := drafts.Patch{Lines: ptr([]drafts.Line{{VariantID: shirt, Quantity: 2}}), ReservedUntil: ptr(ptr(time.Now().Add(48 * time.Hour)))}
	c := f.create(terms)
	if c.ReservedUntil == nil || time.Until(*c.ReservedUntil) < 47*time.Hour {
		t.Fatalf("reserved until %v", c.ReservedUntil)
	}
	reserved := func() int64 {
		return shoptest.Value[int64](t, f.Shop, `select reserved from variants where id = $1`, shirt)
	}
	if _, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		return f.drafts.Create(ctx, tx, "", terms)
	}); !problem.Is(err, "out_of_stock") {
		t.Errorf("what is kept for one is kept for another: %v", err)
	}
	// Other lines are kept as long, and what is not wanted any more is let go of.
	c, err := f.update(c.ID, drafts.Patch{Lines: ptr([]drafts.Line{{VariantID: shirt, Quantity: 1}, {Title: "Work", UnitPrice: eur(1), Quantity: 1}})}, 0)
	if err != nil || c.ReservedUntil == nil || time.Until(*c.ReservedUntil) < 47*time.Hour || reserved() != 1 {
		t.Errorf("%d are reserved until %v: %v", reserved(), c.ReservedUntil, err)
	}
	if _, err := f.update(c.ID, drafts.Patch{ReservedUntil: ptr[*time.Time](nil)}, 0); err != nil || reserved() != 0 {
		t.Errorf("%d are reserved still: %v", reserved(), err)
	}
	if _, err := f.update(c.ID, drafts.Patch{ReservedUntil: terms.ReservedUntil}, 0); err != nil || reserved() != 1 {
		t.Errorf("%d are reserved: %v", reserved(), err)
	}

	if _, err := f.send(c.ID, drafts.Sending{Mail: true}); problem.As(err) == nil || problem.As(err).Faults[0].Pointer != "/mail" {
		t.Errorf("a mail to nobody: %v", err)
	}
	if _, err := f.send(c.ID, drafts.Sending{}); err != nil {
		t.Fatal(err)
	}
	ref, _ := f.open(c.ID)
	f.Exec(t, `update carts set expires_at = now() - interval '1 second'`)
	if c, err = f.carts.ReadDraft(f.Ctx, c.ID); err != nil || drafts.StateOf(c) != drafts.Expired {
		t.Errorf("%+v, %v", c, err)
	}
	if _, opened := f.open(c.ID); opened {
		t.Error("a link opens what has expired")
	}
	if _, err := f.carts.Read(f.Ctx, ref); !problem.Is(err, "not_found") {
		t.Errorf("what has expired is shown: %v", err)
	}
	if _, _, err := f.drafts.Ref(f.Ctx, c.ID); !problem.Is(err, "draft_order_expired") {
		t.Errorf("completed when it has expired: %v", err)
	}
	if _, err := f.send(c.ID, drafts.Sending{}); !problem.Is(err, "draft_order_expired") {
		t.Errorf("sent when it has expired: %v", err)
	}
	if got := f.list(drafts.Filter{State: "expired"}); got != 1 {
		t.Errorf("%d are listed as expired", got)
	}
	if c, err = f.update(c.ID, drafts.Patch{ExpiresAt: ptr(time.Now().Add(time.Hour))}, 0); err != nil || drafts.StateOf(c) != drafts.Sent {
		t.Errorf("with more time: %+v, %v", c, err)
	}
	remove := func() error {
		return f.DB.InStore(f.Ctx, func(ctx context.Context, tx *postgres.Tx) error { return f.drafts.Delete(ctx, tx, c.ID, 0) })
	}
	if err := remove(); err != nil || reserved() != 0 {
		t.Errorf("%d are reserved for what was deleted: %v", reserved(), err)
	}
	if err := remove(); !problem.Is(err, "not_found") {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := f.carts.Read(f.Ctx, ref); !problem.Is(err, "not_found") {
		t.Errorf("what was deleted is shown: %v", err)
	}
	if !strings.HasSuffix(f.events(), "draft_order.deleted") {
		t.Errorf("events %s", f.events())
	}
}

func (f *fixture) list(filter drafts.Filter) int {
	f.t.Helper()
	filter.Limit = 10
	page, err := drafts.List(f.Ctx, f.DB, filter)
	if err != nil {
		f.t.Fatal(err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(page.Data, &list); err != nil {
		f.t.Fatal(err)
	}
	return len(list)
}

func TestADraftOrderOfACustomer(t *testing.T) {
	t.Parallel()
	f := open(t)
	ada := ids.New("cus")
	f.Exec(t, `insert into customers (id, email, addresses) values ($1, 'ada@example.com', jsonb_build_array(jsonb_build_object('default_shipping', true, 'address', $2::jsonb)))`, ada, `{"name": "Ada Example", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}`)
	c := f.create(drafts.Patch{CustomerID: &ada, Lines: ptr([]drafts.Line{{Title: "Work", UnitPrice: eur(11900), Quantity: 1}}), TaxExemptReason: ptr("Certificate 12-345")})
	if c.Email != "ada@example.com" || !c.Fixed("email") || c.ShippingAddress == nil || c.Fixed("shipping_address") {
		t.Errorf("of a customer: %+v", c)
	}
	if c.Totals.Total != *eur(10000) || c.Totals.Tax.Amount != 0 || c.PricesIncludeTax {
		t.Errorf("who is exempt buys at %+v", c.Totals)
	}
	if f.list(drafts.Filter{CustomerID: ada, Email: "ADA@example.com", State: "open"}) != 1 || f.list(drafts.Filter{Email: "bo@example.com"}) != 0 {
		t.Error("it is not found by its customer")
	}
	// It is no cart of theirs: signing in leaves it where it is.
	mine, err := f.do(func(ctx context.Context, tx *postgres.Tx) (*cart.Cart, error) {
		mine, _, err := f.carts.Mine(ctx, tx, ada, nil)
		return mine, err
	})
	if err != nil || mine != nil {
		t.Errorf("their cart is %+v, %v", mine, err)
	}
	c, err = f.update(c.ID, drafts.Patch{CustomerID: ptr(""), Email: ptr(""), TaxExemptReason: ptr(""), ShippingAddress: ptr[*address.Address](nil), BillingAddress: &berlin}, 0)
	if err != nil || c.CustomerID != "" || c.Email != "" || c.Fixed("email") || c.ShippingAddress != nil || !c.Fixed("billing_address") || c.Totals.Tax.Amount == 0 {
		t.Errorf("of nobody: %+v, %v", c, err)
	}
	other := shoptest.In(t, f.DB, f.platform.Store(t))
	if _, err := f.carts.ReadDraft(other.Ctx, c.ID); !problem.Is(err, "not_found") {
		t.Errorf("read from another store: %v", err)
	}
}

// A process may die while a draft order is being paid: the payment becomes its order.
func TestADraftOrderOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 2500, Stock: 3})
	c := f.create(drafts.Patch{
		Email: ptr("ada@example.com"), ShippingAddress: &berlin, MethodID: &f.Standard, Lines: ptr([]drafts.Line{{VariantID: shirt, Quantity: 1, UnitPrice: eur(2000)}}),
		ReservedUntil: ptr(ptr(time.Now().Add(24 * time.Hour))),
	})
	if _, err := f.send(c.ID, drafts.Sending{}); err != nil {
		t.Fatal(err)
	}
	ref, _ := f.open(c.ID)
	in := f.input(ref, c.Totals.Total, payments.TestName)
	in.Payment.Token = "declined"
	if _, err := f.checkout.Complete(f.Ctx, in, nil); !problem.Is(err, "payment_declined") {
		t.Fatal(err)
	}
	if c, err := f.carts.ReadDraft(f.Ctx, c.ID); err != nil || drafts.StateOf(c) != drafts.Sent || c.ReservedUntil == nil || time.Until(*c.ReservedUntil) < 23*time.Hour {
		t.Errorf("after a declined payment: %+v, %v", c, err)
	}
	in = f.input(ref, c.Totals.Total, payments.TestName)
	in.Payment.Token = "requires_action"
	at, err := f.checkout.Complete(f.Ctx, in, nil)
	if err != nil || at.State != "requires_action" {
		t.Fatalf("%+v, %v", at, err)
	}
	if _, err := f.update(c.ID, drafts.Patch{Note: ptr("x")}, 0); !problem.Is(err, "completion_in_progress") {
		t.Errorf("changed while it is paid: %v", err)
	}
	if _, err := f.checkout.TakeTestStep(f.Ctx, at.Payment, true); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `update payments set updated_at = now() - interval '1 day'`)
	if n, err := f.checkout.ResumePending(f.Ctx); err != nil || n != 1 {
		t.Fatalf("resumed %d, %v", n, err)
	}
	got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', count(*), min(payment_state), min(total_amount)) from orders where state = 'open'`)
	if got != "1 paid 2490" || f.Stock(t, shirt) != 2 || !strings.HasSuffix(f.events(), "draft_order.completed") {
		t.Errorf("orders %s, %d left, events %s", got, f.Stock(t, shirt), f.events())
	}
}
