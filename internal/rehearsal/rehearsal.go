// Package rehearsal holds what `make rehearse` did to a running platform, how long it took
// and what was lost, and writes it into docs/operations.md.
//
// A rehearsal is a test behind the build tag "rehearse" whose name begins with
// TestRehearse, beside what it rehearses. It fails like any test when something was lost
// that must not be, and hands what it did to Publish:
//
//	func TestRehearseFailover(t *testing.T) {
//		…
//		rehearsal.Publish(t, "failover", []rehearsal.Step{…})
//	}
package rehearsal

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/marked"
)

// page is where Publish writes; make rehearse names the documentation's.
var page = flag.String("page", "", "the page to write what was done into, as an absolute path; none when empty")

// Step is one thing that was done.
type Step struct {
	Done string        // what was done, in Markdown: "the cell's server was killed"
	Took time.Duration // until all was well again; zero where time says nothing
	Came string        // what came of it: "the standby served after 2.1 s"
	Lost string        // what was lost: "nothing", or how much of what
}

// Publish prints the steps of a part and writes them into the page, with the day on which
// they were done.
func Publish(t testing.TB, part string, steps []Step) {
	t.Helper()
	rows := [][]string{{"done", "took", "came of it", "lost"}}
	for _, s := range steps {
		took := ""
		if s.Took > 0 {
			took = s.Took.Round(10 * time.Millisecond).String()
		}
		rows = append(rows, []string{s.Done, took, s.Came, s.Lost})
	}
	text := fmt.Sprintf("Done on %s.\n\n%s", time.Now().UTC().Format(time.DateOnly), marked.Table(rows))
	fmt.Printf("\n%s: %s\n", part, text)
	if *page == "" {
		return
	}
	if err := marked.Write(*page, part, "make rehearse", text); err != nil {
		t.Fatal(err)
	}
}
