package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// pace is how long jobs take. Each has a queue of River's and workers of its own, so that
// neither kind waits behind the other.
type pace string

// The paces, as River's queues.
const (
	quick pace = river.QueueDefault
	slow  pace = "slow"
)

// round is how far the relay is in serving the stores.
type round struct {
	last   string // the store that it came to last; empty to begin with the first
	served int    // how many stores had something due in the last pass
}

// relaySQL visits the next stores after $1, $2 of them, and takes due rows of each: as many
// as bring those that were handed over before ($4) to $3. A store that nothing is taken of
// is a row of nulls. Stores are found by skipping along the index, at a cost of one probe
// for each store that has rows at all.
const relaySQL = `
with recursive stores as (
	(select store, 1 as n from %[1]s where store > $1 order by store limit 1)
	union all
	select (select o.store from %[1]s o where o.store > s.store order by o.store limit 1), s.n + 1
	from stores s where s.store is not null and s.n < $2
)
select s.store, o.id, o.kind, o.args, coalesce(o.request_id, ''), coalesce(o.trace, ''), o.run_at
from stores s left join lateral (
	select id, kind, args, request_id, trace, run_at from %[1]s
	where store = s.store and run_at <= now() and (kind = any($5)) = $6
	order by run_at, id limit greatest($3 - coalesce(($4::jsonb->>s.store)::int, 0), 0)
	for update skip locked
) o on true
where s.store is not null`

// controlSQL is relaySQL of the control database, which has one nameless store.
const controlSQL = `
select store, id, kind, args, request_id, trace, run_at from outbox
where run_at <= now() and (kind = any($5)) = $6 and $1::text is not null and $2::int > 0 and $4::text is not null
order by run_at, id limit $3::int for update skip locked`

// readySQL counts what was handed over and is not begun, by store. Jobs of a paused store
// are put off again and again, and count as well: so most of them wait in the outbox.
const readySQL = `select coalesce(json_object_agg(store, n), '{}')::text, coalesce(sum(ready), 0)::int from (
	select coalesce(args->>'store', '') as store, count(*) as n, count(*) filter (where state = 'available') as ready
	from %s.river_job where state in ('available', 'scheduled') and queue = $1 group by 1) j`

// relay hands due rows to River, and gives how many.
func (q *queue) relay(ctx context.Context) (int, error) {
	moved, waiting := 0, false
	for _, p := range []pace{quick, slow} {
		var n, ready int
		err := q.in(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
			n, ready, err = q.relayAt(ctx, tx, p)
			return err
		})
		if err != nil {
			return moved, err
		}
		moved, waiting = moved+n, waiting || ready > 0
	}
	q.full.Store(waiting)
	if moved > 0 {
		q.workers.config.Observer.Relayed(q.name, moved)
	}
	return moved, nil
}

// relayAt hands over as much of a pace as the workers will soon get to, and gives how many
// and how many were ready before: what waits, waits in the outbox, where it waits in turn.
func (q *queue) relayAt(ctx context.Context, tx *postgres.Tx, p pace) (moved, ready int, err error) {
	var has string
	if err := tx.QueryRow(ctx, fmt.Sprintf(readySQL, q.schema), string(p)).Scan(&has, &ready); err != nil {
		return 0, 0, err
	}
	room := 8*q.workers.config.Workers - ready
	if room <= 0 {
		return 0, ready, nil
	}
	r := q.rounds[p]
	each := room // of the control database
	if q.name != Control {
		each = max(1, room/max(1, r.served))
	}
	if p == slow {
		each = min(each, q.workers.config.Workers)
	}
	for all := r.last == ""; ; {
		d, err := q.due(ctx, tx, p, r.last, each, has)
		if err != nil {
			return 0, ready, err
		}
		over := d.visited < relayStores // that was the last store
		if r.last = d.last; over {
			r.last = ""
		}
		if len(d.rows) > 0 {
			r.served = d.served
			return len(d.rows), ready, q.insert(ctx, tx, d)
		}
		if over && all {
			return 0, ready, nil
		}
		all = all || over
	}
}

// insert makes rows of the outbox jobs of the queue.
func (q *queue) insert(ctx context.Context, tx *postgres.Tx, d due) error {
	if _, err := q.client.InsertManyFastTx(ctx, tx.Tx, d.jobs); err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	if _, err := tx.Exec(ctx, `delete from `+q.outbox+` where id = any($1)`, d.rows); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

// due is what a pass found.
type due struct {
	jobs            []river.InsertManyParams
	rows            []int64
	visited, served int    // stores, and those of them that had something due
	last            string // the last store that was visited
}

// due reads the rows of one pass.
func (q *queue) due(ctx context.Context, tx *postgres.Tx, p pace, after string, each int, has string) (d due, err error) {
	statement := fmt.Sprintf(relaySQL, q.outbox)
	if q.name == Control {
		statement = controlSQL
	}
	result, err := tx.Query(ctx, statement, after, relayStores, each, has, q.workers.slow, p == slow)
	if err != nil {
		return d, fmt.Errorf("read: %w", err)
	}
	defer result.Close()
	stores, served := map[string]bool{}, map[string]bool{}
	for result.Next() {
		var id *int64
		var kind *string
		var at *time.Time
		var e envelope
		if err := result.Scan(&e.Store, &id, &kind, &e.Args, &e.RequestID, &e.Trace, &at); err != nil {
			return d, err
		}
		stores[e.Store], d.last = true, max(d.last, e.Store)
		if id == nil {
			continue
		}
		served[e.Store], e.kind, e.Due = true, *kind, *at
		d.rows = append(d.rows, *id)
		d.jobs = append(d.jobs, river.InsertManyParams{Args: e, InsertOpts: &river.InsertOpts{MaxAttempts: MaxAttempts, Queue: string(p)}})
	}
	d.visited, d.served = len(stores), len(served)
	return d, result.Err()
}

// share takes one of the workers for a slow job of a store, which has at most half of them
// for such: calls to receivers that do not answer must not keep all others waiting. It is
// false when there is none for the moment.
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
