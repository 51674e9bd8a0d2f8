// Command generate writes overview.json. Run it in the folder dashboards, or by
// go generate.
package main

import (
	"fmt"
	"os"

	"github.com/stoacommerce/stoa/observability/dashboards"
)

func main() {
	if err := run("overview.json"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(to string) error {
	text, err := dashboards.Overview().JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}
