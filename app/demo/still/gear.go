package still

import "math"

// Metals and what else gear is made of.
var (
	steel  = Surface{Color: Hex("b9bdc0"), Gloss: 1, Metal: 0.3}
	brass  = Surface{Color: Hex("b98d45"), Gloss: 0.9, Metal: 0.8}
	black  = Surface{Color: Hex("2b2b2d"), Gloss: 0.35}
	walnut = Surface{Color: Hex("6d4a30"), Gloss: 0.25}
)

// brushed is metal that mirrors the room in bands.
func brushed(s Surface) material {
	return func(a, h float64) Surface {
		band := 0.72 + 0.42*math.Pow(math.Cos(a*1.5+0.75), 2) - 0.22*smooth(0.5, 1.3, a)
		out := s
		out.Color = s.Color.times(float32(band * (0.97 + 0.06*noise(2, h*0.9))))
		return out
	}
}

// server is a jug of glass with coffee in it up to a height, 0 for none.
func (f *frame) server(at point, size, filled float64) {
	s := func(v float64) float64 { return v * size }
	outline := []turn{{0, s(96)}, {s(4), s(104)}, {s(40), s(122)}, {s(120), s(116)}, {s(190), s(84)}, {s(226), s(74)}, {s(240), s(78)}}
	f.cast(at, s(100), s(200), 0.4, usualTilt)
	tube{line: curve(point{at.x + s(72), at.y - s(214)}, point{at.x + s(140), at.y - s(210)}, point{at.x + s(166), at.y - s(150)}, point{at.x + s(150), at.y - s(80)}, point{at.x + s(114), at.y - s(60)}), from: s(8), to: s(7), surface: Surface{Color: Hex("b8c6c8"), Gloss: 1}}.draw(f)
	if filled > 0 {
		var within []turn
		cuts := f.cut(outline)
		for h := 4.0; h <= filled; h += 4 {
			within = append(within, turn{h - 4, cuts.radius[min(int(h/cuts.step), len(cuts.radius)-1)] - s(6)})
		}
		deep := func(a, h float64) Surface {
			edge := float32(smooth(0.8, 1.5, math.Abs(a)))
			return Surface{Color: Hex("3a1c0f").mix(Hex("8a4a20"), edge*0.8), Gloss: 0.2}
		}
		turned{at: at.plus(point{0, -4}), profile: within, outside: deep, lid: one(Surface{Color: Hex("5a2f18"), Gloss: 0.4})}.draw(f)
	}
	glass := Surface{Color: Hex("cfdcdc"), Gloss: 1}
	turned{at: at, profile: outline, outside: one(glass), glass: 0.95}.draw(f)
	rim := point{at.x, at.y - s(240)}
	f.ring(rim, s(78), usualTilt, 2.4, Hex("f4f8f8"), 0.7)
}

// ring is a thin flat ring, seen from the usual height.
func (f *frame) ring(c point, r, tilt, width float64, color Color, opacity float32) {
	out := ring(c, r, r*tilt)
	in := ring(c, r-width, (r-width)*tilt)
	for i, j := 0, len(in)-1; i < j; i, j = i+1, j-1 {
		in[i], in[j] = in[j], in[i]
	}
	f.fill(polygon(out...).add(in), opacity, plain(color))
}

// Dripper is a cone for filter coffee on its server.
func Dripper(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.server(point{390, 860}, 1.28, 120)
		glaze := glazed(c)
		plate := point{390, 560}
		turned{at: plate, profile: []turn{{0, 112}, {3, 124}, {9, 126}, {14, 120}}, outside: glaze, lid: glaze}.draw(f)
		tube{line: curve(point{470, 500}, point{560, 470}, point{590, 420}, point{560, 376}, point{500, 390}), from: 12, to: 11, surface: glaze(1, 10), flat: 0.2}.draw(f)
		turned{
			at: plate.plus(point{0, -12}), profile: []turn{{0, 56}, {20, 62}, {180, 150}, {196, 157}},
			outside: glaze, inside: func(a, h float64) Surface {
				s := glaze(a, h)
				s.Color = s.Color.times(float32(0.9 + 0.14*math.Sin(a*24+h*0.03)))
				return s
			}, wall: 8, floor: 10, round: 10,
		}.draw(f)
	}}
}

