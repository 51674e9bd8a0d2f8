// Package operators knows the people who run the platform: their keys and what these
// allow. What they do to stores belongs to package stores, and to jobs to platform/jobs.
package operators

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/keys"
)

// Prefix begins every operator's key.
const Prefix = "stoa_op_"

// shownEnd is how much of a key's end is kept, to know it by.
const shownEnd = 4

// Roles of operators: each has all that the ones before it have.
var Roles = []string{"read", "support", "admin"}

// Service keeps operators' keys.
type Service struct {
	DB     *postgres.DB
	Pepper secrets.Pepper
}

// CreateKey makes a key for a person, and gives it; it is not shown again. A zero
// lifetime means that it does not expire.
func (s *Service) CreateKey(ctx context.Context, name, role string, lifetime time.Duration) (key, id string, err error) {
	wrong := problem.New(problem.Invalid, "invalid_operator_key", "The key cannot be made.")
	if strings.TrimSpace(name) == "" {
		wrong.At("name", "required", "It names the person, for the audit.")
	}
	if !slices.Contains(Roles, role) {
		wrong.At("role", "enum", "It is one of: %s.", strings.Join(Roles, ", "))
	}
	if err := wrong.OrNil(); err != nil {
		return "", "", err
	}
	key, id = keys.Generate(Prefix), ids.New("opk")
	var expires *time.Time
	if lifetime > 0 {
		at := clock.Now().Add(lifetime)
		expires = &at
	}
	err = s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into operator_keys (id, name, role, prefix, last4, digest, expires_at) values ($1, $2, $3, $4, $5, $6, $7)`,
			id, name, role, Prefix, key[len(key)-shownEnd:], s.Pepper.HMAC(key), expires)
		if err != nil {
			return err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "operator_key.create", ObjectID: id, After: map[string]any{"name": name, "role": role, "expires_at": expires}})
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("make an operator's key: %w", err)
	}
	return key, id, nil
}

// Revoke ends a key.
func (s *Service) Revoke(ctx context.Context, id string) error {
	return s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, `update operator_keys set revoked_at = now() where id = $1 and revoked_at is null`, id)
		if err != nil {
			return fmt.Errorf("revoke operator's key %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return problem.Missing("operator's key in force")
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "operator_key.revoke", ObjectID: id})
		return nil
	})
}

// Key is a key as it is known afterwards.
type Key struct {
	ID, Name, Role, Last4         string
	CreatedAt                     time.Time
	ExpiresAt, RevokedAt, LastUse *time.Time
}

// Keys are all keys, the latest first.
func (s *Service) Keys(ctx context.Context) (list []Key, err error) {
	err = s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select id, name, role, last4, created_at, expires_at, revoked_at, last_used_at from operator_keys order by id desc`)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Key])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list operators' keys: %w", err)
	}
	return list, nil
}

// Authenticate finds out whose key it is. It is read anew each time: operators ask
// seldom, and a revoked key is out at once.
func (s *Service) Authenticate(ctx context.Context, key string) (tenants.Caller, error) {
	unknown := problem.New(problem.Unauthenticated, "invalid_key", "There is no such operator's key, or it is no longer in force.")
	if !keys.WellFormed(Prefix, key) {
		return tenants.Caller{}, unknown
	}
	who := principal.Principal{Kind: principal.Operator}
	err := s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `update operator_keys set last_used_at = now()
			where digest = $1 and revoked_at is null and (expires_at is null or expires_at > now()) returning id, name, role`, s.Pepper.HMAC(key)).
			Scan(&who.ID, &who.Label, &who.Role)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return tenants.Caller{}, unknown
	}
	if err != nil {
		return tenants.Caller{}, fmt.Errorf("look up an operator's key: %w", err)
	}
	return tenants.Caller{Principal: who}, nil
}
