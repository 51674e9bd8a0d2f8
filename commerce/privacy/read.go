package privacy

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// erasureJSON is an erasure as the API shows it.
var erasureJSON = `json_build_object('id', t.id, 'state', t.state, 'customer_id', t.customer_id, 'reason', nullif(t.reason, ''),
	'places', (select coalesce(json_agg(json_build_object('place', p->>'place', 'rows', (p->>'rows')::bigint, 'outcome', p->>'outcome', 'kept_because', p->>'kept_because')), '[]')
		from jsonb_array_elements(t.places) p),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'finished_at', ` + postgres.UTC("t.finished_at") + `)`

var (
	listSQL = postgres.List{From: `erasures t where true`, Each: erasureJSON, Order: "t.id desc", After: "t.id < $2", Position: "t.id"}.SQL()
	getSQL  = `select 1 || E'\n' || ` + erasureJSON + ` from erasures t where t.id = $1`
)

// List is a page of erasures, the latest first, as the API shows them.
func (s *Service) List(ctx context.Context, after string, limit int) (postgres.Page, error) {
	return s.DB.Page(ctx, listSQL, limit, after)
}

// Get is one of them.
func (s *Service) Get(ctx context.Context, from postgres.Source, id string) (postgres.Object, error) {
	o, err := from.Object(ctx, getSQL, id)
	return postgres.Found(o, err, "erasure")
}
