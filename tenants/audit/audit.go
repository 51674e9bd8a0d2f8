// Package audit reads what was done to a store, and by whom. Entries are written by
// platform/journal in the transactions that they tell of: in the store's own tables by what
// changes the store's data, in the control database by what changes its keys, its staff and
// its life. Here both are one list.
package audit

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
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
	SessionID string
	UserAgent string
	Undoes    string // the entry of the change that this one took back
	UndoneBy  string // the latest entry that took this one back
	Kept      bool   // it can be taken back from rows that were kept with it
	Store     bool   // it is the store's own, of its data, and not the platform's, of who may do what in it
}

// Filter chooses among entries; its zero value chooses all.
type Filter struct {
	ActorID   string
	Action    string
	ObjectID  string
	RequestID string
	Since     time.Time // at or after
	Until     time.Time // before
	After     string    // the ID of the last entry of the page before
	Limit     int
}

// Log reads the audit.
type Log struct{ DB *postgres.DB }

const (
	columns = `id, at, actor_kind, actor_id, actor, action, object_id, before, after, reason, request_id, ip, session_id, user_agent`

	chosen = `
	and ($1 = '' or actor_id = $1) and ($2 = '' or action = $2) and ($3 = '' or object_id = $3)
	and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5)
	and ($6 = '' or id < $6) and id >= $7 and ($8 = '' or request_id = $8)
order by id desc limit $9`

	// own are the store's, without its copies of what the control database has too.
	own = `select ` + columns + `, undoes,
		coalesce((select max(u.id) from audit_entries u where u.undoes = e.id and u.undoes <> ''), ''), exists (select from audit_kept k where k.entry_id = e.id), true
	from audit_entries e where action <> all($1)`

	byStore = `select ` + columns + `, '', '', false, false from audit_entries where store_id = $1`
	control = byStore + ` and mode = $2`

	// ofStaff are also what the account $2 has changed of what its stores' staff sees of it.
	ofStaff = `(store_id = $1 or store_id is null and actor_id = $2 and action in ('account.update', 'account.change_email'))`
)

var (
	selectOwn     = strings.Replace(own, "$1", "$10", 1) + chosen
	selectControl = strings.NewReplacer("$1", "$10", "$2", "$11").Replace(control) + chosen
)

// List reads the audit of the context's side of a store, the latest first.
func (l *Log) List(ctx context.Context, f Filter) ([]Entry, error) {
	args := f.args()
	all, err := l.both(ctx, selectOwn, selectControl, args)
	return all[:min(len(all), f.Limit)], err
}

// Get reads one entry of the context's side of a store.
func (l *Log) Get(ctx context.Context, id string) (Entry, error) {
	found, err := l.both(ctx, own+` and id = $2`, control+` and id = $3`, []any{}, id)
	if err == nil && len(found) == 0 {
		err = problem.Missing("audit entry")
	}
	if err != nil {
		return Entry{}, err
	}
	return found[0], nil
}

// both asks both databases and gives the entries as one list, the latest first. Arguments
// are those of all, then those of the database, then the others.
func (l *Log) both(ctx context.Context, ofStore, ofControl string, args []any, others ...any) ([]Entry, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	var all []Entry
	ask := func(in func(context.Context, func(context.Context, *postgres.Tx) error) error, statement string, scope ...any) error {
		return in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			list, err := collect(ctx, tx, statement, slices.Concat(args, scope, others)...)
			all = append(all, list...)
			return err
		})
	}
	err := ask(l.DB.InStore, ofStore, stores.Announced)
	if err == nil {
		err = ask(l.DB.InControl, ofControl, ref.ID, string(ref.Mode))
	}
	if err != nil {
		return nil, fmt.Errorf("audit of %s: %w", ref.ID, err)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(b.ID, a.ID) })
	return all, nil
}

// Take gives the rows by which what an entry tells of can be taken back, and forgets them; nil where they are forgotten already.
func Take(ctx context.Context, tx *postgres.Tx, id string) (action string, kept json.RawMessage, err error) {
	err = tx.QueryRow(ctx, `delete from audit_kept k using audit_entries e where k.entry_id = $1 and e.id = k.entry_id returning e.action, k.kept`, id).Scan(&action, &kept)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("take what brings back what %s deleted: %w", id, err)
	}
	return action, kept, nil
}

// Register has the workers forget what brings back what was deleted long ago. Forget is given
// the action that deleted it, and its rows.
func (l *Log) Register(w *jobs.Workers, forget func(tx *postgres.Tx, action string, kept json.RawMessage) error) {
	w.Handle(journal.JobForget, jobs.With(func(ctx context.Context, args journal.ForgetArgs) error {
		return l.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			action, kept, err := Take(ctx, tx, args.EntryID)
			if err != nil || kept == nil {
				return err
			}
			return forget(tx, action, kept)
		})
	}))
}

// Since reads what was done to an object after an instant, from whichever side of the store,
// the latest first, and at most so many entries.
func (l *Log) Since(ctx context.Context, objectID string, at time.Time, most int) ([]Entry, error) {
	const chosen = ` and object_id = $2 and id >= $3 and at > $4 order by id desc limit $5`
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	var all []Entry
	ofControl := byStore
	if strings.HasPrefix(objectID, "acc_") {
		ofControl = strings.Replace(byStore, "store_id = $1", ofStaff, 1)
	}
	err := l.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, err = collect(ctx, tx, own+chosen, stores.Announced, objectID, idAt(at.Add(-slack)), at, most)
		return err
	})
	if err == nil {
		err = l.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			list, err := collect(ctx, tx, ofControl+` and action <> all($6)`+chosen, ref.ID, objectID, idAt(at.Add(-slack)), at, most, stores.Announced)
			all = append(all, list...)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("audit of %s: %w", objectID, err)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(b.ID, a.ID) })
	return all[:min(len(all), most)], nil
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
	return []any{f.ActorID, f.Action, f.ObjectID, orNull(f.Since), orNull(f.Until), before, from, f.RequestID, f.Limit}
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
		err := row.Scan(&e.ID, &e.At, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Label, &e.Action, &e.ObjectID, &e.Before, &e.After, &e.Reason, &e.RequestID, &e.IP, &e.SessionID, &e.UserAgent,
			&e.Undoes, &e.UndoneBy, &e.Kept, &e.Store)
		return e, err
	})
}
