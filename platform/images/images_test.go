package images

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/image/draw"
	"pgregory.net/rapid"
)

// process makes a picture of data that must be taken.
func process(t *testing.T, o Options, data []byte) *Picture {
	t.Helper()
	p, err := New(o).Process(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reason is the reason of a refusal, or "" of any other error and of none.
func reason(err error) Reason {
	var refused *Refused
	if errors.As(err, &refused) && errors.Is(err, ErrRefused) {
		return refused.Reason
	}
	return ""
}

// open decodes a size and checks that it is what it says.
func open(t *testing.T, s Size) image.Image {
	t.Helper()
	img, name, err := image.Decode(bytes.NewReader(s.Data))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, s.Width, s.Height) || s.ContentType != "image/"+name || s.Extension != map[string]string{"jpeg": ".jpg", "png": ".png"}[name] {
		t.Fatalf("%s of %v is called %s, %s of %d × %d", name, img.Bounds(), s.Extension, s.ContentType, s.Width, s.Height)
	}
	return img
}

// near says whether two colours look alike.
func near(a, b color.Color) bool {
	r1, g1, b1, a1 := a.RGBA()
	r2, g2, b2, a2 := b.RGBA()
	for _, pair := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}, {a1, a2}} {
		if max(pair[0], pair[1])-min(pair[0], pair[1]) > 0x1400 {
			return false
		}
	}
	return true
}

// corners checks the colours in the middle of a picture's quarters.
func corners(t *testing.T, what string, img image.Image, tl, tr, bl, br color.Color) {
	t.Helper()
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	for i, want := range []color.Color{tl, tr, bl, br} {
		x, y := w/4+i%2*w/2, h/4+i/2*h/2
		if got := img.At(x, y); !near(got, want) {
			t.Errorf("%s: at %d, %d of %d × %d is %v, want %v", what, x, y, w, h, got, want)
		}
	}
}

// widths are the widths of a picture's sizes.
func widths(p *Picture) []int {
	var out []int
	for _, s := range p.Sizes {
		out = append(out, s.Width)
	}
	return out
}

func TestSizesAreMadeAndNeverEnlarged(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want []int
	}{
		{2000, 500, []int{160, 480, 960, 1600}},
		{1600, 400, []int{160, 480, 960, 1600}},
		{700, 900, []int{160, 480, 700}},
		{100, 80, []int{100}},
		{1, 1, []int{1}},
		{1999, 3, []int{160, 480, 960, 1600}},
		{3, 1999, []int{3}},
	} {
		p := process(t, Options{}, asPNG(t, quarters(c.w, c.h, red, green, blue, yellow)))
		if p.Width != c.w || p.Height != c.h || p.Format != "png" || !slices.Equal(widths(p), c.want) {
			t.Errorf("%d × %d: %d × %d %s in %v, want %v", c.w, c.h, p.Width, p.Height, p.Format, widths(p), c.want)
		}
		for _, s := range p.Sizes {
			if want := max(1, int(float64(c.h)*float64(s.Width)/float64(c.w)+0.5)); s.Height != want {
				t.Errorf("%d × %d at %d is %d high, want %d", c.w, c.h, s.Width, s.Height, want)
			}
			if img := open(t, s); s.Width > 50 && s.Height > 50 {
				corners(t, "size", img, red, green, blue, yellow)
			}
		}
	}
	p := process(t, Options{Widths: []int{300, 50}}, asPNG(t, quarters(400, 400, red, green, blue, yellow)))
	if !slices.Equal(widths(p), []int{50, 300}) {
		t.Errorf("own widths: %v", widths(p))
	}
}

