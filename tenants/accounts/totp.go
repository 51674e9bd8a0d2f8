package accounts

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// An authenticator shows six digits of a step of thirty seconds; one step before and
// after the present one is taken too, for clocks that are not quite right.
const (
	totpPeriod = 30
	totpSkew   = 1
	totpDigits = 6

	recoveryCodes  = 10
	recoveryLength = 10 // characters of five bits: too many to try all, with the pepper unknown
)

const (
	startTOTP = `update accounts set totp_sealed = $2, totp_last_step = null, version = version + 1, updated_at = now() where id = $1 and totp_confirmed_at is null`

	enableTOTP = `update accounts set totp_confirmed_at = now(), epoch = epoch + 1, version = version + 1, updated_at = now() where id = $1`

	disableTOTP = `
update accounts set totp_sealed = null, totp_confirmed_at = null, totp_last_step = null, epoch = epoch + 1, version = version + 1, updated_at = now()
where id = $1`

	// takeStep lets each step be used once.
	takeStep = `update accounts set totp_last_step = $2 where id = $1 and coalesce(totp_last_step, 0) < $2`

	growEpoch = `update accounts set epoch = epoch + 1, version = version + 1, updated_at = now() where id = $1`

	deleteCodes = `delete from recovery_codes where account_id = $1`
	insertCodes = `insert into recovery_codes (account_id, hash) select $1, unnest($2::bytea[])`
	takeCode    = `delete from recovery_codes where account_id = $1 and hash = $2`
)

// Enrolment is what an authenticator needs to know.
type Enrolment struct {
	Secret string // in base32
	URI    string // otpauth:
}

func totpBinding(id string) string { return secrets.Bind("platform", "accounts.totp_sealed", id) }

