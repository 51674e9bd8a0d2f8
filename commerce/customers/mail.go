package customers

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/token"
)

// JobMail is the kind of the job that writes to a shopper; its arguments are MailArgs and
// Mailer does it.
const JobMail = "customer_mail"

// Topic is what a mail to a shopper is about.
type Topic string

// The topics.
const (
	Registered Topic = "registered" // an account was asked for
	Known      Topic = "known"      // the same, but there is one
	Forgotten  Topic = "forgotten"  // a new password was asked for
	Changed    Topic = "changed"    // a new password was set

	ChangeAsked Topic = "change_asked" // to the address that is to be the account's
	ChangeTold  Topic = "change_told"  // to the one that is, meanwhile
	ChangeDone  Topic = "change_done"  // to the one that was

	Subscribed Topic = "subscribed" // somebody wants to be written to about new things
)

// MailArgs say to whom is to be written. They carry no token: it is drawn when the mail is
// written, so that none lies in a queue.
type MailArgs struct {
	MailID       string    `json:"mail_id"` // so that sending twice can be noticed
	About        Topic     `json:"about"`
	Email        string    `json:"email"`
	Registration string    `json:"registration,omitempty"` // where it is kept
	CustomerID   string    `json:"customer_id,omitempty"`  // whose address is to change
	NewEmail     string    `json:"new_email,omitempty"`    // that it changes to
	At           time.Time `json:"at"`
	IP           string    `json:"ip"`
}

func newMail(ctx context.Context, about Topic, email string) MailArgs {
	return MailArgs{MailID: ids.New("mail"), About: about, Email: email, At: clock.Now(), IP: principal.From(ctx).IP}
}

// Links knows where shoppers find things of the context's store.
type Links interface {
	VerifyCustomer(ctx context.Context, token string) (string, error)
	SignIn(ctx context.Context) (string, error)
	ForgotPassword(ctx context.Context) (string, error)
	ResetPassword(ctx context.Context, token string) (string, error)
	ConfirmEmail(ctx context.Context, token string) (string, error)
	ConfirmSubscription(ctx context.Context, token string) (string, error)
}

// Mailer writes the mails about accounts.
type Mailer struct {
	DB    *postgres.DB
	Post  mail.Post
	Links Links
}

const (
	// linkSQL gives the registration, or subscription, $2 the token with the digest $1.
	linkSQL = `
insert into customer_tokens (hash, purpose, data, expires_at)
select $1, purpose, data, expires_at from customer_tokens where hash = decode($2, 'hex') and purpose in ('verify_email', 'newsletter') and expires_at > now()`

	// resetLinkSQL gives the account of the address $2 the token with the digest $1, for $3,
	// unless it was given $4 of them within an hour.
	resetLinkSQL = `
insert into customer_tokens (hash, customer_id, purpose, expires_at)
select $1, id, 'reset_password', now() + $3::interval from customers c where email = $2 and password_hash is not null and disabled_at is null and $4 > (
	select count(*) from customer_tokens t where t.customer_id = c.id and t.purpose = 'reset_password' and t.created_at > now() - interval '1 hour')`

	// changeLinkSQL gives the customer $3 the token with the digest $1 for another address $2,
	// which is nobody's yet who has an account, for $4 and unless they were given $5 within an hour.
	changeLinkSQL = `
insert into customer_tokens (hash, customer_id, purpose, data, expires_at)
select $1, id, 'change_email', jsonb_build_object('email', $2::text), now() + $4::interval from customers c where id = $3 and password_hash is not null
	and not exists (select from customers k where k.email = $2 and k.password_hash is not null) and $5 > (
	select count(*) from customer_tokens t where t.customer_id = c.id and t.purpose = 'change_email' and t.created_at > now() - interval '1 hour')`
)

// Send writes one mail and sends it. The name that was given with a registration is not
// in it: whoever registers a stranger's address would have us deliver their words.
func (m *Mailer) Send(ctx context.Context, args MailArgs) error {
	data, err := m.write(ctx, args)
	if err != nil || data == nil {
		return err
	}
	letter := mail.NewLetter(args.Email, data)
	if args.MailID != "" {
		letter.ID = args.MailID
	}
	return m.Post.Send(ctx, letter)
}

// write gives what a mail tells, or nil where there is nothing to tell any more.
func (m *Mailer) write(ctx context.Context, args MailArgs) (mail.Data, error) {
	switch args.About {
	case Known:
		url, err := m.Links.SignIn(ctx)
		return mail.CustomerKnownSignup{SignInURL: url, At: args.At, IP: args.IP}, wrapped(err)
	case ChangeAsked:
		url, err := m.link(ctx, m.Links.ConfirmEmail, changeLinkSQL, args.Email, args.CustomerID, changeTime, resetsAnHour)
		if url == "" {
			return nil, err
		}
		return mail.EmailChangeConfirm{URL: url, ValidFor: mail.Hours(changeTime.Hours())}, nil
	case Subscribed:
		url, err := m.link(ctx, m.Links.ConfirmSubscription, linkSQL, args.Registration)
		if url == "" {
			return nil, err
		}
		return mail.NewsletterConfirm{URL: url, ValidFor: mail.Hours(verifyTime.Hours())}, nil
	case ChangeTold:
		url, err := m.Links.ForgotPassword(ctx)
		return mail.EmailChangeRequested{NewEmail: args.NewEmail, ResetURL: url, At: args.At, IP: args.IP}, wrapped(err)
	case ChangeDone:
		return mail.EmailChanged{NewEmail: args.NewEmail, At: args.At, IP: args.IP}, nil
	case Changed:
		url, err := m.Links.ForgotPassword(ctx)
		return mail.PasswordChanged{ResetURL: url, At: args.At, IP: args.IP}, wrapped(err)
	case Forgotten:
		// Where there is no account, nobody is written to.
		url, err := m.link(ctx, m.Links.ResetPassword, resetLinkSQL, args.Email, resetTime, resetsAnHour)
		if url == "" {
			return nil, err
		}
		return mail.PasswordReset{URL: url, ValidFor: mail.Minutes(resetTime.Minutes()), IP: args.IP}, nil
	case Registered:
		// Where it is not open, it is completed or too old by now.
		url, err := m.link(ctx, m.Links.VerifyCustomer, linkSQL, args.Registration)
		if url == "" {
			return nil, err
		}
		return mail.CustomerVerifyEmail{URL: url, ValidFor: mail.Hours(verifyTime.Hours())}, nil
	}
	return nil, fmt.Errorf("a mail to a shopper about %q", args.About)
}

// link draws a token, keeps it by a statement whose first parameter is its digest, and
// gives the address that it opens: none where the statement keeps nothing.
func (m *Mailer) link(ctx context.Context, address func(context.Context, string) (string, error), keepSQL string, args ...any) (string, error) {
	secret, kept := token.New("ct"), false
	err := m.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, keepSQL, append([]any{token.Hash(secret)}, args...)...)
		kept = tag.RowsAffected() == 1
		return err
	})
	if err != nil || !kept {
		return "", err
	}
	url, err := address(ctx, secret)
	if err != nil {
		return "", wrapped(err)
	}
	return url, nil
}

func wrapped(err error) error {
	if err != nil {
		return fmt.Errorf("address of a shop's page: %w", err)
	}
	return nil
}
