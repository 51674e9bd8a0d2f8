// Package marked writes what a command measured into a page that people write: between
// marks of its own, with all else left as it is.
package marked

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Write puts text into the page at path, between the marks of a part that a command (such
// as "make bench") writes. A page without these marks is an error, and is not touched.
func Write(path, part, command, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	begin, end := []byte("<!-- "+part+": written by "+command+" -->\n"), []byte("<!-- /"+part+" -->")
	before, rest, found := bytes.Cut(page, begin)
	_, after, closed := bytes.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for the part %q: it wants the marks %q and %q", path, part, begin, end)
	}
	written := bytes.Join([][]byte{before, begin, []byte("\n" + strings.TrimSpace(text) + "\n\n"), end, after}, nil)
	if err := os.WriteFile(path, written, 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// Table is a table in Markdown, the first row its head, with columns aligned so that it
// reads as well in a terminal. All rows have as many cells as the first.
func Table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)), 3)
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				b.WriteString("|" + strings.Repeat("-", width+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
