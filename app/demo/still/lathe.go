package still

import "math"

// turned is a thing turned on a lathe. It stands upright on the table, seen a little from
// above.
type turned struct {
	at      point   // of the middle of its foot
	tilt    float64 // how round its circles look: 0.26 is the usual view, 0.6 from well above
	profile []turn  // from the foot to the rim
	outside material
	glass   float64 // how clear it is: 0 for what light does not go through
	round   float64 // how much the foot is rounded off to the table's shadow; 0 for hard edges

	wall   float64 // of an open thing: how thick it is; 0 is closed by a lid
	floor  float64 // of an open thing: how high its floor is
	inside material
	lid    material // of a closed thing: its flat top
}

// turn is a point of a profile: how far out it is at which height.
type turn struct{ height, radius float64 }

// material is the surface at an angle (0 is towards the viewer, rising to the right) and a
// height. Of an inside the height is how far it is along the inside from the middle of its
// floor.
type material func(angle, height float64) Surface

// one is a material that is the same all over.
func one(s Surface) material { return func(float64, float64) Surface { return s } }

const usualTilt = 0.24

// slices are a profile cut into slices of equal height.
type slices struct {
	step   float64
	radius []float64
	slope  []float64 // by how much the radius grows with the height
}

// cut cuts a profile in slices of about half a pixel. Corners are profile points that are
// given twice.
func (f *frame) cut(profile []turn) slices {
	top := profile[len(profile)-1].height
	n := max(8, int(top*f.scale*1.6))
	s := slices{step: top / float64(n-1), radius: make([]float64, n), slope: make([]float64, n)}
	piece := 0
	for i := range n {
		h := float64(i) * s.step
		for piece < len(profile)-2 && h > profile[piece+1].height {
			piece++
		}
		s.radius[i] = profileAt(profile, piece, h)
	}
	// Slopes are taken over a stretch, as no clay has a sharp edge, and the light on a bend
	// would show where the pieces of the profile meet.
	stretch := max(1, int(7/s.step))
	for i := range n {
		a, b := max(i-stretch, 0), min(i+stretch, n-1)
		s.slope[i] = (s.radius[b] - s.radius[a]) / (float64(b-a) * s.step)
	}
	return s
}

// profileAt is the radius at a height within a piece, by Hermite's curve through the
// points.
func profileAt(p []turn, i int, h float64) float64 {
	a, b := p[i], p[i+1]
	width := b.height - a.height
	if width <= 0 {
		return b.radius
	}
	t := min(max((h-a.height)/width, 0), 1)
	straight := (b.radius - a.radius) / width
	from, to := straight, straight
	if i > 0 && p[i].height > p[i-1].height {
		w := a.height - p[i-1].height
		from = through((a.radius-p[i-1].radius)/w, w, straight, width)
	}
	if i+2 < len(p) && p[i+2].height > b.height {
		w := p[i+2].height - b.height
		to = through(straight, width, (p[i+2].radius-b.radius)/w, w)
	}
	t2, t3 := t*t, t*t*t
	return (2*t3-3*t2+1)*a.radius + (t3-2*t2+t)*width*from + (3*t2-2*t3)*b.radius + (t3-t2)*width*to
}

// through is the slope at a point between two pieces: that of the parabola through the
// three points, but not so steep that the curve would swing out between them.
func through(before, width1, after, width2 float64) float64 {
	slope := (before*width2 + after*width1) / (width1 + width2)
	if before*after >= 0 {
		most := 3 * min(math.Abs(before), math.Abs(after))
		slope = min(max(slope, -most), most)
	}
	return slope
}

