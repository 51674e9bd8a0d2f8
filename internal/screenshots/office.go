package main

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/internal/click"
)

// filled is a script that makes one of each thing that a store has none of.
//
//go:embed filled.js
var filled string

// fill fills the store of the back office that is signed in to.
func (p *photographer) fill(store fillable) error {
	if store.Key == "" {
		return nil
	}
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](fmt.Sprintf("(%s)(%q, %q)", strings.TrimSuffix(strings.TrimSpace(scriptOf(filled)), ";"), store.ID, store.Key), chromedp.EvalAwaitPromise)); err != nil {
		return fmt.Errorf("fill the store: %w", err)
	}
	return nil
}

// scriptOf is a script without the comment that it begins with.
func scriptOf(text string) string { return text[strings.Index(text, "async "):] }

// office signs in to the back office and looks at every screen of the store that the shop is of,
// which has one of each thing. A screen whose thing is not there is a fault.
func (p *photographer) office(shop, site, email, password string, store fillable) error {
	if err := p.scripts(true); err != nil {
		return err
	}
	_, host, _ := strings.Cut(shop, "://")
	address, _, _ := strings.Cut(host, ".")
	base := site + "/admin/" + address
	at := func(address string) error {
		return steps(func() error { return chromedp.Do(p.ctx, chromedp.Navigate(address)) }, p.settle)
	}
	wanted := func(name string, do ...func() error) func() error {
		if !strings.Contains(name, p.named) {
			return func() error { return nil }
		}
		return func() error { return steps(append(do, func() error { return p.snap("office-" + name) })...) }
	}
	screen := func(name, path string) func() error {
		return wanted(name, func() error { return at(base + path) })
	}
	// first is the first thing of a list, and what lies below it.
	first := func(name, list, prefix, below string) func() error {
		return wanted(name, func() error { return at(base + list) }, func() error {
			path := ""
			for n := 0; n < 50 && path == ""; n++ {
				var err error
				if path, err = chromedp.Run(p.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector('main a[href*=%q]')?.pathname ?? ""`, prefix))); err != nil {
					return fmt.Errorf("look for %s in %s: %w", prefix, list, err)
				}
				if path == "" {
					if err := p.wait(100 * time.Millisecond); err != nil {
						return err
					}
				}
			}
			if path == "" {
				return fmt.Errorf("%s leads to no %s", list, prefix)
			}
			return at(site + path + below)
		})
	}
	// press presses the first thing that a selector tells and that has one of these texts, if
	// there are any.
	press := func(selector string, texts ...string) func() error {
		return func() error {
			there, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(() => { const texts = %q.split("|"), e = [...document.querySelectorAll(%q)].find(e => texts[0] === "" || texts.includes(e.textContent)); e?.click(); return Boolean(e) })()`, strings.Join(texts, "|"), selector)))
			if err != nil {
				return fmt.Errorf("press %s %v: %w", selector, texts, err)
			}
			if !there {
				return fmt.Errorf("there is nothing to press at %s %v", selector, texts)
			}
			return p.settle()
		}
	}
	// pressed is what a button of the screen before opens; opened, what the first row of a list does.
	pressed := func(name string, texts ...string) func() error { return wanted(name, press("main button", texts...)) }
	opened := func(name, path string) func() error {
		return wanted(name, func() error { return at(base + path) }, press("main tbody button, main tbody tr [role=button], main [class*=row] button[class*=name]"))
	}
	return steps(
		func() error { return p.signIn(site, email, password) },
		p.speak,
		func() error { return p.fill(store) },
		screen("home", "?days=30"), screen("orders", "/orders"),
		first("order-to-send", "/orders?view=send", "/orders/ord_", ""), pressed("order-to-send-dialog", "Send", "Versenden"),
		first("order-refunded", "/orders?view=send", "/orders/ord_", ""), pressed("order-refunded-dialog", "Pay back", "Erstatten"), first("order-edit", "/orders?view=send", "/orders/ord_", "/edit"),
		first("order-returned", "/returns", "/orders/ord_", ""), screen("orders-none", "/orders?q=nobody@example.com"),
		screen("drafts", "/drafts"), first("draft", "/drafts", "/drafts/cart_", ""), screen("draft-new", "/drafts/new"), screen("returns", "/returns"),
		screen("carts", "/carts"), first("cart", "/carts?view=every", "/carts/cart_", ""), screen("cart-reminders", "/carts?reminders=yes"),
		screen("promotions", "/promotions"), first("promotion", "/promotions", "/promotions/prm_", ""), screen("promotion-kinds", "/promotions/new"),
		screen("promotion-new", "/promotions/new?kind=buy_x_get_y"), screen("gift-cards", "/gift-cards"), first("gift-card", "/gift-cards", "/gift-cards/gc_", ""),
		screen("gift-card-new", "/gift-cards?new=yes"),
		screen("products", "/products"), first("product", "/products", "/products/prod_", ""), screen("product-new", "/products/new"),
		screen("products-table", "/products/grid"), screen("collections", "/collections"), first("collection", "/collections", "/collections/col_", ""), screen("collection-new", "/collections/new"),
		screen("categories", "/categories"), screen("stock-count", "/stock/count"), screen("transfers", "/transfers"), opened("category", "/categories"), opened("transfer", "/transfers"), screen("price-lists", "/price-lists"), first("price-list", "/price-lists", "/price-lists/plist_", ""),
		opened("review", "/reviews"), screen("reviews", "/reviews"), screen("exchange", "/exchange"), screen("import", "/exchange/import"), first("operation", "/exchange", "/exchange/op_", ""), screen("groups", "/groups"),
		screen("stock", "/stock"), screen("customers", "/customers"), first("customer", "/customers", "/customers/cus_", ""), screen("erasures", "/erasures"), opened("erasure", "/erasures"),
		screen("theme", "/theme"), screen("theme-edit", "/theme/edit"), screen("theme-look", "/theme/edit?part=look"), screen("pages", "/pages"), first("page", "/pages", "/pages/page_", ""), screen("page-new", "/pages/new"), screen("blog", "/blog"), first("post", "/blog", "/blog/post_", ""), screen("post-new", "/blog/new"),
		screen("menus", "/menus"), screen("domains", "/domains"), screen("domain-new", "/domains?new=yes"), screen("access", "/access"), screen("languages", "/languages"), screen("searches", "/searches"),
		screen("mails", "/mails"), screen("mail", "/mails/order_shipped"),
		screen("analytics", "/analytics"), screen("analytics-visitors", "/analytics?report=conversion"), screen("analytics-products", "/analytics?report=products&days=365"),
		screen("settings", "/settings"), screen("payments", "/payments"), screen("payment-new", "/payments?method=new"), screen("shipping", "/shipping"), screen("shipping-new", "/shipping?method=new"), screen("taxes", "/taxes"),
		screen("invoices", "/invoices"), screen("zone-new", "/shipping?zone=new"), screen("locations", "/locations"), screen("location-new", "/locations?location=new"), screen("fields", "/fields"), screen("field-new", "/fields?field=new"), screen("plan", "/plan"), screen("account", "/account"),
		screen("staff", "/staff"), screen("invite", "/staff?invite=yes"), screen("history", "/history"),
		screen("keys", "/keys"), screen("key-new", "/keys?new=yes"), screen("webhooks", "/webhooks"), screen("webhook-new", "/webhooks?new=yes"), first("webhook", "/webhooks", "/webhooks/whe_", ""), screen("events", "/events"), screen("requests", "/requests"),
		wanted("sandbox", func() error { return at(base + "--test") }), screen("missing", "/nowhere"), p.palette,
	)
}

