package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

const (
	customerCookie = "__Host-stoa-customer"
	goodPassword   = "lantern orbit velvet marsh"
)

// post takes what would be sent.
type post struct{ letters []mail.Letter }

func (p *post) Send(_ context.Context, letter mail.Letter) error {
	p.letters = append(p.letters, letter)
	return nil
}

// deliver writes the mails about accounts of a shop, as workers do, and gives the address
// in the shop that the last one to somebody leads to.
func (s *shop) deliver(t testing.TB, to string) (path string) {
	t.Helper()
	ref, _ := postgres.StoreFrom(s.Ctx)
	var jobs []json.RawMessage
	err := s.h.db.InCell(t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select array_agg(args order by id) from cell.outbox where kind = $1 and args->>'email' = $2`, customers.JobMail, to).Scan(&jobs)
	})
	if err != nil {
		t.Fatal(err)
	}
	var sent post
	for _, raw := range jobs {
		var args customers.MailArgs
		if err := json.Unmarshal(raw, &args); err != nil {
			t.Fatal(err)
		}
		if err := (&customers.Mailer{DB: s.h.db, Post: &sent, Links: s.h.links}).Send(s.Ctx, args); err != nil {
			t.Fatal(err)
		}
	}
	if len(sent.letters) == 0 {
		t.Fatalf("no mail to %s", to)
	}
	var data struct {
		URL       string `json:"url"`
		SignInURL string `json:"sign_in_url"`
		ResetURL  string `json:"reset_url"`
	}
	if err := json.Unmarshal(sent.letters[len(sent.letters)-1].Data, &data); err != nil {
		t.Fatal(err)
	}
	store, err := s.h.stores.ByAddress(t.Context(), s.label)
	if err != nil {
		t.Fatal(err)
	}
	path, within := strings.CutPrefix(data.URL+data.SignInURL+data.ResetURL, s.h.links.Base(store))
	if !within {
		t.Fatalf("the mail leads to %s", data.URL+data.SignInURL+data.ResetURL)
	}
	return path
}

func shopperAddress() string { return ids.New("cus") + "@example.com" }

func TestAShopperHasAnAccount(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	s.product(t, "Vase", nil)
	b, email := h.visitor(t, s.label), shopperAddress()

	if to := b.get("/account").status(http.StatusSeeOther).leadsTo(); to != "/account/sign-in" {
		t.Errorf("led to %s", to)
	}
	b.get("/account/sign-in").says("Sign in", `href="/account/register"`)
	b.get("/account/register").says("Create an account", `autocomplete="new-password"`)
	for field, wrong := range map[string]string{"email": "nobody", "password": "short", "name": strings.Repeat("x", 256)} {
		values := url.Values{"email": {email}, "password": {goodPassword}, "name": {"Ada Example"}}
		values.Set(field, wrong)
		b.post("/account/register", values).status(http.StatusUnprocessableEntity).
			says(`id="`+field+`-fault"`, `aria-describedby="`+field+`-fault"`, "Something is not right yet").lacks(goodPassword)
	}
	account := url.Values{"email": {email}, "password": {goodPassword}, "name": {"Ada Example"}}
	b.post("/account/register", account).status(http.StatusOK).says("Look into your mail")
	if b.jar[customerCookie] != nil {
		t.Error("somebody is signed in before the address is proven")
	}
	b.post("/account/sign-in", account).status(http.StatusUnprocessableEntity).says("do not belong together")

	// Whatever follows links in mails confirms nothing by it.
	link := s.deliver(t, email)
	for range 2 {
		scanner := h.visitor(t, s.label)
		if scanner.get(link).status(http.StatusOK); len(scanner.jar) > 0 {
			t.Error("a link signs in")
		}
	}
	b.put("/products/linen-shirt", "1") // a cart that was begun before
	token := b.get(link).says("Confirm your e-mail address").hidden()
	b.follow("/account/verify", token).says("you are signed in", email, "There are none yet.")
	h.visitor(t, s.label).post("/account/verify", token).status(http.StatusUnprocessableEntity).says("This link does not work any more")
	b.get("/account/verify").status(http.StatusNotFound)

	// The checkout knows who buys, and the account what was bought and where it went.
	b.get("/checkout").says("You are signed in as "+email, `value="`+email+`"`)
	b.follow("/checkout/contact", contact("email", email))
	b.follow("/checkout/shipping", url.Values{"method": {s.Standard}})
	order := b.pay(b.get("/checkout"), "succeeds").status(http.StatusSeeOther).leadsTo()
	b.get("/account").says("Order 1001", "In preparation", "1 × Linen shirt", "10115 Berlin", `href="`+order+`"`)
	b.put("/products/vase", "1")
	b.get("/checkout").says(email, "Invalidenstraße 1", "10115 Berlin", "Continue to payment")

	// Another browser sees the order once it is signed in, and nobody else's does.
	other := h.visitor(t, s.label)
	other.get(order).status(http.StatusNotFound)
	other.put("/products/vase", "2")
	other.get("/checkout").says(`href="/account/sign-in?next=checkout"`)
	if next := other.get("/account/sign-in?next=checkout").hidden(); next.Get("next") != "checkout" {
		t.Errorf("%v", next)
	}
	other.follow("/account/sign-in", url.Values{"email": {strings.ToUpper(email)}, "password": {goodPassword}, "next": {"checkout"}}).
		says(email, "10115 Berlin", "Continue to payment")
	other.get("/checkout?step=contact").says("You are signed in as "+email, `value="10115"`)
	other.get(order).status(http.StatusOK).says("Ada Example")
	if to := other.get("/account/sign-in?next=https://evil.example").status(http.StatusSeeOther).leadsTo(); to != "/account" {
		t.Errorf("led to %s", to)
	}
	stranger := s.customer(t)
	stranger.get(order).status(http.StatusNotFound).lacks("Ada Example")

	other.follow("/account/sign-out", nil).says("Linen shirt")
	if len(other.jar) > 0 {
		t.Errorf("signing out leaves %v", other.jar)
	}
	other.get("/account").status(http.StatusSeeOther)
	b.get("/account").status(http.StatusOK)
}

// customer is somebody who is signed in to the shop.
func (s *shop) customer(t testing.TB) *browser {
	t.Helper()
	b, email := s.h.visitor(t, s.label), shopperAddress()
	b.post("/account/register", url.Values{"email": {email}, "password": {goodPassword}}).status(http.StatusOK)
	b.follow("/account/verify", b.get(s.deliver(t, email)).hidden()).status(http.StatusOK)
	return b
}

func TestAKnownShopperIsToldByMailAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	b, email := h.visitor(t, s.label), shopperAddress()
	account := url.Values{"email": {email}, "password": {goodPassword}}
	first := b.post("/account/register", account).text()
	b.post("/account/verify", b.get(s.deliver(t, email)).hidden()).status(http.StatusSeeOther)
	stranger := h.visitor(t, s.label)
	if again := stranger.post("/account/register", account).text(); again != first {
		t.Errorf("a known address is told apart: %s", again)
	}
	if link := s.deliver(t, email); link != "/account/sign-in" {
		t.Errorf("the mail leads to %s", link)
	}
}

func TestAShopperForgetsThePassword(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Vase", nil)
	b, email := h.visitor(t, s.label), shopperAddress()
	b.post("/account/register", url.Values{"email": {email}, "password": {goodPassword}}).status(http.StatusOK)
	b.follow("/account/verify", b.get(s.deliver(t, email)).hidden()).status(http.StatusOK)

	other := h.visitor(t, s.label)
	other.put("/products/vase", "1")
	other.get("/account/sign-in").says("Forgotten your password?", `href="/account/forgot-password"`)
	other.get("/account/forgot-password").says("Send the link", `name="email"`)
	known := other.post("/account/forgot-password", url.Values{"email": {email}}).status(http.StatusOK).says("Look into your mail").text()
	if unknown := other.post("/account/forgot-password", url.Values{"email": {"nobody@example.com"}}).status(http.StatusOK).text(); unknown != known {
		t.Errorf("a known address is told apart: %s", unknown)
	}
	link := s.deliver(t, email)
	form := other.get(link).status(http.StatusOK).says("Choose a new password", `autocomplete="new-password"`).hidden()
	other.get("/account/reset-password").status(http.StatusNotFound)
	form.Set("password", "short")
	other.post("/account/reset-password", form).status(http.StatusUnprocessableEntity).says(`id="password-fault"`, `value="`+form.Get("token")+`"`)
	form.Set("password", "a third bench in the rain")
	other.follow("/account/reset-password", form).says("Your new password is kept", email)
	other.get("/cart").says("Vase")
	b.get("/account").status(http.StatusSeeOther)
	b.post("/account/reset-password", form).status(http.StatusUnprocessableEntity).says("This link does not work any more")
	b.post("/account/sign-in", url.Values{"email": {email}, "password": {"a third bench in the rain"}}).status(http.StatusSeeOther)
	if to := s.deliver(t, email); to != "/account/forgot-password" {
		t.Errorf("the mail that tells of it leads to %s", to)
	}
}

func TestAShopperChangesTheirDetails(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	b := s.customer(t)
	b.get("/account").says("No address is kept yet.")
	b.get("/account/details").says(`id="address_line1"`, `value="DE" selected`)
	values := url.Values{
		"name": {"Ada Example"}, "phone": {"+49 30 1234"}, "marketing": {"yes"}, "address_name": {"Ada Example"}, "address_line1": {""},
		"address_postal_code": {"1"}, "address_city": {"Berlin"}, "address_country": {"DE"},
	}
	b.post("/account/details", values).status(http.StatusUnprocessableEntity).
		says(`id="address_line1-fault"`, `id="address_postal_code-fault"`, `value="Berlin"`).lacks(`id="address_city-fault"`)
	values.Set("address_line1", "Invalidenstraße 1")
	values.Set("address_postal_code", "10115")
	b.follow("/account/details", values).says("Your details are saved.", "10115 Berlin", "+49 30 1234")
	b.get("/account/details").says(`value="Invalidenstraße 1"`, `name="marketing" value="yes" checked`)
	b.follow("/account/details", url.Values{"address_country": {"DE"}}).says("No address is kept yet.").lacks("+49 30 1234")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from customers where accepts_marketing or name <> ''`); n != 0 {
		t.Error("what was taken out is still there")
	}
	b.jar[customerCookie] = &http.Cookie{Name: customerCookie, Value: "cs_guessed"}
	b.get("/account/details").status(http.StatusSeeOther)
	b.post("/account/details", values).status(http.StatusSeeOther)
}

