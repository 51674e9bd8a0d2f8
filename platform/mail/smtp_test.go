package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/stoacommerce/stoa/platform/secrets"
)

// server is a mail server that keeps what it takes.
type server struct {
	sync.Mutex
	address  string
	roots    *x509.CertPool
	taken    []taken
	answer   error // to DATA
	password string
}

// taken is one mail as it came over the line.
type taken struct {
	from, user string
	to         []string
	encrypted  bool
	raw        string
}

// serve starts a mail server on loopback; with encryption it offers STARTTLS, or speaks
// TLS from the start.
func serve(t *testing.T, encryption string) *server {
	t.Helper()
	s := &server{password: "s3cret/&?"}
	web := httptest.NewTLSServer(nil) // for its certificate, which is valid for 127.0.0.1
	t.Cleanup(web.Close)
	s.roots = x509.NewCertPool()
	s.roots.AddCert(web.Certificate())

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	backend := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	backend.Domain = "mx.example.com"
	backend.ErrorLog = log.New(io.Discard, "", 0)
	config := &tls.Config{Certificates: web.TLS.Certificates}
	switch encryption {
	case "starttls":
		backend.TLSConfig = config
	case "tls":
		listener = tls.NewListener(listener, config)
	default:
		backend.AllowInsecureAuth = true
	}
	done := make(chan error, 1)
	go func() { done <- backend.Serve(listener) }()
	t.Cleanup(func() {
		_ = backend.Close()
		<-done
	})
	return s
}

// mails are what the server has taken.
func (s *server) mails() []taken {
	s.Lock()
	defer s.Unlock()
	return s.taken
}

