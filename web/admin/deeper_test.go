package admin_test

import (
	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/app/apptest"
)

// deeper gives what is seldom given, and sees by filters what is seldom looked for.
func deeper(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	p.ForgetLimits()
	numbers(b, p, "/admin/"+address, address)
	agreement(b, "/admin/"+address)
	narrowed(b, "/admin/"+address)
	counting(b, "/admin/"+address)
}

// is waits for a field to hold a value.
func (b *browser) is(label, value string) {
	b.t.Helper()
	b.until(label+" "+value, field(label)+"?.value === "+quote(value))
}

// numbers makes stock-keeping numbers from a pattern, of a new product and of a choice that is
// added to it, and changes prices by an amount.
func numbers(b *browser, p *apptest.Program, office, address string) {
	b.t.Helper()
	b.visit(office + "/products/new")
	b.press("Add an option")
	b.write("Option", "Size", "Choices", "Small", "Title", "Vase", "Choices", "Extra large", "Title", "Vase") // each is one as soon as it is left
	b.write("Stock-keeping numbers from a pattern", "V-{2}")
	b.shows("In braces stand 1, 2 or 3 for an option that there is, or n.")
	b.write("Stock-keeping numbers from a pattern", "V-{1}-{n}")
	b.is("Small: SKU", "V-SMALL-1")
	b.is("Extra large: SKU", "V-EXTRA-LARGE-2")
	b.write("The same price for all", "20")
	b.accessible("numbers from a pattern")
	b.press("Save")
	b.shows("“Vase” is there", "In the shop")
	b.write("Choices", "Weiß & süß", "Title", "Vase")
	b.write("Stock-keeping numbers from a pattern", "V-{1}-{n}")
	b.shows("One variant will be made.", "They will be V-WEISS-AND-SUSS-3.")
	b.press("Save")
	b.shows("Saved")
	b.is("Weiß & süß: SKU", "V-WEISS-AND-SUSS-3") // as the API makes it
	b.quietly("numbers from a pattern")

	b.visit(office + "/products")
	b.at("the vase", field("Choose: Vase"))
	b.at("what to do", found("[role=region] button", "Actions"))
	b.press("Change prices")
	b.until("the dialog's own focus", `document.activeElement?.closest("[role=dialog]") !== null`)
	b.write("And by an amount", "-2.5")
	b.accessible("prices by an amount")
	b.press("Change")
	b.until("the other price", `fetch("/v1/products?handle=vase", {headers: {"Stoa-Store": `+quote(apptest.Query[string](p, `select id from stores where address = $1`, address)[0])+`, "Stoa-Mode": "live"}}).then(answer => answer.json()).then(list => list.data[0].variants.every(variant => variant.prices[0].amount === 1750))`)
	b.quietly("prices by an amount")
}

// agreement notes that a customer agreed to text messages, and writes them an address.
func agreement(b *browser, office string) {
	b.t.Helper()
	b.visit(office + "/customers")
	b.at("the customer", `document.querySelector("tbody a")`)
	b.press("Agreed to be sent text messages")
	b.write("In which words", "On paper, at the fair.")
	b.press("Add")
	b.write("Name", "Grace at work", "Street and number", "2 Sample Street", "City", "Bonn")
	b.accessible("an address")
	b.press("Done")
	b.press("Save")
	b.shows("An address in this country needs its postal code.")
	b.press("Edit: Grace at work")
	b.write("Postal code", "53111")
	b.press("Done")
	b.press("Save")
	b.shows("Saved", "Grace at work", "“On paper, at the fair.”")
	b.visit(office + "/customers?view=sms")
	b.shows("grace@example.com", "By SMS")
	b.visit(office + "/customers?view=newsletter")
	b.shows("No customer is like that.")
}

// narrowed sees who did what and who called, by a click on them, and what is nearly sold out.
func narrowed(b *browser, office string) {
	b.t.Helper()
	b.visit(office + "/history")
	b.at("who it was", `[...document.querySelectorAll("tbody button")].find(e => e.ariaLabel?.startsWith("Only: ada-"))`)
	b.until("the filter", `/[?&]actor=acc_/.test(location.search)`)
	b.at("the filter's end", `[...document.querySelectorAll("main button")].find(e => e.ariaLabel?.startsWith("No longer only: ada-"))`)
	b.until("no filter", `location.search === ""`)
	b.visit(office + "/requests")
	b.at("who called", `[...document.querySelectorAll("tbody button")].find(e => e.ariaLabel?.startsWith("Only: ada-"))`)
	b.until("the filter", `/[?&]actor=acc_/.test(location.search)`)
	b.shows("/v1/")

	b.visit(office + "/stock")
	b.press("Filter")
	b.write("Can be sold: fewer than", "5")
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent("\r")); err != nil {
		b.t.Fatal(err)
	}
	b.until("the filter", `new URLSearchParams(location.search).get("below") === "5"`)
	b.until("what is nearly sold out", `document.body.innerText.includes("Bowl") && !document.body.innerText.includes("Mug")`)
	b.quietly("filters")
}

// counting types over how many there are of several things at once.
func counting(b *browser, office string) {
	b.t.Helper()
	b.visit(office + "/stock/count")
	b.write("Mug: There", "7", "Bowl: There", "4", "Note", "The shelf by the door")
	b.shows("-5", "+1")
	b.accessible("counting")
	b.press("Save")
	b.shows("The stock is changed")
	b.visit(office + "/stock/count")
	b.is("Mug: There", "7")
	b.is("Bowl: There", "4")
	b.quietly("counting")
}
