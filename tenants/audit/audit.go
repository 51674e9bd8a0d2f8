// Package audit reads what was done to a store, and by whom. Entries are written by
// platform/journal in the transactions that they tell of: in the store's own tables by what
// changes the store's data, in the control database by what changes its keys, its staff and
// its life. Here both are one list.
package audit

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Entry is one thing that was done.
type Entry struct {
	ID        string
	At        time.Time
	Actor     tenants.Actor
	Action    string
	ObjectID  string
	Before    json.RawMessage // nil when there is none
	After     json.RawMessage
	Reason    string
	RequestID string
	IP        string
}

// Filter chooses among entries; its zero value chooses all.
type Filter struct {
	ActorID  string
	Action   string
	ObjectID string
	Since    time.Time // at or after
	Until    time.Time // before
	After    string    // the ID of the last entry of the page before
	Limit    int
}

// Log reads the audit.
type Log struct{ DB *postgres.DB }

const (
	columns = `id, at, actor_kind, actor_id, actor, action, object_id, before, after, reason, request_id, ip`

	chosen = `
	and ($1 = '' or actor_id = $1) and ($2 = '' or action = $2) and ($3 = '' or object_id = $3)
	and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5)
	and ($6 = '' or id < $6) and id >= $7
order by id desc limit $8`

	// selectOwn leaves out the store's copies of what the control database has too.
	selectOwn = `select ` + columns + ` from audit_entries where action <> all($9)` + chosen

	selectControl = `select ` + columns + ` from audit_entries where store_id = $9 and mode = $10` + chosen
)

// List reads the audit of the context's side of a store, the latest first.
func (l *Log) List(ctx context.Context, f Filter) ([]Entry, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	args := f.args()
	var own, control []Entry
	err := l.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		own, err = collect(ctx, tx, selectOwn, append(args, stores.Announced)...)
		return err
	})
	if err == nil {
		err = l.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
			control, err = collect(ctx, tx, selectControl, append(args, ref.ID, string(ref.Mode))...)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("audit of %s: %w", ref.ID, err)
	}
	all := append(own, control...)
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(b.ID, a.ID) })
	return all[:min(len(all), f.Limit)], nil
}

// slack is by how much the clocks in an entry's ID and in its time may differ.
const slack = time.Minute

// args are the arguments that both statements share. IDs begin with the time they were
// made at, so that they also bound where the database looks.
func (f Filter) args() []any {
	from, before := "", f.After
	if !f.Since.IsZero() {
		from = idAt(f.Since.Add(-slack))
	}
	if !f.Until.IsZero() {
		if end := idAt(f.Until.Add(slack)); before == "" || end < before {
			before = end
		}
	}
	args := []any{f.ActorID, f.Action, f.ObjectID, orNull(f.Since), orNull(f.Until), before, from, f.Limit}
	return slices.Clip(args)
}

func orNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// idAt is less than or equal to the ID of any entry made at an instant.
func idAt(at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(max(at.UnixMilli(), 0))<<16)
	return ids.FromBytes("aud", b)
}

func collect(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Entry, error) {
	rows, err := tx.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Entry, error) {
		var e Entry
		err := row.Scan(&e.ID, &e.At, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Label, &e.Action, &e.ObjectID, &e.Before, &e.After, &e.Reason, &e.RequestID, &e.IP)
		return e, err
	})
}
