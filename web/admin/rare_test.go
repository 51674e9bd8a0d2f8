package admin_test

import (
	"fmt"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/commerce/payments/stripetest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// rare is what merchants do once, or hope never to see: Stripe is connected, a domain leads
// elsewhere, and the store ends and is brought back.
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

	// A domain in each of its states.
	store := apptest.Query[string](p, `select id from stores where address = $1`, address)[0]
	for _, state := range []string{"pending", "active", "failing", "lost"} {
		p.Exec(`insert into domains (id, store_id, name, state, check_at, verified_at, failing_since) values ($1, $2, $3, $4, now() + interval '1 day', now(), case when $4 in ('failing', 'lost') then now() end)`,
			ids.New("dom"), store, state+"-"+address+".example.com", state)
	}
	b.visit(office + "/domains")
	b.shows("Waits for records", "Connected", "Primary", "Leads elsewhere", "Its records lead elsewhere.", "Lost", "It has led elsewhere for too long")
	b.accessible("domains in all states")
	b.press("Find anything …Ctrl K")
	b.write("Find anything …", "failing-"+address)
	b.shows("Failing")
	b.quietly("domains")
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
