package analytics

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/sheets"
)

// Report is what is told of a period, in the contract's shape.
type Report struct {
	Currency   *string `json:"currency"` // null where no money is told of
	TimeZone   string  `json:"time_zone"`
	Rebuilding bool    `json:"rebuilding"` // other figures are being made, of another time zone or in place of wrong ones
	Period     Part    `json:"period"`
	Comparison *Part   `json:"comparison"`

	columns []string
}

// Part is what is told of one of two periods.
type Part struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Totals row    `json:"totals"` // of all, also of what is not listed
	Data   []row  `json:"data"`
}

// row is a row of a report: cells with their names, in their order.
type row []cell

type cell struct {
	name  string
	value any // an integer, a text, money, or nil
}

// MarshalJSON implements json.Marshaler.
func (r row) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	var out bytes.Buffer
	for i, c := range r {
		out.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		value, err := json.Marshal(c.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%q:%s", c.name, value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// CSV is the report as a table. Its rows say which period they are of, and texts that a program
// would take for formulas are kept from it.
func (r *Report) CSV() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	head := append([]string{"period"}, r.columns...)
	if r.Currency != nil {
		head = append(head, "currency")
	}
	if err := w.Write(head); err != nil {
		return nil, err
	}
	parts := []*Part{&r.Period, r.Comparison}
	for i, name := range []string{"current", "previous"} {
		if parts[i] == nil {
			continue
		}
		for _, row := range parts[i].Data {
			line := []string{name}
			for _, c := range row {
				line = append(line, c.text())
			}
			if r.Currency != nil {
				line = append(line, *r.Currency)
			}
			if err := w.Write(line); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func (c cell) text() string {
	switch v := c.value.(type) {
	case money.Money:
		return v.Decimal()
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return sheets.Safe(v)
	case *string:
		if v != nil {
			return sheets.Safe(*v)
		}
	}
	return ""
}

// sums are those of analytics_figures.
type sums struct {
	orders, quantity, returned, base, gross, discounts, returns, shipping, taxes, fees int64
}

func (s *sums) fields() []any {
	return []any{&s.orders, &s.quantity, &s.returned, &s.base, &s.gross, &s.discounts, &s.returns, &s.shipping, &s.taxes, &s.fees}
}

func (s *sums) add(o sums) {
	s.orders, s.quantity, s.returned, s.base = s.orders+o.orders, s.quantity+o.quantity, s.returned+o.returned, s.base+o.base
	s.gross, s.discounts, s.returns = s.gross+o.gross, s.discounts+o.discounts, s.returns+o.returns
	s.shipping, s.taxes, s.fees = s.shipping+o.shipping, s.taxes+o.taxes, s.fees+o.fees
}

func (s *sums) net() int64   { return s.gross - s.discounts - s.returns }
func (s *sums) total() int64 { return s.net() + s.shipping + s.taxes + s.fees }

// average is what an order was worth when it was placed; nil without one.
func (s *sums) average(currency string) any {
	if s.orders == 0 {
		return nil
	}
	return money.New((2*s.base+s.orders)/(2*s.orders), currency)
}

// share is a part of a whole in percent, with two decimals; nil of nothing.
func share(part, whole int64) any {
	if whole == 0 {
		return nil
	}
	return money.Rate((2*part*10_000 + whole) / (2 * whole) * 100).Percent()
}

const (
	// present is the edition that reports are read from.
	present = `(select coalesce((analytics->'edition'->>'edition')::int, 0) from settings)`

	sumColumns = `sum(f.orders)::bigint, sum(f.quantity)::bigint, sum(f.returned)::bigint, sum(f.base)::bigint, sum(f.gross)::bigint, sum(f.discounts)::bigint, sum(f.returns)::bigint,
	sum(f.shipping)::bigint, sum(f.taxes)::bigint, sum(f.fees)::bigint`

	// seriesSQL are the sums of a kind by key and interval.
	seriesSQL = `select date_trunc($5, f.day::timestamp)::date, f.key, ` + sumColumns + `
from analytics_figures f where f.edition = ` + present + ` and f.kind = $1 and f.currency = $2 and f.grain = 'day' and f.day between $3::date and $4::date
group by 1, 2`
)

// byInterval reads the sums of a kind, by the first day of their intervals and by key.
func byInterval(ctx context.Context, tx *postgres.Tx, v view, kind string, s span) (map[time.Time]map[string]sums, error) {
	rows, err := tx.Query(ctx, seriesSQL, kind, v.Currency, date(s.from), date(s.to), v.Interval)
	if err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	defer rows.Close()
	found := map[time.Time]map[string]sums{}
	for rows.Next() {
		var day time.Time
		var key string
		var f sums
		if err := rows.Scan(append([]any{&day, &key}, f.fields()...)...); err != nil {
			return nil, fmt.Errorf("read figures: %w", err)
		}
		day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
		if found[day] == nil {
			found[day] = map[string]sums{}
		}
		found[day][key] = f
	}
	return found, rows.Err()
}

func date(day time.Time) string { return day.Format(time.DateOnly) }

// series makes a report by interval: cells tells what a row says of the sums by key.
func (s *Service) series(ctx context.Context, ask Ask, kind string, cells func(currency string, of map[string]sums) row) (*Report, error) {
	var v view
	var parts [2]*Part
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if v, err = open(ctx, tx, ask); err != nil {
			return err
		}
		for i, of := range []*span{&v.now, v.before} {
			if of == nil {
				continue
			}
			found, err := byInterval(ctx, tx, v, kind, *of)
			if err != nil {
				return err
			}
			part, all := of.part(), map[string]sums{}
			for _, interval := range of.intervals(v.Interval) {
				sums := found[begins(v.Interval, interval.from)]
				part.Data = append(part.Data, append(interval.cells(), cells(v.Currency, sums)...))
				for key, more := range sums {
					sum := all[key]
					sum.add(more)
					all[key] = sum
				}
			}
			part.Totals, parts[i] = cells(v.Currency, all), part
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v.report(parts, append(span{}.cells(), cells(v.Currency, nil)...)), nil
}

func (s span) part() *Part { return &Part{From: date(s.from), To: date(s.to), Data: []row{}} }

func (s span) cells() row { return row{{"from", date(s.from)}, {"to", date(s.to)}} }

// report is the report of a view; like is a row such as it has.
func (v view) report(parts [2]*Part, like row) *Report {
	r := &Report{Currency: &v.Currency, TimeZone: v.zone, Rebuilding: v.rebuilding, Period: *parts[0], Comparison: parts[1]}
	for _, c := range like {
		r.columns = append(r.columns, c.name)
	}
	return r
}

// Sales is the report of what was sold, by interval.
func (s *Service) Sales(ctx context.Context, ask Ask) (*Report, error) {
	return s.series(ctx, ask, ofSales, func(currency string, of map[string]sums) row {
		var f sums
		for _, some := range of {
			f.add(some)
		}
		amount := func(n int64) money.Money { return money.New(n, currency) }
		return row{
			{"orders", f.orders}, {"average_order_value", f.average(currency)}, {"units_sold", f.quantity}, {"units_returned", f.returned},
			{"gross_sales", amount(f.gross)}, {"discounts", amount(f.discounts)}, {"returns", amount(f.returns)}, {"net_sales", amount(f.net())},
			{"shipping", amount(f.shipping)}, {"taxes", amount(f.taxes)}, {"fees", amount(f.fees)}, {"total_sales", amount(f.total())},
		}
	})
}

// Customers is the report of who bought for the first time and who had before, by interval.
func (s *Service) Customers(ctx context.Context, ask Ask) (*Report, error) {
	return s.series(ctx, ask, ofSales, func(currency string, of map[string]sums) row {
		fresh, back := of[newCustomers], of[returningCustomers]
		return row{
			{"new_customers", fresh.orders}, {"returning_orders", back.orders}, {"returning_share", share(back.orders, fresh.orders+back.orders)},
			{"new_net_sales", money.New(fresh.net(), currency)}, {"returning_net_sales", money.New(back.net(), currency)},
		}
	})
}

// Refunds is the report of money that was paid back, by interval.
func (s *Service) Refunds(ctx context.Context, ask Ask) (*Report, error) {
	return s.series(ctx, ask, ofRefund, func(currency string, of map[string]sums) row {
		amount := func(key string) money.Money { return money.New(of[key].base, currency) }
		return row{
			{"refunds", of[allRefunds].orders}, {"amount", amount(allRefunds)}, {"to_payments", amount(toPayments)}, {"to_store_credit", amount(toStoreCredit)},
			{"set_off", amount(toExchanges)}, {"of_balance", amount(balanceRefunds)}, {"fees", money.New(of[allRefunds].fees, currency)},
		}
	})
}
