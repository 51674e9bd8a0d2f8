// Package domains knows the domains of merchants' own that their shops are at, beside their
// address below the platform's: who has claimed which, what has to stand in the domain name
// system for it, whether it does, and the certificates that they are served with.
//
// A name may be claimed by many stores. Who proves by a record that it is theirs, and has it
// lead here, is served at it, and for as long as it does.
package domains

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/certificates"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Config is what domains are kept with. All but what is said to be optional must be set.
type Config struct {
	DB     *postgres.DB
	Stores *stores.Service
	Bus    *redis.Bus
	Sealer *secrets.Ring
	Pepper secrets.Pepper // makes what proves a claim
	Log    *slog.Logger

	BaseDomain string       // the platform's own, which nobody can claim
	Target     string       // the host that subdomains are made aliases of
	Addresses  []netip.Addr // where domains are to lead; none has no domains taken
	Resolver   *net.Resolver
	// Local takes names below .localhost, which lead to the machine itself by what they are
	// called, and need no records; for development.
	Local bool

	// Authority gives certificates; nil where somebody in front sees to them.
	Authority *certificates.Authority
	PerHour   int // certificates that are asked for in an hour, at most

	Limit func(plan string) *int // how many a store may have; nil when there is no limit
	Site  *url.URL               // the platform's own pages, which mails lead to
	// Certified is told of each certificate that was asked for, for metrics; may be nil.
	Certified func(err error)
}

// Service is the domains of all stores.
type Service struct {
	config Config
	hosts  *redis.Memory[string] // the store that is served at a host, or none
}

// New makes the service.
func New(config Config) *Service {
	if config.Certified == nil {
		config.Certified = func(error) {}
	}
	return &Service{config: config, hosts: redis.NewMemory[string](config.Bus, "domains", redis.MemoryOptions{})}
}

// State is how far a claim has come.
type State string

// The states.
const (
	Pending State = "pending" // its records are not all there
	Active  State = "active"  // it is the store's, and leads here
	Failing State = "failing" // it leads elsewhere, and is served for a while still
	Lost    State = "lost"    // it has led elsewhere for too long, or is another store's by now
)

// Served says whether a shop is shown at a domain in this state.
func (s State) Served() bool { return s == Active || s == Failing }

// Domain is a store's claim of a name.
type Domain struct {
	ID, StoreID, Name string
	State             State
	Main              bool  // the merchant wants the shop to be at it
	Seen              *Seen // its records, as they were last found; nil while nobody has looked
	CheckedAt         *time.Time
	VerifiedAt        *time.Time
	FailingSince      *time.Time
	CertifyAt         *time.Time // when a certificate is asked for
	CertifiedUntil    *time.Time // when the present one expires
	CertificateTries  int        // that failed since
	CertificateFault  string     // of the latest
	Version           int
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Taken says whether the last look found another store at the domain, which its owner leaves there.
func (d *Domain) Taken() bool { return d.Seen != nil && d.Seen.Taken }

const columns = `d.id, d.store_id, d.name, d.state, d.main, d.seen, d.checked_at, d.verified_at, d.failing_since, d.certify_at, d.certified_until,
	d.certificate_tries, d.certificate_failure, d.version, d.created_at, d.updated_at`

const (
	selectDomain  = `select ` + columns + ` from domains d where d.id = $1`
	selectDomains = `select ` + columns + ` from domains d where d.store_id = $1 and d.id > $2 order by d.id limit $3`
	// lockName takes all claims of a domain's name, for what is decided among them.
	lockName = `select ` + columns + ` from domains d where d.name = (select name from domains where id = $1) order by d.id for update`
)

func scan(row pgx.Row) (d Domain, err error) {
	var seen []byte
	err = row.Scan(&d.ID, &d.StoreID, &d.Name, &d.State, &d.Main, &seen, &d.CheckedAt, &d.VerifiedAt, &d.FailingSince, &d.CertifyAt, &d.CertifiedUntil,
		&d.CertificateTries, &d.CertificateFault, &d.Version, &d.CreatedAt, &d.UpdatedAt)
	if err == nil && seen != nil {
		err = json.Unmarshal(seen, &d.Seen)
	}
	return d, err
}

// List reads the domains of the context's store, in the order in which they were added, within
// a transaction on the control database, as all that follow.
func (s *Service) List(ctx context.Context, tx *postgres.Tx, after string, limit int) ([]Domain, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	rows, err := tx.Query(ctx, selectDomains, ref.ID, after, limit)
	if err == nil {
		var list []Domain
		if list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Domain, error) { return scan(row) }); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("list domains of %s: %w", ref.ID, err)
}

