package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// What an order was like is kept by the audit: an entry of what changed an order tells, as its
// state before, the whole order as the staff saw it. So an order is read as it was without
// taking back what its many steps did.

type formerKey struct{ order string }

// remember keeps what an order is like that was just locked, for the entries of the
// transaction; the first time counts.
func remember(tx *postgres.Tx, id string, shown json.RawMessage) {
	if tx.Value(formerKey{id}) == nil {
		tx.SetValue(formerKey{id}, shown)
	}
}

// former is an order as it was before the transaction, as entries of the audit keep it.
func former(tx *postgres.Tx, id string) any {
	shown, ok := tx.Value(formerKey{id}).(json.RawMessage)
	if !ok {
		return nil
	}
	return map[string]json.RawMessage{"order": shown}
}

// Past is an order as it was at an instant.
type Past struct {
	Shown   json.RawMessage // as the staff sees it; nil of what there was not yet
	Known   bool            // it can be told; else Shown is what it is like now
	Changes int             // how many steps of it there were since
}

// asOfSQL gives the order $1 as it is, and how it was kept by the first entry after the
// instant $2 that does. What an erasure or its size took from that is not kept; an order that
// was erased is anonymous, and what it was before is not.
var asOfSQL = `
with own as (
	select $2::text as id union all select id from payments where order_id = $2 union all select id from refunds where order_id = $2 union all select id from returns where order_id = $2
), since as (
	select e.id, e.before from audit_entries e where e.object_id in (select id from own) and e.at > $3 and e.before ?| array['order', 'omitted_bytes']
)
select ` + staffJSON + `, o.placed_at > $3, (select before->'order' from since order by id limit 1), (select count(*) from since),
	o.email = $4 and o.updated_at > $3
from orders o where o.id = $2 and o.state <> 'pending'`

// AsOf reads an order as it was at an instant. Erased is the address of who was erased.
func (s *Service) AsOf(ctx context.Context, id string, at time.Time, erased string) (p Past, err error) {
	var now, then json.RawMessage
	var later, gone bool
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, asOfSQL, "", id, at, erased).Scan(&now, &later, &then, &p.Changes, &gone)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return p, problem.Missing("order")
	}
	if err != nil {
		return p, fmt.Errorf("read order %s as it was: %w", id, err)
	}
	p.Known = true
	switch {
	case later:
		return p, nil
	case gone, p.Changes > 0 && then == nil:
		p.Shown, p.Known = now, false
	case p.Changes > 0:
		p.Shown = then
	default:
		p.Shown = now
	}
	return p, nil
}
