package main

import (
	"fmt"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/internal/click"
)

// steps runs steps until one fails.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// shopper goes the way from the shop's first page to a paid order.
func (p *photographer) shopper(shop string) error {
	snap := func(name string) func() error { return func() error { return p.snap(name) } }
	visit := func(name, path string) func() error { return func() error { return p.visit(name, shop+path) } }
	follow := func(selector string) func() error { return func() error { return p.follow(selector) } }
	fill := func(values map[string]string) func() error {
		return func() error {
			for name, value := range values {
				if err := chromedp.Do(p.ctx, chromedp.SetValue(chromedp.ID(name), value)); err != nil {
					return fmt.Errorf("fill %s: %w", name, err)
				}
			}
			return nil
		}
	}
	// maybe does something where the page has what it needs: with one way of sending there is
	// nothing to choose, and without categories there is no page of one.
	maybe := func(selector string, then ...func() error) func() error {
		return func() error {
			n, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](fmt.Sprintf("document.querySelectorAll(%q).length", selector)))
			if err != nil || n == 0 {
				return err
			}
			return steps(then...)
		}
	}
	const toCategory = `main a[href^="/categories/"]`
	return steps(
		visit("home", "/"),
		maybe(toCategory, follow(toCategory), snap("category")),
		visit("everything", "/products"),
		follow(".products article a"), snap("product"),
		visit("search", "/search?q=a"),
		visit("search-nothing", "/search?q=zzzzzz"),
		visit("missing", "/nowhere"),
		visit("cart-empty", "/cart"),
		visit("blog", "/blog"), maybe(`main a[href^="/blog/"]`, follow(`main a[href^="/blog/"]`), snap("post")),
		maybe(`footer a[href^="/pages/"]`, follow(`footer a[href^="/pages/"]`), snap("page")),
		visit("contact", "/contact"), visit("newsletter", "/newsletter"), visit("find-order", "/find-order"), visit("withdraw", "/withdraw"),
		visit("sign-in", "/account/sign-in"),
		visit("shopper-forgot-password", "/account/forgot-password"),
		visit("shopper-new-password", "/account/reset-password?token=x"),
		visit("register", "/account/register"),
		follow("main form .button"), snap("register-faults"),
		p.fillCart(shop), snap("cart"),
		visit("checkout-contact", "/checkout"),
		fill(map[string]string{"email": "ada", "postal_code": "1"}),
		follow(`form[action="/checkout/contact"] .button`), snap("checkout-faults"),
		fill(map[string]string{"email": "ada@example.com", "name": "Ada Example", "line1": "Hauptstraße 1", "country": "DE", "postal_code": "10115", "city": "Berlin"}),
		follow(`form[action="/checkout/contact"] .button`),
		maybe(`form[action="/checkout/shipping"]`, snap("checkout-shipping"), follow(`form[action="/checkout/shipping"] .button`)),
		snap("checkout-payment"),
		func() error {
			return chromedp.Do(p.ctx, click.On(click.First(`input[value="declined"]`)), chromedp.Sleep(100*time.Millisecond))
		},
		follow(`form[action="/checkout/pay"] .button`), snap("checkout-declined"),
		follow(`form[action="/checkout/pay"] .button`), snap("order"),
	)
}

// toCart is what puts something that is not sold out into the cart.
const toCart = `form.take[action$="/cart/lines"]`

// fillCart puts the first two things into the cart that can be bought.
func (p *photographer) fillCart(shop string) func() error {
	return func() error {
		for _, n := range []int{1, 2, 3, 4} {
			err := steps(
				func() error { return chromedp.Do(p.ctx, chromedp.Navigate(shop+"/products")) },
				func() error { return p.follow(fmt.Sprintf(".products li:nth-child(%d) h3 a", n)) },
			)
			if err != nil {
				return err
			}
			forms, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](fmt.Sprintf("document.querySelectorAll(%q).length", toCart)))
			if err != nil {
				return err
			}
			if forms == 0 {
				continue
			}
			if err := p.follow(toCart + " .button"); err != nil {
				return err
			}
			if n >= 2 {
				return nil
			}
		}
		return nil
	}
}

