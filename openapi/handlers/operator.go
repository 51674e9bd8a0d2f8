package handlers

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Operator answers the operations of the people who run the platform.
type Operator struct {
	DB     *postgres.DB
	Stores *stores.Service
	Jobs   *jobs.Workers
	Books  *reconciliation.Reconciler
	Log    *slog.Logger
}

// Operations are the handlers by operationId.
func (h *Operator) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listStores":             h.list,
		"getOperatorStore":       h.get,
		"suspendStore":           h.step(h.Stores.Suspend),
		"resumeStore":            h.step(h.Stores.Resume),
		"deleteStoreByOperator":  h.step(h.Stores.Delete),
		"restoreStoreByOperator": h.step(h.Stores.Restore),
		"setStorePlan":           h.setPlan,
		"listCells":              h.cells,
		"listDeadJobs":           h.jobs,
		"retryJob":               h.retry,
		"discardJob":             h.discard,
		"listDifferences":        h.differences,
		"reconcileStore":         h.reconcile,
	}
}

func (h *Operator) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	var list []stores.Record
	var next string
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		looked(ctx, tx, "stores.list", "", req.HTTP.URL.RawQuery)
		list, next, err = h.Stores.ListTx(ctx, tx, stores.Filter{
			Query: req.Query.Get("q"), Status: tenants.Status(req.Query.Get("state")), Cell: req.Query.Get("cell"),
			After: after, Limit: req.Limit(adminPage),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return openapi.List(req, converted(list, operatorStore), next)
}

func (h *Operator) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	var rec stores.Record
	err := h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if rec, err = h.Stores.GetTx(ctx, tx, req.Param("store_id")); err == nil {
			looked(ctx, tx, "store.read", rec.ID, "")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return openapi.OK(operatorStore(rec)), nil
}

// looked writes down that an operator looked at something: of operators reading is
// audited as well.
func looked(ctx context.Context, tx *postgres.Tx, action, storeID, query string) {
	entry := journal.Entry{Action: action, ObjectID: storeID, StoreID: storeID}
	if query != "" {
		entry.After = map[string]any{"query": query}
	}
	journal.Audit(ctx, tx, entry)
}

// step answers an operation that takes a store one step through its life.
func (h *Operator) step(take func(ctx context.Context, tx *postgres.Tx, id, reason string) (stores.Record, error)) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		body, err := openapi.Decode[gen.OperatorReason](req)
		if err != nil {
			return nil, err
		}
		return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
			rec, err := take(ctx, tx, req.Param("store_id"), body.Reason)
			if err != nil {
				return nil, err
			}
			return openapi.OK(operatorStore(rec)), nil
		})
	}
}

func (h *Operator) setPlan(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.StorePlanChange](req)
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		rec, err := h.Stores.SetPlan(ctx, tx, req.Param("store_id"), string(body.Plan), body.Reason)
		if err != nil {
			return nil, err
		}
		return openapi.OK(operatorStore(rec)), nil
	})
}

func operatorStore(rec stores.Record) gen.OperatorStore {
	return gen.OperatorStore{
		ID: rec.ID, Name: rec.Name, Address: rec.Address, State: gen.StoreState(rec.Status), Plan: gen.PlanID(rec.Plan),
		Cell: rec.Cell, HasSandbox: rec.HasSandbox, OwnerEmail: rec.OwnerEmail, CreatedAt: rec.CreatedAt,
		SuspendedAt: rec.SuspendedAt, SuspensionReason: orNil(rec.SuspensionReason), DeletedAt: rec.DeletedAt, PurgeAfter: rec.PurgeAfter,
	}
}

func (h *Operator) cells(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	all, err := h.Stores.Cells(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c stores.Cell) bool { return c.Name <= after })
	list, next := page(all, req.Limit(adminPage), func(c stores.Cell) string { return c.Name })
	return openapi.List(req, converted(list, func(c stores.Cell) gen.Cell {
		state := gen.CellStateDown
		if c.Up {
			state = gen.CellStateUp
		}
		return gen.Cell{Name: c.Name, State: state, Accepting: c.Accepting, Stores: c.Stores, Capacity: c.Capacity, ReadySchemas: c.Ready, Logins: c.Logins}
	}), next)
}

// jobs lists the jobs of all queues. Those of a cell that does not answer are left out;
// that it is down stands in the list of cells.
func (h *Operator) jobs(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	filter, err := h.jobFilter(ctx, req)
	if err != nil {
		return nil, err
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		looked(ctx, tx, "jobs.list", "", req.HTTP.URL.RawQuery)
		return nil
	})
	if err != nil {
		return nil, err
	}
	limit := filter.Limit
	filter.Limit++ // one more tells whether there is another page
	var all []jobs.Listed
	for _, cell := range h.Jobs.Queues() {
		list, err := h.Jobs.List(ctx, cell, filter)
		if err != nil {
			if ctx.Err() != nil || cell == jobs.Control {
				return nil, err
			}
			h.Log.WarnContext(ctx, "the jobs of a cell are left out of a list", "cell", cell, "error", err)
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b jobs.Listed) int { return comparePositions(b.Position(), a.Position()) })
	list, next := page(all, limit, func(j jobs.Listed) string {
		return fmt.Sprintf("%d %s %d", j.CreatedAt.UnixMicro(), j.Cell, j.ID)
	})
	shown := make([]gen.Job, len(list))
	for i, job := range list {
		if shown[i], err = h.job(ctx, job); err != nil {
			return nil, err
		}
	}
	return openapi.List(req, shown, next)
}