// draw draws the thing.
func (t turned) draw(f *frame) {
	if t.tilt == 0 {
		t.tilt = usualTilt
	}
	cuts := f.cut(t.profile)
	f.turn(t.silhouette(cuts), t, cuts)
	top := t.profile[len(t.profile)-1]
	rim := point{t.at.x, t.at.y - top.height}
	if t.wall <= 0 {
		if t.lid != nil && top.radius > 1 {
			f.disc(rim, top.radius, t.tilt, t.lid, 1)
		}
		return
	}
	// The rim is a little rounded: brightest where it faces the light.
	f.fill(ellipse(rim, top.radius, top.radius*t.tilt), 1, func(p point) Color {
		out := p.minus(rim)
		n := vec{float32(out.x / top.radius * 0.5), 0.9, float32(out.y / (top.radius * t.tilt) * 0.5)}.unit()
		return t.outside(math.Atan2(out.x, out.y/t.tilt), top.height).lit(n, 1)
	})
	f.hollow(t, cuts, rim, top.radius-t.wall)
}

// silhouette is the outline of the thing: all of its circles and what lies between them.
func (t turned) silhouette(s slices) *shape {
	var left, right []point
	out := &shape{}
	n := len(s.radius)
	for i := 0; i < n; i++ {
		y, r := t.at.y-float64(i)*s.step, s.radius[i]
		left, right = append(left, point{t.at.x - r, y}), append(right, point{t.at.x + r, y})
		if i == 0 || i == n-1 || i%max(1, n/60) == 0 {
			out.add(ring(point{t.at.x, y}, r, r*t.tilt))
		}
	}
	for i := range left {
		right = append(right, left[len(left)-1-i])
	}
	// The same way round as the rings, so that what overlaps counts once.
	for i, j := 0, len(right)-1; i < j; i, j = i+1, j-1 {
		right[i], right[j] = right[j], right[i]
	}
	return out.add(right)
}

// turn shades the outside. Column by column it climbs from the foot to the rim: what lies
// higher hides what lies behind it.
func (f *frame) turn(outline *shape, t turned, s slices) {
	m := f.mask(outline)
	w, h := m.x1-m.x0, m.y1-m.y0
	column, solid := make([]Color, h), make([]float32, h)
	for x := range w {
		ux := f.unit(m.x0+x, 0).x - t.at.x
		below := h // rows from here on down are done
		prev := math.Inf(1)
		for i, r := range s.radius {
			reach := max(r, 0.01)
			across := min(max(ux/reach, -1), 1)
			deep := math.Sqrt(1 - across*across)
			y := t.at.y - float64(i)*s.step + t.tilt*reach*deep
			if y >= prev {
				prev = y
				continue // it faces away
			}
			from := int(math.Ceil(f.py(y)-0.5)) - m.y0
			to := below
			if !math.IsInf(prev, 1) {
				to = min(int(math.Ceil(f.py(prev)-0.5))-m.y0, h)
			}
			prev = y
			if from = max(from, 0); from >= to {
				continue
			}
			c := t.shade(across, deep, float64(i)*s.step, s.slope[i])
			dense := t.dense(deep)
			for row := from; row < to; row++ {
				column[row], solid[row] = c, dense
			}
			below = min(below, from)
		}
		for row := 0; row < below && row < h; row++ { // above the rim: an edge of the mask
			column[row], solid[row] = column[min(below, h-1)], solid[min(below, h-1)]
		}
		for row := range h {
			if cover := m.at(m.x0+x, m.y0+row); cover > 0 {
				f.blend(m.x0+x, m.y0+row, column[row], cover*solid[row])
			}
		}
	}
}

// dense is how much of what lies behind glass it hides: most where it is seen edgewise.
func (t turned) dense(deep float64) float32 {
	if t.glass == 0 {
		return 1
	}
	edge := 1 - deep
	return float32(1 - t.glass*(1-edge*edge*0.9))
}

// shade is what is seen of the outside at a height, where it lies across from -1, the left
// edge, to 1.
func (t turned) shade(across, deep, height, slope float64) Color {
	n := vec{float32(across), float32(-slope), float32(deep)}.unit()
	open := float32(1)
	if t.round > 0 {
		open = float32(0.55 + 0.45*smooth(-0.4*t.round, t.round, height))
	}
	return t.outside(math.Asin(across), height).lit(n, open)
}

