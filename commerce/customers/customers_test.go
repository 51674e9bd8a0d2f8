package customers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

const password = "a stone bench in the shade"

type fixture struct {
	*shoptest.Shop
	t       testing.TB
	service *customers.Service
	box     *postbox
	mailer  *customers.Mailer
}

// postbox keeps what is sent.
type postbox struct {
	to   []string
	data []mail.Data
	err  error
}

func (p *postbox) Send(_ context.Context, letter mail.Letter) error {
	data, err := mail.Decode(letter.Kind, letter.Data)
	if err != nil {
		return err
	}
	p.to, p.data = append(p.to, letter.To+letter.ToName), append(p.data, data)
	return p.err
}

type links struct{ err error }

func (l links) VerifyCustomer(_ context.Context, token string) (string, error) {
	return "https://shop.example/verify?token=" + token, l.err
}
func (l links) SignIn(context.Context) (string, error) { return "https://shop.example/sign-in", l.err }
func (l links) ForgotPassword(context.Context) (string, error) {
	return "https://shop.example/forgot", l.err
}
func (l links) ResetPassword(_ context.Context, token string) (string, error) {
	return "https://shop.example/reset?token=" + token, l.err
}
func (l links) ConfirmSubscription(_ context.Context, token string) (string, error) {
	return "https://shop.example/news?token=" + token, l.err
}
func (l links) ConfirmEmail(_ context.Context, token string) (string, error) {
	return "https://shop.example/confirm?token=" + token, l.err
}

func open(t testing.TB) *fixture {
	t.Helper()
	platform := testdb.Open(t)
	hasher, err := passwords.NewHasher(4)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Shop: shoptest.New(t, platform), t: t, box: &postbox{}}
	who := principal.From(f.Ctx)
	who.IP = "192.0.2.7"
	f.Ctx = principal.With(f.Ctx, who)
	f.service = &customers.Service{DB: platform.DB, Hasher: hasher, Guard: guard.New(redistest.Client(t), guard.Usual(), slog.New(slog.DiscardHandler))}
	f.mailer = &customers.Mailer{DB: platform.DB, Post: f.box, Links: links{}}
	return f
}

func (f *fixture) do(change func(context.Context, *postgres.Tx) error) error {
	return f.DB.InStore(f.Ctx, change)
}

// register asks for an account and gives the mail that is written.
func (f *fixture) register(email, password, name string) customers.MailArgs {
	f.t.Helper()
	r, err := f.service.Prepare(f.Ctx, customers.RegisterInput{Email: email, Password: password, Name: name, AcceptsMarketing: true})
	if err != nil {
		f.t.Fatal(err)
	}
	before := f.jobs()
	if err := f.do(func(ctx context.Context, tx *postgres.Tx) error { return f.service.Register(ctx, tx, r) }); err != nil {
		f.t.Fatal(err)
	}
	after := f.jobs()
	if len(after) != len(before)+1 {
		f.t.Fatalf("%d mails are written", len(after)-len(before))
	}
	return after[len(after)-1]
}

