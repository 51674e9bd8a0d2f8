// Gendocs writes the page of the documentation that tells of the configuration, from the
// table that the program itself reads it by:
//
//	go run ./internal/gendocs docs/configuration.md
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/stoacommerce/stoa/app"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendocs file")
		os.Exit(2)
	}
	var page bytes.Buffer
	err := app.WriteMarkdown(&page)
	if err == nil {
		err = os.WriteFile(os.Args[1], page.Bytes(), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}
