package still

// flat is a flat piece that stands, lies or leans: a card, a board, the side of a box. It is
// a parallelogram: from a corner along two edges.
type flat struct {
	corner       point // where u and v are 0
	across, down point // to where u is 1, to where v is 1
	facing       vec
	radius       float64 // of its corners, in units
	surface      func(u, v float64) Surface
}

func (s flat) draw(f *frame, within ...*mask) *mask {
	w, h := s.across.length(), s.down.length()
	outline := rounded(0, 0, w, h, max(s.radius, 0.01)).moved(func(p point) point {
		return s.corner.plus(s.across.times(p.x / w)).plus(s.down.times(p.y / h))
	})
	det := s.across.x*s.down.y - s.across.y*s.down.x
	m := f.mask(outline)
	n := s.facing.unit()
	for y := m.y0; y < m.y1; y++ {
		for x := m.x0; x < m.x1; x++ {
			cover := m.at(x, y)
			for _, other := range within {
				cover *= other.at(x, y)
			}
			if cover == 0 {
				continue
			}
			p := f.unit(x, y).minus(s.corner)
			u := (p.x*s.down.y - p.y*s.down.x) / det
			v := (p.y*s.across.x - p.x*s.across.y) / det
			f.blend(x, y, s.surface(u, v).lit(n, 1), cover)
		}
	}
	return m
}

// carton is a box that stands on the table, turned a little, so that its front, one side
// and its top are seen.
type carton struct {
	at          point // the lower left corner of its front
	w, h, d     float64
	front       func(u, v float64) Surface
	side, cover func(u, v float64) Surface
}

func (c carton) draw(f *frame) {
	back := point{c.d * 0.62, -c.d * 0.30}
	front := point{c.w, c.w * 0.035}
	flat{
		corner: c.at.plus(point{0, -c.h}), across: front, down: point{0, c.h},
		facing: vec{-0.15, 0.05, 1}, surface: c.front,
	}.draw(f)
	flat{
		corner: c.at.plus(front).plus(point{0, -c.h}), across: back, down: point{0, c.h},
		facing: vec{1, 0, 0.25}, surface: c.side,
	}.draw(f)
	flat{
		corner: c.at.plus(back).plus(point{0, -c.h}), across: front, down: back.times(-1),
		facing: vec{0, 1, 0.1}, surface: c.cover,
	}.draw(f)
}
