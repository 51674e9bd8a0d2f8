// Package keys knows the API keys of stores: how they look, who may make them and what
// they open. What a permission means is tenants/access' matter; operators' keys are
// tenants/operators'.
//
// Of a key only a keyed digest is kept, so that the database opens nothing. Checking one
// is a checksum, an indexed look-up and a hash; what was looked up is remembered for as
// long as the replicas are proven to hear each other's revocations, else for half a
// second.
package keys

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// PepperName is the name of the pepper that keys are hashed with.
const PepperName = "keys"

// Config is what the keys are kept with. All but Looked and Dropped must be set.
type Config struct {
	DB         *postgres.DB
	Stores     *stores.Service
	Access     *access.Enforcer
	Bus        *redis.Bus
	Pepper     secrets.Pepper // the one called PepperName
	APIVersion string         // what new keys are pinned to
	Site       *url.URL       // the platform's own pages, which mails lead to
	Log        *slog.Logger
	Looked     func(hit bool) // told each look-up of a key, for metrics; may be nil
	Dropped    func()         // told each time that keys are to be read anew, likewise
}

// Service is all keys.
type Service struct {
	config Config
	db     *postgres.DB
	known  *redis.Memory[*credential]
	used   uses
}

// New makes the service.
func New(config Config) *Service {
	return &Service{
		config: config, db: config.DB,
		known: redis.NewMemory[*credential](config.Bus, "keys", redis.MemoryOptions{Size: 50_000, Looked: config.Looked, Dropped: config.Dropped}),
	}
}

// State says whether a key works.
type State string

// The states.
const (
	Active  State = "active"
	Rotated State = "rotated" // has a successor and works until it expires
	Expired State = "expired"
	Revoked State = "revoked"
)

// Key is a key without its secret.
type Key struct {
	ID             string
	StoreID        string
	Kind           Kind
	Mode           principal.Mode
	Name           string
	Prefix, Last4  string   // how it begins and ends
	Scopes         []string // of a restricted one
	AllowedIPs     []string
	AllowedOrigins []string
	APIVersion     string
	CreatedBy      tenants.Actor
	RotatedTo      string // its successor's ID
	ExpiresAt      *time.Time
	RevokedAt      *time.Time
	LastUsedAt     *time.Time
	Version        int
	CreatedAt      time.Time
	UpdatedAt      time.Time

	digest []byte
}

// State is where the key is in its life now.
func (k *Key) State() State {
	switch {
	case k.RevokedAt != nil:
		return Revoked
	case k.ExpiresAt != nil && !k.ExpiresAt.After(time.Now()):
		return Expired
	case k.RotatedTo != "":
		return Rotated
	default:
		return Active
	}
}

// place is the key under which a key is remembered.
func place(digest []byte) string { return hex.EncodeToString(digest) }

// forgetAfter has all replicas look a key up anew once tx is committed.
func (s *Service) forgetAfter(ctx context.Context, tx *postgres.Tx, k Key) {
	tx.AfterCommit(func() {
		if err := s.known.Forget(context.WithoutCancel(ctx), place(k.digest)); err != nil {
			s.config.Log.WarnContext(ctx, "other replicas are not told of a key's change yet", "key", k.ID, "error", err)
		}
	})
}

const (
	selectKey = `
select id, store_id, kind, mode, name, prefix, last4, digest, scopes, allowed_ips, allowed_origins, api_version, created_by,
	coalesce(rotated_to, ''), expires_at, revoked_at, last_used_at, version, created_at, updated_at
from api_keys `

	selectByDigest = selectKey + `where digest = $1`
	selectByID     = selectKey + `where id = $1 and store_id = $2 and mode = $3`
	lockByID       = selectByID + ` for update`
	selectPage     = selectKey + `where store_id = $1 and mode = $2 and ($3 = '' or id < $3) order by id desc limit $4`

	insertKey = `
insert into api_keys (id, store_id, kind, mode, name, prefix, last4, digest, scopes, allowed_ips, allowed_origins, api_version, created_by, expires_at, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)`
)

func scan(r pgx.Row) (Key, error) {
	var k Key
	var by []byte
	err := r.Scan(&k.ID, &k.StoreID, &k.Kind, &k.Mode, &k.Name, &k.Prefix, &k.Last4, &k.digest, &k.Scopes, &k.AllowedIPs, &k.AllowedOrigins,
		&k.APIVersion, &by, &k.RotatedTo, &k.ExpiresAt, &k.RevokedAt, &k.LastUsedAt, &k.Version, &k.CreatedAt, &k.UpdatedAt)
	if errors.Is(err, postgres.ErrNoRows) {
		return Key{}, problem.Missing("key")
	}
	if err == nil {
		err = json.Unmarshal(by, &k.CreatedBy)
	}
	if err != nil {
		return Key{}, fmt.Errorf("read key: %w", err)
	}
	return k, nil
}

