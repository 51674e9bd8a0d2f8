package still

import "math"

// Cushion is a cushion of cloth, plain or with a pattern: "", "stripes", "check" or "edge".
func Cushion(c, second Color, pattern string, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		cloth := func(u, v float64) Surface {
			base := c
			switch pattern {
			case "stripes":
				if s := math.Mod(u+10, 0.36); s < 0.045 || s > 0.09 && s < 0.11 {
					base = second
				}
			case "check":
				a, b := math.Mod(u+10.04, 0.4) < 0.11, math.Mod(v+10.04, 0.4) < 0.11
				switch {
				case a && b:
					base = c.mix(second, 0.85)
				case a || b:
					base = c.mix(second, 0.42)
				}
			case "edge":
				if max(math.Abs(u), math.Abs(v)) > 0.86 {
					base = second
				}
			}
			return Surface{Color: weave(base, u*270, v*270, 3.4)}
		}
		f.soft(ellipse(point{424, 884}, 250, 20), 26, 0.6)
		f.soft(ellipse(point{404, 880}, 200, 8), 8, 0.5)
		filled{
			middle: point{400, 630}, w: 272, h: 262, turn: -0.05, outline: cushionShape(0.10),
			bulge: cushionBulge, depth: 0.62, lean: 0.22, surface: cloth,
		}.draw(f)
	}}
}

// Throw is a blanket, folded, with its fringe.
func Throw(c, second Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.cast(point{400, 842}, 262, 150, 0.6, usualTilt)
		const layers, thick, left, right = 6, 44.0, 150.0, 640.0
		for i := range layers {
			bottom := 850 - float64(i)*thick
			inset := 10 * math.Sin(float64(i)*2.1)
			f.fold(left+inset, right-inset*0.6, bottom-thick-3, bottom, c, second, i)
		}
		top := 850 - layers*thick
		f.fill(polygon(point{168, top + 4}, point{218, top - 62}, point{600, top - 62}, point{636, top + 4}), 1, func(p point) Color {
			x := p.x - (p.y-top)*0.6
			return weave(striped(c, second, p.x+(p.y-top)*0.3), x, p.y*3.2, 5).times(0.98)
		})
		// The fringe hangs over the front edge of the uppermost fold.
		for i := range 38 {
			x := 176 + float64(i)*12.2
			sway := 5 * (hash(int32(i), 3) - 0.5)
			length := 62 + 12*hash(int32(i), 5)
			tube{line: curve(point{x, top + 6}, point{x + sway, top + length*0.6}, point{x + sway*1.6, top + length}), from: 3.4, to: 2.4, surface: Surface{Color: striped(c, second, x).times(float32(0.86 + 0.2*hash(int32(i), 9)))}}.draw(f)
		}
	}}
}

// striped is the colour of a cloth with a few stripes near its edge.
func striped(c, second Color, x float64) Color {
	if x > 500 && x < 524 || x > 540 && x < 548 || x > 564 && x < 588 {
		return second
	}
	return c
}

// fold is one layer of folded cloth, seen from its folded edge.
func (f *frame) fold(x0, x1, y0, y1 float64, c, second Color, seed int) {
	r := (y1 - y0) / 2
	f.fill(rounded(x0, y0, x1, y1, r), 1, func(p point) Color {
		v := (p.y - y0) / (y1 - y0)
		wave := 0.06 * math.Sin(p.x/60+float64(seed)*1.7)
		n := vec{-0.1, float32(1 - 2*(v+wave)), 0.75}.unit()
		open := float32(0.5 + 0.5*math.Sin(math.Pi*min(max(v, 0.04), 0.96)))
		s := Surface{Color: weave(striped(c, second, p.x), p.x, p.y+float64(seed)*13, 5)}
		return s.lit(n, open)
	})
}

