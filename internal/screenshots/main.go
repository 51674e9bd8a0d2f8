// Screenshots makes pictures of the pages of a running platform, in light and dark and on
// a phone, there also at night and in German, so that a person can look the whole of it over; and the one of the README:
//
//	make dev           # in another terminal
//	make screenshots
//
// It goes the way of a shopper, from the shop's first page to a paid order, in the
// system's Chromium with scripts turned off: what it can reach works without JavaScript. Then
// it looks at every screen of the back office, with scripts.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/stoacommerce/stoa/internal/click"
)

func main() {
	dev := flag.String("dev", ".stoa/dev.json", "the file in which make dev tells its addresses; used unless others are given")
	shop := flag.String("shop", "", "address of a shop in which the test provider pays, such as http://demo.localhost:8080")
	site := flag.String("site", "", "address of the platform's own pages")
	out := flag.String("out", ".stoa/screenshots", "directory for the pictures")
	email := flag.String("email", "", "who signs in to the platform to look at their stores")
	password := flag.String("password", "", "with -email")
	only := flag.String("only", "", "one look alone: light, dark, phone, night or cover")
	of := flag.String("of", "", "one face alone: shop, site or office")
	named := flag.String("named", "", "of the back office, only the screens whose names have this in them")
	cover := flag.String("cover", "docs/pictures/shop.webp", "the picture of the README")
	flag.Parse()
	var fill fillable
	if *shop == "" && *site == "" {
		var err error
		if *shop, *site, *email, *password, fill, err = running(*dev); err != nil {
			log.Fatalf("is make dev running? %v", err)
		}
	}
	for _, l := range looks {
		if *only != "" && *only != l.name {
			continue
		}
		if err := take(l, *of, *named, *shop, *site, *email, *password, fill, filepath.Join(*out, l.name)); err != nil {
			log.Fatalf("%s: %v", l.name, err)
		}
	}
	if *shop != "" && (*only == "" || *only == "cover") {
		if err := takeCover(*shop, *cover); err != nil {
			log.Fatalf("cover: %v", err)
		}
	}
}

// fillable is a store that may be filled with what it has none of: its ID and the key of its
// shop; empty for one that is not.
type fillable struct {
	keys
	ID  string `json:"id"`
	Key string `json:"live_publishable_key"`
}

// keys are the secret ones of a store's two sides.
type keys struct {
	Live string `json:"live_secret_key"`
	Test string `json:"test_secret_key"`
}

// running reads where a running make dev has its first shop and its own pages, and who may
// sign in there.
func running(file string) (shop, site, email, password string, fill fillable, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", "", "", "", fill, err
	}
	var told struct {
		URL      string `json:"url"`
		Email    string `json:"email"`
		Password string `json:"password"`
		Stores   []struct {
			fillable
			ShopURL string `json:"shop_url"`
		} `json:"stores"`
	}
	if err := json.Unmarshal(raw, &told); err != nil {
		return "", "", "", "", fill, fmt.Errorf("%s: %w", file, err)
	}
	if len(told.Stores) == 0 {
		return "", "", "", "", fill, fmt.Errorf("%s tells of no store", file)
	}
	return told.Stores[0].ShopURL, told.URL, told.Email, told.Password, told.Stores[0].fillable, nil
}

// A look is a kind of screen.
type look struct {
	name          string
	width, height int64
	scale         float64
	phone         bool
	dark          bool
	german        bool // the back office; a shop speaks its own languages
}

var looks = []look{
	{name: "light", width: 1360, height: 900, scale: 1},
	{name: "dark", width: 1360, height: 900, scale: 1, dark: true},
	{name: "phone", width: 390, height: 844, scale: 2, phone: true},
	{name: "night", width: 390, height: 844, scale: 2, phone: true, dark: true, german: true},
}

// photographer is a browser that makes pictures.
type photographer struct {
	ctx  context.Context
	dir  string
	look look
	// named is what the names of the back office's screens have in them, where not all are wanted.
	named string
	n     int
}

// open starts a browser with a look, until done is called.
func open(l look, dir string) (p *photographer, done func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	ctx, end := chromedp.NewExecAllocator(context.Background(), chromedp.Headless, chromedp.DisableGPU, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.Flag("hide-scrollbars", true), chromedp.WindowSize(int(l.width), int(l.height)))
	ctx, endTab := chromedp.NewContext(ctx)
	done = func() { endTab(); end() }
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // this starts the browser
		done()
		return nil, nil, err
	}
	ctx, endAll := context.WithTimeout(ctx, 20*time.Minute)
	p, done = &photographer{ctx: ctx, dir: dir, look: l}, func() { endAll(); endTab(); end() }
	if err := p.set(); err != nil {
		done()
		return nil, nil, err
	}
	return p, done, nil
}

