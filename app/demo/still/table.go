package still

import "math"

// Mug is a mug with a handle, with coffee in it.
func Mug(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.mug(c, point{385, 800}, 1.3)
	}}
}

func (f *frame) mug(c Clay, at point, size float64) {
	s := func(v float64) float64 { return v * size }
	m := turned{
		at:      at,
		profile: []turn{{0, s(88)}, {s(4), s(96)}, {s(24), s(108)}, {s(120), s(110)}, {s(200), s(106)}, {s(206), s(107)}},
		outside: c.on(s(206)), inside: lining(c), wall: s(7), floor: s(14), round: s(30),
	}
	f.cast(at, s(104), s(206), 0.55, usualTilt)
	x := func(d float64) float64 { return at.x + s(d) }
	y := func(d float64) float64 { return at.y - s(d) }
	tube{
		line: curve(point{x(96), y(168)}, point{x(146), y(176)}, point{x(172), y(136)}, point{x(158), y(82)}, point{x(94), y(46)}),
		from: s(13), to: s(11), surface: c.on(s(206))(1.2, s(120)), flat: 0.2,
	}.draw(f)
	m.draw(f)
	f.level(m, s(180), coffee(s(100)))
}

// lining is the inside of a thing: its glaze, without what ran or was left bare.
func lining(c Clay) material {
	in := c
	in.Bare, in.Pool = 0, Color{}
	return in.on(1000)
}

// coffee is what is in a cup of a radius: dark, and lighter along its edge.
func coffee(radius float64) material {
	return func(_, r float64) Surface {
		edge := smooth(radius*0.84, radius*0.97, r)
		return Surface{Color: Hex("2b1710").mix(Hex("7a4a2a"), float32(edge)), Gloss: 0.55}
	}
}

// EspressoCups are two small cups without handles, one on the other.
func EspressoCups(a, b Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		cup := func(at point, c Clay, size float64) turned {
			s := func(v float64) float64 { return v * size }
			return turned{
				at: at, profile: []turn{{0, s(58)}, {s(4), s(66)}, {s(20), s(80)}, {s(90), s(94)}, {s(136), s(98)}},
				outside: c.on(s(136)), inside: lining(c), wall: s(6), floor: s(12), round: s(26),
			}
		}
		f.stand(cup(point{310, 790}, a, 1.12))
		second := cup(point{310, 690}, b, 1.12)
		second.draw(f)
		third := f.stand(cup(point{545, 850}, a, 1.12))
		f.level(third, 118, coffee(96))
	}}
}

// Jug is a pouring jug.
func Jug(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{390, 850}
		glaze := c.on(400)
		j := turned{
			at:      at,
			profile: []turn{{0, 92}, {5, 102}, {50, 136}, {130, 156}, {220, 138}, {310, 96}, {370, 90}, {400, 100}},
			outside: glaze, inside: lining(c), wall: 8, floor: 20, round: 40,
		}
		f.cast(at, 130, 400, 0.55, usualTilt)
		tube{
			line: curve(point{470, 520}, point{560, 500}, point{604, 566}, point{586, 660}, point{524, 716}),
			from: 17, to: 14, surface: glaze(1.2, 260), flat: 0.2,
		}.draw(f)
		// The lip: a fold of the rim that comes forward to the left.
		lip := polygon(append(curve(point{300, 500}, point{262, 446}, point{238, 424}, point{270, 434}, point{316, 446}), point{360, 500})...)
		f.fill(lip, 1, gradient(point{240, 430}, glaze(-1, 390).lit(vec{-0.5, 0.2, 0.8}.unit(), 1), point{330, 500}, glaze(-1, 350).lit(vec{-0.6, -0.1, 0.7}.unit(), 1)))
		j.draw(f)
		inner := polygon(curve(point{252, 432}, point{290, 444}, point{330, 450}, point{300, 462}, point{270, 448})...)
		f.fill(inner, 0.75, plain(lining(c)(0, 380).lit(vec{0.4, 0.4, -0.6}.unit(), 0.6)))
	}}
}

