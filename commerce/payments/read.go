package payments

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// State is SQL for the state of a payment p as the API tells it: what is kept is whether
// the money was taken, and how much was paid back.
const State = `case when p.state <> 'captured' or p.refunded_amount = 0 then p.state
	when p.refunded_amount < p.amount - p.released_amount then 'partially_refunded' else 'refunded' end`

// JSON is SQL for a payment p as the API shows it.
var JSON = `json_build_object('id', p.id, 'order_id', p.order_id, 'provider', p.provider,
	'method', case when p.provider in ('manual', 'gift_card') then nullif(p.request->>'name', '') end, 'capture_method', p.capture, 'state', ` + State + `,
	'amount', json_build_object('amount', p.amount, 'currency', p.currency),
	'captured', json_build_object('amount', case when p.state = 'captured' then p.amount - p.released_amount else 0 end, 'currency', p.currency),
	'refunded', json_build_object('amount', p.refunded_amount, 'currency', p.currency),
	'disputes', p.disputes, 'reference', nullif(p.reference, ''), 'failure_code', nullif(p.failure, ''),
	'created_at', ` + postgres.UTC("p.created_at") + `, 'updated_at', ` + postgres.UTC("p.updated_at") + `)`

var getSQL = `select ` + JSON + `::text from payments p where p.id = $1`

// listSQL gives the payments before the one with the ID $1, the latest first.
var listSQL = `
select coalesce(max(p.id) filter (where p.n = $4::int and p.more), '') || E'\n' ||
	coalesce(json_agg(` + JSON + ` order by p.id desc) filter (where p.n <= $4::int), '[]')
from (select *, row_number() over (order by id desc) as n, count(*) over () > $4::int as more from (
	select * from payments p
	where ($1 = '' or id < $1) and ($2 = '' or order_id = $2) and ($3 = '' or ` + State + ` = $3)
	order by id desc limit $4::int + 1) p) p`

// Filter chooses payments; what is empty chooses all.
type Filter struct {
	OrderID string
	State   string
	After   string // the last one of the page before
	Limit   int
}

// Get reads a payment as the API shows it.
func Get(ctx context.Context, db *postgres.DB, id string) ([]byte, error) {
	raw, err := db.JSON(ctx, getSQL, id)
	return postgres.Must(raw, err, "payment")
}

// GetIn reads a payment as the API shows it, as the transaction does.
func GetIn(ctx context.Context, tx *postgres.Tx, id string) ([]byte, error) {
	var raw []byte
	err := tx.QueryRow(ctx, getSQL, id).Scan(&raw)
	return postgres.Must(raw, err, "payment")
}

// List reads a page of payments as the API shows them.
func List(ctx context.Context, db *postgres.DB, f Filter) (postgres.Page, error) {
	page, err := db.Page(ctx, listSQL, f.After, f.OrderID, f.State, f.Limit)
	if err != nil {
		return page, fmt.Errorf("list payments: %w", err)
	}
	return page, nil
}

// EventData is what an event tells of a payment.
type EventData struct {
	ID          string      `json:"id"`
	OrderID     string      `json:"order_id"`
	State       string      `json:"state"`
	Amount      money.Money `json:"amount"`
	FailureCode *string     `json:"failure_code"`
}
