package customers_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// subscribe asks for news and gives the token of the mail.
func (f *fixture) subscribe(email string) string {
	f.t.Helper()
	if err := f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return f.service.Subscribe(ctx, tx, email, " Yes, please. ")
	}); err != nil {
		f.t.Fatal(err)
	}
	jobs := f.jobs()
	if err := f.mailer.Send(f.Ctx, jobs[len(jobs)-1]); err != nil {
		f.t.Fatal(err)
	}
	data, ok := f.box.data[len(f.box.data)-1].(mail.NewsletterConfirm)
	if !ok || data.ValidFor != 24 {
		f.t.Fatalf("the mail is %+v", f.box.data)
	}
	_, token, _ := strings.Cut(data.URL, "news?token=")
	return token
}

func (f *fixture) confirmNews(token string) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error { return f.service.ConfirmSubscription(ctx, tx, token) })
}

func (f *fixture) unsubscribe(id string) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error { return f.service.Unsubscribe(ctx, tx, id) })
}

// consents are a customer's, the latest first, in short: + or -, how, and to which words.
func (f *fixture) consents(id string) string {
	f.t.Helper()
	page, err := f.service.Consents(f.Ctx, id, "", 100)
	if err != nil {
		f.t.Fatal(err)
	}
	var list []struct {
		Granted             bool
		Method, Wording, IP string
		RequestedAt         *string `json:"requested_at"`
		RequestedIP         *string `json:"requested_ip"`
	}
	if err := json.Unmarshal(page.Data, &list); err != nil {
		f.t.Fatal(err)
	}
	var short []string
	for _, c := range list {
		sign := "-"
		if c.Granted {
			sign = "+"
		}
		if c.IP != "192.0.2.7" || (c.Method == "double_opt_in") != (c.RequestedAt != nil && c.RequestedIP != nil && *c.RequestedIP == c.IP) {
			f.t.Errorf("a consent without its proof: %s", page.Data)
		}
		short = append(short, strings.TrimSpace(sign+c.Method+" "+c.Wording))
	}
	return strings.Join(short, ", ")
}

func TestConsentHasItsProof(t *testing.T) {
	f := open(t)
	session := f.account("ada@example.com") // who agreed when they registered
	id := session.CustomerID
	if got := f.consents(id); got != "+double_opt_in" {
		t.Errorf("after the registration: %s", got)
	}
	for _, yes := range []bool{false, false, true} {
		if err := f.update(id, customers.Change{AcceptsMarketing: &yes, Wording: pointer("Written on a card.")}); err != nil {
			t.Fatal(err)
		}
	}
	f.Ctx = customers.As(f.Ctx, customers.Customer{ID: id, Email: "ada@example.com"})
	if err := f.update(id, customers.Change{AcceptsMarketing: pointer(false)}); err != nil {
		t.Fatal(err)
	}
	if err := f.confirmNews(f.subscribe("ada@example.com")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.unsubscribe(id); err != nil {
			t.Fatal(err)
		}
	}
	want := "-link, +double_opt_in Yes, please., -account, +staff Written on a card., -staff Written on a card., +double_opt_in"
	if got := f.consents(id); got != want {
		t.Errorf("all of them: %s", got)
	}
	if shoptest.Value[bool](t, f.Shop, `select accepts_marketing from customers`) {
		t.Error("is written to")
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(type, ' ' order by id) from events where type like '%subscribed'`); got != "customer.subscribed customer.unsubscribed customer.subscribed customer.unsubscribed customer.subscribed customer.unsubscribed" {
		t.Errorf("events: %s", got)
	}
	if _, err := f.service.Consents(f.Ctx, "cus_none", "", 1); !problem.Is(err, "not_found") {
		t.Errorf("of nobody: %v", err)
	}
}

// Who asks for news without an account is written to once the link is followed, and not
// before; a link counts once.
func TestNewsForWhoHasNoAccount(t *testing.T) {
	f := open(t)
	first, second := f.subscribe(" Guest@example.com"), f.subscribe("guest@example.com")
	if n := f.count(`select count(*) from customers`); n != 0 {
		t.Errorf("%d customers before the link is followed", n)
	}
	if err := f.confirmNews(first); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"a link that is spent": first, "another of the same": second, "none": "ct_none"} {
		if err := f.confirmNews(token); !problem.Is(err, "token_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', email, email_verified_at is not null, accepts_marketing, password_hash is null) from customers`); got != "guest@example.com t t t" {
		t.Errorf("the customer: %s", got)
	}
	for email, wording := range map[string]string{"nobody": "", "a@example.com": strings.Repeat("x", 2001)} {
		err := f.do(func(ctx context.Context, tx *postgres.Tx) error { return f.service.Subscribe(ctx, tx, email, wording) })
		if !problem.Is(err, "details_invalid") {
			t.Errorf("%s: %v", email, err)
		}
	}
	// Registering without a word of it takes back nothing.
	r, err := f.service.Prepare(f.Ctx, customers.RegisterInput{Email: "guest@example.com", Password: password})
	if err == nil {
		err = f.do(func(ctx context.Context, tx *postgres.Tx) error { return f.service.Register(ctx, tx, r) })
	}
	if err != nil {
		t.Fatal(err)
	}
	jobs := f.jobs()
	if _, err := f.verify(f.link(jobs[len(jobs)-1])); err != nil {
		t.Fatal(err)
	}
	if !shoptest.Value[bool](t, f.Shop, `select accepts_marketing from customers`) {
		t.Error("is written to no more")
	}
	// Who left a cart can say so too, and is remembered.
	f.Exec(t, `insert into carts (id, token_hash, currency, email, expires_at) values ('cart_06h2cfnpfsxtd2d0t4qydrbffw', 'x', 'EUR', 'left@example.com', now() + interval '1 day')`)
	for range 2 {
		if err := f.unsubscribe("cart_06h2cfnpfsxtd2d0t4qydrbffw"); err != nil {
			t.Fatal(err)
		}
	}
	left := shoptest.Value[string](t, f.Shop, `select id from customers where email = 'left@example.com' and not accepts_marketing`)
	if got := f.consents(left); got != "-link" {
		t.Errorf("of who left a cart: %s", got)
	}
	for _, id := range []string{"cus_none", "cart_06h2cfnpfsxtd2d0t4qydrbffx"} {
		if err := f.unsubscribe(id); !problem.Is(err, "not_found") {
			t.Errorf("%s: %v", id, err)
		}
	}
}
