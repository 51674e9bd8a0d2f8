package imports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// ShopifyProducts is the kind of operation that imports Shopify's product CSV.
const ShopifyProducts = "shopify_products"

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

// input is what an operation works on, and for whom.
type input struct {
	Key       string `json:"key"`
	Bytes     int64  `json:"bytes"`
	RequestID string `json:"request_id"`
}

// actor is who asked for an operation.
type actor struct {
	Kind  principal.Kind `json:"kind"`
	ID    *string        `json:"id"`
	Label string         `json:"label"`
}

// operation is a row of operations.
type operation struct {
	ID         string
	State      State
	Input      input
	Checkpoint int64
	Done       int
	Total      *int
	Counts     Counts
	CreatedBy  actor
	StartedAt  *time.Time
}

// summary is the data of an operation's events, in the contract's shape.
type summary struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	State  State  `json:"state"`
	Counts Counts `json:"counts"`
}

// Create asks for the import of a file that was received. It is worked on once that is
// committed.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, u Upload) error {
	who := principal.From(ctx)
	by := actor{Kind: who.Kind, Label: who.Label}
	if who.ID != "" {
		by.ID = &who.ID
	}
	var texts [3]string
	in := input{Key: u.Key, Bytes: u.Bytes, RequestID: who.RequestID}
	for i, value := range []any{in, Counts{}, by} {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("create operation: %w", err)
		}
		texts[i] = string(raw)
	}
	_, err := tx.Exec(ctx, `insert into operations (id, kind, state, input, counts, created_by, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $7)`, u.OperationID, ShopifyProducts, Queued, texts[0], texts[1], texts[2], clock.Now())
	if err != nil {
		return fmt.Errorf("create operation: %w", err)
	}
	journal.Job(tx, JobWork, workArgs{u.OperationID})
	journal.Audit(ctx, tx, journal.Entry{Action: "import.create", ObjectID: u.OperationID, After: map[string]any{"kind": ShopifyProducts, "bytes": u.Bytes}})
	return nil
}

const operationSQL = `select id, state, input, checkpoint, done, total, counts, created_by, started_at from operations where id = $1`

// read reads an operation; locked, others wait with it until the transaction ends.
func read(ctx context.Context, tx *postgres.Tx, id string, locked bool) (*operation, error) {
	query := operationSQL
	if locked {
		query += ` for update`
	}
	o := &operation{}
	var in, counts, by []byte
	err := tx.QueryRow(ctx, query, id).Scan(&o.ID, &o.State, &in, &o.Checkpoint, &o.Done, &o.Total, &counts, &by, &o.StartedAt)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, problem.Missing("operation")
	}
	if err != nil {
		return nil, fmt.Errorf("read operation %s: %w", id, err)
	}
	if err := errors.Join(json.Unmarshal(in, &o.Input), json.Unmarshal(counts, &o.Counts), json.Unmarshal(by, &o.CreatedBy)); err != nil {
		return nil, fmt.Errorf("read operation %s: %w", id, err)
	}
	return o, nil
}

// final says whether an operation has ended.
func (o *operation) final() bool { return o.State != Queued && o.State != Running }

// as has whoever asked for the operation act in its job.
func (o *operation) as(ctx context.Context) context.Context {
	who := principal.From(ctx)
	who.Kind, who.Label, who.RequestID = o.CreatedBy.Kind, o.CreatedBy.Label, o.Input.RequestID
	if o.CreatedBy.ID != nil {
		who.ID = *o.CreatedBy.ID
	}
	return principal.With(ctx, who)
}

// save writes down how far an operation is, which is locked.
func (o *operation) save(ctx context.Context, tx *postgres.Tx) error {
	counts, err := json.Marshal(o.Counts)
	if err == nil {
		_, err = tx.Exec(ctx, `update operations set checkpoint = $2, done = $3, counts = $4, updated_at = $5 where id = $1`,
			o.ID, o.Checkpoint, o.Done, string(counts), clock.Now())
	}
	if err != nil {
		return fmt.Errorf("save operation %s: %w", o.ID, err)
	}
	return nil
}

// end ends an operation, which is locked; its file goes.
func (o *operation) end(ctx context.Context, tx *postgres.Tx, state State, why *Message) error {
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
	event := "import.failed"
	if state == Succeeded {
		event = "import.succeeded"
	}
	told := summary{o.ID, ShopifyProducts, state, o.Counts}
	journal.Event(ctx, tx, event, o.ID, told)
	journal.Audit(ctx, tx, journal.Entry{Action: "import.end", ObjectID: o.ID, After: told})
	journal.Job(tx, catalog.JobDeleteFiles, catalog.DeleteFilesArgs{Keys: []string{o.Input.Key}})
	return nil
}

// Cancel ends an operation that has not ended. A batch that is under way is waited for.
func (s *Service) Cancel(ctx context.Context, tx *postgres.Tx, id string) error {
	o, err := read(ctx, tx, id, true)
	if err != nil {
		return err
	}
	if o.final() {
		return problem.New(problem.Conflict, "operation_finished", "The operation has ended.")
	}
	return o.end(ctx, tx, Cancelled, nil)
}
