package billing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Day is what a store used on a day.
type Day struct {
	Date     time.Time
	Requests int64
	Orders   int64
	Revenue  []money.Money
}

// Usage is what a store uses: how much it has of what plans limit, and its days.
type Usage struct {
	Products int64
	Staff    int64
	Days     []Day
}

// Meter writes down and reads what stores use.
type Meter struct {
	DB *postgres.DB
}

// Usage reads what the context's store used between two days, both included.
func (m *Meter) Usage(ctx context.Context, from, to time.Time) (Usage, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Usage{}, postgres.ErrNoStore
	}
	usage := Usage{}
	days := map[string]*Day{}
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		usage.Days = append(usage.Days, Day{Date: day, Revenue: []money.Money{}})
	}
	for i := range usage.Days {
		days[usage.Days[i].Date.Format(time.DateOnly)] = &usage.Days[i]
	}
	err := m.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		// What is counted but not added up yet counts as well.
		rows, err := tx.Query(ctx, `
			select day, metric, sum(n)::bigint from (
				select day, metric, value as n from cell.usage_days
				union all
				select day, metric, delta from cell.usage_deltas
			) used where metric = 'products' or day between $1 and $2
			group by day, metric order by metric`, from, to)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var date time.Time
			var metric string
			var n int64
			if err := rows.Scan(&date, &metric, &n); err != nil {
				return err
			}
			if metric == "products" {
				usage.Products += n
			}
			day := days[date.Format(time.DateOnly)]
			if day == nil {
				continue
			}
			if currency, ok := strings.CutPrefix(metric, "revenue:"); ok {
				day.Revenue = append(day.Revenue, money.Money{Amount: n, Currency: currency})
			} else if metric == "orders" {
				day.Orders = n
			}
		}
		return rows.Err()
	})
	if err != nil {
		return usage, fmt.Errorf("usage of %s: %w", ref.ID, err)
	}
	err = m.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.QueryRow(ctx, `select count(*) from members where store_id = $1`, ref.ID).Scan(&usage.Staff); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select day, sum(requests)::bigint from usage_requests where store_id = $1 and day between $2 and $3 group by day`, ref.ID, from, to)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var date time.Time
			var n int64
			if err := rows.Scan(&date, &n); err != nil {
				return err
			}
			if day := days[date.Format(time.DateOnly)]; day != nil {
				day.Requests = n
			}
		}
		return rows.Err()
	})
	if err != nil {
		return usage, fmt.Errorf("requests of %s: %w", ref.ID, err)
	}
	return usage, nil
}

// AddUp sums up what stores of a cell have counted since it ran last. Removing what was
// counted and adding it is one transaction: nothing is lost or counted twice.
func (m *Meter) AddUp(ctx context.Context, cell string) (deltas int64, err error) {
	err = m.DB.InCell(ctx, cell, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, `
			with taken as (
				delete from cell.usage_deltas where id in (select id from cell.usage_deltas order by id limit 50000 for update skip locked)
				returning store, day, metric, delta
			)
			insert into cell.usage_days as d (store, day, metric, value)
			select store, day, metric, sum(delta) from taken group by store, day, metric
			on conflict (store, day, metric) do update set value = d.value + excluded.value`)
		deltas = tag.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("add up usage in cell %s: %w", cell, err)
	}
	return deltas, nil
}

// Flush writes down how many requests stores made. All tells whether the counts of other
// processes are written down as well, which is for one replica at a time.
func (m *Meter) Flush(ctx context.Context, counted *limits.Usage, all bool) error {
	counts := counted.Own()
	if all {
		others, err := counted.Others(ctx)
		if err == nil {
			counts = append(counts, others...)
		}
		// Without Redis there is nothing to read of others; they write for themselves.
	}
	if len(counts) == 0 {
		return nil
	}
	err := m.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		batch := &pgx.Batch{}
		for _, c := range counts {
			// Of a store that was purged nothing is written down any more.
			batch.Queue(`insert into usage_requests as u (store_id, day, generation, requests)
				select $1, $2::date, $3, $4 where exists (select 1 from stores where id = $1 and status <> 'purged')
				on conflict (store_id, day, generation) do update set requests = greatest(u.requests, excluded.requests)`,
				c.StoreID, c.Day, c.Generation, c.Requests)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return fmt.Errorf("write down requests: %w", err)
	}
	counted.Acknowledge(counts)
	return nil
}
