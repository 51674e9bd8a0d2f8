// Gendocs writes the pages of the documentation that are made from the program itself.
// It is run at the top of the project by make generate.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/stoacommerce/stoa/app"
)

func main() {
	var page bytes.Buffer
	err := app.WriteMarkdown(&page)
	if err == nil {
		err = os.WriteFile("docs/configuration.md", page.Bytes(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}
