package bench

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What the store of the reports has sold in each of two years.
const (
	reportedOrders   = 1_000_000
	reportedProducts = 2_000
)

// monthOfOrdersSQL writes down what $2 orders of a month, of two of $3 products each, come to in
// figures: the sums that booking them makes.
const monthOfOrdersSQL = `
with facts as (
	select $1::date + (n % extract(day from $1::date + interval '1 month' - interval '1 day')::bigint)::int as day, n from generate_series(1, $2::bigint) n
), said as (
	select f.day, s.kind, s.key, s.orders, s.quantity, s.amount from facts f cross join lateral (values
		('sales', case f.n % 3 when 0 then 'returning' else 'new' end, 1, 3, 4500 + f.n % 1000),
		('product', 'prod_' || lpad((f.n * 7919 % $3)::text, 26, '0'), 1, 2, 3000 + f.n % 700),
		('product', 'prod_' || lpad((f.n * 104729 % $3)::text, 26, '0'), 1, 1, 1500 + f.n % 300),
		('tax', '["VAT","DE","19","taxed"]', 0, 0, 855)) s(kind, key, orders, quantity, amount)
), daily as (
	select kind, day, key, sum(orders) as orders, sum(quantity) as quantity, sum(amount) as amount from said group by 1, 2, 3
), grained as (
	select 'day' as grain, * from daily
	union all
	select g.grain, kind, date_trunc(g.grain, day)::date, key, sum(orders), sum(quantity), sum(amount) from daily, (values ('week'), ('month')) g(grain) group by 1, 2, 3, 4
)
insert into analytics_figures as t (edition, kind, currency, grain, day, key, orders, quantity, returned, base, gross, discounts, returns, shipping, taxes, fees)
select 0, kind, 'EUR', grain, day, key, orders, quantity, 0, amount, amount, 0, 0, 0, amount / 5, 0 from grained
on conflict (edition, kind, currency, grain, day, key) do update set orders = t.orders + excluded.orders, quantity = t.quantity + excluded.quantity,
	base = t.base + excluded.base, gross = t.gross + excluded.gross, taxes = t.taxes + excluded.taxes`

// BenchmarkReports measures reports of a year over a million orders, by what whoever asks the
// service waits.
func BenchmarkReports(b *testing.B) {
	platform := testdb.Open(b)
	ctx := platform.Store(b)
	in := func(do func(ctx context.Context, tx *postgres.Tx) error) {
		b.Helper()
		if err := platform.DB.InStore(ctx, do); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for month := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC); month.Year() < 2027; month = month.AddDate(0, 1, 0) {
		in(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, monthOfOrdersSQL, month.Format(time.DateOnly), reportedOrders/12, reportedProducts)
			return err
		})
	}
	filled := time.Since(began)
	service := &analytics.Service{DB: platform.DB}
	year := analytics.Ask{From: "2026-01-01", To: "2026-12-31", Compare: analytics.PreviousYear, Limit: 50}
	weeks, uneven, month := year, year, year
	weeks.Interval, uneven.From, uneven.To = analytics.Week, "2025-12-17", "2026-12-16"
	month.From, month.To, month.Compare = "2026-11-12", "2026-12-11", analytics.PreviousPeriod
	var rows []report.Row
	for _, r := range []struct {
		name    string
		read    func(context.Context, analytics.Ask) (*analytics.Report, error)
		ask     analytics.Ask
		promise time.Duration
	}{
		{"sales by day, with the year before", service.Sales, year, 50 * time.Millisecond},
		{"sales by week, with the year before", service.Sales, weeks, 50 * time.Millisecond},
		{"new and returning customers by day, with the year before", service.Customers, year, 50 * time.Millisecond},
		{"taxes, with the year before", service.Taxes, year, 50 * time.Millisecond},
		{fmt.Sprintf("the best of %d products, with the year before", reportedProducts), service.Products, year, 200 * time.Millisecond},
		{fmt.Sprintf("the best of %d products in a year of 11 whole months and two parts, with the year before", reportedProducts), service.Products, uneven, 200 * time.Millisecond},
		{fmt.Sprintf("the best of %d products in 30 days, with the 30 before", reportedProducts), service.Products, month, 200 * time.Millisecond},
	} {
		var took []time.Duration
		for range *runs {
			began := time.Now()
			if _, err := r.read(ctx, r.ask); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		median := took[len(took)/2]
		kept := report.No
		if median <= r.promise {
			kept = report.Yes
		}
		rows = append(rows, report.Row{Name: r.name, Value: fmt.Sprintf("%.1f ms", median.Seconds()*1000), Promise: fmt.Sprintf("at most %d ms", r.promise.Milliseconds()), Kept: kept})
	}
	var sums int
	var size string
	in(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select count(*), pg_size_pretty(pg_total_relation_size('analytics_figures')) from analytics_figures`).Scan(&sums, &size)
	})
	report.Publish(b, "reports", []report.Table{{
		Title: "A year's reports over a million orders",
		Note:  fmt.Sprintf("%d sums of days, weeks and months (%s) of a million orders in each of two years, of two products each; written in %.0f s. Medians of %d.", sums, size, filled.Seconds(), *runs),
		Rows:  rows,
	}})
}
