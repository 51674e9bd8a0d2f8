package credit

import (
	"strings"

	"github.com/stoacommerce/stoa/platform/token"
)

// lastCharacters is how much of a code is shown later on.
const lastCharacters = 4

// drawCode draws a gift card's code, in groups for who types it in.
func drawCode() string {
	code := token.Code()
	return strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
}

// typed mends what people mistype: groups and small letters make no difference, nor do the
// letters that look like digits.
var typed = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1")

// Normal is a code as it is compared.
func Normal(code string) string { return typed.Replace(strings.ToUpper(code)) }

// Digest is all that is kept of a code.
func Digest(code string) []byte { return token.Hash(Normal(code)) }
