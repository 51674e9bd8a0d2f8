package images

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"slices"

	"golang.org/x/image/draw"
)

// sizes makes the files. The largest is made of the picture, each other one of the next
// larger, which costs a fraction of starting over. Turning comes after the first
// shrinking, on far fewer pixels.
func (p *Processor) sizes(ctx context.Context, img image.Image, turn turning, width, height int) ([]Size, error) {
	var out []Size
	var upright *image.RGBA
	for _, w := range p.widths(width) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("process picture: %w", err)
		}
		h := max(1, (height*w+width/2)/width)
		if upright == nil {
			storedW, storedH := turn.size(w, h)
			upright = turn.apply(shrink(img, storedW, storedH))
		} else {
			upright = shrink(upright, w, h)
		}
		size, err := p.encode(upright)
		if err != nil {
			return nil, err
		}
		out = append(out, size)
	}
	slices.Reverse(out)
	return out, nil
}

// encode writes a picture as PNG when something of it is transparent, else as JPEG; and as
// WebP beside it.
// Neither encoder writes any metadata.
func (p *Processor) encode(img *image.RGBA) (Size, error) {
	var data bytes.Buffer
	size := Size{Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	var err error
	if img.Opaque() {
		size.ContentType, size.Extension = "image/jpeg", ".jpg"
		err = jpeg.Encode(&data, img, &jpeg.Options{Quality: p.o.Quality})
	} else {
		size.ContentType, size.Extension = "image/png", ".png"
		err = png.Encode(&data, img)
	}
	if err != nil {
		return Size{}, fmt.Errorf("encode picture: %w", err)
	}
	size.Data = data.Bytes()
	small, err := p.webp(img)
	if err != nil {
		return Size{}, err
	}
	if len(small) < len(size.Data) {
		size.WebP = small
	}
	return size, nil
}

// Strips keep the scaler's working memory, 32 bytes for every pixel of a strip, at a few
// megabytes; over a whole photograph it would take hundreds.
const (
	rowsOfStrip    = 256
	columnsOfStrip = 64
)

// shrink scales a picture down to w × h. It halves as long as that leaves enough, by
// averaging four pixels, which is cheap; the last step is a Catmull-Rom filter. That is
// separable, and along the side that keeps its length it changes nothing, so that each
// direction can be done strip by strip without a seam.
func shrink(src image.Image, w, h int) *image.RGBA {
	if b := src.Bounds(); b.Dx() == w && b.Dy() == h { // the picture's own size
		same := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(same, same.Rect, src, b.Min, draw.Src)
		return same
	}
	for src.Bounds().Dx() >= 2*w && src.Bounds().Dy() >= 2*h && src.Bounds().Dx() > 2 && src.Bounds().Dy() > 2 {
		src = halve(src)
	}
	from := src.Bounds()
	middle := image.NewRGBA(image.Rect(0, 0, w, from.Dy()))
	across := draw.CatmullRom.NewScaler(w, rowsOfStrip, from.Dx(), rowsOfStrip) // keeps its memory from strip to strip
	for y := 0; y < from.Dy(); y += rowsOfStrip {
		n := min(rowsOfStrip, from.Dy()-y)
		strip := image.Rect(from.Min.X, from.Min.Y+y, from.Max.X, from.Min.Y+y+n)
		across.Scale(middle, image.Rect(0, y, w, y+n), src, strip, draw.Src, nil)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	down := draw.CatmullRom.NewScaler(columnsOfStrip, h, columnsOfStrip, from.Dy())
	for x := 0; x < w; x += columnsOfStrip {
		n := min(columnsOfStrip, w-x)
		down.Scale(out, image.Rect(x, 0, x+n, h), middle, image.Rect(x, 0, x+n, from.Dy()), draw.Src, nil)
	}
	return out
}

// halve is a picture at half its sides; of an odd side the last row or column is left
// out, so that each new pixel is exactly the mean of four.
func halve(src image.Image) *image.RGBA {
	b := src.Bounds()
	w, h := b.Dx()/2, b.Dy()/2
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(dst, dst.Rect, src, image.Rect(b.Min.X, b.Min.Y, b.Min.X+2*w, b.Min.Y+2*h), draw.Src, nil)
	return dst
}