// member registers at the shop, follows the link in the mail, which the platform's mailbox
// shows, and looks at the account.
func (p *photographer) member(shop, site string) error {
	email := fmt.Sprintf("shopper-%d@example.com", time.Now().UnixNano())
	set := func(name, value string) error { return chromedp.Do(p.ctx, chromedp.SetValue(chromedp.ID(name), value)) }
	err := steps(
		func() error { return chromedp.Do(p.ctx, chromedp.Navigate(shop+"/account/register")) },
		func() error { return set("email", email) },
		func() error { return set("password", "lantern orbit velvet marsh") },
		func() error { return p.follow("main form .button") },
		func() error { return p.snap("look-into-mail") },
	)
	if err != nil {
		return err
	}
	link := ""
	for range 60 { // a worker writes the mail
		if err := chromedp.Do(p.ctx, chromedp.Navigate(site+"/mailbox?to="+email)); err != nil {
			return err
		}
		if link, err = chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.querySelector('a[href^="/mailbox/"]')?.href ?? ""`)); err != nil || link != "" {
			break
		}
		if err := p.wait(time.Second); err != nil {
			return err
		}
	}
	if err != nil || link == "" {
		return fmt.Errorf("the mail to %s does not come: %w", email, err)
	}
	if err := p.visit("mail", link); err != nil {
		return err
	}
	verify, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.querySelector("pre").textContent.match(/\S+\/account\/verify\S+/)[0]`))
	if err != nil {
		return err
	}
	return steps(
		func() error { return p.visit("verify", verify) },
		func() error { return p.follow(`form[action="/account/verify"] .button`) },
		func() error { return p.snap("account") },
		func() error { return p.visit("details", shop+"/account/details") },
		func() error { return p.visit("addresses", shop+"/account/addresses/new") },
		func() error { return p.visit("wishlists", shop+"/account/wishlists") },
		func() error { return p.reviewed(shop) },
		func() error { return p.visit("personal-data", shop+"/account/data") },
	)
}

// reviewed writes a review of the first product, which the merchant has yet to look at.
func (p *photographer) reviewed(shop string) error {
	return steps(
		func() error { return chromedp.Do(p.ctx, chromedp.Navigate(shop+"/products")) },
		func() error { return p.follow(".products article a") },
		func() error { return p.follow(`main a[href$="/reviews"]`) },
		func() error { return p.snap("review") },
		func() error { return chromedp.Do(p.ctx, chromedp.SetValue(chromedp.ID("rating"), "4")) },
		func() error {
			return chromedp.Do(p.ctx, chromedp.SetValue(chromedp.ID("body"), "It holds water, and looks well without any."))
		},
		func() error { return p.follow("main form .button") },
		func() error { return p.visit("reviews", shop+"/account/reviews") },
	)
}

// owner signs in to the platform and looks at their stores.
func (p *photographer) owner(site, email, password string) error {
	set := func(name, value string) func() error {
		return func() error { return chromedp.Do(p.ctx, chromedp.SetValue(chromedp.ID(name), value)) }
	}
	return steps(
		func() error { return chromedp.Do(p.ctx, chromedp.Navigate(site+"/sign-in")) },
		set("email", email), set("password", password),
		func() error { return p.follow("main form .button") },
		func() error { return p.snap("stores") },
		func() error { return p.visit("another-store", site+"/sign-up") },
	)
}

// merchant looks at the platform's own pages.
func (p *photographer) merchant(site string) error {
	for _, page := range []struct{ name, path string }{
		{"site", "/"}, {"sign-up", "/sign-up"}, {"merchant-sign-in", "/sign-in"}, {"forgot-password", "/forgot-password"},
		{"verify-email", "/verify-email?token=x"}, {"mailbox", "/mailbox"}, {"docs-errors", "/docs/errors"}, {"site-missing", "/nowhere"},
	} {
		if err := p.visit(page.name, site+page.path); err != nil {
			return err
		}
	}
	return nil
}
