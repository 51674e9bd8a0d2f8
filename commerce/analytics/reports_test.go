package analytics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// buy has somebody in Germany buy so many of each.
func (l *ledger) buy(email, code, currency string, items ...cart.Item) string {
	l.t.Helper()
	var ref cart.Ref
	var total money.Money
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, token, err := l.carts.Create(ctx, tx, cart.CreateInput{Email: email, Currency: currency, Items: items})
		if err != nil {
			return err
		}
		ref = cart.Ref{ID: c.ID, Token: token}
		if code != "" {
			if _, err := l.carts.AddCode(ctx, tx, ref, code); err != nil {
				return err
			}
		}
		c, err = l.carts.Update(ctx, tx, ref, cart.Change{ShippingAddress: &berlin, MethodID: &l.Standard}, 0)
		total = c.Totals.Total
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return l.pay(l.t, ref, total)
}

func (l *ledger) book(orders ...string) {
	l.t.Helper()
	if err := l.figures.Book(l.Ctx, orders...); err != nil {
		l.t.Fatal(err)
	}
}

// shown is a report as it is answered.
func shown(t testing.TB, r *analytics.Report, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (l *ledger) shown(report func(context.Context, analytics.Ask) (*analytics.Report, error), ask analytics.Ask) string {
	l.t.Helper()
	r, err := report(l.Ctx, ask)
	return shown(l.t, r, err)
}

func wants(t testing.TB, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("there is no %s in %.4000s", part, got)
		}
	}
}

func euro(name string, n int64) string {
	return fmt.Sprintf(`%q:{"amount":%d,"currency":"EUR"}`, name, n)
}

