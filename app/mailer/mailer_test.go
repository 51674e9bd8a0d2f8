package mailer_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/mailer"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/mailtemplates"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/mailbox"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/web/storefront"
	"github.com/stoacommerce/stoa/webhooks"
)

// office is a mailer with its mailbox and a store to write for.
type office struct {
	*testdb.Platform
	mailer *mailer.Mailer
	box    *mailbox.Service
	stores *stores.Service
	live   context.Context // within the store
	test   context.Context // within its sandbox
	store  string
	host   string // the first label of the shop's host
	staff  []string
}

func open(t *testing.T, change func(*mailer.Config)) *office {
	t.Helper()
	return openOn(t, testdb.Open(t), change)
}

func openOn(t *testing.T, p *testdb.Platform, change func(*mailer.Config)) *office {
	t.Helper()
	bus := redis.OpenBus(redistest.Client(t))
	t.Cleanup(bus.Close)
	o := &office{Platform: p, box: mailbox.New(p.DB)}
	o.stores = stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: slog.New(slog.DiscardHandler)})
	config := mailer.Config{
		DB: p.DB, Stores: o.stores, Mailbox: mail.NewMailbox(o.box), Site: &url.URL{Scheme: "https", Host: "stoa.example.com"},
		ShopURL: func(store *tenants.Store) string {
			return "https://" + stores.HostLabel(store.Address, store.Ref.Mode == principal.Test) + ".stoa.example.com"
		},
	}
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	config.Links = &storefront.Links{ShopURL: config.ShopURL, Stores: o.stores, Pepper: pepper.Derive("links")}
	config.Staff = func(context.Context, string, string) ([]string, error) { return o.staff, nil }
	if change != nil {
		change(&config)
	}
	o.mailer = mailer.New(config)
	o.live = p.Store(t)
	o.test = p.Sandbox(t, o.live)
	ref, _ := postgres.StoreFrom(o.live)
	o.store = ref.ID
	o.host = "shop-" + ref.ID[len(ref.ID)-12:]
	o.within(t, o.live, `update settings set name = 'Linen & Clay', contact_email = 'hello@linen.example.com', locale = 'de', theme = '{"accent_color": "#aa3366"}'`)
	o.within(t, o.test, `update settings set name = 'Linen & Clay'`)
	return o
}

