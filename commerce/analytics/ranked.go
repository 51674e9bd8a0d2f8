package analytics

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// The columns that products and collections are sorted by.
var sorted = map[string]string{
	"net_sales": `f.gross - f.discounts - f.returns`, "gross_sales": `f.gross`, "units_sold": `f.quantity`, "orders": `f.orders`, "returns": `f.returns`,
}

// wholeSQL are the figures of a kind within the parts of a period.
const wholeSQL = `
with f as (
	select f.* from unnest($3::text[], $4::date[], $5::date[]) g(grain, first, last), lateral (
		select * from analytics_figures f where f.edition = ` + present + ` and f.kind = $1 and f.currency = $2 and f.grain = g.grain and f.day between g.first and g.last offset 0) f
)`

// ranking is a report of the most of something.
type ranking struct {
	kind    string
	by      string // what is ranked, of figures f, and of what is joined
	join    string
	order   string
	totals  bool // they add up: nothing is counted twice
	nameSQL string
	cells   func(currency, key string, name json.RawMessage, f sums) (row, error)
}

// statement ranks what there is within a period: the most first and after them, without a key,
// the totals. Of those that are named in $7 it gives all.
func (r ranking) statement() string {
	return wholeSQL + `, summed (key, orders, quantity, returned, base, gross, discounts, returns, shipping, taxes, fees) as (
	select ` + r.by + `, ` + sumColumns + ` from f ` + r.join + ` group by 1
)
(select f.* from summed f where $7::text[] is null or f.key = any ($7::text[]) order by ` + r.order + ` desc, f.key limit $6)
union all
select null, ` + sumColumns + ` from summed f`
}

func (r ranking) read(ctx context.Context, tx *postgres.Tx, v view, s span, only []string) (keys []string, of map[string]sums, all sums, err error) {
	var grains, first, last []string
	for _, g := range s.grains(Month, Week, Day) {
		grains, first, last = append(grains, g.of), append(first, date(g.from)), append(last, date(g.to))
	}
	rows, err := tx.Query(ctx, r.statement(), r.kind, v.Currency, grains, first, last, v.Limit, only)
	if err != nil {
		return nil, nil, all, fmt.Errorf("read figures: %w", err)
	}
	defer rows.Close()
	of = map[string]sums{}
	for rows.Next() {
		var key *string
		var f nullable
		if err := rows.Scan(append([]any{&key}, f.fields()...)...); err != nil {
			return nil, nil, all, fmt.Errorf("read figures: %w", err)
		}
		if key == nil {
			all = f.sums()
			continue
		}
		keys, of[*key] = append(keys, *key), f.sums()
	}
	return keys, of, all, rows.Err()
}

// nullable are sums that may be of nothing.
type nullable [10]*int64

func (n *nullable) fields() (list []any) {
	for i := range n {
		list = append(list, &n[i])
	}
	return list
}

func (n *nullable) sums() (s sums) {
	for i, field := range s.fields() {
		if n[i] != nil {
			*field.(*int64) = *n[i]
		}
	}
	return s
}

// ranked makes the report. The period that it is compared with tells of the same things, in the
// same order.
func (s *Service) ranked(ctx context.Context, ask Ask, r ranking) (*Report, error) {
	var v view
	var parts [2]*Part
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if v, err = open(ctx, tx, ask); err != nil {
			return err
		}
		keys, of, all, err := r.read(ctx, tx, v, v.now, nil)
		if err != nil {
			return err
		}
		names, err := r.names(ctx, tx, keys)
		if err != nil {
			return err
		}
		if parts[0], err = r.part(v, v.now, keys, names, of, all); err != nil || v.before == nil {
			return err
		}
		if keys == nil {
			keys = []string{}
		}
		_, of, all, err = r.read(ctx, tx, v, *v.before, keys)
		if err != nil {
			return err
		}
		parts[1], err = r.part(v, *v.before, keys, names, of, all)
		return err
	})
	if err != nil {
		return nil, err
	}
	like, err := r.cells(v.Currency, "", nil, sums{})
	if err != nil {
		return nil, err
	}
	return v.report(parts, like), nil
}

func (r ranking) part(v view, s span, keys []string, names map[string]json.RawMessage, of map[string]sums, all sums) (*Part, error) {
	part := s.part()
	for _, key := range keys {
		cells, err := r.cells(v.Currency, key, names[key], of[key])
		if err != nil {
			return nil, err
		}
		part.Data = append(part.Data, cells)
	}
	if !r.totals {
		return part, nil
	}
	cells, err := r.cells(v.Currency, "", nil, all)
	for _, c := range cells {
		switch c.value.(type) {
		case int64, money.Money:
			part.Totals = append(part.Totals, c)
		}
	}
	return part, err
}

