// Package passwords judges and hashes passwords. It keeps none: the hash is the
// caller's to store, and so is guarding sign-in against guessing.
//
// A password is any Unicode text. Before anything else it is normalized as the
// OpaqueString profile of RFC 8265 has it: every kind of space becomes the plain one, and
// the whole is brought to NFC, so that the same password typed on two keyboards is the
// same password. Case, width and everything else are left as they are.
package passwords

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MinLength is the least number of characters of a password that stands alone.
	MinLength = 15
	// MinLengthWithSecondFactor is the least where signing in needs a second factor too.
	MinLengthWithSecondFactor = 8
	// MaxBytes bounds the work on one password. Of the longest characters, 256 fit.
	MaxBytes = 1024
)

// Code is why a password is refused. Codes are stable and may be shown.
type Code string

// The codes.
const (
	NotText     Code = "not_text"    // not valid UTF-8
	TooShort    Code = "too_short"   // fewer characters than the least
	TooLong     Code = "too_long"    // more than MaxBytes
	Repeated    Code = "repeated"    // one short pattern over and over
	Personal    Code = "personal"    // little more than the person's or the store's own name or address
	Common      Code = "common"      // one of those that everybody tries first
	Predictable Code = "predictable" // made of common words, rows of keys, dates, sequences
)

// Weak is the refusal of a password.
type Weak struct {
	Code   Code
	Detail string // for people
}

// Error is the detail. It never contains the password.
func (w *Weak) Error() string { return w.Detail }

// Context is what is known of whoever chooses the password.
type Context struct {
	Personal     []string // their e-mail address, name, store's name and address
	SecondFactor bool     // signing in needs a second factor too
}

// Validate says whether a password may be chosen; the error is a *Weak. There are no
// rules of the kind "a digit and a capital": what counts is whether it could be guessed.
func Validate(password string, c Context) error {
	least := MinLength
	if c.SecondFactor {
		least = MinLengthWithSecondFactor
	}
	if !utf8.ValidString(password) {
		return &Weak{NotText, "The password is not valid text."}
	}
	if len(password) > MaxBytes {
		return &Weak{TooLong, "The password is too long; 256 characters always fit."}
	}
	password = normalize(password)
	if n := utf8.RuneCountInString(password); n < least {
		if c.SecondFactor {
			return &Weak{TooShort, "The password must have at least 8 characters."}
		}
		return &Weak{TooShort, "The password must have at least 15 characters. A few words in a row are easy to remember."}
	}
	return guessable(password, c, least)
}

// normalize is the form in which a password is judged and hashed.
func normalize(password string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, password))
}
