// Package typeset sets text in any script, shaped and in both directions, on pages of PDF.
//
// A place on a page is given by how far it is from the top and from the edge at which its
// language begins to read, so that the same calls set a page that reads from the left and its
// mirror image that reads from the right. Fonts are embedded as the few glyphs that are used
// of them; text can be searched and copied. A character that no font has is an error, and is
// never printed as a box.
//
// The same calls give the same bytes.
package typeset

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/carlos7ags/folio/content"
	"github.com/carlos7ags/folio/core"
	"github.com/carlos7ags/folio/document"
	"github.com/carlos7ags/folio/font"
	"github.com/go-text/typesetting/di"
	shaped "github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/text/language"
)

// Width and Height are those of a page, in points: A4.
const (
	Width  = 595.28
	Height = 841.89
)

// About is what a document says of itself.
type About struct {
	Title    string
	Author   string
	Language string // BCP 47
	Created  time.Time
}

// Document is pages of text. It is for one goroutine.
type Document struct {
	RightToLeft bool

	fonts    *Fonts
	about    About
	pages    []*content.Stream
	weights  map[weight]*face
	faces    map[*shaped.Face]*face
	embedded []*font.EmbeddedFont

	segmenter shaping.Segmenter
	shaper    shaping.HarfbuzzShaper
	wrapper   shaping.LineWrapper
}

// weight is a font that is drawn as it is or thicker.
type weight struct {
	source  *source
	thicken bool
}

// New is a document without pages.
func New(fonts *Fonts, about About) *Document {
	return &Document{
		RightToLeft: rightToLeft(about.Language), fonts: fonts, about: about,
		weights: map[weight]*face{}, faces: map[*shaped.Face]*face{},
	}
}

// rightToLeft says whether a language is written from the right.
func rightToLeft(locale string) bool {
	script, _ := language.Make(locale).Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg":
		return true
	}
	return false
}

// Page begins a new page, to which all is added from then on.
func (d *Document) Page() { d.pages = append(d.pages, content.NewStream()) }

// Pages is how many pages there are.
func (d *Document) Pages() int { return len(d.pages) }

// page is one of them, counted from zero.
func (d *Document) page(n int) *content.Stream { return d.pages[n] }

// Put sets a text on the last page, x from the edge where its lines begin and y from the top.
func (d *Document) Put(t Text, x, y float64) { d.PutOn(len(d.pages)-1, t, x, y) }

// PutOn sets a text on a page, counted from zero.
func (d *Document) PutOn(page int, t Text, x, y float64) {
	for i, l := range t.lines {
		slack := t.measure - l.width*t.Size/em
		left := x
		if t.End {
			left += slack
		}
		if d.RightToLeft {
			left = Width - x - t.measure
			if !t.End {
				left += slack
			}
		}
		base := Height - y - (float64(i)*leading+(leading-1)/2+0.82)*t.Size
		d.draw(d.page(page), l, t.Style, left, base)
	}
}

// Rule draws a line across, of a thickness in points.
func (d *Document) Rule(x, y, width, thickness, gray float64) {
	if d.RightToLeft {
		x = Width - x - width
	}
	page := d.page(len(d.pages) - 1)
	page.SetFillColorGray(gray)
	page.Rectangle(x, Height-y-thickness, width, thickness)
	page.Fill()
}

// draw writes a line's glyphs, each placed where the shaper wants it.
func (d *Document) draw(page *content.Stream, l line, style Style, left, base float64) {
	for _, r := range l.runs {
		d.drawRun(page, r, style, left, base)
		left += float64(r.Advance) / 64 * style.Size / em
	}
}

