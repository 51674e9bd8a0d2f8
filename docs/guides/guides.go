// Package guides are the guides to the API, as they are read in the repository and at a
// platform's own address.
package guides

import (
	"embed"
	"regexp"
	"strings"
)

//go:embed *.md
var files embed.FS

// Index is the name of the guide that lists all others.
const Index = "README"

// Guide is what the index says of a guide.
type Guide struct{ Name, Title string }

var listed = regexp.MustCompile(`(?m)^- \[([^\]]+)\]\(([a-z-]+)\.md\)`)

// All are the guides, in the order of the index.
func All() (list []Guide) {
	index, _ := Text(Index)
	for _, m := range listed.FindAllStringSubmatch(index, -1) {
		list = append(list, Guide{m[2], m[1]})
	}
	return list
}

// Text is a guide as Markdown; ok is whether there is one of the name.
func Text(name string) (text string, ok bool) {
	if strings.ContainsAny(name, "/.") {
		return "", false
	}
	raw, err := files.ReadFile(name + ".md")
	return string(raw), err == nil
}
