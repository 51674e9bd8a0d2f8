package admin_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/ids"
)

// screen is one to look at: its address, and a text that it shows once all of it is there.
type screen struct{ path, shows string }

// screens are those that are at the same address in every store.
var screens = []screen{
	{"", "What waits for you"},
	{"/orders", "Grace Example"},
	{"/drafts", "grace@example.com"},
	{"/drafts/new", "Nothing is in it yet"},
	{"/returns", "Closed"},
	{"/carts", "No carts"},
	{"/carts?reminders=yes", "Reminders"},
	{"/promotions", "Summer"},
	{"/promotions/new", "Buy some, get some"},
	{"/promotions/new?kind=buy_x_get_y", "Who buys"},
	{"/gift-cards", "€25.00"},
	{"/gift-cards?new=yes", "Amount of each"},
	{"/products", "Linen shirt"},
	{"/products/new", "Title"},
	{"/products/grid", "Columns"},
	{"/collections", "Of clay"},
	{"/collections/new", "By a rule"},
	{"/categories", "Vessels"},
	{"/stock", "Linen shirt"},
	{"/stock/count", "Linen shirt"},
	{"/transfers", "To the fair"},
	{"/price-lists", "Winter prices"},
	{"/reviews", "It holds water."},
	{"/exchange", "Import of products"},
	{"/exchange/import", "Drop a CSV file here"},
	{"/groups", "Restaurants"},
	{"/customers", "grace@example.com"},
	{"/erasures", "Ticket 4711"},
	{"/analytics", "How it comes about"},
	{"/analytics?report=conversion", "From the first look to the order"},
	{"/analytics?report=products", "Linen shirt"},
	{"/theme", "Customise"},
	{"/theme/edit", "Add a section"},
	{"/pages", "Legal notice"},
	{"/pages/new", "Title"},
	{"/blog", "How we glaze"},
	{"/blog/new", "Title"},
	{"/menus", "Main menu"},
	{"/domains", "It has led elsewhere for too long"},
	{"/domains?new=yes", "Domain"},
	{"/access", "Everybody may come in."},
	{"/languages", "Main language"},
	{"/searches", "linnen shirt"},
	{"/mails", "Order confirmation"},
	{"/mails/order_shipped", "Variables"},
	{"/settings", "Currencies and taxes"},
	{"/payments", "Bank transfer"},
	{"/payments?method=new", "Instructions"},
	{"/shipping", "Bicycle"},
	{"/shipping?zone=new", "Only your team reads it."},
	{"/taxes", "Germany"},
	{"/invoices", "Credit notes"},
	{"/locations", "The barn"},
	{"/locations?location=new", "What is here is for sale"},
	{"/fields", "Fired at"},
	{"/plan", "All plans"},
	{"/account", "The desk"},
	{"/staff", "Built in"},
	{"/staff?invite=yes", "Whom do you invite?"},
	{"/history", "Webhook endpoint made"},
	{"/keys", "Active"},
	{"/keys?new=yes", "Make the key"},
	{"/webhooks", "example.com/in"},
	{"/events", "order."},
	{"/requests", "/v1/"},
	{"/nowhere", "This is not here"},
}

