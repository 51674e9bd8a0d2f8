package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/markup"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Line trims a text and holds it to its bounds.
func Line(wrong *problem.Problem, text *string, pointer string, least, most int) {
	*text = strings.TrimSpace(*text)
	switch n := utf8.RuneCountInString(*text); {
	case n < least:
		wrong.At(pointer, "required", "It is empty.")
	case n > most:
		wrong.At(pointer, "maxLength", "It has %d characters, and may have %d.", n, most)
	case strings.ContainsFunc(*text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }):
		wrong.At(pointer, "characters", "It holds characters that are not text.")
	}
}

// Clean takes out of HTML what is active, and holds it to its bound.
func Clean(wrong *problem.Problem, html *string, pointer string, most int) {
	if *html = markup.Clean(*html); utf8.RuneCountInString(*html) > most {
		wrong.At(pointer, "maxLength", "It may have %d characters.", most)
	}
}
