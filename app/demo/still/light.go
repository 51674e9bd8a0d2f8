package still

import "math"

// vec is a direction or a place in space: x to the right, y up, z towards the viewer.
type vec struct{ x, y, z float32 }

func (a vec) dot(b vec) float32 { return a.x*b.x + a.y*b.y + a.z*b.z }

func (a vec) unit() vec {
	n := float32(1 / math.Sqrt(float64(a.dot(a))))
	return vec{a.x * n, a.y * n, a.z * n}
}

// The light: a window at the upper left, and what the room gives back.
var (
	sun      = vec{-0.56, 0.62, 0.55}.unit()
	eye      = vec{0, 0.26, 0.97}.unit()
	halfway  = vec{sun.x + eye.x, sun.y + eye.y, sun.z + eye.z}.unit()
	sunlight = Color{0.80, 0.775, 0.73}
	skylight = Color{0.34, 0.355, 0.375}
	bounce   = Color{0.13, 0.122, 0.11}
)

// Surface is what light falls on: its colour, and how much of the window it mirrors.
type Surface struct {
	Color Color
	Gloss float32 // 0 is chalk, 1 is glaze
	Metal float32 // how much of what is mirrored takes the surface's own colour
}

// lit is what is seen of a surface that faces n, where open (0 to 1) is how much of the
// room it sees.
func (s Surface) lit(n vec, open float32) Color {
	direct := n.dot(sun)
	wrapped := max((direct+0.22)/1.22, 0) // the window is large: light reaches a little around
	light := sunlight.times(wrapped * (0.35 + 0.65*open)).
		plus(skylight.times((0.62 + 0.38*n.y) * open)).
		plus(bounce.times((0.5 - 0.5*n.y) * open))
	out := s.Color.by(light)
	grey := out.R*0.3 + out.G*0.6 + out.B*0.1
	out = out.mix(Color{grey, grey, grey}, 0.08)
	if s.Gloss > 0 {
		facing := max(n.dot(halfway), 0)
		sheen := power(facing, 4) * 0.10
		spot := float32(smooth(0.935, 0.998, float64(facing))) * 0.40
		away := 1 - max(n.dot(eye), 0)
		edge := away * away * away * away * 0.22
		mirrored := (sheen + spot + edge*(0.5+0.5*n.y)) * s.Gloss * (0.3 + 0.7*open)
		tint := Color{1, 1, 1}.mix(s.Color.times(1.6), s.Metal)
		out = out.plus(tint.times(mirrored))
	}
	return out
}

// power is v to the power of two to the n.
func power(v float32, n int) float32 {
	for range n {
		v *= v
	}
	return v
}
