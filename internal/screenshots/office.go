package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// office signs in to the back office and looks at every screen of the store that the shop is of.
func (p *photographer) office(shop, site, email, password string) error {
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false}); err != nil {
		return err
	}
	_, host, _ := strings.Cut(shop, "://")
	address, _, _ := strings.Cut(host, ".")
	base := site + "/admin/" + address
	screen := func(name, path string) func() error {
		return func() error {
			return steps(
				func() error { return chromedp.Do(p.ctx, chromedp.Navigate(base+path)) },
				p.settle,
				func() error { return p.snap("office-" + name) },
			)
		}
	}
	first := func(name, list, prefix string) func() error {
		return func() error {
			if err := chromedp.Do(p.ctx, chromedp.Navigate(base+list)); err != nil {
				return err
			}
			if err := p.settle(); err != nil {
				return err
			}
			path, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector('main a[href*=%q]')?.pathname ?? ""`, prefix)))
			if err != nil || path == "" {
				return err
			}
			return steps(
				func() error { return chromedp.Do(p.ctx, chromedp.Navigate(site+path)) },
				p.settle,
				func() error { return p.snap("office-" + name) },
			)
		}
	}
	return steps(
		func() error { return p.signIn(site, email, password) },
		screen("home", "?days=30"), screen("orders", "/orders"), first("order", "/orders", "/orders/ord_"),
		screen("drafts", "/drafts"), first("draft", "/drafts", "/drafts/cart_"), screen("draft-new", "/drafts/new"), screen("returns", "/returns"),
		screen("carts", "/carts"), first("cart", "/carts?view=every", "/carts/cart_"), screen("cart-reminders", "/carts?reminders=yes"),
		screen("promotions", "/promotions"), first("promotion", "/promotions", "/promotions/prm_"), screen("promotion-kinds", "/promotions/new"),
		screen("promotion-new", "/promotions/new?kind=buy_x_get_y"), screen("gift-cards", "/gift-cards"), first("gift-card", "/gift-cards", "/gift-cards/gc_"),
		screen("gift-card-new", "/gift-cards?new=yes"),
		screen("products", "/products"), first("product", "/products", "/products/prod_"), screen("product-new", "/products/new"),
		screen("products-table", "/products/grid"), screen("collections", "/collections"), first("collection", "/collections", "/collections/col_"), screen("collection-new", "/collections/new"),
		screen("categories", "/categories"), screen("transfers", "/transfers"), screen("price-lists", "/price-lists"), first("price-list", "/price-lists", "/price-lists/plist_"),
		screen("reviews", "/reviews"), screen("exchange", "/exchange"), screen("import", "/exchange/import"), first("operation", "/exchange", "/exchange/op_"), screen("groups", "/groups"),
		screen("stock", "/stock"), screen("customers", "/customers"), first("customer", "/customers", "/customers/cus_"),
		screen("theme", "/theme"), screen("theme-edit", "/theme/edit"), screen("theme-look", "/theme/edit?part=look"), screen("pages", "/pages"), screen("page-new", "/pages/new"), screen("blog", "/blog"),
		screen("menus", "/menus"), screen("domains", "/domains"), screen("access", "/access"), screen("languages", "/languages"), screen("searches", "/searches"),
		screen("mails", "/mails"), screen("mail", "/mails/order_shipped"),
		screen("settings", "/settings"), screen("staff", "/staff"), screen("invite", "/staff?invite=yes"), screen("history", "/history"),
		screen("analytics", "/analytics"), screen("analytics-visitors", "/analytics?report=conversion"), screen("analytics-products", "/analytics?report=products&days=365"),
		screen("settings", "/settings"), screen("payments", "/payments"), screen("shipping", "/shipping"), screen("shipping-new", "/shipping?method=new"), screen("taxes", "/taxes"),
		screen("invoices", "/invoices"), screen("locations", "/locations"), screen("fields", "/fields"), screen("field-new", "/fields?field=new"), screen("plan", "/plan"), screen("account", "/account"),
		 screen("staff", "/staff"), screen("invite", "/staff?invite=yes"), screen("history", "/history"),
		screen("keys", "/keys"), screen("key-new", "/keys?new=yes"), screen("webhooks", "/webhooks"), screen("events", "/events"), screen("requests", "/requests"),
		screen("missing", "/nowhere"),
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
				chromedp.Click(chromedp.CSS("button[type=submit]")), chromedp.WaitNotPresent(chromedp.CSS("input[type=password]")))
		},
	)
}

// settle waits until a screen has all that it asked for.
func (p *photographer) settle() error {
	for range 100 {
		settled, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.querySelector("#root > *") !== null && !document.querySelector(".mantine-Skeleton-root, .mantine-Loader-root")`))
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
