package pricelists

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Those who change the prices of products know of each other by the products' rows. Whoever
// changes a list waits until they are done, and keeps others from beginning: a history is
// made of both, and must see both.
const (
	besideSQL = `select pg_advisory_xact_lock_shared(hashtextextended(current_schema(), 2))`
	aloneSQL  = `select pg_advisory_xact_lock(hashtextextended(current_schema(), 2))`
)

// Beside has the transaction change prices of its own products while no list changes, until
// it ends. The products are locked before.
func Beside(ctx context.Context, tx *postgres.Tx) error {
	if _, err := tx.Exec(ctx, besideSQL); err != nil {
		return fmt.Errorf("wait until no list of prices changes: %w", err)
	}
	return nil
}

func alone(ctx context.Context, tx *postgres.Tx) error {
	if _, err := tx.Exec(ctx, aloneSQL); err != nil {
		return fmt.Errorf("wait until nobody changes prices: %w", err)
	}
	return nil
}

// forgetSQL forgets what was to come, and what this transaction has written.
const forgetSQL = `delete from price_history where variant_id = any($1) and starts_at >= now()`

// recordSQL writes what one of the variants $1 costs everybody from now on, as far as is
// known: an instant is when the transaction began, or when a list begins or ends to hold.
var recordSQL = `
with instants as (
	select r.variant_id, r.currency, now() as at from prices r where r.variant_id = any($1)
	union select h.variant_id, h.currency, now() from price_history h where h.variant_id = any($1)
	union select x.variant_id, x.currency, i.at from price_list_prices x join price_lists l on l.id = x.price_list_id
		cross join lateral (values (l.starts_at), (l.ends_at)) i(at)
		where x.variant_id = any($1) and x.min_quantity = 1 and l.active and l.group_ids = '{}' and i.at > now()
), priced as (
	select i.*, p.amount, p.compare_at_amount is not null as reduced, row_number() over own as n,
		lag(p.amount) over own as was_amount, lag(p.compare_at_amount is not null) over own as was_reduced
	from instants i left join lateral ` + Price("i.variant_id", "i.currency", Buyer{Everybody, "1", "i.at"}) + ` p on true
	window own as (partition by i.variant_id, i.currency order by i.at)
)
insert into price_history (variant_id, currency, starts_at, amount, reduced)
select p.variant_id, p.currency, p.at, p.amount, p.reduced
from priced p left join lateral (select h.amount, h.reduced from price_history h
	where p.n = 1 and h.variant_id = p.variant_id and h.currency = p.currency and h.starts_at < now() order by h.starts_at desc limit 1) was on true
where case when p.n = 1 then (p.amount, p.reduced) is distinct from (was.amount, coalesce(was.reduced, false))
	else (p.amount, p.reduced) is distinct from (p.was_amount, p.was_reduced) end`

// Begin writes what variants cost that are new.
func Begin(ctx context.Context, tx *postgres.Tx, variants ...string) error {
	if len(variants) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, recordSQL, variants); err != nil {
		return fmt.Errorf("record prices: %w", err)
	}
	return nil
}

// Record writes into the history what variants cost from now on, after the transaction has
// changed their prices.
func Record(ctx context.Context, tx *postgres.Tx, variants ...string) error {
	if len(variants) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, forgetSQL, variants); err != nil {
		return fmt.Errorf("forget the prices to come: %w", err)
	}
	return Begin(ctx, tx, variants...)
}

// rerecord is Record for a change of lists, which the index of products follows.
func rerecord(ctx context.Context, tx *postgres.Tx, variants []string) error {
	if err := Record(ctx, tx, variants...); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select distinct product_id from variants where id = any($1)`, variants)
	if err != nil {
		return fmt.Errorf("find the products of a list: %w", err)
	}
	products, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find the products of a list: %w", err)
	}
	search.Later(tx, false, products...)
	return nil
}
