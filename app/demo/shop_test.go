package demo

import (
	"slices"
	"testing"

	"github.com/stoacommerce/stoa/platform/money"
)

// TestShopsAreWhole holds what the catalogues say of themselves: every good lies on a shelf,
// shows a picture, and has a price in all currencies; collections name goods that exist.
func TestShopsAreWhole(t *testing.T) {
	for _, s := range shops {
		if err := s.birth.Validate(); err != nil || !s.birth.Demo {
			t.Errorf("%s: demo %t, %v", s.birth.Address, s.birth.Demo, err)
		}
		ways := map[string]bool{}
		for _, shelf := range s.shelves {
			ways[way(shelf.name)] = true
			for _, below := range shelf.below {
				ways[way(shelf.name, below)] = true
			}
		}
		handles := map[string]bool{}
		for i := range s.goods {
			g := &s.goods[i]
			if handles[g.handle] {
				t.Errorf("%s is there twice", g.handle)
			}
			handles[g.handle] = true
			if !ways[way(g.in...)] {
				t.Errorf("%s lies on no shelf: %q", g.handle, g.in)
			}
			pictures, variants := g.pictures(), g.variants(s)
			if len(pictures) == 0 || g.text == "" || g.price <= 0 {
				t.Errorf("%s lacks a picture, a text or a price", g.handle)
			}
			combinations := 1
			for _, o := range g.options {
				combinations *= len(o.choices)
			}
			if len(variants) != combinations {
				t.Errorf("%s has %d variants of %d combinations", g.handle, len(variants), combinations)
			}
			for _, v := range variants {
				if len(v.input.Prices) != len(s.others)+1 || v.picture >= len(pictures) {
					t.Errorf("%s, %q: %d prices, picture %d of %d", g.handle, v.input.Choices, len(v.input.Prices), v.picture, len(pictures))
				}
			}
			if _, found := (drawing{Shop: s.birth.Address, Handle: g.handle, Nth: len(pictures) - 1}).picture(); !found {
				t.Errorf("a job does not find the last picture of %s", g.handle)
			}
		}
		for _, c := range s.collections {
			for _, handle := range c.handles {
				if !handles[handle] {
					t.Errorf("collection %s has %s, which is not there", c.name, handle)
				}
			}
		}
	}
}

func TestVariantsCombineChoices(t *testing.T) {
	s := &shop{others: []rate{{"USD", 112, 100}}}
	s.birth.Currency = "EUR"
	g := good{title: "Cushion", price: 1000, former: 1500, stock: 5, options: []option{
		{"Colour", []choice{in("Red", shops[0].goods[0].pictures()[0]), {name: "Blue", picture: shown(shops[0].goods[0].pictures()[1]), stock: none}}},
		{"Size", []choice{at("Small", 1000), at("Large", 2000)}},
	}}
	variants := g.variants(s)
	var got []any
	for _, v := range variants {
		got = append(got, v.input.Choices[0]+" "+v.input.Choices[1], v.input.Prices[0].Amount, v.input.Prices[1].Amount, v.input.Stock, v.picture)
	}
	want := []any{
		"Red Small", int64(1000), int64(1100), int64(5), 0, "Red Large", int64(2000), int64(2200), int64(5), 0,
		"Blue Small", int64(1000), int64(1100), int64(0), 1, "Blue Large", int64(2000), int64(2200), int64(0), 1,
	}
	if !slices.Equal(got, want) {
		t.Errorf("variants are %v", got)
	}
	if *variants[0].input.Prices[1].CompareAt != 1700 || g.alt(0) != "Cushion, Red" || g.alt(2) != "Cushion" {
		t.Errorf("former price %v, pictures %q and %q", *variants[0].input.Prices[1].CompareAt, g.alt(0), g.alt(2))
	}
	if prices := s.price(999); !slices.Equal(prices, []money.Money{{Amount: 999, Currency: "EUR"}, {Amount: 1100, Currency: "USD"}}) {
		t.Errorf("prices are %v", prices)
	}
}

// TestPicturesAreDrawn draws every picture of the stores, small.
func TestPicturesAreDrawn(t *testing.T) {
	for _, s := range shops {
		for i := range s.goods {
			for n, p := range s.goods[i].pictures() {
				img := p.Draw(64)
				colors := map[uint32]bool{}
				for j := 0; j+3 < len(img.Pix); j += 4 {
					colors[uint32(img.Pix[j])<<16|uint32(img.Pix[j+1])<<8|uint32(img.Pix[j+2])] = true
				}
				if img.Rect.Dx() != 64 || img.Rect.Dy() != 80 || len(colors) < 200 {
					t.Errorf("picture %d of %s is %v with %d colours", n, s.goods[i].handle, img.Rect, len(colors))
				}
			}
		}
	}
	again := shops[0].goods[0].pictures()[0]
	if !slices.Equal(again.Draw(64).Pix, again.Draw(64).Pix) {
		t.Error("a picture does not come out the same twice")
	}
}
