package admin_test

import (
	"strings"
	"time"

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

	b.press("All sections")

	// It is moved up by the keyboard. A click on a section in the preview opens it; whoever clicks
	// while the page is renewed, or on a link, clicks again.
	b.until("the section in the second place", `(() => {
		const handles = [...document.querySelectorAll("button")].filter(e => e.getAttribute("aria-label")?.startsWith("Move "));
		const at = handles.findIndex(e => e.getAttribute("aria-label") === "Move Letters from the loom");
		if (at > 1) handles[at].dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp", bubbles: true}));
		return at === 1;
	})()`)
	b.shows("Saved as a draft")
	opened := `Boolean(` + field("Heading") + `)`
	for range 8 {
		b.at("the section", `[...document.querySelectorAll("main button")].find(e => e.textContent.startsWith("Letters from the loom"))`)
		b.press("All sections")
		time.Sleep(time.Second) // what moves in the preview cannot be seen from here
		b.at("the preview", `document.querySelector("iframe")`)
		time.Sleep(time.Second)
		if js[bool](b, opened) {
			break
		}
	}
	b.until("the section that was clicked on", opened)

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
