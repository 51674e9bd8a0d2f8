package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Bounds of passkeys.
const (
	mostPasskeys   = 20
	maxPasskeyName = 64
)

// Passkey is a key of a device, or of what keeps a person's keys, that signs in without a
// password: who unlocks it proves two factors at once.
type Passkey struct {
	ID         string
	Name       string
	Synced     bool // it is kept beyond one device
	CreatedAt  time.Time
	LastUsedAt *time.Time

	credential webauthn.Credential
}

const (
	selectPasskeys = `select id, name, credential, created_at, last_used_at from passkeys where account_id = $1 order by id`
	insertPasskey  = `
insert into passkeys (id, account_id, credential_id, credential, name, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (credential_id) do nothing`
	usePasskey    = `update passkeys set credential = $3, last_used_at = $4 where account_id = $1 and credential_id = $2`
	renamePasskey = `update passkeys p set name = $3 from passkeys old where p.id = $2 and p.account_id = $1 and old.id = p.id returning old.name`
	deletePasskey = `delete from passkeys where account_id = $1 and id = $2 returning name`
)

// Passkeys reads the passkeys of an account, the oldest first.
func (s *Service) Passkeys(ctx context.Context, tx *postgres.Tx, id string) ([]Passkey, error) {
	rows, err := tx.Query(ctx, selectPasskeys, id)
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", id, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Passkey, err error) {
		var raw []byte
		if err = row.Scan(&p.ID, &p.Name, &raw, &p.CreatedAt, &p.LastUsedAt); err == nil {
			err = json.Unmarshal(raw, &p.credential)
		}
		p.Synced = p.credential.Flags.BackupState
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", id, err)
	}
	return list, nil
}

// keeper is an account as the ceremonies see it.
type keeper struct {
	account     Account
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (h *keeper) WebAuthnID() []byte { return []byte(h.account.ID) }

// WebAuthnName implements webauthn.User.
func (h *keeper) WebAuthnName() string { return h.account.Email }

// WebAuthnDisplayName implements webauthn.User.
func (h *keeper) WebAuthnDisplayName() string {
	if h.account.Name != "" {
		return h.account.Name
	}
	return h.account.Email
}

// WebAuthnCredentials implements webauthn.User.
func (h *keeper) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

func (s *Service) keeper(ctx context.Context, id string) (h *keeper, err error) {
	h = &keeper{}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if h.account, err = s.GetTx(ctx, tx, id); err != nil {
			return err
		}
		list, err := s.Passkeys(ctx, tx, id)
		for _, p := range list {
			h.credentials = append(h.credentials, p.credential)
		}
		return err
	})
	return h, err
}

// party is what passkeys are for: the platform's own pages, at their own address alone.
func (s *Service) party() (*webauthn.WebAuthn, error) {
	site := s.config.Site
	party, err := webauthn.New(&webauthn.Config{
		RPID: site.Hostname(), RPDisplayName: s.config.Issuer, RPOrigins: []string{site.Scheme + "://" + site.Host},
		AttestationPreference:  protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return party, nil
}

// Ceremony is what a browser is asked to sign, and what its answer is known by.
type Ceremony struct {
	Token   string
	Options any // for navigator.credentials
}

// begin keeps what a ceremony is about until it is answered.
func (s *Service) begin(ctx context.Context, options any, asked *webauthn.SessionData) (Ceremony, error) {
	raw, err := json.Marshal(asked)
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin with a passkey: %w", err)
	}
	token, err := s.config.Sessions.Challenge(ctx, raw)
	return Ceremony{Token: token, Options: options}, err
}

func (s *Service) answered(ctx context.Context, token string) (asked webauthn.SessionData, err error) {
	raw, err := s.config.Sessions.Answered(ctx, token)
	if err == nil {
		err = json.Unmarshal(raw, &asked)
	}
	return asked, err
}

// StartPasskey begins with a new passkey of somebody who knows their password.
func (s *Service) StartPasskey(ctx context.Context, id, password string) (Ceremony, error) {
	if _, err := s.confirm(ctx, id, password); err != nil {
		return Ceremony{}, err
	}
	h, err := s.keeper(ctx, id)
	if err != nil {
		return Ceremony{}, err
	}
	if len(h.credentials) >= mostPasskeys {
		return Ceremony{}, problem.New(problem.Unprocessable, "too_many_passkeys", "An account has at most %d passkeys. Remove one first.", mostPasskeys)
	}
	party, err := s.party()
	if err != nil {
		return Ceremony{}, err
	}
	var known []protocol.CredentialDescriptor
	for _, c := range h.credentials {
		known = append(known, c.Descriptor())
	}
	options, asked, err := party.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin with a passkey of %s: %w", id, err)
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Audit(ctx, tx, journal.Entry{Action: "account.start_passkey", ObjectID: id})
		return nil
	})
	if err != nil {
		return Ceremony{}, err
	}
	return s.begin(ctx, options.Response, asked)
}

// AddPasskey is what a browser made.
type AddPasskey struct {
	AccountID  string
	Token      string
	Name       string
	Credential json.RawMessage
}

