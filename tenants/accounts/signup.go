package accounts

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// SignUp is what a store is opened with. A signed-in person's account is given by its ID,
// without e-mail address, password and name.
type SignUp struct {
	AccountID string
	Email     string
	Password  string
	Name      string
	Store     stores.Birth
	Verified  bool // the address is proven already; for stores made by command
}

// SignedUp is a new store with everything to begin with.
type SignedUp struct {
	Account  Account
	Store    stores.Record
	Settings stores.Settings
	Keys     tenants.FirstKeys
}

// Recorder writes down what came of an operation, within the transaction that makes it
// count.
type Recorder[T any] func(ctx context.Context, tx *postgres.Tx, result T) error

// SignUp opens a store, for a new account or for one that is signed in. All that takes
// time comes first and shows nowhere; one transaction then makes account, store, owner,
// keys and their record exist. A known address is answered like a wrong sign-in, in the
// same time, and its owner is mailed.
func (s *Service) SignUp(ctx context.Context, in SignUp, record Recorder[SignedUp]) (out SignedUp, err error) {
	defer func() { s.config.SignedUp(err) }()
	if in.AccountID != "" {
		return s.addStore(ctx, in, record)
	}
	email := tidy(in.Email)
	if err := validate(email, in); err != nil {
		return SignedUp{}, err
	}
	// The address comes first: were it looked at for new accounts only, its refusal would
	// tell which e-mail addresses are known.
	if err := s.config.Stores.Claimable(ctx, in.Store); err != nil {
		return SignedUp{}, err
	}
	attempt, err := s.config.Guard.Begin(ctx, email, ip(ctx))
	if err != nil {
		return SignedUp{}, err
	}
	known, err := s.ByEmail(ctx, email)
	if err == nil {
		return SignedUp{}, s.refuseKnown(ctx, known, in.Password)
	}
	if !problem.Is(err, "not_found") {
		attempt.Forgive(ctx)
		return SignedUp{}, err
	}
	out, err = s.newAccount(ctx, email, in, record)
	if err != nil {
		if !wrong(err) {
			attempt.Forgive(ctx)
		}
		return SignedUp{}, err
	}
	attempt.Succeeded(ctx)
	return out, nil
}

// validate names what is wrong with a sign-up that makes an account.
func validate(email string, in SignUp) error {
	if !mail.ValidAddress(email) {
		return problem.New(problem.Invalid, "invalid_request", "This is no e-mail address that can be written to.").
			At("/email", "format", "Give one address, without a name.")
	}
	if err := judge("/password", in.Password, passwords.Context{Personal: personal(email, in.Name, in.Store.Name, in.Store.Address)}); err != nil {
		return err
	}
	return nil
}

// personal is what a person's password must not be made of.
func personal(texts ...string) []string {
	var list []string
	for _, text := range texts {
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}

// refuseKnown answers a sign-up with a known address. The mail is written while the
// password is hashed, so that it takes no time of its own.
func (s *Service) refuseKnown(ctx context.Context, known Account, password string) error {
	var both errgroup.Group
	both.Go(func() error { return s.config.Hasher.DummyVerify(ctx, password) })
	both.Go(func() error { return s.noteSignup(ctx, known) })
	if err := both.Wait(); err != nil {
		return fmt.Errorf("refuse a sign-up: %w", err)
	}
	return invalidCredentials()
}

// noteOnce keeps those who sign up again and again from filling somebody's mailbox.
const noteOnce = `update accounts set signup_noted_at = now() where id = $1 and (signup_noted_at is null or signup_noted_at < now() - interval '1 hour')`

func (s *Service) noteSignup(ctx context.Context, known Account) error {
	return s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, noteOnce, known.ID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		s.send(tx, known.Email, known.Name, mail.AccountKnownSignup{
			SignInURL: s.page(pathSignIn, ""), ResetURL: s.page(pathForgotten, ""), At: clock.Now(), IP: ip(ctx),
		})
		journal.Audit(ctx, tx, journal.Entry{Action: "account.note_signup", ObjectID: known.ID})
		return nil
	})
}

// newAccount hashes the password and prepares the store at the same time, and then enters
// both.
func (s *Service) newAccount(ctx context.Context, email string, in SignUp, record Recorder[SignedUp]) (SignedUp, error) {
	var hash string
	var prepared *stores.Prepared
	var hashed, made error
	both, bounded := errgroup.WithContext(ctx)
	both.Go(func() error {
		hash, hashed = s.config.Hasher.Hash(bounded, in.Password)
		return hashed
	})
	both.Go(func() error {
		prepared, made = s.config.Stores.Prepare(bounded, in.Store)
		return made
	})
	if err := both.Wait(); err != nil {
		if made == nil {
			s.config.Stores.Abandon(ctx, prepared)
		}
		return SignedUp{}, err
	}
	s.config.Reached("prepared")
	a := Account{ID: ids.New("acc"), Email: email, Name: strings.TrimSpace(in.Name), passwordHash: hash, Verified: in.Verified}
	out, err := s.enter(acting(ctx, a), a, prepared, true, record)
	if isUnique(err, "accounts_email") { // somebody was quicker with the same address
		if known, found := s.ByEmail(ctx, email); found == nil {
			if err := s.noteSignup(ctx, known); err != nil {
				return SignedUp{}, err
			}
		}
		return SignedUp{}, invalidCredentials()
	}
	return out, err
}

