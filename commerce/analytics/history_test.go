package analytics_test

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// worth is what is seen of an order from outside: what it comes to, and what was paid back.
type worth struct {
	Orders, Units                 int64
	Goods, Shipping, Taxes, Total int64 // of what it contains, the former two without taxes
	Refunded, Discounts           int64
	PaidBack, Refunds             int64
	Cancelled                     bool
}

const worthSQL = `
select json_build_object('Orders', 1, 'Units', l.units, 'Goods', l.total - case when o.prices_include_tax then l.tax else 0 end,
	'Shipping', o.shipping_amount - coalesce((o.shipping_method->'discount'->>'amount')::bigint, 0) - case when o.prices_include_tax then o.tax_amount - l.tax else 0 end,
	'Taxes', o.tax_amount, 'Total', o.total_amount, 'Refunded', o.refunded_amount, 'Discounts', o.discount_amount, 'Cancelled', o.state = 'cancelled',
	'PaidBack', r.amount, 'Refunds', r.n)
from orders o,
	lateral (select sum(l.quantity) as units, sum(l.total_amount) as total, sum(l.tax_amount) as tax from order_lines l where l.order_id = o.id) l,
	lateral (select coalesce(sum(r.amount), 0) as amount, count(*) as n from refunds r where r.order_id = o.id and r.state = 'succeeded') r
where o.id = $1`

// sales are what an order counts as sold.
func (w worth) sales() int64 {
	if w.Cancelled {
		return 0
	}
	return w.Total - w.Refunded
}

// change is what became of an order at some time.
type change struct {
	order    string
	at       time.Time
	was, now worth
}

// ledger is the model: every change of every order, as it is seen from outside.
type ledger struct {
	*shoptest.Shop
	t       *testing.T
	carts   *cart.Service
	till    *checkout.Service
	orders  *orders.Service
	figures *analytics.Service
	zone    string
	changes []change
	emails  map[string]string
}

var (
	berlin = &address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "DE"}
	byTest = payments.Chosen{Provider: payments.TestName, Token: payments.TokenSucceeds}
)

