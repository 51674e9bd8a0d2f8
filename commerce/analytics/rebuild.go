package analytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// edition is a set of sums, of the days of one time zone.
type edition struct {
	Number int    `json:"edition"`
	Zone   string `json:"zone"`
}

// next is an edition that is being made.
type next struct {
	Edition edition `json:"edition"`
	After   string  `json:"after"` // the last order that it has
}

// standing says which edition reports are read from. It is kept in settings.analytics.
type standing struct {
	Edition edition `json:"edition"`
	Next    *next   `json:"next,omitempty"`
}

const standingSQL = `select analytics, time_zone from settings where id = 1`

// turn waits until nobody else counts, and says which edition there is.
func turn(ctx context.Context, tx *postgres.Tx) (now standing, err error) {
	if _, err := tx.Exec(ctx, turnSQL); err != nil {
		return now, fmt.Errorf("wait for a turn: %w", err)
	}
	return stands(ctx, tx, standingSQL)
}

// stands says which edition there is. The first is of the store's time zone.
func stands(ctx context.Context, tx *postgres.Tx, statement string) (now standing, err error) {
	var raw []byte
	var zone string
	err = tx.QueryRow(ctx, statement).Scan(&raw, &zone)
	if err == nil {
		err = json.Unmarshal(raw, &now)
	}
	if err != nil {
		return now, fmt.Errorf("read which figures there are: %w", err)
	}
	if now.Edition.Zone == "" {
		now.Edition.Zone = zone
	}
	return now, nil
}

// writeSQL notes which edition there is, if $2 is still the one that is being made; zero is any.
const writeSQL = `update settings set analytics = $1::jsonb where id = 1 and ($2 = 0 or (analytics->'next'->'edition'->>'edition')::int = $2)`

func (now standing) write(ctx context.Context, tx *postgres.Tx, making int) error {
	raw, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("note which figures there are: %w", err)
	}
	tag, err := tx.Exec(ctx, writeSQL, string(raw), making)
	if err == nil && tag.RowsAffected() == 0 {
		err = errors.New("another edition was begun meanwhile")
	}
	if err != nil {
		return fmt.Errorf("note which figures there are: %w", err)
	}
	return nil
}

// JobRebuild is the kind of the job that makes a part of an edition; its arguments are
// RebuildArgs.
const JobRebuild = "analytics.rebuild"

// RebuildArgs are the arguments of a JobRebuild.
type RebuildArgs struct {
	Edition int `json:"edition"`
}

// step is how many orders a JobRebuild counts at a time: others who count wait for it.
const step = 500

// Follow has all figures made anew when the store's time zone is another. Reports are of the
// former days until that is done.
func Follow(ctx context.Context, tx *postgres.Tx, was, zone string) error {
	if was == zone {
		return nil
	}
	var known bool
	if err := tx.QueryRow(ctx, `select exists (select from pg_timezone_names where name = $1)`, zone).Scan(&known); err != nil {
		return fmt.Errorf("look for the time zone: %w", err)
	}
	if !known {
		return problem.New(problem.Unprocessable, "unknown_time_zone", "The database knows no such time zone.").At("/time_zone", "unknown_time_zone", "Take another name of it, such as Europe/Berlin.")
	}
	return begin(ctx, tx, was, zone)
}

// Again has all figures made anew, of the days of the store's time zone, which it gives.
func Again(ctx context.Context, tx *postgres.Tx) (zone string, err error) {
	if err := tx.QueryRow(ctx, `select time_zone from settings where id = 1`).Scan(&zone); err != nil {
		return "", fmt.Errorf("read the time zone: %w", err)
	}
	if err := begin(ctx, tx, zone, zone); err != nil {
		return "", err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "analytics.rebuild", ObjectID: tx.Store.ID, After: map[string]any{"time_zone": zone}})
	return zone, nil
}

// begin begins an edition of the days of a zone, in place of one that was begun. It takes no turn,
// as those who do write to the settings, which the caller may hold.
func begin(ctx context.Context, tx *postgres.Tx, was, zone string) error {
	now, err := stands(ctx, tx, standingSQL+` for no key update`)
	if err != nil {
		return err
	}
	number := now.Edition.Number + 1
	if number == 1 {
		now.Edition.Zone = was
	}
	if now.Next != nil {
		number = now.Next.Edition.Number + 1
	}
	now.Next = &next{Edition: edition{number, zone}}
	if err := now.write(ctx, tx, 0); err != nil {
		return err
	}
	journal.Job(tx, JobRebuild, RebuildArgs{number})
	return nil
}

// followingSQL are the orders after $1, as far as one step goes.
const followingSQL = `
with o as (select * from orders where id > $1 and state <> 'pending' order by id limit $2)
select coalesce(json_agg(` + recordJSON + ` order by o.id), '[]')::text from o left join analytics_orders b on b.order_id = o.id`

// Rebuild does a JobRebuild, and asks for the next until all orders are in the edition.
func (s *Service) Rebuild(ctx context.Context, args RebuildArgs) error {
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := turn(ctx, tx)
		if err != nil {
			return err
		}
		if now.Next == nil || now.Next.Edition.Number != args.Edition {
			return nil // it is done, or another was begun
		}
		list, err := read(ctx, tx, followingSQL, now.Next.After, step)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return finish(ctx, tx, now)
		}
		if err := fold(ctx, tx, now.Edition, list, true); err != nil {
			return err
		}
		if err := fold(ctx, tx, now.Next.Edition, list, false); err != nil {
			return err
		}
		if err := keep(ctx, tx, list); err != nil {
			return err
		}
		now.Next.After = list[len(list)-1].OrderID
		journal.Job(tx, JobRebuild, args)
		return now.write(ctx, tx, args.Edition)
	})
	if err != nil {
		return fmt.Errorf("rebuild the figures: %w", err)
	}
	return nil
}

// finish has reports read from the edition that was made.
func finish(ctx context.Context, tx *postgres.Tx, now standing) error {
	now = standing{Edition: now.Next.Edition}
	if err := now.write(ctx, tx, now.Edition.Number); err != nil {
		return err
	}
	for _, statement := range []string{
		`delete from analytics_orders b where not exists (select from orders o where o.id = b.order_id and o.state <> 'pending')`,
		`delete from analytics_figures where edition <> (select (analytics->'edition'->>'edition')::int from settings)`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("clear the former figures: %w", err)
		}
	}
	return nil
}
