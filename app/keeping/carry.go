package keeping

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// sold are the tables that tell of people and of what was sold to them, in an order in
// which they can be filled. When a store is restored and what was sold is kept, they stay as
// they are; all others are as they were. Rows that refer to what is there no more are left
// out: a condition says which stay.
var sold = []struct{ table, where string }{
	{"customers", ""},
	{"customer_tokens", ""},
	{"marketing_consents", ""},
	{"erasures", ""},
	{"credit_accounts", ""},
	{"credit_entries", ""},
	{"carts", ""},
	{"cart_lines", "variant_id is null or exists (select from %[1]s.variants v where v.id = t.variant_id)"},
	{"orders", ""},
	{"order_lines", ""},
	{"order_edits", ""},
	{"fulfilments", ""},
	{"returns", ""},
	{"payments", ""},
	{"refunds", ""},
	{"test_charges", ""},
	{"documents", ""},
	{"reviews", ""},
	{"wishlists", ""},
	{"promotion_uses", "exists (select from %[1]s.promotions p where p.id = t.promotion_id)"},
	{"stock_movements", ""},
	{"reservations", "exists (select from %[1]s.variants v where v.id = t.variant_id) and exists (select from %[1]s.locations l where l.id = t.location_id)"},
	{"events", ""},
	{"audit_entries", ""},
	{"audit_kept", ""},
	{"analytics_orders", ""},
	{"analytics_figures", ""},
	{"analytics_visits", ""},
}

// carry brings what was sold from the schema a, whose tables nobody else can touch, into b,
// and has b's stock be what the ledger says. It gives what it brought, by table.
//
// Stock follows the ledger up to now, not the instant that is restored: what was sold and
// received since has left and come.
func carry(ctx context.Context, tx *postgres.Tx, a, b string) (carried []Change, err error) {
	for _, s := range slices.Backward(sold) {
		if _, err := tx.Exec(ctx, fmt.Sprintf(`delete from %s.%s`, b, s.table)); err != nil {
			return nil, fmt.Errorf("carry %s over: %w", s.table, err)
		}
	}
	for _, s := range sold {
		columns, err := written(ctx, tx, a, s.table)
		if err != nil {
			return nil, err
		}
		var all int64
		if err := tx.QueryRow(ctx, fmt.Sprintf(`select count(*) from %s.%s`, a, s.table)).Scan(&all); err != nil {
			return nil, err
		}
		text := fmt.Sprintf(`insert into %[2]s.%[3]s (%[4]s) select %[4]s from %[1]s.%[3]s t`, a, b, s.table, columns)
		if s.where != "" {
			text += " where " + fmt.Sprintf(s.where, b)
		}
		tag, err := tx.Exec(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("carry %s over: %w", s.table, err)
		}
		carried = append(carried, Change{s.table, all, tag.RowsAffected()})
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`
		update %[2]s.stock_levels l set reserved = 0;
		update %[2]s.stock_levels l set on_hand = case when l.bounded then greatest(m.n, 0) else m.n end from
			(select variant_id, location_id, sum(quantity) as n from %[2]s.stock_movements group by 1, 2) m
			where m.variant_id = l.variant_id and m.location_id = l.location_id;
		insert into %[2]s.stock_levels (variant_id, location_id, on_hand, bounded)
			select v.id, o.id, case when v.bounded then greatest(m.n, 0) else m.n end, v.bounded from (select variant_id, location_id, sum(quantity) as n from %[2]s.stock_movements group by 1, 2) m
			join %[2]s.variants v on v.id = m.variant_id join %[2]s.locations o on o.id = m.location_id where m.n <> 0 on conflict do nothing;
		update %[2]s.stock_levels l set reserved = r.n, on_hand = case when l.bounded then greatest(l.on_hand, r.n) else l.on_hand end from
			(select variant_id, location_id, sum(quantity) as n from %[2]s.reservations group by 1, 2) r
			where r.variant_id = l.variant_id and r.location_id = l.location_id;
		update %[2]s.variants v set (stock, reserved) = (select coalesce(sum(l.on_hand), 0), coalesce(sum(l.reserved), 0)
			from %[2]s.stock_levels l join %[2]s.locations o on o.id = l.location_id where l.variant_id = v.id and o.active);
		update %[2]s.promotion_codes c set used = least(coalesce(c.usage_limit, u.n), u.n) from
			(select code, count(*) as n from %[2]s.promotion_uses where code <> '' group by 1) u where u.code = c.code;
		update %[2]s.promotions p set used = least(coalesce(p.usage_limit, u.n), u.n) from
			(select promotion_id, count(*) as n from %[2]s.promotion_uses group by 1) u where u.promotion_id = p.id;
		update %[2]s.settings b set analytics = a.analytics, invoicing = a.invoicing from %[1]s.settings a;
		select setval('%[2]s.order_numbers', greatest((select last_value from %[1]s.order_numbers), (select last_value from %[2]s.order_numbers)))`, a, b))
	if err != nil {
		return nil, fmt.Errorf("have the stock follow: %w", err)
	}
	return carried, nil
}

// written lists a table's columns but for those that are generated.
func written(ctx context.Context, tx *postgres.Tx, schema, table string) (string, error) {
	rows, err := tx.Query(ctx, `select quote_ident(attname) from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`, schema+"."+table)
	if err != nil {
		return "", err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(columns) == 0 {
		return "", fmt.Errorf("columns of %s.%s: %w", schema, table, err)
	}
	return strings.Join(columns, ", "), nil
}
