package jobs

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// pace is how long jobs take. Each has a queue of River's and workers of its own, so that
// no kind waits behind those of another.
type pace string

// The paces, as River's queues.
const (
	quick pace = river.QueueDefault
	slow  pace = "slow"
	calls pace = "calls" // they wait for others' machines
)

var paces = []pace{quick, slow, calls}

// callsAtOnce is how many calls are made at once in a queue: one that waits costs little more
// than its connection.
const callsAtOnce = 512

// at is how many jobs of a pace are done at once in a queue.
func (w *Workers) at(p pace) int {
	if p == calls {
		return callsAtOnce
	}
	return w.config.Workers
}

// relaySQL is what a pass over the queue's outbox reads.
func (q *queue) relaySQL(p pace) string {
	switch {
	case q.name == Control:
		return controlSQL
	case p == calls:
		return fmt.Sprintf(relaySQL, q.outbox, `(store, lane) > ($1, $7)`, `(store, lane) > (s.store, s.lane)`, `s.lane`)
	default:
		return fmt.Sprintf(relaySQL, q.outbox, `store > $1`, `store > s.store`, `''`)
	}
}

// kinds are those of a pace; of the quick ones, which have no list, those that are not.
func (q *queue) kinds(p pace) []string {
	list := []string{} // nil would be null
	if p != quick {
		return append(list, q.workers.paces[p]...)
	}
	for _, p := range []pace{slow, calls} {
		list = append(list, q.workers.paces[p]...)
	}
	return list
}

// lane is a line in which jobs wait: of a store, or of something in it that has its own.
type lane struct{ store, name string }

func (l lane) compare(other lane) int {
	return cmp.Or(cmp.Compare(l.store, other.store), cmp.Compare(l.name, other.name))
}

// round is how far the relay is in serving the lanes.
type round struct {
	last   lane // the one that it came to last; empty to begin with the first
	served int  // how many had something due in the last pass
}

func newRounds() map[pace]*round {
	rounds := map[pace]*round{}
	for _, p := range paces {
		rounds[p] = &round{}
	}
	return rounds
}

// relaySQL visits the next lanes after $1 and $7, $2 of them, and takes due rows of each: as
// many as bring those that were handed over before ($4) to $3. A lane that nothing is taken
// of is a row of nulls. Lanes are found by skipping along the index, at a cost of one probe
// for each that has rows at all. Only calls have lanes; for all others a store is one.
const relaySQL = `
with recursive lanes as (
	(select store, lane, 1 as n from %[1]s where %[2]s order by store, lane limit 1)
	union all
	select o.store, o.lane, s.n + 1 from lanes s cross join lateral (
		select store, lane from %[1]s where %[3]s order by store, lane limit 1
	) o where s.n < $2
)
select s.store, %[4]s, o.id, o.kind, o.args, coalesce(o.request_id, ''), coalesce(o.trace, ''), o.run_at
from lanes s left join lateral (
	select id, kind, args, request_id, trace, run_at from %[1]s
	where store = s.store and lane = %[4]s and run_at <= now() and (kind = any($5)) = $6
	order by run_at, id limit greatest($3 - coalesce(($4::jsonb->>(s.store || '/' || %[4]s))::int, 0), 0)
	for update skip locked
) o on $7::text is not null`

// controlSQL is relaySQL of the control database, which has one nameless store.
const controlSQL = `
select store, '', id, kind, args, request_id, trace, run_at from outbox
where run_at <= now() and (kind = any($5)) = $6 and $1::text is not null and $2::int > 0 and $4::text is not null and $7::text is not null
order by run_at, id limit $3::int for update skip locked`

// readySQL counts what was handed over and is not begun, by lane, and which of it waits for
// nothing but a worker. Jobs that stand back, of a paused store or a lane that has its share,
// count for their lane: so most of those wait in the outbox. Where $2 says so, what is at work
// counts too.
const readySQL = `select coalesce(json_object_agg(lane, n), '{}')::text, coalesce(sum(ready), 0)::int from (
	select coalesce(args->>'store', '') || '/' || coalesce(args->>'lane', '') as lane, count(*) as n,
		count(*) filter (where state = 'available' and scheduled_at <= now()) as ready
	from %s.river_job where (state in ('available', 'scheduled') or $2 and state = 'running') and queue = $1 group by 1) j`

// relay hands due rows to River, and gives how many.
func (q *queue) relay(ctx context.Context) (int, error) {
	moved, waiting := 0, false
	for _, p := range paces {
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
// Of a lane of calls that is what it may have at work, and twice as much to come, or where it
// answers promptly five times of that; jobs of one that has its share are at work at times, too,
// to see whether they still have to stand back.
func (q *queue) relayAt(ctx context.Context, tx *postgres.Tx, p pace) (moved, ready int, err error) {
	var has string
	if err := tx.QueryRow(ctx, fmt.Sprintf(readySQL, q.schema), string(p), p == calls).Scan(&has, &ready); err != nil {
		return 0, 0, err
	}
	room := 8*q.workers.at(p) - ready
	if room <= 0 {
		return 0, ready, nil
	}
	r := q.rounds[p]
	each := room // of the control database
	if q.name != Control {
		each = max(1, room/max(1, r.served))
	}
	switch p {
	case slow:
		each = min(each, q.workers.at(p))
	case calls:
		each = min(each, 3*laneCalls)
		if has, err = q.shares.favour(has, 4*each); err != nil {
			return 0, 0, err
		}
	}
	for all := r.last == (lane{}); ; {
		d, err := q.due(ctx, tx, p, r.last, each, has)
		if err != nil {
			return 0, ready, err
		}
		over := d.visited < relayStores // that was the last one
		if r.last = d.last; over {
			r.last = lane{}
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
	visited, served int  // lanes, and those of them that had something due
	last            lane // the last one that was visited
}

// due reads the rows of one pass.
func (q *queue) due(ctx context.Context, tx *postgres.Tx, p pace, after lane, each int, has string) (d due, err error) {
	result, err := tx.Query(ctx, q.relaySQL(p), after.store, relayStores, each, has, q.kinds(p), p != quick, after.name)
	if err != nil {
		return d, fmt.Errorf("read: %w", err)
	}
	defer result.Close()
	visited, served := map[lane]bool{}, map[lane]bool{}
	for result.Next() {
		var id *int64
		var kind *string
		var at *time.Time
		var e envelope
		if err := result.Scan(&e.Store, &e.Lane, &id, &kind, &e.Args, &e.RequestID, &e.Trace, &at); err != nil {
			return d, err
		}
		l := lane{e.Store, e.Lane}
		if visited[l] = true; l.compare(d.last) > 0 {
			d.last = l
		}
		if id == nil {
			continue
		}
		served[l], e.kind, e.Due = true, *kind, *at
		d.rows = append(d.rows, *id)
		d.jobs = append(d.jobs, river.InsertManyParams{Args: e, InsertOpts: &river.InsertOpts{MaxAttempts: MaxAttempts, Queue: string(p)}})
	}
	d.visited, d.served = len(visited), len(served)
	return d, result.Err()
}
