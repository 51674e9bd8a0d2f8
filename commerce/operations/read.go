package operations

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// operationJSON is an operation t as the API shows it.
var operationJSON = `json_build_object('id', t.id, 'kind', t.kind, 'state', t.state,
	'progress', json_build_object('done', t.done, 'total', t.total), 'counts', t.counts, 'messages', t.messages, 'error', t.error,
	'undoes', t.undoes, 'undone_by', (select max(u.id) from operations u where u.undoes = t.id), 'undo_until', ` + postgres.UTC("t.undo_until") + `,
	'file', case when t.file ? 'expires_at' then json_build_object('name', t.file->'name', 'content_type', t.file->'content_type',
		'bytes', t.file->'bytes', 'expires_at', ` + postgres.UTC("(t.file->>'expires_at')::timestamptz") + `) end,
	'created_by', t.created_by, 'created_at', ` + postgres.UTC("t.created_at") + `, 'started_at', ` + postgres.UTC("t.started_at") + `,
	'finished_at', ` + postgres.UTC("t.finished_at") + `)`

var getSQL = `select 0 || E'\n' || ` + operationJSON + ` from operations t where t.id = $1`

// Get is an operation, as the API shows it.
func Get(ctx context.Context, from postgres.Source, id string) ([]byte, error) {
	o, err := from.Object(ctx, getSQL, id)
	o, err = postgres.Found(o, err, "operation")
	return o.Data, err
}

var listSQL = postgres.List{
	From: `operations t where ($3 = '' or t.kind = $3) and ($4 = '' or t.state = $4)`, Each: operationJSON,
	Order: `t.id desc`, After: `t.id < $2`, Position: `t.id`,
}.SQL()

// Page is a page of operations, the latest first, as the API shows it.
func Page(ctx context.Context, db *postgres.DB, kind, state, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, listSQL, limit, after, kind, state)
}

const rowJSON = `json_build_object('line', r.line, 'handle', nullif(r.handle, ''), 'outcome', r.outcome,
	'resource_id', case when r.outcome <> 'created' or not starts_with(o.kind, 'preview_') then nullif(r.object_id, '') end, 'messages', r.messages)`

// rowsSQL gives nothing when there is no such operation.
var rowsSQL = `
with page as (
	select r.*, row_number() over (order by r.line) as n from operation_rows r
	where r.operation_id = $3 and ($2 = '' or r.line > nullif($2, '')::int) and ($4 = '' or r.outcome = $4)
		and ($5 = '' or r.messages @> jsonb_build_array(jsonb_build_object('severity', $5::text)))
	order by r.line limit $1::int + 1
)
select case when count(*) > $1::int then max(r.line) filter (where r.n = $1::int)::text else '' end || E'\n' ||
	coalesce(json_agg(` + rowJSON + ` order by r.n) filter (where r.n <= $1::int), '[]')::text
from operations o left join page r on true where o.id = $3 group by o.id`

// Rows is a page of the fates of an operation's rows, in their order, as the API
// shows it; outcome and severity narrow it.
func Rows(ctx context.Context, db *postgres.DB, id, outcome, severity, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, rowsSQL, limit, after, id, outcome, severity)
	return postgres.Found(page, err, "operation")
}
