package main

import (
	"context"
	"errors"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/internal/click"
	"github.com/stoacommerce/stoa/openapi/client"
	"github.com/stoacommerce/stoa/openapi/gen"
)

// dressed looks at what a shop can be besides: in its other themes, which a preview of the draft
// shows, written from the right, with the drawer of its cart, and closed, which its sandbox is for
// that long. All of it is as before in the end.
func (p *photographer) dressed(shop, site string, store keys) error {
	live, sandbox := client.New(site, store.Live), client.New(site, store.Test)
	return steps(
		func() error { return p.themes(live) },
		func() error { return p.fromTheRight(shop, live) },
		func() error { return p.drawer(shop) },
		func() error { return p.closed(sandbox) },
	)
}

// forget has the shop know nothing of this browser.
func (p *photographer) forget() error {
	_, err := chromedp.Call(p.ctx, network.ClearBrowserCookies, cdp.Empty{})
	return err
}

// putBack has the store be as before, whatever became of the pictures.
func (p *photographer) putBack(err *error, undo func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), time.Minute)
	defer cancel()
	*err = errors.Join(*err, undo(ctx))
}

func (p *photographer) themes(live *client.Client) (err error) {
	was, err := live.GetTheme(p.ctx, nil)
	if err != nil {
		return err
	}
	dress := func(ctx context.Context, theme gen.ThemeName) error {
		_, err := live.UpdateTheme(ctx, gen.ThemeUpdate{Theme: &theme}, nil)
		return err
	}
	defer p.putBack(&err, func(ctx context.Context) error {
		if was.UnpublishedChanges {
			return dress(ctx, was.Theme)
		}
		_, err := live.DiscardTheme(ctx, nil)
		return err
	})
	for _, theme := range []gen.ThemeName{gen.ThemeNameBoutique, gen.ThemeNameCatalogue, gen.ThemeNameBrand} {
		if theme == was.Theme {
			continue
		}
		if err := dress(p.ctx, theme); err != nil {
			return err
		}
		preview, err := live.PreviewTheme(p.ctx, nil)
		if err != nil {
			return err
		}
		name := "theme-" + string(theme)
		if err := steps(
			func() error { return p.visit(name, preview.URL) },
			func() error { return p.visit(name+"-products", preview.URL+"products") },
			func() error { return p.follow(".products article a") },
			func() error { return p.snap(name + "-product") },
		); err != nil {
			return err
		}
	}
	return nil
}

func (p *photographer) fromTheRight(shop string, live *client.Client) (err error) {
	was, err := live.GetStore(p.ctx, nil)
	if err != nil {
		return err
	}
	defer p.putBack(&err, func(ctx context.Context) error {
		_, err := live.UpdateStore(ctx, gen.StoreUpdate{Locales: was.Locales}, nil)
		return err
	})
	locales := append(was.Locales[:len(was.Locales):len(was.Locales)], gen.StoreLocale{Locale: "ar", Published: true})
	if _, err := live.UpdateStore(p.ctx, gen.StoreUpdate{Locales: locales}, nil); err != nil {
		return err
	}
	return steps(
		func() error { return p.visit("rtl-home", shop+"/ar/") },
		func() error { return p.visit("rtl-products", shop+"/ar/products") },
		func() error { return p.follow(".products article a") },
		func() error { return p.snap("rtl-product") },
		p.fillCart(shop+"/ar"),
		func() error { return p.visit("rtl-cart", shop+"/ar/cart") },
		func() error { return p.visit("rtl-checkout", shop+"/ar/checkout") },
		p.forget,
	)
}

// drawer looks at what scripts lay over the page: the cart's drawer, and what is found while one types.
func (p *photographer) drawer(shop string) error {
	return steps(
		func() error { return p.scripts(true) },
		func() error { return chromedp.Do(p.ctx, chromedp.Navigate(shop+"/products")) },
		func() error { return p.follow(".products article a") },
		func() error {
			return chromedp.Do(p.ctx, click.On(click.First(toCart+" .button")), chromedp.WaitVisible(chromedp.CSS("#drawer[open] .totals")))
		},
		func() error { return p.wait(500 * time.Millisecond) },
		func() error { return p.keep("drawer", chromedp.CaptureScreenshot()) },
		func() error {
			return chromedp.Do(p.ctx, chromedp.Navigate(shop+"/products"), click.On(click.First(`header a[href="/search"]`)),
				chromedp.SendKeys(chromedp.ID("finder-q"), "li"), chromedp.WaitVisible(chromedp.CSS(".found a")))
		},
		func() error { return p.wait(500 * time.Millisecond) },
		func() error { return p.keep("suggestions", chromedp.CaptureScreenshot()) },
		func() error { return p.scripts(false) },
		p.forget,
	)
}

func (p *photographer) closed(sandbox *client.Client) (err error) {
	was, err := sandbox.GetStore(p.ctx, nil)
	if err != nil {
		return err
	}
	set := func(ctx context.Context, state gen.ShopAccessState, password nullable.Nullable[string]) error {
		_, err := sandbox.UpdateShopAccess(ctx, gen.ShopAccessUpdate{State: &state, Password: password}, nil)
		return err
	}
	defer p.putBack(&err, func(ctx context.Context) error {
		return set(ctx, gen.ShopAccessStateOpen, nullable.NewNullNullable[string]())
	})
	for _, state := range []gen.ShopAccessState{gen.ShopAccessStatePassword, gen.ShopAccessStateMaintenance} {
		if err := steps(
			func() error { return set(p.ctx, state, nullable.NewNullableWithValue("linen and clay")) },
			func() error { return p.visit("closed-"+string(state), was.ShopURL) },
		); err != nil {
			return err
		}
	}
	return nil
}
