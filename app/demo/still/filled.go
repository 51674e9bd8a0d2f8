package still

import "math"

// filled is a thing of cloth, paper or leather with something in it, which faces the
// viewer: a cushion, a bag. Its shape is given within a square from -1 to 1, y pointing
// down, and so is how far it bulges.
type filled struct {
	middle  point
	w, h    float64 // half of its width and height
	turn    float64 // how far it is turned, clockwise
	outline *shape  // within the square
	bulge   func(u, v float64) float64
	depth   float64 // how much the bulge weighs
	lean    float64 // how far its upper edge leans back
	surface func(u, v float64) Surface
}

// place is where a point of the square lies in the picture.
func (c filled) place(p point) point {
	return point{p.x * c.w, p.y * c.h}.turned(c.turn).plus(c.middle)
}

func (c filled) draw(f *frame) *mask {
	m := f.mask(c.outline.moved(c.place))
	const e = 0.02
	for y := m.y0; y < m.y1; y++ {
		for x := m.x0; x < m.x1; x++ {
			cover := m.at(x, y)
			if cover == 0 {
				continue
			}
			p := f.unit(x, y).minus(c.middle).turned(-c.turn)
			u, v := p.x/c.w, p.y/c.h
			z := c.bulge(u, v)
			du, dv := (c.bulge(u+e, v)-z)/e*c.depth, (c.bulge(u, v+e)-z)/e*c.depth
			slope := point{du, dv * c.w / c.h}.turned(c.turn)
			n := vec{float32(-slope.x), float32(slope.y + c.lean), 1}.unit()
			open := float32(0.72 + 0.28*math.Min(1, math.Max(0, z*1.8)))
			f.blend(x, y, c.surface(u, v).lit(n, open), cover)
		}
	}
	return m
}

// cushionShape is a square whose sides draw in between the corners, as filling rounds
// them.
func cushionShape(draw float64) *shape {
	var points []point
	const n = 28
	for side := range 4 {
		for i := range n {
			t := -1 + 2*float64(i)/n
			in := draw * (1 - t*t)
			p := point{t, -1 + in}
			points = append(points, p.turned(float64(side)*math.Pi/2))
		}
	}
	return polygon(points...)
}

// cushionBulge is highest in the middle, and pinched in the corners.
func cushionBulge(u, v float64) float64 {
	a, b := max(1-u*u, 0), max(1-v*v, 0)
	return math.Pow(a*b, 0.42) + 0.03*(noise(u*3+7, v*3)-0.5)
}
