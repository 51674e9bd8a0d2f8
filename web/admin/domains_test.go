package admin_test

import (
	"strconv"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
)

// here is where merchants' domains are to lead.
const here = "127.0.0.1"

// domains brings a domain to two stores, one after the other, through all that can become of it.
func domains(b *browser, p *apptest.Program, names *catest.Names, address string) {
	b.t.Helper()
	p.ForgetLimits()
	office, name := "/admin/"+address, "www."+address+".com"
	store := func(address string) string {
		return apptest.Query[string](p, `select id from stores where address = $1`, address)[0]
	}

	// A whole address is pasted. Nobody knows the domain yet.
	add := func(office string) {
		b.visit(office + "/domains?new=yes")
		b.write("Your domain", "https://"+name+"/")
		b.press("Add")
		b.shows(name+" is added", "Waits for records", "Proves that it is yours")
	}
	// Who is told that something is slow asks again.
	look := func(shows ...string) {
		button := found("main button", "Look now")
		b.until(shows[0], `(() => { if (document.body.innerText.includes(`+strconv.Quote(shows[0])+`)) return true; const e = `+button+`; if (e && !e.dataset.loading && Date.now() - (window.lookedAt ?? 0) > 4000) { window.lookedAt = Date.now(); e.click() } return false })()`)
		js[bool](b, `(() => { window.lookedAt = 0; return true })()`)
		b.shows(shows...)
	}
	add(office)
	names.Break(true)
	look("Nobody answers for this domain yet", "Not looked up yet")
	names.Break(false)

	// It leads to somebody else, whose record has to go.
	proof, alias := b.records(store(address), name)
	names.Set(b.t, name, "A", "203.0.113.7")
	look("The record is missing that proves", "Records to remove", "203.0.113.7")
	b.accessible("a domain that leads elsewhere")
	names.Set(b.t, name, "A")
	names.Set(b.t, proof[0], "TXT", strconv.Quote(proof[1]))
	look("The record is missing that leads to your shop.")
	names.Set(b.t, name, "CNAME", alias)
	names.Set(b.t, alias, "A", here)
	look(name+" is connected", "Connected", "Primary", "Leads to the primary domain")

	// Another store wants it, whose merchant sees why it cannot have it, and what to do.
	other := "wool-" + run()
	b.visit("/sign-up")
	b.fill("store_name", "Wool & Co", "store_address", other, "country", "DE", "currency", "EUR")
	b.follow("main form .button")
	p.ForgetLimits()
	add("/admin/" + other)
	second, _ := b.records(store(other), name)
	names.Set(b.t, proof[0], "TXT", strconv.Quote(proof[1]), strconv.Quote(second[1]))
	look("Another store is at this domain", "take its TXT record away")
	b.visit("/admin/" + other + "/domains") // it stays told
	b.shows("Another store is at this domain")
	b.accessible("a domain of another store")
	names.Set(b.t, proof[0], "TXT", strconv.Quote(second[1]))
	look(name+" is connected", "Connected")

	// It has gone from the first store; and from the second, when it leads here no more.
	b.visit(office + "/domains")
	b.shows("Lost", "It has led elsewhere for too long")
	b.press("Find anything …Ctrl K")
	b.write("Find anything …", name)
	b.shows("Lost")
	names.Set(b.t, name, "CNAME")
	names.Set(b.t, name, "A", "203.0.113.7")
	b.visit("/admin/" + other + "/domains")
	again := func(shows ...string) {
		b.press("Actions: " + name)
		b.at("Look now", found("[role=menuitem]", "Look now"))
		b.shows(shows...)
	}
	again("Leads elsewhere", "Your shop is still shown here for a day.", "Records to remove")
	p.Exec(`update domains set failing_since = now() - interval '1 day' where state = 'failing' and name = $1`, name)
	again("Lost", "your shop is not shown here any more")
	b.accessible("a domain that is lost")
	b.quietly("domains")
}

// records are what has to be set for a domain: the name and the value of the proof, and whose
// alias the domain is to be.
func (b *browser) records(store, name string) (proof [2]string, alias string) {
	b.t.Helper()
	told := js[[]string](b, `(async () => {
		const answer = await fetch("/v1/domains?limit=100", {headers: {"Stoa-Store": `+quote(store)+`, "Stoa-Mode": "live"}});
		const domain = (await answer.json()).data.find(each => each.name === `+quote(name)+`), of = type => domain.records.find(each => each.type === type);
		return [of("TXT").name, of("TXT").value, of("CNAME").value];
	})()`)
	return [2]string{told[0], told[1]}, told[2]
}
