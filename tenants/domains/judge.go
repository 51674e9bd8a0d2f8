package domains

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Grace is for how long a shop is still shown at a domain that leads elsewhere: who follows a
// former answer of the domain name system finds it, and a mistake can be mended.
const Grace = 24 * time.Hour

// Verify takes down what was seen of a domain of the context's store, for whoever asks. Also that
// it is taken is taken down, so that it is known for as long as it is so.
func (s *Service) Verify(ctx context.Context, tx *postgres.Tx, id string, seen Seen) (Domain, error) {
	storeID, err := changing(ctx)
	if err != nil {
		return Domain{}, err
	}
	before, err := s.Get(ctx, tx, id)
	if err != nil {
		return Domain{}, err
	}
	d, err := s.judge(ctx, tx, storeID, id, seen)
	if err == nil && d.State == before.State { // else the audit is told of what became of it
		journal.Audit(ctx, tx, journal.Entry{Action: "domain.check", ObjectID: id, StoreID: d.StoreID, After: d.shown()})
	}
	return d, err
}

// judge decides by what was seen of a domain what becomes of it.
func (s *Service) judge(ctx context.Context, tx *postgres.Tx, storeID, id string, seen Seen) (Domain, error) {
	claims, err := s.claims(ctx, tx, storeID, id)
	if err != nil {
		return Domain{}, err
	}
	at := slices.IndexFunc(claims, func(d Domain) bool { return d.ID == id })
	if at < 0 {
		return Domain{}, problem.Missing("domain")
	}
	d, now := claims[at], clock.Now()
	before := d.State
	f := s.find(&d, &seen)
	d.Seen, d.CheckedAt = &seen, &now
	switch {
	case f.unknown:
	case before == Active && !f.here:
		d.State, d.FailingSince = Failing, &now
	case before == Failing && !f.here:
		if now.Sub(*d.FailingSince) >= Grace {
			d.State = Lost
		}
	case before == Failing:
		d.State, d.FailingSince = Active, nil
	case !before.Served() && f.owned && f.here:
		if err := s.oust(ctx, tx, claims, &d); err != nil {
			return Domain{}, err
		}
	}
	return s.keep(ctx, tx, d, before)
}

// claims takes all claims of a domain's name, the stores first that they are of.
func (s *Service) claims(ctx context.Context, tx *postgres.Tx, storeID, id string) ([]Domain, error) {
	_, err := tx.Exec(ctx, `select from stores where id = $1 or id in (select store_id from domains where name = (select name from domains where id = $2) and state in ('active', 'failing'))
		order by id for no key update`, storeID, id)
	if err != nil {
		return nil, fmt.Errorf("lock the stores of domain %s: %w", id, err)
	}
	claims, err := collect(tx.Query(ctx, lockName, id))
	if err != nil {
		return nil, fmt.Errorf("read the claims of domain %s: %w", id, err)
	}
	return claims, nil
}

// oust makes a claim that is proven the one that counts, in place of another store's. While that
// one's proof is there too, the domain's owner has not decided, and it stays as it is: taken.
func (s *Service) oust(ctx context.Context, tx *postgres.Tx, claims []Domain, d *Domain) error {
	for _, other := range claims {
		if other.ID == d.ID || !other.State.Served() {
			continue
		}
		if slices.Contains(d.Seen.Proofs, s.proof(other.StoreID, other.Name)) {
			d.Seen.Taken = true
			return nil
		}
		before := other.State
		other.State = Lost
		if _, err := s.keep(ctx, tx, other, before); err != nil {
			return err
		}
	}
	now := clock.Now()
	d.State, d.VerifiedAt, d.FailingSince = Active, &now, nil
	return nil
}

const (
	anyMain = `select exists (select from domains where store_id = $1 and main)`

	keepDomain = `
update domains as d set state = $2, main = $3, seen = $4, checked_at = $5, check_at = $6, verified_at = $7, failing_since = $8, certify_at = $9,
	certified_until = case $2 when 'lost' then null else certified_until end,
	version = version + case when (state, main) = ($2, $3) then 0 else 1 end, updated_at = case when (state, main) = ($2, $3) then updated_at else $10 end
where id = $1 returning ` + columns
)

