package still

// BottleVase is a round vase with a narrow neck, with a sprig in it.
func BottleVase(c Clay, ground Backdrop, kind string) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		v := turned{
			at:      point{400, 850},
			profile: []turn{{0, 78}, {4, 88}, {30, 108}, {110, 146}, {190, 148}, {270, 112}, {330, 62}, {372, 42}, {410, 38}, {436, 44}, {446, 52}},
			outside: c.on(446), wall: 7, floor: 20, round: 46,
		}
		f.stand(v)
		stems(f, point{400, 404}, kind, []point{{300, 90}, {410, 60}, {520, 150}}, 40)
	}}
}

// stems puts sprigs into a mouth: they come up out of it and lean to their tips.
func stems(f *frame, mouth point, kind string, tips []point, seed int32) {
	colors := map[string][2]Color{
		"eucalyptus": {Hex("7b6a58"), Hex("7d9486")}, "olive": {Hex("6d5b45"), Hex("7c8763")}, "grass": {Hex("b79c6d"), Hex("c9ae7c")},
		"berries": {Hex("5d4436"), Hex("a8432f")}, "branch": {Hex("5f4b3b"), Hex("5f7a52")},
	}[kind]
	for i, tip := range tips {
		from := mouth.plus(point{float64(i-len(tips)/2) * 8, 8})
		mid := from.plus(tip).times(0.5)
		bend := point{(mid.x - mouth.x) * -0.28, 0}
		line := curve(from, mid.plus(bend), tip)
		sprig{line: line, stem: colors[0], leaf: colors[1], kind: kind, seed: seed + int32(i)*7}.draw(f)
	}
}

// MoonJar is a big round jar, alone.
func MoonJar(c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.stand(turned{
			at:      point{400, 830},
			profile: []turn{{0, 96}, {5, 104}, {40, 158}, {120, 222}, {215, 246}, {310, 224}, {385, 166}, {420, 116}, {432, 104}, {452, 104}, {460, 110}},
			outside: c.on(460), wall: 9, floor: 24, round: 60,
		})
	}}
}

// BudVases are three small vases of different clays.
func BudVases(a, b, c Clay, ground Backdrop) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		f.stand(turned{
			at:      point{255, 790},
			profile: []turn{{0, 44}, {4, 50}, {60, 66}, {130, 54}, {200, 26}, {270, 20}, {286, 26}},
			outside: a.on(286), wall: 5, floor: 12, round: 26,
		})
		stems(f, point{255, 508}, "grass", []point{{200, 250}, {262, 190}, {310, 270}}, 3)
		f.stand(turned{
			at:      point{545, 800},
			profile: []turn{{0, 40}, {4, 46}, {34, 74}, {84, 84}, {134, 62}, {166, 28}, {200, 24}, {210, 30}},
			outside: c.on(210), wall: 5, floor: 12, round: 26,
		})
		stems(f, point{545, 594}, "berries", []point{{600, 330}, {520, 380}}, 9)
		f.stand(turned{
			at:      point{400, 880},
			profile: []turn{{0, 50}, {4, 56}, {26, 62}, {150, 40}, {176, 24}, {196, 22}, {206, 30}},
			outside: b.on(206), wall: 5, floor: 12, round: 26,
		})
	}}
}

// Amphora is a tall vase with two handles.
func Amphora(c Clay, ground Backdrop, kind string) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		v := turned{
			at:      point{400, 870},
			profile: []turn{{0, 70}, {5, 80}, {60, 108}, {160, 150}, {250, 156}, {330, 112}, {380, 66}, {420, 54}, {470, 58}, {486, 70}},
			outside: c.on(486), wall: 8, floor: 24, round: 46,
		}
		s := c.on(486)(0.9, 300)
		f.cast(v.at, 120, 480, 0.55, usualTilt)
		for _, side := range []float64{-1, 1} {
			x := func(d float64) float64 { return 400 + side*d }
			tube{line: curve(point{x(52), 426}, point{x(112), 404}, point{x(152), 444}, point{x(158), 510}, point{x(138), 566}), from: 14, to: 17, surface: s}.draw(f)
		}
		v.draw(f)
		stems(f, point{400, 386}, kind, []point{{280, 120}, {380, 60}, {500, 110}, {560, 220}}, 21)
	}}
}

// RidgedVase is a cylinder with ridges all the way up.
func RidgedVase(c Clay, ground Backdrop, kind string) Picture {
	return Picture{ground: ground, things: func(f *frame) {
		var profile []turn
		for h := 0.0; h <= 380; h += 6 {
			r := 92 + 26*smooth(0, 120, h) - 10*smooth(200, 380, h)
			if int(h/6)%3 == 1 {
				r -= 6
			}
			profile = append(profile, turn{h, r})
		}
		profile[0].radius = 82
		f.stand(turned{at: point{400, 850}, profile: profile, outside: c.on(380), wall: 9, floor: 20, round: 40})
		stems(f, point{400, 474}, kind, []point{{250, 190}, {340, 90}, {450, 70}, {560, 170}}, 33)
	}}
}
