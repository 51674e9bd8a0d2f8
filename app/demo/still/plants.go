package still

import "math"

// leaf is a leaf from its stalk to its tip.
func leaf(from, to point, width float64) *shape {
	d := to.minus(from)
	side := point{-d.y, d.x}.times(width / max(d.length(), 1e-9))
	left := curve(from, from.plus(d.times(0.35)).plus(side), from.plus(d.times(0.75)).plus(side.times(0.6)), to)
	right := curve(to, from.plus(d.times(0.75)).minus(side.times(0.6)), from.plus(d.times(0.35)).minus(side), from)
	return polygon(append(left, right...)...)
}

// sprig is a stem with something on it, from its foot to its tip.
type sprig struct {
	line []point
	stem Color
	leaf Color
	kind string // eucalyptus, olive, grass, berries, branch
	seed int32
}

func (s sprig) draw(f *frame, within ...*mask) {
	stem := tube{line: s.line, from: 2.6, to: 1.1, surface: Surface{Color: s.stem}}
	stem.draw(f, within...)
	n := len(s.line)
	random := func(i, j int) float64 { return hash(s.seed+int32(i)*31, int32(j)) - 0.5 }
	pitch := max(1, n/16)
	if s.kind == "eucalyptus" {
		pitch = max(1, n/8)
	}
	for i := n / 4; i < n; i += pitch {
		p := s.line[i]
		q := s.line[min(i+1, n-1)]
		if i == n-1 {
			q, p = p, s.line[i-1]
		}
		along := q.minus(p)
		along = along.times(1 / max(along.length(), 1e-9))
		left := float64(1 - 2*((i/pitch)%2))
		t := float64(i) / float64(n)
		switch s.kind {
		case "eucalyptus":
			for _, side := range []float64{-1, 1} {
				s.round(f, p, along.turned(side*(1.25+random(i, 1)*0.5)), 34*(1.15-t*0.7), side)
			}
		case "olive":
			d := along.turned(left * (0.65 + random(i, 2)*0.3))
			s.blade(f, p, p.plus(d.times(62*(1.1-t*0.5))), 7, left)
		case "grass":
			d := along.turned(left * (0.35 + random(i, 3)*0.4))
			s.blade(f, p, p.plus(d.times(36*(0.4+t))), 3.2, left)
		case "berries":
			d := along.turned(left * (0.9 + random(i, 4)*0.6)).times(15 + 12*random(i, 5))
			s.berry(f, p.plus(d), 7+2.5*random(i, 6))
		case "branch":
			if i%3 == 0 || t > 0.6 {
				d := along.turned(left * (0.7 + random(i, 7)*0.4))
				s.blade(f, p, p.plus(d.times(46*(1.2-t*0.4))), 13, left)
			}
		}
	}
	if s.kind == "eucalyptus" {
		s.round(f, s.line[n-1], point{0, -1}, 12, 1)
	}
}

// blade is a leaf with its two halves lit differently.
func (s sprig) blade(f *frame, from, to point, width, side float64) {
	d := to.minus(from)
	level := float32(0.80 + 0.25*math.Abs(d.x)/max(d.length(), 1))
	if d.x > 0 {
		level -= 0.16
	}
	c := s.leaf.times(level)
	f.fill(leaf(from, to, width), 1, gradient(from, c.times(0.82), to, c.times(1.1)))
	half := polygon(append(curve(from, from.plus(d.times(0.5)).plus(point{-d.y, d.x}.times(side*width*0.5/max(d.length(), 1))), to), to, from)...)
	f.fill(half, 0.35, plain(c.times(0.7)))
}

// round is a coin-shaped leaf.
func (s sprig) round(f *frame, from point, d point, size, side float64) {
	c := from.plus(d.times(size * 0.8))
	level := float32(0.95)
	if side > 0 {
		level = 0.78
	}
	a := math.Atan2(d.y, d.x)
	out := ellipse(point{}, size*0.82, size*0.66).moved(func(p point) point { return p.turned(a).plus(c) })
	f.fill(out, 1, gradient(from, s.leaf.times(level*0.8), c.plus(d.times(size)), s.leaf.times(level*1.12)))
	f.fill(polygon(curve(from, c, c.plus(d.times(size*0.7)))...).add([]point{from, c, from.plus(point{1, 1})}), 0.3, plain(s.leaf.times(0.6)))
}

// berry is a small ball.
func (s sprig) berry(f *frame, c point, r float64) {
	ball{c, r, Surface{Color: s.leaf, Gloss: 0.5}}.draw(f)
}

// ball is a ball.
type ball struct {
	c       point
	r       float64
	surface Surface
}

func (b ball) draw(f *frame, within ...*mask) {
	tube{line: []point{b.c, b.c.plus(point{0.01, 0})}, from: b.r, to: b.r, surface: b.surface}.draw(f, within...)
}
