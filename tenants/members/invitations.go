package members

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

const (
	// validDays is how long an invitation can be accepted.
	validDays = 7
	// perDay is how many invitations a store sends within a day: enough for any staff, and
	// too few for those who would have the platform write to strangers.
	perDay = 100
	// pathAccept is the platform's page that an invitation leads to.
	pathAccept = "/accept-invitation"
)

// State says what became of an invitation.
type State string

// The states.
const (
	Pending  State = "pending"
	Accepted State = "accepted"
	Revoked  State = "revoked"
	Expired  State = "expired"
)

// Invitation asks somebody to join a store.
type Invitation struct {
	ID    string
	Email string
	Assignment
	State     State
	InvitedBy tenants.Actor
	ExpiresAt time.Time
	CreatedAt time.Time

	storeID string
}

const (
	selectInvitation = `
select * from (
	select i.id, i.store_id, i.email, i.role, coalesce(i.role_id, ''), i.invited_by, i.expires_at, i.created_at,
		case when i.accepted_at is not null then 'accepted' when i.revoked_at is not null then 'revoked'
			when i.expires_at <= now() then 'expired' else 'pending' end as state, i.token_hash
	from invitations i
) i `

	selectInvitations = selectInvitation + `where store_id = $1 and ($2 = '' or state = $2) and ($3 = '' or id < $3) order by id desc limit $4`
	selectInvited     = selectInvitation + `where store_id = $1 and id = $2`
	selectByToken     = selectInvitation + `where token_hash = $1`
)

func scanInvitation(r pgx.Row) (Invitation, error) {
	var i Invitation
	var by, hash []byte
	err := r.Scan(&i.ID, &i.storeID, &i.Email, &i.Role, &i.RoleID, &by, &i.ExpiresAt, &i.CreatedAt, &i.State, &hash)
	if err == nil {
		err = json.Unmarshal(by, &i.InvitedBy)
	}
	return i, err
}

// Invitations reads the invitations of the context's store, the latest first: those in a
// state, or all when it is empty, from the one that comes after the one with the ID after.
func (s *Service) Invitations(ctx context.Context, tx *postgres.Tx, state State, after string, limit int) ([]Invitation, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return nil, postgres.ErrNoStore
	}
	rows, err := tx.Query(ctx, selectInvitations, ref.ID, string(state), after, limit)
	if err != nil {
		return nil, fmt.Errorf("list invitations of %s: %w", ref.ID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Invitation, error) { return scanInvitation(row) })
	if err != nil {
		return nil, fmt.Errorf("list invitations of %s: %w", ref.ID, err)
	}
	return list, nil
}

const (
	// replaceInvitation ends what was sent to the same address before.
	replaceInvitation = `
update invitations set revoked_at = $3 where store_id = $1 and lower(email) = lower($2) and accepted_at is null and revoked_at is null`

	countStaff = `
select (select count(*) from members where store_id = $1) +
	(select count(*) from invitations where store_id = $1 and accepted_at is null and revoked_at is null and expires_at > now())`

	countLately = `select count(*) from invitations where store_id = $1 and created_at > now() - interval '1 day'`

	insertInvitation = `
insert into invitations (id, store_id, email, role, role_id, token_hash, invited_by, expires_at, created_at)
values ($1, $2, $3, $4, nullif($5, ''), $6, $7, $8, $9)`
)