// addStore opens another store for a signed-in person.
func (s *Service) addStore(ctx context.Context, in SignUp, record Recorder[SignedUp]) (SignedUp, error) {
	if in.Email != "" || in.Password != "" || in.Name != "" {
		return SignedUp{}, problem.New(problem.Unprocessable, "already_signed_in", "You are signed in: leave out e-mail address, password and name.")
	}
	a, err := s.Get(ctx, in.AccountID)
	if err != nil {
		return SignedUp{}, err
	}
	prepared, err := s.config.Stores.Prepare(ctx, in.Store)
	if err != nil {
		return SignedUp{}, err
	}
	s.config.Reached("prepared")
	return s.enter(ctx, a, prepared, false, record)
}

// enter is the one transaction that makes a sign-up exist.
func (s *Service) enter(ctx context.Context, a Account, prepared *stores.Prepared, fresh bool, record Recorder[SignedUp]) (SignedUp, error) {
	out := SignedUp{Settings: prepared.Settings()}
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if fresh {
			if err := s.insert(ctx, tx, a); err != nil {
				return err
			}
			if !a.Verified {
				if err := s.mailVerification(ctx, tx, a); err != nil {
					return err
				}
			}
		}
		if out.Store, err = s.config.Stores.Enter(ctx, tx, prepared, a.ID); err != nil {
			return err
		}
		if out.Keys, err = s.config.Keys.IssueFirst(ctx, tx, prepared.ID, a.ID); err != nil {
			return fmt.Errorf("first keys of store %s: %w", prepared.ID, err)
		}
		if out.Account, err = s.GetTx(ctx, tx, a.ID); err != nil {
			return err
		}
		s.Changed(ctx, tx, a.ID)
		s.config.Reached("entered")
		if record != nil {
			return record(ctx, tx, out)
		}
		return nil
	})
	if err != nil {
		// When it is not known whether the commit arrived, what was prepared is the sweeper's.
		if !postgres.Unreachable(err) && ctx.Err() == nil {
			s.config.Stores.Abandon(ctx, prepared)
		}
		return SignedUp{}, err
	}
	s.config.Reached("committed")
	return out, nil
}

const insertAccount = `
insert into accounts (id, email, name, password_hash, email_verified_at)
values ($1, $2, $3, $4, case when $5 then now() end)`

func (s *Service) insert(ctx context.Context, tx *postgres.Tx, a Account) error {
	if _, err := tx.Exec(ctx, insertAccount, a.ID, a.Email, a.Name, a.passwordHash, a.Verified); err != nil {
		return fmt.Errorf("insert account: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "account.create", ObjectID: a.ID, After: map[string]any{"email": a.Email, "name": a.Name}})
	return nil
}

// NewAccount is an account without a store of its own, for those who are invited into one.
type NewAccount struct {
	Email    string
	Name     string
	Hash     string // by HashPassword
	Verified bool
}

// HashPassword judges a password for a new account and hashes it, before a transaction.
// personal are texts that it must not be made of.
func (s *Service) HashPassword(ctx context.Context, password string, personal ...string) (string, error) {
	return s.choose(ctx, "/password", password, passwords.Context{Personal: personal})
}

// CreateTx makes an account within a transaction on the control database; a known address
// is the problem email_in_use.
func (s *Service) CreateTx(ctx context.Context, tx *postgres.Tx, in NewAccount) (Account, error) {
	a := Account{ID: ids.New("acc"), Email: tidy(in.Email), Name: strings.TrimSpace(in.Name), passwordHash: in.Hash, Verified: in.Verified}
	if err := s.insert(acting(ctx, a), tx, a); err != nil {
		if isUnique(err, "accounts_email") {
			return Account{}, emailInUse()
		}
		return Account{}, err
	}
	return s.GetTx(ctx, tx, a.ID)
}

// Open opens a session for an account that has proven itself in another way, such as by
// accepting an invitation.
func (s *Service) Open(ctx context.Context, a Account, v Visit) (SignedIn, error) {
	return s.open(ctx, a, v)
}

func emailInUse() error {
	return problem.New(problem.Conflict, "email_in_use", "The e-mail address belongs to another account.")
}

// isUnique says whether err tells that a unique index refused a row.
func isUnique(err error, index string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == "23505" && answer.ConstraintName == index
}
