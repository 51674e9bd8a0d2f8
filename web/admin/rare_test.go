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
