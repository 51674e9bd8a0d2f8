package rates

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/platform/signing"
)

// ServiceID names a rate service.
type ServiceID string

// mostServices is how many a store can have: a cart may have to ask all of them.
const mostServices = 10

// Input is a service to be made.
type Input struct {
	Kind      Kind
	Name, URL string
	Active    bool
}

// Patch changes a service; what is nil stays.
type Patch struct {
	Name, URL *string
	Active    *bool
}

// service is a row of rate_services, and what the audit keeps of one.
type service struct {
	bun.BaseModel `bun:"table:rate_services,alias:r" json:"-"`

	ID        ServiceID `bun:"id,pk" json:"id"`
	Kind      Kind      `bun:"kind" json:"kind"`
	Name      string    `bun:"name" json:"name"`
	URL       string    `bun:"url" json:"url"`
	Secret    []byte    `bun:"secret" json:"-"`
	Active    bool      `bun:"active" json:"active"`
	Version   int       `bun:"version" json:"version"`
	CreatedAt time.Time `bun:"created_at" json:"-"`
	UpdatedAt time.Time `bun:"updated_at" json:"-"`
}

func (s *Service) check(r *service) error {
	wrong := problem.New(problem.Unprocessable, "invalid_rate_service", "The rate service cannot be kept as it is.")
	if r.Name = strings.TrimSpace(r.Name); !text(r.Name, 1, 255) {
		wrong.At("/name", "required", "It is one line of 1 to 255 characters.")
	}
	var refused *egress.Refused
	if _, err := s.options.CheckURL(r.URL); errors.As(err, &refused) {
		wrong.At("/url", string(refused.Reason), "%s", refused.Detail)
	}
	return wrong.OrNil()
}

// kept is what writing a service gave: a store has one active tax service.
func (r *service) kept(err error) error {
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.ConstraintName == "rate_services_tax":
		return problem.New(problem.Conflict, "tax_service_active", "Another tax service is active: a store asks one.")
	}
	return fmt.Errorf("keep rate service %s: %w", r.ID, err)
}

// binding ties a secret to its store, its column and its row.
func binding(ref postgres.StoreRef, id ServiceID) string {
	return secrets.Bind(ref.ID, "rate_services.secret", string(id))
}

// Create makes a service and gives its signing secret, which is not shown again.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, in Input) (ServiceID, string, error) {
	now := clock.Now()
	r := &service{ID: ServiceID(ids.New("rsv")), Kind: in.Kind, Name: in.Name, URL: in.URL, Active: in.Active, Version: 1, CreatedAt: now, UpdatedAt: now}
	if err := s.check(r); err != nil {
		return "", "", err
	}
	var have int
	// The settings' row stands for the list, so that others who add to it wait.
	if err := tx.QueryRow(ctx, `select (select count(*) from rate_services) from settings for no key update`).Scan(&have); err != nil {
		return "", "", fmt.Errorf("count rate services: %w", err)
	}
	if have >= mostServices {
		return "", "", tooManyServices()
	}
	secret := signing.NewSecret()
	var err error
	if r.Secret, err = s.Sealer.Seal([]byte(secret), binding(tx.Store, r.ID)); err != nil {
		return "", "", fmt.Errorf("seal the secret of %s: %w", r.ID, err)
	}
	if _, err := tx.Bun.NewInsert().Model(r).Exec(ctx); err != nil {
		return "", "", r.kept(err)
	}
	journal.Event(ctx, tx, "rate_service.created", string(r.ID), journal.Named{ID: string(r.ID), Name: r.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "rate_service.create", ObjectID: string(r.ID), After: r})
	return r.ID, secret, nil
}

func lock(ctx context.Context, tx *postgres.Tx, id ServiceID, meant int) (*service, error) {
	r := &service{}
	if err := tx.Hold(ctx, r, id, "rate service", postgres.ForUpdate); err != nil {
		return nil, err
	}
	return r, problem.Outdated(r.Version, meant)
}

// Update changes a service that has the version meant; zero is any. It is asked again at
// once, if it failed before.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id ServiceID, meant int, patch Patch) error {
	r, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *r
	for field, value := range map[*string]*string{&r.Name: patch.Name, &r.URL: patch.URL} {
		if value != nil {
			*field = *value
		}
	}
	if patch.Active != nil {
		r.Active = *patch.Active
	}
	if err := s.check(r); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *r) {
		return nil
	}
	r.Version, r.UpdatedAt = r.Version+1, clock.Now()
	_, err = tx.Exec(ctx, `update rate_services set name = $2, url = $3, active = $4, version = $5, updated_at = $6, failed_at = null, failure = '' where id = $1`,
		id, r.Name, r.URL, r.Active, r.Version, r.UpdatedAt)
	if err != nil {
		return r.kept(err)
	}
	journal.Event(ctx, tx, "rate_service.updated", string(r.ID), journal.Named{ID: string(r.ID), Name: r.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "rate_service.update", ObjectID: string(id), Before: before, After: r})
	return nil
}

// Delete deletes a service that no shipping method names and that has the version meant;
// zero is any.
func (s *Service) Delete(ctx context.Context, tx *postgres.Tx, id ServiceID, meant int) error {
	r, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	kept, err := tx.Keep(ctx, string(id), serviceRows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `delete from rate_services where id = $1`, id)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23503" {
		return problem.New(problem.Conflict, "rate_service_in_use", "There are shipping methods that name this service.")
	}
	if err != nil {
		return fmt.Errorf("delete rate service %s: %w", id, err)
	}
	journal.Event(ctx, tx, "rate_service.deleted", string(r.ID), journal.Gone{ID: string(r.ID)})
	journal.Audit(ctx, tx, journal.Entry{Action: "rate_service.delete", ObjectID: string(id), Before: r, Kept: kept})
	return nil
}

var serviceJSON = `json_build_object('id', t.id, 'kind', t.kind, 'name', t.name, 'url', t.url, 'active', t.active,
	'last_failure', case when t.failed_at is not null then json_build_object('at', ` + postgres.UTC("t.failed_at") + `, 'reason', t.failure) end,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	servicesSQL = postgres.List{From: "rate_services t where true", Each: serviceJSON, Order: "t.id", After: "t.id > $2", Position: "t.id"}.SQL()
	serviceSQL  = `select t.version || E'\n' || ` + serviceJSON + ` from rate_services t where t.id = $1`
)

// List is a page of services, the oldest first, as the API shows them.
func List(ctx context.Context, db *postgres.DB, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, servicesSQL, limit, after)
}

// Get is one of them.
func Get(ctx context.Context, from postgres.Source, id ServiceID) (postgres.Object, error) {
	o, err := from.Object(ctx, serviceSQL, string(id))
	return postgres.Found(o, err, "rate service")
}
