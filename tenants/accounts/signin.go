package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
)

// Visit is where somebody signs in from, and with which session they came.
type Visit struct {
	UserAgent string
	Token     string // of the session that the browser came with; it ends
}

// SignIn is what a person signs in with.
type SignIn struct {
	Email    string
	Password string
	Code     string // of the authenticator, or a recovery code
	Visit    Visit
}

// SignedIn is an open session.
type SignedIn struct {
	Account Account
	Session sessions.Session
	Token   string // the cookie's value
}

// SignIn opens a session. An unknown address and a wrong password are told alike, and
// take as long.
func (s *Service) SignIn(ctx context.Context, in SignIn) (signed SignedIn, err error) {
	defer func() { s.config.SignedIn(err) }()
	email := tidy(in.Email)
	attempt, err := s.config.Guard.Begin(ctx, email, ip(ctx))
	if err != nil {
		return SignedIn{}, err
	}
	if attempt.Alarm {
		s.config.Log.WarnContext(ctx, "many strangers try to sign in to one account")
	}
	a, err := s.authenticate(ctx, email, in.Password)
	if err != nil {
		if !wrong(err) {
			attempt.Forgive(ctx)
		}
		return SignedIn{}, err
	}
	ctx = acting(ctx, a)
	if a.TOTP && in.Code == "" {
		attempt.Forgive(ctx)
		return SignedIn{}, totpRequired()
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if a.TOTP {
			if err := s.checkCode(ctx, tx, a.ID, in.Code); err != nil {
				return err
			}
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "session.create", ObjectID: a.ID})
		return nil
	})
	if err != nil {
		if !wrong(err) {
			attempt.Forgive(ctx)
		}
		return SignedIn{}, err
	}
	signed, err = s.open(ctx, a, in.Visit)
	if err != nil {
		attempt.Forgive(ctx)
		return SignedIn{}, err
	}
	attempt.Succeeded(ctx)
	return signed, nil
}

// open opens a session for an account that has proven itself.
func (s *Service) open(ctx context.Context, a Account, v Visit) (SignedIn, error) {
	session, token, err := s.config.Sessions.SignIn(ctx, v.Token, a.ID, sessions.Meta{Stamp: a.Stamp(), IP: ip(ctx), UserAgent: v.UserAgent})
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Account: a, Session: session, Token: token}, nil
}

// authenticate finds the account of an address and password. It hashes once, whatever it
// finds.
func (s *Service) authenticate(ctx context.Context, email, password string) (Account, error) {
	a, err := s.ByEmail(ctx, email)
	if problem.Is(err, "not_found") {
		if err := s.config.Hasher.DummyVerify(ctx, password); err != nil {
			return Account{}, fmt.Errorf("password: %w", err)
		}
		return Account{}, invalidCredentials()
	}
	if err != nil {
		return Account{}, err
	}
	if err := s.verify(ctx, a, password); err != nil {
		return Account{}, err
	}
	return a, nil
}

// verify holds a password against an account's, and hashes it anew where its hash is out
// of date.
func (s *Service) verify(ctx context.Context, a Account, password string) error {
	right, outdated, err := s.config.Hasher.Verify(ctx, a.passwordHash, password)
	if err != nil {
		return fmt.Errorf("password: %w", err)
	}
	if !right {
		return invalidCredentials()
	}
	if outdated {
		if err := s.rehash(ctx, a, password); err != nil {
			s.config.Log.WarnContext(ctx, "a password was not hashed anew", "account", a.ID, "error", err)
		}
	}
	return nil
}

// updateHash leaves a password alone that was changed in the meantime.
const updateHash = `update accounts set password_hash = $2 where id = $1 and password_hash = $3`

func (s *Service) rehash(ctx context.Context, a Account, password string) error {
	hash, err := s.config.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, updateHash, a.ID, hash, a.passwordHash)
		return err
	})
}

// confirm has a signed-in person prove that they are who they are, by their password.
// Guessing is guarded as at sign-in.
func (s *Service) confirm(ctx context.Context, id, password string) (Account, error) {
	a, err := s.Get(ctx, id)
	if err != nil {
		return Account{}, err
	}
	attempt, err := s.config.Guard.Begin(ctx, a.Email, ip(ctx))
	if err != nil {
		return Account{}, err
	}
	if err := s.verify(ctx, a, password); err != nil {
		if !wrong(err) {
			attempt.Forgive(ctx)
		}
		return Account{}, err
	}
	attempt.Forgive(ctx)
	return a, nil
}

// choose judges a new password and hashes it.
func (s *Service) choose(ctx context.Context, pointer, password string, c passwords.Context) (string, error) {
	if err := judge(pointer, password, c); err != nil {
		return "", err
	}
	hash, err := s.config.Hasher.Hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return hash, nil
}

// judge says why a password cannot be chosen.
func judge(pointer, password string, c passwords.Context) error {
	var weak *passwords.Weak
	if err := passwords.Validate(password, c); !errors.As(err, &weak) {
		return err
	}
	switch weak.Code {
	case passwords.Common, passwords.Predictable, passwords.Repeated:
		return problem.New(problem.Unprocessable, "password_too_common", "%s", weak.Detail).At(pointer, string(weak.Code), "%s", weak.Detail)
	}
	return problem.New(problem.Unprocessable, "password_invalid", "%s", weak.Detail).At(pointer, string(weak.Code), "%s", weak.Detail)
}

func invalidCredentials() error {
	return problem.New(problem.Unauthenticated, "invalid_credentials", "E-mail address and password don't belong together.")
}

func totpRequired() error {
	return problem.New(problem.Unauthenticated, "totp_required", "Give the authenticator's code too, or a recovery code.")
}

func invalidCode() error {
	return problem.New(problem.Unauthenticated, "invalid_code", "The code is wrong or was used.")
}

// wrong says whether err tells of a wrong guess, as opposed to one that was not judged.
func wrong(err error) bool {
	return problem.Is(err, "invalid_credentials") || problem.Is(err, "invalid_code")
}
