package still

import "math"

// cast darkens the table where a thing of a radius and a height stands: softly to the
// right and backwards, as the light falls, and closely around its foot.
func (f *frame) cast(at point, radius, height, strength, tilt float64) {
	// On the table, in units from the foot: x to the right, z backwards.
	reach := 0.62*height + 0.2*radius
	direction := point{0.93, 0.37}
	soft := 0.34*reach + 0.5*radius
	b := f.box(at.x-radius-soft, at.y-(reach*0.5+radius+soft)*tilt, at.x+radius+reach+soft, at.y+(radius+soft)*tilt)
	for y := b.y0; y < b.y1; y++ {
		for x := b.x0; x < b.x1; x++ {
			p := f.unit(x, y).minus(at)
			p.y /= -tilt
			t := min(max((p.x*direction.x+p.y*direction.y)/reach, 0), 1)
			d := p.minus(direction.times(t * reach)).length()
			blur := 0.16*radius + (0.10+0.9*t)*0.34*reach
			dark := (1 - smooth(radius*(1-0.22*t)-blur, radius*(1-0.22*t)+blur, d)) * strength * (1 - 0.8*t)
			close := 1 - smooth(radius*0.9, radius*1.16+6, math.Hypot(p.x-2, p.y))
			dark = 1 - (1-dark)*(1-0.55*strength*close)
			if dark <= 0 {
				continue
			}
			at := &f.pix[y*f.w+x]
			at.R, at.G, at.B = at.R*float32(1-dark), at.G*float32(1-dark*0.97), at.B*float32(1-dark*0.92)
		}
	}
}

// soft darkens what lies under a shape, blurred by so many units.
func (f *frame) soft(s *shape, blur, strength float64) {
	// A blurred shadow needs few pixels: a quarter of the frame's.
	const coarse = 4
	small := &frame{w: f.w / coarse, h: f.h / coarse, scale: f.scale / coarse, corner: f.corner}
	m := small.mask(s)
	w, h := small.w, small.h
	dark := make([]float32, w*h)
	for y := m.y0; y < m.y1; y++ {
		for x := m.x0; x < m.x1; x++ {
			dark[y*w+x] = m.at(x, y)
		}
	}
	radius := max(1, int(blur*small.scale))
	for range 2 {
		averageRows(dark, w, h, radius)
		averageColumns(dark, w, h, radius)
	}
	x0, y0, x1, y1 := s.bounds()
	b := f.box(x0-2*blur-8, y0-2*blur-8, x1+2*blur+8, y1+2*blur+8)
	for y := b.y0; y < b.y1; y++ {
		sy := min(max(float64(y)/coarse-0.4, 0), float64(h-2))
		for x := b.x0; x < b.x1; x++ {
			sx := min(max(float64(x)/coarse-0.4, 0), float64(w-2))
			i, tx, ty := int(sy)*w+int(sx), float32(sx-math.Floor(sx)), float32(sy-math.Floor(sy))
			top := dark[i] + (dark[i+1]-dark[i])*tx
			bottom := dark[i+w] + (dark[i+w+1]-dark[i+w])*tx
			d := (top + (bottom-top)*ty) * float32(strength)
			at := &f.pix[y*f.w+x]
			at.R, at.G, at.B = at.R*(1-d), at.G*(1-d*0.97), at.B*(1-d*0.92)
		}
	}
}

func averageRows(v []float32, w, h, radius int) {
	line := make([]float32, w)
	for y := range h {
		average(line, func(x int) *float32 { return &v[y*w+x] }, radius)
	}
}

func averageColumns(v []float32, w, h, radius int) {
	line := make([]float32, h)
	for x := range w {
		average(line, func(y int) *float32 { return &v[y*w+x] }, radius)
	}
}

// average gives each value the average of those around it.
func average(line []float32, at func(int) *float32, radius int) {
	var sum float32
	for i := range line {
		line[i] = *at(i)
		if i < radius {
			sum += line[i]
		}
	}
	for i := range line {
		if i+radius < len(line) {
			sum += line[i+radius]
		}
		if i-radius-1 >= 0 {
			sum -= line[i-radius-1]
		}
		*at(i) = sum / float32(2*radius+1)
	}
}
