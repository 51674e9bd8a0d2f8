package webhooks

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobRecover is the kind of the job that sends an endpoint what it has missed; its
// arguments are recoverArgs.
const JobRecover = "webhook_recover"

// recoverSlice is how many events one such job looks at; the next follows it.
const recoverSlice = 500

type recoverArgs struct {
	EndpointID EndpointID `json:"endpoint_id"`
	Since      time.Time  `json:"since"`
	Until      time.Time  `json:"until"` // what happens from then on is sent anyhow
	After      string     `json:"after"` // the ID of the last event that was looked at
}

// Recover sends an endpoint all events since an instant that it wants and has not taken:
// those whose attempts failed, and those that it was not sent while it was disabled or did
// not exist.
func (s *Service) Recover(ctx context.Context, tx *postgres.Tx, id EndpointID, since time.Time) error {
	if _, err := s.enabled(ctx, tx, id); err != nil {
		return err
	}
	journal.Job(tx, JobRecover, recoverArgs{EndpointID: id, Since: since, Until: clock.Now()})
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.recover", ObjectID: id, After: map[string]any{"since": since}})
	return nil
}

// enabled is an endpoint that things can be sent to.
func (s *Service) enabled(ctx context.Context, tx *postgres.Tx, id EndpointID) (Endpoint, error) {
	e, err := s.Get(ctx, tx, id)
	if err == nil && !e.Enabled {
		return e, problem.New(problem.Conflict, "endpoint_disabled", "The endpoint is disabled. Enable it first.")
	}
	return e, err
}

// missed are the events of a slice, in their order, with what became of their deliveries.
// A test was for one endpoint alone, and is over.
const missed = `
select e.id, e.type, coalesce(d.id, ''), coalesce(d.state, ''), coalesce(jsonb_array_length(d.attempts), 0)
from events e left join cell.deliveries d on d.endpoint_id = $1 and d.event_id = e.id
where e.created_at >= $2 and e.created_at < $3 and e.id > $4 and e.type <> 'webhook.test'
order by e.id limit $5`

// recoverSome sends what is missing of a slice of events, and asks for the next slice.
func (s *Service) recoverSome(ctx context.Context, tx *postgres.Tx, args recoverArgs) error {
	e, err := s.enabled(ctx, tx, args.EndpointID)
	if problem.As(err) != nil {
		return nil // gone or disabled in the meantime
	}
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, missed, e.ID, args.Since, args.Until, args.After, recoverSlice)
	if err != nil {
		return fmt.Errorf("events that %s missed: %w", e.ID, err)
	}
	type event struct {
		id, kind, delivery, state string
		attempts                  int
	}
	var slice []event
	for rows.Next() {
		var x event
		if err := rows.Scan(&x.id, &x.kind, &x.delivery, &x.state, &x.attempts); err != nil {
			return err
		}
		slice = append(slice, x)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("events that %s missed: %w", e.ID, err)
	}
	for _, x := range slice {
		switch {
		case !e.Wants(x.kind):
		case x.delivery == "":
			err = s.enqueue(ctx, tx, e.ID, Event{ID: x.id, Type: x.kind})
		case x.state == "failed":
			err = s.again(ctx, tx, x.delivery, x.attempts+1)
		}
		if err != nil {
			return err
		}
	}
	if len(slice) == recoverSlice {
		args.After = slice[len(slice)-1].id
		journal.Job(tx, JobRecover, args)
	}
	return nil
}

// again has a delivery tried once more, now.
func (s *Service) again(ctx context.Context, tx *postgres.Tx, id string, attempt int) error {
	if _, err := tx.Exec(ctx, `update cell.deliveries set state = 'pending', next_at = $2, updated_at = $2 where id = $1`, id, clock.Now()); err != nil {
		return fmt.Errorf("resend %s: %w", id, err)
	}
	journal.Job(tx, JobDeliver, deliverArgs{id, attempt})
	return nil
}
