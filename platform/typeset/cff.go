package typeset

import (
	"encoding/binary"
	"fmt"

	"github.com/carlos7ags/folio/core"
	"github.com/carlos7ags/folio/font"
)

// A font with outlines of PostScript's kind (CFF) names its glyphs by identifiers of a
// character collection, and PDF asks for them by these, while shaping and the library that
// writes PDF count them through. In a font of a whole collection both are the same; in one
// of a part of it they are not. So the table that tells them apart is replaced.

// byNumber is a face whose CFF names its glyphs by their numbers.
type byNumber struct {
	font.Face
	cff []byte
}

// IsCFF, IsCFF2 and CFFData are what the library asks a face for.
func (f byNumber) IsCFF() bool     { return true }
func (f byNumber) IsCFF2() bool    { return false }
func (f byNumber) CFFData() []byte { return f.cff }

// numbered is a face whose glyphs go by their numbers.
func numbered(face font.Face) (font.Face, error) {
	of, ok := face.(interface {
		IsCFF() bool
		CFFData() []byte
	})
	if !ok || !of.IsCFF() {
		return face, nil
	}
	cff := append([]byte(nil), of.CFFData()...)
	at, err := charset(cff)
	if err != nil {
		return nil, err
	}
	if at+5 > len(cff) || face.NumGlyphs() < 2 {
		return nil, errCFF
	}
	// One range: from 1, for all glyphs but the one that is no character.
	cff[at] = 2
	binary.BigEndian.PutUint16(cff[at+1:], 1)
	binary.BigEndian.PutUint16(cff[at+3:], uint16(face.NumGlyphs()-2))
	return byNumber{face, cff}, nil
}

var errCFF = fmt.Errorf("%w: its CFF cannot be read", errUnfit)

// charset is where a CFF's table of names begins: the operand of operator 15 of its
// dictionary, which is the second list after the header.
func charset(cff []byte) (int, error) {
	if len(cff) < 4 {
		return 0, errCFF
	}
	names, err := readIndex(cff, int(cff[2]))
	if err != nil {
		return 0, err
	}
	dictionaries, err := readIndex(cff, names.end)
	if err != nil {
		return 0, err
	}
	operand := -1
	for d := dictionaries.first; len(d) > 0; {
		size, value := 1, operand
		switch b := d[0]; {
		case b == 15:
			if operand < 0 {
				return 0, errCFF
			}
			return operand, nil
		case b == 12: // a longer operator
			size = 2
		case b == 28 && len(d) >= 3:
			size, value = 3, int(int16(binary.BigEndian.Uint16(d[1:])))
		case b == 29 && len(d) >= 5:
			size, value = 5, int(int32(binary.BigEndian.Uint32(d[1:])))
		case b == 30: // a real number, up to a half byte of ones
			for size < len(d) && d[size]&0xf != 0xf {
				size++
			}
			size++
		case b >= 32 && b <= 246:
			value = int(b) - 139
		case b >= 247 && b <= 250 && len(d) >= 2:
			size, value = 2, (int(b)-247)*256+int(d[1])+108
		case b >= 251 && b <= 254 && len(d) >= 2:
			size, value = 2, -(int(b)-251)*256-int(d[1])-108
		}
		d, operand = d[min(size, len(d)):], value
	}
	return 0, errCFF
}

type index struct {
	first []byte
	end   int
}

// readIndex reads a list of a CFF: its first element, and where it ends.
func readIndex(cff []byte, at int) (index, error) {
	if at+3 > len(cff) {
		return index{}, errCFF
	}
	count, size := int(binary.BigEndian.Uint16(cff[at:])), int(cff[at+2])
	if count == 0 {
		return index{end: at + 2}, nil
	}
	offsets := at + 3
	base := offsets + (count+1)*size - 1
	if size < 1 || size > 4 || base >= len(cff) {
		return index{}, errCFF
	}
	offset := func(i int) int {
		n := 0
		for _, b := range cff[offsets+i*size : offsets+(i+1)*size] {
			n = n<<8 | int(b)
		}
		return base + n
	}
	from, to, end := offset(0), offset(1), offset(count)
	if from > to || to > end || end > len(cff) {
		return index{}, errCFF
	}
	return index{cff[from:to], end}, nil
}

// condense has a font's stream written as differences of numbers of four bytes: a subset
// keeps the places of the glyphs that it leaves out, and tens of thousands of places that
// follow each other come to nearly nothing so.
func condense(object core.PdfObject) {
	const row = 4
	stream, ok := object.(*core.PdfStream)
	if !ok || stream.Dict.Get("Subtype") == nil {
		return
	}
	data := append(stream.Data, make([]byte, -len(stream.Data)&(row-1))...)
	out := make([]byte, 0, len(data)/row*(row+1))
	for i := range data {
		if i%row == 0 {
			out = append(out, 2) // as the number above
		}
		above := byte(0)
		if i >= row {
			above = data[i-row]
		}
		out = append(out, data[i]-above)
	}
	stream.Data = out
	parms := core.NewPdfDictionary()
	parms.Set("Predictor", core.NewPdfInteger(12))
	parms.Set("Columns", core.NewPdfInteger(row))
	stream.Dict.Set("DecodeParms", parms)
}
