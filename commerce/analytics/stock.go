package analytics

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// stockSQL is what lies in stock by product, the most valuable first and after them, without a
// product, all of it. Of variants without a cost, or a price, in the currency nobody knows it.
const stockSQL = `
with v as (
	select v.product_id, v.stock as units, case when v.cost_currency = $1 then v.cost_amount end as cost,
		(select p.amount from prices p where p.variant_id = v.id and p.currency = $1) as price
	from variants v where v.track_stock and v.stock > 0
), g as (
	select v.product_id, sum(v.units)::bigint as units, coalesce(sum(v.units * v.cost), 0)::bigint as cost, coalesce(sum(v.units) filter (where v.cost is null), 0)::bigint as uncosted,
		coalesce(sum(v.units * v.price), 0)::bigint as price, coalesce(sum(v.units) filter (where v.price is null), 0)::bigint as unpriced
	from v group by grouping sets ((v.product_id), ())
)
(select g.product_id, p.title, g.units, g.cost, g.uncosted, g.price, g.unpriced from g join products p on p.id = g.product_id order by g.cost desc, g.product_id limit $2)
union all
select null, null, coalesce(g.units, 0), g.cost, g.uncosted, g.price, g.unpriced from g where g.product_id is null`

// Stock is the report of what lies in stock by now, at cost and at the prices of variants.
func (s *Service) Stock(ctx context.Context, ask Ask) (*Report, error) {
	var v view
	var parts [2]*Part
	cells := func(product, title *string, n [5]int64) row {
		amount := func(n int64) money.Money { return money.New(n, v.Currency) }
		return row{
			{"product_id", product}, {"title", title}, {"units", n[0]}, {"cost_value", amount(n[1])}, {"units_without_cost", n[2]},
			{"retail_value", amount(n[3])}, {"units_without_price", n[4]},
		}
	}
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if v, err = open(ctx, tx, Ask{Currency: ask.Currency, Limit: ask.Limit}); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, stockSQL, v.Currency, v.Limit)
		if err != nil {
			return fmt.Errorf("read what is in stock: %w", err)
		}
		defer rows.Close()
		part := span{v.now.to, v.now.to}.part()
		for rows.Next() {
			var product, title *string
			var n [5]int64
			if err := rows.Scan(&product, &title, &n[0], &n[1], &n[2], &n[3], &n[4]); err != nil {
				return fmt.Errorf("read what is in stock: %w", err)
			}
			if found := cells(product, title, n); product == nil {
				part.Totals = found[2:]
			} else {
				part.Data = append(part.Data, found)
			}
		}
		parts[0] = part
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return v.report(parts, cells(nil, nil, [5]int64{})), nil
}
