package page

import (
	_ "embed"
	"strings"
)

//go:embed base.css
var baseCSS string

// The papers that accents are read on, as base.css has them.
var (
	lightPaper = Color{0xf4 / 255.0, 0xf1 / 255.0, 0xeb / 255.0} // the darkest of the light ones
	darkPaper  = Color{0x21 / 255.0, 0x1e / 255.0, 0x1a / 255.0} // the lightest of the dark ones
	white      = Color{1, 1, 1}
	black      = Color{}
)

// Stylesheet is the base that all pages have and what stands on it, in an accent. The
// accent is darkened or lightened where it serves as text, so that it can be read
// whatever was chosen.
func Stylesheet(name string, accent Color, css ...string) *Asset {
	light, dark := accent, accent
	if light.Contrast(lightPaper) < 1.3 { // a button that cannot be seen
		light = light.Readable(lightPaper)
	}
	if dark.Contrast(darkPaper) < 2 {
		dark = dark.Readable(darkPaper)
	}
	var b strings.Builder
	b.WriteString(":root{")
	write(&b, light, accent.Readable(lightPaper), lightPaper, black)
	b.WriteString("}@media (prefers-color-scheme:dark){:root{")
	write(&b, dark, accent.Readable(darkPaper), darkPaper, white)
	b.WriteString("}}\n")
	b.WriteString(lean(baseCSS))
	for _, part := range css {
		b.WriteString(lean(part))
	}
	return NewAsset(name, ".css", "text/css; charset=utf-8", []byte(b.String()))
}

func write(b *strings.Builder, accent, text, paper, towards Color) {
	on := accent.On()
	strong := accent.Mix(towards, 0.14)
	if on.Contrast(strong) < 4.5 {
		strong = accent.Mix(on, -0.1)
	}
	for _, v := range []struct {
		name  string
		color Color
	}{{"accent", accent}, {"on-accent", on}, {"accent-strong", strong.clamp()}, {"accent-text", text}, {"accent-soft", paper.Mix(accent, 0.1)}} {
		b.WriteString("--" + v.name + ":" + v.color.String() + ";")
	}
}

// lean takes comments and indentation out of a stylesheet.
func lean(css string) string {
	var b strings.Builder
	for css != "" {
		before, rest, found := strings.Cut(css, "/*")
		b.WriteString(before)
		if !found {
			break
		}
		_, css, _ = strings.Cut(rest, "*/")
	}
	lines := strings.Split(b.String(), "\n")
	b.Reset()
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}
