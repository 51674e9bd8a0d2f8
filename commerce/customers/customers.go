// Package customers owns who buys at a store: what is known of them from their orders,
// their accounts, and who of them is signed in. The same person at two stores is two
// customers.
//
// An account begins with a registration that nobody but the owner of the e-mail address
// can complete: until then it is no customer, and its password opens nothing. Nothing
// tells by words or by time whether an address is known.
package customers

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

const (
	// sessionTime is how long a shopper stays signed in.
	sessionTime = 30 * 24 * time.Hour
	// verifyTime is how long the link in the mail is valid.
	verifyTime = 24 * time.Hour
)

// Service keeps the customers of the context's store.
type Service struct {
	DB     *postgres.DB
	Hasher *passwords.Hasher
	Guard  *guard.Guard // against guessing
}

// Customer is a customer in short, as events and the audit tell of one.
type Customer struct {
	ID            string `json:"id"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`

	GroupIDs []string `json:"-"` // of one who has signed in, in their order
}

// As names a customer as who acts from here on.
func As(ctx context.Context, c Customer) context.Context {
	who := principal.From(ctx)
	who.Kind, who.ID, who.Label = principal.Customer, c.ID, c.Email
	return principal.With(ctx, who)
}

// Change is what is to be different about a customer; nil leaves a thing as it is, and an
// empty text or a pointer to nil removes it.
type Change struct {
	Name             *string
	Phone            *string
	AcceptsMarketing *bool // by mail
	AcceptsSMS       *bool
	Wording          *string // that was agreed to
	Note             *string
	Addresses        []Entry           // all of them; nil leaves them
	DefaultAddress   **address.Address // the one for shipping
	GroupIDs         []string          // all of them; nil leaves them
	Tags             []string          // all of them; nil leaves them
	Disabled         *bool             // whether the account opens nothing
	TaxExemptReason  *string           // empty: they are taxed like anybody
	CustomFields     fields.Values     // merged
}

// kept is what can be changed of a customer.
type kept struct {
	Name             string        `json:"name"`
	Phone            string        `json:"phone"`
	AcceptsMarketing bool          `json:"accepts_marketing"`
	AcceptsSMS       bool          `json:"accepts_sms_marketing"`
	Note             string        `json:"note"`
	Addresses        []Entry       `json:"addresses"`
	GroupIDs         []string      `json:"group_ids"`
	Tags             []string      `json:"tags"`
	Disabled         bool          `json:"disabled"`
	TaxExemptReason  string        `json:"tax_exempt_reason"`
	CustomFields     fields.Values `json:"custom_fields,omitempty"`
}

// apply makes a change and notes what is wrong with it.
func (k *kept) apply(c Change, p *problem.Problem) {
	for _, field := range []struct {
		at         string
		into, from *string
		most       int
	}{{"/name", &k.Name, c.Name, maxName}, {"/phone", &k.Phone, c.Phone, 32}, {"/note", &k.Note, c.Note, 5000}, {"/tax_exempt_reason", &k.TaxExemptReason, c.TaxExemptReason, 255}} {
		if field.from != nil {
			fits(p, field.at, *field.from, field.most)
			*field.into = *field.from
		}
	}
	if c.Wording != nil {
		fits(p, "/marketing_wording", *c.Wording, maxWording)
	}
	if c.AcceptsMarketing != nil {
		k.AcceptsMarketing = *c.AcceptsMarketing
	}
	if c.AcceptsSMS != nil {
		k.AcceptsSMS = *c.AcceptsSMS
	}
	if c.GroupIDs != nil {
		k.GroupIDs = slices.Compact(slices.Sorted(slices.Values(c.GroupIDs)))
		if k.GroupIDs == nil {
			k.GroupIDs = []string{}
		}
	}
	if c.Tags != nil {
		k.Tags = tidied(c.Tags, p)
	}
	if c.Disabled != nil {
		k.Disabled = *c.Disabled
	}
	if c.Addresses != nil {
		k.entries(c.Addresses, p)
	}
	if c.DefaultAddress != nil {
		k.prefer(*c.DefaultAddress, p)
	}
}

