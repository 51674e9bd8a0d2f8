package secrets

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Redacted is a text that is used but never shown, such as a password in the
// configuration: every way of printing it, as itself or within a struct, gives
// "[redacted]", or nothing when it is empty. Reveal is the only way to the text.
type Redacted struct {
	// A pointer, because fmt cannot call the methods of an unexported field and would
	// print a string there; of a pointer it prints the address.
	text *string
}

// Redact wraps a text.
func Redact(text string) Redacted { return Redacted{&text} }

// Reveal is the text itself.
func (r Redacted) Reveal() string {
	if r.text == nil {
		return ""
	}
	return *r.text
}

// Empty says whether there is no text.
func (r Redacted) Empty() bool { return r.Reveal() == "" }

// Equal compares with a text in constant time.
func (r Redacted) Equal(text string) bool {
	return subtle.ConstantTimeCompare([]byte(r.Reveal()), []byte(text)) == 1
}

// String is "[redacted]", or nothing when empty.
func (r Redacted) String() string {
	if r.Empty() {
		return ""
	}
	return redacted
}

// Format prints String for every verb; %q, %x and %#v too.
func (r Redacted) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue is what slog writes.
func (r Redacted) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText is what JSON, YAML and flags write.
func (r Redacted) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text.
func (r *Redacted) UnmarshalText(text []byte) error {
	*r = Redact(string(text))
	return nil
}
