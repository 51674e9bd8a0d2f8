package analytics

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// JobBook is the kind of the job that counts an order anew; its arguments are BookArgs.
const JobBook = "analytics.book"

// BookArgs are the arguments of a JobBook.
type BookArgs struct {
	OrderID string `json:"order_id"`
}

// Changed has an order counted anew once the transaction has committed: it was placed, edited or
// cancelled, or a refund of it succeeded.
func Changed(tx *postgres.Tx, orderID string) { journal.Job(tx, JobBook, BookArgs{orderID}) }

// Service keeps the figures and tells them. DB must be set.
type Service struct {
	DB *postgres.DB
}

// Register has the workers keep the figures.
func (s *Service) Register(w *jobs.Workers) {
	w.Handle(JobBook, jobs.With(func(ctx context.Context, args BookArgs) error {
		return s.Book(ctx, args.OrderID)
	}))
	w.Handle(JobRebuild, jobs.With(s.Rebuild))
}

// turnSQL has those who count take turns: each of them sees what the one before counted.
const turnSQL = `select pg_advisory_xact_lock(hashtextextended(current_schema(), 85))`

// Book counts orders anew. It can be repeated, and comes to what the orders are by then.
func (s *Service) Book(ctx context.Context, orders ...string) error {
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := turn(ctx, tx)
		if err != nil {
			return err
		}
		list, err := read(ctx, tx, recordsSQL, orders)
		if err != nil {
			return err
		}
		if err := fold(ctx, tx, now.Edition, list, true); err != nil {
			return err
		}
		if now.Next == nil {
			return keep(ctx, tx, list)
		}
		// What a rebuild has come to already is counted there too.
		var covered []booked
		for _, b := range list {
			if b.OrderID <= now.Next.After {
				covered = append(covered, b)
			}
		}
		if err := fold(ctx, tx, now.Next.Edition, covered, true); err != nil {
			return err
		}
		return keep(ctx, tx, list)
	})
	if err != nil {
		return fmt.Errorf("count orders: %w", err)
	}
	return nil
}

// booked is an order with its facts.
type booked struct {
	OrderID  string `json:"order_id"`
	Currency string `json:"currency"`
	Regular  bool   `json:"regular"`
	Facts    []fact `json:"facts"`
}

// recordsSQL reads the orders $1, and those of the same customers' later ones that were counted as a
// new customer's: they are a returning customer's by then, whoever was counted first.
const recordsSQL = `
with asked as (
	select o.id, o.customer_id, o.placed_at from orders o where o.id = any ($1::text[]) and o.state <> 'pending'
), o as (
	select o.* from orders o where o.id in (
		select id from asked
		union
		select n.id from asked a join orders n on n.customer_id = a.customer_id and (n.placed_at, n.id) > (a.placed_at, a.id) and n.state <> 'pending'
		join analytics_orders b on b.order_id = n.id and not b.regular)
)
select coalesce(json_agg(` + recordJSON + ` order by o.id), '[]')::text from o left join analytics_orders b on b.order_id = o.id`

// recordJSON is an order o as a record; b is how it was counted before. Who deleted their account
// stays what they were.
const recordJSON = `json_build_object('id', o.id, 'currency', o.currency, 'placed_at', o.placed_at, 'cancelled_at', o.cancelled_at, 'included', o.prices_include_tax,
	'regular', case when o.customer_id is null then coalesce(b.regular, false) else exists (
		select from orders f where f.customer_id = o.customer_id and f.state <> 'pending' and (f.placed_at, f.id) < (o.placed_at, o.id)) end,
	'shipping', json_build_object('quantity', 1, 'unit', o.shipping_amount, 'total', o.shipping_amount - coalesce((o.shipping_method->'discount'->>'amount')::bigint, 0),
		'taxes', coalesce(o.shipping_method->'taxes', '[]')),
	'discounts', o.discounts,
	'lines', (select coalesce(json_agg(json_build_object('id', l.id, 'product', coalesce(l.product_id, ''), 'quantity', l.quantity, 'unit', l.unit_amount, 'total', l.total_amount,
		'taxes', l.taxes)), '[]') from order_lines l where l.order_id = o.id),
	'edits', (select coalesce(json_agg(json_build_object('at', e.created_at, 'lines', e.lines, 'discounts', e.discounts) order by e.created_at desc, e.id desc), '[]')
		from order_edits e where e.order_id = o.id),
	'refunds', (select coalesce(json_agg(json_build_object('at', coalesce(r.succeeded_at, r.updated_at), 'amount', r.amount, 'fee', r.fee_amount, 'set_off', r.set_off_amount,
			'credited', (select coalesce(sum(x.amount), 0) from jsonb_to_recordset(r.parts) as x(amount bigint, state text, "to" text) where x.state = 'succeeded' and x."to" = 'store_credit'),
			'of_balance', r.of_balance, 'lines', r.lines) order by coalesce(r.succeeded_at, r.updated_at), r.id), '[]')
		from refunds r where r.order_id = o.id and r.state = 'succeeded'))`

