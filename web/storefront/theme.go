package storefront

import (
	_ "embed"
	"html"
	"strings"
	"sync"
	"unicode"

	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/colors"
	"github.com/stoacommerce/stoa/web/page"
)

// All themes are one set of components; what is different about one of them stands on it.
var (
	//go:embed theme.css
	themeCSS string
	//go:embed sections.css
	sectionsCSS string
	//go:embed catalogue.css
	catalogueCSS string
	//go:embed brand.css
	brandCSS string
)

var themesCSS = map[themes.Name]string{themes.Boutique: "", themes.Catalogue: catalogueCSS, themes.Brand: brandCSS}

// stylesheets remembers those of looks. There are as many as merchants choose, so they are few;
// should they be many, they begin anew.
var stylesheets = struct {
	sync.Mutex
	byLook map[string]*page.Asset
}{byLook: map[string]*page.Asset{}}

const mostStylesheets = 1000

// stylesheet is what a look comes to.
func stylesheet(look themes.Look) *page.Asset {
	variables := variablesOf(look)
	key := string(look.Theme) + variables
	stylesheets.Lock()
	defer stylesheets.Unlock()
	if a := stylesheets.byLook[key]; a != nil {
		return a
	}
	if len(stylesheets.byLook) >= mostStylesheets {
		clear(stylesheets.byLook)
	}
	a := page.Styled("theme", variables, themeCSS, islandsCSS, sectionsCSS, themesCSS[look.Theme])
	stylesheets.byLook[key] = a
	return a
}

// fonts are the types, of what devices have: those of Apple's, of Microsoft's, and those that
// come with free systems.
var fonts = map[themes.Font]string{
	"system":       `system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,sans-serif`,
	"grotesque":    `"Helvetica Neue",Helvetica,Inter,"Liberation Sans","Nimbus Sans",Arial,"Noto Sans Arabic",sans-serif`,
	"humanist":     `Seravek,"Gill Sans Nova",Ubuntu,Calibri,"DejaVu Sans",source-sans-pro,sans-serif`,
	"geometric":    `Avenir,"Avenir Next",Montserrat,Corbel,"URW Gothic",source-sans-pro,sans-serif`,
	"rounded":      `ui-rounded,"Hiragino Maru Gothic ProN",Quicksand,Comfortaa,Manjari,"Arial Rounded MT Bold",Calibri,sans-serif`,
	"industrial":   `Bahnschrift,"DIN Alternate","Franklin Gothic Medium","Nimbus Sans Narrow",sans-serif-condensed,sans-serif`,
	"old_style":    `"Iowan Old Style","Palatino Linotype",Palatino,P052,"URW Palladio L","Book Antiqua",Georgia,"Noto Serif",serif`,
	"transitional": `Charter,"Bitstream Charter","Sitka Text",Cambria,"Noto Serif",serif`,
	"didone":       `Didot,"Bodoni MT","Noto Serif Display","URW Palladio L",P052,Sylfaen,serif`,
	"slab":         `Rockwell,"Rockwell Nova","Roboto Slab","DejaVu Serif","Sitka Small",serif`,
	"mono":         `ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace`,
}

// corners are the radius of things and that of buttons.
var corners = map[themes.Corners][2]string{"sharp": {"0", "0"}, "soft": {".25rem", ".25rem"}, "round": {".875rem", "99rem"}}

// variablesOf are the colours, types and corners of a look, in the variables that the stylesheets
// go by.
func variablesOf(look themes.Look) string {
	var b strings.Builder
	c := corners[look.Corners]
	b.WriteString(":root{--heading:" + fonts[look.HeadingFont] + ";--body:" + fonts[look.BodyFont] + ";--radius:" + c[0] + ";--button-radius:" + c[1] + ";")
	scheme(&b, look.Light)
	b.WriteString("}")
	if look.Dark != nil {
		b.WriteString("@media (prefers-color-scheme:dark){:root{")
		scheme(&b, *look.Dark)
		b.WriteString("}}")
	}
	return b.String()
}

// scheme writes the colours of a scheme, and those that lie between them.
func scheme(b *strings.Builder, s themes.Scheme) {
	towards, kind := colors.Black, "light"
	if s.Background.Dark() {
		towards, kind = colors.White, "dark"
	}
	b.WriteString("color-scheme:" + kind + ";")
	readable := func(c colors.Color) colors.Color { return c.Readable(s.Background, s.Surface) }
	danger, good := colors.Hex("#9b2c1d"), colors.Hex("#2c6142")
	for _, v := range []struct {
		name  string
		color colors.Color
	}{
		{"paper", s.Background}, {"surface", s.Surface}, {"raised", s.Background.Mix(colors.White, raised(s.Background))}, {"ink", s.Text},
		{"muted", readable(s.Text.Mix(s.Background, 0.35))}, {"line", s.Background.Mix(s.Text, 0.13)},
		{"line-strong", s.Text.Mix(s.Background, 0.5).Against(colors.Shape, s.Background, s.Surface)},
		{"danger", readable(danger)}, {"danger-soft", s.Background.Mix(danger, 0.09)}, {"good", readable(good)}, {"good-soft", s.Background.Mix(good, 0.09)},
		{"accent", s.Button}, {"on-accent", s.ButtonText}, {"accent-strong", s.Button.Strong(s.ButtonText, towards)},
		{"accent-text", s.Accent}, {"accent-soft", s.Background.Mix(s.Accent, 0.1)},
	} {
		b.WriteString("--" + v.name + ":" + v.color.String() + ";")
	}
}

// raised is by how much of white what lies above a background is lighter than it.
func raised(background colors.Color) float64 {
	if background.Dark() {
		return 0.03
	}
	return 1
}

// favicon is the first letter of the shop's name on the colour of its buttons.
func favicon(name string, of themes.Scheme) *page.Asset {
	letter := "•"
	for _, c := range name {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			letter = strings.ToUpper(string(c))
			break
		}
	}
	return page.NewAsset("favicon", ".svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="`+
		of.Button.String()+`"/><text x="32" y="45" font-family="Georgia,serif" font-size="38" text-anchor="middle" fill="`+of.ButtonText.String()+`">`+html.EscapeString(letter)+`</text></svg>`))
}
