package members

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Acceptance is how somebody accepts an invitation: signed in, with nothing but the token
// from the mail, or with a password for a new account.
type Acceptance struct {
	Token    string
	Password string
	Name     string // of a new account
}

// Accept has the one who acts, or a new account, join the store that invited them. The
// password is hashed before the transaction that makes all of it count, in which record
// writes down what came of it.
func (s *Service) Accept(ctx context.Context, in Acceptance, record accounts.Recorder[Joined]) (out Joined, err error) {
	hash, err := s.prepare(ctx, in)
	if err != nil {
		return Joined{}, err
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if out, err = s.join(ctx, tx, in, hash); err != nil || record == nil {
			return err
		}
		return record(ctx, tx, out)
	})
	return out, err
}

// prepare hashes the password of a new account, and refuses early what cannot be accepted.
func (s *Service) prepare(ctx context.Context, in Acceptance) (hash string, err error) {
	var i Invitation
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		i, err = byToken(ctx, tx, in.Token)
		return err
	})
	if err != nil {
		return "", err
	}
	signedIn := principal.From(ctx).Kind == principal.Account
	if signedIn && (in.Password != "" || in.Name != "") {
		return "", problem.New(problem.Unprocessable, "already_signed_in", "You are signed in: leave out password and name.")
	}
	if signedIn || in.Password == "" {
		return "", nil
	}
	return s.config.Accounts.HashPassword(ctx, in.Password, i.Email, in.Name)
}

// byToken finds the invitation that a mail's token belongs to, and refuses those that can
// no longer be accepted.
func byToken(ctx context.Context, tx *postgres.Tx, secret string) (Invitation, error) {
	i, err := scanInvitation(tx.QueryRow(ctx, selectByToken, token.Hash(secret)))
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return Invitation{}, problem.New(problem.Unprocessable, "token_invalid", "The token from the mail is wrong. Ask for another invitation.").
			At("/token", "token_invalid", "There is no such token.")
	case err != nil:
		return Invitation{}, fmt.Errorf("find an invitation: %w", err)
	case i.State != Pending:
		return Invitation{}, notPending(i.State)
	}
	return i, nil
}

// Joined is what came of an acceptance.
type Joined struct {
	Account accounts.Account
	Store   accounts.Membership
	New     bool // the account is new
}

const (
	insertMember = `insert into members (store_id, account_id, role, role_id, created_at, updated_at) values ($1, $2, $3, nullif($4, ''), $5, $5)`
	acceptOne    = `update invitations set accepted_at = $2 where id = $1`
	countMembers = `select count(*) from members where store_id = $1`
)

func (s *Service) join(ctx context.Context, tx *postgres.Tx, in Acceptance, hash string) (Joined, error) {
	found, err := byToken(ctx, tx, in.Token)
	if err != nil {
		return Joined{}, err
	}
	st, err := lockByID(ctx, tx, found.storeID)
	if err != nil {
		return Joined{}, err
	}
	switch tenants.Status(st.status) {
	case tenants.Active:
	case tenants.Suspended:
		return Joined{}, problem.New(problem.Forbidden, "store_suspended", "The store is suspended.")
	default:
		return Joined{}, problem.Missing("store")
	}
	i, err := byToken(ctx, tx, in.Token) // as it is now that nobody else can accept or revoke it
	if err != nil {
		return Joined{}, err
	}
	role, err := s.resolve(ctx, tx, st.id, i.Assignment)
	if err != nil {
		return Joined{}, err
	}
	a, fresh, err := s.invited(ctx, tx, i, in.Name, hash)
	if err != nil {
		return Joined{}, err
	}
	if _, err := find(ctx, tx, st.id, a.ID); err == nil {
		return Joined{}, alreadyMember()
	} else if !problem.Is(err, "not_found") {
		return Joined{}, err
	}
	// The plan may have become smaller since.
	if err := s.within(ctx, tx, st, countMembers); err != nil {
		return Joined{}, err
	}
	now := clock.Now()
	if _, err := tx.Exec(ctx, insertMember, st.id, a.ID, role.Role, role.RoleID, now); err != nil {
		return Joined{}, fmt.Errorf("join %s: %w", st.id, err)
	}
	if _, err := tx.Exec(ctx, acceptOne, i.ID, now); err != nil {
		return Joined{}, fmt.Errorf("accept invitation %s: %w", i.ID, err)
	}
	who := principal.From(ctx)
	who.Kind, who.ID, who.Label = principal.Account, a.ID, a.Email
	ctx = principal.With(ctx, who)
	after := i.shown()
	after["invitation_id"] = i.ID
	journal.Audit(ctx, tx, journal.Entry{Action: "staff.join", ObjectID: a.ID, StoreID: st.id, After: after})
	stores.TellSoon(ctx, tx, st.id, "staff.joined", a.ID, EventData{AccountID: &a.ID, Email: a.Email}.as(i.Assignment))
	if err := s.changed(ctx, tx, st.id, a.ID, Assignment{}, i.Assignment); err != nil {
		return Joined{}, err
	}
	out := Joined{Account: a, New: fresh}
	memberships, err := s.config.Accounts.MembershipsTx(ctx, tx, a.ID)
	for _, m := range memberships {
		if m.StoreID == st.id {
			out.Store = m
		}
	}
	return out, err
}

// invited is the account that accepts: the one who is signed in, when the invitation was
// sent to them, or a new one, whose address is proven by the token that was sent there.
func (s *Service) invited(ctx context.Context, tx *postgres.Tx, i Invitation, name, hash string) (a accounts.Account, fresh bool, err error) {
	who := principal.From(ctx)
	if who.Kind == principal.Account {
		if a, err = s.config.Accounts.GetTx(ctx, tx, who.ID); err != nil {
			return a, false, err
		}
		if !strings.EqualFold(a.Email, i.Email) {
			return a, false, signInAsInvited()
		}
		return a, false, nil
	}
	if hash == "" {
		_, err := s.config.Accounts.ByEmailTx(ctx, tx, i.Email)
		if err == nil {
			return a, false, signInAsInvited()
		}
		if !problem.Is(err, "not_found") {
			return a, false, err
		}
		return a, false, problem.New(problem.Invalid, "invalid_request", "A new account needs a password.").
			At("/password", "required", "It is required from a person without an account.")
	}
	a, err = s.config.Accounts.CreateTx(ctx, tx, accounts.NewAccount{Email: i.Email, Name: name, Hash: hash, Verified: true})
	if problem.Is(err, "email_in_use") {
		return a, false, signInAsInvited()
	}
	return a, true, err
}

func signInAsInvited() error {
	return problem.New(problem.Unauthenticated, "missing_credential", "The address that was invited has an account. Sign in to it, then accept.")
}
