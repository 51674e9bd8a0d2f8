package customers

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Session is a shopper who is signed in.
type Session struct {
	Token      string // shown once
	ExpiresAt  time.Time
	CustomerID string
}

// begin makes a session.
func begin(ctx context.Context, tx *postgres.Tx, customerID string) (Session, error) {
	session := Session{Token: token.New("cs"), CustomerID: customerID, ExpiresAt: clock.Now().Add(sessionTime)}
	_, err := tx.Exec(ctx, `insert into customer_tokens (hash, customer_id, purpose, expires_at) values ($1, $2, 'session', $3)`,
		token.Hash(session.Token), customerID, session.ExpiresAt)
	if err != nil {
		return Session{}, fmt.Errorf("sign in customer %s: %w", customerID, err)
	}
	return session, nil
}

// Done is what SignIn runs within the transaction that makes the session; it may be nil.
type Done func(ctx context.Context, tx *postgres.Tx, session Session) error

// SignIn signs a shopper in. An unknown address takes as long as a wrong password, and
// both are told alike.
func (s *Service) SignIn(ctx context.Context, email, password string, done Done) (Session, error) {
	email = address.Email(email)
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Session{}, postgres.ErrNoStore
	}
	attempt, err := s.Guard.Begin(ctx, guarded(ref, email), principal.From(ctx).IP)
	if err != nil {
		return Session{}, err
	}
	id, rehash, err := s.judge(ctx, email, password)
	if err != nil {
		attempt.Forgive(ctx)
		return Session{}, err
	}
	if id == "" {
		return Session{}, problem.New(problem.Unauthenticated, "invalid_credentials", "E-mail address and password do not belong together.")
	}
	attempt.Succeeded(ctx)
	hash := ""
	if rehash {
		if hash, err = s.Hasher.Hash(ctx, password); err != nil {
			return Session{}, fmt.Errorf("hash the password of %s anew: %w", id, err)
		}
	}
	var session Session
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if session, err = s.admit(ctx, tx, id, hash); err != nil || done == nil {
			return err
		}
		return done(ctx, tx, session)
	})
	return session, err
}

// admit makes the session, and keeps the password's new hash if there is one.
func (s *Service) admit(ctx context.Context, tx *postgres.Tx, id, hash string) (Session, error) {
	if hash != "" {
		if _, err := tx.Exec(ctx, `update customers set password_hash = $2 where id = $1`, id, hash); err != nil {
			return Session{}, fmt.Errorf("keep the new hash of %s: %w", id, err)
		}
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.sign_in", ObjectID: id})
	return begin(ctx, tx, id)
}

// judge gives the customer whose password it is, or nobody, and whether it is to be hashed
// anew.
func (s *Service) judge(ctx context.Context, email, password string) (id string, rehash bool, err error) {
	raw, err := s.DB.JSON(ctx, `select json_build_array(id, password_hash)::text from customers where email = $1 and password_hash is not null and disabled_at is null`, email)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", false, s.Hasher.DummyVerify(ctx, password)
	}
	if err != nil {
		return "", false, fmt.Errorf("look up a customer: %w", err)
	}
	var row [2]string
	if err := json.Unmarshal(raw, &row); err != nil {
		return "", false, fmt.Errorf("look up a customer: %w", err)
	}
	ok, rehash, err := s.Hasher.Verify(ctx, row[1], password)
	if !ok || err != nil {
		return "", false, err
	}
	return row[0], rehash, nil
}

// guarded is the name under which an account's sign-ins are counted.
func guarded(ref postgres.StoreRef, email string) string {
	return fmt.Sprintf("customer/%s/%s/%s", ref.ID, ref.Mode, email)
}

// authenticateSQL finds whom a session belongs to.
const authenticateSQL = `select json_build_object('customer', json_build_object('id', c.id, 'email', c.email, 'email_verified', c.email_verified_at is not null), 'group_ids', c.group_ids)::text
from customer_tokens t join customers c on c.id = t.customer_id
where t.hash = decode($1, 'hex') and t.purpose = 'session' and t.expires_at > now() and c.disabled_at is null`

// Authenticate finds the customer who is signed in with a token.
func (s *Service) Authenticate(ctx context.Context, secret string) (Customer, error) {
	var found struct {
		Customer Customer `json:"customer"`
		GroupIDs []string `json:"group_ids"`
	}
	raw, err := s.DB.JSON(ctx, authenticateSQL, hex.EncodeToString(token.Hash(secret)))
	if errors.Is(err, postgres.ErrNoRows) {
		return found.Customer, problem.New(problem.Unauthenticated, "invalid_customer_token", "The session is unknown, or has ended. Sign in again.")
	}
	if err == nil {
		err = json.Unmarshal(raw, &found)
	}
	if err != nil {
		return found.Customer, fmt.Errorf("look up a customer's session: %w", err)
	}
	found.Customer.GroupIDs = found.GroupIDs
	return found.Customer, nil
}

// SignOut ends a session. One that is not known has ended already.
func (s *Service) SignOut(ctx context.Context, tx *postgres.Tx, secret string) error {
	var id string
	err := tx.QueryRow(ctx, `delete from customer_tokens where hash = $1 and purpose = 'session' returning customer_id`, token.Hash(secret)).Scan(&id)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sign a customer out: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.sign_out", ObjectID: id})
	return nil
}