// AddPasskey keeps a passkey that a browser made, and tells the owner.
func (s *Service) AddPasskey(ctx context.Context, in AddPasskey) (Passkey, error) {
	name, err := passkeyName(in.Name)
	if err != nil {
		return Passkey{}, err
	}
	asked, err := s.answered(ctx, in.Token)
	if err != nil {
		return Passkey{}, err
	}
	h, err := s.keeper(ctx, in.AccountID)
	if err != nil {
		return Passkey{}, err
	}
	party, err := s.party()
	if err != nil {
		return Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return Passkey{}, refusedPasskey(err)
	}
	credential, err := party.CreateCredential(h, asked, parsed)
	if err != nil {
		return Passkey{}, refusedPasskey(err)
	}
	p := Passkey{ID: ids.New("psk"), Name: name, Synced: credential.Flags.BackupState, CreatedAt: clock.Now(), credential: *credential}
	raw, err := json.Marshal(credential)
	if err != nil {
		return Passkey{}, fmt.Errorf("keep a passkey of %s: %w", in.AccountID, err)
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, insertPasskey, p.ID, in.AccountID, credential.ID, string(raw), p.Name, p.CreatedAt)
		if err != nil {
			return fmt.Errorf("keep a passkey of %s: %w", in.AccountID, err)
		}
		if tag.RowsAffected() == 0 {
			return problem.New(problem.Conflict, "passkey_known", "This passkey is there already.")
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "account.add_passkey", ObjectID: in.AccountID, After: map[string]any{"passkey": p.ID, "name": p.Name}})
		s.tellPasskey(ctx, tx, h.account, p.Name, false)
		return nil
	})
	return p, err
}

func passkeyName(text string) (string, error) {
	name := strings.TrimSpace(text)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxPasskeyName {
		return "", problem.New(problem.Invalid, "invalid_request", "A passkey needs a name.").At("/name", "length", "A name has 1 to %d characters, not blanks alone.", maxPasskeyName)
	}
	return name, nil
}

// refusedPasskey is the problem of an answer that proves nothing.
func refusedPasskey(err error) error {
	return problem.New(problem.Unprocessable, "passkey_invalid", "The passkey’s answer cannot be used. Begin again.").Because(err)
}

// RenamePasskey gives a passkey another name.
func (s *Service) RenamePasskey(ctx context.Context, tx *postgres.Tx, accountID, id, text string) (Passkey, error) {
	name, err := passkeyName(text)
	if err != nil {
		return Passkey{}, err
	}
	var former string
	err = tx.QueryRow(ctx, renamePasskey, accountID, id, name).Scan(&former)
	if err != nil {
		return Passkey{}, missingPasskey(err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "account.rename_passkey", ObjectID: accountID, Before: map[string]any{"passkey": id, "name": former}, After: map[string]any{"passkey": id, "name": name}})
	list, err := s.Passkeys(ctx, tx, accountID)
	for _, p := range list {
		if p.ID == id {
			return p, nil
		}
	}
	return Passkey{}, errors.Join(err, problem.Missing("passkey"))
}

// RemovePasskey has a passkey sign in no more, and tells the owner.
func (s *Service) RemovePasskey(ctx context.Context, tx *postgres.Tx, accountID, id string) error {
	a, err := s.GetTx(ctx, tx, accountID)
	if err != nil {
		return err
	}
	var name string
	if err := tx.QueryRow(ctx, deletePasskey, accountID, id).Scan(&name); err != nil {
		return missingPasskey(err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "account.remove_passkey", ObjectID: accountID, Before: map[string]any{"passkey": id, "name": name}})
	s.tellPasskey(ctx, tx, a, name, true)
	return nil
}

func missingPasskey(err error) error {
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("passkey")
	}
	return fmt.Errorf("change a passkey: %w", err)
}

// StartPasskeySignIn asks a browser for any passkey of the platform's.
func (s *Service) StartPasskeySignIn(ctx context.Context) (Ceremony, error) {
	party, err := s.party()
	if err != nil {
		return Ceremony{}, err
	}
	options, asked, err := party.BeginDiscoverableLogin()
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin to sign in by passkey: %w", err)
	}
	return s.begin(ctx, options.Response, asked)
}

// SignInByPasskey opens a session for whoever a passkey is of. It was unlocked by its owner, so
// that no code is asked for beside it.
func (s *Service) SignInByPasskey(ctx context.Context, token string, answer json.RawMessage, visit Visit) (signed SignedIn, err error) {
	defer func() { s.config.SignedIn(err) }()
	asked, err := s.answered(ctx, token)
	if err != nil {
		return SignedIn{}, err
	}
	party, err := s.party()
	if err != nil {
		return SignedIn{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignedIn{}, unknownPasskey(err)
	}
	var h *keeper
	_, credential, err := party.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		h, err = s.keeper(ctx, string(handle))
		return h, err
	}, asked, parsed)
	if err != nil {
		return SignedIn{}, unknownPasskey(err)
	}
	if credential.Authenticator.CloneWarning {
		s.config.Log.WarnContext(ctx, "a passkey counts backwards, as if there were two of it", "account", h.account.ID)
		return SignedIn{}, unknownPasskey(nil)
	}
	raw, err := json.Marshal(credential)
	if err != nil {
		return SignedIn{}, fmt.Errorf("sign in by passkey: %w", err)
	}
	err = s.db.InControl(acting(ctx, h.account), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, usePasskey, h.account.ID, credential.ID, string(raw), clock.Now()); err != nil {
			return fmt.Errorf("note the use of a passkey: %w", err)
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "session.create", ObjectID: h.account.ID, After: map[string]any{"by": "passkey"}})
		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	return s.open(ctx, h.account, visit)
}

// unknownPasskey is the problem of an answer that signs nobody in.
func unknownPasskey(err error) error {
	if p := problem.As(err); p != nil && p.Kind >= problem.Internal {
		return err
	}
	return problem.New(problem.Unauthenticated, "invalid_credentials", "This passkey signs nobody in.").Because(err)
}

// tellPasskey tells an account's owner of a passkey that was added or removed.
func (s *Service) tellPasskey(ctx context.Context, tx *postgres.Tx, a Account, name string, removed bool) {
	s.send(tx, a.Email, a.Name, mail.PasskeyChanged{Passkey: name, Removed: removed, ResetURL: s.page(pathForgotten, ""), At: clock.Now(), IP: ip(ctx)})
}
