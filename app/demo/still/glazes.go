package still

import "math"

// Clay is what ceramics are made of and covered with.
type Clay struct {
	Glaze  Color
	Body   Color   // of the bare clay, where it shows
	Bare   float64 // how much of the height is left bare at the foot, 0 to 1
	Gloss  float32
	Specks float64 // how densely iron shows through, 0 to 1
	Pool   Color   // what the glaze turns to where it ran; none when zero
}

// The glazes of the house.
var (
	Oat   = Clay{Glaze: Hex("e9e1d2"), Body: Hex("b8926f"), Bare: 0.13, Gloss: 0.45, Specks: 0.55}
	Chalk = Clay{Glaze: Hex("f1eee8"), Body: Hex("d9c6ad"), Bare: 0.0, Gloss: 0.30}
	Moss  = Clay{Glaze: Hex("6f8069"), Body: Hex("a27a58"), Bare: 0.12, Gloss: 0.65, Specks: 0.15, Pool: Hex("41523f")}
	Sea   = Clay{Glaze: Hex("7f9fa3"), Body: Hex("b18e6d"), Bare: 0.12, Gloss: 0.7, Specks: 0.1, Pool: Hex("44686f")}
	Ink   = Clay{Glaze: Hex("3a4454"), Body: Hex("8c6b51"), Bare: 0.1, Gloss: 0.6, Pool: Hex("1d2430")}
	Rust  = Clay{Glaze: Hex("b3663f"), Body: Hex("8a5137"), Bare: 0.0, Gloss: 0.25, Specks: 0.3, Pool: Hex("7d3f25")}
	Blush = Clay{Glaze: Hex("d9b3a0"), Body: Hex("c08e74"), Bare: 0.12, Gloss: 0.35, Specks: 0.4}
	Soot  = Clay{Glaze: Hex("35312e"), Body: Hex("2a2725"), Bare: 0.0, Gloss: 0.18}
	Honey = Clay{Glaze: Hex("c99545"), Body: Hex("94623c"), Bare: 0.12, Gloss: 0.75, Pool: Hex("8a5a1e"), Specks: 0.1}
	Terra = Clay{Glaze: Hex("b9714f"), Body: Hex("b9714f"), Gloss: 0.0, Specks: 0.1}
)

// on is the clay as the material of a thing of a height.
func (c Clay) on(height float64) material {
	iron := Hex("5b4334")
	return func(a, h float64) Surface {
		around := a * 60 // about as wide as it is high
		line := c.Bare*height + 5*(noise(a*2.3+4, 3)-0.5) + 1.5*(noise(a*11, 7)-0.5)
		if c.Bare > 0 && h < line {
			grain := float32(0.88 + 0.24*rough(around/4, h/2.5))
			return Surface{Color: c.Body.times(grain)}
		}
		cloud := rough(around/22+11, h/30)
		out := c.Glaze.times(float32(0.93 + 0.14*cloud))
		if c.Pool != (Color{}) {
			run := smooth(0.55, 0.05, (h-line)/height+0.25*(noise(a*5, 1)-0.5)) + smooth(0.93, 1.0, h/height)*0.4
			out = out.mix(c.Pool, float32(min(run, 1)*0.65))
		}
		// Where the glaze ends it is thick, and throws a little shadow on the clay.
		if c.Bare > 0 {
			out = out.times(float32(1 - 0.18*(1-smooth(0, 5, h-line))))
		}
		if c.Specks > 0 {
			if s := speck(around/3.1, h/3.1, c.Specks); s > 0 {
				out = out.mix(iron, float32(s*0.62))
			}
		}
		return Surface{Color: out, Gloss: c.Gloss}
	}
}

// speck says how much of a speck is at a place, one in some squares of the grid.
func speck(x, y, density float64) float64 {
	ix, iy := math.Floor(x), math.Floor(y)
	if hash(int32(ix), int32(iy)) > density*0.12 {
		return 0
	}
	cx, cy := ix+0.3+0.4*hash(int32(ix)+71, int32(iy)), iy+0.3+0.4*hash(int32(ix), int32(iy)+37)
	size := 0.12 + 0.3*hash(int32(ix)+5, int32(iy)+9)
	return 1 - smooth(size*0.6, size, math.Hypot(x-cx, y-cy))
}

// wood is the end or the side of a board, its grain along u.
func wood(light, dark Color, u, v float64) Color {
	warp := rough(u*1.2, v*2.5) * 2.2
	rings := 0.5 + 0.5*math.Sin((v*9+warp)*6.283)
	fine := rough(u*6, v*90)
	return light.mix(dark, float32(0.26*rings*rings+0.42*fine+0.1))
}

// weave is cloth: threads across and down.
func weave(c Color, x, y, coarse float64) Color {
	x, y = x/coarse, y/coarse
	thread := math.Sin(x*6.283)*math.Sin(y*6.283)*0.5 + 0.5
	slub := noise(x*0.22, y*2.2)*0.5 + noise(x*2.2+9, y*0.22)*0.5
	return c.times(float32(0.86 + 0.10*thread + 0.16*slub))
}
