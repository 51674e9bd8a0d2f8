package page

import (
	_ "embed"
	"strings"

	"github.com/stoacommerce/stoa/platform/colors"
)

//go:embed base.css
var baseCSS string

// The papers that accents are read on, as base.css has them.
var (
	lightPaper = colors.Hex("#f4f1eb") // the darkest of the light ones
	darkPaper  = colors.Hex("#211e1a") // the lightest of the dark ones
)

// Stylesheet is the base that all pages have, in its own colours and an accent, and what
// stands on it. The accent is darkened or lightened where it serves as text, so that it can be
// read whatever was chosen.
func Stylesheet(name string, accent colors.Color, css ...string) *Asset {
	light, dark := accent, accent
	if light.Contrast(lightPaper) < 1.3 { // a button that cannot be seen
		light = light.Readable(lightPaper)
	}
	if dark.Contrast(darkPaper) < 2 {
		dark = dark.Readable(darkPaper)
	}
	var b strings.Builder
	b.WriteString(":root{")
	accents(&b, light, accent.Readable(lightPaper), lightPaper, colors.Black)
	b.WriteString("}@media (prefers-color-scheme:dark){:root{")
	accents(&b, dark, accent.Readable(darkPaper), darkPaper, colors.White)
	b.WriteString("}}")
	return Styled(name, b.String(), css...)
}

// Styled is the base and what stands on it, in the colours and sizes of variables, which take
// the place of the base's own.
func Styled(name, variables string, css ...string) *Asset {
	var b strings.Builder
	b.WriteString(lean(baseCSS))
	for _, part := range css {
		b.WriteString(lean(part))
	}
	b.WriteString(variables)
	return NewAsset(name, ".css", "text/css; charset=utf-8", []byte(b.String()))
}

func accents(b *strings.Builder, accent, text, paper, towards colors.Color) {
	on := accent.On()
	for _, v := range []struct {
		name  string
		color colors.Color
	}{{"accent", accent}, {"on-accent", on}, {"accent-strong", accent.Strong(on, towards)}, {"accent-text", text}, {"accent-soft", paper.Mix(accent, 0.1)}} {
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
