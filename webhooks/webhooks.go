// Package webhooks sends a store's events to the addresses its merchant names, as Standard
// Webhooks 1.0.0 has it. It owns endpoints, signing, deliveries and their repetition, and
// the reading of events; the events themselves are written by platform/journal in the
// transaction of what they tell of.
package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/signing"
)

// EndpointID names an endpoint.
type EndpointID = string

// MaxEndpoints is how many endpoints a store may have.
const MaxEndpoints = 50

// Endpoint is an address that events are sent to.
type Endpoint struct {
	ID             EndpointID
	URL            string
	Description    string
	Events         []string // types, or with wildcards: "order.*", "*"
	Enabled        bool
	DisabledReason string // why not: "manual", "gone" or "failing"
	Version        int
	CreatedAt      time.Time
	UpdatedAt      time.Time

	secrets []secret
}

// secret is a signing secret as it is kept. Until is when it stops signing; nil for the
// newest.
type secret struct {
	Sealed []byte     `json:"sealed"`
	Until  *time.Time `json:"until"`
}

// Service keeps endpoints and deliveries.
type Service struct {
	Sealer   postgres.Sealer
	Options  egress.Options // what addresses are allowed
	deliver  deliverer
	schedule []time.Duration // how long after an attempt the next one follows
}

// New makes the service. Options say which addresses may be reached.
func New(sealer postgres.Sealer, options egress.Options) *Service {
	options.Timeout, options.MaxBytes, options.UserAgent = deliveryTimeout, maxAnswer, "Stoa-Webhooks/1.0"
	return &Service{Sealer: sealer, Options: options, deliver: deliverer{egress.NewClient(options)}, schedule: schedule}
}

const endpointColumns = `id, url, description, events, enabled, disabled_reason, secrets, version, created_at, updated_at`

func scanEndpoint(row pgx.CollectableRow) (Endpoint, error) {
	var e Endpoint
	err := row.Scan(&e.ID, &e.URL, &e.Description, &e.Events, &e.Enabled, &e.DisabledReason, &e.secrets, &e.Version, &e.CreatedAt, &e.UpdatedAt)
	return e, err
}