func (h *Operator) jobFilter(ctx context.Context, req *openapi.Request) (jobs.Filter, error) {
	filter := jobs.Filter{Status: jobs.Status(req.Query.Get("state")), Kind: req.Query.Get("kind"), Limit: req.Limit(adminPage)}
	after, err := req.After()
	if err != nil {
		return filter, err
	}
	if after != "" {
		var at int64
		if _, err := fmt.Sscanf(after, "%d %s %d", &at, &filter.Before.Cell, &filter.Before.ID); err != nil {
			return filter, fmt.Errorf("position %q: %w", after, err) // it is signed, so it is ours
		}
		filter.Before.At = time.UnixMicro(at)
	}
	if id := req.Query.Get("store_id"); id != "" {
		rec, err := h.Stores.Get(ctx, id)
		switch {
		case problem.Is(err, "not_found"):
			filter.Roles = []string{}
		case err != nil:
			return filter, err
		default:
			filter.Roles = rec.Roles()
		}
	}
	return filter, nil
}

func comparePositions(a, b jobs.Position) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	if c := strings.Compare(a.Cell, b.Cell); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

// maxMessage bounds what is shown of an error.
const maxMessage = 2000

func (h *Operator) job(ctx context.Context, job jobs.Listed) (gen.Job, error) {
	shown := gen.Job{
		ID: job.Name(), Cell: job.Cell, Kind: job.Kind, State: gen.JobState(job.Status), Attempts: job.Attempts,
		CreatedAt: job.CreatedAt.UTC(), Failures: converted(job.Failures, func(f jobs.Failure) gen.JobFailure {
			return gen.JobFailure{Attempt: f.Attempt, At: f.At.UTC(), Message: short(f.Error)}
		}),
	}
	if job.EndedAt != nil {
		at := job.EndedAt.UTC()
		shown.SetAsideAt = &at
	}
	var schema int64
	if _, err := fmt.Sscanf(job.Role, job.Cell+"_s_%d", &schema); err != nil {
		return shown, nil // the platform's own
	}
	ref, _, err := h.Stores.ResolveJob(ctx, job.Cell, schema)
	if err != nil {
		return shown, err
	}
	if ref.ID != "" { // the store is not gone
		mode := gen.Mode(ref.Mode)
		shown.StoreID, shown.Mode = &ref.ID, &mode
	}
	return shown, nil
}

// short bounds a message to what the contract lets through.
func short(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if runes := []rune(message); len(runes) > maxMessage {
		return string(runes[:maxMessage-1]) + "…"
	}
	return message
}

func (h *Operator) retry(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.changeJob(ctx, req, "job.retry", func(ctx context.Context, cell string, id int64) (*openapi.Response, error) {
		job, err := h.Jobs.Retry(ctx, cell, id, req.DryRun())
		if err != nil {
			return nil, err
		}
		shown, err := h.job(ctx, job)
		return openapi.OK(shown), err
	})
}

func (h *Operator) discard(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.changeJob(ctx, req, "job.discard", func(ctx context.Context, cell string, id int64) (*openapi.Response, error) {
		return openapi.NoContent(), h.Jobs.Discard(ctx, cell, id, req.DryRun())
	})
}

// jobChange does something to a job in its queue.
type jobChange func(ctx context.Context, cell string, id int64) (*openapi.Response, error)

// changeJob changes a job in its queue, and then records it in the control database.
func (h *Operator) changeJob(ctx context.Context, req *openapi.Request, action string, change jobChange) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.OperatorReason](req) // a retry has none
	if err != nil {
		return nil, err
	}
	claim, replay, err := openapi.ClaimingControl(ctx, req, h.DB)
	if err != nil || replay != nil {
		return replay, err
	}
	before, res, err := h.changeInQueue(ctx, req.Param("job_id"), change)
	if err != nil {
		if released := claim.Release(ctx); released != nil {
			h.Log.WarnContext(ctx, "an idempotency key is held until its lease ends", "error", released)
		}
		return nil, err
	}
	record := func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		journal.Audit(ctx, tx, journal.Entry{Action: action, ObjectID: before.ID, StoreID: given(before.StoreID), Reason: body.Reason, Before: before})
		return res, claim.Record(ctx, tx, res)
	}
	if req.DryRun() {
		return openapi.WriteControl(ctx, req, h.DB, record)
	}
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := record(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", action, before.ID, err)
	}
	return res, nil
}

func (h *Operator) changeInQueue(ctx context.Context, jobID string, change jobChange) (before gen.Job, res *openapi.Response, err error) {
	cell, id, err := jobs.ParseName(jobID)
	if err != nil {
		return before, nil, err
	}
	job, err := h.Jobs.Get(ctx, cell, id)
	if err != nil {
		return before, nil, err
	}
	if before, err = h.job(ctx, job); err != nil {
		return before, nil, err
	}
	res, err = change(ctx, cell, id)
	return before, res, err
}