// filled makes one of each that no other way has made, and gives the screens of single things.
func filled(b *browser, p *apptest.Program, address string) []screen {
	b.t.Helper()
	p.ForgetLimits()
	store := apptest.Query[string](p, `select id from stores where address = $1`, address)[0]
	b.visit("/admin/" + address)
	make := func(path, body string) string { return b.made(store, "POST", path, body) }
	first := func(path string) string { return b.made(store, "GET", path, "") }
	quoted := func(body string) string { return "`" + body + "`" }

	product, customer, order := first("/products?handle=linen-shirt"), first("/customers?limit=1"), first("/orders?limit=1")
	post := make("/posts", quoted(`{"title": "How we glaze", "body_html": "<p>Slowly.</p>", "published_at": "2026-01-01T00:00:00Z"}`))
	list := make("/price-lists", quoted(`{"name": "Winter prices", "kind": "sale", "active": false}`))
	category := make("/categories", quoted(`{"name": "Vessels"}`))
	group := make("/customer-groups", quoted(`{"name": "Restaurants"}`))
	here := first("/locations?limit=1")
	barn := make("/locations", quoted(`{"name": "The barn"}`))
	hook := make("/webhook-endpoints", quoted(`{"url": "https://example.com/in", "description": "The ledger", "event_types": ["order.*"]}`))
	make("/field-definitions", quoted(`{"resource": "product", "key": "firing", "name": "Fired at", "type": "text"}`))
	make("/personal-data/erasures", quoted(`{"email": "nobody@example.com", "reason": "Ticket 4711"}`))
	variant := js[string](b, `fetch("/v1/products/`+product+`", {headers: {"Stoa-Store": "`+store+`", "Stoa-Mode": "live"}}).then(answer => answer.json()).then(product => product.variants[0].id)`)
	transfer := make("/inventory/transfers", quoted(`{"from_location_id": "`+here+`", "to_location_id": "`+barn+`", "note": "To the fair", "lines": [{"variant_id": "`+variant+`", "quantity": 1}]}`))
	review := ids.New("rev")
	schema := apptest.Query[string](p, `select 's_' || number from schemas where store_id = $1 and mode = 'live'`, store)[0]
	p.Exec(`insert into `+schema+`.reviews (id, product_id, customer_id, rating, title, body, author, verified) values ($1, $2, $3, 4, 'Wonderful', 'It holds water.', 'Grace', true)`, review, product, customer)

	return []screen{
		{"--test", "To the live side"},
		{"/orders/" + order, "Order #"},
		{"/orders/" + order + "/edit", "Add products"},
		{"/drafts/" + first("/draft-orders?limit=1"), "Link to pay"},
		{"/promotions/" + first("/promotions?limit=1"), "Codes"},
		{"/gift-cards/" + first("/gift-cards?limit=1"), "€25.00"},
		{"/products/" + product, "In search engines"},
		{"/collections/" + first("/collections?limit=1"), "Bowl"},
		{"/categories?id=" + category, "Vessels"},
		{"/transfers?id=" + transfer, "To the fair"},
		{"/price-lists/" + list, "Winter prices"},
		{"/reviews?id=" + review, "Wonderful"},
		{"/exchange/" + first("/operations?limit=1"), "What became of it"},
		{"/groups?id=" + group, "Restaurants"},
		{"/customers/" + customer, "Grace Example"},
		{"/erasures?id=" + first("/personal-data/erasures"), "What became of the data"},
		{"/pages/" + first("/pages?limit=1"), "Imprint"},
		{"/blog/" + post, "How we glaze"},
		{"/menus?menu=footer", "Footer"},
		{"/locations?location=" + barn, "The barn"},
		{"/webhooks/" + hook, "example.com/in"},
	}
}

// seen looks at every screen as axe: at all of it on a desk in light, and at what differs on a
// phone in the dark. Several tabs look at a part each.
func seen(t *testing.T, b *browser, p *apptest.Program, address string) {
	all := append(filled(b, p, address), screens...)
	const tabs = 2
	t.Run("screens", func(t *testing.T) {
		for n := range tabs {
			t.Run([]string{"first", "second"}[n], func(t *testing.T) {
				t.Parallel()
				tab := &browser{Browser: b.Tab(t), t: t, base: b.base}
				tab.ctx = tab.Context()
				tab.visit("/admin/" + address)
				for i := n; i < len(all); i += tabs {
					look(tab, p, address, all[i])
				}
			})
		}
	})
}