func take(l look, of, named, shop, site, email, password string, fill fillable, dir string) error {
	p, done, err := open(l, dir)
	if err != nil {
		return err
	}
	defer done()
	p.named = named
	face := func(name string) bool { return of == "" || of == name }
	if shop != "" && face("shop") {
		if err := p.shopper(shop); err != nil {
			return err
		}
	}
	if shop != "" && site != "" && face("shop") {
		if err := p.member(shop, site); err != nil {
			return err
		}
	}
	if shop != "" && site != "" && fill.keys.Live != "" && face("shop") {
		if err := p.dressed(shop, site, fill.keys); err != nil {
			return err
		}
	}
	if site != "" && face("site") {
		if err := p.merchant(site); err != nil {
			return err
		}
	}
	if site != "" && email != "" && face("site") {
		if err := p.owner(site, email, password); err != nil {
			return err
		}
	}
	if shop != "" && site != "" && email != "" && face("office") {
		if err := p.office(shop, site, email, password, fill); err != nil {
			return err
		}
	}
	fmt.Printf("%s: %d pictures in %s\n", l.name, p.n, dir)
	return nil
}

// takeCover makes the README's picture: the upper part of a shop's first page, small.
func takeCover(shop, file string) error {
	p, done, err := open(look{name: "cover", width: 1280, height: 1200, scale: 1}, filepath.Dir(file))
	if err != nil {
		return err
	}
	defer done()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(shop+"/"), chromedp.Sleep(2*time.Second)); err != nil {
		return err
	}
	quality := int64(82)
	shot, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
	if err != nil {
		return err
	}
	fmt.Printf("cover: %s\n", file)
	return os.WriteFile(file, shot.Data, 0o644)
}

// set makes the browser be what the look says.
func (p *photographer) set() error {
	scheme := "light"
	if p.look.dark {
		scheme = "dark"
	}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		return err
	}
	if err := p.scripts(false); err != nil {
		return err
	}
	return p.resize(p.look.height)
}

// scripts says whether pages may run scripts.
func (p *photographer) scripts(on bool) error {
	_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	return err
}

func (p *photographer) resize(height int64) error {
	_, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: p.look.width, Height: height, DeviceScaleFactor: p.look.scale, Mobile: p.look.phone,
	})
	return err
}

// snap makes a picture of the whole page.
func (p *photographer) snap(name string) error {
	// What is loaded when it comes into view must come into view.
	if err := steps(
		func() error { return p.resize(6000) }, func() error { return p.wait(400 * time.Millisecond) },
		func() error { return p.resize(p.look.height) }, func() error { return p.wait(100 * time.Millisecond) },
	); err != nil {
		return err
	}
	// What lies over a page lies over what is seen of it.
	over, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.querySelector("[data-portal] [role=dialog]") !== null`))
	if err != nil {
		return fmt.Errorf("picture of %s: %w", name, err)
	}
	shot := chromedp.FullScreenshot(100)
	if over {
		shot = chromedp.CaptureScreenshot()
	}
	return p.keep(name, shot)
}

// keep makes a picture and writes it down.
func (p *photographer) keep(name string, shot chromedp.Action[[]byte]) error {
	png, err := chromedp.Run(p.ctx, shot)
	if err != nil {
		return fmt.Errorf("picture of %s: %w", name, err)
	}
	p.n++
	return os.WriteFile(filepath.Join(p.dir, fmt.Sprintf("%03d-%s.png", p.n, name)), png, 0o644)
}

// visit opens an address and makes a picture of it.
func (p *photographer) visit(name, address string) error {
	if err := chromedp.Do(p.ctx, chromedp.Navigate(address)); err != nil {
		return fmt.Errorf("open %s: %w", address, err)
	}
	return p.snap(name)
}

// follow clicks on something that leads to another page.
func (p *photographer) follow(selector string) error {
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, click.On(click.First(selector))); err != nil {
		return fmt.Errorf("follow %s: %w", selector, err)
	}
	return nil
}

func (p *photographer) wait(d time.Duration) error { return chromedp.Do(p.ctx, chromedp.Sleep(d)) }
