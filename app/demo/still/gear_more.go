package still

import "math"

// MatchaSet is a bowl of tea with its whisk.
func MatchaSet(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		bowl := f.stand(turned{
			at: point{340, 830}, tilt: 0.32, profile: []turn{{0, 82}, {12, 84}, {22, 130}, {70, 172}, {150, 184}, {158, 184}},
			outside: c.on(158), inside: lining(c), wall: 9, floor: 24, round: 26,
		})
		f.level(bowl, 96, func(a, r float64) Surface {
			foam := noise(r/5+math.Sin(a)*9, math.Cos(a)*r/5)
			return Surface{Color: Hex("7f9a3a").mix(Hex("b7c66b"), float32(0.6*foam)), Gloss: 0.15}
		})
		at := point{600, 850}
		bamboo := Hex("d2b178")
		f.cast(at, 46, 210, 0.5, usualTilt)
		turned{
			at: at, profile: []turn{{0, 66}, {40, 70}, {90, 52}, {120, 34}, {126, 32}},
			outside: func(a, h float64) Surface {
				return Surface{Color: bamboo.times(float32(0.72 + 0.30*math.Pow(math.Abs(math.Sin(a*22)), 0.6)))}
			}, round: 30,
		}.draw(f)
		turned{at: at.plus(point{0, -112}), profile: []turn{{0, 33}, {10, 35}, {14, 33}}, outside: one(Surface{Color: Hex("2d2a27")})}.draw(f)
		turned{
			at: at.plus(point{0, -124}), profile: []turn{{0, 33}, {60, 32}, {64, 34}, {68, 32}, {116, 32}}, wall: 5, floor: 90,
			outside: one(Surface{Color: bamboo, Gloss: 0.25}), inside: one(Surface{Color: bamboo.times(0.7)}),
		}.draw(f)
	}}
}

// Jar is a jar of honey.
func Jar(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{400, 850}
		f.cast(at, 124, 280, 0.45, usualTilt)
		printed := p.sheet(300, 250)
		amber := func(a, h float64) Surface {
			return Surface{Color: Hex("b86a0e").mix(Hex("f2b33c"), float32(0.25+0.6*smooth(0.2, 1.5, math.Abs(a)))), Gloss: 1}
		}
		turned{
			at: at, profile: []turn{{0, 112}, {6, 126}, {24, 136}, {220, 136}, {250, 118}, {264, 108}, {270, 108}},
			outside: wrapped(printed, -0.95, 0.95, 206, 36, 0.1, amber), lid: amber, round: 14,
		}.draw(f)
		turned{at: at.plus(point{0, -268}), profile: []turn{{0, 116}, {3, 118}, {50, 118}, {56, 112}}, outside: one(brass), lid: one(brass)}.draw(f)
	}}
}

// Tote is a bag of canvas with something printed on it.
func Tote(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		canvas := p.Paper
		strap := Surface{Color: canvas.times(0.94)}
		for _, d := range []float64{-14, 12} {
			tube{line: curve(point{296 + d, 470}, point{290 + d, 300}, point{330 + d, 190}, point{400 + d, 160}, point{470 + d, 190}, point{512 + d, 300}, point{506 + d, 470}), from: 11, to: 11, surface: strap, flat: 0.9}.draw(f)
		}
		printed := newSheet(440, 460, canvas)
		art := newSheet(300, 250, canvas)
		art.motif(p, 0, 0, 300, 250)
		for y := range 250 {
			copy(printed.pix[(y+70)*440+70:(y+70)*440+370], art.pix[y*300:(y+1)*300])
		}
		printed.write(p.Name, bold, 36, 0.02, 220, 380, p.Ink)
		f.soft(ellipse(point{424, 880}, 236, 18), 20, 0.6)
		shape := polygon(append(append(curve(point{-1, -1}, point{-0.3, -0.985}, point{0.4, -0.99}, point{1, -1}), curve(point{1, -1}, point{0.97, 0}, point{0.99, 0.97})...), append(curve(point{0.99, 0.97}, point{0.3, 1.01}, point{-0.4, 1}, point{-0.98, 0.975}), point{-0.96, 0}, point{-1, -1})...)...)
		filled{
			middle: point{400, 670}, w: 226, h: 216, outline: shape, depth: 0.42, lean: 0.05,
			bulge: func(u, v float64) float64 {
				drape := 0.16*math.Sin(u*5+v*1.2)*smooth(1, -1, v) + 0.10*math.Sin(u*2.3-v*2.5)
				return math.Sqrt(max(1-u*u*0.92, 0))*0.4 + drape + 0.06*rough(u*4, v*4)
			},
			surface: func(u, v float64) Surface {
				return Surface{Color: weave(printed.at((u+1)/2, (v+1)/2), u*226, v*216, 2.6)}
			},
		}.draw(f)
	}}
}

