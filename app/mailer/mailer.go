// Package mailer works on the jobs that send mail: it writes each in the name of the
// store that it comes from, or of the platform, and gives it to whoever takes it away.
//
// A mail is sent at least once. Its ID is drawn when the job is written and becomes its
// Message-ID, so that a mail which is sent twice can be known for what it is; the mailbox
// keeps it once.
package mailer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/stoacommerce/stoa/commerce/alerts"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/webhooks"
)

// Config is what mails are written and sent with. DB, Stores, Mailbox, Site, Links,
// ShopURL and Staff must be set.
type Config struct {
	DB     *postgres.DB
	Stores *stores.Service

	// Mailbox keeps the mails of sandboxes, and all that nobody delivers.
	Mailbox mail.Sender
	// Delivery brings mails to their recipients; nil where there is no mail server.
	Delivery mail.Sender
	// KeepAll has the mailbox keep those too that are delivered, in development.
	KeepAll bool

	Site  *url.URL // the platform's own pages
	Links Links    // into shops
	// ShopURL is where the shop of a side of a store is.
	ShopURL func(store *tenants.Store) string
	// Staff gives the addresses of those in a store who have a permission.
	Staff func(ctx context.Context, storeID, permission string) ([]string, error)
	Name  string // the platform's; "Stoa" when empty
	// Failed is told of each mail that could not be written by the merchant's own template,
	// and went by the default; may be nil.
	Failed func(kind mail.Kind, err error)
}

// Links are the addresses in shops that mails lead to; storefront.Links knows them.
type Links interface {
	alerts.Links
	cart.Links
	orders.Links
	customers.Links
	drafts.Links
}

// Mailer sends mails.
type Mailer struct{ config Config }

// New makes a mailer.
func New(config Config) *Mailer {
	if config.Name == "" {
		config.Name = "Stoa"
	}
	return &Mailer{config}
}

// Register has the workers send mails.
func (m *Mailer) Register(w *jobs.Workers) {
	db, links := m.config.DB, m.config.Links
	handle(w, mail.JobSend, m.Send)
	handle(w, orders.JobMail, (&orders.Mailer{DB: db, Post: m, Links: links}).Send)
	handle(w, orders.JobLink, (&orders.Mailer{DB: db, Post: m, Links: links}).SendLink)
	handle(w, cart.JobMail, (&cart.Mailer{DB: db, Post: m, Links: links}).Send)
	handle(w, drafts.JobMail, (&drafts.Mailer{Carts: cart.New(db), Post: m, Links: links}).Send)
	handle(w, customers.JobMail, (&customers.Mailer{DB: db, Post: m, Links: links}).Send)
	handle(w, alerts.JobMail, (&alerts.Mailer{DB: db, Post: m, Links: links}).Send)
	handle(w, inventory.JobBack, func(ctx context.Context, args inventory.BackArgs) error {
		return db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error { return alerts.Tell(ctx, tx, args) })
	})
	handle(w, inventory.JobScarce, m.StockLow)
	handle(w, webhooks.JobDisabled, m.WebhookDisabled)
}

// handle has the workers do jobs of a kind with their arguments. A job is set aside whose mail
// no repetition would get to its recipient.
func handle[Args any](w *jobs.Workers, kind string, do func(context.Context, Args) error) {
	w.Handle(kind, jobs.With(func(ctx context.Context, args Args) error {
		err := do(ctx, args)
		if errors.Is(err, mail.ErrPermanent) {
			return jobs.Cancel(err)
		}
		return err
	}))
}

// Send writes a letter's mail and sends it: in the name of the context's store, or else of
// the store that the letter names, or else of the platform. When it fails with
// mail.ErrPermanent, trying again does not help.
func (m *Mailer) Send(ctx context.Context, letter mail.Letter) error {
	data, err := mail.Decode(letter.Kind, letter.Data)
	if err != nil {
		return fmt.Errorf("mail %s: %w", letter.ID, err)
	}
	from, err := m.sender(ctx, letter.StoreID, letter.Kind)
	if problem.Is(err, "not_found") {
		return nil // the store is gone, and nobody speaks in its name any more
	}
	if err != nil {
		return fmt.Errorf("sender of mail %s: %w", letter.ID, err)
	}
	locale := letter.Locale
	if locale == "" {
		locale = from.locale
	}
	message, err := m.write(from, locale, data)
	if err != nil {
		return fmt.Errorf("mail %s: %w", letter.ID, err)
	}
	message.ID, message.StoreID, message.To, message.ToName = letter.ID, from.store, letter.To, letter.ToName
	message.Unsubscribes(letter.Unsubscribe)
	message.ReplyTo = cmp.Or(letter.ReplyTo, message.ReplyTo)
	if letter.Test {
		message.Subject = "[TEST] " + message.Subject
	}
	return m.hand(ctx, message, from.mode)
}

// write writes a mail as the sender has it said, or as all do where that cannot be: a mail is
// never lost to its template.
func (m *Mailer) write(from sender, locale string, data mail.Data) (mail.Message, error) {
	message, err := from.says.For(data.Kind(), locale).Render(locale, from.brand, data)
	if err == nil {
		return message, nil
	}
	if m.config.Failed != nil {
		m.config.Failed(data.Kind(), err)
	}
	return mail.Render(locale, from.brand, data)
}

// hand gives a mail to the mailbox, to delivery or to both. A sandbox's never leaves the
// house, whoever it is for.
func (m *Mailer) hand(ctx context.Context, message mail.Message, mode principal.Mode) error {
	deliver := m.config.Delivery != nil && mode != principal.Test
	if !deliver || m.config.KeepAll {
		if err := m.config.Mailbox.Send(ctx, message); err != nil {
			return err
		}
	}
	if !deliver {
		return nil
	}
	return m.config.Delivery.Send(ctx, message)
}
