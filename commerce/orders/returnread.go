package orders

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Returns are t in what follows.

var returnJSON = `json_build_object('id', t.id, 'order_id', t.order_id, 'order_number', (select o.number from orders o where o.id = t.order_id), 'state', t.state, 'lines', t.lines,
	'note', nullif(t.note, ''), 'message', nullif(t.message, ''), 'exchange_lines', t.exchange, 'edit_id', (select e.id from order_edits e where e.return_id = t.id),
	'refund_id', (select x.id from refunds x where x.return_id = t.id and x.state <> 'failed'),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

// shopReturnJSON is a return as its shopper sees it: where goods lie is the merchant's.
var shopReturnJSON = `json_build_object('id', t.id, 'order_id', t.order_id, 'state', t.state,
	'lines', (select json_agg(json_build_object('line_id', x->'line_id', 'quantity', x->'quantity', 'reason', x->'reason', 'note', x->'note',
		'accepted_quantity', x->'accepted_quantity') order by n) from jsonb_array_elements(t.lines) with ordinality e(x, n)),
	'note', nullif(t.note, ''), 'message', nullif(t.message, ''), 'exchange_lines', t.exchange,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

// returnsOf is SQL for all returns of order o, each as given.
func returnsOf(each string) string {
	return `(select coalesce(json_agg(` + each + ` order by t.id), '[]') from returns t where t.order_id = o.id)`
}

var (
	getReturnSQL   = `select t.version || E'\n' || ` + returnJSON + `::text from returns t where t.id = $1`
	shopReturnSQL  = `select ` + shopReturnJSON + `::text from returns t where t.id = $1`
	listReturnsSQL = postgres.List{
		From: `returns t where ($3 = '' or t.order_id = $3) and ($4 = '' or t.state = $4)`,
		Each: returnJSON, Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()
)

// ReturnFilter chooses returns; what is empty chooses all.
type ReturnFilter struct {
	OrderID, State string

	After string // the last one of the page before
	Limit int
}

// Return reads a return as the staff sees it.
func (s *Service) Return(ctx context.Context, from postgres.Source, id string) (postgres.Object, error) {
	object, err := from.Object(ctx, getReturnSQL, id)
	return postgres.Found(object, err, "return")
}

// ShopReturn reads a return for the shopper who has just asked for it.
func (s *Service) ShopReturn(ctx context.Context, tx *postgres.Tx, id string) ([]byte, error) {
	return text(ctx, tx, "return "+id, shopReturnSQL, id)
}

// Returns reads a page of returns as the staff sees them, the latest first.
func (s *Service) Returns(ctx context.Context, f ReturnFilter) (postgres.Page, error) {
	return s.DB.Page(ctx, listReturnsSQL, f.Limit, f.After, f.OrderID, f.State)
}
