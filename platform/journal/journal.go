// Package journal writes down what a transaction tells of: events for webhooks, the audit,
// jobs for the workers and counts of usage. Entries are collected on the transaction and
// written by one statement right before it commits, so that they exist exactly when the
// change does, and cost one statement however many they are.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Entry is one line of the audit: what was done to which object, with its state before
// and after. Who did it, and from where, is taken from the context. Secrets and passwords
// do not belong in Before and After.
type Entry struct {
	Action   string // resource.verb, as in "product.update"
	ObjectID string
	StoreID  string // for entries in the control database: which store it concerns
	Before   any
	After    any
	Reason   string

	// Kept are rows by which it can be taken back, as those of what was deleted; in a store's
	// database alone.
	Kept json.RawMessage
}

// maxState bounds what is kept of a state, in bytes, and maxKept the rows that bring
// something back. A larger state is told by its size alone, and larger rows are not kept;
// maxAgent bounds what a client calls itself.
const (
	maxState = 256 << 10
	maxKept  = 8 << 20
	maxAgent = 512
)

// state is a thing's state as it is kept, read at once so that later changes do not show.
func state(of any) (json.RawMessage, error) {
	if of == nil {
		return nil, nil
	}
	raw, err := json.Marshal(of)
	if err == nil && len(raw) > maxState {
		raw, err = json.Marshal(map[string]int{"omitted_bytes": len(raw)})
	}
	return raw, err
}

// KeptFor is for how long what was deleted can be brought back: then a JobForget, whose
// arguments are ForgetArgs, forgets the rows.
const (
	KeptFor   = 30 * 24 * time.Hour
	JobForget = "audit.forget"
)

// ForgetArgs are the arguments of a JobForget.
type ForgetArgs struct {
	EntryID string `json:"entry_id"`
}

// Keepable says whether rows are not too many to be kept.
func Keepable(rows json.RawMessage) bool { return len(rows) <= maxKept }

type undoing struct{}

// Undoing returns a context in which changes take back what an entry of the audit tells of.
func Undoing(ctx context.Context, entry string) context.Context {
	return context.WithValue(ctx, undoing{}, entry)
}

// Recorded is an event as it was written.
type Recorded struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	ObjectID  string          `json:"object_id"`
	Data      json.RawMessage `json:"data"`
	RequestID string          `json:"request_id"`
	CreatedAt time.Time       `json:"created_at"`
}

// JobEvent is the kind of the job that is written with each event of a store that has
// webhook endpoints; its arguments are EventArgs.
const JobEvent = "event"

// EventArgs are the arguments of a JobEvent.
type EventArgs struct {
	EventID string `json:"event_id"`
}

type audit struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	ActorKind string          `json:"actor_kind"`
	ActorID   string          `json:"actor_id"`
	Actor     string          `json:"actor"`
	StoreID   string          `json:"store_id,omitempty"`
	Mode      string          `json:"mode"`
	Action    string          `json:"action"`
	ObjectID  string          `json:"object_id"`
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Reason    string          `json:"reason"`
	RequestID string          `json:"request_id"`
	IP        string          `json:"ip"`
	SessionID string          `json:"session_id"`
	UserAgent string          `json:"user_agent"`
	Kept      json.RawMessage `json:"kept,omitempty"`
	Undoes    string          `json:"undoes"`
}

type job struct {
	Lane  string    `json:"lane,omitempty"`
	Kind  string    `json:"kind"`
	Args  any       `json:"args"`
	RunAt time.Time `json:"run_at"`
}

type usage struct {
	Metric string `json:"metric"`
	Delta  int64  `json:"delta"`
}

// book collects the entries of one transaction.
type book struct {
	Events []Recorded `json:"events"`
	Audit  []audit    `json:"audit"`
	Jobs   []job      `json:"jobs"`
	Usage  []usage    `json:"usage"`

	// Request and Trace say what asked for the jobs, so that their logs and spans can be
	// found from it.
	Request string `json:"request"`
	Trace   string `json:"trace"`

	failed error
}

type bookKey struct{}

func open(tx *postgres.Tx) *book {
	if b, ok := tx.Value(bookKey{}).(*book); ok {
		return b
	}
	b := &book{}
	tx.SetValue(bookKey{}, b)
	tx.BeforeCommit(b.write)
	return b
}