// Napkins are folded squares of linen, one on the other, tied with a cord.
func Napkins(a, b Color, ground Backdrop) Picture {
	return Picture{ground: flatter(ground), things: func(f *frame) {
		for i, c := range []Color{b, b.times(0.94), a, a.times(1.04)} {
			d := float64(i) * 10
			corner := point{146 + d*0.4, 350 - d*1.8}
			cloth := polygon(corner, corner.plus(point{430, -44}), corner.plus(point{540, 346}), corner.plus(point{110, 390}))
			f.soft(cloth.moved(func(p point) point { return p.plus(point{12, 16}) }), 12, 0.34)
			flat{
				corner: corner, across: point{430, -44}, down: point{110, 390}, facing: vec{-0.1, 1, 0.3}, radius: 8,
				surface: func(u, v float64) Surface {
					c := c
					if e := min(u, v, 1-u, 1-v); e > 0.035 && e < 0.042 {
						c = c.times(0.8)
					}
					return Surface{Color: weave(c, u*430, v*405, 3)}
				},
			}.draw(f)
		}
		cord := Surface{Color: Hex("b08a5b")}
		tube{line: curve(point{194, 514}, point{420, 490}, point{636, 466}), from: 4, to: 4, surface: cord}.draw(f)
		tube{line: curve(point{362, 300}, point{418, 490}, point{474, 684}), from: 4, to: 4, surface: cord}.draw(f)
		knot := point{420, 491}
		for _, to := range []point{{350, 430}, {506, 424}, {382, 580}, {488, 572}} {
			tube{line: curve(knot, knot.plus(to).times(0.5).plus(point{0, -22}), to), from: 3.6, to: 3, surface: cord}.draw(f)
		}
		ball{knot, 9, cord}.draw(f)
	}}
}

// Candle burns in a vessel of clay.
func Candle(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		v := f.stand(turned{
			at: point{400, 820}, profile: []turn{{0, 104}, {4, 112}, {30, 122}, {150, 124}, {208, 122}, {214, 120}},
			outside: c.on(214), inside: lining(c), wall: 10, floor: 30, round: 30,
		})
		f.level(v, 178, func(_, r float64) Surface {
			glow := Hex("f3e7cf").mix(Hex("ffd489"), float32(smooth(110, 0, r)))
			return Surface{Color: glow.times(float32(1.05 + 0.25*smooth(90, 0, r))), Gloss: 0.3}
		})
		flame(f, point{400, 640})
	}}
}

// flame is a wick that burns, and its glow.
func flame(f *frame, at point) {
	tube{line: []point{at, at.plus(point{2, -20})}, from: 2.2, to: 1.6, surface: Surface{Color: Hex("2a211c")}}.draw(f)
	b := f.box(at.x-230, at.y-280, at.x+230, at.y+180)
	for y := b.y0; y < b.y1; y++ {
		for x := b.x0; x < b.x1; x++ {
			p := f.unit(x, y).minus(at.plus(point{0, -44}))
			glow := float32(smooth(220, 0, p.length()))
			i := y*f.w + x
			f.pix[i] = f.pix[i].plus(Color{0.30, 0.19, 0.07}.times(glow * glow * 0.8))
		}
	}
	tip := at.plus(point{3, -92})
	f.fill(leaf(at.plus(point{0, -8}), tip, 15), 0.95, gradient(at, Hex("f0962f").times(1.3), at.plus(point{0, -60}), Hex("ffe9b0").times(1.5)))
	f.fill(leaf(at.plus(point{1, -12}), at.plus(point{2, -66}), 8), 0.9, plain(Color{1.5, 1.4, 1.1}))
}

// Tapers are two thin candles in holders of clay.
func Tapers(c Clay, wax Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		for i, at := range []point{{310, 800}, {500, 850}} {
			tall := []float64{130, 70}[i]
			f.cast(at, 56, 420+tall, 0.4, usualTilt)
			turned{
				at: at, profile: []turn{{0, 78}, {4, 82}, {12, 74}, {22, 30}, {tall * 0.6, 19}, {tall, 27}, {tall + 18, 30}},
				outside: c.on(tall + 18), wall: 14, floor: tall, round: 16,
			}.draw(f)
			top := 400.0 - float64(i)*60
			turned{
				at: point{at.x, at.y - tall - 4}, profile: []turn{{0, 15}, {top - 30, 12.5}, {top, 11}},
				outside: one(Surface{Color: wax, Gloss: 0.25}), lid: one(Surface{Color: wax.times(1.1)}),
			}.draw(f)
			flame(f, point{at.x, at.y - tall - top - 4})
		}
	}}
}

