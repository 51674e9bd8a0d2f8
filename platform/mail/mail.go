// Package mail writes and sends the platform's mails. Render makes a message of typed
// data, in the recipient's language and the store's looks; a Sender takes it away: SMTP
// to a server, or Mailbox to a table that is read on a page, in development and for
// sandboxes.
//
// It does not queue or retry: callers insert a job in the transaction of what the mail
// tells of, and the job renders and sends. Sending twice the same Message.ID carries the
// same Message-ID, by which mailboxes recognize a doublet.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
)

// ErrPermanent is what sending fails with when trying again would not help: the message
// cannot be sent at all, or the server refused it for good.
var ErrPermanent = errors.New("mail cannot be delivered")

// Message is one mail to one recipient.
type Message struct {
	ID      string // mail_…; drawn by the sender when empty
	Kind    Kind   // what it is about, for the mailbox and for statistics
	StoreID string // the store it is of; empty for the platform's own

	From     string // an address; the sender's own when empty
	FromName string
	ReplyTo  string
	To       string // an address
	ToName   string
	Subject  string
	Text     string
	HTML     string
	Headers  map[string]string // further headers
}

// Sender takes messages away. It is safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// maxSubjectBytes keeps a subject within what mailboxes show and headers bear.
const maxSubjectBytes = 400

// Validate says whether a message can be sent. It is here that nothing gets into a
// header that would end it: every single-line field must be one printable line.
func (m Message) Validate() error {
	if err := checkAddress("recipient", m.To); err != nil {
		return err
	}
	for what, address := range map[string]string{"sender": m.From, "reply address": m.ReplyTo} {
		if address != "" {
			if err := checkAddress(what, address); err != nil {
				return err
			}
		}
	}
	for what, line := range map[string]string{"subject": m.Subject, "sender's name": m.FromName, "recipient's name": m.ToName, "kind": string(m.Kind), "ID": m.ID} {
		if !oneLine(line) || len(line) > maxSubjectBytes {
			return fmt.Errorf("%w: the %s is not one line of at most %d bytes", ErrPermanent, what, maxSubjectBytes)
		}
	}
	for name, value := range m.Headers {
		if !headerName(name) || !oneLine(value) || len(value) > 2000 {
			return fmt.Errorf("%w: bad header %.40q", ErrPermanent, name)
		}
	}
	if m.Subject == "" || m.Text == "" && m.HTML == "" {
		return fmt.Errorf("%w: it has no subject or no text", ErrPermanent)
	}
	if !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML) {
		return fmt.Errorf("%w: its text is not UTF-8", ErrPermanent)
	}
	return nil
}

// ValidAddress says whether address is one plain e-mail address that can be written to.
func ValidAddress(address string) bool { return checkAddress("address", address) == nil }

// checkAddress accepts a bare address only: no name, no list, no comment, no control
// characters, and a domain that can be looked up.
func checkAddress(what, address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address || !oneLine(address) || len(address) > 254 {
		return fmt.Errorf("%w: the %s is not an e-mail address", ErrPermanent, what)
	}
	if _, err := asciiDomain(address); err != nil {
		return fmt.Errorf("%w: the %s's domain is not valid", ErrPermanent, what)
	}
	return nil
}

// asciiDomain is an address with its domain as the domain name system has it, so that
// "ann@müller.example" can be written to through any server.
func asciiDomain(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", err
	}
	if domain == "" || strings.HasPrefix(domain, "[") {
		return "", errors.New("no domain name")
	}
	return address[:at+1] + domain, nil
}

// oneLine says whether text is printable and has no line break of any kind.
func oneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

// headerName says whether name may be a further header. Those that the package or the
// server writes itself may not.
func headerName(name string) bool {
	if name == "" || len(name) > 76 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		return false
	}
	switch strings.ToLower(name) {
	case "from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "mime-version", "return-path", "received", "dkim-signature", "auto-submitted":
		return false
	}
	return !strings.HasPrefix(strings.ToLower(name), "content-")
}

// StoredMail is a mail in the mailbox: a row of the control database's table.
type StoredMail struct {
	ID        string
	StoreID   string // empty for the platform's own
	Recipient string
	Subject   string
	HTML      string
	Text      string
	Kind      string
	CreatedAt time.Time
}

// MailboxStore keeps mails. It is the control database.
type MailboxStore interface {
	Insert(ctx context.Context, m StoredMail) error
}

// Mailbox is a Sender that keeps mails where they can be read on a page, and delivers
// none.
type Mailbox struct{ store MailboxStore }

// NewMailbox makes a mailbox.
func NewMailbox(store MailboxStore) *Mailbox { return &Mailbox{store} }

// Send implements Sender. It refuses whatever SMTP would refuse.
func (b *Mailbox) Send(ctx context.Context, m Message) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if m.ID == "" {
		m.ID = ids.New("mail")
	}
	err := b.store.Insert(ctx, StoredMail{m.ID, m.StoreID, m.To, m.Subject, m.HTML, m.Text, string(m.Kind), clock.Now()})
	if err != nil {
		return fmt.Errorf("put mail %s into the mailbox: %w", m.ID, err)
	}
	return nil
}
