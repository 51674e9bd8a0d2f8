package still

import "math"

// Print is what is printed on a packet: a name, a line below it, and a drawing.
type Print struct {
	Name   string
	Line   string
	Motif  string // sun, hills, waves, rings, tiles, moon, leaves, rays
	Paper  Color
	Ink    Color
	First  Color // of the drawing
	Second Color
}

// mark is the shop's sign: a boat under the moon.
func (s sheet) mark(x, y, size float64, c Color) {
	hull := polygon(point{x - size, y}, point{x + size, y}, point{x + size*0.62, y + size*0.52}, point{x - size*0.62, y + size*0.52})
	s.fill(hull, 1, plain(c))
	s.fill(polygon(point{x - size*0.08, y - size*0.18}, point{x - size*0.08, y - size*1.25}, point{x + size*0.72, y - size*0.18}), 1, plain(c))
	s.fill(ellipse(point{x - size*0.6, y - size*0.95}, size*0.24, size*0.24), 1, plain(c))
}

// sheet prints on a sheet of a size. The drawing takes the middle of it.
func (p Print) sheet(w, h int) sheet {
	s := newSheet(w, h, p.Paper)
	fw, fh := float64(w), float64(h)
	s.mark(fw/2, fh*0.095, fw*0.055, p.Ink)
	s.motif(p, 0, fh*0.17, fw, fh*0.64)
	s.write(p.Name, bold, fitting(p.Name, bold, fw*0.125, fw*0.84), 0.01, fw/2, fh*0.775, p.Ink)
	s.fill(rounded(fw*0.42, fh*0.812, fw*0.58, fh*0.817, 1), 1, plain(p.Ink))
	s.write(p.Line, medium, fitting(p.Line, medium, fw*0.058, fw*0.84), 0.04, fw/2, fh*0.875, p.Ink)
	return s
}

// fitting is a size at which a text is not wider than it may be.
func fitting(text string, weight int, size, width float64) float64 {
	x0, _, x1, _ := lettering(text, weight, size, 0.04, 0, 0).bounds()
	if wide := x1 - x0; wide > width {
		size *= width / wide
	}
	return size
}

// motif draws within an area.
func (s sheet) motif(p Print, x0, y0, x1, y1 float64) {
	w, h := x1-x0, y1-y0
	c := point{(x0 + x1) / 2, (y0 + y1) / 2}
	within := s.mask(polygon(point{x0, y0}, point{x1, y0}, point{x1, y1}, point{x0, y1}))
	put := func(what *shape, color Color) { s.fill(what, 1, plain(color), within) }
	put(polygon(point{x0, y0}, point{x1, y0}, point{x1, y1}, point{x0, y1}), p.First)
	switch p.Motif {
	case "sun":
		put(ellipse(point{c.x, y0 + h*0.62}, w*0.33, w*0.33), p.Second)
		for i := range 6 {
			y := y0 + h*(0.62+float64(i)*0.075)
			put(rounded(x0, y, x1, y+h*(0.018+0.008*float64(i)), 0), p.First)
		}
		put(rounded(x0, y0+h*0.955, x1, y1, 0), p.Ink)
	case "hills":
		put(ellipse(point{x0 + w*0.70, y0 + h*0.26}, w*0.13, w*0.13), p.Paper)
		for i := range 4 {
			t := float64(i) / 3
			hill := []point{{x0, y1}}
			for x := x0; x <= x1+1; x += 4 {
				y := y0 + h*(0.42+0.16*float64(i)) + h*0.085*math.Sin((x-x0)/w*5.2+float64(i)*2.3) - h*0.05*math.Sin((x-x0)/w*9+float64(i))
				hill = append(hill, point{x, y})
			}
			put(polygon(append(hill, point{x1, y1})...), p.Second.mix(p.Ink, float32(t*0.85)))
		}
	case "waves":
		for i := range 7 {
			wave := []point{{x0, y1}}
			for x := x0; x <= x1+1; x += 3 {
				phase := (x-x0)/w*12.566 + float64(i)*1.57
				wave = append(wave, point{x, y0 + h*(0.24+0.12*float64(i)) - math.Abs(math.Sin(phase/2))*h*0.09})
			}
			colors := []Color{p.Second, p.Ink, p.First.mix(p.Second, 0.5)}
			put(polygon(append(wave, point{x1, y1})...), colors[i%3])
		}
	case "rings":
		for i := range 7 {
			r := w * (0.56 - 0.08*float64(i))
			colors := []Color{p.Second, p.First, p.Ink, p.First}
			put(ellipse(point{c.x, y1 - h*0.08}, r, r), colors[i%4])
		}
	case "tiles":
		s.tiles(p, within, x0, y0, w/4)
	case "moon":
		put(ellipse(point{c.x, c.y}, w*0.28, w*0.28), p.Second)
		put(ellipse(point{c.x + w*0.11, c.y - w*0.06}, w*0.24, w*0.24), p.First)
		for i := range 26 {
			q := point{x0 + w*hash(int32(i), 1), y0 + h*hash(int32(i), 2)}
			if q.minus(c).length() < w*0.32 {
				continue
			}
			r := w * (0.006 + 0.010*hash(int32(i), 3))
			put(ellipse(q, r, r), p.Paper)
		}
	case "leaves":
		for row := range 5 {
			for column := -1; column < 5; column++ {
				x := x0 + w*(float64(column)+0.5*float64(row%2))*0.25
				y := y0 + h*float64(row)*0.235
				color := []Color{p.Second, p.Ink, p.Paper}[(row+column+6)%3]
				put(leaf(point{x + w*0.05, y + h*0.21}, point{x + w*0.2, y + h*0.02}, w*0.055), color)
			}
		}
	case "rays":
		at := point{x0, y1}
		for i := range 9 {
			a, b := -math.Pi/2*float64(i*2)/18, -math.Pi/2*float64(i*2+1)/18
			far := w * 2
			color := p.Second
			if i%2 == 1 {
				color = p.Ink
			}
			put(polygon(at, at.plus(point{math.Cos(a), math.Sin(a)}.times(far)), at.plus(point{math.Cos(b), math.Sin(b)}.times(far))), color)
		}
		put(ellipse(at, w*0.26, w*0.26), p.Paper)
	}
}

// tiles are quarters of circles in a grid.
func (s sheet) tiles(p Print, within *mask, x0, y0, size float64) {
	colors := []Color{p.Second, p.Ink, p.Paper, p.Second}
	for row := range 7 {
		for column := range 4 {
			i := int(hash(int32(row*7), int32(column*3)) * 4)
			corner := point{x0 + size*float64(column), y0 + size*float64(row)}
			center := corner.plus([]point{{0, 0}, {size, 0}, {size, size}, {0, size}}[i])
			quarter := s.mask(polygon(corner, corner.plus(point{size, 0}), corner.plus(point{size, size}), corner.plus(point{0, size})))
			s.fill(ellipse(center, size, size), 1, plain(colors[(row+column*3+i)%4]), within, quarter)
		}
	}
}
