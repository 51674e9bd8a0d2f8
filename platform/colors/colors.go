// Package colors reckons with colours: how they are read on each other, by WCAG, and what lies
// between them.
package colors

import (
	"fmt"
	"math"
	"strconv"
)

// A Color is one of a stylesheet.
type Color struct{ r, g, b float64 }

// White and Black are the lightest and the darkest colour.
var (
	White = Color{1, 1, 1}
	Black = Color{}
)

// Hex is a colour that the program knows, such as "#1f5f5b".
func Hex(text string) Color {
	c, ok := Parse(text)
	if !ok {
		panic("colors: no colour: " + text)
	}
	return c
}

// Parse reads "#1f5f5b".
func Parse(text string) (Color, bool) {
	if len(text) != 7 || text[0] != '#' {
		return Color{}, false
	}
	n, err := strconv.ParseUint(text[1:], 16, 32)
	if err != nil {
		return Color{}, false
	}
	return Color{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, true
}

// String is the colour as stylesheets have it.
func (c Color) String() string {
	part := func(v float64) int { return int(math.Round(v * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c.r), part(c.g), part(c.b))
}

// Mix is c with a share of another colour, from 0 to 1.
func (c Color) Mix(other Color, share float64) Color {
	mix := func(a, b float64) float64 { return a + (b-a)*share }
	return Color{mix(c.r, other.r), mix(c.g, other.g), mix(c.b, other.b)}
}

// luminance is WCAG's relative luminance.
func (c Color) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// Contrast is WCAG's ratio of two colours, from 1 to 21.
func (c Color) Contrast(other Color) float64 {
	a, b := c.luminance(), other.luminance()
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}

// What WCAG AA asks of texts, and of what is told by its shape: large letters, buttons, frames.
const (
	Text  = 4.5
	Shape = 3.0
)

// Dark says whether light letters are read on c better than dark ones.
func (c Color) Dark() bool { return c.luminance() < 0.18 }

// Against is the colour nearest to c that has a contrast with the backgrounds, which are
// alike, darker or lighter as that needs: a little more of it, as colours are rounded.
func (c Color) Against(least float64, backgrounds ...Color) Color {
	towards := Black
	if backgrounds[0].Dark() {
		towards = White
	}
	for share := 0.0; share < 1; share += 0.02 {
		mixed := c.Mix(towards, share)
		enough := true
		for _, b := range backgrounds {
			enough = enough && mixed.Contrast(b) >= least+0.1
		}
		if enough {
			return mixed
		}
	}
	return towards
}

// Readable is the colour nearest to c that can be read on the backgrounds, which are alike.
func (c Color) Readable(backgrounds ...Color) Color {
	return c.Against(Text, backgrounds...)
}

// On is what is written with on c: white where it can be read, else near black, or black.
func (c Color) On() Color {
	for _, ink := range []Color{White, {0.07, 0.065, 0.06}} {
		if ink.Contrast(c) >= Text {
			return ink
		}
	}
	return Black
}

// Strong is c as a button of it looks that is pointed at, written on with on.
func (c Color) Strong(on, towards Color) Color {
	strong := c.Mix(towards, 0.14)
	if on.Contrast(strong) < Text {
		strong = c.Mix(on, -0.1)
	}
	part := func(v float64) float64 { return math.Min(1, math.Max(0, v)) }
	return Color{part(strong.r), part(strong.g), part(strong.b)}
}
