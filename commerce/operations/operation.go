package operations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// State is how far an operation is.
type State string

// The states; the last three are final.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Stopped   State = "failed"
	Cancelled State = "cancelled"
)

// Kind is a sort of operations.
type Kind struct {
	Name string // in the contract
	Job  string // the kind of the job that does a slice of it; its arguments are Args
	Noun string // what its events and entries of the audit begin with: "import"

	// Quiet is one whose end is no event, as nothing has come of it.
	Quiet bool

	// Ended does what the end of an operation asks for, in its transaction; may be nil.
	Ended func(ctx context.Context, tx *postgres.Tx, o *Operation) error
}

// Args are the arguments of a job that does a slice.
type Args struct {
	OperationID string `json:"operation_id"`
}

// actor is who asked for an operation.
type actor struct {
	Kind  principal.Kind `json:"kind"`
	ID    *string        `json:"id"`
	Label string         `json:"label"`
}

// origin is from where an operation was asked for.
type origin struct {
	IP        string `json:"ip"`
	SessionID string `json:"session_id"`
	UserAgent string `json:"user_agent"`
}

// Operation is a row of operations.
type Operation struct {
	ID         string
	Kind       string
	State      State
	Input      json.RawMessage // what its kind needs to know of it
	Checkpoint int64           // where it goes on
	Done       int
	Total      *int
	Counts     Counts
	Undoes     string // the operation that it undoes; empty for none
	FinishedAt *time.Time
	File       *File // what it writes; nil for nothing, or nothing any more

	requestID   string
	createdBy   actor
	createdFrom origin
}

// File is a file that an operation writes, part by part. It is whole once it has an end.
type File struct {
	Name        string    `json:"name"` // what it is called where it is kept
	ContentType string    `json:"content_type"`
	Bytes       int64     `json:"bytes"`
	Parts       []string  `json:"parts"` // keys of files, in their order
	After       string    `json:"after"` // what the next part goes on after
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

// summary is the data of an operation's events, in the contract's shape.
type summary struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	State  State  `json:"state"`
	Counts Counts `json:"counts"`
}

// Keep is how long an operation is kept once it has ended.
const Keep = 90 * 24 * time.Hour

// Service keeps operations.
type Service struct {
	db    *postgres.DB
	kinds map[string]Kind
}

// New makes the service.
func New(db *postgres.DB) *Service { return &Service{db, map[string]Kind{}} }

// Add makes a kind known, before the first operation of it.
func (s *Service) Add(kind Kind) { s.kinds[kind.Name] = kind }

// Asked is an operation that is asked for.
type Asked struct {
	ID     string
	Kind   string
	Input  any
	Total  *int // how many rows it has, where that is known
	Undoes string
	File   *File          // what it is to write
	About  map[string]any // for the audit
}

// Create notes that an operation was asked for. It is worked on once that is committed.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, a Asked) error {
	who := principal.From(ctx)
	by := actor{Kind: who.Kind, Label: who.Label}
	if who.ID != "" {
		by.ID = &who.ID
	}
	var texts [4]string
	for i, value := range []any{a.Input, Counts{}, by, origin{who.IP, who.SessionID, who.UserAgent}} {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("create operation: %w", err)
		}
		texts[i] = string(raw)
	}
	_, err := tx.Exec(ctx, `insert into operations (id, kind, state, input, counts, created_by, created_from, request_id, total, undoes, file, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, ''), $11, $12, $12)`,
		a.ID, a.Kind, Queued, texts[0], texts[1], texts[2], texts[3], who.RequestID, a.Total, a.Undoes, a.File, clock.Now())
	if err != nil {
		return fmt.Errorf("create operation: %w", err)
	}
	kind := s.kinds[a.Kind]
	journal.Job(tx, kind.Job, Args{a.ID})
	after := map[string]any{"kind": a.Kind}
	for name, value := range a.About {
		after[name] = value
	}
	journal.Audit(ctx, tx, journal.Entry{Action: kind.Noun + ".create", ObjectID: a.ID, After: after})
	return nil
}

