package imports

import (
	"fmt"
	"unicode/utf8"
)

// Severity says how bad a message is.
type Severity string

// The severities. An error keeps its row from going in, a warning a part of it.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Message is something to say about a row, or about the file as a whole.
type Message struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Field    *string  `json:"field"` // the column that it is about, as the file names it
	Detail   string   `json:"detail"`
}

// Bounds of what is said.
const (
	maxMessages = 50 // about a row
	maxDetail   = 2000
	maxField    = 255
)

func message(severity Severity, code, field, detail string, args ...any) Message {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	m := Message{Severity: severity, Code: code, Detail: cut(detail, maxDetail)}
	if field != "" {
		field = cut(field, maxField)
		m.Field = &field
	}
	return m
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// Outcome is what became of a row.
type Outcome string

// The outcomes.
const (
	Created Outcome = "created"
	Updated Outcome = "updated"
	Skipped Outcome = "skipped"
	Failed  Outcome = "failed"
)

// Counts are how many rows had which outcome, and how many a warning.
type Counts struct {
	Created  int `json:"created"`
	Updated  int `json:"updated"`
	Skipped  int `json:"skipped"`
	Failed   int `json:"failed"`
	Warnings int `json:"warnings"`
}

// count adds a row.
func (c *Counts) count(r *row) {
	switch r.outcome {
	case Created:
		c.Created++
	case Updated:
		c.Updated++
	case Skipped:
		c.Skipped++
	case Failed:
		c.Failed++
	}
	if r.has(Warning) {
		c.Warnings++
	}
}
