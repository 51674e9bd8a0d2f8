package drafts

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobMail is the kind of the job that writes to the customer of a draft order; its
// arguments are MailArgs and Mailer does it.
const JobMail = "draft_order_mail"

// MailArgs say of which draft order is to be written.
type MailArgs struct {
	MailID  string `json:"mail_id"` // so that sending twice can be noticed
	ID      string `json:"id"`
	Message string `json:"message"` // what the merchant has to say
}

// Links knows where the draft orders of the context's store are paid. The link is signed,
// and kept nowhere.
type Links interface {
	PayDraft(ctx context.Context, id string) (string, error)
}

// Mailer writes to whom draft orders are for.
type Mailer struct {
	Carts *cart.Service
	Post  mail.Post
	Links Links
}

// Send writes the mail of the draft order as it is now, unless it cannot be bought any more.
func (m *Mailer) Send(ctx context.Context, args MailArgs) error {
	c, err := m.Carts.ReadDraft(ctx, args.ID)
	if problem.Is(err, "not_found") || err == nil && (StateOf(c) != Sent || c.Email == "") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mail about draft order %s: %w", args.ID, err)
	}
	data := mail.DraftOrder{Message: args.Message, Discount: c.Totals.Discount, Total: c.Totals.Total, Open: c.Estimated() || c.RequiresShipping() && c.Method == nil, Until: c.ExpiresAt}
	if data.URL, err = m.Links.PayDraft(ctx, args.ID); err != nil {
		return fmt.Errorf("mail about draft order %s: %w", args.ID, err)
	}
	for _, l := range c.Lines {
		data.Lines = append(data.Lines, mail.Line{Title: l.Title, Variant: cart.VariantName(l.VariantTitle), Quantity: int(l.Quantity), Total: l.Subtotal})
	}
	letter := mail.NewLetter(c.Email, data)
	letter.ID = args.MailID
	return m.Post.Send(ctx, letter)
}
