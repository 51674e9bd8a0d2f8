package domains

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// EventData is what events tell of a domain.
type EventData struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	State   State  `json:"state"`
	Primary bool   `json:"primary"`
}

func (d *Domain) event() EventData { return EventData{d.ID, d.Name, d.State, d.Main} }

// shown is the domain as the audit shows it.
func (d *Domain) shown() map[string]any {
	return map[string]any{"name": d.Name, "state": d.State, "primary": d.Main}
}

const (
	countDomains = `select count(*) from domains where store_id = $1`

	insertDomain = `
insert into domains as d (id, store_id, name, check_at, created_at, updated_at) values ($1, $2, $3, $4, $4, $4)
on conflict (store_id, name) do nothing returning ` + columns
)

// Create claims a domain for the context's store. Nothing is served at it before its records
// are there.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, name string) (Domain, error) {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return Domain{}, err
	}
	if name, err = s.parse(name); err != nil {
		return Domain{}, err
	}
	if len(s.config.Addresses) == 0 && !s.local(name) {
		return Domain{}, problem.New(problem.Unprocessable, "domains_unavailable", "This platform is not set up to serve domains of merchants’ own.")
	}
	if limit := s.config.Limit(st.plan); limit != nil {
		var present int
		if err := tx.QueryRow(ctx, countDomains, st.id).Scan(&present); err != nil {
			return Domain{}, fmt.Errorf("count domains of %s: %w", st.id, err)
		}
		if present >= *limit {
			return Domain{}, problem.New(problem.Unprocessable, "plan_limit", "The plan allows %d domains.", *limit)
		}
	}
	d, err := scan(tx.QueryRow(ctx, insertDomain, ids.New("dom"), st.id, name, clock.Now()))
	if errors.Is(err, postgres.ErrNoRows) {
		return Domain{}, problem.New(problem.Conflict, "domain_exists", "The store has this domain already.").At("/name", "domain_exists", "It is in the list.")
	}
	if err != nil {
		return Domain{}, fmt.Errorf("add a domain to %s: %w", st.id, err)
	}
	stores.TellSoon(ctx, tx, st.id, "domain.created", d.ID, d.event())
	journal.Audit(ctx, tx, journal.Entry{Action: "domain.create", ObjectID: d.ID, StoreID: st.id, After: d.shown()})
	return d, nil
}

// held takes the context's store and one of its domains for a change. A version other than zero
// must be the present one.
func (s *Service) held(ctx context.Context, tx *postgres.Tx, id string, version int) (Domain, error) {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return Domain{}, err
	}
	d, err := scan(tx.QueryRow(ctx, selectDomain+` and d.store_id = $2 for update`, id, st.id))
	if errors.Is(err, postgres.ErrNoRows) {
		return Domain{}, problem.Missing("domain")
	}
	if err != nil {
		return Domain{}, fmt.Errorf("read domain %s: %w", id, err)
	}
	if version != 0 && version != d.Version {
		return Domain{}, problem.New(problem.Stale, "stale", "The domain has changed since the version in If-Match.")
	}
	return d, nil
}

const (
	noMain  = `update domains set main = false, version = version + 1, updated_at = $2 where store_id = $1 and main`
	setMain = `update domains as d set main = $2, version = version + 1, updated_at = $3 where d.id = $1 returning ` + columns
)

// SetPrimary says whether the shop is to be at a domain, to which all its other addresses then
// lead. One domain at most is the primary one; without any, the shop is at its address below
// the platform's.
func (s *Service) SetPrimary(ctx context.Context, tx *postgres.Tx, id string, version int, primary bool) (Domain, error) {
	before, err := s.held(ctx, tx, id, version)
	if err != nil || before.Main == primary {
		return before, err
	}
	if primary && before.State != Active {
		return Domain{}, problem.New(problem.Unprocessable, "domain_not_active", "The domain does not lead here yet.").
			At("/primary", "domain_not_active", "Set its records first.")
	}
	now := clock.Now()
	if primary {
		if _, err := tx.Exec(ctx, noMain, before.StoreID, now); err != nil {
			return Domain{}, fmt.Errorf("primary domain of %s: %w", before.StoreID, err)
		}
	}
	d, err := scan(tx.QueryRow(ctx, setMain, id, primary, now))
	if err != nil {
		return Domain{}, fmt.Errorf("make %s primary: %w", id, err)
	}
	stores.TellSoon(ctx, tx, d.StoreID, "domain.updated", id, d.event())
	journal.Audit(ctx, tx, journal.Entry{Action: "domain.update", ObjectID: id, StoreID: d.StoreID, Before: before.shown(), After: d.shown()})
	return d, s.settle(ctx, tx, d.StoreID)
}

// Delete gives a domain of the context's store up. Its shop is not shown there any more.
func (s *Service) Delete(ctx context.Context, tx *postgres.Tx, id string, version int) error {
	d, err := s.held(ctx, tx, id, version)
	if err != nil {
		return err
	}
	var canonical bool
	if err := tx.QueryRow(ctx, `delete from domains where id = $1 returning canonical`, id).Scan(&canonical); err != nil {
		return fmt.Errorf("delete domain %s: %w", id, err)
	}
	stores.TellSoon(ctx, tx, d.StoreID, "domain.deleted", id, journal.Gone{ID: id})
	journal.Audit(ctx, tx, journal.Entry{Action: "domain.delete", ObjectID: id, StoreID: d.StoreID, Before: d.shown()})
	s.forgetAfter(ctx, tx, d.Name)
	if canonical {
		return s.moved(ctx, tx, d.StoreID)
	}
	return nil
}

const settleStore = `
update domains set canonical = not canonical
where store_id = $1 and canonical <> (main and state = 'active' and ($2 or coalesce(certified_until > now(), false)))`

// settle sees to it that a store's shop is at its primary domain where that can be: it is
// active, and browsers take its certificate.
func (s *Service) settle(ctx context.Context, tx *postgres.Tx, storeID string) error {
	tag, err := tx.Exec(ctx, settleStore, storeID, s.config.Authority == nil)
	if err != nil {
		return fmt.Errorf("settle where the shop of %s is: %w", storeID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return s.moved(ctx, tx, storeID)
}

// moved has all pages made anew that say where a shop is.
func (s *Service) moved(ctx context.Context, tx *postgres.Tx, storeID string) error {
	if _, err := tx.Exec(ctx, `update stores set revision = revision + 1 where id = $1`, storeID); err != nil {
		return fmt.Errorf("move the shop of %s: %w", storeID, err)
	}
	record, err := s.config.Stores.GetTx(ctx, tx, storeID)
	if problem.Is(err, "not_found") {
		return nil
	}
	tx.AfterCommit(func() { s.config.Stores.Forget(ctx, record) })
	return err
}

// topicCertificates tells the replicas that there are other certificates, or other domains to
// serve.
const topicCertificates = "certificates"

// forgetAfter has all replicas ask anew who is served at a host, and with which certificate, once
// tx is committed.
func (s *Service) forgetAfter(ctx context.Context, tx *postgres.Tx, name string) {
	ctx = context.WithoutCancel(ctx)
	tx.AfterCommit(func() {
		err := errors.Join(s.hosts.Forget(ctx, name), s.config.Bus.Publish(ctx, topicCertificates, name))
		if err != nil {
			s.config.Log.WarnContext(ctx, "other replicas are not told of a domain's change yet", "error", err)
		}
	})
}

// collect reads domains from rows.
func collect(rows pgx.Rows, err error) ([]Domain, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Domain, error) { return scan(row) })
}
