package report

import (
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

func TestATableNamesThePromisesThatAreNotKept(t *testing.T) {
	tables := []Table{{Title: "Speed", Rows: []Row{Samples{1, 2, 3}.AtLeast("fast", "%.0f", 3), {Name: "plain", Value: "1"}}}}
	for _, want := range []string{"### Speed\n", "| fast  | 2      | 1 … 3  | at least 3 | **no** |\n"} {
		if text := tables[0].Markdown(); strings.Count(text, want) != 1 {
			t.Errorf("the table has not exactly one %q:\n%s", want, text)
		}
	}
	if broken := Broken(tables); len(broken) != 1 || broken[0].Name != "fast" {
		t.Errorf("broken promises: %+v", broken)
	}
}
