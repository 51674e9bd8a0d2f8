package operations

import (
	"fmt"
	"unicode/utf8"
)

// Severity says how bad a message is.
type Severity string

// The severities. An error keeps its row from being done, a warning a part of it.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Message is something to say about a row, or about an operation as a whole.
type Message struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Field    *string  `json:"field"` // what it is about: a column as the file names it, or a property
	Detail   string   `json:"detail"`
}

// Bounds of what is said.
const (
	maxDetail = 2000
	maxField  = 255
)

// Say makes a message; field may be empty.
func Say(severity Severity, code, field, detail string, args ...any) Message {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	m := Message{Severity: severity, Code: code, Detail: Cut(detail, maxDetail)}
	if field != "" {
		field = Cut(field, maxField)
		m.Field = &field
	}
	return m
}

// Cut shortens a text to so many characters.
func Cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// Outcome is what became of a row.
type Outcome string

// The outcomes. Pending rows are still to be done.
const (
	Pending Outcome = "pending"
	Created Outcome = "created"
	Updated Outcome = "updated"
	Deleted Outcome = "deleted"
	Skipped Outcome = "skipped"
	Failed  Outcome = "failed"
)

// Counts are how many rows had which outcome, and how many a warning.
type Counts struct {
	Created  int `json:"created"`
	Updated  int `json:"updated"`
	Deleted  int `json:"deleted"`
	Skipped  int `json:"skipped"`
	Failed   int `json:"failed"`
	Warnings int `json:"warnings"`
}

// Count adds a row.
func (c *Counts) Count(outcome Outcome, messages []Message) {
	switch outcome {
	case Created:
		c.Created++
	case Updated:
		c.Updated++
	case Deleted:
		c.Deleted++
	case Skipped:
		c.Skipped++
	case Failed:
		c.Failed++
	}
	for _, m := range messages {
		if m.Severity == Warning {
			c.Warnings++
			return
		}
	}
}