func (d *Document) drawRun(page *content.Stream, r run, style Style, left, base float64) {
	page.BeginText()
	page.SetFillColorGray(style.Gray)
	page.SetFont(r.face.resource, style.Size)
	page.SetStrokeColorGray(style.Gray)
	page.SetLineWidth(style.Size / 30)
	page.SetTextRenderingMode(r.face.mode())
	page.SetTextMatrix(1, 0, 0, 1, left, base)
	p := &pen{page: page, run: r, size: style.Size}
	for i := 0; i < len(r.Glyphs); {
		n := max(r.Glyphs[i].GlyphsCount(), 1)
		p.cluster(r.Glyphs[i:min(i+n, len(r.Glyphs))])
		i += n
	}
	p.flush()
	if p.rise != 0 {
		page.SetTextRise(0) // it would hold for all that follows
	}
	page.EndText()
}

// pen writes the glyphs of a run.
type pen struct {
	page    *content.Stream
	run     run
	size    float64
	pending []content.TextArrayElement
	rise    float64
}

// cluster writes glyphs that stand for some characters together. Where they are not one for
// one, the characters are noted beside them for whoever searches and copies. Readers take the
// note's place to be from its first glyph to its last, so marks, which have no width, stand
// outside it at both ends.
func (p *pen) cluster(glyphs []shaping.Glyph) {
	first := glyphs[0]
	text := p.run.text[first.TextIndex() : first.TextIndex()+first.RunesCount()]
	backwards := p.run.Direction.Progression() == di.TowardTopLeft
	if backwards {
		text = slices.Clone(text)
		slices.Reverse(text)
	}
	if p.plain(glyphs, text) {
		for i, g := range glyphs {
			p.glyph(g, text[i])
		}
		return
	}
	if backwards {
		p.noted("", glyphs, nil)
		p.unseen(glyphs, text)
		return
	}
	from, to := 0, len(glyphs)
	for from < to-1 && glyphs[from].Advance == 0 {
		from++
	}
	for to > from+1 && glyphs[to-1].Advance == 0 {
		to--
	}
	p.noted("", glyphs[:from], text)
	p.noted(string(text), glyphs[from:to], text)
	p.noted("", glyphs[to:], text)
}

// plain says whether glyphs are those of characters, one for one and in order, and stand for
// nothing else elsewhere.
func (p *pen) plain(glyphs []shaping.Glyph, text []rune) bool {
	if len(glyphs) != len(text) {
		return false
	}
	for i, g := range glyphs {
		usual, ok := p.run.face.NominalGlyph(text[i])
		if len(glyphs) > 1 && (!ok || usual != g.GlyphID) {
			return false
		}
		if other, known := p.run.face.stands[uint16(g.GlyphID)]; known && other != text[i] {
			return false
		}
	}
	return true
}

// unseen writes characters over glyphs, invisible and each with its share of their width. What
// is written from the right is read back from the left and then turned around, character by
// character, which a note of several would not survive.
func (p *pen) unseen(over []shaping.Glyph, text []rune) {
	var width, natural float64
	for _, g := range over {
		width += float64(g.Advance) / 64
	}
	face := p.run.face.embedded.Face()
	for _, r := range text {
		natural += float64(face.GlyphAdvance(face.GlyphIndex(r)) * em / face.UnitsPerEm())
	}
	if width <= 0 || natural <= 0 {
		return
	}
	p.move(width)
	p.flush()
	p.page.SetTextRenderingMode(3)
	p.page.SetHorizontalScaling(width / natural * 100)
	p.page.ShowTextHex(p.run.face.embedded.EncodeString(string(text)))
	p.page.SetHorizontalScaling(100)
	p.page.SetTextRenderingMode(p.run.face.mode())
}

// alone is the character of a cluster that a glyph stands for when it is found by itself.
func (p *pen) alone(g shaping.Glyph, text []rune) rune {
	if len(text) == 0 {
		return '\u200b' // none, which takes no place
	}
	for _, r := range text {
		if usual, ok := p.run.face.NominalGlyph(r); ok && usual == g.GlyphID {
			return r
		}
	}
	return text[0]
}

func (p *pen) noted(note string, glyphs []shaping.Glyph, text []rune) {
	if len(glyphs) == 0 {
		return
	}
	p.flush()
	p.page.BeginMarkedContentActualText(note)
	for _, g := range glyphs {
		p.glyph(g, p.alone(g, text))
	}
	p.flush()
	p.page.EndMarkedContent()
}

