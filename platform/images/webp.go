package images

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"

	"github.com/gen2brain/webp"
)

const (
	// webpMethod is how much libwebp tries, of 0 to 6. More takes two to three times as long,
	// and saves a twentieth.
	webpMethod = 2
	// maxWebP bounds the pixels of a WebP, as making one takes five to ten times what a JPEG
	// takes: about half a second for as many.
	maxWebP = 4_000_000
	// maxWebPSide is the format's own bound.
	maxWebPSide = 16_383
)

// webp writes a picture as WebP, which keeps what is transparent, or gives nothing for one
// that is too large for it.
func (p *Processor) webp(img *image.RGBA) ([]byte, error) {
	if w, h := img.Rect.Dx(), img.Rect.Dy(); w*h > maxWebP || h > maxWebPSide {
		return nil, nil
	}
	var source image.Image = img
	if !img.Opaque() { // the encoder takes colours as they are before they are made transparent
		straight := image.NewNRGBA(img.Rect)
		draw.Draw(straight, img.Rect, img, img.Rect.Min, draw.Src)
		source = straight
	}
	var data bytes.Buffer
	if err := webp.Encode(&data, source, webp.Options{Quality: p.o.WebP, Method: webpMethod}); err != nil {
		return nil, fmt.Errorf("encode picture as WebP: %w", err)
	}
	return data.Bytes(), nil
}