// Get reads a key of the context's store and mode, within a transaction on the control
// database, as all that follow.
func (s *Service) Get(ctx context.Context, tx *postgres.Tx, id string) (Key, error) {
	return find(ctx, tx, selectByID, id)
}

func find(ctx context.Context, tx *postgres.Tx, statement, id string) (Key, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Key{}, postgres.ErrNoStore
	}
	return scan(tx.QueryRow(ctx, statement, id, ref.ID, string(ref.Mode)))
}

// List reads keys of the context's store and mode, the latest first, from the one that
// comes after the key with the ID after.
func (s *Service) List(ctx context.Context, tx *postgres.Tx, after string, limit int) ([]Key, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	rows, err := tx.Query(ctx, selectPage, ref.ID, string(ref.Mode), after, limit)
	if err != nil {
		return nil, fmt.Errorf("list keys of %s: %w", ref.ID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Key, error) { return scan(row) })
	if err != nil {
		return nil, fmt.Errorf("list keys of %s: %w", ref.ID, err)
	}
	return list, nil
}

// Issue is a key to be made.
type Issue struct {
	StoreID        string
	Mode           principal.Mode
	Kind           Kind
	Name           string
	Scopes         []string // of a restricted one
	AllowedIPs     []string // addresses and networks; none is everywhere
	AllowedOrigins []string // of a publishable one; none is everywhere
	ExpiresAt      *time.Time
	APIVersion     string         // the present one when empty
	CreatedBy      *tenants.Actor // who acts in the context, when nil
}

// IssueTx makes a key and gives its secret, which nobody can read again. Whether its
// maker may is not asked; Create does.
func (s *Service) IssueTx(ctx context.Context, tx *postgres.Tx, in Issue) (Key, string, error) {
	if err := in.tidy(); err != nil {
		return Key{}, "", err
	}
	if in.APIVersion == "" {
		in.APIVersion = s.config.APIVersion
	}
	by := tenants.Acting(ctx)
	if in.CreatedBy != nil {
		by = *in.CreatedBy
	}
	now, prefix := clock.Now(), prefixes[in.Kind][in.Mode]
	secret := Generate(prefix)
	k := Key{
		ID: ids.New("key"), StoreID: in.StoreID, Kind: in.Kind, Mode: in.Mode, Name: in.Name, Prefix: prefix, Last4: secret[len(secret)-4:],
		Scopes: in.Scopes, AllowedIPs: in.AllowedIPs, AllowedOrigins: in.AllowedOrigins, APIVersion: in.APIVersion,
		CreatedBy: by, ExpiresAt: in.ExpiresAt, Version: 1, CreatedAt: now, UpdatedAt: now,
		digest: s.config.Pepper.HMAC(secret),
	}
	_, err := tx.Exec(ctx, insertKey, k.ID, k.StoreID, string(k.Kind), string(k.Mode), k.Name, k.Prefix, k.Last4, k.digest,
		k.Scopes, k.AllowedIPs, k.AllowedOrigins, k.APIVersion, by, k.ExpiresAt, now)
	if err != nil {
		return Key{}, "", fmt.Errorf("issue a key of %s: %w", in.StoreID, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "key.create", ObjectID: k.ID, StoreID: k.StoreID, After: k.shown()})
	return k, secret, nil
}

// IssueFirst makes the keys that a store begins with. createdBy is the ID of the account
// that signed up.
func (s *Service) IssueFirst(ctx context.Context, tx *postgres.Tx, storeID, createdBy string) (first tenants.FirstKeys, err error) {
	by := tenants.Acting(ctx)
	if by.ID != createdBy {
		by = tenants.Actor{Kind: principal.Account, ID: createdBy}
	}
	for _, k := range []struct {
		kind   Kind
		mode   principal.Mode
		name   string
		secret *string
	}{
		{Secret, principal.Live, "First secret key", &first.LiveSecret},
		{Publishable, principal.Live, "First publishable key", &first.LivePublishable},
		{Secret, principal.Test, "First secret key of the sandbox", &first.TestSecret},
		{Publishable, principal.Test, "First publishable key of the sandbox", &first.TestPublishable},
	} {
		if _, *k.secret, err = s.IssueTx(ctx, tx, Issue{StoreID: storeID, Mode: k.mode, Kind: k.kind, Name: k.name, CreatedBy: &by}); err != nil {
			return tenants.FirstKeys{}, err
		}
	}
	return first, nil
}

// shown is the key as the audit shows it.
func (k *Key) shown() map[string]any {
	return map[string]any{
		"name": k.Name, "kind": k.Kind, "mode": k.Mode, "last_four": k.Last4, "scopes": k.Scopes,
		"allowed_ips": k.AllowedIPs, "allowed_origins": k.AllowedOrigins, "expires_at": k.ExpiresAt,
	}
}
