package themes

import (
	"github.com/stoacommerce/stoa/platform/colors"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Palette are the colours that a merchant has chosen; what is nil follows from the others, from
// the theme and from the store's accent.
type Palette struct {
	Background *string `json:"background"`
	Surface    *string `json:"surface"` // of what lies on the background
	Text       *string `json:"text"`
	Accent     *string `json:"accent"` // of links and of what is reduced
	Button     *string `json:"button"`
	ButtonText *string `json:"button_text"`
}

// over are the colours that come of a palette over those of a theme. Only what was not chosen is
// made to be readable: what was chosen is shown as it was chosen, or refused.
func (p Palette) over(theme basics, accent string) Scheme {
	own, ok := colors.Parse(accent)
	if !ok {
		own = colors.Hex(stores.DefaultAccent)
	}
	s := Scheme{Background: chosen(p.Background, theme.background), Text: chosen(p.Text, theme.text)}
	surface := theme.surface
	if p.Background != nil {
		surface = s.Background.Mix(s.Text, 0.05)
	}
	s.Surface = chosen(p.Surface, surface)
	s.Accent = chosen(p.Accent, own.Readable(s.Background, s.Surface))
	s.Button = chosen(p.Button, own.Against(colors.Shape, s.Background))
	s.ButtonText = chosen(p.ButtonText, s.Button.On())
	return s
}

func chosen(own *string, otherwise colors.Color) colors.Color {
	if own == nil {
		return otherwise
	}
	if c, ok := colors.Parse(*own); ok {
		return c
	}
	return otherwise
}

// check refuses colours that cannot be read on each other, where any was chosen.
func (p Palette) check(wrong *problem.Problem, at string, theme basics, accent string) {
	if p == (Palette{}) {
		return
	}
	type named struct {
		name, said string
		own        *string
		color      colors.Color
	}
	s := p.over(theme, accent)
	background, surface := named{"background", "the background", p.Background, s.Background}, named{"surface", "the surface", p.Surface, s.Surface}
	text, link := named{"text", "Text", p.Text, s.Text}, named{"accent", "The accent", p.Accent, s.Accent}
	button, label := named{"button", "The button", p.Button, s.Button}, named{"button_text", "The button’s text", p.ButtonText, s.ButtonText}
	for _, c := range []named{background, surface, text, link, button, label} {
		if _, ok := colors.Parse(chosenText(c.own)); c.own != nil && !ok {
			wrong.At(at+"/"+c.name, "pattern", "A colour is six hexadecimal digits after a #.")
			return
		}
	}
	for _, pair := range []struct {
		front, back named
		least       float64
	}{
		{text, background, colors.Text}, {text, surface, colors.Text}, {link, background, colors.Text}, {link, surface, colors.Text},
		{label, named{"button", "the button", p.Button, s.Button}, colors.Text}, {button, background, colors.Shape},
	} {
		ratio := pair.front.color.Contrast(pair.back.color)
		if ratio >= pair.least {
			continue
		}
		name := background.name // which the others follow from
		for _, c := range []named{pair.back, pair.front} {
			if c.own != nil {
				name = c.name
			}
		}
		// Cut, not rounded, so that nobody is told that 4.5 is less than 4.5.
		wrong.At(at+"/"+name, "contrast", "%s %s on %s %s has a contrast of %.2f:1, and needs %.1f:1 to be read.",
			pair.front.said, pair.front.color, pair.back.said, pair.back.color, float64(int(ratio*100))/100, pair.least)
	}
}

func chosenText(own *string) string {
	if own == nil {
		return ""
	}
	return *own
}
