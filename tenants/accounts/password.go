package accounts

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const (
	updatePassword = `update accounts set password_hash = $2, epoch = epoch + 1, version = version + 1, updated_at = now() where id = $1`

	// resetThePassword proves the address too: the token came by a mail to it.
	resetThePassword = `
update accounts set password_hash = $2, email_verified_at = coalesce(email_verified_at, now()), epoch = epoch + 1, version = version + 1, updated_at = now()
where id = $1`
)

// ChangePassword is a change of password by someone who knows it.
type ChangePassword struct {
	AccountID string
	Current   string
	New       string
	Visit     Visit // with the session that asks, which goes on under another token
}

// ChangePassword sets a new password, ends the other sessions and tells the owner. The
// session that asks goes on as a new one.
func (s *Service) ChangePassword(ctx context.Context, in ChangePassword, record Recorder[struct{}]) (*SignedIn, error) {
	a, err := s.confirm(ctx, in.AccountID, in.Current)
	if err != nil {
		return nil, err
	}
	hash, err := s.choose(ctx, "/new_password", in.New, passwords.Context{Personal: personal(a.Email, a.Name), SecondFactor: a.TOTP})
	if err != nil {
		return nil, err
	}
	return change(ctx, s, a.ID, in.Visit, record, func(ctx context.Context, tx *postgres.Tx, now Account) (struct{}, error) {
		if now.epoch != a.epoch {
			return struct{}{}, changedMeanwhile()
		}
		if _, err := tx.Exec(ctx, updatePassword, a.ID, hash); err != nil {
			return struct{}{}, fmt.Errorf("change the password of %s: %w", a.ID, err)
		}
		if err := spend(ctx, tx, a.ID, resetPassword, changeEmail); err != nil {
			return struct{}{}, err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.change_password", ObjectID: a.ID})
		s.tellPassword(ctx, tx, a)
		return struct{}{}, nil
	})
}

// changedMeanwhile is for two changes of an account's credentials at once.
func changedMeanwhile() error {
	return problem.New(problem.Conflict, "conflict", "The account was changed at the same time. Sign in again.")
}

// change makes a change of how an account is signed in to, in a transaction with the
// account's lock. It ends all other sessions; the one that asks, if any, goes on as a new
// one. The change itself must have grown the account's epoch.
func change[T any](ctx context.Context, s *Service, id string, visit Visit, record Recorder[T], do func(context.Context, *postgres.Tx, Account) (T, error)) (*SignedIn, error) {
	var after Account
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := scan(tx.QueryRow(ctx, lockByID, id))
		if err != nil {
			return err
		}
		result, err := do(ctx, tx, now)
		if err != nil {
			return err
		}
		if after, err = s.GetTx(ctx, tx, id); err != nil {
			return err
		}
		s.Changed(ctx, tx, id)
		if record != nil {
			return record(ctx, tx, result)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.renew(ctx, after, visit), nil
}

// renew has the session that asked for a change go on as a new one, and removes all
// others. They have ended already, for their stamp is old; so a Redis that is away costs
// the person who asks a new sign-in, and nothing else.
func (s *Service) renew(ctx context.Context, a Account, visit Visit) *SignedIn {
	var signed *SignedIn
	if visit.Token != "" {
		opened, err := s.open(ctx, a, visit)
		if err != nil {
			s.config.Log.WarnContext(ctx, "a session could not be renewed", "account", a.ID, "error", err)
		} else {
			signed = &opened
		}
	}
	except := ""
	if signed != nil {
		except = signed.Session.ID
	}
	if err := s.config.Sessions.RevokeOthers(ctx, a.ID, except); err != nil {
		s.config.Log.WarnContext(ctx, "sessions that have ended are still listed", "account", a.ID, "error", err)
	}
	return signed
}

// RequestReset mails a link for a new password, if the address is known. It tells nothing
// of whether it is; see Even.
func (s *Service) RequestReset(ctx context.Context, tx *postgres.Tx, email string) error {
	a, err := scan(tx.QueryRow(ctx, selectByEmail, tidy(email)))
	if problem.Is(err, "not_found") {
		return nil
	}
	if err != nil {
		return err
	}
	secret, err := issue(ctx, tx, a.ID, resetPassword, a.Email, resetFor)
	if err != nil || secret == "" {
		return err
	}
	s.send(tx, a.Email, a.Name, mail.PasswordReset{URL: s.page(pathResetPassword, secret), ValidFor: mail.Minutes(resetFor.Minutes()), IP: ip(ctx)})
	journal.Audit(ctx, tx, journal.Entry{Action: "account.request_password_reset", ObjectID: a.ID})
	return nil
}

// evenTime is longer than asking for a reset ever takes on a machine that is not busy.
const evenTime = 250 * time.Millisecond

// Even holds an answer back until a fixed time after its request began, so that nobody
// can tell from the time whether there was anything to do. It is called outside of any
// transaction.
func Even(ctx context.Context, began time.Time) {
	select {
	case <-time.After(evenTime - time.Since(began)):
	case <-ctx.Done():
	}
}

// ResetPassword is a new password, with the token from a mail.
type ResetPassword struct {
	Token    string
	Password string
	Code     string // where the account has an authenticator
}

// ResetPassword sets a new password by a token, ends all sessions and tells the owner.
func (s *Service) ResetPassword(ctx context.Context, in ResetPassword, record Recorder[struct{}]) error {
	a, err := s.holder(ctx, in.Token, resetPassword)
	if err != nil {
		return err
	}
	from := ip(ctx)
	attempt, err := s.config.Guard.Begin(ctx, a.Email, from)
	if err != nil {
		return err
	}
	if err := s.reset(acting(ctx, a), a, in, record); err != nil {
		if !wrong(err) {
			attempt.Forgive(ctx)
		}
		return err
	}
	attempt.Forgive(ctx)
	s.config.Guard.Trust(ctx, a.Email, from)
	return nil
}

// holder finds whose token it is, without spending it.
func (s *Service) holder(ctx context.Context, secret string, p purpose) (a Account, err error) {
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		id, _, err := redeem(ctx, tx, secret, p)
		if err != nil {
			return err
		}
		a, err = s.GetTx(ctx, tx, id)
		return err
	})
	return a, err
}

