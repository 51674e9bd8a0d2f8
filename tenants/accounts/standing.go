package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
)

// Standing is what every request of a signed-in person needs to know of them. It is
// remembered, and must not be changed.
type Standing struct {
	ID          string
	Email       string
	Stamp       string // sessions with another have ended
	Memberships map[string]Membership
}

// Membership is a store that an account belongs to, and as what.
type Membership struct {
	StoreID   string
	StoreName string
	Address   string
	Status    tenants.Status
	Role      string
	RoleID    string   // of a custom role
	Grants    []string // a custom role's permissions
	JoinedAt  time.Time
}

const (
	selectStanding = `select email, epoch::text from accounts where id = $1`

	selectMemberships = `
select m.store_id, s.name, s.address, s.status, m.role, coalesce(m.role_id, ''), coalesce(r.permissions, '{}'), m.created_at
from members m join stores s on s.id = m.store_id left join roles r on r.id = m.role_id
where m.account_id = $1 and s.status <> 'purged' order by m.store_id`

	selectRoleHolders = `select account_id from members where role_id = $1`
)

// Standing is an account's standing, or nil when there is no such account. Changes are
// known within half a second, and at once where they were made.
func (s *Service) Standing(ctx context.Context, id string) (*Standing, error) {
	return s.known.Get(ctx, id, func(ctx context.Context) (*Standing, error) {
		standing := &Standing{ID: id, Memberships: map[string]Membership{}}
		err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			if err := tx.QueryRow(ctx, selectStanding, id).Scan(&standing.Email, &standing.Stamp); err != nil {
				return err
			}
			list, err := s.MembershipsTx(ctx, tx, id)
			for _, m := range list {
				standing.Memberships[m.StoreID] = m
			}
			return err
		})
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("standing of account %s: %w", id, err)
		}
		return standing, nil
	})
}

// MembershipsTx reads the stores that an account belongs to, by their IDs. Purged ones
// are left out.
func (s *Service) MembershipsTx(ctx context.Context, tx *postgres.Tx, id string) ([]Membership, error) {
	rows, err := tx.Query(ctx, selectMemberships, id)
	if err != nil {
		return nil, fmt.Errorf("stores of account %s: %w", id, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Membership, error) {
		var m Membership
		err := row.Scan(&m.StoreID, &m.StoreName, &m.Address, &m.Status, &m.Role, &m.RoleID, &m.Grants, &m.JoinedAt)
		m.JoinedAt = m.JoinedAt.UTC()
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("stores of account %s: %w", id, err)
	}
	return list, nil
}

// Changed has all replicas read an account's standing anew once tx is committed: its
// address, its epoch or what it belongs to has changed.
func (s *Service) Changed(ctx context.Context, tx *postgres.Tx, ids ...string) {
	tx.AfterCommit(func() {
		if err := s.known.Forget(context.WithoutCancel(ctx), ids...); err != nil {
			s.config.Log.WarnContext(ctx, "other replicas are not told of an account's change yet", "accounts", ids, "error", err)
		}
	})
}

// RoleChanged is Changed for all who have a custom role.
func (s *Service) RoleChanged(ctx context.Context, tx *postgres.Tx, roleID string) error {
	rows, err := tx.Query(ctx, selectRoleHolders, roleID)
	if err != nil {
		return fmt.Errorf("holders of role %s: %w", roleID, err)
	}
	holders, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("holders of role %s: %w", roleID, err)
	}
	if len(holders) > 0 {
		s.Changed(ctx, tx, holders...)
	}
	return nil
}