// tidied are labels, each once and without white space around it.
func tidied(tags []string, p *problem.Problem) []string {
	tidy := []string{}
	for i, tag := range tags {
		if tag = strings.TrimSpace(tag); tag == "" {
			p.At(fmt.Sprintf("/tags/%d", i), "length", "A label has 1 to 255 characters.")
		}
		fits(p, fmt.Sprintf("/tags/%d", i), tag, 255)
		if !slices.Contains(tidy, tag) {
			tidy = append(tidy, tag)
		}
	}
	if len(tidy) > maxTags {
		p.At("/tags", "maxItems", "There may be %d.", maxTags)
	}
	return tidy
}

// maxTags is how many labels a customer has at most.
const maxTags = 250

// maxName is how many characters a name has at most.
const maxName = 255

// fits notes a text that is too long, or none.
func fits(p *problem.Problem, at, text string, most int) {
	if n := utf8.RuneCountInString(text); n > most || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		p.At(at, "maxLength", "It is text of at most %d characters.", most)
	}
}

const lockSQL = `select email, email_verified_at is not null, version, name, phone, accepts_marketing, accepts_sms_marketing, note, addresses, group_ids, tags, disabled_at is not null, tax_exempt_reason, custom_fields
from customers where id = $1 for update`

const updateSQL = `update customers set name = $2, phone = $3, accepts_marketing = $4, note = $5, addresses = $6, group_ids = $7, tags = $8,
	disabled_at = case when $9 then coalesce(disabled_at, now()) end, tax_exempt_reason = $10, custom_fields = $11, accepts_sms_marketing = $12, version = version + 1, updated_at = now() where id = $1`

// Update changes a customer. Version is the one that the change is meant for, or 0.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id string, change Change, version int) error {
	_, _, err := update(ctx, tx, id, change, version)
	return err
}

// update changes a customer, and gives what they were and what they are.
func update(ctx context.Context, tx *postgres.Tx, id string, change Change, version int) (before, now kept, err error) {
	book, err := fields.Open(ctx, tx, fields.Customers, change.CustomFields)
	if err != nil {
		return before, now, err
	}
	c, now, err := lock(ctx, tx, id, version)
	if err != nil {
		return before, now, err
	}
	before, wrong := now, problem.New(problem.Unprocessable, "details_invalid", "The customer cannot be like this.")
	now.apply(change, wrong)
	if err := book.Write(ctx, tx, &now.CustomFields, change.CustomFields, wrong); err != nil {
		return before, now, err
	}
	if err := wrong.OrNil(); err != nil {
		return before, now, err
	}
	if change.GroupIDs != nil {
		if err := knowGroups(ctx, tx, change.GroupIDs); err != nil {
			return before, now, err
		}
	}
	if reflect.DeepEqual(before, now) {
		return before, now, nil
	}
	return before, now, now.become(ctx, tx, c, before, change.Wording)
}

// become keeps what a customer, who is locked, is now, and tells of it.
func (k kept) become(ctx context.Context, tx *postgres.Tx, c Customer, before kept, wording *string) error {
	if err := k.write(ctx, tx, c.ID); err != nil {
		return err
	}
	if err := k.changed(ctx, tx, c, before, wording); err != nil {
		return err
	}
	if k.Disabled && !before.Disabled {
		if _, err := tx.Exec(ctx, `delete from customer_tokens where customer_id = $1`, c.ID); err != nil {
			return fmt.Errorf("sign out customer %s: %w", c.ID, err)
		}
	}
	journal.Event(ctx, tx, "customer.updated", c.ID, c)
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.update", ObjectID: c.ID, Before: before, After: k})
	return nil
}

// write keeps what was changed.
func (k kept) write(ctx context.Context, tx *postgres.Tx, id string) error {
	_, err := tx.Exec(ctx, updateSQL, id, k.Name, k.Phone, k.AcceptsMarketing, k.Note, k.Addresses, k.GroupIDs, k.Tags, k.Disabled, k.TaxExemptReason, k.CustomFields, k.AcceptsSMS)
	if err != nil {
		return fmt.Errorf("update customer %s: %w", id, err)
	}
	return nil
}