func TestAShopperKeepsAnAddressBook(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	b := s.customer(t)
	b.get("/account").says(`href="/account/addresses"`, `href="/account/email"`)
	b.get("/account/addresses").says("No address is kept yet.", `href="/account/addresses/new"`)
	b.get("/account/addresses/new").says(`id="address_line1"`, `name="default_shipping" value="yes" checked`)
	b.get("/account/addresses/adr_none").status(http.StatusNotFound)
	values := url.Values{
		"address_name": {"Ada Example"}, "address_line1": {""}, "address_postal_code": {"10115"}, "address_city": {"Berlin"}, "address_country": {"DE"},
		"default_shipping": {"yes"}, "default_billing": {"yes"},
	}
	b.post("/account/addresses/new", values).status(http.StatusUnprocessableEntity).says(`id="address_line1-fault"`, `value="Berlin"`)
	values.Set("address_line1", "Invalidenstraße 1")
	b.follow("/account/addresses/new", values).says("10115 Berlin", "Filled in as delivery address", "Filled in as billing address")
	values.Set("address_city", "Potsdam")
	values.Del("default_billing")
	b.follow("/account/addresses/new", values).says("10115 Potsdam")
	kept := shoptest.Value[string](t, s.Shop, `select concat_ws(' ', addresses->0->>'id', addresses->1->>'id', default_address->>'city', default_billing_address->>'city') from customers`)
	var first, second, shipping, billing string
	if _, err := fmt.Sscan(kept, &first, &second, &shipping, &billing); err != nil || shipping != "Potsdam" || billing != "Berlin" {
		t.Fatalf("kept: %s, %v", kept, err)
	}
	b.get("/account/addresses/" + second).says(`value="Potsdam"`)
	values.Set("address_city", "Bonn")
	b.follow("/account/addresses/"+second, values).says("10115 Bonn").lacks("Potsdam")
	b.follow("/account/addresses/"+first+"/remove", nil).lacks("10115 Berlin")
	h.visitor(t, s.label).get("/account/addresses").status(http.StatusSeeOther)
}

