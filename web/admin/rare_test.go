package admin_test

import (
	"fmt"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
)

// rare is what merchants do once: they connect Stripe, and take that back.
func rare(b *browser, p *apptest.Program, stripe *stripetest.Stripe, address string) {
	b.t.Helper()
	p.ForgetLimits()
	office := "/admin/" + address

	// Who is sent to Stripe and comes back too soon is led there again.
	b.visit(office + "/payments")
	b.press("Connect Stripe")
	b.until("Stripe's own page", `location.href.startsWith("`+stripe.URL+`/onboard/acct_")`)
	b.visit(office + "/payments")
	b.shows("acct_", "Not complete yet", "Complete it at Stripe")
	b.quietly("Stripe")
	remove := `[...document.querySelectorAll("main button")].find(e => e.textContent === "Remove")`
	b.at("the account's end", remove)
	b.shows("Remove the Stripe account?")
	b.at("the removal", found("[role=dialog] button", "Remove"))
	b.shows("The Stripe account is removed", "Connect Stripe")

	b.press("Use keys of your own")
	b.write("Secret key", "sk_test_of_nobody")
	b.press("Save")
	b.shows("It is a secret key of a Stripe account")
	b.write("Secret key", stripe.Account("acct_own"))
	b.press("Save")
	b.shows("The keys are saved", "acct_own", "Takes payments")
	b.accessible("Stripe by one's own keys")
	b.quietly("keys of one's own")

	// What cannot be loaded anew for the moment stays, with what is being typed into it.
	b.visit(office + "/settings")
	b.write("Name", "Half a na")
	refused := js[int](b, `(async () => {
		const [theirs, now, until] = [fetch, Date.now, ms => new Promise(go => setTimeout(go, ms))];
		let asked = 0;
		fetch = async () => { asked++; return new Response("{}", {status: 500}) };
		Date.now = () => now() + 60_000; // what is here is old
		dispatchEvent(new Event("visibilitychange"));
		for (let n = 0; n < 100 && asked === 0; n++) await until(50);
		await until(200);
		[fetch, Date.now] = [theirs, now];
		return asked;
	})()`)
	if kept := js[string](b, field("Name")+`?.value ?? ""`); refused == 0 || kept != "Half a na" {
		b.t.Errorf("after %d refused requests, the name that is being typed is %q", refused, kept)
	}
	b.press("Discard")
	b.quietly("what cannot be loaded anew")
}

// end deletes the store, and brings it back.
func end(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	p.ForgetLimits()
	b.visit("/admin/" + address + "/plan")
	b.press("Delete the store")
	b.shows("Delete this store?")
	b.accessible("the end")
	b.write(fmt.Sprintf("Type %s to go on", address), address)
	b.at("the end", found("[role=dialog] button", "Delete the store"))
	b.shows("Deleted. You can still bring it back.")
	b.press("Bring it back")
	b.until("the store", `!document.body.innerText.includes("Deleted. You can still bring it back.")`)
	b.visit("/admin/" + address)
	b.shows("What waits for you")
	b.quietly("the end of a store")
}
