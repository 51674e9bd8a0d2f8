package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Where River keeps its tables: of a cell, and of the control database.
const (
	cellSchema    = "river"
	controlSchema = "river_control"
)

// How the relay goes about it: how long it rests when there is nothing to do, how many
// stores it visits in a pass, and how often it measures.
const (
	relayRest    = 200 * time.Millisecond
	relayStores  = 50
	measureEvery = 5 * time.Second
)

// queue is one database's queue with the relay that feeds it.
type queue struct {
	workers *Workers
	name    string
	schema  string
	outbox  string
	in      func(context.Context, func(context.Context, *postgres.Tx) error) error
	connect func() (*pgx.ConnConfig, error)
	nudge   chan struct{}

	mu     sync.Mutex
	client *river.Client[pgx.Tx]
	pool   *pgxpool.Pool
	halted bool
	rounds map[pace]*round // of the relay

	full   atomic.Bool // what is handed over is not all begun, and more may be waiting for room
	shares *shares
}

// run takes the queue up, trying until its database answers, and relays until ctx ends.
func (q *queue) run(ctx context.Context) {
	log := q.workers.config.Log.With("cell", q.name)
	for {
		err := q.start(ctx)
		if err == nil {
			break
		}
		log.WarnContext(ctx, "the queue cannot be taken up yet", "error", err)
		if !rest(ctx, q.nudge, 2*time.Second) {
			return
		}
	}
	measured := time.Time{}
	for {
		rows, err := q.relay(ctx)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the relay failed", "error", err)
			rows = 0
		}
		if time.Since(measured) > measureEvery {
			measured = time.Now()
			if err := q.measure(ctx); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "the queue cannot be measured", "error", err)
			}
		}
		if rows == 0 && !rest(ctx, q.nudge, relayRest) {
			return
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// wake has the relay look at once.
func (q *queue) wake() {
	select {
	case q.nudge <- struct{}{}:
	default:
	}
}

// rest waits for a nudge or until d has passed; it is false when ctx has ended.
func rest(ctx context.Context, nudge <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-nudge:
	case <-timer.C:
	}
	return true
}

func (q *queue) start(ctx context.Context) error {
	config, err := q.connect()
	if err != nil {
		return err
	}
	poolConfig, err := pgxpool.ParseConfig("")
	if err != nil {
		return err
	}
	poolConfig.ConnConfig = config
	poolConfig.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return err
	}
	workers := river.NewWorkers()
	for kind := range q.workers.handlers {
		river.AddWorkerArgs(workers, envelope{kind: kind}, &worker{queue: q, kind: kind})
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: q.schema, Workers: workers, Logger: q.workers.config.Log,
		Queues: map[string]river.QueueConfig{
			string(quick): {MaxWorkers: q.workers.at(quick)}, string(slow): {MaxWorkers: q.workers.at(slow)}, string(calls): {MaxWorkers: q.workers.at(calls)},
		},
		MaxAttempts:                 MaxAttempts,
		SkipUnknownJobCheck:         true, // one that a newer release knows is tried again, and holds up no others
		FetchCooldown:               10 * time.Millisecond,
		FetchPollInterval:           500 * time.Millisecond,
		CompletedJobRetentionPeriod: time.Hour,
		DiscardedJobRetentionPeriod: -1, // what is set aside waits for an operator
		CancelledJobRetentionPeriod: -1,
		JobTimeout:                  Timeout,
		RescueStuckJobsAfter:        Timeout + 15*time.Second,
		PeriodicJobs:                q.periodicJobs(),
	})
	if err != nil {
		pool.Close()
		return err
	}
	if err := client.Start(ctx); err != nil {
		pool.Close()
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.client, q.pool = client, pool
	if q.halted {
		return errors.New("stopped meanwhile")
	}
	return nil
}

// periodicJobs are the platform's own, in the control database's queue.
func (q *queue) periodicJobs() []*river.PeriodicJob {
	if q.name != Control {
		return nil
	}
	var list []*river.PeriodicJob
	for _, p := range q.workers.periodic {
		list = append(list, river.NewPeriodicJob(river.PeriodicInterval(p.interval),
			func() (river.JobArgs, *river.InsertOpts) {
				return envelope{kind: p.name, Args: []byte(`{}`), Due: time.Now()}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: p.interval}}
			}, &river.PeriodicJobOpts{ID: p.name, RunOnStart: true}))
	}
	return list
}

func (q *queue) halt(ctx context.Context) error {
	q.mu.Lock()
	q.halted = true
	client, pool := q.client, q.pool
	q.mu.Unlock()
	if client == nil {
		return nil
	}
	err := client.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		// Jobs that will not end are left to be rescued.
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = client.StopAndCancel(hard)
	}
	pool.Close()
	return err
}

// measure tells the observer how the queue stands. What waits in a lane may wait for its own
// receiver, and tells nothing of how late the queue is.
func (q *queue) measure(ctx context.Context) error {
	var m Measure
	var oldest float64
	queued := `lane = ''`
	if q.name == Control {
		queued = `true`
	}
	err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `
			select waiting.n, waiting.age, ready.n, aside.n from
				(select count(*) as n, coalesce(extract(epoch from now() - min(run_at) filter (where `+queued+`)), 0)::float8 as age from `+q.outbox+` where run_at <= now()) waiting,
				(select count(*) as n from `+q.schema+`.river_job where state = 'available') ready,
				(select count(*) as n from `+q.schema+`.river_job where state in ('discarded', 'cancelled')) aside`).Scan(&m.Outbox, &oldest, &m.Waiting, &m.SetAside)
	})
	if err != nil {
		return err
	}
	m.OutboxOldest = time.Duration(oldest * float64(time.Second))
	q.workers.config.Observer.Measured(q.name, m)
	return nil
}
