package customers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// changeTime is how long the link that confirms another e-mail address is valid.
const changeTime = 24 * time.Hour

// EmailChange is a customer's wish for another address, judged, with the password proven. It
// is made before a transaction, which hashing would hold up.
type EmailChange struct {
	of Customer
	to string
}

// PrepareEmailChange judges a wish for another address. The password is asked for: a session
// alone, of a browser that was left open, must not be enough to take an account away.
func (s *Service) PrepareEmailChange(ctx context.Context, c Customer, email, password string) (EmailChange, error) {
	change := EmailChange{of: c, to: address.Email(email)}
	p := problem.New(problem.Unprocessable, "details_invalid", "The address cannot be this.")
	switch {
	case !address.ValidEmail(change.to):
		p.At("/email", "email", "This is not an e-mail address.")
	case change.to == c.Email:
		p.At("/email", "unchanged", "This is the address of the account already.")
	}
	if err := p.OrNil(); err != nil {
		return change, err
	}
	return change, s.Confirm(ctx, c, password)
}

// RequestEmailChange has a link mailed to the address that a customer wants to have, and a
// word to the one that they have. Whether the new address is another customer's is found out
// when the mail is written: asking tells it neither by words nor by time.
func (s *Service) RequestEmailChange(ctx context.Context, tx *postgres.Tx, change EmailChange) {
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.request_email_change", ObjectID: change.of.ID})
	wish, word := newMail(ctx, ChangeAsked, change.to), newMail(ctx, ChangeTold, change.of.Email)
	wish.CustomerID, word.NewEmail = change.of.ID, change.to
	journal.Job(tx, JobMail, wish)
	journal.Job(tx, JobMail, word)
}

const (
	// spendChangeSQL uses up a token that the customer was sent.
	spendChangeSQL = `delete from customer_tokens where hash = $1 and customer_id = $2 and purpose = 'change_email' and expires_at > now() returning data->>'email'`

	// meetSQL locks the customer $1 and whoever has the address $2, and says who that is.
	meetSQL = `select k.id, k.password_hash is not null from (
	select id, email, password_hash from customers where id = $1 or email = $2 order by id for update) k where k.email = $2 and k.id <> $1`

	// absorbSQL gives the customer $1 what is known of the customer $2, but for store credit in
	// a currency in which there is some of both, of which it says whether there is any.
	absorbSQL = `
with o as (update orders set customer_id = $1 where customer_id = $2),
c as (update carts set customer_id = $1 where customer_id = $2),
moved as (
	update credit_accounts a set customer_id = $1 where a.customer_id = $2 and (a.kind <> 'store_credit' or not exists (
		select from credit_accounts b where b.customer_id = $1 and b.kind = 'store_credit' and b.currency = a.currency))
	returning a.id
)
select exists (select from credit_accounts a where a.customer_id = $2 and a.balance > 0 and not exists (select from moved where moved.id = a.id))`

	renameSQL = `update customers set email = $2, email_verified_at = now(), version = version + 1, updated_at = now() where id = $1`

	// endOthersSQL ends what was sent to the address before, the registrations of the new one
	// $2, and all sessions but the one with the digest $3.
	endOthersSQL = `delete from customer_tokens where customer_id = $1 and (purpose <> 'session' or hash <> $3)
	or purpose = 'verify_email' and data->>'email' = $2`
)

// ConfirmEmailChange gives a customer the address that the token of a mail was sent to. It
// is taken from who is signed in as that customer alone, so that whoever a mistyped address
// belongs to cannot confirm it. What was bought under the new address without an account is
// theirs from then on; their other sessions end, and the address before is told.
func (s *Service) ConfirmEmailChange(ctx context.Context, tx *postgres.Tx, c Customer, secret, session string) error {
	var email string
	err := tx.QueryRow(ctx, spendChangeSQL, token.Hash(secret), c.ID).Scan(&email)
	if errors.Is(err, postgres.ErrNoRows) {
		return invalidToken()
	}
	if err != nil {
		return fmt.Errorf("change the address of %s: %w", c.ID, err)
	}
	if err := s.absorb(ctx, tx, c.ID, email); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, renameSQL, c.ID, email)
	if err == nil {
		_, err = tx.Exec(ctx, settleSQL, c.ID, email)
	}
	if err == nil {
		_, err = tx.Exec(ctx, endOthersSQL, c.ID, email, token.Hash(session))
	}
	if err != nil {
		return fmt.Errorf("change the address of %s: %w", c.ID, err)
	}
	word := newMail(ctx, ChangeDone, c.Email)
	word.NewEmail = email
	journal.Job(tx, JobMail, word)
	journal.Event(ctx, tx, "customer.updated", c.ID, Customer{ID: c.ID, Email: email, EmailVerified: true})
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.change_email", ObjectID: c.ID, Before: map[string]any{"email": c.Email}, After: map[string]any{"email": email}})
	name, ip := guarded(tx.Store, email), principal.From(ctx).IP
	tx.AfterCommit(func() { s.Guard.Trust(ctx, name, ip) })
	return nil
}

// absorb makes room for an address that somebody without an account is known by.
func (s *Service) absorb(ctx context.Context, tx *postgres.Tx, id, email string) error {
	var other string
	var registered, left bool
	err := tx.QueryRow(ctx, meetSQL, id, email).Scan(&other, &registered)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err == nil && registered {
		return invalidToken() // somebody registered with it meanwhile
	}
	if err == nil {
		err = tx.QueryRow(ctx, absorbSQL, id, other).Scan(&left)
	}
	if err == nil && left {
		return problem.New(problem.Conflict, "store_credit_left", "There is store credit under both addresses. Ask the shop to put it together first.")
	}
	if err == nil {
		_, err = tx.Exec(ctx, `delete from customers where id = $1`, other)
	}
	if err != nil {
		return fmt.Errorf("put customer %s and %s together: %w", id, other, err)
	}
	journal.Event(ctx, tx, "customer.deleted", other, map[string]string{"id": other})
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.delete", ObjectID: other, After: map[string]any{"now": id}})
	return nil
}
