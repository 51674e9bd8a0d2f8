package imports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of a file's parts, so that memory is bounded whatever the file is.
const (
	maxRecord = 2 << 20 // bytes of a row
	maxGroup  = 2500    // rows of a product: its variants and pictures
)

// byteOrderMark is what some programs begin a text in UTF-8 with.
const byteOrderMark = "\xef\xbb\xbf"

// errTooLong says that a row is longer than can be kept in memory.
var errTooLong = errors.New("row too long")

// row is a row of the file and what becomes of it.
type row struct {
	line   int // that it begins at; the header is line 1
	fields []string
	broken string // what is wrong with it, when it cannot be read
	end    int64  // the offset after it

	handle   string // by which its product is known
	outcome  Outcome
	objectID string
	messages []Message
	input    json.RawMessage // what a preview has to know of it later
	undo     json.RawMessage // what undoes what became of its product; with the first one
}

// say notes something about the row. What exceeds the bound is left out, but not that a
// row was refused.
func (r *row) say(m Message) {
	if len(r.messages) < maxMessages || m.Severity == Error && !r.has(Error) {
		r.messages = append(r.messages, m)
	}
}

// has says whether there is a message of a severity.
func (r *row) has(s Severity) bool {
	return slices.ContainsFunc(r.messages, func(m Message) bool { return m.Severity == s })
}

// blank says whether the row holds nothing, as spreadsheets like to append.
func (r *row) blank() bool {
	return r.broken == "" && !slices.ContainsFunc(r.fields, func(f string) bool { return strings.TrimSpace(f) != "" })
}

// group are consecutive rows of one product.
type group struct {
	rows      []*row
	continued bool // it goes on where the group before was cut off for its length
}

// end is the offset after the group.
func (g group) end() int64 { return g.rows[len(g.rows)-1].end }

// reader reads a file's rows in groups.
type reader struct {
	table   *table
	csv     *csv.Reader
	bounded *boundedReader
	base    int64 // the offset at which csv began
	line    int   // the line at that offset
	ahead   *row  // read, and of the next group
	cut     string
}

// openReader reads the header of a file, and goes on at an offset that a group ended at,
// or right after the header when that is zero.
func openReader(file io.ReadSeeker, offset int64, h headings) (*reader, error) {
	mark := make([]byte, len(byteOrderMark))
	n, err := io.ReadFull(file, mark)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	r := &reader{line: 1}
	if string(mark[:n]) == byteOrderMark {
		r.base = int64(n)
	}
	if err := r.goTo(file); err != nil {
		return nil, err
	}
	r.bounded.left = maxRecord
	header, err := r.csv.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if r.table, err = newTable(header, h); err != nil {
		return nil, err
	}
	if offset > 0 {
		if r.line, err = lineAt(file, offset); err != nil {
			return nil, err
		}
		r.base = offset
		if err := r.goTo(file); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// goTo has csv read from the base on.
func (r *reader) goTo(file io.ReadSeeker) error {
	if _, err := file.Seek(r.base, io.SeekStart); err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	r.bounded = &boundedReader{reader: file}
	r.csv = csv.NewReader(r.bounded)
	r.csv.FieldsPerRecord = -1
	return nil
}

// lineAt counts the lines before an offset.
func lineAt(file io.ReadSeeker, offset int64) (int, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("read the file: %w", err)
	}
	line, buffer, left := 1, make([]byte, 64<<10), io.LimitReader(file, offset)
	for {
		n, err := left.Read(buffer)
		line += bytes.Count(buffer[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return line, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read the file: %w", err)
		}
	}
}

// next reads a row. A row that is no CSV is given as broken; the rows after it are read.
func (r *reader) next() (*row, error) {
	r.bounded.left = maxRecord
	fields, err := r.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return &row{line: r.line + syntax.StartLine - 1, broken: faultOf(syntax), end: r.base + r.csv.InputOffset()}, nil
	case errors.Is(err, errTooLong):
		return nil, err
	case err != nil:
		return nil, err // io.EOF too
	}
	line, _ := r.csv.FieldPos(0)
	return &row{line: r.line + line - 1, fields: fields, end: r.base + r.csv.InputOffset()}, nil
}

func faultOf(err *csv.ParseError) string {
	if errors.Is(err.Err, csv.ErrBareQuote) {
		return "A quotation mark stands within a text that is not quoted. Put the text in quotation marks, and double those within."
	}
	return "A quotation mark is missing, or stands alone within a quoted text. Those within are doubled."
}

// group reads the rows of the next product; io.EOF when there are none.
func (r *reader) group() (group, error) {
	var g group
	for {
		next := r.ahead
		if r.ahead = nil; next == nil {
			var err error
			if next, err = r.next(); errors.Is(err, io.EOF) && len(g.rows) > 0 {
				return g, nil
			} else if err != nil {
				return g, err
			}
		}
		if len(g.rows) == 0 {
			g.continued = r.cut != "" && r.table.text(next, colHandle) == r.cut
			r.cut = ""
		} else if !r.together(g.rows[0], next) || len(g.rows) == maxGroup {
			if len(g.rows) == maxGroup && r.together(g.rows[0], next) {
				r.cut = r.table.text(next, colHandle)
			}
			r.ahead = next
			return g, nil
		}
		g.rows = append(g.rows, next)
	}
}

// together says whether a row belongs to the product that another began.
func (r *reader) together(first, next *row) bool {
	switch {
	case first.broken != "" || next.broken != "" || !r.table.grouped:
		return false
	case next.blank():
		return true
	default:
		return r.table.text(first, colHandle) == r.table.text(next, colHandle)
	}
}

// boundedReader fails when more is read than is left: csv itself would take a missing
// quotation mark's text into memory up to the file's end.
type boundedReader struct {
	reader io.Reader
	left   int
}

// Read reads within the bound.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
