package bench

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/internal/bench/report"
	"github.com/stoacommerce/stoa/web/browsertest"
)

// away is how far the browser is from the program, in milliseconds that each request takes more.
const away = 100

// clicks is how often each thing is done.
const clicks = 15

// deed is something that a merchant does by a click: what is clicked on, and what shows that it
// is done, both as expressions. It is done and undone in turn: back is what shows it then, and
// where the way back is something else, it has a name of its own.
type deed struct {
	name            string
	at              string // the screen that it is done on
	click           string
	done            string
	backClick, back string
	backName        string
}

// named is an expression for the last thing of a kind that is called so.
func named(selector, name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].findLast(e => e.checkVisibility() && (e.getAttribute("aria-label") ?? e.textContent).trim() === %q)`, selector, name)
}

// headed is whether a screen shows all of itself.
func headed(title string) string {
	return fmt.Sprintf(`document.querySelector("h1")?.textContent === %q && !document.querySelector(".mantine-Skeleton-root")`, title)
}

const (
	switched = `[...document.querySelectorAll("main input[role=switch]")].at(-1)`
	firstWay = `[...document.querySelectorAll("main p")].find(e => ["Bank transfer", "Cash"].includes(e.textContent))?.textContent`
	firstRow = `[...document.querySelectorAll("tbody a")][0]`
	// described is whether the top of a product's screen is there, down to its description.
	described = `Boolean(document.querySelector("main h1") && document.querySelector("main [contenteditable]")?.checkVisibility())`
	upwards   = `[...document.querySelectorAll("main button")].find(e => e.textContent === "Up")`
)

var deeds = []deed{
	{"to a list that was seen before, and to another", "/orders", named("nav a", "Products"), headed("Products"), named("nav a", "Orders"), headed("Orders"), ""},
	{"to a product that was seen before", "/products", firstRow, described, named("nav a", "Products"), headed("Products"), "from a product back to the list"},
	{"a dialog opens, and closes", "/payments", named("button", "Edit"), `Boolean(document.querySelector("[role=dialog]")?.checkVisibility())`, `document.querySelector("[role=dialog] header button")`, `!document.querySelector("[role=dialog]")`, ""},
	{"a switch is turned on, and off", "/payments", switched, `!` + switched + `.checked`, switched, switched + `.checked`, ""},
	{"a list is put in another order", "/payments", upwards, firstWay + ` === "Cash"`, upwards, firstWay + ` === "Bank transfer"`, ""},
}

// BenchmarkOffice measures how long it takes from a click in the back office until what was
// clicked for can be seen, while the program is a slow network away.
func BenchmarkOffice(b *testing.B) {
	w := newWorld(b)
	base := strings.Replace(w.URL, "127.0.0.1", "localhost", 1) + "/admin/"
	w.call("PATCH", "/v1/payment-settings", w.keys.Secret, object{"providers": []string{"manual"}, "manual_methods": []object{
		{"id": "bank", "name": "Bank transfer", "instructions": "Please transfer the total."}, {"id": "cash", "name": "Cash", "instructions": "Please bring it."},
	}})
	browser := browsertest.Open(b)
	browser.Visit(base)
	browser.Until("the sign-in", `Boolean(document.querySelector("input[type=password]"))`)
	browser.Do(chromedp.SendKeys(chromedp.CSS("input[type=email]"), "ada@example.com"), chromedp.SendKeys(chromedp.CSS("input[type=password]"), "seven purple lanterns at dusk"),
		chromedp.Click(chromedp.CSS("button[type=submit]")))
	browser.Until("the office", `Boolean(document.querySelector("nav"))`)
	table := report.Table{
		Title: "The back office, from a click to what is seen",
		Note: fmt.Sprintf("In Chromium, over a network that keeps each request waiting for %d ms more than it takes, %d times each. It is what the eye sees: what is written is shown before it is, and taken back should it be refused.",
			away, clicks),
	}
	for _, d := range deeds {
		browser.Visit(base + w.address + d.at)
		browser.Until(d.at, `!document.querySelector(".mantine-Skeleton-root") && Boolean(`+d.click+`)`)
		browsertest.JS[bool](browser, fmt.Sprintf(`(() => { const near = fetch; window.fetch = (...asked) => new Promise(go => setTimeout(go, %d)).then(() => near(...asked)); return true })()`, away))
		var took report.Samples
		for n := range clicks*2 + 2 {
			click, done := d.click, d.done
			if n%2 == 1 {
				click, done = d.backClick, d.back
			}
			browser.Until(d.name, `Boolean(`+click+`)`)
			took = append(took, browsertest.JS[float64](browser, fmt.Sprintf(`(async () => {
				const began = performance.now(), done = () => %s;
				(%s).click();
				while (!done()) {
					if (performance.now() - began > 10_000) throw new Error("it does not come");
					await new Promise(requestAnimationFrame);
				}
				return performance.now() - began;
			})()`, done, click)))
			// Whoever clicks again waits until it is written.
			browser.Until("nothing more", fmt.Sprintf(`new Promise(quiet => setTimeout(quiet, %d)).then(() => !document.querySelector("[data-loading]"))`, 4*away))
		}
		took = took[2:] // the first loads what is remembered later
		if d.backName == "" {
			table.Rows = append(table.Rows, took.AtMost(d.name, "%.0f ms", 100))
			continue
		}
		var there, back report.Samples
		for n := 0; n < len(took); n += 2 {
			there, back = append(there, took[n]), append(back, took[n+1])
		}
		table.Rows = append(table.Rows, there.AtMost(d.name, "%.0f ms", 100), back.AtMost(d.backName, "%.0f ms", 100))
	}
	report.Publish(b, "office", []report.Table{table})
}
