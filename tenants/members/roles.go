package members

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/stores"
)

const (
	maxRoleName        = 64
	maxRoleDescription = 500
)

// Role is a named list of permissions: a built-in one, whose ID is its name, or one of a
// store's own.
type Role struct {
	ID          string
	Name        string
	Description string
	BuiltIn     bool
	Permissions []string
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

const (
	selectRole  = `select id, name, description, permissions, version, created_at, updated_at from roles where store_id = $1 `
	selectRoles = selectRole + `and id > $2 order by id limit $3`
	selectOwn   = selectRole + `and id = $2`
	lockOwn     = selectOwn + ` for update`
)

func scanRole(r pgx.Row) (Role, error) {
	var role Role
	err := r.Scan(&role.ID, &role.Name, &role.Description, &role.Permissions, &role.Version, &role.CreatedAt, &role.UpdatedAt)
	return role, err
}

// Roles reads the built-in roles and those of the context's store, from the one that comes
// after the one with the ID after.
func (s *Service) Roles(ctx context.Context, tx *postgres.Tx, after string, limit int) ([]Role, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	list := s.builtIn(after)
	if len(list) >= limit {
		return list[:limit], nil
	}
	if !ids.Valid("role", after) {
		after = ""
	}
	rows, err := tx.Query(ctx, selectRoles, ref.ID, after, limit-len(list))
	if err != nil {
		return nil, fmt.Errorf("list roles of %s: %w", ref.ID, err)
	}
	own, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Role, error) { return scanRole(row) })
	if err != nil {
		return nil, fmt.Errorf("list roles of %s: %w", ref.ID, err)
	}
	return append(list, own...), nil
}

// builtIn lists the built-in roles that come after the one with this name; a store's own
// come after all of them.
func (s *Service) builtIn(after string) []Role {
	var list []Role
	if ids.Valid("role", after) {
		return nil
	}
	for _, r := range access.Roles() {
		has := s.config.Access.Effective(principal.Principal{Kind: principal.Account, Role: r.Name})
		list = append(list, Role{
			ID: r.Name, Name: r.Name, Description: r.Description, BuiltIn: true,
			// What cannot be listed in a role, such as the store's end, is told by the description.
			Permissions: slices.DeleteFunc(has, func(p string) bool { return !access.Grantable(p) }),
		})
	}
	if i := slices.IndexFunc(list, func(r Role) bool { return r.ID == after }); i >= 0 {
		return list[i+1:]
	}
	return list
}

// Role reads one of the context's store's own roles.
func (s *Service) Role(ctx context.Context, tx *postgres.Tx, id string) (Role, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Role{}, postgres.ErrNoStore
	}
	return findRole(ctx, tx, selectOwn, ref.ID, id)
}

func findRole(ctx context.Context, tx *postgres.Tx, statement, storeID, id string) (Role, error) {
	role, err := scanRole(tx.QueryRow(ctx, statement, storeID, id))
	if errors.Is(err, postgres.ErrNoRows) {
		return Role{}, problem.Missing("role")
	}
	if err != nil {
		return Role{}, fmt.Errorf("read role %s: %w", id, err)
	}
	return role, nil
}

// RoleInput is a new role, or a change of one, in which nil leaves a field.
type RoleInput struct {
	Name        *string
	Description *string
	Permissions *[]string
}

// apply brings what was given into a role, and names everything that is wrong with it.
func (in RoleInput) apply(to *Role) error {
	wrong := problem.New(problem.Invalid, "invalid_request", "A role cannot be like this.")
	if in.Name != nil {
		to.Name = strings.TrimSpace(*in.Name)
		if n := utf8.RuneCountInString(to.Name); n == 0 || n > maxRoleName {
			wrong.At("/name", "length", "A name has 1 to %d characters, not blanks alone.", maxRoleName)
		}
	}
	if in.Description != nil {
		to.Description = strings.TrimSpace(*in.Description)
		if utf8.RuneCountInString(to.Description) > maxRoleDescription {
			wrong.At("/description", "maxLength", "It has at most %d characters.", maxRoleDescription)
		}
	}
	if in.Permissions != nil {
		to.Permissions = []string{}
		for i, p := range *in.Permissions {
			switch {
			case !access.Grantable(p):
				wrong.At(fmt.Sprintf("/permissions/%d", i), "enum", "It is no permission that a role can have.")
			case !slices.Contains(to.Permissions, p):
				to.Permissions = append(to.Permissions, p)
			}
		}
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	if access.BuiltIn(strings.ToLower(to.Name)) || strings.EqualFold(to.Name, access.Custom) {
		return nameTaken()
	}
	return nil
}

func nameTaken() error {
	return problem.New(problem.Conflict, "name_taken", "Another role has this name.").At("/name", "name_taken", "Choose another.")
}

const insertRole = `
insert into roles (id, store_id, name, description, permissions, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)`

// CreateRole makes a role of the context's store's own, of no more than its maker may.
func (s *Service) CreateRole(ctx context.Context, tx *postgres.Tx, in RoleInput) (Role, error) {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return Role{}, err
	}
	now := clock.Now()
	role := Role{ID: ids.New("role"), Permissions: []string{}, Version: 1, CreatedAt: now, UpdatedAt: now}
	if err := in.apply(&role); err != nil {
		return Role{}, err
	}
	if err := s.mayGrant(ctx, role.Permissions); err != nil {
		return Role{}, err
	}
	if _, err := tx.Exec(ctx, insertRole, role.ID, st.id, role.Name, role.Description, role.Permissions, now); err != nil {
		return Role{}, named(fmt.Errorf("create a role of %s: %w", st.id, err))
	}
	stores.TellSoon(ctx, tx, st.id, "role.created", role.ID, journal.Named{ID: role.ID, Name: role.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "role.create", ObjectID: role.ID, StoreID: st.id, After: role.shown()})
	return role, nil
}