// read reads orders and gives their facts.
func read(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]booked, error) {
	var raw []byte
	var records []record
	err := tx.QueryRow(ctx, statement, args...).Scan(&raw)
	if err == nil {
		err = json.Unmarshal(raw, &records)
	}
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	list := make([]booked, len(records))
	for i := range records {
		r := &records[i]
		facts, err := r.tell()
		if err != nil {
			return nil, err
		}
		list[i] = booked{r.ID, r.Currency, r.Regular, facts}
	}
	return list, nil
}

const factColumns = `orders bigint, quantity bigint, returned bigint, base bigint, gross bigint, discounts bigint, returns bigint, shipping bigint, taxes bigint, fees bigint`

// foldSQL adds the facts of the orders $1 to the sums of an edition. With $4, what was counted of
// them before is taken out.
const foldSQL = `
with given as (
	select * from jsonb_to_recordset($1::jsonb) as g(order_id text, currency text, facts jsonb)
), sides as (
	select g.currency, g.facts, 1 as sign from given g
	union all
	select b.currency, b.facts, -1 from given g join analytics_orders b on b.order_id = g.order_id where $4
), changed as (
	select f.kind, s.currency, (f.at at time zone $3::text)::date as day, f.key,
		coalesce(sum(s.sign * f.orders), 0) as orders, coalesce(sum(s.sign * f.quantity), 0) as quantity, coalesce(sum(s.sign * f.returned), 0) as returned,
		coalesce(sum(s.sign * f.base), 0) as base, coalesce(sum(s.sign * f.gross), 0) as gross, coalesce(sum(s.sign * f.discounts), 0) as discounts,
		coalesce(sum(s.sign * f.returns), 0) as returns, coalesce(sum(s.sign * f.shipping), 0) as shipping, coalesce(sum(s.sign * f.taxes), 0) as taxes, coalesce(sum(s.sign * f.fees), 0) as fees
	from sides s cross join jsonb_to_recordset(s.facts) as f(at timestamptz, kind text, key text, ` + factColumns + `)
	group by 1, 2, 3, 4
)
insert into analytics_figures as t (edition, kind, currency, grain, day, key, orders, quantity, returned, base, gross, discounts, returns, shipping, taxes, fees)
select $2, c.kind, c.currency, g.grain, date_trunc(g.grain, c.day)::date, c.key, sum(c.orders), sum(c.quantity), sum(c.returned),
	sum(c.base), sum(c.gross), sum(c.discounts), sum(c.returns), sum(c.shipping), sum(c.taxes), sum(c.fees)
from changed c cross join (values ('day'), ('week'), ('month')) g(grain)
where (c.orders, c.quantity, c.returned, c.base, c.gross, c.discounts, c.returns, c.shipping, c.taxes, c.fees) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
group by 2, 3, 4, 5, 6
on conflict (edition, kind, currency, grain, day, key) do update set orders = t.orders + excluded.orders, quantity = t.quantity + excluded.quantity, returned = t.returned + excluded.returned,
	base = t.base + excluded.base, gross = t.gross + excluded.gross, discounts = t.discounts + excluded.discounts, returns = t.returns + excluded.returns,
	shipping = t.shipping + excluded.shipping, taxes = t.taxes + excluded.taxes, fees = t.fees + excluded.fees`

// fold adds orders to an edition's sums, instead of what they were before or, of those that it
// does not have yet, besides.
func fold(ctx context.Context, tx *postgres.Tx, e edition, list []booked, instead bool) error {
	if len(list) == 0 {
		return nil
	}
	raw, err := json.Marshal(list)
	if err == nil {
		_, err = tx.Exec(ctx, foldSQL, string(raw), e.Number, e.Zone, instead)
	}
	if err != nil {
		return fmt.Errorf("add up: %w", err)
	}
	return nil
}

const keepSQL = `
insert into analytics_orders (order_id, currency, regular, facts)
select g.order_id, g.currency, g.regular, g.facts from jsonb_to_recordset($1::jsonb) as g(order_id text, currency text, regular boolean, facts jsonb)
on conflict (order_id) do update set currency = excluded.currency, regular = excluded.regular, facts = excluded.facts`

// keep notes what is counted of orders by now.
func keep(ctx context.Context, tx *postgres.Tx, list []booked) error {
	if len(list) == 0 {
		return nil
	}
	raw, err := json.Marshal(list)
	if err == nil {
		_, err = tx.Exec(ctx, keepSQL, string(raw))
	}
	if err != nil {
		return fmt.Errorf("note what is counted: %w", err)
	}
	return nil
}