// open opens a shop in which a code takes a third off.
func open(t *testing.T) *ledger {
	t.Helper()
	platform := testdb.Open(t)
	l := &ledger{Shop: shoptest.New(t, platform), t: t, zone: "UTC", emails: map[string]string{}, carts: cart.New(platform.DB), figures: &analytics.Service{DB: platform.DB}}
	providers, quiet := payments.Providers{payments.TestName: &payments.Test{DB: l.DB}}, slog.New(slog.DiscardHandler)
	l.till = &checkout.Service{DB: l.DB, Carts: l.carts, Providers: providers, Log: quiet}
	l.orders = &orders.Service{DB: l.DB, Stock: checkout.Stock{}, Offers: checkout.Offers{Carts: l.carts}, Providers: providers, Log: quiet}
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := promotions.Create(ctx, tx, promotions.Input{Active: true, Codes: []string{"THIRD"}, Rule: promotions.Rule{Title: "A third off", Kind: promotions.Percentage, Class: promotions.Order, RateBPS: 3333}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// failing is a test, or a history of one.
type failing interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// pay completes a cart.
func (l *ledger) pay(t failing, ref cart.Ref, total money.Money) string {
	at, err := l.till.Complete(l.Ctx, checkout.Input{Cart: ref, Payment: byTest, Expected: total, Due: total, Attempt: ids.New("key"),
		Shop: checkout.Shop{Terms: payments.Terms{Live: true, Demo: true}, TakesOrders: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return at.OrderID
}

// Each step of a history is a transaction or two: few histories will do, of many steps.
func init() {
	if err := flag.Set("rapid.checks", "7"); err != nil {
		panic(err)
	}
}

// moments are when days, months and summer begin and end somewhere.
var moments = []string{"2026-01-31T22:59:59Z", "2026-03-29T00:59:30Z", "2026-03-08T06:59:30Z", "2026-06-30T23:59:59Z", "2026-09-26T13:59:00Z", "2026-10-24T22:00:00Z", "2026-10-25T00:59:59Z"}

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"}

// happened moves what happened to an order right now to another time.
func (l *ledger) happened(order string, at time.Time) {
	l.t.Helper()
	l.Exec(l.t, `with o as (
			update orders set placed_at = case when placed_at > now() - interval '1 day' then $2 else placed_at end,
				cancelled_at = case when cancelled_at > now() - interval '1 day' then $2 + interval '1 microsecond' else cancelled_at end where id = $1
		), e as (update order_edits set created_at = $2 where order_id = $1 and created_at > now() - interval '1 day')
		update refunds set succeeded_at = $2 + interval '2 microseconds' where order_id = $1 and succeeded_at > now() - interval '1 day'`, order, at)
}

func (l *ledger) worth(order string) (w worth) {
	l.t.Helper()
	raw := shoptest.Value[[]byte](l.t, l.Shop, worthSQL, order)
	if err := json.Unmarshal(raw, &w); err != nil {
		l.t.Fatal(err)
	}
	return w
}

// place has a shopper buy something.
func (l *ledger) place(rt *rapid.T, at time.Time, variants []string) string {
	email := rapid.SampledFrom([]string{"ada@example.com", "ben@example.com", "cyd@example.com", "dee@example.com"}).Draw(rt, "who")
	where := berlin
	if rapid.IntRange(0, 3).Draw(rt, "abroad") == 0 {
		where = &address.Address{Name: "Ben Example", Line1: "1 Sample Street", City: "Wien", PostalCode: "1010", Country: "AT"}
	}
	var items []cart.Item
	for _, v := range variants {
		if n := rapid.Int64Range(0, 3).Draw(rt, "units"); n > 0 {
			items = append(items, cart.Item{VariantID: v, Quantity: n})
		}
	}
	if len(items) == 0 {
		items = []cart.Item{{VariantID: variants[0], Quantity: 1}}
	}
	var ref cart.Ref
	var total money.Money
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, token, err := l.carts.Create(ctx, tx, cart.CreateInput{Email: email, Items: items})
		if err != nil {
			return err
		}
		ref = cart.Ref{ID: c.ID, Token: token}
		if rapid.Bool().Draw(rt, "cheaper") {
			if _, err = l.carts.AddCode(ctx, tx, ref, "THIRD"); err != nil {
				return err
			}
		}
		c, err = l.carts.Update(ctx, tx, ref, cart.Change{ShippingAddress: &where, MethodID: &l.Standard}, 0)
		total = c.Totals.Total
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
	id := l.pay(rt, ref, total)
	if rapid.IntRange(0, 7).Draw(rt, "unpaid") == 0 {
		l.Exec(l.t, `update payments set state = 'voided' where order_id = $1`, id)
		l.Exec(l.t, `update orders set payment_state = 'voided' where id = $1`, id)
	}
	l.emails[id] = email
	return id
}

// step does something to an order, which may refuse it.
func (l *ledger) step(rt *rapid.T, order string, variants []string) error {
	lines := shoptest.Value[[]string](l.t, l.Shop, `select array_agg(id order by position) from order_lines where order_id = $1`, order)
	line, n := rapid.SampledFrom(lines).Draw(rt, "line"), rapid.Int64Range(0, 4).Draw(rt, "n")
	amount := money.New(rapid.Int64Range(1, 2500).Draw(rt, "amount"), "EUR")
	part := []orders.LineQuantity{{LineID: line, Quantity: n}}
	credited := rapid.Bool().Draw(rt, "credited")
	name := ids.New("key")
	switch rapid.SampledFrom([]string{"set", "add", "ship", "line", "line", "amount", "amount", "owed", "rest", "pay", "return", "return", "exchange", "cancel"}).Draw(rt, "step") {
	case "set":
		return l.edit(orders.Edit{OrderID: order, Lines: part, Keep: credited})
	case "add":
		return l.edit(orders.Edit{OrderID: order, Lines: part, Add: []orders.Added{{VariantID: variants[0], Quantity: max(n, 1)}}})
	case "ship":
		return l.edit(orders.Edit{OrderID: order, Shipping: &amount})
	case "line":
		_, err := l.orders.Refund(l.Ctx, orders.RefundInput{OrderID: order, Lines: part, StoreCredit: credited, Attempt: name}, nil)
		return err
	case "amount":
		_, err := l.orders.Refund(l.Ctx, orders.RefundInput{OrderID: order, Amount: &amount, Attempt: name}, nil)
		return err
	case "owed":
		_, err := l.orders.Refund(l.Ctx, orders.RefundInput{OrderID: order, Balance: true, Attempt: name}, nil)
		return err
	case "rest":
		_, err := l.orders.Refund(l.Ctx, orders.RefundInput{OrderID: order, StoreCredit: credited, Attempt: name}, nil)
		return err
	case "pay":
		_, err := l.till.PayBalance(l.Ctx, checkout.Balance{OrderID: order, Payment: byTest, Attempt: name, Terms: payments.Terms{Demo: true}}, nil)
		return err
	case "return":
		return l.sendBack(order, line, max(n, 1), amount, nil)
	case "exchange":
		return l.sendBack(order, line, max(n, 1), amount, []orders.Added{{VariantID: variants[1], Quantity: 1}})
	}
	return l.orders.Cancel(l.Ctx, orders.CancelInput{OrderID: order, Reason: "customer", Attempt: name}, nil)
}

func (l *ledger) edit(in orders.Edit) error {
	refund := ""
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		_, refund, err = l.orders.Edit(ctx, tx, in)
		return err
	})
	if err == nil && refund != "" {
		l.orders.PayBack(l.Ctx, refund)
	}
	return err
}

// sendBack has units of a line sent, and back again; a part of what sending cost goes back with
// them and a fee is kept, or something else is sent instead.
func (l *ledger) sendBack(order, line string, n int64, amount money.Money, instead []orders.Added) error {
	id, refund := "", ""
	fee, shipping := money.New(amount.Amount%97, "EUR"), money.New(amount.Amount%83, "EUR")
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err = l.orders.Fulfil(ctx, tx, order, []orders.LineQuantity{{LineID: line, Quantity: n}}, orders.Tracking{}); err != nil {
			return err
		}
		if id, err = l.orders.OpenReturn(ctx, tx, orders.ReturnInput{OrderID: order, Lines: []orders.ReturnLine{{LineID: line, Quantity: n, Reason: "too_small"}}}); err != nil {
			return err
		}
		if err := l.orders.ReceiveReturn(ctx, tx, orders.ReturnStep{ID: id}); err != nil {
			return err
		}
		if err := l.orders.InspectReturn(ctx, tx, id, []orders.Finding{{LineID: line, Accepted: n, Condition: "opened"}}); err != nil || instead == nil {
			return err
		}
		refund, err = l.orders.ExchangeReturn(ctx, tx, orders.Exchange{ReturnID: id, Add: instead})
		return err
	})
	if err != nil {
		return err
	}
	if refund != "" {
		l.orders.PayBack(l.Ctx, refund)
	}
	if instead != nil {
		return nil
	}
	return l.orders.RefundReturn(l.Ctx, orders.ReturnRefund{ReturnID: id, Fee: &fee, Shipping: &shipping, Attempt: ids.New("key")}, nil)
}

// day is what a report says of a day.
type day struct {
	From         string `json:"from"`
	Orders       int64  `json:"orders"`
	Units        int64  `json:"units_sold"`
	Gross        amount `json:"gross_sales"`
	Discounts    amount `json:"discounts"`
	Returns      amount `json:"returns"`
	Net          amount `json:"net_sales"`
	Shipping     amount `json:"shipping"`
	Taxes        amount `json:"taxes"`
	Fees         amount `json:"fees"`
	Total        amount `json:"total_sales"`
	New          int64  `json:"new_customers"`
	Returning    int64  `json:"returning_orders"`
	Refunds      int64  `json:"refunds"`
	Amount       amount `json:"amount"`
	ToPayments   amount `json:"to_payments"`
	ToCredit     amount `json:"to_store_credit"`
	SetOff       amount `json:"set_off"`
	NewSales     amount `json:"new_net_sales"`
	ReturnsSales amount `json:"returning_net_sales"`
}

type amount struct {
	Amount int64 `json:"amount"`
}

type told struct {
	Period struct {
		Totals day   `json:"totals"`
		Data   []day `json:"data"`
	} `json:"period"`
}

func (l *ledger) tell(rt *rapid.T, report func(context.Context, analytics.Ask) (*analytics.Report, error), interval string) (t told) {
	r, err := report(l.Ctx, analytics.Ask{From: "2026-01-01", To: "2026-12-31", Interval: interval, Limit: 1000})
	if err != nil {
		rt.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil {
		rt.Fatalf("%v: %s", err, raw)
	}
	return t
}

// agrees holds the reports against the model, day by day.
func (l *ledger) agrees(rt *rapid.T) {
	zone, err := time.LoadLocation(l.zone)
	if err != nil {
		rt.Fatal(err)
	}
	want := map[string]*worth{}
	sales, news := map[string]int64{}, map[string][2]int64{}
	first := slices.Clone(l.changes)
	slices.SortStableFunc(first, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	known := map[string]bool{}
	for _, c := range first {
		on := c.at.In(zone).Format(time.DateOnly)
		if want[on] == nil {
			want[on] = &worth{}
		}
		w := want[on]
		w.Orders += c.now.Orders - c.was.Orders
		w.Units += c.now.Units - c.was.Units
		w.Goods += c.now.Goods - c.was.Goods
		w.PaidBack += c.now.PaidBack - c.was.PaidBack
		w.Refunds += c.now.Refunds - c.was.Refunds
		sales[on] += c.now.sales() - c.was.sales()
		if c.was.Orders == 0 {
			n := news[on]
			n[map[bool]int{false: 0, true: 1}[known[l.emails[c.order]]]]++
			news[on], known[l.emails[c.order]] = n, true
		}
	}
	report, buyers, refunds := l.tell(rt, l.figures.Sales, "day"), l.tell(rt, l.figures.Customers, "day"), l.tell(rt, l.figures.Refunds, "day")
	for i, d := range report.Period.Data {
		w, b, r := want[d.From], buyers.Period.Data[i], refunds.Period.Data[i]
		if w == nil {
			w = &worth{}
		}
		if d.Orders != w.Orders || d.Units != w.Units || d.Gross.Amount-d.Discounts.Amount != w.Goods || d.Total.Amount != sales[d.From] ||
			d.Net.Amount+d.Shipping.Amount+d.Taxes.Amount+d.Fees.Amount != d.Total.Amount || b.NewSales.Amount+b.ReturnsSales.Amount != d.Net.Amount {
			rt.Fatalf("%s in %s: %+v, but %+v and %d", d.From, l.zone, d, *w, sales[d.From])
		}
		if b.New != news[d.From][0] || b.Returning != news[d.From][1] {
			rt.Fatalf("%s: %d new customers and %d orders of others, but %v", d.From, b.New, b.Returning, news[d.From])
		}
		if r.Refunds != w.Refunds || r.Amount.Amount != w.PaidBack || r.ToPayments.Amount+r.ToCredit.Amount+r.SetOff.Amount != r.Amount.Amount {
			rt.Fatalf("%s: %+v paid back, but %+v", d.From, r, *w)
		}
	}
	all := report.Period.Totals
	for _, interval := range []string{"week", "month"} {
		if got := l.tell(rt, l.figures.Sales, interval); got.Period.Totals != all {
			rt.Fatalf("by %s %+v, but by day %+v", interval, got.Period.Totals, all)
		}
	}
	if got := l.tell(rt, l.figures.Products, ""); got.Period.Totals.Net != all.Net || got.Period.Totals.Gross != all.Gross || got.Period.Totals.Units != all.Units {
		rt.Fatalf("products come to %+v, but all is %+v", got.Period.Totals, all)
	}
	if got := l.tell(rt, l.figures.Taxes, ""); got.Period.Totals.Amount != all.Taxes {
		rt.Fatalf("taxes come to %+v, but all is %+v", got.Period.Totals, all)
	}
	discounts := shoptest.Value[int64](l.t, l.Shop, `select coalesce(sum(discount_amount), 0)::bigint from orders where state <> 'pending'`)
	if got := l.tell(rt, l.figures.Discounts, ""); got.Period.Totals.Amount.Amount != discounts {
		rt.Fatalf("discounts come to %+v, but orders' to %d", got.Period.Totals, discounts)
	}
}

// oddSQL are orders whose parts do not come to what they should: of one of which nothing is left,
// each to nothing, and of any other, as much tax as its refunds left, to a few cents.
const oddSQL = `
select coalesce(string_agg(x.id || ' ' || x.state || ' ' || x.goods || ' ' || x.shipping || ' ' || x.taxes || ' ' || x.fees || ' ' || x.base || ' of ' || x.rest, ', '), '') from (
	select o.id, o.state, case when o.state = 'cancelled' then 0 else o.total_amount - o.refunded_amount end as rest, sum(f.gross) filter (where f.kind = 'sales') - coalesce(sum(f.discounts) filter (where f.kind = 'sales'), 0) - coalesce(sum(f.returns) filter (where f.kind = 'sales'), 0) as goods,
		coalesce(sum(f.shipping), 0) as shipping, coalesce(sum(f.taxes) filter (where f.kind = 'sales'), 0) as taxes, coalesce(sum(f.fees) filter (where f.kind = 'sales'), 0) as fees,
		coalesce(sum(f.base) filter (where f.kind = 'tax'), 0) as base, o.tax_amount
	from analytics_orders b join orders o on o.id = b.order_id,
		jsonb_to_recordset(b.facts) as f(kind text, gross bigint, discounts bigint, returns bigint, shipping bigint, taxes bigint, fees bigint, base bigint)
	group by o.id) x
where x.goods + x.shipping + x.taxes + x.fees <> x.rest or x.rest = 0 and (x.goods, x.shipping, x.taxes, x.fees, x.base) <> (0, 0, 0, 0, 0)
	or abs(x.taxes - case when x.tax_amount = 0 then 0 else x.rest * 19.0 / 119 end) > 12`

// Whatever happens to orders, in whatever order it is counted, and however often or seldom: reports
// say of every day what the orders say, to the cent, in whatever time zone; and so do they when
// all is counted anew.
func TestReportsAreWhatTheOrdersAre(t *testing.T) {
	t.Parallel()
	l := open(t)
	variants := []string{l.Add(t, shoptest.Variant{EUR: 1999, Stock: 1_000_000}), l.Add(t, shoptest.Variant{EUR: 333, Stock: 1_000_000})}
	rapid.Check(t, func(rt *rapid.T) {
		l.Exec(t, `update settings set prices_include_tax = $1`, rapid.Bool().Draw(rt, "gross"))
		placed := map[string]time.Time{}
		for range rapid.IntRange(6, 12).Draw(rt, "steps") {
			var order string
			var at time.Time
			known := slices.Sorted(maps.Keys(placed))
			if len(known) == 0 || rapid.IntRange(0, 5).Draw(rt, "another") == 0 {
				from, err := time.Parse(time.RFC3339, rapid.SampledFrom(moments).Draw(rt, "from"))
				if err != nil {
					rt.Fatal(err)
				}
				at = from.Add(time.Duration(len(l.changes)) * time.Millisecond) // no two at once
				order = l.place(rt, at, variants)
				l.happened(order, at)
				l.changes = append(l.changes, change{order: order, at: at, now: l.worth(order)})
			} else {
				order = rapid.SampledFrom(known).Draw(rt, "order")
				at = placed[order].Add(time.Duration(rapid.IntRange(1, 100).Draw(rt, "hours"))*time.Hour/3 + time.Second)
				was := l.worth(order)
				if err := l.step(rt, order, variants); err != nil && problem.As(err) == nil {
					rt.Fatal(err)
				}
				l.happened(order, at)
				l.changes = append(l.changes, change{order, at, was, l.worth(order)})
			}
			placed[order] = at
			for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(rt, "jobs") {
				if err := l.figures.Book(l.Ctx, order); err != nil {
					rt.Fatal(err)
				}
			}
		}
		again := slices.Sorted(maps.Keys(placed))
		for _, id := range rapid.Permutation(again).Draw(rt, "late") {
			if err := l.figures.Book(l.Ctx, id); err != nil {
				rt.Fatal(err)
			}
		}
		if rapid.IntRange(0, 2).Draw(rt, "look") == 0 {
			l.agrees(rt)
		}
		if odd := shoptest.Value[string](t, l.Shop, oddSQL); odd != "" {
			rt.Fatal(odd)
		}
		if rapid.IntRange(0, 2).Draw(rt, "rebuild") == 0 {
			l.rebuild(rt, again)
			l.agrees(rt)
		}
	})
}

// rebuild has everything counted anew in another time zone, or in the same; orders are counted
// meanwhile.
func (l *ledger) rebuild(rt *rapid.T, orders []string) {
	was := l.zone
	l.zone = rapid.SampledFrom(zones).Draw(rt, "zone")
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `update settings set time_zone = $1`, l.zone); err != nil || was == l.zone {
			return err
		}
		return analytics.Follow(ctx, tx, was, l.zone)
	})
	if err == nil && was == l.zone {
		l.Exec(l.t, `update analytics_figures set gross = gross + 1`) // somebody has spoiled them
		err = l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := analytics.Again(ctx, tx)
			return err
		})
	}
	if err != nil {
		rt.Fatal(err)
	}
	edition := shoptest.Value[int](l.t, l.Shop, `select (analytics->'next'->'edition'->>'edition')::int from settings`)
	for done := false; !done; {
		if err := l.figures.Book(l.Ctx, rapid.SampledFrom(orders).Draw(rt, "meanwhile")); err != nil {
			rt.Fatal(err)
		}
		if err := l.figures.Rebuild(l.Ctx, analytics.RebuildArgs{Edition: edition}); err != nil {
			rt.Fatal(err)
		}
		done = shoptest.Value[bool](l.t, l.Shop, `select not analytics ? 'next' from settings`)
	}
	if n := shoptest.Value[int](l.t, l.Shop, `select count(distinct edition) from analytics_figures`); n > 1 {
		rt.Fatalf("%d editions are left", n)
	}
}
