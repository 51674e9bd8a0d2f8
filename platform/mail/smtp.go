package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// SMTPConfig says through which server mails go.
type SMTPConfig struct {
	// URL is smtp://user:password@host:port, or smtps:// where the connection is encrypted
	// from its start. With smtp://, STARTTLS is required unless the server is on this
	// machine, where nothing is encrypted; ?starttls=required, optional or never says
	// otherwise. Only to this machine is a password sent unencrypted.
	URL      secrets.Redacted
	From     string        // the address that mails come from
	FromName string        // the name beside it, for mails that have none of their own
	Timeout  time.Duration // of a whole delivery; 30 s if zero
	TLS      *tls.Config   // for a server with a certificate of its own; the system's if nil
}

// SMTP is a Sender that delivers to a mail server.
type SMTP struct {
	config  SMTPConfig
	host    string
	options []gomail.Option
}

// NewSMTP reads the configuration. It does not connect.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if err := checkAddress("sender", c.From); err != nil {
		return nil, fmt.Errorf("mail sender %q: %w", c.From, err)
	}
	if !oneLine(c.FromName) {
		return nil, fmt.Errorf("mail sender's name %q is not one line", c.FromName)
	}
	u, err := url.Parse(c.URL.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("mail server: want smtp://user:password@host:port or smtps://…") // the URL's own error would tell the password
	}
	s := &SMTP{config: c, host: u.Hostname()}
	signIn := gomail.SMTPAuthAutoDiscover // which never gives a password away unencrypted
	encryption, encrypted, err := s.encryption(u)
	if err != nil {
		return nil, err
	}
	if !encrypted {
		signIn = gomail.SMTPAuthPlainNoEnc
	}
	s.options = append(encryption, gomail.WithTimeout(c.Timeout), gomail.WithHELO(helo(c.From)))
	if text := u.Port(); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return nil, fmt.Errorf("mail server: %q is no port", text)
		}
		s.options = append(s.options, gomail.WithPort(int(port)))
	}
	if user := u.User.Username(); user != "" {
		password, _ := u.User.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(signIn), gomail.WithUsername(user), gomail.WithPassword(password))
	}
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	return s, nil
}

// encryption decides whether and how the connection is encrypted, and on which port it
// is by default.
func (s *SMTP) encryption(u *url.URL) (options []gomail.Option, encrypted bool, err error) {
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if s.config.TLS != nil {
		config = s.config.TLS.Clone()
	}
	options = []gomail.Option{gomail.WithTLSConfig(config)}
	choice := u.Query().Get("starttls")
	if u.Scheme == "smtps" {
		if choice != "" {
			return nil, false, errors.New("mail server: starttls has no meaning with smtps://")
		}
		return append(options, gomail.WithPort(gomail.DefaultPortSSL), gomail.WithSSL()), true, nil
	}
	local := s.host == "localhost" || net.ParseIP(s.host).IsLoopback()
	if choice == "" && local {
		choice = "never"
	}
	policy := gomail.TLSMandatory
	switch choice {
	case "", "required":
	case "optional":
		policy = gomail.TLSOpportunistic
	case "never":
		policy = gomail.NoTLS
	default:
		return nil, false, fmt.Errorf("mail server: starttls is %q, want required, optional or never", choice)
	}
	if policy != gomail.TLSMandatory && u.User.Username() != "" && !local {
		return nil, false, errors.New("mail server: a password must not be sent unencrypted; leave starttls=required")
	}
	return append(options, gomail.WithPort(gomail.DefaultPortTLS), gomail.WithTLSPolicy(policy)), policy == gomail.TLSMandatory, nil
}

// Send implements Sender: one connection for each mail. Once the server has taken the
// mail, nothing that goes wrong afterwards is an error, as it would be sent again.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, id, err := s.compose(m)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("send mail %s: %w", id, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("send mail %s: connect to %s: %w", id, s.host, err)
	}
	err = client.SendWithSMTPClient(connection, msg)
	_ = client.CloseWithSMTPClient(connection)
	if err != nil && permanent(err) {
		return fmt.Errorf("send mail %s: %w: %w", id, ErrPermanent, err)
	}
	if err != nil {
		return fmt.Errorf("send mail %s: %w", id, err)
	}
	return nil
}

// permanent says whether the server refused for good (5xx), as opposed to for now.
func permanent(err error) bool {
	var refusal *gomail.SendError
	return errors.As(err, &refusal) && !refusal.IsTemp() && refusal.ErrorCode() >= 500
}

// compose makes the mail as it goes over the line.
func (s *SMTP) compose(m Message) (*gomail.Msg, string, error) {
	if err := m.Validate(); err != nil {
		return nil, "", err
	}
	if m.ID == "" {
		m.ID = ids.New("mail")
	}
	if m.From == "" {
		m.From = s.config.From
	}
	if m.FromName == "" {
		m.FromName = s.config.FromName
	}
	from, errFrom := asciiDomain(m.From)
	to, errTo := asciiDomain(m.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, m.ID, fmt.Errorf("%w: %w", ErrPermanent, err)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&mail.Address{Name: m.FromName, Address: from})
	msg.ToMailAddress(&mail.Address{Name: m.ToName, Address: to})
	if m.ReplyTo != "" {
		replyTo, err := asciiDomain(m.ReplyTo)
		if err != nil {
			return nil, m.ID, fmt.Errorf("%w: %w", ErrPermanent, err)
		}
		msg.ReplyToMailAddress(&mail.Address{Address: replyTo})
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(clock.Now())
	msg.SetMessageIDWithValue(m.ID + "@" + helo(s.config.From))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // so that no holiday notice answers it
	for name, value := range m.Headers {
		msg.SetGenHeader(gomail.Header(name), value)
	}
	switch {
	case m.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, m.HTML)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		if m.HTML != "" {
			msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
		}
	}
	return msg, m.ID, nil
}

// helo is the name that the platform greets a server with: the domain of its address.
// The machine's own name is nobody's business and often not a valid one.
func helo(from string) string {
	ascii, err := asciiDomain(from)
	if err != nil {
		return "localhost"
	}
	return ascii[strings.LastIndexByte(ascii, '@')+1:]
}
