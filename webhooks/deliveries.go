package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The bounds of an attempt, and what is kept of an answer.
const (
	deliveryTimeout = 15 * time.Second
	maxAnswer       = 64 << 10
	keptAnswer      = 1000
)

// disableAfter is how long an endpoint may fail before it is disabled.
const disableAfter = 5 * 24 * time.Hour

// schedule is how long after an attempt the next one follows. The first comes at once.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Job kinds.
const (
	JobEvent   = journal.JobEvent  // an event is to be sent to those who want it
	JobDeliver = "webhook_deliver" // one attempt of a delivery
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
		select $1, $2, $3, $4, 'pending', now()
		where not exists (select 1 from cell.deliveries where endpoint_id = $2 and event_id = $3)`, id, endpoint, event.ID, event.Type)
	if err != nil {
		return fmt.Errorf("make a delivery of %s to %s: %w", event.ID, endpoint, err)
	}
	if tag.RowsAffected() == 1 {
		journal.Job(tx, JobDeliver, deliverArgs{id, 1})
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
	event := Event{ID: ids.New("evt"), Type: "webhook.test", Timestamp: clock.Now()}
	if event.Data, err = json.Marshal(map[string]any{"endpoint_id": e.ID, "message": message}); err != nil {
		return Delivery{}, err
	}
	if _, err := tx.Exec(ctx, `insert into events (id, type, object_id, data, created_at) values ($1, $2, $3, $4, $5)`,
		event.ID, event.Type, e.ID, string(event.Data), event.Timestamp); err != nil {
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
	if err := s.again(ctx, tx, id, len(d.Attempts)+1); err != nil {
		return d, err
	}
	d.State, d.NextAt, d.DeliveredAt = "pending", &now, nil
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_delivery.resend", ObjectID: id})
	return d, nil
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
	err := db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if d, err = lockDelivery(ctx, tx, deliveryID); err != nil {
			return err
		}
		if e, err = s.Get(ctx, tx, d.EndpointID); err != nil {
			return err
		}
		if !e.Enabled { // what waits for it has failed; Recover sends it when it is enabled again
			_, err = tx.Exec(ctx, `update cell.deliveries set state = 'failed', next_at = null, updated_at = now() where id = $1 and state = 'pending'`, d.ID)
			return err
		}
		if event, err = s.Event(ctx, tx, d.EventID); err != nil {
			return err
		}
		secrets, err = s.signingSecrets(tx, e)
		return err
	})
	if problem.Is(err, "not_found") {
		return Attempt{}, false, nil // endpoint or event are gone
	}
	if err != nil {
		return Attempt{}, false, err
	}
	if d.State != "pending" || len(d.Attempts)+1 != number || !e.Enabled {
		return Attempt{}, false, nil
	}
	attempt, after := s.deliver().send(ctx, e.URL, event, secrets)
	attempt.Number = number
	err = db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return s.record(ctx, tx, d.ID, attempt, after)
	})
	return attempt, err == nil, err
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
	case attempt.Number > len(schedule):
		state = "failed"
		err = s.failing(ctx, tx, d.EndpointID, attempt, now)
	default:
		// Jitter keeps the repetitions of one outage from coming back all at once.
		wait := schedule[attempt.Number-1]
		wait = max(wait+time.Duration(rand.Int64N(int64(wait)/5+1)), after)
		at := now.Add(wait)
		next = &at
		journal.JobAt(tx, at, JobDeliver, deliverArgs{id, attempt.Number + 1})
		err = s.failing(ctx, tx, d.EndpointID, attempt, now)
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

// failing notes that an endpoint fails, and disables it when it has for too long.
func (s *Service) failing(ctx context.Context, tx *postgres.Tx, id EndpointID, attempt Attempt, now time.Time) error {
	var since time.Time
	err := tx.QueryRow(ctx, `update webhook_endpoints set failing_since = coalesce(failing_since, $2) where id = $1 returning failing_since`, id, now).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("note that %s fails: %w", id, err)
	}
	if now.Sub(since) >= disableAfter {
		return s.disable(ctx, tx, id, ReasonFailing, attempt)
	}
	return nil
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
	journal.Audit(ctx, tx, journal.Entry{Action: ActionDisable, ObjectID: id, Reason: reason})
	journal.Job(tx, JobDisabled, args)
	return nil
}

// deliverer sends signed events.
type deliverer struct{ client *http.Client }

// send makes one try. after is how long the receiver asked us to wait, if it did.
func (d deliverer) send(ctx context.Context, url string, event Event, secrets []string) (attempt Attempt, after time.Duration) {
	started := clock.Now()
	attempt.At = started
	defer func() { attempt.DurationMS = time.Since(started).Milliseconds() }()
	body, err := json.Marshal(event)
	if err != nil {
		attempt.Error = "The event cannot be written."
		return attempt, 0
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		attempt.Error = "The address cannot be used."
		return attempt, 0
	}
	var signatures []string
	for _, secret := range secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			attempt.Error = "The signing secret cannot be used."
			return attempt, 0
		}
		signature, err := signer.Sign(event.ID, started, body)
		if err != nil {
			attempt.Error = "The event cannot be signed."
			return attempt, 0
		}
		signatures = append(signatures, signature)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Webhook-Id", event.ID)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(started.Unix(), 10))
	request.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	ctx, span := observability.StartCall(ctx, "webhook", attribute.String("server.address", request.URL.Hostname()), attribute.String("stoa.event", event.Type))
	observability.PropagateTrace(ctx, request.Header)
	defer func() { endSpan(span, attempt) }()
	response, err := d.client.Do(request)
	if err != nil {
		attempt.Error = egress.Explain(err)
		var timeout net.Error
		attempt.Blocked = errors.Is(err, egress.ErrRefused)
		attempt.TimedOut = errors.As(err, &timeout) && timeout.Timeout()
		return attempt, 0
	}
	defer response.Body.Close()
	attempt.Status = response.StatusCode
	answer, err := io.ReadAll(io.LimitReader(response.Body, keptAnswer))
	if err != nil && !attempt.succeeded() {
		attempt.Error = egress.Explain(err)
	}
	attempt.Excerpt = strings.ToValidUTF8(strings.ReplaceAll(string(answer), "\x00", ""), "\uFFFD")
	if !attempt.succeeded() && attempt.Error == "" {
		attempt.Error = fmt.Sprintf("The endpoint answered %d.", attempt.Status)
	}
	return attempt, askedFor(response.Header.Get("Retry-After"), clock.Now())
}

// askedFor is how long a receiver asks us to wait, by seconds or by a date; at most a day.
func askedFor(retryAfter string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(retryAfter); err == nil {
		wait = time.Duration(min(seconds, 86400)) * time.Second
	} else if at, err := http.ParseTime(retryAfter); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, 24*time.Hour))
}

// endSpan says what came of an attempt as its merchant may read it: an error of the client
// would tell the endpoint's whole address.
func endSpan(span trace.Span, attempt Attempt) {
	var failed error
	if !attempt.succeeded() {
		failed = errors.New(attempt.Error)
	}
	span.SetAttributes(attribute.Int("http.response.status_code", attempt.Status))
	observability.EndSpan(span, failed)
}
