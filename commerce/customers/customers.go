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
	"github.com/stoacommerce/stoa/platform/guard"
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
	AcceptsMarketing *bool
	Note             *string
	DefaultAddress   **address.Address
	GroupIDs         []string      // all of them; nil leaves them
	TaxExemptReason  *string       // empty: they are taxed like anybody
	CustomFields     fields.Values // merged
}

// kept is what can be changed of a customer.
type kept struct {
	Name             string           `json:"name"`
	Phone            string           `json:"phone"`
	AcceptsMarketing bool             `json:"accepts_marketing"`
	Note             string           `json:"note"`
	DefaultAddress   *address.Address `json:"default_address"`
	GroupIDs         []string         `json:"group_ids"`
	TaxExemptReason  string           `json:"tax_exempt_reason"`
	CustomFields     fields.Values    `json:"custom_fields,omitempty"`
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
	if c.AcceptsMarketing != nil {
		k.AcceptsMarketing = *c.AcceptsMarketing
	}
	if c.GroupIDs != nil {
		k.GroupIDs = slices.Compact(slices.Sorted(slices.Values(c.GroupIDs)))
		if k.GroupIDs == nil {
			k.GroupIDs = []string{}
		}
	}
	if c.DefaultAddress != nil {
		k.DefaultAddress = nil
		if given := *c.DefaultAddress; given != nil {
			trimmed := given.Trim()
			trimmed.Check(p, "/default_address")
			k.DefaultAddress = &trimmed
		}
	}
}

// maxName is how many characters a name has at most.
const maxName = 255

// fits notes a text that is too long, or none.
func fits(p *problem.Problem, at, text string, most int) {
	if n := utf8.RuneCountInString(text); n > most || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		p.At(at, "maxLength", "It is text of at most %d characters.", most)
	}
}

const lockSQL = `select email, email_verified_at is not null, version, name, phone, accepts_marketing, note, default_address, group_ids, tax_exempt_reason, custom_fields from customers where id = $1 for update`

const updateSQL = `update customers set name = $2, phone = $3, accepts_marketing = $4, note = $5, default_address = $6, group_ids = $7, tax_exempt_reason = $8, custom_fields = $9, version = version + 1, updated_at = now() where id = $1`

// Update changes a customer. Version is the one that the change is meant for, or 0.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id string, change Change, version int) error {
	book, err := fields.Open(ctx, tx, fields.Customers, change.CustomFields)
	if err != nil {
		return err
	}
	c, now, err := lock(ctx, tx, id, version)
	if err != nil {
		return err
	}
	before, wrong := now, problem.New(problem.Unprocessable, "details_invalid", "The customer cannot be like this.")
	now.apply(change, wrong)
	if err := book.Write(ctx, tx, &now.CustomFields, change.CustomFields, wrong); err != nil {
		return err
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	if change.GroupIDs != nil {
		if err := knowGroups(ctx, tx, change.GroupIDs); err != nil {
			return err
		}
	}
	if reflect.DeepEqual(before, now) {
		return nil
	}
	if _, err := tx.Exec(ctx, updateSQL, id, now.Name, now.Phone, now.AcceptsMarketing, now.Note, now.DefaultAddress, now.GroupIDs, now.TaxExemptReason, now.CustomFields); err != nil {
		return fmt.Errorf("update customer %s: %w", id, err)
	}
	journal.Event(ctx, tx, "customer.updated", id, c)
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.update", ObjectID: id, Before: before, After: now})
	return nil
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
	if _, err := tx.Exec(ctx, `delete from customers where id = $1`, id); err != nil {
		return fmt.Errorf("delete customer %s: %w", id, err)
	}
	journal.Event(ctx, tx, "customer.deleted", id, map[string]string{"id": id})
	// The audit outlives the customer and so keeps nothing of the person.
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.delete", ObjectID: id, Before: map[string]any{"email_verified": c.EmailVerified}})
	return nil
}

func lock(ctx context.Context, tx *postgres.Tx, id string, meant int) (Customer, kept, error) {
	c, k := Customer{ID: id}, kept{}
	var version int
	err := tx.QueryRow(ctx, lockSQL, id).Scan(&c.Email, &c.EmailVerified, &version, &k.Name, &k.Phone, &k.AcceptsMarketing, &k.Note, &k.DefaultAddress, &k.GroupIDs, &k.TaxExemptReason, &k.CustomFields)
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
