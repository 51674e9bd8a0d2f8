package customers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const renewed = "another bench in the sun"

// forget asks for a new password and gives the token of the mail, empty when none was sent.
func (f *fixture) forget(email string) string {
	f.t.Helper()
	err := f.do(func(ctx context.Context, tx *postgres.Tx) error {
		f.service.RequestReset(ctx, tx, email)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	jobs, sent := f.jobs(), len(f.box.data)
	if err := f.mailer.Send(f.Ctx, jobs[len(jobs)-1]); err != nil {
		f.t.Fatal(err)
	}
	if len(f.box.data) == sent {
		return ""
	}
	data, ok := f.box.data[sent].(mail.PasswordReset)
	if !ok || data.ValidFor != 60 || data.IP != "192.0.2.7" {
		f.t.Fatalf("the mail is %+v", f.box.data[sent])
	}
	_, token, _ := strings.Cut(data.URL, "reset?token=")
	return token
}

func (f *fixture) reset(token, password string) (session customers.Session, err error) {
	prepared, err := f.service.PrepareReset(f.Ctx, token, password)
	if err != nil {
		return session, err
	}
	return session, f.do(func(ctx context.Context, tx *postgres.Tx) error {
		session, err = f.service.ResetPassword(ctx, tx, prepared)
		return err
	})
}

func TestAForgottenPassword(t *testing.T) {
	f := open(t)
	before := f.account("ada@example.com")
	first, second := f.forget(" ADA@example.com"), f.forget("ada@example.com")
	for text, code := range map[string]string{"short": "password_invalid", "passwordpassword1": "password_too_common", "ada@example.com ada": "password_invalid"} {
		if _, err := f.reset(first, text); !problem.Is(err, code) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := f.reset("ct_none", renewed); !problem.Is(err, "token_invalid") {
		t.Errorf("with a token that is none: %v", err)
	}
	session, err := f.reset(first, renewed)
	if err != nil || session.CustomerID != before.CustomerID {
		t.Fatalf("%+v, %v", session, err)
	}
	if _, err := f.service.Authenticate(f.Ctx, session.Token); err != nil {
		t.Errorf("who set it is not signed in: %v", err)
	}
	if _, err := f.service.Authenticate(f.Ctx, before.Token); !problem.Is(err, "invalid_customer_token") {
		t.Errorf("another session goes on: %v", err)
	}
	for _, token := range []string{first, second} {
		if _, err := f.reset(token, "a third bench in the rain"); !problem.Is(err, "token_invalid") {
			t.Errorf("a link that is spent: %v", err)
		}
	}
	if _, err := f.signIn("ada@example.com", password); !problem.Is(err, "invalid_credentials") {
		t.Errorf("with the old password: %v", err)
	}
	if _, err := f.signIn("ada@example.com", renewed); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	jobs := f.jobs()
	if err := f.mailer.Send(f.Ctx, jobs[len(jobs)-1]); err != nil {
		t.Fatal(err)
	}
	if told, ok := f.box.data[len(f.box.data)-1].(mail.PasswordChanged); !ok || told.ResetURL != "https://shop.example/forgot" || told.IP != "192.0.2.7" {
		t.Errorf("the owner is told %+v", f.box.data)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(action, ' ' order by id) from audit_entries where action like '%password%'`); got != "customer.request_password_reset customer.request_password_reset customer.reset_password" {
		t.Errorf("the audit has %s", got)
	}
}

// Only the owner of an account is written to, and not without end; asking is the same for all.
func TestWhoIsSentALinkForANewPassword(t *testing.T) {
	f := open(t)
	f.account("ada@example.com")
	f.Exec(t, `insert into customers (id, email) values ('cus_guest', 'guest@example.com')`)
	f.register("eve@example.com", password, "Eve")
	for _, email := range []string{"nobody@example.com", "guest@example.com", "eve@example.com", "no address"} {
		if token := f.forget(email); token != "" {
			t.Errorf("%s is sent a link", email)
		}
	}
	for n := range 7 {
		if token := f.forget("ada@example.com"); (token != "") != (n < 5) {
			t.Errorf("link number %d: %q", n+1, token)
		}
	}
	f.Exec(t, `update customer_tokens set expires_at = now() - interval '1 second', created_at = now() - interval '61 minutes' where purpose = 'reset_password'`)
	token := f.forget("ada@example.com")
	f.Exec(t, `update customer_tokens set expires_at = now() - interval '1 second' where purpose = 'reset_password'`)
	if _, err := f.reset(token, renewed); !problem.Is(err, "token_invalid") {
		t.Errorf("a link that is too old: %v", err)
	}
}

// Of two uses of one link at once, one counts.
func TestALinkForANewPasswordWorksOnce(t *testing.T) {
	f := open(t)
	f.account("ada@example.com")
	token := f.forget("ada@example.com")
	ended := make(chan error)
	for _, text := range []string{renewed, "a third bench in the rain"} {
		go func() {
			_, err := f.reset(token, text)
			ended <- err
		}()
	}
	first, second := <-ended, <-ended
	if first != nil {
		first, second = second, first
	}
	if first != nil || !problem.Is(second, "token_invalid") {
		t.Errorf("%v and %v", first, second)
	}
	if n := f.count(`select count(*) from customer_tokens where purpose = 'session'`); n != 1 {
		t.Errorf("%d sessions", n)
	}
}
