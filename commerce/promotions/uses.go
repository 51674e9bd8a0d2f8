package promotions

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// countSQL counts one more use of the promotions and codes $1, each locked in the order of
// IDs, where their limits leave room. It gives those that have none.
const countSQL = `
with asked as (select * from jsonb_to_recordset($1::jsonb) as a(id text, code text)),
locked as (select p.id from promotions p where p.id in (select id from asked) order by p.id for no key update),
counted as (
	update promotions p set used = used + 1 from locked where p.id = locked.id
		and p.active and p.starts_at <= now() and (p.ends_at is null or p.ends_at > now()) and (p.usage_limit is null or p.used < p.usage_limit)
	returning p.id
), coded as (
	update promotion_codes c set used = used + 1 from asked join counted on counted.id = asked.id
	where c.code = asked.code and c.promotion_id = asked.id and (c.usage_limit is null or c.used < c.usage_limit)
	returning c.promotion_id
)
select asked.id from asked where asked.id not in (select id from counted)
	or asked.code <> '' and asked.id not in (select promotion_id from coded)`

// useSQL writes the uses down where the customer's own limit leaves room: of two first orders
// that are placed at once, one is the first. The promotions'
// rows are locked, so that nobody else writes one meanwhile; and as this is a statement
// of its own, it sees what those before wrote.
const useSQL = `
with asked as (select * from jsonb_to_recordset($1::jsonb) as a(id text, code text, amount bigint)),
used as (
	insert into promotion_uses (promotion_id, order_id, code, email, currency, amount)
	select a.id, $2, a.code, $3, $4, a.amount from asked a join promotions p on p.id = a.id
	where coalesce(least(p.customer_limit, case when (p.rule->>'first_order')::boolean then 1 end)
		> (select count(*) from promotion_uses u where u.promotion_id = a.id and u.email = $3), true)
	returning promotion_id
)
select id from asked where id not in (select promotion_id from used)`

// Use counts what an order makes use of, in two statements. It refuses the order where a
// promotion or its code was used up meanwhile, so that a limit holds however many orders are
// placed at once.
func Use(ctx context.Context, tx *postgres.Tx, orderID, email string, applied []Applied) error {
	if len(applied) == 0 {
		return nil
	}
	type use struct {
		ID     string `json:"id"`
		Code   string `json:"code"`
		Amount int64  `json:"amount"`
	}
	uses := make([]use, len(applied))
	for i, a := range applied {
		uses[i] = use{a.ID, a.Code, a.Amount.Amount}
	}
	raw, err := json.Marshal(uses)
	if err != nil {
		return fmt.Errorf("use promotions: %w", err)
	}
	refuse := func(ids []string) error {
		p := problem.New(problem.Conflict, "promotion_used_up", "A discount is not to be had any more.")
		for _, id := range ids {
			at := slices.IndexFunc(applied, func(a Applied) bool { return a.ID == id })
			p.At(fmt.Sprintf("/discounts/%d", at), "promotion_used_up", "%s is used up or has ended.", applied[at].Title)
		}
		return p.OrNil()
	}
	if err := left(ctx, tx, refuse, countSQL, string(raw)); err != nil {
		return err
	}
	return left(ctx, tx, refuse, useSQL, string(raw), orderID, email, applied[0].Amount.Currency)
}

func left(ctx context.Context, tx *postgres.Tx, refuse func([]string) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("use promotions: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("use promotions: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("use promotions: %w", err)
	}
	return refuse(ids)
}

// releaseSQL takes back what the order $1 made use of. Promotions are locked in the order of
// their IDs here as well.
const releaseSQL = `
with released as (delete from promotion_uses where order_id = $1 returning promotion_id, code),
locked as (select p.id from promotions p where p.id in (select promotion_id from released) order by p.id for no key update),
returned as (update promotions set used = greatest(used - 1, 0) from locked where promotions.id = locked.id returning promotions.id)
update promotion_codes c set used = greatest(c.used - 1, 0) from released r join returned on returned.id = r.promotion_id
where c.code = r.code and c.promotion_id = r.promotion_id`

// Release takes back what an order made use of that came to nothing.
func Release(ctx context.Context, tx *postgres.Tx, orderID string) error {
	if _, err := tx.Exec(ctx, releaseSQL, orderID); err != nil {
		return fmt.Errorf("release the promotions of order %s: %w", orderID, err)
	}
	return nil
}
