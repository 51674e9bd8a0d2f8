package address

import (
	"net/mail"
	"strings"
)

// maxEmail is how long an e-mail address may be.
const maxEmail = 254

// Email is an e-mail address as it is kept and compared: without white space around it
// and in lower case. Two mailboxes that differ in case alone exist nowhere but in theory.
func Email(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// ValidEmail says whether text is one plain e-mail address.
func ValidEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Name == "" && parsed.Address == text && len(text) <= maxEmail
}
