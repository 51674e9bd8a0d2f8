// Package sheets writes cells of tables for programs that calculate. Such a program takes a
// text that begins like a formula for one, whoever wrote the text: a shopper's name could
// have it ask the network.
package sheets

import "strings"

// formula are the characters that a formula begins with in one program or another.
const formula = "=+-@\t\r\n＝＋－＠"

// risky says whether a text would be taken for a formula, or may have been kept from it.
func risky(text string) bool {
	text = strings.TrimLeft(text, "' ")
	return text != "" && strings.ContainsRune(formula, []rune(text)[0])
}

// Safe is a text that is taken for a text: an apostrophe comes before what would be a
// formula.
func Safe(text string) string {
	if risky(text) {
		return "'" + text
	}
	return text
}

// Plain is a text without the apostrophe that keeps it from being taken for a formula.
func Plain(text string) string {
	if rest, kept := strings.CutPrefix(text, "'"); kept && risky(rest) {
		return rest
	}
	return text
}
