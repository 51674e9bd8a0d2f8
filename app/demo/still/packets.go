package still

import "math"

// bagShape is a bag that stands: a little wider at its foot, folded flat at its top.
func bagShape() *shape {
	left := curve(point{-0.86, -1}, point{-0.90, -0.80}, point{-0.985, -0.45}, point{-1, 0.1}, point{-0.985, 0.7}, point{-0.97, 0.93}, point{-0.90, 0.99})
	right := make([]point, len(left))
	for i, p := range left {
		right[len(left)-1-i] = point{-p.x, p.y}
	}
	bottom := curve(point{-0.90, 0.99}, point{-0.4, 1.012}, point{0.4, 1.012}, point{0.90, 0.99})
	return polygon(append(append(append([]point{}, left...), bottom...), right...)...)
}

// bagBulge is a bag's: full below, flat where it is folded, with creases from the fold.
func bagBulge(u, v float64) float64 {
	full := smooth(-1.0, -0.25, v) * (1 - 0.5*smooth(0.75, 1.05, v))
	body := math.Sqrt(max(1-u*u*0.97, 0)) * full
	crease := 0.035 * math.Sin(u*9+v*2) * smooth(-0.95, -0.8, v) * smooth(-0.2, -0.7, v)
	return body*0.62 + crease + 0.02*rough(u*3+4, v*4)
}

// Bag is a bag of coffee.
func Bag(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) { f.bag(p, point{400, 560}, 205, 310, 0) }}
}

func (f *frame) bag(p Print, middle point, w, h, turn float64) {
	printed := p.sheet(410, 620)
	foot := middle.y + h
	f.soft(polygon(point{middle.x - w*0.9, foot - 8}, point{middle.x + w*0.9, foot - 8}, point{middle.x + w*1.5, foot - 42}, point{middle.x - w*0.3, foot - 42}), 22, 0.5)
	f.soft(rounded(middle.x-w*0.96, foot-10, middle.x+w*0.98, foot+8, 8), 7, 0.6)
	body := filled{
		middle: middle, w: w, h: h, turn: turn, outline: bagShape(), bulge: bagBulge, depth: 0.95, lean: 0.06,
		surface: func(u, v float64) Surface {
			c := printed.at((u+1)/2, (v+1)/2)
			if v < -0.93 { // the seam, pressed
				c = c.times(float32(0.9 + 0.1*math.Sin(v*420)))
			}
			return Surface{Color: c, Gloss: 0.28}
		},
	}
	body.draw(f)
	// The valve, and the fold's tie of tin.
	valve := body.place(point{0.62, -0.66})
	f.fill(ellipse(valve, w*0.045, w*0.045), 0.35, plain(p.Ink))
	f.fill(ellipse(valve, w*0.016, w*0.016), 0.6, plain(p.Ink))
}

// Bags are two bags, one before the other.
func Bags(a, b Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.bag(b, point{505, 520}, 168, 262, 0.02)
		f.bag(a, point{320, 600}, 168, 262, -0.02)
	}}
}

// Tin is a tin with a lid and a printed band.
func Tin(p Print, lid Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) { f.tin(p, lid, point{400, 840}, 1.28) }}
}

func (f *frame) tin(p Print, lid Color, at point, size float64) {
	s := func(v float64) float64 { return v * size }
	printed := p.sheet(300, 330)
	metal := Surface{Color: lid, Gloss: 0.75, Metal: 0.5}
	f.stand(turned{
		at: at, profile: []turn{{0, s(112)}, {s(2), s(115)}, {s(5), s(116)}, {s(252), s(116)}, {s(256), s(114)}},
		outside: wrapped(printed, -1.22, 1.22, s(250), s(4), 0.5, one(Surface{Color: p.Paper, Gloss: 0.5})), lid: one(metal), round: 8,
	})
	turned{
		at: point{at.x, at.y - s(256)}, profile: []turn{{0, s(117)}, {s(3), s(118.5)}, {s(46), s(118.5)}, {s(52), s(115)}, {s(54), s(110)}},
		outside: one(metal), lid: one(metal),
	}.draw(f)
	top := point{at.x, at.y - s(310)}
	f.fill(ellipse(top, s(96), s(96)*usualTilt), 0.25, gradient(point{at.x - s(90), top.y}, Hex("000000"), point{at.x + s(90), top.y}, Hex("ffffff")))
	f.fill(ellipse(top.plus(point{0, s(1.4)}), s(94.5), s(94.5)*usualTilt), 1, func(point) Color { return metal.lit(vec{0, 1, 0}, 0.95) })
}

