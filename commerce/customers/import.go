package customers

import (
	"context"
	"errors"
	"fmt"

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

	// Withdrawn are the channels for which they had taken their consent to be written to back:
	// it stays so, whatever a list of others says.
	Withdrawn []string
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
	}
	if err != nil {
		return t, fmt.Errorf("take a customer in: %w", err)
	}
	var before, after int
	if err := tx.QueryRow(ctx, `select version from customers where id = $1`, t.ID).Scan(&before); err != nil {
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
	if err := s.Update(ctx, tx, t.ID, change, 0); err != nil {
		return t, err
	}
	if err := tx.QueryRow(ctx, `select version from customers where id = $1`, t.ID).Scan(&after); err != nil {
		return t, fmt.Errorf("take a customer in: %w", err)
	}
	t.Changed = after != before
	return t, nil
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
