// Package report holds what `make bench` measured, with what was promised beside it, and
// writes it down as Markdown between marks of its own in a page that people write.
//
// The measurements are Go benchmarks in internal/bench and the folders below, each of
// which is run once and hands its tables to Publish:
//
//	func BenchmarkRequest(b *testing.B) {
//		…
//		report.Publish(b, "request", []report.Table{…})
//	}
package report

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/marked"
)

// page is where Publish writes; make bench names the documentation's.
var page = flag.String("page", "", "the page to write the measurements into, as an absolute path; none when empty")

// Publish prints the tables of a part and writes them into the page. A promise that is
// not kept is told, and fails nothing: it is for people to judge.
func Publish(t testing.TB, part string, tables []Table) {
	t.Helper()
	for _, table := range tables {
		fmt.Printf("\n%s", table.Markdown())
	}
	fmt.Println()
	for _, row := range Broken(tables) {
		fmt.Printf("not kept: %s is %s; promised was %s\n", row.Name, row.Value, row.Promise)
	}
	if *page == "" {
		return
	}
	var text strings.Builder
	for _, table := range tables {
		text.WriteString("\n" + table.Markdown())
	}
	if err := marked.Write(*page, part, "make bench", text.String()); err != nil {
		t.Fatal(err)
	}
}

// Kept says whether a measurement keeps what was promised.
type Kept int

// The verdicts. A measurement without a promise has none.
const (
	Unjudged Kept = iota
	Yes
	No
)

// String is what stands in a table.
func (k Kept) String() string { return [...]string{"", "yes", "**no**"}[k] }

// Row is one measurement.
type Row struct {
	Name    string // what was measured
	Value   string // the median, with its unit
	Spread  string // from the least to the greatest of all runs
	Promise string
	Kept    Kept
}

// Table is some measurements of one kind.
type Table struct {
	Title string
	Note  string // what one must know to read it, in Markdown; may be empty
	Rows  []Row
}

// Samples are the values that several runs gave for the same thing.
type Samples []float64

// Median is the middle one, or the mean of the two in the middle.
func (s Samples) Median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Row tells of samples without judging them. The format is for one value: "%.0f ms".
func (s Samples) Row(name, format string) Row {
	row := Row{Name: name, Value: fmt.Sprintf(format, s.Median())}
	if len(s) > 1 {
		row.Spread = fmt.Sprintf(format+" … "+format, slices.Min(s), slices.Max(s))
	}
	return row
}

// AtLeast tells of samples whose median was promised to reach a bound.
func (s Samples) AtLeast(name, format string, bound float64) Row {
	row := s.Row(name, format)
	row.Promise, row.Kept = "at least "+fmt.Sprintf(format, bound), verdict(len(s) > 0 && s.Median() >= bound)
	return row
}

// AtMost tells of samples whose median was promised not to pass a bound.
func (s Samples) AtMost(name, format string, bound float64) Row {
	row := s.Row(name, format)
	row.Promise, row.Kept = "at most "+fmt.Sprintf(format, bound), verdict(len(s) > 0 && s.Median() <= bound)
	return row
}

// Promised tells of something that is kept or not without being a number.
func Promised(name, value, promise string, kept bool) Row {
	return Row{Name: name, Value: value, Promise: promise, Kept: verdict(kept)}
}

func verdict(kept bool) Kept {
	if kept {
		return Yes
	}
	return No
}

// Milliseconds is a duration as a sample.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Broken are the rows that do not keep their promise.
func Broken(tables []Table) []Row {
	var broken []Row
	for _, t := range tables {
		for _, r := range t.Rows {
			if r.Kept == No {
				broken = append(broken, r)
			}
		}
	}
	return broken
}

// Markdown writes the table, its columns aligned so that it reads as well in a terminal.
func (t Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", t.Title)
	if t.Note != "" {
		fmt.Fprintf(&b, "%s\n\n", t.Note)
	}
	cells := [][]string{{"", "median", "spread", "promised", "kept"}}
	for _, r := range t.Rows {
		cells = append(cells, []string{r.Name, r.Value, r.Spread, r.Promise, r.Kept.String()})
	}
	b.WriteString(marked.Table(cells))
	return b.String()
}
