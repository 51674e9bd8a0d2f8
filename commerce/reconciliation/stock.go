package reconciliation

// stockSQL gives where the stock of a variant at a location is not the sum of its
// movements, or what is reserved not that of the reservations, and what is promised to a
// cart that nobody is paying for. Its parameters are those of rulesSQL.
const stockSQL = `
with moved as (
	select variant_id, location_id, sum(quantity)::bigint as quantity from stock_movements group by variant_id, location_id
), promised as (
	select variant_id, location_id, sum(quantity)::bigint as quantity from reservations group by variant_id, location_id
), found as (
	select 'stock' as kind, variant_id || '/' || location_id as object_id,
		jsonb_build_object('on_hand', coalesce(l.on_hand, 0), 'movements', coalesce(m.quantity, 0)) as detail
	from stock_levels l full join moved m using (variant_id, location_id)
	where coalesce(l.on_hand, 0) <> coalesce(m.quantity, 0) and exists (select from variants where id = variant_id)
	union all
	select 'reserved', variant_id || '/' || location_id, jsonb_build_object('level', coalesce(l.reserved, 0), 'reservations', coalesce(p.quantity, 0))
	from stock_levels l full join promised p using (variant_id, location_id) where coalesce(l.reserved, 0) <> coalesce(p.quantity, 0)
	union all
	select d.kind, v.id, jsonb_build_object('variant', d.counted, 'levels', d.levels)
	from variants v cross join lateral (
			select coalesce(sum(l.on_hand), 0)::bigint as on_hand, coalesce(sum(l.reserved), 0)::bigint as reserved
			from stock_levels l join locations o on o.id = l.location_id and o.active where l.variant_id = v.id) l
		cross join lateral (values ('stock', v.stock, l.on_hand), ('reserved', v.reserved, l.reserved)) d(kind, counted, levels)
	where d.counted <> d.levels
	union all
	select 'reserved', r.cart_id, jsonb_build_object('variant_id', r.variant_id, 'quantity', r.quantity)
	from reservations r where r.paying and not exists (
		select from payments p where p.cart_id = r.cart_id and p.state in ('pending', 'requires_action', 'processing'))
)
select distinct on (kind, object_id) kind, object_id, detail from found where $1::interval is not null order by kind, object_id limit $2`
