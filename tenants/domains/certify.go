package domains

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/certificates"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// Bounds of what is asked of the authority, beside what it bounds by itself: a store's own
// certificates in a day, and how long one that failed waits for the next try, which doubles.
const (
	perStoreDay = 50
	firstWait   = 10 * time.Minute
	longestWait = 24 * time.Hour
)

// orderTime bounds an order; whoever is killed within it leaves the domain alone for claimTime.
const (
	orderTime = 50 * time.Second
	claimTime = 90 * time.Second
)

// firstOrder is when a domain that has begun to be served gets a certificate: at once, unless it
// has one from before; and never where somebody else sees to it.
func (s *Service) firstOrder(d Domain, now time.Time) *time.Time {
	switch {
	case s.config.Authority == nil || s.local(d.Name):
		return nil
	case d.CertifyAt != nil && d.CertifyAt.After(now):
		return d.CertifyAt
	}
	return &now
}

// due says whether a certificate is to be asked for. It is not for domains that lead elsewhere,
// where the authority would find nobody.
func (d *Domain) due(now time.Time) bool {
	return d.State == Active && d.CertifyAt != nil && !d.CertifyAt.After(now)
}

const (
	claimOrder = `
update domains as d set certifying_until = $2
where id = $1 and state = 'active' and certify_at <= $3 and coalesce(certifying_until <= $3, true)
returning ` + columns

	selectClaim = `select certifying_until from domains where id = $1 and state = 'active' and certify_at <= $2`

	// countOrders holds others off until this one is counted.
	lockOrders  = `select pg_advisory_xact_lock(hashtext('certificate_orders'))`
	countOrders = `
select count(*) filter (where at > $2::timestamptz - interval '1 hour'), count(*) filter (where store_id = $1)
from certificate_orders where at > $2::timestamptz - interval '1 day'`

	postpone = `update domains set certifying_until = null, certify_at = $2, certificate_failure = $3 where id = $1`
)

// How far a domain's certificate is.
const (
	Unmanaged = "unmanaged" // somebody in front sees to it
	None      = "none"      // it is not asked for, as the domain does not lead here
	Waiting   = "waiting"
	Issued    = "issued"
	Failed    = "failed" // and will be asked for again
)

// Certificate says how far a domain's certificate is.
func (s *Service) Certificate(d *Domain) string {
	switch {
	case s.config.Authority == nil || s.local(d.Name):
		return Unmanaged
	case d.CertifiedUntil != nil && d.CertifiedUntil.After(clock.Now()):
		return Issued
	case !d.State.Served():
		return None
	case d.CertificateFault != "":
		return Failed
	}
	return Waiting
}

// Certify gets a certificate for a domain that needs one, unless somebody is at it.
func (s *Service) Certify(ctx context.Context, id string) error {
	if s.config.Authority == nil {
		return nil // there was one when it was asked for
	}
	d, err := s.claim(ctx, id)
	if err != nil || d == nil {
		return err
	}
	ordering, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	certificate, failed := s.config.Authority.Obtain(ordering, d.Name)
	s.config.Certified(failed)
	return s.config.DB.InControl(context.WithoutCancel(ctx), func(ctx context.Context, tx *postgres.Tx) error {
		if failed != nil {
			return s.fault(ctx, tx, d, failed)
		}
		return s.certified(ctx, tx, d, certificate)
	})
}

// claim takes a domain for an order, which counts from now on; nil where there is nothing to
// order, or no more at the moment.
func (s *Service) claim(ctx context.Context, id string) (claimed *Domain, err error) {
	now := clock.Now()
	err = s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		d, err := scan(tx.QueryRow(ctx, claimOrder, id, now.Add(claimTime), now))
		if errors.Is(err, postgres.ErrNoRows) {
			return s.othersClaim(ctx, tx, id, now)
		}
		if err != nil {
			return err
		}
		var lately, ofStore int
		if _, err = tx.Exec(ctx, lockOrders); err == nil {
			err = tx.QueryRow(ctx, countOrders, d.StoreID, now).Scan(&lately, &ofStore)
		}
		if err != nil {
			return err
		}
		if lately >= s.config.PerHour || ofStore >= perStoreDay {
			journal.JobAt(tx, now.Add(firstWait), JobCertify, job{id})
			_, err := tx.Exec(ctx, postpone, id, now.Add(firstWait), "There are many certificates to get at the moment; this one has its turn later.")
			return err
		}
		claimed = &d
		_, err = tx.Exec(ctx, `insert into certificate_orders (store_id, at) values ($1, $2)`, d.StoreID, now)
		return err
	})
	if err != nil && !jobs.Snoozed(err) {
		return nil, fmt.Errorf("order a certificate for domain %s: %w", id, err)
	}
	return claimed, err
}

