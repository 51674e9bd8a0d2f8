package accounts

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

const (
	// setVerified holds only for the address that the mail went to.
	setVerified = `
update accounts set email_verified_at = coalesce(email_verified_at, now()), version = version + 1, updated_at = now()
where id = $1 and lower(email) = lower($2)`

	updateEmail = `update accounts set email = $2, email_verified_at = now(), epoch = epoch + 1, version = version + 1, updated_at = now() where id = $1`
)

// mailVerification sends a link that proves an account's address.
func (s *Service) mailVerification(ctx context.Context, tx *postgres.Tx, a Account) error {
	secret, err := issue(ctx, tx, a.ID, verifyEmail, a.Email, verifyFor)
	if err != nil || secret == "" {
		return err
	}
	s.send(tx, a.Email, a.Name, mail.AccountVerifyEmail{URL: s.page(pathVerifyEmail, secret), ValidFor: mail.Hours(verifyFor.Hours())})
	return nil
}

// RequestVerification mails the link once more, if the address is not proven yet.
func (s *Service) RequestVerification(ctx context.Context, tx *postgres.Tx, id string) error {
	a, err := scan(tx.QueryRow(ctx, lockByID, id))
	if err != nil || a.Verified {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "account.request_email_verification", ObjectID: id})
	return s.mailVerification(ctx, tx, a)
}

// VerifyEmail takes the token from the mail: from now on the account's address is proven,
// and its live shops take orders.
func (s *Service) VerifyEmail(ctx context.Context, tx *postgres.Tx, secret string) (Account, error) {
	id, email, err := redeem(ctx, tx, secret, verifyEmail)
	if err != nil {
		return Account{}, err
	}
	tag, err := tx.Exec(ctx, setVerified, id, email)
	if err != nil {
		return Account{}, fmt.Errorf("verify the address of %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return Account{}, problem.New(problem.Unprocessable, "token_invalid", "The token is for an address that the account does not have any more.")
	}
	if err := spend(ctx, tx, id, verifyEmail); err != nil {
		return Account{}, err
	}
	if err := s.config.Stores.OwnerChanged(ctx, tx, id); err != nil {
		return Account{}, err
	}
	s.Changed(ctx, tx, id)
	a, err := s.GetTx(ctx, tx, id)
	if err != nil {
		return Account{}, err
	}
	journal.Audit(acting(ctx, a), tx, journal.Entry{Action: "account.verify_email", ObjectID: id, After: map[string]any{"email": a.Email}})
	return a, nil
}

// ChangeEmail is the wish for another address.
type ChangeEmail struct {
	AccountID string
	Password  string
	Email     string
}

// RequestEmailChange mails a link to the new address and a note to the old one. An address
// of another account gets no link but the note that somebody tried; the answer is the
// same.
func (s *Service) RequestEmailChange(ctx context.Context, in ChangeEmail, record Recorder[struct{}]) error {
	email := tidy(in.Email)
	if !mail.ValidAddress(email) {
		return problem.New(problem.Invalid, "invalid_request", "This is no e-mail address that can be written to.").
			At("/email", "format", "Give one address, without a name.")
	}
	a, err := s.confirm(ctx, in.AccountID, in.Password)
	if err != nil {
		return err
	}
	other, err := s.ByEmail(ctx, email)
	switch {
	case err == nil && other.ID != a.ID:
		if err := s.noteSignup(ctx, other); err != nil {
			return err
		}
	case err != nil && !problem.Is(err, "not_found"):
		return err
	}
	taken := err == nil && other.ID != a.ID
	return s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if !taken {
			if err := s.mailChange(ctx, tx, a, email); err != nil {
				return err
			}
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.request_email_change", ObjectID: a.ID, Before: map[string]any{"email": a.Email}, After: map[string]any{"email": email}})
		if record != nil {
			return record(ctx, tx, struct{}{})
		}
		return nil
	})
}

func (s *Service) mailChange(ctx context.Context, tx *postgres.Tx, a Account, email string) error {
	secret, err := issue(ctx, tx, a.ID, changeEmail, email, changeFor)
	if err != nil || secret == "" {
		return err
	}
	s.send(tx, email, a.Name, mail.EmailChangeConfirm{URL: s.page(pathConfirmEmail, secret), ValidFor: mail.Hours(changeFor.Hours())})
	s.send(tx, a.Email, a.Name, mail.EmailChangeRequested{NewEmail: email, ResetURL: s.page(pathForgotten, ""), At: clock.Now(), IP: ip(ctx)})
	return nil
}

// ConfirmEmailChange takes the token from the mail: the account has the new address from
// now on, and its other sessions end. A session of that very account goes on.
func (s *Service) ConfirmEmailChange(ctx context.Context, secret string, visit Visit, record Recorder[Account]) (Account, *SignedIn, error) {
	holder, err := s.holder(ctx, secret, changeEmail)
	if err != nil {
		return Account{}, nil, err
	}
	if principal.From(ctx).ID != holder.ID {
		visit.Token = "" // somebody else's session is left alone
	}
	var a Account
	signed, err := change(acting(ctx, holder), s, holder.ID, visit, record, func(ctx context.Context, tx *postgres.Tx, before Account) (Account, error) {
		_, email, err := redeem(ctx, tx, secret, changeEmail)
		if err != nil {
			return Account{}, err
		}
		if _, err := tx.Exec(ctx, updateEmail, holder.ID, email); err != nil {
			if isUnique(err, "accounts_email") {
				return Account{}, emailInUse()
			}
			return Account{}, fmt.Errorf("change the address of %s: %w", holder.ID, err)
		}
		if err := spend(ctx, tx, holder.ID, changeEmail, verifyEmail, resetPassword); err != nil {
			return Account{}, err
		}
		if err := s.config.Stores.OwnerChanged(ctx, tx, holder.ID); err != nil {
			return Account{}, err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.change_email", ObjectID: holder.ID, Before: map[string]any{"email": before.Email}, After: map[string]any{"email": email}})
		s.send(tx, before.Email, before.Name, mail.EmailChanged{NewEmail: email, At: clock.Now(), IP: ip(ctx)})
		a, err = s.GetTx(ctx, tx, holder.ID)
		return a, err
	})
	if err != nil {
		return Account{}, nil, err
	}
	s.config.Guard.Trust(ctx, a.Email, ip(ctx))
	return a, signed, nil
}