// session is one connection to the server.
type session struct {
	*server
	conn *smtp.Conn
	mail taken
	user string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != s.password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	_, encrypted := s.conn.TLSConnectionState()
	s.mail = taken{from: from, user: s.user, encrypted: encrypted}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.Lock()
	defer s.Unlock()
	if s.answer != nil {
		return s.answer
	}
	s.mail.raw = string(raw)
	s.taken = append(s.taken, s.mail)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// sender is a sender that must be configured rightly.
func sender(t *testing.T, s *server, url string) *SMTP {
	t.Helper()
	out, err := NewSMTP(SMTPConfig{URL: secrets.Redact(url), From: "no-reply@stoa.example.com", FromName: "Stoa", Timeout: 5 * time.Second, TLS: &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parts are the texts of a mail by content type, decoded.
func parts(t *testing.T, m *netmail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q, %v", kind, err)
	}
	out := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		out[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}

func TestMailsArriveAsTheyWereWritten(t *testing.T) {
	s := serve(t, "")
	m := render(t, "de", shop, CustomerVerifyEmail{"Zoë", link, 24})
	m.ID, m.ToName = "mail_01abc", `Zoë "Z" Ångström, Jr. <x@y.example>`
	m.Headers = map[string]string{"X-Order": "Größe 3"}
	m.To = "zoe@müller.example"
	if err := sender(t, s, "smtp://"+s.address).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := s.mails()[0]
	if got.from != "no-reply@stoa.example.com" || len(got.to) != 1 || got.to[0] != "zoe@xn--mller-kva.example" || got.encrypted {
		t.Errorf("envelope %+v", got)
	}
	parsed, err := netmail.ReadMessage(strings.NewReader(got.raw))
	if err != nil {
		t.Fatal(err)
	}
	words := mime.WordDecoder{}
	subject, err := words.DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil || subject != "Bestätigen Sie Ihre E-Mail-Adresse" {
		t.Errorf("subject %q, %v", subject, err)
	}
	to, err := parsed.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Name != m.ToName || to[0].Address != "zoe@xn--mller-kva.example" {
		t.Errorf("to %v, %v", to, err)
	}
	from, err := parsed.Header.AddressList("From")
	if err != nil || from[0].Name != "Kiln & Clay" || from[0].Address != "no-reply@stoa.example.com" {
		t.Errorf("from %v, %v", from, err)
	}
	if order, _ := words.DecodeHeader(parsed.Header.Get("X-Order")); order != "Größe 3" {
		t.Errorf("further header %q", order)
	}
	for name, want := range map[string]string{"Message-Id": "<mail_01abc@stoa.example.com>", "Auto-Submitted": "auto-generated", "Reply-To": "<hello@kiln.example.com>", "User-Agent": "", "X-Mailer": ""} {
		if got := parsed.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if date, err := parsed.Header.Date(); err != nil || time.Since(date) > time.Minute {
		t.Errorf("date %v, %v", date, err)
	}
	bodies := parts(t, parsed)
	if strings.TrimSpace(bodies["text/plain"]) != strings.TrimSpace(m.Text) || strings.TrimSpace(bodies["text/html"]) != strings.TrimSpace(m.HTML) {
		t.Errorf("texts differ:\n%q\n%q", bodies["text/plain"], m.Text)
	}
}

func TestEncryptionAndSignIn(t *testing.T) {
	ctx := t.Context()
	const user = "mailer%40stoa:s3cret%2F%26%3F@"
	m := render(t, "en", shop, PasswordReset{URL: link, ValidFor: 30})
	m.To = "ada@example.com"
	for encryption, url := range map[string]string{"starttls": "smtp://%?starttls=required", "tls": "smtps://%", "": "smtp://%"} {
		s := serve(t, encryption)
		if err := sender(t, s, strings.Replace(url, "%", user+s.address, 1)).Send(ctx, m); err != nil {
			t.Errorf("%q: %v", encryption, err)
			continue
		}
		if got := s.mails()[0]; got.encrypted != (encryption == "starttls") && encryption != "tls" || got.user != "mailer@stoa" {
			t.Errorf("%q: %+v", encryption, got)
		}
		if err := sender(t, s, strings.Replace(url, "%", "mailer:wrong@"+s.address, 1)).Send(ctx, m); err == nil || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%q with a wrong password: %v", encryption, err)
		}
	}
	plain := serve(t, "")
	if err := sender(t, plain, "smtp://"+plain.address+"?starttls=required").Send(ctx, m); err == nil {
		t.Error("sent unencrypted where encryption is required")
	}
	secure := serve(t, "starttls")
	secure.roots = x509.NewCertPool()
	if err := sender(t, secure, "smtp://"+secure.address+"?starttls=required").Send(ctx, m); err == nil || len(secure.mails()) != 0 {
		t.Errorf("an unknown certificate: %v", err)
	}
	if err := sender(t, plain, "smtp://"+plain.address+"?starttls=optional").Send(ctx, m); err != nil {
		t.Errorf("optional: %v", err)
	}
}

func TestRefusalsForGoodAndForNow(t *testing.T) {
	s := serve(t, "")
	out := sender(t, s, "smtp://"+s.address)
	m := render(t, "en", shop, PasswordReset{URL: link, ValidFor: 30})
	m.To = "nobody@example.com"
	if err := out.Send(t.Context(), m); !errors.Is(err, ErrPermanent) {
		t.Errorf("no such mailbox: %v", err)
	}
	m.To = "ada@example.com"
	s.answer = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	if err := out.Send(t.Context(), m); err == nil || errors.Is(err, ErrPermanent) {
		t.Errorf("greylisted: %v", err)
	}
	s.answer = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam"}
	if err := out.Send(t.Context(), m); !errors.Is(err, ErrPermanent) {
		t.Errorf("refused as spam: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := out.Send(ctx, m); err == nil || errors.Is(err, ErrPermanent) {
		t.Errorf("interrupted: %v", err)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	if err := sender(t, s, "smtp://"+gone.Addr().String()).Send(t.Context(), m); err == nil || errors.Is(err, ErrPermanent) {
		t.Errorf("no server: %v", err)
	}
}

func TestASilentServerDoesNotHoldTheSender(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	out, err := NewSMTP(SMTPConfig{URL: secrets.Redact("smtp://" + silent.Addr().String()), From: "no-reply@stoa.example.com", Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	err = out.Send(t.Context(), Message{To: "ada@example.com", Subject: "s", Text: "t"})
	if err == nil || errors.Is(err, ErrPermanent) || time.Since(started) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

func TestSMTPConfigurationThatIsRefused(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"", "mx.example.com", "http://mx.example.com", "smtp://", "smtp://mx.example.com:0", "smtp://mx.example.com/path", "smtp://u:" + secret + "@mx.example.com:99999", "smtp://u:" + secret + "%zz@mx.example.com",
		"smtp://mx.example.com?starttls=sometimes", "smtps://mx.example.com?starttls=never", "smtp://u:" + secret + "@mx.example.com?starttls=optional", "smtp://u:" + secret + "@mx.example.com?starttls=never",
	} {
		if _, err := NewSMTP(SMTPConfig{URL: secrets.Redact(url), From: "no-reply@stoa.example.com"}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"smtp://mx.example.com", "smtps://u:p@mx.example.com", "smtp://u:p@localhost:1025", "smtp://u:p@[::1]:1025", "smtp://mx.example.com?starttls=never"} {
		if _, err := NewSMTP(SMTPConfig{URL: secrets.Redact(url), From: "no-reply@stoa.example.com"}); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, c := range []SMTPConfig{{From: "nobody"}, {From: ""}, {From: "a@example.com", FromName: "a\nb"}} {
		c.URL = secrets.Redact("smtp://mx.example.com")
		if _, err := NewSMTP(c); err == nil {
			t.Errorf("from %q %q was accepted", c.From, c.FromName)
		}
	}
}