// jobs are the mails that are to be written, the oldest first.
func (f *fixture) jobs() (args []customers.MailArgs) {
	f.t.Helper()
	ref, _ := postgres.StoreFrom(f.Ctx)
	var raw []byte
	err := f.DB.InCell(context.Background(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select coalesce(json_agg(args order by id), '[]') from cell.outbox where store = $1 and kind = $2`,
			postgres.RoleName(ref.Cell, ref.Schema), customers.JobMail).Scan(&raw)
	})
	if err == nil {
		err = json.Unmarshal(raw, &args)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return args
}

// link is the token in the mail that is written.
func (f *fixture) link(args customers.MailArgs) string {
	f.t.Helper()
	if err := f.mailer.Send(f.Ctx, args); err != nil {
		f.t.Fatal(err)
	}
	data, ok := f.box.data[len(f.box.data)-1].(mail.CustomerVerifyEmail)
	if !ok {
		f.t.Fatalf("the mail is %+v", f.box.data)
	}
	_, token, _ := strings.Cut(data.URL, "token=")
	return token
}

func (f *fixture) verify(token string) (customers.Session, error) {
	var session customers.Session
	err := f.do(func(ctx context.Context, tx *postgres.Tx) (err error) {
		session, err = f.service.Verify(ctx, tx, token)
		return err
	})
	return session, err
}

// account is a customer with an account, signed in.
func (f *fixture) account(email string) customers.Session {
	f.t.Helper()
	session, err := f.verify(f.link(f.register(email, password, "Ada")))
	if err != nil {
		f.t.Fatal(err)
	}
	return session
}

func (f *fixture) signIn(email, password string) (customers.Session, error) {
	return f.service.SignIn(f.Ctx, email, password, nil)
}

func (f *fixture) count(sql string, args ...any) int {
	f.t.Helper()
	return shoptest.Value[int](f.t, f.Shop, sql, args...)
}

func TestFromRegistrationToAccount(t *testing.T) {
	f := open(t)
	f.Exec(t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
		values ('ord_1', 1, 'cart_1', '', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 1, 0, 0, 1)`)
	args := f.register(" Ada@Example.com", password, "Ada")
	if n := f.count(`select count(*) from customers`); n != 0 || args.About != customers.Registered {
		t.Fatalf("%d customers before the address is proven", n)
	}
	if _, err := f.signIn("ada@example.com", password); !problem.Is(err, "invalid_credentials") {
		t.Fatalf("signed in before the address is proven: %v", err)
	}
	token := f.link(args)
	if f.box.to[0] != "ada@example.com" {
		t.Fatalf("sent to %q, with no more than the address", f.box.to)
	}
	session, err := f.verify(token)
	if err != nil || time.Until(session.ExpiresAt) < 29*24*time.Hour || !strings.HasPrefix(session.Token, "cs_") {
		t.Fatalf("session %+v, %v", session, err)
	}
	who, err := f.service.Authenticate(f.Ctx, session.Token)
	if err != nil || who.ID != session.CustomerID || who.Email != "ada@example.com" || !who.EmailVerified {
		t.Fatalf("signed in is %+v, %v", who, err)
	}
	if got := shoptest.Value[string](t, f.Shop, `select customer_id from orders`); got != who.ID {
		t.Errorf("the order of before belongs to %q", got)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(type, ' ' order by id) from events`); got != "customer.created customer.verified customer.subscribed" {
		t.Errorf("events: %s", got)
	}
	if n := f.count(`select count(*) from customer_tokens where purpose = 'verify_email'`); n != 0 {
		t.Errorf("%d registrations are left", n)
	}
	if _, err := f.verify(token); !problem.Is(err, "token_invalid") {
		t.Errorf("the link once more: %v", err)
	}
	if err := f.mailer.Send(f.Ctx, args); err != nil || len(f.box.data) != 1 {
		t.Errorf("the mail once more: %v, %d mails", err, len(f.box.data))
	}
	again, err := f.signIn("ADA@example.com ", password)
	if err != nil || again.CustomerID != who.ID || again.Token == session.Token {
		t.Fatalf("signed in: %+v, %v", again, err)
	}
	if n := f.count(`select count(*) from customer_tokens where position($1::bytea in hash) > 0 or data::text like '%' || $2 || '%'`, []byte(again.Token), again.Token); n != 0 {
		t.Error("the token itself is kept")
	}
	if err := f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(f.service.SignOut(ctx, tx, again.Token), f.service.SignOut(ctx, tx, again.Token))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.service.Authenticate(f.Ctx, again.Token); !problem.Is(err, "invalid_customer_token") {
		t.Errorf("after signing out: %v", err)
	}
	if _, err := f.service.Authenticate(f.Ctx, session.Token); err != nil {
		t.Errorf("the other session ended as well: %v", err)
	}
}

// Who is known from an order gets the account, and keeps what is known.
func TestRegistrationOfWhoIsKnownFromOrders(t *testing.T) {
	f := open(t)
	f.Exec(t, `insert into customers (id, email, name, phone, addresses) values ('cus_1', 'ada@example.com', 'Ada Example', '1', '[{"id":"adr_1","default_shipping":true,"default_billing":true,"address":{"name": "Mallory Example"}}]')`)
	session, err := f.verify(f.link(f.register("ada@example.com", password, "")))
	if err != nil || session.CustomerID != "cus_1" {
		t.Fatalf("session %+v, %v", session, err)
	}
	if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', name, phone, accepts_marketing, version, default_address) from customers`); got != "Ada Example 1 t 2" {
		t.Errorf("the customer: %s", got)
	}
	if got := shoptest.Value[string](t, f.Shop, `select string_agg(type, ' ' order by id) from events`); got != "customer.verified customer.subscribed" {
		t.Errorf("events: %s", got)
	}
}

// Whoever registers a known address learns nothing and changes nothing.
func TestRegistrationOfAKnownAddress(t *testing.T) {
	f := open(t)
	f.account("ada@example.com")
	var statements []int64
	var args customers.MailArgs
	for _, email := range []string{"ada@example.com", "bob@example.com"} {
		ctx, count := postgres.Counting(f.Ctx)
		old := f.Ctx
		f.Ctx = ctx
		got := f.register(email, "another bench in the sun", "Mallory")
		f.Ctx = old
		statements = append(statements, count.Statements.Load())
		if email == "ada@example.com" {
			args = got
		}
	}
	if statements[0] != statements[1] {
		t.Errorf("%v statements for a known and an unknown address", statements)
	}
	if err := f.mailer.Send(f.Ctx, args); err != nil {
		t.Fatal(err)
	}
	told, ok := f.box.data[len(f.box.data)-1].(mail.CustomerKnownSignup)
	if !ok || told.SignInURL == "" || told.IP != "192.0.2.7" || time.Since(told.At) > time.Minute {
		t.Fatalf("told %+v", f.box.data)
	}
	if _, err := f.signIn("ada@example.com", "another bench in the sun"); !problem.Is(err, "invalid_credentials") {
		t.Fatalf("signed in with a stranger's password: %v", err)
	}
	if _, err := f.signIn("ada@example.com", password); err != nil {
		t.Fatal(err)
	}
}

// Two registrations of one address are under way; the first link to be followed counts,
// with the password of its own registration.
func TestTwoRegistrations(t *testing.T) {
	f := open(t)
	mine := f.link(f.register("ada@example.com", password, "Ada"))
	theirs := f.link(f.register("ada@example.com", "another bench in the sun", "Mallory"))
	if _, err := f.verify(mine); err != nil {
		t.Fatal(err)
	}
	if _, err := f.verify(theirs); !problem.Is(err, "token_invalid") {
		t.Fatalf("the other link: %v", err)
	}
	if _, err := f.signIn("ada@example.com", password); err != nil {
		t.Fatal(err)
	}
}

func TestVerificationOfWhoHasAnAccountByNow(t *testing.T) {
	f := open(t)
	token := f.link(f.register("ada@example.com", password, "Ada"))
	f.Exec(t, `insert into customers (id, email, password_hash) values ('cus_1', 'ada@example.com', 'x')`)
	if _, err := f.verify(token); !problem.Is(err, "token_invalid") {
		t.Fatalf("got %v", err)
	}
}

func TestExpiredLinkAndSession(t *testing.T) {
	f := open(t)
	args := f.register("ada@example.com", password, "Ada")
	token := f.link(args)
	session := f.account("bob@example.com")
	f.Exec(t, `update customer_tokens set expires_at = now() - interval '1 second'`)
	if _, err := f.verify(token); !problem.Is(err, "token_invalid") {
		t.Errorf("an old link: %v", err)
	}
	if _, err := f.service.Authenticate(f.Ctx, session.Token); !problem.Is(err, "invalid_customer_token") {
		t.Errorf("an old session: %v", err)
	}
	sent := len(f.box.data)
	if err := f.mailer.Send(f.Ctx, args); err != nil || len(f.box.data) != sent {
		t.Errorf("a mail that comes too late: %v", err)
	}
}

func TestRefusedRegistrations(t *testing.T) {
	f := open(t)
	for name, c := range map[string]struct {
		in   customers.RegisterInput
		code string
	}{
		"no address":      {customers.RegisterInput{Email: "ada", Password: password}, "details_invalid"},
		"a long name":     {customers.RegisterInput{Email: "ada@example.com", Password: password, Name: strings.Repeat("é", 256)}, "details_invalid"},
		"a short one":     {customers.RegisterInput{Email: "ada@example.com", Password: "short"}, "password_invalid"},
		"a common one":    {customers.RegisterInput{Email: "ada@example.com", Password: "passwordpassword1"}, "password_too_common"},
		"the own address": {customers.RegisterInput{Email: "ada.example@example.com", Password: "ada.example@example.com"}, "password_invalid"},
	} {
		if _, err := f.service.Prepare(f.Ctx, c.in); !problem.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	_, err := f.service.Prepare(f.Ctx, customers.RegisterInput{Email: "ada", Password: "short", Name: strings.Repeat("é", 256)})
	if p := problem.As(err); p == nil || len(p.Faults) != 3 {
		t.Errorf("not all faults at once: %v", err)
	}
}

func TestSignInIsGuarded(t *testing.T) {
	f := open(t)
	f.account("ada@example.com")
	limited := 0
	for range 12 {
		_, err := f.signIn("carol@example.com", "wrong")
		switch {
		case problem.Is(err, "rate_limited"):
			limited++
		case !problem.Is(err, "invalid_credentials"):
			t.Fatal(err)
		}
	}
	if limited == 0 {
		t.Error("twelve tries were let through")
	}
	if _, err := f.signIn("ada@example.com", password); err != nil {
		t.Errorf("others' failures hinder the owner: %v", err)
	}
	if _, err := f.service.SignIn(context.Background(), "ada@example.com", password, nil); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
}

// The time of an unknown address and that of a wrong password cannot be told apart.
func TestSignInTellsNothingByTime(t *testing.T) {
	f := open(t)
	hasher, err := passwords.NewHasher(9)
	if err != nil {
		t.Fatal(err)
	}
	f.service.Hasher = hasher
	f.account("ada@example.com")
	alike(t, "ada@example.com", "nobody@example.com", func(email string) {
		f.service.Guard = guard.New(redistest.Client(t), guard.Usual(), slog.New(slog.DiscardHandler))
		if _, err := f.signIn(email, "wrong"); !problem.Is(err, "invalid_credentials") {
			t.Fatal(err)
		}
	})
}

func TestPasswordIsHashedAnew(t *testing.T) {
	f := open(t)
	f.account("ada@example.com")
	stronger, err := passwords.NewHasher(5)
	if err != nil {
		t.Fatal(err)
	}
	f.service.Hasher = stronger
	before := shoptest.Value[string](t, f.Shop, `select password_hash from customers`)
	recorded := false
	if _, err := f.service.SignIn(f.Ctx, "ada@example.com", password, func(context.Context, *postgres.Tx, customers.Session) error { recorded = true; return nil }); err != nil || !recorded {
		t.Fatalf("%v, recorded %v", err, recorded)
	}
	after := shoptest.Value[string](t, f.Shop, `select password_hash from customers`)
	if before == after || !strings.Contains(after, "$05$") {
		t.Errorf("the hash is %s", after)
	}
	if _, err := f.signIn("ada@example.com", password); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, `update customers set password_hash = 'garbage'`)
	if _, err := f.signIn("ada@example.com", password); !errors.Is(err, passwords.ErrBadHash) {
		t.Errorf("with a broken hash: %v", err)
	}
}

func TestMailsThatFail(t *testing.T) {
	f := open(t)
	args := f.register("ada@example.com", password, "Ada")
	lost := errors.New("lost")
	f.box.err = lost
	if err := f.mailer.Send(f.Ctx, args); !errors.Is(err, lost) {
		t.Errorf("a mail that was not taken: %v", err)
	}
	f.box.err = nil
	f.mailer.Links = links{lost}
	for _, args.About = range []customers.Topic{customers.Known, customers.Changed, customers.Registered} {
		if err := f.mailer.Send(f.Ctx, args); !errors.Is(err, lost) {
			t.Errorf("without an address: %v", err)
		}
	}
	f.mailer.Links = links{}
	if err := f.mailer.Send(f.Ctx, customers.MailArgs{About: customers.Registered, Registration: "zz"}); err == nil {
		t.Error("a registration that is none")
	}
	// Tried again, the mail brings a link that works.
	if _, err := f.verify(f.link(args)); err != nil {
		t.Fatal(err)
	}
}

func pointer[T any](v T) *T { return &v }

func TestChangesByStaff(t *testing.T) {
	f := open(t)
	id := f.account("ada@example.com").CustomerID
	update := func(change customers.Change, version int) error {
		return f.do(func(ctx context.Context, tx *postgres.Tx) error {
			return f.service.Update(ctx, tx, id, change, version)
		})
	}
	at := &address.Address{Name: " Ada ", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "DE"}
	if err := update(customers.Change{Name: pointer("Ada Example"), Phone: pointer("1"), AcceptsMarketing: pointer(false), Note: pointer("Kind."), DefaultAddress: &at}, 1); err != nil {
		t.Fatal(err)
	}
	object, err := f.service.Get(f.Ctx, id)
	if err != nil || object.Version != 2 {
		t.Fatalf("version %d, %v", object.Version, err)
	}
	for _, part := range []string{`"Ada Example"`, `"Kind."`, `"registered" : true`, `"accepts_marketing" : false`, `"Berlin"`, `"orders_count" : 0`} {
		if !strings.Contains(string(object.Data), part) {
			t.Errorf("%s is missing in %s", part, object.Data)
		}
	}
	me, err := f.service.Me(f.Ctx, id)
	if err != nil || strings.Contains(string(me.Data), "Kind.") || !strings.Contains(string(me.Data), "Berlin") {
		t.Errorf("the shopper sees %s, %v", me.Data, err)
	}
	if err := update(customers.Change{Name: pointer("")}, 1); !problem.Is(err, "stale") {
		t.Errorf("a change of an old version: %v", err)
	}
	if err := update(customers.Change{Phone: pointer(strings.Repeat("1", 33))}, 0); !problem.Is(err, "details_invalid") {
		t.Errorf("a long number: %v", err)
	}
	bad := &address.Address{Country: "ZZ"}
	if err := update(customers.Change{DefaultAddress: &bad}, 0); !problem.Is(err, "details_invalid") {
		t.Errorf("a bad address: %v", err)
	}
	var none *address.Address
	if err := update(customers.Change{DefaultAddress: &none, Note: pointer("")}, 0); err != nil {
		t.Fatal(err)
	}
	err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
		staff, err := f.service.GetIn(ctx, tx, id)
		if err != nil || strings.Contains(string(staff.Data), "Berlin") {
			t.Errorf("after it was removed: %s, %v", staff.Data, err)
		}
		_, err = f.service.MeIn(ctx, tx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDelete(t *testing.T) {
	f := open(t)
	session := f.account("ada@example.com")
	remove := func(version int) error {
		return f.do(func(ctx context.Context, tx *postgres.Tx) error {
			return f.service.Delete(ctx, tx, session.CustomerID, version)
		})
	}
	if err := remove(7); !problem.Is(err, "stale") {
		t.Fatalf("an old version: %v", err)
	}
	if err := remove(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.service.Authenticate(f.Ctx, session.Token); !problem.Is(err, "invalid_customer_token") {
		t.Errorf("still signed in: %v", err)
	}
	for name, err := range map[string]error{
		"delete": remove(0),
		"update": f.do(func(ctx context.Context, tx *postgres.Tx) error {
			return f.service.Update(ctx, tx, session.CustomerID, customers.Change{}, 0)
		}),
		"get": second(f.service.Get(f.Ctx, session.CustomerID)),
		"me":  second(f.service.Me(f.Ctx, session.CustomerID)),
	} {
		if !problem.Is(err, "not_found") {
			t.Errorf("%s after it was deleted: %v", name, err)
		}
	}
	if n := f.count(`select count(*) from audit_entries where action = 'customer.delete' and (before::text like '%ada%' or after::text like '%ada%')`); n != 0 {
		t.Error("the audit keeps the person's address")
	}
}

func second[T any](_ T, err error) error { return err }

func TestList(t *testing.T) {
	f := open(t)
	var all []string
	for i, name := range []string{"Ada 100%", "Bob", "Carol_x"} {
		id := ids.New("cus")
		all = append([]string{id}, all...)
		f.Exec(t, `insert into customers (id, email, name) values ($1, $2, $3)`, id, fmt.Sprintf("%s%d@example.com", strings.ToLower(name[:3]), i), name)
	}
	list := func(filter customers.Filter) (found []string, next string) {
		t.Helper()
		if filter.Limit == 0 {
			filter.Limit = 10
		}
		page, err := f.service.List(f.Ctx, filter)
		if err != nil {
			t.Fatal(err)
		}
		var items []struct{ ID string }
		if err := json.Unmarshal(page.Data, &items); err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			found = append(found, item.ID)
		}
		return found, page.Next
	}
	if found, next := list(customers.Filter{}); fmt.Sprint(found) != fmt.Sprint(all) || next != "" {
		t.Errorf("all: %v, %q", found, next)
	}
	found, next := list(customers.Filter{Limit: 2})
	if fmt.Sprint(found) != fmt.Sprint(all[:2]) || next != all[1] {
		t.Errorf("first page: %v, %q", found, next)
	}
	if found, next = list(customers.Filter{Limit: 2, After: next}); fmt.Sprint(found) != fmt.Sprint(all[2:]) || next != "" {
		t.Errorf("second page: %v, %q", found, next)
	}
	for text, want := range map[string]int{"bob": 1, "EXAMPLE.com": 3, "%": 1, "_": 1, `\`: 0, "nobody": 0} {
		if found, _ := list(customers.Filter{Text: text}); len(found) != want {
			t.Errorf("%q finds %v", text, found)
		}
	}
	f.Exec(t, `update customers set tags = '{press}', group_ids = '{cgr_1}', password_hash = 'x', accepts_marketing = true, accepts_sms_marketing = true, phone = '+49 30 1', created_at = '2020-01-01Z' where id = $1`, all[1])
	for name, filter := range map[string]customers.Filter{
		"label": {Tag: "press"}, "group": {GroupID: "cgr_1"}, "account": {Registered: "true"}, "consent": {AcceptsMarketing: "true"}, "consent to text messages": {AcceptsSMS: "true"}, "telephone": {Text: "49 30"}, "time": {Since: "2019-12-31T00:00:00Z", Until: "2020-01-02T00:00:00Z"},
	} {
		if found, _ := list(filter); len(found) != 1 || found[0] != all[1] {
			t.Errorf("by %s: %v", name, found)
		}
	}
	for name, filter := range map[string]customers.Filter{"account": {Registered: "false"}, "consent": {AcceptsMarketing: "false"}, "consent to text messages": {AcceptsSMS: "false"}, "time": {Since: "2020-01-02T00:00:00Z"}} {
		if found, _ := list(filter); len(found) != 2 {
			t.Errorf("by no %s: %v", name, found)
		}
	}
	if found, _ := list(customers.Filter{Tag: "nobody"}); len(found) != 0 {
		t.Errorf("by a label that none has: %v", found)
	}
	if found, _ := list(customers.Filter{Email: "Bob1@Example.com"}); len(found) != 1 || found[0] != all[1] {
		t.Errorf("by address: %v", found)
	}
}
