package customers_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// ask asks for another address and gives the token of the mail to it, empty when none was
// sent. The address that the account has is told every time.
func (f *fixture) ask(c customers.Customer, email string) string {
	f.t.Helper()
	wish, err := f.service.PrepareEmailChange(f.Ctx, c, email, password)
	if err == nil {
		err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
			f.service.RequestEmailChange(ctx, tx, wish)
			return nil
		})
	}
	if err != nil {
		f.t.Fatal(err)
	}
	jobs, sent, token := f.jobs(), len(f.box.data), ""
	for _, args := range jobs[len(jobs)-2:] {
		if err := f.mailer.Send(f.Ctx, args); err != nil {
			f.t.Fatal(err)
		}
	}
	for i, data := range f.box.data[sent:] {
		switch told := data.(type) {
		case mail.EmailChangeConfirm:
			_, token, _ = strings.Cut(told.URL, "confirm?token=")
			if f.box.to[sent+i] != email || told.ValidFor != 24 {
				f.t.Errorf("%s is sent %+v", f.box.to[sent+i], told)
			}
		case mail.EmailChangeRequested:
			if f.box.to[sent+i] != c.Email || told.NewEmail != email || told.ResetURL != "https://shop.example/forgot" || told.IP != "192.0.2.7" {
				f.t.Errorf("%s is told %+v", f.box.to[sent+i], told)
			}
		default:
			f.t.Errorf("a mail %+v", told)
		}
	}
	return token
}

func (f *fixture) confirm(c customers.Customer, token, session string) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return f.service.ConfirmEmailChange(ctx, tx, c, token, session)
	})
}

