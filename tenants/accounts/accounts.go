package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// KeyIssuer makes API keys. It is declared here so that keys may know of accounts and not
// the other way round; tenants/keys is one.
type KeyIssuer interface {
	// IssueFirst makes the keys that a store begins with, within a transaction on the
	// control database.
	IssueFirst(ctx context.Context, tx *postgres.Tx, storeID, createdBy string) (tenants.FirstKeys, error)
}

// Config is what the accounts are kept with. All but Issuer and Reached must be set.
type Config struct {
	DB       *postgres.DB
	Stores   *stores.Service
	Keys     KeyIssuer
	Sessions *sessions.Manager
	Guard    *guard.Guard
	Hasher   *passwords.Hasher
	Bus      *redis.Bus
	Sealer   postgres.Sealer // for authenticators' secrets
	Pepper   secrets.Pepper  // for recovery codes
	Site     *url.URL        // the platform's own pages, which mails lead to
	Issuer   string          // what authenticators call the platform; "Stoa" when empty
	Log      *slog.Logger

	// SignedUp and SignedIn are told how a sign-up and a sign-in ended, for metrics; may be
	// nil.
	SignedUp, SignedIn func(err error)
	// Reached is told of each step of a sign-up. Tests kill there; may be nil.
	Reached func(step string)
}

// Service is all accounts.
type Service struct {
	config Config
	db     *postgres.DB
	known  *redis.Memory[*Standing]
}

// New makes the service.
func New(config Config) *Service {
	if config.Issuer == "" {
		config.Issuer = "Stoa"
	}
	if config.Reached == nil {
		config.Reached = func(string) {}
	}
	for _, told := range []*func(error){&config.SignedUp, &config.SignedIn} {
		if *told == nil {
			*told = func(error) {}
		}
	}
	return &Service{config: config, db: config.DB, known: redis.NewMemory[*Standing](config.Bus, "accounts", redis.MemoryOptions{Size: 20_000})}
}

// Account is a person who can sign in.
type Account struct {
	ID           string
	Email        string // as it was typed
	Verified     bool
	PendingEmail string // waits to be confirmed; empty when none does
	Name         string
	TOTP         bool // signing in asks for a code
	Version      int
	CreatedAt    time.Time

	epoch        int
	passwordHash string
	totpSealed   []byte
}

// Stamp is what a session of the account carries; see sessions.Session.
func (a Account) Stamp() string { return strconv.Itoa(a.epoch) }

// selectAccount gives the columns that scan reads.
const selectAccount = `
select a.id, a.email, a.email_verified_at is not null, a.name, a.totp_confirmed_at is not null, a.version, a.created_at,
	a.epoch, a.password_hash, a.totp_sealed,
	coalesce((select t.email from account_tokens t where t.account_id = a.id and t.purpose = 'change_email' and t.expires_at > now() order by t.created_at desc limit 1), '')
from accounts a `

const (
	selectByID    = selectAccount + `where a.id = $1`
	lockByID      = selectByID + ` for update of a`
	selectByEmail = selectAccount + `where lower(a.email) = lower($1)`
)

func scan(r pgx.Row) (Account, error) {
	var a Account
	err := r.Scan(&a.ID, &a.Email, &a.Verified, &a.Name, &a.TOTP, &a.Version, &a.CreatedAt, &a.epoch, &a.passwordHash, &a.totpSealed, &a.PendingEmail)
	if errors.Is(err, postgres.ErrNoRows) {
		return Account{}, problem.Missing("account")
	}
	if err != nil {
		return Account{}, fmt.Errorf("read account: %w", err)
	}
	a.CreatedAt = a.CreatedAt.UTC()
	return a, nil
}

// Get reads an account.
func (s *Service) Get(ctx context.Context, id string) (a Account, err error) {
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		a, err = s.GetTx(ctx, tx, id)
		return err
	})
	return a, err
}

// GetTx is Get within a transaction on the control database.
func (s *Service) GetTx(ctx context.Context, tx *postgres.Tx, id string) (Account, error) {
	return scan(tx.QueryRow(ctx, selectByID, id))
}

// ByEmail finds an account by its address, however its letters are written.
func (s *Service) ByEmail(ctx context.Context, email string) (a Account, err error) {
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		a, err = s.ByEmailTx(ctx, tx, email)
		return err
	})
	return a, err
}

// ByEmailTx is ByEmail within a transaction on the control database.
func (s *Service) ByEmailTx(ctx context.Context, tx *postgres.Tx, email string) (Account, error) {
	return scan(tx.QueryRow(ctx, selectByEmail, tidy(email)))
}

// tidy is an e-mail address as it is kept: as typed, in one form of Unicode.
func tidy(email string) string { return norm.NFC.String(strings.TrimSpace(email)) }

const updateName = `update accounts set name = $2, version = version + 1, updated_at = now() where id = $1`

// Rename changes an account's name. A version other than zero must be the present one.
func (s *Service) Rename(ctx context.Context, tx *postgres.Tx, id, name string, version int) (Account, error) {
	before, err := scan(tx.QueryRow(ctx, lockByID, id))
	if err != nil {
		return Account{}, err
	}
	if version != 0 && version != before.Version {
		return Account{}, problem.New(problem.Stale, "stale", "The account has changed since the version in If-Match.")
	}
	if _, err := tx.Exec(ctx, updateName, id, strings.TrimSpace(name)); err != nil {
		return Account{}, fmt.Errorf("rename account %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "account.update", ObjectID: id, Before: map[string]any{"name": before.Name}, After: map[string]any{"name": strings.TrimSpace(name)}})
	return s.GetTx(ctx, tx, id)
}

// acting is a context in which the account acts, from where the context's principal did.
func acting(ctx context.Context, a Account) context.Context {
	who := principal.From(ctx)
	who.Kind, who.ID, who.Label = principal.Account, a.ID, a.Email
	return principal.With(ctx, who)
}

// ip is where the context's principal acts from.
func ip(ctx context.Context) string { return principal.From(ctx).IP }
