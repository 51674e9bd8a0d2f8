package still

import "math"

// tube is a thing bent from a tube, or from wire, clay, rope: a handle, a stem, a spout. It
// lies in the plane of the picture.
type tube struct {
	line    []point
	from    float64 // radius at the beginning of the line
	to      float64 // and at its end
	surface Surface
	flat    float64 // how flat it is towards the viewer: 0 is round
}

func (t tube) draw(f *frame, within ...*mask) {
	x0, y0, x1, y1 := polygon(t.line...).bounds()
	most := max(t.from, t.to) + 1
	b := f.box(x0-most, y0-most, x1+most, y1+most)
	lengths := make([]float64, len(t.line))
	for i := 1; i < len(t.line); i++ {
		lengths[i] = lengths[i-1] + t.line[i].minus(t.line[i-1]).length()
	}
	whole := max(lengths[len(lengths)-1], 1e-9)
	for y := b.y0; y < b.y1; y++ {
		for x := b.x0; x < b.x1; x++ {
			p := f.unit(x, y)
			best, at := math.Inf(1), 0.0
			var near point
			for i := 1; i < len(t.line); i++ {
				a, d := t.line[i-1], t.line[i].minus(t.line[i-1])
				// A piece that is farther than the nearest so far cannot matter.
				if math.Abs(a.x-p.x) > best+math.Abs(d.x) && math.Abs(a.y-p.y) > best+math.Abs(d.y) {
					continue
				}
				u := min(max(((p.x-a.x)*d.x+(p.y-a.y)*d.y)/max(d.x*d.x+d.y*d.y, 1e-9), 0), 1)
				q := a.plus(d.times(u))
				if far := p.minus(q).length(); far < best {
					best, near, at = far, q, (lengths[i-1]+u*(lengths[i]-lengths[i-1]))/whole
				}
			}
			r := t.from + (t.to-t.from)*at
			cover := float32(min(max((r-best)*f.scale+0.5, 0), 1))
			if cover == 0 {
				continue
			}
			for _, m := range within {
				cover *= m.at(x, y)
			}
			off := p.minus(near).times(1 / max(r, 0.01))
			if n := off.length(); n > 1 {
				off = off.times(1 / n)
			}
			off = off.times(1 - t.flat*0.6)
			deep := math.Sqrt(max(1-off.x*off.x-off.y*off.y, 0))
			n := vec{float32(off.x), float32(-off.y), float32(deep)}
			f.blend(x, y, t.surface.lit(n, 1), cover)
		}
	}
}