func (s *Service) reset(ctx context.Context, a Account, in ResetPassword, record Recorder[struct{}]) error {
	if a.TOTP && in.Code == "" {
		return totpRequired()
	}
	hash, err := s.choose(ctx, "/password", in.Password, passwords.Context{Personal: personal(a.Email, a.Name), SecondFactor: a.TOTP})
	if err != nil {
		return err
	}
	_, err = change(ctx, s, a.ID, Visit{}, record, func(ctx context.Context, tx *postgres.Tx, now Account) (struct{}, error) {
		if _, _, err := redeem(ctx, tx, in.Token, resetPassword); err != nil {
			return struct{}{}, err // spent in the meantime
		}
		if now.TOTP != a.TOTP {
			return struct{}{}, changedMeanwhile()
		}
		if now.TOTP {
			if err := s.checkCode(ctx, tx, a.ID, in.Code); err != nil {
				return struct{}{}, err
			}
		}
		if _, err := tx.Exec(ctx, resetThePassword, a.ID, hash); err != nil {
			return struct{}{}, fmt.Errorf("reset the password of %s: %w", a.ID, err)
		}
		if err := spend(ctx, tx, a.ID, resetPassword, verifyEmail, changeEmail); err != nil {
			return struct{}{}, err
		}
		if err := s.config.Stores.OwnerChanged(ctx, tx, a.ID); err != nil {
			return struct{}{}, err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.reset_password", ObjectID: a.ID})
		s.tellPassword(ctx, tx, a)
		return struct{}{}, nil
	})
	return err
}
