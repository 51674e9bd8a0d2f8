package mail

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/ids"
)

func TestMessagesThatAreRefused(t *testing.T) {
	good := Message{To: "ada@example.com", Subject: "Hello", Text: "text"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Message){
		"no recipient":           func(m *Message) { m.To = "" },
		"two recipients":         func(m *Message) { m.To = "a@example.com, b@example.com" },
		"a named recipient":      func(m *Message) { m.To = "Ada <ada@example.com>" },
		"recipient ends header":  func(m *Message) { m.To = "a@example.com\r\nBcc: b@example.com" },
		"quoted line break":      func(m *Message) { m.To = "\"a\r\n b\"@example.com" },
		"no domain":              func(m *Message) { m.To = "ada" },
		"address for a domain":   func(m *Message) { m.To = "ada@[127.0.0.1]" },
		"bad domain":             func(m *Message) { m.To = "ada@exa_mple..com" },
		"endless recipient":      func(m *Message) { m.To = strings.Repeat("a", 250) + "@example.com" },
		"bad sender":             func(m *Message) { m.From = "x" },
		"bad reply address":      func(m *Message) { m.ReplyTo = "a@example.com\nX: y" },
		"subject ends header":    func(m *Message) { m.Subject = "Hi\r\nBcc: b@example.com" },
		"subject with line feed": func(m *Message) { m.Subject = "Hi\nthere" },
		"subject with NUL":       func(m *Message) { m.Subject = "Hi\x00" },
		"subject with U+2028":    func(m *Message) { m.Subject = "Hi\u2028there" },
		"subject not UTF-8":      func(m *Message) { m.Subject = "\xff" },
		"endless subject":        func(m *Message) { m.Subject = strings.Repeat("a", 500) },
		"no subject":             func(m *Message) { m.Subject = "" },
		"no text":                func(m *Message) { m.Text = "" },
		"text not UTF-8":         func(m *Message) { m.Text = "\xff" },
		"name ends header":       func(m *Message) { m.ToName = "Ada\r\nBcc: b@example.com" },
		"sender's name likewise": func(m *Message) { m.FromName = "Shop\nX: y" },
		"ID ends header":         func(m *Message) { m.ID = "a\r\nX: y" },
		"header ends header":     func(m *Message) { m.Headers = map[string]string{"X-A": "a\r\nBcc: b@example.com"} },
		"header name with colon": func(m *Message) { m.Headers = map[string]string{"X-A: b": "a"} },
		"header name with break": func(m *Message) { m.Headers = map[string]string{"X-A\r\nBcc": "a"} },
		"header of ours":         func(m *Message) { m.Headers = map[string]string{"bcc": "b@example.com"} },
		"content header":         func(m *Message) { m.Headers = map[string]string{"Content-Type": "text/html"} },
	} {
		m := good
		change(&m)
		if err := m.Validate(); !errors.Is(err, ErrPermanent) {
			t.Errorf("%s: %v", name, err)
		}
		if err := NewMailbox(&box{}).Send(t.Context(), m); !errors.Is(err, ErrPermanent) {
			t.Errorf("%s into the mailbox: %v", name, err)
		}
		if _, _, err := (&SMTP{config: SMTPConfig{From: "no-reply@stoa.example.com"}}).compose(m); !errors.Is(err, ErrPermanent) {
			t.Errorf("%s by SMTP: %v", name, err)
		}
	}
}

func TestValidAddress(t *testing.T) {
	for address, want := range map[string]bool{
		"ada@example.com": true, "a.b+c@sub.example.com": true, "zoë@müller.example": true, "o'neil@example.com": true,
		"ada@localhost": true, "": false, "@example.com": false, "ada@": false, "a b@example.com": false, "ada@example.com ": false, "<ada@example.com>": false, "ada@exam ple.com": false,
	} {
		if ValidAddress(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}

// box keeps mails as the control database does.
type box struct {
	mails []StoredMail
	fail  error
}

func (b *box) Insert(_ context.Context, m StoredMail) error {
	b.mails = append(b.mails, m)
	return b.fail
}

func TestMailboxKeepsMails(t *testing.T) {
	b := &box{}
	m := render(t, "en", shop, OrderRefunded{"Ada", "#1001", link, eur(1250), true, ""})
	m.To, m.StoreID = "ada@example.com", "sto_1"
	if err := NewMailbox(b).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := b.mails[0]
	if !ids.Valid("mail", got.ID) || time.Since(got.CreatedAt) > time.Minute {
		t.Errorf("%s at %v", got.ID, got.CreatedAt)
	}
	want := StoredMail{got.ID, "sto_1", "ada@example.com", "Refund for your order #1001", m.HTML, m.Text, "order_refunded", got.CreatedAt}
	if got != want {
		t.Errorf("kept %+v", got)
	}
	m.ID = "mail_given"
	if err := NewMailbox(b).Send(t.Context(), m); err != nil || b.mails[1].ID != "mail_given" {
		t.Errorf("%v, %v", b.mails[1].ID, err)
	}
	b.fail = errors.New("down")
	if err := NewMailbox(b).Send(t.Context(), m); !errors.Is(err, b.fail) || errors.Is(err, ErrPermanent) {
		t.Errorf("store down: %v", err)
	}
}
