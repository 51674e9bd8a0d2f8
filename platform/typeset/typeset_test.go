package typeset_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/typeset"
)

// installed is where the packages of fonts that scripts/install-deps names lie.
const installed = "/usr/share/fonts"

func fonts(t testing.TB, dir string) *typeset.Fonts {
	t.Helper()
	opened, err := typeset.OpenFonts(dir)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// page is a page with these texts below each other.
func page(t testing.TB, fonts *typeset.Fonts, language string, style typeset.Style, texts ...string) []byte {
	t.Helper()
	pdf, err := printed(fonts, language, style, texts...)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func printed(fonts *typeset.Fonts, language string, style typeset.Style, texts ...string) ([]byte, error) {
	d := typeset.New(fonts, typeset.About{Title: "Übung", Author: "Ada Example", Language: language, Created: time.Unix(0, 0)})
	d.Page()
	y := 50.0
	for _, text := range texts {
		set, err := d.Set(text, typeset.Width-100, style)
		if err != nil {
			return nil, err
		}
		d.Put(set, 50, y)
		y += set.Height()
	}
	return d.Bytes()
}

// tool runs one of poppler's tools on a PDF.
func tool(t testing.TB, pdf []byte, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if name == "pdftotext" {
		args = append(args, path, "-")
	} else {
		args = append(args, path)
	}
	cmd := exec.Command(name, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%s (Debian's poppler-utils): %v\n%s", name, err, complaints.Bytes())
	}
	return out
}

// legible is the text that a reader finds, without marks of direction and spaces.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFC.String(text))
}

func TestTextCanBeReadBack(t *testing.T) {
	t.Parallel()
	all := fonts(t, installed)
	for language, texts := range map[string][]string{
		"en": {"Invoice INV-1001 fi ffl AV To", "Größe Łódź Ελλάδα Россия Việt Nam", "ไทยแลนด์ ที่", "বাংলা தமிழ் తెలుగు ಕನ್ನಡ മലയാളം", "ქართული Հայերեն አማርኛ"},
		"ar": {"فاتورة رقم", "الإجمالي", "شركة الأمثلة المحدودة", "بسم الله الرحمن الرحيم لا إله إلا الله", "مُحَمَّد"},
		"he": {"שלום עולם"},
		"hi": {"चालान संख्या", "श्रीमती प्रियंका क्षत्रिय", "हिन्दी कर्म र्कि स्त्री", "कुल"},
		"ja": {"請求書番号", "株式会社サンプル 御中", "『見本』（税込）がぎぐげご", "髙﨑𠮷"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			for _, bold := range []bool{false, true} {
				found := legible(string(tool(t, page(t, all, language, typeset.Style{Size: 14, Bold: bold}, texts...), "pdftotext")))
				for _, text := range texts {
					if !strings.Contains(found, legible(text)) {
						t.Errorf("%q (bold %v) reads %q", text, bold, found)
					}
				}
			}
		})
	}
}

// drawn is a page as a picture, a pixel a point.
func drawn(t testing.TB, pdf []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(tool(t, pdf, "pdftoppm", "-r", "72", "-gray", "-png")))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// ink says whether anything is drawn between two places of a line's height.
func ink(picture image.Image, from, to int) bool {
	for x := from; x < to; x++ {
		for y := 50; y < 90; y++ {
			if r, _, _, _ := picture.At(x, y).RGBA(); r < 0x8000 {
				return true
			}
		}
	}
	return false
}

// Each of the glyphs is seen, also those that a font names in another way than it counts them.
func TestGlyphsAreSeen(t *testing.T) {
	t.Parallel()
	own := fonts(t, "")
	picture := drawn(t, page(t, own, "ja", typeset.Style{Size: 30}, "請求書番号がア"))
	for i := range 7 {
		if !ink(picture, 50+30*i, 50+30*(i+1)) {
			t.Errorf("nothing is seen of glyph %d", i)
		}
	}
	// From the right, at the other edge.
	picture = drawn(t, page(t, own, "ar", typeset.Style{Size: 30}, "فاتورة"))
	if ink(picture, 0, 300) || !ink(picture, 500, 546) {
		t.Error("Arabic does not begin at the right")
	}
	// Thicker where a font has no bold letters.
	plain, bold := drawn(t, page(t, own, "ja", typeset.Style{Size: 30}, "請求書")), drawn(t, page(t, own, "ja", typeset.Style{Size: 30, Bold: true}, "請求書"))
	if a, b := darkness(plain), darkness(bold); b <= a {
		t.Errorf("bold is as dark as plain: %d and %d", b, a)
	}
}

// What a mark is raised by is not what follows it is raised by.
func TestMarksRaiseNothingElse(t *testing.T) {
	t.Parallel()
	all := fonts(t, installed)
	style := typeset.Style{Size: 30}
	marked, plain := drawn(t, page(t, all, "en", style, "X\u0302\u0302", "Hxg")), drawn(t, page(t, all, "en", style, "XX", "Hxg"))
	for y := 100; y < 140; y++ {
		for x := 40; x < 200; x++ {
			if marked.At(x, y) != plain.At(x, y) {
				t.Fatalf("the line below differs at %d, %d", x, y)
			}
		}
	}
}

func darkness(picture image.Image) (sum int) {
	for x := range picture.Bounds().Dx() {
		for y := range picture.Bounds().Dy() {
			r, _, _, _ := picture.At(x, y).RGBA()
			sum += int(0xffff-r) >> 8
		}
	}
	return sum
}

func TestSubsets(t *testing.T) {
	t.Parallel()
	all := fonts(t, installed)
	for language, text := range map[string]string{"en": "Invoice", "ja": "請求書番号", "ar": "فاتورة", "hi": "चालान"} {
		pdf := page(t, all, language, typeset.Style{Size: 12}, text)
		if len(pdf) > 15_000 {
			t.Errorf("%s: %d bytes for a word", language, len(pdf))
		}
		if again := page(t, all, language, typeset.Style{Size: 12}, text); !bytes.Equal(pdf, again) {
			t.Errorf("%s: other bytes the second time", language)
		}
	}
}

func TestWhatNoFontHas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rune{"Party \U0001F389!": '\U0001F389', "\uE000": '\uE000', "क": 'क', "a\u0378b": '\u0378'} {
		_, err := printed(fonts(t, ""), "en", typeset.Style{Size: 12}, "fine", text)
		var missing *typeset.Missing
		if !errors.As(err, &missing) || missing.Character != want || missing.Text != text {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := printed(fonts(t, filepath.Join(t.TempDir(), "nowhere")), "en", typeset.Style{Size: 12}, "क"); err == nil {
		t.Error("a folder that is not there has fonts")
	}
}

// A folder's broken fonts and pictures of letters are passed over.
func TestBrokenFonts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range map[string]string{"NotoSansEmpty-Regular.ttf": "", "NotoSansBroken-Regular.otf": "OTTO\x00\x01garbage", "readme.txt": "no font"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := printed(fonts(t, dir), "en", typeset.Style{Size: 12}, "क")
	var missing *typeset.Missing
	if !errors.As(err, &missing) {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	d := typeset.New(fonts(t, ""), typeset.About{Language: "en"})
	style := typeset.Style{Size: 10}
	for text, lines := range map[string]float64{"": 1, "one": 1, "one\ntwo\r\nthree": 3, "tab\tand\x00bell\a": 1, strings.Repeat("word ", 40): 7, strings.Repeat("x", 200): 7} {
		set, err := d.Set(text, 160, style)
		if err != nil || set.Height() != lines*14 || set.Width() > 160 {
			t.Errorf("%.20q: %v lines of at most %v, %v", text, set.Height()/14, set.Width(), err)
		}
	}
}

// Whatever is written in whatever script: it is set, or the character that no font has is one
// of its own.
func TestAnyText(t *testing.T) {
	t.Parallel()
	all := fonts(t, installed)
	scripts := []*unicode.RangeTable{
		unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Bengali, unicode.Tamil, unicode.Thai, unicode.Khmer,
		unicode.Myanmar, unicode.Tibetan, unicode.Ethiopic, unicode.Georgian, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Mongolian, unicode.Adlam,
		unicode.Mn, unicode.Cf, unicode.Cc, unicode.So, unicode.Nd, unicode.Zs, unicode.Co,
	}
	rapid.Check(t, func(t *rapid.T) {
		var text string
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			text += rapid.StringOfN(rapid.RuneFrom(nil, rapid.SampledFrom(scripts).Draw(t, "script")), 1, 8, -1).Draw(t, "text")
		}
		pdf, err := printed(all, rapid.SampledFrom([]string{"en", "ar", "hi", "ja"}).Draw(t, "language"), typeset.Style{Size: 11, Bold: rapid.Bool().Draw(t, "bold")}, text)
		var missing *typeset.Missing
		switch {
		case errors.As(err, &missing):
			if !strings.ContainsRune(text, missing.Character) && !strings.ContainsRune(norm.NFD.String(text), missing.Character) {
				t.Fatalf("%q lacks %U, which is not in it", text, missing.Character)
			}
		case err != nil:
			t.Fatalf("%q: %v", text, err)
		case !bytes.HasPrefix(pdf, []byte("%PDF-1.7")):
			t.Fatalf("%q: no PDF", text)
		}
	})
}