// StartTOTP makes a secret for an authenticator. It counts only once it is confirmed.
func (s *Service) StartTOTP(ctx context.Context, id, password string) (Enrolment, error) {
	a, err := s.confirm(ctx, id, password)
	if err != nil {
		return Enrolment{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: s.config.Issuer, AccountName: a.Email, Period: totpPeriod, SecretSize: 20, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Enrolment{}, fmt.Errorf("make an authenticator's secret: %w", err)
	}
	sealed, err := s.config.Sealer.Seal([]byte(key.Secret()), totpBinding(id))
	if err != nil {
		return Enrolment{}, fmt.Errorf("seal an authenticator's secret: %w", err)
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, startTOTP, id, sealed)
		if err != nil {
			return fmt.Errorf("start an authenticator of %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return problem.New(problem.Conflict, "totp_already_enabled", "The account has an authenticator. Remove it first.")
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.start_totp", ObjectID: id})
		return nil
	})
	return Enrolment{Secret: key.Secret(), URI: key.URL()}, err
}

// ConfirmTOTP proves that the authenticator works: from now on signing in asks for it.
// The other sessions end. It gives the recovery codes, which are kept nowhere.
func (s *Service) ConfirmTOTP(ctx context.Context, id, code string, visit Visit, record Recorder[[]string]) ([]string, *SignedIn, error) {
	codes := newCodes()
	signed, err := change(ctx, s, id, visit, record, func(ctx context.Context, tx *postgres.Tx, a Account) ([]string, error) {
		switch {
		case a.TOTP:
			return nil, problem.New(problem.Conflict, "totp_already_enabled", "The account has an authenticator.")
		case a.totpSealed == nil:
			return nil, problem.New(problem.Conflict, "totp_not_started", "Begin with an authenticator first.")
		}
		if err := s.checkStep(ctx, tx, a, code); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, enableTOTP, id); err != nil {
			return nil, fmt.Errorf("enable the authenticator of %s: %w", id, err)
		}
		if err := s.keepCodes(ctx, tx, id, codes); err != nil {
			return nil, err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.enable_totp", ObjectID: id})
		s.tellTOTP(ctx, tx, a, mail.TOTPEnabled)
		return codes, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return codes, signed, nil
}

// RemoveTOTP is the wish to sign in by password alone again.
type RemoveTOTP struct {
	AccountID string
	Password  string
	Code      string
	Visit     Visit
}

// RemoveTOTP has signing in ask for the password alone again, which must be one that can
// stand alone. The other sessions end.
func (s *Service) RemoveTOTP(ctx context.Context, in RemoveTOTP, record Recorder[struct{}]) (*SignedIn, error) {
	a, err := s.confirm(ctx, in.AccountID, in.Password)
	if err != nil {
		return nil, err
	}
	if err := judge("/password", in.Password, passwords.Context{Personal: personal(a.Email, a.Name)}); err != nil {
		return nil, err
	}
	attempt, err := s.config.Guard.Begin(ctx, a.Email, ip(ctx))
	if err != nil {
		return nil, err
	}
	signed, err := change(ctx, s, a.ID, in.Visit, record, func(ctx context.Context, tx *postgres.Tx, now Account) (struct{}, error) {
		if !now.TOTP {
			return struct{}{}, totpNotEnabled()
		}
		if err := s.checkCode(ctx, tx, a.ID, in.Code); err != nil {
			return struct{}{}, err
		}
		if _, err := tx.Exec(ctx, disableTOTP, a.ID); err != nil {
			return struct{}{}, fmt.Errorf("remove the authenticator of %s: %w", a.ID, err)
		}
		if _, err := tx.Exec(ctx, deleteCodes, a.ID); err != nil {
			return struct{}{}, fmt.Errorf("remove the recovery codes of %s: %w", a.ID, err)
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.disable_totp", ObjectID: a.ID})
		s.tellTOTP(ctx, tx, a, mail.TOTPDisabled)
		return struct{}{}, nil
	})
	if !wrong(err) {
		attempt.Forgive(ctx)
	}
	return signed, err
}

// RenewCodes replaces the recovery codes. The other sessions end.
func (s *Service) RenewCodes(ctx context.Context, id, password string, visit Visit, record Recorder[[]string]) ([]string, *SignedIn, error) {
	if _, err := s.confirm(ctx, id, password); err != nil {
		return nil, nil, err
	}
	codes := newCodes()
	signed, err := change(ctx, s, id, visit, record, func(ctx context.Context, tx *postgres.Tx, a Account) ([]string, error) {
		if !a.TOTP {
			return nil, totpNotEnabled()
		}
		if _, err := tx.Exec(ctx, growEpoch, id); err != nil {
			return nil, fmt.Errorf("end the sessions of %s: %w", id, err)
		}
		if err := s.keepCodes(ctx, tx, id, codes); err != nil {
			return nil, err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.renew_recovery_codes", ObjectID: id})
		s.tellTOTP(ctx, tx, a, mail.TOTPCodesRenewed)
		return codes, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return codes, signed, nil
}

func totpNotEnabled() error {
	return problem.New(problem.Conflict, "totp_not_enabled", "The account has no authenticator.")
}

// checkCode takes the code of an account's authenticator, or one of its recovery codes.
// Either counts once: it is spent when tx commits.
func (s *Service) checkCode(ctx context.Context, tx *postgres.Tx, id, code string) error {
	a, err := scan(tx.QueryRow(ctx, lockByID, id))
	if err != nil {
		return err
	}
	if code = strings.TrimSpace(code); len(code) == totpDigits && strings.Trim(code, "0123456789") == "" {
		return s.checkStep(ctx, tx, a, code)
	}
	tag, err := tx.Exec(ctx, takeCode, id, s.hashCode(id, code))
	if err != nil {
		return fmt.Errorf("look for a recovery code of %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return invalidCode()
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "account.use_recovery_code", ObjectID: id})
	s.tellTOTP(ctx, tx, a, mail.TOTPCodeUsed)
	return nil
}

// checkStep takes an authenticator's six digits. A step that was used, or lies before one
// that was, is refused.
func (s *Service) checkStep(ctx context.Context, tx *postgres.Tx, a Account, code string) error {
	secret, err := s.config.Sealer.Open(a.totpSealed, totpBinding(a.ID))
	if err != nil {
		return fmt.Errorf("authenticator of %s: %w", a.ID, err)
	}
	now := clock.Now().Unix() / totpPeriod
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		right, err := hotp.ValidateCustom(code, uint64(step), string(secret), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return invalidCode() // not six digits
		}
		if !right {
			continue
		}
		tag, err := tx.Exec(ctx, takeStep, a.ID, step)
		if err != nil {
			return fmt.Errorf("take a step of %s: %w", a.ID, err)
		}
		if tag.RowsAffected() == 1 {
			return nil
		}
	}
	return invalidCode()
}

// codeAlphabet is Crockford's base32: what is easily misread is not in it.
const codeAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// newCodes draws recovery codes, in the form in which people write them down.
func newCodes() []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		random := make([]byte, recoveryLength)
		rand.Read(random) // never fails
		for j := range random {
			random[j] = codeAlphabet[int(random[j])%len(codeAlphabet)]
		}
		codes[i] = string(random[:recoveryLength/2]) + "-" + string(random[recoveryLength/2:])
	}
	return codes
}

// readCode is a recovery code as it was drawn, however it was typed.
var readCode = strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1")

// hashCode is what is kept of a recovery code.
func (s *Service) hashCode(id, code string) []byte {
	return s.config.Pepper.HMAC(id + ":" + readCode.Replace(strings.ToLower(code)))
}

// keepCodes replaces an account's recovery codes.
func (s *Service) keepCodes(ctx context.Context, tx *postgres.Tx, id string, codes []string) error {
	hashes := make([][]byte, len(codes))
	for i, code := range codes {
		hashes[i] = s.hashCode(id, code)
	}
	if _, err := tx.Exec(ctx, deleteCodes, id); err != nil {
		return fmt.Errorf("replace the recovery codes of %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, insertCodes, id, hashes); err != nil {
		return fmt.Errorf("keep the recovery codes of %s: %w", id, err)
	}
	return nil
}