func TestEveryFormatIsTaken(t *testing.T) {
	whole := quarters(400, 300, red, green, blue, yellow)
	holed := quarters(400, 300, red, clear, clear, yellow)
	for _, c := range []struct {
		name, format, contentType string
		data                      []byte
		corners                   [4]color.Color
	}{
		{"JPEG", "jpeg", "image/jpeg", asJPEG(t, whole), [4]color.Color{red, green, blue, yellow}},
		{"opaque PNG", "png", "image/jpeg", asPNG(t, whole), [4]color.Color{red, green, blue, yellow}},
		{"PNG with transparency", "png", "image/png", asPNG(t, holed), [4]color.Color{red, clear, clear, yellow}},
		{"first frame of a GIF", "gif", "image/png", animation(t, 400, 300), [4]color.Color{clear, red, clear, red}},
		{"opaque WebP", "webp", "image/jpeg", asWebP(400, 300, 30, 200, red), [4]color.Color{red, color.NRGBA{220, 200, 30, 255}, red, color.NRGBA{220, 200, 30, 255}}},
		{"WebP with transparency", "webp", "image/png", asWebP(400, 300, 200, 30, color.NRGBA{220, 0, 30, 128}), [4]color.Color{
			color.NRGBA{220, 200, 30, 128}, color.NRGBA{220, 30, 30, 128}, color.NRGBA{220, 200, 30, 128}, color.NRGBA{220, 30, 30, 128},
		}},
	} {
		p := process(t, Options{}, c.data)
		if p.Format != c.format || p.Width != 400 || p.Height != 300 || len(p.Sizes) != 2 {
			t.Errorf("%s: %s, %d × %d, %v", c.name, p.Format, p.Width, p.Height, widths(p))
		}
		for _, s := range p.Sizes {
			if s.ContentType != c.contentType {
				t.Errorf("%s became %s", c.name, s.ContentType)
			}
			corners(t, c.name, open(t, s), c.corners[0], c.corners[1], c.corners[2], c.corners[3])
		}
	}
}

func TestOrientationIsHonouredAndMetadataGone(t *testing.T) {
	// EXIF says on which side the stored first row and first column lie; so the stored
	// quarters, 1 2 above 3 4, come to stand like this.
	for turn, want := range map[int]string{1: "1234", 2: "2143", 3: "4321", 4: "3412", 5: "1324", 6: "3142", 7: "4231", 8: "2413"} {
		colours := map[byte]color.Color{'1': red, '2': green, '3': blue, '4': yellow}
		stored := quarters(300, 200, red, green, blue, yellow)
		for name, data := range map[string][]byte{
			"jpeg": jpegWith(asJPEG(t, stored), exif(turn)),
			"png":  pngWith(asPNG(t, stored), exif(turn)),
			"webp": asWebP(300, 200, 30, 30, red, riffChunk("EXIF", exif(turn))),
		} {
			if !bytes.Contains(data, []byte("SECRET-MAKER")) {
				t.Fatal("no metadata to begin with")
			}
			p := process(t, Options{}, data)
			w, h := 300, 200
			if turn >= 5 {
				w, h = h, w
			}
			if p.Width != w || p.Height != h {
				t.Errorf("%s turned by %d: %d × %d", name, turn, p.Width, p.Height)
			}
			for _, s := range p.Sizes {
				img := open(t, s)
				if name != "webp" {
					corners(t, name+" turned by "+string(rune('0'+turn)), img, colours[want[0]], colours[want[1]], colours[want[2]], colours[want[3]])
				}
				if bytes.Contains(s.Data, []byte("SECRET")) || bytes.Contains(s.Data, []byte("Exif")) || bytes.Contains(s.Data, []byte("eXIf")) {
					t.Errorf("%s turned by %d keeps metadata", name, turn)
				}
			}
		}
	}
	for _, nonsense := range [][]byte{exif(0), exif(9), []byte("MM"), nil, bytes.Repeat([]byte{0xff}, 60)} {
		if p := process(t, Options{}, jpegWith(asJPEG(t, quarters(60, 40, red, green, blue, yellow)), nonsense)); p.Width != 60 {
			t.Errorf("metadata % x turned the picture", nonsense)
		}
	}
}

// header is the start of a PNG of some size and depth, with nothing to decode behind.
func header(w, h uint32, depth byte) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(size, depth, 2, 0, 0, 0))...)
}

