package keys

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/access"
)

// DefaultOverlap is how long a rotated key goes on working when nobody says otherwise, and
// MaxOverlap how long it may at most.
const (
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 7 * 24 * time.Hour
)

// Create makes a key of the context's store and mode, of no more power than its maker has,
// and gives its secret, which nobody can read again.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, in Issue) (Key, string, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Key{}, "", postgres.ErrNoStore
	}
	in.StoreID, in.Mode = ref.ID, ref.Mode
	if err := in.tidy(); err != nil {
		return Key{}, "", err
	}
	if err := s.mayGive(ctx, in.Kind, in.Scopes); err != nil {
		return Key{}, "", err
	}
	return s.IssueTx(ctx, tx, in)
}

// mayGive refuses to give away what the one who acts does not have.
func (s *Service) mayGive(ctx context.Context, kind Kind, scopes []string) error {
	who := principal.From(ctx)
	if who.Kind == principal.System {
		return nil
	}
	if kind == Secret {
		scopes = everything
	}
	lacking := s.config.Access.Lacks(who, scopes)
	if len(lacking) == 0 {
		return nil
	}
	return problem.New(problem.Forbidden, "grant_exceeded", "Nobody can give a permission that they don't have: the key would have %s.", strings.Join(lacking, ", ")).
		With("required_permission", lacking[0])
}

// everything is what a secret key may do. It must not be changed.
var everything = access.Scopes()

// Change is what can be changed of a key; nil leaves it.
type Change struct {
	Name           *string
	AllowedIPs     *[]string
	AllowedOrigins *[]string
}

const updateKey = `
update api_keys set name = $2, allowed_ips = $3, allowed_origins = $4, version = version + 1, updated_at = $5 where id = $1`

// Update changes a key's name and the places it may be used from. A version other than
// zero must be the present one.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id string, version int, change Change) (Key, error) {
	k, err := find(ctx, tx, lockByID, id)
	if err != nil {
		return Key{}, err
	}
	if version != 0 && version != k.Version {
		return Key{}, problem.New(problem.Stale, "stale", "The key has changed since the version in If-Match.")
	}
	if state := k.State(); state == Revoked || state == Expired {
		return Key{}, notActive(state)
	}
	before := k.shown()
	var wrong faults
	if change.Name != nil {
		k.Name = tidyName(&wrong, *change.Name)
	}
	if change.AllowedIPs != nil {
		k.AllowedIPs = tidyIPs(&wrong, *change.AllowedIPs)
	}
	if change.AllowedOrigins != nil {
		k.AllowedOrigins = tidyOrigins(&wrong, k.Kind, *change.AllowedOrigins)
	}
	if err := wrong.err(); err != nil {
		return Key{}, err
	}
	k.Version++
	k.UpdatedAt = clock.Now()
	if _, err := tx.Exec(ctx, updateKey, k.ID, k.Name, k.AllowedIPs, k.AllowedOrigins, k.UpdatedAt); err != nil {
		return Key{}, fmt.Errorf("update key %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "key.update", ObjectID: k.ID, StoreID: k.StoreID, Before: before, After: k.shown()})
	s.forgetAfter(ctx, tx, k)
	return k, nil
}

func notActive(state State) error {
	return problem.New(problem.Conflict, "key_not_active", "The key is %s.", state)
}

const rotateKey = `
update api_keys set rotated_to = $2, expires_at = $3, version = version + 1, updated_at = $4 where id = $1`

// Rotate makes a key's successor, of the same kind, scopes and places, and gives its
// secret. The old one works until the overlap ends. A successor lasts as long as the old
// one was made to last.
func (s *Service) Rotate(ctx context.Context, tx *postgres.Tx, id string, overlap time.Duration) (Key, string, error) {
	old, err := find(ctx, tx, lockByID, id)
	if err != nil {
		return Key{}, "", err
	}
	if state := old.State(); state != Active {
		return Key{}, "", notActive(state)
	}
	if err := s.mayGive(ctx, old.Kind, old.Scopes); err != nil {
		return Key{}, "", err
	}
	in := Issue{
		StoreID: old.StoreID, Mode: old.Mode, Kind: old.Kind, Name: old.Name, Scopes: old.Scopes,
		AllowedIPs: old.AllowedIPs, AllowedOrigins: old.AllowedOrigins, APIVersion: old.APIVersion,
	}
	now := clock.Now()
	if old.ExpiresAt != nil {
		until := now.Add(old.ExpiresAt.Sub(old.CreatedAt))
		in.ExpiresAt = &until
	}
	successor, secret, err := s.IssueTx(ctx, tx, in)
	if err != nil {
		return Key{}, "", fmt.Errorf("rotate key %s: %w", id, err)
	}
	before := old.shown()
	end := now.Add(min(max(overlap, 0), MaxOverlap))
	if old.ExpiresAt == nil || old.ExpiresAt.After(end) {
		old.ExpiresAt = &end
	}
	if _, err := tx.Exec(ctx, rotateKey, old.ID, successor.ID, old.ExpiresAt, now); err != nil {
		return Key{}, "", fmt.Errorf("rotate key %s: %w", id, err)
	}
	after := old.shown()
	after["rotated_to"] = successor.ID
	journal.Audit(ctx, tx, journal.Entry{Action: "key.rotate", ObjectID: old.ID, StoreID: old.StoreID, Before: before, After: after})
	s.forgetAfter(ctx, tx, old)
	return successor, secret, nil
}

const revokeKey = `update api_keys set revoked_at = $2, version = version + 1, updated_at = $2 where id = $1`

// Revoke ends a key at once, on all replicas within a second. Ending it twice is no error.
func (s *Service) Revoke(ctx context.Context, tx *postgres.Tx, id string) error {
	k, err := find(ctx, tx, lockByID, id)
	if err != nil {
		return err
	}
	s.forgetAfter(ctx, tx, k)
	if k.RevokedAt != nil {
		return nil
	}
	if _, err := tx.Exec(ctx, revokeKey, k.ID, clock.Now()); err != nil {
		return fmt.Errorf("revoke key %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{
		Action: "key.revoke", ObjectID: k.ID, StoreID: k.StoreID,
		Before: map[string]any{"state": k.State()}, After: map[string]any{"state": Revoked},
	})
	return nil
}
