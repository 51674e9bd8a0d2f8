package cart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/token"
)

// The kinds of jobs that look after carts which somebody has left: JobAbandoned has
// FindAbandoned look whether one is, and JobMail has Mailer write to its shopper once.
const (
	JobAbandoned = "cart_abandoned"
	JobMail      = "cart_mail"
)

// emptyAgain is when a cart that is empty is looked at again.
const emptyAgain = 24 * time.Hour

// AbandonedArgs name the cart that is looked after.
type AbandonedArgs struct {
	CartID string `json:"cart_id"`
}

// MailArgs say of which cart is to be written.
type MailArgs struct {
	MailID string `json:"mail_id"` // so that sending twice can be noticed
	CartID string `json:"cart_id"`

	// Failed is what could not be taken for it; nil for a cart that was left.
	Failed *money.Money `json:"failed,omitempty"`
}

// PaymentFailed has a shopper told, who is not there any more, that nothing could be taken
// for what is in their cart.
func PaymentFailed(tx *postgres.Tx, cartID string, amount money.Money) {
	journal.Job(tx, JobMail, MailArgs{ids.New("mail"), cartID, &amount})
}

// watch has a cart looked at once it may have been abandoned. It begins with the first
// e-mail address: a cart of nobody cannot be asked back.
func (c *Cart) watch(tx *postgres.Tx) {
	journal.JobAt(tx, clock.Now().Add(c.patience), JobAbandoned, AbandonedArgs{c.ID})
}

// leftSQL is how a cart stands, which is held.
const leftSQL = `
select c.state = 'completed' or c.abandoned_at is not null or c.expires_at <= now() or c.email = '', c.state = 'open' and exists (select from cart_lines l where l.cart_id = c.id),
	c.updated_at + make_interval(mins => s.abandoned_cart_minutes), c.email, c.customer_id, c.currency, (select count(*) from cart_lines l where l.cart_id = c.id),
	s.abandoned_cart_mail = 'everyone' and not exists (select from customers k where k.email = c.email and not k.accepts_marketing and exists (
		select from marketing_consents m where m.customer_id = k.id and m.channel = 'email')) or s.abandoned_cart_mail = 'consenting' and exists (select from customers k where k.email = c.email and k.accepts_marketing)
from carts c cross join settings s where c.id = $1 for update of c`

// FindAbandoned looks whether a cart of the context's store was abandoned: whether there is
// something in it, and nobody has touched it for as long as the settings say. It is told
// of once, and its shopper is written to once, if the settings have it so. A cart that was
// touched meanwhile is looked at again later.
func (s *Service) FindAbandoned(ctx context.Context, args AbandonedArgs) error {
	return s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var over, filled, writes bool
		var due time.Time
		var email, currency string
		var customer *string
		var lines int
		err := tx.QueryRow(ctx, leftSQL, args.CartID).Scan(&over, &filled, &due, &email, &customer, &currency, &lines, &writes)
		if errors.Is(err, postgres.ErrNoRows) || err == nil && over {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look after cart %s: %w", args.CartID, err)
		}
		now := clock.Now()
		switch {
		case due.After(now):
			journal.JobAt(tx, due, JobAbandoned, args)
			return nil
		case !filled:
			journal.JobAt(tx, now.Add(emptyAgain), JobAbandoned, args)
			return nil
		}
		if _, err := tx.Exec(ctx, `update carts set abandoned_at = now() where id = $1`, args.CartID); err != nil {
			return fmt.Errorf("cart %s was abandoned: %w", args.CartID, err)
		}
		journal.Event(ctx, tx, "cart.abandoned", args.CartID, map[string]any{
			"id": args.CartID, "email": email, "customer_id": customer, "currency": currency, "line_count": lines,
		})
		journal.Audit(ctx, tx, journal.Entry{Action: "cart.abandoned", ObjectID: args.CartID, After: map[string]any{"mailed": writes}})
		if writes {
			journal.Job(tx, JobMail, MailArgs{MailID: ids.New("mail"), CartID: args.CartID})
		}
		return nil
	})
}

