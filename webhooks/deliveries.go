package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Job kinds.
const (
	JobEvent   = journal.JobEvent  // an event is to be sent to those who want it
	JobDeliver = "webhook_deliver" // one attempt of a delivery
	JobRecover = "webhook_recover" // a page of events is to be sent that did not arrive
	JobFailing = "webhook_failing" // an endpoint has been failing for as long as is borne
)

// Delivery is an event on its way to an endpoint.
type Delivery struct {
	ID          string
	EndpointID  EndpointID
	EventID     string
	EventType   string
	State       string // pending, delivered, failed
	Attempts    []Attempt
	NextAt      *time.Time
	DeliveredAt *time.Time
	CreatedAt   time.Time
}

// Attempt is one try, with what was answered.
type Attempt struct {
	Number     int       `json:"number"`
	At         time.Time `json:"at"`
	Status     int       `json:"status"` // zero when there was no answer
	DurationMS int64     `json:"duration_ms"`
	Error      string    `json:"error"`
	Excerpt    string    `json:"response_excerpt"`

	Blocked  bool `json:"-"` // the address may not be reached
	TimedOut bool `json:"-"`
}

func (a Attempt) succeeded() bool { return a.Status >= 200 && a.Status < 300 }

// deliverArgs are the arguments of a JobDeliver. Attempt is the number of the try that the
// job is for, so that a job that runs twice does it once.
type deliverArgs struct {
	DeliveryID string `json:"delivery_id"`
	Attempt    int    `json:"attempt"`
}

// deliver has the workers make an attempt. Each endpoint is a lane of its own, so that none
// waits for the receiver of another.
func deliver(tx *postgres.Tx, endpoint EndpointID, at time.Time, args deliverArgs) {
	journal.JobIn(tx, endpoint, at, JobDeliver, args)
}

// recoverArgs are the arguments of a JobRecover: the events since an instant, after one.
type recoverArgs struct {
	EndpointID EndpointID `json:"endpoint_id"`
	Since      time.Time  `json:"since"`
	After      string     `json:"after"`
}

// failingArgs are the arguments of a JobFailing.
type failingArgs struct {
	EndpointID EndpointID `json:"endpoint_id"`
	Since      time.Time  `json:"since"`
}

const deliveryColumns = `id, endpoint_id, event_id, event_type, state, attempts, next_at, updated_at, created_at`

func scanDelivery(row pgx.CollectableRow) (Delivery, error) {
	var d Delivery
	var updated time.Time
	err := row.Scan(&d.ID, &d.EndpointID, &d.EventID, &d.EventType, &d.State, &d.Attempts, &d.NextAt, &updated, &d.CreatedAt)
	if d.State == "delivered" {
		d.DeliveredAt = &updated
	}
	return d, err
}

// FanOut makes a delivery of an event for each endpoint that wants it. Run twice it does
// so once.
func (s *Service) FanOut(ctx context.Context, tx *postgres.Tx, eventID string) error {
	event, err := s.Event(ctx, tx, eventID)
	if problem.Is(err, "not_found") {
		return nil // expired, or of a store that was restored from before it
	}
	if err != nil {
		return err
	}
	endpoints, err := s.List(ctx, tx, "", MaxEndpoints)
	if err != nil {
		return err
	}
	for _, e := range endpoints {
		if e.Enabled && e.Wants(event.Type) {
			if err := s.enqueue(ctx, tx, e.ID, event); err != nil {
				return err
			}
		}
	}
	return nil
}

// enqueue makes a delivery, once for each endpoint and event.
func (s *Service) enqueue(ctx context.Context, tx *postgres.Tx, endpoint EndpointID, event Event) error {
	id := ids.New("dlv")
	tag, err := tx.Exec(ctx, `insert into cell.deliveries (id, endpoint_id, event_id, event_type, state, next_at)
		values ($1, $2, $3, $4, 'pending', now()) on conflict (store, endpoint_id, event_id) do nothing`, id, endpoint, event.ID, event.Type)
	if err != nil {
		return fmt.Errorf("make a delivery of %s to %s: %w", event.ID, endpoint, err)
	}
	if tag.RowsAffected() == 1 {
		deliver(tx, endpoint, clock.Now(), deliverArgs{id, 1})
	}
	return nil
}