// names are what things are called.
func (r ranking) names(ctx context.Context, tx *postgres.Tx, keys []string) (map[string]json.RawMessage, error) {
	names := map[string]json.RawMessage{}
	if r.nameSQL == "" || len(keys) == 0 {
		return names, nil
	}
	var raw []byte
	err := tx.QueryRow(ctx, r.nameSQL, keys).Scan(&raw)
	if err == nil {
		err = json.Unmarshal(raw, &names)
	}
	if err != nil {
		return nil, fmt.Errorf("read what things are called: %w", err)
	}
	return names, nil
}

// rankedCells are those of a product or a collection.
func rankedCells(currency, name string, key, title any, f sums) row {
	amount := func(n int64) money.Money { return money.New(n, currency) }
	return row{
		{name, key}, {"title", title}, {"orders", f.orders}, {"units_sold", f.quantity}, {"units_returned", f.returned},
		{"gross_sales", amount(f.gross)}, {"discounts", amount(f.discounts)}, {"returns", amount(f.returns)}, {"net_sales", amount(f.net())},
	}
}

// order is the column that a report is sorted by.
func (ask Ask) order() string {
	if by := sorted[ask.Sort]; by != "" {
		return by
	}
	return sorted["net_sales"]
}

// orNil is a text, or null where it is empty.
func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// title is what something is called; null where nobody knows.
func title(raw json.RawMessage) (*string, error) {
	if raw == nil {
		return nil, nil
	}
	var text *string
	err := json.Unmarshal(raw, &text)
	return text, err
}

// Products is the report of what sold best. Deleted products are called as they were when they
// were last sold; what is in no catalogue is one row without an ID.
func (s *Service) Products(ctx context.Context, ask Ask) (*Report, error) {
	return s.ranked(ctx, ask, ranking{
		kind: ofProduct, by: `f.key`, order: ask.order(), totals: true,
		nameSQL: `select jsonb_object_agg(k, coalesce((select p.title from products p where p.id = k),
			(select l.title from order_lines l where l.product_id = k order by l.id desc limit 1))) from unnest($1::text[]) k`,
		cells: func(currency, key string, name json.RawMessage, f sums) (row, error) {
			called, err := title(name)
			return rankedCells(currency, "product_id", orNil(key), called, f), err
		},
	})
}

// Collections is the report of the collections that sold best, with the products that they hold
// now. What is in two of them counts in both.
func (s *Service) Collections(ctx context.Context, ask Ask) (*Report, error) {
	return s.ranked(ctx, ask, ranking{
		kind: ofProduct, by: `c.collection_id`, join: `join collection_products c on c.product_id = f.key`, order: ask.order(),
		nameSQL: `select jsonb_object_agg(c.id, c.title) from collections c where c.id = any ($1::text[])`,
		cells: func(currency, key string, name json.RawMessage, f sums) (row, error) {
			called, err := title(name)
			return rankedCells(currency, "collection_id", key, called, f), err
		},
	})
}

// words are those that a key was made of, as many as are wanted.
func words(key string, n int) ([]string, error) {
	list := make([]string, n)
	if key == "" {
		return list, nil
	}
	err := json.Unmarshal([]byte(key), &list)
	if err == nil && len(list) != n {
		err = fmt.Errorf("%q has not %d words", key, n)
	}
	return list, err
}

// Discounts is the report of what promotions took off, as shoppers were shown it, of goods and
// of shipping.
func (s *Service) Discounts(ctx context.Context, ask Ask) (*Report, error) {
	return s.ranked(ctx, ask, ranking{
		kind: ofDiscount, by: `f.key`, order: `f.discounts`, totals: true,
		cells: func(currency, key string, _ json.RawMessage, f sums) (row, error) {
			of, err := words(key, 3)
			if err != nil {
				return nil, err
			}
			return row{{"promotion_id", orNil(of[0])}, {"code", orNil(of[1])}, {"title", orNil(of[2])}, {"orders", f.orders}, {"amount", money.New(f.discounts, currency)}}, nil
		},
	})
}

// Taxes is the report of taxes that were collected, and why none were.
func (s *Service) Taxes(ctx context.Context, ask Ask) (*Report, error) {
	return s.ranked(ctx, ask, ranking{
		kind: ofTax, by: `f.key`, order: `f.taxes`, totals: true,
		cells: func(currency, key string, _ json.RawMessage, f sums) (row, error) {
			of, err := words(key, 4)
			if err != nil {
				return nil, err
			}
			return row{
				{"name", orNil(of[0])}, {"jurisdiction", orNil(of[1])}, {"percentage", orNil(of[2])}, {"reason", orNil(of[3])},
				{"taxable", money.New(f.base, currency)}, {"amount", money.New(f.taxes, currency)},
			}, nil
		},
	})
}
