package mailer_test

import (
	"io"
	"log"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// server is a mail server that keeps what it takes.
type server struct {
	sync.Mutex
	taken []*netmail.Message
	busy  int // how many mails it turns away for now before it takes one
	url   string
}

// serve starts a mail server on loopback.
func serve(t *testing.T) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{url: "smtp://" + listener.Addr().String()}
	backend := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{s}, nil }))
	backend.Domain, backend.ErrorLog = "mx.example.com", log.New(io.Discard, "", 0)
	done := make(chan error, 1)
	go func() { done <- backend.Serve(listener) }()
	t.Cleanup(func() {
		_ = backend.Close()
		<-done
	})
	return s
}

// sender delivers to the server.
func (s *server) sender(t *testing.T) mail.Sender {
	t.Helper()
	out, err := mail.NewSMTP(mail.SMTPConfig{URL: secrets.Redact(s.url), From: "no-reply@stoa.example.com", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// to are the mails that the server took for an address.
func (s *server) to(address string) (list []*netmail.Message) {
	s.Lock()
	defer s.Unlock()
	for _, m := range s.taken {
		if strings.Contains(m.Header.Get("To"), "<"+address+">") {
			list = append(list, m)
		}
	}
	return list
}

type session struct{ *server }

func (s session) Mail(string, *smtp.MailOptions) error { return nil }

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	return nil
}

func (s session) Data(r io.Reader) error {
	m, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	m.Body = strings.NewReader(string(body))
	s.Lock()
	defer s.Unlock()
	if s.busy > 0 {
		s.busy--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	s.taken = append(s.taken, m)
	return nil
}

func (session) Reset()        {}
func (session) Logout() error { return nil }
