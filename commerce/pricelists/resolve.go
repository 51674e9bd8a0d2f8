package pricelists

import "strings"

// Everybody are the groups of somebody who is in none, as SQL.
const Everybody = `'{}'::text[]`

// effective says whether a list holds for who is in the groups at the instant.
const effective = `list.active and coalesce(list.starts_at <= $at, true) and coalesce(list.ends_at > $at, true) and (list.group_ids = '{}' or list.group_ids && $groups)`

// price: of each list the price of the largest quantity that is reached counts, of several
// lists of a kind the lowest. An override takes the place of the variant's own price, a sale
// lowers what there is.
const price = `(
	select least(usual.amount, best.sale) as amount,
		case when best.sale < usual.amount then usual.amount when best.override is null and base.compare_at_amount > base.amount then base.compare_at_amount end as compare_at_amount,
		case when best.sale < usual.amount then best.sale_list else best.override_list end as price_list_id
	from prices base
	cross join lateral (
		select min(item.amount) filter (where item.kind = 'sale') as sale,
			(array_agg(item.id order by item.amount, item.id) filter (where item.kind = 'sale'))[1] as sale_list,
			min(item.amount) filter (where item.kind = 'override') as override,
			(array_agg(item.id order by item.amount, item.id) filter (where item.kind = 'override'))[1] as override_list
		from (
			select distinct on (list.id) list.id, list.kind, item.amount
			from price_list_prices item join price_lists list on list.id = item.price_list_id
			where item.variant_id = base.variant_id and item.currency = base.currency and item.min_quantity <= $quantity and ` + effective + `
			order by list.id, item.min_quantity desc) item) best
	cross join lateral (select coalesce(best.override, base.amount) as amount) usual
	where base.variant_id = $variant and base.currency = $currency)`

// Buyer is SQL of who buys how much: the groups that they are in, how many of a variant
// they buy, and when.
type Buyer struct{ Groups, Quantity, At string }

// Now is one of a variant, bought now by who is in the groups.
func Now(groups string) Buyer { return Buyer{Groups: groups, Quantity: "1", At: "now()"} }

// Price is SQL of what a variant costs in a currency: a row of amount, compare_at_amount
// (null unless it is announced as reduced) and price_list_id (null for the variant's own
// price), or none where it is not sold in the currency.
func Price(variant, currency string, of Buyer) string {
	return fill(price, variant, currency, of)
}

// Breaks is SQL of the quantities from which on each of a variant costs something else than
// of fewer, where one alone costs the amount: rows of min_quantity and amount.
func Breaks(variant, currency, amount, groups string) string {
	return fill(`(
	select q.min_quantity, q.amount from (
		select n.min_quantity, p.amount, coalesce(lag(p.amount) over (order by n.min_quantity), `+amount+`) as before from (
			select distinct item.min_quantity from price_list_prices item join price_lists list on list.id = item.price_list_id
			where item.variant_id = $variant and item.currency = $currency and item.min_quantity > 1 and `+effective+`) n
		cross join lateral `+Price(variant, currency, Buyer{groups, "n.min_quantity", "now()"})+` p) q
	where q.amount <> q.before)`, variant, currency, Now(groups))
}

func fill(sql, variant, currency string, of Buyer) string {
	return strings.NewReplacer("$variant", variant, "$currency", currency, "$quantity", of.Quantity, "$groups", of.Groups, "$at", of.At).Replace(sql)
}

// Lowest is SQL of the lowest price of the 30 days before a variant's price was reduced to
// what it is now, as Article 6a of Directive 98/6/EC asks for; null where it had none. A
// price that only some get is held against what it costs everybody up to now. What it cost
// before it was first shown in the shop, at the instant shown, was announced to nobody.
func Lowest(variant, currency, amount, shown string) string {
	return strings.NewReplacer("$variant", variant, "$currency", currency, "$amount", amount, "$shown", shown).Replace(`(
	select min(h.amount)
	from (select h.amount, h.reduced, h.starts_at from price_history h
		where h.variant_id = $variant and h.currency = $currency and h.starts_at <= now() order by h.starts_at desc limit 1) last
	cross join lateral (select case when last.reduced and last.amount = $amount then last.starts_at else now() end as reduced_at) t
	cross join lateral (select greatest(t.reduced_at - interval '720 hours', coalesce($shown, t.reduced_at)) as since) w
	join price_history h on h.variant_id = $variant and h.currency = $currency and h.starts_at < t.reduced_at and h.starts_at >= coalesce(
		(select max(b.starts_at) from price_history b where b.variant_id = $variant and b.currency = $currency and b.starts_at <= w.since), '-infinity')
	where w.since < t.reduced_at)`)
}
