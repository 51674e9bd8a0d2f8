package typeset

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/carlos7ags/folio/font"
	"github.com/go-text/typesetting/di"
	shaped "github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
)

// em is how finely text is measured: it is shaped at a thousand units an em, as PDF counts.
const em = 1000

// leading is from one line to the next, in ems; scripts with marks above and below need more
// than Latin does.
const leading = 1.4

// Missing is the error of a text with a character that no font has.
type Missing struct {
	Character rune
	Text      string
}

// Error names the character.
func (m *Missing) Error() string {
	return fmt.Sprintf("no font has the character %U (%c) of %q", m.Character, m.Character, m.Text)
}

// Style is how a text looks.
type Style struct {
	Size float64 // points
	Bold bool
	Gray float64 // 0 is black, 1 white
	End  bool    // its lines end where the text's measure ends, rather than begin where it begins
	Ltr  bool    // is written from left to right whatever it is, as numbers and codes are
}

// Text is text broken into lines.
type Text struct {
	Style
	measure float64
	lines   []line
}

// line is a line of glyphs in the order in which they are seen, from the left.
type line struct {
	runs  []run
	width float64 // in thousandths of the size
}

type run struct {
	face *face
	shaping.Output
	text []rune // the paragraph's
}

// Height is how much of a page the text takes.
func (t Text) Height() float64 { return float64(len(t.lines)) * t.Size * leading }

// Width is that of the longest line.
func (t Text) Width() float64 {
	most := 0.0
	for _, l := range t.lines {
		most = max(most, l.width*t.Size/em)
	}
	return most
}

// Set breaks a text into lines that are no longer than the measure. Line breaks in the text
// are kept; control characters are spaces.
func (d *Document) Set(text string, measure float64, style Style) (Text, error) {
	set := Text{Style: style, measure: measure}
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		runes := []rune(strings.ToValidUTF8(paragraph, "\uFFFD"))
		for i, r := range runes {
			if unicode.IsControl(r) {
				runes[i] = ' '
			}
		}
		lines, err := d.paragraph(runes, measure, style)
		if err != nil {
			return set, err
		}
		set.lines = append(set.lines, lines...)
	}
	return set, nil
}

func (d *Document) paragraph(text []rune, measure float64, style Style) ([]line, error) {
	if len(text) == 0 {
		return []line{{}}, nil
	}
	direction := d.direction(text)
	if style.Ltr {
		direction = di.DirectionLTR
	}
	faces := &chooser{document: d, bold: style.Bold}
	inputs := d.segmenter.Split(shaping.Input{
		Text: text, RunEnd: len(text), Direction: direction, Size: fixed.I(em), Language: language.NewLanguage(d.about.Language),
	}, faces)
	if faces.err != nil {
		return nil, faces.err
	}
	outputs := make([]shaping.Output, len(inputs))
	for i, input := range inputs {
		outputs[i] = d.shaper.Shape(input)
		for _, g := range outputs[i].Glyphs {
			if g.GlyphID == 0 {
				return nil, &Missing{missing(text[g.TextIndex():g.TextIndex()+g.RunesCount()], faces), string(text)}
			}
		}
	}
	wrapped, _ := d.wrapper.WrapParagraphF(shaping.WrapConfig{Direction: direction}, fixed.Int26_6(measure/style.Size*em*64), text, shaping.NewSliceIterator(outputs))
	lines := make([]line, len(wrapped))
	for i, outputs := range wrapped {
		outputs = slices.Clone(outputs)
		slices.SortFunc(outputs, func(a, b shaping.Output) int { return int(a.VisualIndex - b.VisualIndex) })
		for _, output := range outputs {
			output.Glyphs = slices.Clone(output.Glyphs)
			lines[i].runs = append(lines[i].runs, run{d.faces[output.Face], output, text})
			lines[i].width += float64(output.Advance) / 64
		}
	}
	return lines, nil
}

// missing is the first character of a cluster that no font has; a cluster may also lack a
// glyph because the font of its first character has none for what follows.
func missing(cluster []rune, faces *chooser) rune {
	for _, r := range cluster {
		if found, err := faces.document.fonts.with(r); err == nil && found == nil {
			return r
		}
	}
	return cluster[len(cluster)-1]
}

// direction is that of a paragraph's first letter, or of the document.
func (d *Document) direction(text []rune) di.Direction {
	for _, r := range text {
		properties, _ := bidi.LookupString(string(r))
		switch properties.Class() {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	if d.RightToLeft {
		return di.DirectionRTL
	}
	return di.DirectionLTR
}

// face is a font as one document uses it.
type face struct {
	*shaped.Face
	embedded *font.EmbeddedFont
	resource string
	thicken  bool
	covers   func(rune) bool
	stands   map[uint16]rune // what glyphs stand for in the document when they are found by themselves
}

// mode is how letters are drawn: filled, or filled and with their outlines.
func (f *face) mode() int {
	if f.thicken {
		return 2
	}
	return 0
}

// chooser finds the face for each character of a text.
type chooser struct {
	document *Document
	bold     bool
	last     *face
	script   language.Script
	err      error
}

// SetScript implements shaping.FontmapScript.
func (c *chooser) SetScript(script language.Script) { c.script = script }

// ResolveFace implements shaping.Fontmap. Marks and what is common to all scripts stay with
// what is before them.
func (c *chooser) ResolveFace(r rune) *shaped.Face {
	if c.last != nil && c.last.covers(r) && !language.LookupScript(r).Strong() {
		return c.last.Face
	}
	found, err := c.document.fonts.with(r)
	if found == nil {
		found = c.document.fonts.own[0] // which shapes it as missing
	}
	chosen, parseErr := c.document.face(found, c.bold)
	if c.err == nil {
		c.err = err
	}
	if parseErr != nil {
		c.err = parseErr
		chosen, _ = c.document.face(c.document.fonts.own[0], c.bold)
	}
	c.last = chosen
	return chosen.Face
}

// face is a family in a weight, made the document's.
func (d *Document) face(of *family, bold bool) (*face, error) {
	from := of.regular
	if bold && of.bold != nil {
		from = of.bold
	}
	key := weight{from, bold && of.bold == nil}
	if known := d.weights[key]; known != nil {
		return known, nil
	}
	read, err := from.parse()
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", of.name, err)
	}
	made := &face{Face: shaped.NewFace(read.shaping), thicken: key.thicken, covers: from.covers}
	for other, same := range d.weights {
		if other.source == from {
			made.embedded, made.resource, made.stands = same.embedded, same.resource, same.stands
		}
	}
	if made.embedded == nil {
		made.embedded, made.stands = font.NewEmbeddedFont(read.writing), map[uint16]rune{}
		d.embedded = append(d.embedded, made.embedded)
		made.resource = fmt.Sprintf("F%d", len(d.embedded))
	}
	d.weights[key], d.faces[made.Face] = made, made
	return made, nil
}
