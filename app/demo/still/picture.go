package still

import "image"

// Picture is a still life that can be drawn.
type Picture struct {
	ground Backdrop
	things func(*frame)
	factor float64 // how much closer the viewer comes; 0 is as far as usual
	middle point
}

// Closer is the picture seen from closer, or from farther away with a factor below 1,
// with another place in its middle.
func (p Picture) Closer(factor, x, y float64) Picture {
	p.factor, p.middle = factor, point{x, y}
	return p
}

// Draw draws the picture so many pixels wide. Its height is five quarters of that.
func (p Picture) Draw(width int) *image.RGBA {
	f := newFrame(width)
	f.backdrop(p.ground)
	if p.factor > 0 {
		f.closer(p.factor, p.middle)
	}
	p.things(f)
	return f.picture()
}

// Backdrops, from light to dark.
var (
	Linen   = Backdrop{Wall: Hex("e7e0d5"), Table: Hex("d3c8b8"), Horizon: 640, Window: 1}
	Plain   = Backdrop{Wall: Hex("e9e4db"), Table: Hex("dcd3c6"), Horizon: 620}
	Sage    = Backdrop{Wall: Hex("c9cfc2"), Table: Hex("b6b9a6"), Horizon: 640, Window: 0.8}
	Rose    = Backdrop{Wall: Hex("e3cfc4"), Table: Hex("cfb3a3"), Horizon: 640, Window: 0.7}
	Fog     = Backdrop{Wall: Hex("d3d6d6"), Table: Hex("bfc0bc"), Horizon: 630}
	Clayed  = Backdrop{Wall: Hex("d8bfa5"), Table: Hex("b99a7d"), Horizon: 640, Window: 0.6}
	Mustard = flatly("e0ad3a")
	Coral   = flatly("e5795c")
	Teal    = flatly("2f8b87")
	Cobalt  = flatly("3e63b8")
	Forest  = flatly("3d6b4f")
	Plum    = flatly("7a4562")
	Cream   = flatly("efe3cb")
	Sky     = flatly("9cc3d6")
	Blossom = flatly("eab9b0")
	Night   = flatly("2c3140")
	Dusk    = Backdrop{Wall: Hex("6f6a66"), Table: Hex("5a5450"), Horizon: 650}
)

// flatly is a backdrop of one strong colour.
func flatly(c string) Backdrop {
	color := Hex(c)
	return Backdrop{Wall: color, Table: color.times(0.86), Horizon: 680}
}

// stand puts a turned thing onto the table, with its shadow.
func (f *frame) stand(t turned) turned {
	wide := 0.0
	for _, p := range t.profile {
		wide = max(wide, p.radius)
	}
	foot := t.profile[0].radius
	tilt := t.tilt
	if tilt == 0 {
		tilt = usualTilt
	}
	f.cast(t.at, 0.55*foot+0.45*wide, t.profile[len(t.profile)-1].height, 0.55, tilt)
	t.draw(f)
	return t
}