// disc is a flat circle that faces up. Its material is asked by the angle and the distance
// from the middle.
func (f *frame) disc(c point, r, tilt float64, m material, open float32, within ...*mask) {
	up := vec{0, 1, 0}
	f.fill(ellipse(c, r, r*tilt), 1, func(p point) Color {
		out := p.minus(c)
		return m(math.Atan2(out.x, out.y/tilt), math.Hypot(out.x, out.y/tilt)).lit(up, open)
	}, within...)
}

// hollow shades the inside of an open thing: down its back wall, over the floor and up the
// front wall as far as that is seen.
func (f *frame) hollow(t turned, s slices, rim point, radius float64) {
	if radius <= 2 {
		return
	}
	m := f.mask(ellipse(rim, radius, radius*t.tilt))
	in := t.inside
	if in == nil {
		in = t.outside
	}
	n := len(s.radius)
	bottom := min(max(int(t.floor/s.step), 1), n-1)
	top := float64(n-1) * s.step
	// How far it is along the inside, from the middle of the floor.
	along := make([]float64, n)
	along[bottom] = s.radius[bottom]
	for i := bottom + 1; i < n; i++ {
		along[i] = along[i-1] + s.step*math.Hypot(1, s.slope[i])
	}
	for x := m.x0; x < m.x1; x++ {
		ux := f.unit(x, 0).x - t.at.x
		row := m.y0
		step := func(y float64, c func() Color) {
			to := int(math.Ceil(f.py(y) - 0.5))
			if to <= row {
				return
			}
			shade := c()
			for ; row < to && row < m.y1; row++ {
				f.blend(x, row, shade, m.at(x, row))
			}
		}
		wall := func(i int, side float64) {
			r := max(s.radius[i]-t.wall, 0.01)
			across := min(max(ux/r, -1), 1)
			deep := math.Sqrt(1 - across*across)
			h := float64(i) * s.step
			y := t.at.y - h - side*t.tilt*r*deep
			step(y, func() Color {
				// Wall and floor run into each other.
				up := 1.6 * (1 - smooth(t.floor, t.floor+0.3*(top-t.floor), h))
				normal := vec{float32(-across), float32(max(s.slope[i], 0) + up), float32(side * deep)}.unit()
				open := float32(0.30 + 0.70*math.Exp(-(top-h)/(1.1*radius)))
				return in(math.Atan2(across, side*deep), along[i]).lit(normal, open)
			})
		}
		for i := n - 1; i > bottom && row < m.y1; i-- {
			wall(i, 1)
		}
		r := max(s.radius[bottom]-t.wall, 0.01)
		if math.Abs(ux) < r {
			h := float64(bottom) * s.step
			half := t.tilt * math.Sqrt(r*r-ux*ux)
			open := float32(0.30 + 0.70*math.Exp(-(top-h)/(1.1*radius)))
			for y := t.at.y - h - half; y < t.at.y-h+half; {
				y = min(y+1/f.scale, t.at.y-h+half)
				step(y, func() Color {
					z := (y - t.at.y + h) / t.tilt
					return in(math.Atan2(ux, -z), math.Hypot(ux, z)).lit(vec{0, 1, 0}, open)
				})
			}
		}
		for i := bottom; i < n && row < m.y1; i++ {
			wall(i, -1)
		}
		step(f.unit(0, m.y1+1).y, func() Color { return in(0, top).lit(vec{0, 0.3, -0.95}, 0.5) })
	}
}

// level fills an open thing to a height with something that lies flat.
func (f *frame) level(t turned, height float64, what material) {
	if t.tilt == 0 {
		t.tilt = usualTilt
	}
	s := f.cut(t.profile)
	i := min(max(int(height/s.step), 0), len(s.radius)-1)
	top := t.profile[len(t.profile)-1]
	rim := f.mask(ellipse(point{t.at.x, t.at.y - top.height}, top.radius-t.wall, (top.radius-t.wall)*t.tilt))
	r := s.radius[i] - t.wall
	f.disc(point{t.at.x, t.at.y - height}, r, t.tilt, what, 0.85, rim)
}