func TestBombsAreRefusedBeforeDecoding(t *testing.T) {
	sound := asJPEG(t, quarters(64, 64, red, green, blue, yellow))
	for name, c := range map[string]struct {
		data []byte
		want Reason
	}{
		"a vast PNG":               {header(50_000, 50_000, 8), TooManyPixels},
		"a long PNG":               {header(20_001, 10, 8), TooManyPixels},
		"a PNG beyond 31 bits":     {header(1<<31-1, 1<<31-1, 8), Damaged}, // the decoder's own bound
		"a deep PNG":               {header(6000, 5000, 16), TooManyPixels},
		"a vast GIF":               {[]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"), TooManyPixels},
		"a vast WebP":              {riffChunk("RIFF", append([]byte("WEBP"), riffChunk("VP8X", []byte{0, 0, 0, 0, 0xff, 0x3f, 0, 0xff, 0x3f, 0})...)), TooManyPixels},
		"an endless JPEG":          {append(sound[:len(sound)-2:len(sound)-2], bytes.Repeat([]byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0}, 300)...), Damaged},
		"too many bytes":           {append(bytes.Clone(sound), make([]byte, 1<<20)...), TooManyBytes},
		"a PNG with nothing in it": {header(10, 10, 8), Damaged},
	} {
		if _, err := New(Options{MaxBytes: 1 << 20}).Process(t.Context(), bytes.NewReader(c.data)); reason(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := New(Options{}).Process(t.Context(), bytes.NewReader(header(6000, 5000, 8))); reason(err) != Damaged {
		t.Errorf("30 million pixels are within bounds, yet: %v", err)
	}
}

func TestWhatIsNoPictureIsRefusedByName(t *testing.T) {
	for word, data := range map[string]string{
		"SVG":      `<?xml version="1.0"?><!-- x --><SVG xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></SVG>`,
		"web page": "<!doctype html><HTML><body>jpg</body>",
		"HEIC":     "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
		"AVIF":     "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf",
		"PDF":      "%PDF-1.7\n",
		"BMP":      "BM\x00\x00",
		"TIFF":     "II*\x00\x08\x00\x00\x00",
		"empty":    "",
		"known":    "just text",
	} {
		_, err := New(Options{}).Process(t.Context(), strings.NewReader(data))
		if reason(err) != Unsupported || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, data := range []string{"GIF89a\x10\x00\x10\x00\x00\x00\x00<script>alert(1)</script>", "\xff\xd8\xff\xe0<html>", "RIFF\x00\x00\x00\x00WEBPVP8 ", "\x89PNG\r\n\x1a\n"} {
		if _, err := New(Options{}).Process(t.Context(), strings.NewReader(data)); reason(err) != Damaged {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func TestBrokenFilesAreRefusedAndNeverPanic(t *testing.T) {
	whole := quarters(40, 30, red, clear, blue, yellow)
	sound := [][]byte{jpegWith(asJPEG(t, whole), exif(6)), pngWith(asPNG(t, whole), exif(3)), animation(t, 40, 30), asWebP(40, 30, 1, 200, red, riffChunk("EXIF", exif(8)))}
	p := New(Options{Widths: []int{10, 20}, MaxPixels: 100_000})
	try := func(t rapid.TB, data []byte) {
		out, err := p.Process(context.Background(), bytes.NewReader(data))
		if err != nil && reason(err) == "" {
			t.Fatalf("a fault of the file came out as a fault of ours: %v", err)
		}
		if err == nil && len(out.Sizes) == 0 {
			t.Fatal("taken, but nothing made of it")
		}
	}
	for _, data := range sound {
		for n := range data {
			try(t, data[:n])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		data := bytes.Clone(rapid.SampledFrom(sound).Draw(t, "file"))
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			data[rapid.IntRange(0, len(data)-1).Draw(t, "position")] = rapid.Byte().Draw(t, "byte")
		}
		try(t, data)
	})
}

func TestShrinkingInStripsLeavesNoSeam(t *testing.T) {
	// Noise over a gradient, wider and higher than several strips, at an odd ratio.
	src := image.NewRGBA(image.Rect(0, 0, 731, 1103))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range src.Pix {
		src.Pix[i] = byte(random.IntN(60) + i/20_000)
		if i%4 == 3 {
			src.Pix[i] = 255
		}
	}
	const w, h = 500, 754
	want := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(want, want.Rect, src, src.Rect, draw.Src, nil)
	got := shrink(src, w, h)
	for i := range want.Pix {
		if d := int(want.Pix[i]) - int(got.Pix[i]); d < -2 || d > 2 {
			t.Fatalf("at %d, %d: %d, scaled at once %d", i/4%w, i/4/w, got.Pix[i], want.Pix[i])
		}
	}
	if moved := shrink(src.SubImage(image.Rect(100, 200, 400, 500)), 300, 300); moved.Rect != image.Rect(0, 0, 300, 300) || moved.At(50, 50) != src.At(150, 250) {
		t.Error("a picture that does not begin at 0, 0 came out shifted")
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	p := New(Options{})
	if err := p.slots.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := asPNG(t, quarters(10, 10, red, green, blue, yellow))
	if _, err := p.Process(ctx, bytes.NewReader(data)); !errors.Is(err, context.Canceled) || reason(err) != "" {
		t.Errorf("waiting: %v", err)
	}
	p.slots.Release(1)
	if _, err := p.Process(t.Context(), bytes.NewReader(data)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if _, err := p.sizes(ctx, quarters(10, 10, red, green, blue, yellow), 1, 10, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("working: %v", err)
	}
	broken := errors.New("broken")
	if _, err := p.Process(t.Context(), io.MultiReader(bytes.NewReader(data[:20]), iotest.ErrReader(broken))); !errors.Is(err, broken) || reason(err) != "" {
		t.Errorf("a broken reader: %v", err)
	}
}

// BenchmarkPhotograph is a photograph of 12 million pixels, as telephones take them.
func BenchmarkPhotograph(b *testing.B) {
	src := image.NewRGBA(image.Rect(0, 0, 3024, 4032))
	for i := range src.Pix {
		src.Pix[i] = byte(i/7) ^ byte(i/30_000)
		if i%4 == 3 {
			src.Pix[i] = 255
		}
	}
	data := jpegWith(asJPEG(b, src), exif(6))
	p := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Process(b.Context(), bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

// The WebP of a size is the same picture in fewer bytes; what is transparent stays so.
func TestSizesAsWebP(t *testing.T) {
	for name, whole := range map[string]image.Image{"opaque": quarters(700, 500, red, green, blue, yellow), "transparent": quarters(700, 500, red, clear, clear, yellow)} {
		for _, s := range process(t, Options{}, asPNG(t, whole)).Sizes {
			img, err := readWebP(bytes.NewReader(s.WebP))
			if err != nil || len(s.WebP) >= len(s.Data) || img.Bounds() != image.Rect(0, 0, s.Width, s.Height) {
				t.Fatalf("%s at %d: %d bytes of %d, %v", name, s.Width, len(s.WebP), len(s.Data), err)
			}
			if name == "opaque" {
				corners(t, name, img, red, green, blue, yellow)
			} else {
				corners(t, name, img, red, clear, clear, yellow)
			}
		}
	}
	// Black and white stay so from one WebP to the next.
	black, white := color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}
	once := process(t, Options{}, asPNG(t, quarters(300, 300, black, white, white, black)))
	img := open(t, process(t, Options{}, once.Sizes[1].WebP).Sizes[1])
	if dark, _, _, _ := img.At(75, 75).RGBA(); dark > 0x300 {
		t.Errorf("black became %x", dark)
	}
	if light, _, _, _ := img.At(225, 75).RGBA(); light < 0xfc00 {
		t.Errorf("white became %x", light)
	}
	if long := process(t, Options{}, asPNG(t, quarters(100, 17_000, red, green, blue, yellow))); long.Sizes[0].WebP != nil {
		t.Error("one that is longer than a WebP can be")
	}
}