// Event notes that something happened to an object. Data is the object as the API shows
// it; it is read at once, so that later changes of it do not show. It returns the
// event's ID.
func Event(ctx context.Context, tx *postgres.Tx, eventType, objectID string, data any) string {
	b := open(tx)
	raw, err := json.Marshal(data)
	if err != nil {
		b.failed = fmt.Errorf("event %s of %s: %w", eventType, objectID, err)
	}
	id := ids.New("evt")
	b.Events = append(b.Events, Recorded{
		ID: id, Type: eventType, ObjectID: objectID, Data: raw,
		RequestID: principal.From(ctx).RequestID, CreatedAt: clock.Now(),
	})
	return id
}

// Named is what events tell of things of which nothing but the name is of interest.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Gone is what events tell of things that are no more.
type Gone struct {
	ID string `json:"id"`
}

// SettingsUpdated notes that something was set: which part of the settings, in the
// contract's words.
func SettingsUpdated(ctx context.Context, tx *postgres.Tx, part string) {
	Event(ctx, tx, "settings.updated", tx.Store.ID, map[string]string{"part": part})
}

// Audit notes who did what. Every write leaves at least one.
func Audit(ctx context.Context, tx *postgres.Tx, entry Entry) {
	b, who := open(tx), principal.From(ctx)
	before, err := state(entry.Before)
	after, failed := state(entry.After)
	if err = errors.Join(err, failed); err != nil {
		b.failed = fmt.Errorf("audit %s of %s: %w", entry.Action, entry.ObjectID, err)
	}
	if len(entry.Kept) > maxKept {
		entry.Kept = nil
	}
	if who.Kind == principal.Anonymous || who.Kind == principal.Publishable || who.Kind == principal.Customer {
		who.UserAgent = "" // a shopper's is nobody's business
	}
	undoes, _ := ctx.Value(undoing{}).(string)
	id := ids.New("aud")
	if entry.Kept != nil {
		JobAt(tx, clock.Now().Add(KeptFor), JobForget, ForgetArgs{id})
	}
	b.Audit = append(b.Audit, audit{
		ID: id, At: clock.Now(),
		ActorKind: string(who.Kind), ActorID: who.ID, Actor: who.Label,
		StoreID: entry.StoreID, Mode: string(who.Mode), Action: entry.Action, ObjectID: entry.ObjectID,
		Before: before, After: after, Reason: entry.Reason,
		RequestID: who.RequestID, IP: who.IP, SessionID: who.SessionID, UserAgent: strings.ToValidUTF8(who.UserAgent[:min(len(who.UserAgent), maxAgent)], ""), Kept: entry.Kept, Undoes: undoes,
	})
}

// Job has the workers do something once the transaction is committed.
func Job(tx *postgres.Tx, kind string, args any) { JobAt(tx, clock.Now(), kind, args) }

// JobAt has the workers do something no earlier than at the given time.
func JobAt(tx *postgres.Tx, at time.Time, kind string, args any) { JobIn(tx, "", at, kind, args) }

// JobIn is JobAt for a job of a store's that is served in a lane of its own: the jobs of one
// lane do not wait for those of another.
func JobIn(tx *postgres.Tx, lane string, at time.Time, kind string, args any) {
	b := open(tx)
	b.Jobs = append(b.Jobs, job{Lane: lane, Kind: kind, Args: args, RunAt: at})
}

// Usage counts towards what the store uses today, as in ("orders", 1).
func Usage(tx *postgres.Tx, metric string, delta int64) {
	b := open(tx)
	b.Usage = append(b.Usage, usage{Metric: metric, Delta: delta})
}

// Events are the events noted on a transaction so far.
func Events(tx *postgres.Tx) []Recorded {
	if b, ok := tx.Value(bookKey{}).(*book); ok {
		return b.Events
	}
	return nil
}

// Actions are the actions noted for the audit of a transaction so far.
func Actions(tx *postgres.Tx) []string {
	var actions []string
	if b, ok := tx.Value(bookKey{}).(*book); ok {
		for _, entry := range b.Audit {
			actions = append(actions, entry.Action)
		}
	}
	return actions
}

