package still

import (
	"math"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// sheet is a printed sheet, to be wrapped around things or laid onto them.
type sheet struct{ *frame }

// newSheet is an empty sheet of a size in units, of which each is a pixel.
func newSheet(w, h int, ground Color) sheet {
	s := sheet{&frame{w: w, h: h, scale: 1, pix: make([]Color, w*h)}}
	for i := range s.pix {
		s.pix[i] = ground
	}
	return s
}

// at is the colour where u and v go from 0 to 1 across and down the sheet.
func (s sheet) at(u, v float64) Color {
	x, y := min(max(u*float64(s.w)-0.5, 0), float64(s.w-1)), min(max(v*float64(s.h)-0.5, 0), float64(s.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, s.w-1), min(y0+1, s.h-1)
	tx, ty := float32(x-float64(x0)), float32(y-float64(y0))
	top := s.pix[y0*s.w+x0].mix(s.pix[y0*s.w+x1], tx)
	return top.mix(s.pix[y1*s.w+x0].mix(s.pix[y1*s.w+x1], tx), ty)
}

// The weights of letters.
const (
	regular = iota
	medium
	bold
)

var fonts = sync.OnceValue(func() (list [3]*sfnt.Font) {
	for i, data := range [][]byte{goregular.TTF, gomedium.TTF, gobold.TTF} {
		font, err := sfnt.Parse(data)
		if err != nil {
			panic(err) // part of the program
		}
		list[i] = font
	}
	return list
})

// lettering is text as a shape: its middle at x, its letters standing on y, each size high
// as far as the font's em is, and spaced further apart by a share of that.
func lettering(text string, weight int, size, spacing, x, y float64) *shape {
	font := fonts()[weight]
	var buffer sfnt.Buffer
	const em = 1000
	ppem := fixed.I(em)
	unit := size / em / 64
	out := &shape{}
	pen := 0.0
	var advance float64
	for _, r := range text {
		index, err := font.GlyphIndex(&buffer, r)
		if err != nil {
			panic(err)
		}
		segments, err := font.LoadGlyph(&buffer, index, ppem, nil)
		if err != nil {
			panic(err)
		}
		at := func(p fixed.Point26_6) point { return point{pen + float64(p.X)*unit, float64(p.Y) * unit} }
		var ring []point
		for _, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if len(ring) > 0 {
					out.add(ring)
				}
				ring = []point{at(s.Args[0])}
			case sfnt.SegmentOpLineTo:
				ring = append(ring, at(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				a, b, c := ring[len(ring)-1], at(s.Args[0]), at(s.Args[1])
				for i := 1; i <= 6; i++ {
					t := float64(i) / 6
					ring = append(ring, a.times((1-t)*(1-t)).plus(b.times(2*t*(1-t))).plus(c.times(t*t)))
				}
			}
		}
		if len(ring) > 0 {
			out.add(ring)
		}
		width, err := font.GlyphAdvance(&buffer, index, ppem, 0)
		if err != nil {
			panic(err)
		}
		advance = float64(width) * unit
		pen += advance + spacing*size
	}
	pen -= spacing * size
	return out.moved(func(p point) point { return point{p.x + x - pen/2, p.y + y} })
}

// write puts a line of text on the sheet.
func (s sheet) write(text string, weight int, size, spacing, x, y float64, c Color) {
	s.fill(lettering(text, weight, size, spacing, x, y), 1, plain(c))
}

// wrapped is a material with a sheet around it: from an angle to another, and from a height
// down to another.
func wrapped(s sheet, from, to, top, bottom float64, gloss float32, under material) material {
	return func(a, h float64) Surface {
		u, v := (a-from)/(to-from), (top-h)/(top-bottom)
		if u < 0 || u > 1 || v < 0 || v > 1 || math.IsNaN(a) {
			return under(a, h)
		}
		return Surface{Color: s.at(u, v), Gloss: gloss}
	}
}
