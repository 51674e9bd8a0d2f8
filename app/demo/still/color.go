package still

import (
	"math"
	"strconv"
)

// Color is light: linear, so that shading and blending are sums and products.
type Color struct{ R, G, B float32 }

// Hex reads a colour as designers write it: "d9cbb6". It panics on anything else, as
// colours are written in the program.
func Hex(text string) Color {
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != 6 {
		panic("still: bad colour " + text)
	}
	return Color{linear[n>>16&255], linear[n>>8&255], linear[n&255]}
}

func (c Color) times(f float32) Color { return Color{c.R * f, c.G * f, c.B * f} }

func (c Color) by(d Color) Color { return Color{c.R * d.R, c.G * d.G, c.B * d.B} }

func (c Color) plus(d Color) Color { return Color{c.R + d.R, c.G + d.G, c.B + d.B} }

// mix is c where t is 0 and d where it is 1.
func (c Color) mix(d Color, t float32) Color {
	return Color{c.R + (d.R-c.R)*t, c.G + (d.G-c.G)*t, c.B + (d.B-c.B)*t}
}

// linear is the light of each value of a screen's channel.
var linear = func() (table [256]float32) {
	for i := range table {
		v := float64(i) / 255
		if v <= 0.04045 {
			table[i] = float32(v / 12.92)
		} else {
			table[i] = float32(math.Pow((v+0.055)/1.055, 2.4))
		}
	}
	return table
}()

// brightest is the light that is shown as white. Below it, highlights come closer to each
// other from knee on, as on film.
const brightest, knee = 1.6, 0.62

// screen is a screen's value, in 1/16, for light from 0 to brightest.
var screen = func() (table [4097]uint16) {
	for i := range table {
		v := float64(i) / 4096 * brightest
		if v > knee {
			v = knee + (1-knee)*math.Tanh((v-knee)/(1-knee))
		}
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		table[i] = uint16(v*255*16 + 0.5)
	}
	return table
}()

// shown is a channel as it is shown, with dither from 0 to 15 against bands in gradients.
func shown(v float32, dither uint16) uint8 {
	switch {
	case v <= 0:
		return 0
	case v >= brightest:
		return 255
	}
	return uint8(min((screen[int(v*(4096/brightest))]+dither)>>4, 255))
}