func (o *office) within(t *testing.T, ctx context.Context, statement string, args ...any) {
	t.Helper()
	err := o.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// owner gives the store an owner.
func (o *office) owner(t *testing.T) (email string) {
	t.Helper()
	id := ids.New("acc")
	email = id + "@example.com"
	err := o.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into accounts (id, email, password_hash) values ($1, $2, '')`, id, email); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `insert into members (store_id, account_id, role) values ($1, $2, 'owner')`, o.store, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return email
}

// kept are the mails that the mailbox has for an address, whole.
func (o *office) kept(t *testing.T, to string) (list []mail.StoredMail) {
	t.Helper()
	page, _, err := o.box.List(t.Context(), mailbox.Filter{Recipient: to})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page {
		whole, err := o.box.Get(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, whole)
	}
	return list
}

// somebody is an address that no other test writes to.
func somebody() string { return ids.New("cus") + "@example.com" }

func confirmation() mail.OrderConfirmation {
	return mail.OrderConfirmation{
		Name: "Ann", Number: "#1001", PlacedAt: clock.Now(), URL: "https://linen.stoa.example.com/orders/1",
		Lines:    []mail.Line{{Title: "Jug", Quantity: 2, Total: money.New(5980, "EUR")}},
		Subtotal: money.New(5980, "EUR"), Shipping: money.New(490, "EUR"), Tax: money.New(1033, "EUR"), TaxIncluded: true, Total: money.New(6470, "EUR"),
	}
}

func TestPlatformsMailsBearItsName(t *testing.T) {
	server := serve(t)
	o := open(t, func(c *mailer.Config) { c.Delivery = server.sender(t) })
	to := somebody()
	letter := mail.NewLetter(to, mail.AccountVerifyEmail{URL: "https://stoa.example.com/verify-email?token=x", ValidFor: 48})
	letter.ToName = "Ann"
	for range 2 { // a worker that was killed after sending sends again
		if err := o.mailer.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	sent := server.to(to)
	if len(sent) != 2 || sent[0].Header.Get("Message-Id") != sent[1].Header.Get("Message-Id") || sent[0].Header.Get("Message-Id") != "<"+letter.ID+"@stoa.example.com>" {
		t.Fatalf("%d mails were sent, %v", len(sent), sent)
	}
	from, err := netmail.ParseAddress(sent[0].Header.Get("From"))
	if err != nil || from.Name != "Stoa" || sent[0].Header.Get("Reply-To") != "" {
		t.Errorf("from %v, answers to %q", from, sent[0].Header.Get("Reply-To"))
	}
	if kept := o.kept(t, to); len(kept) != 0 {
		t.Errorf("the mailbox has %d", len(kept))
	}
}

func TestStoresMailsBearTheirs(t *testing.T) {
	server := serve(t)
	o := open(t, func(c *mailer.Config) { c.Delivery, c.KeepAll = server.sender(t), true })
	inside, outside := somebody(), somebody()
	if err := o.mailer.Send(o.live, mail.NewLetter(inside, confirmation())); err != nil {
		t.Fatal(err)
	}
	letter := mail.NewLetter(outside, confirmation()) // from the control database, for the store
	letter.StoreID, letter.Locale = o.store, "en-GB"
	if err := o.mailer.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	for to, subject := range map[string]string{inside: "Ihre Bestellung", outside: "Your order"} {
		sent, kept := server.to(to), o.kept(t, to)
		if len(sent) != 1 || len(kept) != 1 {
			t.Fatalf("to %s %d were sent and %d kept", to, len(sent), len(kept))
		}
		from, err := netmail.ParseAddress(sent[0].Header.Get("From"))
		if err != nil || from.Name != "Linen & Clay" || from.Address != "no-reply@stoa.example.com" || sent[0].Header.Get("Reply-To") != "<hello@linen.example.com>" {
			t.Errorf("from %v, answers to %q, %v", from, sent[0].Header.Get("Reply-To"), err)
		}
		m := kept[0]
		if m.StoreID != o.store || m.Kind != string(mail.KindOrderConfirmation) || !strings.Contains(m.Subject, subject) {
			t.Errorf("kept %s of %s: %q", m.Kind, m.StoreID, m.Subject)
		}
		for _, want := range []string{"#aa3366", "https://" + o.host + ".stoa.example.com/", "Linen &amp; Clay · " + o.host, "Jug", "64"} {
			if !strings.Contains(m.HTML, want) {
				t.Errorf("the mail does not have %q", want)
			}
		}
	}
}

func TestSandboxesMailsStayInTheHouse(t *testing.T) {
	server := serve(t)
	o := open(t, func(c *mailer.Config) { c.Delivery = server.sender(t) })
	to := somebody()
	data := confirmation()
	data.Test = true
	letter := mail.NewLetter(to, data)
	for range 2 {
		if err := o.mailer.Send(o.test, letter); err != nil {
			t.Fatal(err)
		}
	}
	kept := o.kept(t, to)
	if len(kept) != 1 || len(server.to(to)) != 0 {
		t.Fatalf("%d mails are kept, %d were sent", len(kept), len(server.to(to)))
	}
	if !strings.Contains(kept[0].HTML, "https://"+o.host+"--test.stoa.example.com/") {
		t.Error("the mail does not lead to the sandbox's shop")
	}
}

func TestWithoutAMailServerTheMailboxKeepsAll(t *testing.T) {
	o := open(t, nil)
	to := somebody()
	if err := o.mailer.Send(o.live, mail.NewLetter(to, confirmation())); err != nil {
		t.Fatal(err)
	}
	if kept := o.kept(t, to); len(kept) != 1 {
		t.Errorf("%d mails are kept", len(kept))
	}
}

func TestWhatCannotBeSent(t *testing.T) {
	server := serve(t)
	o := open(t, func(c *mailer.Config) { c.Delivery = server.sender(t) })
	unknown := mail.NewLetter(somebody(), confirmation())
	unknown.Kind = "carrier_pigeon"
	twisted := mail.NewLetter(somebody(), confirmation())
	twisted.Data = []byte(`[]`)
	for what, letter := range map[string]mail.Letter{
		"kind": unknown, "data": twisted,
		"address":   mail.NewLetter("two@example.com, three@example.com", confirmation()),
		"recipient": mail.NewLetter("nobody@example.com", confirmation()),
	} {
		if err := o.mailer.Send(o.live, letter); !errors.Is(err, mail.ErrPermanent) {
			t.Errorf("%s: %v", what, err)
		}
	}
	gone := mail.NewLetter(somebody(), confirmation())
	gone.StoreID = "sto_none"
	if err := o.mailer.Send(t.Context(), gone); err != nil {
		t.Errorf("of a store that is gone: %v", err)
	}
	server.busy = 1
	if err := o.mailer.Send(o.live, mail.NewLetter(somebody(), confirmation())); err == nil || errors.Is(err, mail.ErrPermanent) {
		t.Errorf("by a busy server: %v", err)
	}
}

func TestOwnersAreToldOfDisabledWebhooks(t *testing.T) {
	o := open(t, nil)
	args := webhooks.DisabledArgs{
		MailID: ids.New("mail"), EndpointID: ids.New("whe"), URL: "https://hooks.example.com/stoa", Reason: webhooks.ReasonFailing,
		Since: clock.Now().Add(-5 * 24 * time.Hour), LastFailure: "The endpoint answered 500.",
	}
	if err := o.mailer.WebhookDisabled(o.live, args); err != nil {
		t.Fatalf("a store without an owner: %v", err)
	}
	to := o.owner(t)
	for range 2 {
		if err := o.mailer.WebhookDisabled(o.live, args); err != nil {
			t.Fatal(err)
		}
	}
	kept := o.kept(t, to)
	if len(kept) != 1 || kept[0].ID != args.MailID || kept[0].StoreID != o.store {
		t.Fatalf("kept %+v", kept)
	}
	for _, want := range []string{args.URL, args.LastFailure, "Linen & Clay", "Jede Zustellung", "https://stoa.example.com/docs"} {
		if !strings.Contains(kept[0].Text, want) {
			t.Errorf("the mail does not have %q:\n%s", want, kept[0].Text)
		}
	}
	args.MailID, args.Reason = ids.New("mail"), webhooks.ReasonGone
	if err := o.mailer.WebhookDisabled(o.test, args); err != nil {
		t.Fatal(err)
	}
	if kept = o.kept(t, to); len(kept) != 2 || !strings.Contains(kept[0].Text, "410 Gone") {
		t.Errorf("kept %+v", kept)
	}
	if err := o.mailer.WebhookDisabled(t.Context(), args); !errors.Is(err, postgres.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
}

// counter counts the jobs that were set aside.
type counter struct{ aside atomic.Int64 }

func (c *counter) Ran(_, _ string, _ error, setAside bool, _, _ time.Duration) {
	if setAside {
		c.aside.Add(1)
	}
}
func (*counter) Relayed(string, int)           {}
func (*counter) Measured(string, jobs.Measure) {}

// TestWorkersSend has real workers take the jobs up: of the control database, of a store
// and of its sandbox, and one that no repetition would help.
func TestWorkersSend(t *testing.T) {
	p := testdb.New(t, "mail"+ids.New("x")[20:], 1) // a queue of its own
	t.Cleanup(func() { _ = p.DB.Close() })
	server := serve(t)
	server.busy = 1
	o := openOn(t, p, func(c *mailer.Config) { c.Delivery = server.sender(t) })
	seen := &counter{}
	w := jobs.New(jobs.Config{DB: p.DB, Resolve: o.stores.ResolveJob, Workers: 4, Observer: seen, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	o.mailer.Register(w)
	w.Start(t.Context())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	account, shopper, tester, owner := somebody(), somebody(), somebody(), o.owner(t)
	err := o.DB.InControl(t.Context(), func(_ context.Context, tx *postgres.Tx) error {
		journal.Job(tx, mail.JobSend, mail.NewLetter(account, mail.PasswordReset{URL: "https://stoa.example.com/reset-password?token=x", ValidFor: 60}))
		journal.Job(tx, mail.JobSend, "not a letter")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	buyer, order := somebody(), ids.New("ord")
	o.within(t, o.live, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email,
			prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
		values ($1, nextval('order_numbers'), $2, '', 'open', 'paid', 'unfulfilled', 'EUR', $3, true, 5980, 490, 1033, 6470)`, order, ids.New("cart"), buyer)
	for ctx, to := range map[context.Context]string{o.live: shopper, o.test: tester} {
		err := o.DB.InStore(ctx, func(_ context.Context, tx *postgres.Tx) error {
			journal.Job(tx, mail.JobSend, mail.NewLetter(to, confirmation()))
			if to == shopper {
				orders.Mail(tx, orders.MailArgs{Kind: orders.Confirmation, OrderID: order})
				journal.Job(tx, mail.JobSend, mail.NewLetter("nobody@example.com", confirmation()))
				journal.Job(tx, webhooks.JobDisabled, webhooks.DisabledArgs{MailID: ids.New("mail"), URL: "https://hooks.example.com/", Reason: webhooks.ReasonGone})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	redistest.Eventually(t, 60*time.Second, "all mails are sent", func() bool {
		return len(server.to(account)) == 1 && len(server.to(buyer)) == 1 && len(server.to(shopper)) == 1 && len(server.to(owner)) == 1 && len(o.kept(t, tester)) == 1 && seen.aside.Load() == 2
	})
	body, err := io.ReadAll(server.to(buyer)[0].Body)
	if err != nil || !strings.Contains(strings.ReplaceAll(string(body), "=\r\n", ""), "https://"+o.host+".stoa.example.com/orders/"+order) {
		t.Errorf("the mail does not lead to the order, %v:\n%s", err, body)
	}
}

// What becomes scarce is told by one mail to each of those who keep the stock.
func TestTheStaffIsToldWhatIsScarce(t *testing.T) {
	o := open(t, nil)
	product, variant := ids.New("prod"), ids.New("var")
	o.staff = []string{somebody(), somebody()}
	o.within(t, o.live, `insert into products (id, handle, title, status) values ($1, $1, 'Bowl', 'active')`, product)
	o.within(t, o.live, `insert into variants (id, product_id, position, title, sku, stock, low_stock_threshold) values ($1, $2, 0, 'Blue', 'B-1', 2, 3)`, variant, product)
	o.within(t, o.live, `insert into events (id, type, object_id, object_sequence, data) values ($1, 'inventory.low', $2, 1, '{}')`, ids.New("evt"), variant)
	first := inventory.ScarceArgs{MailID: ids.New("mail"), At: clock.Now()}
	for _, args := range []inventory.ScarceArgs{first, {MailID: ids.New("mail"), At: clock.Now()}} {
		if err := o.mailer.StockLow(o.live, args); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range o.staff {
		kept := o.kept(t, to)
		if len(kept) != 1 || !strings.Contains(kept[0].HTML, "Bowl, Blue") || !strings.Contains(kept[0].Text, "B-1") {
			t.Errorf("%d mails are kept for %s", len(kept), to)
		}
	}
}

// Mails that their recipients can end say how, to mail programs as well.
func TestUnsubscribing(t *testing.T) {
	server := serve(t)
	o := open(t, func(c *mailer.Config) { c.Delivery = server.sender(t) })
	to := somebody()
	letter := mail.NewLetter(to, mail.CartAbandoned{URL: "https://linen.example.com/cart", Lines: []mail.Line{{Title: "Jug", Quantity: 1, Total: money.New(100, "EUR")}}})
	letter.Unsubscribe = "https://linen.example.com/unsubscribe/x?key=y"
	if err := o.mailer.Send(o.live, letter); err != nil {
		t.Fatal(err)
	}
	sent := server.to(to)
	if len(sent) != 1 || sent[0].Header.Get("List-Unsubscribe") != "<"+letter.Unsubscribe+">" || sent[0].Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("%v", sent)
	}
}

// A shop's mails have the colour of its buttons and its logo, in a size that is sharp.
func TestMailsLookLikeTheShop(t *testing.T) {
	o := open(t, nil)
	logo := ids.New("cimg")
	o.within(t, o.live, `insert into images (id, position, sizes) values ($1, 0, '[{"width": 160, "height": 40, "key": "s.png"}, {"width": 480, "height": 120, "key": "m.png"}, {"width": 1200, "height": 300, "key": "l.png"}]')`, logo)
	o.within(t, o.live, `update settings set theme = jsonb_build_object('accent_color', '#aa3366', 'design', jsonb_build_object('theme', 'catalogue', 'colors', jsonb_build_object('button', '#225588'), 'logo_image_id', $1::text, 'home', jsonb_build_array()))`, logo)
	letter := mail.NewLetter(somebody(), mail.CustomerVerifyEmail{URL: "https://linen.example.com/x", ValidFor: 1})
	if err := o.mailer.Send(o.live, letter); err != nil {
		t.Fatal(err)
	}
	got := o.kept(t, letter.To)[0]
	if !strings.Contains(got.HTML, `src="https://`+o.host+`.stoa.example.com/media/m.png" width="200" height="50"`) || !strings.Contains(got.HTML, "background:#225588") {
		t.Errorf("%s", got.HTML)
	}
}

// What a merchant has mails say is what they say, and previews show it of real orders.
func TestMailsSayWhatTheMerchantWrote(t *testing.T) {
	var failed []mail.Kind
	o := open(t, func(c *mailer.Config) { c.Failed = func(kind mail.Kind, _ error) { failed = append(failed, kind) } })
	o.within(t, o.live, `insert into mail_templates (kind, locale, subject, body_html) values
		('order_confirmation', 'de', 'Danke für {{number}}', '<p>Hallo {{name}}, <a href="{{url}}">hier</a>.</p>'), ('customer_verify_email', 'de', '{{', null)`)
	o.within(t, o.live, `update settings set invoicing = '{"seller": {"address": {"name": "Linen Ltd", "line1": "1 Sample Street", "city": "Berlin", "country": "DE"}}}'`)
	mailed := func(data mail.Data, change func(*mail.Letter)) mail.StoredMail {
		t.Helper()
		letter := mail.NewLetter(somebody(), data)
		change(&letter)
		if err := o.mailer.Send(o.live, letter); err != nil {
			t.Fatal(err)
		}
		return o.kept(t, letter.To)[0]
	}
	own := mailed(confirmation(), func(l *mail.Letter) { l.Test = true })
	if own.Subject != "[TEST] Danke für #1001" || !strings.Contains(own.Text, "Hallo Ann, hier (https://linen") || !strings.Contains(own.HTML, "Linen Ltd, 1 Sample Street, Berlin, DE · ") || !strings.Contains(own.HTML, `lang="de"`) {
		t.Errorf("%s\n%s", own.Subject, own.Text)
	}
	if english := mailed(confirmation(), func(l *mail.Letter) { l.Locale = "en" }); english.Subject != "Your order #1001" {
		t.Errorf("in English: %s", english.Subject)
	}
	broken := mailed(mail.CustomerVerifyEmail{URL: "https://linen.example.com/x", ValidFor: 1}, func(*mail.Letter) {})
	if broken.Subject != "Bestätigen Sie Ihre E-Mail-Adresse" || len(failed) != 1 || failed[0] != mail.KindCustomerVerifyEmail {
		t.Errorf("by a template that fails: %s, %v", broken.Subject, failed)
	}

	order, body := ids.New("ord"), `<p><a href="{{url}}">{{total}}</a></p>`
	o.within(t, o.live, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email,
			prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
		values ($1, 1044, $2, '', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 5980, 490, 1033, 6470)`, order, ids.New("cart"))
	draft := mailtemplates.Draft{Kind: mail.KindOrderConfirmation, Locale: "de", Body: &body, OrderID: order}
	shown, err := o.mailer.Preview(o.live, draft)
	if err != nil || shown.Subject != "Danke für #1044" || !strings.Contains(shown.Text, "64,70") || !strings.Contains(shown.Text, "/orders/"+order) || shown.FromName != "Linen & Clay" {
		t.Errorf("%v\n%+v", err, shown)
	}
	draft.Kind = mail.KindOrderShipped
	if _, err := o.mailer.Preview(o.live, draft); !problem.Is(err, "invalid_template") {
		t.Errorf("with variables of another kind: %v", err)
	}
	draft.Body = nil
	if _, err := o.mailer.Preview(o.live, draft); !problem.Is(err, "nothing_to_tell") {
		t.Errorf("of an order that nothing was sent of: %v", err)
	}
	draft.Kind, draft.OrderID = mail.KindOrderConfirmation, ids.New("ord")
	if _, err := o.mailer.Preview(o.live, draft); !problem.Is(err, "not_found") {
		t.Errorf("of no order: %v", err)
	}
	draft.OrderID = ""
	if shown, err = o.mailer.Preview(o.live, draft); err != nil || shown.Subject != "Danke für #1001" {
		t.Errorf("of a sample: %v, %s", err, shown.Subject)
	}
}
