package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/stores"
)

func accentOf(color *string) stores.SettingsChange { return stores.SettingsChange{AccentColor: color} }

// newcomer is a filled-in sign-up, with an address and an e-mail address of its own.
func newcomer() url.Values {
	name := strings.NewReplacer("0", "", "1", "", "_", "", "m", "", "w", "", "n", "", "v", "").Replace(ids.New("x"))
	name = "q" + name[len(name)-13:]
	return url.Values{
		"store_name": {"Linen & Co"}, "store_address": {name}, "country": {"DE"}, "currency": {"EUR"},
		"email": {name + "@example.com"}, "name": {"Ada Example"}, "password": {"lantern orbit velvet marsh"},
	}
}

const sessionCookie = "__Host-stoa_session"

func TestSomebodySignsUpByAFormAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.visitor(t, "")
	b.get("/").says("Open a store", "curl https://"+domain+"/v1/products")
	b.get("/sign-up").status(http.StatusOK).says("Address of the shop", "."+domain, "Germany", "EUR")

	values := newcomer()
	email, address := values.Get("email"), values.Get("store_address")
	for _, wrong := range []struct{ field, value, says string }{
		{"store_name", " ", `id="store_name-fault"`}, {"store_address", "x", `id="store_address-fault"`}, {"store_address", "admin", `id="store_address-fault"`},
		{"country", "", `id="country-fault"`}, {"currency", "XXX", `id="currency-fault"`}, {"email", "nobody", `id="email-fault"`},
		{"password", "short", `id="password-fault"`}, {"password", "passwordpassword", `id="password-fault"`},
	} {
		changed := url.Values{}
		for name := range values {
			changed.Set(name, values.Get(name))
		}
		changed.Set(wrong.field, wrong.value)
		a := b.post("/sign-up", changed)
		if a.Code < 400 || a.Code >= 500 {
			t.Errorf("%s %q answered %d", wrong.field, wrong.value, a.Code)
		}
		a.says(wrong.says).lacks(values.Get("password"), "stoa_sk_")
		if wrong.field != "email" && !strings.Contains(a.page(), `value="`+email+`"`) {
			t.Errorf("%s: what was typed is gone", wrong.field)
		}
	}

	opened := b.post("/sign-up", values).status(http.StatusCreated).
		says("Your store is open", "https://"+address+"."+domain, "stoa_sk_live_", "stoa_pk_live_", "stoa_sk_test_", "stoa_pk_test_", "A mail with a link is on its way to "+email)
	if opened.Header().Get("Cache-Control") != "no-store" {
		t.Error("the keys may be kept")
	}
	if b.jar[sessionCookie] == nil {
		t.Fatal("nobody is signed in")
	}
	mine := b.get("/stores").status(http.StatusOK).says("Linen & Co", "https://"+address+"."+domain, "You are owner here.", "not confirmed yet").lacks("stoa_sk_")
	mine.lacks("--test." + domain)
	h.visitor(t, address).get("/").status(http.StatusOK).says("Linen & Co", "The shelves are being filled.")
	if to := b.post("/sign-up", values).status(http.StatusSeeOther).leadsTo(); to != "/stores" { // the page was reloaded
		t.Errorf("a form that was sent twice leads to %s", to)
	}

	b.follow("/verify-email/send", nil).says("A mail with a link is on its way")
	link := h.mailed(t, mail.KindAccountVerifyEmail, email)
	// Whatever follows links in mails confirms nothing by it.
	token := h.visitor(t, "").get(link).status(http.StatusOK).says("Confirm your e-mail address").hidden()
	b.get("/stores").says("not confirmed yet")
	h.visitor(t, "").post("/verify-email", token).status(http.StatusOK).says("Your address is confirmed")
	b.get("/stores").lacks("not confirmed yet")
	h.visitor(t, "").post("/verify-email", token).status(http.StatusUnprocessableEntity).says("This link was used, or is too old.")

	second := newcomer()
	for _, name := range []string{"email", "name", "password"} {
		second.Del(name)
	}
	b.get("/sign-up").says("Another store for " + email).lacks(`type="password"`)
	b.post("/sign-up", second).status(http.StatusCreated).says("stoa_sk_live_").lacks("Confirm your e-mail address")
	b.get("/stores").says(address, second.Get("store_address"))
	other := newcomer()
	h.visitor(t, "").post("/sign-up", other).status(http.StatusCreated)
	second.Set("store_address", other.Get("store_address"))
	b.post("/sign-up", second).status(http.StatusConflict).says(`id="store_address-fault"`)

	b.follow("/sign-out", nil).says("Many shops under one roof")
	if b.jar[sessionCookie] != nil {
		t.Error("the cookie stays")
	}
	if b.get("/stores").status(http.StatusSeeOther).leadsTo() != "/sign-in" {
		t.Error("the stores are shown to nobody in particular")
	}
	known := newcomer()
	known.Set("email", email)
	b.post("/sign-up", known).status(http.StatusUnprocessableEntity).says("We could not open a store with this e-mail address and password.").lacks("known", "exists")
}

func TestSomebodySignsIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	values := newcomer()
	email := values.Get("email")
	h.visitor(t, "").post("/sign-up", values).status(http.StatusCreated)

	b := h.visitor(t, "")
	b.get("/sign-in").says("Sign in", "Forgotten your password?")
	for _, wrong := range []url.Values{{"email": {email}, "password": {"wrong"}}, {"email": {"nobody@example.com"}, "password": {values.Get("password")}}, {}} {
		b.post("/sign-in", wrong).status(http.StatusUnprocessableEntity).says("don't belong together")
	}
	b.follow("/sign-in", url.Values{"email": {email}, "password": {values.Get("password")}}).says("Your stores", "Linen & Co")
	if to := b.get("/sign-in").status(http.StatusSeeOther).leadsTo(); to != "/stores" {
		t.Errorf("who is signed in is led to %s", to)
	}
	b.jar[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: "guessed"}
	b.get("/stores").status(http.StatusSeeOther)
	delete(b.jar, sessionCookie)

	b.post("/forgot-password", url.Values{"email": {"nobody@example.com"}}).status(http.StatusOK).says("If there is an account with this address")
	b.post("/forgot-password", url.Values{"email": {email}}).status(http.StatusOK).says("If there is an account with this address")
	form := b.get(h.mailed(t, mail.KindPasswordReset, email)).says("Choose a new password").hidden()
	form.Set("password", "short")
	b.post("/reset-password", form).status(http.StatusUnprocessableEntity).says("Choose a new password", `role="alert"`)
	form.Set("password", "copper lichen drizzle anthem")
	b.post("/reset-password", form).status(http.StatusOK).says("Your new password is in use")
	b.post("/sign-in", url.Values{"email": {email}, "password": {values.Get("password")}}).status(http.StatusUnprocessableEntity)
	b.follow("/sign-in", url.Values{"email": {email}, "password": {"copper lichen drizzle anthem"}}).says("Your stores")
	b.post("/reset-password", form).status(http.StatusUnprocessableEntity).says("This link was used, or is too old.")
	b.post("/confirm-email", url.Values{"token": {"guessed"}}).status(http.StatusUnprocessableEntity).says("This link was used, or is too old.")
}

func TestASandboxIsShownOnceThereIsOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	values := newcomer()
	address := values.Get("store_address")
	b := h.visitor(t, "")
	b.post("/sign-up", values).status(http.StatusCreated)
	sandbox := "https://" + address + "--test." + domain
	b.get("/stores").lacks(sandbox).says("when it is first used")
	var id string
	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select id from stores where address = $1`, address).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.stores.ByID(t.Context(), id, principal.Test); err != nil {
		t.Fatal(err)
	}
	b.get("/stores").says(sandbox)
	h.visitor(t, address+"--test").get("/").status(http.StatusOK).says("Sandbox.")
}

func TestTheContractIsShown(t *testing.T) {
	t.Parallel()
	b := open(t).visitor(t, "")
	for path, want := range map[string]struct{ kind, body string }{
		"/openapi.json": {"application/json", string(contract.JSON)}, "/openapi.yaml": {"application/yaml", string(contract.YAML)},
	} {
		a := b.get(path).status(http.StatusOK)
		if a.Body.String() != want.body || a.Header().Get("Content-Type") != want.kind || a.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", path, a.Header())
		}
		again := *b
		again.header = http.Header{"If-None-Match": {a.Header().Get("ETag")}}
		again.get(path).status(http.StatusNotModified)
	}
	docs := b.get("/docs").status(http.StatusOK).says("The API", `id="api"`)
	for _, pattern := range []string{`<script src="(/docs/swagger-ui-bundle.js)"`, `<script src="(/docs\.[0-9a-f]+\.js)"`, `<link rel="stylesheet" href="(/docs/swagger-ui.css)"`} {
		b.get(docs.find(pattern)).status(http.StatusOK)
	}
	if to := b.get("/docs/").status(http.StatusMovedPermanently).leadsTo(); to != "/docs" {
		t.Errorf("led to %s", to)
	}
	codes, err := contract.Errors()
	if err != nil {
		t.Fatal(err)
	}
	list := b.get("/docs/errors").status(http.StatusOK)
	for _, c := range codes {
		list.says(`id="` + c.Code + `"`)
	}
}

func TestMailsAreRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	to := ids.New("x") + "@example.com"
	letter := mail.StoredMail{ID: ids.New("mail"), Kind: "test", Recipient: to, Subject: `Hello <b>you</b>`, HTML: `<p style="color:red">Hi</p><script>alert(1)</script>`, Text: "Hi <there>"}
	if err := h.mailbox.Insert(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	b := h.visitor(t, "")
	list := b.get("/mailbox?to="+url.QueryEscape(strings.ToUpper(to))).says("Hello <b>you</b>", to)
	one := b.get(list.find(`href="(/mailbox/mail_[^"]+)"`)).says("Hi <there>", "<iframe")
	if found := active(t, one.Body.String()); len(found) != 1 { // the frame itself
		t.Errorf("it holds %q", found)
	}
	body := b.get(one.find(`<iframe[^>]*src="([^"]+)"`)).status(http.StatusOK)
	if policy := body.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the mail may do anything: %s", policy)
	}
	b.get("/mailbox/mail_none").status(http.StatusNotFound)
}

func TestAStoreIsAtAnAddressMadeOfItsName(t *testing.T) {
	t.Parallel()
	h := open(t)
	values := newcomer()
	name := values.Get("store_address")
	values.Set("store_name", "The "+name+" & Co")
	values.Set("store_address", "")
	h.visitor(t, "").post("/sign-up", values).status(http.StatusCreated).says("the-" + name + "-and-co." + domain)

	// Another one of that name is told where the first one is, and can say otherwise.
	again := newcomer()
	again.Set("store_name", values.Get("store_name"))
	again.Set("store_address", "")
	h.visitor(t, "").post("/sign-up", again).status(http.StatusConflict).says(`id="store_address-fault"`, `value="the-`+name+`-and-co"`)
}