// List gives the endpoints after one, by ID, at most limit.
func (s *Service) List(ctx context.Context, tx *postgres.Tx, after EndpointID, limit int) ([]Endpoint, error) {
	rows, err := tx.Query(ctx, `select `+endpointColumns+` from webhook_endpoints where id > $1 order by id limit $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list webhook endpoints: %w", err)
	}
	return pgx.CollectRows(rows, scanEndpoint)
}

// Get gives one endpoint.
func (s *Service) Get(ctx context.Context, tx *postgres.Tx, id EndpointID) (Endpoint, error) {
	return s.find(ctx, tx, id, "")
}

func (s *Service) find(ctx context.Context, tx *postgres.Tx, id EndpointID, lock string) (Endpoint, error) {
	rows, err := tx.Query(ctx, `select `+endpointColumns+` from webhook_endpoints where id = $1`+lock, id)
	if err != nil {
		return Endpoint{}, fmt.Errorf("read webhook endpoint %s: %w", id, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEndpoint)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, problem.Missing("webhook endpoint")
	}
	return e, err
}

// Input is what an endpoint is made of or changed to; nil leaves a field as it is.
type Input struct {
	URL         *string
	Description *string
	Events      []string
	Enabled     *bool
}

func (s *Service) validate(in Input) error {
	if err := checkFilter(in.Events); err != nil {
		return err
	}
	if in.URL == nil {
		return nil
	}
	if _, err := s.Options.CheckURL(*in.URL); err != nil {
		var refused *egress.Refused
		if errors.As(err, &refused) {
			return problem.New(problem.Unprocessable, "address_refused", "Events cannot be sent to this address.").
				At("/url", string(refused.Reason), "%s", refused.Detail)
		}
		return err
	}
	return nil
}

// Create makes an endpoint and gives its signing secret, which is not shown again.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, in Input) (Endpoint, string, error) {
	if err := s.validate(in); err != nil {
		return Endpoint{}, "", err
	}
	if err := roomLeft(ctx, tx); err != nil {
		return Endpoint{}, "", err
	}
	now := clock.Now()
	e := Endpoint{ID: ids.New("whe"), URL: *in.URL, Events: in.Events, Enabled: true, Version: 1, CreatedAt: now, UpdatedAt: now}
	if in.Description != nil {
		e.Description = *in.Description
	}
	plain, sealed, err := s.newSecret(tx, e.ID)
	if err != nil {
		return e, "", err
	}
	e.secrets = []secret{{Sealed: sealed}}
	_, err = tx.Exec(ctx, `insert into webhook_endpoints (id, url, description, events, secrets, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)`,
		e.ID, e.URL, e.Description, e.Events, e.secrets, now)
	if err != nil {
		return e, "", fmt.Errorf("create webhook endpoint: %w", err)
	}
	journal.Event(ctx, tx, "webhook_endpoint.created", e.ID, e.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.create", ObjectID: e.ID, After: e.audited()})
	return e, plain, nil
}

// roomLeft refuses one more endpoint than a store may have.
func roomLeft(ctx context.Context, tx *postgres.Tx) error {
	var have int
	// The settings' row stands for the store: who counts, holds it.
	if err := tx.QueryRow(ctx, `select (select count(*) from webhook_endpoints) from settings for update`).Scan(&have); err != nil {
		return fmt.Errorf("count webhook endpoints: %w", err)
	}
	if have >= MaxEndpoints {
		return problem.New(problem.Unprocessable, "too_many_endpoints", "A store has at most %d webhook endpoints.", MaxEndpoints)
	}
	return nil
}

// Update changes an endpoint. Version, when positive, is the one that the change is meant
// for.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id EndpointID, version int, in Input) (Endpoint, error) {
	if err := s.validate(in); err != nil {
		return Endpoint{}, err
	}
	before, err := s.find(ctx, tx, id, " for update")
	if err != nil {
		return before, err
	}
	if version > 0 && version != before.Version {
		return before, problem.New(problem.Stale, "stale", "The endpoint has changed since; its version is %d.", before.Version)
	}
	after := before
	if in.URL != nil {
		after.URL = *in.URL
	}
	if in.Description != nil {
		after.Description = *in.Description
	}
	if in.Events != nil {
		after.Events = in.Events
	}
	if in.Enabled != nil {
		after.Enabled, after.DisabledReason = *in.Enabled, ""
		if !after.Enabled {
			after.DisabledReason = "manual"
		}
	}
	after.Version, after.UpdatedAt = before.Version+1, clock.Now()
	_, err = tx.Exec(ctx, `update webhook_endpoints set url = $2, description = $3, events = $4, enabled = $5, disabled_reason = $6,
		failing_since = case when $5 then null else failing_since end, version = $7, updated_at = $8 where id = $1`,
		id, after.URL, after.Description, after.Events, after.Enabled, after.DisabledReason, after.Version, after.UpdatedAt)
	if err != nil {
		return after, fmt.Errorf("update webhook endpoint %s: %w", id, err)
	}
	journal.Event(ctx, tx, "webhook_endpoint.updated", after.ID, after.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.update", ObjectID: id, Before: before.audited(), After: after.audited()})
	return after, nil
}

// Delete removes an endpoint. What is still to be delivered to it is not.
func (s *Service) Delete(ctx context.Context, tx *postgres.Tx, id EndpointID, version int) error {
	before, err := s.find(ctx, tx, id, " for update")
	if err != nil {
		return err
	}
	if version > 0 && version != before.Version {
		return problem.New(problem.Stale, "stale", "The endpoint has changed since; its version is %d.", before.Version)
	}
	kept, err := tx.Keep(ctx, id, endpointRows)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from webhook_endpoints where id = $1`, id); err != nil {
		return fmt.Errorf("delete webhook endpoint %s: %w", id, err)
	}
	journal.Event(ctx, tx, "webhook_endpoint.deleted", id, journal.Gone{ID: id})
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.delete", ObjectID: id, Before: before.audited(), Kept: kept})
	return nil
}

// Rotate gives an endpoint a new secret. The old one signs beside it until the overlap
// ends.
func (s *Service) Rotate(ctx context.Context, tx *postgres.Tx, id EndpointID, overlap time.Duration) (plain string, until time.Time, err error) {
	e, err := s.find(ctx, tx, id, " for update")
	if err != nil {
		return "", until, err
	}
	now := clock.Now()
	until = now.Add(overlap)
	plain, sealed, err := s.newSecret(tx, id)
	if err != nil {
		return "", until, err
	}
	kept := []secret{{Sealed: sealed}}
	for _, old := range e.secrets {
		if old.Until == nil || old.Until.After(until) {
			old.Until = &until
		}
		if old.Until.After(now) && len(kept) < 3 {
			kept = append(kept, old)
		}
	}
	if _, err := tx.Exec(ctx, `update webhook_endpoints set secrets = $2, version = version + 1, updated_at = $3 where id = $1`, id, kept, now); err != nil {
		return "", until, fmt.Errorf("rotate the secret of %s: %w", id, err)
	}
	journal.Event(ctx, tx, "webhook_endpoint.updated", e.ID, e.told())
	journal.Audit(ctx, tx, journal.Entry{Action: "webhook_endpoint.rotate_secret", ObjectID: id, After: map[string]any{"previous_expires_at": until}})
	return plain, until, nil
}

