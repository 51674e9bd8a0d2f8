package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// TaskSchedule is the regular task that asks for what is due.
const TaskSchedule = "keeping.schedule"

// patience is after how long what failed is tried again.
const patience = 15 * time.Minute

// Schedule asks for everything that is due. It is a regular task of any worker; whoever can
// do what it asks for takes it up.
func (k *Keeper) Schedule(ctx context.Context) error {
	errs := []error{k.Unreached}
	if k.Backups() {
		for _, stanza := range k.Clusters() {
			errs = append(errs, k.scheduleStanza(ctx, stanza))
		}
	}
	if k.Archives != nil {
		errs = append(errs, k.askForStores(ctx))
		last, err := k.last(ctx, Files, "")
		if err == nil && due(last, k.DifferentialEvery) {
			err = k.ask(ctx, Files, "")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Backups says whether the databases are said to lie in stanzas of pgBackRest.
func (k *Keeper) Backups() bool { return len(k.Stanzas) > 0 }

func (k *Keeper) scheduleStanza(ctx context.Context, stanza string) error {
	full, err := k.last(ctx, Full, stanza)
	if err != nil {
		return err
	}
	differential, err := k.last(ctx, Differential, stanza)
	if err != nil {
		return err
	}
	if differential.Before(full) {
		differential = full // which has all that it would have
	}
	switch {
	case due(full, k.FullEvery):
		err = k.ask(ctx, Full, stanza)
	case due(differential, k.DifferentialEvery):
		err = k.ask(ctx, Differential, stanza)
	}
	tested, lastErr := k.last(ctx, RestoreTest, stanza)
	if err = errors.Join(err, lastErr); err != nil || full.IsZero() || !due(tested, k.TestEvery) {
		return err
	}
	return k.ask(ctx, RestoreTest, stanza)
}

// last is when something last went well; zero for never.
func (k *Keeper) last(ctx context.Context, kind Kind, subject string) (time.Time, error) {
	run, found, err := k.Succeeded(ctx, kind, subject)
	if err != nil || !found {
		return time.Time{}, err
	}
	return *run.Finished, nil
}

// ask has something be done, unless it failed only just now.
func (k *Keeper) ask(ctx context.Context, kind Kind, subject string) error {
	failed, err := k.list(ctx, `where kind = $1 and subject = $2 and state = 'failed' and finished_at > $3`, string(kind), subject, clock.Now().Add(-patience))
	if err != nil || len(failed) > 0 {
		return err
	}
	_, err = k.Ask(ctx, kind, subject, nil, "schedule")
	return err
}

// Forget takes runs out of the ledger that are older than what is kept, but for the last
// good one of each kind and subject, and archives of stores, which go with their files. What
// was restored, or replaced, a month ago and nobody discarded goes as well: people may have
// been erased from the living store since.
func (k *Keeper) Forget(ctx context.Context) error {
	if err := k.discardOld(ctx); err != nil {
		return err
	}
	return k.exec(ctx, `
		delete from keeping_runs r where state in ('succeeded', 'failed') and finished_at < $1 and not (kind = 'store' and state = 'succeeded')
			and exists (select from keeping_runs n where n.kind = r.kind and n.subject = r.subject and n.state = 'succeeded' and n.finished_at > r.finished_at)`,
		clock.Now().Add(-max(k.Keep, 30*24*time.Hour)))
}

func (k *Keeper) discardOld(ctx context.Context) error {
	type left struct {
		ID   string
		Mode principal.Mode
	}
	var old []left
	err := k.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select store_id, mode from store_restores where state <> 'discarded' and greatest(created_at, swapped_at) < now() - interval '30 days'`)
		if err != nil {
			return err
		}
		old, err = pgx.CollectRows(rows, pgx.RowToStructByPos[left])
		return err
	})
	for _, l := range old {
		err = errors.Join(err, k.Discard(ctx, l.ID, l.Mode))
	}
	if err != nil {
		return fmt.Errorf("discard what was restored a month ago: %w", err)
	}
	return nil
}

// Standing is how the keeping stands, for metrics.
type Standing struct {
	LastGood   map[Kind]time.Time // of the subject that is worst off
	Size       map[Kind]int64     // of the last good one of each subject, added up
	TestGood   bool               // the last test that ended, of each stanza, ended well
	Tested     bool               // there was one
	WALArchive time.Time          // until when the log of all databases is in the repository
}

// Stand reads how the keeping stands.
func (k *Keeper) Stand(ctx context.Context) (s Standing, err error) {
	s = Standing{LastGood: map[Kind]time.Time{}, Size: map[Kind]int64{}, TestGood: true}
	for _, stanza := range k.Clusters() {
		for _, kind := range []Kind{Full, Differential, RestoreTest} {
			run, found, err := k.Succeeded(ctx, kind, stanza)
			if err != nil {
				return s, err
			}
			s.good(kind, run, found)
		}
		ended, err := k.list(ctx, `where kind = 'restore_test' and subject = $1 and state in ('succeeded', 'failed') order by finished_at desc limit 1`, stanza)
		if err != nil {
			return s, err
		}
		for _, run := range ended {
			s.Tested, s.TestGood = true, s.TestGood && run.State == "succeeded"
		}
	}
	// A full backup has all that a differential one would have.
	if full, ok := s.LastGood[Full]; ok && full.After(s.LastGood[Differential]) {
		s.LastGood[Differential] = full
	}
	if k.Archives != nil {
		run, found, err := k.Succeeded(ctx, Files, "")
		if err != nil {
			return s, err
		}
		s.good(Files, run, found)
		if s.LastGood[Store], err = k.storesGood(ctx); err != nil {
			return s, err
		}
		stores, err := k.list(ctx, `where id in (select distinct on (subject) id from keeping_runs where kind = 'store' and state = 'succeeded' order by subject, finished_at desc)`)
		if err != nil {
			return s, err
		}
		for _, run := range stores {
			s.Size[Store] += run.Bytes
		}
	}
	s.WALArchive, err = k.archived(ctx)
	return s, err
}

// storesGood is until when all stores are archived that were written to: while none waits,
// until they were last looked through, which is a regular task.
func (k *Keeper) storesGood(ctx context.Context) (at time.Time, err error) {
	var read *time.Time
	err = k.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select coalesce(
			(select min(coalesce((select max(g.finished_at) from keeping_runs g where g.kind = 'store' and g.subject = r.subject and g.state = 'succeeded'), r.asked_at))
				from keeping_runs r where r.kind = 'store' and (r.state in ('waiting', 'running') or r.state = 'failed'
					and not exists (select from keeping_runs l where l.kind = 'store' and l.subject = r.subject and l.state = 'succeeded' and l.finished_at > r.finished_at))),
			(select succeeded_at from tasks where name = $1))`, TaskSchedule).Scan(&read)
	})
	if err == nil && read != nil {
		at = *read
	}
	return at, err
}

func (s *Standing) good(kind Kind, run Run, found bool) {
	at := time.Time{}
	if found {
		at = *run.Finished
		s.Size[kind] += run.Bytes
	}
	if last, known := s.LastGood[kind]; !known || at.Before(last) {
		s.LastGood[kind] = at
	}
}

// StoreArchives lists the archives of a side of a store, the latest first.
func (k *Keeper) StoreArchives(ctx context.Context, subject string) (list []Archived, err error) {
	runs, err := k.list(ctx, `where kind = 'store' and subject = $1 and state = 'succeeded' order by finished_at desc`, subject)
	for _, run := range runs {
		var a Archived
		if err := json.Unmarshal(run.Detail, &a); err == nil {
			list = append(list, a)
		}
	}
	return list, err
}