// Recover opens a cart for who has followed the link back to it, which proves that they
// may, and gives it another token. It is false for one that cannot be bought any more.
func (s *Service) Recover(ctx context.Context, id string) (ref Ref, open bool, err error) {
	ref = Ref{ID: id, Token: token.New("ct")}
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, tokenSQL+` and draft is null and state <> 'completed' and expires_at > now()`, id, hash(ref))
		if err != nil {
			return fmt.Errorf("recover cart %s: %w", id, err)
		}
		if open = tag.RowsAffected() == 1; open {
			journal.Audit(ctx, tx, journal.Entry{Action: "cart.recover", ObjectID: id})
		}
		return nil
	})
	return ref, open, err
}

// Links knows where shoppers find their carts again in the context's store.
type Links interface {
	RecoverCart(ctx context.Context, cartID string) (string, error)
	// Unsubscribe is where whoever a cart is of says that they want no such mails.
	Unsubscribe(ctx context.Context, cartID string) (string, error)
}

// Mailer writes to shoppers who left a cart.
type Mailer struct {
	DB    *postgres.DB
	Post  mail.Post
	Links Links
}

var mailSQL = `
select json_build_object('draft', c.draft is not null, 'email', c.email, 'locale', coalesce(c.locales[1], ''), 'currency', c.currency, 'lines', (select coalesce(json_agg(json_build_object(
	'title', ` + spoken.Text(`t.said`, `title`, `p.title`) + `, 'variant', ` + catalog.VariantTitle(spoken) + `, 'quantity', l.quantity, 'unit', l.unit_amount) order by l.created_at, l.id), '[]')
	from cart_lines l join variants v on v.id = l.variant_id join products p on p.id = v.product_id` + spoken.From(`p.translations`) + ` where l.cart_id = c.id))::text
from carts c where c.id = $1 and c.state = 'open' and c.expires_at > now()`

// Send writes the mail and sends it, unless the cart has been bought by now.
func (m *Mailer) Send(ctx context.Context, args MailArgs) error {
	raw, err := m.DB.JSON(ctx, mailSQL, args.CartID)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mail about cart %s: %w", args.CartID, err)
	}
	var left struct {
		Draft                   bool
		Email, Locale, Currency string
		Lines                   []struct {
			Title, Variant string
			Quantity       int
			Unit           int64
		}
	}
	if err := json.Unmarshal(raw, &left); err != nil {
		return fmt.Errorf("mail about cart %s: %w", args.CartID, err)
	}
	if left.Email == "" || len(left.Lines) == 0 || left.Draft {
		return nil // the link to a draft order, which they have, is the way to try again
	}
	data := mail.CartAbandoned{}
	if data.URL, err = m.Links.RecoverCart(ctx, args.CartID); err != nil {
		return fmt.Errorf("mail about cart %s: %w", args.CartID, err)
	}
	for _, line := range left.Lines {
		total, err := money.New(line.Unit, left.Currency).Mul(int64(line.Quantity))
		if err != nil {
			return fmt.Errorf("mail about cart %s: %w", args.CartID, err)
		}
		data.Lines = append(data.Lines, mail.Line{Title: line.Title, Variant: VariantName(line.Variant), Quantity: line.Quantity, Total: total})
	}
	if args.Failed != nil {
		letter := mail.NewLetter(left.Email, mail.PaymentFailed{Lines: data.Lines, Amount: *args.Failed, URL: data.URL})
		letter.ID, letter.Locale = args.MailID, left.Locale
		return m.Post.Send(ctx, letter)
	}
	if data.Unsubscribe, err = m.Links.Unsubscribe(ctx, args.CartID); err != nil {
		return fmt.Errorf("mail about cart %s: %w", args.CartID, err)
	}
	letter := mail.NewLetter(left.Email, data)
	letter.Unsubscribe = data.Unsubscribe
	letter.ID, letter.Locale = args.MailID, left.Locale
	return m.Post.Send(ctx, letter)
}