func (p *pen) glyph(g shaping.Glyph, stands rune) {
	if rise := float64(g.YOffset) / 64 * p.size / em; rise != p.rise {
		p.flush()
		p.rise = rise
		p.page.SetTextRise(rise)
	}
	if g.GlyphID >= math.MaxUint16 { // of what is not shown, such as a mark of direction
		p.move(-float64(g.Advance) / 64)
		return
	}
	id := uint16(g.GlyphID)
	if _, known := p.run.face.stands[id]; !known {
		p.run.face.stands[id] = stands
	}
	face := p.run.face.embedded.Face()
	usual := float64(face.GlyphAdvance(id) * em / face.UnitsPerEm())
	shift := float64(g.XOffset) / 64
	p.move(-shift)
	p.pending = append(p.pending, content.TextArrayElement{HexData: p.run.face.embedded.EncodeGIDs([]uint16{id}, string(stands))})
	p.move(usual + shift - float64(g.Advance)/64)
}

// move goes back by thousandths of the size.
func (p *pen) move(by float64) {
	if by > 0.01 || by < -0.01 {
		p.pending = append(p.pending, content.TextArrayElement{Adjustment: by, IsAdjustment: true})
	}
}

func (p *pen) flush() {
	if len(p.pending) > 0 {
		p.page.ShowTextArrayHex(p.pending)
		p.pending = nil
	}
}

// Bytes are the document as a PDF.
func (d *Document) Bytes() ([]byte, error) {
	w := document.NewWriter("1.7")
	catalog, pages := core.NewPdfDictionary(), core.NewPdfDictionary()
	root, parent := w.AddObject(catalog), w.AddObject(pages)
	w.SetRoot(root)

	fonts := core.NewPdfDictionary()
	add := func(object core.PdfObject) *core.PdfIndirectReference {
		condense(object)
		return w.AddObject(object)
	}
	for i, embedded := range d.embedded {
		fonts.Set(fmt.Sprintf("F%d", i+1), w.AddObject(embedded.BuildObjects(add)))
	}
	resources := core.NewPdfDictionary()
	resources.Set("Font", fonts)
	shared := w.AddObject(resources)
	id := sha256.New()
	kids := core.NewPdfArray()
	for _, page := range d.pages {
		_, _ = id.Write(page.Bytes()) // a hash takes all it is given
		kid := core.NewPdfDictionary()
		kid.Set("Type", core.NewPdfName("Page"))
		kid.Set("Parent", parent)
		kid.Set("MediaBox", core.NewPdfArray(core.NewPdfInteger(0), core.NewPdfInteger(0), core.NewPdfReal(Width), core.NewPdfReal(Height)))
		kid.Set("Resources", shared)
		kid.Set("Contents", w.AddObject(core.NewPdfStreamCompressed(page.Bytes())))
		kids.Add(w.AddObject(kid))
	}
	pages.Set("Type", core.NewPdfName("Pages"))
	pages.Set("Count", core.NewPdfInteger(len(d.pages)))
	pages.Set("Kids", kids)

	catalog.Set("Type", core.NewPdfName("Catalog"))
	catalog.Set("Pages", parent)
	catalog.Set("Lang", core.NewPdfTextString(d.about.Language))
	viewer := core.NewPdfDictionary()
	viewer.Set("DisplayDocTitle", core.NewPdfBoolean(true))
	if d.RightToLeft {
		viewer.Set("Direction", core.NewPdfName("R2L"))
	}
	catalog.Set("ViewerPreferences", viewer)

	info := core.NewPdfDictionary()
	info.Set("Title", core.NewPdfTextString(d.about.Title))
	info.Set("Author", core.NewPdfTextString(d.about.Author))
	info.Set("CreationDate", core.NewPdfLiteralString(d.about.Created.UTC().Format("D:20060102150405Z")))
	w.SetInfo(w.AddObject(info))
	w.SetFileID(id.Sum(nil)[:16])

	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write a PDF: %w", err)
	}
	return out.Bytes(), nil
}
