package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Kind is what a run does.
type Kind string

// The kinds of runs. A subject is a stanza of pgBackRest for the first three and for the
// test, a store for those of stores, and empty for files.
const (
	Full         Kind = "full"
	Differential Kind = "differential"
	Incremental  Kind = "incremental"
	Files        Kind = "files"
	Store        Kind = "store"
	RestoreTest  Kind = "restore_test"
	RestoreStore Kind = "restore_store"
	LoadStore    Kind = "load_store" // the same from an archive
)

// ofClusters need the repository, the others only the place for archives.
var (
	ofClusters = []Kind{Full, Differential, Incremental, RestoreTest, RestoreStore}
	ofArchives = []Kind{Files, Store, LoadStore}
)

// Run is one piece of work that may take long, as the ledger has it.
type Run struct {
	ID       string
	Kind     Kind
	Subject  string
	Args     json.RawMessage
	AskedBy  string
	State    string // waiting, running, succeeded or failed
	Attempts int
	Progress float64 // from 0 to 1
	Host     string
	Bytes    int64
	Detail   json.RawMessage
	Error    string
	Asked    time.Time
	Started  *time.Time
	Finished *time.Time
}

// Ended says whether nothing more will come of the run.
func (r *Run) Ended() bool { return r.State == "succeeded" || r.State == "failed" }

const (
	selectRun = `
select id, kind, subject, args, asked_by, state, attempts, progress::float8, host, bytes, detail, error, asked_at, started_at, finished_at from keeping_runs `

	// askFor gives the run of the same kind and subject that is open, where there is one.
	askFor = `
with made as (insert into keeping_runs (id, kind, subject, args, asked_by) values ($1, $2, $3, $4, $5)
	on conflict (kind, subject) where state in ('waiting', 'running') do nothing returning id)
select id from made union all
select id from keeping_runs where kind = $2 and subject = $3 and state in ('waiting', 'running') limit 1`

	// takeRun leaves alone what is of clusters that lie elsewhere: stanzas, and the stores of cells.
	takeRun = `
update keeping_runs set state = 'running', attempts = attempts + 1, host = $2, started_at = coalesce(started_at, now()), lease_until = now() + $3::interval
where id = (select id from keeping_runs r where kind = any ($1) and (state = 'waiting' or state = 'running' and lease_until < now())
	and not subject = any ($4)
	and not (kind = 'restore_store' and exists (select from schemas s where s.store_id || '/' || s.mode = r.subject and s.state = 'taken' and s.cell = any ($5)))
	order by asked_at limit 1 for update skip locked)
returning id`

	holdRun = `update keeping_runs set lease_until = now() + $2::interval, progress = $3 where id = $1 and state = 'running'`

	endRun = `
update keeping_runs set state = $2, error = $3, bytes = $4, detail = $5, progress = case when $2 = 'succeeded' then 1 else progress end, lease_until = null, finished_at = now()
where id = $1`
)

func scanRun(row pgx.CollectableRow) (r Run, err error) {
	return r, row.Scan(&r.ID, &r.Kind, &r.Subject, &r.Args, &r.AskedBy, &r.State, &r.Attempts, &r.Progress, &r.Host, &r.Bytes, &r.Detail, &r.Error, &r.Asked, &r.Started, &r.Finished)
}

// Ledger is where runs are asked for and written down, in the control database.
type Ledger struct{ db *postgres.DB }

// Ask has something be done by whoever can. What is asked for already is not asked twice:
// then the ID is that of the run that is open.
func (l Ledger) Ask(ctx context.Context, kind Kind, subject string, args any, by string) (id string, err error) {
	if args == nil {
		args = struct{}{}
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	err = l.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, askFor, ids.New("run"), string(kind), subject, json.RawMessage(raw), by).Scan(&id)
	})
	if err != nil {
		return "", fmt.Errorf("ask for %s of %q: %w", kind, subject, err)
	}
	return id, nil
}

// Get reads one run.
func (l Ledger) Get(ctx context.Context, id string) (Run, error) {
	list, err := l.list(ctx, `where id = $1`, id)
	if err == nil && len(list) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		return Run{}, fmt.Errorf("run %s: %w", id, err)
	}
	return list[0], nil
}

// Latest lists the latest runs, of a kind where one is given.
func (l Ledger) Latest(ctx context.Context, kind Kind, most int) ([]Run, error) {
	return l.list(ctx, `where $1 in ('', kind) order by asked_at desc limit $2`, string(kind), most)
}

// Succeeded is the latest run that came to a good end; false when there is none.
func (l Ledger) Succeeded(ctx context.Context, kind Kind, subject string) (Run, bool, error) {
	list, err := l.list(ctx, `where kind = $1 and subject = $2 and state = 'succeeded' order by finished_at desc limit 1`, string(kind), subject)
	if err != nil || len(list) == 0 {
		return Run{}, false, err
	}
	return list[0], true, nil
}

func (l Ledger) list(ctx context.Context, where string, args ...any) (list []Run, err error) {
	err = l.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, selectRun+where, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, scanRun)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return list, nil
}

func (l Ledger) exec(ctx context.Context, statement string, args ...any) error {
	return l.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
}

// elsewhere are clusters that this process cannot reach, and the databases that lie in them.
type elsewhere struct{ stanzas, databases []string }

// take gives a run that waits, or whose process died; nil when there is none.
func (l Ledger) take(ctx context.Context, kinds []Kind, host string, not elsewhere) (*Run, error) {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	var id string
	err := l.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, takeRun, names, host, lease, append([]string{}, not.stanzas...), append([]string{}, not.databases...)).Scan(&id)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take a run: %w", err)
	}
	run, err := l.Get(ctx, id)
	return &run, err
}