// newSecret makes a signing secret and seals it for an endpoint of the store.
func (s *Service) newSecret(tx *postgres.Tx, id EndpointID) (plain string, sealed []byte, err error) {
	plain = signing.NewSecret()
	sealed, err = s.Sealer.Seal([]byte(plain), binding(tx, id))
	if err != nil {
		return "", nil, fmt.Errorf("seal the secret of %s: %w", id, err)
	}
	return plain, sealed, nil
}

// binding ties a secret to its store, its column and its row.
func binding(tx *postgres.Tx, id EndpointID) string {
	return tx.Store.ID + "/webhook_endpoints.secrets/" + id
}

// signingSecrets are those that sign now, the newest first.
func (s *Service) signingSecrets(tx *postgres.Tx, e Endpoint) ([]string, error) {
	var list []string
	for _, kept := range e.secrets {
		if kept.Until != nil && !kept.Until.After(clock.Now()) {
			continue
		}
		plain, err := s.Sealer.Open(kept.Sealed, binding(tx, e.ID))
		if err != nil {
			return nil, fmt.Errorf("open the secret of %s: %w", e.ID, err)
		}
		list = append(list, string(plain))
	}
	return list, nil
}

// told is what events tell of the endpoint.
func (e Endpoint) told() any {
	state := "enabled"
	if !e.Enabled {
		state = "disabled"
	}
	return map[string]any{"id": e.ID, "url": e.URL, "state": state}
}

func (e Endpoint) audited() any {
	state := "disabled"
	if e.Enabled {
		state = "enabled"
	}
	return map[string]any{"url": e.URL, "description": e.Description, "event_types": e.Events, "state": state}
}

// Wants says whether the endpoint is sent events of a type.
func (e Endpoint) Wants(eventType string) bool {
	for _, pattern := range e.Events {
		if matches(pattern, eventType) {
			return true
		}
	}
	return false
}

func matches(pattern, eventType string) bool {
	if pattern == "*" || pattern == eventType {
		return true
	}
	prefix, found := strings.CutSuffix(pattern, "*")
	return found && strings.HasPrefix(eventType, prefix)
}

// Event is an event as it is read and sent.
type Event struct {
	ID             string          `json:"id"`
	Type           string          `json:"type"`
	Timestamp      time.Time       `json:"timestamp"`
	ObjectID       string          `json:"object_id"`
	ObjectSequence int64           `json:"object_sequence"`
	RequestID      *string         `json:"request_id"` // nil where nobody asked for it
	Data           json.RawMessage `json:"data"`
}

const eventColumns = `id, type, created_at, object_id, object_sequence, nullif(request_id, ''), data`

func scanEvent(row pgx.CollectableRow) (Event, error) {
	var e Event
	err := row.Scan(&e.ID, &e.Type, &e.Timestamp, &e.ObjectID, &e.ObjectSequence, &e.RequestID, &e.Data)
	e.Timestamp = e.Timestamp.UTC()
	return e, err
}

// Filter says which events are read. Zero values do not limit.
type Filter struct {
	Type         string // with "*" for any part
	Since, Until time.Time
	Before       string // the ID that the page begins after
	Limit        int
}

// Events reads events, the latest first.
func (s *Service) Events(ctx context.Context, tx *postgres.Tx, f Filter) ([]Event, error) {
	like := strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`, `*`, `%`).Replace(f.Type)
	var since, until *time.Time
	if !f.Since.IsZero() {
		since = &f.Since
	}
	if !f.Until.IsZero() {
		until = &f.Until
	}
	rows, err := tx.Query(ctx, `select `+eventColumns+` from events
		where ($1 = '' or id < $1) and ($2 = '' or type like $2) and ($3::timestamptz is null or created_at >= $3) and ($4::timestamptz is null or created_at < $4)
		order by id desc limit $5`, f.Before, like, since, until, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return pgx.CollectRows(rows, scanEvent)
}

// Event reads one event.
func (s *Service) Event(ctx context.Context, tx *postgres.Tx, id string) (Event, error) {
	rows, err := tx.Query(ctx, `select `+eventColumns+` from events where id = $1`, id)
	if err != nil {
		return Event{}, fmt.Errorf("read event %s: %w", id, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEvent)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, problem.Missing("event")
	}
	if err != nil {
		return e, fmt.Errorf("read event %s: %w", id, err)
	}
	return e, nil
}
