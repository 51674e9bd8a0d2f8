package admin_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// run is a name that no other run has.
func run() string {
	id := ids.New("run")
	return id[len(id)-10:]
}

const password = "seven purple lanterns at dusk"

// TestMerchantsInTheirBackOffice goes the ways of a merchant in Chromium, from the sign-up on,
// in one browser and one program after the other.
func TestMerchantsInTheirBackOffice(t *testing.T) {
	t.Parallel()
	stripe := stripetest.New(t)
	names := catest.StartNames(t)
	p := apptest.Start(t, apptest.Env{"STOA_DOMAINS_ADDRESSES": here, "STOA_DNS_SERVER": names.Addr, "STOA_STRIPE_API_BASE": stripe.URL, "STOA_STRIPE_TEST_SECRET_KEY": "sk_test_platform", "STOA_STRIPE_SECRET_KEY": "sk_test_platform"})
	if status, text := get(t, p.URL+"/admin/"); status == http.StatusNotFound {
		if !strings.Contains(text, "Node.js") {
			t.Errorf("a program without a back office does not say what is missing: %s", text)
		}
		return
	}
	b := open(t, p)
	address, owner := "linen-"+run(), "ada-"+run()+"@example.com"
	began := time.Now()
	for _, way := range []struct {
		name string
		goes func()
	}{
		{"sign-up", func() { signUp(b, p, address, owner) }},
		{"first product", func() { firstProduct(b, p, address) }},
		{"sign-in", func() { signInAgain(b, owner) }},
		{"order", func() { order(b, p, address) }},
		{"selling", func() { selling(b, p, address) }},
		{"goods", func() { goods(b, p, address) }},
		{"what lies deeper", func() { deeper(b, p, address) }},
		{"settings", func() { settings(b, p, address, owner) }},
		{"online", func() { online(b, p, address) }},
		{"palette", func() { anything(b, p, address) }},
		{"german", func() { german(b, address) }},
		{"what is rare", func() { rare(b, p, stripe, address) }},
		{"domains", func() { domains(b, p, names, address) }},
		{"screens", func() { seen(t, b, p, address) }},
		{"the end", func() { end(b, p, address) }},
		{"a lesser role", func() { lesser(b, p, address) }},
	} {
		way.goes()
		t.Logf("%s took %v", way.name, time.Since(began).Round(100*time.Millisecond))
		began = time.Now()
	}
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// signUp opens a store on the platform's own page, which leads on to the first product. It is
// made one in which the test provider pays.
func signUp(b *browser, p *apptest.Program, address, email string) {
	b.t.Helper()
	b.visit("/sign-up")
	b.fill("store_name", "Linen & Co", "store_address", address, "country", "DE", "currency", "EUR", "email", email, "password", password, "name", "Ada Example")
	b.follow("main form .button")
	p.Exec(`update stores set demo = true where address = $1`, address)
	p.Exec(`update accounts set email_verified_at = now() where email = $1`, email)
	b.follow(`a[href$="/products/new"]`)
}

// firstProduct adds a product with a photo, and sees it in the shop.
func firstProduct(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	b.write("Title", "Linen shirt", "Price", "59", "Quantity", "12")
	if err := chromedp.Do(b.ctx, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{photo(b.t)})); err != nil {
		b.t.Fatal(err)
	}
	b.until("the photo", `document.querySelectorAll("main img").length === 1`)
	b.press("Save")
	b.shows("“Linen shirt” is there", "In the shop")
	b.until("the photo in the store", `document.querySelector("main img")?.src.includes("/media/")`)
	b.quietly("the first product")

	// What is typed is not lost by going elsewhere.
	b.write("Title", "Linen shirt, washed")
	b.press("Orders")
	b.shows("Leave without saving?")
	b.press("Stay here")
	b.press("Save")
	b.shows("Saved")
	b.press("Undo")
	b.shows("Taken back")
	b.until("the former title", field("Title")+`.value === "Linen shirt"`)

	shop := strings.TrimSuffix(p.Host(address).String(), "/")
	b.visit(shop + "/products/linen-shirt")
	b.shows("Linen shirt", "€59.00")
	b.until("the photo in the shop", `[...document.images].some(i => i.src.includes("/media/") && i.naturalWidth > 0)`)
}