// Tins are three tins.
func Tins(a, b, c Print, lid Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.tin(b, lid, point{280, 720}, 0.86)
		f.tin(c, lid, point{530, 740}, 0.86)
		f.tin(a, lid, point{392, 860}, 0.9)
	}}
}

// Bar is a bar of chocolate in its paper, and one without.
func Bar(p Print, ground Backdrop) Picture {
	return Picture{ground: flatter(ground), things: func(f *frame) {
		dark := Hex("4a2b1c")
		bare := flat{
			corner: point{430, 300}, across: point{170, 24}, down: point{-62, 430}, facing: vec{0, 1, 0.4}, radius: 8,
			surface: func(u, v float64) Surface {
				cu, cv := math.Mod(u*3, 1), math.Mod(v*7, 1)
				edge := min(cu, cv, 1-cu, 1-cv)
				tone := 0.72 + 0.5*smooth(0.0, 0.12, edge)
				if cv > 0.86 || cu > 0.9 {
					tone -= 0.2
				}
				return Surface{Color: dark.times(float32(tone)), Gloss: 0.35}
			},
		}
		f.soft(polygon(point{440, 318}, point{612, 342}, point{550, 772}, point{378, 748}), 10, 0.5)
		bare.draw(f)
		printed := p.sheet(240, 480)
		f.soft(polygon(point{214, 250}, point{464, 268}, point{424, 796}, point{174, 778}), 14, 0.5)
		flat{
			corner: point{204, 238}, across: point{246, 18}, down: point{-40, 524}, facing: vec{-0.1, 1, 0.5}, radius: 5,
			surface: func(u, v float64) Surface {
				shade := float32(1 - 0.16*smooth(0.95, 1, u) - 0.1*smooth(0.04, 0, u))
				return Surface{Color: printed.at(u, v).times(shade), Gloss: 0.15}
			},
		}.draw(f)
	}}
}

// Parcel is a carton of the shop.
func Parcel(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		printed := p.sheet(360, 400)
		at := point{190, 800}
		f.soft(polygon(point{200, 806}, point{520, 818}, point{690, 760}, point{640, 716}), 18, 0.55)
		board := p.Paper
		carton{
			at: at, w: 300, h: 340, d: 200,
			front: func(u, v float64) Surface { return Surface{Color: printed.at(u, v), Gloss: 0.1} },
			side:  func(u, v float64) Surface { return Surface{Color: p.First} },
			cover: func(u, v float64) Surface {
				c := board
				if v > 0.46 && v < 0.54 {
					c = p.Second
				}
				return Surface{Color: c}
			},
		}.draw(f)
	}}
}

// Card is a card that leans on a little block.
func Card(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		printed := newSheet(520, 330, p.First)
		printed.motif(p, 0, 0, 520, 330)
		printed.fill(rounded(34, 214, 330, 300, 6), 1, plain(p.Paper))
		printed.write(p.Name, bold, 44, 0.0, 182, 262, p.Ink)
		printed.write(p.Line, medium, 17, 0.03, 182, 287, p.Ink)
		f.soft(polygon(point{150, 742}, point{670, 772}, point{740, 730}, point{220, 700}), 20, 0.5)
		flat{
			corner: point{136, 404}, across: point{520, 30}, down: point{8, 332}, facing: vec{-0.1, 0.35, 1}, radius: 22,
			surface: func(u, v float64) Surface { return Surface{Color: printed.at(u, v), Gloss: 0.35} },
		}.draw(f)
	}}
}
