// Package jobs runs what was asked for in a transaction, after it. River keeps and works
// the queue, one in each cell and one in the control database. Transactions do not write
// to the queue, which a store's role may not see; they write to an outbox beside it, and
// a relay hands its rows to the queue, a few of each store in turn, so that a store with
// thousands of jobs waiting holds up none but itself.
//
// A job runs at least once. One that keeps failing is set aside for an operator.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sort"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/attribute"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Control is the name that the control database's queue goes by, beside those of the cells.
const Control = "control"

// MaxAttempts is how often a job is tried before it is set aside.
const MaxAttempts = 10

// Timeout bounds a job. Work that takes longer is done in parts, each asking for the next
// by a job written in its transaction: so a job whose worker was killed is soon known as
// such and taken up by another.
const Timeout = time.Minute

// Job is a job at work. Its store, if it has one, is in the context.
type Job struct {
	ID      int64
	Kind    string
	Attempt int // from 1
	args    json.RawMessage
}

// Decode reads the job's arguments.
func (j Job) Decode(into any) error {
	if err := json.Unmarshal(j.args, into); err != nil {
		return Cancel(fmt.Errorf("arguments of a job %s: %w", j.Kind, err))
	}
	return nil
}

// Handler does a job. Its error has the job tried again later.
type Handler func(ctx context.Context, job Job) error

// With makes a handler of what needs nothing of a job but its arguments.
func With[Args any](do func(ctx context.Context, args Args) error) Handler {
	return func(ctx context.Context, job Job) error {
		var args Args
		if err := job.Decode(&args); err != nil {
			return err
		}
		return do(ctx, args)
	}
}

// Snooze, returned by a handler, has the job tried again after a while without counting
// as a failure.
func Snooze(d time.Duration) error { return river.JobSnooze(d) }

// Snoozed says whether a run ended with Snooze.
func Snoozed(err error) bool {
	var snooze *river.JobSnoozeError
	return errors.As(err, &snooze)
}

// Cancel, returned by a handler, has the job set aside at once.
func Cancel(err error) error { return river.JobCancel(err) }

// State says what to do with the jobs of a store.
type State int

// The states.
const (
	Run   State = iota
	Pause       // the store is suspended or deleted: its jobs wait
	Gone        // the store is no more: its jobs are dropped
)

// Resolve finds the store that a schema of a cell belongs to.
type Resolve func(ctx context.Context, cell string, schema int64) (postgres.StoreRef, State, error)

// Observer is told what the workers do; it may be called at the same time by several. A
// run that was snoozed has an error which Snoozed tells, and took no time that counts.
type Observer interface {
	Ran(cell, kind string, err error, setAside bool, delay, took time.Duration)
	Relayed(cell string, rows int)
	Measured(cell string, m Measure)
}

// Measure is the state of one queue.
type Measure struct {
	Outbox       int           // rows that are due and not handed over yet
	OutboxOldest time.Duration // how long the oldest of them has been due, of those in no lane
	Waiting      int           // jobs handed over and not begun
	SetAside     int           // jobs that were given up
}

// Config is what the workers work with.
type Config struct {
	DB       *postgres.DB
	Resolve  Resolve
	Workers  int // quick jobs at once in each queue, and as many slow ones; 0 means 8
	Observer Observer
	Tracing  *observability.Tracing // begins each job's span; may be nil
	Log      *slog.Logger
}

// Workers runs jobs. Handlers are registered before Start.
type Workers struct {
	config   Config
	handlers map[string]Handler // by kind
	paces    map[pace][]string  // the kinds that are not quick
	periodic []periodic
	queues   map[string]*queue

	stop context.CancelFunc
	done sync.WaitGroup
}

type periodic struct {
	name     string
	interval time.Duration
}

// New prepares workers for all cells and the control database.
func New(config Config) *Workers {
	if config.Workers == 0 {
		config.Workers = 8
	}
	w := &Workers{config: config, handlers: map[string]Handler{}, paces: map[pace][]string{}, queues: map[string]*queue{}}
	for _, cell := range config.DB.Cells() {
		w.queues[cell] = &queue{
			workers: w, name: cell, schema: cellSchema, outbox: "cell.outbox",
			in: func(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
				return config.DB.InCell(ctx, cell, fn)
			},
			connect: func() (*pgx.ConnConfig, error) { return config.DB.CellConfig(cell) },
			nudge:   make(chan struct{}, 1), rounds: newRounds(), shares: newShares(),
		}
	}
	w.queues[Control] = &queue{workers: w, name: Control, schema: controlSchema, outbox: "outbox", in: config.DB.InControl, connect: config.DB.ControlConfig,
		nudge: make(chan struct{}, 1), rounds: newRounds(), shares: newShares()}
	return w
}

// Handle registers what to do for a kind of job, whether of a store or of the platform.
func (w *Workers) Handle(kind string, handler Handler) {
	if w.handlers[kind] != nil {
		panic("jobs: " + kind + " is handled twice")
	}
	w.handlers[kind] = handler
}

// HandleSlow is Handle for jobs that may take long. They have workers of their own, of which
// a store has at most half.
func (w *Workers) HandleSlow(kind string, handler Handler) { w.handleAt(slow, kind, handler) }

// HandleCalls is Handle for jobs that wait for others' machines, so that many can be at it at
// once: callsAtOnce, of which a lane that answers promptly has a few and any other one.
func (w *Workers) HandleCalls(kind string, handler Handler) { w.handleAt(calls, kind, handler) }

func (w *Workers) handleAt(p pace, kind string, handler Handler) {
	w.Handle(kind, handler)
	w.paces[p] = append(w.paces[p], kind)
}