// keep writes down what has become of a domain, and tells of it.
func (s *Service) keep(ctx context.Context, tx *postgres.Tx, d Domain, before State) (Domain, error) {
	now := clock.Now()
	began := d.State == Active && !before.Served()
	if began {
		// The first domain that a store has is where its shop is meant to be.
		var another bool
		if err := tx.QueryRow(ctx, anyMain, d.StoreID).Scan(&another); err != nil {
			return Domain{}, fmt.Errorf("primary domain of %s: %w", d.StoreID, err)
		}
		d.Main = d.Main || !another
	}
	if began || d.State == Active && d.CertifyAt == nil {
		d.CertifyAt = s.firstOrder(d, now)
	}
	if d.State == Lost && before != Lost {
		d.CertifyAt = nil
		if _, err := tx.Exec(ctx, `delete from certificates where domain_id = $1`, d.ID); err != nil {
			return Domain{}, fmt.Errorf("throw away the certificate of domain %s: %w", d.ID, err)
		}
	}
	raw, err := json.Marshal(d.Seen)
	if err != nil {
		return Domain{}, fmt.Errorf("what was seen of domain %s: %w", d.ID, err)
	}
	d, err = scan(tx.QueryRow(ctx, keepDomain, d.ID, d.State, d.Main, string(raw), d.CheckedAt, nextLook(&d, now), d.VerifiedAt, d.FailingSince, d.CertifyAt, now))
	if err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.ConstraintName == "domains_served" {
			return Domain{}, Taken()
		}
		return Domain{}, fmt.Errorf("keep a domain: %w", err)
	}
	if d.due(now) {
		journal.Job(tx, JobCertify, job{d.ID})
	}
	if d.State == before {
		return d, s.settle(ctx, tx, d.StoreID)
	}
	event, action := "domain.failed", "domain.fail"
	if d.State == Active {
		event, action = "domain.verified", "domain.verify"
	}
	stores.TellSoon(ctx, tx, d.StoreID, event, d.ID, d.event())
	journal.Audit(ctx, tx, journal.Entry{Action: action, ObjectID: d.ID, StoreID: d.StoreID, Before: map[string]any{"state": before}, After: map[string]any{"state": d.State, "primary": d.Main}})
	if d.State != Active {
		if err := s.warn(ctx, tx, &d); err != nil {
			return Domain{}, err
		}
	}
	s.forgetAfter(ctx, tx, d.Name)
	return d, s.settle(ctx, tx, d.StoreID)
}

// Taken is the problem of a claim beside another store's that counts.
func Taken() *problem.Problem {
	return problem.New(problem.Conflict, "domain_taken", "Another store is served at this domain. Take that store’s TXT record away, or give the domain up there.")
}

// warn writes to the owners of a store that a domain does not lead here any more.
func (s *Service) warn(ctx context.Context, tx *postgres.Tx, d *Domain) error {
	rows, err := tx.Query(ctx, `select a.email from members m join accounts a on a.id = m.account_id where m.store_id = $1 and m.role = 'owner' order by m.created_at, a.id`, d.StoreID)
	if err != nil {
		return fmt.Errorf("owners of %s: %w", d.StoreID, err)
	}
	owners, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("owners of %s: %w", d.StoreID, err)
	}
	data := mail.DomainFailing{Domain: d.Unicode(), Lost: d.State == Lost, URL: s.config.Site.String()}
	if d.FailingSince != nil {
		data.Until = d.FailingSince.Add(Grace)
	}
	for _, to := range owners {
		letter := mail.NewLetter(to, data)
		letter.StoreID = d.StoreID
		journal.Job(tx, mail.JobSend, letter)
	}
	return nil
}

// nextLook is when a domain is looked up again: often while somebody waits for it, and seldom
// once nobody seems to.
func nextLook(d *Domain, now time.Time) time.Time {
	often := func(since time.Time) time.Duration {
		switch age := now.Sub(since); {
		case age < time.Hour:
			return time.Minute
		case age < 24*time.Hour:
			return 10 * time.Minute
		case age < 30*24*time.Hour:
			return time.Hour
		}
		return 24 * time.Hour
	}
	switch {
	case d.State == Pending:
		return now.Add(often(d.CreatedAt))
	case d.State == Lost && d.FailingSince != nil:
		return now.Add(max(often(*d.FailingSince), 10*time.Minute))
	case d.State == Lost:
		return now.Add(24 * time.Hour) // it is another store's
	case d.State == Failing, d.Seen != nil && d.Seen.Unanswered:
		return now.Add(10 * time.Minute)
	}
	return now.Add(time.Hour)
}
