// Command generate writes the dashboards' files. Run it in the folder dashboards, or by
// go generate.
package main

import (
	"fmt"
	"os"

	"github.com/stoacommerce/stoa/observability/dashboards"
)

func main() {
	for _, d := range dashboards.All() {
		if err := write(d); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func write(d dashboards.Dashboard) error {
	text, err := d.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.File(), text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", d.File(), err)
	}
	return nil
}