// plateAt draws a plate, lying.
func (f *frame) plateAt(c Clay, at point, radius, tilt float64) {
	glaze := lining(c)
	f.cast(at, radius*0.86, 30, 0.6, tilt)
	turned{
		at: at, tilt: tilt,
		profile: []turn{{0, radius * 0.58}, {3, radius * 0.62}, {9, radius * 0.72}, {24, radius * 0.95}, {29, radius}},
		outside: glaze,
		wall:    radius * 0.02, floor: 8, round: 12,
	}.draw(f)
}

// Plates are plates seen from above, one or more on each other.
func Plates(ground Backdrop, clays ...Clay) Picture {
	return Picture{ground: flatter(ground), things: func(f *frame) {
		for i, c := range clays {
			f.plateAt(c, point{400, 600 - float64(i)*22}, 290-float64(i)*62, 0.62)
		}
	}}
}

// flatter is a backdrop for things that are looked at from above.
func flatter(b Backdrop) Backdrop {
	b.Horizon, b.Window = 120, 0
	return b
}

// Bowl is a wide bowl.
func Bowl(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.stand(turned{
			at: point{400, 800}, tilt: 0.36,
			profile: []turn{{0, 88}, {14, 90}, {30, 130}, {80, 202}, {140, 238}, {176, 246}},
			outside: c.on(176), inside: lining(c), wall: 9, floor: 22, round: 24,
		})
	}}
}

// Platter is a wide dish seen from above.
func Platter(c Clay, ground Backdrop) Picture {
	return Picture{ground: flatter(ground), things: func(f *frame) {
		glaze := lining(c)
		at := point{400, 660}
		f.cast(at, 250, 60, 0.6, 0.55)
		turned{
			at: at, tilt: 0.55,
			profile: []turn{{0, 170}, {6, 180}, {30, 236}, {70, 290}, {84, 298}},
			outside: glaze, inside: func(a, h float64) Surface {
				ripple := 1 + 0.04*math.Sin(h*0.2)
				s := glaze(a, h)
				s.Color = s.Color.times(float32(ripple))
				return s
			}, wall: 7, floor: 12, round: 20,
		}.draw(f)
	}}
}

// Teapot is a round pot with a spout and a bail of cane.
func Teapot(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{410, 830}
		glaze := c.on(240)
		f.cast(at, 150, 300, 0.55, usualTilt)
		tube{line: curve(point{270, 730}, point{220, 700}, point{186, 640}, point{150, 612}), from: 34, to: 13, surface: glaze(-1, 150)}.draw(f)
		f.fill(ellipse(point{147, 609}, 9, 12), 1, plain(Hex("2a2320")))
		turned{
			at:      at,
			profile: []turn{{0, 104}, {5, 112}, {60, 160}, {120, 172}, {180, 148}, {220, 96}, {232, 78}},
			outside: glaze, round: 40, lid: glaze,
		}.draw(f)
		lid := turned{
			at:      point{410, 604},
			profile: []turn{{0, 80}, {6, 82}, {22, 66}, {38, 26}, {42, 16}, {52, 14}, {64, 22}, {74, 20}, {82, 8}},
			outside: c.on(2000),
		}
		lid.outside = glazed(c)
		f.fill(ellipse(point{410, 606}, 86, 86*usualTilt), 0.5, plain(Hex("241d18")))
		lid.draw(f)
		cane := Surface{Color: Hex("8a6138"), Gloss: 0.3}
		tube{line: curve(point{282, 640}, point{270, 500}, point{330, 390}, point{412, 366}, point{494, 390}, point{552, 500}, point{540, 640}), from: 9, to: 9, surface: cane}.draw(f)
		for i := range 9 {
			t := float64(i)/8 - 0.5
			p := point{412 + t*120, 372 + t*t*90}
			tube{line: []point{p.plus(point{-4, -11}), p.plus(point{4, 11})}, from: 5, to: 5, surface: Surface{Color: Hex("6f4c2a"), Gloss: 0.2}}.draw(f)
		}
	}}
}

// glazed is a clay's glaze without anything else.
func glazed(c Clay) material { return one(Surface{Color: c.Glaze, Gloss: c.Gloss}) }
