package site

import (
	"net/http"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/tenants/mailbox"
	"github.com/stoacommerce/stoa/web/page"
)

// mailsView is the mailbox of development: every mail that would have been sent.
type mailsView struct {
	head
	Mails     []mail.StoredMail
	Next      string
	Recipient string
}

// mailView is one mail.
type mailView struct {
	head
	mail.StoredMail
}

func (s *Site) mails(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	v := mailsView{head: s.head("Mailbox"), Recipient: query.Get("to")}
	var err error
	if v.Mails, v.Next, err = s.config.Mailbox.List(r.Context(), mailbox.Filter{Recipient: v.Recipient, After: query.Get("after")}); err != nil {
		return err
	}
	return page.Personal(w, r, http.StatusOK, mails(v))
}

func (s *Site) mail(w http.ResponseWriter, r *http.Request) error {
	m, err := s.config.Mailbox.Get(r.Context(), r.PathValue("mail"))
	if err != nil {
		return err
	}
	return page.PersonalWith(w, r, http.StatusOK, mailPolicy, oneMail(mailView{s.head(m.Subject), m}))
}

// mailPolicy lets the page show the mail in a frame; htmlPolicy is for what is in it: a
// mail has styles of its own, and its links open elsewhere.
const (
	mailPolicy = page.Policy + "; frame-src 'self'"
	htmlPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; frame-ancestors 'self'; base-uri 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

func (s *Site) mailHTML(w http.ResponseWriter, r *http.Request) error {
	m, err := s.config.Mailbox.Get(r.Context(), r.PathValue("mail"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", htmlPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(`<base target="_blank">` + m.HTML))
	return err
}