func TestAShopperChangesTheEmailAddress(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	b, email := s.customer(t), shopperAddress()
	h.visitor(t, s.label).get("/account/email").status(http.StatusSeeOther)
	b.get("/account/email").says("Your e-mail address", `autocomplete="current-password"`)
	b.post("/account/email", url.Values{"email": {"nobody"}, "password": {goodPassword}}).status(http.StatusUnprocessableEntity).says(`id="email-fault"`)
	b.post("/account/email", url.Values{"email": {email}, "password": {"wrong"}}).status(http.StatusUnprocessableEntity).says("This is not your password.")
	b.post("/account/email", url.Values{"email": {email}, "password": {goodPassword}}).status(http.StatusOK).says("Look into your mail")
	link := s.deliver(t, email)
	h.visitor(t, s.label).get(link).status(http.StatusUnauthorized).says("Please sign in first")
	token := b.get(link).says("Confirm your e-mail address").hidden()
	s.customer(t).post("/account/email/confirm", token).status(http.StatusUnprocessableEntity).says("This link does not work any more")
	b.follow("/account/email/confirm", token).says(email, "Your details are saved.")
	b.get("/account/email/confirm").status(http.StatusNotFound)
}

func TestNewsAreAskedForAndEnded(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	b, email := h.visitor(t, s.label), shopperAddress()
	b.get("/newsletter").says("The shop may write to me about new things", `name="email"`)
	b.post("/newsletter", url.Values{"email": {"nobody"}}).status(http.StatusUnprocessableEntity).says(`id="email-fault"`)
	b.post("/newsletter", url.Values{"email": {email}}).status(http.StatusOK).says("Look into your mail")
	link := s.deliver(t, email)
	token := b.get(link).says("Confirm the address").hidden()
	b.post("/newsletter/confirm", token).status(http.StatusOK).says("Thank you")
	b.post("/newsletter/confirm", token).status(http.StatusUnprocessableEntity).says("This link does not work any more")
	b.get("/newsletter/confirm").status(http.StatusNotFound)
	id := shoptest.Value[string](t, s.Shop, `select customer_id from marketing_consents where granted and wording = 'The shop may write to me about new things'`)
	address, err := h.links.Unsubscribe(s.Ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b.get(u.Path + "?key=guessed").status(http.StatusNotFound)
	b.post(u.Path+"?key=guessed", nil).status(http.StatusNotFound)
	b.get(u.RequestURI()).says("Unsubscribe", `action="`+u.RequestURI()+`"`)
	if !shoptest.Value[bool](t, s.Shop, `select accepts_marketing from customers`) {
		t.Error("a link that was looked at ends it")
	}
	h.visitor(t, s.label).post(u.RequestURI(), url.Values{"List-Unsubscribe": {"One-Click"}}).status(http.StatusOK).says("Nothing more is sent to you")
	if shoptest.Value[bool](t, s.Shop, `select accepts_marketing from customers`) {
		t.Error("it goes on")
	}

	b.get("/account/sign-in").says(`href="/find-order"`)
	b.get("/find-order").says("Find your order")
	answer := b.post("/find-order", url.Values{"number": {"#1001"}, "email": {email}}).status(http.StatusOK).says("Look into your mail").text()
	if none := b.post("/find-order", url.Values{"number": {"what"}, "email": {"nobody"}}).status(http.StatusOK).text(); none != answer {
		t.Errorf("told apart: %s", none)
	}
}

// Who wants to know when something is back says so twice: on its page, and by the link that
// comes by mail, which nothing but a button follows.
func TestAShopperWaitsForWhatIsSoldOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	s.product(t, "Vase", nil)
	b, email := h.visitor(t, s.label), shopperAddress()
	variant := shoptest.Value[string](t, s.Shop, `select v.id from variants v join products p on p.id = v.product_id where p.title = 'Vase' limit 1`)
	wish := url.Values{"variant": {variant}, "email": {email}}
	b.post("/stock-alerts", wish).status(http.StatusUnprocessableEntity).says("It is back already")
	s.Exec(t, `update variants set track_stock = true, stock = reserved where id = $1`, variant)
	b.post("/stock-alerts", url.Values{"variant": {variant}, "email": {"nobody"}}).status(http.StatusUnprocessableEntity).says("That did not work")
	b.post("/stock-alerts", wish).status(http.StatusOK).says("Look into your mail")
	id := shoptest.Value[string](t, s.Shop, `select id from stock_alerts where email = $1`, email)
	path := func(find func(context.Context, string) (string, error)) string {
		address, err := find(s.Ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u.RequestURI()
	}
	confirm, end := path(h.links.ConfirmAlert), path(h.links.EndAlert)
	b.get(strings.Replace(confirm, "key=", "key=x", 1)).status(http.StatusNotFound)
	b.get(confirm).status(http.StatusOK).says("Yes, tell me")
	b.post(confirm, nil).status(http.StatusOK).says("We tell you once it is back.")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from stock_alerts where confirmed_at is not null`); n != 1 {
		t.Errorf("%d wishes are confirmed", n)
	}
	b.get(end).status(http.StatusOK).says("Do not tell me")
	b.post(end, url.Values{"List-Unsubscribe": {"One-Click"}}).status(http.StatusOK).says("Nothing more is sent to you")
	b.post(confirm, nil).status(http.StatusNotFound).says("This link does not work any more")
}