// Create makes a customer, without an account, of whom the merchant knows otherwise than
// from an order; registering with the address attaches an account to it.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, email string, with Change) (string, error) {
	book, err := fields.Open(ctx, tx, fields.Customers, with.CustomFields)
	if err != nil {
		return "", err
	}
	c := Customer{ID: ids.New("cus"), Email: address.Email(email)}
	now, wrong := kept{Addresses: []Entry{}, GroupIDs: []string{}, Tags: []string{}}, problem.New(problem.Unprocessable, "details_invalid", "The customer cannot be like this.")
	if !address.ValidEmail(c.Email) {
		wrong.At("/email", "email", "This is not an e-mail address.")
	}
	now.apply(with, wrong)
	if err := book.Write(ctx, tx, &now.CustomFields, with.CustomFields, wrong); err != nil {
		return "", err
	}
	if err := wrong.OrNil(); err != nil {
		return "", err
	}
	if err := knowGroups(ctx, tx, now.GroupIDs); err != nil {
		return "", err
	}
	tag, err := tx.Exec(ctx, `insert into customers (id, email) values ($1, $2) on conflict (email) do nothing`, c.ID, c.Email)
	if err != nil {
		return "", fmt.Errorf("create a customer: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return "", problem.New(problem.Conflict, "customer_exists", "There is a customer with this e-mail address already.").At("/email", "customer_exists", "Look for it, and change it.")
	}
	if err := now.write(ctx, tx, c.ID); err != nil {
		return "", err
	}
	journal.Event(ctx, tx, "customer.created", c.ID, c)
	if err := now.changed(ctx, tx, c, kept{}, with.Wording); err != nil {
		return "", err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.create", ObjectID: c.ID, After: made{c.Email, now}})
	return c.ID, nil
}

// Delete deletes a customer with the account. Orders keep their copies, and so do the ledgers
// of gift cards and store credit; as long as there is any of the latter, it is refused.
func (s *Service) Delete(ctx context.Context, tx *postgres.Tx, id string, version int) error {
	c, _, err := lock(ctx, tx, id, version)
	if err != nil {
		return err
	}
	var left bool
	err = tx.QueryRow(ctx, `select exists (select from credit_accounts where kind = 'store_credit' and customer_id = $1 and balance > 0)`, id).Scan(&left)
	if err != nil {
		return fmt.Errorf("read the store credit of %s: %w", id, err)
	}
	if left {
		return problem.New(problem.Conflict, "store_credit_left", "The customer has store credit. Take it back first.")
	}
	return c.remove(ctx, tx)
}

// remove deletes a customer, who is locked.
func (c Customer) remove(ctx context.Context, tx *postgres.Tx) error {
	if _, err := reviews.Forget(ctx, tx, c.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from customers where id = $1`, c.ID); err != nil {
		return fmt.Errorf("delete customer %s: %w", c.ID, err)
	}
	journal.Event(ctx, tx, "customer.deleted", c.ID, map[string]string{"id": c.ID})
	// The audit outlives the customer and so keeps nothing of the person.
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.delete", ObjectID: c.ID, Before: map[string]any{"email_verified": c.EmailVerified}})
	return nil
}

// made is what the audit tells of a customer who was made. By the e-mail address
// commerce/privacy finds what it tells of who is no customer any more.
type made struct {
	Email string `json:"email"`
	kept
}

func lock(ctx context.Context, tx *postgres.Tx, id string, meant int) (Customer, kept, error) {
	c, k := Customer{ID: id}, kept{}
	var version int
	err := tx.QueryRow(ctx, lockSQL, id).Scan(&c.Email, &c.EmailVerified, &version, &k.Name, &k.Phone, &k.AcceptsMarketing, &k.AcceptsSMS, &k.Note, &k.Addresses, &k.GroupIDs, &k.Tags, &k.Disabled, &k.TaxExemptReason, &k.CustomFields)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return c, k, problem.Missing("customer")
	case err != nil:
		return c, k, fmt.Errorf("lock customer %s: %w", id, err)
	case meant != 0 && meant != version:
		return c, k, problem.New(problem.Stale, "stale", "The customer was changed since; the version is %d by now.", version)
	}
	return c, k, nil
}