// signInAgain signs out and in again, wrongly first, to where one wanted to go.
func signInAgain(b *browser, email string) {
	b.t.Helper()
	b.visit("/admin")
	b.press("Account")
	b.press("Sign out")
	b.shows("Forgotten your password?")
	b.visit("/admin/")
	b.write("E-mail address", email, "Password", "quite another password")
	b.press("Sign in")
	b.shows("E-mail address and password don’t belong together.")
	b.accessible("sign in")
	b.write("Password", password)
	b.press("Sign in")
	b.shows("On the way to your first order")
}

// order finds something in the shop and buys it, with a card that is declined and then with a
// good one, and sends it and pays some of it back in the office.
func order(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	shop := strings.TrimSuffix(p.Host(address).String(), "/")
	b.visit(shop + "/search?q=linnen+shirt")
	b.follow(`main a[href="/products/linen-shirt"]`)
	b.press("Add to cart")
	b.until("the cart", `fetch("/cart").then(answer => answer.text()).then(page => page.includes("Linen shirt"))`)
	b.visit(shop + "/checkout")
	b.fill("email", "grace@example.com", "name", "Grace Example", "line1", "1 Sample Street", "postal_code", "10115", "city", "Berlin")
	b.follow(`form[action="/checkout/contact"] .button`)
	if js[bool](b, `Boolean(document.querySelector('form[action="/checkout/shipping"]'))`) {
		b.follow(`form[action="/checkout/shipping"] .button`)
	}
	for _, card := range []struct{ token, shows string }{{"declined", "The payment was declined. Nothing was charged"}, {"succeeds", "Thank you"}} {
		b.until(card.token, `(() => { const e = document.querySelector("input[name=token][value=`+card.token+`]"); if (e) e.checked = true; return e !== null })()`)
		b.follow(`form[action="/checkout/pay"] .button`)
		b.shows(card.shows)
	}
	tracking := js[string](b, `location.href`)

	p.ForgetLimits() // nobody does so much so quickly
	b.visit("/admin/" + address)
	b.shows("1 order to send", "Grace Example")
	b.press("1 order to send")
	b.at("the order", `document.querySelector("tbody a")`)
	b.shows("Order #", "Paid", "1 Sample Street")
	b.press("Send")
	b.write("Tracking number", "JJD000123")
	b.accessible("sending")
	b.at("Send", found("[role=dialog] button", "Send"))
	b.shows("The parcel is noted", "JJD000123", "Sent")
	back := js[string](b, `location.href`)
	b.visit(tracking)
	b.shows("JJD000123")
	b.visit(back)
	b.press("Pay back")
	b.press("An amount")
	b.write("Amount", "5")
	b.shows("Pay back €5.00")
	b.press("Pay back €5.00")
	b.shows("€5.00 are paid back", "Partly paid back")
	b.write("Write a note. Only your team sees it.", "She was very kind.")
	b.press("Add the note")
	b.shows("She was very kind.", "by ada-")
	b.quietly("the order")
}

// lesser is somebody whose role lets them do less, who is told so.
func lesser(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	email := "support-" + run() + "@example.com"
	b.visit("/admin/" + address + "/staff?invite=yes")
	b.shows("Whom do you invite?")
	b.write("E-mail address", email)
	b.at("Role", field("Role"))
	b.press("Support")
	b.press("Send the invitation")
	b.shows(email + " is invited")
	token, err := p.MailParameter(b.ctx, email, "token")
	if err != nil {
		b.t.Fatal(err)
	}
	b.press("Account")
	b.press("Sign out")
	b.shows("Forgotten your password?")
	b.visit("/accept-invitation?token=" + token)
	b.fill("name", "Bo Example", "password", password)
	b.follow("main form .button")

	b.visit("/admin/" + address)
	b.shows("Hello, Bo")
	if menu := js[string](b, `document.querySelector("nav").innerText`); strings.Contains(menu, "Staff") || !strings.Contains(menu, "Customers") {
		b.t.Errorf("the menu of support is %q", menu)
	}
	b.visit("/admin/" + address + "/keys")
	b.shows("Your role does not include this", "keys:read")
	b.visit("/admin/" + address + "/orders")
	b.at("the order", `document.querySelector("tbody a")`)
	b.shows("Grace Example")
	if js[bool](b, `Boolean(`+found("button", "Pay back")+`)`) {
		b.t.Error("support is offered to pay back")
	}
	b.quietly("support")
}
