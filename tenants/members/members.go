// Package members knows who works in a store and as what: its staff, the invitations
// under way and the roles that the store has made for itself. What a role allows is
// tenants/access' matter, and who a person is tenants/accounts'.
//
// Every change of a store's staff takes the store's row first, so that what must hold of
// all of them together — an owner is left, no more than the plan allows — is exact.
package members

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Config is what the staff is kept with. All must be set.
type Config struct {
	DB       *postgres.DB
	Stores   *stores.Service
	Accounts *accounts.Service
	Access   *access.Enforcer
	Limit    func(plan string) *int // how many may belong to a store; nil when there is no limit
	Site     *url.URL               // the platform's own pages, which invitations lead to
	Log      *slog.Logger
}

// Service is the staff of all stores.
type Service struct {
	config Config
	db     *postgres.DB
}

// New makes the service.
func New(config Config) *Service { return &Service{config: config, db: config.DB} }

// Assignment is what somebody is in a store: a built-in role, or access.Custom and the ID
// of one of the store's own.
type Assignment struct {
	Role   string
	RoleID string
}

// Member is somebody who belongs to a store.
type Member struct {
	AccountID string
	Email     string
	Name      string
	Assignment
	JoinedAt time.Time
}

const (
	selectMember = `
select m.account_id, a.email, a.name, m.role, coalesce(m.role_id, ''), m.created_at
from members m join accounts a on a.id = m.account_id where m.store_id = $1 `

	selectMembers = selectMember + `and m.account_id > $2 order by m.account_id limit $3`
	selectOne     = selectMember + `and m.account_id = $2`
	selectByEmail = selectMember + `and lower(a.email) = lower($2)`
)

func scanMember(r pgx.Row) (Member, error) {
	var m Member
	err := r.Scan(&m.AccountID, &m.Email, &m.Name, &m.Role, &m.RoleID, &m.JoinedAt)
	return m, err
}

// List reads the staff of the context's store, by the accounts' IDs, within a transaction
// on the control database, as all that follow.
func (s *Service) List(ctx context.Context, tx *postgres.Tx, after string, limit int) ([]Member, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	rows, err := tx.Query(ctx, selectMembers, ref.ID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list staff of %s: %w", ref.ID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Member, error) { return scanMember(row) })
	if err != nil {
		return nil, fmt.Errorf("list staff of %s: %w", ref.ID, err)
	}
	return list, nil
}

// Get reads one of the staff of the context's store.
func (s *Service) Get(ctx context.Context, tx *postgres.Tx, accountID string) (Member, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Member{}, postgres.ErrNoStore
	}
	return find(ctx, tx, ref.ID, accountID)
}

func find(ctx context.Context, tx *postgres.Tx, storeID, accountID string) (Member, error) {
	m, err := scanMember(tx.QueryRow(ctx, selectOne, storeID, accountID))
	if errors.Is(err, postgres.ErrNoRows) {
		return Member{}, problem.Missing("member of the staff")
	}
	if err != nil {
		return Member{}, fmt.Errorf("read member %s of %s: %w", accountID, storeID, err)
	}
	return m, nil
}

// Patch is what a merge patch says of an assignment: nil leaves a field, an empty RoleID
// takes it away. With another role than access.Custom the role's ID goes by itself.
type Patch struct {
	Role   *string
	RoleID *string
}

func (p Patch) apply(to Assignment) Assignment {
	if p.Role != nil && *p.Role != to.Role {
		to = Assignment{Role: *p.Role}
	}
	if p.RoleID != nil {
		to.RoleID = *p.RoleID
	}
	return to
}

const updateMember = `update members set role = $3, role_id = nullif($4, ''), updated_at = $5 where store_id = $1 and account_id = $2`

// Update changes what somebody is in the context's store, from their next request on.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, accountID string, patch Patch) (Member, error) {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return Member{}, err
	}
	m, err := find(ctx, tx, st.id, accountID)
	if err != nil {
		return Member{}, err
	}
	before := m.Assignment
	after := patch.apply(before)
	role, err := s.resolve(ctx, tx, st.id, after)
	if err != nil {
		return Member{}, err
	}
	if after == before {
		return m, nil
	}
	if err := s.mayTake(ctx, tx, st.id, before); err != nil {
		return Member{}, err
	}
	if err := s.mayGive(ctx, role); err != nil {
		return Member{}, err
	}
	if _, err := tx.Exec(ctx, updateMember, st.id, accountID, after.Role, after.RoleID, clock.Now()); err != nil {
		return Member{}, fmt.Errorf("update member %s of %s: %w", accountID, st.id, err)
	}
	m.Assignment = after
	journal.Audit(ctx, tx, journal.Entry{Action: "staff.update", ObjectID: accountID, StoreID: st.id, Before: before.shown(), After: after.shown()})
	stores.TellSoon(ctx, tx, st.id, "staff.updated", accountID, EventData{AccountID: &m.AccountID, Email: m.Email}.as(after))
	return m, s.changed(ctx, tx, st.id, accountID, before, after)
}

const deleteMember = `delete from members where store_id = $1 and account_id = $2`

// Remove takes somebody out of the context's store; their next request is refused.
func (s *Service) Remove(ctx context.Context, tx *postgres.Tx, accountID string) error {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return err
	}
	m, err := find(ctx, tx, st.id, accountID)
	if err != nil {
		return err
	}
	if err := s.mayTake(ctx, tx, st.id, m.Assignment); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, deleteMember, st.id, accountID); err != nil {
		return fmt.Errorf("remove member %s of %s: %w", accountID, st.id, err)
	}
	before := m.shown()
	before["email"], before["name"], before["joined_at"] = m.Email, m.Name, m.JoinedAt.UTC()
	journal.Audit(ctx, tx, journal.Entry{Action: "staff.remove", ObjectID: accountID, StoreID: st.id, Before: before})
	stores.TellSoon(ctx, tx, st.id, "staff.removed", accountID, EventData{AccountID: &m.AccountID, Email: m.Email}.as(m.Assignment))
	return s.changed(ctx, tx, st.id, accountID, m.Assignment, Assignment{})
}

