package storefront

import (
	_ "embed"
	"html"
	"strings"
	"sync"
	"unicode"

	"github.com/stoacommerce/stoa/web/page"
)

//go:embed theme.css
var themeCSS string

// accent is the theme's accent where none was chosen.
const accent = "#1f5f5b"

// themes remembers stylesheets by accent. There are as many as merchants choose colours,
// so they are few; should they be many, they begin anew.
var themes = struct {
	sync.Mutex
	byAccent map[string]*page.Asset
}{byAccent: map[string]*page.Asset{}}

const mostThemes = 1000

// stylesheet is the theme in a merchant's accent.
func stylesheet(color string) *page.Asset {
	themes.Lock()
	defer themes.Unlock()
	if a := themes.byAccent[color]; a != nil {
		return a
	}
	if len(themes.byAccent) >= mostThemes {
		clear(themes.byAccent)
	}
	a := page.Stylesheet("theme", parsed(color), themeCSS, islandsCSS)
	themes.byAccent[color] = a
	return a
}

func parsed(color string) page.Color {
	c, ok := page.ParseColor(color)
	if !ok {
		c, _ = page.ParseColor(accent)
	}
	return c
}

// favicon is the first letter of the shop's name in its accent.
func favicon(name, color string) *page.Asset {
	letter := "•"
	for _, c := range name {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			letter = strings.ToUpper(string(c))
			break
		}
	}
	c := parsed(color)
	return page.NewAsset("favicon", ".svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="`+
		c.String()+`"/><text x="32" y="45" font-family="Georgia,serif" font-size="38" text-anchor="middle" fill="`+c.On().String()+`">`+html.EscapeString(letter)+`</text></svg>`))
}
