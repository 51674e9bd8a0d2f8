package reconciliation

// figuresSQL gives orders that are counted in the figures of reports as something else than they
// are, and sums of figures that are not those of the orders that are counted. Orders that changed
// within $1 may still be about to be counted.
const figuresSQL = `
with counted as materialized (
	select b.order_id, b.currency, coalesce(sum(f.gross), 0) - coalesce(sum(f.discounts), 0) - coalesce(sum(f.returns), 0) + coalesce(sum(f.shipping), 0)
		+ coalesce(sum(f.taxes), 0) + coalesce(sum(f.fees), 0) as amount
	from analytics_orders b left join lateral jsonb_to_recordset(b.facts) as f(kind text, gross bigint, discounts bigint, returns bigint, shipping bigint, taxes bigint, fees bigint) on f.kind = 'sales'
	group by b.order_id
), summed as (
	select f.currency, sum(f.gross - f.discounts - f.returns + f.shipping + f.taxes + f.fees) as amount
	from analytics_figures f where f.kind = 'sales' and f.grain = 'day' and f.edition = (select coalesce((analytics->'edition'->>'edition')::int, 0) from settings) group by f.currency
), found as (
	select o.id as object_id, jsonb_build_object('order', o.amount, 'counted', c.amount) as detail
	from (select id, case when state = 'cancelled' then 0 else total_amount - refunded_amount end as amount from orders where state <> 'pending' and updated_at < now() - $1::interval) o
	left join counted c on c.order_id = o.id where c.amount is distinct from o.amount
	union all
	select coalesce(s.currency, c.currency), jsonb_build_object('orders', coalesce(c.amount, 0), 'figures', coalesce(s.amount, 0))
	from summed s full join (select currency, sum(amount) as amount from counted group by currency) c using (currency) where coalesce(c.amount, 0) <> coalesce(s.amount, 0)
)
select 'figures', object_id, detail from found order by object_id limit $2`
