package requestlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Filter chooses among calls; its zero value chooses all.
type Filter struct {
	Operation string
	Method    string
	Path      string // or what it begins with, ending in "*"
	ActorID   string
	Code      string
	Least     int // status; zero for any
	Most      int
	Since     time.Time // at or after
	Until     time.Time // before
	After     string    // the position of the last call of the page before
	Limit     int
}

// Log reads the calls of a store.
type Log struct {
	DB     *postgres.DB
	Sealer postgres.Sealer
}

// each is a call as the API shows it in a list.
var each = `json_build_object('id', t.id, 'at', ` + postgres.UTC("t.at") + `, 'duration_ms', round(t.took_us / 1000.0, 2), 'operation', t.operation,
	'method', t.method, 'path', t.path, 'status', t.status, 'error_code', nullif(t.code, ''),
	'actor', json_build_object('kind', t.actor_kind, 'id', nullif(t.actor_id, ''), 'label', t.actor),
	'api_version', t.api_version, 'dry_run', t.dry_run, 'request_body_state', t.request_state, 'response_body_state', t.response_state, 'gone_on', t.gone_on)`

// there are the calls that are not gone, of whom their partitions tell.
const there = `cell.requests t where t.store = current_user and t.gone_on > (now() at time zone 'UTC')::date`

var listSQL = postgres.List{
	From: there + ` and ($3 = '' or t.operation = $3) and ($4 = '' or t.method = $4) and ($5 = '' or t.path = $5 or right($5, 1) = '*' and starts_with(t.path, rtrim($5, '*')))
		and ($6 = '' or t.actor_id = $6) and ($7 = '' or t.code = $7) and t.status between $8::int and $9::int
		and t.at >= $10::timestamptz and t.at < $11::timestamptz and t.gone_on > $10::timestamptz::date`,
	Each: each, Order: "t.at desc, t.id desc",
	After:    `(t.at, t.id) < (nullif(split_part($2, '|', 1), '')::timestamptz, split_part($2, '|', 2))`,
	Position: `to_char(t.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '|' || t.id`,
}.SQL()

// Times before and after all calls.
var (
	ever  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// List reads the calls of the context's side of a store, the latest first.
func (l *Log) List(ctx context.Context, f Filter) (postgres.Page, error) {
	if f.Since.IsZero() {
		f.Since = ever
	}
	if f.Until.IsZero() {
		f.Until = never
	}
	if f.Most == 0 {
		f.Most = 999
	}
	page, err := l.DB.Page(ctx, listSQL, f.Limit, f.After, f.Operation, f.Method, f.Path, f.ActorID, f.Code, f.Least, f.Most, f.Since, f.Until)
	if err != nil {
		return page, fmt.Errorf("read the request log: %w", err)
	}
	return page, nil
}

// Kept is a call as it is kept, with what was said in it.
type Kept struct {
	Shown     json.RawMessage // as in a list
	Operation string
	Method    string
	Path      string
	Query     url.Values
	Headers   map[string]string
	IP        string
	Request   json.RawMessage // nil where none is kept
	Response  json.RawMessage
	States    [2]State // of the request and of the answer
}

// Get reads one call.
func (l *Log) Get(ctx context.Context, id string) (*Kept, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	kept, sealed := &Kept{}, []byte(nil)
	err := l.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select `+each+`, t.operation, t.method, t.path, t.request_state, t.response_state, t.sealed from `+there+` and t.id = $1`, id).
			Scan(&kept.Shown, &kept.Operation, &kept.Method, &kept.Path, &kept.States[0], &kept.States[1], &sealed)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, problem.Missing("request")
	}
	if err != nil {
		return nil, fmt.Errorf("read call %s: %w", id, err)
	}
	if sealed == nil {
		return kept, nil
	}
	plain, err := l.Sealer.Open(sealed, binding(postgres.RoleName(ref.Cell, ref.Schema), id))
	if err != nil {
		return nil, fmt.Errorf("open call %s: %w", id, err)
	}
	var content said
	if err := json.Unmarshal(plain, &content); err != nil {
		return nil, fmt.Errorf("read call %s: %w", id, err)
	}
	if kept.Query, err = url.ParseQuery(content.Query); err != nil {
		kept.Query = nil // it was refused for that
	}
	kept.Headers, kept.IP, kept.Request, kept.Response = content.Headers, content.IP, content.Request, content.Response
	return kept, nil
}
