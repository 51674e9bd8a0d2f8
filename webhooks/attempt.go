package webhooks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// disableAfter is how long an endpoint may fail before it is disabled.
const disableAfter = 5 * 24 * time.Hour

// schedule is how long after an attempt the next one follows. The first comes at once.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Doors is how an attempt enters the store: it reads what to send in one transaction,
// sends it in none, and writes down what came of it in another.
type Doors interface {
	InStore(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error
}

// Attempt makes the attempt that a job is for. It gives what came of it, and false when
// there was nothing to do.
func (s *Service) Attempt(ctx context.Context, db Doors, deliveryID string, number int) (Attempt, bool, error) {
	var d Delivery
	var e Endpoint
	var event Event
	var secrets []string
	due := false
	err := db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if d, err = lockDelivery(ctx, tx, deliveryID); err != nil || d.State != "pending" || len(d.Attempts)+1 != number {
			return err
		}
		if e, err = s.enabled(ctx, tx, d.EndpointID); err == nil {
			event, err = s.Event(ctx, tx, d.EventID)
		}
		if problem.As(err) != nil {
			return s.drop(ctx, tx, d.ID) // the endpoint is disabled, or one of both is gone
		}
		if err != nil {
			return err
		}
		due = true
		secrets, err = s.signingSecrets(tx, e)
		return err
	})
	if problem.Is(err, "not_found") {
		return Attempt{}, false, nil // the delivery was kept long enough
	}
	if err != nil || !due {
		return Attempt{}, false, err
	}
	attempt, after := s.deliver.send(ctx, e.URL, event, secrets)
	attempt.Number = number
	err = db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return s.record(ctx, tx, d.ID, attempt, after)
	})
	return attempt, err == nil, err
}

// drop ends a delivery that is not tried any more.
func (s *Service) drop(ctx context.Context, tx *postgres.Tx, id string) error {
	_, err := tx.Exec(ctx, `update cell.deliveries set state = 'failed', next_at = null, updated_at = $2 where id = $1`, id, clock.Now())
	if err != nil {
		return fmt.Errorf("drop delivery %s: %w", id, err)
	}
	return nil
}

// record writes an attempt down and says when the next one follows, if any.
func (s *Service) record(ctx context.Context, tx *postgres.Tx, id string, attempt Attempt, after time.Duration) error {
	d, err := lockDelivery(ctx, tx, id)
	if err != nil {
		return err
	}
	if len(d.Attempts)+1 != attempt.Number {
		return nil // another worker was quicker
	}
	d.Attempts = append(d.Attempts, attempt)
	now := clock.Now()
	state, next := "pending", (*time.Time)(nil)
	switch {
	case attempt.succeeded():
		state = "delivered"
		_, err = tx.Exec(ctx, `update webhook_endpoints set failing_since = null where id = $1 and failing_since is not null`, d.EndpointID)
	case attempt.Status == http.StatusGone:
		state = "failed"
		err = s.disable(ctx, tx, d.EndpointID, ReasonGone, attempt)
	case attempt.Number > len(s.schedule):
		state = "failed"
		err = s.failing(ctx, tx, d.EndpointID, now)
	default:
		// Jitter keeps the repetitions of one outage from coming back all at once.
		wait := s.schedule[attempt.Number-1]
		wait = max(wait+time.Duration(rand.Int64N(int64(wait)/5+1)), after)
		at := now.Add(wait)
		next = &at
		deliver(tx, d.EndpointID, at, deliverArgs{id, attempt.Number + 1})
		err = s.failing(ctx, tx, d.EndpointID, now)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update cell.deliveries set state = $2, attempts = $3, next_at = $4, updated_at = $5 where id = $1`, id, state, d.Attempts, next, now)
	if err != nil {
		return fmt.Errorf("record attempt %d of %s: %w", attempt.Number, id, err)
	}
	return nil
}

// failing notes that an endpoint fails, and has somebody look whether it still does when
// that is no longer borne.
func (s *Service) failing(ctx context.Context, tx *postgres.Tx, id EndpointID, now time.Time) error {
	tag, err := tx.Exec(ctx, `update webhook_endpoints set failing_since = $2 where id = $1 and enabled and failing_since is null`, id, now)
	if err != nil {
		return fmt.Errorf("note that %s fails: %w", id, err)
	}
	if tag.RowsAffected() == 1 {
		journal.JobAt(tx, now.Add(disableAfter), JobFailing, failingArgs{id, now})
	}
	return nil
}

// GiveUp disables an endpoint that has been failing since an instant without a break.
func (s *Service) GiveUp(ctx context.Context, tx *postgres.Tx, id EndpointID, since time.Time) error {
	var last Attempt
	err := tx.QueryRow(ctx, `select d.attempts->-1 from webhook_endpoints e join cell.deliveries d on d.endpoint_id = e.id
		where e.id = $1 and e.failing_since = $2 and jsonb_array_length(d.attempts) > 0 order by d.updated_at desc limit 1`, id, since).Scan(&last)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // it got better meanwhile, or is gone
	}
	if err != nil {
		return fmt.Errorf("look at %s: %w", id, err)
	}
	return s.disable(ctx, tx, id, ReasonFailing, last)
}

// JobDisabled is the kind of the job that writes to the store's owner that an endpoint was
// disabled; its arguments are DisabledArgs.
const JobDisabled = "webhook_disabled"

// ActionDisable is what the audit calls it.
const ActionDisable = "webhook_endpoint.disable"

// Why an endpoint was disabled without its merchant's doing.
const (
	ReasonGone    = "gone"    // it answered 410
	ReasonFailing = "failing" // nothing was delivered for too long
)

// DisabledArgs are the arguments of a JobDisabled.
type DisabledArgs struct {
	MailID      string     `json:"mail_id"` // so that sending twice can be noticed
	EndpointID  EndpointID `json:"endpoint_id"`
	URL         string     `json:"url"`
	Reason      string     `json:"reason"`
	Since       time.Time  `json:"since"` // when it began to fail
	LastFailure string     `json:"last_failure"`
}

func (s *Service) disable(ctx context.Context, tx *postgres.Tx, id EndpointID, reason string, last Attempt) error {
	args := DisabledArgs{MailID: ids.New("mail"), EndpointID: id, Reason: reason, LastFailure: last.Error}
	err := tx.QueryRow(ctx, `update webhook_endpoints set enabled = false, disabled_reason = $2, version = version + 1, updated_at = now()
		where id = $1 and enabled returning url, coalesce(failing_since, $3)`, id, reason, last.At).Scan(&args.URL, &args.Since)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("disable %s: %w", id, err)
	}
	journal.Event(ctx, tx, "webhook_endpoint.disabled", id, Endpoint{ID: id, URL: args.URL}.told())
	journal.Audit(ctx, tx, journal.Entry{Action: ActionDisable, ObjectID: id, Reason: reason})
	journal.Job(tx, JobDisabled, args)
	return nil
}
