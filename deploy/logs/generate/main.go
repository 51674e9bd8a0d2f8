// Command generate writes searches.ndjson. Run it in the folder logs, or by go generate.
package main

import (
	"fmt"
	"os"

	"github.com/stoacommerce/stoa/deploy/logs"
)

func main() {
	text, err := logs.Kibana()
	if err == nil {
		err = os.WriteFile("searches.ndjson", text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
