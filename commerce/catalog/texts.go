package catalog

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gosimple/slug"

	"github.com/stoacommerce/stoa/platform/markup"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Bounds of texts, in characters.
const (
	maxName        = 255
	maxDescription = 65535
	maxSEO         = 1000
)

// HandleFor makes a name for addresses from a title.
func HandleFor(title, otherwise string) string {
	handle := slug.Make(html.UnescapeString(title))
	handle = strings.ReplaceAll(handle, "_", "-")
	for strings.Contains(handle, "--") {
		handle = strings.ReplaceAll(handle, "--", "-")
	}
	if len(handle) > maxName-10 { // room for a number
		handle = handle[:maxName-10]
	}
	if handle = strings.Trim(handle, "-"); handle == "" {
		return otherwise
	}
	return handle
}

// checker collects what is wrong with texts.
type checker struct{ wrong *problem.Problem }

func check(code, detail string) checker {
	return checker{problem.New(problem.Unprocessable, code, "%s", detail)}
}

// line trims a text of one line and holds it to its bounds.
func (c checker) line(text *string, pointer string, least, most int) {
	*text = strings.TrimSpace(*text)
	n := utf8.RuneCountInString(*text)
	switch {
	case n < least:
		c.wrong.At(pointer, "required", "It is empty.")
	case n > most:
		c.wrong.At(pointer, "maxLength", "It has %d characters, and may have %d.", n, most)
	case strings.ContainsFunc(*text, unicode.IsControl):
		c.wrong.At(pointer, "characters", "It holds characters that are not text.")
	}
}

// html cleans a text of HTML and holds it to its bounds.
func (c checker) html(text *string, pointer string) {
	*text = markup.Clean(*text)
	if n := utf8.RuneCountInString(*text); n > maxDescription {
		c.wrong.At(pointer, "maxLength", "Cleaned, it has %d characters, and may have %d.", n, maxDescription)
	}
}
