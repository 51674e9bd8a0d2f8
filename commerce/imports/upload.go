package imports

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// As says as what a file is to be taken.
type As struct {
	Customers bool              // it is of customers, not of products
	Preview   bool              // it is only to be said what would become of each row
	Mapping   map[string]string // what columns are to be taken for, by their names; an empty text is nothing
}

// Upload is a file that was received, and the operation that it is for.
type Upload struct {
	As
	OperationID string
	Key         string
	Bytes       int64
	SHA256      []byte
}

// ErrBroken says that the file could not be read to its end, whoever broke it off.
var ErrBroken = errors.New("the file broke off")

// headBytes is how much of a file is looked at before any of it is kept.
const headBytes = 64 << 10

// Receive stores a file for the context's store as it comes, for Create. A file that is
// no product CSV is refused: its header before anything is stored, a text that is none
// where it ceases to be one. Whoever receives a file and does not Create removes it.
func (s *Service) Receive(ctx context.Context, file io.Reader, as As) (Upload, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Upload{}, postgres.ErrNoStore
	}
	buffered := bufio.NewReaderSize(file, headBytes)
	head, err := buffered.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return Upload{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if err := checkHead(head, headings{sheet: as.sheet(), mapping: as.Mapping}); err != nil {
		return Upload{}, err
	}
	u := Upload{OperationID: ids.New("op"), As: as}
	u.Key = folder(ref) + u.OperationID + ".csv"
	hash := sha256.New()
	text := &textReader{reader: buffered, most: s.config.MaxBytes, line: 1}
	if u.Bytes, err = s.files.Put(ctx, u.Key, io.TeeReader(text, hash), "text/csv"); err != nil {
		return Upload{}, fmt.Errorf("keep the import's file: %w", err)
	}
	u.SHA256 = hash.Sum(nil)
	return u, nil
}

// folder is where a store's files for imports lie.
func folder(ref postgres.StoreRef) string { return fmt.Sprintf("%s/%s/imports/", ref.ID, ref.Mode) }

// Remove deletes a file that is not wanted after all, even when the request that brought
// it is over.
func (s *Service) Remove(ctx context.Context, u Upload) error {
	return s.files.Delete(context.WithoutCancel(ctx), u.Key)
}

// checkHead says what is wrong with the beginning of a file.
func checkHead(head []byte, h headings) error {
	if why := otherKind(head); why != "" {
		return notCSV("The file is not a CSV file in UTF-8.").At("/file", "not_text", "%s", why)
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(head, []byte(byteOrderMark))))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return notCSV("The file is not a "+h.noun+" CSV as Shopify exports it.").
			At("/file", "no_header", "The first line does not name the columns.")
	}
	if _, err := newTable(header, h); err != nil {
		return err
	}
	if _, err := rows.Read(); errors.Is(err, io.EOF) && len(head) < headBytes {
		return notCSV("The file is empty.").At("/file", "no_rows", "There is nothing below the first line.")
	}
	return nil
}

// otherKind says what a file is that is no text in UTF-8, as far as its beginning tells.
func otherKind(head []byte) string {
	switch {
	case len(head) == 0:
		return "It is empty."
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "It is a spreadsheet or an archive. Save it as CSV in UTF-8."
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "It is a text in UTF-16. Save it as CSV in UTF-8."
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return "It is an old spreadsheet. Save it as CSV in UTF-8."
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "It is compressed. Unpack it."
	case !strings.ContainsAny(string(head), "\r\n") && len(head) == headBytes:
		return "It has no lines."
	case bytes.IndexByte(head, 0) >= 0:
		return "It is not a text."
	}
	return ""
}

// textReader passes a text in UTF-8 on, and fails where it is none or too long.
type textReader struct {
	reader io.Reader
	most   int64 // bytes
	read   int64
	line   int
	part   []byte // of a character that is not whole yet
}

// Read reads a piece of the text.
func (t *textReader) Read(p []byte) (int, error) {
	n, err := t.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if t.read += int64(n); t.read > t.most {
		return 0, problem.New(problem.TooLarge, "file_too_large", "The file is larger than %d MB.", t.most>>20).
			At("/file", "file_too_large", "Divide it into several.")
	}
	if wrong := t.check(p[:n], err != nil); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// check holds a piece against UTF-8; the last one must end with a whole character.
func (t *textReader) check(piece []byte, last bool) error {
	data := append(t.part, piece...)
	whole := len(data)
	for i := 1; i < utf8.UTFMax && i <= len(data); i++ {
		if utf8.RuneStart(data[len(data)-i]) {
			if !utf8.FullRune(data[len(data)-i:]) {
				whole -= i
			}
			break
		}
	}
	if !utf8.Valid(data[:whole]) || bytes.IndexByte(data, 0) >= 0 || last && whole < len(data) {
		for len(data) > 0 {
			c, size := utf8.DecodeRune(data)
			if c == 0 || c == utf8.RuneError && size == 1 {
				break
			}
			if c == '\n' {
				t.line++
			}
			data = data[size:]
		}
		return notCSV("The file is not a text in UTF-8.").
			At("/file", "encoding", "On line %d there are bytes that are no text in UTF-8. Save the file as CSV in UTF-8.", t.line)
	}
	t.line += bytes.Count(data[:whole], []byte{'\n'})
	t.part = bytes.Clone(data[whole:])
	return nil
}
