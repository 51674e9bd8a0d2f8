package customers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// RegisterInput is a shopper who wants an account.
type RegisterInput struct {
	Email            string
	Password         string
	Name             string
	AcceptsMarketing bool
	Wording          string // that was agreed to
}

// Registration is an account that is asked for, judged and with its password hashed. It
// is made before a transaction, which hashing would hold up.
type Registration struct {
	Email        string `json:"email"`
	PasswordHash string `json:"password_hash"`
	Name         string `json:"name"`
	Asked        *Asked `json:"asked,omitempty"` // to be written to about new things
}

// Prepare judges what a shopper gives to register.
func (s *Service) Prepare(ctx context.Context, in RegisterInput) (Registration, error) {
	email := address.Email(in.Email)
	p := problem.New(problem.Unprocessable, "details_invalid", "The account cannot be like this.")
	if !address.ValidEmail(email) {
		p.At("/email", "email", "This is not an e-mail address.")
	}
	fits(p, "/name", in.Name, maxName)
	fits(p, "/marketing_wording", in.Wording, maxWording)
	var weak *passwords.Weak
	if err := passwords.Validate(in.Password, passwords.Context{Personal: []string{email, in.Name}}); errors.As(err, &weak) {
		if len(p.Faults) == 0 {
			return Registration{}, refusal(weak)
		}
		p.At("/password", string(weak.Code), "%s", weak.Detail) // all faults at once
	}
	if err := p.OrNil(); err != nil {
		return Registration{}, err
	}
	hash, err := s.Hasher.Hash(ctx, in.Password)
	if err != nil {
		return Registration{}, fmt.Errorf("register: %w", err)
	}
	r := Registration{Email: email, PasswordHash: hash, Name: in.Name}
	if in.AcceptsMarketing {
		r.Asked = asked(ctx, in.Wording)
	}
	return r, nil
}

func refusal(weak *passwords.Weak) error {
	p := problem.New(problem.Unprocessable, "password_invalid", "%s", weak.Detail)
	if weak.Code == passwords.Common || weak.Code == passwords.Predictable {
		p = problem.New(problem.Unprocessable, "password_too_common", "%s", weak.Detail)
	}
	return p.At("/password", string(weak.Code), "%s", weak.Detail)
}

// registerSQL keeps a registration under a digest that no token has, unless there is an
// account, and says whether there is.
const registerSQL = `
with known as (
	select from customers where email = $2 and password_hash is not null
), t as (
	insert into customer_tokens (hash, purpose, data, expires_at)
	select $1, 'verify_email', $3::jsonb, now() + $4::interval where not exists (select from known)
)
select exists (select from known)`

// Register keeps a registration and has a mail written: with the link that completes it
// or, where there is an account, a word to its owner.
func (s *Service) Register(ctx context.Context, tx *postgres.Tx, r Registration) error {
	place := make([]byte, 32)
	rand.Read(place) // never fails
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	var known bool
	if err := tx.QueryRow(ctx, registerSQL, place, r.Email, string(raw), verifyTime).Scan(&known); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.register"})
	args := newMail(ctx, Registered, r.Email)
	if args.Registration = hex.EncodeToString(place); known {
		args.About = Known
	}
	journal.Job(tx, JobMail, args)
	return nil
}

// verifySQL makes of a registration a customer with an account: the one who is known
// from orders under that address, or a new one. Anybody could place those orders, so that
// their address is not where the customer's goods are sent unless asked.
const verifySQL = `
with was as (select email, name, accepts_marketing, addresses from customers where email = $2)
insert into customers as known (id, email, email_verified_at, name, password_hash, accepts_marketing)
values ($1, $2, now(), $3, $4, $5)
on conflict (email) do update set email_verified_at = now(), password_hash = excluded.password_hash, accepts_marketing = known.accepts_marketing or excluded.accepts_marketing,
	name = coalesce(nullif(excluded.name, ''), known.name), addresses = '[]', version = known.version + 1, updated_at = now()
	where known.password_hash is null and known.disabled_at is null
returning id, xmax = 0, (select to_jsonb(was) from was), jsonb_build_object('name', name, 'accepts_marketing', accepts_marketing, 'addresses', addresses, 'email', email, 'email_verified', true)`

// Verify completes the registration that a token from a mail belongs to, and signs in.
func (s *Service) Verify(ctx context.Context, tx *postgres.Tx, secret string) (Session, error) {
	r, err := claim(ctx, tx, secret)
	if err != nil {
		return Session{}, err
	}
	c := Customer{Email: r.Email, EmailVerified: true}
	var fresh bool
	var before, after json.RawMessage
	err = tx.QueryRow(ctx, verifySQL, ids.New("cus"), r.Email, r.Name, r.PasswordHash, r.Asked != nil).Scan(&c.ID, &fresh, &before, &after)
	if errors.Is(err, postgres.ErrNoRows) {
		return Session{}, invalidToken() // another registration of the same address was quicker
	}
	if err != nil {
		return Session{}, fmt.Errorf("verify a customer: %w", err)
	}
	if _, err := tx.Exec(ctx, settleSQL, c.ID, c.Email); err != nil {
		return Session{}, fmt.Errorf("settle customer %s: %w", c.ID, err)
	}
	if fresh {
		journal.Event(ctx, tx, "customer.created", c.ID, c)
	}
	journal.Event(ctx, tx, "customer.verified", c.ID, c)
	if r.Asked != nil {
		if err := agreed(ctx, tx, c, consent{granted: true, method: byDoubleOptIn, asked: r.Asked}); err != nil {
			return Session{}, err
		}
	}
	entry := journal.Entry{Action: "customer.verify", ObjectID: c.ID, After: after}
	if before != nil {
		entry.Before = before
	}
	journal.Audit(ctx, tx, entry)
	name, ip := guarded(tx.Store, c.Email), principal.From(ctx).IP
	tx.AfterCommit(func() { s.Guard.Trust(ctx, name, ip) })
	return begin(ctx, tx, c.ID)
}

// claim uses up the token of a registration.
func claim(ctx context.Context, tx *postgres.Tx, secret string) (r Registration, err error) {
	var raw []byte
	err = tx.QueryRow(ctx, `delete from customer_tokens where hash = $1 and purpose = 'verify_email' and expires_at > now() returning data`, token.Hash(secret)).Scan(&raw)
	if errors.Is(err, postgres.ErrNoRows) {
		return r, invalidToken()
	}
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read a registration: %w", err)
	}
	return r, nil
}

// settleSQL gives a customer the orders that were placed under the address, and ends its
// other registrations.
const settleSQL = `
with gone as (delete from customer_tokens where purpose = 'verify_email' and data->>'email' = $2)
update orders set customer_id = $1 where email = $2 and customer_id is null`

func invalidToken() error {
	return problem.New(problem.Unprocessable, "token_invalid", "The link was used, or is too old. Ask for another.")
}