// Kettle is a kettle with a long thin spout.
func Kettle(body Surface, handle Surface, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{430, 850}
		metal := one(body)
		if body.Metal > 0 {
			metal = brushed(body)
		}
		f.cast(at, 150, 240, 0.55, usualTilt)
		tube{line: curve(point{300, 800}, point{210, 780}, point{196, 690}, point{214, 600}, point{186, 540}, point{140, 536}), from: 17, to: 9, surface: body}.draw(f)
		tube{line: curve(point{508, 648}, point{540, 560}, point{622, 520}, point{694, 570}, point{708, 690}, point{694, 776}), from: 20, to: 17, surface: handle, flat: 0.2}.draw(f)
		turned{
			at: at, profile: []turn{{0, 156}, {4, 164}, {16, 168}, {110, 142}, {200, 112}, {226, 104}, {230, 98}},
			outside: metal, lid: metal, round: 10,
		}.draw(f)
		turned{at: at.plus(point{0, -230}), profile: []turn{{0, 92}, {5, 93}, {14, 84}, {20, 60}}, outside: metal, lid: metal}.draw(f)
		turned{at: at.plus(point{0, -250}), profile: []turn{{0, 9}, {14, 10}, {18, 22}, {34, 24}, {40, 18}}, outside: one(handle), lid: one(handle)}.draw(f)
	}}
}

// Steel and others are what kettles come in.
var (
	Steel     = steel
	MatBlack  = black
	Walnut    = walnut
	Enamel    = Surface{Color: Hex("ece5d6"), Gloss: 0.7}
	PineGreen = Surface{Color: Hex("2f5546"), Gloss: 0.7}
	Brass     = brass
)

// Grinder is a mill that is turned by hand.
func Grinder(body Surface, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{390, 880}
		wood := Surface{Color: Hex("7c5535"), Gloss: 0.25}
		f.stand(turned{at: at, profile: []turn{{0, 96}, {4, 102}, {14, 104}, {150, 100}, {158, 98}}, outside: func(a, h float64) Surface {
			s := wood
			s.Color = s.Color.times(float32(0.85 + 0.3*rough(a*1.5, h/5)))
			return s
		}, round: 10})
		turned{at: at.plus(point{0, -158}), profile: []turn{{0, 96}, {3, 98}, {12, 98}, {16, 92}, {280, 92}, {288, 88}}, outside: brushed(body), lid: brushed(body)}.draw(f)
		turned{at: at.plus(point{0, -446}), profile: []turn{{0, 84}, {6, 85}, {26, 78}, {34, 60}}, outside: one(black), lid: one(black)}.draw(f)
		turned{at: at.plus(point{0, -478}), profile: []turn{{0, 15}, {44, 13}}, outside: brushed(steel), lid: one(steel)}.draw(f)
		tube{line: []point{{388, 352}, {600, 330}}, from: 9, to: 7, surface: steel}.draw(f)
		turned{at: point{604, 322}, profile: []turn{{0, 14}, {6, 20}, {40, 28}, {58, 24}, {66, 14}}, outside: one(wood), lid: one(wood)}.draw(f)
	}}
}

// Press is a pot of glass with a plunger.
func Press(metal Surface, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{385, 870}
		f.cast(at, 120, 420, 0.5, usualTilt)
		tube{line: curve(point{494, 520}, point{590, 500}, point{624, 580}, point{616, 700}, point{500, 770}), from: 14, to: 13, surface: metal, flat: 0.2}.draw(f)
		dark := func(a, h float64) Surface {
			return Surface{Color: Hex("351a0e").mix(Hex("7c421d"), float32(smooth(0.8, 1.5, math.Abs(a)))*0.8), Gloss: 0.2}
		}
		turned{at: at.plus(point{0, -12}), profile: []turn{{0, 100}, {210, 100}}, outside: dark, lid: one(Surface{Color: Hex("6d3b1e"), Gloss: 0.4})}.draw(f)
		turned{at: point{385, 640}, profile: []turn{{0, 5}, {300, 5}}, outside: one(steel)}.draw(f)
		turned{at: at, profile: []turn{{0, 104}, {6, 108}, {400, 108}}, outside: one(Surface{Color: Hex("cfdcdc"), Gloss: 1}), glass: 0.95}.draw(f)
		band := brushed(metal)
		for _, h := range []float64{0, 190} {
			turned{at: at.plus(point{0, -h}), profile: []turn{{0, 111}, {2, 113}, {22, 113}, {24, 111}}, outside: band}.draw(f)
		}
		turned{at: at.plus(point{0, -392}), profile: []turn{{0, 112}, {4, 116}, {22, 114}, {40, 84}, {52, 40}}, outside: band, lid: band}.draw(f)
		turned{at: at.plus(point{0, -440}), profile: []turn{{0, 6}, {70, 6}}, outside: one(steel)}.draw(f)
		ball{at.plus(point{0, -524}), 22, black}.draw(f)
	}}
}

