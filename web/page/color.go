package page

import (
	"fmt"
	"math"
	"strconv"
)

// A Color is one of a stylesheet.
type Color struct{ r, g, b float64 }

// ParseColor reads "#1f5f5b".
func ParseColor(text string) (Color, bool) {
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

// Readable is the colour nearest to c that can be read on the background, darker or
// lighter as that needs.
func (c Color) Readable(background Color) Color {
	const least = 4.6 // WCAG AA asks for 4.5
	towards := Color{}
	if background.luminance() < 0.18 {
		towards = Color{1, 1, 1}
	}
	for share := 0.0; share < 1; share += 0.02 {
		if mixed := c.Mix(towards, share); mixed.Contrast(background) >= least {
			return mixed
		}
	}
	return towards
}

// On is what is written with on c: white where it can be read, else near black.
func (c Color) On() Color {
	white, black := Color{1, 1, 1}, Color{0.07, 0.065, 0.06}
	if white.Contrast(c) >= 4.5 || white.Contrast(c) > black.Contrast(c) {
		return white
	}
	return black
}

// clamp keeps a colour among those that there are.
func (c Color) clamp() Color {
	part := func(v float64) float64 { return math.Min(1, math.Max(0, v)) }
	return Color{part(c.r), part(c.g), part(c.b)}
}
