package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSamplesAreJudgedByTheirMedian(t *testing.T) {
	s := Samples{1, 0.25, 0.75, 0.5}
	if got := s.Median(); got != 0.625 {
		t.Errorf("the median of four is %v", got)
	}
	if got := (Samples{3, 1, 2}).Median(); got != 2 {
		t.Errorf("the median of three is %v", got)
	}
	for bound, want := range map[float64]Kept{0.6: Yes, 0.625: Yes, 0.7: No} {
		if row := s.AtLeast("ratio", "%.2f", bound); row.Kept != want || row.Spread != "0.25 … 1.00" {
			t.Errorf("at least %v: %+v", bound, row)
		}
	}
	if row := s.AtMost("ratio", "%.2f", 0.6); row.Kept != No {
		t.Errorf("at most 0.6: %+v", row)
	}
	if row := (Samples{}).AtLeast("nothing", "%.2f", 0); row.Kept != No {
		t.Errorf("what was not measured keeps no promise: %+v", row)
	}
}

func TestTablesAreWrittenBetweenTheirMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := "# Page\n\nBy hand.\n\n<!-- one: written by make bench -->\nold\n<!-- /one -->\n\nBetween.\n\n<!-- two: written by make bench -->\n<!-- /two -->\nEnd.\n"
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	tables := []Table{{Title: "Speed", Rows: []Row{Samples{1, 2, 3}.AtLeast("fast", "%.0f", 3), {Name: "plain", Value: "1"}}}}
	for range 2 { // the second time over the first
		if err := Write(path, "one", tables); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"By hand.", "Between.", "End.", "### Speed", "| fast  | 2      | 1 … 3  | at least 3 | **no** |"} {
		if strings.Count(string(b), want) != 1 {
			t.Errorf("the page has not exactly one %q:\n%s", want, b)
		}
	}
	if strings.Contains(string(b), "old") {
		t.Errorf("what stood between the marks is still there:\n%s", b)
	}
	if err := Write(path, "three", tables); err == nil {
		t.Error("a part without a place in the page was written somewhere")
	}
	if broken := Broken(tables); len(broken) != 1 || broken[0].Name != "fast" {
		t.Errorf("broken promises: %+v", broken)
	}
}