const operationSQL = `select id, kind, state, input, checkpoint, done, total, counts, created_by, created_from, request_id, coalesce(undoes, ''), finished_at, file from operations where id = $1`

// Read reads an operation; locked, others wait with it until the transaction ends.
func Read(ctx context.Context, tx *postgres.Tx, id string, locked bool) (*Operation, error) {
	query := operationSQL
	if locked {
		query += ` for update`
	}
	o := &Operation{}
	var counts, by, from []byte
	err := tx.QueryRow(ctx, query, id).Scan(&o.ID, &o.Kind, &o.State, &o.Input, &o.Checkpoint, &o.Done, &o.Total, &counts, &by, &from, &o.requestID, &o.Undoes, &o.FinishedAt, &o.File)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, problem.Missing("operation")
	}
	if err != nil {
		return nil, fmt.Errorf("read operation %s: %w", id, err)
	}
	if err := errors.Join(json.Unmarshal(counts, &o.Counts), json.Unmarshal(by, &o.createdBy), json.Unmarshal(from, &o.createdFrom)); err != nil {
		return nil, fmt.Errorf("read operation %s: %w", id, err)
	}
	return o, nil
}

// Final says whether an operation has ended.
func (o *Operation) Final() bool { return o.State != Queued && o.State != Running }

// As has whoever asked for the operation act in its job.
func (o *Operation) As(ctx context.Context) context.Context {
	who := principal.From(ctx)
	who.Kind, who.Label, who.RequestID = o.createdBy.Kind, o.createdBy.Label, o.requestID
	who.IP, who.SessionID, who.UserAgent = o.createdFrom.IP, o.createdFrom.SessionID, o.createdFrom.UserAgent
	if o.createdBy.ID != nil {
		who.ID = *o.createdBy.ID
	}
	return principal.With(ctx, who)
}

// Save writes down how far an operation is, which is locked.
func (o *Operation) Save(ctx context.Context, tx *postgres.Tx) error {
	counts, err := json.Marshal(o.Counts)
	if err == nil {
		_, err = tx.Exec(ctx, `update operations set checkpoint = $2, done = $3, counts = $4, file = $5, updated_at = $6 where id = $1`,
			o.ID, o.Checkpoint, o.Done, string(counts), o.File, clock.Now())
	}
	if err != nil {
		return fmt.Errorf("save operation %s: %w", o.ID, err)
	}
	return nil
}

// End ends an operation, which is locked.
func (s *Service) End(ctx context.Context, tx *postgres.Tx, o *Operation, state State, why *Message) error {
	var failure any
	if why != nil {
		raw, err := json.Marshal(map[string]string{"code": why.Code, "detail": why.Detail})
		if err != nil {
			return fmt.Errorf("end operation %s: %w", o.ID, err)
		}
		failure = string(raw)
	}
	o.State = state
	_, err := tx.Exec(ctx, `update operations set state = $2, error = $3, finished_at = $4, updated_at = $4 where id = $1`, o.ID, state, failure, clock.Now())
	if err != nil {
		return fmt.Errorf("end operation %s: %w", o.ID, err)
	}
	kind, event := s.kinds[o.Kind], ".failed"
	if state == Succeeded {
		event = ".succeeded"
	}
	told := summary{o.ID, o.Kind, state, o.Counts}
	if !kind.Quiet {
		journal.Event(ctx, tx, kind.Noun+event, o.ID, told)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: kind.Noun + ".end", ObjectID: o.ID, After: told})
	if kind.Ended != nil {
		return kind.Ended(ctx, tx, o)
	}
	return nil
}

// Cancel ends an operation that has not ended. A batch that is under way is waited for.
func (s *Service) Cancel(ctx context.Context, tx *postgres.Tx, id string) error {
	o, err := Read(ctx, tx, id, true)
	if err != nil {
		return err
	}
	if o.Final() {
		return problem.New(problem.Conflict, "operation_finished", "The operation has ended.")
	}
	return s.End(ctx, tx, o, Cancelled, nil)
}
