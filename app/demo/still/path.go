package still

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// point is a place in the picture, in units.
type point struct{ x, y float64 }

func (p point) plus(q point) point    { return point{p.x + q.x, p.y + q.y} }
func (p point) minus(q point) point   { return point{p.x - q.x, p.y - q.y} }
func (p point) times(f float64) point { return point{p.x * f, p.y * f} }
func (p point) length() float64       { return math.Hypot(p.x, p.y) }
func (p point) turned(a float64) point {
	sin, cos := math.Sincos(a)
	return point{p.x*cos - p.y*sin, p.x*sin + p.y*cos}
}

// shape is one or more outlines, each a closed chain of points. Curves are broken into
// short lines when they are added.
type shape struct{ rings [][]point }

// polygon is the shape between points.
func polygon(points ...point) *shape { return &shape{[][]point{points}} }

// add puts another outline to the shape; what both enclose counts once.
func (s *shape) add(points []point) *shape {
	s.rings = append(s.rings, points)
	return s
}

// ellipse is an ellipse.
func ellipse(c point, rx, ry float64) *shape { return polygon(ring(c, rx, ry)...) }

// ring are points on an ellipse.
func ring(c point, rx, ry float64) []point {
	n := max(16, min(120, int(rx+ry)))
	points := make([]point, n)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		points[i] = point{c.x + rx*cos, c.y + ry*sin}
	}
	return points
}

// rounded is a rectangle with round corners.
func rounded(x0, y0, x1, y1, r float64) *shape {
	r = min(r, (x1-x0)/2, (y1-y0)/2)
	var points []point
	for i, c := range []point{{x1 - r, y1 - r}, {x0 + r, y1 - r}, {x0 + r, y0 + r}, {x1 - r, y0 + r}} {
		for j := range 9 {
			sin, cos := math.Sincos(math.Pi / 2 * (float64(i) + float64(j)/8))
			points = append(points, point{c.x + r*cos, c.y + r*sin})
		}
	}
	return polygon(points...)
}

// moved gives a copy in which each point is where to puts it.
func (s *shape) moved(to func(point) point) *shape {
	out := &shape{}
	for _, r := range s.rings {
		points := make([]point, len(r))
		for i, p := range r {
			points[i] = to(p)
		}
		out.rings = append(out.rings, points)
	}
	return out
}

// bounds are the corners of the area that a shape lies in.
func (s *shape) bounds() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, r := range s.rings {
		for _, p := range r {
			x0, y0, x1, y1 = min(x0, p.x), min(y0, p.y), max(x1, p.x), max(y1, p.y)
		}
	}
	return x0, y0, x1, y1
}

// mask says how much of each pixel of an area something covers.
type mask struct {
	box
	cover *image.Alpha
}

// at is the share of a pixel that is covered.
func (m *mask) at(x, y int) float32 {
	if x < m.x0 || x >= m.x1 || y < m.y0 || y >= m.y1 {
		return 0
	}
	return float32(m.cover.Pix[(y-m.y0)*m.cover.Stride+x-m.x0]) / 255
}

// mask rasterizes a shape.
func (f *frame) mask(s *shape) *mask {
	m := &mask{box: f.box(s.bounds())}
	w, h := m.x1-m.x0, m.y1-m.y0
	if w <= 0 || h <= 0 {
		m.x1, m.y1 = m.x0, m.y0
		m.cover = image.NewAlpha(image.Rectangle{})
		return m
	}
	m.cover = image.NewAlpha(image.Rect(0, 0, w, h))
	r := vector.NewRasterizer(w, h)
	r.DrawOp = draw.Src
	for _, points := range s.rings {
		for i, p := range points {
			x, y := float32(f.px(p.x)-float64(m.x0)), float32(f.py(p.y)-float64(m.y0))
			if i == 0 {
				r.MoveTo(x, y)
			} else {
				r.LineTo(x, y)
			}
		}
		r.ClosePath()
	}
	r.Draw(m.cover, m.cover.Bounds(), image.Opaque, image.Point{})
	return m
}

// paint says which colour a place in the picture has.
type paint func(p point) Color

func plain(c Color) paint { return func(point) Color { return c } }

// gradient goes from one colour to another between two places.
func gradient(from point, a Color, to point, b Color) paint {
	d := to.minus(from)
	n := d.x*d.x + d.y*d.y
	return func(p point) Color {
		q := p.minus(from)
		return a.mix(b, float32(min(max((q.x*d.x+q.y*d.y)/n, 0), 1)))
	}
}

// fill paints a shape, with an opacity from 0 to 1, where the others cover it too.
func (f *frame) fill(s *shape, opacity float32, with paint, within ...*mask) {
	m := f.mask(s)
	for y := m.y0; y < m.y1; y++ {
		for x := m.x0; x < m.x1; x++ {
			cover := m.at(x, y) * opacity
			for _, other := range within {
				cover *= other.at(x, y)
			}
			if cover > 0 {
				f.blend(x, y, with(f.unit(x, y)), cover)
			}
		}
	}
}

// curve is a smooth line through points, broken into short pieces.
func curve(points ...point) []point {
	if len(points) < 3 {
		return points
	}
	const pieces = 14
	out := make([]point, 0, len(points)*pieces)
	at := func(i int) point { return points[min(max(i, 0), len(points)-1)] }
	for i := range len(points) - 1 {
		a, b, c, d := at(i-1), at(i), at(i+1), at(i+2)
		for j := range pieces {
			t := float64(j) / pieces
			out = append(out, point{spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t)})
		}
	}
	return append(out, points[len(points)-1])
}

// spline is Catmull and Rom's, between b and c.
func spline(a, b, c, d, t float64) float64 {
	return 0.5 * (2*b + (c-a)*t + (2*a-5*b+4*c-d)*t*t + (3*b-a-3*c+d)*t*t*t)
}
