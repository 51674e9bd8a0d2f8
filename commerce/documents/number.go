package documents

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Format is how documents are numbered: a text with {number}, or {number:5} for at least as
// many digits, and {year} before it where the numbers begin anew with every year.
type Format string

var (
	formed     = regexp.MustCompile(`^([A-Za-z0-9 ./_#-]*)(\{year\}[A-Za-z0-9 ./_#-]*)?\{number(?::([1-9]))?\}([A-Za-z0-9 ./_#-]*)$`)
	runsInto   = regexp.MustCompile(`\{year\}\{|\{year\}[^{]*[0-9]\{`)
	maxFormat  = 64
	wrongShape = "It holds {number} once, and {year} before it or not at all, something that is no digit between them, and letters, digits and . / - _ # around them."
)

// Yearly says whether the numbers begin anew with every year.
func (f Format) Yearly() bool { return strings.Contains(string(f), "{year}") }

// Write is the number of a document.
func (f Format) Write(year int, sequence int64) string {
	parts := formed.FindStringSubmatch(string(f))
	if parts == nil {
		return strconv.FormatInt(sequence, 10)
	}
	digits, _ := strconv.Atoi(parts[3])
	return parts[1] + strings.ReplaceAll(parts[2], "{year}", fmt.Sprintf("%04d", year)) + fmt.Sprintf("%0*d", digits, sequence) + parts[4]
}

// check says what is wrong with a format.
func (f Format) check(wrong *problem.Problem, at string) {
	switch {
	case len(f) > maxFormat:
		wrong.At(at, "maxLength", "It has at most %d characters.", maxFormat)
	case !formed.MatchString(string(f)) || runsInto.MatchString(string(f)):
		wrong.At(at, "pattern", "%s", wrongShape)
	}
}

// expression is what all numbers of a format look like, as an expression of Postgres with
// the year and the number in parentheses.
func (f Format) expression() string {
	parts := formed.FindStringSubmatch(string(f))
	if parts == nil {
		return "^$"
	}
	year := "()"
	if parts[2] != "" {
		year = "([0-9]{4})" + regexp.QuoteMeta(strings.TrimPrefix(parts[2], "{year}"))
	}
	return "^" + regexp.QuoteMeta(parts[1]) + year + "([0-9]{1,18})" + regexp.QuoteMeta(parts[4]) + "$"
}