// othersClaim comes back when whoever is at an order must be done with it, or was killed.
func (s *Service) othersClaim(ctx context.Context, tx *postgres.Tx, id string, now time.Time) error {
	var until *time.Time
	err := tx.QueryRow(ctx, selectClaim, id, now).Scan(&until)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && until == nil {
		return nil // it has one by now, or is served no more
	}
	if err != nil {
		return err
	}
	return jobs.Snooze(max(until.Sub(now), time.Second))
}

const keepFault = `
update domains set certifying_until = null, certify_at = $2, certificate_tries = certificate_tries + 1, certificate_failure = $3 where id = $1`

// fault notes why there is no certificate, and when it is tried again.
func (s *Service) fault(ctx context.Context, tx *postgres.Tx, d *Domain, failed error) error {
	again := clock.Now().Add(min(firstWait<<min(d.CertificateTries, 16), longestWait))
	reason := cmp.Or(certificates.Reason(failed), "The certificate authority could not be reached.")
	s.config.Log.WarnContext(ctx, "no certificate was given for a domain", "domain", d.ID, "error", failed)
	journal.JobAt(tx, again, JobCertify, job{d.ID})
	if _, err := tx.Exec(ctx, keepFault, d.ID, again, shortened(reason)); err != nil {
		return fmt.Errorf("note the failure of domain %s: %w", d.ID, err)
	}
	return nil
}

// mostReason is how much is kept of what an authority says.
const mostReason = 500

func shortened(text string) string {
	if runes := []rune(text); len(runes) > mostReason {
		return string(runes[:mostReason-1]) + "…"
	}
	return text
}

const (
	keepCertificate = `
insert into certificates (domain_id, serial, chain, key_sealed, expires_at) values ($1, $2, $3, $4, $5)
on conflict (domain_id) do update set serial = excluded.serial, chain = excluded.chain, key_sealed = excluded.key_sealed, expires_at = excluded.expires_at, obtained_at = now()`

	keepCertified = `
update domains set certifying_until = null, certify_at = $2, certified_until = $3, certificate_tries = 0, certificate_failure = '' where id = $1 returning store_id`
)

// KeyBinding is the binding that the key of a domain's certificate is sealed with.
func KeyBinding(domainID string) string {
	return secrets.Bind("platform", "certificates.key_sealed", domainID)
}

// certified keeps a domain's certificate, unless the domain is gone.
func (s *Service) certified(ctx context.Context, tx *postgres.Tx, d *Domain, c *certificates.Certificate) error {
	sealed, err := s.config.Sealer.Seal(c.Key, KeyBinding(d.ID))
	if err != nil {
		return fmt.Errorf("certificate of domain %s: %w", d.ID, err)
	}
	// The store first, as always.
	if _, err := tx.Exec(ctx, lockStore, d.StoreID); err != nil {
		return fmt.Errorf("lock store %s: %w", d.StoreID, err)
	}
	var storeID string
	err = tx.QueryRow(ctx, keepCertified, d.ID, c.RenewAt(), c.NotAfter).Scan(&storeID)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, keepCertificate, d.ID, ids.New("crt"), string(c.Chain), sealed, c.NotAfter)
	}
	if err != nil {
		return fmt.Errorf("keep the certificate of domain %s: %w", d.ID, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "domain.certify", ObjectID: d.ID, StoreID: storeID, After: map[string]any{"expires_at": c.NotAfter}})
	s.forgetAfter(ctx, tx, d.Name)
	return s.settle(ctx, tx, storeID)
}
