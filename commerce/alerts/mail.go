package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// JobMail is the kind of the job that writes to a shopper; its arguments are MailArgs and
// Mailer does it.
const JobMail = "stock_alert_mail"

// MailArgs say to whom is to be written: who asked, or, with an address, who waits no more.
type MailArgs struct {
	MailID    string `json:"mail_id"` // so that sending twice can be noticed
	AlertID   string `json:"alert_id"`
	VariantID string `json:"variant_id,omitempty"`
	Email     string `json:"email,omitempty"`
	Locale    string `json:"locale,omitempty"`
}

// Links knows where shoppers confirm and end their wishes in the context's store, and where
// its products are.
type Links interface {
	ConfirmAlert(ctx context.Context, id string) (string, error)
	EndAlert(ctx context.Context, id string) (string, error)
	Product(ctx context.Context, handle, variant string) (string, error)
}

// Mailer writes the mails.
type Mailer struct {
	DB    *postgres.DB
	Post  mail.Post
	Links Links
}

const (
	askedSQL = `select json_build_object('email', a.email, 'locale', a.locale, 'variant', v.id, 'handle', p.handle, 'title', ` + inventory.Title + `)::text
from stock_alerts a join variants v on v.id = a.variant_id join products p on p.id = v.product_id where a.id = $1 and a.confirmed_at is null`

	thingSQL = `select json_build_object('variant', v.id, 'handle', p.handle, 'title', ` + inventory.Title + `)::text
from variants v join products p on p.id = v.product_id where v.id = $1 and p.status = 'active'`
)

// Send writes one mail and sends it, unless there is nothing to tell any more.
func (m *Mailer) Send(ctx context.Context, args MailArgs) error {
	statement, about := askedSQL, args.AlertID
	if args.Email != "" {
		statement, about = thingSQL, args.VariantID
	}
	raw, err := m.DB.JSON(ctx, statement, about)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	var thing struct{ Email, Locale, Variant, Handle, Title string }
	if err == nil {
		err = json.Unmarshal(raw, &thing)
	}
	if err != nil {
		return fmt.Errorf("mail about %s: %w", about, err)
	}
	end, err := m.Links.EndAlert(ctx, args.AlertID)
	if err != nil {
		return fmt.Errorf("mail about %s: %w", about, err)
	}
	var letter mail.Letter
	if args.Email != "" {
		url, err := m.Links.Product(ctx, thing.Handle, thing.Variant)
		if err != nil {
			return fmt.Errorf("mail about %s: %w", about, err)
		}
		letter = mail.NewLetter(args.Email, mail.BackInStock{Title: thing.Title, URL: url})
		letter.Locale = args.Locale
	} else {
		url, err := m.Links.ConfirmAlert(ctx, args.AlertID)
		if err != nil {
			return fmt.Errorf("mail about %s: %w", about, err)
		}
		letter = mail.NewLetter(thing.Email, mail.StockAlertConfirm{Title: thing.Title, URL: url})
		letter.Locale = thing.Locale
	}
	letter.ID, letter.Unsubscribe = args.MailID, end
	return m.Post.Send(ctx, letter)
}