// Cup is a cup with coffee on its saucer.
func Cup(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.plateAt(c, point{400, 800}, 240, 0.34)
		at := point{392, 780}
		f.soft(ellipse(point{424, 788}, 120, 24), 12, 0.45)
		tube{line: curve(point{510, 670}, point{576, 640}, point{604, 690}, point{570, 736}, point{490, 748}), from: 12, to: 11, surface: glazed(c)(1, 0), flat: 0.2}.draw(f)
		cup := turned{
			at: at, tilt: 0.34, profile: []turn{{0, 66}, {6, 70}, {14, 88}, {60, 138}, {130, 158}, {140, 160}},
			outside: glazed(c), wall: 7, floor: 14, round: 20,
		}
		cup.draw(f)
		f.level(cup, 118, func(a, r float64) Surface {
			crema := Hex("a9713d").mix(Hex("5f3519"), float32(0.55*rough(r/14+math.Sin(a*3)*0.6, a*3)))
			return Surface{Color: crema.mix(Hex("4a2712"), float32(smooth(126, 150, r))), Gloss: 0.3}
		})
	}}
}

// Bottle is a bottle of cold coffee.
func Bottle(p Print, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{400, 890}
		f.cast(at, 96, 470, 0.5, usualTilt)
		printed := p.sheet(300, 330)
		brown := func(a, _ float64) Surface {
			return Surface{Color: Hex("26130b").mix(Hex("6b3413"), float32(smooth(0.7, 1.5, math.Abs(a)))), Gloss: 1}
		}
		turned{
			at: at, profile: []turn{{0, 96}, {5, 106}, {14, 110}, {320, 110}, {350, 107}, {390, 86}, {430, 58}, {470, 42}, {540, 38}, {545, 44}, {560, 44}},
			outside: wrapped(printed, -1.25, 1.25, 318, 40, 0.2, brown), lid: brown, round: 10,
		}.draw(f)
		turned{at: at.plus(point{0, -556}), profile: []turn{{0, 47}, {4, 49}, {44, 49}, {50, 44}}, outside: one(black), lid: one(black)}.draw(f)
	}}
}

// Flask keeps coffee hot.
func Flask(body Surface, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{400, 890}
		f.stand(turned{at: at, profile: []turn{{0, 84}, {4, 90}, {40, 94}, {420, 112}, {430, 112}}, outside: one(body), round: 10})
		turned{at: at.plus(point{0, -428}), profile: []turn{{0, 114}, {3, 116}, {70, 116}, {84, 106}, {90, 92}}, outside: one(black), lid: one(black)}.draw(f)
		band := turned{at: at.plus(point{0, -180}), profile: []turn{{0, 103}, {120, 109}}, outside: func(a, h float64) Surface {
			return Surface{Color: Hex("a37a4e").times(float32(0.82 + 0.3*rough(a*20, h/4))), Gloss: 0.05}
		}}
		band.draw(f)
	}}
}

// Filters are filters of paper in a stack, and one that stands open.
func Filters(paper Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{430, 850}
		pleats := func(a, h float64) Surface {
			return Surface{Color: paper.times(float32(0.90 + 0.09*math.Sin(a*26)))}
		}
		f.soft(polygon(point{110, 810}, point{360, 830}, point{380, 800}, point{150, 780}), 14, 0.5)
		for i := range 9 {
			d := float64(i)
			f.fill(polygon(point{120 + d*1.5, 806 - d*6}, point{330 + d*1.2, 822 - d*6}, point{282 + d, 700 - d*6}, point{196 + d*1.4, 692 - d*6}), 1, gradient(point{120, 800}, paper.times(float32(0.78+0.03*d)), point{330, 700}, paper.times(float32(0.66+0.035*d))))
		}
		f.stand(turned{at: at, profile: []turn{{0, 60}, {8, 66}, {250, 190}}, outside: pleats, inside: pleats, wall: 2, floor: 6, round: 20})
	}}
}

// Scale is a flat scale with a glass on it.
func Scale(ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.soft(polygon(point{160, 838}, point{560, 866}, point{690, 790}, point{300, 770}), 16, 0.55)
		dark := func(u, v float64) Surface { return black }
		carton{at: point{150, 830}, w: 400, h: 34, d: 230, front: func(u, v float64) Surface {
			if u > 0.40 && u < 0.62 && v > 0.22 && v < 0.8 {
				return Surface{Color: Hex("10201c"), Gloss: 0.4}
			}
			return black
		}, side: dark, cover: dark}.draw(f)
		f.fill(lettering("18.0", bold, 19, 0.06, 354, 829), 1, plain(Hex("9ff0c4").times(1.3)))
		f.server(point{420, 762}, 0.98, 70)
	}}
}
