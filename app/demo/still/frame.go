package still

import (
	"image"
	"math"
)

// The size of every picture in units.
const (
	Width  = 800
	Height = 1000
)

// frame is a picture under work.
type frame struct {
	w, h   int
	scale  float64 // pixels per unit
	corner point   // what lies at the picture's upper left corner
	pix    []Color
}

func newFrame(width int) *frame {
	f := &frame{w: width, h: width * Height / Width, scale: float64(width) / Width}
	f.pix = make([]Color, f.w*f.h)
	return f
}

// px and py are where a place is in pixels.
func (f *frame) px(x float64) float64 { return (x - f.corner.x) * f.scale }
func (f *frame) py(y float64) float64 { return (y - f.corner.y) * f.scale }

// unit is the middle of a pixel in units.
func (f *frame) unit(x, y int) point {
	return point{(float64(x)+0.5)/f.scale + f.corner.x, (float64(y)+0.5)/f.scale + f.corner.y}
}

// closer has the viewer come closer, by a factor, to a place that is then in the middle.
func (f *frame) closer(factor float64, middle point) {
	f.scale *= factor
	f.corner = point{middle.x - float64(f.w)/2/f.scale, middle.y - float64(f.h)/2/f.scale}
}

// picture is the frame as it is shown.
func (f *frame) picture() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, f.w, f.h))
	noise := uint32(0x9e3779b9)
	for i, c := range f.pix {
		noise ^= noise << 13
		noise ^= noise >> 17
		noise ^= noise << 5
		d := uint16(noise>>20) & 15
		at := img.Pix[i*4 : i*4+4 : i*4+4]
		at[0], at[1], at[2], at[3] = shown(c.R, d), shown(c.G, d), shown(c.B, d), 255
	}
	return img
}

// box is an area in pixels.
type box struct{ x0, y0, x1, y1 int }

// box is an area in units in pixels, cut to the frame, with a margin of a pixel.
func (f *frame) box(x0, y0, x1, y1 float64) box {
	return box{
		max(0, int(math.Floor(f.px(x0)))-1), max(0, int(math.Floor(f.py(y0)))-1),
		min(f.w, int(math.Ceil(f.px(x1)))+1), min(f.h, int(math.Ceil(f.py(y1)))+1),
	}
}

// blend puts a colour over a pixel.
func (f *frame) blend(x, y int, c Color, cover float32) {
	if cover <= 0 {
		return
	}
	at := &f.pix[y*f.w+x]
	*at = at.mix(c, min(cover, 1))
}

// Backdrop is what things stand on and before: a sheet that bends up from the table to
// the wall.
type Backdrop struct {
	Wall, Table Color
	Horizon     float64 // where the sheet bends, in units from the top
	Window      float64 // how much light falls through a window onto the wall, 0 to 1
}

func smooth(from, to, v float64) float64 {
	v = min(max((v-from)/(to-from), 0), 1)
	return v * v * (3 - 2*v)
}

// backdrop fills the frame.
func (f *frame) backdrop(b Backdrop) {
	for y := range f.h {
		uy := (float64(y) + 0.5) / f.scale
		bend := smooth(b.Horizon-70, b.Horizon+70, uy)
		base := b.Wall.mix(b.Table, float32(bend))
		// The wall darkens into the bend, and the table comes nearer to the light.
		level := 1.02 - 0.1*smooth(0, b.Horizon, uy) + 0.1*smooth(b.Horizon, Height, uy)
		row := f.pix[y*f.w : (y+1)*f.w]
		for x := range row {
			ux := (float64(x) + 0.5) / f.scale
			dx, dy := (ux-260)/Width, (uy-330)/Height
			fall := 1.06 - 0.34*(dx*dx+0.8*dy*dy)
			light := level * fall
			if b.Window > 0 && bend < 1 {
				light *= 1 + b.Window*panes(ux, uy)*(1-bend)
			}
			row[x] = base.times(float32(light))
		}
	}
}

// panes is the light of a window with a cross, as it falls aslant on the wall.
func panes(x, y float64) float64 {
	u := x + 0.42*y - 420
	v := y - 0.16*x - 150
	inside := func(t, from, to, soft float64) float64 {
		return smooth(from-soft, from+soft, t) * (1 - smooth(to-soft, to+soft, t))
	}
	soft := 12 + 0.03*v
	lit := inside(u, 0, 150, soft) + inside(u, 176, 326, soft)
	return lit * (inside(v, -120, 90, soft) + inside(v, 116, 330, soft)) * 0.2
}