func look(b *browser, p *apptest.Program, address string, one screen) {
	b.t.Helper()
	p.ForgetLimits() // nobody looks at so much so quickly
	b.looks("light", 1280, 900)
	b.goTo("/admin/" + address + "/nowhere") // what the screen before shows is seen no more
	b.shows("This is not here")
	b.watch()
	b.goTo("/admin/" + address + one.path)
	b.shows(one.shows)
	b.until("all of "+one.path, `!document.querySelector(".mantine-Skeleton-root")`)
	b.still(one.path)
	b.accessible(one.path + " on a desk")
	b.looks("dark", 390, 844)
	b.until("the night", `document.documentElement.dataset.mantineColorScheme === "dark"`)
	b.Readable(one.path + " on a phone at night")
	b.quietly(one.path)
}

// steady is how much of a screen may move after one has begun to see it, as browsers count it: how
// much of it moves, times how far.
const steady = 0.1

// watch begins to count what moves on the screen by itself.
func (b *browser) watch() {
	b.t.Helper()
	js[bool](b, `(() => {
		window.moves?.disconnect();
		window.moved = [];
		window.moves = new PerformanceObserver(list => window.moved.push(...list.getEntries().filter(move => !move.hadRecentInput)));
		window.moves.observe({type: "layout-shift"});
		return true;
	})()`)
}

// still holds that nothing has moved to speak of since watch.
func (b *browser) still(screen string) {
	b.t.Helper()
	moved := js[struct {
		By   float64
		What string
	}](b, `(async () => {
		for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame);
		const seen = [...window.moved, ...window.moves.takeRecords()], name = ({node}) => (node?.nodeType === 1 ? node : node?.parentElement)?.outerHTML.replace(/\s+/g, " ").slice(0, 120);
		return {By: seen.reduce((sum, {value}) => sum + value, 0), What: seen.map(({value, sources}) => value.toFixed(3) + ": " + sources.map(name).join(", ")).join("\n")};
	})()`)
	if moved.By > steady {
		b.t.Errorf("%.2f of %s moves by itself:\n%s", moved.By, screen, moved.What)
	}
}

// anything is found by a few letters of it, whatever it is.
func anything(b *browser, p *apptest.Program, address string) {
	b.t.Helper()
	p.ForgetLimits()
	for _, each := range []struct{ letters, press, leads string }{
		{"shirt", "Linen shirt", "/products/prod_"},
		{"of cla", "Of clay", "/collections/col_"},
		{"summer", "Summer", "/promotions/prm_"},
		{"impri", "Imprint", "/pages/page_"},
		{"#1001", "#1001", "/orders/ord_"},
		{"bicy", "Bicycle", "/shipping?method=shp_"},
	} {
		b.visit("/admin/" + address)
		b.press("Find anything …Ctrl K")
		b.write("Find anything …", each.letters)
		b.at(each.press, `[...document.querySelectorAll("[role=dialog] button, .mantine-Spotlight-action")].find(e => e.checkVisibility() && e.textContent.startsWith(`+quote(each.press)+`))`)
		b.until(each.letters, `(location.pathname + location.search).includes(`+quote(each.leads)+`)`)
	}
	b.visit("/admin/" + address)
	b.press("Find anything …Ctrl K")
	b.write("Find anything …", "linen")
	b.shows("Linen shirt")
	b.accessible("the palette")
	b.quietly("the palette")
}

func quote(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

// german is an office in German, which tells in German what the API finds wrong.
func german(b *browser, address string) {
	b.t.Helper()
	js[bool](b, `(() => { localStorage.setItem("stoa.language", "de"); return true })()`)
	b.visit("/admin/" + address + "/promotions/new?kind=percentage")
	b.write("Name", "Noch einer", "Code", "summer")
	b.press("Speichern")
	b.shows("Diesen Code gibt es schon.")
	b.press("Verwerfen")
	b.visit("/admin/" + address + "/mails/order_shipped")
	b.shows("Die Nummer der Bestellung.")
	js[bool](b, `(() => { localStorage.removeItem("stoa.language"); return true })()`)
	b.quietly("German")
}