// What two orders come to, by hand: prices contain 19 %.
func TestReports(t *testing.T) {
	t.Parallel()
	l := open(t)
	shirt, mug := l.Add(t, shoptest.Variant{Title: "=Shirt", EUR: 1999, USD: 2500, Stock: 10}), l.Add(t, shoptest.Variant{Title: "Mug", EUR: 1190, Stock: 10})
	l.Exec(t, `update variants set cost_amount = 500, cost_currency = 'EUR' where id = $1`, shirt)
	summer := ids.New("col")
	l.Exec(t, `insert into collections (id, handle, title) values ($1, 'summer', 'Summer')`, summer)
	l.Exec(t, `insert into collection_products (collection_id, product_id, sort_key, shown) select $1, product_id, '1', true from variants where id = $2`, summer, shirt)
	first := l.buy("ada@example.com", "", "", cart.Item{VariantID: shirt, Quantity: 2}, cart.Item{VariantID: mug, Quantity: 1})
	second := l.buy("ada@example.com", "THIRD", "", cart.Item{VariantID: mug, Quantity: 1})
	dollars := l.buy("ben@example.com", "", "USD", cart.Item{VariantID: shirt, Quantity: 1})
	l.book(first, second, dollars)

	// 39.98 and 11.90 with tax are 33.60 and 10.00 without; shipping is 4.12 and its tax 0.78. Of
	// the second 33.33 % of 11.90, which is 3.97, are taken off: 7.93 are 6.66 without tax, and 3.34
	// of the discount.
	got := l.shown(l.figures.Sales, analytics.Ask{})
	wants(t, got, `"totals":{"orders":2,`+euro("average_order_value", 2513)+`,"units_sold":4,"units_returned":0,`+euro("gross_sales", 5360)+`,`+euro("discounts", 334)+`,`+
		euro("returns", 0)+`,`+euro("net_sales", 5026)+`,`+euro("shipping", 824)+`,`+euro("taxes", 638+190+127+78+78)+`,`+euro("fees", 0)+`,`+euro("total_sales", 5678+1283), `"comparison":null`)
	wants(t, l.shown(l.figures.Sales, analytics.Ask{Currency: "USD", Compare: analytics.PreviousPeriod}), `"currency":"USD"`, `"orders":1`, `"total_sales":{"amount":3090,"currency":"USD"}`, `"comparison":{"from":`)

	// One shirt goes back, with its tax: 19.99 are 16.80 and 3.19.
	line := shoptest.Value[string](t, l.Shop, `select id from order_lines where order_id = $1 and variant_id = $2`, first, shirt)
	if _, err := l.orders.Refund(l.Ctx, orders.RefundInput{OrderID: first, Lines: []orders.LineQuantity{{LineID: line, Quantity: 1}}, Attempt: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.orders.Cancel(l.Ctx, orders.CancelInput{OrderID: second, Reason: "customer", Attempt: "b"}, nil); err != nil {
		t.Fatal(err)
	}
	l.book(first, second)
	wants(t, l.shown(l.figures.Sales, analytics.Ask{}), `"units_returned":2,`+euro("gross_sales", 5360)+`,`+euro("discounts", 334)+`,`+euro("returns", 1680+666)+`,`+euro("net_sales", 2680),
		euro("shipping", 412), euro("total_sales", 5678-1999), euro("average_order_value", 2513))
	wants(t, l.shown(l.figures.Customers, analytics.Ask{Interval: analytics.Month}), `"totals":{"new_customers":1,"returning_orders":1,"returning_share":"50",`+euro("new_net_sales", 2680)+`,`+euro("returning_net_sales", 0))
	wants(t, l.shown(l.figures.Refunds, analytics.Ask{}), `"totals":{"refunds":2,`+euro("amount", 1999+1283)+`,`+euro("to_payments", 1999+1283))
	wants(t, l.shown(l.figures.Taxes, analytics.Ask{Limit: 5}), `{"name":"VAT","jurisdiction":"DE","percentage":"19","reason":"taxed",`+euro("taxable", 3092)+`,`+euro("amount", 587))
	wants(t, l.shown(l.figures.Discounts, analytics.Ask{Limit: 5}), `"code":"THIRD","title":"A third off","orders":1,`+euro("amount", 397))
	report, err := l.figures.Products(l.Ctx, analytics.Ask{Limit: 5, Sort: "units_sold", Compare: analytics.PreviousYear})
	got = shown(t, report, err)
	wants(t, got, `"title":"=Shirt","orders":1,"units_sold":2,"units_returned":1,`+euro("gross_sales", 3360)+`,`+euro("discounts", 0)+`,`+euro("returns", 1680)+`,`+euro("net_sales", 1680), `"totals":{"orders":3,"units_sold":4`)
	table, err := report.CSV()
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(table), "period,product_id,title,orders,units_sold,units_returned,gross_sales,discounts,returns,net_sales,currency\ncurrent,", ",'=Shirt,1,2,1,33.60,0.00,16.80,16.80,EUR\n", "\nprevious,")
	wants(t, l.shown(l.figures.Collections, analytics.Ask{Limit: 5}), `"totals":null`, fmt.Sprintf(`{"collection_id":%q,"title":"Summer","orders":1,"units_sold":2`, summer))
	wants(t, l.shown(l.figures.Stock, analytics.Ask{Limit: 5}), `"totals":{"units":16,`+euro("cost_value", 7*500)+`,"units_without_cost":9,`+euro("retail_value", 7*1999+9*1190)+`,"units_without_price":0}`, `"title":"=Shirt","units":7,`+euro("cost_value", 3500))

	// A product that is deleted is called as it was when it was sold.
	l.Exec(t, `delete from variants where id = $1`, mug)
	l.Exec(t, `delete from products where title = 'Mug'`)
	wants(t, l.shown(l.figures.Products, analytics.Ask{Limit: 5}), `"title":"Mug"`)
}

func TestPeriodsThatThereAreNot(t *testing.T) {
	t.Parallel()
	l := open(t)
	for name, c := range map[string]struct {
		ask  analytics.Ask
		code string
	}{
		"the wrong way round": {analytics.Ask{From: "2026-02-01", To: "2026-01-01"}, "period_invalid"},
		"too long":            {analytics.Ask{From: "2001-01-01", To: "2026-01-01"}, "period_invalid"},
		"too many rows":       {analytics.Ask{From: "2020-01-01", To: "2026-01-01"}, "period_invalid"},
		"no day":              {analytics.Ask{From: "2026-02-30"}, "period_invalid"},
		"no last day":         {analytics.Ask{To: "2026-02-30"}, "period_invalid"},
		"no currency":         {analytics.Ask{Currency: "XQX"}, "unknown_currency"},
	} {
		if _, err := l.figures.Sales(l.Ctx, c.ask); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.figures.Sales(l.Ctx, analytics.Ask{From: "2020-01-01", To: "2026-01-01", Interval: analytics.Month}); err != nil {
		t.Error(err)
	}
	err := l.DB.InStore(l.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return analytics.Follow(ctx, tx, "UTC", "Mars/Olympus")
	})
	if !problem.Is(err, "unknown_time_zone") {
		t.Error(err)
	}
}

// Visitors are counted once a day, by how far they came, over several processes; robots are not, and
// nothing is kept of anybody.
func TestVisits(t *testing.T) {
	t.Parallel()
	l := open(t)
	ref, _ := postgres.StoreFrom(l.Ctx)
	quiet := slog.New(slog.DiscardHandler)
	replicas := []*analytics.Visits{{DB: l.DB, Log: quiet}, {DB: l.DB, Log: quiet}}
	for round := range 2 {
		for i := range 40 {
			v, address := replicas[(i+round)%2], fmt.Sprintf("192.0.2.%d", i)
			v.Saw(ref, analytics.Visited, address, "Firefox")
			if i < 20 {
				v.Saw(ref, analytics.ViewedProduct, address, "Firefox")
			}
			if i < 4 {
				v.Saw(ref, analytics.Completed, address, "Firefox")
			}
			v.Saw(ref, analytics.Visited, address, "Examplebot/1.0")
		}
		for _, v := range replicas {
			v.Flush(l.Ctx)
			v.Flush(l.Ctx) // nothing more
		}
	}
	r, err := l.figures.Conversion(l.Ctx, analytics.Ask{Compare: analytics.PreviousPeriod})
	report := shown(t, r, err)
	wants(t, report, `"currency":null`)
	var told struct {
		Period struct {
			Totals struct {
				Visits    int64  `json:"visits"`
				Views     int64  `json:"product_views"`
				Carts     int64  `json:"added_to_cart"`
				Checkouts int64  `json:"reached_checkout"`
				Completed int64  `json:"completed"`
				Rate      string `json:"conversion_rate"`
			} `json:"totals"`
		} `json:"period"`
	}
	if err := json.Unmarshal([]byte(report), &told); err != nil {
		t.Fatal(err)
	}
	got := told.Period.Totals
	// A few may fall together, as the day's salt will have it.
	for _, n := range [][2]int64{{got.Visits, 40}, {got.Views, 20}, {got.Carts, 4}, {got.Checkouts, 4}, {got.Completed, 4}} {
		if n[0] < n[1]-1-n[1]/10 || n[0] > n[1]+1 {
			t.Errorf("%d for %d: %+v", n[0], n[1], got)
		}
	}
	if rate := strconv.FormatFloat(math.Round(float64(got.Completed)/float64(got.Visits)*1e4)/100, 'f', -1, 64); got.Rate != rate {
		t.Errorf("%+v, but the rate is %s", got, rate)
	}
	if dump := shoptest.Value[string](t, l.Shop, `select string_agg(v::text, ' ') from analytics_visits v`); strings.Contains(dump, "192.0.2") || strings.Contains(dump, "Firefox") {
		t.Errorf("somebody is kept: %s", dump)
	}
	l.Exec(t, `update analytics_visits set day = day - 2`)
	replicas[0].Saw(ref, analytics.Visited, "192.0.2.1", "Firefox")
	replicas[0].Flush(l.Ctx)
	if n := shoptest.Value[int](t, l.Shop, `select count(*) from analytics_visits where salt is null and sketches is null and visitors[1] = $1`, got.Visits); n != 1 {
		t.Errorf("%d days are left with their numbers alone", n)
	}
	gone := ref
	gone.Schema += 1_000_000
	replicas[0].Saw(gone, analytics.Visited, "192.0.2.1", "Firefox")
	replicas[0].Flush(l.Ctx) // is told in the log
}

// A customer's first order is their first, whichever is counted first.
func TestWhoIsNewFollowsTheOrders(t *testing.T) {
	t.Parallel()
	l := open(t)
	shirt := l.Add(t, shoptest.Variant{EUR: 1000, Stock: 10})
	item := cart.Item{VariantID: shirt, Quantity: 1}
	list := []string{l.buy("ada@example.com", "", "", item), l.buy("ada@example.com", "", "", item), l.buy("ada@example.com", "", "", item)}
	l.Exec(t, `update orders set state = 'pending'`)
	for i, id := range list {
		l.Exec(t, `update orders set state = 'open', placed_at = $2 where id = $1`, id, time.Now().Add(-time.Duration(i)*time.Hour)) // the last was the first to come to an end
		l.book(id)
		wants(t, l.shown(l.figures.Customers, analytics.Ask{}), fmt.Sprintf(`"totals":{"new_customers":1,"returning_orders":%d,`, i))
	}
	// Of three, the last was counted first and alone, and then the first before the second.
	l.Exec(t, `delete from analytics_orders`)
	l.Exec(t, `delete from analytics_figures`)
	l.Exec(t, `update orders set state = 'pending' where id <> $1`, list[0])
	for i, id := range []string{list[0], list[2], list[1]} {
		l.book(id)
		wants(t, l.shown(l.figures.Customers, analytics.Ask{}), fmt.Sprintf(`"totals":{"new_customers":1,"returning_orders":%d,`, i))
		l.Exec(t, `update orders set state = 'open'`)
	}
	// Who deletes their account stays who they were.
	l.Exec(t, `delete from customers`)
	l.book(list...)
	wants(t, l.shown(l.figures.Customers, analytics.Ask{}), `"totals":{"new_customers":1,"returning_orders":2,`)
}