// Invite asks somebody by mail to join the context's store. An invitation that the same
// address has got before ends.
func (s *Service) Invite(ctx context.Context, tx *postgres.Tx, email string, as Assignment) (Invitation, error) {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return Invitation{}, err
	}
	email = tidy(email)
	if !mail.ValidAddress(email) {
		return Invitation{}, problem.New(problem.Invalid, "invalid_request", "This is no e-mail address that can be written to.").
			At("/email", "format", "Give one address, without a name.")
	}
	role, err := s.resolve(ctx, tx, st.id, as)
	if err != nil {
		return Invitation{}, err
	}
	if err := s.mayGive(ctx, role); err != nil {
		return Invitation{}, err
	}
	_, err = scanMember(tx.QueryRow(ctx, selectByEmail, st.id, email))
	if err == nil {
		return Invitation{}, alreadyMember()
	}
	if !errors.Is(err, postgres.ErrNoRows) {
		return Invitation{}, fmt.Errorf("look for %s in %s: %w", email, st.id, err)
	}
	now := clock.Now()
	if _, err := tx.Exec(ctx, replaceInvitation, st.id, email, now); err != nil {
		return Invitation{}, fmt.Errorf("replace an invitation to %s: %w", st.id, err)
	}
	if err := s.room(ctx, tx, st); err != nil {
		return Invitation{}, err
	}
	i := Invitation{
		ID: ids.New("inv"), Email: email, Assignment: as, State: Pending, InvitedBy: tenants.Acting(ctx),
		ExpiresAt: now.Add(validDays * 24 * time.Hour), CreatedAt: now, storeID: st.id,
	}
	secret := token.New("tok")
	if _, err := tx.Exec(ctx, insertInvitation, i.ID, st.id, i.Email, i.Role, i.RoleID, token.Hash(secret), i.InvitedBy, i.ExpiresAt, now); err != nil {
		return Invitation{}, fmt.Errorf("invite to %s: %w", st.id, err)
	}
	letter := mail.NewLetter(email, mail.StaffInvitation{Inviter: i.InvitedBy.Label, Role: role.label, URL: s.page(secret), ValidFor: validDays})
	letter.StoreID = st.id
	journal.Job(tx, mail.JobSend, letter)
	after := i.shown()
	after["email"] = i.Email
	journal.Audit(ctx, tx, journal.Entry{Action: "staff.invite", ObjectID: i.ID, StoreID: st.id, After: after})
	stores.TellSoon(ctx, tx, st.id, "staff.invited", i.ID, EventData{Email: i.Email}.as(i.Assignment))
	return i, nil
}

// room refuses what goes beyond the plan, in which those invited count like those who
// belong, and what goes beyond a day's invitations.
func (s *Service) room(ctx context.Context, tx *postgres.Tx, st locked) error {
	var lately int
	if err := tx.QueryRow(ctx, countLately, st.id).Scan(&lately); err != nil {
		return fmt.Errorf("count invitations of %s: %w", st.id, err)
	}
	if lately >= perDay {
		p := problem.New(problem.Limited, "rate_limited", "The store has sent %d invitations within a day, and can send no more.", lately)
		p.RetryAfter = time.Hour
		return p
	}
	return s.within(ctx, tx, st, countStaff)
}

// within refuses one more than the plan allows of what a statement counts.
func (s *Service) within(ctx context.Context, tx *postgres.Tx, st locked, count string) error {
	limit := s.config.Limit(st.plan)
	if limit == nil {
		return nil
	}
	var present int
	if err := tx.QueryRow(ctx, count, st.id).Scan(&present); err != nil {
		return fmt.Errorf("count staff of %s: %w", st.id, err)
	}
	if present >= *limit {
		return problem.New(problem.Unprocessable, "plan_limit", "The plan allows a staff of %d, invitations included.", *limit)
	}
	return nil
}

const revokeInvitation = `update invitations set revoked_at = $2 where id = $1`

// Revoke ends an invitation that was not accepted yet.
func (s *Service) Revoke(ctx context.Context, tx *postgres.Tx, id string) error {
	st, err := s.lock(ctx, tx)
	if err != nil {
		return err
	}
	i, err := scanInvitation(tx.QueryRow(ctx, selectInvited, st.id, id))
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("invitation")
	}
	if err != nil {
		return fmt.Errorf("read invitation %s: %w", id, err)
	}
	if i.State != Pending {
		return notPending(i.State)
	}
	if _, err := tx.Exec(ctx, revokeInvitation, id, clock.Now()); err != nil {
		return fmt.Errorf("revoke invitation %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{
		Action: "invitation.revoke", ObjectID: id, StoreID: st.id, Before: map[string]any{"email": i.Email, "state": i.State}, After: map[string]any{"state": Revoked},
	})
	return nil
}

func notPending(state State) error {
	return problem.New(problem.Conflict, "invitation_not_pending", "The invitation is %s.", state)
}

func alreadyMember() error {
	return problem.New(problem.Conflict, "already_a_member", "The person belongs to the store already.")
}

// page is the address of the page where an invitation is accepted.
func (s *Service) page(secret string) string {
	u := *s.config.Site
	u.Path = pathAccept
	u.RawQuery = url.Values{"token": {secret}}.Encode()
	return u.String()
}

// tidy is an e-mail address as it is kept: as typed, in one form of Unicode.
func tidy(email string) string { return norm.NFC.String(strings.TrimSpace(email)) }
