package images

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

var (
	red    = color.NRGBA{220, 30, 30, 255}
	green  = color.NRGBA{30, 200, 30, 255}
	blue   = color.NRGBA{30, 30, 220, 255}
	yellow = color.NRGBA{230, 220, 40, 255}
	clear  = color.NRGBA{}
)

// quarters is a picture of four colours: top left, top right, bottom left, bottom right.
func quarters(w, h int, tl, tr, bl, br color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			switch left, top := x < w/2, y < h/2; {
			case left && top:
				img.SetNRGBA(x, y, tl)
			case top:
				img.SetNRGBA(x, y, tr)
			case left:
				img.SetNRGBA(x, y, bl)
			default:
				img.SetNRGBA(x, y, br)
			}
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// animation is a GIF whose first frame covers only its right half.
func animation(t testing.TB, w, h int) []byte {
	t.Helper()
	palette := color.Palette{clear, red, green}
	frame := func(r image.Rectangle, index uint8) *image.Paletted {
		p := image.NewPaletted(r, palette)
		for i := range p.Pix {
			p.Pix[i] = index
		}
		return p
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame(image.Rect(w/2, 0, w, h), 1), frame(image.Rect(0, 0, w, h), 2)},
		Delay: []int{10, 10}, Config: image.Config{ColorModel: palette, Width: w, Height: h},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bits writes the bit stream of a lossless WebP, least significant bit first.
type bits struct {
	data []byte
	n    int
}

func (b *bits) write(value uint32, count int) {
	for i := range count {
		if b.n%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.n/8] |= byte(value>>i&1) << (b.n % 8)
		b.n++
	}
}

// asWebP is a lossless WebP whose left half has one green and whose right half another,
// the other channels being c's: the smallest prefix codes that the format has.
func asWebP(w, h int, left, right byte, c color.NRGBA, chunks ...[]byte) []byte {
	var b bits
	b.write(0x2f, 8)
	b.write(uint32(w-1), 14)
	b.write(uint32(h-1), 14)
	b.write(1, 1)    // transparency is used
	b.write(0, 3)    // version
	b.write(0, 3)    // no transform, no colour cache, one group of codes
	b.write(0b11, 2) // green: a simple code of two symbols …
	b.write(1, 1)    // … the first of 8 bits
	b.write(uint32(min(left, right)), 8)
	b.write(uint32(max(left, right)), 8)
	for _, only := range []byte{c.R, c.B, c.A, 0} { // red, blue, alpha, distance: one symbol each
		b.write(0b101, 3)
		b.write(uint32(only), 8)
	}
	first := uint32(0) // symbols are numbered by value
	if left > right {
		first = 1
	}
	for range h {
		for x := range w {
			if x < w/2 {
				b.write(first, 1)
			} else {
				b.write(1-first, 1)
			}
		}
	}
	payload := riffChunk("VP8L", b.data)
	if len(chunks) > 0 {
		head := make([]byte, 10)
		head[0] = 1<<4 | 1<<3 // transparency and EXIF
		head[4], head[5] = byte(w-1), byte((w-1)>>8)
		head[7], head[8] = byte(h-1), byte((h-1)>>8)
		payload = append(riffChunk("VP8X", head), payload...)
	}
	for _, chunk := range chunks {
		payload = append(payload, chunk...)
	}
	return riffChunk("RIFF", append([]byte("WEBP"), payload...))
}

func riffChunk(id string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func pngChunk(id string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, id...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// exif is metadata with an orientation and a telling camera maker.
func exif(turn int) []byte {
	maker := "SECRET-MAKER\x00"
	out := []byte("MM\x00*\x00\x00\x00\x08\x00\x02")
	out = append(out, 0x01, 0x0f, 0, 2, 0, 0, 0, byte(len(maker)), 0, 0, 0, 38)
	out = append(out, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(turn), 0, 0)
	out = append(out, 0, 0, 0, 0)
	return append(out, maker...)
}

// jpegWith puts metadata into a JPEG.
func jpegWith(data, metadata []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), metadata...)
	out := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return append(append(out, segment...), data[2:]...)
}

// pngWith puts metadata into a PNG, after its 8 bytes of magic and 25 of header.
func pngWith(data, metadata []byte) []byte {
	out := bytes.Clone(data[:33])
	out = append(out, pngChunk("tEXt", []byte("Author\x00SECRET-MAKER"))...)
	out = append(out, pngChunk("eXIf", metadata)...)
	return append(out, data[33:]...)
}
