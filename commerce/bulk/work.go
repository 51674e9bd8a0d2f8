package bulk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Config bounds bulk operations. Zero values have usable defaults.
type Config struct {
	Slice   time.Duration // how long a job works before it asks for the next: 10 s
	Batch   int           // things that are changed by one transaction: 100
	UndoFor time.Duration // how long what was done can be undone: 30 days
}

// Jobs of bulk operations.
const (
	JobWork   = "bulk.work"   // a slice of an operation
	JobForget = "bulk.forget" // what undoes an operation is not kept any longer
)

// tries is how often a batch is tried that others got in the way of.
const tries = 3

// Service takes bulk operations, and works on them.
type Service struct {
	db         *postgres.DB
	operations *operations.Service
	catalog    *catalog.Service
	config     Config
	log        *slog.Logger
}

// New makes the service, and its kinds of operations known.
func New(db *postgres.DB, ops *operations.Service, catalogue *catalog.Service, config Config, log *slog.Logger) *Service {
	config.Slice = cmp.Or(config.Slice, 10*time.Second)
	config.Batch = cmp.Or(config.Batch, 100)
	config.UndoFor = cmp.Or(config.UndoFor, 30*24*time.Hour)
	s := &Service{db, ops, catalogue, config, log}
	for _, name := range []string{UpdateProducts, DeleteProducts, UpdateVariants, DeleteVariants} {
		ops.Add(operations.Kind{Name: name, Job: JobWork, Noun: "bulk", Ended: s.ended})
	}
	ops.Add(operations.Kind{Name: Undo, Job: JobWork, Noun: "bulk"})
	return s
}

// Register has the workers do the work.
func (s *Service) Register(w *jobs.Workers) {
	each := func(kind string, do func(ctx context.Context, id string, attempt int) error) {
		w.HandleSlow(kind, func(ctx context.Context, job jobs.Job) error {
			var args operations.Args
			if err := job.Decode(&args); err != nil {
				return err
			}
			return do(ctx, args.OperationID, job.Attempt)
		})
	}
	each(JobWork, s.Work)
	each(JobForget, func(ctx context.Context, id string, _ int) error { return s.Forget(ctx, id) })
}

// Work does a slice of an operation in the context's store, and asks for the next. It can
// be done again, by several at a time too.
func (s *Service) Work(ctx context.Context, id string, attempt int) error {
	until := time.Now().Add(s.config.Slice)
	return s.operations.Work(ctx, id, attempt, func(ctx context.Context, o *operations.Operation) error {
		for from := o.Checkpoint; ; {
			last := !time.Now().Before(until) // it asks for the next job, so it is decided once
			next, err := s.put(ctx, id, from, last)
			if err != nil || last || next == from {
				return err
			}
			from = next
		}
	})
}

// put does a batch. When that fails, its things are done one by one, so that one which
// cannot be done fails alone. It gives the place where the next batch begins, which is the
// same when there is none. The last batch of a job asks for the next job.
func (s *Service) put(ctx context.Context, id string, from int64, last bool) (int64, error) {
	next, err := s.try(ctx, id, from, s.config.Batch, nil, last)
	if err == nil || !operations.AboutData(ctx, err) {
		return next, err
	}
	for n := range s.config.Batch {
		asks := last && n == s.config.Batch-1
		next, err = s.try(ctx, id, from, 1, nil, asks)
		if err != nil && operations.AboutData(ctx, err) {
			s.log.ErrorContext(ctx, "a thing cannot be changed in bulk", "operation", id, "after", from, "error", err)
			next, err = s.try(ctx, id, from, 1, err, asks)
		}
		if err != nil || next == from {
			return next, err
		}
		from = next
	}
	return from, nil
}

// try does a batch, again where others got in the way.
func (s *Service) try(ctx context.Context, id string, from int64, size int, refusal error, last bool) (int64, error) {
	for attempt := 1; ; attempt++ {
		next := from
		err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			o, err := operations.Lock(ctx, tx, id, from)
			if err != nil {
				return err
			}
			rows, err := o.Next(ctx, tx, size)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return s.operations.End(ctx, tx, o, operations.Succeeded, nil)
			}
			if refusal != nil {
				settle(&rows[0], catalog.Done{Err: refusal}, "")
			} else if err := s.apply(ctx, tx, o, rows); err != nil {
				return err
			}
			if last {
				journal.Job(tx, JobWork, operations.Args{OperationID: id})
			}
			next = int64(rows[len(rows)-1].Line)
			return o.Record(ctx, tx, rows)
		})
		if err == nil {
			return next, nil
		}
		if !operations.InTheWay(err) || attempt == tries {
			return from, err
		}
	}
}

// settle gives a row its outcome.
func settle(row *operations.Row, done catalog.Done, outcome operations.Outcome) {
	switch why := problem.As(done.Err); {
	case why != nil:
		row.Outcome = operations.Failed
		for _, fault := range why.Faults {
			row.Messages = append(row.Messages, operations.Say(operations.Error, fault.Code, fault.Pointer, "%s", fault.Detail))
		}
		if len(why.Faults) == 0 {
			row.Messages = append(row.Messages, operations.Say(operations.Error, why.Code, "", "%s", why.Detail))
		}
	case done.Err != nil:
		row.Outcome = operations.Failed
		row.Messages = append(row.Messages, operations.Say(operations.Error, "internal_error", "", "It could not be done, because of a fault on our side."))
	case !done.Changed:
		row.Outcome = operations.Skipped
		row.Messages = append(row.Messages, operations.Say(operations.Info, "unchanged", "", "It is so already."))
	default:
		row.Outcome, row.Undo = outcome, done.Undo
	}
}

// ended keeps what undoes an operation for a while.
func (s *Service) ended(ctx context.Context, tx *postgres.Tx, o *operations.Operation) error {
	if o.Counts.Updated+o.Counts.Deleted == 0 {
		return nil
	}
	return KeepUndo(ctx, tx, o, s.config.UndoFor)
}

// KeepUndo keeps what undoes an operation, which has ended, for so long.
func KeepUndo(ctx context.Context, tx *postgres.Tx, o *operations.Operation, long time.Duration) error {
	until := clock.Now().Add(long)
	if _, err := tx.Exec(ctx, `update operations set undo_until = $2 where id = $1`, o.ID, until); err != nil {
		return fmt.Errorf("end operation %s: %w", o.ID, err)
	}
	journal.JobAt(tx, until, JobForget, operations.Args{OperationID: o.ID})
	return nil
}

// forgotten is how many rows are forgotten by one transaction.
const forgotten = 200

// Forget forgets what undoes an operation, and has the files deleted that were kept for it.
func (s *Service) Forget(ctx context.Context, id string) error {
	for more := true; more; {
		err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := operations.Read(ctx, tx, id, true); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, `with gone as (select line, undo from operation_rows where operation_id = $1 and undo is not null order by line limit $2)
				update operation_rows r set undo = null from gone where r.operation_id = $1 and r.line = gone.line returning gone.undo`, id, forgotten)
			if err != nil {
				return err
			}
			undos, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
			if err != nil {
				return err
			}
			more = len(undos) == forgotten
			return catalog.ForgetRemoved(tx, undos)
		})
		if problem.Is(err, "not_found") {
			return nil
		}
		if err != nil {
			return errors.Join(fmt.Errorf("forget what undoes %s", id), err)
		}
	}
	return nil
}