const updateRole = `
update roles set name = $2, description = $3, permissions = $4, version = version + 1, updated_at = $5 where id = $1`

// UpdateRole changes one of the context's store's own roles, for all who have it from their
// next request on. A version other than zero must be the present one.
func (s *Service) UpdateRole(ctx context.Context, tx *postgres.Tx, id string, version int, in RoleInput) (Role, error) {
	st, before, err := s.lockRole(ctx, tx, id, version)
	if err != nil {
		return Role{}, err
	}
	role := before
	if err := in.apply(&role); err != nil {
		return Role{}, err
	}
	// What the role has already was given by somebody who had it.
	added := slices.DeleteFunc(slices.Clone(role.Permissions), func(p string) bool { return slices.Contains(before.Permissions, p) })
	if err := s.mayGrant(ctx, added); err != nil {
		return Role{}, err
	}
	role.Version, role.UpdatedAt = before.Version+1, clock.Now()
	if _, err := tx.Exec(ctx, updateRole, id, role.Name, role.Description, role.Permissions, role.UpdatedAt); err != nil {
		return Role{}, named(fmt.Errorf("update role %s: %w", id, err))
	}
	stores.TellSoon(ctx, tx, st.id, "role.updated", id, journal.Named{ID: id, Name: role.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "role.update", ObjectID: id, StoreID: st.id, Before: before.shown(), After: role.shown()})
	return role, s.config.Accounts.RoleChanged(ctx, tx, id)
}

const (
	countHolders = `
select (select count(*) from members where role_id = $1) +
	(select count(*) from invitations where role_id = $1 and accepted_at is null and revoked_at is null and expires_at > now())`

	deleteRole = `delete from roles where id = $1`
)

// DeleteRole deletes one of the context's store's own roles, unless somebody has it or is
// invited into it.
func (s *Service) DeleteRole(ctx context.Context, tx *postgres.Tx, id string, version int) error {
	st, role, err := s.lockRole(ctx, tx, id, version)
	if err != nil {
		return err
	}
	var holders int
	if err := tx.QueryRow(ctx, countHolders, id).Scan(&holders); err != nil {
		return fmt.Errorf("count holders of role %s: %w", id, err)
	}
	if holders > 0 {
		return problem.New(problem.Conflict, "role_in_use", "The role is given to %d, or offered by an invitation.", holders)
	}
	if _, err := tx.Exec(ctx, deleteRole, id); err != nil {
		return fmt.Errorf("delete role %s: %w", id, err)
	}
	stores.TellSoon(ctx, tx, st.id, "role.deleted", id, journal.Gone{ID: id})
	journal.Audit(ctx, tx, journal.Entry{Action: "role.delete", ObjectID: id, StoreID: st.id, Before: role.shown()})
	return nil
}

// lockRole takes a store and one of its roles for a change.
func (s *Service) lockRole(ctx context.Context, tx *postgres.Tx, id string, version int) (locked, Role, error) {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return locked{}, Role{}, err
	}
	role, err := findRole(ctx, tx, lockOwn, st.id, id)
	if err != nil {
		return locked{}, Role{}, err
	}
	if version != 0 && version != role.Version {
		return locked{}, Role{}, problem.New(problem.Stale, "stale", "The role has changed since the version in If-Match.")
	}
	return st, role, nil
}

// named turns the refusal of a name that another role has into its problem.
func named(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == "23505" && answer.ConstraintName == "roles_name" {
		return nameTaken()
	}
	return err
}

// shown is the role as the audit shows it.
func (r Role) shown() map[string]any {
	return map[string]any{"name": r.Name, "description": r.Description, "permissions": r.Permissions}
}
