package images

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// format is a kind of picture that is taken. The standard library's registry is not
// used, as any package of the program can add to it.
type format struct {
	name   string
	magic  func(data []byte) bool
	config func(io.Reader) (image.Config, error)
	read   func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"jpeg", begins("\xff\xd8\xff"), jpeg.DecodeConfig, jpeg.Decode},
	{"png", begins("\x89PNG\r\n\x1a\n"), png.DecodeConfig, png.Decode},
	{"gif", func(d []byte) bool { return begins("GIF87a")(d) || begins("GIF89a")(d) }, gif.DecodeConfig, gif.Decode},
	{"webp", func(d []byte) bool { return begins("RIFF")(d) && len(d) > 12 && string(d[8:12]) == "WEBP" }, webp.DecodeConfig, readWebP},
}

// begins recognizes data by its first bytes.
func begins(magic string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
}

// maxScans bounds how often a progressive JPEG may go over all of its pixels: cameras
// and programs need about ten, and a few bytes each would otherwise buy minutes of work.
const maxScans = 200

// judge finds out what data is and whether it may be decoded, by its header alone.
func judge(data []byte, o Options) (*format, error) {
	var f *format
	for i := range formats {
		if formats[i].magic(data) {
			f = &formats[i]
		}
	}
	if f == nil {
		return nil, &Refused{Unsupported, "This is " + guess(data) + ". Pictures may be JPEG, PNG, GIF or WebP."}
	}
	c, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(f, err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return nil, &Refused{Damaged, "The picture is empty."}
	}
	pixels := o.MaxPixels
	if deep(c.ColorModel) {
		pixels /= 2
	}
	if c.Width > o.MaxSide || c.Height > o.MaxSide || c.Width > pixels/c.Height {
		return nil, &Refused{TooManyPixels, fmt.Sprintf("The picture has %d × %d pixels; at most %d million, and %d a side, are taken.", c.Width, c.Height, pixels/1_000_000, o.MaxSide)}
	}
	if f.name == "jpeg" && bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
		return nil, &Refused{Damaged, "The picture is not a sound JPEG file: it has too many scans."}
	}
	return f, nil
}

// decode decodes all of the picture. Of a GIF, the first frame may cover only a part of
// it; the rest is transparent then.
func (f *format) decode(data []byte) (image.Image, error) {
	img, err := f.read(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(f, err)
	}
	if img.Bounds().Empty() {
		return nil, &Refused{Damaged, "The picture is empty."}
	}
	if f.name != "gif" {
		return img, nil
	}
	c, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(f, err)
	}
	if screen := image.Rect(0, 0, c.Width, c.Height); img.Bounds() != screen {
		whole := image.NewRGBA(screen)
		draw.Draw(whole, img.Bounds(), img, img.Bounds().Min, draw.Src)
		img = whole
	}
	return img, nil
}

// readWebP decodes a WebP. Its brightness and colours leave room at both ends (ITU-R BT.601),
// which Go's YCbCr, made for JPEG, does not know: as it is decoded, black would be grey.
func readWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	switch m := img.(type) {
	case *image.YCbCr:
		stretch(m)
	case *image.NYCbCrA:
		stretch(&m.YCbCr)
	}
	return img, err
}

// stretch has brightness and colours fill their bytes.
func stretch(m *image.YCbCr) {
	var bright, colour [256]uint8
	for i := range bright {
		bright[i] = uint8(min(max((i-16)*255+109, 0)/219, 255))
		colour[i] = uint8(min(max((i-16)*255+112, 0)/224, 255))
	}
	for i, v := range m.Y {
		m.Y[i] = bright[v]
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = colour[m.Cb[i]], colour[m.Cr[i]]
	}
}

// deep says whether a pixel has 16 bits a channel.
func deep(m color.Model) bool {
	return m == color.RGBA64Model || m == color.NRGBA64Model || m == color.Gray16Model
}

// damaged is the refusal of a file that its decoder gave up on. What a decoder of Go's
// says is of the file and of nothing else, so that it may be told.
func damaged(f *format, err error) error {
	return &Refused{Damaged, fmt.Sprintf("The picture is not a sound %s file (%.100s).", f.name, err.Error())}
}

// guess names what people most often take for a picture that can be shown, so that they
// know what to do about it.
func guess(data []byte) string {
	head := data[:min(len(data), 1024)]
	switch {
	case len(data) == 0:
		return "an empty file"
	case len(head) > 12 && string(head[4:8]) == "ftyp" && bytes.Contains(head[8:min(len(head), 40)], []byte("avif")):
		return "an AVIF picture"
	case len(head) > 12 && string(head[4:8]) == "ftyp":
		return "a HEIC picture or a film"
	case bytes.Contains(bytes.ToLower(head), []byte("<svg")):
		return "an SVG drawing, which can contain programs"
	case bytes.Contains(bytes.ToLower(head), []byte("<html")):
		return "a web page"
	case begins("%PDF")(head):
		return "a PDF document"
	case begins("BM")(head):
		return "a BMP picture"
	case begins("II*\x00")(head), begins("MM\x00*")(head):
		return "a TIFF or raw picture"
	}
	return "no picture of a known kind"
}
