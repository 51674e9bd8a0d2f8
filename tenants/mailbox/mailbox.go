// Package mailbox keeps the mails that were not sent out, or not only: all of them in
// development, those of sandboxes always. They lie in the control database, are read on a
// page, and go after a while.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Kept is how long a mail can be read.
const Kept = 14 * 24 * time.Hour

// Service is the mailbox. It is a mail.MailboxStore.
type Service struct{ db *postgres.DB }

// New opens the mailbox in the control database.
func New(db *postgres.DB) *Service { return &Service{db} }

// insertMail keeps a mail once, however often it is sent.
const insertMail = `
insert into mailbox (id, store_id, kind, recipient, subject, html, text, created_at)
values ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8) on conflict (id) do nothing`

// Insert keeps a mail. One whose ID is there already was sent before, and is left as it is.
func (s *Service) Insert(ctx context.Context, m mail.StoredMail) error {
	return s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, insertMail, m.ID, m.StoreID, m.Kind, m.Recipient, m.Subject, m.HTML, m.Text, m.CreatedAt)
		return err
	})
}

// Filter chooses among mails; its zero value chooses all of them.
type Filter struct {
	Recipient string // how its letters are written does not matter
	StoreID   string
	Kind      mail.Kind
	After     string // the ID of the last mail of the page before
	Limit     int    // 50 when zero
}

const defaultLimit = 50

// The order is that of sending: IDs sort by the time they were drawn.
const listMails = `
select id, coalesce(store_id, ''), kind, recipient, subject, created_at from mailbox
where ($1 = '' or lower(recipient) = lower($1)) and ($2 = '' or store_id = $2) and ($3 = '' or kind = $3) and ($4 = '' or id < $4)
order by id desc limit $5`

// List lists mails without their bodies, the latest first, and gives the position of the
// next page, empty at the end.
func (s *Service) List(ctx context.Context, f Filter) (page []mail.StoredMail, next string, err error) {
	if f.Limit == 0 {
		f.Limit = defaultLimit
	}
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, listMails, strings.TrimSpace(f.Recipient), f.StoreID, string(f.Kind), f.After, f.Limit+1)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (mail.StoredMail, error) {
			var m mail.StoredMail
			err := row.Scan(&m.ID, &m.StoreID, &m.Kind, &m.Recipient, &m.Subject, &m.CreatedAt)
			m.CreatedAt = m.CreatedAt.UTC()
			return m, err
		})
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the mailbox: %w", err)
	}
	if len(page) > f.Limit {
		page = page[:f.Limit]
		next = page[f.Limit-1].ID
	}
	return page, next, nil
}

const selectMail = `
select id, coalesce(store_id, ''), kind, recipient, subject, html, text, created_at from mailbox where id = $1`

// Get is one mail, whole.
func (s *Service) Get(ctx context.Context, id string) (mail.StoredMail, error) {
	var m mail.StoredMail
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, selectMail, id).Scan(&m.ID, &m.StoreID, &m.Kind, &m.Recipient, &m.Subject, &m.HTML, &m.Text, &m.CreatedAt)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return m, problem.Missing("mail")
	}
	if err != nil {
		return m, fmt.Errorf("read mail %s: %w", id, err)
	}
	m.CreatedAt = m.CreatedAt.UTC()
	return m, nil
}
