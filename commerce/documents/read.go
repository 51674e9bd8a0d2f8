package documents

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON. Documents are t.

var documentJSON = `json_build_object('id', t.id, 'kind', t.kind, 'number', t.number, 'order_id', t.order_id, 'refund_id', t.refund_id, 'edit_id', t.edit_id,
	'total', json_build_object('amount', t.total_amount, 'currency', t.currency), 'tax', json_build_object('amount', t.tax_amount, 'currency', t.currency),
	'issued_at', ` + postgres.UTC("t.issued_at") + `)`

var (
	listSQL = postgres.List{
		From: `documents t where ($3 = '' or t.kind = $3) and ($4 = '' or t.order_id = $4)
			and ($5 = '' or t.issued_at >= nullif($5, '')::timestamptz) and ($6 = '' or t.issued_at < nullif($6, '')::timestamptz)`,
		Each: documentJSON, Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()
	getSQL = `select 1 || E'\n' || ` + documentJSON + ` from documents t where t.id = $1`

	ofOrderSQL = `select coalesce((select json_agg(` + documentJSON + ` order by t.id) from documents t where t.order_id = o.id), '[]')::text
		from orders o where o.id = $1 and ` + visible(2)
)

// Filter says which documents are asked for; what is empty holds for all.
type Filter struct {
	Kind, OrderID, Since, Until string

	After string
	Limit int
}

// List is a page of documents, the latest first, as the API shows them.
func (s *Service) List(ctx context.Context, f Filter) (postgres.Page, error) {
	return s.DB.Page(ctx, listSQL, f.Limit, f.After, f.Kind, f.OrderID, f.Since, f.Until)
}

// Get is one of them.
func (s *Service) Get(ctx context.Context, from postgres.Source, id string) (postgres.Object, error) {
	o, err := from.Object(ctx, getSQL, id)
	return postgres.Found(o, err, "document")
}

// OfOrder are the documents of an order, as the API shows them.
func (s *Service) OfOrder(ctx context.Context, orderID string, reader Reader) ([]byte, error) {
	data, err := s.DB.JSON(ctx, ofOrderSQL, append([]any{orderID}, reader.args()...)...)
	return postgres.Found(data, err, "order")
}