// SendTest sends an endpoint, and no other, an event of type webhook.test.
func (s *Service) SendTest(ctx context.Context, tx *postgres.Tx, id EndpointID, message string) (Delivery, error) {
	e, err := s.enabled(ctx, tx, id)
	if err != nil {
		return Delivery{}, err
	}
	// The event is for this endpoint alone: no job fans it out.
	event := Event{ID: ids.New("evt"), Type: "webhook.test"}
	if event.Data, err = json.Marshal(map[string]any{"endpoint_id": e.ID, "message": message}); err != nil {
		return Delivery{}, err
	}
	if _, err := tx.Exec(ctx, `insert into events (id, type, object_id, object_sequence, data, request_id, created_at) values ($1, $2, $3, `+journal.Sequence("$3")+`, $4, $5, $6)`,
		event.ID, event.Type, e.ID, string(event.Data), principal.From(ctx).RequestID, clock.Now()); err != nil {
		return Delivery{}, fmt.Errorf("test event: %w", err)
	}
	if err := s.enqueue(ctx, tx, e.ID, event); err != nil {
		return Delivery{}, err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.test", ObjectID: e.ID})
	rows, err := tx.Query(ctx, `select `+deliveryColumns+` from cell.deliveries where endpoint_id = $1 and event_id = $2`, e.ID, event.ID)
	if err != nil {
		return Delivery{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanDelivery)
}

// Deliveries lists the deliveries of an endpoint, the latest first; state and eventID
// limit them where given.
func (s *Service) Deliveries(ctx context.Context, tx *postgres.Tx, endpoint EndpointID, state, eventID, before string, limit int) ([]Delivery, error) {
	if _, err := s.Get(ctx, tx, endpoint); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `select `+deliveryColumns+` from cell.deliveries
		where endpoint_id = $1 and ($2 = '' or state = $2) and ($3 = '' or event_id = $3) and ($4 = '' or id < $4) order by id desc limit $5`,
		endpoint, state, eventID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list deliveries of %s: %w", endpoint, err)
	}
	return pgx.CollectRows(rows, scanDelivery)
}

// Resend tries a delivery once more, now, whatever became of it.
func (s *Service) Resend(ctx context.Context, tx *postgres.Tx, id string) (Delivery, error) {
	d, err := lockDelivery(ctx, tx, id)
	if err != nil {
		return d, err
	}
	if _, err := s.enabled(ctx, tx, d.EndpointID); err != nil {
		return d, err
	}
	now := clock.Now()
	if _, err := tx.Exec(ctx, `update cell.deliveries set state = 'pending', next_at = $2, updated_at = $2 where id = $1`, id, now); err != nil {
		return d, fmt.Errorf("resend %s: %w", id, err)
	}
	d.State, d.NextAt, d.DeliveredAt = "pending", &now, nil
	deliver(tx, d.EndpointID, now, deliverArgs{id, len(d.Attempts) + 1})
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_delivery.resend", ObjectID: id})
	return d, nil
}

// Recover has all events since an instant sent to an endpoint that wants them and did not
// get them, whatever the reason: they failed, or it was disabled or not there yet.
func (s *Service) Recover(ctx context.Context, tx *postgres.Tx, id EndpointID, since time.Time) error {
	if _, err := s.enabled(ctx, tx, id); err != nil {
		return err
	}
	journal.Job(tx, JobRecover, recoverArgs{EndpointID: id, Since: since})
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.recover", ObjectID: id, After: map[string]any{"since": since}})
	return nil
}

// recoverAtOnce is how many events a job looks at before it asks for the next to go on.
const recoverAtOnce = 500

// passed is an event that a recovery passes by, and what became of it at the endpoint.
type passed struct {
	Event, EventType, Delivery, State string
	Attempts                          int
}

// recoverSQL gives a page of events. Tests are not among them: nothing happened.
const recoverSQL = `
select e.id, e.type, coalesce(d.id, ''), coalesce(d.state, ''), coalesce(jsonb_array_length(d.attempts), 0) from (
	select id, type from events where created_at >= $2 and id > $3 and type <> 'webhook.test' order by id limit $4
) e left join cell.deliveries d on d.endpoint_id = $1 and d.event_id = e.id order by e.id`

// missedSQL makes deliveries of events that there were none of.
const missedSQL = `
insert into cell.deliveries (id, endpoint_id, event_id, event_type, state, next_at)
select x.id, $1, x.event, x.type, 'pending', now() from unnest($2::text[], $3::text[], $4::text[]) x(id, event, type)
on conflict (store, endpoint_id, event_id) do nothing`

// recoverPage works on a page of a recovery, and asks for the next.
func (s *Service) recoverPage(ctx context.Context, tx *postgres.Tx, args recoverArgs) error {
	e, err := s.enabled(ctx, tx, args.EndpointID)
	if problem.As(err) != nil {
		return nil // nobody is there to get them
	}
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, recoverSQL, e.ID, args.Since, args.After, recoverAtOnce)
	if err != nil {
		return fmt.Errorf("look for events that %s missed: %w", e.ID, err)
	}
	page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[passed])
	if err != nil {
		return fmt.Errorf("look for events that %s missed: %w", e.ID, err)
	}
	var again, made, events, types []string
	for _, p := range page {
		switch {
		case p.State == "" && e.Wants(p.EventType):
			p.Delivery = ids.New("dlv")
			made, events, types = append(made, p.Delivery), append(events, p.Event), append(types, p.EventType)
		case p.State == "failed":
			again = append(again, p.Delivery)
		default:
			continue
		}
		deliver(tx, e.ID, clock.Now(), deliverArgs{p.Delivery, p.Attempts + 1})
	}
	if _, err := tx.Exec(ctx, missedSQL, e.ID, made, events, types); err != nil {
		return fmt.Errorf("make deliveries to %s: %w", e.ID, err)
	}
	if _, err := tx.Exec(ctx, `update cell.deliveries set state = 'pending', next_at = now(), updated_at = now() where id = any($1)`, again); err != nil {
		return fmt.Errorf("deliver to %s again: %w", e.ID, err)
	}
	if len(page) == recoverAtOnce {
		args.After = page[len(page)-1].Event
		journal.Job(tx, JobRecover, args)
	}
	return nil
}

// enabled gives an endpoint that something can be sent to.
func (s *Service) enabled(ctx context.Context, tx *postgres.Tx, id EndpointID) (Endpoint, error) {
	e, err := s.Get(ctx, tx, id)
	if err == nil && !e.Enabled {
		err = problem.New(problem.Conflict, "endpoint_disabled", "The endpoint is disabled. Enable it first.")
	}
	return e, err
}

func lockDelivery(ctx context.Context, tx *postgres.Tx, id string) (Delivery, error) {
	rows, err := tx.Query(ctx, `select `+deliveryColumns+` from cell.deliveries where id = $1 for update`, id)
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery %s: %w", id, err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, problem.Missing("delivery")
	}
	return d, err
}