// speak has the office speak the look's language.
func (p *photographer) speak() error {
	if !p.look.german {
		return nil
	}
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`(() => { localStorage.setItem("stoa.language", "de"); return true })()`))
	return err
}

// palette looks for something, from home.
func (p *photographer) palette() error {
	if !strings.Contains("palette", p.named) {
		return nil
	}
	const search = `[role=dialog] input`
	return steps(
		func() error {
			_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`(() => { document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "k", code: "KeyK", ctrlKey: true, bubbles: true})); return true })()`))
			return err
		},
		func() error {
			return chromedp.Do(p.ctx, chromedp.WaitVisible(chromedp.CSS(search)), chromedp.SendKeys(chromedp.CSS(search), "li"))
		},
		func() error { return p.wait(2 * time.Second) },
		func() error { return p.snap("office-palette") },
	)
}

// signIn signs in on the office's own page, of which it makes a picture, unless somebody is
// signed in already.
func (p *photographer) signIn(site, email, password string) error {
	if err := steps(
		func() error { return chromedp.Do(p.ctx, chromedp.Navigate(site+"/admin/sign-in")) },
		p.settle,
	); err != nil {
		return err
	}
	form, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`Boolean(document.querySelector("input[type=password]"))`))
	if err != nil || !form {
		return err
	}
	return steps(
		func() error { return p.snap("office-sign-in") },
		func() error {
			return chromedp.Do(p.ctx, chromedp.SendKeys(chromedp.CSS("input[type=email]"), email), chromedp.SendKeys(chromedp.CSS("input[type=password]"), password),
				click.On(click.First("button[type=submit]")), chromedp.WaitNotPresent(chromedp.CSS("input[type=password]")))
		},
	)
}

// settle waits until a screen has all that it asked for.
func (p *photographer) settle() error {
	for range 100 {
		settled, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.querySelector("h1, form, [data-portal] [role=dialog]") !== null && !document.querySelector(".mantine-Skeleton-root, .mantine-Loader-root")`))
		if err != nil {
			return err
		}
		if settled {
			break
		}
		if err := p.wait(50 * time.Millisecond); err != nil {
			return err
		}
	}
	return p.wait(600 * time.Millisecond)
}
