package customers

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/token"
)

const (
	// resetTime is how long the link for a new password is valid.
	resetTime = time.Hour
	// resetsAnHour is how many such links a customer is sent within an hour.
	resetsAnHour = 5
)

// RequestReset has a link for a new password mailed to the owner of an account. Whether
// there is one is found out when the mail is written: asking tells it neither by words
// nor by time.
func (s *Service) RequestReset(ctx context.Context, tx *postgres.Tx, email string) {
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.request_password_reset"})
	journal.Job(tx, JobMail, newMail(ctx, Forgotten, address.Email(email)))
}

// Reset is a new password, judged and hashed, with the token of the mail. It is made
// before a transaction, which hashing would hold up.
type Reset struct {
	hash  string // empty when nobody was sent the token
	token []byte
}

const holderSQL = `select json_build_array(c.email, c.name)::text from customer_tokens t join customers c on c.id = t.customer_id
where t.hash = decode($1, 'hex') and t.purpose = 'reset_password' and t.expires_at > now()`

// PrepareReset judges a new password. The token is judged by ResetPassword: it may be
// spent already by the same request.
func (s *Service) PrepareReset(ctx context.Context, secret, password string) (Reset, error) {
	r := Reset{token: token.Hash(secret)}
	raw, err := s.DB.JSON(ctx, holderSQL, hex.EncodeToString(r.token))
	if errors.Is(err, postgres.ErrNoRows) {
		return r, nil
	}
	var personal []string
	if err == nil {
		err = json.Unmarshal(raw, &personal)
	}
	if err != nil {
		return r, fmt.Errorf("look up who was sent a link: %w", err)
	}
	var weak *passwords.Weak
	if err := passwords.Validate(password, passwords.Context{Personal: personal}); errors.As(err, &weak) {
		return r, refusal(weak)
	}
	if r.hash, err = s.Hasher.Hash(ctx, password); err != nil {
		return r, fmt.Errorf("reset a password: %w", err)
	}
	return r, nil
}

const (
	lockHolderSQL = `select c.id, c.email from customers c join customer_tokens t on t.customer_id = c.id
where t.hash = $1 and t.purpose = 'reset_password' and t.expires_at > now() for update of c`

	// spendSQL ends everything that a customer holds, and says whether the token was there still.
	spendSQL = `with gone as (delete from customer_tokens where customer_id = $1 returning hash) select exists (select from gone where hash = $2)`

	// The token proves the address too: it came by a mail to it.
	resetSQL = `update customers set password_hash = $2, email_verified_at = coalesce(email_verified_at, now()), version = version + 1, updated_at = now() where id = $1`
)

// ResetPassword puts a new password into force and signs in. All other sessions of the
// customer end, and the owner is told.
func (s *Service) ResetPassword(ctx context.Context, tx *postgres.Tx, r Reset) (Session, error) {
	if r.hash == "" {
		return Session{}, invalidToken()
	}
	var id, email string
	err := tx.QueryRow(ctx, lockHolderSQL, r.token).Scan(&id, &email)
	if errors.Is(err, postgres.ErrNoRows) {
		return Session{}, invalidToken()
	}
	held := false
	if err == nil {
		err = tx.QueryRow(ctx, spendSQL, id, r.token).Scan(&held)
	}
	if err == nil && !held {
		return Session{}, invalidToken() // another use of it was quicker
	}
	if err == nil {
		_, err = tx.Exec(ctx, resetSQL, id, r.hash)
	}
	if err != nil {
		return Session{}, fmt.Errorf("reset a customer's password: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.reset_password", ObjectID: id})
	journal.Job(tx, JobMail, newMail(ctx, Changed, email))
	name, ip := guarded(tx.Store, email), principal.From(ctx).IP
	tx.AfterCommit(func() { s.Guard.Trust(ctx, name, ip) })
	return begin(ctx, tx, id)
}