// Get reads a domain of the context's store.
func (s *Service) Get(ctx context.Context, tx *postgres.Tx, id string) (Domain, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Domain{}, postgres.ErrNoStore
	}
	d, err := scan(tx.QueryRow(ctx, selectDomain, id))
	if errors.Is(err, postgres.ErrNoRows) || err == nil && d.StoreID != ref.ID {
		return Domain{}, problem.Missing("domain")
	}
	if err != nil {
		return Domain{}, fmt.Errorf("read domain %s: %w", id, err)
	}
	return d, nil
}

// locked is a store whose domains are about to change.
type locked struct{ id, plan string }

const lockStore = `select id, plan from stores where id = $1 and status <> 'purged' for no key update`

// changing is the context's store, whose domains whoever asks may change by their credential.
func changing(ctx context.Context) (storeID string, err error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return "", postgres.ErrNoStore
	}
	if who := principal.From(ctx); who.Kind == principal.Key && who.Mode == principal.Test {
		return "", problem.New(problem.Forbidden, "live_key_required", "A test key acts on the sandbox alone; domains lead to the live shop. Use a live key.")
	}
	return ref.ID, nil
}

// lock takes the context's store. What changes domains takes stores first, by their IDs, and then
// domains.
func (s *Service) lock(ctx context.Context, tx *postgres.Tx) (st locked, err error) {
	id, err := changing(ctx)
	if err != nil {
		return locked{}, err
	}
	err = tx.QueryRow(ctx, lockStore, id).Scan(&st.id, &st.plan)
	if errors.Is(err, postgres.ErrNoRows) {
		return locked{}, problem.Missing("store")
	}
	if err != nil {
		return locked{}, fmt.Errorf("lock store %s: %w", id, err)
	}
	return st, nil
}

const selectServed = `select store_id from domains where name = $1 and state in ('active', 'failing')`

// ByHost is the store whose shop is at a host of a merchant's own, as far as it is not deleted.
func (s *Service) ByHost(ctx context.Context, host string) (tenants.Store, error) {
	if _, err := netip.ParseAddr(host); err == nil || len(host) > maxName || !strings.Contains(host, ".") {
		return tenants.Store{}, problem.Missing("store")
	}
	id, err := s.hosts.Get(ctx, host, func(ctx context.Context) (id string, err error) {
		err = s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			err := tx.QueryRow(ctx, selectServed, host).Scan(&id)
			if errors.Is(err, postgres.ErrNoRows) {
				return nil
			}
			return err
		})
		return id, err
	})
	if err != nil {
		return tenants.Store{}, fmt.Errorf("look up the shop at a host: %w", err)
	}
	if id == "" {
		return tenants.Store{}, problem.Missing("store")
	}
	store, err := s.config.Stores.ByID(ctx, id, principal.Live)
	if err == nil && store.Status == tenants.Deleted {
		return tenants.Store{}, problem.Missing("store")
	}
	return store, err
}

// Answer is what a certificate authority wants to read under a token that it chose.
func (s *Service) Answer(token string) (string, error) {
	if s.config.Authority == nil {
		return "", problem.Missing("page")
	}
	return s.config.Authority.Answer(token)
}

// proof is what a record at the domain must say so that it is this store's.
func (s *Service) proof(storeID, name string) string {
	sum := s.config.Pepper.HMAC(storeID + "\x00" + name)
	return "stoa-domain=" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]))
}
