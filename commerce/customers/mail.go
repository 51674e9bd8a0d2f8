package customers

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/token"
)

// JobMail is the kind of the job that writes to who wants an account; its arguments are
// MailArgs and Mailer does it.
const JobMail = "customer_mail"

// MailArgs say to whom is to be written. They carry no token: it is drawn when the mail is
// written, so that none lies in a queue.
type MailArgs struct {
	MailID       string    `json:"mail_id"` // so that sending twice can be noticed
	Email        string    `json:"email"`
	Known        bool      `json:"known"`        // there is an account
	Registration string    `json:"registration"` // where it is kept
	At           time.Time `json:"at"`
	IP           string    `json:"ip"`
}

// Post sends a mail in the name and looks of the context's store.
type Post interface {
	Send(ctx context.Context, letter mail.Letter) error
}

// Links knows where shoppers find things of the context's store.
type Links interface {
	VerifyCustomer(ctx context.Context, token string) (string, error)
	SignIn(ctx context.Context) (string, error)
}

// Mailer writes the mails about accounts.
type Mailer struct {
	DB    *postgres.DB
	Post  Post
	Links Links
}

// linkSQL gives the registration $1 the token with the digest $2.
const linkSQL = `
insert into customer_tokens (hash, purpose, data, expires_at)
select $2, purpose, data, expires_at from customer_tokens where hash = $1 and purpose = 'verify_email' and expires_at > now()`

// Send writes one mail and sends it. The name that was given with a registration is not
// in it: whoever registers a stranger's address would have us deliver their words.
func (m *Mailer) Send(ctx context.Context, args MailArgs) error {
	if args.Known {
		url, err := m.Links.SignIn(ctx)
		if err != nil {
			return fmt.Errorf("address for signing in: %w", err)
		}
		return m.Post.Send(ctx, args.letter(mail.CustomerKnownSignup{SignInURL: url, At: args.At, IP: args.IP}))
	}
	place, err := hex.DecodeString(args.Registration)
	if err != nil {
		return fmt.Errorf("registration %q: %w", args.Registration, err)
	}
	secret, open := token.New("cv"), false
	err = m.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, linkSQL, place, token.Hash(secret))
		open = tag.RowsAffected() == 1
		return err
	})
	if err != nil || !open {
		return err // where it is not open, it is completed or too old by now
	}
	url, err := m.Links.VerifyCustomer(ctx, secret)
	if err != nil {
		return fmt.Errorf("address for verifying: %w", err)
	}
	return m.Post.Send(ctx, args.letter(mail.CustomerVerifyEmail{URL: url, ValidHours: int(verifyTime / time.Hour)}))
}

func (a MailArgs) letter(data mail.Data) mail.Letter {
	letter := mail.NewLetter(a.Email, data)
	if a.MailID != "" {
		letter.ID = a.MailID
	}
	return letter
}