// changed has all replicas read anew who the account is in its stores and, when its
// owners are others now, what is known of the store.
func (s *Service) changed(ctx context.Context, tx *postgres.Tx, storeID, accountID string, before, after Assignment) error {
	s.config.Accounts.Changed(ctx, tx, accountID)
	if before.Role != access.Owner && after.Role != access.Owner {
		return nil
	}
	rec, err := s.config.Stores.GetTx(ctx, tx, storeID)
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { s.config.Stores.Forget(ctx, rec) })
	return nil
}

// locked is a store whose staff nobody else changes until the transaction ends.
type locked struct {
	id, name, plan, status string
}

const lockStore = `select id, name, plan, status from stores where id = $1 and status <> 'purged' for no key update`

// lock takes the context's store for a change of its staff, which a test key may not make:
// it would open the live side to whoever it lets in.
func (s *Service) lock(ctx context.Context, tx *postgres.Tx) (locked, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return locked{}, postgres.ErrNoStore
	}
	if who := principal.From(ctx); who.Kind == principal.Key && who.Mode == principal.Test {
		return locked{}, problem.New(problem.Forbidden, "live_key_required", "A test key acts on the sandbox alone; the staff belongs to the whole store. Use a live key.")
	}
	return lockByID(ctx, tx, ref.ID)
}

func lockByID(ctx context.Context, tx *postgres.Tx, id string) (st locked, err error) {
	err = tx.QueryRow(ctx, lockStore, id).Scan(&st.id, &st.name, &st.plan, &st.status)
	if errors.Is(err, postgres.ErrNoRows) {
		return locked{}, problem.Missing("store")
	}
	if err != nil {
		return locked{}, fmt.Errorf("lock store %s: %w", id, err)
	}
	return st, nil
}

// granted is what an assignment comes to.
type granted struct {
	Assignment
	label       string // for people
	permissions []string
}

const selectGranted = `select name, permissions from roles where id = $1 and store_id = $2`

// resolve finds out what an assignment comes to in a store.
func (s *Service) resolve(ctx context.Context, tx *postgres.Tx, storeID string, a Assignment) (granted, error) {
	g := granted{Assignment: a, label: a.Role}
	if access.BuiltIn(a.Role) && a.RoleID == "" {
		all := s.config.Access.Effective(principal.Principal{Kind: principal.Account, Role: a.Role})
		g.permissions = slices.DeleteFunc(all, func(p string) bool { return p == access.None })
		return g, nil
	}
	invalid := problem.New(problem.Unprocessable, "role_invalid", "There is no such role.")
	if a.Role != access.Custom {
		return granted{}, invalid.At("/role_id", "role_invalid", "Only the role custom has an ID.")
	}
	err := tx.QueryRow(ctx, selectGranted, a.RoleID, storeID).Scan(&g.label, &g.permissions)
	if errors.Is(err, postgres.ErrNoRows) {
		return granted{}, invalid.At("/role_id", "role_invalid", "The store has no role with this ID.")
	}
	if err != nil {
		return granted{}, fmt.Errorf("read role %s: %w", a.RoleID, err)
	}
	return g, nil
}

// mayGive refuses to make somebody more than the one who acts is.
func (s *Service) mayGive(ctx context.Context, role granted) error {
	if role.Role == access.Owner && !owns(ctx) {
		return ownerRequired()
	}
	return s.mayGrant(ctx, role.permissions)
}

func (s *Service) mayGrant(ctx context.Context, permissions []string) error {
	who := principal.From(ctx)
	if who.Kind == principal.System {
		return nil
	}
	lacking := s.config.Access.Lacks(who, permissions)
	if len(lacking) == 0 {
		return nil
	}
	return problem.New(problem.Forbidden, "grant_exceeded", "Nobody can give a permission that they don't have: %s.", strings.Join(lacking, ", ")).
		With("required_permission", lacking[0])
}

const countOwners = `select count(*) from members where store_id = $1 and role = 'owner'`

// mayTake refuses to take ownership from somebody, unless an owner does and another is
// left.
func (s *Service) mayTake(ctx context.Context, tx *postgres.Tx, storeID string, a Assignment) error {
	if a.Role != access.Owner {
		return nil
	}
	if !owns(ctx) {
		return ownerRequired()
	}
	var owners int
	if err := tx.QueryRow(ctx, countOwners, storeID).Scan(&owners); err != nil {
		return fmt.Errorf("count owners of %s: %w", storeID, err)
	}
	if owners < 2 {
		return problem.New(problem.Conflict, "last_owner", "A store keeps at least one owner.")
	}
	return nil
}

// owns says whether an owner acts, or the platform itself.
func owns(ctx context.Context) bool {
	who := principal.From(ctx)
	return who.Kind == principal.System || who.Kind == principal.Account && who.Role == access.Owner
}

func ownerRequired() error {
	return problem.New(problem.Forbidden, "owner_required", "Only an owner may make, change or remove an owner.")
}

// shown is an assignment as the audit shows it.
func (a Assignment) shown() map[string]any {
	shown := map[string]any{"role": a.Role}
	if a.RoleID != "" {
		shown["role_id"] = a.RoleID
	}
	return shown
}
