package customers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Taken is what became of a customer who was taken in from elsewhere.
type Taken struct {
	ID      string
	Made    bool // there was none with the address
	Changed bool
	Undo    json.RawMessage // what Untake takes; nil where nothing came of it

	// Withdrawn are the channels for which they had taken their consent to be written to back:
	// it stays so, whatever a list of others says.
	Withdrawn []string
}

// undo is what undoes that a customer was taken in. It is kept with an operation's row, from
// which commerce/privacy erases a person.
type undo struct {
	Email  string `json:"email"` // by which it is found of who is no customer any more
	Made   bool   `json:"made,omitempty"`
	Before kept   `json:"before"`
	After  kept   `json:"after"`
}

// Take makes the customer with an e-mail address, without an account, or changes the one
// that there is. A problem with the change leaves nothing behind.
func (s *Service) Take(ctx context.Context, tx *postgres.Tx, email string, change Change) (t Taken, err error) {
	email = address.Email(email)
	if !address.ValidEmail(email) {
		return t, problem.New(problem.Unprocessable, "details_invalid", "The customer cannot be like this.").At("/email", "email", "This is not an e-mail address.")
	}
	if err := judge(ctx, tx, change); err != nil {
		return t, err
	}
	err = tx.QueryRow(ctx, `insert into customers (id, email) values ($1, $2) on conflict (email) do nothing returning id`, ids.New("cus"), email).Scan(&t.ID)
	switch t.Made = err == nil; {
	case errors.Is(err, postgres.ErrNoRows):
		err = tx.QueryRow(ctx, `select id from customers where email = $1 for update`, email).Scan(&t.ID)
	case err == nil:
		journal.Event(ctx, tx, "customer.created", t.ID, Customer{ID: t.ID, Email: email})
		journal.Audit(ctx, tx, journal.Entry{Action: "customer.create", ObjectID: t.ID, After: made{email, kept{Addresses: []Entry{}, GroupIDs: []string{}, Tags: []string{}}}})
	}
	if err != nil {
		return t, fmt.Errorf("take a customer in: %w", err)
	}
	for _, of := range []struct {
		channel string
		accepts **bool
	}{{byMail, &change.AcceptsMarketing}, {bySMS, &change.AcceptsSMS}} {
		if *of.accepts == nil || !**of.accepts || t.Made {
			continue
		}
		var withdrawn bool
		err := tx.QueryRow(ctx, `select coalesce((select not granted from marketing_consents where customer_id = $1 and channel = $2 order by id desc limit 1), false)`, t.ID, of.channel).Scan(&withdrawn)
		if err != nil {
			return t, fmt.Errorf("read the consent of %s: %w", t.ID, err)
		}
		if withdrawn {
			t.Withdrawn, *of.accepts = append(t.Withdrawn, of.channel), nil
		}
	}
	before, after, err := update(ctx, tx, t.ID, change, 0)
	if err != nil {
		return t, err
	}
	if t.Changed = !reflect.DeepEqual(before, after); t.Made || t.Changed {
		if t.Undo, err = json.Marshal(undo{email, t.Made, before, after}); err != nil {
			return t, fmt.Errorf("keep what undoes that %s was taken in: %w", t.ID, err)
		}
	}
	return t, nil
}

// same says whether two states of a customer tell the same.
func (k kept) same(other kept) bool {
	a, err := json.Marshal(k)
	b, failed := json.Marshal(other)
	return err == nil && failed == nil && bytes.Equal(a, b)
}

// livedSQL says what a customer $1 has done since they were made: ordered, opened an account,
// or come by store credit.
const livedSQL = `select exists (select from orders where customer_id = $1) or exists (select from carts where customer_id = $1),
	exists (select from customers where id = $1 and (password_hash is not null or email_verified_at is not null)),
	exists (select from credit_accounts where customer_id = $1)`

// Untake undoes that a customer was taken in, and says whether they were deleted: who was
// made is, unless they have done something since, and who was changed becomes as they were.
// Who was changed since stays as they are, which is a problem.
func Untake(ctx context.Context, tx *postgres.Tx, id string, by json.RawMessage) (deleted bool, err error) {
	var u undo
	if err := json.Unmarshal(by, &u); err != nil {
		return false, fmt.Errorf("read what undoes that %s was taken in: %w", id, err)
	}
	differing := fields.Differing(u.Before.CustomFields, u.After.CustomFields)
	book, err := fields.Open(ctx, tx, fields.Customers, differing)
	if err != nil {
		return false, err
	}
	c, now, err := lock(ctx, tx, id, 0)
	if err != nil {
		return false, err
	}
	if !now.same(u.After) {
		return false, problem.New(problem.Conflict, "changed_since", "They have changed since, and stay as they are.")
	}
	if !u.Made {
		was := u.Before
		was.CustomFields = now.CustomFields
		book.Restore(&was.CustomFields, differing)
		if err := tx.QueryRow(ctx, `select array(select g.id from customer_groups g where g.id = any($1) order by g.id)`, was.GroupIDs).Scan(&was.GroupIDs); err != nil {
			return false, fmt.Errorf("read the groups of %s: %w", id, err)
		}
		return false, was.become(ctx, tx, c, now, nil)
	}
	var ordered, joined, credited bool
	if err := tx.QueryRow(ctx, livedSQL, id).Scan(&ordered, &joined, &credited); err != nil {
		return false, fmt.Errorf("look what became of %s: %w", id, err)
	}
	stays := problem.New(problem.Conflict, "changed_since", "They have done something since, and stay.")
	for _, what := range []struct {
		is           bool
		code, detail string
	}{
		{ordered, "has_orders", "They have a cart or an order since, and stay."},
		{joined, "has_account", "They have an account since, and stay."},
		{credited, "has_store_credit", "They have come by store credit since, and stay."},
	} {
		if what.is {
			stays.At("", what.code, "%s", what.detail)
		}
	}
	if err := stays.OrNil(); err != nil {
		return false, err
	}
	return true, c.remove(ctx, tx)
}

// judge says what is wrong with a change, whoever it is of, before anything is done.
func judge(ctx context.Context, tx *postgres.Tx, change Change) error {
	book, err := fields.Open(ctx, tx, fields.Customers, change.CustomFields)
	if err != nil {
		return err
	}
	k, wrong := kept{}, problem.New(problem.Unprocessable, "details_invalid", "The customer cannot be like this.")
	k.apply(change, wrong)
	if err := book.Write(ctx, tx, &k.CustomFields, change.CustomFields, wrong); err != nil {
		return err
	}
	return wrong.OrNil()
}
