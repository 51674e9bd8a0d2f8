package admin_test

import (
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"github.com/stoacommerce/stoa/app/apptest"
)

// settings goes through what a store is set up with, and how its owner signs in.
func settings(b *browser, p *apptest.Program, address, email string) {
	b.t.Helper()
	p.ForgetLimits()

	// What is typed is there again, whatever happens to the page.
	b.visit("/admin/" + address + "/webhooks?new=yes")
	b.write("What it is for", "The books")
	b.until("what is kept", `Object.keys(sessionStorage).some(key => key.includes("/webhooks"))`)
	b.visit("/admin/" + address + "/webhooks?new=yes")
	b.shows("What you had typed here is back")
	b.until("what was typed", field("What it is for")+`?.value === "The books"`)
	b.at("Discard", found("button", "Discard"))
	b.until("an empty field", field("What it is for")+`?.value === ""`)
	sentIsForgotten(b, address)

	b.visit("/admin/" + address + "/shipping?zone=new")
	b.write("Name", "Home")
	b.press("Save")
	b.shows("There is no way to send here yet")
	b.press("Add a way to send")
	b.write("Name", "Bicycle", "Price", "6.90")
	b.at("Where to", field("Where to"))
	b.press("Home")
	b.accessible("a way to send")
	b.press("Save")
	b.shows("Bicycle", "€6.90")
	p.ForgetLimits()
	b.visit("/admin/" + address + "/payments?method=new")
	b.write("Name", "Bank transfer", "Instructions", "Please transfer the total.")
	b.press("Save")
	b.shows("Bank transfer", "Please transfer the total.")

	// The sandbox has no order yet, and so is led to one.
	p.ForgetLimits() // nobody goes so quickly
	b.visit("/admin/" + address + "--test")
	b.press("Try it with sample products")
	b.until("the pictures", `!document.querySelector("button[data-loading]")`)
	b.shows("Six sample products are there", "There are sample products in your shop", "Choose a theme, your colours and your logo, and publish it.")
	p.ForgetLimits()
	b.press("Remove them")
	b.shows("The sample products are removed", "Try it with sample products")
	b.quietly("settings")
	secured(b, p, address, email)
}

// sentIsForgotten writes a form, whose fields change on their way out, over a slow network: what
// was sent is not there again.
func sentIsForgotten(b *browser, address string) {
	b.t.Helper()
	b.visit("/admin/" + address + "/groups?new=yes")
	b.write("Name", "Regulars")
	b.until("what is kept", `Object.keys(sessionStorage).some(key => key.includes("/groups"))`)
	js[bool](b, `(() => { const near = fetch, held = new Promise(go => { window.letGo = go }); window.fetch = (...asked) => held.then(() => near(...asked)); return true })()`)
	b.at("the sending", found("[role=dialog] button[type=submit]", "Save"))
	b.write("Name", "Regularsx")
	b.write("Name", "Regulars")
	js[bool](b, `(() => { window.letGo(); return true })()`)
	b.until("the group", `!document.querySelector("[role=dialog]") && document.body.innerText.includes("Regulars")`)
	if js[bool](b, `Object.keys(sessionStorage).some(key => key.includes("/groups"))`) {
		b.t.Error("a form that was sent is kept")
	}
}

// secured gives the owner an authenticator and a passkey, and signs in by each of them.
func secured(b *browser, p *apptest.Program, address, email string) {
	b.t.Helper()
	p.ForgetLimits()
	out := func() {
		b.press("Account")
		b.press("Sign out")
		b.shows("Forgotten your password?")
	}
	b.visit("/admin/" + address + "/account?do=totp")
	b.write("Present password", "quite another password")
	b.press("Continue")
	b.shows("The password is wrong.")
	b.write("Present password", password)
	b.press("Continue")
	b.shows("Or type this into it:")
	b.accessible("an authenticator")
	code, err := totp.GenerateCode(js[string](b, `document.querySelector("[role=dialog] code").textContent`), time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	b.write("Code", code)
	b.press("Turn on")
	b.shows("Keep your recovery codes")
	recovery := js[string](b, `document.querySelector("[role=dialog] code").textContent`)
	b.press("I have kept them")
	p.ForgetLimits()

	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	device := webauthn.VirtualAuthenticatorOptions{Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}
	if _, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &device}); err != nil {
		b.t.Fatal(err)
	}
	b.press("Add a passkey")
	b.write("Present password", password, "Name", "The desk")
	b.press("Continue")
	b.shows("The passkey is added", "The desk", "never used")
	out()
	b.press("Sign in with a passkey")
	b.shows("What waits for you")
	out()
	b.write("E-mail address", email, "Password", password)
	b.press("Sign in")
	b.write("Code", recovery)
	b.press("Sign in")
	b.shows("What waits for you")
	b.quietly("the account")
}