// Lamp is a table lamp, lit.
func Lamp(c Clay, shade Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		at := point{400, 880}
		f.stand(turned{
			at: at, profile: []turn{{0, 92}, {5, 100}, {40, 126}, {120, 150}, {200, 132}, {262, 70}, {300, 36}, {318, 30}},
			outside: c.on(318), lid: glazed(c), round: 40,
		})
		turned{at: point{400, 564}, profile: []turn{{0, 9}, {80, 9}}, outside: one(Surface{Color: Hex("a8854a"), Gloss: 0.9, Metal: 0.8})}.draw(f)
		lamp := turned{
			at: point{400, 530}, profile: []turn{{0, 236}, {300, 168}},
			outside: func(a, h float64) Surface {
				lit := 0.55 + 0.75*math.Exp(-math.Pow((h-110)/150, 2)-a*a*0.35)
				return Surface{Color: weave(shade, a*210, h, 4).times(float32(0.72 + 0.62*lit))}
			},
			wall: 3, floor: 290, inside: one(Surface{Color: Hex("ffeecb").times(0.95)}),
		}
		for y := range f.h { // its light falls on wall and table
			for x := range f.w {
				p := f.unit(x, y)
				d := math.Hypot((p.x-400)/1.25, p.y-400)
				glow := float32(smooth(520, 60, d))
				f.pix[y*f.w+x] = f.pix[y*f.w+x].plus(Color{0.16, 0.11, 0.05}.times(glow))
			}
		}
		lamp.draw(f)
	}}
}

// Board is a board of wood that leans on the wall, and one that lies before it.
func Board(light, dark Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.soft(polygon(point{270, 806}, point{560, 812}, point{640, 796}, point{330, 788}), 16, 0.5)
		timber := func(u, v float64) Surface { return Surface{Color: wood(light, dark, v*2.2, u*1.1), Gloss: 0.12} }
		outline := rounded(-1, -0.52, 1, 1, 0.16).add(rounded(-0.17, -1, 0.17, -0.5, 0.16).rings[0])
		body := filled{
			middle: point{390, 520}, w: 168, h: 300, turn: 0.045, outline: outline,
			bulge: func(float64, float64) float64 { return 0.6 }, depth: 0, lean: 0.30, surface: timber,
		}
		edge := body
		edge.middle = point{402, 524}
		edge.surface = func(u, v float64) Surface { return Surface{Color: dark.times(0.62)} }
		f.fill(outline.moved(func(p point) point { return body.place(p).plus(point{26, 6}) }), 0.22, plain(Hex("2c2118")))
		edge.draw(f)
		body.draw(f)
		hole := body.place(point{0, -0.86})
		f.fill(ellipse(hole, 13, 13), 1, plain(dark.times(0.42)))
		f.fill(ellipse(hole.plus(point{3, 2}), 10.5, 11), 1, func(p point) Color { return ground.Wall.times(0.82) })
		thong := Surface{Color: Hex("5b4030")}
		tube{line: curve(hole.plus(point{-3, 2}), hole.plus(point{-30, 60}), hole.plus(point{-22, 120}), hole.plus(point{-44, 150})), from: 3.4, to: 2.6, surface: thong}.draw(f)
	}}
}

// Basket is woven of rush.
func Basket(c Color, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		weaveOn := func(a, h float64) Surface {
			row := math.Floor(h / 15)
			x := a*11 + math.Mod(row, 2)*0.5
			bump := 0.5 + 0.5*math.Cos(math.Mod(x+50, 1)*6.283)
			across := math.Sin(math.Pi * (h/15 - row))
			tone := 0.62 + 0.30*across + 0.20*bump*across + 0.12*(hash(int32(x+400), int32(row))-0.5)
			return Surface{Color: c.times(float32(tone))}
		}
		at := point{400, 850}
		for _, side := range []float64{-1, 1} {
			x := func(d float64) float64 { return 400 + side*d }
			tube{line: curve(point{x(176), 560}, point{x(196), 500}, point{x(232), 480}, point{x(252), 516}, point{x(234), 590}), from: 10, to: 10, surface: Surface{Color: c.times(0.82)}}.draw(f)
		}
		f.stand(turned{
			at: at, profile: []turn{{0, 160}, {6, 172}, {60, 200}, {160, 216}, {260, 212}, {312, 208}, {318, 214}},
			outside: weaveOn, wall: 13, floor: 20, round: 30,
		})
	}}
}
