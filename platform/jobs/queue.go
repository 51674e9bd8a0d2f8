package jobs

import (
	"context"
	"errors"
	"fmt"
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

// How the relay paces itself: how long it rests when there is nothing to do, how many
// stores it serves in a pass, and how often it measures.
const (
	relayRest    = 200 * time.Millisecond
	relayStores  = 50
	measureEvery = 5 * time.Second
)

// How long a job of a store that has its share of the workers waits for one of its own to
// end, and how long it then stands back.
const (
	shareWait = 100 * time.Millisecond
	shareRest = time.Second
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
	last   string // the store that the relay served last
	served int    // how many stores it served in its last pass

	full   atomic.Bool // what is handed over is not all begun, and more may be waiting for room
	shares sync.Map    // of the workers, by store: chan struct{}
}

// share takes one of the workers for a job of a store, which has at most half of them:
// jobs that take long, such as calls to receivers that do not answer, must not keep those
// of other stores waiting. It is false when there is none for the moment.
func (q *queue) share(ctx context.Context, store string) (done func(), ok bool) {
	kept, _ := q.shares.LoadOrStore(store, make(chan struct{}, max(1, q.workers.config.Workers/2)))
	share := kept.(chan struct{})
	ctx, cancel := context.WithTimeout(ctx, shareWait)
	defer cancel()
	select {
	case share <- struct{}{}:
		return func() { <-share }, true
	case <-ctx.Done():
		return nil, false
	}
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
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: q.workers.config.Workers}},
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

// relaySQL takes due rows of the next stores after the last one served, a few of each.
// Stores are found by skipping along the index, at a cost of one probe for each store
// that has rows at all.
const relaySQL = `
with recursive stores as (
	(select store, 1 as n from %[1]s where store > $1 order by store limit 1)
	union all
	select (select o.store from %[1]s o where o.store > s.store order by o.store limit 1), s.n + 1
	from stores s where s.store is not null and s.n < $2
)
select o.id, o.store, o.kind, o.args, o.request_id, o.trace, o.run_at
from stores s, lateral (
	select id, store, kind, args, request_id, trace, run_at from %[1]s
	where store = s.store and run_at <= now()
	order by run_at, id limit greatest($3 - coalesce(($4::jsonb->>s.store)::int, 0), 0)
	for update skip locked
) o
where s.store is not null`

// readySQL counts what was handed over and is not begun, by store. Jobs of a paused store
// are put off again and again, and count as well: so most of them wait in the outbox.
const readySQL = `select coalesce(json_object_agg(store, n), '{}'), coalesce(sum(ready), 0)::int from (
	select coalesce(args->>'store', '') as store, count(*) as n, count(*) filter (where state = 'available') as ready
	from %s.river_job where state in ('available', 'scheduled') group by 1) j`

// relay hands due rows to River, and gives how many. It hands over only as much as the
// workers will soon get to: what waits, waits in the outbox, where it waits in turn.
func (q *queue) relay(ctx context.Context) (int, error) {
	var ready int
	var has []byte
	moved := 0
	err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.QueryRow(ctx, fmt.Sprintf(readySQL, q.schema)).Scan(&has, &ready); err != nil {
			return err
		}
		room := 8*q.workers.config.Workers - ready
		q.full.Store(ready > 0)
		if room <= 0 {
			return nil
		}
		each := min(max(1, room/max(1, q.served)), q.workers.config.Workers)
		if q.name == Control {
			each = room // it has one nameless store
		}
		jobs, rows, last, err := q.due(ctx, tx, each, string(has))
		if err == nil && len(rows) == 0 && q.last != "" {
			q.last = "" // past the last store: begin with the first
			jobs, rows, last, err = q.due(ctx, tx, each, string(has))
		}
		if err != nil || len(rows) == 0 {
			return err
		}
		if _, err := q.client.InsertManyFastTx(ctx, tx.Tx, jobs); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		if _, err := tx.Exec(ctx, `delete from `+q.outbox+` where id = any($1)`, rows); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		moved = len(rows)
		q.last = last
		return nil
	})
	if err != nil {
		return 0, err
	}
	if moved > 0 {
		q.workers.config.Observer.Relayed(q.name, moved)
	}
	return moved, nil
}

// due reads the rows of one pass, and the last store that they are of.
func (q *queue) due(ctx context.Context, tx *postgres.Tx, each int, has string) (jobs []river.InsertManyParams, rows []int64, last string, err error) {
	from := q.last
	if q.name == Control {
		from = "" // it has one nameless store
	}
	statement := fmt.Sprintf(relaySQL, q.outbox)
	if q.name == Control {
		statement = `select id, store, kind, args, request_id, trace, run_at from outbox where run_at <= now() and $1::text is not null and $2::int > 0 and $4::text is not null order by run_at, id limit $3::int for update skip locked`
	}
	result, err := tx.Query(ctx, statement, from, relayStores, each, has)
	if err != nil {
		return nil, nil, "", fmt.Errorf("read: %w", err)
	}
	defer result.Close()
	q.served = 0
	for result.Next() {
		var id int64
		var e envelope
		if err := result.Scan(&id, &e.Store, &e.kind, &e.Args, &e.RequestID, &e.Trace, &e.Due); err != nil {
			return nil, nil, "", err
		}
		if e.Store != last {
			q.served++
		}
		rows = append(rows, id)
		jobs = append(jobs, river.InsertManyParams{Args: e, InsertOpts: &river.InsertOpts{MaxAttempts: MaxAttempts}})
		last = max(last, e.Store)
	}
	return jobs, rows, last, result.Err()
}

// measure tells the observer how the queue stands.
func (q *queue) measure(ctx context.Context) error {
	var m Measure
	var oldest float64
	err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `
			select waiting.n, waiting.age, ready.n, aside.n from
				(select count(*) as n, coalesce(extract(epoch from now() - min(run_at)), 0)::float8 as age from `+q.outbox+` where run_at <= now()) waiting,
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