// Book is a book that stands, its back to the left.
func Book(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		printed := newSheet(360, 500, p.First)
		printed.motif(p, 0, 0, 360, 330)
		printed.fill(polygon(point{0, 330}, point{360, 330}, point{360, 500}, point{0, 500}), 1, plain(p.Paper))
		printed.write(p.Name, bold, fitting(p.Name, bold, 52, 300), 0.0, 180, 405, p.Ink)
		printed.write(p.Line, medium, fitting(p.Line, medium, 21, 300), 0.04, 180, 448, p.Ink)
		f.soft(polygon(point{210, 838}, point{560, 856}, point{690, 812}, point{330, 796}), 18, 0.55)
		carton{
			at: point{205, 830}, w: 350, h: 486, d: 62,
			front: func(u, v float64) Surface {
				hinge := float32(1 - 0.16*(1-smooth(0, 0.012, math.Abs(u-0.05))))
				return Surface{Color: printed.at(u, v).times(hinge), Gloss: 0.15}
			},
			side: func(u, v float64) Surface {
				return Surface{Color: Hex("efe8da").times(float32(0.88 + 0.12*math.Sin(u*300)))}
			},
			cover: func(u, v float64) Surface {
				return Surface{Color: Hex("efe8da").times(float32(0.92 + 0.08*math.Sin(v*300)))}
			},
		}.draw(f)
	}}
}

// Beans is a bowl of roasted beans, seen from above.
func Beans(c Clay, ground Backdrop) Picture {
	return Picture{ground: flatter(ground), things: func(f *frame) {
		at := point{400, 640}
		bowl := turned{
			at: at, tilt: 0.62, profile: []turn{{0, 120}, {10, 130}, {40, 210}, {90, 268}, {110, 276}},
			outside: c.on(110), inside: lining(c), wall: 10, floor: 20, round: 20,
		}
		f.cast(at, 210, 100, 0.6, 0.62)
		bowl.draw(f)
		inner := f.mask(ellipse(point{at.x, at.y - 110}, 264, 264*0.62))
		f.fill(ellipse(point{at.x, at.y - 84}, 262, 262*0.60), 1, plain(Hex("2a160d")), inner)
		for i := range 210 {
			r := 254 * math.Sqrt(float64(i)/210)
			a := float64(i) * 2.39996
			p := point{at.x + r*math.Cos(a), at.y - 92 + r*math.Sin(a)*0.60 - 20*(1-r/254)}
			f.bean(p, 6.28*hash(int32(i), 7), 0.9+0.25*hash(int32(i), 8), float32(0.8+0.4*hash(int32(i), 9)), inner)
		}
	}}
}

// bean is one roasted bean with its crease.
func (f *frame) bean(at point, turn, size float64, tone float32, within *mask) {
	c := Hex("4a2917").times(tone)
	long := point{14 * size, 0}.turned(turn)
	tube{line: []point{at.minus(long), at.plus(long)}, from: 17 * size, to: 17 * size, surface: Surface{Color: c, Gloss: 0.5}}.draw(f, within)
	bend := point{0, 4 * size}.turned(turn)
	tube{line: curve(at.minus(long.times(1.7)), at.plus(bend), at.plus(long.times(1.7))), from: 1.8, to: 1.8, surface: Surface{Color: c.times(0.35)}}.draw(f, within)
}