// Sequence is the SQL of the next place among the events of an object, an expression. It is
// the time, in microseconds: who changes an object holds it until the transaction ends, so
// that the next who does finds a later one. Where the clock was set back, the events that
// are kept say how far it was.
func Sequence(object string) string {
	return `greatest((select max(told.object_sequence) from events told where told.object_id = ` + object + `),
		(select (extract(epoch from clock_timestamp()) * 1000000)::bigint)) + 1`
}

// storeSQL writes everything of a store's transaction. Events become jobs only where
// somebody listens.
var storeSQL = `
with d as (select $1::jsonb as d),
audited as (
	insert into audit_entries (id, at, actor_kind, actor_id, actor, action, object_id, before, after, reason, request_id, ip, session_id, user_agent, undoes)
	select x.id, x.at, x.actor_kind, x.actor_id, x.actor, x.action, x.object_id, x.before, x.after, x.reason, x.request_id, x.ip, x.session_id, x.user_agent, x.undoes
	from d, jsonb_to_recordset(nullif(d->'audit', 'null')) as x(id text, at timestamptz, actor_kind text, actor_id text, actor text,
		action text, object_id text, before jsonb, after jsonb, reason text, request_id text, ip text, session_id text, user_agent text, undoes text)
), kept as (
	insert into audit_kept (entry_id, kept) select x.id, x.kept from d, jsonb_to_recordset(nullif(d->'audit', 'null')) as x(id text, kept jsonb) where x.kept is not null
), happened as (
	insert into events (id, type, object_id, object_sequence, data, request_id, created_at)
	select x.id, x.type, x.object_id, ` + Sequence("x.object_id") + ` + row_number() over (partition by x.object_id order by x.n), x.data, x.request_id, x.created_at
	from d, rows from (jsonb_to_recordset(nullif(d->'events', 'null')) as (id text, type text, object_id text, data jsonb, request_id text, created_at timestamptz))
		with ordinality as x(id, type, object_id, data, request_id, created_at, n)
	returning id
), used as (
	insert into cell.usage_deltas (metric, delta)
	select x.metric, x.delta
	from d, jsonb_to_recordset(nullif(d->'usage', 'null')) as x(metric text, delta bigint)
)
insert into cell.outbox (request_id, trace, lane, kind, args, run_at)
select d->>'request', d->>'trace', coalesce(x.lane, ''), x.kind, x.args, x.run_at
from d, jsonb_to_recordset(nullif(d->'jobs', 'null')) as x(lane text, kind text, args jsonb, run_at timestamptz)
union all
select d->>'request', d->>'trace', '', '` + JobEvent + `', jsonb_build_object('event_id', id), now()
from d, happened where exists (select 1 from webhook_endpoints where enabled)`

const controlSQL = `
with d as (select $1::jsonb as d),
audited as (
	insert into audit_entries (id, at, actor_kind, actor_id, actor, store_id, mode, action, object_id, before, after, reason, request_id, ip, session_id, user_agent)
	select x.id, x.at, x.actor_kind, x.actor_id, x.actor, x.store_id, coalesce(nullif(x.mode, ''), 'live'), x.action, x.object_id, x.before, x.after, x.reason, x.request_id, x.ip, x.session_id, x.user_agent
	from d, jsonb_to_recordset(nullif(d->'audit', 'null')) as x(id text, at timestamptz, actor_kind text, actor_id text, actor text,
		store_id text, mode text, action text, object_id text, before jsonb, after jsonb, reason text, request_id text, ip text, session_id text, user_agent text)
)
insert into outbox (request_id, trace, kind, args, run_at)
select d->>'request', d->>'trace', x.kind, x.args, x.run_at
from d, jsonb_to_recordset(nullif(d->'jobs', 'null')) as x(kind text, args jsonb, run_at timestamptz)`

func (b *book) write(ctx context.Context, tx *postgres.Tx) error {
	if b.failed != nil {
		return b.failed
	}
	statement := storeSQL
	if tx.Store.Schema == 0 {
		statement = controlSQL
		if len(b.Events)+len(b.Usage) > 0 {
			return fmt.Errorf("journal: events and usage belong to a store")
		}
	}
	b.Request, b.Trace = principal.From(ctx).RequestID, observability.TraceParent(ctx)
	raw, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if _, err := tx.Exec(ctx, statement, string(raw)); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}