// Every has the platform do something at intervals, once among all replicas. What fails is
// tried again when its time comes round.
func (w *Workers) Every(name string, interval time.Duration, do func(context.Context) error) {
	w.Handle(name, func(ctx context.Context, _ Job) error {
		started := time.Now()
		err := do(ctx)
		if err != nil && ctx.Err() == nil {
			w.config.Log.ErrorContext(ctx, "a regular task failed", "task", name, "error", err)
			w.config.Observer.Ran(Control, name, err, false, 0, time.Since(started))
		}
		w.note(ctx, name, interval, started, err)
		return nil
	})
	w.periodic = append(w.periodic, periodic{name, interval})
}

// Start begins to work. A queue whose database is down is taken up when it answers.
func (w *Workers) Start(ctx context.Context) {
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, q := range w.queues {
		w.done.Go(func() { q.run(ctx) })
	}
}

// Stop ends the work: jobs at work are given until ctx ends, and are taken up by others
// after that.
func (w *Workers) Stop(ctx context.Context) error {
	if w.stop == nil {
		return nil
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, q := range w.queues {
		wg.Go(func() {
			if err := q.halt(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("stop the queue of %s: %w", q.name, err))
			}
		})
	}
	wg.Wait()
	w.stop()
	w.done.Wait()
	return errors.Join(errs...)
}

// Nudge has a cell's relay look at once, for what was committed in this process.
func (w *Workers) Nudge(cell string) {
	if q := w.queues[cell]; q != nil {
		q.wake()
	}
}

// Kinds are the kinds of jobs that are handled, sorted.
func (w *Workers) Kinds() []string {
	var kinds []string
	for kind := range w.handlers {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	return kinds
}

// envelope is a job as River keeps it.
type envelope struct {
	kind  string
	Store string          `json:"store,omitempty"` // the role that asked
	Lane  string          `json:"lane,omitempty"`  // of the store
	Args  json.RawMessage `json:"args"`
	Due   time.Time       `json:"due"`

	// The request that asked for the job, and the trace that it was part of.
	RequestID string `json:"request_id,omitempty"`
	Trace     string `json:"trace,omitempty"`
}

// Kind is River's name for the sort of job.
func (e envelope) Kind() string { return e.kind }

// worker runs the jobs of one kind.
type worker struct {
	river.WorkerDefaults[envelope]
	queue *queue
	kind  string
}

// Timeout bounds a job.
func (*worker) Timeout(*river.Job[envelope]) time.Duration { return Timeout }

// Work enters the job's store and runs its handler, as part of the request and the trace
// that asked for it.
func (k *worker) Work(ctx context.Context, job *river.Job[envelope]) error {
	if k.queue.full.Load() {
		k.queue.wake() // there is room for another
	}
	started, config := time.Now(), &k.queue.workers.config
	if job.Args.RequestID == "" {
		job.Args.RequestID = ids.New("req")
	}
	ctx = observability.WithRequest(ctx, job.Args.RequestID)
	ctx, span := config.Tracing.Job(ctx, job.Args.Trace, "job "+k.kind, attribute.String("request_id", job.Args.RequestID),
		attribute.String("stoa.cell", k.queue.name), attribute.Int64("stoa.job", job.ID), attribute.Int("stoa.attempt", job.Attempt))
	ctx, err := k.work(ctx, job)
	span.SetAttributes(attribute.String("stoa.store", observability.Store(ctx)))
	if Snoozed(err) {
		observability.EndSpan(span, nil)
		config.Observer.Ran(k.queue.name, k.kind, err, false, 0, 0)
		return err
	}
	var cancelled *river.JobCancelError
	setAside := err != nil && (job.Attempt >= job.MaxAttempts || errors.As(err, &cancelled))
	config.Observer.Ran(k.queue.name, k.kind, err, setAside, started.Sub(job.Args.Due), time.Since(started))
	if err != nil {
		config.Log.WarnContext(ctx, "job failed", "kind", k.kind, "job", job.ID, "cell", k.queue.name,
			"attempt", job.Attempt, "set_aside", setAside, "error", err)
	}
	observability.EndSpan(span, err)
	return err
}

// work gives the context of the job's store beside what came of it, for the log.
func (k *worker) work(ctx context.Context, job *river.Job[envelope]) (in context.Context, err error) {
	in = ctx
	defer func() {
		if fault := recover(); fault != nil {
			k.queue.workers.config.Log.ErrorContext(in, "panic in a job", "panic", fault, "kind", k.kind, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	who := principal.Principal{Kind: principal.System, Label: k.kind, Operation: k.kind, RequestID: job.Args.RequestID}
	if job.Args.Store != "" {
		var number int64
		if _, err := fmt.Sscanf(job.Args.Store, k.queue.name+"_s_%d", &number); err != nil {
			return ctx, river.JobCancel(fmt.Errorf("job of an unknown role %q", job.Args.Store))
		}
		ref, state, err := k.queue.workers.config.Resolve(ctx, k.queue.name, number)
		switch {
		case err != nil:
			return ctx, fmt.Errorf("find the store of %s: %w", job.Args.Store, err)
		case state == Gone:
			return ctx, nil
		case state == Pause:
			return ctx, river.JobSnooze(time.Minute)
		}
		if p := pace(job.Queue); p != quick {
			done, rest := k.queue.shares.take(ctx, p, k.queue.workers.at(p), lane{job.Args.Store, job.Args.Lane})
			if done == nil {
				return ctx, river.JobSnooze(rest)
			}
			defer done()
		}
		who.StoreID, who.Mode = ref.ID, ref.Mode
		in = postgres.WithStore(ctx, ref)
	}
	in = principal.With(in, who)
	return in, k.queue.workers.handlers[k.kind](in, Job{ID: job.ID, Kind: k.kind, Attempt: job.Attempt, args: job.Args.Args})
}
