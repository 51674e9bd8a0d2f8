package marked

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTextIsWrittenBetweenItsMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := "# Page\n\nBy hand.\n\n<!-- one: written by make it -->\nold\n<!-- /one -->\n\nBetween.\n\n<!-- two: written by make it -->\n<!-- /two -->\nEnd.\n"
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	text := Table([][]string{{"", "took"}, {"fast", "1 s"}})
	for range 2 { // the second time over the first
		if err := Write(path, "one", "make it", text); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(page, "\nold\n", "\n\n|      | took |\n|------|------|\n| fast | 1 s  |\n\n", 1)
	if string(b) != want {
		t.Errorf("the page is\n%s\nwant\n%s", b, want)
	}
	for _, absent := range [][2]string{{"three", "make it"}, {"one", "make other"}} {
		if err := Write(path, absent[0], absent[1], text); err == nil {
			t.Errorf("the part %q of %q has no place in the page and was written somewhere", absent[0], absent[1])
		}
	}
}
