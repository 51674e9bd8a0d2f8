package admin_test

import (
	"strings"

	"github.com/stoacommerce/stoa/app/apptest"
)

// online designs the shop while looking at it, and fills it with what is no product.
func online(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	shop := strings.TrimSuffix(p.Host(address).String(), "/")
	b.visit("/admin/" + address + "/theme")
	b.press("Customise")
	b.until("the preview", `document.querySelector("iframe")?.checkVisibility({visibilityProperty: true})`)
	b.press("Add a section")
	b.at("the section of words", `[...document.querySelectorAll("[role=dialog] button")].find(e => e.textContent === "TextWords alone.")`)
	b.write("Heading", "Letters from the loom")
	b.shows("Saved as a draft")

	// A click on it in the preview, which shows it in its middle, opens it.
	b.press("All sections")
	b.at("the section", `[...document.querySelectorAll("main button")].find(e => e.textContent.startsWith("Letters from the loom"))`)
	b.press("All sections")
	b.at("the preview", `document.querySelector("iframe")`)
	b.until("the section that was clicked on", field("Heading")+`?.value === "Letters from the loom"`)

	// What cannot be read is refused at its colour, and taken back.
	b.visit("/admin/" + address + "/theme/edit?part=look")
	b.write("Links", "#eeeeee")
	b.shows("needs 4.5:1 to be read", "Not saved")
	b.press("Undo")
	b.shows("Saved as a draft")
	b.accessible("the design")
	b.press("Publish")
	b.shows("Your shop has its new looks")
	b.quietly("the theme")
	b.visit(shop)
	b.shows("Letters from the loom")

	b.visit("/admin/" + address + "/pages/new?purpose=legal_notice")
	b.write("Title", "Imprint")
	b.press("Save")
	b.shows("“Imprint” is there")
	b.visit("/admin/" + address + "/menus?menu=footer")
	b.press("Arrange it yourself")
	b.press("Save")
	b.shows("The menu is saved")
	b.visit("/admin/" + address + "/mails/order_shipped")
	b.write("Subject", "{{pasword}}")
	b.shows("There is no variable pasword here.")
	b.write("Subject", "{{number}} has left us")
	b.shows("#1001 has left us")
	b.press("Save")
	b.shows("The mail is saved")
	b.quietly("what is no product")
}
