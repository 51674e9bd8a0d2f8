package images

import (
	"bytes"
	"image"

	"github.com/bep/imagemeta"
)

// turning is EXIF's orientation, 1 to 8: how a stored picture must be turned to stand
// upright. 1 is upright already.
type turning int

// metadataFormats are the formats in which an orientation can be told.
var metadataFormats = map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "webp": imagemeta.WebP}

// orientation reads how a picture must be turned. Metadata that cannot be read turns
// nothing: the picture itself is sound.
func orientation(f *format, data []byte) turning {
	turn := turning(1)
	kind, ok := metadataFormats[f.name]
	if !ok {
		return turn
	}
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:               bytes.NewReader(data),
		ImageFormat:     kind,
		Sources:         imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Tag == "Orientation" && tag.Namespace == "IFD0" },
		HandleTag: func(tag imagemeta.TagInfo) error {
			if n, ok := tag.Value.(uint16); ok && n >= 1 && n <= 8 {
				turn = turning(n)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return turn
}

// size is the size of a picture once it is turned. It is its own inverse.
func (t turning) size(w, h int) (int, int) {
	if t >= 5 {
		return h, w
	}
	return w, h
}

// apply turns a picture upright.
func (t turning) apply(src *image.RGBA) *image.RGBA {
	if t == 1 {
		return src
	}
	sw, sh := src.Rect.Dx(), src.Rect.Dy()
	w, h := t.size(sw, sh)
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sx, sy := t.source(x, y, sw, sh)
			copy(dst.Pix[y*dst.Stride+4*x:][:4], src.Pix[sy*src.Stride+4*sx:][:4])
		}
	}
	return dst
}

// source is which stored pixel lies at (x, y) when the picture stands upright.
func (t turning) source(x, y, sw, sh int) (int, int) {
	switch t {
	case 2: // mirrored left to right
		return sw - 1 - x, y
	case 3: // upside down
		return sw - 1 - x, sh - 1 - y
	case 4: // mirrored top to bottom
		return x, sh - 1 - y
	case 5: // mirrored along the falling diagonal
		return y, x
	case 6: // to be turned clockwise
		return y, sh - 1 - x
	case 7: // mirrored along the rising diagonal
		return sw - 1 - y, sh - 1 - x
	case 8: // to be turned counter-clockwise
		return sw - 1 - y, x
	}
	return x, y
}