func TestAChangeOfTheEmailAddress(t *testing.T) {
	f := open(t)
	session := f.account("ada@example.com")
	c := customers.Customer{ID: session.CustomerID, Email: "ada@example.com"}
	elsewhere, err := f.signIn("ada@example.com", password)
	if err != nil {
		t.Fatal(err)
	}
	stranger := customers.Customer{ID: f.account("bob@example.com").CustomerID, Email: "bob@example.com"}
	// Somebody bought under the new address before, and the shop owes them something.
	f.Exec(t, `insert into customers (id, email) values ('cus_guest', 'new@example.com')`)
	f.Exec(t, `insert into credit_accounts (id, kind, customer_id, currency, balance) values ('scr_1', 'store_credit', 'cus_guest', 'EUR', 100)`)
	reset := f.forget("ada@example.com")
	token := f.ask(c, "new@example.com")
	if token == "" {
		t.Fatal("no link is sent")
	}
	for name, err := range map[string]error{
		"a token that is none": f.confirm(c, "ct_none", session.Token), "another customer": f.confirm(stranger, token, session.Token),
	} {
		if !problem.Is(err, "token_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.confirm(c, token, session.Token); err != nil {
		t.Fatal(err)
	}
	if err := f.confirm(c, token, session.Token); !problem.Is(err, "token_invalid") {
		t.Errorf("a link that is spent: %v", err)
	}
	if now, err := f.service.Authenticate(f.Ctx, session.Token); err != nil || now.Email != "new@example.com" || !now.EmailVerified {
		t.Errorf("the session: %+v, %v", now, err)
	}
	if _, err := f.service.Authenticate(f.Ctx, elsewhere.Token); !problem.Is(err, "invalid_customer_token") {
		t.Errorf("another session goes on: %v", err)
	}
	if _, err := f.reset(reset, renewed); !problem.Is(err, "token_invalid") {
		t.Errorf("what was sent to the address before sets a password: %v", err)
	}
	if _, err := f.signIn("ada@example.com", password); !problem.Is(err, "invalid_credentials") {
		t.Errorf("the address before signs in: %v", err)
	}
	if _, err := f.signIn("new@example.com", password); err != nil {
		t.Errorf("the new address: %v", err)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(email, ' ' order by email) || ' ' || (select customer_id = $1 from credit_accounts) from customers`, c.ID); got != "bob@example.com new@example.com true" {
		t.Errorf("afterwards: %s", got)
	}
	jobs := f.jobs()
	if err := f.mailer.Send(f.Ctx, jobs[len(jobs)-1]); err != nil {
		t.Fatal(err)
	}
	if told, ok := f.box.data[len(f.box.data)-1].(mail.EmailChanged); !ok || told.NewEmail != "new@example.com" || f.box.to[len(f.box.to)-1] != "ada@example.com" {
		t.Errorf("the address before is told %+v", f.box.data[len(f.box.data)-1])
	}
}

// Nobody learns by asking who else is a customer: not from the answer, and not from a mail.
func TestAChangeToAnAddressThatIsKnown(t *testing.T) {
	f := open(t)
	ada := f.account("ada@example.com")
	f.account("bob@example.com")
	c := customers.Customer{ID: ada.CustomerID, Email: "ada@example.com"}
	if token := f.ask(c, "bob@example.com"); token != "" {
		t.Error("a link to another customer's address is sent")
	}
	token := f.ask(c, "eve@example.com")
	f.account("eve@example.com")
	if err := f.confirm(c, token, ada.Token); !problem.Is(err, "token_invalid") {
		t.Errorf("an address that somebody registered meanwhile: %v", err)
	}
	f.Exec(t, `insert into customers (id, email) values ('cus_guest', 'guest@example.com')`)
	f.Exec(t, `insert into credit_accounts (id, kind, customer_id, currency, balance) values ('scr_1', 'store_credit', 'cus_guest', 'EUR', 100), ('scr_2', 'store_credit', $1, 'EUR', 100)`, c.ID)
	if err := f.confirm(c, f.ask(c, "guest@example.com"), ada.Token); !problem.Is(err, "store_credit_left") {
		t.Errorf("two sums of store credit: %v", err)
	}
	for n := range 4 {
		if token := f.ask(c, "other@example.com"); (token != "") != (n < 3) {
			t.Errorf("link number %d: %q", n+3, token)
		}
	}
	for email, code := range map[string]string{"nobody": "details_invalid", " Ada@example.com": "details_invalid", "new@example.com": "invalid_credentials"} {
		if _, err := f.service.PrepareEmailChange(f.Ctx, c, email, "wrong"); !problem.Is(err, code) {
			t.Errorf("%s: %v", email, err)
		}
	}
	if _, err := f.service.PrepareEmailChange(context.Background(), c, "new@example.com", password); err == nil {
		t.Error("without a store")
	}
}

// The time of an address that is another customer's and that of one which is nobody's cannot
// be told apart.
func TestAskingForAnAddressTellsNothingByTime(t *testing.T) {
	f := open(t)
	hasher, err := passwords.NewHasher(9)
	if err != nil {
		t.Fatal(err)
	}
	f.service.Hasher = hasher
	c := customers.Customer{ID: f.account("ada@example.com").CustomerID, Email: "ada@example.com"}
	f.account("bob@example.com")
	alike(t, "bob@example.com", "nobody@example.com", func(email string) {
		f.service.Guard = guard.New(redistest.Client(t), guard.Usual(), slog.New(slog.DiscardHandler))
		wish, err := f.service.PrepareEmailChange(f.Ctx, c, email, password)
		if err == nil {
			err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
				f.service.RequestEmailChange(ctx, tx, wish)
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// alike holds that something takes as long with the one as with the other: the quickest of
// several that take turns, as whatever else the machine does only slows. As long as they are
// apart it goes on, for a while.
func alike(t *testing.T, one, other string, do func(email string)) {
	t.Helper()
	quickest := map[string]time.Duration{one: time.Hour, other: time.Hour}
	for round := range 60 {
		for email, best := range quickest {
			started := time.Now()
			do(email)
			quickest[email] = min(best, time.Since(started))
		}
		if ratio := float64(quickest[one]) / float64(quickest[other]); round >= 4 && ratio > 0.5 && ratio < 2 {
			return
		}
	}
	t.Errorf("they take %v", quickest)
}
